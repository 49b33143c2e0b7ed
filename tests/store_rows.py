"""Rows for tests of the store: one case, one message, one document, with what differs given by name."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine

from gateway.domain.case import Case, Role, State
from gateway.domain.messages import Category, Ground, Procedure
from gateway.stages import Sealed
from gateway.store import cases, messages, outbox
from gateway.store.database import transaction
from gateway.store.deadlines import DeadlineRow
from gateway.store.messages import MessageRow

NOW = datetime(2026, 6, 1, 8, 15, 0, 123_456, tzinfo=UTC)


def new_case(**changes: Any) -> Case:
    """Return a case of BA-MS that asks PK-MOI."""
    values: dict[str, Any] = {
        "id": None,
        "home": "BA-MS",
        "counterparty": "PK-MOI",
        "reference": "KQ3XN7YB2MZV5TDWA4RUHE6PCG",
        "national_reference": "08-30-1/26",
        "role": Role.REQUESTING,
        "state": State.REQUESTED,
        "treaty": "ba-pk",
        "treaty_version": "2026-11-24",
        "procedure": Procedure.ORDINARY,
        "category": Category.NATIONAL,
        "ground": Ground.NATIONAL,
        "schema_version": "1.0",
        "wrapped_key": b"\x00\xffkey",
        "opened_at": NOW,
        "changed_at": NOW,
    }
    return Case(**values | changes)


def message_row(number: int = 1, **changes: Any) -> MessageRow:
    """Return the row of message `number` of BA-MS, on its way out."""
    values: dict[str, Any] = {
        "direction": "out",
        "sender": "BA-MS",
        "message_id": f"019ab4d2-7c40-7a11-8f02-{number:012d}",
        "recipient": "PK-MOI",
        "case_id": None,
        "type": "ReadmissionApplication",
        "sequence": number,
        "digest": f"{number:064d}",
        "in_reply_to": None,
        "signed_at": NOW,
        "created_at": NOW,
        "received_at": None,
        "outcome": "waiting",
    }
    return MessageRow(**values | changes)


def deadline_row(case_id: int, limit_id: str = "reply", **changes: Any) -> DeadlineRow:
    """Return an open, known deadline of a case."""
    values: dict[str, Any] = {
        "case_id": case_id,
        "limit_id": limit_id,
        "must_act": "requested",
        "started_at": NOW,
        "known": True,
        "due_on": NOW.date(),
        "due_until": NOW,
        "rolled_on": NOW.date(),
        "rolled_until": NOW,
        "lapses_at": NOW,
        "on_lapse": "deemed-agreement",
        "source": "Art. 11(2)",
        "confidence": "verified",
        "treaty_version": "2026-11-24",
        "calendar_ids": "rs",
        "calendar_version": "rs-2026",
        "state": "open",
        "detail": {"steps": ["a day", "Дан"]},
        "changed_at": NOW,
        "inputs": {"start": NOW.isoformat(), "marks": [["overdue", NOW.isoformat()]]},
        "home": "BA-MS",
        "ours": False,
        "stage": "new",
        "look_at": NOW,
    }
    return DeadlineRow(**values | changes)


def fill_outbox(engine: Engine, count: int, *, recipient: str = "PK-MOI", first: int = 1, at: datetime = NOW) -> list[int]:
    """Put `count` sealed messages into the outbox; return the rows of the messages."""
    numbers = range(first, first + count)
    with transaction(engine) as tx:
        rows = messages.add(tx, [message_row(number, recipient=recipient) for number in numbers])
        sealed = [
            Sealed(
                body=f"sealed {number}".encode(),
                message_id=message_row(number).message_id,
                sender="BA-MS",
                recipient=recipient,
                digest=f"{number:064d}",
            )
            for number in numbers
        ]
        outbox.add(tx, list(zip(rows, sealed, strict=True)), at)
    return rows


def add_case(engine: Engine, **changes: Any) -> int:
    """Write one case; return its id."""
    with transaction(engine) as tx:
        (case,) = cases.add(tx, [new_case(**changes)])
    assert case.id is not None
    return case.id
