"""A reply that came back on a filled form: read, held until a person has compared it, then sent like any other reply.

The PDF waits as a file that no message has claimed, for a day. What is sent is what the person confirmed, not what the PDF
says; the PDF stays with the reply as the paper it was taken from.
"""

from gateway.domain.case import Case
from gateway.errors import Erased, GatewayError, NotFound
from gateway.flow.attachments import file_key, hand_in, stored_bytes
from gateway.flow.draft import Sent
from gateway.flow.forms import Printable
from gateway.flow.mailbox import note_answered_on_page
from gateway.flow.outbound import submit
from gateway.flow.papers import clear, sha256
from gateway.flow.ports import Runtime
from gateway.stages import Submitted
from gateway.store import attachments, cases, journal, messages
from gateway.store.attachments import AttachmentRow
from gateway.store.database import Tx, reading, transaction
from gateway.store.messages import DocumentRow
from gateway.wire.documents import serialize
from gateway.wire.forms.filled import read_filled
from gateway.wire.forms.reply_fields import Filled
from gateway.wire.forms.reply_form import draft_of
from gateway.wire.reading import message_inside

PDF = "application/pdf"
FORM = "form"  # kind of the stored document


def application_of(tx: Tx, case_id: int, homes: frozenset[str], rt: Runtime) -> tuple[Case, Printable]:
    """Return a case of `homes` and the signed application that opened it. Raises `NotFound`, `Erased`."""
    case = cases.get(tx, case_id)
    if case.home not in homes:
        raise NotFound("there is no such case")
    row = messages.openers(tx, [case_id]).get(case_id)
    document = messages.document(tx, row.id, "signed") if row and row.id else None
    if row is None or document is None:
        raise NotFound("no signed application has opened this case yet")
    envelope = clear(rt, case, document)
    return case, Printable(document=message_inside(envelope), envelope=envelope, digest=row.digest, signer=row.sender)


def read_reply(case_id: int, pdf: bytes, *, homes: frozenset[str], actor: str, rt: Runtime) -> tuple[Filled, str]:
    """Return what a filled form says, and the digest under which the PDF is kept for a day.

    Raises `FormMismatch` for the form of another case or application, `PdfUnreadable`, `PdfActive`, `ParserOverwhelmed`.
    """
    with reading(rt.engine) as tx:
        case, application = application_of(tx, case_id, homes, rt)
    filled = read_filled(pdf)
    filled.require_of(case.reference, application.digest)
    kept = hand_in(pdf, rt, authority=case.home, actor=actor, media_type=PDF)
    with transaction(rt.engine) as tx:
        journal.append(tx, [_entry("form.read", case, actor=actor, digest=kept.sha256, rt=rt)])
    return filled, kept.sha256


def send_reply(case_id: int, filled: Filled, pdf_digest: str, *, homes: frozenset[str], actor: str, rt: Runtime) -> str:
    """Send the reply that a person has confirmed, and keep the PDF with it; return the message id.

    Raises `NotFound` when the PDF does not wait here any more, and what refuses a reply.
    """
    with reading(rt.engine) as tx:
        case, application = application_of(tx, case_id, homes, rt)
        waiting = attachments.handed_in(tx, case.home, [pdf_digest]).get(pdf_digest)
    if waiting is None:
        raise NotFound("the filled form does not wait here any more; hand it in again")
    filled.require_of(case.reference, application.digest)
    pdf = b"".join(stored_bytes(waiting, file_key(waiting, None, rt), rt))
    body = serialize(draft_of(application.document, filled))
    item = Submitted(body=body, authority=case.home, dialect="canonical", submitted_at=rt.clock(), actor=actor)
    (result,) = submit([item], rt)
    if isinstance(result, GatewayError):
        raise result
    assert isinstance(result, Sent), "a reply is never held"
    _keep(case, result, pdf, waiting, actor=actor, rt=rt)
    note_answered_on_page(case, actor=actor, rt=rt)  # whoever answers by the form has read the message
    return result.message_id


def _keep(case: Case, sent: Sent, pdf: bytes, waiting: AttachmentRow, *, actor: str, rt: Runtime) -> None:
    """Keep the PDF as a document of the reply, under the key of the case, and write down who confirmed it."""
    if case.wrapped_key is None:
        raise Erased("the contents of this case were erased")
    digest = sha256(pdf)
    with transaction(rt.engine) as tx:
        row = messages.known(tx, "out", [(case.home, sent.message_id)])[case.home, sent.message_id]
        assert row.id is not None, "it was read from the store"
        body = rt.vault.encrypt(case.wrapped_key, pdf, f"{FORM}:{digest}".encode())
        messages.add_documents(tx, [DocumentRow(message_row=row.id, kind=FORM, media_type=PDF, sha256=digest, body=body)])
        attachments.drop(tx, waiting.id)
        journal.append(tx, [_entry("form.confirmed", case, actor=actor, digest=digest, message_id=sent.message_id, rt=rt)])


def _entry(event: str, case: Case, *, actor: str, digest: str, rt: Runtime, message_id: str | None = None) -> journal.Entry:
    """Return an entry about a filled form; its digest is that of the PDF."""
    return journal.Entry(
        at=rt.clock(),
        event=event,
        actor=actor,
        authority=case.home,
        case_id=case.id,
        message_id=message_id,
        digest=digest,
        detail={"form": "reply"},
    )
