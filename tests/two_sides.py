"""Both sides of one case, and what is on its way between them, in order in each direction: a model of two gateways.

A message is on its way, then it has arrived (the instant of receipt is stamped), then it is processed. The receipt of a
reply travels on its own: the requested side may learn late that its reply was there in time.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime

from gateway.domain.case import ABOUT_THE_PLAN, REPLIES, Case, advance, answered_in_time, opened
from gateway.domain.messages import Answered, Application, Reply, Step
from gateway.domain.moves import Event, Role, event_of
from gateway.errors import TransitionNotAllowed
from tests.case_samples import HOME, application, sent

MOVES = tuple(event for event in Event if event not in {Event.HOLD, Event.APPLICATION, Event.NOTIFICATION, Event.TRANSIT})


@dataclass(slots=True)
class InFlight:
    """A message on its way."""

    message: Reply | Step
    received_at: datetime | None = None  # None: it has not arrived


@dataclass(slots=True)
class TwoSides:
    """One case on both sides."""

    cases: dict[Role, Case]
    queues: dict[Role, list[InFlight]]  # by who will receive
    proof: datetime | None = None  # the requesting side accepted our reply, received then; its receipt is on its way
    answered_at: datetime | None = None  # the same, once the requested side knows
    history: list[tuple[str, Role, Event]] = field(default_factory=list)

    @classmethod
    def begin(cls, opening: Event, at: datetime, **facts: object) -> tuple["TwoSides", Application]:
        """Return a case that both sides have, and the message that opened it."""
        first: Application = application(opening, **facts)
        cases = {
            role: opened(
                first, home=HOME[role], event=opening, treaty_version="1", schema_version="1.0", wrapped_key=b"k", at=at
            )
            for role in Role
        }
        return cls(cases=cases, queues={role: [] for role in Role}), first

    def message(self, by: Role, event: Event, *, lapse_at: datetime | None = None, takes_back: bool = True) -> Reply | Step:
        """Return the message by which a side does something: about the plan that stands there, or the lapse it recorded."""
        case = self.cases[by]
        answers = case.plan if event in ABOUT_THE_PLAN else None
        if event is Event.LAPSE:
            return sent(event, by, at=lapse_at)
        if event is Event.CORRECTION and takes_back and case.lapse_notice:
            return sent(event, by, proof=Answered(message_id=case.lapse_notice, digest="0" * 64))
        return sent(event, by, answers=answers)

    @staticmethod
    def dated(message: Step, at: datetime) -> Step:
        """Return a message that names an instant."""
        return replace(message, at=at)

    def send(self, by: Role, message: Reply | Step, at: datetime) -> bool:
        """Send a message; False when it is refused, and then nothing has changed."""
        try:
            self.cases[by] = advance(self.cases[by], message, at)
        except TransitionNotAllowed:
            return False
        self.queues[by.other].append(InFlight(message=message))
        self.history.append(("sends", by, event_of(message)))
        return True

    def arrive(self, to: Role, at: datetime) -> None:
        """Stamp the oldest message that has not arrived."""
        for item in self.queues[to]:
            if item.received_at is None:
                item.received_at = at
                return

    def process(self, to: Role, at: datetime) -> InFlight | None:
        """Take the oldest message. Raises `TransitionNotAllowed` when it is refused; the message is gone then."""
        if not self.queues[to]:
            return None
        item = self.queues[to].pop(0)
        item.received_at = item.received_at or at
        event = event_of(item.message)
        self.history.append(("takes", to, event))
        self.cases[to] = advance(
            self.cases[to],
            item.message,
            at,
            received_at=item.received_at,
            answered_at=self.answered_at if to is Role.REQUESTED else None,
        )
        if to is Role.REQUESTING and event in REPLIES:
            self.proof = item.received_at
        return item

    def learn(self, at: datetime) -> None:
        """The receipt of the reply comes back; it may overtake messages that were sent before it."""
        if self.proof is not None and self.answered_at is None:
            self.answered_at = self.proof
            self.cases[Role.REQUESTED] = answered_in_time(self.cases[Role.REQUESTED], self.proof, at)

    def contradicted(self, to: Role) -> bool:
        """Whether the next message records silence against a reply that is proven to have been in time."""
        message = self.queues[to][0].message if self.queues[to] else None
        if not isinstance(message, Step) or event_of(message) is not Event.LAPSE or message.at is None:
            return False
        return self.answered_at is not None and self.answered_at < message.at

    @property
    def quiet(self) -> bool:
        return not any(self.queues.values()) and (self.proof is None or self.answered_at is not None)
