"""What is parked is given up, because a named person says so and why. Nothing disappears without trace.

One that came: its sender gets a signed negative receipt, if verified bytes say who that is, and it may correct itself. One of
ours: the message stays in its case, marked, its officer sees who gave it up and why, and the other side is told of the gap.
"""

from dataclasses import dataclass, replace
from typing import Final

from gateway.domain.parking import Ground, ParkedThing
from gateway.errors import Dropped, Refused, StoreConflict, TransitionNotAllowed, Unavailable
from gateway.flow.arrival import Rejected
from gateway.flow.batch import Batch, look_up
from gateway.flow.gaps import tell_given_up
from gateway.flow.inbound import heal
from gateway.flow.parking import row_of
from gateway.flow.ports import Runtime
from gateway.flow.record import record
from gateway.flow.setting_aside import cause_of
from gateway.flow.taking import decide
from gateway.log import logger
from gateway.stages import Opened, Received
from gateway.store import given_up, journal, messages, outbox_parked, parked
from gateway.store.database import Tx, transaction
from gateway.trust.parts import is_part
from gateway.trust.seal import unseal

log = logger("parking")

SETTLED_BEFORE: Final = "it was settled before; its sender gets the recorded receipt again"
TOLD: Final = "its sender gets a signed negative receipt"
NOBODY: Final = "nobody can be told: no verified bytes say who sent it"
RECEIPT: Final = "nobody is told: it is a receipt, and those are not answered"
PIECE: Final = "nobody is told: it is a part of a file; its message asks for the file again"
OFFICER: Final = "the case shows it to its officer; the other side is told of the gap"
OWN_RECEIPT: Final = "it is a receipt of ours; the other side gets it when it asks again"
ARRIVED: Final = "only our copy is gone: the other side's receipt says that the message arrived"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What was done about one thing."""

    id: str
    told: str  # who learns of it, in words
    receipt_message_id: str | None = None  # of the negative receipt


def drop(rt: Runtime, thing: ParkedThing, ground: Ground, *, account: str, unopened: bool = False) -> Given:
    """Give a thing up. With `unopened` a parcel is not opened, so its sender is not told: for what breaks whoever opens it.

    Raises `TransitionNotAllowed` for what was decided meanwhile, or for a parcel that cannot be opened for a defect of ours;
    `Unavailable` when it cannot be judged now who sent it.
    """
    _, row = row_of(thing.id)
    entry = journal.Entry(
        at=rt.clock(),
        event="message.dropped",
        actor=ground.by,
        authority=thing.home,
        message_id=thing.message_id if thing.verified else None,
        detail={"id": thing.id, "code": thing.code, "why": ground.why, "second": ground.second, "account": account},
    )
    log.warning("message.dropped", code=thing.code, direction=thing.direction, authority=thing.home)
    if thing.direction == "out":
        return _drop_ours(rt, thing, row, ground, entry)
    try:
        return _drop_theirs(rt, thing, row, entry, unopened=unopened)
    except StoreConflict:  # another process wrote to its case at this moment: now that can be seen
        return _drop_theirs(rt, thing, row, entry, unopened=unopened)


def _drop_theirs(rt: Runtime, thing: ParkedThing, row: int, entry: journal.Entry, *, unopened: bool) -> Given:
    """Refuse a parcel as the walk inward would, with the code that says that a person decided it."""
    with transaction(rt.engine) as tx:
        parcel = parked.get(tx, row, lock=True)
        if parcel is None or parcel.body is None:
            raise TransitionNotAllowed(f"{thing.id} was decided meanwhile; run: gateway queue parked --each")
        raw = Received(body=parcel.body, received_at=parcel.received_at, transport=parcel.transport)
        opened = None if unopened or is_part(raw.body) else _opened(raw, thing, rt)
        parked.settle(tx, row, "dropped", by=entry.actor, at=entry.at)
        if opened is None or opened.sealed_id is None:
            journal.append(tx, [entry])
            return Given(id=thing.id, told=PIECE if is_part(raw.body) else NOBODY)
        work = _refuse(tx, raw, opened, entry, rt)
    rt.bell.hand(work.drafts.leaving, work.now)
    heal(rt)  # its number is used up: what waited for it may have its turn
    receipt = next((draft.message_id for draft in work.drafts.by_pair.values()), None)
    told = TOLD if receipt else RECEIPT if work.refused else SETTLED_BEFORE
    return Given(id=thing.id, told=told, receipt_message_id=receipt)


def _refuse(tx: Tx, raw: Received, opened: Opened, entry: journal.Entry, rt: Runtime) -> Batch:
    error = Dropped("the recipient set this message aside and will not take it; ask it why")
    refused = Rejected(received=raw, error=error, opened=opened)
    work = look_up(tx, [refused], entry.at)
    work.entries.append(entry)
    decide(tx, refused, work, rt)
    record(tx, work, rt)
    return work


def _opened(raw: Received, thing: ParkedThing, rt: Runtime) -> Opened | None:
    """Return the verified message, None if it can be shown not to be one. Who sent it then is not known."""
    try:
        return unseal(raw, rt.ring, rt.trust, screen=rt.screen)
    except Refused:
        return None
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001  # a defect of ours: the message may be a good one, and its sender deserves an answer
        kind = cause_of(error)[1] or cause_of(error)[0]
        told = f"{thing.id} cannot be opened for a defect ({kind}): its sender could not be told"
        raise TransitionNotAllowed(f"{told}; mend the defect first, or drop it with --unopened") from None


def _drop_ours(rt: Runtime, thing: ParkedThing, row: int, ground: Ground, entry: journal.Entry) -> Given:
    with transaction(rt.engine) as tx:
        if not outbox_parked.is_parked(tx, row):
            raise TransitionNotAllowed(f"{thing.id} was decided meanwhile; run: gateway queue parked --each")
        message = messages.get(tx, row)
        outbox_parked.forget(tx, row)
        lost = messages.mark_dropped(tx, row)
        entry = replace(entry, case_id=message.case_id, digest=message.digest)
        entries = [entry]
        if lost:
            note = given_up.GivenUp(message_row=row, case_id=message.case_id, by=ground.by, why=ground.why, at=entry.at)
            given_up.add(tx, note)
            entries += tell_given_up(tx, rt, message, entry.at)
        journal.append(tx, entries)
    told = ARRIVED if not lost else OFFICER if message.case_id else OWN_RECEIPT
    return Given(id=thing.id, told=told)
