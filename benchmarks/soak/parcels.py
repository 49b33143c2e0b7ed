"""Parcels as a hostile or broken network brings them: again, in another order, cut short, or made of nothing.

Every few parcels that a gateway puts into its outbox are copied by a trigger of the soak's own, so that they can be
published again long after they were delivered.
"""

import asyncio
import contextlib
import random
from collections.abc import Sequence
from dataclasses import dataclass

import aio_pika
import psycopg

from gateway.transport import topology
from soak.installation import Side

_EVERY = 4
_CAPTURE = f"""
create schema soak;
create table soak.parcels (message_id text, sender text, recipient text, body bytea);
create function soak.capture() returns trigger language plpgsql as $$
begin
  if new.id % {_EVERY} = 0 and new.attachment_id is null then
    insert into soak.parcels values (new.message_id, new.sender, new.recipient, new.body);
  end if;
  return null;
end $$;
create trigger soak_capture after insert on outbox for each row execute function soak.capture();
"""


@dataclass(frozen=True, slots=True)
class Caught:
    """One sealed parcel."""

    message_id: str
    sender: str
    recipient: str
    body: bytes


def capture(side: Side) -> None:
    """Begin to copy parcels."""
    with psycopg.connect(side.database, autocommit=True) as connection:
        connection.execute(_CAPTURE)  # type: ignore[call-overload]  # a constant


def caught(side: Side, recipient: str, most: int, chance: random.Random) -> list[Caught]:
    """Return up to `most` parcels, in another order than they left."""
    with psycopg.connect(side.database) as tx:
        rows = tx.execute("select * from soak.parcels where recipient = %s", [recipient]).fetchall()
    found = [Caught(*row) for row in rows]
    return chance.sample(found, min(most, len(found)))


def poison(parcels: Sequence[Caught], chance: random.Random) -> list[Caught]:
    """Return parcels that nobody can open: cut short, with one bit changed, and bytes that never were one."""
    found = [Caught("", each.sender, each.recipient, each.body[: chance.randrange(len(each.body))]) for each in parcels]
    for each in parcels:
        body = bytearray(each.body)
        body[chance.randrange(len(body))] ^= 1 << chance.randrange(8)
        found.append(Caught(each.message_id, each.sender, each.recipient, bytes(body)))
    recipients = sorted({each.recipient for each in parcels})
    found += [Caught("", "", to, chance.randbytes(size)) for to in recipients for size in (0, 1, 17, 5000)]
    return found


def publish(url: str, parcels: Sequence[Caught]) -> int:
    """Put parcels into the queues of their recipients; return how many the broker took."""

    async def main() -> int:
        taken = 0
        connection = await aio_pika.connect(url)
        async with connection:
            channel = await connection.channel(publisher_confirms=True)
            for each in parcels:
                message = aio_pika.Message(
                    each.body, delivery_mode=2, message_id=each.message_id or None, app_id=each.sender or None
                )
                with contextlib.suppress(aio_pika.exceptions.AMQPError):  # a full queue takes no more
                    await channel.default_exchange.publish(message, topology.inbound(each.recipient), timeout=10)
                    taken += 1
        return taken

    return asyncio.run(main())


def names_in(url: str, queue: str) -> list[str]:
    """Take everything out of a queue; return the message ids."""

    async def main() -> list[str]:
        connection = await aio_pika.connect(url)
        async with connection:
            channel = await connection.channel()
            found = await channel.get_queue(queue)
            names = []
            while (message := await found.get(fail=False, timeout=10)) is not None:
                await message.ack()
                names.append(message.message_id or "")
            return names

    return asyncio.run(main())


def declare(url: str, authority: str) -> None:
    """Make the queue of an authority that nobody reads."""

    async def main() -> None:
        connection = await aio_pika.connect(url)
        async with connection:
            channel = await connection.channel()
            await topology.declare(channel, [authority], (30,), 10)

    asyncio.run(main())
