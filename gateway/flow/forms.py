"""The treaty's form of a message: its words, its page, and the signed PDF that carries the signed message inside."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gateway.errors import PaperToolsMissing
from gateway.partners import Partners
from gateway.stages import Tree
from gateway.trust.signing_key import SigningKey
from gateway.wire.forms.form import Form, form_of
from gateway.wire.forms.labels import Words, words_for
from gateway.wire.forms.page import html_of
from gateway.wire.forms.printing import MISSING, Inside, print_pdf
from gateway.wire.forms.structure import structure_of

SIGNED_NAME = "message.xml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Printable:
    """A message that can be printed: what it says, and its signed envelope if there is one."""

    document: Tree
    envelope: bytes | None
    digest: str  # SHA-256 of the envelope, as receipts name it; "" where there is none
    signer: str  # authority; "" where there is no envelope


def usual_language(recipient: str, partners: Partners) -> str:
    """Return the language in which a form is printed beside English if nobody asks for another: that of who is to read it."""
    known = partners.authorities.get(recipient)
    return known.language if known else "en"


def folder_of(authority: str, partners: Partners, root: Path) -> Path | None:
    """Return the partner folder of an authority, where its own words may lie."""
    known = partners.authorities.get(authority)
    return root / known.partner if known else None


def words_of(language: str, recipient: str, partners: Partners, root: Path) -> Words:
    """Return the words of a form for an authority that reads it; words of its own folder lie over ours."""
    return words_for(language, folder_of(recipient, partners, root))


def lay_out(message: Printable, *, words: Words, partners: Partners, schema: Path) -> Form:
    """Return the form of a message. `schema` is the folder of the schema it was checked against."""
    return form_of(
        message.document,
        words=words,
        states={partner.state: partner.name for partner in partners.partners.values()},
        structure=structure_of(schema),
        digest=message.digest,
        signed_by=message.signer,
    )


def to_pdf(form: Form, message: Printable, *, key: SigningKey | None, at: datetime) -> bytes:
    """Return the form as PDF/A-3 with the signed message inside, signed with `key`; without one, it is not signed.

    Raises `PaperToolsMissing`, `FormNotPrinted`, and what the key raises.
    """
    inside = []
    if message.envelope is not None:
        inside = [
            Inside(name=SIGNED_NAME, description="the signed message that this form was printed from", body=message.envelope)
        ]
    made = print_pdf(html_of(form), inside=inside, identifier=message.digest or form.message_id.replace("-", ""))
    return made if key is None else signed_pdf(made, key, at)


def signed_pdf(pdf: bytes, key: SigningKey, at: datetime) -> bytes:
    """Return the PDF signed by an authority. Raises `PaperToolsMissing`, and what the key raises."""
    try:
        from gateway.trust.pdf_signature import sign_pdf  # noqa: PLC0415 - extra `pdf`, and slow to load
    except ImportError as error:
        raise PaperToolsMissing(MISSING) from error
    return sign_pdf(pdf, key, at=at, reason="Printed from a signed message")
