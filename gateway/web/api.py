"""The REST API for national systems: submit, inbox, cases, deadlines, queues, health. Attachments stand beside it.

Authentication: `Authorization: Bearer <prefix>.<secret>`, an API key that belongs to one home authority. Errors are
`application/problem+json` (RFC 9457) with the codes of docs/errors.md, a path and a line where they are known.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, Any, TypeAlias

from fastapi import APIRouter, Depends, FastAPI, Header, Query, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from pydantic import BeforeValidator

from gateway import __version__
from gateway.domain.parking import grouped
from gateway.errors import GatewayError, NotPermitted, Refused
from gateway.flow import parking
from gateway.flow.draft import Submission
from gateway.flow.evidence import refusal
from gateway.flow.line_standings import standings
from gateway.flow.mailbox import acknowledge, fetch, note_reading
from gateway.flow.outbound import submit
from gateway.flow.ports import HandedIn, Runtime
from gateway.flow.several import describe_all, messages_of, submit_known
from gateway.flow.submissions import describe
from gateway.partners.formats import document_media_types
from gateway.stages import MAX_MESSAGE_BYTES, Submitted
from gateway.store import attachments, cases, deadlines, idempotency, inbox, messages
from gateway.store.accounts import ApiKey
from gateway.store.database import Tx, reading, require_current, transaction
from gateway.web import attachments as files
from gateway.web.answers import (
    CaseAnswer,
    CaseListAnswer,
    DeadlineListAnswer,
    InboxAnswer,
    QueuesAnswer,
    StateAnswer,
    SubmissionAnswer,
    SubmissionsAnswer,
    case_answer,
    case_line,
    inbox_line,
    queue_line,
)
from gateway.web.api_keys import Rt, actor_of, may
from gateway.web.numbers import Id, digits
from gateway.web.problems import as_sentence, problem, problem_of, problem_responses, respond

CANONICAL = "canonical"
_PROBLEMS = problem_responses()

router = APIRouter(prefix="/api/v1", responses=_PROBLEMS)
health = APIRouter()


async def _body(request: Request) -> bytes:
    """Return the request's body; reading stops one byte after what is allowed."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        parts.append(part)
        if size > MAX_MESSAGE_BYTES:
            break
    return b"".join(parts)


Most: TypeAlias = Annotated[int, BeforeValidator(digits), Query(ge=1, description="At most 500 are given.")]
MOST = 500
_NO_ID = (1 << 63) - 1  # databases count no further
After: TypeAlias = Annotated[
    int, BeforeValidator(digits), Query(ge=0, le=_NO_ID, description="Begins after the message with this id.")
]


_DOCUMENT = {
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in document_media_types()},
    }
}


@router.post(
    "/messages",
    status_code=201,
    response_model=SubmissionAnswer | SubmissionsAnswer,
    responses={
        202: {"model": SubmissionAnswer | SubmissionsAnswer, "description": "Held by a safeguard"},
        409: _PROBLEMS[422] | {"description": "The first request with this Idempotency-Key is still being worked on"},
        413: _PROBLEMS[422] | {"description": "The document is too large"},
    },
    openapi_extra=_DOCUMENT,
)
def submit_message(
    rt: Rt,
    key: Annotated[ApiKey, may("submit")],
    body: Annotated[bytes, Depends(_body)],
    dialect: str | None = None,
    idempotency_key: Annotated[str | None, Header(max_length=80, description="A repeat gets the first answer.")] = None,
) -> Any:
    """Hand in a message: in the authority's own dialect, or canonical (`?dialect=canonical`, XML or JSON).

    A table may hold several messages, each with its answer; one that was handed in before with the same content is answered
    as it was then.
    """
    chosen = dialect or rt.partners.authority(key.authority).dialect
    digest, now = sha256_of(chosen, body), rt.clock()
    if not idempotency_key:
        return _respond(*_submit(rt, key, chosen, body, None))
    with transaction(rt.engine) as tx:
        before = idempotency.claim(tx, key.authority, idempotency_key, digest, now)
    if before is not None:
        return _recorded(before, digest)
    claim = _Claim(authority=key.authority, key=idempotency_key, at=now)
    try:
        status, answer = _submit(rt, key, chosen, body, claim)
    except BaseException:
        claim.give_up(rt)  # what failed by our fault may be tried again
        raise
    if status >= 500:  # noqa: PLR2004  # the same
        claim.give_up(rt)
    elif claim.answer is None:
        with transaction(rt.engine) as tx:
            claim.record(tx, status, answer)
    return _respond(status, answer)


@dataclass(slots=True)
class _Claim:
    """The Idempotency-Key of one request, while it is worked on."""

    authority: str
    key: str
    at: datetime
    answer: tuple[int, dict[str, Any]] | None = None  # as it was written together with the message

    def record(self, tx: Tx, status: int, answer: dict[str, Any]) -> None:
        idempotency.record(tx, self.authority, self.key, claimed_at=self.at, status=status, answer=answer)

    def note(self, tx: Tx, result: Submission) -> None:
        """Write the answer in the transaction that saves the message."""
        status, answer = _answer_of(result)
        if status < 500:  # noqa: PLR2004
            self.record(tx, status, answer)
            self.answer = status, answer

    def give_up(self, rt: Runtime) -> None:
        with transaction(rt.engine) as tx:
            idempotency.give_up(tx, self.authority, self.key, claimed_at=self.at)


def sha256_of(dialect: str, body: bytes) -> str:
    """Return what tells two requests with the same Idempotency-Key apart."""
    return hashlib.sha256(dialect.encode() + b"\n" + body).hexdigest()


def _respond(status: int, answer: dict[str, Any]) -> JSONResponse:
    return respond(status, answer) if status >= 400 else JSONResponse(answer, status_code=status)  # noqa: PLR2004


def _recorded(before: idempotency.Recorded, digest: str) -> JSONResponse:
    if before.request_hash != digest:
        return respond(422, problem(422, "This Idempotency-Key was used for another request.", Refused.code))
    if before.status == idempotency.IN_PROGRESS:
        sentence = "The first request with this Idempotency-Key is still being worked on."
        return respond(409, problem(409, sentence, Refused.code))
    answer = _respond(before.status, before.answer)
    answer.headers["Idempotency-Replayed"] = "true"
    return answer


def _submit(rt: Runtime, key: ApiKey, dialect: str, body: bytes, claim: _Claim | None) -> tuple[int, dict[str, Any]]:
    try:
        allowed = {rt.partners.authority(key.authority).dialect, CANONICAL}
        if dialect not in allowed:
            raise NotPermitted(f"this authority hands in {' or '.join(sorted(allowed))}")
        item = Submitted(body=body, authority=key.authority, dialect=dialect, submitted_at=rt.clock(), actor=actor_of(key))
        parts = messages_of(item, rt)
        if len(parts) > 1:
            return _several(submit_known(item, rt))
        result = rt.gathering.take((parts[0], claim.note if claim else None), partial(_submit_all, rt), most=rt.settings.batch)
    except Refused as error:
        return problem_of(error)
    return claim.answer if claim and claim.answer else _answer_of(result)


def _submit_all(rt: Runtime, requests: Sequence[HandedIn]) -> list[Submission]:
    """Hand in what several requests bring; each one's answer is written together with its message."""
    notes = {id(item): note for item, note in requests}

    def note_all(tx: Tx, results: Sequence[tuple[Submitted, Submission]]) -> None:
        for item, result in results:
            if (note := notes[id(item)]) is not None:
                note(tx, result)

    return submit([item for item, _ in requests], rt, note_all)


def _answer_of(result: Submission) -> tuple[int, dict[str, Any]]:
    if isinstance(result, GatewayError):
        return problem_of(result)
    answer = dict(describe(result))
    return (202 if answer["outcome"] == "held" else 201), answer


def _several(results: Sequence[Submission]) -> tuple[int, dict[str, Any]]:
    """Return the answer to a table with several messages: what became of each, by its number."""
    answer = dict(describe_all(results))
    if answer["outcome"] != "refused":
        return (202 if answer["outcome"] == "held" else 201), answer
    refused = next(result for result in results if isinstance(result, Refused))
    count = sum(1 for result in results if isinstance(result, Refused))
    sentence = f"{count} of {len(results)} messages of the table are refused; each is answered under messages."
    return 422, problem(422, sentence, refused.code) | answer


@router.get(
    "/inbox", response_model=InboxAnswer, responses={304: {"description": "Nothing changed since the answer with this ETag"}}
)
def list_inbox(
    rt: Rt,
    key: Annotated[ApiKey, may("inbox")],
    response: Response,
    most: Most = 100,
    after: After = 0,
    if_none_match: Annotated[str | None, Header(max_length=200, description="The ETag of an earlier answer.")] = None,
) -> Any:
    """List the messages that the authority has not acknowledged, oldest first.

    Where there are more, the header Link names the next page; `after` is the id of the last message before it.
    """
    most = min(most, MOST)
    with reading(rt.engine) as tx:
        rows = inbox.waiting(tx, key.authority, after=after, most=most + 1)
    shown, more = rows[:most], len(rows) > most
    tag = f'"{hashlib.sha256(repr([[row.id for row in shown], more]).encode()).hexdigest()[:32]}"'
    headers = {"ETag": tag}
    if more:
        headers["Link"] = f'</api/v1/inbox?after={shown[-1].id}&most={most}>; rel="next"'
    if if_none_match == tag:
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return {"messages": [inbox_line(row) for row in shown]}


@router.get(
    "/inbox/{inbox_id}",
    response_class=Response,
    responses={200: {"content": {kind: {} for kind in document_media_types()}, "description": "In the authority's dialect"}},
)
def read_inbox(inbox_id: Id, rt: Rt, key: Annotated[ApiKey, may("inbox")]) -> Response:
    """Return one message in the authority's own dialect. The reading is journalled."""
    row, media_type, body = fetch(key.authority, inbox_id, actor=actor_of(key), rt=rt)
    return Response(body, media_type=media_type, headers={"Message-Id": row.message_id, "Message-Type": row.type})


@router.post("/inbox/{inbox_id}/ack", status_code=204)
def acknowledge_inbox(inbox_id: Id, rt: Rt, key: Annotated[ApiKey, may("inbox")]) -> None:
    """Say that the authority has the message; a second time changes nothing."""
    acknowledge(key.authority, inbox_id, actor=actor_of(key), rt=rt)


@router.get("/cases", response_model=CaseListAnswer)
def list_cases(rt: Rt, key: Annotated[ApiKey, may("cases")], most: Most = 100) -> Any:
    """List the authority's cases, newest first; no personal data."""
    with reading(rt.engine) as tx:
        found = cases.all_of(tx, [key.authority], most=min(most, MOST))
    return {"cases": [case_line(case) for case in found]}


@router.get("/cases/{case_id}", response_model=CaseAnswer)
def read_case(case_id: Id, rt: Rt, key: Annotated[ApiKey, may("cases")]) -> Any:
    """Return one case with its messages, receipts and deadlines; no personal data. The reading is journalled."""
    with transaction(rt.engine) as tx:
        case = cases.get(tx, case_id, home=key.authority)
        rows, due = messages.of_case(tx, case_id), deadlines.of_cases(tx, [case_id])
        answer = case_answer(case, rows, due, attachments.of_case(tx, case_id))
        note_reading(tx, case, actor=actor_of(key), purpose="system", at=rt.clock())
    return answer


@router.get("/deadlines", response_model=DeadlineListAnswer)
def list_deadlines(rt: Rt, key: Annotated[ApiKey, may("cases")]) -> Any:
    """List the deadlines of the authority's cases with their explanation, what is due next first."""
    with reading(rt.engine) as tx:
        found = {case.id: case for case in cases.all_of(tx, [key.authority]) if case.id}
        rows = deadlines.of_cases(tx, list(found))
    rows.sort(key=lambda row: (row.due_until is None, row.due_until))
    return {"deadlines": [row.detail | {"case": found[row.case_id].reference, "state": row.state} for row in rows]}


@router.get("/queues", response_model=QueuesAnswer)
def list_queues(rt: Rt, key: Annotated[ApiKey, may("queues")]) -> Any:
    """Show what waits and what is parked on its way out of the authority, and all that is parked by its cause."""
    with reading(rt.engine) as tx:
        found = standings(tx, rt.partners, rt.clock())
        aside = grouped(parking.every(tx, [key.authority]))
    leaving = [queue_line(state, line) for state, line in found if state.sender == key.authority]
    return {"outbox": leaving, "parked": [group.as_dict() for group in aside]}


@health.get("/livez", response_model=StateAnswer)
def live() -> Any:
    """Say that the process answers."""
    return {"state": "ok"}


@health.get("/readyz", response_model=StateAnswer, responses={503: _PROBLEMS[503]})
@health.get("/startupz", response_model=StateAnswer, responses={503: _PROBLEMS[503]})
def ready(rt: Rt) -> Any:
    """Say whether the database is there and at this version. The broker may be away: the outbox keeps what is handed in.

    The state is "degraded" while nothing new is sent out for want of timestamps, and while this process should receive and
    has no consumers at the broker; everything else goes on.
    """
    try:
        require_current(rt.engine)
        degraded = refusal(rt) is not None or rt.transport.cut_off
    except GatewayError as error:
        return respond(503, problem(503, as_sentence(error.message), error.code))
    return {"state": "degraded" if degraded else "ok"}


ROUTERS = (router, files.router, health)


def openapi_document() -> dict[str, Any]:
    """Return the OpenAPI document of the API; docs/openapi.json holds it, and a test compares."""
    app = FastAPI()
    for part in ROUTERS:
        app.include_router(part)
    document = get_openapi(title="Readmission Gateway", version=__version__, routes=app.routes, description=__doc__)
    document["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    for path, operations in document["paths"].items():
        for operation in operations.values() if path.startswith(router.prefix) else ():
            operation["security"] = [{"key": []}]
    return document
