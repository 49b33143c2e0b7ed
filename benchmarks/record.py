"""The journal at scale: entries appended in batches of fifty, and a million of them verified.

python benchmarks/record.py           # about 3 minutes; prints the figures
"""

import json
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

from goals import Figure
from servers import Servers, servers
from sqlalchemy import Engine

from gateway.store import journal
from gateway.store.database import open_engine, reading, transaction, upgrade

ENTRIES = 1_000_000
PORTION = 5_000  # entries of one transaction while the journal is filled
BATCH = 50
BATCHES = 400
WANTED = {"append_us": 40, "verify_1000000_s": 60}
NOW = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)


def entries(first: int, count: int) -> list[journal.Entry]:
    """Return what the walk inward says of a batch: one instant, each message with a case and a digest of its own."""
    at = NOW + timedelta(seconds=first)
    return [
        journal.Entry(
            at=at,
            event="message.received",
            actor="AT-BMI",
            authority="RS-MUP",
            case_id=number,
            message_id=f"019ab4d2-7c40-7a11-8f02-{number:012d}",
            digest=f"{number:064x}",
            detail={"type": "ReadmissionApplication", "state": "requested", "transport": "rabbitmq"},
        )
        for number in range(first, first + count)
    ]


def fill(engine: Engine) -> None:
    """Append a million entries, less those that `append_us` appends."""
    for first in range(1, ENTRIES - BATCH * BATCHES + 1, PORTION):
        with transaction(engine) as tx:
            journal.append(tx, entries(first, PORTION))


def append_us(engine: Engine) -> tuple[float, float]:
    """Return the median microseconds an entry costs in a batch: appending it, and the whole transaction with its commit."""
    alone, whole = [], []
    for number in range(BATCHES):
        batch = entries(ENTRIES - BATCH * (BATCHES - number) + 1, BATCH)
        began = time.perf_counter()
        with transaction(engine) as tx:
            tx.exec_driver_sql("SELECT 1")  # the walk has written other rows before
            before = time.perf_counter()
            journal.append(tx, batch)
            alone.append(time.perf_counter() - before)
        whole.append(time.perf_counter() - began)
    return round(median(alone) / BATCH * 1e6, 1), round(median(whole) / BATCH * 1e6, 1)


def verify_seconds(engine: Engine) -> float:
    """Return the seconds to verify the whole journal. Raises RuntimeError if it is not what was written."""
    before = time.perf_counter()
    with reading(engine) as tx:
        found = journal.verify(tx)
    if found != (ENTRIES, []):
        raise RuntimeError(f"of {ENTRIES} entries {found[0]} were read, with {len(found[1])} findings")
    return round(time.perf_counter() - before, 1)


def measure(say: Callable[[str], None], on: Servers) -> tuple[dict[str, Figure], dict[str, float]]:
    """Measure on both databases; return the figures with goals, and what was measured beside them."""
    figures: dict[str, Figure] = {}
    beside: dict[str, float] = {}
    for name in ("sqlite", "postgres"):
        with tempfile.TemporaryDirectory(prefix="gateway-bench-") as folder:
            engine = open_engine(f"sqlite:///{folder}/bench.sqlite3" if name == "sqlite" else on.fresh_database("journal"))
            upgrade(engine)
            fill(engine)
            alone, beside[f"append_and_commit_us_{name}"] = append_us(engine)
            figures[f"append_us_{name}"] = Figure(measured=alone, goal=WANTED["append_us"])
            seconds = verify_seconds(engine)
            figures[f"verify_1000000_s_{name}"] = Figure(measured=seconds, goal=WANTED["verify_1000000_s"])
            engine.dispose()
            say(f"journal, {name}: append {alone} us an entry, {ENTRIES} verified in {seconds} s")
    return figures, beside


def as_dict(figures: Mapping[str, Figure], beside: Mapping[str, float]) -> dict[str, Any]:
    """Return the row of results.json."""
    return {name: one.as_dict() for name, one in figures.items()} | dict(beside)


if __name__ == "__main__":
    with servers() as both:
        print(json.dumps(as_dict(*measure(print, both)), indent=2))
