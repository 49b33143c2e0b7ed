"""What happens by itself to attachments that stay away, and to files that nobody names: asked for again, swept."""

from datetime import timedelta

from gateway.domain.messages import Header
from gateway.errors import AttachmentMissing
from gateway.flow.ports import Runtime
from gateway.flow.receipts import Drafts
from gateway.log import logger
from gateway.store import attachments, early, journal
from gateway.store.database import transaction

log = logger("chase")

PATIENCE = timedelta(hours=1)  # after the last part of a message that waits for more
KEPT = timedelta(days=1)  # a file that no message has claimed


def ask_again(rt: Runtime) -> int:
    """Ask for messages anew whose attachments stay away, each once an hour; return how many.

    A line of a receipt says which messages are missing. This one names the number of the message itself: its sender sends
    it again with all its parts, and those that are here already do no harm.
    """
    now = rt.clock()
    with transaction(rt.engine) as tx:
        rows = early.stalled(tx, before=now - PATIENCE, most=rt.settings.batch)
        if not rows:
            return 0
        drafts = Drafts()
        for row in rows:
            header = Header(message_id=row.message_id, sender=row.sender, recipient=row.home, created=row.received_at)
            drafts.wait(header, row.digest, row.received_at, (row.sequence,), code=AttachmentMissing.code)
            log.warning("attachment.missing", message_id=row.message_id, sender=row.sender)
        early.asked(tx, [row.id for row in rows if row.id is not None], now)
        journal.append(tx, drafts.issue(tx, rt, now))
    rt.bell.hand(drafts.leaving, now)
    return len(rows)


def sweep(rt: Runtime) -> int:
    """Drop files that no message has claimed for a day; return how many."""
    now = rt.clock()
    with transaction(rt.engine) as tx:
        count = attachments.sweep(tx, before=now - KEPT)
        if count:
            entry = journal.Entry(at=now, event="attachment.swept", actor="gateway", detail={"count": count})
            journal.append(tx, [entry])
    return count
