"""The command `gateway` as a process of its own, in a folder of its own, as a script outside the repository runs it."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway.cli import main as entrance

SECONDS = 60.0  # bound of one command on a busy machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on standard output; fails if there is anything else."""
        return json.loads(self.out)


def environment(**more: str) -> dict[str, str]:
    """This environment without settings of a gateway in it, and without colours."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")} | {"NO_COLOR": "1"} | more


def run(*words: object, cwd: Path, seconds: float = SECONDS, env: Mapping[str, str] | None = None) -> Done:
    """Run one command to its end."""
    done = subprocess.run(
        command(words),
        cwd=cwd,
        env=environment(**(env or {})),
        capture_output=True,
        encoding="utf-8",
        timeout=seconds,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return Done(code=done.returncode, out=done.stdout, err=done.stderr)


def call(*words: object, monkeypatch: pytest.MonkeyPatch) -> Done:
    """Run a command through its own entrance, in this process; an error that is not ours fails the test."""
    monkeypatch.setattr(sys, "argv", ["gateway", *map(str, words)])
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8", newline=""), io.StringIO()
    code: Any = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            entrance.main()
        except SystemExit as end:
            code = end.code
    out.flush()
    out.buffer.seek(0)
    written = out.buffer.read().decode("utf-8", "replace")  # a document may have another encoding
    return Done(code=code or 0, out=written, err=err.getvalue())


def command(words: Sequence[object]) -> list[str]:
    return [sys.executable, "-m", "gateway", *map(str, words)]


def write_settings(folder: Path, keys: Path, **changes: object) -> Path:
    """Write a settings file: SQLite in `folder`, home to all four authorities, a port that the system chooses."""
    settings: dict[str, object] = {
        "home": ["AT-BMI", "BA-MS", "PK-MOI", "RS-MUP"],
        "database": f"sqlite:///{folder / 'gateway.sqlite3'}",
        "keys": str(keys),
        "port": 0,
        "secure_cookies": False,
    } | changes
    file = folder / "gateway.toml"
    file.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items()), encoding="utf-8")
    return file


class Running:
    """A command that runs until it is told to end."""

    def __init__(self, process: subprocess.Popen[str], errors: Path) -> None:
        self.process = process
        self._errors = errors

    def first_document(self) -> Any:
        """Return the JSON document that it prints once it is up."""
        assert self.process.stdout is not None
        lines: list[str] = []
        for line in self.process.stdout:
            lines.append(line)
            if line == "}\n":
                return json.loads("".join(lines))
        raise AssertionError("it ended without a word: " + self.errors())

    def end(self, number: signal.Signals = signal.SIGTERM, seconds: float = 20) -> tuple[int, str]:
        """Tell it to end; return its exit code and what else it printed."""
        self.process.send_signal(number)
        rest, _ = self.process.communicate(timeout=seconds)
        return self.process.returncode, rest

    def errors(self) -> str:
        return self._errors.read_text(encoding="utf-8")


@contextmanager
def running(*words: object, cwd: Path) -> Iterator[Running]:
    """Start a command; it is killed at the latest when the block is left."""
    errors = cwd / "standard-error.txt"
    with errors.open("w", encoding="utf-8") as file:
        process = subprocess.Popen(
            command(words),
            cwd=cwd,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=file,
            encoding="utf-8",
            stdin=subprocess.DEVNULL,
        )
        try:
            yield Running(process, errors)
        finally:
            process.kill()
            process.communicate()


def until(found: Any, what: str, seconds: float = 20) -> Any:
    """Wait until `found()` gives something true, at most `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if result := found():
            return result
        time.sleep(0.02)
    raise AssertionError(f"this did not happen within {seconds} seconds: {what}")
