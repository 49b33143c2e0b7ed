"""A case between two gateways, moved on by messages of any type: made from the canonical examples, handed in, exchanged."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, select

from gateway.domain.case import Case
from gateway.domain.identity import new_message_id
from gateway.domain.limits import Actor, Direction, Extension, ExtensionKind, Limit, OnLapse, Unit, Whose
from gateway.domain.treaties import Treaty
from gateway.flow.draft import Held, Sent
from gateway.stages import Sealed, Tree
from gateway.store import cases, deadlines, early
from gateway.store import tables as t
from gateway.store.database import reading, transaction
from gateway.store.deadlines import DeadlineRow
from gateway.wire.documents import parse_xml, serialize
from gateway.wire.reading import complete_header, instant_text
from gateway.wire.steps import PLACES
from tests.clock_samples import limit, treaty
from tests.conftest import MovableClock
from tests.forging import ENTRY, application, find, reply, row_of, sealed
from tests.gateways import Gateway, example, exchange

ASKING, ASKED = "AT-BMI", "RS-MUP"
EVERYONE = frozenset({"national", "third-country", "stateless"})


def write(name: str, **changes: str | None) -> Tree:
    """Return the example of this name; `changes` are texts by path, with "__" for "/" (Plan__At); None takes one out."""
    document = parse_xml(example(name))
    for path, value in changes.items():
        element = find(document, path.replace("__", "/"))
        if value is None:
            element.getparent().remove(element)
        else:
            element.text = value
    return document


def addressed(document: Tree, *, reference: str, sender: str, recipient: str) -> Tree:
    """Put a message into a case; the rest of its header is left to the gateway."""
    header = find(document, "Header")
    for child in list(header):
        header.remove(child)
    complete_header(document, {"CaseReference": reference, "Sender": sender, "Recipient": recipient})
    return document


def about(document: Tree, proven: tuple[str, str]) -> Tree:
    """Let a message speak of another one, (id, digest), where its type has a place for that."""
    kind = document.tag.rpartition("}")[2]
    for name, value in zip(("MessageId", "Sha256"), proven, strict=True):
        find(document, f"{PLACES[kind].proof}/{name}").text = value
    return document


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """One case between AT-BMI, which asks, and RS-MUP, each with a gateway of its own."""

    west: Gateway
    east: Gateway
    clock: MovableClock
    opening: Sent
    document: Tree  # what opened it

    @property
    def sides(self) -> tuple[Gateway, Gateway]:
        return self.west, self.east

    def side(self, authority: str) -> Gateway:
        return self.west if authority == ASKING else self.east

    def send(self, name: str, by: str, *, proven: tuple[str, str] | None = None, **changes: str | None) -> Any:
        """Hand in a step of the case, made from the example `name`; return what became of it."""
        other = ASKED if by == ASKING else ASKING
        document = addressed(write(name, **changes), reference=self.opening.case_reference, sender=by, recipient=other)
        if proven is not None:
            about(document, proven)
        return self.side(by).hand_in(serialize(document), authority=by)

    def answer(self, *, agreed: bool = True) -> Any:
        """Hand in the reply of the side that was asked."""
        return self.east.hand_in(serialize(reply(self.document, self.clock.now, agreed=agreed)), authority=ASKED)

    async def told(self, name: str, by: str, **changes: Any) -> Sent:
        """Hand in a step that must be taken, and let it arrive together with its receipt."""
        sent = self.send(name, by, **changes)
        assert isinstance(sent, Sent), sent
        await self.exchange()
        return sent

    async def answered(self, *, agreed: bool = True) -> Sent:
        """Hand in the reply, and let it arrive."""
        sent = self.answer(agreed=agreed)
        assert isinstance(sent, Sent), sent
        await self.exchange()
        return sent

    async def exchange(self) -> None:
        await exchange(*self.sides)

    def lapse(self, **changes: str | None) -> Any:
        """Hand in the notice that silence on the application counts as agreement, proven by the receipt for it."""
        return self.send("LapseNotice-agreed", ASKING, proven=self.receipt(), **self.lapsed() | changes)

    def lapsed(self) -> dict[str, str | None]:
        """Return what a notice must say of the lapse of the reply."""
        row = self.deadline(self.west, "reply")
        assert row.lapses_at is not None
        return {"Lapse__LapsedAt": instant_text(row.lapses_at), "Lapse__ReceivedAt": instant_text(row.started_at)}

    def receipt(self) -> tuple[str, str]:
        """Return id and digest of the receipt for what opened the case, as the requesting side keeps it."""
        row = row_of(self.west, "out", ASKING, self.opening.message_id)
        assert row.receipt_message_id is not None
        return row.receipt_message_id, row_of(self.west, "in", ASKED, row.receipt_message_id).digest

    def case(self, side: Gateway) -> Case:
        with reading(side.rt.engine) as tx:
            (found,) = cases.by_reference(tx, self.opening.case_reference)
        return found

    def states(self) -> tuple[str, str]:
        """Return the state of the case on the requesting and on the requested side."""
        return str(self.case(self.west).state), str(self.case(self.east).state)

    def deadlines(self, side: Gateway) -> dict[str, DeadlineRow]:
        case = self.case(side)
        assert case.id is not None
        with reading(side.rt.engine) as tx:
            return {row.limit_id: row for row in deadlines.of_cases(tx, [case.id])}

    def deadline(self, side: Gateway, limit_id: str) -> DeadlineRow:
        return self.deadlines(side)[limit_id]

    def settled(self, limit_id: str) -> str:
        """Return the state of a deadline, which must be the same on both sides, and so must be every date of it."""
        west, east = (self.deadline(side, limit_id) for side in self.sides)
        assert dates(west) == dates(east)
        assert west.state == east.state
        return west.state

    def due(self, limit_id: str) -> date | None:
        """Return the literal end of a deadline that both sides count alike."""
        self.settled(limit_id)
        return self.deadline(self.west, limit_id).due_on

    def open_limits(self) -> set[str]:
        """Return the limits that are open, which must be the same ones on both sides."""
        west, east = ({row.limit_id for row in self.deadlines(side).values() if row.state == "open"} for side in self.sides)
        assert west == east
        return west


def dates(row: DeadlineRow) -> tuple[Any, ...]:
    """Return every date of a deadline."""
    return row.started_at, row.due_on, row.due_until, row.rolled_on, row.rolled_until, row.lapses_at


def opened(west: Gateway, east: Gateway, clock: MovableClock, name: str = ENTRY, **changes: str | None) -> Thread:
    """Hand in what opens a case; nothing has left yet. `changes` are texts by path, as in `write`."""
    document = application(clock.now, name)
    for path, value in changes.items():
        find(document, path.replace("__", "/")).text = value
    sent = west.hand_in(serialize(document), authority=ASKING)
    if isinstance(sent, Held):
        sent = west.release(sent.case_id)
    assert isinstance(sent, Sent), sent
    return Thread(west=west, east=east, clock=clock, opening=sent, document=document)


async def asked(west: Gateway, east: Gateway, clock: MovableClock, name: str = ENTRY, **changes: str | None) -> Thread:
    """Return a case whose opening message was received and acknowledged."""
    thread = opened(west, east, clock, name, **changes)
    await thread.exchange()
    return thread


def forged_notice(case: Thread, at: datetime) -> Sealed:
    """Return a notice that the requesting side's gateway would not have let out."""
    document = addressed(
        about(write("LapseNotice-agreed", Lapse__LapsedAt=instant_text(at)), case.receipt()),
        reference=case.opening.case_reference,
        sender=ASKING,
        recipient=ASKED,
    )
    values = {
        "MessageId": new_message_id(case.clock.now),
        "Created": instant_text(case.clock.now),
        "Sequence": "2",
        "InReplyTo/MessageId": case.opening.message_id,
        "InReplyTo/Sha256": case.opening.digest,
    }
    complete_header(document, values)
    return sealed(case.west.rt, document, case.clock.now)


# --- on the way ---------------------------------------------------------------------------------------------------------


def on_the_way(side: Gateway, *sent: Sent) -> list[bytes]:
    """Return the sealed bytes of messages that wait in the outbox of a side."""
    with reading(side.rt.engine) as tx:
        bodies = {row.message_id: row.body for row in tx.execute(select(t.outbox.c.message_id, t.outbox.c.body))}
    return [bodies[one.message_id] for one in sent]


def lose(side: Gateway, *sent: Sent) -> None:
    """Let messages be lost on the way: they left, and nobody has them."""
    with transaction(side.rt.engine) as tx:
        tx.execute(delete(t.outbox).where(t.outbox.c.message_id.in_([one.message_id for one in sent])))


def waiting(side: Gateway) -> int:
    """Return how many messages wait for an earlier one."""
    with reading(side.rt.engine) as tx:
        return early.count(tx)


def leaves(side: Gateway) -> list[str]:
    """Return the types of what waits in an outbox, oldest first."""
    with reading(side.rt.engine) as tx:
        found = select(t.messages.c.type).join(t.outbox, t.outbox.c.message_row == t.messages.c.id).order_by(t.outbox.c.id)
        return list(tx.execute(found).scalars())


# --- rules --------------------------------------------------------------------------------------------------------------


def _rule(limit_id: str, amount: int, unit: Unit, start: str, **more: Any) -> Limit:
    both = {"procedures": frozenset({"ordinary", "accelerated"}), "categories": EVERYONE, "on_lapse": OnLapse.NOTHING}
    return limit(id=limit_id, amount=amount, unit=unit, start=start, **both | more)


_LATER = {"kind": ExtensionKind.INCREMENT, "days": 6, "who": Actor.REQUESTED, "article": "Art. 10(3)"}
_WHILE = {"kind": ExtensionKind.OBSTACLE, "days": None, "who": Actor.REQUESTING, "article": "Art. 10(4)"}
_BY_ASKING: Mapping[str, Any] = {"who": Actor.REQUESTING, "calendar": Whose.REQUESTING}

# An invented agreement that has every limit there is, so that each clock of a case can be watched.
RULES: Treaty = treaty(
    _rule("reply", 10, Unit.CALENDAR_DAYS, "receipt", on_lapse=OnLapse.AGREED, extension=Extension(**_LATER)),
    _rule("interview", 5, Unit.WORKING_DAYS, "receipt"),
    _rule("interview-result", 3, Unit.CALENDAR_DAYS, "interview"),
    _rule("register-search", 7, Unit.CALENDAR_DAYS, "receipt"),
    _rule("transfer", 3, Unit.MONTHS, "agreement", extension=Extension(**_WHILE), **_BY_ASKING),
    _rule("transfer-notice", 3, Unit.WORKING_DAYS, "planned-transfer", direction=Direction.BEFORE, **_BY_ASKING),
    _rule("travel-document", 10, Unit.WORKING_DAYS, "document-request"),
    _rule("travel-document-renewal", 14, Unit.CALENDAR_DAYS, "document-request"),
    _rule("transit-reply", 5, Unit.CALENDAR_DAYS, "receipt", on_lapse=OnLapse.AGREED),
    _rule("transit-notice", 4, Unit.CALENDAR_DAYS, "planned-transit", direction=Direction.BEFORE, **_BY_ASKING),
    _rule("error", 3, Unit.MONTHS, "readmission"),
    _rule("costs", 30, Unit.CALENDAR_DAYS, "invoice", **_BY_ASKING),
)


def ruled(gateways: tuple[Gateway, Gateway], rules: Treaty = RULES) -> tuple[Gateway, Gateway]:
    """Return the gateways with one rule file only."""
    west, east = (
        replace(one, rt=replace(one.rt, directory=one.rt.directory.with_treaties({rules.id: rules}))) for one in gateways
    )
    return west, east
