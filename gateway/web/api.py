"""The REST API for national systems: submit, inbox, cases, deadlines, queues, health. Attachments stand beside it.

Authentication: `Authorization: Bearer <prefix>.<secret>`, an API key that belongs to one home authority. Errors are
`application/problem+json` (RFC 9457) with the codes of docs/errors.md, a path and a line where they are known.
"""

import hashlib
from typing import Annotated, Any, TypeAlias

from fastapi import APIRouter, FastAPI, Header, Query, Response
from fastapi.openapi.utils import get_openapi
from pydantic import BeforeValidator

from gateway import __version__
from gateway.domain.parking import grouped
from gateway.errors import GatewayError
from gateway.flow import parking
from gateway.flow.evidence import refusal
from gateway.flow.line_standings import standings
from gateway.flow.mailbox import acknowledge, fetch, note_reading
from gateway.partners.formats import document_media_types
from gateway.store import attachments, cases, deadlines, inbox, messages
from gateway.store.accounts import ApiKey
from gateway.store.database import reading, require_current, transaction
from gateway.web import attachments as files
from gateway.web import submitting
from gateway.web.answers import (
    CaseAnswer,
    CaseListAnswer,
    DeadlineListAnswer,
    InboxAnswer,
    QueuesAnswer,
    StateAnswer,
    case_answer,
    case_line,
    inbox_line,
    queue_line,
)
from gateway.web.api_keys import Rt, actor_of, may
from gateway.web.numbers import Id, digits
from gateway.web.problems import as_sentence, problem, problem_responses, respond

CANONICAL = "canonical"
_PROBLEMS = problem_responses()

router = APIRouter(prefix="/api/v1", responses=_PROBLEMS)
health = APIRouter()


Most: TypeAlias = Annotated[int, BeforeValidator(digits), Query(ge=1, description="At most 500 are given.")]
MOST = 500
_NO_ID = (1 << 63) - 1  # databases count no further
After: TypeAlias = Annotated[
    int, BeforeValidator(digits), Query(ge=0, le=_NO_ID, description="Begins after the message with this id.")
]


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


ROUTERS = (submitting.router, router, files.router, health)


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
