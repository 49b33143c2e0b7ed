"""Calendars, limits and treaties for tests of the clock. States and holidays are invented unless a test loads the real ones."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from gateway.domain.answers import Deadline
from gateway.domain.calendars import Calendar, Kind, Side, SpecialDay, Status
from gateway.domain.deadlines import due_date
from gateway.domain.limits import Actor, Confidence, Direction, Limit, OnLapse, Unit, Whose
from gateway.domain.treaties import Party, Treaty

KNOWN_FROM, KNOWN_UNTIL = date(2025, 1, 1), date(2030, 12, 31)
MONDAY = "2026-06-01T10:15:00+02:00"


def june(day: int) -> date:
    """Return a day of June 2026: the 1st is a Monday, 6 and 7, 13 and 14, 20 and 21, 27 and 28 are weekends."""
    return date(2026, 6, day)


def calendar(
    state: str = "RS",
    zone: str = "Europe/Belgrade",
    *rest: date,
    estimated: Iterable[date] = (),
    half: Iterable[date] = (),
    worked: Iterable[date] = (),
    **other: Any,
) -> Calendar:
    days = {day: SpecialDay(on=day, name="National Day", status=Status.CONFIRMED) for day in rest}
    days |= {day: SpecialDay(on=day, name="Feast", status=Status.ESTIMATED) for day in estimated}
    days |= {day: SpecialDay(on=day, name="Eve", status=Status.CONFIRMED, kind=Kind.HALF) for day in half}
    days |= {day: SpecialDay(on=day, name="Moved day", status=Status.CONFIRMED, kind=Kind.WORK) for day in worked}
    given: dict[str, Any] = {
        "id": state.lower(),
        "version": "test/1",
        "state": state,
        "zone": zone,
        "weekend": frozenset({5, 6}),
        "days": days,
        "known_from": KNOWN_FROM,
        "known_until": KNOWN_UNTIL,
        "source": "invented",
    }
    return Calendar(**given | other)


def limit(**changes: Any) -> Limit:
    given: dict[str, Any] = {
        "id": "reply",
        "who": Actor.REQUESTED,
        "start": "receipt",
        "direction": Direction.AFTER,
        "amount": 10,
        "unit": Unit.CALENDAR_DAYS,
        "calendar": Whose.REQUESTED,
        "procedures": frozenset({"ordinary"}),
        "categories": frozenset({"national", "third-country", "stateless"}),
        "on_lapse": OnLapse.AGREED,
        "article": "Art. 10(2)",
        "source": "invented",
        "confidence": Confidence.VERIFIED,
    }
    return Limit(**given | changes)


def treaty(*limits: Limit) -> Treaty:
    return Treaty(
        id="eu-rs",
        name="Sample agreement",
        version="1",
        parties=(
            Party(code="EU", name="European Union", states=frozenset({"AT", "FR"})),
            Party(code="RS", name="Serbia", states=frozenset({"RS"})),
        ),
        entered_into_force=None,
        limits=limits,
        authorities={},
        facts=(),
    )


def dates(found: Deadline) -> tuple[date, date]:
    """Return the literal and the rolled day of a known deadline."""
    assert found.literal is not None
    assert found.rolled is not None
    return found.literal.due_on, found.rolled.due_on


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def ask(
    row: Limit, start: str, *, requested: Calendar | None = None, requesting: Calendar | None = None, **other: Any
) -> Deadline:
    """Return the deadline of one row between Austria and Serbia; days are Serbia's unless told otherwise."""
    asked = Side(state="RS", calendar=requested or calendar())
    asking = Side(state="AT", calendar=requesting or calendar("AT", "Europe/Vienna"))
    return due_date(treaty(row), row.id, start=instant(start), **{"requested": asked, "requesting": asking} | other)


def between(requested: Side, requesting: Side | None, row: Limit | None = None, **other: Any) -> Deadline:
    """Return the deadline of one row between two sides, the second of which need not be named."""
    row = row or limit()
    return due_date(treaty(row), row.id, start=instant(MONDAY), requested=requested, requesting=requesting, **other)


SERBIA = Side(state="RS", calendar=calendar())
