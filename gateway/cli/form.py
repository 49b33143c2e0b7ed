"""`gateway form`: messages on paper."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from gateway import partners, settings
from gateway.cli.options import ConfigOption, JsonOption, PartnersOption
from gateway.cli.output import console, print_json
from gateway.errors import KeyMissing
from gateway.flow.forms import Printable, lay_out, to_pdf, usual_language, words_of
from gateway.settings import Settings
from gateway.trust.certificates import TrustStore
from gateway.trust.folder import write_file
from gateway.trust.keys import KeyRing
from gateway.trust.sign import sign
from gateway.trust.signing_key import SigningKey
from gateway.trust.verify import examine
from gateway.wire.check import canonical_document
from gateway.wire.documents import ENVELOPE_NS, read_file
from gateway.wire.forms.page import html_of
from gateway.wire.reading import text
from gateway.wire.schema import SchemaSet

SCHEMA = "readmission/1.0"


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(no_args_is_help=True, help="Messages on paper: print, fill in, read back, prove delivery.")
    group.command("print")(print_form)
    app.add_typer(group, name="form")


def print_form(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", show_default=False)] = None,
    message: Annotated[str | None, typer.Option(metavar="ID", help="Message of this gateway instead of a file.")] = None,
    language: Annotated[str | None, typer.Option(metavar="TAG", help="Language beside English, e.g. sq or sr-Cyrl.")] = None,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="File to write; it appears whole or not at all.")] = ...,  # type: ignore[assignment]
    html: Annotated[bool, typer.Option("--html", help="The print view as HTML; needs nothing beyond this package.")] = False,
    unsigned: Annotated[bool, typer.Option("--unsigned", help="Do not sign, even where a key is at hand.")] = False,
    json: JsonOption = False,
    partners_folder: PartnersOption = None,
    config: ConfigOption = None,
) -> None:
    """Print a message as the treaty's form: in English and in the language of whoever is to read it.

    Example: `gateway form print application.xml --language sq --out application.pdf`
    """
    if (file is None) == (message is None):
        raise typer.BadParameter("give a file or --message, one of the two")
    config_ = settings.load(config, overrides={"partners": partners_folder})
    known = partners.load(config_.partners)
    assert file is not None
    printable, key = _from_file(file, config_, unsigned=unsigned)
    recipient = text(printable.document, "Header/Recipient") or ""
    words = words_of(language or usual_language(recipient, known), recipient, known, config_.partners)
    form = lay_out(printable, words=words, partners=known, schema=config_.schemas / SCHEMA)
    body = html_of(form).encode() if html else to_pdf(form, printable, key=key, at=datetime.now(UTC))
    write_file(out, body)
    said = {"type": form.title.english, "language": words.own.language if words.own else "en", "sha256": printable.digest}
    said |= {"signed": not html and key is not None, "bytes": len(body)}
    if json:
        print_json(said)
        return
    console().print(f"{form.title.english}: {len(body)} bytes in {out}")


def _from_file(file: Path, config: Settings, *, unsigned: bool) -> tuple[Printable, SigningKey | None]:
    """Return what to print, and the key to sign it with: the sender's, if this installation holds it."""
    body = read_file(file)
    schemas = SchemaSet.load(config.schemas / SCHEMA)
    document = canonical_document(body, schemas)
    if document.tag == f"{{{ENVELOPE_NS}}}Envelope":
        return _from_envelope(body, schemas, config, unsigned=unsigned)
    schemas.check(document)
    sender = text(document, "Header/Sender") or ""
    key = None if unsigned else _key(config, sender)
    if key is None:
        return Printable(document=document, envelope=None, digest="", signer=""), None
    signed = sign(document, key, datetime.now(UTC))
    return Printable(document=document, envelope=signed.body, digest=signed.digest, signer=sender), key


def _from_envelope(body: bytes, schemas: SchemaSet, config: Settings, *, unsigned: bool) -> tuple[Printable, SigningKey | None]:
    """Verify an envelope; it is printed under the name of whoever signed it."""
    rules = partners.load(config.partners).trust_rules()
    found = examine(body, TrustStore.load(config.keys, revocation=config.revocation, rules=rules), datetime.now(UTC))
    if found.refusal is not None:
        raise found.refusal
    assert found.opened is not None, "an examination that refuses nothing has opened the envelope"
    opened = found.opened
    schemas.check(opened.document)
    key = None if unsigned else _key(config, opened.signer)
    return Printable(document=opened.document, envelope=opened.signed, digest=opened.digest, signer=opened.signer), key


def _key(config: Settings, authority: str) -> SigningKey | None:
    """Return the signing key of an authority, None if this installation has none."""
    try:
        return KeyRing.load(config.keys).signing(authority)
    except KeyMissing:
        return None
