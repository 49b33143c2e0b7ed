"""The line of each recipient: who may be sent to now, how much, and what a failure does to the rest of the line.

A line is open, stopped after failures in a row until a pause is over, or half-open: one process tries one message. How lines
stand is in the database (store/lines.py), for all processes alike. This process keeps a copy, read at each claim, so that a
message to a healthy partner without limits costs nothing here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypedDict, Unpack

from gateway.domain.backoff import Backoff
from gateway.domain.pace import UNLIMITED, Pace
from gateway.errors import GatewayError
from gateway.flow.ports import LEASE_SECONDS, Runtime
from gateway.log import logger
from gateway.settings import Settings
from gateway.store import lines, outbox, outbox_claims
from gateway.store.database import Tx, transaction
from gateway.store.lines import Line
from gateway.store.outbox import OutboxRow

log = logger("lines")


class _Lease(TypedDict):
    """How rows are claimed."""

    now: datetime
    lease_seconds: int
    by: str


def backoff(settings: Settings) -> Backoff:
    """Return when a line stops and for how long, as this installation has it."""
    return Backoff(
        failures=settings.line_failures,
        first_seconds=settings.line_first_seconds,
        most_seconds=settings.line_most_seconds,
    )


def pace_of(recipient: str, rt: Runtime) -> Pace:
    """Return the limits of an authority's partner; none for an authority that is not known."""
    known = rt.partners
    authority = known.authorities.get(recipient)
    return known.partners[authority.partner].pace if authority else UNLIMITED


def look(tx: Tx, rt: Runtime) -> Mapping[str, Line]:
    """Return how the lines stand now, and remember it."""
    rt.lines.known = lines.every(tx)
    rt.lines.troubled = lines.in_trouble(rt.lines.known)
    return rt.lines.known


def claim_rows(tx: Tx, rt: Runtime, *, by: str) -> list[OutboxRow]:
    """Claim what may leave now: a share of each open line, what its limits let of a limited one, a probe of a stopped one."""
    now, known = rt.clock(), look(tx, rt)
    waiting = outbox_claims.recipients(tx)
    lease: _Lease = {"now": now, "lease_seconds": LEASE_SECONDS, "by": by}
    stopped = [name for name in waiting if name in known and known[name].next_at is not None]
    limited = [name for name in waiting if name not in stopped and pace_of(name, rt).limits_sending]
    open_ = [name for name in waiting if name not in stopped and name not in limited]
    most = 2 * rt.settings.batch
    rows: list[OutboxRow] = []
    for name in stopped:  # before any row is held: who waits for a line keeps nobody else waiting
        if _take_probe(tx, known[name], now):
            tried = outbox_claims.claim(tx, **lease, most=1, of=[name], probe=True)
            if not tried:
                lines.give_probe_back(tx, name)
            rows += [replace(row, probe=True) for row in tried]
    for name in limited:
        rows += _within_limits(tx, name, pace_of(name, rt), most, **lease)
    return rows + outbox_claims.claim(tx, **lease, most=most, of=open_) if open_ else rows


def claim_attachment(tx: Tx, due: Sequence[str], rt: Runtime, *, by: str) -> OutboxRow | None:
    """Claim an attachment for one of these recipients, each in turn; of a stopped line only as its probe.

    Limits count messages, not the parts of their attachments.
    """
    now, known = rt.clock(), look(tx, rt)
    after = [name for name in due if name > rt.lines.served]
    for name in (*after, *(name for name in due if name not in after)):
        line = known.get(name)
        probe = line is not None and line.next_at is not None
        if probe and line is not None and not _take_probe(tx, line, now):
            continue
        row = outbox_claims.claim_attachment(tx, now=now, lease_seconds=LEASE_SECONDS, by=by, recipient=name)
        if row is not None:
            rt.lines.served = name
            return replace(row, probe=probe)
        if probe:
            lines.give_probe_back(tx, name)
    return None


def _take_probe(tx: Tx, line: Line, now: datetime) -> bool:
    """Take the right to try a stopped line, if its pause is over and no other process does."""
    due = line.next_at is not None and line.next_at <= now
    return due and lines.take_probe(tx, line.recipient, now=now, until=now + timedelta(seconds=LEASE_SECONDS))


def end_probes(tx: Tx, rows: Sequence[OutboxRow]) -> None:
    """Let another message try the lines that these were to try: they told nothing of them."""
    for row in rows:
        if row.probe:
            lines.give_probe_back(tx, row.recipient)


def _within_limits(tx: Tx, recipient: str, pace: Pace, most: int, **lease: Unpack[_Lease]) -> list[OutboxRow]:
    """Claim what rate and quota let go now. The line is locked: what two processes send together is counted once."""
    now = lease["now"]
    today = now.astimezone(UTC).date()
    line = lines.locked(tx, recipient)
    tokens = pace.tokens(line.tokens, line.counted_at, now)
    may = int(min(most, tokens, pace.left_today(line.day, line.sent_on_day, today)))
    rows = outbox_claims.claim(tx, **lease, most=may, of=[recipient]) if may else []
    if rows:
        left = tokens - len(rows) if pace.sent_per_second is not None else None
        lines.spend(tx, recipient, tokens=left, at=now, day=today, sent=len(rows))
    return rows


def held_back(rows: Sequence[OutboxRow], rt: Runtime) -> list[OutboxRow]:
    """Return which of the rows that were handed over may not leave that way: their line is in trouble, or has limits."""
    troubled = rt.lines.troubled
    return [row for row in rows if row.recipient in troubled or pace_of(row.recipient, rt).limits_sending]


def give_back(rows: Sequence[OutboxRow], rt: Runtime) -> None:
    """Put rows that were handed over back into their lines."""
    with transaction(rt.engine) as tx:
        outbox_claims.give_back(tx, [row.id for row in rows])


def reached(tx: Tx, recipients: Sequence[str], rt: Runtime) -> None:
    """Note that these recipients were reached; only those whose line was in trouble cost anything."""
    healed = sorted(set(recipients) & rt.lines.troubled)
    for recipient in lines.reached(tx, healed) if healed else ():
        outbox.release(tx, recipient, at=rt.clock())
        log.info("line.opened", recipient=recipient)
    rt.lines.troubled -= frozenset(healed)


def failed(tx: Tx, recipient: str, error: GatewayError, *, count: int, probe: bool, rt: Runtime) -> datetime | None:
    """Note `count` failures at once to one recipient; return until when its line is stopped, None while it is open.

    A line that was stopped before is set back by its probe alone.
    """
    rules, now = backoff(rt.settings), rt.clock()
    line = lines.locked(tx, recipient)
    if line.next_at is not None and not probe:
        return line.next_at
    failures = rules.count(line.failures, count)
    pause = rules.pause(failures, rt.chance())
    until = None if pause is None else now + timedelta(seconds=pause)
    lines.failed(tx, line, failures=failures, code=error.code, now=now, next_at=until)
    rt.lines.troubled |= {recipient}
    if pause is not None:
        log.warning("line.stopped", recipient=recipient, code=error.code, attempts=failures, seconds=round(pause))
    return until
