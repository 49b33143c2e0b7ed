"""A window of messages: numbered in order, confirmed together, each answered alone."""

import asyncio

import pytest
from aiormq.exceptions import ChannelInvalidStateError, DeliveryError
from pamqp import commands, frame
from pamqp.body import ContentBody
from pamqp.header import ContentHeader

from gateway.errors import BrokerUnavailable, QueueRefused, Undeliverable
from gateway.transport import publisher
from gateway.transport.publisher import Outgoing, WindowPublisher

pytestmark = pytest.mark.anyio


class Channel:
    """What the publisher uses of aiormq's channel; keeps what is written."""

    number = 3
    is_closed = False

    def __init__(self, room: int = 10) -> None:
        self.delivery_tag = 0
        self.confirmations = {}
        self.message_id_delivery_tag = {}
        self.write_queue = asyncio.Queue(room)

    def create_future(self):
        return asyncio.get_running_loop().create_future()

    async def written(self):
        """Return the frames of the next block, as the broker would read them."""
        payload = (await self.write_queue.get()).payload
        found = []
        while payload:
            used, number, one = frame.unmarshal(payload)
            assert number == self.number
            found.append(one)
            payload = payload[used:]
        return found

    def answer(self, *tags, result=None):
        for tag in tags:
            self.confirmations.pop(tag).set_result(result or commands.Basic.Ack(delivery_tag=tag))


@pytest.fixture
def channel() -> Channel:
    return Channel()


def outgoing(number: int, body: bytes = b"sealed", **more) -> Outgoing:
    return Outgoing(queue="in.XA-ONE", body=body, message_id=f"m{number}", sender="XB-TWO", **more)


async def publishing(channel, *messages, frame_bytes=131_072, seconds=5.0):
    return asyncio.create_task(WindowPublisher(channel, frame_bytes=frame_bytes).publish(messages, seconds))


async def test_each_message_is_mandatory_persistent_and_names_id_and_sender(channel):
    task = await publishing(channel, outgoing(1, headers={"x-attempts": 2}))
    publish, header, body = await channel.written()
    channel.answer(1)

    assert await task == [None]
    assert isinstance(publish, commands.Basic.Publish)
    assert (publish.exchange, publish.routing_key, publish.mandatory) == ("", "in.XA-ONE", True)
    assert isinstance(header, ContentHeader)
    properties = header.properties
    assert (properties.delivery_mode, properties.message_id, properties.app_id) == (2, "m1", "XB-TWO")
    assert properties.headers == {"x-attempts": 2}
    assert isinstance(body, ContentBody)
    assert body.value == b"sealed"


async def test_a_body_larger_than_a_frame_is_cut(channel):
    body = bytes(range(200))
    task = await publishing(channel, outgoing(1, body), frame_bytes=88)
    _, header, *pieces = await channel.written()
    channel.answer(1)
    await task

    assert header.body_size == 200
    assert [len(piece.value) for piece in pieces] == [80, 80, 40]
    assert b"".join(piece.value for piece in pieces) == body


async def test_an_empty_body_has_no_body_frame(channel):
    task = await publishing(channel, outgoing(1, b""))
    frames = await channel.written()
    channel.answer(1)
    await task

    assert len(frames) == 2


async def test_a_window_is_one_write_and_each_message_is_answered_alone(channel):
    task = await publishing(channel, *(outgoing(number) for number in range(4)))
    assert len(await channel.written()) == 12
    channel.answer(1, 4)
    channel.answer(2, result="the message, given back")
    channel.confirmations.pop(3).set_exception(ChannelInvalidStateError())

    answers = await task

    assert [type(answer) for answer in answers] == [type(None), Undeliverable, BrokerUnavailable, type(None)]
    assert channel.write_queue.empty()
    assert channel.message_id_delivery_tag == {}


async def test_a_repeated_message_id_goes_into_a_window_of_its_own(channel):
    task = await publishing(channel, outgoing(1), outgoing(2), outgoing(1))
    assert len(await channel.written()) == 6
    channel.answer(1, 2)
    assert len(await channel.written()) == 3
    channel.answer(3)

    assert await task == [None, None, None]


async def test_large_messages_are_written_in_several_windows(channel, monkeypatch):
    monkeypatch.setattr(publisher, "_WINDOW_BYTES", 100)
    task = await publishing(channel, outgoing(1, bytes(60)), outgoing(2, bytes(60)), outgoing(3, bytes(300)))
    for tag in (1, 2, 3):
        assert len(await channel.written()) == 3
        channel.answer(tag)

    assert await task == [None, None, None]


async def test_what_is_not_confirmed_in_time_is_not_known_to_be_held(channel):
    task = await publishing(channel, outgoing(1), outgoing(2), seconds=0.05)
    await channel.written()
    channel.answer(1)

    answers = await task

    assert [type(answer) for answer in answers] == [type(None), BrokerUnavailable]


async def test_a_confirm_that_was_withdrawn_is_not_known_to_be_held(channel):
    task = await publishing(channel, outgoing(1))
    await channel.written()
    channel.confirmations.pop(1).cancel()

    assert [type(answer) for answer in await task] == [BrokerUnavailable]


async def test_a_closed_channel_takes_nothing(channel):
    channel.is_closed = True

    answers = await (await publishing(channel, outgoing(1), outgoing(2)))

    assert [answer.code for answer in answers] == ["broker-unavailable"] * 2
    assert channel.write_queue.empty()


async def test_numbers_of_a_window_that_was_never_written_are_given_again():
    channel = Channel(room=1)
    channel.write_queue.put_nowait("the connection is stuck")

    (answer,) = await (await publishing(channel, outgoing(1), seconds=0.05))

    assert isinstance(answer, BrokerUnavailable)
    assert (channel.delivery_tag, channel.confirmations, channel.message_id_delivery_tag) == (0, {}, {})


async def test_a_message_that_the_broker_refuses_found_no_room_in_its_queue(channel):
    task = await publishing(channel, outgoing(1), outgoing(2))
    await channel.written()
    channel.confirmations.pop(1).set_exception(DeliveryError(None, commands.Basic.Nack(delivery_tag=1)))
    channel.answer(2)

    assert [type(answer) for answer in await task] == [QueueRefused, type(None)]


async def test_a_broker_that_answers_a_part_of_a_window_stays_usable(channel):
    window = WindowPublisher(channel, frame_bytes=131_072)
    task = asyncio.create_task(window.publish([outgoing(1), outgoing(2)], 0.05))
    await channel.written()
    channel.answer(1)
    await task

    assert window.usable


async def test_a_broker_that_answers_nothing_in_time_is_not_asked_again(channel):
    window = WindowPublisher(channel, frame_bytes=131_072)
    await window.publish([outgoing(1)], 0.05)
    await channel.written()

    assert not window.usable
    assert [answer.code for answer in await window.publish([outgoing(2)], 5)] == ["broker-unavailable"]
    assert channel.write_queue.empty()


async def test_a_window_without_answers_beside_one_with_answers_does_not_end_the_connection(channel):
    window = WindowPublisher(channel, frame_bytes=131_072)
    stuck = asyncio.create_task(window.publish([outgoing(1)], 0.2))
    await channel.written()
    served = asyncio.create_task(window.publish([outgoing(2)], 5))
    await channel.written()
    channel.answer(2)

    assert await served == [None]
    assert [answer.code for answer in await stuck] == ["broker-unavailable"]
    assert window.usable


async def refused(channel, window, number=1):
    task = asyncio.create_task(window.publish([outgoing(number)], 5))
    await channel.written()
    channel.confirmations.pop(number).set_exception(DeliveryError(None, commands.Basic.Nack(delivery_tag=number)))
    assert [type(answer) for answer in await task] == [QueueRefused]


async def test_a_channel_on_which_a_queue_never_took_anything_is_given_up_after_a_refusal(channel, monkeypatch):
    window = WindowPublisher(channel, frame_bytes=131_072)
    await refused(channel, window)
    assert window.usable  # not at once: a full queue would have us connect again and again

    monkeypatch.setattr(publisher, "_REFUSED_SECONDS", 0)

    assert not window.usable


async def test_a_channel_on_which_the_queue_took_something_is_believed_when_it_refuses(channel, monkeypatch):
    monkeypatch.setattr(publisher, "_REFUSED_SECONDS", 0)
    window = WindowPublisher(channel, frame_bytes=131_072)
    task = asyncio.create_task(window.publish([outgoing(1)], 5))
    await channel.written()
    channel.answer(1)
    await task

    await refused(channel, window, 2)

    assert window.usable


async def test_a_channel_is_not_given_up_while_others_wait_for_answers(channel, monkeypatch):
    monkeypatch.setattr(publisher, "_REFUSED_SECONDS", 0)
    window = WindowPublisher(channel, frame_bytes=131_072)
    waiting = asyncio.create_task(window.publish([outgoing(1)], 5))
    await channel.written()
    await refused(channel, window, 2)
    assert window.usable

    channel.answer(1)
    await waiting

    assert window.usable  # the same queue took that one
