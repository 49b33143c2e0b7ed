"""Treaties as data: which limit a party has, from which article, and how far we may trust the number."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class Actor(StrEnum):
    """Which side of a case must act."""

    REQUESTED = "requested"
    REQUESTING = "requesting"


class Whose(StrEnum):
    """Whose working days are counted; "both" counts a day only when both states work."""

    REQUESTED = "requested"
    REQUESTING = "requesting"
    BOTH = "both"


class Direction(StrEnum):
    AFTER = "after"  # forward from an event that happened
    BEFORE = "before"  # backward from a planned day


class Unit(StrEnum):
    HOURS = "hours"
    CALENDAR_DAYS = "calendar-days"
    WORKING_DAYS = "working-days"
    MONTHS = "months"
    YEARS = "years"


class OnLapse(StrEnum):
    """What silence means once the limit has run out."""

    AGREED = "agreed"
    DOCUMENT_CONSENT = "document-consent"  # consent to the requesting side's travel document
    PROPOSAL_ACCEPTED = "proposal-accepted"
    NOTHING = "nothing"


class Confidence(StrEnum):
    """Where a statement comes from."""

    VERIFIED = "verified"  # read in the treaty's own text
    SECONDARY = "secondary"  # a third party says so
    UNVERIFIED = "unverified"  # nobody has read it: never computed
    OPERATOR = "operator"  # set by the operator of this installation, who is named


class ExtensionKind(StrEnum):
    INCREMENT = "increment"  # so many days more
    TOTAL = "total"  # so many days in all, from the start


COMPUTABLE = frozenset({Confidence.VERIFIED, Confidence.SECONDARY, Confidence.OPERATOR})

STARTS = (
    "receipt",
    "confirmed-receipt",
    "registration",
    "agreement",  # the positive reply, or the instant from which silence counts as one
    "positive-reply",
    "knowledge",  # the requesting authority learns that the conditions of stay are not met
    "apprehension",
    "interview",
    "planned-transfer",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """How far a limit may be prolonged on request."""

    days: int  # calendar days, at least 1: the most that may be added, or the most in all
    kind: ExtensionKind
    who: Actor  # who may ask
    article: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """Who set a figure that the rule file does not have, when, and on what ground."""

    who: str  # office, not a private person
    when: date
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A worked example of one rule; it stands beside the rule and runs as a test."""

    start: datetime
    due: date  # literal end
    rolled: date  # the same as `due` unless it falls on a rest day
    procedure: str
    category: str
    requested: str | None = None  # state; None: the party that the treaty names second
    requesting: str | None = None
    extension_asked: datetime | None = None
    extension_days: int | None = None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """What a treaty allows: how long one side has to act."""

    id: str  # "reply"; rows for other procedures or persons share it
    who: Actor
    start: str  # one of STARTS
    direction: Direction
    amount: int | None  # in `unit`, at least 1; None: not known
    unit: Unit
    calendar: Whose  # counts working days; an end is always rolled by the calendar of the side that must act
    procedures: frozenset[str]
    categories: frozenset[str]
    on_lapse: OnLapse
    article: str  # as a lawyer would cite it
    source: str  # where it was read
    confidence: Confidence
    extension: Extension | None = None
    escorted: bool | None = None  # only escorted transfers, only others, or None: all
    note: str = ""
    override: Override | None = None
    examples: tuple[Example, ...] = ()

    @property
    def cited(self) -> str:
        """Return what a deadline names as its source: the article, or the operator's reference."""
        return self.override.reference if self.override else self.article

    def covers(self, procedure: str, category: str, *, escorted: bool = False) -> bool:
        """Whether the row is meant for this procedure, person and transfer."""
        return procedure in self.procedures and category in self.categories and self.escorted in {None, escorted}


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """One side of the treaty: a state, or a group of states that the treaty binds together."""

    code: str  # "RS", "EU"
    name: str
    states: frozenset[str]  # ISO alpha-2 codes


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A statement of the register that computes nothing: gazette, authority, airport."""

    about: str
    text: str
    confidence: Confidence
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Treaty:
    """An agreement between two parties. The party named second is asked unless a case says otherwise."""

    id: str
    name: str
    version: str  # of the rule file; a case keeps the one it began with
    parties: tuple[Party, Party]
    entered_into_force: date | None  # None: not known; how sure it is stands in the fact "in force"
    limits: tuple[Limit, ...]
    authorities: Mapping[str, Fact]  # by state: who sends, receives and carries out
    facts: tuple[Fact, ...]
    note: str = ""

    def limit(self, limit_id: str, procedure: str, category: str, *, escorted: bool = False) -> Limit | None:
        """Return the row that covers this procedure and person; None when the treaty has none."""
        found = (row for row in self.limits if row.id == limit_id and row.covers(procedure, category, escorted=escorted))
        return next(found, None)  # the loader refuses two rows that cover the same

    def started_by(self, event: str, procedure: str, category: str) -> tuple[Limit, ...]:
        """Return the rows whose clock an event starts for this procedure and person."""
        return tuple(row for row in self.limits if row.start == event and row.covers(procedure, category))

    def binds(self, requesting: str | None, requested: str) -> bool:
        """Whether the two states stand on different sides of the treaty; an unnamed requesting state may be any."""
        one, other = self.parties
        if requesting is None:
            return requested in one.states | other.states
        return (requesting in one.states and requested in other.states) or (
            requesting in other.states and requested in one.states
        )

    def counterpart(self, state: str) -> str | None:
        """Return the only state of the other side; None when it has several, or `state` is on neither."""
        for mine, other in (self.parties, self.parties[::-1]):
            if state in mine.states and len(other.states) == 1:
                return next(iter(other.states))
        return None

    @property
    def asked_by_default(self) -> str | None:
        """Return the state that is asked when nobody says: the party named second, if it is one state."""
        states = self.parties[1].states
        return next(iter(states)) if len(states) == 1 else None
