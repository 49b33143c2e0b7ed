"""The straight line: one hop A -> B with nothing but the work itself, to compare the gateway with.

parse, XSD check, map by edits, XSD check, sign (fixed-profile XML-DSig), seal (HPKE), database with outbox, durable queue,
open, verify (chain cached), XSD check, map, database with inbox, acknowledge after commit. No cases, no deadlines, no
journal, no receipts. It is independent of the gateway on purpose; read prototype_steps.py first, then one of
prototype_rabbitmq.py and prototype_embedded.py.

    python benchmarks/prototype.py rabbitmq 5000
    python benchmarks/prototype.py embedded 1000 --rate 100
"""

import argparse
import asyncio
import multiprocessing
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal

import prototype_embedded
import prototype_rabbitmq
from measure import Cost, Meter, Result, percentile
from prototype_steps import Keys
from servers import Servers, servers

Kind = Literal["rabbitmq", "embedded"]
START_SECONDS = 30
SLOWEST_RATE = 20  # messages per second; a run slower than this is given up


def run(kind: Kind, count: int, rate: float = 0, *, on: Servers | None = None) -> Result:
    """Carry `count` messages and measure. `rate` is offered per second, 0 for as fast as possible.

    `on` names running servers for "rabbitmq"; without it private ones are started for this run.
    Raises TimeoutError if the line stands still, RuntimeError if a message was lost or carried twice.
    """
    if kind == "embedded":
        return _run_embedded(count, rate)
    if on is not None:
        return _run_rabbitmq(count, rate, on)
    with servers() as own:
        return _run_rabbitmq(count, rate, own)


def _run_embedded(count: int, rate: float) -> Result:
    with tempfile.TemporaryDirectory(prefix="gateway-bench-") as folder:
        job = prototype_embedded.Job(count=count, rate=rate, keys=Keys.make(), database=Path(folder) / "hop.sqlite3")
        prototype_embedded.prepare(job)
        with _process(prototype_embedded.carry, job) as (pid, control):
            meter = Meter({"workers": [pid]})
            meter.start()
            control.send("go")
            began, ended, latencies = _hear(control, _bound(count, rate))
            cost = meter.stop()
        _all_there(count, *prototype_embedded.settle(job))
    return _result(count, ended - began, latencies, cost)


def _run_rabbitmq(count: int, rate: float, on: Servers) -> Result:
    job = prototype_rabbitmq.Job(
        count=count,
        rate=rate,
        keys=Keys.make(),
        database_a=on.fresh_database("prototype_a"),
        database_b=on.fresh_database("prototype_b"),
        amqp=on.amqp,
    )
    asyncio.run(prototype_rabbitmq.prepare(job))
    with ExitStack() as stack:
        pid_b, control_b = stack.enter_context(_process(prototype_rabbitmq.receive, job))
        pid_a, control_a = stack.enter_context(_process(prototype_rabbitmq.send, job))
        meter = Meter({"workers": [pid_a, pid_b], "rabbitmq": [on.rabbitmq_pid], "postgres": [on.postgres_pid]})
        meter.start()
        control_a.send("go")
        began = _hear(control_a, _bound(count, rate))
        ended, latencies = _hear(control_b, START_SECONDS)
        cost = meter.stop()
    _all_there(count, *asyncio.run(prototype_rabbitmq.settle(job)))
    return _result(count, ended - began, latencies, cost)


@contextmanager
def _process(target: Callable[[Connection, Any], None], job: object) -> Iterator[tuple[int, Connection]]:
    """Run `target` in a new process until it says ready; at the end let it leave, so that it can be measured until then."""
    context = multiprocessing.get_context("spawn")
    control, far_end = context.Pipe()
    process = context.Process(target=target, args=(far_end, job))
    process.start()
    far_end.close()  # only the process holds it now: if the process ends, we hear it at once
    try:
        _hear(control, START_SECONDS)
        assert process.pid is not None
        yield process.pid, control
        control.send("leave")
        process.join(START_SECONDS)
    finally:
        if process.is_alive():
            process.kill()
            process.join()


def _hear(control: Connection, seconds: float) -> Any:
    if not control.poll(seconds):
        raise TimeoutError(f"nothing heard from a process for {seconds:.0f} s")
    return control.recv()


def _bound(count: int, rate: float) -> float:
    return START_SECONDS + count / min(rate or SLOWEST_RATE, SLOWEST_RATE)


def _all_there(count: int, on_the_way: int, arrived: int) -> None:
    if (on_the_way, arrived) != (0, count):
        raise RuntimeError(f"of {count} messages {arrived} arrived and {on_the_way} are still on the way")


def _result(count: int, seconds: float, latencies: list[float], cost: Cost) -> Result:
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


def main() -> None:
    parser = argparse.ArgumentParser(description="One hop as a straight line.")
    parser.add_argument("kind", choices=["rabbitmq", "embedded"])
    parser.add_argument("count", type=int)
    parser.add_argument("--rate", type=float, default=0, help="messages per second offered; 0 for as fast as possible")
    given = parser.parse_args()
    result = run(given.kind, given.count, given.rate)
    parts = ", ".join(f"{name} {us:.0f}" for name, us in result.cpu_parts.items())
    print(
        f"{given.kind}: {result.rate:.0f} messages/s, p50 {result.p50_ms:.1f} ms, p99 {result.p99_ms:.1f} ms, "
        f"CPU {result.cpu_us_per_message:.0f} us per message ({parts}), {result.rss_mb:.0f} MB, "
        f"others {result.others_cores:.2f} cores"
    )


if __name__ == "__main__":
    main()
