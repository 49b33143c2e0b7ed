"""With `parse_isolated` a child process reads foreign bytes first: it has no files, no network and little memory."""

import io
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest

from gateway.errors import MalformedTable, ParserOverwhelmed, ParserUnavailable, Refused
from gateway.settings import data_folder
from gateway.stages import MAX_MESSAGE_BYTES
from gateway.transport.memory import MemoryHub
from gateway.wire import screen as screens
from gateway.wire.lockdown import program, supported
from gateway.wire.screen import Screen
from tests.conftest import MovableClock
from tests.forging import application, outcomes, sealed, take
from tests.gateways import AUTHORITIES, make_gateway

pytestmark = pytest.mark.skipif(not supported(), reason="the child is locked down on Linux only")

SCHEMAS = data_folder("schemas") / "readmission" / "1.0"
GOOD = (SCHEMAS / "examples" / "ReadmissionApplication-own-national.xml").read_bytes()


@pytest.fixture(scope="module")
def screen() -> Iterator[Screen]:
    made = Screen(SCHEMAS)
    yield made
    made.close()


def child(made: Screen) -> int:
    assert made._child is not None
    return made._child.pid


def test_a_good_document_passes(screen: Screen) -> None:
    screen(GOOD)


def test_a_workbook_of_another_program_passes_and_a_damaged_one_does_not(screen: Screen) -> None:
    book, out = openpyxl.Workbook(), io.BytesIO()
    book.save(out)
    before = child(screen)
    screen(out.getvalue())
    with pytest.raises(MalformedTable):
        screen(out.getvalue()[:-30])
    assert child(screen) == before


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"<a>", "malformed-xml"),
        (b'{"a": }', "malformed-json"),
        (b"<!DOCTYPE a><a/>", "doctype-forbidden"),
        (b"\xff", "not-text"),
        (b"", "empty-document"),
        (b"<a>" * 70 + b"</a>" * 70, "nested-too-deeply"),
        (b"x" * (MAX_MESSAGE_BYTES + 9), "too-large"),
    ],
)
def test_a_bad_form_is_refused_with_the_code_it_has_everywhere(screen: Screen, body: bytes, code: str) -> None:
    with pytest.raises(Refused) as refusal:
        screen(body)
    assert refusal.value.code == code


def test_one_child_serves_many_documents(screen: Screen) -> None:
    before = child(screen)
    for _ in range(20):
        screen(GOOD)
    assert child(screen) == before


def test_a_document_that_kills_the_child_is_refused_while_the_next_one_gets_a_new_child(screen: Screen) -> None:
    before = child(screen)
    os.kill(before, signal.SIGKILL)
    with pytest.raises(ParserOverwhelmed):
        screen(GOOD)
    screen(GOOD)
    assert child(screen) != before


def test_a_document_that_the_child_does_not_finish_is_refused_in_time() -> None:
    made = Screen(SCHEMAS, seconds=0.2)
    os.kill(child(made), signal.SIGSTOP)
    try:
        with pytest.raises(ParserOverwhelmed):
            made(GOOD * 100)  # more than a pipe holds: neither writing nor waiting may hang
        made(GOOD)
    finally:
        made.close()


def test_an_answer_that_is_no_code_is_no_acceptance(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Screen(SCHEMAS)
    monkeypatch.setattr(screens, "_line", lambda *_: b"accepted, trust me")
    with pytest.raises(ParserOverwhelmed, match="sensible"):
        made(GOOD)
    monkeypatch.undo()
    made.close()


def test_a_child_that_does_not_start_is_told(tmp_path: Path) -> None:
    with pytest.raises(ParserUnavailable):
        Screen(tmp_path)  # no schemas there


LOCKED = """
import os, socket, sys
import gateway.wire.lockdown as lockdown
lockdown.lock_down(50)
found = []
def attempt(name, act):
    try:
        act()
        found.append(name)
    except (OSError, MemoryError, ValueError):
        pass
attempt("file", lambda: open("/etc/hostname"))
attempt("file for writing", lambda: os.open("/tmp/x", os.O_CREAT | os.O_WRONLY))
attempt("socket", lambda: socket.socket())
attempt("pair", lambda: socket.socketpair())
attempt("fork", lambda: os.fork())
attempt("exec", lambda: os.execv("/bin/true", ["true"]))
attempt("kill", lambda: os.kill(os.getppid(), 0))
attempt("limits of another", lambda: __import__("resource").prlimit(os.getppid(), 7))
attempt("pipe", lambda: os.pipe())
attempt("memory", lambda: bytearray(200 * 1024 * 1024))
attempt("listing", lambda: os.listdir("/"))
attempt("removal", lambda: os.unlink("/tmp/nothing-of-this-name"))
os.write(1, ("still here: " + ", ".join(found) + "\\n").encode())
"""


def test_a_process_that_is_locked_down_can_do_nothing_but_read_and_write() -> None:
    # `prlimit` needs its module before the doors close
    words = "import resource\n" + textwrap.dedent(LOCKED)
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "still here: \n", done.stderr


def test_calls_of_another_architecture_kill_the_process() -> None:
    # The second step jumps over the third only on the machine the numbers belong to; the third kills.
    for machine in ("x86_64", "aarch64"):
        steps = program(machine)
        assert len(steps) % 8 == 0
        assert steps[16:24] == b"\x06\x00\x00\x00\x00\x00\x00\x80"


def test_the_walk_asks_the_child_before_it_parses(
    migrated_sqlite: Path, tmp_path: Path, keys: Path, clock: MovableClock
) -> None:
    from dataclasses import replace

    side = make_gateway(f"sqlite:///{tmp_path / 'a.sqlite3'}", keys, clock, home=AUTHORITIES, hub=MemoryHub(clock))
    seen: list[bytes] = []

    def screen(body: bytes) -> None:
        seen.append(body)
        if b"poison" in body:
            raise ParserOverwhelmed("the document overwhelmed the process that reads it")

    rt = replace(side.rt, screen=screen)
    good, bad = application(clock()), application(clock())
    bad.find(".//{*}Person//{*}AsShown").text = "poison"
    answers = take(rt, sealed(rt, good, clock()), sealed(rt, bad, clock()))
    assert outcomes(answers) == [("accepted", None), ("refused", "parser-overwhelmed")]
    assert [body.startswith(b"<Envelope") for body in seen] == [True, True]
    handed = replace(side, rt=rt).hand_in(b"<a>poison</a>", authority="AT-BMI")
    assert getattr(handed, "code", None) == "parser-overwhelmed"
    side.rt.engine.dispose()


def test_a_gateway_with_the_setting_screens_what_comes_in(tmp_path: Path, keys: Path, clock: MovableClock) -> None:
    from gateway.settings import Settings
    from gateway.wiring import build

    url = f"sqlite:///{tmp_path / 'b.sqlite3'}"
    settings = Settings(home=AUTHORITIES, keys=keys, database=url, broker="memory", parse_isolated=True)
    rt = build(settings, clock=clock, prepare_database=True)
    assert isinstance(rt.screen, Screen)
    body = sealed(rt, application(clock()), clock())
    assert outcomes(take(rt, body)) == [("accepted", None)]
    os.kill(child(rt.screen), signal.SIGKILL)
    assert outcomes(take(rt, sealed(rt, application(clock()), clock()))) == [("refused", "parser-overwhelmed")]
    rt.screen.close()
    rt.engine.dispose()
