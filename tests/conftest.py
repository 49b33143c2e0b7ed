"""Fixtures for all tests: a clock that moves when told, private servers, databases with all migrations."""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import settings

from gateway.errors import BrokerMissing
from tests.paper import NO_PANGO
from tests.servers import Databases, shared, start_postgres, start_rabbitmq, worker
from tests.softhsm import NO_SOFTHSM, SoftHsm, SoftHsmMissingError
from tests.softhsm import start as start_softhsm

# Properties are tried on the same examples every time, however slow the machine is. To look for others:
# `pytest --hypothesis-profile=default -m 'not browser'`.
settings.register_profile("same", derandomize=True, deadline=None)
if settings.get_current_profile_name() == "default":
    settings.load_profile("same")

_NO_RABBITMQ = "RabbitMQ is not there: "
_MISSING = {"PDF forms": NO_PANGO, "RabbitMQ": _NO_RABBITMQ, "SoftHSM": NO_SOFTHSM}


@pytest.fixture(autouse=True)
def _log_as_it_was() -> Iterator[None]:
    """Undo what a command run inside the test process set the log to: the next test reads the log too."""
    yield
    structlog.reset_defaults()


class MovableClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> datetime:
        """Move by days, hours, minutes or seconds; return the new instant."""
        self.now += timedelta(**by)
        return self.now


@pytest.fixture
def clock() -> MovableClock:
    """2026-06-01 10:15 in Sarajevo, Belgrade and Vienna."""
    return MovableClock(datetime(2026, 6, 1, 8, 15, tzinfo=UTC))


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of this run see."""
    base = tmp_path_factory.getbasetemp()
    return base if worker() == "main" else base.parent


# --- PostgreSQL -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def postgres(shared_folder: Path) -> Iterator[Databases]:
    """The private PostgreSQL of this run."""
    with shared(shared_folder, "postgres", start_postgres) as facts:
        yield Databases(facts["url"])


@pytest.fixture
def postgres_url(postgres: Databases) -> Iterator[str]:
    """A fresh, empty database."""
    name = postgres.create()
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture(scope="session")
def migrated_postgres(postgres: Databases) -> Iterator[str]:
    """The name of a database with all migrations, to be copied."""
    from gateway.store.database import open_engine, upgrade

    name = postgres.create()
    engine = open_engine(postgres.url(name))
    upgrade(engine)
    engine.dispose()  # a template must have no visitors
    yield name
    postgres.drop(name)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with all migrations, to be copied."""
    from gateway.store.database import open_engine, upgrade

    path = tmp_path_factory.mktemp("migrated") / "gateway.sqlite3"
    engine = open_engine(f"sqlite:///{path}")
    upgrade(engine)
    engine.dispose()
    return path


@pytest.fixture
def sqlite_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """A fresh SQLite database with all migrations."""
    return f"sqlite:///{shutil.copy(migrated_sqlite, tmp_path / 'gateway.sqlite3')}"


@pytest.fixture
def migrated_postgres_url(postgres: Databases, migrated_postgres: str) -> Iterator[str]:
    """A fresh PostgreSQL database with all migrations."""
    name = postgres.create(template=migrated_postgres)
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh database with all migrations, on SQLite and on PostgreSQL."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "migrated_postgres_url")
    return url


@pytest.fixture
def engine(database_url: str) -> Iterator[Any]:
    """An engine on a fresh database with all migrations, on SQLite and on PostgreSQL."""
    from gateway.store.database import open_engine

    opened = open_engine(database_url)
    yield opened
    opened.dispose()


# --- RabbitMQ ---------------------------------------------------------------------------------------------------------


def without_rabbitmq(error: BrokerMissing) -> None:
    """Skip, and count it at the end; fail where RabbitMQ is required."""
    if os.environ.get("CI") == "true" or os.environ.get("GATEWAY_REQUIRE_RABBITMQ") == "1":
        pytest.fail(_NO_RABBITMQ + error.message)
    pytest.skip(_NO_RABBITMQ + error.message)


@pytest.fixture(scope="session")
def rabbitmq(shared_folder: Path) -> Iterator[str]:
    """AMQP URL of a virtual host for this worker on the private RabbitMQ of this run."""
    try:
        with shared(shared_folder, "rabbitmq", start_rabbitmq) as urls:
            yield urls[worker()]
    except BrokerMissing as error:
        without_rabbitmq(error)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a server, so that it can be left out with -m."""
    for item in items:
        names = set(getattr(item, "fixturenames", ()))
        if names & {"rabbitmq", "own_node", "cluster", "two_nodes"}:
            item.add_marker(pytest.mark.rabbitmq)
        if names & {"postgres", "postgres_url", "migrated_postgres_url"}:
            item.add_marker(pytest.mark.postgres)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: Any) -> Iterator[None]:
    """Say last of all how many tests did not run for want of a server or library: a short green line must not hide them."""
    yield
    for name, words in _MISSING.items():
        reasons = [
            report.longrepr[2].partition(words)[2]
            for report in terminalreporter.stats.get("skipped", [])
            if isinstance(report.longrepr, tuple) and words in report.longrepr[2]
        ]
        if reasons:
            terminalreporter.write_line(f"{name}: {len(reasons)} tests skipped because {reasons[0]}", yellow=True)


# --- SoftHSM ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def softhsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoftHsm]:
    """A PKCS#11 token of this worker."""
    folder = tmp_path_factory.mktemp("softhsm")
    try:
        token = start_softhsm(folder)
    except SoftHsmMissingError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(NO_SOFTHSM + str(error))
        pytest.skip(NO_SOFTHSM + str(error))
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(token.configuration)  # read when the library is initialised, by us and by children
    yield token
    if before is None:
        del os.environ["SOFTHSM2_CONF"]
    else:
        os.environ["SOFTHSM2_CONF"] = before


# --- gateways ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Development keys for the authorities of the tests, made once. Whoever changes keys copies the folder first."""
    from tests.gateways import make_keys

    folder = make_keys(tmp_path_factory.mktemp("keys") / "dev", datetime(2026, 1, 1, tzinfo=UTC))
    _SHARED_KEYS[folder] = _pinned_in(folder)
    return folder


_SHARED_KEYS: dict[Path, list[str]] = {}


def _pinned_in(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "pinned").iterdir())


@pytest.fixture(autouse=True)
def _shared_keys_as_they_were() -> Iterator[None]:
    """Fail the test that lays a pin into the keys that all tests of a process share: a later one would fail for it."""
    yield
    for folder, before in _SHARED_KEYS.items():
        _SHARED_KEYS[folder] = _pinned_in(folder)  # only the one that did it fails
        assert _SHARED_KEYS[folder] == before, "this test changed the shared key folder: copy it first"


@pytest.fixture
async def gateway(sqlite_url: str, keys: Path, clock: MovableClock) -> Any:
    """One gateway that is home to all four authorities, on SQLite."""
    from gateway.transport.memory import MemoryHub
    from tests.gateways import AUTHORITIES, make_gateway

    made = await make_gateway(sqlite_url, keys, clock, home=AUTHORITIES, hub=MemoryHub(clock)).open()
    yield made
    made.rt.engine.dispose()


@pytest.fixture
async def two_gateways(migrated_sqlite: Path, tmp_path: Path, keys: Path, clock: MovableClock) -> Any:
    """Two gateways with a database each: the west is home to BA-MS and AT-BMI, the east to PK-MOI and RS-MUP."""
    from gateway.transport.memory import MemoryHub
    from tests.gateways import make_gateway

    hub = MemoryHub(clock)
    sides = []
    for name, home in (("west", ("BA-MS", "AT-BMI")), ("east", ("PK-MOI", "RS-MUP"))):
        url = f"sqlite:///{shutil.copy(migrated_sqlite, tmp_path / f'{name}.sqlite3')}"
        sides.append(await make_gateway(url, keys, clock, home=home, hub=hub).open())
    yield tuple(sides)
    for side in sides:
        side.rt.engine.dispose()


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path, keys: Path) -> Any:
    """A genuine case file, made once."""
    from tests.packs import make_sample

    return make_sample(tmp_path_factory.mktemp("sample"), migrated_sqlite, keys)
