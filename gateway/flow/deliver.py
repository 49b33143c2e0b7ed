"""Delivery: claim what is due, hand it to the transport, settle each row by its own answer.

A row is removed only when the transport has confirmed it. A publish that looks failed may have arrived: the receiver
drops the repeat. What keeps failing is parked with its reason and shown; it is never dropped.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.errors import GatewayError, Unavailable
from gateway.flow.openness import keep_back
from gateway.flow.ports import LEASE_SECONDS, Runtime
from gateway.log import logger
from gateway.store import journal, messages, outbox
from gateway.store.database import transaction
from gateway.store.outbox import OutboxRow
from gateway.transport.port import Parcel

log = logger("deliver")


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What one round did."""

    sent: int
    failed: int


def claim(rt: Runtime, *, by: str) -> list[OutboxRow]:
    """Take what is due, at most one batch. What belongs to a suspended exchange stays where it is."""
    with transaction(rt.engine) as tx:
        rows = outbox.claim(tx, now=rt.clock(), most=rt.settings.batch * 2, lease_seconds=LEASE_SECONDS, by=by)
        return keep_back(tx, rows, rt)


def still_open(rows: Sequence[OutboxRow], rt: Runtime) -> list[OutboxRow]:
    """Return the rows that may leave of those that were handed over when the exchange was open."""
    with transaction(rt.engine) as tx:
        return keep_back(tx, rows, rt)


def settle(rows: Sequence[OutboxRow], answers: Sequence[GatewayError | None], rt: Runtime) -> Delivered:
    """Write what became of each row: gone, another attempt, or parked."""
    now = rt.clock()
    gone = [row for row, answer in zip(rows, answers, strict=True) if answer is None]
    failed = [(row, answer) for row, answer in zip(rows, answers, strict=True) if answer is not None]
    entries: list[journal.Entry] = []
    with transaction(rt.engine) as tx:
        messages.mark_sent(tx, [row.message_row for row in gone], now)
        outbox.done(tx, [row.id for row in gone])
        for row, error in failed:
            hopeless = not isinstance(error, Unavailable)  # no later attempt would do better
            wait = None if hopeless else next_wait(row.attempts, rt.settings.retry_seconds)
            log.warning(
                "delivery.failed",
                code=error.code,
                message_id=row.message_id,
                recipient=row.recipient,
                attempts=row.attempts + 1,
            )
            if wait is None:
                if outbox.park(tx, row.id, at=now, code=error.code):  # else it left by another process, after our lease ended
                    messages.mark_parked(tx, [row.message_row], error.code)
                    entries.append(_parked(row, error, now))
            else:
                outbox.retry(tx, row.id, next_at=now + timedelta(seconds=wait), code=error.code)
        journal.append(tx, entries)
    return Delivered(sent=len(gone), failed=len(failed))


def next_wait(attempts: int, steps: Sequence[int]) -> int | None:
    """Return the seconds until the next attempt after `attempts` earlier ones, None when it is time to park."""
    return steps[attempts] if attempts < len(steps) else None


async def deliver_once(rt: Runtime, rows: Sequence[OutboxRow]) -> list[GatewayError | None]:
    """Hand rows to the transport; one answer per row, None when it is confirmed."""
    parcels = [Parcel(message_id=row.message_id, sender=row.sender, recipient=row.recipient, body=row.body) for row in rows]
    return await rt.transport.send(parcels)


def _parked(row: OutboxRow, error: GatewayError, now: datetime) -> journal.Entry:
    return journal.Entry(
        at=now,
        event="message.parked",
        actor="gateway",
        authority=row.sender,
        message_id=row.message_id,
        detail={"code": error.code, "attempts": row.attempts + 1},
    )
