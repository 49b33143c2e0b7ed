"""Reading a form with one file: a bounded body, plain fields beside it, and the same token as every form of ours."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Annotated, TypeAlias

from fastapi import Depends, Request
from python_multipart.exceptions import MultipartParseError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from gateway.errors import BadValue, TooLarge
from gateway.web import access
from gateway.web.access import Me
from gateway.web.forms import MAX_FIELDS, MAX_FORM_BYTES, Form

MAX_FILE_BYTES = 8_388_608


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """The fields of a form and its file."""

    form: Form
    file: bytes | None  # None when no file was chosen


async def read_upload(request: Request) -> Upload:
    """Return a multipart form. Raises `TooLarge` or `BadValue`."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise BadValue("this page takes a form with a file")
    parser = MultiPartParser(
        request.headers, _bounded(request), max_files=1, max_fields=MAX_FIELDS, max_part_size=MAX_FORM_BYTES
    )
    try:
        given = await parser.parse()
    except (MultiPartException, MultipartParseError, KeyError, ValueError) as error:  # KeyError: no boundary is named
        raise BadValue("the form cannot be read") from error
    fields: dict[str, list[str]] = {}
    file: bytes | None = None
    for name, value in given.multi_items():
        if isinstance(value, UploadFile):
            file = await value.read() or None
            await value.close()
        else:
            fields.setdefault(name, []).append(value)
    return Upload(form=Form(values=fields), file=file)


async def _bounded(request: Request) -> AsyncGenerator[bytes, None]:
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_FILE_BYTES + MAX_FORM_BYTES:
            raise TooLarge(f"a form with a file has at most {MAX_FILE_BYTES} bytes")
        yield part


def checked_upload(request: Request, me: Me, upload: Annotated[Upload, Depends(read_upload)]) -> Upload:
    """Return a form with a file that comes from a page of this session. Raises `NotPermitted`."""
    access.require_ours(request, upload.form, me.form_token)
    return upload


OurUpload: TypeAlias = Annotated[Upload, Depends(checked_upload)]
