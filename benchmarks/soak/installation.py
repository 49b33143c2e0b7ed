"""The two installations of the soak: servers, networks, settings, databases, keys of the API."""

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway.settings import data_folder
from gateway.store import accounts
from gateway.store.database import open_engine, transaction, upgrade
from gateway.transport.node import PrivateNode, free_ports
from gateway.trust.devca import make_development_keys
from soak.postgres import PrivatePostgres, SmallDisk
from soak.worker import ClockFile
from tests.tcp_proxy import TcpProxy

HOMES = {"west": "AT-BMI", "east": "RS-MUP"}
SILENT = "BA-MS"  # has a queue and nobody who reads it
# A row is parked after the last of these; an outage of the soak is shorter than all of them together.
RETRY_SECONDS = (1, 2, 3, 5, 8, 13) + (20,) * 12
STATES = ("at", "rs", "ba")
SCOPES = ("submit", "inbox", "cases", "queues")


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One installation, with the networks between it and its servers."""

    name: str
    authority: str
    config: Path  # as its processes use it
    direct: Path  # the same, past the proxies
    url: str  # of its API
    key: str
    database: str  # its URL, past the proxies
    to_broker: TcpProxy
    to_database: TcpProxy
    clock_file: Path
    clock: ClockFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Installations:
    """Everything that was set up."""

    folder: Path
    disk: SmallDisk
    node: PrivateNode
    postgres: PrivatePostgres
    sides: dict[str, Side]


@contextmanager
def installations() -> Iterator[Installations]:
    """Start the servers and make both installations; nothing of them runs yet. Everything is removed at the end."""
    with ExitStack() as stack:
        disk = SmallDisk()
        stack.callback(disk.remove)
        postgres = stack.enter_context(PrivatePostgres(disk.folder / "postgres"))
        node = stack.enter_context(PrivateNode())
        _copy_partners(disk.folder / "partners")
        keys = disk.folder / "keys"
        make_development_keys(keys, [*HOMES.values(), SILENT], datetime.now(UTC))
        sides = {}
        for name, authority in HOMES.items():
            to_broker = stack.enter_context(TcpProxy(*node.address))
            to_database = stack.enter_context(TcpProxy("127.0.0.1", postgres.port))
            sides[name] = _side(name, authority, disk.folder, postgres, node, to_broker, to_database)
        yield Installations(folder=disk.folder, disk=disk, node=node, postgres=postgres, sides=sides)


def _copy_partners(folder: Path) -> None:
    """Copy what installations need that exchange with two partners: to read the folders of all states is most of a start."""
    shipped = data_folder("partners")
    for state in STATES:
        shutil.copytree(shipped / state, folder / state)
    for kind, names in (("treaties", ("eu-rs", "eu-ba")), ("calendars", STATES)):
        for name in names:
            (folder / kind).mkdir(exist_ok=True)
            shutil.copy(shipped / kind / f"{name}.toml", folder / kind)
            if (shipped / kind / name).is_dir():
                shutil.copytree(shipped / kind / name, folder / kind / name)


def _side(
    name: str,
    authority: str,
    folder: Path,
    postgres: PrivatePostgres,
    node: PrivateNode,
    to_broker: TcpProxy,
    to_database: TcpProxy,
) -> Side:
    database = f"soak_{name}"
    postgres.create(database)
    (port,) = free_ports(1)
    settings = {
        "name": name,
        "home": [authority],
        "partners": str(folder / "partners"),
        "keys": str(folder / "keys"),
        "database": postgres.url(database, to_database.port),
        "broker": node.url.replace(f":{node.address[1]}/", f":{to_broker.port}/"),
        "port": port,
        "retry_seconds": RETRY_SECONDS,
        "watch_seconds": 2,
        "root_seconds": 5,
        "secure_cookies": False,
        "log_json": True,
    }
    key = _prepare(postgres.url(database), authority)
    clock_file = folder / f"{name}.clock"
    return Side(
        name=name,
        authority=authority,
        config=_write(folder / f"{name}.toml", settings),
        direct=_write(folder / f"{name}-direct.toml", settings | {"database": postgres.url(database), "broker": node.url}),
        url=f"http://127.0.0.1:{port}",
        key=key,
        database=postgres.url(database),
        to_broker=to_broker,
        to_database=to_database,
        clock_file=clock_file,
        clock=ClockFile(clock_file),
    )


def _prepare(database: str, authority: str) -> str:
    """Run the migrations and make a key for the authority's system; return it."""
    engine, now = open_engine(database), datetime.now(UTC)
    upgrade(engine)
    with transaction(engine) as tx:
        key = accounts.add_api_key(tx, authority=authority, scopes=SCOPES, at=now, ends_at=now + timedelta(days=30))
    engine.dispose()
    return key


def _write(file: Path, settings: dict[str, object]) -> Path:
    file.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items()), encoding="utf-8")
    file.chmod(0o600)
    return file
