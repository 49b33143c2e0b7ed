"""Messages as any authority could send them: changed, signed and sealed by hand, past the outbound walk's own checks."""

import json
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Engine, func, select

from gateway.domain.identity import new_case_reference, new_message_id
from gateway.domain.messages import Header, ReceiptItem
from gateway.errors import GatewayError
from gateway.flow.inbound import Answer, receive
from gateway.flow.papers import clear
from gateway.flow.ports import Runtime
from gateway.flow.receipts import proof_of
from gateway.stages import Received, Sealed, Signed, Tree
from gateway.store import cases, messages
from gateway.store import tables as t
from gateway.store.columns import metadata
from gateway.store.database import reading
from gateway.store.messages import MessageRow
from gateway.transport.memory import MemoryTransport
from gateway.transport.port import Parcel
from gateway.trust import profile
from gateway.trust.seal import seal, unseal
from gateway.trust.sign import sign
from gateway.wire.documents import NS, parse_xml, serialize
from gateway.wire.reading import complete_header, header_of, instant_text, write_receipt
from gateway.wire.reply import Decision, write_reply
from tests.gateways import Gateway, example

TO_ORIGIN = "ReadmissionApplication-own-national"  # BA-MS asks PK-MOI for its own national: held for a statement
ENTRY = "ReadmissionApplication-third-country-entry"  # AT-BMI asks RS-MUP, accelerated; leaves at once


def find(document: Tree, path: str) -> Tree:
    """Return the first element at `path` ("Header/MessageId")."""
    found = document.find("/".join(f"{{{NS}}}{step}" for step in path.split("/")))
    assert found is not None, path
    return found


def application(at: datetime, name: str = ENTRY, **changes: str | None) -> Tree:
    """Return an example with an id, a case and a time of its own; `changes` are header fields, None takes one out.

    It names no attachments: a message that is forged would have to bring them.
    """
    document = parse_xml(example(name))
    for attachment in document.findall(f"{{{NS}}}Attachment"):
        document.remove(attachment)
    fields = {"MessageId": new_message_id(at), "CaseReference": new_case_reference(), "Created": instant_text(at)} | changes
    return with_header(document, **fields)


def with_header(document: Tree, **fields: str | None) -> Tree:
    """Change or take out header fields; returns the same document."""
    for field, value in fields.items():
        element = find(document, f"Header/{field}")
        if value is None:
            element.getparent().remove(element)
        else:
            element.text = value
    return document


def reply(to: Tree, at: datetime, *, agreed: bool = True) -> Tree:
    """Return the answer to an application, its header left to the gateway."""
    reasons = () if agreed else (("identity-not-established", "no trace in the registers"),)
    return write_reply(to, Decision(agreed=agreed, on=at.date(), signatory="A. Specimen", reasons=reasons))


def answer_to(application_: Tree, digest: str, at: datetime, *, agreed: bool = True, **changes: str) -> Tree:
    """Return a complete reply, as the other side's gateway would sign it."""
    fields = {
        "MessageId": new_message_id(at),
        "Sequence": "1",
        "Created": instant_text(at),
        "InReplyTo/MessageId": header_of(application_)["MessageId"],
        "InReplyTo/Sha256": digest,
    }
    document = reply(application_, at, agreed=agreed)
    complete_header(document, fields)
    return with_header(document, **changes)


def sealed(rt: Runtime, document: Tree, at: datetime, *, signer: str | None = None) -> Sealed:
    """Sign and seal a document as its sender, or as `signer`, without any check of what it says."""
    header = header_of(document)
    sender = signer or header["Sender"]
    signed = sign(document, rt.ring.signing(sender), at)
    return seal(signed, message_id=header["MessageId"], sender=sender, recipient=header["Recipient"], trust=rt.trust)


def signed_as_is(rt: Runtime, content: bytes, sender: str, at: datetime) -> Signed:
    """Sign bytes that need not be a message, as the broken software of a legitimate sender would."""
    key = rt.ring.signing(sender)
    signed_at = at.replace(microsecond=0)
    signing_time = signed_at.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    whole = profile.OPEN + content
    envelope_digest = profile.digest(whole + profile.CLOSE)
    certificate_digest = profile.digest(key.chain[0])
    properties_digest = profile.digest(profile.signed_properties_alone(signing_time, certificate_digest))
    signature = profile.signature(
        algorithm=key.algorithm,
        envelope_digest=envelope_digest,
        properties_digest=properties_digest,
        value=key.algorithm.to_only_form(
            key.sign(profile.signed_info_alone(key.algorithm, envelope_digest, properties_digest))
        ),
        certificates=profile.key_info(key.chain),
        signing_time=signing_time,
        certificate_digest=certificate_digest,
    )
    body = whole + signature + profile.CLOSE
    return Signed(body=body, digest=sha256(body).hexdigest(), signer=sender, signed_at=signed_at)


def receipt(rt: Runtime, at: datetime, *items: ReceiptItem, sender: str, recipient: str) -> Sealed:
    """Return a signed receipt over any items."""
    header = Header(message_id=new_message_id(at), sender=sender, recipient=recipient, created=at)
    return sealed(rt, write_receipt(header, items), at)


def take(rt: Runtime, *bodies: bytes | Sealed) -> list[Answer]:
    """Let these arrive as one batch."""
    now = rt.clock()
    raw = [body.body if isinstance(body, Sealed) else body for body in bodies]
    return receive([Received(body=body, received_at=now, transport="memory") for body in raw], rt)


def outcomes(answers: Sequence[Answer]) -> list[tuple[str, str | None]]:
    return [(answer.outcome, answer.code) for answer in answers]


def row_of(side: Gateway, direction: str, sender: str, message_id: str) -> MessageRow:
    """Return the row of a message that must be there."""
    with reading(side.rt.engine) as tx:
        return messages.known(tx, direction, [(sender, message_id)])[sender, message_id]


def proof(side: Gateway, row: MessageRow) -> bytes | None:
    with reading(side.rt.engine) as tx:
        return proof_of(tx, row)


def count(engine: Engine, *names: str) -> dict[str, int]:
    """Return the number of rows of tables; of all that a walk writes, without names."""
    wanted = names or ("cases", "messages", "documents", "outbox", "inbox", "deadlines", "holds", "statements")
    with reading(engine) as tx:
        return {name: tx.execute(select(func.count()).select_from(metadata.tables[name])).scalar_one() for name in wanted}


NOTHING = dict.fromkeys(("cases", "messages", "documents", "outbox", "inbox", "deadlines", "holds", "statements"), 0)


def journalled(engine: Engine, event: str | None = None) -> list[Any]:
    """Return the rows of the journal, oldest first, `detail` as an object."""
    with reading(engine) as tx:
        rows = tx.execute(select(t.journal).order_by(t.journal.c.id)).mappings().all()
    found = [dict(row) | {"detail": json.loads(row["detail"])} for row in rows]
    return [row for row in found if event is None or row["event"] == event]


def stored(side: Gateway, kind: str) -> list[bytes]:
    """Return the stored documents of one kind, in clear."""
    with reading(side.rt.engine) as tx:
        found = []
        for message_row in tx.execute(select(t.documents.c.message_row).where(t.documents.c.kind == kind)).scalars().all():
            case_id = messages.get(tx, message_row).case_id
            case = cases.get(tx, case_id) if case_id else None
            found.append(clear(side.rt, case, messages.document(tx, message_row, kind)))
    return found


def leaving(side: Gateway, reader: Runtime) -> list[tuple[str, Tree]]:
    """Return what waits in an outbox, opened by its recipient: (signed digest, document)."""
    with reading(side.rt.engine) as tx:
        bodies = tx.execute(select(t.outbox.c.body).order_by(t.outbox.c.id)).scalars().all()
    opened = [
        unseal(Received(body=body, received_at=reader.clock(), transport="memory"), reader.ring, reader.trust)
        for body in bodies
    ]
    return [(one.digest, one.document) for one in opened]


def items_of(document: Tree) -> list[tuple[str, str, str | None]]:
    """Return the lines of a receipt: (message id, outcome, code)."""
    return [
        (item.findtext(f"{{{NS}}}MessageId"), item.findtext(f"{{{NS}}}Outcome"), item.findtext(f"{{{NS}}}Code"))
        for item in document.iterfind(f"{{{NS}}}Item")
    ]


def hand_in_entry(side: Gateway, **changes: str | None) -> tuple[Any, Tree]:
    """AT-BMI hands in an application to RS-MUP, which leaves at once; return the result and what was handed in."""
    document = application(side.rt.clock(), **changes)
    return side.hand_in(serialize(document), authority="AT-BMI"), document


class Scripted(MemoryTransport):
    """A transport that fails for some recipients, or every time, as told; it remembers what it was given."""

    def __init__(self, hub: Any) -> None:
        super().__init__(hub)
        self.failing: dict[str, GatewayError] = {}
        self.given: list[Parcel] = []

    async def send(self, parcels: Sequence[Parcel]) -> list[GatewayError | None]:
        self.given += parcels
        return [self.failing.get(parcel.recipient) or (await super(Scripted, self).send([parcel]))[0] for parcel in parcels]
