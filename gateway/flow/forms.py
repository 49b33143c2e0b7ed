"""Messages on paper: the form of a message as page and as signed PDF, the form that answers it, and what came back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gateway.errors import NotFound, PaperToolsMissing
from gateway.flow.papers import clear
from gateway.flow.ports import Runtime
from gateway.partners import Partners
from gateway.stages import Tree
from gateway.store import cases, journal, messages
from gateway.store.database import transaction
from gateway.trust.signing_key import SigningKey
from gateway.wire.forms.form import Form, form_of
from gateway.wire.forms.labels import ENGLISH, Words, languages, words_for
from gateway.wire.forms.page import html_of
from gateway.wire.forms.printing import MISSING, Inside, print_pdf
from gateway.wire.forms.reply_fields import Filled
from gateway.wire.forms.reply_form import draft_of, reply_page
from gateway.wire.forms.structure import structure_of
from gateway.wire.reading import message_inside, text

INSIDE = "message.xml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Printable:
    """A message that can be printed: what it says, and its signed envelope if there is one."""

    document: Tree
    envelope: bytes | None = None
    digest: str = ""  # SHA-256 of the envelope, as receipts name it; "" where there is none
    signer: str = ""  # authority; "" where there is no envelope


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """Prints messages of one installation."""

    partners: Partners
    partners_folder: Path
    schema: Path  # folder of the schema that the messages were checked against

    @classmethod
    def of(cls, rt: Runtime) -> "Paper":
        """Return the printer of a running gateway."""
        return cls(partners=rt.partners, partners_folder=rt.settings.partners, schema=rt.schemas.folder)

    def languages(self, readers: Sequence[str]) -> tuple[str, ...]:
        """Return the languages in which forms can be printed beside English; those of the readers come first."""
        known = [self.partners.authorities[each] for each in readers if each in self.partners.authorities]
        own = [reader.language for reader in known if reader.language != ENGLISH]
        every = [tag for reader in known for tag in languages(self.partners_folder / reader.partner)]
        return tuple(dict.fromkeys([*own, ENGLISH, *every]))

    def html(self, message: Printable, language: str | None, *, style_address: str | None = None) -> str:
        """Return the print view. `language` None is the one of whoever is to read it. Raises `LabelsInvalid`."""
        return html_of(self._form(message, language), style_address=style_address)

    def pdf(self, message: Printable, language: str | None, *, key: SigningKey | None, at: datetime) -> bytes:
        """Return the form as PDF/A-3 with the signed message inside, signed with `key`; without one it is not signed.

        Raises `PaperToolsMissing`, `FormNotPrinted`, `LabelsInvalid`, and what the key raises.
        """
        form = self._form(message, language)
        said = "the signed message that this form was printed from"
        inside = [Inside(name=INSIDE, description=said, body=message.envelope)] if message.envelope is not None else []
        made = print_pdf(html_of(form), inside=inside, identifier=message.digest or form.message_id.replace("-", ""))
        return made if key is None else _signed(made, key, at)

    def reply_html(self, message: Printable, language: str | None) -> str:
        """Return the page of the form that answers an application. Raises `FormMismatch` for any other message."""
        reader = text(message.document, "Header/Recipient") or ""
        return reply_page(
            message.document,
            words=self._words(language, reader),
            states=self._states(),
            structure=structure_of(self.schema),
            digest=message.digest,
        )

    def reply_pdf(self, message: Printable, language: str | None) -> bytes:
        """Return that form as PDF with fields to fill in. Nobody has signed it: whoever fills it in would break that."""
        return print_pdf(self.reply_html(message, language), identifier=message.digest, fillable=True)

    def reply_draft(self, message: Printable, filled: Filled) -> Tree:
        """Return the canonical reply that a filled form says, still to be confirmed. Raises `FormMismatch`, `MissingField`."""
        filled.require_of(text(message.document, "Header/CaseReference") or "", message.digest)
        return draft_of(message.document, filled)

    def _form(self, message: Printable, language: str | None) -> Form:
        return form_of(
            message.document,
            words=self._words(language, text(message.document, "Header/Recipient") or ""),
            states=self._states(),
            structure=structure_of(self.schema),
            digest=message.digest,
            signed_by=message.signer,
        )

    def _words(self, language: str | None, reader: str) -> Words:
        """Return the words for whoever reads; those of its own folder lie over ours."""
        known = self.partners.authorities.get(reader)
        folder = self.partners_folder / known.partner if known else None
        return words_for(language or (known.language if known else "en"), folder)

    def _states(self) -> dict[str, str]:
        return {partner.state: partner.name for partner in self.partners.partners.values()}


def _signed(pdf: bytes, key: SigningKey, at: datetime) -> bytes:
    try:
        from gateway.trust.pdf_signature import sign_pdf  # noqa: PLC0415 - extra `pdf`, and slow to load
    except ImportError as error:
        raise PaperToolsMissing(MISSING) from error
    return sign_pdf(pdf, key, at=at, reason="Printed from a signed message")


def printable_of(
    message_id: str, *, homes: frozenset[str], actor: str, purpose: str, rt: Runtime, case_id: int | None = None
) -> tuple[Printable, str]:
    """Return a message of a home authority, to be printed, and that authority; the reading is journalled.

    Of two home authorities that wrote to each other, each has the message: `case_id` says whose is meant; without it, the
    sender's. Raises `NotFound` for another authority's message as for an unknown one, `Erased`.
    """
    with transaction(rt.engine) as tx:
        for row in messages.by_message_id(tx, message_id):
            if row.id is None or row.case_id is None or case_id not in {None, row.case_id}:
                continue
            case = cases.get(tx, row.case_id)
            document = messages.document(tx, row.id, "signed")
            if case.home not in homes or document is None:
                continue
            envelope = clear(rt, case, document)
            entry = journal.Entry(
                at=rt.clock(),
                event="form.printed",
                actor=actor,
                authority=case.home,
                case_id=case.id,
                message_id=row.message_id,
                digest=row.digest,
                detail={"type": row.type, "purpose": purpose},
            )
            journal.append(tx, [entry])
            found = Printable(document=message_inside(envelope), envelope=envelope, digest=row.digest, signer=row.sender)
            return found, case.home
    raise NotFound("there is no such message")
