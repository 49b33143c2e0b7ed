"""The walk inward: unseal, validate, read, translate; then advance, due date, save in one transaction.

Whatever waits is taken as one batch. A batch couples nothing but the commit: a message that is refused is settled by
its own negative receipt, and the others go on. What came too early is kept, and taken when its turn has come: once the
earlier messages of its case were taken, and its attachments are there.
"""

from collections.abc import Sequence

from gateway.domain.messages import Application, Receipt
from gateway.errors import Refused, SigningTimeInvalid, StoreConflict, WrongRecipient
from gateway.flow.arrival import CLOCK_SKEW, Answer, Prepared, Rejected
from gateway.flow.clockwork import check_binds
from gateway.flow.parts import take_part
from gateway.flow.ports import Runtime
from gateway.flow.record import record
from gateway.flow.taking import Batch, decide, look_up
from gateway.stages import Opened, Received
from gateway.store import early
from gateway.store.database import transaction
from gateway.store.early import EarlyRow
from gateway.trust.parts import is_part
from gateway.trust.seal import unseal
from gateway.wire.manifest import manifest
from gateway.wire.reading import read


def receive(batch: Sequence[Received], rt: Runtime) -> list[Answer]:
    """Take in what was waiting; return one answer per message, in order. After the return everything is durable.

    Raises `DatabaseUnavailable`; then nothing was saved and the transport brings the messages again.
    """
    if any(is_part(raw.body) for raw in batch):
        return _receive_parts(batch, rt)
    prepared = [prepare(raw, rt) for raw in batch]
    answers, work, waiting = _commit(prepared, rt)
    if waiting:
        heal(rt)
    rt.bell.hand(work.drafts.leaving, work.now)
    return answers


def _receive_parts(batch: Sequence[Received], rt: Runtime) -> list[Answer]:
    """Keep the parts of attachments in a batch first, then take its messages: some of them may be complete now."""
    kept = [take_part(raw, rt) if is_part(raw.body) else None for raw in batch]
    rest = [raw for raw, one in zip(batch, kept, strict=True) if one is None]
    answers = iter(receive(rest, rt) if rest else ())
    if any(one is not None and one.whole for one in kept):
        heal(rt)
    return [next(answers) if one is None else one.answer for one in kept]


def heal(rt: Runtime) -> int:
    """Take in messages whose turn has come, since what they waited for was taken; return how many."""
    taken = 0
    seen: set[int] = set()
    while True:
        with transaction(rt.engine) as tx:
            rows = early.ready(tx, most=rt.settings.batch, seen=seen)
        if not rows:
            return taken
        seen.update(row.id for row in rows if row.id is not None)
        again = [_received_again(row) for row in rows]
        answers, work, _ = _commit([prepare(raw, rt) for raw in again], rt)
        settled = [row for row, answer in zip(rows, answers, strict=True) if answer.outcome != "waiting"]
        with transaction(rt.engine) as tx:  # whatever else became of them, they wait no more
            early.remove(tx, [(row.sender, row.message_id) for row in settled])
        rt.bell.hand(work.drafts.leaving, work.now)
        taken += len(settled)


def _received_again(row: EarlyRow) -> Received:
    """Return a message that waited. It counts from when it came; with attachments, from when the last of them was there.

    To wait for an earlier message makes none late. Without its attachments it could not be read.
    """
    came = row.received_at if row.complete_at is None else max(row.received_at, row.complete_at)
    return Received(body=row.body, received_at=came, transport=row.transport)


def _commit(prepared: Sequence[Prepared | Rejected], rt: Runtime) -> tuple[list[Answer], Batch, bool]:
    """Save a batch; return the answers, what was written, and whether some message may wait for one of these."""
    try:
        return _save(prepared, rt)
    except StoreConflict:  # another process took one of these messages first: now it can be seen
        return _save(prepared, rt)


def prepare(raw: Received, rt: Runtime) -> Prepared | Rejected:
    """Do everything with one message that needs no database. The first step that refuses ends the walk."""
    found: Opened | None = None
    try:
        found = unseal(raw, rt.ring, rt.trust)  # 1 decrypt, verify, who signed it
        checked = rt.schemas.check(found.document)  # 2 schema and rules between fields
        message, named = read(checked), manifest(checked.document)  # 3 into our words
        recipient = message.header.recipient
        if not rt.is_home(recipient):
            raise WrongRecipient(f"this gateway is not home to {recipient}", path="Header/Recipient")
        if message.header.created > found.signed_at + CLOCK_SKEW:
            raise SigningTimeInvalid("the message says it was made after it was signed", path="Header/Created")
        if isinstance(message, Application):
            check_binds(message.agreement, requesting=message.header.sender, requested=recipient, rt=rt)
        translation = None  # 4 into the recipient's dialect; nobody's dialect has a receipt
        if not isinstance(message, Receipt):
            translation = rt.translator(recipient).from_canonical(checked.document, sha256_in=found.inside)
    except Refused as error:
        return Rejected(received=raw, error=error, opened=found)
    return Prepared(received=raw, opened=found, checked=checked, message=message, translation=translation, named=named)


def _save(prepared: Sequence[Prepared | Rejected], rt: Runtime) -> tuple[list[Answer], Batch, bool]:
    """Decide each message, advancing the cases in memory; then write everything, in one transaction."""
    with transaction(rt.engine) as tx:
        work = look_up(tx, list(prepared), rt.clock())
        answers = [decide(tx, item, work, rt) for item in prepared]
        record(tx, work, rt)
        return answers, work, work.gaps or bool(work.waiting)
