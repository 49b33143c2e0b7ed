"""Calendars, limits and treaties for tests of the clock. States and holidays are invented unless a test loads the real ones."""

from datetime import date, datetime
from typing import Any

from gateway.domain.answers import Deadline
from gateway.domain.calendars import Calendar, Side, SpecialDay, Status
from gateway.domain.deadlines import due_date
from gateway.domain.limits import Actor, Confidence, Direction, Limit, OnLapse, Unit, Whose
from gateway.domain.treaties import Party, Treaty

KNOWN_FROM, KNOWN_UNTIL = date(2025, 1, 1), date(2030, 12, 31)


def calendar(
    state: str = "RS", zone: str = "Europe/Belgrade", *rest: date, estimated: tuple[date, ...] = (), **other: Any
) -> Calendar:
    days = {day: SpecialDay(on=day, name="National Day", status=Status.CONFIRMED) for day in rest}
    days |= {day: SpecialDay(on=day, name="Feast", status=Status.ESTIMATED) for day in estimated}
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


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def ask(
    row: Limit, start: str, *, requested: Calendar | None = None, requesting: Calendar | None = None, **other: Any
) -> Deadline:
    """Return the deadline of one row between Austria and Serbia; days are Serbia's unless told otherwise."""
    asked = Side(state="RS", calendar=requested or calendar())
    asking = Side(state="AT", calendar=requesting or calendar("AT", "Europe/Vienna"))
    return due_date(treaty(row), row.id, start=instant(start), **{"requested": asked, "requesting": asking} | other)
