"""What the clock answers: the ends of a limit, what became of a request for more time, and everything that explains them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from gateway.domain.calendars import Calendar
from gateway.domain.counting import Standstill
from gateway.domain.explanations import iso, sentences
from gateway.domain.limits import Actor, Limit
from gateway.domain.readings import Feast, Reading
from gateway.domain.treaties import Treaty


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """When a limit ends."""

    due_on: date  # the last day on which to act is in time: a local date of the state that must act
    until: datetime  # the UTC instant at which that day (or the last hour of a limit in hours) ends

    @classmethod
    def of(cls, acting: Calendar, day: date) -> "End":
        """Return the end of a local day."""
        return cls(due_on=day, until=acting.end_of(day))


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionAsked:
    """A request for more time."""

    at: datetime  # aware
    days: int  # calendar days beyond the limit, at least 1
    by: Actor | None = None  # who asked; None: the side that the rule lets ask


@dataclass(frozen=True, slots=True, kw_only=True)
class Extended:
    """What became of a request for more time."""

    granted: bool
    why: str
    asked: bool = True
    days: int = 0  # calendar days given

    @classmethod
    def not_asked(cls) -> "Extended":
        """Return the answer where nobody asked."""
        return _NOT_ASKED


_NOT_ASKED = Extended(granted=False, why="No extension was asked for.", asked=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """The answer of `due_date`, with everything its explanation needs."""

    treaty: Treaty
    limit_id: str
    limit: Limit | None  # the row that applies; None: the treaty has none for this procedure, person or pair of states
    procedure: str
    category: str
    requested: str  # state
    requesting: str | None  # state; None: not named
    start: datetime  # UTC; for a limit counted backward, the first instant of the planned day
    start_on: date | None = None  # local date in `zone`
    acting: Calendar | None = None  # of the state that must act
    counting: tuple[Calendar, ...] = ()  # whose working days are counted
    stops: tuple[Standstill, ...] = ()  # days on which the clock stood still while the limit ran
    readings: tuple[Reading, ...] = ()  # other ways to read the limit; the ends are the earliest and the latest of all
    base: End | None = None  # literal end before any extension
    literal: End | None = None
    rolled: End | None = None
    extension: Extended = _NOT_ASKED
    why_not: str = ""  # why it does not apply, or is not known

    @property
    def applies(self) -> bool:
        return self.limit is not None

    @property
    def known(self) -> bool:
        return self.rolled is not None

    @property
    def zone(self) -> str | None:
        return self.acting.zone if self.acting else None

    @property
    def lapses_at(self) -> datetime | None:
        """Return the first UTC instant at which the other side may rely on silence, if silence means anything."""
        return self.rolled.until if self.rolled else None

    @property
    def rule_file(self) -> str:
        """Return the id of the file whose row applies: the protocol's where it overrides the agreement."""
        return (self.limit.treaty if self.limit else "") or self.treaty.id

    @property
    def calendars(self) -> tuple[Calendar, ...]:
        """Return the calendars the ends hang on, each once."""
        return tuple(dict.fromkeys((*self.counting, *((self.acting,) if self.acting else ()))))

    @property
    def calendar_id(self) -> str | None:
        return "+".join(calendar.id for calendar in self.calendars) or None

    @property
    def calendar_version(self) -> str | None:
        return "+".join(calendar.version for calendar in self.calendars) or None

    @property
    def estimated(self) -> bool:
        """Whether the end hangs on a feast that may still move, or on how a word of the text is read."""
        return bool(self.readings)

    @property
    def doubtful(self) -> tuple[Feast, ...]:
        """Return the estimated feasts that could move the end, each once."""
        return tuple(dict.fromkeys(feast for reading in self.readings for feast in reading.feasts))

    @property
    def explain(self) -> tuple[str, ...]:
        """Return sentences a lawyer can follow line by line; built only when somebody reads them."""
        return sentences(self)

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON object of `gateway deadline --json`: plain values only, the same keys in every case."""
        row = self.limit
        return {
            "treaty": self.rule_file,
            "agreement": self.treaty.id,
            "protocol": self.treaty.protocol,
            "limit": self.limit_id,
            "applies": self.applies,
            "known": self.known,
            "who": str(row.who) if row else None,
            "start_on": self.start_on.isoformat() if self.start_on else None,
            "zone": self.zone,
            "unit": str(row.unit) if row else None,
            "amount": row.amount if row else None,
            "literal": _plain(self.literal),
            "rolled": _plain(self.rolled),
            "extension": {"granted": self.extension.granted, "why": self.extension.why},
            "on_lapse": str(row.on_lapse) if row else None,
            "also_on_lapse": [str(one) for one in row.also_on_lapse] if row else [],
            "lapses_at": iso(self.lapses_at) if self.lapses_at else None,
            "source": row.cited if row else None,
            "confidence": str(row.confidence) if row else None,
            "calendar": {"id": self.calendar_id, "version": self.calendar_version},
            "estimated": self.estimated,
            "why_not": self.why_not or None,
            "explain": list(self.explain),
        }


def _plain(end: End | None) -> Mapping[str, str | None]:
    return {"due_on": end.due_on.isoformat() if end else None, "until": iso(end.until.astimezone(UTC)) if end else None}
