"""The call by which national systems hand in messages: what comes at the same moment is taken as one batch."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from gateway.partners.formats import document_media_types
from gateway.stages import MAX_MESSAGE_BYTES
from gateway.web.answers import SubmissionAnswer, SubmissionsAnswer
from gateway.web.api_keys import Rt, authorization, require_key, require_scope
from gateway.web.gathering import Gathering
from gateway.web.handed_in import SCOPE, Answer, HandedIn, hand_in
from gateway.web.problems import problem_responses, respond

SMALL_BYTES = 65_536  # what is larger takes long enough to keep others waiting: it is taken alone
_DIGITS = 9  # more of them are no length of anything

_PROBLEMS = problem_responses()
_DOCUMENT = {
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in document_media_types()},
    }
}

router = APIRouter(prefix="/api/v1", responses=_PROBLEMS)


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
async def submit_message(
    request: Request,
    rt: Rt,
    dialect: str | None = None,
    idempotency_key: Annotated[str | None, Header(max_length=80, description="A repeat gets the first answer.")] = None,
) -> Any:
    """Hand in a message: in the authority's own dialect, or canonical (`?dialect=canonical`, XML or JSON).

    A table may hold several messages, each with its answer; one that was handed in before with the same content is answered
    as it was then.
    """
    presented, refused = authorization(request), request.app.state.refused_keys
    small = _is_small(request)
    if not small:  # nobody without a key sends us more than a little
        require_scope(await run_in_threadpool(require_key, presented, rt, refused), SCOPE)
    body = await _body(request)
    handed_in = HandedIn(presented=presented, body=body, dialect=dialect, once=idempotency_key)
    if small:
        gathering: Gathering[HandedIn, Answer] = request.app.state.gathering
        return _response(await asyncio.wrap_future(gathering.take(handed_in)))
    (found,) = await run_in_threadpool(hand_in, [handed_in], rt, refused)
    if isinstance(found, BaseException):
        raise found
    return _response(found)


def _is_small(request: Request) -> bool:
    """Whether the request says that it is; one that does not say its length is not."""
    said = request.headers.get("content-length", "")
    return said.isascii() and said.isdigit() and len(said) <= _DIGITS and int(said) <= SMALL_BYTES


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


def _response(answer: Answer) -> JSONResponse:
    found = respond(answer.status, answer.document) if answer.status >= 400 else JSONResponse(answer.document, answer.status)  # noqa: PLR2004
    if answer.replayed:
        found.headers["Idempotency-Replayed"] = "true"
    return found
