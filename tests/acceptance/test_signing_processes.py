"""Which process holds the signing keys: looked for in the memory of real processes."""

import gc
import shutil
import signal
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import httpx2
import psutil
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gateway.settings import load
from gateway.trust.hardware import HardwareKey
from gateway.trust.keys import FileKey, SealedKey
from gateway.wiring import build, utc_now
from gateway.wiring.signing import keys_for
from tests.acceptance.test_serve_command import ALL, add_key, application, hand_in
from tests.running import Running, run, running, write_settings


@pytest.fixture
def sockets() -> Iterator[Path]:
    folder = Path(mkdtemp(prefix="signer-"))  # short, as the address of a socket must be
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def without_signing_keys(keys: Path, tmp_path: Path) -> Path:
    """The key folder as the user of the web process sees it: no signing key, no sealing key."""
    folder = tmp_path / "keys-of-the-pages"
    shutil.copytree(keys, folder, ignore=shutil.ignore_patterns("*.signing.*", "*.sealing.json", "ca"))
    return folder


@contextmanager
def processes(tmp_path: Path, **parts: tuple[tuple[str, ...], Path]) -> Iterator[dict[str, Running]]:
    """Start processes of one gateway one after the other, each in a folder of its own."""
    from contextlib import ExitStack

    with ExitStack() as stack:
        started = {}
        for name, (words, config) in parts.items():
            folder = tmp_path / name
            folder.mkdir()
            started[name] = stack.enter_context(running("run", *words, "--config", config, "--json", cwd=folder))
            started[name].told = started[name].first_document()
        yield started


def holds(process: psutil.Process, keys: Path) -> bool:
    """Tell whether the memory of a process holds a private signing key of the folder, as a number in either order."""
    secrets = []
    for path in (keys / "private").glob("*.signing.pem"):
        number = load_pem_private_key(path.read_bytes(), password=None).private_numbers().private_value
        secrets += [number.to_bytes(32, "big"), number.to_bytes(32, "little")]
    with Path(f"/proc/{process.pid}/maps").open() as maps, Path(f"/proc/{process.pid}/mem").open("rb", 0) as memory:
        for line in maps:
            span, mode, *rest = line.split()
            if not mode.startswith("rw") or rest[-1] in {"[vvar]", "[vsyscall]"}:
                continue
            start, end = (int(each, 16) for each in span.split("-"))
            try:
                memory.seek(start)
                content = memory.read(end - start)
            except (OSError, OverflowError, ValueError):
                continue
            if any(secret in content for secret in secrets):
                return True
    return False


linux_only = pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process is read as Linux shows it")


@linux_only
@pytest.mark.timeout(300)  # four processes, and the whole memory of two of them
def test_process_with_api_and_pages_has_no_signing_key_in_its_memory(
    keys: Path, without_signing_keys: Path, sqlite_url: str, sockets: Path, tmp_path: Path
) -> None:
    headers = add_key(sqlite_url, "AT-BMI")
    full = write_settings(tmp_path, keys, database=sqlite_url, signer=str(sockets)).rename(tmp_path / "full.toml")
    pages = write_settings(tmp_path, without_signing_keys, database=sqlite_url, signer=str(sockets))
    alone = write_settings(sockets, keys, database=sqlite_url)  # no signer is named: such a process holds the keys itself
    with processes(tmp_path, sign=(("sign",), full), api=(("api",), pages), consume=(("consume",), alone)) as started:
        hand_in(started["api"].told["url"], headers)
        assert not holds(psutil.Process(started["api"].process.pid), keys)
        assert holds(psutil.Process(started["consume"].process.pid), keys), "the search finds a key where there is one"
        assert started["sign"].told == {"url": None, "parts": ["sign"], "home": ALL}


@linux_only
def test_serve_lets_a_child_sign_that_ends_with_it_however_it_ends(keys: Path, sqlite_url: str, tmp_path: Path) -> None:
    config, headers = write_settings(tmp_path, keys, database=sqlite_url), add_key(sqlite_url, "AT-BMI")
    with running("serve", "--config", config, "--json", cwd=tmp_path) as process:
        url = process.first_document()["url"]
        (child,) = psutil.Process(process.process.pid).children()
        hand_in(url, headers)
        assert not holds(psutil.Process(process.process.pid), keys)
        process.process.send_signal(signal.SIGKILL)
        process.process.wait(20)
        assert psutil.wait_procs([child], timeout=20)[1] == []


def test_serve_ends_with_a_code_when_its_signer_is_gone(keys: Path, sqlite_url: str, tmp_path: Path) -> None:
    config = write_settings(tmp_path, keys, database=sqlite_url)
    with running("serve", "--config", config, "--json", cwd=tmp_path) as process:
        process.first_document()
        (child,) = psutil.Process(process.process.pid).children()
        child.kill()
        rest, _ = process.process.communicate(timeout=30)
        assert (process.process.returncode, "signer-unavailable" in rest) == (3, True)


def test_nothing_is_stored_while_the_signer_is_away(keys: Path, sqlite_url: str, sockets: Path, tmp_path: Path) -> None:
    headers = add_key(sqlite_url, "AT-BMI")
    config = write_settings(tmp_path, keys, database=sqlite_url, signer=str(sockets))
    with processes(tmp_path, api=(("api",), config)) as started:  # any process may start first
        url = started["api"].told["url"]
        answer = httpx2.post(f"{url}/api/v1/messages?dialect=canonical", content=application(), headers=headers, timeout=30)
        assert (answer.status_code, answer.json()["code"]) == (503, "signer-unavailable")
        assert httpx2.get(f"{url}/api/v1/cases", headers=headers, timeout=30).json()["cases"] == []
        with processes(tmp_path, sign=(("sign",), config)):
            hand_in(url, headers)
        assert "Traceback" not in started["api"].errors()


# --- the objects of a process


def reachable(root: object) -> Iterator[object]:
    """Yield everything that an object leads to, but for modules, classes, functions and what they know."""
    seen, waiting = set(), [root]
    while waiting:
        item = waiting.pop()
        if id(item) in seen or isinstance(
            item, types.ModuleType | type | types.FunctionType | types.CodeType | types.FrameType
        ):
            continue
        seen.add(id(item))
        yield item
        waiting += gc.get_referents(item)


PRIVATE = (FileKey, HardwareKey, SealedKey)


@pytest.mark.parametrize(
    ("parts", "kinds"),
    [(["api"], set()), (["consume"], {FileKey, SealedKey}), (["api", "consume"], {SealedKey})],
    ids=["pages", "consume", "both"],
)
def test_runtime_of_the_pages_leads_to_no_private_key(keys: Path, sqlite_url: str, tmp_path: Path, parts, kinds) -> None:
    settings = load(write_settings(tmp_path, keys, database=sqlite_url))
    with keys_for(parts, settings, utc_now) as own:
        rt = build(settings, ring=own.ring)
        assert rt.ring.authorities() == tuple(ALL)
        assert {type(each) for each in reachable(rt) if isinstance(each, PRIVATE)} == kinds
        rt.engine.dispose()


# --- how it is started


def test_signer_runs_alone_in_its_process(keys: Path, sqlite_url: str, tmp_path: Path) -> None:
    config = write_settings(tmp_path, keys, database=sqlite_url, signer=str(tmp_path / "s"))
    done = run("run", "sign", "consume", "--config", config, cwd=tmp_path)
    assert done.code == 2
    assert "alone" in done.err


@pytest.mark.parametrize(
    ("changes", "code"),
    [({}, "settings-invalid"), ({"signer": "s", "home": ["AT-BMI", "HR-MUP"]}, "key-missing")],
    ids=["no folder", "no key"],
)
def test_signer_that_cannot_do_its_work_does_not_start(keys: Path, sqlite_url: str, tmp_path: Path, changes, code) -> None:
    config = write_settings(tmp_path, keys, database=sqlite_url, **changes)
    done = run("run", "sign", "--config", config, "--json", cwd=tmp_path)
    assert (done.code, done.json["error"]["code"]) == (4, code)


def test_doctor_says_when_the_signer_is_away(keys: Path, sqlite_url: str, sockets: Path, tmp_path: Path) -> None:
    config = write_settings(tmp_path, keys, database=sqlite_url, signer=str(sockets))
    away = run("doctor", "--config", config, "--json", cwd=tmp_path)
    (line,) = (each for each in away.json["parts"] if each["part"] == "keys")
    assert (line["ok"], line["exit_code"], line["what"].partition(":")[0]) == (False, 3, "signer-unavailable")
    with processes(tmp_path, sign=(("sign",), config)):
        there = run("doctor", "--config", config, "--json", cwd=tmp_path)
    (line,) = (each for each in there.json["parts"] if each["part"] == "keys")
    assert line["ok"], line


def test_end_of_the_signer_removes_nothing_but_its_answers(keys: Path, sqlite_url: str, sockets: Path, tmp_path: Path) -> None:
    config = write_settings(tmp_path, keys, database=sqlite_url, signer=str(sockets))
    for turn in ("first", "second"):
        with processes(tmp_path, **{turn: (("sign",), config)}) as started:
            assert (sockets / "pages.sock").exists()
            assert started[turn].end() == (0, "")
