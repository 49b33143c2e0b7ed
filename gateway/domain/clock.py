"""Which clocks a message starts, which it stops, and when a person must be told.

Tables, not branches: a row says what starts a limit and from which moment, another which message meets it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum

from gateway.domain.answers import Deadline
from gateway.domain.calendars import ONE_DAY, Calendar
from gateway.domain.limits import LIMIT_IDS, Direction, OnLapse, Unit
from gateway.domain.messages import Application, Reply, Step
from gateway.domain.moves import Event, State, event_of
from gateway.errors import LimitNotKnown


class Moment(StrEnum):
    """From which moment of a message a clock runs."""

    RECEIPT = "receipt"  # when the other side had it: its signed receipt is the proof
    AT = "at"  # the instant that the message names
    ON = "on"  # the day that the message names


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What a message starts: the word of the rule files, the limits it is for, and the moment."""

    word: str  # one of limits.STARTS
    limits: frozenset[str]
    moment: Moment = Moment.RECEIPT


def _start(word: str, *limits: str, moment: Moment = Moment.RECEIPT) -> Start:
    return Start(word=word, limits=frozenset(limits), moment=moment)


_ASKED = ("reply", "interview", "register-search")
STARTS_BY: Mapping[Event, tuple[Start, ...]] = {
    Event.APPLICATION: tuple(_start(word, *_ASKED) for word in ("receipt", "confirmed-receipt", "registration")),
    Event.NOTIFICATION: (_start("agreement", "transfer"),),
    Event.TRANSIT: (
        *(_start(word, "transit-reply") for word in ("receipt", "confirmed-receipt", "registration")),
        _start("planned-transit", "transit-notice", moment=Moment.AT),
    ),
    Event.AGREEMENT: tuple(_start(word, "transfer", "travel-document") for word in ("agreement", "positive-reply")),
    Event.LAPSE: (_start("agreement", "transfer", "travel-document", moment=Moment.AT),),
    Event.INTERVIEW_APPOINTMENT: (_start("interview", "interview-result", "reply", moment=Moment.AT),),
    Event.DOCUMENT_REQUEST: (_start("document-request", "travel-document", "travel-document-renewal"),),
    Event.DOCUMENT_ISSUED: (_start("document-issued", "transfer"),),
    Event.TRANSFER_NOTICE: (_start("planned-transfer", "transfer-notice", moment=Moment.AT),),
    Event.HANDED_OVER: (_start("readmission", "error", moment=Moment.AT),),
    Event.COST_STATEMENT: (_start("invoice", "costs"),),
}

# Which limits a message meets; in time or late is decided by when the other side had it.
MEETS: Mapping[Event, frozenset[str]] = {
    Event.TRANSIT: frozenset({"transit-notice"}),
    Event.AGREEMENT: frozenset({"reply"}),
    Event.REFUSAL: frozenset({"reply"}),
    Event.TRANSIT_AGREEMENT: frozenset({"transit-reply"}),
    Event.TRANSIT_REFUSAL: frozenset({"transit-reply"}),
    Event.INTERVIEW_RESULT: frozenset({"interview", "interview-result"}),
    Event.REGISTER_SEARCH: frozenset({"register-search"}),
    Event.DOCUMENT_ISSUED: frozenset({"travel-document", "travel-document-renewal"}),
    Event.DOCUMENT_REFUSED: frozenset({"travel-document", "travel-document-renewal"}),
    Event.TRANSFER_NOTICE: frozenset({"transfer-notice"}),
    Event.HANDED_OVER: frozenset({"transfer"}),
    Event.ERROR_CLAIM: frozenset({"error"}),
    Event.COST_SETTLEMENT: frozenset({"costs"}),
}

# States in which nothing is awaited any more but what is named here.
CLOSED: Mapping[State, frozenset[str]] = {
    State.REQUESTED: frozenset(LIMIT_IDS) - {"transfer"},  # silence was taken back: what was agreed by it is not agreed
    State.AGREED: frozenset(LIMIT_IDS) - {"interview", "interview-result", "register-search"},  # nothing is left to find out
    State.PLANNED: frozenset(LIMIT_IDS) - {"interview", "interview-result", "register-search"},
    State.REFUSED: frozenset({"costs"}),
    State.WITHDRAWN: frozenset({"costs"}),
    State.TRANSFERRED: frozenset({"costs", "error"}),
    State.CLAIMED: frozenset({"costs", "error"}),
    State.TAKEN_BACK: frozenset({"costs"}),
    State.TRANSIT_REFUSED: frozenset({"costs"}),
    State.TRANSIT_REVOKED: frozenset({"costs"}),
    State.TRANSIT_WITHDRAWN: frozenset({"costs"}),
    State.TRANSITED: frozenset({"costs"}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """What one message means for the clocks of its case: no person, no text."""

    event: Event
    message_id: str
    sender: str
    at: datetime | None = None
    on: date | None = None
    limit: str | None = None
    days: int | None = None
    reason: str | None = None
    means: str | None = None
    escorted: bool = False

    @classmethod
    def of(cls, message: Application | Reply | Step) -> "Happening":
        """Return what a message means for the clocks."""
        header, event = message.header, event_of(message)
        if isinstance(message, Step):
            return cls(
                event=event,
                message_id=header.message_id,
                sender=header.sender,
                at=message.at,
                on=message.on,
                limit=message.limit,
                days=message.days,
                reason=message.reason,
                means=message.means,
                escorted=message.escorted,
            )
        at = message.planned if isinstance(message, Application) else None
        return cls(event=event, message_id=header.message_id, sender=header.sender, at=at)

    def moment(self, start: Start, received_at: datetime) -> datetime | None:
        """Return the instant from which a clock runs, None where the message does not name it."""
        if start.moment is Moment.AT:
            return self.at
        if start.moment is Moment.ON:
            return datetime.combine(self.on, time(12), UTC) if self.on else None
        return received_at


def kept_limits(happening: Happening) -> frozenset[str] | None:
    """Return the only limits that a message about one of two kinds is for; None: all that it may start."""
    if happening.event is Event.DOCUMENT_REQUEST:
        return frozenset({"travel-document-renewal" if happening.reason == "renewal" else "travel-document"})
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """An instant at which the watch has something to tell of a deadline."""

    stage: str  # remind-5 | remind-2 | overdue | lapse
    at: datetime  # UTC


def marks(deadline: Deadline, leads: Sequence[int]) -> tuple[Mark, ...]:
    """Return when to remind, when the limit is overdue and when silence counts, in order of time.

    `leads` are numbers of working days of the side that must act, before the literal end. A reminder that would come
    before the clock started is left out, and so is one that no calendar can place.
    """
    if deadline.literal is None or deadline.rolled is None or deadline.acting is None or deadline.limit is None:
        return ()
    found: list[Mark] = []
    for lead in sorted(leads, reverse=True) if deadline.limit.unit is not Unit.HOURS else ():
        morning = morning_before(deadline.acting, deadline.literal.due_on, lead)
        if morning is not None and (morning > deadline.start or deadline.limit.direction is Direction.BEFORE):
            found.append(Mark(stage=f"remind-{lead}", at=morning))
    found.append(Mark(stage="overdue", at=deadline.literal.until))
    if deadline.limit.on_lapse is not OnLapse.NOTHING:
        found.append(Mark(stage="lapse", at=deadline.rolled.until))
    return tuple(found)


def morning_before(calendar: Calendar, due_on: date, lead: int) -> datetime | None:
    """Return the first instant of the day that lies `lead` working days before `due_on`; None if the calendar ends before."""
    try:
        return calendar.end_of(calendar.nth_working_before(due_on, lead) - ONE_DAY)
    except LimitNotKnown:
        return None
