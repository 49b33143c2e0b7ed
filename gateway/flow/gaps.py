"""A number of a case that never comes: its sender dropped the message, says so, and what waits for it need not wait.

The sender's receipt names a later message of its own, says that it waits, and for which numbers, with the code `dropped`. The
other side then takes that message in its turn as if the numbers had been used: it is accepted or refused on its own merits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from gateway.domain.messages import ReceiptItem
from gateway.errors import Dropped
from gateway.flow.order import MOST_MISSING
from gateway.flow.ports import Bell, Runtime
from gateway.flow.receipts import Drafts
from gateway.log import logger
from gateway.store import journal, messages
from gateway.store.database import Tx
from gateway.store.early import EarlyRow
from gateway.store.messages import MessageRow

log = logger("gaps")


def answer_asking(tx: Tx, rt: Runtime, row: MessageRow, missing: Sequence[int], now: datetime) -> list[journal.Entry]:
    """Queue what tells the other side which of the numbers that it misses never come; nothing for the others.

    `row` is our message that waits there.
    """
    if row.case_id is None:
        return []
    dropped = [each for each in messages.of_sequences(tx, row.case_id, missing) if each.outcome == "dropped"]
    return tell_given_up(tx, rt, dropped[-1], now) if dropped else []


def tell_given_up(tx: Tx, rt: Runtime, message: MessageRow, now: datetime) -> list[journal.Entry]:
    """Queue what tells the other side that a dropped message never comes, if a later one of its case may wait for it there.

    Where none was made yet, it is told when it asks. Returns what the journal says, so that the case shows it.
    """
    if message.case_id is None or message.sequence is None:
        return []
    own = {row.sequence: row for row in messages.of_case(tx, message.case_id) if row.direction == "out" and row.sequence}
    first = last = message.sequence
    while _given_up(own, last + 1):
        last += 1
    while _given_up(own, first - 1):
        first -= 1
    waiting = own.get(last + 1)
    if waiting is None or waiting.outcome in {"received", "refused"}:
        return []
    drafts = Drafts()
    drafts.never_comes(waiting, tuple(range(max(first, last - MOST_MISSING + 1), last + 1)), now)
    log.warning("gap.told", message_id=waiting.message_id, recipient=waiting.recipient, count=last + 1 - first)
    told = journal.Entry(
        at=now,
        event="gap.told",
        actor="gateway",
        authority=waiting.sender,
        case_id=message.case_id,
        message_id=waiting.message_id,
        detail={"code": Dropped.code, "count": last + 1 - first},
    )
    # Not handed over: whoever delivers finds it at its next look, and this may be a command's process.
    return [told, *drafts.issue(tx, replace(rt, bell=Bell()), now)]


def _given_up(own: Mapping[int, MessageRow], sequence: int) -> bool:
    return sequence in own and own[sequence].outcome == "dropped"


def given_up_from(item: ReceiptItem, kept: EarlyRow | None, *, home: str) -> int | None:
    """Return the first of the numbers just before a waiting message that its sender gives up; None if it gives up none.

    `kept` is the message that waits here, of the very authority that signed the line.
    """
    if kept is None or item.code != Dropped.code or kept.digest != item.digest or kept.home != home:
        return None
    first = kept.sequence
    while first - 1 in item.missing:
        first -= 1
    return first if first < kept.sequence else None
