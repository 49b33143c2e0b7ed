"""The order of messages within a case: numbers without gaps from each side. A gap parks the later message and asks for the earlier."""

from gateway.domain.case import Case
from gateway.domain.messages import Header
from gateway.errors import SequenceUsed, UnknownCase
from gateway.stages import Opened, Received
from gateway.store.early import EarlyRow

MOST_MISSING = 50  # a gap that is wider is no gap: the number itself is wrong


class Early(Exception):
    """A message came before an earlier one of its case. Not an error: it is kept, and waits."""

    def __init__(self, missing: tuple[int, ...]) -> None:
        super().__init__(f"{len(missing)} earlier messages are missing")
        self.missing = missing


def missing_before(header: Header, case: Case | None, last: int) -> None:
    """Raise `Early` when earlier messages of the sender are missing, `SequenceUsed` when the number was used before.

    `last` is the highest number taken from this sender in the case, 0 where there is none. A case that is not here and
    whose first message this is cannot be opened by waiting: that is for the table of moves to refuse.
    """
    sequence = header.sequence or 0
    if sequence <= last:
        raise SequenceUsed("an earlier message of this case has this sequence number", path="Header/Sequence")
    missing = tuple(range(last + 1, sequence))
    if len(missing) > MOST_MISSING:
        raise SequenceUsed(f"{len(missing)} earlier messages would be missing: the number is wrong", path="Header/Sequence")
    if missing:
        raise Early(missing)
    if case is None and sequence == 1 and header.answers is not None:
        raise UnknownCase("there is no case with this reference between these two authorities", path="Header/CaseReference")


def wait_for(received: Received, opened: Opened, header: Header) -> EarlyRow:
    """Return the row of a message that waits, sealed as it came."""
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
    )
