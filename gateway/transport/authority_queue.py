"""The queues by which one home authority's own system is connected, in a virtual host of its own.

    to-<AUTHORITY>         documents for it, and before each the parts of its attachments
    from-<AUTHORITY>       what it hands in
    answers-<AUTHORITY>    what became of that

All are durable quorum queues behind the default exchange; the gateway declares them, and repeating that is harmless. Nothing is
set back by the broker: what was fetched and not acknowledged stays with this connection, and comes back when it ends.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage, AbstractQueue
from aio_pika.exceptions import AMQPError, DeliveryError

from gateway.errors import EdgeUnavailable, SettingsInvalid
from gateway.transport.addresses import user_of, with_heartbeat
from gateway.transport.topology import BrokerQueue, kept

_TROUBLE = (AMQPError, DeliveryError, OSError, TimeoutError, RuntimeError, StopAsyncIteration)


def queues(authority: str) -> list[BrokerQueue]:
    """Return the queues of an authority: to it, from it, answers. None of them drops what came back often."""
    return [BrokerQueue(name=f"{way}-{authority}", arguments=kept()) for way in ("to", "from", "answers")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One message to publish."""

    body: bytes
    message_id: str = ""
    correlation_id: str = ""
    type: str
    content_type: str
    sender: str = ""
    at: datetime
    headers: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """One message of the authority, ours until it is acknowledged or the connection ends."""

    body: bytes
    type: str
    correlation_id: str  # its correlation id, else its message id; empty when it has neither
    headers: Mapping[str, Any]
    token: AbstractIncomingMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """One open connection."""

    connection: AbstractConnection
    channel: AbstractChannel
    incoming: AbstractQueue
    user: str | None  # whom we are logged in as


class AuthorityQueue:
    """A connection that is made when it is needed, and made anew after a failure. Every method raises `EdgeUnavailable`."""

    def __init__(self, address: Callable[[], str], authority: str, *, timeout_seconds: float) -> None:
        """`address` is asked before each connection: a changed password needs no restart. It may raise `SettingsInvalid`."""
        self._address = address
        self._authority = authority
        self._timeout = timeout_seconds
        self._line: _Line | None = None
        self.generation = 0  # of the connection: what was fetched over an earlier one comes again, and cannot be answered

    @property
    def connected(self) -> bool:
        """Whether what was fetched earlier is still ours."""
        return self._line is not None and not self._line.channel.is_closed and not self._line.connection.is_closed

    async def give(self, note: Note) -> None:
        """Publish a message to the authority; return once the broker holds it durably."""
        await self._publish(f"to-{self._authority}", note)

    async def answer(self, note: Note, answered: Sequence[Fetched]) -> None:
        """Publish an answer, then acknowledge what it answers: in doubt it is answered twice, never not at all."""
        if not self.connected:
            raise EdgeUnavailable(f"the connection to the queues of {self._authority} was lost; what came is offered again")
        await self._publish(f"answers-{self._authority}", note)
        try:
            async with asyncio.timeout(self._timeout):
                for fetched in answered:
                    await fetched.token.ack()
        except _TROUBLE as error:
            raise await self._lost(error) from error

    async def fetch(self, *, most: int, most_bytes: int) -> list[Fetched]:
        """Return messages that wait, in order: at most `most`, and no more once they have `most_bytes` together."""
        line = await self._open()
        found: list[Fetched] = []
        size = 0
        try:
            while len(found) < most and size < most_bytes:
                async with asyncio.timeout(self._timeout):
                    message = await line.incoming.get(no_ack=False, fail=False)
                if message is None:
                    break
                size += len(message.body)
                found.append(
                    Fetched(
                        body=message.body,
                        type=message.type or "",
                        correlation_id=message.correlation_id or message.message_id or "",
                        headers=message.headers,
                        token=message,
                    )
                )
        except _TROUBLE as error:
            raise await self._lost(error) from error
        return found

    async def counts(self) -> Mapping[str, int]:
        """Return how many messages wait in each queue, by name."""
        line = await self._open()
        try:
            async with asyncio.timeout(self._timeout):
                return {queue.name: await _count(line.channel, queue.name) for queue in queues(self._authority)}
        except _TROUBLE as error:
            raise await self._lost(error) from error

    async def close(self) -> None:
        """End the connection; what was not acknowledged comes back to whoever opens next."""
        if self._line is not None:
            connection, self._line = self._line.connection, None
            with contextlib.suppress(*_TROUBLE):
                async with asyncio.timeout(self._timeout):
                    await connection.close()

    async def _publish(self, queue: str, note: Note) -> None:
        line = await self._open()
        message = aio_pika.Message(
            note.body,
            headers=dict(note.headers),
            content_type=note.content_type,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            message_id=note.message_id or None,
            correlation_id=note.correlation_id or None,
            type=note.type,
            app_id=note.sender or None,
            user_id=line.user,
            timestamp=note.at,
        )
        try:
            async with asyncio.timeout(self._timeout):
                await line.channel.default_exchange.publish(message, queue, mandatory=True)
        except _TROUBLE as error:
            raise await self._lost(error) from error

    async def _open(self) -> _Line:
        if self._line is not None and self.connected:
            return self._line
        await self.close()
        try:
            url = with_heartbeat(self._address())
        except SettingsInvalid as error:  # a file in the middle of its change is waited for
            raise EdgeUnavailable(error.message) from error
        connection: AbstractConnection | None = None
        try:
            async with asyncio.timeout(self._timeout):
                connection = await aio_pika.connect(url, client_properties={"connection_name": f"edge {self._authority}"})
                channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
                _, incoming, _ = [await _declare(channel, queue) for queue in queues(self._authority)]
        except _TROUBLE as error:
            if connection is not None:
                with contextlib.suppress(*_TROUBLE):
                    await connection.close()
            raise self._unavailable(error) from error
        self._line = _Line(connection=connection, channel=channel, incoming=incoming, user=user_of(url))
        self.generation += 1
        return self._line

    async def _lost(self, error: BaseException) -> EdgeUnavailable:
        """End the connection after a failure: what state it is in nobody knows."""
        await self.close()
        return self._unavailable(error)

    def _unavailable(self, error: BaseException) -> EdgeUnavailable:
        return EdgeUnavailable(f"the queues of {self._authority} cannot be used ({type(error).__name__})")


async def _declare(channel: AbstractChannel, queue: BrokerQueue) -> AbstractQueue:
    return await channel.declare_queue(queue.name, durable=True, arguments=dict(queue.arguments))


async def _count(channel: AbstractChannel, name: str) -> int:
    queue = await channel.declare_queue(name, passive=True)
    return queue.declaration_result.message_count or 0
