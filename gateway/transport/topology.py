"""Which queues and exchanges a gateway has on RabbitMQ, and with which arguments. One place says it; docs and tests read it.

    in.<AUTHORITY>              what was sent to it
    parts.<AUTHORITY>           parts of attachments that were sent to it; postponed, they come back through `in`
    retry.<AUTHORITY>.<N>s      a delay step: a parcel lies here for N seconds and goes back to `in`
    parked.<AUTHORITY>          set aside for operations
    unrouted                    what somebody sent through `relayed` to a queue that nobody has; for operations

    inbound                     exchange for gateways: they publish with mandatory, and get back what has no queue
    relayed                     exchange for shovels and others that do not; its alternate exchange is `unrouted`

All queues are durable quorum queues. Others may publish to the two exchanges and to nothing else: through these they reach
`in` and `parts` by the name of the queue, and neither a delay step nor a parking place. Inside, dead-lettering and setting
back go through the default exchange. `inbound` has no alternate exchange on purpose: the broker does not give back what
that one took, and the sender would never hear that nobody receives there (docs/decisions/0039).

The receiving gateway declares all of it; senders declare nothing. One fixed time to live per delay queue: with a time per
message a short wait would lie behind a long one. What may change in operation (lengths, alarms) is set by policy, since a
queue refuses to be declared again with other arguments. Written for RabbitMQ 4, works on 3.10.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from aio_pika.abc import AbstractChannel

# A message that breaks its taker comes back with each lost connection, and so does everything fetched ahead with it:
# a guard against an endless crash, far from what a bad network does. RabbitMQ 4 would stop at 20 on its own.
_CRASH_LIMIT = 100
_NEVER = 1_000_000_000  # looking at a parked parcel counts as a delivery; "-1" is not understood before 4.0


INBOUND = "inbound"
RELAYED = "relayed"
UNROUTED = "unrouted"  # an exchange and its queue


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerExchange:
    """One exchange as it is declared: durable, neither internal nor deleted by itself."""

    name: str
    kind: str
    arguments: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerQueue:
    """One queue as it is declared: durable, neither exclusive nor deleted by itself."""

    name: str
    arguments: dict[str, str | int]
    exchanges: tuple[str, ...] = ()  # beside the default one, those that know it by its name


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


def exchanges() -> list[BrokerExchange]:
    """Return the exchanges of a virtual host, in the order in which they are declared."""
    return [
        BrokerExchange(name=UNROUTED, kind="fanout", arguments={}),
        BrokerExchange(name=INBOUND, kind="direct", arguments={}),
        BrokerExchange(name=RELAYED, kind="direct", arguments={"alternate-exchange": UNROUTED}),
    ]


def unrouted() -> BrokerQueue:
    """Return the queue for what was relayed to a queue that nobody has."""
    return BrokerQueue(name=UNROUTED, arguments=kept(), exchanges=(UNROUTED,))


def kept() -> dict[str, str | int]:
    """Return the arguments of a queue that loses nothing: it refuses what it has no room for, and is left by hand alone."""
    return {"x-queue-type": "quorum", "x-overflow": "reject-publish", "x-delivery-limit": _NEVER}


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
        BrokerQueue(name=parked(authority), arguments=kept()),
        *(
            BrokerQueue(
                name=name,
                arguments=leading_to(parked(authority)) | {"x-delivery-limit": _CRASH_LIMIT},
                exchanges=(INBOUND, RELAYED),
            )
            for name in (inbound(authority), parts(authority))
        ),
        *(
            BrokerQueue(name=delay(authority, step), arguments=leading_to(inbound(authority)) | {"x-message-ttl": step * 1000})
            for step in steps
        ),
    ]


async def declare(channel: AbstractChannel, home: Sequence[str], steps: Sequence[int], timeout: float) -> None:  # noqa: ASYNC109 - of each call on the wire
    """Declare everything the `home` authorities need. Repeating it is harmless."""
    for exchange in exchanges():
        await channel.declare_exchange(
            exchange.name, exchange.kind, durable=True, arguments=dict(exchange.arguments), timeout=timeout
        )
    for queue in (unrouted(), *(found for authority in home for found in queues_of(authority, steps))):
        declared = await channel.declare_queue(queue.name, durable=True, arguments=dict(queue.arguments), timeout=timeout)
        for name in queue.exchanges:
            await declared.bind(name, queue.name, timeout=timeout)
