"""What holds on a machine on which nobody has decided anything yet: no default password, no open door, no secret shown."""

import ssl
import stat
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import aiormq
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from gateway.cli.doctor import PARTS, _examine
from gateway.cli.serve import server
from gateway.errors import SettingsInvalid
from gateway.settings import Settings
from gateway.store.columns import metadata
from gateway.store.database import open_engine, reading
from gateway.trust.devca import make_development_keys
from gateway.web.access import SECURITY_HEADERS
from gateway.wiring import build
from tests.running import call, run, running, write_settings

SECRET = "correct-horse-battery"  # in addresses; must never be shown


@pytest.fixture
def fresh(tmp_path: Path, keys: Path) -> Path:
    """A settings file for a gateway that has never run: its database does not exist."""
    return write_settings(tmp_path, keys)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, keys: Path) -> Iterator[TestClient]:
    """A browser, or a system, before a gateway that has just been installed."""
    place = tmp_path_factory.mktemp("installed") / "new" / "gateway.sqlite3"
    rt = build(Settings(home=("BA-MS",), keys=keys, database=f"sqlite:///{place}"), prepare_database=True)
    yield TestClient(server(rt).config.app, base_url="https://gateway.example")
    rt.engine.dispose()


# --- passwords, keys, accounts ----------------------------------------------------------------------------------------


def test_nobody_can_sign_in_before_an_account_was_made(client: TestClient) -> None:
    engine = client.app.state.runtime.engine
    with reading(engine) as tx:
        for table in ("accounts", "api_keys", "sessions"):
            assert tx.execute(select(func.count()).select_from(metadata.tables[table])).scalar_one() == 0


@pytest.mark.parametrize("authorization", [None, "Bearer ", "Bearer admin", "Basic YWRtaW46YWRtaW4="])
def test_the_api_knows_no_key_before_one_was_made(client: TestClient, authorization: str | None) -> None:
    headers = {"authorization": authorization} if authorization else {}
    for path in ("/api/v1/inbox", "/api/v1/cases", "/api/v1/deadlines", "/api/v1/queues"):
        assert client.get(path, headers=headers).status_code == 401


def test_keys_of_two_installations_have_nothing_in_common(tmp_path: Path) -> None:
    held: list[set[bytes]] = []
    for name in ("one", "two"):
        make_development_keys(tmp_path / name, ["BA-MS"], datetime.now(UTC))
        held.append({path.read_bytes() for path in (tmp_path / name).rglob("*") if path.is_file()})
    assert not held[0] & held[1]


def test_no_private_key_lies_in_the_repository() -> None:
    root = Path(__file__).resolve().parents[2]
    for folder in ("gateway", "partners", "schemas", "deploy", "scripts", "benchmarks", "docs", "tests"):
        for path in (root / folder).rglob("*"):
            if path.is_file() and path.suffix not in {".pyc", ".png"} and path != Path(__file__).resolve():
                assert b"BEGIN " + b"PRIVATE KEY" not in path.read_bytes(), path


# --- files ------------------------------------------------------------------------------------------------------------


def test_the_database_is_made_for_its_user_alone(tmp_path: Path) -> None:
    place = tmp_path / "new" / "gateway.sqlite3"
    engine = open_engine(f"sqlite:///{place}")
    with engine.begin() as tx:
        tx.exec_driver_sql("create table t (x)")
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in place.parent.iterdir()}
    engine.dispose()
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
    assert set(modes) >= {"gateway.sqlite3", "gateway.sqlite3-wal"}
    assert set(modes.values()) == {0o600}


def test_rights_that_somebody_gave_the_database_are_kept(tmp_path: Path) -> None:
    place = tmp_path / "gateway.sqlite3"
    place.touch(mode=0o640)
    open_engine(f"sqlite:///{place}").dispose()
    assert stat.S_IMODE(place.stat().st_mode) == 0o640


def test_development_keys_are_made_for_their_user_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = write_settings(tmp_path, tmp_path / "keys")
    assert call("keys", "new", "--development", "--config", config, monkeypatch=monkeypatch).code == 0
    private = [path for path in (tmp_path / "keys").rglob("*") if path.is_file() and b"PRIVATE" in path.read_bytes()]
    assert private
    assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o600}


# --- doors ------------------------------------------------------------------------------------------------------------


def test_a_gateway_listens_on_its_own_machine_only() -> None:
    assert Settings().host == "127.0.0.1"


def test_a_served_gateway_is_reached_on_the_loopback_only(fresh: Path, tmp_path: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("sockets are listed in /proc on Linux only")
    with running("serve", "--json", "--config", fresh, cwd=tmp_path) as process:
        port = int(process.first_document()["url"].rpartition(":")[2])
        lines = [line for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
        bound = {line.split()[1] for line in lines if line.split()[3] == "0A" and line.split()[1].endswith(f":{port:04X}")}
    assert bound == {f"0100007F:{port:04X}"}


PATHS = ("/sign-in", "/", "/nowhere", "/api/v1/inbox", "/api/v1/nowhere", "/livez", "/static/gateway.css", "/cases/1")


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_carries_the_headers_that_protect_a_browser(client: TestClient, path: str) -> None:
    answer = client.get(path, follow_redirects=False)
    for name, value in SECURITY_HEADERS.items():
        assert answer.headers[name] == value, name
    assert answer.headers["strict-transport-security"].startswith("max-age=")
    assert "unsafe" not in answer.headers["content-security-policy"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_no_other_site_may_read_an_answer(client: TestClient, path: str, method: str) -> None:
    origin = {"origin": "https://attacker.example", "access-control-request-method": "GET"}
    answer = client.request(method, path, headers=origin, follow_redirects=False)
    assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json", "/debug", "/console", "/.git/config"])
def test_nothing_for_developers_is_served(client: TestClient, path: str) -> None:
    assert client.get(path, follow_redirects=False).status_code in {303, 404}
    assert client.app.debug is False


# --- TLS --------------------------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_a_broker_over_tls_is_checked_and_speaks_at_least_1_2() -> None:
    connection = aiormq.Connection("amqps://gateway@broker.example/")
    context = ssl.create_default_context()  # what the library makes of such an address
    assert connection.ssl_context is None
    assert connection.ssl_certs.verify
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname


def test_the_check_of_the_brokers_certificate_cannot_be_switched_off() -> None:
    with pytest.raises(SettingsInvalid, match="certificate"):
        Settings(broker=f"amqps://gateway:{SECRET}@broker.example/?no_verify_ssl=1")


@pytest.mark.parametrize(
    ("changes", "ok"),
    [
        ({}, True),
        ({"broker": "amqp://gateway@127.0.0.1/"}, True),
        ({"broker": "amqp://gateway@broker.example/"}, False),
        ({"broker": "amqps://gateway@broker.example/"}, True),
        ({"broker": "amqp://gateway@127.0.0.1:1,localhost:2/v"}, True),
        ({"broker": "amqp://gateway@127.0.0.1:1,broker.example:2/v"}, False),
        ({"broker": "amqp://gateway@127.0.0.1:1,,/v"}, False),
        ({"database": "postgresql://gateway@db.example/gateway"}, False),
        ({"database": "postgresql://gateway@db.example/gateway?sslmode=require"}, False),
        ({"database": "postgresql://gateway@db.example/gateway?sslmode=verify-full"}, True),
        ({"host": "0.0.0.0", "secure_cookies": False}, False),
        ({"host": "0.0.0.0"}, True),
    ],
)
def test_the_doctor_tells_of_a_way_that_is_not_protected(changes: dict[str, str], ok: bool) -> None:
    found = _examine("network", PARTS["network"], Settings(**changes))
    assert found.ok is ok
    assert found.exit_code == (0 if ok else 4)


# --- secrets ----------------------------------------------------------------------------------------------------------


def test_settings_do_not_print_their_secrets() -> None:
    settings = Settings(broker=f"amqp://gateway:{SECRET}@127.0.0.1/", database=f"postgresql://gateway:{SECRET}@127.0.0.1/g")
    assert SECRET not in repr(settings)
    assert SECRET not in str(settings)
    assert SECRET not in repr(open_engine(settings.database))


@pytest.mark.parametrize("words", [("doctor",), ("doctor", "--json"), ("serve",), ("queue", "list", "--json")])
def test_no_command_shows_the_password_of_database_or_broker(words: tuple[str, ...], tmp_path: Path, keys: Path) -> None:
    config = write_settings(
        tmp_path,
        keys,
        database=f"postgresql://gateway:{SECRET}@127.0.0.1:9/gateway",
        broker=f"amqp://gateway:{SECRET}@127.0.0.1:9/",
    )
    done = run(*words, "--config", config, cwd=tmp_path)
    assert done.code == 3
    assert SECRET not in done.out + done.err
