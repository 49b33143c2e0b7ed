"""Two gateways and what is between them: ours, which is tried, and the partner's, which is played.

Each has a database and, but for the trust anchors, nothing in common with the other. Their loops are worked by hand, so that a
scene can say when something arrives; the clock stands still unless it is moved.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from gateway.domain.safeguards import Answers
from gateway.errors import GatewayError, Unavailable
from gateway.flow.arrival import Answer
from gateway.flow.attachments import hand_in
from gateway.flow.deliver import claim, deliver_once, settle
from gateway.flow.draft import Held, Sent, Submission
from gateway.flow.holding import resume
from gateway.flow.inbound import receive
from gateway.flow.outbound import submit
from gateway.flow.parts import next_group, settle_group
from gateway.flow.ports import Runtime
from gateway.flow.statements import make_statement, release_statement
from gateway.simulation.desk import Desk
from gateway.stages import Received, Submitted, Tree
from gateway.store.outbox import OutboxRow
from gateway.transport.port import Parcel
from gateway.wire.documents import serialize
from gateway.wire.media import media_type_of
from gateway.wire.specimen_files import specimen_files

MOST_ROUNDS = 40
_STATEMENT = Answers(
    return_decision=True,
    no_suspensive_appeal=True,
    no_asylum_claim=True,
    non_refoulement_assessed=True,
    best_interests_assessed=True,
)


class StandingClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def move_to(self, instant: datetime) -> None:
        """Move forward to an instant; never backward."""
        self.now = max(self.now, instant)

    def move(self, **by: float) -> None:
        """Move by seconds, hours or days."""
        self.now += timedelta(**by)


@dataclass(slots=True, kw_only=True)
class Side:
    """One gateway and the authority that plays on it."""

    rt: Runtime
    authority: str
    left: list[OutboxRow] = field(default_factory=list)  # what left, sealed
    answers: list[Answer] = field(default_factory=list)  # what became of what arrived

    def submit(self, document: Tree) -> Submission:
        """Hand in a canonical document with the files it names; where a safeguard holds it, two officers let it go."""
        for file in specimen_files(document):
            hand_in(file, self.rt, authority=self.authority, actor="simulation", media_type=media_type_of(file))
        item = Submitted(
            body=serialize(document),
            authority=self.authority,
            dialect="canonical",
            submitted_at=self.rt.clock(),
            actor="simulation",
        )
        (result,) = submit([item], self.rt)
        if not isinstance(result, Held):
            return result
        make_statement(result.case_id, _STATEMENT, actor="officer.one@simulation", rt=self.rt)
        release_statement(result.case_id, actor="officer.two@simulation", rt=self.rt)
        return resume(result.case_id, "officer.two@simulation", self.rt)

    def must_send(self, document: Tree) -> Sent:
        """Hand in a document that must leave. Raises why it does not."""
        result = self.submit(document)
        if isinstance(result, GatewayError):
            raise result
        assert isinstance(result, Sent), "what was released is sent"
        return result

    async def deliver(self) -> int:
        """Send what is due, attachments too; return how many parcels were confirmed."""
        rows = claim(self.rt, by="simulation")
        answers = await deliver_once(self.rt, rows) if rows else []
        self.left += [row for row, answer in zip(rows, answers, strict=True) if answer is None]
        sent = settle(rows, answers, self.rt).sent if rows else 0
        while (group := next_group(self.rt, by="simulation")) is not None:
            confirmed = settle_group(group, await self.rt.transport.send(group.parcels), self.rt)
            sent += confirmed
            if not confirmed:
                break
        return sent

    async def take_in(self, patience: float) -> list[Answer]:
        """Receive what waits and acknowledge it; wait `patience` seconds for the first of it."""
        deliveries = await self.rt.transport.take(self.rt.settings.batch, patience)
        if not deliveries:
            return []
        now = self.rt.clock()
        raw = [Received(body=one.body, received_at=now, transport=self.rt.transport.name) for one in deliveries]
        answers = receive(raw, self.rt)
        await self.rt.transport.settle(deliveries)
        self.answers += answers
        return answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """Both sides, their clock, and how the played national system is connected."""

    ours: Side
    theirs: Side
    clock: StandingClock
    desk: Desk
    patience: float = 0.0  # seconds to wait for what a broker carries

    def at_desk(self, desk: Desk) -> "Rig":
        """Return the same, with the played national system connected otherwise."""
        return replace(self, desk=desk)

    async def exchange(self) -> None:
        """Deliver and receive on both sides until nothing moves. Raises `Unavailable` if that never happens."""
        for _ in range(MOST_ROUNDS):
            moved = 0
            for side, other in ((self.ours, self.theirs), (self.theirs, self.ours)):
                moved += await side.deliver()
                moved += len(await other.take_in(self.patience))
            if not moved:
                return
        raise Unavailable("the two gateways never came to rest")

    async def throw(self, bodies: Sequence[bytes], message_id: str) -> list[Answer]:
        """Send bytes past the partner's gateway, as whoever may write to the broker could; return what becomes of them here."""
        parcels = [
            Parcel(message_id=message_id, sender=self.theirs.authority, recipient=self.ours.authority, body=body)
            for body in bodies
        ]
        for failed in await self.theirs.rt.transport.send(parcels):
            if failed is not None:
                raise failed
        found: list[Answer] = []
        for _ in range(MOST_ROUNDS):
            found += await self.ours.take_in(self.patience)
            if len(found) >= len(bodies):
                return found
        raise Unavailable("what was sent did not arrive")
