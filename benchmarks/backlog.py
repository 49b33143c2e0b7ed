"""A backlog after an outage: messages pile up at the broker while the recipient is away, and are then worked off.

The recipient's gateway declares its queue and stops. The sender hands in and delivers everything; then the recipient comes
back and takes it in: cases, deadlines, journal, receipts.

    python benchmarks/backlog.py 20000    # 100000 takes about ten minutes
"""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psutil
import uvloop
from hop import RECIPIENT, SENDER, Job, _hand_in, _runtime, _until, document, receive
from measure import percentile
from processes import bound, hear, process
from prototype_source import Source
from servers import Servers, servers

from gateway.flow import loops
from gateway.store import outbox
from gateway.store.database import reading
from gateway.trust.devca import make_development_keys

COUNT = 20_000
LOOK_SECONDS = 0.5


async def _declare(job: Job) -> None:
    rt = _runtime(job)
    await rt.transport.open(job.home)
    await rt.transport.close()
    rt.engine.dispose()


async def _fill(control: Connection, job: Job) -> None:
    rt = _runtime(job)
    stop = asyncio.Event()
    running = asyncio.create_task(loops.run(["deliver"], rt, stop))
    await asyncio.sleep(1.0)
    control.send("ready")
    await asyncio.to_thread(control.recv)
    await _hand_in(rt, Source(document(rt), job.count, 0))  # type: ignore[arg-type]

    def empty() -> bool:
        with reading(rt.engine) as tx:
            return outbox.next_due(tx) is None

    await _until(empty, bound(job.count, 0))
    control.send("filled")
    stop.set()
    await running
    await asyncio.to_thread(control.recv)


def fill(control: Connection, job: Job) -> None:
    """The sending gateway: it hands in everything and ends when all of it is at the broker."""
    uvloop.run(_fill(control, job))


def drain(job: Job) -> dict[str, Any]:
    """Take everything in, as the bench of one hop does; return rate and memory."""
    resident: list[float] = []
    with process(receive, job) as (pid, control):
        began = time.monotonic()
        control.send("go")
        while not control.poll(LOOK_SECONDS):
            if time.monotonic() - began > bound(job.count, 0):
                raise TimeoutError("the backlog is not worked off")
            resident.append(psutil.Process(pid).memory_info().rss / 2**20)
        arrived = sorted(hear(control, LOOK_SECONDS)["arrived"].values())
    if len(arrived) != job.count:
        raise RuntimeError(f"of {job.count} messages {len(arrived)} arrived")
    half = job.count // 2
    fifth = max(1, len(resident) // 5)
    return {
        "messages": job.count,
        "drain_per_s": round((job.count - half // 5) / (arrived[-1] - arrived[half // 5 - 1]), 1),
        "first_half_per_s": round((half - 1) / (arrived[half - 1] - arrived[0]), 1),
        "second_half_per_s": round((job.count - half - 1) / (arrived[-1] - arrived[half]), 1),
        "memory_after_a_fifth_mb": round(percentile(resident[fifth : 2 * fifth] or resident, 0.5), 1),
        "memory_at_the_end_mb": round(percentile(resident[-fifth:], 0.5), 1),
    }


def measure(say: Callable[[str], None], on: Servers, count: int = COUNT) -> dict[str, Any]:
    """Fill and drain; return the row of results.json."""
    with tempfile.TemporaryDirectory(prefix="gateway-bench-") as folder, ExitStack() as stack:
        keys = Path(folder) / "keys"
        make_development_keys(keys, [SENDER, RECIPIENT], datetime.now(UTC))
        here, there = on.fresh_database("backlog_a"), on.fresh_database("backlog_b")
        sender = Job(count=count, rate=0, keys=keys, broker=on.amqp, database=here, home=(SENDER,), peer_database=there)
        recipient = replace(sender, database=there, home=(RECIPIENT,), peer_database=here)
        asyncio.run(_declare(recipient))
        _, control = stack.enter_context(process(fill, sender))
        began = time.monotonic()
        control.send("go")
        hear(control, bound(count, 0))
        say(f"backlog: {count} messages wait at the broker after {time.monotonic() - began:.0f} s")
        stack.close()
        found = drain(recipient)
    say(f"backlog: {found}")
    return found


if __name__ == "__main__":
    with servers() as both:
        print(json.dumps(measure(print, both, int(sys.argv[1]) if len(sys.argv) > 1 else COUNT), indent=2))
