"""What goes into a case file: read from the store document by document, each with its name, its kind and a word on it."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from gateway import __version__
from gateway.domain import proofs
from gateway.domain.case import Case
from gateway.errors import Erased, NotFound, Refused
from gateway.flow.attachments import file_key, file_name, part_within
from gateway.flow.case_readme import README_TEXT
from gateway.flow.papers import clear
from gateway.flow.ports import Runtime
from gateway.flow.receipts import proof_of
from gateway.partners.formats import JSON, TEXT, XML, suffix_of
from gateway.store import attachments, cases, deadlines, journal, messages, roots
from gateway.store.attachments import AttachmentRow
from gateway.store.database import Tx
from gateway.store.deadlines import DeadlineRow
from gateway.store.messages import DocumentRow, MessageRow
from gateway.trust.strangers import chain_of, pem
from gateway.wire.case_index import (
    ATTACHMENTS,
    CERTIFICATES,
    FORMAT,
    JOURNAL,
    PROOFS,
    README,
    REVOCATION,
    SUMMARY,
    CaseIndex,
    Exported,
    IndexedAttachment,
    IndexedCase,
    IndexedDeadline,
    IndexedDocument,
    IndexedMessage,
)
from gateway.wire.case_summary import write_summary

PDF = "application/pdf"
_SUFFIXES = {PDF: ".pdf", "image/jpeg": ".jpg", "image/png": ".png"}  # of what came on paper
_WHAT = {
    "original": "the same message as it was handed in, in the format of its sender",
    "translated": "the same message as it was handed over, in the format of its recipient",
    "report": "what the translation did to each field",
    "form": "the filled form that the reply was taken from, as it came back",
    "delivery": "scan of the proof that the message was delivered on paper",
}
_EVIDENCE = {"crl": "application/pkix-crl", "ocsp": "application/ocsp-response"}
Chains: TypeAlias = dict[tuple[bytes, ...], tuple[str, datetime]]  # chain of a signer -> authority, and when it signed


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One file of a case file. `chunks` reads it when it is written."""

    name: str
    media_type: str
    what: str
    chunks: Callable[[], Iterable[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """A case file before it is written. `index` lacks the list of files, which only the writing knows."""

    index: CaseIndex
    parts: tuple[Part, ...]


def contents(tx: Tx, case_id: int, rt: Runtime, *, by: str, purpose: str | None) -> Contents:
    """Return what the file of a case holds now, to be written while `tx` is open. Raises `NotFound`, `Erased`."""
    case = cases.get(tx, case_id)
    if case.wrapped_key is None:
        raise Erased("the contents of this case were erased")
    rows = messages.of_case(tx, case_id)
    chains: Chains = {}
    parts: dict[str, Part] = {}
    indexed = [_message(tx, rt, case, number, row, parts, chains) for number, row in enumerate(rows, 1)]
    chains.setdefault(rt.ring.signing(by).chain, (by, rt.clock()))
    due = [_deadline(row, parts) for row in deadlines.of_cases(tx, [case_id])]
    entries = journal.chained_of_case(tx, case_id)
    _keep(
        parts, _fixed(JOURNAL, "application/x-ndjson", "what the journal says of the case, one entry a line", _lines(entries))
    )
    for entry in entries:
        _prove(tx, entry.id, parts)
    for number, (chain, (authority, at)) in enumerate(chains.items(), 1):
        name = f"{CERTIFICATES}{number:02}-{authority}.pem"
        _keep(
            parts, _fixed(name, "application/pem-certificate-chain", f"certificates of {authority}, signer's first", pem(chain))
        )
        for part in _revocation(rt, chain, at):
            _keep(parts, part)
    index = CaseIndex(
        format=FORMAT,
        case=IndexedCase(
            reference=case.reference,
            home=case.home,
            counterparty=case.counterparty,
            role=str(case.role),
            state=str(case.state),
            treaty=case.treaty,
            treaty_version=case.treaty_version,
            procedure=str(case.procedure),
            category=str(case.category),
            opened_at=case.opened_at,
        ),
        exported=Exported(at=rt.clock(), by=by, purpose=purpose, program=f"readmission-gateway {__version__}"),
        messages=tuple(indexed),
        deadlines=tuple(due),
        journal_entries=len(entries),
        files=(),
    )
    front = (
        _fixed(README, TEXT, "what this is and how to check it", README_TEXT.encode()),
        _fixed(SUMMARY, PDF, "one page for people", write_summary(index)),
    )
    return Contents(index=index, parts=(*front, *parts.values()))


def _fixed(name: str, media_type: str, what: str, body: bytes) -> Part:
    return Part(name=name, media_type=media_type, what=what, chunks=lambda: [body])


def _keep(parts: dict[str, Part], part: Part) -> None:
    parts.setdefault(part.name, part)


def _message(
    tx: Tx,
    rt: Runtime,
    case: Case,
    number: int,
    row: MessageRow,
    parts: dict[str, Part],
    chains: Chains,
) -> IndexedMessage:
    """Add the files of one message, and return its line of the index."""
    assert row.id is not None
    envelope, documents = None, []
    for document in messages.documents_of(tx, [row.id]):
        name = _name(number, row, document)
        if document.kind == "signed":
            envelope = name
            _note_chain(chains, clear(rt, case, document), row.sender, row.signed_at or row.created_at)
            what = f"{row.type} of {row.sender}, signed by it"
        else:
            documents.append(IndexedDocument(kind=document.kind, file=name, sha256=document.sha256))
            what = _WHAT.get(document.kind, document.kind)
        _keep(parts, Part(name=name, media_type=document.media_type, what=what, chunks=_later(tx, rt, case, document)))
    brought = [_attachment(tx, rt, case, number, row, file, parts) for file in attachments.of_message(tx, row.id)]
    receipt = proof_of(tx, row)
    receipt_name = None if receipt is None else f"receipts/{row.receipt_message_id}.xml"
    if receipt is not None and receipt_name is not None:
        _note_chain(chains, receipt, row.recipient, row.received_at or row.created_at)
        _keep(
            parts,
            _fixed(receipt_name, XML, f"receipt of {row.recipient}, signed by it; one may speak of several messages", receipt),
        )
    return IndexedMessage(
        number=number,
        direction=row.direction,
        type=row.type,
        message_id=row.message_id,
        sender=row.sender,
        recipient=row.recipient,
        sequence=row.sequence,
        sha256=row.digest,
        signed_at=row.signed_at,
        received_at=row.received_at,
        outcome=_outcome(row),
        code=row.code,
        envelope=envelope,
        receipt=receipt_name,
        documents=tuple(documents),
        attachments=tuple(sorted(brought, key=lambda one: one.number)),
    )


def _outcome(row: MessageRow) -> str:
    """Return what became of a message; one for an authority on paper waits here until somebody proves its delivery."""
    undelivered = row.direction == "in" and row.outcome == "accepted" and row.receipt_message_id is None
    return "waiting" if undelivered else row.outcome


def _attachment(
    tx: Tx, rt: Runtime, case: Case, number: int, row: MessageRow, file: AttachmentRow, parts: dict[str, Part]
) -> IndexedAttachment:
    """Add one file of a message, and return its line of the index."""
    assert file.number is not None
    assert file.kind is not None
    assert file.media_type is not None
    assert file.sha256 is not None
    # Both numbers are in the name: two files may begin with the same digits of their digests.
    name = f"{ATTACHMENTS}{number:04}-{file.number:02}-{file_name(file)}"
    what = f"attachment {file.number} ({file.kind}) of message {number}, whose sender {row.sender} signed its digest"
    _keep(parts, Part(name=name, media_type=file.media_type, what=what, chunks=_in_parts(tx, rt, case, file)))
    return IndexedAttachment(
        number=file.number, kind=file.kind, media_type=file.media_type, size=file.size, sha256=file.sha256, file=name
    )


def _in_parts(tx: Tx, rt: Runtime, case: Case, file: AttachmentRow) -> Callable[[], Iterable[bytes]]:
    """Read a file part by part when its turn comes."""

    def read() -> Iterator[bytes]:
        key = file_key(file, case.wrapped_key, rt)
        for number in range(1, (file.of or 0) + 1):
            yield part_within(tx, file, key, number)

    return read


def _later(tx: Tx, rt: Runtime, case: Case, document: DocumentRow) -> Callable[[], Iterable[bytes]]:
    """Read the document again when its turn comes: the documents of a case are never held all at once."""
    row, kind = document.message_row, document.kind

    def read() -> Iterator[bytes]:
        found = messages.document(tx, row, kind)
        assert found is not None, "documents are never deleted while their case can be read"
        yield clear(rt, case, found)

    return read


def _name(number: int, row: MessageRow, document: DocumentRow) -> str:
    suffix = _SUFFIXES.get(document.media_type) or suffix_of(document.media_type)
    if document.kind == "signed":
        return f"messages/{number:04}-{row.direction}-{row.type}{suffix}"
    return f"documents/{number:04}-{document.kind}{suffix}"


def _note_chain(chains: Chains, envelope: bytes, authority: str, at: datetime) -> None:
    chain = chain_of(envelope)
    if chain:
        chains.setdefault(chain, (authority, at))


def _deadline(row: DeadlineRow, parts: dict[str, Part]) -> IndexedDeadline:
    name = f"deadlines/{row.limit_id}"
    whole = {
        "limit": row.limit_id,
        "state": row.state,
        "started_at": _utc(row.started_at),
        "counted_from": row.inputs,
        "treaty_version": row.treaty_version,
        "calendars": row.calendar_ids,
        "calendar_versions": row.calendar_version,
        "answer": row.detail,
    }
    body = json.dumps(whole, ensure_ascii=False, indent=1).encode() + b"\n"
    _keep(parts, _fixed(f"{name}.json", JSON, f"the deadline {row.limit_id}: inputs, result, explanation", body))
    _keep(parts, _fixed(f"{name}.txt", TEXT, f"the deadline {row.limit_id} explained in sentences", _sentences(row).encode()))
    return IndexedDeadline(
        limit=row.limit_id,
        state=row.state,
        started_at=row.started_at,
        started_by=row.inputs.get("message"),
        known=row.known,
        due_on=row.due_on.isoformat() if row.due_on else None,
        lapses_at=row.lapses_at,
        file=f"{name}.json",
        text=f"{name}.txt",
    )


def _sentences(row: DeadlineRow) -> str:
    lines = [
        f"Limit: {row.limit_id} ({row.state})",
        f"Source: {row.source or 'none'}; how well it is known: {row.confidence}",
        f"Rules of version {row.treaty_version}",
        f"Calendars: {row.calendar_ids or 'none'}; versions: {row.calendar_version or 'none'}",
        f"Counted from: {_utc(row.started_at)}",
        "",
        *row.detail.get("explain", ()),
    ]
    return "\n".join(lines) + "\n"


def _lines(entries: Sequence[journal.Chained]) -> bytes:
    return "".join(json.dumps(asdict(each), ensure_ascii=False, default=_plain) + "\n" for each in entries).encode()


def _plain(value: Any) -> str:
    assert isinstance(value, datetime), value
    return value.astimezone(UTC).isoformat(timespec="microseconds")


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def _prove(tx: Tx, entry: int, parts: dict[str, Part]) -> None:
    """Add the proof that an entry stood in the journal; none while no root lies over it."""
    try:
        proof = roots.proof_of_entry(tx, entry)
    except NotFound:
        return
    what = f"proof that entry {entry} stood in the journal: signed roots, and a timestamp where there is one"
    _keep(parts, _fixed(f"{PROOFS}{entry}.json", JSON, what, proofs.to_json(proof)))


def _revocation(rt: Runtime, chain: tuple[bytes, ...], at: datetime) -> Iterator[Part]:
    """Yield what is known here about the revocation of a chain: lists and answers of its issuers, as they came."""
    try:
        proofs = rt.trust.proofs(chain, at)
    except Refused:
        return  # the certificate is not pinned any more: nothing about it is kept
    for file, body in proofs.items():
        media_type = _EVIDENCE[file.rpartition(".")[2]]
        yield _fixed(f"{REVOCATION}{file}", media_type, "what an issuer of certificates says about revocation", body)
