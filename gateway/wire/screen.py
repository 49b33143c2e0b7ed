"""Foreign bytes are read by a child process first, if the installation asks for it (`parse_isolated`).

The child has little memory, no files and no network (gateway/wire/lockdown.py). It says whether the form of a document is
in order, and only then is the document read here. Nothing else comes back from it, so a child that was taken over can
refuse a document, or let one through to the same checks as ever, and no more. A document that kills it or that it does
not finish is refused; the next one gets a new child.
"""

import contextlib
import os
import selectors
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Final

from gateway.errors import ParserOverwhelmed, ParserUnavailable, Refused, SettingsInvalid, catalogue
from gateway.stages import MAX_MESSAGE_BYTES
from gateway.wire.lockdown import supported
from gateway.wire.screening import LENGTH_BYTES, READY

SECONDS: Final = 2.0  # for one document
START_SECONDS: Final = 30.0
MEGABYTES: Final = 200  # the child may grow by so much
_LONGEST_ANSWER: Final = 80


class Screen:
    """One child process, and the lock that lets one thread ask it at a time."""

    def __init__(self, schemas: Path, *, seconds: float = SECONDS, megabytes: int = MEGABYTES) -> None:
        """Start the child.

        Raises `SettingsInvalid` where it cannot be locked down, `ParserUnavailable` if it does not start.
        """
        if not supported():
            raise SettingsInvalid("parse_isolated needs Linux on x86_64 or aarch64")
        self._words = [sys.executable, "-P", "-m", "gateway.wire.screening", str(schemas.resolve()), str(megabytes)]
        self._seconds = seconds
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = self._start()

    def __call__(self, body: bytes) -> None:
        """Return if the form of `body` is in order.

        Raises the refusal that the child found (its code, with a sentence of our own), `ParserOverwhelmed`, or
        `ParserUnavailable` if no child can be started.
        """
        asked = body[: MAX_MESSAGE_BYTES + 1]  # what is longer is refused for its length
        with self._lock:
            child = self._child = self._child or self._start()
            try:
                code = self._ask(child, asked)
            except (OSError, TimeoutError) as error:
                self._end(child)
                self._child = None
                raise ParserOverwhelmed("the document overwhelmed the process that reads it", path="/") from error
        if code:
            raise _refusal(code)

    def close(self) -> None:
        """End the child; another call starts a new one."""
        with self._lock:
            if self._child is not None:
                self._end(self._child)
                self._child = None

    def _start(self) -> "subprocess.Popen[bytes]":
        try:
            child = subprocess.Popen(  # noqa: S603  # our own interpreter, words of our own
                self._words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                env={},
                cwd="/",
            )
        except OSError as error:
            raise ParserUnavailable("the process that reads foreign documents cannot be started") from error
        assert child.stdin is not None, "it was opened as a pipe"
        os.set_blocking(child.stdin.fileno(), False)  # a child that reads no more must not keep us waiting
        try:
            ready = _line(child, START_SECONDS)
        except (OSError, TimeoutError) as error:
            self._end(child)
            raise ParserUnavailable("the process that reads foreign documents did not become ready") from error
        if ready + b"\n" != READY:
            self._end(child)
            raise ParserUnavailable("the process that reads foreign documents did not become ready")
        return child

    def _ask(self, child: "subprocess.Popen[bytes]", body: bytes) -> str:
        _write(child, len(body).to_bytes(LENGTH_BYTES, "big") + body, self._seconds)
        return _line(child, self._seconds).decode("ascii", "replace")

    @staticmethod
    def _end(child: "subprocess.Popen[bytes]") -> None:
        child.kill()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # it may hold bytes for a child that is gone
                    pipe.close()
        child.wait()


def _refusal(code: str) -> Refused:
    """Return the refusal with the code that the child named; a code that no document can have means that it went mad."""
    known = catalogue().get(code)
    if known is None or not issubclass(known, Refused):
        return ParserOverwhelmed("the process that reads documents gave no sensible answer", path="/")
    return known("the document is not in a form that is read here", path="/")


def _write(child: "subprocess.Popen[bytes]", data: bytes, seconds: float) -> None:
    assert child.stdin is not None, "it was opened as a pipe"
    end = time.monotonic() + seconds
    left = memoryview(data)
    with selectors.DefaultSelector() as waiting:
        waiting.register(child.stdin, selectors.EVENT_WRITE)
        while left:
            if not waiting.select(max(0.0, end - time.monotonic())):
                raise TimeoutError
            left = left[child.stdin.write(left[:65536]) or 0 :]


def _line(child: "subprocess.Popen[bytes]", seconds: float) -> bytes:
    """Return the next line without its end. Raises `TimeoutError` or, when the child is gone, `OSError`."""
    assert child.stdout is not None, "it was opened as a pipe"
    end = time.monotonic() + seconds
    found = b""
    with selectors.DefaultSelector() as waiting:
        waiting.register(child.stdout, selectors.EVENT_READ)
        while not found.endswith(b"\n"):
            if not waiting.select(max(0.0, end - time.monotonic())):
                raise TimeoutError
            some = child.stdout.read(_LONGEST_ANSWER)
            if not some or len(found) > _LONGEST_ANSWER:
                raise BrokenPipeError
            found += some
    return found[:-1]
