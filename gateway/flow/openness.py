"""Whether messages may pass between two authorities now: admitted, in production, not suspended (docs/decisions/0035).

Outward the answer is asked once before the safeguards and once more when a message is taken from the outbox; inward once, when
its turn is decided. Receipts always pass: they prove what was received, and hold no personal data.
"""

from collections.abc import Sequence
from datetime import timedelta

from gateway.domain.partner_decisions import Decided, PartnerDecision
from gateway.errors import PartnerNotAdmitted, PartnerNotInProduction, PartnerSuspended
from gateway.flow.ports import Runtime
from gateway.store import early, messages, outbox
from gateway.store.database import Tx, reading, transaction
from gateway.store.outbox import OutboxRow

LOOK_AGAIN = timedelta(seconds=30)  # what lies in the outbox of a suspended exchange is looked at again after this


def decided(rt: Runtime) -> Decided:
    """Return what was decided about partners, as of now. Raises `DatabaseUnavailable`."""
    return rt.book.current(rt.engine, rt.clock())


def suspensions(rt: Runtime, one: str, other: str) -> tuple[PartnerDecision, ...]:
    """Return the suspensions under which some message between two authorities falls, in either direction."""
    found = decided(rt)
    if not found.suspended:
        return ()
    known = rt.partners.authorities
    partners = [known[code].partner if code in known else "" for code in (one, other)]
    return found.between(one, partners[0], other, partners[1])


def suspension(rt: Runtime, one: str, other: str, type_: str) -> PartnerDecision | None:
    """Return the suspension that stops a message of this type between two authorities, None if there is none."""
    return next((each for each in suspensions(rt, one, other) if each.scope.covers_type(type_)), None)


def require_production(counterparty: str, rt: Runtime) -> None:
    """In production, refuse what is exchanged with a partner that was not admitted, or not switched to production.

    Raises `PartnerNotAdmitted`, `PartnerNotInProduction`, `UnknownAuthority`.
    """
    if rt.settings.environment != "production":
        return
    partner, found = rt.partners.authority(counterparty).partner, decided(rt)
    if partner not in found.admitted:
        raise PartnerNotAdmitted(f"the exchange with {partner} is not open: its admission was not decided")
    if partner not in found.production:
        raise PartnerNotInProduction(f"the exchange with {partner} is not open: it is not in production yet")


def require_open(sender: str, recipient: str, type_: str, rt: Runtime) -> None:
    """Refuse a message outward that may not leave now, saying to its own authority who decided that and why.

    Raises `PartnerNotAdmitted`, `PartnerNotInProduction`, `PartnerSuspended`.
    """
    require_production(recipient, rt)
    stopped = suspension(rt, sender, recipient, type_)
    if stopped is not None:
        raise PartnerSuspended(
            f"the exchange is suspended ({stopped.scope}) since {stopped.at:%Y-%m-%d %H:%M} UTC by {stopped.by}: {stopped.why}"
        )


def keep_back(tx: Tx, rows: Sequence[OutboxRow], rt: Runtime) -> list[OutboxRow]:
    """Return the rows of the outbox that may leave; the others stay there, and none of their attempts is used up.

    The usual answer costs nothing: without a suspension nothing is looked at.
    """
    if not decided(rt).suspended or not rows:
        return list(rows)
    now = rt.clock()
    types = messages.types_of(tx, [row.message_row for row in rows])
    leaving = []
    for row in rows:
        if suspension(rt, row.sender, row.recipient, types[row.message_row]) is None:
            leaving.append(row)
        else:
            outbox.wait(tx, row.id, next_at=now + LOOK_AGAIN, code=PartnerSuspended.code)
    return leaving


def free_resumed(rt: Runtime) -> int:
    """Let messages wait no more whose exchange was resumed; return how many. They are taken like any whose turn has come."""
    with reading(rt.engine) as tx:
        rows = early.suspended(tx)
    free = [row for row in rows if suspension(rt, row.sender, row.home, row.type) is None]
    if free:
        with transaction(rt.engine) as tx:
            for row in free:
                early.suspend(tx, row.id, None)
    return len(free)
