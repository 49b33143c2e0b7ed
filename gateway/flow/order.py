"""The order of messages within a case: from each side numbers without gaps. What comes too early is kept, and waits."""

from gateway.domain.messages import Header
from gateway.errors import SequenceUsed
from gateway.stages import Opened, Received
from gateway.store.early import EarlyRow

MOST_MISSING = 50  # a gap that is wider is no gap: the number itself is wrong


def missing_before(header: Header, last: int) -> tuple[int, ...]:
    """Return the numbers of the sender's earlier messages that have not come; none when it is this one's turn.

    `last` is the highest number taken from this sender in the case, 0 where there is none. Raises `SequenceUsed` for a
    number that was used before, or one so far ahead that it cannot be right.
    """
    sequence = header.sequence or 0
    if sequence <= last:
        raise SequenceUsed("an earlier message of this case has this sequence number", path="Header/Sequence")
    missing = tuple(range(last + 1, sequence))
    if len(missing) > MOST_MISSING:
        raise SequenceUsed(f"{len(missing)} earlier messages would be missing: the number is wrong", path="Header/Sequence")
    return missing


def wait_for(received: Received, opened: Opened, header: Header, *, files: int) -> EarlyRow:
    """Return the row of a message that waits, sealed as it came; `files` is how many attachments it names."""
    return EarlyRow(
        home=header.recipient,
        sender=header.sender,
        reference=header.case_reference or "",
        sequence=header.sequence or 0,
        message_id=header.message_id,
        digest=opened.digest,
        body=received.body,
        transport=received.transport,
        received_at=received.received_at,
        files=files,
    )
