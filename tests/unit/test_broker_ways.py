"""Ways to brokers from the settings: which addresses are used, and which are not."""

from pathlib import Path

import pytest

from gateway.broker_settings import RouteSettings
from gateway.errors import SettingsInvalid
from gateway.settings import Settings, load
from gateway.wiring import transport, utc_now
from gateway.wiring.broker import accesses, unprotected

SECRET = "specimen-secret"
FILES = {"broker_certificate_file": Path("/c.pem"), "broker_key_file": Path("/c.key")}


def ways(**named):
    return accesses(Settings(**{"broker": "amqp://ba@127.0.0.1/ba"} | named))


@pytest.mark.parametrize(
    "url",
    [
        "amqp://ba@localhost/ba",
        "amqp://ba@127.0.0.7:5672/ba",
        "amqp://ba@[::1]/ba",
        "amqp://ba@127.0.0.1:1,127.0.0.1:2/ba",
        "amqps://ba@broker.example/ba",
        "amqps://ba@one.example,two.example/ba",
    ],
)
def test_way_that_is_protected_or_stays_on_this_machine_is_used(url: str) -> None:
    own, _ = ways(broker=url)

    assert (own.url, own.tls is not None) == (url, url.startswith("amqps"))
    assert unprotected(Settings(broker=url)) == []


@pytest.mark.parametrize(
    "url",
    [
        "amqp://ba:specimen-secret@broker.example/ba",
        "amqp://ba:specimen-secret@10.0.0.1/ba",
        "amqp://ba:specimen-secret@127.0.0.1,broker.example/ba",
        "amqp://ba:specimen-secret@127.0.0.1.example/ba",
        "amqp://ba:specimen-secret@localhost.example/ba",
    ],
)
def test_plain_way_to_another_machine_is_refused_unless_the_setting_allows_it(url: str) -> None:
    with pytest.raises(SettingsInvalid, match="not protected") as found:
        ways(broker=url)
    assert SECRET not in found.value.message
    with pytest.raises(SettingsInvalid, match=r"\[routes.RS-MUP\].* not protected"):
        ways(routes={"RS-MUP": RouteSettings(url=url)})

    assert ways(broker=url, broker_plain=True)[0].url == url
    assert unprotected(Settings(broker=url, broker_plain=True)) == ["broker"]


@pytest.mark.parametrize("key", ["no_verify_ssl", "certfile", "keyfile", "capath", "cadata"])
def test_address_names_no_files_and_switches_no_check_off(key: str) -> None:
    with pytest.raises(SettingsInvalid, match=key):
        ways(routes={"RS-MUP": RouteSettings(url=f"amqps://ba@broker.example/rs?{key}=1")})


@pytest.mark.parametrize("url", ["https://broker.example/", "broker.example", "amqps://", ""])
def test_route_that_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(SettingsInvalid):
        ways(routes={"RS-MUP": RouteSettings(url=url)})


@pytest.mark.parametrize(
    ("url", "files"),
    [
        ("amqps://ba@broker.example/ba?auth=external", {}),
        ("amqps://broker.example/ba?auth=external", FILES),
        ("amqp://ba@127.0.0.1/ba?auth=EXTERNAL", FILES),
    ],
    ids=["no certificate", "no user", "no TLS"],
)
def test_login_by_certificate_needs_tls_a_certificate_and_the_user(url: str, files: dict[str, Path]) -> None:
    with pytest.raises(SettingsInvalid, match="auth=external"):
        ways(broker=url, **files)


def test_login_by_certificate_is_used() -> None:
    own, _ = ways(broker="amqps://ba@broker.example/ba?auth=external", **FILES)
    assert own.tls is not None


@pytest.mark.parametrize("name", list(FILES))
def test_certificate_and_key_go_together(name: str) -> None:
    with pytest.raises(SettingsInvalid, match="go together"):
        ways(**{name: FILES[name]})


def test_authorities_that_are_reached_alike_share_their_way() -> None:
    there = "amqps://ba@broker.example/rs"
    _, routes = ways(routes={"RS-MUP": RouteSettings(url=there), "RS-MSP": RouteSettings(url=there)})

    assert routes["RS-MUP"] is routes["RS-MSP"]


def test_route_may_be_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "rs").write_text(f"amqps://ba:{SECRET}@broker.example/rs\n")
    (tmp_path / "gateway.toml").write_text('broker = "amqp://ba@127.0.0.1/ba"\n[routes.RS-MUP]\nurl_file = "rs"\n')
    settings = load(tmp_path / "gateway.toml", environment={})

    _, routes = accesses(settings)

    assert routes["RS-MUP"].url == f"amqps://ba:{SECRET}@broker.example/rs"
    assert SECRET not in repr(routes)


def test_route_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match=r"\[routes.RS-MUP\]: the url_file"):
        ways(routes={"RS-MUP": RouteSettings(url_file=tmp_path / "nothing")})


@pytest.mark.parametrize(
    "text",
    [
        "routes = 1",
        "[routes]\nurl = 'x'",
        "[routes.RS-MUP]",
        "[routes.RS-MUP]\nurl = 'amqps://x/'\nurl_file = 'x'",
        "[routes.RS-MUP]\nurl = 'amqps://x/'\ncertificate_file = 'x'",
        "[routes.RS-MUP]\nurll = 'x'",
        "[routes.RS-MUP]\nurl = 1",
    ],
)
def test_route_that_is_written_wrongly_stops_the_start(tmp_path: Path, text: str) -> None:
    (tmp_path / "gateway.toml").write_text(text)
    with pytest.raises(SettingsInvalid, match="route"):
        load(tmp_path / "gateway.toml", environment={})


@pytest.mark.parametrize("broker", ["embedded", "memory"])
def test_routes_without_a_broker_are_refused(broker: str) -> None:
    settings = Settings(broker=broker, routes={"RS-MUP": RouteSettings(url="amqps://ba@broker.example/rs")})
    with pytest.raises(SettingsInvalid, match="routes"):
        transport(settings, None, utc_now)  # type: ignore[arg-type]  # no database is reached


def test_address_of_a_route_is_not_shown_when_settings_are_printed() -> None:
    assert SECRET not in repr(Settings(routes={"RS-MUP": RouteSettings(url=f"amqps://ba:{SECRET}@broker.example/rs")}))
