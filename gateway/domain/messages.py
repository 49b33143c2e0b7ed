"""What the domain must know of a message. The XML tree keeps the rest: the schema has no second copy here."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TypeAlias


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
    AGREED = "agreed"
    REFUSED = "refused"


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
    """A request to readmit one person."""

    header: Header
    agreement: str  # treaty id, e.g. "eu-rs"
    ground: Ground
    procedure: Procedure
    interview_requested: bool
    nationalities: tuple[str, ...]  # ISO alpha-2, "stateless" or "unknown"
    former_nationalities: tuple[str, ...]
    born: str | None  # "YYYY", "YYYY-MM" or "YYYY-MM-DD"; None when unknown
    children_born: tuple[str | None, ...]  # the same for each child named with the person
    evidence: tuple[str, ...]  # codes of the tables N1, N2, T1, T2, S1

    @property
    def category(self) -> Category:
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
class ReceiptItem:
    """One line of a receipt: this message, this digest, received at this time."""

    message_id: str
    digest: str
    received_at: datetime  # UTC
    accepted: bool
    code: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The receiving gateway's signed statement about messages of one sender."""

    header: Header
    items: tuple[ReceiptItem, ...]


Message: TypeAlias = Application | Reply | Receipt

# Root element of the schema -> dataclass. A test asks the schema for its roots and compares.
MESSAGE_TYPES: dict[str, type[Application] | type[Reply] | type[Receipt]] = {
    "ReadmissionApplication": Application,
    "ReadmissionReply": Reply,
    "Receipt": Receipt,
}


def type_of(message: Message) -> str:
    """Return the name of the message's root element."""
    return next(name for name, kind in MESSAGE_TYPES.items() if isinstance(message, kind))
