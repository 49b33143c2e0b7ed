"""What is parked, in both directions, as one list: for commands and for those who look on."""

from collections.abc import Mapping, Sequence

from gateway.domain.parking import LONGEST_NAME, ParkedThing
from gateway.errors import BadValue, MissingField, NotFound, TransitionNotAllowed
from gateway.flow.ports import Runtime
from gateway.store import given_up, journal, messages, outbox_parked, parked
from gateway.store.database import Tx, transaction
from gateway.store.outbox_parked import ParkedMessage
from gateway.store.parked import ParkedParcel

_SAID = {"replayed": "was taken in", "dropped": "was dropped"}


def every(tx: Tx, homes: Sequence[str]) -> list[ParkedThing]:
    """Return all that is parked for these home authorities, in either direction."""
    owners = parked.owners(tx)
    return [
        *(_leaving(row, owners) for row in outbox_parked.parked(tx, homes)),
        *(_arrived(row, owners) for row in parked.every(tx, homes)),
    ]


def matching(things: Sequence[ParkedThing], *, code: str | None = None, partner: str | None = None) -> list[ParkedThing]:
    """Return the things of one cause or partner, or of both; `partner` is an authority or the code of a partner."""
    wanted = partner.upper() if partner else None
    return [
        thing
        for thing in things
        if (code is None or thing.code == code)
        and (wanted is None or thing.partner == wanted or thing.partner.partition("-")[0] == wanted)
    ]


def named(tx: Tx, things: Sequence[ParkedThing], ids: Sequence[str]) -> list[ParkedThing]:
    """Return things by id, each once. Raises `NotFound`, `TransitionNotAllowed` for what was decided before."""
    by_id = {thing.id: thing for thing in things}
    for each in ids:
        if each not in by_id:
            _say_what_became(tx, each)
    return [by_id[each] for each in dict.fromkeys(ids)]


def row_of(thing: str) -> tuple[str, int]:
    """Return direction and row of an id. Raises `NotFound` for what is none."""
    direction, _, number = thing.partition("-")
    if direction not in {"in", "out"} or not (number.isascii() and number.isdigit()):
        raise NotFound(f"{thing[:40]!r} is no id of something parked; run: gateway queue parked --each")
    return direction, int(number)


def _say_what_became(tx: Tx, thing: str) -> None:
    """Raise what is to be said of something that is not parked any more, or never was."""
    direction, row = row_of(thing)
    if direction == "in":
        parcel = parked.get(tx, row)
        if parcel is not None and parcel.settled and parcel.settled_at:
            raise TransitionNotAllowed(
                f"{thing} {_SAID[parcel.settled]}, as {parcel.settled_by} decided on {parcel.settled_at:%Y-%m-%d %H:%M} UTC"
            )
    elif (note := given_up.of_message(tx, row)) is not None:
        raise TransitionNotAllowed(f"{thing} was dropped by {note.by} on {note.at:%Y-%m-%d %H:%M} UTC: {note.why}")
    elif (outcome := messages.outcome_of(tx, row)) is not None:
        raise TransitionNotAllowed(f"{thing} is not parked; it is {outcome}")
    raise NotFound(f"nothing parked has the id {thing}")


def take_charge(rt: Runtime, things: Sequence[ParkedThing], by: str) -> str:
    """Note that a named person looks after things; return the name. Raises `MissingField`, `BadValue`."""
    name = " ".join(by.split())
    if not name:
        raise MissingField("whoever takes something has a name", path="take")
    if len(name) > LONGEST_NAME:
        raise BadValue(f"a name has at most {LONGEST_NAME} characters", path="take")
    with transaction(rt.engine) as tx:
        parked.own(tx, [thing.id for thing in things], name, rt.clock())
        entry = journal.Entry(at=rt.clock(), event="queue.taken", actor=name, detail={"count": len(things)})
        journal.append(tx, [entry] if things else [])
    return name


def _leaving(row: ParkedMessage, owners: Mapping[str, str]) -> ParkedThing:
    thing = f"out-{row.message_row}"
    return ParkedThing(
        id=thing,
        direction="out",
        home=row.sender,
        partner=row.recipient,
        verified=True,
        message_id=row.message_id,
        type=row.type,
        case=row.reference,
        sequence=row.sequence,
        code=row.code,
        rule=None,
        since=row.since,
        came_at=row.created_at,
        attempts=row.attempts,
        taken_by=owners.get(thing),
    )


def _arrived(row: ParkedParcel, owners: Mapping[str, str]) -> ParkedThing:
    thing = f"in-{row.id}"
    return ParkedThing(
        id=thing,
        direction="in",
        home=row.home,
        partner=row.sender,
        verified=row.verified,
        message_id=row.message_id,
        type=row.type,
        case=row.reference,
        sequence=row.sequence,
        code=row.code,
        rule=row.rule,
        since=row.parked_at,
        came_at=row.received_at,
        attempts=row.attempts,
        taken_by=owners.get(thing),
    )
