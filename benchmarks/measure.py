"""What a hop costs: percentiles, CPU by process tree, peak memory, and whether the machine was quiet meanwhile.

CPU is read with psutil from outside the processes, the same way for the prototype and for the gateway. A tree counts the
process, its live descendants, and the children it has already reaped, so a PostgreSQL backend that ended within the
measured time is not lost.
"""

import math
import socket
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

QUIET_SHARE = 0.15  # of all cores: a machine less busy than this counts as quiet
LOOK_SECONDS = 0.4  # length of one look at the load; shorter looks see single clock ticks


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One measured run of one hop, source in the sender's process to commit in the receiver's database."""

    rate: float  # messages per second, first message taken to last commit
    p50_ms: float  # time from due at the source to the receiver's commit; at full speed this is queueing only
    p99_ms: float  # same
    cpu_us_per_message: float  # of all processes of the hop, servers included
    rss_mb: float  # peak of the largest worker process, MiB
    cpu_parts: Mapping[str, float] = field(default_factory=dict)  # the same CPU by part, microseconds per message
    others_cores: float = 0.0  # cores that processes outside the hop used meanwhile


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a `Meter` saw between start and stop."""

    seconds: float  # wall clock
    cpu_seconds: Mapping[str, float]  # by part
    rss_mb: float  # peak of the largest process of the part "workers", MiB
    others_cores: float  # cores used by everything that is not a part

    def cpu_us_per_message(self, count: int) -> dict[str, float]:
        return {part: seconds * 1e6 / count for part, seconds in self.cpu_seconds.items()}


class Meter:
    """CPU of named process trees over a stretch of time.

    `parts` maps a name to the process ids at the root of its trees. The part "workers" is the code under test: its
    processes must live from `start` to `stop`, because a process that is gone can no longer be asked.
    """

    def __init__(self, parts: Mapping[str, Collection[int]]) -> None:
        self._parts = {name: tuple(pids) for name, pids in parts.items()}

    def start(self) -> None:
        self._cpu = self._read()
        self._busy = busy_seconds()
        self._began = time.monotonic()

    def stop(self) -> Cost:
        """Return the cost since `start`. Raises psutil.NoSuchProcess if the root of a part has ended."""
        seconds = time.monotonic() - self._began
        busy = busy_seconds() - self._busy
        used = {name: now - self._cpu[name] for name, now in self._read().items()}
        return Cost(
            seconds=seconds,
            cpu_seconds=used,
            rss_mb=max(peak_rss_mb(pid) for pid in self._parts["workers"]),
            others_cores=max(0.0, busy - sum(used.values())) / seconds,
        )

    def _read(self) -> dict[str, float]:
        return {name: sum(tree_cpu_seconds(pid) for pid in pids) for name, pids in self._parts.items()}


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest of `values` that at least `share` of them do not exceed (nearest rank).

    `share` lies in (0, 1]. Raises ValueError for no values: a percentile of nothing is not zero.
    """
    if not values or not 0 < share <= 1:
        raise ValueError("a percentile needs values and a share in (0, 1]")
    return sorted(values)[math.ceil(len(values) * share) - 1]


def tree_cpu_seconds(pid: int) -> float:
    """Return user and system time of the process, of the children it has reaped, and of its live descendants."""
    total = sum(psutil.Process(pid).cpu_times()[:4])  # user, system, and both again for reaped children
    for child in psutil.Process(pid).children(recursive=True):
        try:
            total += sum(child.cpu_times()[:4])
        except psutil.NoSuchProcess:
            continue  # ended since the listing; its parent has its time now, the next reading sees it
    return total


def busy_seconds() -> float:
    """Return the time all cores together have spent on anything but waiting since boot."""
    spent = psutil.cpu_times()
    return sum(spent[:8]) - spent.idle - getattr(spent, "iowait", 0.0)  # guest time, after the first 8, is in user already


def peak_rss_mb(pid: int) -> float:
    """Return the most resident memory the process ever had, in MiB; where the system does not keep it, the present one."""
    status = Path(f"/proc/{pid}/status")
    if status.exists():
        for line in status.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024  # the kernel writes kB
    return psutil.Process(pid).memory_info().rss / 2**20


def wait_until_quiet(limit_seconds: float = 25) -> bool:
    """Wait until other work leaves the machine alone; False if it never did within the limit."""
    until = time.monotonic() + limit_seconds
    while time.monotonic() < until:
        if psutil.cpu_percent(interval=LOOK_SECONDS) / 100 < QUIET_SHARE:
            return True
    return False


def listener_pid(port: int) -> int:
    """Return the process that listens on a local TCP port. Raises LookupError if none can be seen."""
    for connection in psutil.net_connections(kind="tcp"):
        if connection.status == psutil.CONN_LISTEN and connection.pid and connection.laddr and connection.laddr.port == port:
            return connection.pid
    raise LookupError(f"no process that this account may see listens on port {port}")


def free_port() -> int:
    """Return a TCP port that was free on the loopback a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
