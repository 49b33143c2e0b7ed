"""Delivery: claim what is due, hand it to the transport, settle each row by its own answer.

A row is removed only when the transport has confirmed it. A publish that looks failed may have arrived: the receiver
drops the repeat. A message that keeps failing while its recipient can be reached is parked with its reason and shown; it is
never dropped. While nothing reaches a recipient its line stops as a whole (flow/lines.py), and no message is to blame.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from gateway.errors import GatewayError, Unavailable
from gateway.flow import lines
from gateway.flow.openness import keep_back
from gateway.flow.ports import Runtime
from gateway.log import logger
from gateway.store import journal, messages, outbox
from gateway.store.database import Tx, transaction
from gateway.store.outbox import OutboxRow
from gateway.transport.port import Parcel

log = logger("deliver")


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What one round did."""

    sent: int
    failed: int


def claim(rt: Runtime, *, by: str) -> list[OutboxRow]:
    """Take what may leave, a share of each line. What belongs to a suspended exchange stays where it is."""
    with transaction(rt.engine) as tx:
        claimed = lines.claim_rows(tx, rt, by=by)
        leaving = keep_back(tx, claimed, rt)
        if len(leaving) < len(claimed):
            lines.end_probes(tx, [row for row in claimed if row not in leaving])
        return leaving


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
        lines.reached(tx, [row.recipient for row in gone], rt)
        lines.end_probes(tx, [row for row, error in failed if not isinstance(error, Unavailable)])
        stopped = _note_failures(tx, failed, {row.recipient for row in gone}, rt)
        for row, error in failed:
            log.warning(
                "delivery.failed",
                code=error.code,
                message_id=row.message_id,
                recipient=row.recipient,
                attempts=row.attempts + 1,
            )
            entries += _set_back(tx, row, error, stopped.get(row.recipient), rt)
        journal.append(tx, entries)
    return Delivered(sent=len(gone), failed=len(failed))


Failed: TypeAlias = tuple[OutboxRow, GatewayError]


def _note_failures(tx: Tx, failed: Sequence[Failed], got_through: Collection[str], rt: Runtime) -> dict[str, datetime]:
    """Note the failures of each recipient on its line; return until when those lines are stopped that are.

    A failure that is the message's own is none of the line's, and neither is one beside which another message got through.
    """
    found: dict[str, list[Failed]] = {}
    for row, error in failed:
        if isinstance(error, Unavailable) and row.recipient not in got_through:
            found.setdefault(row.recipient, []).append((row, error))
    stopped = {}
    for recipient, group in sorted(found.items()):
        probe = any(row.probe for row, _ in group)
        until = lines.failed(tx, recipient, group[-1][1], count=len(group), probe=probe, rt=rt)
        if until is not None:
            stopped[recipient] = until
    return stopped


def _set_back(tx: Tx, row: OutboxRow, error: GatewayError, stopped: datetime | None, rt: Runtime) -> list[journal.Entry]:
    """Write what becomes of a row that failed; return what the journal says of it."""
    now = rt.clock()
    wait = next_wait(row.attempts, rt.settings.retry_seconds) if isinstance(error, Unavailable) else None
    if wait is None:  # no later attempt would do better, or there were enough
        if not outbox.park(tx, row.id, at=now, code=error.code):  # it left by another process, after our lease ended
            return []
        messages.mark_parked(tx, [row.message_row], error.code)
        return [_parked(row, error, now)]
    if stopped is not None:  # the line waits, and the message in its place: the trouble is not its own
        outbox.wait(tx, row.id, next_at=stopped if row.probe else now, code=error.code)
    else:
        outbox.retry(tx, row.id, next_at=now + timedelta(seconds=wait), code=error.code)
    return []


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
