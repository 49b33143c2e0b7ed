"""Attachments over HTTP: handed in as a stream of bytes, and given out as one. Never shown on a page, never unpacked.

A file is handed in before the message that names it, by its SHA-256; within a day, or it is dropped.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, TypeAlias

import anyio
from fastapi import APIRouter, Header, Path, Query, Request
from fastapi.responses import Response, StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from gateway.flow.attachments import DECLARED, HandIn, file_name, read_attachment
from gateway.store import views
from gateway.store.accounts import AccountRole, ApiKey
from gateway.store.attachments import AttachmentRow
from gateway.store.database import reading
from gateway.web import access, wording
from gateway.web.access import Me
from gateway.web.answers import HandedInAnswer
from gateway.web.api_keys import Rt, actor_of, may
from gateway.web.forms import FieldError
from gateway.web.numbers import Id
from gateway.web.pages import PURPOSES, RowId, Show
from gateway.web.problems import problem_responses

router = APIRouter(prefix="/api/v1", responses=problem_responses())
page = APIRouter(include_in_schema=False)

Purpose: TypeAlias = Literal["case-work", "legal-review", "data-subject", "complaint"]
Digest: TypeAlias = Annotated[str, Path(pattern="^[0-9a-f]{64}$")]

_FILE = {
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in sorted(DECLARED)},
    }
}


@router.post("/attachments", status_code=201, response_model=HandedInAnswer, openapi_extra=_FILE)
async def hand_in_attachment(
    request: Request,
    rt: Rt,
    key: Annotated[ApiKey, may("submit")],
    attachment_sha256: Annotated[
        str | None, Header(pattern="^[0-9a-f]{64}$", description="Digest of the file; another file is refused then.")
    ] = None,
) -> Any:
    """Hand in a file of at most 25 MiB that a message will name by its SHA-256.

    `Content-Type` says what it is, and its bytes must agree. Files no message names within a day are dropped.
    """
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    file = await run_in_threadpool(
        HandIn, rt, authority=key.authority, actor=actor_of(key), media_type=declared, sha256=attachment_sha256
    )
    try:
        async for data in request.stream():
            await run_in_threadpool(file.add, data)
        done = await run_in_threadpool(file.finish)
    except BaseException as error:
        with anyio.CancelScope(shield=True):
            await run_in_threadpool(file.give_up)
        if isinstance(error, ClientDisconnect):
            return Response(status_code=400)  # nobody is there to read it
        raise
    return {"id": done.id, "sha256": done.sha256, "size": done.size, "media_type": done.media_type}


@router.get(
    "/cases/{case_id}/attachments/{sha256}",
    response_class=Response,
    responses={
        200: {"content": {kind: {} for kind in sorted(DECLARED)}, "description": "The file, exactly as it was handed in"}
    },
)
def give_attachment(
    case_id: Id,
    sha256: Digest,
    rt: Rt,
    key: Annotated[ApiKey, may("inbox")],
    purpose: Annotated[Purpose, Query(description="What the file is needed for; it is written to the journal.")],
) -> Response:
    """Return an attachment of a case. The reading is journalled with its purpose."""
    row, parts = read_attachment(case_id, sha256, homes=frozenset({key.authority}), actor=actor_of(key), purpose=purpose, rt=rt)
    return download(row, parts)


def download(row: AttachmentRow, parts: Iterator[bytes]) -> Response:
    """Return a file to be kept, never to be shown: its name says nothing of the person."""
    headers = {
        "content-disposition": f'attachment; filename="{file_name(row)}"',
        "content-length": str(row.size),
        "x-content-type-options": "nosniff",
    }
    return StreamingResponse(parts, media_type=row.media_type, headers=headers)


@page.get("/cases/{case_id}/attachments/{sha256}")
def attachment_page(request: Request, rt: access.Rt, me: Me, show: Show, case_id: RowId, sha256: Digest) -> Response:
    """Ask for the purpose; with one, hand out the file."""
    with reading(rt.engine) as connection:
        head = views.attachment_line(connection, me.viewer, case_id, sha256, now=rt.clock())
    access.require_role(me, AccountRole.OFFICER, AccountRole.LIAISON)
    purpose = request.query_params.get("purpose")
    if purpose in PURPOSES:
        return download(*rt.read_attachment(case_id=case_id, sha256=sha256, viewer=me.viewer, purpose=purpose))
    errors = (FieldError(field="purpose", text="Select what you need the file for"),) if purpose is not None else ()
    values = {
        "head": head,
        "case_id": case_id,
        "title": wording.attachment_text(head.kind),
        "purposes": PURPOSES,
        "errors": errors,
    }
    return show.page(request, "attachment.html", values, status=400 if errors else 200)
