"""Stored documents: encrypted under the key of their case, named by kind and digest.

Reports are compressed first, to a sixth; for the other documents compressing would cost more than it saves.
"""

import hashlib
import zlib

from gateway.domain.case import Case
from gateway.errors import Erased, NotFound
from gateway.flow.ports import Runtime
from gateway.store.messages import DocumentRow

XML = "application/xml"
JSON = "application/json"
REPORT = "report"


def sha256(data: bytes) -> str:
    """Return the SHA-256 of `data`, lower-case hex."""
    return hashlib.sha256(data).hexdigest()


def media_type(data: bytes) -> str:
    """Return what the stored bytes are: the dialects are XML or JSON."""
    return XML if data.lstrip()[:1] == b"<" else JSON


def _packed(kind: str, body: bytes) -> bytes:
    return zlib.compress(body, 1) if kind == REPORT else body


def paper(rt: Runtime, case: Case, message_row: int, kind: str, body: bytes) -> DocumentRow:
    """Return the row of one document, encrypted. Raises `Erased`."""
    digest = sha256(body)
    if case.wrapped_key is None:
        raise Erased("the case was erased; nothing can be added to it", path="Header/CaseReference")
    return DocumentRow(
        message_row=message_row,
        kind=kind,
        media_type=media_type(body),
        sha256=digest,
        body=rt.vault.encrypt(case.wrapped_key, _packed(kind, body), f"{kind}:{digest}".encode()),
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
