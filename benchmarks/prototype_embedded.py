"""The straight line with nothing but SQLite: one process, one database file, the queue is a table in it.

The steps are those of the line over RabbitMQ: store with outbox, hand over to the queue and empty the outbox, take from the
queue into the inbox. Each is one transaction per batch, in WAL mode with synchronous=FULL: a commit is on the disk.
"""

import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from prototype_message import template
from prototype_source import BATCH, Source, Waiting
from prototype_steps import Keys, Receiver, Sender

TABLES = """
pragma journal_mode = wal;
create table sent(id integer primary key, message_id text unique, at real, raw blob);
create table outbox(id integer primary key, message_id text, due real, sealed blob);
create table queue(id integer primary key, message_id text, due real, sealed blob);
create table inbox(message_id text primary key, at real) without rowid;
create table received(id integer primary key, message_id text unique, at real, body blob);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What the process is told."""

    count: int
    rate: float  # messages per second offered; 0 for as fast as possible
    keys: Keys
    database: Path


def carry(control: Connection, job: Job) -> None:
    """Be both sides: say ready, wait for the word, carry everything, answer with begin, end and all latencies in seconds."""
    sender, receiver = Sender(job.keys), Receiver(job.keys)
    latencies: list[float] = []
    with closing(_connect(job.database)) as database:
        control.send("ready")
        control.recv()
        source = Source(template(), job.count, job.rate)
        while len(latencies) < job.count:
            waiting = source.take()
            if waiting:
                _send(database, sender, waiting)
                _hand_over(database)
            if not (dues := _receive(database, receiver)):
                time.sleep(source.pause())
            now = time.monotonic()
            latencies += [now - due for due in dues]
        control.send((source.began, time.monotonic(), latencies))
        control.recv()


def prepare(job: Job) -> None:
    """Make the tables in a fresh file."""
    with closing(_connect(job.database)) as database:
        database.executescript(TABLES)


def settle(job: Job) -> tuple[int, int]:
    """Return how many messages are still on the way and how many are in the inbox."""
    with closing(_connect(job.database)) as database:
        on_the_way = database.execute("select (select count(*) from outbox) + (select count(*) from queue)").fetchone()[0]
        return int(on_the_way), int(database.execute("select count(*) from inbox").fetchone()[0])


def _connect(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path)
    database.execute("pragma synchronous = full")
    return database


def _send(database: sqlite3.Connection, sender: Sender, waiting: list[Waiting]) -> None:
    sealed = [sender.send(item.raw) for item in waiting]
    now = time.time()
    with database:
        database.executemany(
            "insert into sent(message_id, at, raw) values (?, ?, ?)",
            [(name, now, item.raw) for item, (name, _) in zip(waiting, sealed, strict=True)],
        )
        database.executemany(
            "insert into outbox(message_id, due, sealed) values (?, ?, ?)",
            [(name, item.due, body) for item, (name, body) in zip(waiting, sealed, strict=True)],
        )


def _hand_over(database: sqlite3.Connection) -> None:
    with database:
        database.execute("insert into queue(message_id, due, sealed) select message_id, due, sealed from outbox order by id")
        database.execute("delete from outbox")


def _receive(database: sqlite3.Connection, receiver: Receiver) -> list[float]:
    """Take one batch from the queue; return when its messages were due."""
    batch = database.execute("select id, due, sealed from queue order by id limit ?", (BATCH,)).fetchall()
    if not batch:
        return []
    opened = [receiver.receive(sealed) for _, _, sealed in batch]
    now = time.time()
    with database:
        for message_id, body in opened:
            fresh = database.execute("insert into inbox values (?, ?) on conflict do nothing", (message_id, now)).rowcount
            if fresh:
                database.execute("insert into received(message_id, at, body) values (?, ?, ?)", (message_id, now, body))
        database.execute("delete from queue where id <= ?", (batch[-1][0],))
    return [due for _, due, _ in batch]
