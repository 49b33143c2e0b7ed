"""Connections to one broker: its hosts are dialled in turn, over TLS where its address says so."""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import aio_pika
import aiormq
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.connection import make_url
from aio_pika.exceptions import AMQPError
from pamqp.common import FieldTable

from gateway.errors import BrokerUnavailable, Misconfigured
from gateway.transport.addresses import addresses_of, user_of

# The libraries say RuntimeError of a closed connection, and StopAsyncIteration of one that ends in the middle of its opening.
TROUBLE = (AMQPError, OSError, TimeoutError, RuntimeError, StopAsyncIteration)
_LOST_SECONDS = 3.0  # for the farewell to a connection that is lost: others wait for the next one

# The libraries log each lost connection several times, with frames. Our own events tell it once, without content.
for _library in ("aio_pika", "aiormq"):
    logging.getLogger(_library).setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How a broker is reached. Equal ones share a connection."""

    url: str = field(repr=False)  # it may name several hosts (gateway/transport/addresses.py), and holds a password as a rule
    # Asked before each connection, so that a renewed certificate needs no restart; may raise `Misconfigured`. None: what the
    # library does by itself with an amqps address.
    tls: Callable[[], ssl.SSLContext] | None = None


class Line:
    """One connection with one channel for the hot path."""

    def __init__(self, address: str, connection: AbstractConnection, channel: AbstractChannel, wire: aiormq.Channel) -> None:
        self.address = address  # which of the hosts it leads to
        self.connection = connection
        self.channel = channel
        self.wire = wire  # aiormq's channel below aio-pika's: batches need frames and tags, not message objects

    @contextlib.asynccontextmanager
    async def own_channel(self, seconds: float) -> AsyncIterator[AbstractChannel]:
        """Open a channel beside the hot path: a refused declaration closes its channel. Raises `BrokerUnavailable`."""
        try:
            async with asyncio.timeout(seconds):
                channel = self.connection.channel()
                await channel.initialize()
            yield channel
            async with asyncio.timeout(seconds):
                await channel.close()
        except TROUBLE as error:
            raise BrokerUnavailable(f"the broker does not answer as it should ({type(error).__name__})") from error


class Dialler:
    """Connects to one broker; remembers which of its hosts to try first."""

    def __init__(self, access: Access, *, timeout_seconds: float, label: str) -> None:
        """`label` is shown by the broker. Raises `SettingsInvalid` for a URL that names no host."""
        self._addresses = list(addresses_of(access.url))  # in the order in which they are tried
        self._tls = access.tls
        self._timeout = timeout_seconds
        self._label = label
        self.user = user_of(access.url)

    def examine(self) -> None:
        """Raise `Misconfigured` when certificates or keys cannot be used: known at the start, before anybody waits."""
        if self._tls is not None:
            self._tls()

    async def dial(self, direction: str) -> Line:
        """Connect to the first host that lets us; all of them together get the time of one call.

        Raises `BrokerUnavailable`.
        """
        try:
            context = self._tls() if self._tls is not None else None
        except Misconfigured as error:  # it was good at the start: a file in the middle of its change is waited for
            raise BrokerUnavailable(f"the broker cannot be reached: {error.message}") from error
        seconds = self._timeout / len(self._addresses)
        refused: Exception | None = None
        for address in tuple(self._addresses):
            try:
                return await self._dial_host(address, direction, seconds, context)
            except TROUBLE as error:
                refused = error
                self._try_last(address)
        raise BrokerUnavailable(f"the broker cannot be reached ({_why(refused)})") from refused

    async def give_up(self, line: Line) -> None:
        """Close a lost connection; its host is tried last."""
        self._try_last(line.address)
        await self.hang_up(line.connection, min(self._timeout, _LOST_SECONDS))

    async def hang_up(self, connection: AbstractConnection, seconds: float | None = None) -> None:
        """Close a connection that may be dead already; `seconds` for its farewell, not given: those of one call."""
        with contextlib.suppress(*TROUBLE):
            async with asyncio.timeout(self._timeout if seconds is None else seconds):
                await connection.close()

    async def _dial_host(self, address: str, direction: str, seconds: float, context: ssl.SSLContext | None) -> Line:
        # Not by `aio_pika.connect`: what that leaves behind when its time is over nobody could close.
        named: FieldTable = {"connection_name": f"{self._label} {direction}"}
        connection = aio_pika.Connection(make_url(address), ssl_context=context, client_properties=named)
        try:
            async with asyncio.timeout(seconds):
                await connection.connect()
                channel = connection.channel(publisher_confirms=direction == "out")
                await channel.initialize()
                wire = await channel.get_underlay_channel()
        except BaseException:  # a cancellation too
            await self.hang_up(connection, min(self._timeout, _LOST_SECONDS))
            raise
        assert isinstance(wire, aiormq.Channel)
        return Line(address, connection, channel, wire)

    def _try_last(self, address: str) -> None:
        self._addresses.remove(address)
        self._addresses.append(address)


def _why(error: BaseException | None) -> str:
    """Name the kind of a failure; of a certificate that was refused, why: its words hold no address."""
    cause = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is refused: {cause.verify_message.rstrip('.')}"
        cause = cause.__cause__
    return type(error).__name__
