"""What requests hand in, taken as one batch: whose keys they show, what was answered before, the walk, the answers.

The Idempotency-Keys are claimed before the walk. The answers are written in the transaction that saves the messages, so a
process may die at any moment: either both stand or neither.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from gateway.errors import DatabaseUnavailable, GatewayError, NotPermitted, Refused
from gateway.flow.draft import Submission
from gateway.flow.outbound import submit
from gateway.flow.ports import Runtime
from gateway.flow.several import describe_all, messages_of, submit_known
from gateway.flow.submissions import describe
from gateway.stages import Submitted
from gateway.store import idempotency
from gateway.store.accounts import ApiKey
from gateway.store.database import Tx, transaction
from gateway.web.api_keys import RefusedKeys, actor_of, require_keys, require_scope
from gateway.web.problems import problem, problem_of
from gateway.wire.translate import CANONICAL

SCOPE = "submit"


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedIn:
    """One request."""

    presented: str  # the header Authorization
    body: bytes
    dialect: str | None  # not given: the authority's own
    once: str | None  # the Idempotency-Key


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a request is answered."""

    status: int
    document: dict[str, Any]
    replayed: bool = False  # it was answered so before

    @property
    def stands(self) -> bool:
        """Whether it is kept under the request's Idempotency-Key: what failed by our fault is not, it may be tried again."""
        return self.status < HTTPStatus.INTERNAL_SERVER_ERROR


@dataclass(slots=True)
class _Work:
    """One request on its way to its answer."""

    key: ApiKey
    dialect: str
    body: bytes
    once: str | None
    at: datetime
    item: Submitted | None = None  # its one message
    table: Submitted | None = None  # what holds several messages instead
    answer: Answer | None = None
    error: BaseException | None = None  # no fault of the request
    claimed: bool = False  # its Idempotency-Key is ours, and no answer stands under it yet
    written: Answer | None = None  # the answer that stands under its key once the messages do

    @property
    def open(self) -> bool:
        return self.answer is None and self.error is None


def hand_in(requests: Sequence[HandedIn], rt: Runtime, refused: RefusedKeys) -> list[Answer | BaseException]:
    """Take what requests hand in; return an answer for each, or the error that kept it from one.

    Raises `DatabaseUnavailable`: nothing was taken then, and no key is used up.
    """
    keys = require_keys([request.presented for request in requests], rt, refused)
    works = [_begin(request, key, rt) for request, key in zip(requests, keys, strict=True)]
    known = [work for work in works if isinstance(work, _Work)]
    _claim([work for work in known if work.once], rt)
    for work in known:
        if work.open:
            _read(work, rt)
    if single := [work for work in known if work.open and work.item]:
        _submit(single, rt)
    for work in known:
        if work.open and work.table:
            _submit_table(work, rt)
    _end_claims([work for work in known if work.claimed], rt)
    return [_outcome(work) if isinstance(work, _Work) else work for work in works]


def sha256_of(dialect: str, body: bytes) -> str:
    """Return what tells two requests with the same Idempotency-Key apart."""
    return hashlib.sha256(dialect.encode() + b"\n" + body).hexdigest()


def _begin(request: HandedIn, key: ApiKey | GatewayError, rt: Runtime) -> _Work | GatewayError:
    if isinstance(key, GatewayError):
        return key
    try:
        require_scope(key, SCOPE)
        dialect = request.dialect or rt.partners.authority(key.authority).dialect
    except GatewayError as error:
        return error
    return _Work(key=key, dialect=dialect, body=request.body, once=request.once, at=rt.clock())


def _claim(works: Sequence[_Work], rt: Runtime) -> None:
    """Claim the Idempotency-Keys, all in one order: two processes that claim the same ones never wait for each other."""
    if not works:
        return
    with transaction(rt.engine) as tx:
        for work in sorted(works, key=lambda work: (work.key.authority, work.once or "")):
            digest = sha256_of(work.dialect, work.body)
            before = idempotency.claim(tx, work.key.authority, work.once or "", digest, work.at)
            work.claimed = before is None
            if before is not None:
                work.answer = _recorded(before, digest)


def _recorded(before: idempotency.Recorded, digest: str) -> Answer:
    if before.request_hash != digest:
        sentence = "This Idempotency-Key was used for another request."
        return Answer(status=422, document=problem(422, sentence, Refused.code))
    if before.status == idempotency.IN_PROGRESS:
        sentence = "The first request with this Idempotency-Key is still being worked on."
        return Answer(status=409, document=problem(409, sentence, Refused.code))
    return Answer(status=before.status, document=before.answer, replayed=True)


def _read(work: _Work, rt: Runtime) -> None:
    """Find out what the document holds: one message, or several."""
    try:
        _require_dialect(work.key, work.dialect, rt)
        item = Submitted(
            body=work.body,
            authority=work.key.authority,
            dialect=work.dialect,
            submitted_at=rt.clock(),
            actor=actor_of(work.key),
        )
        parts = messages_of(item, rt)
    except Refused as error:
        work.answer = _answer_of(error)
    except Exception as error:  # noqa: BLE001  # raised to whoever sent it; the others go on
        work.error = error
    else:
        work.item, work.table = (parts[0], None) if len(parts) == 1 else (None, item)


def _require_dialect(key: ApiKey, dialect: str, rt: Runtime) -> None:
    """Raise `NotPermitted` for a dialect that the key's authority does not hand in."""
    if dialect not in (allowed := {rt.partners.authority(key.authority).dialect, CANONICAL}):
        raise NotPermitted(f"this authority hands in {' or '.join(sorted(allowed))}")


def _submit(works: Sequence[_Work], rt: Runtime) -> None:
    """Take the one message of each request. A defect is told to the request that causes it; the others go on without it."""
    by_item = {id(work.item): work for work in works}

    def note(tx: Tx, results: Sequence[tuple[Submitted, Submission]]) -> None:
        for item, result in results:
            _write(tx, by_item[id(item)], _answer_of(result))

    try:
        results = submit([work.item for work in works if work.item], rt, note)
    except DatabaseUnavailable as error:  # nobody's fault, and the same for all
        _fail(works, error)
    except Exception as error:  # noqa: BLE001  # raised to whoever sent it
        _fail(works if len(works) == 1 else (), error)
        for work in works if len(works) > 1 else ():
            _submit([work], rt)
    else:
        for work, result in zip(works, results, strict=True):
            work.answer = _answer_of(result)


def _fail(works: Sequence[_Work], error: BaseException) -> None:
    for work in works:
        work.error = error


def _submit_table(work: _Work, rt: Runtime) -> None:
    assert work.table is not None
    try:
        work.answer = _several(submit_known(work.table, rt))
    except Refused as error:
        work.answer = _answer_of(error)
    except Exception as error:  # noqa: BLE001  # raised to whoever sent it
        work.error = error


def _write(tx: Tx, work: _Work, answer: Answer) -> None:
    """Write an answer under its Idempotency-Key, if it is one that stands."""
    work.written = None  # what was written in an attempt that was rolled back does not stand
    if work.claimed and answer.stands:
        status, document = answer.status, answer.document
        idempotency.record(tx, work.key.authority, work.once or "", claimed_at=work.at, status=status, answer=document)
        work.written = answer


def _end_claims(works: Sequence[_Work], rt: Runtime) -> None:
    """Write the answers that do not stand with their message, and free the keys of what may be tried again.

    A key whose answer stands is not freed by it, whatever we heard of the commit. What fails here is told to the request that
    it befell: the others of the batch are answered.
    """
    for work in works:
        told = work.answer if work.error is None and work.answer and work.answer.stands else None
        if told and work.written:
            continue
        try:
            with transaction(rt.engine) as tx:
                if told:
                    _write(tx, work, told)
                else:
                    idempotency.give_up(tx, work.key.authority, work.once or "", claimed_at=work.at)
        except GatewayError as error:
            work.error = work.error or error


def _outcome(work: _Work) -> Answer | BaseException:
    if work.error is not None:
        return work.error
    assert work.answer is not None
    return work.answer


def _answer_of(result: Submission) -> Answer:
    if isinstance(result, GatewayError):
        status, document = problem_of(result)
        return Answer(status=status, document=document)
    document = dict(describe(result))
    return Answer(status=202 if document["outcome"] == "held" else 201, document=document)


def _several(results: Sequence[Submission]) -> Answer:
    """Return the answer to a table with several messages: what became of each, by its number."""
    document = dict(describe_all(results))
    if document["outcome"] != "refused":
        return Answer(status=202 if document["outcome"] == "held" else 201, document=document)
    refused = next(result for result in results if isinstance(result, Refused))
    count = sum(1 for result in results if isinstance(result, Refused))
    sentence = f"{count} of {len(results)} messages of the table are refused; each is answered under messages."
    return Answer(status=422, document=problem(422, sentence, refused.code) | document)
