"""Which queues a home authority has on RabbitMQ, and with which arguments. One place says it; docs and tests read it.

    in.<AUTHORITY>              what was sent to it
    parts.<AUTHORITY>           parts of attachments that were sent to it; postponed, they come back through `in`
    retry.<AUTHORITY>.<N>s      a delay step: a parcel lies here for N seconds and goes back to `in`
    parked.<AUTHORITY>          set aside for operations

All are durable quorum queues behind the default exchange; senders declare nothing. One fixed time to live per delay
queue: with a time per message a short wait would lie behind a long one. What may change in operation (lengths, alarms)
is set by policy, since a queue refuses to be declared again with other arguments. Written for RabbitMQ 4, works on 3.10.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from aio_pika.abc import AbstractChannel

# A message that breaks its taker comes back with each lost connection, and so does everything fetched ahead with it:
# a guard against an endless crash, far from what a bad network does. RabbitMQ 4 would stop at 20 on its own.
_CRASH_LIMIT = 100
_NEVER = 1_000_000_000  # looking at a parked parcel counts as a delivery; "-1" is not understood before 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerQueue:
    """One queue as it is declared."""

    name: str
    arguments: dict[str, str | int]


def inbound(authority: str) -> str:
    """Return the name of the queue an authority receives from."""
    return f"in.{authority}"


def parts(authority: str) -> str:
    """Return the name of the queue for parts of attachments: they do not stand before messages, and few are fetched ahead."""
    return f"parts.{authority}"


def delay(authority: str, seconds: int) -> str:
    """Return the name of one delay step."""
    return f"retry.{authority}.{seconds}s"


def parked(authority: str) -> str:
    """Return the name of the queue for what was set aside."""
    return f"parked.{authority}"


def step_for(seconds: int, steps: Sequence[int]) -> int:
    """Return the first delay step that is not shorter than `seconds`, else the longest."""
    return min((step for step in steps if step >= seconds), default=max(steps))


def queues_of(authority: str, steps: Sequence[int]) -> list[BrokerQueue]:
    """Return every queue of one home authority; `steps` are the delays in seconds."""

    def leading_to(name: str) -> dict[str, str | int]:
        # At-least-once keeps the parcel here until the next queue has confirmed it; it asks for reject-publish.
        return {
            "x-queue-type": "quorum",
            "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": name,
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        }

    return [
        BrokerQueue(
            name=parked(authority),
            arguments={"x-queue-type": "quorum", "x-overflow": "reject-publish", "x-delivery-limit": _NEVER},
        ),
        *(
            BrokerQueue(name=name, arguments=leading_to(parked(authority)) | {"x-delivery-limit": _CRASH_LIMIT})
            for name in (inbound(authority), parts(authority))
        ),
        *(
            BrokerQueue(name=delay(authority, step), arguments=leading_to(inbound(authority)) | {"x-message-ttl": step * 1000})
            for step in steps
        ),
    ]


async def declare(channel: AbstractChannel, home: Sequence[str], steps: Sequence[int], timeout: float) -> None:  # noqa: ASYNC109 - of each call on the wire
    """Declare everything the `home` authorities need. Repeating it is harmless."""
    for authority in home:
        for queue in queues_of(authority, steps):
            await channel.declare_queue(queue.name, durable=True, arguments=dict(queue.arguments), timeout=timeout)
