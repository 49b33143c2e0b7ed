"""The straight line over PostgreSQL and RabbitMQ: one process for A, one for B, each with its own database.

A    one transaction per batch: forget what the broker confirmed, store the messages, put them into the outbox; then publish
     the batch and go on. At most `WINDOW` batches are unconfirmed.
B    take what is waiting, one transaction per batch: inbox, messages; then acknowledge the whole batch.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection

import aiormq
import asyncpg
import uvloop
from aiormq.abc import DeliveredMessage
from pamqp.commands import Basic
from prototype_message import template
from prototype_source import BATCH, Source
from prototype_steps import Keys, Receiver, Sender

QUEUE = "prototype-hop"
WINDOW = 4  # batches published and not yet confirmed
PREFETCH = 4 * BATCH
PERSISTENT = 2  # delivery mode: the broker writes the message to disk

TABLES_A = """
create table message(id bigint generated always as identity primary key, message_id uuid unique, state text,
    at timestamptz default now(), raw bytea);
create table outbox(id bigint generated always as identity primary key, message_id uuid, sealed bytea);
alter table outbox alter sealed set storage external;  -- ciphertext does not compress: do not try
"""
TABLES_B = """
create table message(id bigint generated always as identity primary key, message_id uuid unique, state text,
    at timestamptz default now(), body bytea);
create table inbox(message_id uuid primary key, at timestamptz default now());
"""
FORGET_CONFIRMED = "delete from outbox where id = any($1::bigint[])"
STORE_AND_QUEUE = """
with stored as (
    insert into message(message_id, state, raw) select id, 'sent', raw from unnest($1::uuid[], $2::bytea[]) as t(id, raw)
)
insert into outbox(message_id, sealed) select * from unnest($1::uuid[], $3::bytea[]) returning id
"""
STORE_NEW = """
with fresh as (
    insert into inbox(message_id) select * from unnest($1::uuid[]) on conflict do nothing returning message_id
)
insert into message(message_id, state, body)
select distinct on (message_id) message_id, 'stored', body from unnest($1::uuid[], $2::bytea[]) as t(message_id, body)
join fresh using (message_id) returning message_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What both processes are told."""

    count: int
    rate: float  # messages per second offered; 0 for as fast as possible
    keys: Keys
    database_a: str
    database_b: str
    amqp: str


def send(control: Connection, job: Job) -> None:
    """Be A: say ready, wait for the word, send everything, answer when the first message was taken."""
    uvloop.run(_send(control, job))


def receive(control: Connection, job: Job) -> None:
    """Be B: say ready, take in everything, answer with the time of the last commit and all latencies in seconds."""
    uvloop.run(_receive(control, job))


async def prepare(job: Job) -> None:
    """Make the tables in two fresh databases, and an empty quorum queue."""
    for address, tables in ((job.database_a, TABLES_A), (job.database_b, TABLES_B)):
        async with _database(address) as database:
            await database.execute(tables)
    async with _broker(job) as broker:
        channel = await broker.channel()
        await channel.queue_delete(QUEUE)
        await channel.queue_declare(QUEUE, durable=True, arguments={"x-queue-type": "quorum"})


async def settle(job: Job) -> tuple[int, int]:
    """Remove the queue; return how many messages are still in A's outbox and how many are in B's inbox."""
    async with _broker(job) as broker:
        await (await broker.channel()).queue_delete(QUEUE)
    rows = []
    for address, table in ((job.database_a, "outbox"), (job.database_b, "inbox")):
        async with _database(address) as database:
            rows.append(int(await database.fetchval(f"select count(*) from {table}")))
    return rows[0], rows[1]


@asynccontextmanager
async def _broker(job: Job) -> AsyncIterator[aiormq.Connection]:
    broker = aiormq.Connection(job.amqp)
    await broker.connect()
    try:
        yield broker
    finally:
        await broker.close()


@asynccontextmanager
async def _database(address: str) -> AsyncIterator[asyncpg.Connection]:
    database = await asyncpg.connect(address)
    try:
        yield database
    finally:
        await database.close()


async def _send(control: Connection, job: Job) -> None:
    sender = Sender(job.keys)
    window = asyncio.Semaphore(WINDOW)
    confirmed: list[int] = []
    async with _database(job.database_a) as database, _broker(job) as broker:
        channel = await broker.channel(publisher_confirms=True)
        assert isinstance(channel, aiormq.Channel)  # its basic_publish knows `wait`, the abstract one does not

        async def publish(rows: list[int], messages: Iterable[tuple[str, float, bytes]]) -> None:
            # Not waiting for the socket lets the client write many messages at once; the confirmations are waited for.
            await asyncio.gather(
                *(
                    channel.basic_publish(body, routing_key=QUEUE, properties=_about(name, due), mandatory=True, wait=False)
                    for name, due, body in messages
                )
            )
            confirmed.extend(rows)
            window.release()

        control.send("ready")
        control.recv()
        source = Source(template(), job.count, job.rate)
        async with asyncio.TaskGroup() as publishing:
            while source.left:
                waiting = source.take()
                if not waiting:
                    await asyncio.sleep(source.pause())
                    continue
                names, bodies = zip(*(sender.send(item.raw) for item in waiting), strict=True)
                await window.acquire()
                done, confirmed[:] = confirmed[:], []
                async with database.transaction():
                    if done:
                        await database.execute(FORGET_CONFIRMED, done)
                    stored = await database.fetch(STORE_AND_QUEUE, names, [item.raw for item in waiting], bodies)
                dues = [item.due for item in waiting]
                publishing.create_task(publish([row["id"] for row in stored], zip(names, dues, bodies, strict=True)))
        await database.execute(FORGET_CONFIRMED, confirmed)
        control.send(source.began)
        control.recv()


async def _receive(control: Connection, job: Job) -> None:
    receiver = Receiver(job.keys)
    arrived: asyncio.Queue[DeliveredMessage] = asyncio.Queue()
    latencies: list[float] = []
    stored = 0
    async with _database(job.database_b) as database, _broker(job) as broker:
        channel = await broker.channel()
        await channel.basic_qos(prefetch_count=PREFETCH)
        await channel.basic_consume(QUEUE, arrived.put)
        control.send("ready")
        while stored < job.count:
            batch = [await arrived.get()]
            while len(batch) < BATCH and not arrived.empty():
                batch.append(arrived.get_nowait())
            names, bodies = zip(*(receiver.receive(message.body) for message in batch), strict=True)
            async with database.transaction():
                stored += len(await database.fetch(STORE_NEW, names, bodies))
            await channel.basic_ack(batch[-1].delivery_tag or 0, multiple=True)
            now = time.monotonic()
            latencies += [now - _due(message) for message in batch]
        control.send((time.monotonic(), latencies))
        control.recv()


def _about(message_id: str, due: float) -> Basic.Properties:
    return Basic.Properties(delivery_mode=PERSISTENT, message_id=message_id, headers={"due": str(due)})


def _due(message: DeliveredMessage) -> float:
    """Return when the message was due at the source, in monotonic seconds; A wrote it into the headers."""
    return float(str((message.header.properties.headers or {})["due"]))
