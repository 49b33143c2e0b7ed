"""One part of a gateway in a process of its own: what `gateway run PART` does, with a clock that the soak can move.

The processes come from a fork server that has imported the gateway already: a thousand starts would otherwise be a
thousand imports. Settings, keys, schemas and connections are each process's own, read anew at every start.
"""

import ctypes
import mmap
import os
import signal
import struct
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway import log
from gateway.cli.serve import run_until_signal
from gateway.errors import GatewayError
from gateway.flow.erasure import replay
from gateway.settings import load
from gateway.wiring import build
from gateway.wiring.signing import keys_for

_OFFSET = struct.Struct("d")  # seconds
_DIE_WITH_PARENT = 1  # prctl(PR_SET_PDEATHSIG): linux/prctl.h


class ClockFile:
    """How far the clock of one installation is off, in a file that all its processes look at."""

    def __init__(self, file: Path) -> None:
        if not file.exists():
            file.write_bytes(_OFFSET.pack(0.0))
        with file.open("r+b") as open_file:
            self._shared = mmap.mmap(open_file.fileno(), _OFFSET.size)

    @property
    def seconds(self) -> float:
        found: float = _OFFSET.unpack_from(self._shared)[0]
        return found

    def jump(self, seconds: float) -> None:
        """Move the clock by so much, forward or back."""
        _OFFSET.pack_into(self._shared, 0, self.seconds + seconds)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.seconds)


def work(part: str, config: Path, clock_file: Path, log_file: Path, up: Path) -> None:
    """Run one part until it is killed; the file `up` is there when it has started. Target of a process of the fork server."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
    with log_file.open("ab") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    clock: Callable[[], datetime] = ClockFile(clock_file)
    settings = load(config)
    log.set_up(as_json=True, level=30)
    try:
        with keys_for([part], settings, clock) as keys:
            rt = build(settings, ring=keys.ring, clock=clock)
            replay(rt)
            run_until_signal([part], rt, lambda _listener: up.touch(), keys.signs)
    except GatewayError as error:
        log.logger("soak").error("worker.ended", code=error.code)
        sys.exit(error.exit_code)
