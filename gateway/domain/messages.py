"""What the domain must know of a message. The XML tree keeps the rest: the schema has no second copy here."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TypeAlias

from gateway.errors import PartnerSuspended


class Procedure(StrEnum):
    ORDINARY = "ordinary"
    ACCELERATED = "accelerated"


class Ground(StrEnum):
    """Why the requested state is asked: schema type `Ground`."""

    NATIONAL = "national"
    FORMER_NATIONAL = "former-national"
    FAMILY_MEMBER = "family-member"
    FORMER_SFRY_NATIONAL = "former-sfry-national"
    THIRD_COUNTRY_VISA = "third-country-visa"
    THIRD_COUNTRY_PERMIT = "third-country-permit"
    THIRD_COUNTRY_ENTRY = "third-country-entry"
    STATELESS = "stateless"
    TRANSIT = "transit"  # of a transit case: no ground for readmission is claimed


class Category(StrEnum):
    """The groups of persons that treaties count differently for."""

    NATIONAL = "national"
    THIRD_COUNTRY = "third-country"
    STATELESS = "stateless"


CATEGORY_OF: dict[Ground, Category] = {
    Ground.NATIONAL: Category.NATIONAL,
    Ground.FORMER_NATIONAL: Category.NATIONAL,
    Ground.FAMILY_MEMBER: Category.NATIONAL,
    Ground.FORMER_SFRY_NATIONAL: Category.NATIONAL,
    Ground.THIRD_COUNTRY_VISA: Category.THIRD_COUNTRY,
    Ground.THIRD_COUNTRY_PERMIT: Category.THIRD_COUNTRY,
    Ground.THIRD_COUNTRY_ENTRY: Category.THIRD_COUNTRY,
    Ground.STATELESS: Category.STATELESS,
}


EIGHTEEN_YEARS = 18_00_00  # as a difference of two dates written YYYYMMDD


class Outcome(StrEnum):
    """What a reply decides."""

    AGREED = "agreed"
    REFUSED = "refused"
    IN_PART = "agreed-in-part"  # for the person and some members of the family
    INTERVIEW = "interview-proposed"  # nothing is decided yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The message that is answered, and the SHA-256 of its signed envelope."""

    message_id: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Identity of a message. It comes from signed data only."""

    message_id: str  # UUIDv7
    sender: str
    recipient: str
    created: datetime  # UTC
    case_reference: str | None = None  # random per counterparty; a receipt has none
    sequence: int | None = None  # counts per case and sender, from 1
    national_reference: str | None = None  # the sender's own file number
    answers: Answered | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """What opens a case: an application for readmission, a notification that needs none, or one for transit."""

    header: Header
    type: str = "ReadmissionApplication"
    agreement: str  # treaty id, e.g. "eu-rs"
    ground: Ground
    procedure: Procedure
    interview_requested: bool
    nationalities: tuple[str, ...]  # ISO alpha-2, "stateless" or "unknown"
    former_nationalities: tuple[str, ...]
    born: str | None  # "YYYY", "YYYY-MM" or "YYYY-MM-DD"; None when unknown
    children_born: tuple[str | None, ...]  # the same for each child named with the person
    evidence: tuple[str, ...]  # codes of the tables N1, N2, T1, T2, S1
    linked: tuple[str, ...] = ()  # references of the cases of the same family
    apprehended_at: datetime | None = None  # UTC
    planned: datetime | None = None  # UTC instant of a planned transit

    @property
    def category(self) -> Category:
        """Return the group of persons the treaty counts for; in transit a person is never a national of the state asked."""
        if self.ground is Ground.TRANSIT:
            return Category.STATELESS if "stateless" in self.nationalities else Category.THIRD_COUNTRY
        return CATEGORY_OF[self.ground]

    def concerns_child(self, today: date) -> bool:
        """Whether the person, or a child named with the person, may be under 18 on `today`.

        A partial date counts in the child's favour, and so does a child without a date. An adult form without any
        birth date is no finding by itself.
        """
        own = self.born is not None and may_be_child(self.born, today)
        return own or any(born is None or may_be_child(born, today) for born in self.children_born)


def may_be_child(born: str, today: date) -> bool:
    """Whether somebody born on `born` ("YYYY", "YYYY-MM", "YYYY-MM-DD") may be under 18; a part is read as its last day."""
    youngest = born + {4: "-12-31", 7: "-31", 10: ""}[len(born)]
    return int(today.strftime("%Y%m%d")) - int(youngest.replace("-", "")) < EIGHTEEN_YEARS


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The requested side's decision on an application."""

    header: Header
    outcome: Outcome
    reasons: tuple[str, ...]  # codes; at least one when refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Any other message of a case: what happened, and what the clock must know of it. Persons and texts stay in the tree."""

    header: Header
    type: str  # "TransferNotification"
    outcome: str | None = None  # of a decision, a result, a record: a code of the schema
    limit: str | None = None  # id of the limit it is about
    days: int | None = None  # calendar days asked for or given
    at: datetime | None = None  # UTC: the planned or the real instant of what it tells
    on: date | None = None  # the day of what it tells: interview held, clock stopped
    until: date | None = None
    reason: str | None = None  # a code of the schema
    means: str | None = None  # air | land | sea
    escorted: bool = False
    proof: Answered | None = None  # of a lapse: the signed receipt that started the clock


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptItem:
    """One line of a receipt: this message, this digest, received at this time."""

    message_id: str
    digest: str
    received_at: datetime  # UTC
    accepted: bool
    code: str | None = None
    text: str | None = None
    missing: tuple[int, ...] = ()  # it waits for these earlier messages of its case; then it is neither taken nor refused

    @property
    def waits(self) -> bool:
        """Whether it is held back until an earlier message comes, or the exchange is resumed."""
        return bool(self.missing) or self.code == PartnerSuspended.code


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The receiving gateway's signed statement about messages of one sender."""

    header: Header
    items: tuple[ReceiptItem, ...]


Message: TypeAlias = Application | Reply | Step | Receipt

# Root elements of the schema that open a case.
OPENING = ("ReadmissionApplication", "WrittenNotification", "TransitApplication")

# Root elements of the schema that decide what was asked for.
REPLY_TYPES = ("ReadmissionReply", "TransitReply")

# Root elements of the schema that tell a step of a case. A test asks the schema for its roots and compares.
STEPS = (
    "ExtensionRequest",
    "ExtensionDecision",
    "InformationRequest",
    "InformationReply",
    "InterviewRequest",
    "InterviewAppointment",
    "InterviewResult",
    "RegisterSearchResult",
    "TravelDocumentRequest",
    "TravelDocumentIssued",
    "TravelDocumentRefused",
    "TransferNotification",
    "TransferNotificationReply",
    "TransferPostponed",
    "TransferRecord",
    "TransitReply",
    "TransitRevocation",
    "Withdrawal",
    "Suspension",
    "Resumption",
    "LapseNotice",
    "ReadmissionInError",
    "ReadmissionInErrorReply",
    "Correction",
    "ErasureNotice",
    "DataUseReport",
    "CostStatement",
    "CostSettlement",
    "ReintegrationReferral",
    "PostReturnFollowUp",
    "Rejection",
)

# Root element of the schema -> dataclass.
MESSAGE_TYPES: dict[str, type[Application] | type[Reply] | type[Step] | type[Receipt]] = {
    **dict.fromkeys(OPENING, Application),
    "ReadmissionReply": Reply,
    **dict.fromkeys(STEPS, Step),
    "Receipt": Receipt,
}


def type_of(message: Message) -> str:
    """Return the name of the message's root element."""
    if isinstance(message, Application | Step):
        return message.type
    return "ReadmissionReply" if isinstance(message, Reply) else "Receipt"
