"""`gateway form`: messages on paper."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer
from rich.markup import escape

from gateway import partners, settings
from gateway.cli.options import ConfigOption, JsonOption, PartnersOption, instant_of
from gateway.cli.output import console, print_json
from gateway.cli.who import account
from gateway.errors import KeyMissing, NotAFile
from gateway.flow.forms import Paper, Printable
from gateway.partners import Partners
from gateway.settings import Settings
from gateway.trust.certificates import TrustStore
from gateway.trust.folder import write_file
from gateway.trust.keys import KeyRing
from gateway.trust.sign import sign
from gateway.trust.signing_key import SigningKey
from gateway.trust.verify import examine
from gateway.wire.check import canonical_document
from gateway.wire.documents import read_file, serialize
from gateway.wire.forms.filled import read_filled
from gateway.wire.forms.pdf_fields import MOST_BYTES
from gateway.wire.namespaces import ENVELOPE_NS
from gateway.wire.reading import text
from gateway.wire.schema import SchemaSet

SCHEMA = "readmission/1.0"

FileArgument: TypeAlias = Annotated[Path | None, typer.Argument(metavar="[FILE]", show_default=False)]
MessageOption: TypeAlias = Annotated[
    str | None, typer.Option("--message", metavar="ID", help="A message of this gateway, by its id, instead of a file.")
]
LanguageOption: TypeAlias = Annotated[
    str | None, typer.Option(metavar="TAG", help="Language beside English, e.g. sq or sr-Cyrl. Default: the reader's.")
]
OutOption: TypeAlias = Annotated[
    Path, typer.Option("--out", metavar="FILE", help="File to write; it appears whole or not at all.", show_default=False)
]
HtmlOption: TypeAlias = Annotated[
    bool, typer.Option("--html", help="Write the print view as HTML; it needs neither the extra 'pdf' nor Pango.")
]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(no_args_is_help=True, help="Messages on paper: print, fill in, read back, prove delivery.")
    group.command("print")(print_form)
    group.command("reply")(reply_form)
    group.command("read")(read_form)
    group.command("delivered")(delivered)
    app.add_typer(group, name="form")


def print_form(
    out: OutOption,
    file: FileArgument = None,
    message: MessageOption = None,
    language: LanguageOption = None,
    html: HtmlOption = False,
    unsigned: Annotated[bool, typer.Option("--unsigned", help="Do not sign, even where the key is at hand.")] = False,
    partners_folder: PartnersOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Print a message as the treaty's form, in English and in the language of whoever is to read it.

    The PDF holds the signed message, and is signed by the sender if its key is here. A canonical message that is not signed yet
    is signed first.

    Example: `gateway form print application.xml --language sq --out application.pdf`
    """
    found = _asked(file, message, config, partners_folder, unsigned=unsigned)
    body = found.paper.html(found.printable, language).encode() if html else found.pdf(language)
    signed = not html and found.key is not None
    _written(out, body, {"digest": found.printable.digest or None, "signed": signed}, as_json=as_json)


def reply_form(
    out: OutOption,
    file: FileArgument = None,
    message: MessageOption = None,
    language: LanguageOption = None,
    html: HtmlOption = False,
    partners_folder: PartnersOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Write the form that answers a signed application: to be filled in on a screen, saved and sent back.

    Example: `gateway form reply signed.xml --language ur --out reply.pdf`
    """
    found = _asked(file, message, config, partners_folder, unsigned=False)
    if html:
        body = found.paper.reply_html(found.printable, language).encode()
    else:
        body = found.paper.reply_pdf(found.printable, language)
    _written(out, body, {"digest": found.printable.digest, "signed": False}, as_json=as_json)


def read_form(
    file: Annotated[Path, typer.Argument(metavar="FILE", show_default=False)],
    application: Annotated[
        Path | None, typer.Option("--application", metavar="FILE", help="Signed application that the form must answer.")
    ] = None,
    message: MessageOption = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write the reply as canonical XML.")] = None,
    partners_folder: PartnersOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Read a filled reply form. Nothing is sent: a person confirms what it says, on the page of the case.

    With the application the form answers, case reference and digest are compared, and `--out` writes the reply as a draft.

    Example: `gateway form read reply.pdf --application signed.xml --out reply.xml`
    """
    filled = read_filled(_bytes(file))
    answer: dict[str, Any] = {
        "case": filled.case_reference,
        "digest": filled.digest,
        "matches": None,
        "fields": filled.as_dict(),
    }
    if application is not None or message is not None:
        found = _asked(application, message, config, partners_folder, unsigned=True)
        draft = found.paper.reply_draft(found.printable, filled)
        answer["matches"] = True
        if out is not None:
            _write(out, serialize(draft))
    elif out is not None:
        raise typer.BadParameter("--out needs --application or --message: the reply repeats what was applied for")
    if as_json:
        print_json(answer)
        return
    for name, value in answer["fields"].items():
        console().print(f"{name}: {escape(str(value))}")


def delivered(
    message: Annotated[str, typer.Argument(metavar="MESSAGE", help="Id of the message that was carried.", show_default=False)],
    kind: Annotated[str, typer.Option(help="What proves it: transmission-report, courier or hand.")],
    at: Annotated[
        str, typer.Option(metavar="INSTANT", help="When it was delivered, with the zone, e.g. 2026-11-24T12:00:00+05:00.")
    ],
    reference: Annotated[str, typer.Option(help="Number of the report or slip, as written on it.")],
    by: Annotated[str, typer.Option(help="Account of the officer who holds the proof.")],
    speaks_for: Annotated[
        str,
        typer.Option("--for", metavar="AUTHORITY", help="The officer's authority, recipient or sender; stands in the receipt."),
    ],
    scan: Annotated[Path | None, typer.Option(metavar="FILE", help="Scan of the proof: PDF, JPEG or PNG.")] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Record that a message reached an authority on paper. Its receipt is issued, and the clocks start at that time.

    Of a message of yours that was set aside for paper, it ends the electronic copy.

    Example: `gateway form delivered 019ab4d2-7c40-7a11-8f02-5d1e3b6a9c01 --kind courier --at 2026-11-24T12:00:00+05:00
    --reference RX000000000PK --by officer.one --for PK-MOI`
    """
    # A whole gateway: not loaded where a file is enough.
    from gateway.flow.deliveries import Proof, record_delivery  # noqa: PLC0415
    from gateway.wiring import build  # noqa: PLC0415

    rt = build(settings.load(config))
    proof = Proof(kind=kind, at=_instant(at), reference=reference, scan=_bytes(scan) if scan is not None else None)
    rt.require_home(speaks_for)
    done = record_delivery(message, proof, by=f"{by} ({account()})"[:80], homes=frozenset({speaks_for}), rt=rt)
    if as_json:
        print_json({"message": done.message_id, "receipt": done.receipt_message_id, "received_at": done.delivered_at})
        return
    proven = f"receipt {done.receipt_message_id}" if done.receipt_message_id else "it is not sent by the transport any more"
    console().print(f"delivered at {done.delivered_at.isoformat()}; {proven}")


def _instant(text_: str) -> datetime:
    """Return the instant with the zone it was written in: the proof keeps that. Raises `typer.BadParameter`."""
    instant_of(text_, "--at")
    return datetime.fromisoformat(text_)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What is to be printed, and with what."""

    printable: Printable
    paper: Paper
    key: SigningKey | None

    def pdf(self, language: str | None) -> bytes:
        return self.paper.pdf(self.printable, language, key=self.key, at=datetime.now(UTC))


def _asked(
    file: Path | None, message: str | None, config: Path | None, partners_folder: Path | None, *, unsigned: bool
) -> _Asked:
    if (file is None) == (message is None):
        raise typer.BadParameter("name a file or --message, one of the two")
    installed = settings.load(config, overrides={"partners": partners_folder})
    known = partners.load(installed.partners)
    paper = Paper(partners=known, partners_folder=installed.partners, schema=installed.schemas / SCHEMA)
    if file is not None:
        printable, signer = _from_file(file, installed, known, unsigned=unsigned)
        return _Asked(printable=printable, paper=paper, key=None if unsigned else signer)
    # A whole gateway: not loaded where a file is enough.
    from gateway.flow.forms import printable_of  # noqa: PLC0415
    from gateway.wiring import build  # noqa: PLC0415

    rt = build(installed)
    printable, home = printable_of(
        message or "", homes=frozenset(rt.settings.home), actor=account(), purpose="operations", rt=rt
    )
    return _Asked(printable=printable, paper=paper, key=None if unsigned else rt.ring.signing(home))


def _from_file(file: Path, installed: Settings, known: Partners, *, unsigned: bool) -> tuple[Printable, SigningKey | None]:
    """Return what a file holds, verified or signed now; and the key of its signer, if it is here."""
    body = read_file(file)
    schemas = SchemaSet.load(installed.schemas / SCHEMA)
    document = canonical_document(body, schemas)
    if document.tag == f"{{{ENVELOPE_NS}}}Envelope":
        trust = TrustStore.load(installed.keys, revocation=installed.revocation, rules=known.trust_rules())
        found = examine(body, trust, None)
        if found.opened is None:
            assert found.refusal is not None, "what is not opened is refused"
            raise found.refusal
        schemas.check(found.opened.document)
        signed = Printable(
            document=found.opened.document,
            envelope=found.opened.signed,
            digest=found.opened.digest,
            signer=found.opened.signer,
        )
        return signed, _key(installed, signed.signer)
    schemas.check(document)
    key = None if unsigned else _key(installed, text(document, "Header/Sender") or "")
    if key is None:
        return Printable(document=document), None
    made = sign(document, key, datetime.now(UTC))
    return Printable(document=document, envelope=made.body, digest=made.digest, signer=made.signer), key


def _bytes(file: Path) -> bytes:
    """Return what a file holds, as far as a form may be long. Raises `NotAFile`."""
    try:
        with file.open("rb") as found:
            return found.read(MOST_BYTES + 1)
    except OSError as error:
        raise NotAFile("there is no such file, or it cannot be read") from error


def _key(installed: Settings, authority: str) -> SigningKey | None:
    """Return the signing key of an authority, None if this installation has none."""
    try:
        return KeyRing.load(installed.keys).signing(authority)
    except KeyMissing:
        return None


def _written(out: Path, body: bytes, said: dict[str, Any], *, as_json: bool) -> None:
    _write(out, body)
    if as_json:
        print_json({"out": str(out), "bytes": len(body), **said})
    else:
        console().print(f"{len(body)} bytes, {'signed' if said['signed'] else 'not signed'}: {escape(str(out))}")


def _write(out: Path, body: bytes) -> None:
    try:
        write_file(out, body)
    except OSError as error:
        raise typer.BadParameter(f"the file {out.name!r} cannot be written") from error
