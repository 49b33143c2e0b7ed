"""Whether the books agree, with each other and with what the national systems were told.

Each finding is one sentence that names the message. The two counts that are reported as `lost` and `doubled` are counts of
messages; a message is found once, whichever book shows it.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from soak.books import Book
from soak.installation import SILENT
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

    def sentences(self) -> list[str]:
        named = {
            "lost": self.lost,
            "doubled": self.doubled,
            "receipt without message": self.receipts_without_message,
            "message without receipt": self.messages_without_receipt,
        }
        return [f"{what}: {each}" for what, found in named.items() for each in sorted(found)] + self.others


def judge(ledger: Ledger, messages: Collection[Accepted], books: Sequence[Book], *, whole: bool) -> Verdict:
    """Compare two books for these messages; at the end of a run (`whole`) also for what nobody knows of."""
    one, two = books
    verdict = Verdict(accepted=len(messages))
    for sender, recipient in ((one, two), (two, one)):
        receipted = Counter(line.message_id for line in recipient.lines if line.accepted)
        for told in messages:
            if told.sender == sender.authority:
                _judge_message(told.message_id, sender, recipient, receipted[told.message_id], verdict)
        verdict.others += [
            f"{recipient.authority} receipted {id_} {count} times" for id_, count in receipted.items() if count > 1
        ]
    told_of = Counter(told.message_id for told in messages)
    verdict.others += [f"two hand-ins were answered with {id_}" for id_, count in told_of.items() if count > 1]
    if whole:
        _judge_ledger(ledger, verdict)
        known = {each.message_id for each in (*ledger.accepted.values(), *ledger.silent.values())}
        for book in books:
            _judge_rest(book, known, verdict)
        _judge_cases(one, two, verdict)
        _judge_cases(two, one, verdict)
    return verdict


def _judge_message(id_: str, sender: Book, recipient: Book, receipted: int, verdict: Verdict) -> None:
    sent, come = sender.out.get(id_), recipient.come.get(id_, [])
    if sent is None or not come:
        verdict.lost.add(id_)
        return
    verdict.delivered += 1
    taken = come[0]
    entries, entered = recipient.inbox[taken.id], recipient.said[id_]
    if len(come) > 1 or entries > 1 or entered > 1:
        verdict.doubled.add(id_)
    if taken.outcome != "accepted" or not entries or not entered:
        verdict.others.append(f"{id_} came, and is {taken.outcome} ({taken.code}) with {entries} rows in the inbox")
    if taken.digest != sent.digest:
        verdict.others.append(f"{id_} has another digest at the other side")
    receipt = sent.receipt_message_id
    issued, back = recipient.receipts_out.get(receipt), sender.receipts_in.get(receipt)
    proven = sent.outcome == "received" and taken.receipt_message_id == receipt and receipted
    if not proven or issued is None or back is None:
        verdict.messages_without_receipt.add(id_)
    elif issued.digest != back.digest:
        verdict.others.append(f"the receipt {receipt} of {id_} differs between the two sides")


def _judge_ledger(ledger: Ledger, verdict: Verdict) -> None:
    verdict.others += [f"not handed in to the end: {key}" for key in sorted(ledger.open_keys())]
    verdict.others += [f"the gateway refused {each}" for each in ledger.refused]


def _judge_rest(book: Book, known: Collection[str], verdict: Verdict) -> None:
    """Look for what should not be there; `known`: what systems were told of."""
    verdict.doubled |= book.out.keys() - known  # a hand-in that became two messages
    taken = {(id_, row.digest) for id_, rows in book.come.items() for row in rows if row.outcome == "accepted"}
    verdict.receipts_without_message |= {
        line.message_id for line in book.lines if line.accepted and (line.message_id, line.digest) not in taken
    }
    verdict.others += [
        f"{book.authority} holds {row.message_id} in its outbox" for row in book.outbox if row.recipient != SILENT
    ]
    verdict.others += [f"{book.authority} keeps {row.message_id} as too early" for row in book.early]


def _judge_cases(book: Book, other: Book, verdict: Verdict) -> None:
    """Every case was answered: both sides say so, with the same deadlines."""
    for reference, case in book.cases.items():
        theirs = other.cases.get(reference)
        if case.counterparty == SILENT:
            continue
        if theirs is None or case.state != "agreed":
            verdict.others.append(f"the case {reference} is {case.state} for {book.authority}: its reply is missing")
        elif theirs.state != case.state:
            verdict.others.append(
                f"the case {reference} is {case.state} for {book.authority}, {theirs.state} for the other side"
            )
        elif differing := book.deadlines.get(case.id, set()) - other.deadlines.get(theirs.id, set()):
            told = "; ".join(", ".join(map(str, each)) for each in sorted(differing, key=str))
            verdict.others.append(f"the case {reference} has a deadline at {book.authority} alone: {told}")
