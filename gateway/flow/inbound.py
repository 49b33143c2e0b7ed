"""The walk inward: unseal, validate, read, translate; then advance, due date, save in one transaction.

Whatever waits is taken as one batch. A batch couples nothing but the commit: a message that is refused is settled by
its own negative receipt, and the others go on. What came too early is kept, and taken when its turn has come: once the
earlier messages of its case were taken, and its attachments are there. What cannot be judged now, because it is not known
whether its sender's certificate was revoked, comes again later, alone.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from gateway.domain.messages import Application, Receipt
from gateway.errors import (
    CertificateNotValid,
    ClockBehind,
    Refused,
    SigningTimeInvalid,
    StoreConflict,
    TimestampTimeInvalid,
    Unavailable,
    WrongRecipient,
)
from gateway.flow.arrival import CLOCK_SKEW, Answer, Coming, Postponed, Prepared, Rejected
from gateway.flow.batch import Batch, look_up
from gateway.flow.clockwork import check_binds
from gateway.flow.openness import free_resumed
from gateway.flow.parts import take_part
from gateway.flow.ports import Runtime
from gateway.flow.record import record
from gateway.flow.taking import decide
from gateway.flow.timekeeping import behind_the_record
from gateway.log import logger
from gateway.stages import Received
from gateway.store import early
from gateway.store.database import transaction
from gateway.store.early import EarlyRow
from gateway.trust.parts import is_part
from gateway.trust.seal import break_seal, verify_contents
from gateway.wire.manifest import manifest
from gateway.wire.reading import read

log = logger("inbound")

_BY_THE_CLOCK = (SigningTimeInvalid, TimestampTimeInvalid, CertificateNotValid)  # refusals that a clock gone back causes
_WORK = timedelta(minutes=1)  # so long after a message came its batch is at its end; where it seems longer, it is judged again


def receive(batch: Sequence[Received], rt: Runtime) -> list[Answer]:
    """Take in what was waiting; return one answer per message, in order.

    After the return everything is durable but what was postponed, of which nothing was kept.
    Raises `DatabaseUnavailable`; then nothing was saved and the transport brings the messages again.
    """
    if any(is_part(raw.body) for raw in batch):
        return _receive_parts(batch, rt)
    every, now = _by_one_clock(prepare(batch, rt), rt, came_now=True)
    prepared = [item for item in every if not isinstance(item, Postponed)]
    if len(prepared) < len(every):
        _tell_postponed([item for item in every if isinstance(item, Postponed)])
    if not prepared:
        return [_postponed(item) for item in every if isinstance(item, Postponed)]
    answers, work, waiting = _commit(prepared, now, rt)
    if waiting:
        heal(rt)
    _hand(work, rt)
    settled = iter(answers)
    return [_postponed(item) if isinstance(item, Postponed) else next(settled) for item in every]


def _by_one_clock(
    every: Sequence[Prepared | Rejected | Postponed], rt: Runtime, *, came_now: bool
) -> tuple[list[Prepared | Rejected | Postponed], datetime]:
    """Return messages with times that fit together, and the instant of their receipts: the clock may be set while we work.

    What was refused for its time waits if our own clock is behind, or was set since it came (`came_now`), and so does what is
    signed in the future by now: whose fault it is cannot be said then. Such a refusal is not answered, since no signature was
    verified: the sender would wait for its receipt for ever.
    """
    now = rt.clock()
    refused = [isinstance(item, Rejected) and isinstance(item.error, _BY_THE_CLOCK) for item in every]
    behind = any(refused) and behind_the_record(rt, now) is not None
    found: list[Prepared | Rejected | Postponed] = []
    for item, by_clock in zip(every, refused, strict=True):
        was_set = came_now and now > item.received.received_at + _WORK
        doubted = (by_clock and (behind or was_set)) or _is_ahead_of(now, item)
        found.append(Postponed(received=item.received, error=_behind()) if doubted else _possible(item, now))
    return found, now


def _behind() -> ClockBehind:
    return ClockBehind("the clock of this gateway is behind its record")


def _is_ahead_of(now: datetime, item: Prepared | Rejected | Postponed) -> bool:
    opened = None if isinstance(item, Postponed) else item.opened
    return opened is not None and opened.signed_at > now + CLOCK_SKEW


def _possible(item: Prepared | Rejected | Postponed, now: datetime) -> Prepared | Rejected | Postponed:
    """Return a message that came when it can have come: not after its receipt is made, and not before it was signed.

    Its sender would refuse the receipt.
    """
    if isinstance(item, Postponed):
        return item
    came, opened = item.received.received_at, item.opened
    if came > now or (opened is not None and came < opened.signed_at - CLOCK_SKEW):
        return replace(item, received=replace(item.received, received_at=now))
    return item


def _postponed(item: Postponed) -> Answer:
    return Answer(outcome="postponed", message_id=None, code=item.error.code)


def _tell_postponed(items: Sequence[Postponed]) -> None:
    """Log how many messages wait for what; the watch records in the journal whose certificate it is about."""
    for code, count in Counter(item.error.code for item in items).items():
        log.warning("messages.postponed", code=code, count=count)


def _receive_parts(batch: Sequence[Received], rt: Runtime) -> list[Answer]:
    """Keep the parts of attachments in a batch first, then take its messages: some of them may be complete now."""
    kept = [take_part(raw, rt) if is_part(raw.body) else None for raw in batch]
    rest = [raw for raw, one in zip(batch, kept, strict=True) if one is None]
    answers = iter(receive(rest, rt) if rest else ())
    if any(one is not None and one.whole for one in kept):
        heal(rt)
    return [next(answers) if one is None else one.answer for one in kept]


def heal(rt: Runtime) -> int:
    """Take in messages whose turn has come, since what they waited for was taken; return how many.

    Those that cannot be judged now go on waiting, and with them all of their sender.
    """
    taken = 0
    unknown: set[str] = set()  # senders
    seen: set[int] = set()
    while True:
        with transaction(rt.engine) as tx:
            rows = early.ready(tx, most=rt.settings.batch, without=sorted(unknown), seen=seen)
        if not rows:
            return taken
        seen.update(row.id for row in rows if row.id is not None)
        every, now = _by_one_clock(prepare([_received_again(row) for row in rows], rt), rt, came_now=False)
        tried = list(zip(rows, every, strict=True))
        unknown |= {row.sender for row, item in tried if isinstance(item, Postponed)}
        judged = [(row, item) for row, item in tried if not isinstance(item, Postponed)]
        if not judged:
            continue
        answers, work, _ = _commit([item for _, item in judged], now, rt)
        settled = [row for (row, _), answer in zip(judged, answers, strict=True) if answer.outcome != "waiting"]
        with transaction(rt.engine) as tx:  # whatever else became of them, they wait no more
            early.remove(tx, [(row.sender, row.message_id) for row in settled])
        _hand(work, rt)
        taken += len(settled)


def _hand(work: Batch, rt: Runtime) -> None:
    """Hand the receipts of a batch over to the delivery loop."""
    if work.drafts.by_pair:
        rt.bell.hand(work.drafts.leaving, work.now)


def take_up_resumed(rt: Runtime) -> int:
    """Take in what waited while its exchange was suspended, once that was resumed; return how many messages.

    They count from when they came: to be kept makes none late.
    """
    changed = rt.book.news(rt.engine, rt.clock())
    return heal(rt) if changed and free_resumed(rt) else 0


def _received_again(row: EarlyRow) -> Received:
    """Return a message that waited. It counts from when it came; with attachments, from when the last of them was there.

    To wait for an earlier message makes none late. Without its attachments it could not be read.
    """
    came = row.received_at if row.complete_at is None else max(row.received_at, row.complete_at)
    return Received(body=row.body, received_at=came, transport=row.transport)


def _commit(prepared: Sequence[Prepared | Rejected], now: datetime, rt: Runtime) -> tuple[list[Answer], Batch, bool]:
    """Save a batch; return the answers, what was written, and whether some message may wait for one of these."""
    try:
        return _save(prepared, now, rt)
    except StoreConflict:  # another process took one of these messages first: now it can be seen
        return _save(prepared, now, rt)


def prepare(batch: Sequence[Received], rt: Runtime) -> list[Prepared | Rejected | Postponed]:
    """Do everything with a batch that needs no database; one result per message, in order.

    Each step is taken for the whole batch before the next one: a processor that repeats one step is a quarter faster than one
    that goes through all of them for each message (docs/performance.md). The first step that refuses a message ends its way.
    """
    coming = [Coming(raw) for raw in batch]
    for step in (_open, _verify, _check, _read, _translate):
        for item in coming:
            if item.error is None:
                try:
                    step(item, rt)
                except (Refused, Unavailable) as error:
                    item.error = error
    return [item.judged() for item in coming]


def _open(item: Coming, rt: Runtime) -> None:
    """Step 1: decrypt."""
    item.contents = break_seal(item.received, rt.ring, rt.trust)


def _verify(item: Coming, rt: Runtime) -> None:
    """Step 2: the signature, and who made it."""
    assert item.contents is not None
    item.opened = verify_contents(item.contents, rt.trust, screen=rt.screen)
    item.contents = None


def _check(item: Coming, rt: Runtime) -> None:
    """Step 3: schema and rules between fields."""
    assert item.opened is not None
    item.checked = rt.schemas.check(item.opened.document)


def _read(item: Coming, rt: Runtime) -> None:
    """Step 4: into our words; whether it is ours to take."""
    assert item.opened is not None
    assert item.checked is not None
    message = read(item.checked)
    header = message.header
    if not rt.is_home(header.recipient):
        raise WrongRecipient(f"this gateway is not home to {header.recipient}", path="Header/Recipient")
    if header.created > item.opened.signed_at + CLOCK_SKEW:
        raise SigningTimeInvalid("the message says it was made after it was signed", path="Header/Created")
    if isinstance(message, Application):
        check_binds(message.agreement, requesting=header.sender, requested=header.recipient, rt=rt)
    item.message, item.named = message, manifest(item.checked.document)


def _translate(item: Coming, rt: Runtime) -> None:
    """Step 5: into the recipient's dialect; nobody's dialect has a receipt."""
    assert item.opened is not None
    assert item.checked is not None
    assert item.message is not None
    if not isinstance(item.message, Receipt):
        translator = rt.translator(item.message.header.recipient)
        item.translation = translator.from_canonical(item.checked.document, sha256_in=item.opened.inside)


def _save(prepared: Sequence[Prepared | Rejected], now: datetime, rt: Runtime) -> tuple[list[Answer], Batch, bool]:
    """Decide each message, advancing the cases in memory; then write everything, in one transaction."""
    with transaction(rt.engine) as tx:
        work = look_up(tx, list(prepared), now)
        answers = [decide(tx, item, work, rt) for item in prepared]
        record(tx, work, rt)
        return answers, work, work.gaps or bool(work.waiting)
