"""The processes of the gateways, and the supervisor that starts again what died, as systemd would."""

import multiprocessing
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from soak.worker import work

LOOK_SECONDS = 0.1
RESTART_SECONDS = 0.2  # pause before what died is started again
SERVER_AWAY = 3  # exit code


@dataclass(slots=True)
class Worker:
    """One process of one gateway, over all its lives."""

    side: str
    part: str
    number: int
    config: Path
    clock: Path
    log: Path
    process: ForkServerProcess | None = None
    ended_at: float | None = None

    @property
    def name(self) -> str:
        return f"{self.side}.{self.part}.{self.number}"

    @property
    def up(self) -> Path:
        """The file that is there once the process has started."""
        return self.log.with_suffix(".up")

    def last_line(self) -> str:
        """Return what it said last, of a traceback what was raised; persons of the soak are invented."""
        said = self.log.read_text(encoding="utf-8", errors="replace").splitlines() if self.log.exists() else []
        said = [line.strip(" |+-") for line in said if line.strip(" |+-")]
        return said[-1][:300] if said else "nothing"


@dataclass(slots=True)
class Fleet:
    """All workers. `kills` counts what we ended ourselves; `exits` what ended by itself, by part and exit code.

    `last_words` counts what those said last that did not end because a server was away.
    """

    workers: list[Worker] = field(default_factory=list)
    kills: Counter[str] = field(default_factory=Counter)
    exits: Counter[str] = field(default_factory=Counter)
    last_words: Counter[str] = field(default_factory=Counter)
    _killed: set[int] = field(default_factory=set)
    _stop: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _thread: threading.Thread | None = None

    def add(self, side: str, config: Path, clock: Path, folder: Path, parts: Sequence[str]) -> None:
        for number, part in enumerate(parts, 1):
            log = folder / f"{side}.{part}.{number}.log"
            self.workers.append(Worker(side=side, part=part, number=number, config=config, clock=clock, log=log))

    def start(self) -> None:
        """Start every worker, and look after them in a thread of our own."""
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["soak.worker"])
        for each in self.workers:
            self._start(each)
        self._thread = threading.Thread(target=self._supervise, name="supervisor", daemon=True)
        self._thread.start()

    def _start(self, each: Worker) -> None:
        context = multiprocessing.get_context("forkserver")
        each.up.unlink(missing_ok=True)
        words = (each.part, each.config, each.clock, each.log, each.up)
        each.process = context.Process(target=work, args=words, name=each.name)
        each.process.start()
        each.ended_at = None

    def _supervise(self) -> None:
        while not self._stop.wait(LOOK_SECONDS):
            for each in self.workers:
                with self._lock:
                    self._look_after(each)

    def _look_after(self, each: Worker) -> None:
        process = each.process
        assert process is not None
        if process.exitcode is None:
            return
        if each.ended_at is None:
            each.ended_at = time.monotonic()
            if process.pid not in self._killed:
                self.exits[f"{each.part} {process.exitcode}"] += 1
                if process.exitcode != SERVER_AWAY:
                    self.last_words[f"{each.part}: {each.last_line()}"] += 1
        elif time.monotonic() - each.ended_at >= RESTART_SECONDS:
            self._start(each)

    def started(self) -> list[Worker]:
        """Return the workers that are up."""
        return [each for each in self.workers if each.up.exists()]

    def kill(self, each: Worker) -> bool:
        """End a worker as a power cut would; False when it was not running."""
        with self._lock:
            process = each.process
            if process is None or process.pid is None or process.exitcode is not None:
                return False
            self._killed.add(process.pid)
            process.kill()
            self.kills[each.part] += 1
            return True

    def freeze(self, side: str, part: str) -> list[int]:
        """Stop the processes of one part where they stand; return their ids for `thaw`."""
        pids = []
        with self._lock:
            for each in self.workers:
                if each.side == side and each.part == part and each.process is not None and each.process.exitcode is None:
                    assert each.process.pid is not None
                    os.kill(each.process.pid, signal.SIGSTOP)
                    pids.append(each.process.pid)
        return pids

    @staticmethod
    def thaw(pids: Sequence[int]) -> None:
        for pid in pids:
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                continue  # it was killed meanwhile

    def close(self) -> None:
        """End everything."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        for each in self.workers:
            if each.process is not None:
                each.process.kill()
        for each in self.workers:
            if each.process is not None:
                each.process.join()
