"""Publishing a window of messages to RabbitMQ: one write, then all confirms together.

aio-pika and aiormq publish one message at a time; each costs a lock, a drain and a task, about 0.2 ms, which is more
than the broker needs. A window is numbered, written as one block of frames and confirmed as a whole. The channel's
own bookkeeping (`delivery_tag`, `confirmations`, `message_id_delivery_tag`) is used, so confirms, returns and a lost
connection reach the waiting futures in the library's way.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from struct import Struct

from aiormq import Channel
from aiormq.abc import ChannelFrame
from aiormq.exceptions import ChannelNotFoundEntity, DeliveryError
from pamqp import commands, frame
from pamqp.common import FieldTable
from pamqp.header import ContentHeader

from gateway.errors import BrokerUnavailable, GatewayError, QueueRefused, Undeliverable

_REFUSED_SECONDS = 2.0  # so old a channel is before it is given up for having been refused
_WINDOW_BYTES = 2 * 1_048_576  # bodies written at once; keeps the copy of large parcels small
_FRAME = Struct(">BHI")  # type, channel, length
_BODY_FRAME = 3
_FRAME_END = b"\xce"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One message for one queue: through an exchange that knows it by its name, or straight into it."""

    queue: str
    exchange: str = ""  # the default exchange knows every queue
    body: bytes
    message_id: str
    sender: str
    headers: FieldTable | None = None


class WindowPublisher:
    """Publishes on one channel with confirms and with mandatory set. Nothing else may publish there."""

    def __init__(self, channel: Channel, *, frame_bytes: int, user: str | None = None) -> None:
        """`frame_bytes` is the largest frame the broker takes.

        `user` is who we are to the broker, which refuses messages that name another; None: messages name nobody.
        """
        self._channel = channel
        self._most_body = frame_bytes - _FRAME.size - len(_FRAME_END)
        self._order = asyncio.Lock()  # numbers are given in the order of writing
        self._answered = 0  # messages that the broker answered
        self._answering = True  # until a whole window got no answer in its time, and nothing else did either
        self._born = asyncio.get_running_loop().time()
        self._open = 0  # windows whose answers are awaited
        self._served: set[str] = set()  # queues that took something from this channel
        self._refusing: set[str] = set()  # queues that refused something on it
        self._user = user
        self._envelopes: dict[tuple[str, str], bytes] = {}  # exchange, queue -> the publish frame, the same for every message

    @property
    def usable(self) -> bool:
        """Whether the channel is open, the broker answers there, and a queue's refusal may be believed.

        RabbitMQ 3.10 asks the leader of a queue to register a channel with its first message. If that node has just died,
        it refuses this message and, on this channel, every later one, as if the queue were full. A new channel is heard.
        """
        if self._channel.is_closed or not self._answering:
            return False
        if self._open or self._refusing <= self._served:
            return True
        return asyncio.get_running_loop().time() < self._born + _REFUSED_SECONDS

    async def publish(self, messages: Sequence[Outgoing], seconds: float) -> list[GatewayError | None]:
        """Publish messages; return one answer each, in order. `None`: the broker holds it durably.

        `Undeliverable`: no such queue or exchange. `QueueRefused`: it takes none now. `BrokerUnavailable`: lost, or not
        confirmed within `seconds`; it may have arrived all the same.
        """
        answers: list[GatewayError | None] = []
        for window in _windows(messages):
            answers.extend(await self._publish_window(window, seconds))
        return answers

    async def _publish_window(self, window: Sequence[Outgoing], seconds: float) -> list[GatewayError | None]:
        try:
            async with asyncio.timeout(seconds), self._order:
                if self._channel.is_closed or not self._answering:
                    return [BrokerUnavailable("the connection to the broker is closed")] * len(window)
                waiting = await self._write(window)
        except TimeoutError:
            self._answering = False
            return [BrokerUnavailable("the broker does not take messages")] * len(window)
        before = self._answered
        self._open += 1
        try:
            answered, _ = await asyncio.wait(waiting, timeout=seconds)
        finally:
            self._open -= 1
        self._answered += len(answered)
        if self._answered == before:
            self._answering = False  # frozen, or cut off from its cluster: the next call connects anew
        for message in window:
            self._channel.message_id_delivery_tag.pop(message.message_id, None)
        answers = [_answer(confirmation) for confirmation in waiting]
        for message, answer in zip(window, answers, strict=True):
            if answer is None:
                self._served.add(message.queue)
            elif isinstance(answer, QueueRefused):
                self._refusing.add(message.queue)
        return answers

    async def _write(self, window: Sequence[Outgoing]) -> list[asyncio.Future[object]]:
        """Number the window and hand its frames to the writer; return the confirmations to come, in order."""
        channel = self._channel
        payload = b"".join(piece for message in window for piece in self._frames(message))
        first = channel.delivery_tag + 1
        waiting: list[asyncio.Future[object]] = []
        for tag, message in enumerate(window, first):
            confirmation: asyncio.Future[object] = channel.create_future()
            channel.confirmations[tag] = confirmation
            channel.message_id_delivery_tag[message.message_id] = tag
            waiting.append(confirmation)
        channel.delivery_tag += len(window)
        try:
            await channel.write_queue.put(ChannelFrame(payload=payload, should_close=False))
        except asyncio.CancelledError:
            # Nothing was written: the broker would count these numbers for the next messages.
            channel.delivery_tag -= len(window)
            for tag, message in enumerate(window, first):
                channel.confirmations.pop(tag, None)
                channel.message_id_delivery_tag.pop(message.message_id, None)
            raise
        return waiting

    def _frames(self, message: Outgoing) -> Iterator[bytes]:
        number = self._channel.number
        way = (message.exchange, message.queue)
        envelope = self._envelopes.get(way)
        if envelope is None:
            start = commands.Basic.Publish(exchange=message.exchange, routing_key=message.queue, mandatory=True)
            envelope = self._envelopes[way] = frame.marshal(start, number)
        yield envelope
        properties = commands.Basic.Properties(
            delivery_mode=2,  # persistent
            content_type="application/octet-stream",
            message_id=message.message_id,
            user_id=self._user,
            app_id=message.sender,
            headers=message.headers,
        )
        yield frame.marshal(ContentHeader(body_size=len(message.body), properties=properties), number)
        for start_at in range(0, len(message.body), self._most_body):
            piece = message.body[start_at : start_at + self._most_body]
            yield _FRAME.pack(_BODY_FRAME, number, len(piece))
            yield piece
            yield _FRAME_END


def _windows(messages: Sequence[Outgoing]) -> Iterator[list[Outgoing]]:
    """Cut messages into windows: not too many bytes, and each message id once, since returns are told apart by it."""
    window: list[Outgoing] = []
    ids: set[str] = set()
    size = 0
    for message in messages:
        if window and (message.message_id in ids or size + len(message.body) > _WINDOW_BYTES):
            yield window
            window, ids, size = [], set(), 0
        window.append(message)
        ids.add(message.message_id)
        size += len(message.body)
    if window:
        yield window


def _answer(confirmation: asyncio.Future[object]) -> GatewayError | None:
    if not confirmation.done():
        confirmation.cancel()
        return BrokerUnavailable("the broker did not confirm in time")
    if confirmation.cancelled():
        return BrokerUnavailable("the connection to the broker was closed")
    if isinstance(error := confirmation.exception(), DeliveryError):
        return QueueRefused("the broker refused the message: the queue of the recipient has no room, or no leader")
    if isinstance(error, ChannelNotFoundEntity):
        return Undeliverable("the broker has no exchange for this recipient: nobody ever received there")
    if error is not None:
        return BrokerUnavailable(f"the broker did not take the message ({type(error).__name__})")
    if isinstance(confirmation.result(), commands.Basic.Ack):
        return None
    return Undeliverable("the broker knows no queue for this recipient")  # it gave the message back
