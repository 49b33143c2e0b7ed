"""How the way to each recipient stands, for every process alike: failures in a row, the pause, the probe, what was used up.

Each change is one conditional statement: of two processes that see a pause end, one tries.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, case, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from gateway.store.line_tables import lines
from gateway.store.outbox_claims import LONGEST_LEASE


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """How the way to one recipient stands."""

    recipient: str
    failures: int = 0  # in a row
    code: str | None = None
    since: datetime | None = None
    next_at: datetime | None = None  # None: open
    probe_until: datetime | None = None
    tokens: float | None = None
    counted_at: datetime | None = None
    day: date | None = None
    sent_on_day: int = 0


def every(tx: Connection) -> dict[str, Line]:
    """Return all lines that have a row, by recipient; the table has a row for each partner at most."""
    return {row["recipient"]: Line(**row) for row in tx.execute(select(lines)).mappings()}


def locked(tx: Connection, recipient: str) -> Line:
    """Return a line that nobody else changes until the transaction ends; it is begun if there is none."""
    wanted = select(lines).where(lines.c.recipient == recipient).with_for_update()
    row = tx.execute(wanted).mappings().one_or_none()
    if row is None:
        try:
            with tx.begin_nested():
                tx.execute(insert(lines).values(recipient=recipient, failures=0, sent_on_day=0))
        except IntegrityError:  # another process was faster
            pass
        row = tx.execute(wanted).mappings().one()
    return Line(**row)


def failed(tx: Connection, line: Line, *, failures: int, code: str, now: datetime, next_at: datetime | None) -> None:
    """Note failures of a locked line; `next_at` stops it until then, and ends a probe."""
    tx.execute(
        update(lines)
        .where(lines.c.recipient == line.recipient)
        .values(failures=failures, code=code, since=line.since or now, next_at=next_at, probe_until=None)
    )


def reached(tx: Connection, recipients: Sequence[str]) -> list[str]:
    """Note that deliveries to these recipients were confirmed; return those whose line was stopped until now."""
    stopped = []
    for recipient in sorted(recipients):  # in one order, so that two processes never wait for each other
        trouble = update(lines).where(lines.c.recipient == recipient, lines.c.failures > 0)
        was = tx.execute(select(lines.c.next_at).where(lines.c.recipient == recipient)).scalar_one_or_none()
        changed = tx.execute(trouble.values(failures=0, code=None, since=None, next_at=None, probe_until=None))
        if changed.rowcount == 1 and was is not None:
            stopped.append(recipient)
    return stopped


def take_probe(tx: Connection, recipient: str, *, now: datetime, until: datetime) -> bool:
    """Take the right to try a stopped line whose pause is over; False when another process has it, or the pause is not over."""
    ends = lines.c.probe_until  # one that ends later than any could was begun by a clock that was ahead
    free = or_(ends.is_(None), ends <= now, ends > now + LONGEST_LEASE)
    over = update(lines).where(lines.c.recipient == recipient, lines.c.next_at <= now, free)
    return tx.execute(over.values(probe_until=until)).rowcount == 1


def give_probe_back(tx: Connection, recipient: str) -> None:
    """End a probe for which there was nothing to send."""
    tx.execute(update(lines).where(lines.c.recipient == recipient).values(probe_until=None))


def spend(tx: Connection, recipient: str, *, tokens: float | None, at: datetime, day: date, sent: int) -> None:
    """Note what was used up of the limits of a locked line, `sent` of them on `day`."""
    so_far = case((lines.c.day == day, lines.c.sent_on_day), else_=0)
    spent = update(lines).where(lines.c.recipient == recipient)
    tx.execute(spent.values(tokens=tokens, counted_at=at, day=day, sent_on_day=so_far + sent))


def in_trouble(known: Mapping[str, Line]) -> frozenset[str]:
    """Return the recipients whose last delivery failed."""
    return frozenset(recipient for recipient, line in known.items() if line.failures)
