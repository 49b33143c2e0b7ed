"""What grows with the number of cases: worklist, case page, submit and receive at 1 k, 100 k and 1 M cases in the database.

One pair of cases is made by the gateway itself, on both sides of one application; its rows (case, messages, documents,
deadlines, inbox, journal, search terms) are then copied inside the database until there are enough. Of the copies two in a
hundred are open, with dates from five days ago to forty days ahead; the others are settled. Bodies of copied documents are
cut to 64 bytes, which no page reads; cases whose pages are measured are made by the gateway.

    python benchmarks/growth.py --cases 1000 100000   # a quick look; without, up to 1,000,000 (about 15 minutes)
"""

import argparse
import asyncio
import json
import logging
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx2
import structlog
from attachments import application
from goals import Figure
from measure import percentile
from servers import Servers, servers
from sqlalchemy import BigInteger, ColumnElement, DateTime, LargeBinary, Table, func, literal, select, text, true, update
from sqlalchemy import String as Text
from sqlalchemy import case as choice
from sqlalchemy import cast as as_type

from gateway.flow import heap
from gateway.flow.deliver import claim, deliver_once, settle
from gateway.flow.inbound import receive
from gateway.flow.outbound import submit
from gateway.flow.ports import Runtime
from gateway.flow.resemblances import make_searchable
from gateway.settings import Settings
from gateway.stages import Received, Submitted
from gateway.store import accounts
from gateway.store.columns import metadata
from gateway.store.database import Tx, reading, transaction
from gateway.trust.devca import make_development_keys
from gateway.web.api import ROUTERS
from gateway.web.app import create_app
from gateway.wiring import build, utc_now
from gateway.wiring.pages import web_runtime

SIZES = (1_000, 100_000, 1_000_000)  # cases in the database
ASKING, ASKED = "AT-BMI", "RS-MUP"
PAIRS_AT_ONCE = 10_000
OPEN_EACH = 50  # every 50th pair of cases is open
ALIKE_EACH = 1_000  # every so many pairs share their search terms with the cases made by the gateway
DUE_DAYS = 45  # open cases are due within so many days, beginning five days ago
FRESH = 100  # cases made by the gateway at each size: submitted, received, and their pages read
BATCH = 50
PAGES = 200  # requests of each kind of page
WANTED_MS = 50.0
PADDED = 10**18  # added to a number, so that its text always has the same length
TABLES = ("cases", "messages", "documents", "deadlines", "inbox", "journal", "searchable", "search_terms")


def hand_in(rt: Runtime, count: int) -> float:
    """Submit applications in batches; return messages per second."""
    bodies = [application(rt, ()) for _ in range(count)]
    began = time.perf_counter()
    for first in range(0, count, BATCH):
        items = [
            Submitted(body=body, authority=ASKING, dialect="canonical", submitted_at=rt.clock(), actor="bench")
            for body in bodies[first : first + BATCH]
        ]
        for answer in submit(items, rt):
            if isinstance(answer, Exception):
                raise answer
    return count / (time.perf_counter() - began)


async def carry(rt: Runtime) -> float:
    """Work delivery and intake by hand until nothing moves, receipts included; return messages received per second."""
    taken, spent = 0, 0.0
    while True:
        if rows := claim(rt, by="bench"):
            settle(rows, await deliver_once(rt, rows), rt)
        deliveries = await rt.transport.take(BATCH, 0.0)
        if deliveries:
            began = time.perf_counter()
            batch = [Received(body=one.body, received_at=rt.clock(), transport="embedded") for one in deliveries]
            answers = receive(batch, rt)
            spent += time.perf_counter() - began
            if any(answer.outcome == "refused" for answer in answers):
                raise RuntimeError("the bench's own message was refused")
            taken += len(deliveries)
            await rt.transport.settle(deliveries)
        elif not rows:
            break
    while make_searchable(rt):
        pass
    return taken / spent


class Copier:
    """Copies the rows of one pair of cases inside the database."""

    def __init__(self, tx: Tx, pair: Sequence[int]) -> None:
        """`pair`: the ids of the two cases."""
        self._rows: dict[str, list[int]] = {"cases": list(pair)}
        self._base: dict[str, int] = {}
        messages = metadata.tables["messages"]
        self._rows["messages"] = list(tx.execute(select(messages.c.id).where(messages.c.case_id.in_(pair))).scalars())
        for name in TABLES:
            table = metadata.tables[name]
            if name not in self._rows and "id" in table.c:
                condition = (
                    table.c.case_id.in_(pair) if "case_id" in table.c else table.c.message_row.in_(self._rows["messages"])
                )
                self._rows[name] = list(tx.execute(select(table.c.id).where(condition)).scalars())
            if "id" in table.c:
                self._base[name] = tx.execute(select(func.max(table.c.id))).scalar_one() + 1

    def copy(self, tx: Tx, first: int, count: int) -> None:
        """Write the pairs numbered from `first`; numbers begin at 0."""
        numbers = select(literal(first, BigInteger).label("n")).cte("numbers", recursive=True)
        numbers = numbers.union_all(select(numbers.c.n + 1).where(numbers.c.n < first + count - 1))
        for name in TABLES:
            table = metadata.tables[name]
            values = [self._value(table, column.name, numbers.c.n).label(column.name) for column in table.c]
            source = select(*values).select_from(table.join(numbers, true())).where(self._mine(table))
            tx.execute(table.insert().from_select([column.name for column in table.c], source))

    def _mine(self, table: Table) -> ColumnElement[bool]:
        return table.c.id.in_(self._rows[table.name]) if "id" in table.c else table.c.case_id.in_(self._rows["cases"])

    def _moved(self, target: str, column: ColumnElement[Any], n: ColumnElement[int]) -> ColumnElement[Any]:
        """Return the id in the copy numbered `n` of the row that `column` names."""
        places = self._rows[target]
        place = choice({row: number for number, row in enumerate(places)}, value=column)
        return as_type(self._base[target] + n * len(places) + place, BigInteger)

    def _value(self, table: Table, name: str, n: ColumnElement[int]) -> ColumnElement[Any]:
        column = table.c[name]
        if name == "id":
            return self._moved(table.name, column, n)
        if name == "case_id":
            return self._moved("cases", column, n)
        if name == "message_row":
            return self._moved("messages", column, n)
        if name == "reference":  # the same on both sides
            return literal("BENCH") + as_type(self._base["cases"] + n * 2 + PADDED, Text)
        if name in {"message_id", "hash"}:
            return literal("BENCH") + as_type(self._moved(table.name, table.c.id, n) + PADDED, Text)
        if name == "fetched_at":
            return choice((n % OPEN_EACH == 0, column), else_=table.c.arrived_at)
        if name == "term":  # every thousandth case is found by what the fresh ones are found by
            own = as_type(as_type(n + 10**15, Text), LargeBinary)
            return choice(
                (n % ALIKE_EACH == 0, column),
                else_=func.substr(own, 1, 15, type_=LargeBinary).concat(func.substr(column, 1, 1, type_=LargeBinary)),
            )
        if name == "body" and table.name == "documents":
            return func.substr(column, 1, 64, type_=LargeBinary)
        if name == "state":
            settled = "transferred" if table.name == "cases" else "met"
            return choice((n % OPEN_EACH == 0, column), else_=literal(settled))
        return column


def spread(tx: Tx, first: int) -> None:
    """Give the open deadlines of copied cases from `first` on their dates, one day apart in turn."""
    deadlines = metadata.tables["deadlines"]
    now = utc_now()
    for day in range(DUE_DAYS):
        due = literal(now + timedelta(days=day - 5), DateTime(timezone=True))
        tx.execute(
            update(deadlines)
            .where(deadlines.c.case_id >= first, deadlines.c.state == "open", deadlines.c.case_id // 100 % DUE_DAYS == day)
            .values(due_until=due)
        )


def fill(rt: Runtime, pair: Sequence[int], wanted: int) -> None:
    """Copy the pair until there are about `wanted` cases; each call goes on from where the last one ended."""
    with transaction(rt.engine) as tx:
        count = tx.execute(select(func.count()).select_from(metadata.tables["cases"])).scalar_one()
        begin = tx.execute(select(func.max(metadata.tables["cases"].c.id))).scalar_one()
        copier = Copier(tx, pair)
    pairs = (wanted - count) // 2
    for first in range(0, pairs, PAIRS_AT_ONCE):
        with transaction(rt.engine) as tx:
            copier.copy(tx, first, min(PAIRS_AT_ONCE, pairs - first))
    with transaction(rt.engine) as tx:
        spread(tx, begin + 1)
        if tx.dialect.name == "postgresql":
            for name in TABLES:
                if "id" in metadata.tables[name].c and name != "journal":
                    tx.execute(text(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), (SELECT max(id) FROM {name}))"))
    if rt.engine.dialect.name == "postgresql":  # what autovacuum does there in time; SQLite plans without statistics
        with rt.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")


def signed_in(rt: Runtime) -> str:
    """Add an officer of the asked authority; return the token of an open session."""
    with transaction(rt.engine) as tx:
        accounts.add_account(tx, name="officer", role="officer", authority=ASKED, password="none", at=rt.clock())
        account = accounts.find(tx, "officer")
        assert account is not None
        return accounts.open_session(tx, account, now=rt.clock())[0]


async def pages_ms(rt: Runtime, token: str) -> dict[str, list[float]]:
    """Ask the application for its pages, one request at a time; return the milliseconds of each request by page."""
    app = create_app(web_runtime(rt), routers=ROUTERS)
    with reading(rt.engine) as tx:
        cases = metadata.tables["cases"]
        found = select(cases.c.id).where(cases.c.home == ASKED).order_by(cases.c.id.desc()).limit(FRESH)
        ids = list(tx.execute(found).scalars())
    addresses = {
        "worklist": ["/work?show=todo"],
        "worklist_waiting": ["/work?show=waiting"],
        "worklist_all": ["/work?show=all"],
        "worklist_page_5": ["/work?show=todo&page=5"],
        "case": [f"/cases/{number}" for number in ids],
    }
    transport = httpx2.ASGITransport(app=app)
    times: dict[str, list[float]] = {}
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost", cookies={"session": token}) as client:

        async def ask(address: str) -> float:
            began = time.perf_counter()
            answer = await client.get(address)
            if answer.status_code != HTTPStatus.OK:
                raise RuntimeError(f"{address} answered {answer.status_code}")
            return (time.perf_counter() - began) * 1e3

        for wanted in addresses.values():  # the first ones compile templates and statements
            for number in range(5):
                await ask(wanted[number % len(wanted)])
        heap.settle()  # as a process of the gateway does when it starts, and again after a minute
        for name, wanted in addresses.items():
            times[name] = [await ask(wanted[number % len(wanted)]) for number in range(PAGES)]
    return times


async def grow(database: str, keys: Path, sizes: Sequence[int], say: Callable[[str], None]) -> dict[str, Any]:
    """Return what each size costs: pages in ms, submit and receive in messages per second."""
    settings = Settings(home=(ASKING, ASKED), keys=keys, database=database, broker="embedded", secure_cookies=False)
    rt = build(settings, clock=utc_now, prepare_database=True)
    await rt.transport.open(settings.home)
    hand_in(rt, 1)
    await carry(rt)
    with reading(rt.engine) as tx:
        pair = list(tx.execute(select(metadata.tables["cases"].c.id)).scalars())
    token = signed_in(rt)
    hand_in(rt, FRESH)  # everything is loaded and compiled now
    await carry(rt)
    found: dict[str, Any] = {}
    for size in sizes:
        began = time.perf_counter()
        fill(rt, pair, size)
        filled = time.perf_counter() - began
        row: dict[str, Any] = {"submit_per_s": round(hand_in(rt, FRESH), 1), "receive_per_s": round(await carry(rt), 1)}
        for name, times in (await pages_ms(rt, token)).items():
            row[f"{name}_p50_ms"] = round(percentile(times, 0.5), 1)
            row[f"{name}_p99_ms"] = round(percentile(times, 0.99), 1)
        found[str(size)] = row
        say(f"growth, {rt.engine.dialect.name}, {size} cases (filled in {filled:.0f} s): {row}")
    await rt.transport.close()
    rt.engine.dispose()
    return found


def measure(say: Callable[[str], None], on: Servers, sizes: Sequence[int] = SIZES) -> dict[str, Any]:
    """Measure both databases; return the row of results.json."""
    result: dict[str, Any] = {}
    for kind in ("sqlite", "postgres"):
        with tempfile.TemporaryDirectory(prefix="gateway-bench-") as folder:
            keys = Path(folder) / "keys"
            make_development_keys(keys, [ASKING, ASKED], datetime.now(UTC))
            url = f"sqlite:///{folder}/growth.sqlite3" if kind == "sqlite" else on.fresh_database("growth")
            result[kind] = asyncio.run(grow(url, keys, sizes, say))
    return result


def figures(found: Mapping[str, Any]) -> dict[str, Figure]:
    """Return the slowest percentile of each kind of page at each size, beside the goal."""
    return {
        f"{page}_p99_ms_{kind}_{size}": Figure(measured=row[f"{page}_p99_ms"], goal=WANTED_MS)
        for kind, sizes in found.items()
        for size, row in sizes.items()
        for page in ("worklist", "worklist_waiting", "worklist_all", "worklist_page_5", "case")
    }


def main() -> None:
    options = argparse.ArgumentParser(description="Measure what grows with the number of cases.")
    options.add_argument("--cases", type=int, nargs="+", default=SIZES)
    given = options.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with servers() as both:
        print(json.dumps(measure(print, both, given.cases), indent=2))


if __name__ == "__main__":
    main()
