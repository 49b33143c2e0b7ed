"""The clock's walk: overdue deadline, look again, conditional update, journal.

Silence is recorded with its evidence; nothing is arranged by it. A person decides what follows.
"""

from gateway.domain.case import Case, Role, State
from gateway.flow.ports import Runtime
from gateway.log import logger
from gateway.store import cases, deadlines, journal, messages
from gateway.store.database import Tx, transaction
from gateway.store.deadlines import DeadlineRow

log = logger("watch")


def watch_once(rt: Runtime, *, most: int = 100) -> int:
    """Look at the deadlines that have run out; return how many lapses were recorded."""
    now = rt.clock()
    recorded = 0
    with transaction(rt.engine) as tx:
        entries: list[journal.Entry] = []
        for row in deadlines.open_before(tx, now, most=most):
            case = cases.get(tx, row.case_id)
            proof = _evidence(tx, case, row)
            if case.state is not State.REQUESTED or proof is None:
                continue  # answered, or no proof that it was received: then no clock ran out
            if deadlines.settle(tx, row.case_id, row.limit_id, state="lapsed", at=now):
                recorded += 1
                log.info("deadline.lapsed", case=case.id, limit=row.limit_id, treaty=case.treaty)
                entries.append(
                    journal.Entry(
                        at=now,
                        event="deadline.lapsed",
                        actor="gateway",
                        authority=case.home,
                        case_id=case.id,
                        message_id=proof.message_id,
                        digest=proof.digest,
                        detail={
                            "limit": row.limit_id,
                            "on_lapse": row.on_lapse,
                            "lapses_at": row.lapses_at.isoformat() if row.lapses_at else None,
                            "received_at": row.started_at.isoformat(),
                            "receipt": proof.receipt_message_id,
                            "treaty_version": row.treaty_version,
                            "calendar_version": row.calendar_version,
                        },
                    )
                )
        journal.append(tx, entries)
    return recorded


def _evidence(tx: Tx, case: Case, row: DeadlineRow) -> messages.MessageRow | None:
    """Return the application with proof of its receipt, None when there is none."""
    assert case.id is not None
    application = messages.applications(tx, [case.id]).get(case.id)
    if application is None or row.lapses_at is None:
        return None
    proven = application.receipt_message_id is not None and application.outcome in {"received", "accepted"}
    return application if proven or case.role is Role.REQUESTED else None
