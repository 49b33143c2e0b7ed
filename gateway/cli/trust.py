"""Commands that sign, verify, seal and open one document."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeAlias

import typer
from rich.markup import escape

from gateway import log, settings
from gateway.cli.options import AtOption, ConfigOption, JsonOption, instant_of
from gateway.cli.output import console, print_json
from gateway.errors import KeyMissing, Refused, SignerMismatch, WrongRecipient
from gateway.settings import Settings
from gateway.stages import Received, Signed, Tree
from gateway.trust import authorities as timestamp_authorities
from gateway.trust import stamped
from gateway.trust.certificates import TrustStore
from gateway.trust.folder import write_file
from gateway.trust.keys import KeyRing
from gateway.trust.seal import peek, seal, unseal
from gateway.trust.sign import sign
from gateway.trust.timestamps import Stamp
from gateway.trust.verify import Examination, examine
from gateway.wire.documents import NS, parse_xml, read_file, serialize
from gateway.wire.schema import SchemaSet

FileArgument: TypeAlias = Annotated[Path, typer.Argument(metavar="FILE", show_default=False)]
AsOption: TypeAlias = Annotated[str, typer.Option("--as", metavar="AUTHORITY", help="Code of the authority, e.g. BA-MS.")]
OutOption: TypeAlias = Annotated[
    Path, typer.Option("--out", metavar="FILE", help="File to write; it appears whole or not at all.")
]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("sign")(sign_command)
    app.command("verify")(verify_command)
    app.command("seal")(seal_command)
    app.command("open")(open_command)


def sign_command(
    file: FileArgument,
    authority: AsOption,
    out: OutOption,
    *,
    timestamp: Annotated[
        bool, typer.Option("--timestamp", help="Add a timestamp of the authority that the settings name (profile T).")
    ] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Check a canonical message and sign it for its sender. The result is an envelope, not encrypted.

    With a timestamp it can be verified after its certificate ended. The digest that is told is that of the envelope without
    its timestamp: receipts and answers refer to that.

    Example: `gateway sign application.xml --as BA-MS --out signed.xml`
    """
    installed = settings.load(config)
    signed, _ = _sign(installed, file, authority)
    stamp = _stamp(installed, signed) if timestamp else None
    _write(out, stamped.add(signed.body, stamp.token) if stamp else signed.body)
    result = {
        "verdict": "signed",
        "signer": signed.signer,
        "signed_at": signed.signed_at,
        "stamped_at": stamp.at if stamp else None,
        "timestamp_authority": stamp.authority if stamp else None,
        "sha256": signed.digest,
        "out": str(out),
    }
    if as_json:
        print_json(result)
    else:
        at = f", timestamp {stamp.at:%Y-%m-%d %H:%M:%S} UTC" if stamp else ""
        console().print(f"signed by {signed.signer} at {signed.signed_at:%Y-%m-%d %H:%M:%S} UTC{at}: {escape(str(out))}")


def verify_command(file: FileArgument, at: AtOption = None, as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """Verify a signed envelope, step by step.

    Exit 1 if it is refused, 3 while it is not known whether the signer's certificate was revoked.

    Example: `gateway verify signed.xml --at 2026-11-24T12:00:00Z`
    """
    instant = instant_of(at, "--at")
    trust = _trust(settings.load(config))
    try:
        found = examine(read_file(file), trust, instant)
    except Refused as reason:  # the file itself cannot be read as a document: no step was begun
        found = Examination(steps=(), opened=None, refusal=reason)
    if as_json:
        print_json(_verdict(found))
    else:
        _tell(found)
    if found.refusal is not None:
        raise typer.Exit(found.refusal.exit_code)


def seal_command(
    file: FileArgument,
    authority: AsOption,
    to: Annotated[str, typer.Option("--to", metavar="AUTHORITY", help="Code of the authority that may open it.")],
    out: OutOption,
    *,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Check a canonical message, sign it for its sender and encrypt it for its recipient.

    Example: `gateway seal application.xml --as BA-MS --to PK-MOI --out application.sealed`
    """
    installed = settings.load(config)
    signed, document = _sign(installed, file, authority)
    if _header(document, "Recipient") != to:
        raise WrongRecipient(f"the header of the message names another recipient than {to}", path="Header/Recipient")
    sealed = seal(
        signed,
        message_id=_header(document, "MessageId"),
        sender=authority,
        recipient=to,
        trust=_trust(installed),
    )
    _write(out, sealed.body)
    result = {
        "verdict": "sealed",
        **peek(sealed.body),
        "signed_at": signed.signed_at,
        "sha256": sealed.digest,
        "out": str(out),
    }
    if as_json:
        print_json(result)
    else:
        console().print(f"signed by {sealed.sender}, sealed for {sealed.recipient}: {escape(str(out))}")


def open_command(
    file: FileArgument,
    authority: AsOption,
    out: OutOption,
    *,
    envelope: Annotated[
        Path | None, typer.Option("--envelope", metavar="FILE", help="Also write the signed envelope that was inside.")
    ] = None,
    at: AtOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Open a sealed message and verify it. Writes the canonical message; nothing is written unless every check passes.

    Example: `gateway open application.sealed --as PK-MOI --out application.xml`
    """
    instant = instant_of(at, "--at")
    installed = settings.load(config)
    ring = KeyRing.load(installed.keys)
    if authority not in ring.authorities():
        raise KeyMissing(f"there are no private keys of {authority} in the key folder")
    body = read_file(file)
    if (named := peek(body)["recipient"]) != authority:
        raise WrongRecipient(f"the message is sealed for {named}, not for {authority}")
    opened = unseal(Received(body=body, received_at=instant, transport="file"), ring, _trust(installed))
    _write(out, serialize(opened.document))
    if envelope is not None:
        _write(envelope, opened.signed)
    result = {
        "verdict": "opened",
        "signer": opened.signer,
        "signed_at": opened.signed_at,
        "recipient": opened.sealed_for,
        "message_id": opened.sealed_id,
        "sha256": opened.digest,
        "out": str(out),
    }
    if as_json:
        print_json(result)
    else:
        console().print(f"opened for {opened.sealed_for}, signed by {opened.signer}: {escape(str(out))}")


def _trust(installed: Settings) -> TrustStore:
    return TrustStore.load(installed.keys, revocation=installed.revocation)


def _now() -> datetime:
    return datetime.now(UTC)


def _header(document: Tree, name: str) -> str:
    return document.findtext(f"{{{NS}}}Header/{{{NS}}}{name}") or ""


def _sign(installed: Settings, file: Path, authority: str) -> tuple[Signed, Tree]:
    """Read, check and sign the message in `file`."""
    document = parse_xml(read_file(file))
    SchemaSet.load(installed.schemas / "readmission" / "1.0").check(document)
    if _header(document, "Sender") != authority:
        raise SignerMismatch(f"the header of the message names another sender than {authority}", path="Header/Sender")
    return sign(document, KeyRing.load(installed.keys).signing(authority), _now()), document


def _stamp(installed: Settings, signed: Signed) -> Stamp:
    """Return a timestamp over the signature. Raises `KeyMissing` if no authority is named, `TimestampUnavailable`."""
    log.set_up(as_json=installed.log_json, level=30)  # why an authority gave none
    asked = timestamp_authorities.named(installed.timestamp_authorities, installed.keys, _now)
    if not asked:
        raise KeyMissing("no timestamp authority: name one in the setting timestamp_authorities")
    anchors = _trust(installed).timestamp_anchors
    return timestamp_authorities.obtain(stamped.over(signed.body), asked, anchors, _now)


def _write(out: Path, data: bytes) -> None:
    try:
        write_file(out, data)
    except OSError as error:
        raise typer.BadParameter(f"the file {out.name!r} cannot be written") from error


def _verdict(found: Examination) -> dict[str, object]:
    """Return the JSON of `gateway verify`; `signer` and `signed_at` only once they are proven."""
    return {
        "verdict": "valid" if found.opened else "refused",
        "code": found.refusal.code if found.refusal else None,
        "message": found.refusal.message if found.refusal else None,
        "signer": found.opened.signer if found.opened else None,
        "signed_at": found.opened.signed_at if found.opened else None,
        "stamped_at": found.opened.stamped_at if found.opened else None,
        "timestamp_authority": found.opened.timestamp_authority if found.opened else None,
        "sha256": found.opened.digest if found.opened else None,
        "steps": [{"step": each.step, "name": each.name, "ok": each.ok} for each in found.steps],
    }


def _tell(found: Examination) -> None:
    for each in found.steps:
        console().print(f"{each.step:>3}  {'[green]ok[/]' if each.ok else '[bold red]no[/]'}  {each.name}")
    if found.opened is not None:
        console().print(f"valid: signed by {found.opened.signer} at {found.opened.signed_at:%Y-%m-%d %H:%M:%S} UTC")
        if found.opened.stamped_at is not None:
            stamped_at, by = found.opened.stamped_at, found.opened.timestamp_authority
            console().print(f"timestamp of {stamped_at:%Y-%m-%d %H:%M:%S} UTC by {by}")
    elif found.refusal is not None:
        console().print(f"[bold red]refused[/], {found.refusal.code}: {escape(found.refusal.message)}")
