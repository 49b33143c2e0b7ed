"""`gateway certs`: what is trusted and why not, and decisions of persons to bear with an outage."""

from datetime import datetime
from typing import Annotated, Any

import typer
from rich.markup import escape

from gateway import log
from gateway.cli.options import AtOption, ConfigOption, JsonOption, instant_of
from gateway.cli.output import console, print_json
from gateway.errors import NotFound, UnknownAuthority
from gateway.flow.graces import end_grace, give_grace
from gateway.partners import load as load_partners
from gateway.settings import Settings, load
from gateway.trust.certificates import TrustStore
from gateway.trust.expiry import LEADS, days_left
from gateway.trust.inspection import Inspected, Link, inspect
from gateway.trust.revocation.grace import Grace
from gateway.trust.revocation.sources import fingerprint
from gateway.trust.sealing_keys import SealingKey
from gateway.trust.strangers import UNNAMED, names
from gateway.wiring import build

_SHORTEST = 16  # hexadecimal digits of a fingerprint that stand for it


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    certs = typer.Typer(name="certs", no_args_is_help=True, help="Examine certificates, and bear with an outage of an issuer.")
    certs.command("check")(check)
    certs.command("grace")(grace)
    app.add_typer(certs)


def check(
    authority: Annotated[
        str | None, typer.Argument(metavar="[AUTHORITY]", help="Code of one authority. Default: all.", show_default=False)
    ] = None,
    at: AtOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Examine the pinned certificates and sealing keys, of one authority or of all: the chain, what is trusted, and why not.

    Exit 1 if a certificate within its time is not trusted, or an authority has no trusted certificate or sealing key.
    Nothing is fetched; the watch does that. It warns of a certificate whose subject would not tell a court whose it is.

    Example: `gateway certs check PK-MOI --at 2026-11-24T12:00:00Z`
    """
    instant = instant_of(at, "--at")
    trust = store(load(config))
    authorities = trust.authorities() if authority is None else (authority,)
    if authority is not None and authority not in trust.authorities():
        raise UnknownAuthority(f"no certificate is pinned for {authority}")
    found = [_of_authority(trust, each, instant) for each in authorities]
    result = {
        "at": instant,
        "trusted": bool(found) and all(each["trusted"] for each in found),
        "anchors": [_anchor(each, instant) for each in trust.loaded().anchors],
        "unusable": dict(trust.loaded().judge.evidence.unusable),
        "graces": [_grace(each) for each in trust.loaded().judge.graces.values()],
        "authorities": found,
    }
    if as_json:
        print_json(result)
    else:
        _tell(result)
    if not result["trusted"]:
        raise typer.Exit(1)


def grace(
    subject: Annotated[str, typer.Argument(metavar="CERTIFICATE-OR-AUTHORITY", help="SHA-256 fingerprint, or code.")],
    *,
    until: Annotated[str | None, typer.Option("--until", metavar="INSTANT", help="Last instant it covers.")] = None,
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="The person who decides; it stands in the journal.")],
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="The reason; it stands in the journal.")],
    end: Annotated[bool, typer.Option("--end", help="Take the decision back.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Let a certificate pass for a time although it is not known whether it was revoked; journalled with name and reason.

    For an outage of the issuer: a list that is out of date, or that cannot be fetched. What is known to be revoked stays
    refused. For an authority it covers the whole chain of each of its certificates. At most 30 days; give it again after that.

    Example: `gateway certs grace PK-MOI --until 2026-11-26T12:00:00Z --by "A. Officer" --why "Issuer announced an outage"`
    """
    if end == (until is not None):
        raise typer.BadParameter("give either --until or --end")
    settings = load(config)
    log.set_up(as_json=settings.log_json, level=30)
    runtime = build(settings, prepare_database=True)
    subject = _subject(runtime.trust, subject)
    if end:
        end_grace(runtime, subject, by=by, why=why)
        result: dict[str, Any] = {"subject": subject, "until": None, "by": by, "why": why}
    else:
        result = _grace(give_grace(runtime, subject, until=instant_of(until, "--until"), by=by, why=why))
    if as_json:
        print_json(result)
    elif end:
        console().print(f"{subject}: the grace is over")
    else:
        console().print(f"{subject}: passes until {result['until']:%Y-%m-%d %H:%M} UTC, decided by {escape(by)}")


def store(settings: Settings) -> TrustStore:
    """Return what this installation believes."""
    return TrustStore.load(settings.keys, revocation=settings.revocation, rules=load_partners(settings.partners).trust_rules())


def _subject(trust: TrustStore, given: str) -> str:
    """Return the authority or the fingerprint that was meant; the beginning of a fingerprint will do if it is the only one."""
    known = {fingerprint(each) for one in trust.loaded().pinned.values() for each in one.chain}
    found = [each for each in (*trust.authorities(), *known) if each == given]
    found = found or [each for each in known if len(given) >= _SHORTEST and each.startswith(given.lower())]
    if len(found) != 1:
        raise NotFound("this is no authority with a pinned certificate, and no fingerprint of one certificate in pinned/")
    return found[0]


def _of_authority(trust: TrustStore, authority: str, at: datetime) -> dict[str, Any]:
    found = inspect(trust, authority, at)
    keys = [_sealing(key, at) for key in trust.sealing_keys(authority)]
    good = [each for each in found if each.fault is None]
    return {
        "authority": authority,
        # An ended certificate or key beside the one in use is what a change of keys leaves behind.
        "trusted": bool(good)
        and all(each.fault is None or each.ended(at) for each in found)
        and any(key["usable"] for key in keys),
        "certificates": [_certificate(each, at) for each in found],
        "sealing_keys": keys,
    }


def _certificate(found: Inspected, at: datetime) -> dict[str, Any]:
    pinned = found.pinned
    return {
        "file": f"pinned/{pinned.file}",
        "fingerprint": pinned.fingerprint,
        "subject": pinned.subject,
        "algorithm": pinned.algorithm.name,
        "purpose": "signing documents",
        "development": pinned.development,
        "names_authority": names(pinned.chain, pinned.authority),
        "not_before": pinned.not_before,
        "not_after": pinned.not_after,
        "days_left": days_left(pinned.not_after, at),
        "trusted": found.fault is None,
        "code": found.fault.code if found.fault else None,
        "why": list(found.why),
        "chain": [_link(each) for each in found.links],
        "anchor": found.anchor.subject.rfc4514_string() if found.anchor else None,
    }


def _link(link: Link) -> dict[str, Any]:
    standing = link.standing
    return {
        "subject": link.certificate.subject.rfc4514_string(),
        "fingerprint": link.fingerprint,
        "not_after": link.certificate.not_valid_after_utc,
        "state": str(standing.state),
        "needed": link.needed,
        "source": str(standing.source) if standing.source else None,
        "this_update": standing.this_update,
        "next_update": standing.next_update,
        "revoked_at": standing.revoked_at,
        "why": standing.why,
        "grace": _grace(link.grace) if link.grace else None,
    }


def _sealing(key: SealingKey, at: datetime) -> dict[str, Any]:
    revoked = key.revoked_from
    usable = key.valid(at) and not key.revoked(at)
    return {
        "key_id": key.key_id,
        "suite": key.suite.name,
        "not_before": key.not_before,
        "not_after": key.not_after,
        "days_left": days_left(key.not_after, at),
        "usable": usable,
        "why": "the certificate that vouches for it is revoked" if revoked is not None and revoked <= at else None,
    }


def _anchor(certificate: Any, at: datetime) -> dict[str, Any]:
    return {
        "subject": certificate.subject.rfc4514_string(),
        "fingerprint": fingerprint(certificate),
        "not_after": certificate.not_valid_after_utc,
        "days_left": days_left(certificate.not_valid_after_utc, at),
    }


def _grace(found: Grace) -> dict[str, Any]:
    return {"subject": found.subject, "at": found.at, "until": found.until, "by": found.by, "why": found.why}


# --- for people -------------------------------------------------------------------------------------------------------


def _tell(result: dict[str, Any]) -> None:
    show = console().print
    for anchor in result["anchors"]:
        show(f"anchor  {escape(anchor['subject'])}, {_until(anchor)}")
    for authority in result["authorities"]:
        show(f"\n[bold]{authority['authority']}[/]  {_verdict(authority['trusted'])}")
        for certificate in authority["certificates"]:
            _tell_certificate(certificate)
        for key in authority["sealing_keys"]:
            note = "" if key["usable"] else f"  [red]not usable[/]{': ' + key['why'] if key['why'] else ''}"
            show(f"  sealing   {key['key_id']}, {key['suite']}, {_until(key)}{note}")
        if not authority["sealing_keys"]:
            show("  sealing   [red]none[/]; ask the partner for the document of its sealing key")
    for name, why in result["unusable"].items():
        show(f"[yellow]unusable[/]  revocation/{escape(name)}: {escape(why)}")
    for each in result["graces"]:
        show(f"grace  {each['subject'][:16]} {_passes(each)}: {escape(each['why'])}")
    show(f"\n{_verdict(result['trusted'])} as of {result['at']:%Y-%m-%d %H:%M:%S} UTC")


def _tell_certificate(certificate: dict[str, Any]) -> None:
    show = console().print
    show(
        f"  signing   {certificate['fingerprint'][:16]}, {certificate['algorithm']}, {_until(certificate)}  "
        f"{_verdict(certificate['trusted'])}" + ("  development only, proves nothing" * certificate["development"])
    )
    if not certificate["names_authority"]:
        show(f"            [yellow]{UNNAMED}[/]")
    for link in certificate["chain"]:
        colour = {"good": "green", "revoked": "red"}.get(
            link["state"], "red" if link["needed"] and not link["grace"] else "yellow"
        )
        show(f"            {escape(link['subject'])}")
        show(f"              revocation: [{colour}]{link['state']}[/], {escape(link['why'])}")
        if link["grace"]:
            show(f"              {_passes(link['grace'])}")
    if certificate["anchor"]:
        show(f"            {escape(certificate['anchor'])}  (anchor)")
    for why in certificate["why"]:
        show(f"            [red]{certificate['code']}[/]: {escape(why)}")


def _passes(given: dict[str, Any]) -> str:
    return f"passes until {given['until']:%Y-%m-%d %H:%M} UTC, decided by {escape(given['by'])}"


def _verdict(trusted: bool) -> str:
    return "[green]trusted[/]" if trusted else "[bold red]not trusted[/]"


def _until(shown: dict[str, Any]) -> str:
    left = shown["days_left"]
    if left < 0:
        return f"[red]ended on {shown['not_after']:%Y-%m-%d}[/]"
    words = f"until {shown['not_after']:%Y-%m-%d}, {left} days left"
    return f"[yellow]{words}[/]" if left < max(LEADS) else words
