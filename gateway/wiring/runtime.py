"""Builds a `Runtime` from `Settings`; the only module that knows every adapter."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime

from gateway.errors import SettingsInvalid, UnknownAuthority
from gateway.flow.directory import Directory
from gateway.flow.loops import LOOPS
from gateway.flow.ports import Clock, Runtime
from gateway.partners.calendar_changes import CalendarBook
from gateway.settings import Settings
from gateway.store.database import Database, open_engine, require_current, upgrade
from gateway.store.queue import DatabaseQueue
from gateway.transport.embedded import EmbeddedTransport
from gateway.transport.memory import MemoryHub, MemoryTransport
from gateway.transport.port import Transport
from gateway.trust import authorities, foreign
from gateway.trust.certificates import TrustStore
from gateway.trust.keys import KeyRing
from gateway.trust.vault import Vault
from gateway.wire.allowed import AllowedFields
from gateway.wire.schema import SchemaSet
from gateway.wiring.signing import ring_of

SCHEMA_VERSION = "readmission/1.0"


def utc_now() -> datetime:
    """Return the time of this machine; everything else takes a clock as argument."""
    return datetime.now(UTC)


def transport(settings: Settings, engine: Database, clock: Clock) -> Transport:
    """Return the transport that the settings name. Raises `SettingsInvalid` for an address that may not be used."""
    if settings.routes and settings.broker in {"embedded", "memory"}:
        raise SettingsInvalid("routes lead to RabbitMQ: they need a broker of that kind")
    if settings.broker == "embedded":
        return EmbeddedTransport(DatabaseQueue(engine), clock=clock)
    if settings.broker == "memory":
        return MemoryTransport(MemoryHub(clock=clock))
    from gateway.wiring.broker import broker_transport  # noqa: PLC0415  # the embedded queue needs no broker's library

    return broker_transport(settings)


def build(
    settings: Settings, *, clock: Clock = utc_now, prepare_database: bool = False, ring: KeyRing | None = None
) -> Runtime:
    """Return a runtime; nothing runs yet. `ring` holds the keys; not given: all that this installation has.

    With `prepare_database` the migrations are run first (the embedded default, demonstrations and tests); otherwise a
    database that lacks them stops the start. Raises `Misconfigured` for anything this installation lacks.
    """
    schemas = SchemaSet.load(settings.schemas / SCHEMA_VERSION)
    directory = Directory.open(settings.partners, settings.overrides, schemas)
    partners = directory.known.partners
    for code in settings.home:
        try:
            directory.known.translators[partners.authority(code).dialect]
        except UnknownAuthority as error:
            raise SettingsInvalid(f"home names the authority {code}, which no partner folder has") from error
    rules = partners.trust_rules()
    foreign.require(sorted({name for each in rules.values() for name in each.foreign}))
    engine = open_engine(settings.database)
    if prepare_database:
        upgrade(engine)
    else:
        require_current(engine)
    return Runtime(
        settings=settings,
        clock=clock,
        engine=engine,
        directory=directory,
        calendars=CalendarBook(settings.partners / "calendars", settings.calendar_changes),
        schemas=schemas,
        allowed=AllowedFields.load(settings.schemas / SCHEMA_VERSION),
        trust=TrustStore.load(settings.keys, revocation=settings.revocation, rules=rules),
        ring=ring or ring_of(tuple(LOOPS), settings, clock),
        vault=Vault.load(settings.keys, settings.case_key_folder),
        transport=transport(settings, engine, clock),
        screen=_screen(settings),
        authorities=authorities.named(settings.timestamp_authorities, settings.keys, clock),
    )


def _screen(settings: Settings) -> Callable[[bytes], None] | None:
    if not settings.parse_isolated:
        return None
    if not sys.platform.startswith("linux"):
        raise SettingsInvalid("parse_isolated needs Linux")
    from gateway.wire.screen import Screen  # noqa: PLC0415  # exists on Linux only

    return Screen(settings.schemas / SCHEMA_VERSION)
