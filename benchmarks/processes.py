"""Worker processes of a run: started, told to go, heard within a bound, and kept until they are measured."""

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

from measure import Cost, Result, percentile

START_SECONDS = 30
SLOWEST_RATE = 20  # messages per second; a run slower than this is given up


@contextmanager
def process(target: Callable[[Connection, Any], None], job: object) -> Iterator[tuple[int, Connection]]:
    """Run `target` in a new process until it says ready; at the end let it leave, so that it can be measured until then."""
    context = multiprocessing.get_context("spawn")
    control, far_end = context.Pipe()
    process = context.Process(target=target, args=(far_end, job))
    process.start()
    far_end.close()  # only the process holds it now: if the process ends, we hear it at once
    try:
        hear(control, START_SECONDS)
        assert process.pid is not None
        yield process.pid, control
        control.send("leave")
        process.join(START_SECONDS)
    finally:
        if process.is_alive():
            process.kill()
            process.join()


def hear(control: Connection, seconds: float) -> Any:
    if not control.poll(seconds):
        raise TimeoutError(f"nothing heard from a process for {seconds:.0f} s")
    return control.recv()


def bound(count: int, rate: float) -> float:
    return START_SECONDS + count / min(rate or SLOWEST_RATE, SLOWEST_RATE)


def all_there(count: int, on_the_way: int, arrived: int) -> None:
    if (on_the_way, arrived) != (0, count):
        raise RuntimeError(f"of {count} messages {arrived} arrived and {on_the_way} are still on the way")


def result(count: int, seconds: float, latencies: list[float], cost: Cost) -> Result:
    parts = cost.cpu_us_per_message(count)
    return Result(
        rate=count / seconds,
        p50_ms=percentile(latencies, 0.50) * 1e3,
        p99_ms=percentile(latencies, 0.99) * 1e3,
        cpu_us_per_message=sum(parts.values()),
        rss_mb=cost.rss_mb,
        cpu_parts=parts,
        others_cores=cost.others_cores,
    )
