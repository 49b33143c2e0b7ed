"""What could not be taken in is set aside: its sealed bytes in our own table, under an id that stays, with the cause.

A broker's queue has no ids, no order to choose from and no place for a reason. So the bytes are kept first, and the transport
forgets its copy after the commit: a process that dies in between finds the parcel again, and keeps it under the same id.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gateway.errors import GatewayError, StoreConflict, catalogue
from gateway.flow.batch import place_of, type_inside
from gateway.flow.papers import sha256
from gateway.flow.ports import Runtime
from gateway.log import logger
from gateway.stages import Received
from gateway.store import journal, parked
from gateway.store.database import transaction
from gateway.store.parked import ParkedParcel
from gateway.transport.port import Delivery
from gateway.trust.parts import is_part
from gateway.trust.seal import unseal

log = logger("parking")

DEFECT: Final = GatewayError.code
DELIVERY_LIMIT: Final = "delivery-limit"  # the broker set it aside: whoever took it died, each time
PART: Final = "attachment-part"
LONGEST_REFERENCE: Final = 32
_AUTHORITY = re.compile(r"[A-Z]{2}-[A-Z0-9]{1,13}")  # what a transport claims may be anything
_WORD = re.compile(r"[\x21-\x7e]{1,36}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What is known of a parcel."""

    sender: str
    verified: bool
    digest: str
    message_id: str | None
    type: str | None = None
    reference: str | None = None
    sequence: int | None = None


def cause_of(error: Exception) -> tuple[str, str | None]:
    """Return the code of a failure and what it was about: a place in the document, or the kind of a defect. Never content."""
    if isinstance(error, GatewayError):
        return error.code, error.path[:80] if error.path else None
    return DEFECT, type(error).__name__[:80]


def set_aside(delivery: Delivery, error: Exception, rt: Runtime) -> None:
    """Keep a parcel that could not be taken in, and record it: a person must act. Raises `DatabaseUnavailable`."""
    code, rule = cause_of(error)
    now = rt.clock()
    raw = Received(body=delivery.body, received_at=now, transport=rt.transport.name)
    _keep(delivery, _look(raw, delivery, rt), (code, rule), now, rt)


async def take_over_parked(rt: Runtime, run: Callable[..., Awaitable[None]]) -> None:
    """Keep all that the transport set aside; `run` calls a function where it may touch the database.

    Raises `BrokerUnavailable`, `DatabaseUnavailable`: what was not kept is still where it was.
    """
    while True:
        deliveries = await rt.transport.take_parked(rt.settings.batch)
        await run(take_over, deliveries, rt)
        await rt.transport.settle(deliveries)
        if len(deliveries) < rt.settings.batch:
            return


def take_over(deliveries: Sequence[Delivery], rt: Runtime) -> None:
    """Keep what the transport had set aside. It is not opened: it may be what breaks whoever opens it."""
    for delivery in deliveries:
        code = delivery.code if delivery.code in catalogue() else DEFECT
        rule = DELIVERY_LIMIT if delivery.code is None else None
        _keep(delivery, _claimed(delivery), (code or DEFECT, rule), rt.clock(), rt)
        log.error("message.parked", code=code, reason=rule, queue=delivery.queue)


def _keep(delivery: Delivery, seen: _Seen, cause: tuple[str, str | None], now: datetime, rt: Runtime) -> None:
    code, rule = cause
    parcel = ParkedParcel(
        home=delivery.queue,
        sender=seen.sender,
        verified=seen.verified,
        message_id=seen.message_id,
        type=seen.type,
        reference=seen.reference,
        sequence=seen.sequence,
        digest=seen.digest,
        body=delivery.body,
        transport=rt.transport.name,
        received_at=now,
        parked_at=now,
        attempts=delivery.attempts + 1,
        code=code,
        rule=rule,
    )
    entry = journal.Entry(
        at=now,
        event="message.parked",
        actor="gateway",
        authority=delivery.queue,
        message_id=seen.message_id if seen.verified else None,
        digest=sha256(delivery.body),
        detail={"code": code, "rule": rule, "transport": rt.transport.name},
    )
    try:
        _write(parcel, entry, rt)
    except StoreConflict:  # another process kept the same one at this moment: now it can be seen
        _write(parcel, entry, rt)


def _write(parcel: ParkedParcel, entry: journal.Entry, rt: Runtime) -> None:
    with transaction(rt.engine) as tx:
        parked.keep(tx, parcel)
        journal.append(tx, [entry])


def _look(raw: Received, delivery: Delivery, rt: Runtime) -> _Seen:
    """Return what verified bytes say of a parcel; what the transport claims where nothing can be verified."""
    if is_part(raw.body):
        return _claimed(delivery, type_=PART)  # a part carries no signature
    try:
        opened = unseal(raw, rt.ring, rt.trust, screen=rt.screen)
        place = place_of(opened)
        if place and len(place[0][2]) > LONGEST_REFERENCE:  # verified, and not looked at any further yet
            place = None
        return _Seen(
            sender=opened.signer,
            verified=True,
            digest=opened.digest,
            message_id=opened.sealed_id,
            type=type_inside(opened),
            reference=place[0][2] if place else None,
            sequence=place[1] if place else None,
        )
    except Exception as error:  # noqa: BLE001  # it may be this very step that has the defect: then nothing is known of the parcel
        log.warning("parcel.unread", code=cause_of(error)[0], error_type=type(error).__name__)
        return _claimed(delivery)


def _claimed(delivery: Delivery, *, type_: str | None = None) -> _Seen:
    return _Seen(
        sender=delivery.sender if _AUTHORITY.fullmatch(delivery.sender) else "",
        verified=False,
        digest=sha256(delivery.body),
        message_id=delivery.message_id if _WORD.fullmatch(delivery.message_id) else None,
        type=type_,
    )
