"""Stored documents: encrypted under the key of their case, named by kind and digest.

Reports are compressed first, to a sixth; for the other documents compressing would cost more than it saves.
"""

import hashlib
import zlib

from gateway.domain.case import Case
from gateway.errors import Erased, NotFound
from gateway.flow.ports import Runtime
from gateway.store.messages import DocumentRow
from gateway.wire.report import Report

XML = "application/xml"
JSON = "application/json"
REPORT = "report"


def sha256(data: bytes) -> str:
    """Return the SHA-256 of `data`, lower-case hex."""
    return hashlib.sha256(data).hexdigest()


def media_type(data: bytes) -> str:
    """Return what the stored bytes are: the dialects are XML or JSON."""
    return XML if data.lstrip()[:1] == b"<" else JSON


def paper(rt: Runtime, case: Case, message_row: int, kind: str, body: bytes, *, digest: str | None = None) -> DocumentRow:
    """Return the row of one document, encrypted; `digest` is that of `body` where it is known. Raises `Erased`."""
    return _encrypted(rt, case, message_row, kind, media_type(body), digest or sha256(body), body)


def report_paper(rt: Runtime, case: Case, message_row: int, report: Report | bytes) -> DocumentRow:
    """Return the row of a mapping report, encrypted; bytes are a report that was kept with a held message. Raises `Erased`."""
    if isinstance(report, Report):
        digest, packed = report.packed()
    else:
        digest, packed = sha256(report), zlib.compress(report)
    return _encrypted(rt, case, message_row, REPORT, JSON, digest, packed)


def _encrypted(
    rt: Runtime, case: Case, message_row: int, kind: str, media_type: str, digest: str, stored: bytes
) -> DocumentRow:
    if case.wrapped_key is None:
        raise Erased("the case was erased; nothing can be added to it", path="Header/CaseReference")
    return DocumentRow(
        message_row=message_row,
        kind=kind,
        media_type=media_type,
        sha256=digest,
        body=rt.vault.encrypt(case.wrapped_key, stored, f"{kind}:{digest}".encode()),
    )


def receipt_paper(message_row: int, body: bytes) -> DocumentRow:
    """Return the row of a signed receipt. It names messages and digests, no person, and belongs to no single case."""
    return DocumentRow(message_row=message_row, kind="receipt", media_type=XML, sha256=sha256(body), body=body)


def clear(rt: Runtime, case: Case | None, row: DocumentRow) -> bytes:
    """Return the clear bytes of a stored document. Raises `NotFound` once the key of its case is destroyed."""
    if row.kind == "receipt":
        return row.body
    if case is None or case.wrapped_key is None:
        raise NotFound("the key of this case is destroyed; its documents cannot be read any more")
    stored = rt.vault.decrypt(case.wrapped_key, row.body, f"{row.kind}:{row.sha256}".encode())
    return zlib.decompress(stored) if row.kind == REPORT else stored
