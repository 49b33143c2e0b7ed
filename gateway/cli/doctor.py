"""`gateway doctor`: each part of an installation is ok, or it says what to do."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

import typer

from gateway import log
from gateway.cli.options import ConfigOption, JsonOption
from gateway.cli.output import console, print_json
from gateway.domain.partner_decisions import Decided
from gateway.errors import EvidenceStopped, GatewayError, Misconfigured, TimestampUnavailable, Unavailable
from gateway.flow.connections import connect
from gateway.partners import load as load_partners
from gateway.partners import trust_rules
from gateway.partners.calendar_changes import CalendarBook
from gateway.partners.treaties import load_treaties
from gateway.settings import Settings, load
from gateway.store import partner_decisions, passes, rights, roots
from gateway.store.database import open_engine, reading, require_current, transaction, upgrade, version
from gateway.trust import authorities, foreign
from gateway.trust.certificates import TrustStore
from gateway.trust.expiry import in_use
from gateway.trust.hardware import HardwareKey
from gateway.trust.held import HeldKeys
from gateway.trust.inspection import inspect
from gateway.trust.remote import RemoteKeys
from gateway.trust.signer import PAGES_SOCKET
from gateway.wire.schema import SchemaSet
from gateway.wire.translate import Translator
from gateway.wiring import SCHEMA_VERSION, transport, utc_now
from gateway.wiring.broker import unprotected

SOON = timedelta(days=60)
_HERE = {"127.0.0.1", "::1", "localhost"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One examined part."""

    part: str
    ok: bool
    what: str  # what was found, or what to do
    exit_code: int = 0


def _database(settings: Settings) -> str:
    engine = open_engine(settings.database)
    require_current(engine)
    return f"{engine.dialect.name}, at version {version(engine)}"


def _journal(settings: Settings) -> str:
    """Look whether the database guards the journal, from its own service too."""
    engine = open_engine(settings.database)
    require_current(engine)
    with reading(engine) as tx:
        missing, may_change = rights.missing_triggers(tx), rights.may_change_journal(tx)
    if missing:
        raise Misconfigured(f"the journal is not guarded any more: the trigger {missing[0]} is missing or switched off")
    if engine.dialect.name == "sqlite":
        return "append-only by triggers; for an installation in production use PostgreSQL with two roles"
    if may_change:
        return (
            "append-only by triggers. WARNING: this role could remove them; run the gateway as deploy/postgres/roles.sql says"
        )
    return "append-only; this role can add entries and change none"


def _broker(settings: Settings) -> str:
    engine = open_engine(settings.database)
    if settings.broker == "embedded":
        require_current(engine)  # the queue lies in the database

    async def reach() -> int:
        carrier = transport(settings, engine, utc_now)
        await carrier.open(settings.home)
        try:
            return len(await carrier.states())
        finally:
            await carrier.close()

    return f"{settings.broker.partition(':')[0]}, {asyncio.run(reach())} queues"


def _edges(settings: Settings) -> str:
    """Look whether the system of each home authority can be reached as it is to be."""
    known, told, errors = load_partners(settings.partners), [], []
    for authority in settings.home:
        try:
            edge = connect(authority, known.authority(authority).edge, settings, utc_now)
            try:
                told.append(f"{authority} {edge.examine()}")
            finally:
                edge.close()
        except (Unavailable, Misconfigured) as error:
            errors.append(error)
    if errors:
        worst = max(errors, key=lambda error: error.exit_code)
        raise type(worst)("; ".join(error.message for error in errors))
    return "; ".join(told) or "no home authority"


def _network(settings: Settings) -> str:
    """Look at what goes over a network, and whether it is protected there."""
    plain = [] if settings.broker in {"embedded", "memory"} else unprotected(settings)  # raises unless it is allowed
    place = urlsplit(settings.database)
    tls = parse_qs(place.query).get("sslmode", [""])[0] in {"verify-full", "verify-ca"}
    if place.hostname is not None and place.hostname not in _HERE and not tls:
        raise Misconfigured("the database is on another machine and the way there is not protected; use sslmode=verify-full")
    if settings.host not in _HERE and not settings.secure_cookies:
        raise Misconfigured("pages are offered to other machines over plain http; set secure_cookies and put TLS in front")
    told = f"listens on {'this machine only' if settings.host in _HERE else settings.host}"
    return f"{told}. WARNING: broker_plain lets messages travel without TLS: {', '.join(plain)}" if plain else told


def _clock(_settings: Settings) -> str:
    now = utc_now()
    written = max(path.stat().st_mtime for path in Path(__file__).resolve().parent.glob("*.py"))
    if now.timestamp() < written:
        raise Misconfigured("the clock of this machine stands before this program was installed; set it")
    return f"{now:%Y-%m-%d %H:%M:%S} UTC"


def _schemas(settings: Settings) -> str:
    schemas = SchemaSet.load(settings.schemas / SCHEMA_VERSION)
    partners = load_partners(settings.partners)
    dialects = [dialect for partner in partners.partners.values() for dialect in partner.dialects.values()]
    for dialect in dialects:
        Translator.compile(dialect, schemas)
    return f"{SCHEMA_VERSION}, {len(partners.partners)} partners, {len(dialects)} dialects"


def _trust(settings: Settings) -> str:
    rules = load_partners(settings.partners).trust_rules()
    foreign.require(sorted({name for each in rules.values() for name in each.foreign}))
    trust = TrustStore.load(settings.keys, revocation=settings.revocation, rules=rules)
    development = any(pinned.development for code in trust.authorities() for pinned in trust.pinned(code))
    if not trust.authorities():
        raise Misconfigured(
            "no authority's certificate is pinned; run: gateway keys new --development, or install the partners' certificates"
        )
    first = in_use(trust)[0]
    whose = f"{first.kind} {first.key[:16]}" + (f" of {first.authority}" if first.authority else "")
    if first.stage(utc_now()) is not None:
        raise Misconfigured(f"{whose} ends on {first.not_after:%Y-%m-%d}; get the next one; run: gateway certs check")
    kind = "DEVELOPMENT keys, never for production" if development else "production keys"
    return f"{kind}; {len(trust.authorities())} authorities; {whose} ends first, on {first.not_after:%Y-%m-%d}"


def _revocation(settings: Settings) -> str:
    """Look at the certificates within their time: each must be trusted, so that messages of its authority are taken."""
    trust, now = TrustStore.load(settings.keys, revocation=settings.revocation), utc_now()
    found = [each for code in trust.authorities() for each in inspect(trust, code, now) if not each.ended(now)]
    faults = [each.fault for each in found if each.fault is not None]
    if faults:
        more = f" ({len(faults)} certificates in all)" if len(faults) > 1 else ""
        what = f"{faults[0].message}{more}; run: gateway certs check"
        raise type(faults[0])(what) if isinstance(faults[0], Unavailable) else Misconfigured(what)
    bare = sum(1 for each in found if not each.links[0].standing.offered)
    borne = sorted({link.grace.subject[:16] for each in found for link in each.links if link.grace})
    notes = [f"{len(found)} certificates trusted", f"{bare} cannot be revoked"]
    notes += [f"by grace only: {', '.join(borne)}"] if borne else []
    notes += ["revocation is switched off"] if settings.revocation == "off" else []
    return "; ".join(notes)


def _keys(settings: Settings) -> str:
    """Have every home authority sign something that means nothing: a key that is listed may still not answer."""
    now = utc_now()
    if settings.signer is not None:
        remote = RemoteKeys(path=settings.signer / PAGES_SOCKET)
        for authority in settings.home:
            remote.key(authority, now)
        return f"the signer holds those of {', '.join(remote.authorities())}; no other process holds any"
    rules = load_partners(settings.partners).trust_rules()
    held, places = HeldKeys.load(settings.keys, os.environ), []
    for authority in settings.home:
        key = held.key(authority, now)
        if not rules.get(authority, trust_rules.DEFAULT).allows_signature(key.algorithm.name, now):
            raise Misconfigured(f"the partner folder of {authority} does not allow {key.algorithm.name}, which its key is for")
        key.sign(b"readmission-gateway doctor 1\n")
        places.append(f"{authority} in a {'token' if isinstance(key, HardwareKey) else 'file'}")
    where = ", ".join(places) or "of no home authority"
    return f"{where}; API and pages hold none: their process starts a signer (setting signer: one for all processes)"


def _evidence(settings: Settings) -> str:
    """Ask every timestamp authority for a timestamp, and look at how long the journal has waited for one."""
    asked = authorities.named(settings.timestamp_authorities, settings.keys, utc_now)
    if not asked:
        return "no timestamp authority: evidence of time rests on the gateway's own clock"
    anchors, silent = TrustStore.load(settings.keys).timestamp_anchors, []
    for authority in asked:
        try:
            authorities.obtain(b"gateway doctor", [authority], anchors, utc_now)
        except TimestampUnavailable:
            silent.append(authority.name)
    if len(silent) == len(asked):
        raise TimestampUnavailable(f"no good timestamp from {', '.join(silent)}; see the log lines above")
    told = f"{len(asked)} timestamp authorities" if len(asked) > 1 else f"timestamps by {asked[0].name}"
    if not settings.timestamp_authorities:
        told += ", which prove nothing: the setting timestamp_authorities names none"
    return told + (f"; no good timestamp from {', '.join(silent)}" if silent else "") + _waiting(settings)


def _waiting(settings: Settings) -> str:
    engine = open_engine(settings.database)
    require_current(engine)
    with reading(engine) as tx:
        oldest, newest = roots.oldest_unproven(tx), roots.newest_stamp(tx)
    if settings.timestamp_authorities and oldest and utc_now() - oldest >= timedelta(hours=settings.evidence_hours):
        raise EvidenceStopped(
            f"nothing recorded since {oldest:%Y-%m-%d %H:%M} UTC has a timestamp; does gateway run watch run?"
        )
    return f"; newest over the journal of {newest.at:%Y-%m-%d %H:%M:%S} UTC" if newest else ""


def _treaties(settings: Settings) -> str:
    treaties = load_treaties(settings.partners / "treaties", settings.overrides)
    unknown = sum(1 for treaty in treaties.values() for limit in treaty.limits if limit.amount is None)
    return f"{len(treaties)} treaties; {unknown} limits not verified (shown as not known)"


def _calendars(settings: Settings) -> str:
    """Look at the calendars that partner folders name: those of home authorities must last, of the others it is told."""
    calendars = CalendarBook(settings.partners / "calendars", settings.calendar_changes)
    known = load_partners(settings.partners).authorities
    wanted = {authority.calendar for authority in known.values()}
    if missing := sorted(wanted - set(calendars)):
        raise Misconfigured(f"there is no calendar {missing[0]!r}, which a partner folder names")
    ending = [calendars[name] for name in sorted(wanted) if calendars[name].known_until - utc_now().date() < SOON]
    ours = {known[code].calendar for code in settings.home}
    for calendar in ending:
        if calendar.id in ours:
            raise Misconfigured(f"the calendar {calendar.id} ends on {calendar.known_until}; install a longer one")
    told = [f"{each.id} ends on {each.known_until}: no deadline of that state reaches further" for each in ending]
    return "; ".join([f"{len(calendars)} calendars, {len(wanted)} in use", *told])


def _exchange(settings: Settings) -> str:
    """Look at what was decided about partners: in production nothing goes on with the others."""
    engine = open_engine(settings.database)
    require_current(engine)
    with reading(engine) as tx:
        decided = Decided.of(partner_decisions.every(tx))
        ends = {row.partner: row.ends_at for row in reversed(passes.of(tx))}
    stopped = f"; SUSPENDED: {', '.join(str(each.scope) for each in decided.suspended)}" if decided.suspended else ""
    if settings.environment == "development":
        return f"environment development: every partner is usable, NEVER so in production{stopped}"
    if not decided.production:
        raise Misconfigured("environment production, but no partner is in production; run: gateway partner production CODE")
    now = utc_now()
    old = [code for code in sorted(decided.production) if code not in ends or ends[code] <= now]
    told = f"; without a current conformance pass: {', '.join(old)}" if old else ""
    return f"environment production; in production: {', '.join(sorted(decided.production))}{told}{stopped}"


PARTS: dict[str, Callable[[Settings], str]] = {
    "database": _database,
    "journal": _journal,
    "broker": _broker,
    "edges": _edges,
    "network": _network,
    "clock": _clock,
    "schemas": _schemas,
    "trust": _trust,
    "revocation": _revocation,
    "keys": _keys,
    "evidence": _evidence,
    "treaties": _treaties,
    "calendars": _calendars,
    "exchange": _exchange,
}


def _examine(part: str, look: Callable[[Settings], str], settings: Settings) -> Finding:
    try:
        return Finding(part=part, ok=True, what=look(settings))
    except GatewayError as error:
        return Finding(part=part, ok=False, what=f"{error.code}: {error.message}", exit_code=error.exit_code)


def _migrate(settings: Settings) -> None:
    engine = open_engine(settings.database)
    upgrade(engine)
    if settings.service_role:
        with transaction(engine) as tx:
            rights.grant(tx, settings.service_role)


def doctor(
    migrate: Annotated[bool, typer.Option("--upgrade", help="Run the database migrations of this version first.")] = False,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Examine this installation; each part is ok, or the line says what to do.

    Exit 0 when all is well, otherwise the highest code found (3 something outside, 4 this installation).
    Example: `gateway doctor --config gateway.toml`
    """
    settings = load(config)
    log.set_up(as_json=settings.log_json, level=30)  # why a timestamp authority is silent
    if migrate:
        _migrate(settings)
    home = ", ".join(settings.home) or "no authority yet"
    findings = [Finding(part="settings", ok=True, what=f"home to {home}")]
    findings += [_examine(part, look, settings) for part, look in PARTS.items()]
    if json:
        print_json({"ok": all(found.ok for found in findings), "parts": [asdict(found) for found in findings]})
    else:
        for found in findings:
            console().print(f"{'[green]ok  [/]' if found.ok else '[red]FAIL[/]'} {found.part:<10} {found.what}")
    worst = max(found.exit_code for found in findings)
    if worst:
        raise typer.Exit(worst)


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("doctor")(doctor)
