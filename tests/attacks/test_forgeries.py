"""Every forgery of a genuine envelope is refused with its one code, by every way in, and nothing of it is kept.

The forgeries are made by gateway/simulation/forgeries, each named for its defect; many are signed again by the sender's key.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.errors import Refused, catalogue
from gateway.flow.ports import Runtime
from gateway.simulation.forgeries import Forge
from gateway.stages import MAX_MESSAGE_BYTES, Signed
from gateway.transport.memory import MemoryHub
from gateway.trust.seal import seal
from gateway.trust.verify import examine, verify
from gateway.wire.reading import header_of, message_inside
from scripts.make_forgeries import write
from tests.attacks.forged import NOW, forged, keys, trust
from tests.conftest import MovableClock
from tests.forging import NOTHING, count, journalled, take
from tests.gateways import AUTHORITIES, make_gateway
from tests.running import call, run, write_settings

ALL = sorted(forged())


def test_the_genuine_envelope_is_valid() -> None:
    assert verify(Forge.load(keys(), NOW).genuine, trust(), NOW).signer == "BA-MS"


def test_there_are_many_and_every_code_is_in_the_catalogue() -> None:
    assert len(ALL) >= 250
    assert {forged()[name].code for name in ALL} <= set(catalogue())


def test_a_third_of_them_carry_a_signature_value_that_fits() -> None:
    assert sum(forged()[name].own_key for name in ALL) * 3 >= len(ALL)


@pytest.mark.parametrize("name", ALL)
def test_forgery_is_refused_with_its_code(name: str) -> None:
    with pytest.raises(Refused) as refusal:
        verify(forged()[name].body, trust(), NOW)
    assert refusal.value.code == forged()[name].code


@pytest.mark.parametrize("name", ALL)
def test_forgery_is_refused_too_when_it_is_judged_years_later(name: str) -> None:
    # Without an instant the claimed time of signing alone decides; the one forgery of time alone is then a good envelope.
    if name == "signed_in_an_hour":
        assert verify(forged()[name].body, trust()).signer == "BA-MS"
        return
    with pytest.raises(Refused) as refusal:
        verify(forged()[name].body, trust())
    assert refusal.value.code == forged()[name].code


@pytest.mark.parametrize("name", ALL)
def test_steps_end_at_the_one_that_refused(name: str) -> None:
    found = examine(forged()[name].body, trust(), NOW)
    assert found.opened is None
    assert found.refusal is not None
    assert found.refusal.code == forged()[name].code
    assert [step.ok for step in found.steps] == [True] * (len(found.steps) - 1) + [False]


@pytest.mark.parametrize("name", ALL)
def test_refusal_repeats_nothing_of_the_message(name: str) -> None:
    refusal = examine(forged()[name].body, trust(), NOW).refusal
    assert refusal is not None
    for part in ("SPECIMEN", "SOMEBODY", "Sarajevo", "127.0.0.1", "attacker", "urn:", "script"):
        assert part not in refusal.message
    assert len(refusal.message) < 300


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every forgery as a file, as the script writes them, and settings."""
    folder = tmp_path_factory.mktemp("desk")
    assert write(folder / "forged", folder / "keys", NOW) == len(ALL)
    write_settings(folder, folder / "keys")
    return folder


def test_the_script_says_what_to_expect_of_each_file(desk: Path) -> None:
    expected = json.loads((desk / "forged" / "expected.json").read_text())
    assert {name.removesuffix(".xml"): words["code"] for name, words in expected.items()} == {
        name: forged()[name].code for name in ALL
    }


@pytest.mark.parametrize("name", ALL)
def test_command_refuses_the_file_with_one_json_document(name: str, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = desk / "forged" / f"{name}.xml"
    config = desk / "gateway.toml"
    done = call("verify", file, "--at", NOW.isoformat(), "--json", "--config", config, monkeypatch=monkeypatch)
    assert (done.code, done.json["verdict"], done.json["code"]) == (1, "refused", forged()[name].code)
    assert done.json["signer"] is None


@pytest.mark.parametrize("name", ALL[::25])
def test_process_leaves_no_traceback(name: str, desk: Path) -> None:
    done = run("verify", desk / "forged" / f"{name}.xml", "--at", NOW.isoformat(), "--json", cwd=desk)
    assert (done.code, done.json["code"], done.err) == (1, forged()[name].code, "")


# --- the walk ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def side(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    clock = MovableClock(NOW)
    url = f"sqlite:///{tmp_path_factory.mktemp('walk') / 'side.sqlite3'}"
    return make_gateway(url, keys(), clock, home=AUTHORITIES, hub=MemoryHub(clock)).rt


# Inside a seal, what begins like JSON is taken for the line of a second signature.
IN_A_SEAL = {"json_in_its_place": "second-signature-invalid"}


def sealed_forgery(name: str, rt: Runtime, patch: pytest.MonkeyPatch) -> bytes:
    """Seal a forgery as whoever can write to the broker could: the keys to seal with are public, and no limit holds there."""
    header = header_of(message_inside(Forge.load(keys(), NOW).genuine))
    signed = Signed(body=forged()[name].body, digest="0" * 64, signer="BA-MS", signed_at=NOW)
    with patch.context() as limit:
        limit.setattr("gateway.trust.seal.MAX_MESSAGE_BYTES", 100 * MAX_MESSAGE_BYTES)
        return seal(signed, message_id=header["MessageId"], sender="BA-MS", recipient=header["Recipient"], trust=rt.trust).body


@pytest.mark.parametrize("name", ALL)
def test_nothing_of_a_sealed_forgery_is_kept_but_a_line_in_the_journal(
    name: str, side: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = len(journalled(side.engine))
    body = sealed_forgery(name, side, monkeypatch)
    (answer,) = take(side, body)
    too_large = len(body) > MAX_MESSAGE_BYTES
    code = "too-large" if too_large else IN_A_SEAL.get(name, forged()[name].code)
    assert (answer.outcome, answer.code) == ("refused", code)
    assert count(side.engine) == NOTHING
    (row,) = journalled(side.engine)[entries:]
    assert (row["event"], row["detail"]["code"]) == ("message.refused", answer.code)


# --- time and memory --------------------------------------------------------------------------------------------------

HEAVY = [name for name in ALL if len(forged()[name].body) > 200_000]

BOUNDED = """
import json, resource, signal, sys
from datetime import datetime
from pathlib import Path

from gateway.errors import Refused
from gateway.trust.certificates import TrustStore
from gateway.trust.verify import verify

folder, keys, at, *names = sys.argv[1:]
trust, now = TrustStore.load(Path(keys)), datetime.fromisoformat(at)
bodies = {name: (Path(folder) / f"{name}.xml").read_bytes() for name in names}

def too_long(*_words):
    raise SystemExit("more than two seconds of processor time")

signal.signal(signal.SIGPROF, too_long)
pages = int(Path("/proc/self/statm").read_text().split()[0])
room = pages * resource.getpagesize() + 200 * 1024 * 1024
resource.setrlimit(resource.RLIMIT_AS, (room, room))
found = {}
for name, body in bodies.items():
    signal.setitimer(signal.ITIMER_PROF, 2.0)
    try:
        verify(body, trust, now)
    except Refused as refusal:
        found[name] = refusal.code
    signal.setitimer(signal.ITIMER_PROF, 0)
print(json.dumps(found))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limits are read from /proc")
def test_heavy_forgeries_are_refused_within_two_seconds_and_200_megabytes(desk: Path) -> None:
    assert len(HEAVY) >= 8
    words = [sys.executable, "-c", BOUNDED, desk / "forged", desk / "keys", NOW.isoformat(), *HEAVY]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout) == {name: forged()[name].code for name in HEAVY}
