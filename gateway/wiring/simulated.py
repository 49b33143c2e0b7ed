"""Builds the two gateways of a simulation in a folder of their own: databases, keys and all, thrown away afterwards."""

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from gateway.broker_settings import NO_ROUTES
from gateway.flow.loops import LOOPS
from gateway.flow.ports import Bell, Runtime
from gateway.settings import Settings
from gateway.simulation.cast import Cast, find_cast
from gateway.simulation.desk import Desk, DirectDesk, FilesDesk
from gateway.simulation.rig import Rig, Side, StandingClock
from gateway.simulation.run import STRANGER
from gateway.store.database import open_engine, upgrade
from gateway.transport.memory import MemoryHub, MemoryTransport
from gateway.transport.port import Transport
from gateway.trust.certificates import TrustStore
from gateway.trust.devca import make_development_keys
from gateway.trust.folder import CA, PRIVATE
from gateway.trust.vault import Vault
from gateway.wiring.broker import broker_transport
from gateway.wiring.runtime import build, utc_now
from gateway.wiring.signing import ring_of

BROKER_PATIENCE = 0.5  # seconds to wait for what a broker carries


def keys_of_attacker(folder: Path) -> Path:
    """Return the key folder of the played partner, who holds the development certificate authority too."""
    return folder / "theirs-keys"


@contextmanager
def folders_only(settings: Settings) -> Iterator[Runtime]:
    """Yield a runtime that knows partner folders, schemas and treaties of `settings`, and nothing else of the installation."""
    with TemporaryDirectory(prefix="gateway-folders-") as name:
        clock = StandingClock(utc_now())
        make_development_keys(Path(name) / "keys", (STRANGER,), clock())
        rt = _shared(settings, Path(name), clock)
        try:
            yield replace(rt, settings=replace(rt.settings, home=settings.home))
        finally:
            rt.engine.dispose()


@asynccontextmanager
async def simulated(
    settings: Settings, partner: str, folder: Path, *, counterpart: str | None, over: str, broker: str | None
) -> AsyncIterator[tuple[Rig, Cast]]:
    """Yield two gateways with keys that were made for this run, connected; `broker` is the AMQP address for `over` rabbitmq.

    Partner folders, schemas, treaties and the operator's own figures are those of `settings`; database, keys and broker of the
    installation are not touched. Raises what `find_cast` and `build` raise.
    """
    clock = StandingClock(utc_now().replace(microsecond=0))
    base, cast = _first(settings, partner, folder, counterpart, clock)
    hub = MemoryHub(clock)
    sides = []
    for name, authority in (("ours", cast.ours), ("theirs", cast.theirs)):
        carrier: Transport = (
            MemoryTransport(hub)
            if broker is None
            else broker_transport(replace(settings, broker=broker, routes=NO_ROUTES, name=f"simulation-{name}"))
        )
        sides.append(Side(rt=_side(base, name, authority, folder, carrier), authority=authority))
    ours, theirs = sides
    desk: Desk = DirectDesk(rt=theirs.rt, authority=cast.theirs)
    if over == "files":
        desk = FilesDesk(theirs.rt, cast.theirs, folder / "drop")
    rig = Rig(ours=ours, theirs=theirs, clock=clock, desk=desk, patience=0.0 if broker is None else BROKER_PATIENCE)
    try:
        for side in sides:
            await side.rt.transport.open((side.authority,))
        yield rig, cast
    finally:
        for side in sides:
            await side.rt.transport.close()
            side.rt.engine.dispose()


def _first(
    settings: Settings, partner: str, folder: Path, counterpart: str | None, clock: StandingClock
) -> tuple[Runtime, Cast]:
    """Build what both sides share: partner folders, schemas, treaties. It is what takes time."""
    keys = folder / "keys"
    make_development_keys(keys, (STRANGER,), clock())
    base = _shared(settings, folder, clock)
    base.engine.dispose()
    cast = find_cast(replace(base, settings=replace(base.settings, home=settings.home)), partner, counterpart)
    make_development_keys(keys, (cast.ours, cast.theirs), clock())
    for name, others in (("ours", (cast.theirs, STRANGER)), ("theirs", (cast.ours,))):
        own = folder / f"{name}-keys"
        shutil.copytree(keys, own)
        for other in others:
            for file in (own / PRIVATE).glob(f"{other}.*"):
                file.unlink()
    shutil.rmtree(folder / "ours-keys" / CA)
    return base, cast


def _shared(settings: Settings, folder: Path, clock: StandingClock) -> Runtime:
    """Build with the folders of `settings`; database and keys are below `folder`, and it is home to nobody."""
    keys = folder / "keys"
    changes = {
        "home": (),
        "keys": keys,
        "case_keys": None,
        "signer": None,
        "database": f"sqlite:///{folder / 'shared.sqlite3'}",
        "broker": "memory",
        "timestamp_authorities": (),
        "environment": "development",
        "drop_folder": None,
        "host": "127.0.0.1",
        "port": 0,
        "secure_cookies": False,
        "parse_isolated": False,
    }
    values = {name: getattr(settings, name) for name in Settings.__slots__}
    return build(Settings(**values | changes), clock=clock, prepare_database=True)


def _side(base: Runtime, name: str, authority: str, folder: Path, carrier: Transport) -> Runtime:
    keys = folder / f"{name}-keys"
    values = {each: getattr(base.settings, each) for each in Settings.__slots__}
    database = f"sqlite:///{folder / name}.sqlite3"
    settings = Settings(**values | {"name": f"simulation-{name}", "home": (authority,), "keys": keys, "database": database})
    engine = open_engine(database)
    upgrade(engine)
    return replace(
        base,
        settings=settings,
        engine=engine,
        trust=TrustStore.load(keys, revocation="off", rules=base.partners.trust_rules()),
        ring=ring_of(tuple(LOOPS), settings, base.clock),
        vault=Vault.load(keys, settings.case_key_folder),
        transport=carrier,
        bell=Bell(),
        authorities=(),
    )
