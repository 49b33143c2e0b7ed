"""Whether the books agree: read from both databases by plain SQL, and held against what the national systems were told.

Each finding is one sentence that names the message. The two counts that are reported as `lost` and `doubled` are counts of
messages; a message is found once, whichever book shows it.
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import psycopg
from lxml import etree
from psycopg.rows import namedtuple_row
from soak.installation import SILENT, Side
from soak.systems import Accepted, Ledger


@dataclass(slots=True)
class Verdict:
    """What was found."""

    accepted: int = 0
    delivered: int = 0
    lost: set[str] = field(default_factory=set)  # message ids
    doubled: set[str] = field(default_factory=set)
    receipts_without_message: set[str] = field(default_factory=set)
    messages_without_receipt: set[str] = field(default_factory=set)
    others: list[str] = field(default_factory=list)  # sentences

    @property
    def good(self) -> bool:
        return not (self.lost or self.doubled or self.receipts_without_message or self.messages_without_receipt or self.others)

    def sentences(self) -> list[str]:
        named = {
            "lost": self.lost,
            "doubled": self.doubled,
            "receipt without message": self.receipts_without_message,
            "message without receipt": self.messages_without_receipt,
        }
        return [f"{what}: {each}" for what, found in named.items() for each in sorted(found)] + self.others


class Book:
    """What one database says."""

    def __init__(self, side: Side) -> None:
        self.authority = side.authority
        with psycopg.connect(side.database, row_factory=namedtuple_row) as tx:
            rows = tx.execute("select * from messages order by id").fetchall()
            self.out = {row.message_id: row for row in rows if row.direction == "out" and row.type != "Receipt"}
            self.come: dict[str, list[Any]] = {}
            for row in rows:
                if row.direction == "in" and row.type != "Receipt":
                    self.come.setdefault(row.message_id, []).append(row)
            self.receipts_out = {row.message_id: row for row in rows if row.direction == "out" and row.type == "Receipt"}
            self.receipts_in = {row.message_id: row for row in rows if row.direction == "in" and row.type == "Receipt"}
            self.inbox = Counter(row.message_row for row in tx.execute("select message_row from inbox"))
            self.unread = tx.execute("select count(*) from inbox where fetched_at is null").fetchone().count  # type: ignore[union-attr]
            self.cases = {row.reference: row for row in tx.execute("select * from cases")}
            self.deadlines: dict[int, set[tuple[Any, ...]]] = {}
            for row in tx.execute("select case_id, limit_id, due_on, rolled_on, lapses_at, state from deadlines"):
                self.deadlines.setdefault(row.case_id, set()).add(row[1:])
            self.outbox = tx.execute("select message_id, recipient, parked_at from outbox").fetchall()
            self.early = tx.execute("select message_id from early").fetchall()
            self.said = Counter(
                row.message_id for row in tx.execute("select message_id from journal where event = 'message.received'")
            )
            self.lines = [
                (row.message_id, line)
                for row in tx.execute(
                    "select m.message_id, d.body from documents d join messages m on m.id = d.message_row"
                    " where m.direction = 'out' and m.type = 'Receipt' and d.kind = 'receipt'"
                )
                for line in _lines(row.body)
            ]


def _lines(body: bytes) -> list[tuple[str, str, bool]]:
    """Return what a receipt says: message id, digest, whether it was taken."""
    return [
        (item.findtext("{*}MessageId") or "", item.findtext("{*}Sha256") or "", item.findtext("{*}Outcome") == "accepted")
        for item in etree.fromstring(body).iter("{*}Item")
    ]


def settled(ledger: Ledger, messages: Collection[Accepted], sides: Collection[Side]) -> bool:
    """Whether these messages are through: at the other side, with their receipts back. Cheap, to be asked often."""
    by_sender: dict[str, list[str]] = {}
    for each in messages:
        by_sender.setdefault(each.sender, []).append(each.message_id)
    for side in sides:
        ids = by_sender.get(side.authority, [])
        with psycopg.connect(side.database, connect_timeout=5) as tx:
            query = "select count(*) from messages where direction = 'out' and outcome = 'received' and message_id = any(%s)"
            row = tx.execute(query, [ids]).fetchone()
            if row is None or row[0] < len(ids):
                return False
    return True


def at_rest(ledger: Ledger, sides: Collection[Side]) -> bool:
    """Whether nothing is on its way any more: every hand-in answered, outboxes and inboxes empty, every receipt back."""
    if ledger.open_keys() or not settled(ledger, ledger.known(), sides):
        return False
    for side in sides:
        with psycopg.connect(side.database, connect_timeout=5) as tx:
            query = (
                "select (select count(*) from outbox where recipient <> %s) + (select count(*) from early)"
                " + (select count(*) from inbox where fetched_at is null)"
            )
            row = tx.execute(query, [SILENT]).fetchone()
            if row is None or row[0]:
                return False
    return True


def judge(ledger: Ledger, messages: Collection[Accepted], west: Side, east: Side, *, whole: bool) -> Verdict:
    """Compare the books for these messages; at the end of a run (`whole`) also for what nobody knows of."""
    books = {side.authority: Book(side) for side in (west, east)}
    other = {west.authority: east.authority, east.authority: west.authority}
    verdict = Verdict(accepted=len(messages))
    for told in messages:
        _judge_message(told, books[told.sender], books[other[told.sender]], verdict)
    for id_, count in Counter(told.message_id for told in messages).items():
        if count > 1:
            verdict.others.append(f"two hand-ins were answered with the same message {id_}")
    for book in books.values():
        for id_, count in Counter(line[0] for _, line in book.lines if line[2]).items():
            if count > 1:
                verdict.others.append(f"{book.authority} receipted {id_} {count} times")
    if whole:
        _judge_rest(ledger, books, other, verdict)
    return verdict


def _judge_message(told: Accepted, sender: Book, recipient: Book, verdict: Verdict) -> None:
    id_ = told.message_id
    sent, come = sender.out.get(id_), recipient.come.get(id_, [])
    if sent is None or not come:
        verdict.lost.add(id_)
        return
    verdict.delivered += 1
    if len(come) > 1 or recipient.inbox[come[0].id] > 1 or recipient.said[id_] > 1:
        verdict.doubled.add(id_)
    taken = come[0]
    if taken.outcome != "accepted" or not recipient.inbox[taken.id] or not recipient.said[id_]:
        verdict.others.append(f"{id_} came, and is {taken.outcome} ({taken.code}) with {recipient.inbox[taken.id]} inbox rows")
    if taken.digest != sent.digest:
        verdict.others.append(f"{id_} has another digest at the other side")
    receipt = sent.receipt_message_id
    issued, back = recipient.receipts_out.get(receipt), sender.receipts_in.get(receipt)
    if sent.outcome != "received" or issued is None or back is None or taken.receipt_message_id != receipt:
        verdict.messages_without_receipt.add(id_)
    elif issued.digest != back.digest:
        verdict.others.append(f"the receipt {receipt} of {id_} differs between the two sides")


def _judge_rest(ledger: Ledger, books: dict[str, Book], other: dict[str, str], verdict: Verdict) -> None:
    told = {each.message_id for each in (*ledger.accepted.values(), *ledger.silent.values())}
    verdict.others += [f"not handed in to the end: {key}" for key in sorted(ledger.open_keys())]
    verdict.others += [f"the gateway refused {each}" for each in ledger.refused]
    for code, book in books.items():
        there = books[other[code]]
        verdict.doubled |= book.out.keys() - told  # left although nobody was told so: a hand-in that became two messages
        verdict.receipts_without_message |= {
            id_
            for _, (id_, digest, taken) in book.lines
            if taken and id_ not in {r.message_id for r in _taken(book, id_, digest)}
        }
        verdict.others += [f"{code} holds {row.message_id} in its outbox" for row in book.outbox if row.recipient != SILENT]
        verdict.others += [f"{code} keeps {row.message_id} as too early" for row in book.early]
        for reference, case in book.cases.items():
            if case.counterparty == SILENT:
                continue
            theirs = there.cases.get(reference)
            if theirs is None or theirs.state != case.state:
                verdict.others.append(
                    f"the case {reference} is {case.state} for {code} and {theirs and theirs.state} for {other[code]}"
                )
            elif code < other[code] and book.deadlines.get(case.id) != there.deadlines.get(theirs.id):
                verdict.others.append(f"the deadlines of the case {reference} differ between the two sides")


def _taken(book: Book, message_id: str, digest: str) -> list[Any]:
    return [row for row in book.come.get(message_id, []) if row.digest == digest and row.outcome == "accepted"]
