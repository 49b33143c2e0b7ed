"""One person's readmission or transit between two authorities, as one of them sees it, and how a message moves it."""

from dataclasses import dataclass, replace
from datetime import datetime

from gateway.domain.messages import Application, Category, Ground, Message, Procedure, Receipt, Reply, Step
from gateway.domain.moves import WAITS_FOR, Event, Role, State, event_of, step
from gateway.errors import TransitionNotAllowed, UnknownCase

# What the other side says about a plan counts only for the plan that stands.
ABOUT_THE_PLAN = frozenset(
    {Event.PLAN_ACCEPTED, Event.PLAN_CHANGED, Event.PLAN_REFUSED, Event.POSTPONED, Event.REFUSED_AT_BORDER}
)
STANDSTILL = frozenset({Event.SUSPENSION, Event.RESUMPTION})
REPLIES = frozenset({Event.AGREEMENT, Event.REFUSAL, Event.TRANSIT_AGREEMENT, Event.TRANSIT_REFUSAL})
AGREED = frozenset({State.AGREED, State.TRANSIT_AGREED})
DOCUMENTS = {Event.DOCUMENT_REQUEST: False, Event.DOCUMENT_ISSUED: True, Event.DOCUMENT_REFUSED: True}  # by the issuer?


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
    linked: tuple[str, ...] = ()  # references of the cases of the same family
    suspended: bool = False  # the requesting side stopped the clock
    deemed_at: datetime | None = None  # UTC instant from which recorded silence counts; None too when a reply was in time
    lapse_notice: str | None = None  # message id of the notice that recorded it
    late: State | None = None  # what a reply that came after recorded silence makes of the case once the notice is taken back
    plan: str | None = None  # message id of the transfer notification that stands
    revision: int = 0  # of the row in the store

    @property
    def requesting_state(self) -> str:
        """Return the state that asks, ISO alpha-2."""
        return self.requesting[:2]

    @property
    def requested_state(self) -> str:
        """Return the state that is asked, ISO alpha-2."""
        return self.requested[:2]

    @property
    def requesting(self) -> str:
        """Return the authority that asks."""
        return self.home if self.role is Role.REQUESTING else self.counterparty

    @property
    def requested(self) -> str:
        """Return the authority that is asked."""
        return self.counterparty if self.role is Role.REQUESTING else self.home

    @property
    def waits_for(self) -> Role | None:
        """Return the side that must act next; None when nobody must. Who stopped the clock must set it going."""
        return Role.REQUESTING if self.suspended and WAITS_FOR[self.state] else WAITS_FOR[self.state]

    @property
    def must_take_back(self) -> bool:
        """Whether silence was recorded, and a refusal that was received in time contradicts it."""
        return self.lapse_notice is not None and self.deemed_at is None and self.late not in {None, *AGREED}

    @property
    def issuer(self) -> Role:
        """Return the side that issues the travel document: the requested one for its nationals, else the requesting one."""
        return Role.REQUESTED if self.category is Category.NATIONAL else Role.REQUESTING


def opened(
    message: Application, *, home: str, event: Event, treaty_version: str, schema_version: str, wrapped_key: bytes, at: datetime
) -> Case:
    """Return the case that an application or a notification opens, on the side of `home`."""
    header = message.header
    role = Role.REQUESTING if header.sender == home else Role.REQUESTED
    return Case(
        id=None,
        home=home,
        counterparty=header.recipient if role is Role.REQUESTING else header.sender,
        reference=header.case_reference or "",
        national_reference=header.national_reference if role is Role.REQUESTING else None,
        role=role,
        state=step(None, event, Role.REQUESTING),
        treaty=message.agreement,
        treaty_version=treaty_version,
        procedure=message.procedure,
        category=message.category,
        ground=message.ground,
        schema_version=schema_version,
        wrapped_key=wrapped_key,
        opened_at=at,
        changed_at=at,
        linked=message.linked,
    )


def advance(
    case: Case | None,
    message: Message,
    at: datetime,
    *,
    received_at: datetime | None = None,
    answered_at: datetime | None = None,
) -> Case:
    """Return `case` after `message`, ours or the other side's.

    `received_at` is when the receiving side had it, None while that is not known; `answered_at` is when the requesting
    side had our reply. Both decide a race between silence and a reply: a reply in time wins.

    Raises `UnknownCase` for a message to a case that is not here, `TransitionNotAllowed` for a message out of turn.
    """
    if isinstance(message, Receipt):
        raise TransitionNotAllowed("a receipt does not change a case")
    if case is None:
        raise UnknownCase("there is no case with this reference between these two authorities")
    return _advanced(case, message, at, received_at, answered_at)


def _advanced(
    case: Case, message: Application | Reply | Step, at: datetime, received_at: datetime | None, answered_at: datetime | None
) -> Case:
    arrives = message.header.sender != case.home
    by = case.role.other if arrives else case.role
    event = event_of(message)
    _check_turn(case, message, event, by, answered_at if arrives else None)
    if event in ABOUT_THE_PLAN and by is Role.REQUESTED and _is_stale(case, message, arrives=arrives):
        return replace(case, changed_at=at)
    if event in REPLIES and arrives and case.lapse_notice is not None:
        return _after_lapse(case, event, at, received_at)
    if event is Event.CORRECTION and isinstance(message, Step) and _takes_lapse_back(case, message, by):
        return replace(case, changed_at=at) if arrives and not _may_go_back(case) else reversed_lapse(case, at)
    moved = replace(case, state=step(case.state, event, by, arrives=arrives), changed_at=at)
    if event is Event.LAPSE and isinstance(message, Step):
        late = None if case.state in {State.REQUESTED, State.TRANSIT_REQUESTED} else case.state  # our reply, on its way
        return replace(moved, deemed_at=message.at, lapse_notice=message.header.message_id, late=late)
    if event is Event.TRANSFER_NOTICE and moved.state is State.PLANNED:
        return replace(moved, plan=message.header.message_id)
    return _stopped(moved, event, arrives=arrives) if event in STANDSTILL else moved


def _check_turn(case: Case, message: Application | Reply | Step, event: Event, by: Role, answered_at: datetime | None) -> None:
    """Refuse what the table of moves cannot see: who issues documents, and what silence and a reply make of each other."""
    _check_issuer(case, event, by)
    if event is Event.LAPSE and isinstance(message, Step):
        _check_silence(message, answered_at)
    if event is Event.TRANSFER_NOTICE and case.must_take_back and by is case.role:
        raise TransitionNotAllowed("a refusal was received in time: take the notice of silence back by a correction")


def _check_issuer(case: Case, event: Event, by: Role) -> None:
    """Refuse a travel document from the side that does not issue it, and a request for one from the side that does."""
    if event not in DOCUMENTS:
        return
    if (by is case.issuer) != DOCUMENTS[event]:
        raise TransitionNotAllowed(
            f"for this person the {case.issuer} side issues the travel document: {event!s} does not come from the {by} side"
        )


def _is_stale(case: Case, message: Application | Reply | Step, *, arrives: bool) -> bool:
    """Whether a message of the requested side speaks of a plan that no longer stands. Refuses to send one that does.

    A message that does not say which plan it is about could be read as being about another one than was meant.
    """
    answers = message.header.answers
    if answers is None and case.plan is not None:
        raise TransitionNotAllowed("what is said about a plan names the transfer notification it is about")
    stale = answers is not None and case.plan is not None and answers.message_id != case.plan
    if stale and not arrives:
        raise TransitionNotAllowed("another transfer notification stands than the one this is about")
    return stale


def check_lapse(message: Step, lapses_at: datetime | None, now: datetime) -> None:
    """Refuse a notice of silence that the clock does not bear out.

    `lapses_at` is when silence counts by our own count, None where it never does or nobody knows. Raises
    `TransitionNotAllowed`.
    """
    if lapses_at is None or message.at is None or not lapses_at <= message.at <= now:
        words = "by the clock of this case silence does not count at the instant that the notice names"
        raise TransitionNotAllowed(words, path="Lapse/LapsedAt")


def _check_silence(message: Step, answered_at: datetime | None) -> None:
    """Refuse a lapse that a reply received in time contradicts."""
    if answered_at is not None and message.at is not None and answered_at < message.at:
        raise TransitionNotAllowed("the reply was received before the limit had run out: silence is not recorded against it")


def _after_lapse(case: Case, event: Event, at: datetime, received_at: datetime | None) -> Case:
    """Return the case after a reply to which silence was recorded: kept, and what it says holds once the notice is taken back.

    The other side was told of the silence, so the case goes back on both sides by a correction of that notice, or on
    neither. A reply that was in time wins: silence counts no longer, and the requesting side must take its notice back.
    """
    before = State.TRANSIT_REQUESTED if event in {Event.TRANSIT_AGREEMENT, Event.TRANSIT_REFUSAL} else State.REQUESTED
    told = step(before, event, Role.REQUESTED, arrives=True)
    in_time = case.deemed_at is not None and received_at is not None and received_at < case.deemed_at
    return replace(case, late=told, deemed_at=None if in_time else case.deemed_at, changed_at=at)


def _stopped(case: Case, event: Event, *, arrives: bool) -> Case:
    stops = event is Event.SUSPENSION
    if case.suspended == stops and not arrives:
        raise TransitionNotAllowed("the clock of this case stands already" if stops else "the clock of this case runs")
    return replace(case, suspended=stops)


def _takes_lapse_back(case: Case, message: Step, by: Role) -> bool:
    """Whether a correction withdraws the notice that recorded silence as agreement."""
    corrected = message.proof.message_id if message.proof else None
    return by is Role.REQUESTING and case.lapse_notice is not None and corrected == case.lapse_notice


def _may_go_back(case: Case) -> bool:
    return case.lapse_notice is not None and case.state in AGREED


def answered_in_time(case: Case, received_at: datetime, at: datetime) -> Case:
    """Return the case once a receipt says when the other side had our reply: in time, silence counts no longer.

    As on the other side, the case goes back only by a correction of the notice.
    """
    if case.deemed_at is None or case.late is None or received_at >= case.deemed_at:
        return case
    return replace(case, deemed_at=None, changed_at=at)


def reversed_lapse(case: Case, at: datetime) -> Case:
    """Return the case as it would be had silence not been recorded as agreement. Raises `TransitionNotAllowed`."""
    if not _may_go_back(case):
        raise TransitionNotAllowed("no silence is recorded as agreement in this case, or the case went on since")
    before = State.REQUESTED if case.state is State.AGREED else State.TRANSIT_REQUESTED
    return replace(case, state=case.late or before, deemed_at=None, lapse_notice=None, late=None, changed_at=at)
