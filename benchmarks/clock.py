"""The clock at scale: one deadline, the due ones among a million, and a hundred thousand counted again.

python benchmarks/clock.py            # about 3 minutes; prints the figures
"""

import json
import logging
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import structlog
from servers import Servers, servers

from gateway.domain.calendars import Kind, Side
from gateway.domain.case import Case
from gateway.domain.clock import Happening
from gateway.domain.deadlines import due_date
from gateway.domain.limits import LIMIT_IDS, Unit
from gateway.domain.messages import Category, Ground, Procedure
from gateway.domain.moves import Event, Role, State
from gateway.flow.clockwork import Started, first_deadlines
from gateway.flow.ports import Runtime
from gateway.flow.recount import recount_outdated
from gateway.partners.calendar_changes import Action, Change, append_change
from gateway.settings import load
from gateway.store import cases, deadlines
from gateway.store.database import transaction
from gateway.wiring import build

OPEN = 1_000_000  # deadlines of which a hundred are due
RECOUNTED = 100_000
PORTION = 5_000
NOW = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)


def due_date_us(rt: Runtime) -> Mapping[str, float]:
    """Return the median microseconds of one `due_date` of 30 units, by unit."""
    rules = rt.treaties["eu-rs"]
    sides: dict[str, Any] = {"requested": Side.of("RS", rt.calendars), "requesting": Side.of("AT", rt.calendars)}
    found: dict[str, float] = {}
    for unit in (Unit.CALENDAR_DAYS, Unit.WORKING_DAYS):
        rows = tuple(replace(row, amount=30, unit=unit) if row.id == "reply" else row for row in rules.limits)
        changed = replace(rules, limits=rows)
        times = [_timed(due_date, changed, "reply", start=NOW, **sides) for _ in range(20_000)]
        found[str(unit)] = round(median(times) * 1e6, 1)
    return found


def _timed(work: Callable[..., object], *given: Any, **named: Any) -> float:
    before = time.perf_counter()
    work(*given, **named)
    return time.perf_counter() - before


def new_cases(first: int, count: int) -> list[Case]:
    """Return cases of AT-BMI that asks RS-MUP."""
    return [
        Case(
            id=None,
            home="AT-BMI",
            counterparty="RS-MUP",
            reference=f"BENCH{number:021}".translate(str.maketrans("0123456789", "ABCDEFGHIJ")),
            national_reference=None,
            role=Role.REQUESTING,
            state=State.REQUESTED,
            treaty="eu-rs",
            treaty_version="1",
            procedure=Procedure.ORDINARY,
            category=Category.NATIONAL,
            ground=Ground.NATIONAL,
            schema_version="1.0",
            wrapped_key=b"",
            opened_at=NOW,
            changed_at=NOW,
        )
        for number in range(first, first + count)
    ]


def started(rt: Runtime, found: Sequence[Case]) -> Iterator[deadlines.DeadlineRow]:
    """Yield the deadline of the reply of each case; no two were received at the same instant."""
    happening = Happening(event=Event.APPLICATION, message_id="bench", sender="AT-BMI")
    for case in found:
        received_at = NOW + timedelta(minutes=(case.id or 0) % 200_000)
        yield from first_deadlines([Started(case=case, happening=happening, received_at=received_at)], rt, NOW)


def find_due_ms(rt: Runtime) -> float:
    """Return the milliseconds to find the hundred deadlines that are due among a million open ones."""
    made = 0
    while made < OPEN:
        with transaction(rt.engine) as tx:
            found = cases.add(tx, new_cases(made, PORTION // len(LIMIT_IDS)))
            (sample,) = list(started(rt, found[:1]))
            rows = [
                replace(sample, case_id=case.id or 0, limit_id=limit, look_at=NOW + timedelta(days=1, seconds=made + place))
                for place, case in enumerate(found)
                for limit in LIMIT_IDS
            ]
            if made == 0:
                rows[:100] = [replace(row, look_at=NOW - timedelta(minutes=1)) for row in rows[:100]]
            deadlines.add(tx, rows)
            made += len(rows)
    times = []
    for _ in range(9):
        with transaction(rt.engine) as tx:
            times.append(_timed(deadlines.due, tx, NOW, most=100))
    return round(median(times) * 1000, 2)


def recount_seconds(rt: Runtime) -> float:
    """Return the seconds to count a hundred thousand open deadlines again after one day of a calendar was added."""
    for first in range(0, RECOUNTED, PORTION):
        with transaction(rt.engine) as tx:
            found = cases.add(tx, new_cases(first, PORTION))
            deadlines.add(tx, list(started(rt, found)))
    day = date(2026, 6, 15)
    change = Change(calendar="rs", on=day, action=Action.ADD, name="Day off", kind=Kind.REST, who="bench", at=NOW, why="bench")
    append_change(rt.settings.calendar_changes, change)
    rt.calendars.refresh()  # type: ignore[attr-defined]
    return round(_timed(recount_outdated, rt), 1)


def measure(say: Callable[[str], None], on: Servers) -> dict[str, Any]:
    """Measure everything on both databases; return the row of results.json."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    result: dict[str, Any] = {}
    for name in ("sqlite", "postgres"):
        for what, work in (("find_due_of_1000000_ms", find_due_ms), ("recount_100000_s", recount_seconds)):
            with tempfile.TemporaryDirectory(prefix="gateway-bench-") as folder:
                url = f"sqlite:///{folder}/bench.sqlite3" if name == "sqlite" else on.fresh_database(f"clock_{what[:4]}")
                given = {"database": url, "calendar_changes": Path(folder) / "changes.toml", "home": ("AT-BMI",)}
                rt = build(load(overrides=given), clock=lambda: NOW, prepare_database=True)
                result.setdefault("due_date_us", due_date_us(rt))
                result[f"{what}_{name}"] = work(rt)
                rt.engine.dispose()
                say(f"clock, {what}, {name}: {result[f'{what}_{name}']}")
    return result


if __name__ == "__main__":
    with servers() as both:
        print(json.dumps(measure(print, both), indent=2))
