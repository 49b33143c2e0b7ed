"""The port all transports meet. A transport carries sealed parcels between authorities and never opens them.

Queues are named after the recipient authority. What a transport promises, and the contract suite checks on each:

- `send` answers for each parcel alone, and only once the far side holds it durably. A parcel may arrive more than once.
- One taker of one queue sees its parcels in the order in which they were sent; a postponed parcel comes later.
- Parcels sent as `bulk` go a way of their own and keep no order with the others. They do not keep others waiting, and one batch
  brings at most `MOST_BULK` of them for one authority, beside the others: a batch is in memory.
- What was taken and not settled comes back: after a lost connection, a crash, or the end of its lease.
- Nothing about a `Delivery` is trusted. Who sent a message and its id come from the signed bytes inside.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from gateway.errors import GatewayError, TooLarge, Undeliverable

MAX_PARCEL_BYTES = 4 * 1_048_576  # a sealed message or one part of an attachment; RabbitMQ 4 itself stops at 16 MiB
MOST_BULK = 4  # parts of 1 MiB
_AUTHORITY = re.compile(r"[A-Z]{2}-[A-Z0-9]{1,13}")  # as in partners/: state code, hyphen, short name
_MESSAGE_ID = re.compile(r"[\x21-\x7e]{1,36}")  # a UUID in practice; the transport needs only a short word


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """Sealed bytes with an address."""

    message_id: str
    sender: str  # authority
    recipient: str  # authority
    body: bytes
    bulk: bool = False  # a part of an attachment: it travels apart, and is brought a few at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A parcel that was taken and waits to be settled, postponed or parked."""

    queue: str  # the home authority it was sent to
    body: bytes
    message_id: str  # as the transport claims; empty when it names none; for logs only
    sender: str  # the same
    attempts: int  # how often it was postponed before
    token: Any  # what the transport that made it needs to find it again
    code: str | None = None  # of what was set aside: the code it was parked with; None: it broke its taker each time


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueState:
    """What a transport knows about one home authority's queue."""

    name: str  # authority
    waiting: int  # not yet settled, postponed ones included, as far as the transport can see
    parked: int
    oldest: datetime | None  # when the oldest waiting parcel was sent; None: nothing waits, or the transport cannot tell
    consumers: int | None  # takers of the queue; None: the transport cannot tell


class Transport(Protocol):
    """Carries parcels to authorities and brings those sent to the home authorities.

    Used from one event loop. `send` and `take` may run side by side; two `take` at once may not.
    """

    @property
    def name(self) -> str:
        """Name for the journal: "embedded", "rabbitmq" or "memory"."""
        ...

    @property
    def cut_off(self) -> bool:
        """Whether this process takes and at present cannot: its connection or consumers are lost and not yet made anew."""
        ...

    async def open(self, home: Sequence[str]) -> None:
        """Declare what is needed to receive for the `home` authorities. Repeating it is harmless.

        Raises `BrokerUnavailable` or `DatabaseUnavailable`; `Misconfigured` for keys and certificates that cannot be used.
        """
        ...

    async def send(self, parcels: Sequence[Parcel]) -> list[GatewayError | None]:
        """Hand over parcels; return one answer each, in order.

        `None`: the far side holds it durably. `Undeliverable`: nobody receives for this recipient. `BrokerUnavailable`
        or `DatabaseUnavailable`: not known to be held, worth a retry. `TooLarge`: never will be. The trouble of one
        parcel never touches another. Sending the same parcel twice is harmless.
        """
        ...

    async def take(self, most: int, wait_seconds: float) -> list[Delivery]:
        """Return what is waiting for the home authorities as one batch of up to `most`, at once when there is something.

        Returns an empty list after `wait_seconds` without a parcel. No timer delays a lone parcel.
        Raises `BrokerUnavailable` or `DatabaseUnavailable`, not sooner than a pause after the last time, so that a loop
        around it does not spin.
        """
        ...

    async def settle(self, deliveries: Sequence[Delivery]) -> None:
        """Forget deliveries for good. Called after the commit that made them durable elsewhere.

        Never raises for a lost connection: the deliveries come back, and a repeat is harmless.
        """
        ...

    async def postpone(self, delivery: Delivery, seconds: int, code: str) -> None:
        """Bring a delivery back after `seconds`, with one attempt more. `code` is the stable code of the failure.

        A transport with fixed delay steps takes the first step that is not shorter, else its longest.
        Raises `BrokerUnavailable` or `DatabaseUnavailable`; the delivery then stays unsettled and comes back by itself.
        """
        ...

    async def park(self, delivery: Delivery, code: str) -> None:
        """Set a delivery aside, never to be dropped, for whoever calls `take_parked`. Raises as `postpone`."""
        ...

    async def take_parked(self, most: int) -> list[Delivery]:
        """Return up to `most` of what `park` or the transport itself set aside for the home authorities; never waits.

        For whoever keeps it elsewhere: `settle` forgets it, and what is not settled stays set aside. May run beside `take`.
        Raises `BrokerUnavailable` or `DatabaseUnavailable`.
        """
        ...

    async def states(self) -> list[QueueState]:
        """Return the state of each home authority's queue, by name. Raises `BrokerUnavailable` or `DatabaseUnavailable`."""
        ...

    async def close(self) -> None:
        """Let go of everything; what was taken and not settled comes back to whoever opens next."""
        ...


def refusal(parcel: Parcel) -> GatewayError | None:
    """Say why no transport may carry this parcel, None if any may.

    Checked before the wire: one oversized or oddly named parcel would end the connection that others share.
    """
    if len(parcel.body) > MAX_PARCEL_BYTES:
        return TooLarge(f"the sealed message has {len(parcel.body)} bytes; at most {MAX_PARCEL_BYTES} are carried")
    if not _AUTHORITY.fullmatch(parcel.recipient):
        return Undeliverable("the recipient is not written as an authority code")
    if not _AUTHORITY.fullmatch(parcel.sender) or not _MESSAGE_ID.fullmatch(parcel.message_id):
        return Undeliverable("the sender or the message id is not written as the transports need it")
    return None
