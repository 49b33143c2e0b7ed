"""The case as a table of states: a missing row is a refusal, not a branch somebody forgot."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from gateway.domain.messages import Application, Category, Ground, Message, Outcome, Procedure, Receipt, Reply
from gateway.errors import TransitionNotAllowed, UnknownCase


class State(StrEnum):
    HELD = "held"  # handed in, must not leave yet
    REQUESTED = "requested"
    AGREED = "agreed"
    REFUSED = "refused"


class Role(StrEnum):
    """Which side of the case our authority is on."""

    REQUESTING = "requesting"
    REQUESTED = "requested"


class Event(StrEnum):
    HOLD = "hold"
    APPLICATION = "application"
    AGREEMENT = "agreement"
    REFUSAL = "refusal"


NEXT: Mapping[tuple[State | None, Event], State] = {
    (None, Event.HOLD): State.HELD,
    (None, Event.APPLICATION): State.REQUESTED,
    (State.HELD, Event.HOLD): State.HELD,
    (State.HELD, Event.APPLICATION): State.REQUESTED,
    (State.REQUESTED, Event.AGREEMENT): State.AGREED,
    (State.REQUESTED, Event.REFUSAL): State.REFUSED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Everything about one person's readmission between two authorities, as one of them sees it."""

    id: int | None  # row in the store; None while it is new
    home: str  # our authority
    counterparty: str
    reference: str
    national_reference: str | None
    role: Role
    state: State
    treaty: str
    treaty_version: str  # of the rule file, fixed when the application is made
    procedure: Procedure
    category: Category
    ground: Ground
    schema_version: str
    wrapped_key: bytes | None  # None after erasure
    opened_at: datetime
    changed_at: datetime

    @property
    def requesting_state(self) -> str:
        """Return the state that asks, ISO alpha-2."""
        return (self.home if self.role is Role.REQUESTING else self.counterparty)[:2]

    @property
    def requested_state(self) -> str:
        """Return the state that is asked, ISO alpha-2."""
        return (self.counterparty if self.role is Role.REQUESTING else self.home)[:2]


def event_of(message: Application | Reply) -> Event:
    """Return what a message does to its case."""
    if isinstance(message, Application):
        return Event.APPLICATION
    return Event.AGREEMENT if message.outcome is Outcome.AGREED else Event.REFUSAL


def step(state: State | None, event: Event) -> State:
    """Return the state after `event`. Raises `TransitionNotAllowed` when the table has no row."""
    try:
        return NEXT[state, event]
    except KeyError:
        raise TransitionNotAllowed(f"a case that is {state or 'new'!s} does not take {event!s}") from None


def opened(
    message: Application, *, home: str, event: Event, treaty_version: str, schema_version: str, wrapped_key: bytes, at: datetime
) -> Case:
    """Return the case that an application opens, on the side of `home`."""
    header = message.header
    role = Role.REQUESTING if header.sender == home else Role.REQUESTED
    return Case(
        id=None,
        home=home,
        counterparty=header.recipient if role is Role.REQUESTING else header.sender,
        reference=header.case_reference or "",
        national_reference=header.national_reference if role is Role.REQUESTING else None,
        role=role,
        state=step(None, event),
        treaty=message.agreement,
        treaty_version=treaty_version,
        procedure=message.procedure,
        category=message.category,
        ground=message.ground,
        schema_version=schema_version,
        wrapped_key=wrapped_key,
        opened_at=at,
        changed_at=at,
    )


def advance(case: Case | None, message: Message, at: datetime) -> Case:
    """Return `case` after `message`.

    Raises `UnknownCase` for a reply to a case that is not here, `TransitionNotAllowed` for a message out of turn:
    a second application, a second reply, or a reply from the side that asked.
    """
    if isinstance(message, Receipt):
        raise TransitionNotAllowed("a receipt does not change a case")
    if case is None:
        raise UnknownCase("there is no case with this reference between these two authorities")
    asked = case.home if case.role is Role.REQUESTED else case.counterparty
    if isinstance(message, Reply) and message.header.sender != asked:
        raise TransitionNotAllowed("a reply comes from the requested authority")
    return replace(case, state=step(case.state, event_of(message)), changed_at=at)
