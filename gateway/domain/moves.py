"""How a case moves: a table of what may be sent from which state by whom. A missing row is a refusal.

Two messages can cross on the way. What was legal when it left must not be refused on arrival, and both sides must end
in the same state; `CROSSING` says how, row by row. docs/message-cycle.md tells the same in words.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from gateway.domain.messages import Application, Outcome, Reply, Step
from gateway.errors import TransitionNotAllowed


class State(StrEnum):
    HELD = "held"  # handed in, must not leave yet
    REQUESTED = "requested"
    NOTIFIED = "notified"  # written notification: no decision is needed
    AGREED = "agreed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    PLANNED = "planned"  # the transfer is announced
    TRANSFERRED = "transferred"
    CLAIMED = "claimed"  # the requested side says that it readmitted in error
    TAKEN_BACK = "taken-back"
    TRANSIT_REQUESTED = "transit-requested"
    TRANSIT_AGREED = "transit-agreed"
    TRANSIT_REFUSED = "transit-refused"
    TRANSIT_REVOKED = "transit-revoked"
    TRANSIT_WITHDRAWN = "transit-withdrawn"
    TRANSITED = "transited"


class Role(StrEnum):
    """Which side of the case our authority is on."""

    REQUESTING = "requesting"
    REQUESTED = "requested"

    @property
    def other(self) -> "Role":
        return Role.REQUESTED if self is Role.REQUESTING else Role.REQUESTING


class Event(StrEnum):
    HOLD = "hold"
    APPLICATION = "application"
    NOTIFICATION = "notification"
    AGREEMENT = "agreement"
    REFUSAL = "refusal"
    INTERVIEW_PROPOSAL = "interview-proposal"
    EXTENSION_REQUEST = "extension-request"
    EXTENSION_GRANTED = "extension-granted"
    EXTENSION_REFUSED = "extension-refused"
    INFORMATION_REQUEST = "information-request"
    INFORMATION_REPLY = "information-reply"
    INTERVIEW_REQUEST = "interview-request"
    INTERVIEW_APPOINTMENT = "interview-appointment"
    INTERVIEW_RESULT = "interview-result"
    REGISTER_SEARCH = "register-search"
    DOCUMENT_REQUEST = "document-request"
    DOCUMENT_ISSUED = "document-issued"
    DOCUMENT_REFUSED = "document-refused"
    TRANSFER_NOTICE = "transfer-notice"
    PLAN_ACCEPTED = "plan-accepted"
    PLAN_CHANGED = "plan-changed"
    PLAN_REFUSED = "plan-refused"
    POSTPONED = "postponed"
    HANDED_OVER = "handed-over"
    REFUSED_AT_BORDER = "refused-at-border"
    NOT_CARRIED_OUT = "not-carried-out"
    TRANSIT = "transit"
    TRANSIT_AGREEMENT = "transit-agreement"
    TRANSIT_REFUSAL = "transit-refusal"
    TRANSIT_REVOCATION = "transit-revocation"
    WITHDRAWAL = "withdrawal"
    SUSPENSION = "suspension"
    RESUMPTION = "resumption"
    LAPSE = "lapse"  # silence counts as agreement
    LAPSE_NOTED = "lapse-noted"  # silence means something else
    ERROR_CLAIM = "error-claim"
    ERROR_ACCEPTED = "error-accepted"
    ERROR_REFUSED = "error-refused"
    CORRECTION = "correction"
    ERASURE = "erasure"
    DATA_USE = "data-use"
    COST_STATEMENT = "cost-statement"
    COST_SETTLEMENT = "cost-settlement"
    REFERRAL = "referral"
    FOLLOW_UP = "follow-up"
    REJECTION = "rejection"


# What each kind of message does: by type, and by its outcome where that decides.
EVENT_OF: Mapping[tuple[str, str | None], Event] = {
    ("ReadmissionApplication", None): Event.APPLICATION,
    ("WrittenNotification", None): Event.NOTIFICATION,
    ("TransitApplication", None): Event.TRANSIT,
    ("ReadmissionReply", Outcome.AGREED): Event.AGREEMENT,
    ("ReadmissionReply", Outcome.IN_PART): Event.AGREEMENT,
    ("ReadmissionReply", Outcome.REFUSED): Event.REFUSAL,
    ("ReadmissionReply", Outcome.INTERVIEW): Event.INTERVIEW_PROPOSAL,
    ("ExtensionRequest", None): Event.EXTENSION_REQUEST,
    ("ExtensionDecision", "granted"): Event.EXTENSION_GRANTED,
    ("ExtensionDecision", "refused"): Event.EXTENSION_REFUSED,
    ("InformationRequest", None): Event.INFORMATION_REQUEST,
    ("InformationReply", None): Event.INFORMATION_REPLY,
    ("InterviewRequest", None): Event.INTERVIEW_REQUEST,
    ("InterviewAppointment", None): Event.INTERVIEW_APPOINTMENT,
    ("InterviewResult", None): Event.INTERVIEW_RESULT,
    ("RegisterSearchResult", None): Event.REGISTER_SEARCH,
    ("TravelDocumentRequest", None): Event.DOCUMENT_REQUEST,
    ("TravelDocumentIssued", None): Event.DOCUMENT_ISSUED,
    ("TravelDocumentRefused", None): Event.DOCUMENT_REFUSED,
    ("TransferNotification", None): Event.TRANSFER_NOTICE,
    ("TransferNotificationReply", "accepted"): Event.PLAN_ACCEPTED,
    ("TransferNotificationReply", "changed"): Event.PLAN_CHANGED,
    ("TransferNotificationReply", "refused"): Event.PLAN_REFUSED,
    ("TransferPostponed", None): Event.POSTPONED,
    ("TransferRecord", "handed-over"): Event.HANDED_OVER,
    ("TransferRecord", "refused-at-border"): Event.REFUSED_AT_BORDER,
    ("TransferRecord", "not-carried-out"): Event.NOT_CARRIED_OUT,
    ("TransitReply", "agreed"): Event.TRANSIT_AGREEMENT,
    ("TransitReply", "refused"): Event.TRANSIT_REFUSAL,
    ("TransitRevocation", None): Event.TRANSIT_REVOCATION,
    ("Withdrawal", None): Event.WITHDRAWAL,
    ("Suspension", None): Event.SUSPENSION,
    ("Resumption", None): Event.RESUMPTION,
    ("LapseNotice", "agreed"): Event.LAPSE,
    ("LapseNotice", None): Event.LAPSE_NOTED,
    ("ReadmissionInError", None): Event.ERROR_CLAIM,
    ("ReadmissionInErrorReply", "accepted"): Event.ERROR_ACCEPTED,
    ("ReadmissionInErrorReply", "refused"): Event.ERROR_REFUSED,
    ("Correction", None): Event.CORRECTION,
    ("ErasureNotice", None): Event.ERASURE,
    ("DataUseReport", None): Event.DATA_USE,
    ("CostStatement", None): Event.COST_STATEMENT,
    ("CostSettlement", None): Event.COST_SETTLEMENT,
    ("ReintegrationReferral", None): Event.REFERRAL,
    ("PostReturnFollowUp", None): Event.FOLLOW_UP,
    ("Rejection", None): Event.REJECTION,
}

_S, _E = State, Event
OPEN_STATES = frozenset(State) - {_S.HELD}
READMISSION = frozenset({_S.REQUESTED, _S.NOTIFIED, _S.AGREED, _S.PLANNED})
BEFORE_TRANSFER = frozenset({_S.AGREED, _S.NOTIFIED, _S.PLANNED})
AFTER_TRANSFER = frozenset({_S.TRANSFERRED, _S.CLAIMED, _S.TAKEN_BACK})
_BOTH = (Role.REQUESTING, Role.REQUESTED)
_ASKING, _ASKED = (Role.REQUESTING,), (Role.REQUESTED,)

# event, who may send it, from which states, to which state (None: the case stays where it is)
_ROWS: tuple[tuple[Event, tuple[Role, ...], Iterable[State], State | None], ...] = (
    (_E.HOLD, _ASKING, {_S.HELD}, _S.HELD),
    (_E.APPLICATION, _ASKING, {_S.HELD}, _S.REQUESTED),
    (_E.NOTIFICATION, _ASKING, {_S.HELD}, _S.NOTIFIED),
    (_E.TRANSIT, _ASKING, {_S.HELD}, _S.TRANSIT_REQUESTED),
    (_E.AGREEMENT, _ASKED, {_S.REQUESTED}, _S.AGREED),
    (_E.REFUSAL, _ASKED, {_S.REQUESTED}, _S.REFUSED),
    (_E.INTERVIEW_PROPOSAL, _ASKED, {_S.REQUESTED}, None),
    (_E.EXTENSION_REQUEST, _BOTH, READMISSION, None),
    (_E.EXTENSION_GRANTED, _BOTH, READMISSION, None),
    (_E.EXTENSION_REFUSED, _BOTH, READMISSION, None),
    (_E.INFORMATION_REQUEST, _BOTH, OPEN_STATES, None),
    (_E.INFORMATION_REPLY, _BOTH, OPEN_STATES, None),
    (_E.INTERVIEW_REQUEST, _BOTH, READMISSION, None),
    (_E.INTERVIEW_APPOINTMENT, _BOTH, READMISSION, None),
    (_E.INTERVIEW_RESULT, _ASKED, READMISSION, None),
    (_E.REGISTER_SEARCH, _ASKED, READMISSION, None),
    (_E.DOCUMENT_REQUEST, _BOTH, READMISSION, None),
    (_E.DOCUMENT_ISSUED, _BOTH, READMISSION, None),
    (_E.DOCUMENT_REFUSED, _BOTH, READMISSION, None),
    (_E.TRANSFER_NOTICE, _ASKING, BEFORE_TRANSFER, _S.PLANNED),
    (_E.PLAN_ACCEPTED, _ASKED, {_S.PLANNED}, None),
    (_E.PLAN_CHANGED, _ASKED, {_S.PLANNED}, _S.AGREED),
    (_E.PLAN_REFUSED, _ASKED, {_S.PLANNED}, _S.AGREED),
    (_E.POSTPONED, _BOTH, {_S.PLANNED}, _S.AGREED),
    (_E.HANDED_OVER, _ASKED, BEFORE_TRANSFER, _S.TRANSFERRED),
    (_E.REFUSED_AT_BORDER, _ASKED, {_S.PLANNED}, _S.AGREED),
    (_E.NOT_CARRIED_OUT, _ASKING, {_S.PLANNED}, _S.AGREED),
    (_E.TRANSIT_AGREEMENT, _ASKED, {_S.TRANSIT_REQUESTED}, _S.TRANSIT_AGREED),
    (_E.TRANSIT_REFUSAL, _ASKED, {_S.TRANSIT_REQUESTED}, _S.TRANSIT_REFUSED),
    (_E.TRANSIT_REVOCATION, _ASKED, {_S.TRANSIT_AGREED}, _S.TRANSIT_REVOKED),
    (_E.HANDED_OVER, _ASKED, {_S.TRANSIT_AGREED}, _S.TRANSITED),
    (_E.NOT_CARRIED_OUT, _ASKING, {_S.TRANSIT_AGREED}, None),
    (_E.WITHDRAWAL, _ASKING, READMISSION, _S.WITHDRAWN),
    (_E.WITHDRAWAL, _ASKING, {_S.TRANSIT_REQUESTED, _S.TRANSIT_AGREED}, _S.TRANSIT_WITHDRAWN),
    (_E.SUSPENSION, _ASKING, {*READMISSION, _S.TRANSIT_REQUESTED}, None),
    (_E.RESUMPTION, _ASKING, {*READMISSION, _S.TRANSIT_REQUESTED}, None),
    (_E.LAPSE, _ASKING, {_S.REQUESTED}, _S.AGREED),
    (_E.LAPSE, _ASKING, {_S.TRANSIT_REQUESTED}, _S.TRANSIT_AGREED),
    (_E.LAPSE_NOTED, _BOTH, OPEN_STATES, None),
    (_E.ERROR_CLAIM, _ASKED, {_S.TRANSFERRED}, _S.CLAIMED),
    (_E.ERROR_ACCEPTED, _ASKING, {_S.CLAIMED}, _S.TAKEN_BACK),
    (_E.ERROR_REFUSED, _ASKING, {_S.CLAIMED}, _S.TRANSFERRED),
    (_E.CORRECTION, _BOTH, OPEN_STATES, None),
    (_E.ERASURE, _BOTH, OPEN_STATES, None),
    (_E.DATA_USE, _BOTH, OPEN_STATES, None),
    (_E.COST_STATEMENT, _BOTH, OPEN_STATES, None),
    (_E.COST_SETTLEMENT, _BOTH, OPEN_STATES, None),
    (_E.REFERRAL, _BOTH, OPEN_STATES, None),
    (_E.FOLLOW_UP, _BOTH, AFTER_TRANSFER, None),
    (_E.REJECTION, _BOTH, OPEN_STATES, None),
)

OPENS: Mapping[Event, State] = {
    _E.HOLD: _S.HELD,
    _E.APPLICATION: _S.REQUESTED,
    _E.NOTIFICATION: _S.NOTIFIED,
    _E.TRANSIT: _S.TRANSIT_REQUESTED,
}

NEXT: Mapping[tuple[State, Event, Role], State] = {
    (state, event, role): to or state for event, roles, states, to in _ROWS for role in roles for state in states
}

# Events that move no case: on arrival they are taken in any open state, since the case may have moved meanwhile.
STAYING = frozenset(event for event, _, _, to in _ROWS if to is None) - {event for event, _, _, to in _ROWS if to is not None}


def _stay(states: Iterable[State], events: Iterable[Event]) -> dict[tuple[State, Event], State]:
    """Return rows that take these events in these states and leave the case where it is."""
    events = tuple(events)
    return {(state, event): state for state in states for event in events}


# What arrives after the case moved on our side: state here, event that arrives, state after it.
CROSSING: Mapping[tuple[State, Event], State] = {
    # We withdrew; the other side had answered before it knew. A withdrawal stands, a hand-over is a fact.
    **_stay({_S.WITHDRAWN}, (_E.AGREEMENT, _E.REFUSAL, _E.PLAN_CHANGED, _E.PLAN_REFUSED, _E.POSTPONED, _E.REFUSED_AT_BORDER)),
    **_stay({_S.TRANSIT_WITHDRAWN}, (_E.TRANSIT_AGREEMENT, _E.TRANSIT_REFUSAL, _E.TRANSIT_REVOCATION)),
    (_S.WITHDRAWN, _E.HANDED_OVER): _S.TRANSFERRED,
    (_S.TRANSIT_WITHDRAWN, _E.HANDED_OVER): _S.TRANSITED,
    # We answered; the other side had withdrawn, or noted our silence, before it knew.
    (_S.REFUSED, _E.WITHDRAWAL): _S.WITHDRAWN,
    (_S.TRANSIT_REFUSED, _E.WITHDRAWAL): _S.TRANSIT_WITHDRAWN,
    (_S.TRANSIT_REVOKED, _E.WITHDRAWAL): _S.TRANSIT_WITHDRAWN,
    (_S.REFUSED, _E.LAPSE): _S.AGREED,
    (_S.TRANSIT_REFUSED, _E.LAPSE): _S.TRANSIT_AGREED,
    **_stay({_S.AGREED, _S.TRANSIT_AGREED, _S.TRANSFERRED, _S.CLAIMED, _S.TRANSITED, _S.TRANSIT_REVOKED}, (_E.LAPSE,)),
    # We took a lapse back; the other side had acted on it before it knew.
    (_S.REQUESTED, _E.HANDED_OVER): _S.TRANSFERRED,
    (_S.REFUSED, _E.HANDED_OVER): _S.TRANSFERRED,
    (_S.TRANSIT_REQUESTED, _E.HANDED_OVER): _S.TRANSITED,
    (_S.TRANSIT_REFUSED, _E.HANDED_OVER): _S.TRANSITED,
    (_S.TRANSIT_REQUESTED, _E.TRANSIT_REVOCATION): _S.TRANSIT_REVOKED,
    (_S.TRANSIT_REFUSED, _E.TRANSIT_REVOCATION): _S.TRANSIT_REVOKED,
    **_stay({_S.REQUESTED, _S.REFUSED}, (_E.PLAN_CHANGED, _E.PLAN_REFUSED, _E.POSTPONED, _E.REFUSED_AT_BORDER)),
    # Both moved the plan at once: no plan stands.
    **_stay({_S.AGREED}, (_E.PLAN_CHANGED, _E.PLAN_REFUSED, _E.POSTPONED, _E.REFUSED_AT_BORDER, _E.NOT_CARRIED_OUT)),
    # The person was handed over, or the transit revoked; what the other side sent before it knew changes nothing.
    **_stay({_S.TRANSFERRED, _S.CLAIMED}, (_E.TRANSFER_NOTICE, _E.POSTPONED, _E.NOT_CARRIED_OUT, _E.WITHDRAWAL)),
    **_stay({_S.TRANSITED}, (_E.WITHDRAWAL, _E.NOT_CARRIED_OUT)),
    **_stay({_S.TRANSIT_REVOKED}, (_E.NOT_CARRIED_OUT,)),
}

# Who the case waits for. None: nobody; it is closed, or free to be closed.
WAITS_FOR: Mapping[State, Role | None] = {
    _S.HELD: Role.REQUESTING,
    _S.REQUESTED: Role.REQUESTED,
    _S.NOTIFIED: Role.REQUESTING,
    _S.AGREED: Role.REQUESTING,
    _S.REFUSED: None,
    _S.WITHDRAWN: None,
    _S.PLANNED: Role.REQUESTED,
    _S.TRANSFERRED: None,
    _S.CLAIMED: Role.REQUESTING,
    _S.TAKEN_BACK: None,
    _S.TRANSIT_REQUESTED: Role.REQUESTED,
    _S.TRANSIT_AGREED: Role.REQUESTING,
    _S.TRANSIT_REFUSED: None,
    _S.TRANSIT_REVOKED: None,
    _S.TRANSIT_WITHDRAWN: None,
    _S.TRANSITED: None,
}


def event_of(message: Application | Reply | Step) -> Event:
    """Return what a message does to its case."""
    if isinstance(message, Application):
        return EVENT_OF[message.type, None]
    if isinstance(message, Reply):
        return EVENT_OF["ReadmissionReply", message.outcome]
    return EVENT_OF.get((message.type, message.outcome)) or EVENT_OF[message.type, None]


def step(state: State | None, event: Event, by: Role, *, arrives: bool = False) -> State:
    """Return the state after `event`, sent by one side; `arrives` when it is the other side that sent it.

    Raises `TransitionNotAllowed` when the table has no row.
    """
    if state is None:
        if event in OPENS and by is Role.REQUESTING:
            return OPENS[event]
        raise TransitionNotAllowed(f"a new case does not begin with {event!s}")
    after = NEXT.get((state, event, by))
    if after is not None:
        return after
    if arrives and state is not State.HELD:
        if event in STAYING and any((other, event, by) in NEXT for other in State):
            return state
        crossed = CROSSING.get((state, event))
        if crossed is not None and any((other, event, by) in NEXT for other in State):
            return crossed
    raise TransitionNotAllowed(f"a case that is {state!s} does not take {event!s} from the {by} side")
