"""What a treaty allows: how long which side has to act, from which article, and how far we may trust the number."""

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
    REASONS = "reasons"  # the silent side owes its reasons, nothing more
    NOTHING = "nothing"


class Confidence(StrEnum):
    """Where a statement comes from."""

    VERIFIED = "verified"  # read in the treaty's own text
    SECONDARY = "secondary"  # a third party says so
    UNVERIFIED = "unverified"  # nobody has read it: never computed
    OPERATOR = "operator"  # set by the operator of this installation, who is named


class EndRule(StrEnum):
    """Which end of a limit counts when its last day is a rest day."""

    OPEN = "open"  # the text does not say: both ends are shown
    LITERAL = "literal"  # the text says that the end does not move
    ROLLED = "rolled"  # the text says that it moves to the next working day


class ExtensionKind(StrEnum):
    INCREMENT = "increment"  # so many days more
    TOTAL = "total"  # so many days in all, from the start
    OBSTACLE = "obstacle"  # for as long as a recorded obstacle lasts


COMPUTABLE = frozenset({Confidence.VERIFIED, Confidence.SECONDARY, Confidence.OPERATOR})

# The limits there are: every rule of every treaty is one of these.
LIMIT_IDS = (
    "submission",
    "reply",
    "transfer",
    "transfer-notice",
    "travel-document",
    "travel-document-renewal",
    "interview",
    "interview-result",
    "transit-notice",
    "transit-reply",
    "error",
    "register-search",
    "costs",
)

# What may start a clock. "receipt" is the receipt of the message that asks for what the limit is about.
STARTS = (
    "receipt",
    "confirmed-receipt",  # the receipt that the other side has confirmed: here the signed receipt is the confirmation
    "registration",  # the day on which the receiver registers it as incoming
    "agreement",  # the positive reply, or the instant from which silence counts as one
    "positive-reply",  # receipt of the positive reply
    "knowledge",  # the requesting authority learns that the conditions of stay are not met
    "apprehension",
    "entry",  # into the territory of the requesting state
    "interview",
    "document-request",  # receipt of the request for a travel document
    "document-issued",
    "document-expiry",
    "readmission",  # the day on which the person was taken back
    "invoice",
    "planned-transfer",
    "planned-transit",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """How far a limit may be prolonged on request."""

    kind: ExtensionKind
    days: int | None  # calendar days, at least 1: the most that may be added, or the most in all; None for an obstacle
    who: Actor  # who may ask
    article: str
    other_base: int | None = None  # calendar days from the start, where the text does not say from which day it adds
    resumes: int | None = None  # units of the rule that run once the obstacle has fallen away


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """Who set a figure that the rule file does not have, when, and on what ground."""

    who: str  # office, not a private person
    when: date
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A worked example of one rule; it stands beside the rule and runs as a test."""

    start: datetime | None  # the event; None for a limit counted back
    planned: date | None  # the planned local day of a limit counted back
    due: date  # literal end
    rolled: date  # the same as `due` unless it falls on a rest day
    procedure: str
    category: str
    requested: str | None = None  # state; None: the party that the treaty names second
    requesting: str | None = None
    extension_asked: datetime | None = None
    extension_days: int | None = None
    obstacle: tuple[date, date] | None = None  # first day of the obstacle, day on which it had fallen away
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How long one side has to act."""

    id: str  # one of LIMIT_IDS; rows for other procedures or persons share it
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
    also_on_lapse: tuple[OnLapse, ...] = ()  # what silence means besides
    extension: Extension | None = None
    end: EndRule = EndRule.OPEN
    end_source: str = ""  # where the text says which end counts
    saturday_may_count: bool = False  # the text's word for a working day can include Saturday: both readings are counted
    escorted: bool | None = None  # only escorted transfers, only others, or None: all
    means: str | None = None  # only transports by "air", "land" or "sea"; None: all
    precedence: int = 0  # the higher wins where two rows cover the same
    note: str = ""
    override: Override | None = None
    examples: tuple[Example, ...] = ()
    treaty: str = ""  # id of the file the row stands in

    @property
    def cited(self) -> str:
        """Return what a deadline names as its source: the article, or the operator's reference."""
        return self.override.reference if self.override else self.article

    def covers(self, procedure: str, category: str, *, escorted: bool = False, means: str | None = None) -> bool:
        """Whether the row is meant for this procedure, person and transfer. Where nobody says by which means, any may be."""
        transfer = self.escorted in {None, escorted} and (means is None or self.means in {None, means})
        return procedure in self.procedures and category in self.categories and transfer

    def overlaps(self, other: "Limit") -> bool:
        """Whether some procedure, person and transfer are covered by both rows."""
        same_transfer = None in {self.escorted, other.escorted} or self.escorted == other.escorted
        same_persons = self.procedures & other.procedures and self.categories & other.categories
        return bool(self.id == other.id and same_persons and same_transfer)
