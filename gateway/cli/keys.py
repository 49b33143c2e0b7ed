"""`gateway keys`: make, list, renew and revoke the keys of this installation.

A change is journalled where the database can be reached and is current; a key folder may also be kept on a machine without one,
and then standard error says that it was not journalled.
"""

import os
import secrets
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final, TypeAlias

import typer

from gateway import log, partners, settings
from gateway.cli.key_list import list_command
from gateway.cli.options import ConfigOption, JsonOption, PartnersOption, instant_of
from gateway.cli.output import console, print_json
from gateway.errors import GatewayError, KeyMissing
from gateway.settings import Settings
from gateway.store import journal
from gateway.store.database import open_engine, require_current, transaction
from gateway.trust import algorithms, devca, renewal
from gateway.trust.folder import PRIVATE, write_file
from gateway.trust.held import HeldKeys
from gateway.trust.key_documents import Kind
from gateway.trust.mldsa import ML_DSA_65, MlDsa65
from gateway.trust.pending import certificate_request, new_pending, subject_of
from gateway.trust.places import TokenPlace
from gateway.trust.sealing_keys import SEALING_KEYS
from gateway.trust.second import SECOND_KEYS
from gateway.trust.strangers import UNNAMED
from gateway.trust.suites import DEFAULT, SUITES, SealingSuite
from gateway.trust.withdrawal import withdraw
from gateway.wire.documents import read_file

OPERATOR = "operator"  # who acts in the journal when no person is named
WARNINGS = 30
_KEY_ID_BYTES = 8

AuthorityArgument: TypeAlias = Annotated[
    str, typer.Argument(metavar="AUTHORITY", show_default=False, help="Code of the authority, e.g. BA-MS.")
]
CsrOption: TypeAlias = Annotated[
    Path | None, typer.Option("--csr", metavar="FILE", help="Make a signing key and write its certificate request (PKCS#10).")
]
AlgorithmOption: TypeAlias = Annotated[str, typer.Option("--algorithm", help=f"One of: {algorithms.names()}.")]
SubjectOption: TypeAlias = Annotated[
    str | None, typer.Option("--subject", metavar="NAME", help='Subject, e.g. "CN=BA-MS signing,O=Ministry,C=BA".')
]
ModuleOption: TypeAlias = Annotated[
    Path | None, typer.Option("--pkcs11", metavar="MODULE", help="Make the key inside a token: the token's library.")
]
TokenOption: TypeAlias = Annotated[str | None, typer.Option("--token", metavar="LABEL", help="The token's label.")]
PinOption: TypeAlias = Annotated[
    Path | None, typer.Option("--pin-file", metavar="FILE", help="File that holds the token's PIN, now and later.")
]
FromOption: TypeAlias = Annotated[
    str | None, typer.Option("--from", metavar="INSTANT", help="First instant at which it is used, e.g. 2026-12-15T00:00:00Z.")
]
OutOption: TypeAlias = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="Write what partners are given: certificates and sealing keys.")
]

# what `rotate` makes, by the name of the suite or of the algorithm
_ROTATED: Final[Mapping[str, tuple[Kind[Any], SealingSuite | MlDsa65]]] = {
    **{name: (SEALING_KEYS, suite) for name, suite in SUITES.items()},
    ML_DSA_65.name: (SECOND_KEYS, ML_DSA_65),
}


def new_command(
    authority: Annotated[
        str | None, typer.Argument(metavar="[AUTHORITY]", show_default=False, help="Code of the authority, e.g. BA-MS.")
    ] = None,
    *,
    development: Annotated[
        bool, typer.Option("--development", help="A certificate authority of its own and keys for every authority.")
    ] = False,
    csr: CsrOption = None,
    algorithm: AlgorithmOption = algorithms.DEFAULT.name,
    subject: SubjectOption = None,
    pkcs11: ModuleOption = None,
    token: TokenOption = None,
    pin_file: PinOption = None,
    json: JsonOption = False,
    config: ConfigOption = None,
    partners_folder: PartnersOption = None,
) -> None:
    """Make a signing key and the request for its certificate; or, with --development, development keys for every authority.

    The key waits in the key folder (or in the token) until its certificate is brought in by `gateway keys certificate`. A key
    that waits already is kept, and its request is written again. Development keys that exist are kept.

    Examples: `gateway keys new --development`, `gateway keys new BA-MS --csr ba-ms.csr`
    """
    if development == (authority is not None):
        raise typer.BadParameter("name an authority and --csr FILE, or add --development")
    installed = _load(config, partners_folder)
    if authority is None:
        _development(installed, as_json=json)
        return
    if csr is None:
        raise typer.BadParameter("the certificate request needs a file: add --csr FILE")
    made = _request(installed, authority, csr, algorithm, subject, _token(pkcs11, token, pin_file))
    made |= {"journalled": _record(installed, "key.made", authority, made)}
    _told(made, f"key of {authority} made; its certificate request is {csr}", as_json=json)


def certificate_command(
    authority: AuthorityArgument,
    file: Annotated[Path, typer.Argument(metavar="FILE", show_default=False)],
    *,
    signs_from: FromOption = None,
    out: OutOption = None,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Bring in the certificate of the key that waits: from then on, or from the instant given, the authority signs with it.

    FILE holds the certificate, then its intermediates, in PEM. It must belong to the waiting key, end at an anchor of the key
    folder and be meant for signing documents; if not, nothing is changed. While another key signs, --from must say when this
    one takes over: partners need it before. Processes that hold keys read them when they start.

    Example: `gateway keys certificate BA-MS ba-ms.pem --from 2026-12-15T00:00:00Z --out for-partners.json`
    """
    installed, now = _load(config), _now()
    start = _instant(signs_from, "--from")
    signing_now = _signs_here(installed, authority)
    if signing_now is not None and start is None:
        raise typer.BadParameter(
            f"{authority} signs already: --from says when the new key takes over, once partners have its certificate"
        )
    if signing_now is not None and start is not None and start > signing_now:
        raise typer.BadParameter(f"the key in use ends on {signing_now:%Y-%m-%d %H:%M} UTC, before the new one would sign")
    found = renewal.bring_in(installed.keys, authority, read_file(file), now, start)
    _publish(installed, authority, out)
    done = {
        "authority": authority,
        "fingerprint": found.fingerprint,
        "subject": found.subject,
        "signs_from": found.signs_from,
        "not_after": found.not_after,
        "names_authority": found.names_authority,
        "out": str(out) if out else None,
    }
    if not found.names_authority:
        typer.echo(f"warning: the certificate of {authority}: {UNNAMED}", err=True)
    detail = {"fingerprint": found.fingerprint, "from": found.signs_from.isoformat()}
    done["journalled"] = _record(installed, "certificate.installed", authority, detail)
    _told(done, f"{authority} signs with {found.fingerprint[:16]} from {found.signs_from:%Y-%m-%d %H:%M} UTC on", as_json=json)


def rotate_command(
    authority: AuthorityArgument,
    *,
    suite: Annotated[
        str, typer.Option("--suite", help=f"One of: {', '.join(_ROTATED)}; the last is for second signatures.")
    ] = DEFAULT.name,
    not_before: FromOption = None,
    csr: CsrOption = None,
    algorithm: AlgorithmOption = algorithms.DEFAULT.name,
    subject: SubjectOption = None,
    pkcs11: ModuleOption = None,
    token: TokenOption = None,
    pin_file: PinOption = None,
    out: OutOption = None,
    json: JsonOption = False,
    config: ConfigOption = None,
    partners_folder: PartnersOption = None,
) -> None:
    """Make a new sealing key, or one for second signatures; the old one stays, to open what is on its way.

    With --csr, a new signing key is begun as well.

    Example: `gateway keys rotate BA-MS --from 2026-12-15T00:00:00Z --csr ba-ms.csr --out for-partners.json`
    """
    if suite not in _ROTATED:
        raise typer.BadParameter(f"{suite!r} is none of {', '.join(_ROTATED)}")
    installed, now = _load(config, partners_folder), _now()
    start = _instant(not_before, "--from") or now
    if start < now:
        raise typer.BadParameter("--from lies in the past")
    signer = HeldKeys.load(installed.keys, os.environ).key(authority, start)
    begun = _request(installed, authority, csr, algorithm, subject, _token(pkcs11, token, pin_file)) if csr else {}
    kind, scheme = _ROTATED[suite]
    number = renewal.rotate(kind, installed.keys, signer, scheme, start)
    _publish(installed, authority, out)
    done: dict[str, Any] = begun | {
        "authority": authority,
        "suite": suite,
        "from": start,
        "file": f"{kind.folder}/{authority}{number}.json",
        "out": str(out) if out else None,
    }
    done["journalled"] = _record(installed, "key.rotated", authority, {"suite": suite, "from": start.isoformat()})
    _told(done, f"new {kind.noun} of {authority}, {suite}, from {start:%Y-%m-%d %H:%M} UTC on", as_json=json)


def revoke_command(
    name: Annotated[str, typer.Argument(metavar="FINGERPRINT|AUTHORITY", show_default=False, help="A pinned certificate.")],
    *,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="Reason. Names no person concerned by a case.")],
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who decides.")],
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="INSTANT", help="From when on it proves nothing; earlier than now if it was lost."),
    ] = None,
    destroy: Annotated[
        bool, typer.Option("--destroy", help="Destroy our private key of it too. It cannot be brought back.")
    ] = False,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Take back a certificate, ours or a partner's, whatever its issuer says; ours signs no more.

    Processes that run read it when they start again.

    Example: `gateway keys revoke BA-MS --why "the laptop is lost" --by "A. Specimen"`
    """
    installed, now = _load(config), _now()
    found = withdraw(installed.keys, name, at=_instant(at, "--at") or now, why=why, by=by, now=now, destroy=destroy)
    done: dict[str, Any] = {
        "authority": found.authority,
        "fingerprint": found.decision.fingerprint,
        "at": found.decision.at,
        "why": found.decision.why,
        "by": found.decision.by,
        "signs_on": found.signs_on,
        "destroyed": found.destroyed,
    }
    detail = {"fingerprint": found.decision.fingerprint, "at": found.decision.at.isoformat(), "destroyed": found.destroyed}
    done["journalled"] = _record(installed, "certificate.revoked", found.authority, detail, actor=found.decision.by)
    _told(done, f"certificate {found.decision.fingerprint[:16]} of {found.authority} is revoked here", as_json=json)


def publish_command(
    authority: AuthorityArgument,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="File to write.")],
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Write what partners are given of an authority: its certificates and its sealing keys, as they lie in the key folder.

    Example: `gateway keys publish BA-MS --out for-partners.json`
    """
    installed = _load(config)
    _publish(installed, authority, out)
    _told({"authority": authority, "out": str(out)}, f"certificates and sealing keys of {authority}: {out}", as_json=json)


def _load(config: Path | None, partners_folder: Path | None = None) -> Settings:
    """Return the settings; what a token has to say goes to standard error."""
    found = settings.load(config, overrides={"partners": partners_folder})
    log.set_up(as_json=found.log_json, level=WARNINGS)
    return found


def _development(installed: Settings, *, as_json: bool) -> None:
    authorities = sorted(partners.load(installed.partners).authorities)
    devca.make_development_keys(installed.keys, authorities, _now())
    made = {"folder": str(installed.keys), "authorities": authorities}
    _told(made, f"development keys of {', '.join(authorities)}: {installed.keys}", as_json=as_json)


def _request(
    installed: Settings, authority: str, csr: Path, algorithm: str, subject: str | None, place: TokenPlace | None
) -> dict[str, Any]:
    """Make a pending key and write its request; return what is told of it."""
    if algorithm not in algorithms.ALGORITHMS:
        raise typer.BadParameter(f"{algorithm!r} is none of {algorithms.names()}")
    named = partners.load(installed.partners).authority(authority)
    try:
        name = subject_of(subject, state=named.state, organisation=named.name, authority=authority)
    except ValueError as error:
        raise typer.BadParameter('--subject is no name like "CN=BA-MS signing,O=Ministry,C=BA"') from error
    (installed.keys / PRIVATE).mkdir(parents=True, exist_ok=True, mode=0o700)
    pending = new_pending(installed.keys, authority, algorithms.ALGORITHMS[algorithm], place)
    _write(csr, certificate_request(pending, name))
    return {
        "authority": authority,
        "algorithm": pending.algorithm.name,
        "key": "pkcs11" if pending.place else "file",
        "subject": name.rfc4514_string(),
        "csr": str(csr),
    }


def _token(module: Path | None, token: str | None, pin_file: Path | None) -> TokenPlace | None:
    if module is None and token is None and pin_file is None:
        return None
    if module is None or token is None or pin_file is None:
        raise typer.BadParameter("a key in a token needs all of --pkcs11, --token and --pin-file")
    return TokenPlace(
        module=module.resolve(),
        token=token,
        key_id=secrets.token_bytes(_KEY_ID_BYTES),
        label=None,
        pin_file=pin_file.absolute(),  # not resolved: a mounted secret is a link that is turned when it changes
        pin_env=None,
    )


def _signs_here(installed: Settings, authority: str) -> datetime | None:
    """Return when the last signing key of the authority ends that is not over, None if it has none."""
    try:
        held = HeldKeys.load(installed.keys, os.environ).keys.get(authority, ())
    except KeyMissing:
        return None
    return max((each.not_after for each in held if each.not_after > _now()), default=None)


def _publish(installed: Settings, authority: str, out: Path | None) -> None:
    if out is not None:
        _write(out, renewal.publication(installed.keys, authority))


def _write(out: Path, data: bytes) -> None:
    try:
        write_file(out, data)
    except OSError as error:
        raise typer.BadParameter(f"the file {out.name!r} cannot be written") from error


def _record(installed: Settings, event: str, authority: str, detail: Mapping[str, Any], *, actor: str = OPERATOR) -> bool:
    """Append to the journal; tell whether it could be. What was done is done either way."""
    try:
        engine = open_engine(installed.database)
        require_current(engine)
        with transaction(engine) as tx:
            journal.append(tx, [journal.Entry(at=_now(), event=event, actor=actor, authority=authority, detail=detail)])
    except GatewayError as error:
        print(f"not journalled ({error.code}): {event} {authority}", file=sys.stderr)
        return False
    return True


def _instant(text: str | None, option: str) -> datetime | None:
    return instant_of(text, option) if text is not None else None


def _now() -> datetime:
    return datetime.now(UTC)


def _told(document: Mapping[str, Any], sentence: str, *, as_json: bool) -> None:
    if as_json:
        print_json(document)
    else:
        console().print(sentence, markup=False)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    keys = typer.Typer(no_args_is_help=True, help="Make, list, renew and revoke the keys of this installation.")
    keys.command("new")(new_command)
    keys.command("certificate")(certificate_command)
    keys.command("list")(list_command)
    keys.command("rotate")(rotate_command)
    keys.command("revoke")(revoke_command)
    keys.command("publish")(publish_command)
    app.add_typer(keys, name="keys")
