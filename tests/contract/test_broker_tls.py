"""TLS to a broker with client certificates, on a real node: who gets in, who does not, and what is never sent in the clear."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from gateway.broker_settings import RouteSettings
from gateway.errors import BrokerUnavailable, GatewayError, SettingsInvalid, TrustInvalid
from gateway.settings import Settings
from gateway.transport.broker import BrokerTransport
from gateway.transport.port import Parcel
from gateway.wiring.broker import broker_transport
from tests.contract.conftest import PASSWORD, SOON

pytestmark = pytest.mark.anyio


@pytest.fixture
async def connect(own_node, certificates: Path, gateways) -> AsyncIterator[Callable[..., BrokerTransport]]:
    """Make the gateway of ba that reaches the broker over TLS; `files` name its certificates, None for none."""
    made: list[BrokerTransport] = []

    def make(
        *,
        login: str = "ba",
        host: str = "localhost",
        vhost: str = "ba",
        ca: str = "ca",
        own: str | None = "ba",
        external: bool = True,
        **more,
    ) -> BrokerTransport:
        query = "?auth=external" if external else ""
        settings = Settings(
            broker=f"amqps://{login}@{host}:{own_node.tls_port}/{vhost}{query}",
            broker_ca_file=certificates / f"{ca}.pem",
            broker_certificate_file=own and certificates / f"{own}.pem",
            broker_key_file=own and certificates / f"{own}.key",
            **more,
        )
        made.append(broker_transport(settings))
        return made[-1]

    yield make
    for gateway in made:
        await gateway.close()


def parcel(recipient: str = "BA-MS") -> Parcel:
    return Parcel(message_id="m1", sender="BA-MS", recipient=recipient, body=b"sealed")


async def refusal(gateway: BrokerTransport) -> GatewayError:
    with pytest.raises(GatewayError) as found:
        await gateway.open(["BA-MS"])
    return found.value


async def test_client_certificate_is_the_login(connect) -> None:
    gateway = connect()
    await gateway.open(["BA-MS"])

    assert await gateway.send([parcel()]) == [None]

    (arrived,) = await gateway.take(50, SOON)
    assert arrived.token.user == "ba"


async def test_password_over_tls_is_a_login_too(connect) -> None:
    gateway = connect(login=f"ba:{PASSWORD}", external=False)
    await gateway.open(["BA-MS"])

    assert await gateway.send([parcel()]) == [None]


async def test_route_uses_the_certificates_of_our_broker_unless_it_names_its_own(connect, own_node, certificates) -> None:
    def there(user: str) -> str:
        return f"amqps://{user}@localhost:{own_node.tls_port}/rs?auth=external"

    own = RouteSettings(
        url=there("rs"),
        certificate_file=certificates / "rs.pem",
        key_file=certificates / "rs.key",
        ca_file=certificates / "ca.pem",
    )
    gateway = connect(routes={"RS-MUP": RouteSettings(url=there("ba")), "RS-MSP": own})
    rs = connect(login="rs", own="rs", vhost="rs")
    await gateway.open(["BA-MS"])
    await rs.open(["RS-MUP", "RS-MSP"])

    assert await gateway.send([parcel("RS-MUP"), parcel("RS-MSP")]) == [None, None]

    found = await rs.take(50, SOON)
    found += await rs.take(50, SOON) if len(found) == 1 else []
    assert {(each.queue, each.token.user) for each in found} == {("RS-MUP", "ba"), ("RS-MSP", "rs")}


# --- who does not get in ------------------------------------------------------------------------------------------------


async def test_client_without_a_certificate_is_refused_even_with_the_password(connect) -> None:
    assert isinstance(await refusal(connect(login=f"ba:{PASSWORD}", own=None, external=False)), BrokerUnavailable)


@pytest.mark.parametrize("own", ["stranger", "late"])
async def test_client_certificate_that_the_broker_does_not_trust_is_refused(connect, own) -> None:
    assert isinstance(await refusal(connect(own=own)), BrokerUnavailable)


async def test_broker_whose_certificate_is_of_another_authority_is_not_talked_to(connect) -> None:
    found = await refusal(connect(ca="other-ca"))

    assert isinstance(found, BrokerUnavailable)
    assert "certificate is refused" in found.message


async def test_broker_whose_certificate_is_for_another_host_is_not_talked_to(connect) -> None:
    found = await refusal(connect(host="127.0.0.1"))

    assert isinstance(found, BrokerUnavailable)
    assert "certificate is refused" in found.message
    assert "mismatch" in found.message


async def test_certificate_of_another_user_does_not_open_our_virtual_host(connect) -> None:
    assert isinstance(await refusal(connect(own="rs")), BrokerUnavailable)


# --- files --------------------------------------------------------------------------------------------------------------


async def test_client_key_that_others_may_read_is_refused(connect, certificates, tmp_path) -> None:
    gateway = connect()
    key = certificates / "ba.key"
    key.chmod(0o640)
    try:
        assert isinstance(await refusal(gateway), TrustInvalid)
    finally:
        key.chmod(0o600)


@pytest.mark.parametrize("named", [{"own": "locked"}, {"own": "nobody"}, {"ca": "nobody"}])
async def test_certificates_that_cannot_be_used_stop_the_start(connect, named) -> None:
    assert isinstance(await refusal(connect(**named)), SettingsInvalid)


async def test_certificate_that_goes_bad_while_running_only_keeps_messages_waiting(connect, certificates) -> None:
    gateway = connect()
    await gateway.open(["BA-MS"])
    await gateway.close()
    key = certificates / "ba.key"
    key.chmod(0o640)
    try:
        (answer,) = await gateway.send([parcel()])
    finally:
        key.chmod(0o600)

    assert isinstance(answer, BrokerUnavailable)
    assert await gateway.send([parcel()]) == [None]
