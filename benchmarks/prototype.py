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
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Literal

import prototype_embedded
import prototype_rabbitmq
from measure import Meter, Result
from processes import START_SECONDS, all_there, bound, hear, process, result
from prototype_steps import Keys
from servers import Servers, servers

Kind = Literal["rabbitmq", "embedded"]


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
        with process(prototype_embedded.carry, job) as (pid, control):
            meter = Meter({"workers": [pid]})
            meter.start()
            control.send("go")
            began, ended, latencies = hear(control, bound(count, rate))
            cost = meter.stop()
        all_there(count, *prototype_embedded.settle(job))
    return result(count, ended - began, latencies, cost)


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
        pid_b, control_b = stack.enter_context(process(prototype_rabbitmq.receive, job))
        pid_a, control_a = stack.enter_context(process(prototype_rabbitmq.send, job))
        meter = Meter({"workers": [pid_a, pid_b], "rabbitmq": [on.rabbitmq_pid], "postgres": [on.postgres_pid]})
        meter.start()
        control_a.send("go")
        began = hear(control_a, bound(count, rate))
        ended, latencies = hear(control_b, START_SECONDS)
        cost = meter.stop()
    all_there(count, *asyncio.run(prototype_rabbitmq.settle(job)))
    return result(count, ended - began, latencies, cost)


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
