"""Stored documents: encrypted under the key of their case, named by kind and digest.

Reports are compressed first, to a sixth; for the other documents compressing would cost more than it saves.
"""

import hashlib
import zlib
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from gateway.domain.case import Case
from gateway.domain.clock import Happening
from gateway.domain.messages import Application, Message, Receipt
from gateway.domain.moves import Event
from gateway.errors import Erased
from gateway.flow.ports import Runtime
from gateway.partners.formats import JSON, XML
from gateway.stages import Submitted
from gateway.store.messages import DocumentRow, MessageRow
from gateway.wire.report import Report
from gateway.wire.translate import CANONICAL, Translation

REPORT = "report"


def sha256(data: bytes) -> str:
    """Return the SHA-256 of `data`, lower-case hex."""
    return hashlib.sha256(data).hexdigest()


def original_paper(rt: Runtime, case: Case, message_row: int, submitted: Submitted) -> DocumentRow:
    """Return the row of a document as its authority handed it in, encrypted. Raises `Erased`."""
    if submitted.dialect == CANONICAL:  # in one of its two forms
        media_type = XML if submitted.body.lstrip()[:1] == b"<" else JSON
    else:
        media_type = rt.partners.dialect(submitted.dialect).form.media_type
    return _encrypted(rt, case, message_row, "original", media_type, sha256(submitted.body), submitted.body)


def translated_paper(rt: Runtime, case: Case, message_row: int, translation: Translation) -> DocumentRow:
    """Return the row of a document in the recipient's format, encrypted. Raises `Erased`."""
    digest = translation.report.sha256_out
    return _encrypted(rt, case, message_row, "translated", translation.media_type, digest, translation.body)


def signed_paper(rt: Runtime, case: Case, message_row: int, envelope: bytes, digest: str) -> DocumentRow:
    """Return the row of a signed envelope, encrypted. Raises `Erased`."""
    return _encrypted(rt, case, message_row, "signed", XML, digest, envelope)


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


def facts_of(message: Message) -> dict[str, Any] | None:
    """Return what the clock must know of a message once its receipt comes: codes, days and instants, never the person.

    None for the commonest message, of which its type says all.
    """
    if isinstance(message, Receipt) or (isinstance(message, Application) and message.type == "ReadmissionApplication"):
        return None
    facts = asdict(Happening.of(message))
    del facts["message_id"], facts["sender"]
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in facts.items() if value is not None}


def happening_of(row: MessageRow) -> Happening:
    """Return what a kept message means for the clocks of its case."""
    facts: dict[str, Any] = dict(row.facts or {"event": Event.APPLICATION})
    at, on = facts.pop("at", None), facts.pop("on", None)
    return Happening(
        **facts | {"event": Event(facts["event"])},
        message_id=row.message_id,
        sender=row.sender,
        at=datetime.fromisoformat(at) if at else None,
        on=date.fromisoformat(on) if on else None,
    )


def receipt_paper(message_row: int, body: bytes) -> DocumentRow:
    """Return the row of a signed receipt. It names messages and digests, no person, and belongs to no single case."""
    return DocumentRow(message_row=message_row, kind="receipt", media_type=XML, sha256=sha256(body), body=body)


def clear(rt: Runtime, case: Case | None, row: DocumentRow) -> bytes:
    """Return the clear bytes of a stored document. Raises `Erased` once the key of its case is destroyed."""
    if row.kind == "receipt":
        return row.body
    if case is None or case.wrapped_key is None:
        raise Erased("the contents of this case were erased")
    stored = rt.vault.decrypt(case.wrapped_key, row.body, f"{row.kind}:{row.sha256}".encode())
    return zlib.decompress(stored) if row.kind == REPORT else stored
