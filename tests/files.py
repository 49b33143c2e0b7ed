"""Files for attachments, made of any size, and messages that name them."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from lxml import etree
from sqlalchemy import func, select

from gateway.flow.attachments import hand_in
from gateway.flow.draft import Sent
from gateway.flow.ports import Runtime
from gateway.stages import PART_BYTES, Tree
from gateway.store import attachments, cases
from gateway.store.attachment_tables import attachment_parts
from gateway.store.attachment_tables import attachments as table
from gateway.store.attachments import AttachmentRow
from gateway.store.database import reading
from gateway.trust.parts import seal_part
from gateway.wire.documents import NS, serialize
from gateway.wire.specimen_files import specimen_file
from tests.forging import application
from tests.gateways import Gateway

JPEG, PNG, PDF, OPAQUE = "image/jpeg", "image/png", "application/pdf", "application/octet-stream"
KINDS = {JPEG: "photograph", PNG: "photograph", PDF: "document-scan", OPAQUE: "fingerprints"}
ASKING, ASKED = "AT-BMI", "RS-MUP"


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file and what it is declared as."""

    media_type: str
    body: bytes

    @property
    def sha256(self) -> str:
        return sha256(self.body).hexdigest()

    @property
    def parts(self) -> list[bytes]:
        return [self.body[start : start + PART_BYTES] for start in range(0, len(self.body), PART_BYTES)]


def file(media_type: str = PDF, size: int = 2 * PART_BYTES + 100, *, name: str = "scan") -> File:
    """Return a file of exactly this size; another name gives another file."""
    return File(media_type=media_type, body=specimen_file(name, media_type, size))


def naming(at: datetime, *files: File, **changes: Any) -> Tree:
    """Return an application that names files, from AT-BMI to RS-MUP; it leaves at once. `changes` are texts of each entry."""
    document = application(at)
    for one in files:
        entry = etree.SubElement(document, f"{{{NS}}}Attachment")
        texts = {
            "Kind": KINDS[one.media_type],
            "FileName": "file.bin",
            "MediaType": one.media_type,
            "Size": str(len(one.body)),
            "Sha256": one.sha256,
        } | changes
        for tag, text in texts.items():
            etree.SubElement(entry, f"{{{NS}}}{tag}").text = text
    return document


def give(side: Gateway, *files: File, authority: str = ASKING) -> None:
    """Hand in files."""
    for one in files:
        hand_in(one.body, side.rt, authority=authority, actor="officer", media_type=one.media_type)


def send(side: Gateway, *files: File) -> Sent:
    """Hand in files and an application that names them; it must leave."""
    give(side, *files)
    result = side.hand_in(serialize(naming(side.rt.clock(), *files)), authority=ASKING, files=False)
    assert isinstance(result, Sent), result
    return result


def sealed_parts(rt: Runtime, message_id: str, one: File, **changes: Any) -> list[bytes]:
    """Return the parts of a file as its sender seals them; `changes` are members of their header."""
    names = {
        "sender": ASKING,
        "recipient": ASKED,
        "message_id": message_id,
        "sha256": one.sha256,
        "of": len(one.parts),
    } | changes
    return [seal_part(data, number=number, trust=rt.trust, at=rt.clock(), **names) for number, data in enumerate(one.parts, 1)]


def kept(side: Gateway) -> list[AttachmentRow]:
    """Return every file a gateway has, oldest first."""
    with reading(side.rt.engine) as tx:
        ids = tx.execute(select(table.c.id).order_by(table.c.id)).scalars().all()
        return [row for id_ in ids if (row := attachments.get(tx, id_)) is not None]


def stored_parts(side: Gateway) -> int:
    """Return how many parts a gateway has."""
    with reading(side.rt.engine) as tx:
        return tx.execute(select(func.count()).select_from(attachment_parts)).scalar_one()


def case_id(side: Gateway, reference: str, home: str) -> int:
    with reading(side.rt.engine) as tx:
        (case,) = cases.by_reference(tx, reference, home=home)
    assert case.id is not None
    return case.id
