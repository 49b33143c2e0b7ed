"""Due diligence statements: made by one named officer, released by another, kept in the home installation."""

import json
from dataclasses import asdict
from datetime import datetime

from gateway.domain.case import Case
from gateway.domain.moves import State
from gateway.domain.safeguards import Answers, Statement, release
from gateway.errors import NotFound, StatementInvalid, TransitionNotAllowed
from gateway.flow.ports import Runtime
from gateway.store import cases, journal
from gateway.store import statements as store
from gateway.store.database import Tx, transaction

_ABOUT = b"statement"


def statement_of(tx: Tx, case: Case | None, rt: Runtime) -> Statement | None:
    """Return the statement of a case, None while none was made."""
    row = store.statement(tx, case.id) if case is not None and case.id is not None else None
    if row is None or case is None or case.wrapped_key is None:
        return None
    answers = Answers(**json.loads(rt.vault.decrypt(case.wrapped_key, row.body, _ABOUT)))
    return Statement(
        answers=answers, made_by=row.made_by, made_at=row.made_at, released_by=row.released_by, released_at=row.released_at
    )


def _write(tx: Tx, case: Case, statement: Statement, rt: Runtime) -> None:
    assert case.id is not None
    assert case.wrapped_key is not None
    body = json.dumps(asdict(statement.answers)).encode()
    store.put_statement(
        tx,
        store.StatementRow(
            case_id=case.id,
            body=rt.vault.encrypt(case.wrapped_key, body, _ABOUT),
            complete=True,
            made_by=statement.made_by,
            made_at=statement.made_at,
            released_by=statement.released_by,
            released_at=statement.released_at,
        ),
    )


def _held(tx: Tx, case_id: int) -> Case:
    case = cases.get(tx, case_id, lock=True)
    if case.state is not State.HELD:
        raise TransitionNotAllowed("a statement is made before the message leaves; this one is not held")
    return case


def make_statement(case_id: int, answers: Answers, *, actor: str, rt: Runtime) -> Statement:
    """Record the statement of a held case. Making it again replaces it and takes its release back."""
    now = rt.clock()
    with transaction(rt.engine) as tx:
        case = _held(tx, case_id)
        statement = Statement(answers=answers, made_by=actor, made_at=now)
        _write(tx, case, statement, rt)
        entry = journal.Entry(at=now, event="statement.made", actor=actor, authority=case.home, case_id=case_id)
        journal.append(tx, [entry])
    return statement


def release_statement(case_id: int, *, actor: str, rt: Runtime, read: datetime | None = None) -> Statement:
    """Release a statement as a second officer; `read` is when the version was made that the officer read.

    Raises `StatementInvalid` for the officer who made it, or when it was made again after it was read.
    """
    now = rt.clock()
    with transaction(rt.engine) as tx:
        case = _held(tx, case_id)
        statement = statement_of(tx, case, rt)
        if statement is None:
            raise NotFound("no statement was made for this case yet")
        if read is not None and statement.made_at != read:
            raise StatementInvalid("the statement was made again after you read it; read it once more")
        released = release(statement, by=actor, at=now)
        _write(tx, case, released, rt)
        entry = journal.Entry(at=now, event="statement.released", actor=actor, authority=case.home, case_id=case_id)
        journal.append(tx, [entry])
    return released
