"""A broker that partners share, with TLS and the definitions of `gateway broker definitions`."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel, AbstractConnection

from gateway.errors import BrokerMissing
from gateway.transport import topology
from gateway.transport.broker import STEPS, BrokerTransport
from gateway.transport.definitions import definitions
from gateway.transport.lines import Access
from gateway.transport.node import NodeTls, PrivateNode, password_hash
from tests.broker_certificates import write_certificates
from tests.conftest import without_rabbitmq

PARTNERS = {"ba": ["BA-MS"], "pk": ["PK-MOI"], "rs": ["RS-MUP", "RS-MSP"]}
PASSWORD = "specimen"  # of every user of the private node
SOON = 10.0  # seconds; the bound of every wait


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the certificates of the broker, of its clients, and of strangers."""
    return write_certificates(tmp_path_factory.mktemp("certificates"), datetime.now(UTC))


@pytest.fixture(scope="session")
def own_node(certificates: Path) -> Iterator[PrivateNode]:
    """A node that was told the definitions; an operator gave each user of `PARTNERS` a password."""
    tls = NodeTls(ca=certificates / "ca.pem", certificate=certificates / "broker.pem", key=certificates / "broker.key")
    try:
        node = PrivateNode(tls=tls)
    except BrokerMissing as error:
        without_rabbitmq(error)
        raise
    with node, TemporaryDirectory(prefix="gateway-definitions-") as folder:
        Path(folder).chmod(0o755)  # rabbitmqctl runs as a user of its own
        file = Path(folder) / "definitions.json"
        made = definitions(PARTNERS | {"at": ["AT-BMI"]})
        for user in made["users"]:
            user["password_hash"] = password_hash(PASSWORD) if user["name"] in PARTNERS else user["password_hash"]
        file.write_text(json.dumps(made))
        node.control("import_definitions", str(file))
        yield node


@pytest.fixture
def url(own_node: PrivateNode) -> Callable[[str, str], str]:
    """Return the address by which a user opens a virtual host."""
    port = own_node.address[1]
    return lambda user, vhost: f"amqp://{user}:{PASSWORD}@127.0.0.1:{port}/{vhost}"


@pytest.fixture
async def gateways(url: Callable[[str, str], str]) -> AsyncIterator[Callable[..., BrokerTransport]]:
    """Make a partner's gateway, which reaches every other partner by a route. In the end their queues are gone."""
    made: list[BrokerTransport] = []

    def make(code: str, **more: object) -> BrokerTransport:
        routes = {
            authority: Access(url=url(code, other))
            for other, authorities in PARTNERS.items()
            for authority in authorities
            if other != code
        }
        made.append(BrokerTransport(url(code, code), routes=routes, timeout_seconds=SOON, **more))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for gateway in made:
        await gateway.close()
    for code, authorities in PARTNERS.items():
        async with await aio_pika.connect(url(code, code)) as connection, connection.channel() as channel:
            for authority in authorities:
                for queue in topology.queues_of(authority, (1, *STEPS)):
                    await channel.queue_delete(queue.name)
            await (await channel.get_queue(topology.UNROUTED, ensure=False)).purge()


@pytest.fixture
async def channel_of(url: Callable[[str, str], str]) -> AsyncIterator[Callable[[str, str], Awaitable[AbstractChannel]]]:
    """Open a channel of a user in a virtual host."""
    opened: list[AbstractConnection] = []

    async def make(user: str, vhost: str) -> AbstractChannel:
        opened.append(await aio_pika.connect(url(user, vhost)))
        return await opened[-1].channel(on_return_raises=True)

    yield make
    for connection in opened:
        await connection.close()
