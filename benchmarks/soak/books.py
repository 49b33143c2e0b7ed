"""What one database says, read by plain SQL: the code that wrote it is what is in doubt."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import psycopg
from lxml import etree
from psycopg.rows import namedtuple_row

from soak.installation import SILENT, Side
from soak.systems import Accepted, Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What a receipt says of one message."""

    message_id: str
    digest: str
    accepted: bool


@dataclass(slots=True, kw_only=True)
class Book:
    """One installation's record. Rows have the columns of their table; receipts stand apart from the other messages."""

    authority: str
    out: dict[str, Any] = field(default_factory=dict)  # by message id
    come: dict[str, list[Any]] = field(default_factory=dict)  # by message id
    receipts_out: dict[str, Any] = field(default_factory=dict)
    receipts_in: dict[str, Any] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)  # of the receipts that it issued
    inbox: Counter[int] = field(default_factory=Counter)  # rows in the inbox, by row of the message
    said: Counter[str] = field(default_factory=Counter)  # entries of the journal that a message came, by message id
    cases: dict[str, Any] = field(default_factory=dict)  # by reference
    deadlines: dict[int, set[tuple[Any, ...]]] = field(default_factory=dict)  # by row of the case
    outbox: list[Any] = field(default_factory=list)
    early: list[Any] = field(default_factory=list)


def read(side: Side) -> Book:
    """Read the book of one installation."""
    book = Book(authority=side.authority)
    with psycopg.connect(side.database, row_factory=namedtuple_row) as tx:
        for row in tx.execute("select * from messages order by id"):
            if row.type == "Receipt":
                (book.receipts_out if row.direction == "out" else book.receipts_in)[row.message_id] = row
            elif row.direction == "out":
                book.out[row.message_id] = row
            else:
                book.come.setdefault(row.message_id, []).append(row)
        for row in tx.execute(
            "select d.body from documents d join messages m on m.id = d.message_row"
            " where m.direction = 'out' and m.type = 'Receipt' and d.kind = 'receipt'"
        ):
            book.lines += _lines(row.body)
        book.inbox.update(row.message_row for row in tx.execute("select message_row from inbox"))
        received = "select message_id from journal where event = 'message.received'"
        book.said.update(row.message_id for row in tx.execute(received))
        book.cases = {row.reference: row for row in tx.execute("select * from cases")}
        for row in tx.execute("select case_id, limit_id, due_on, rolled_on, lapses_at, state from deadlines"):
            book.deadlines.setdefault(row.case_id, set()).add(row[1:])
        book.outbox = tx.execute("select message_id, recipient from outbox").fetchall()
        book.early = tx.execute("select message_id from early").fetchall()
    return book


def _lines(body: bytes) -> list[Line]:
    return [
        Line(
            message_id=item.findtext("{*}MessageId") or "",
            digest=item.findtext("{*}Sha256") or "",
            accepted=item.findtext("{*}Outcome") == "accepted",
        )
        for item in etree.fromstring(body).iter("{*}Item")
    ]


def settled(messages: Collection[Accepted], sides: Collection[Side]) -> bool:
    """Whether these messages are through: at the other side, with their receipts back. Cheap, to be asked often."""
    by_sender: dict[str, list[str]] = {}
    for each in messages:
        by_sender.setdefault(each.sender, []).append(each.message_id)
    query = "select count(*) from messages where direction = 'out' and outcome = 'received' and message_id = any(%s)"
    for side in sides:
        ids = by_sender.get(side.authority, [])
        if _count(side, query, ids) < len(ids):
            return False
    return True


def at_rest(ledger: Ledger, sides: Collection[Side]) -> bool:
    """Whether nothing is on its way any more: every hand-in answered, outboxes and inboxes empty, every receipt back."""
    query = (
        "select (select count(*) from outbox where recipient <> %s) + (select count(*) from early)"
        " + (select count(*) from inbox where fetched_at is null)"
    )
    if ledger.open_keys() or not settled(ledger.known(), sides):
        return False
    return not any(_count(side, query, SILENT) for side in sides)


def _count(side: Side, query: str, value: Any) -> int:
    with psycopg.connect(side.database, connect_timeout=5) as tx:
        row = tx.execute(query, [value]).fetchone()  # type: ignore[call-overload]  # constants above
    assert row is not None
    return int(row[0])
