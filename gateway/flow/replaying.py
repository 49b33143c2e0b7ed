"""What is parked is tried again, because a named person says so: in the order of the cases, with the identical bytes.

The decision is recorded before anything moves. What leaves gets all its attempts again; what came runs the ordinary walk inward
and counts from when it first came: to lie here makes nothing late. What fails again is parked again, under its id.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway.domain.parking import Ground, ParkedThing, in_case_order
from gateway.errors import GatewayError, Unavailable, catalogue
from gateway.flow.inbound import receive
from gateway.flow.parking import row_of
from gateway.flow.ports import Runtime
from gateway.flow.setting_aside import cause_of
from gateway.log import logger
from gateway.stages import Received
from gateway.store import journal, messages, outbox_parked, parked
from gateway.store.database import Tx, transaction
from gateway.store.parked import ParkedParcel

log = logger("parking")

LEAVES_AGAIN = "leaves again"
GONE = "gone"  # somebody decided it meanwhile
PARKED = "parked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What became of one thing."""

    id: str
    outcome: str  # LEAVES_AGAIN, GONE, PARKED, or that of the walk: accepted, waiting, repeated, refused, part
    code: str | None = None  # of a refusal, or why it is parked again


def replay(rt: Runtime, things: Sequence[ParkedThing], ground: Ground, *, account: str) -> Iterator[Replayed]:
    """Try things again; return what becomes of each, as it happens. `account` is the one at the keyboard.

    Raises `SecondPersonMissing` before anything is done, and `Unavailable` where something outside keeps the rest from being
    tried: that stays parked.
    """
    ground.require_enough(len(things), rt.settings.replay_alone)
    ordered = in_case_order(things)
    decided = _decide(rt, ordered, ground, account)
    for thing in ordered:
        if thing.id not in decided:
            yield Replayed(id=thing.id, outcome=GONE)
        elif thing.direction == "out":
            yield Replayed(id=thing.id, outcome=LEAVES_AGAIN)
        else:
            yield _walk(rt, thing, ground)


def _decide(rt: Runtime, things: Sequence[ParkedThing], ground: Ground, account: str) -> set[str]:
    """Record the decision, and let what leaves go; return the ids of what was still parked."""
    now = rt.clock()
    with transaction(rt.engine) as tx:
        found = [(thing, *row_of(thing.id)) for thing in things]
        still = [(thing, direction, row) for thing, direction, row in found if _is_parked(tx, direction, row)]
        leaving = [row for _, direction, row in still if direction == "out"]
        outbox_parked.release_parked(tx, leaving, now)
        messages.mark_waiting(tx, leaving)
        detail = {"why": ground.why, "second": ground.second, "account": account, "count": len(still)}
        entries = [
            journal.Entry(
                at=now,
                event="message.replayed",
                actor=ground.by,
                authority=thing.home,
                case_id=messages.case_of(tx, row) if direction == "out" else None,
                message_id=thing.message_id if thing.verified else None,
                detail={"id": thing.id, "code": thing.code, **detail},
            )
            for thing, direction, row in still
        ]
        journal.append(tx, entries)
    return {thing.id for thing, _, _ in still}


def _is_parked(tx: Tx, direction: str, row: int) -> bool:
    return outbox_parked.is_parked(tx, row) if direction == "out" else parked.waits(tx, row)


def _walk(rt: Runtime, thing: ParkedThing, ground: Ground) -> Replayed:
    """Run the walk inward for one parcel. After a crash between its commit and ours, the next walk finds a repeat."""
    _, row = row_of(thing.id)
    with transaction(rt.engine) as tx:
        parcel = parked.get(tx, row)
    if parcel is None or parcel.body is None:
        return Replayed(id=thing.id, outcome=GONE)
    try:
        (answer,) = receive([_received(parcel, parcel.body)], rt)
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001  # the defect is still there: the others are tried all the same
        code, rule = cause_of(error)
        return _failed(rt, row, thing, code, rule)
    if answer.outcome == "postponed":  # nothing was kept of it
        return _failed(rt, row, thing, answer.code or Unavailable.code, None)
    with transaction(rt.engine) as tx:
        parked.settle(tx, row, "replayed", by=ground.by, at=rt.clock())
    return Replayed(id=thing.id, outcome=answer.outcome, code=answer.code)


def _received(parcel: ParkedParcel, body: bytes) -> Received:
    return Received(body=body, received_at=parcel.received_at, transport=parcel.transport)


def _failed(rt: Runtime, row: int, thing: ParkedThing, code: str, rule: str | None) -> Replayed:
    now = rt.clock()
    log.error("message.parked", code=code, reason=rule, queue=thing.home)
    detail = {"id": thing.id, "code": code, "rule": rule, "attempts": thing.attempts + 1}
    entry = journal.Entry(at=now, event="message.parked", actor="gateway", authority=thing.home, detail=detail)
    with transaction(rt.engine) as tx:
        parked.failed_again(tx, row, at=now, code=code, rule=rule)
        journal.append(tx, [entry])
    return Replayed(id=thing.id, outcome=PARKED, code=code)


def exit_code_of(results: Sequence[Replayed]) -> int:
    """Return 0 when nothing is parked again, else what the first failure stands for."""
    again = next((one.code for one in results if one.outcome == PARKED), None)
    return 0 if again is None else catalogue().get(again, GatewayError).exit_code
