"""The walk inward: unseal, validate, read, translate; then advance, due date, save in one transaction.

Whatever waits is taken as one batch. A batch couples nothing but the commit: a message that is refused is settled by
its own negative receipt, and the others go on. What came too early is kept, and taken when its turn has come: once the
earlier messages of its case were taken, and its attachments are there. What cannot be judged now, because it is not known
whether its sender's certificate was revoked, comes again later, alone.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

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
from gateway.flow.clockwork import check_binds
from gateway.flow.openness import free_resumed
from gateway.flow.parts import take_part
from gateway.flow.ports import Runtime
from gateway.flow.record import record
from gateway.flow.taking import Batch, decide, look_up
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


def receive(batch: Sequence[Received], rt: Runtime) -> list[Answer]:
    """Take in what was waiting; return one answer per message, in order.

    After the return everything is durable but what was postponed, of which nothing was kept.
    Raises `DatabaseUnavailable`; then nothing was saved and the transport brings the messages again.
    """
    if any(is_part(raw.body) for raw in batch):
        return _receive_parts(batch, rt)
    every = _unless_behind(prepare(batch, rt), rt)
    prepared = [item for item in every if not isinstance(item, Postponed)]
    if len(prepared) < len(every):
        _tell_postponed([item for item in every if isinstance(item, Postponed)])
    if not prepared:
        return [_postponed(item) for item in every if isinstance(item, Postponed)]
    answers, work, waiting = _commit(prepared, rt)
    if waiting:
        heal(rt)
    _hand(work, rt)
    settled = iter(answers)
    return [_postponed(item) if isinstance(item, Postponed) else next(settled) for item in every]


def _unless_behind(every: list[Prepared | Rejected | Postponed], rt: Runtime) -> list[Prepared | Rejected | Postponed]:
    """Postpone what was refused for its time while our own clock is behind: whose fault it is cannot be said now.

    Such a refusal is not answered, since no signature was verified: the sender would wait for its receipt for ever.
    """
    early_for_us = [isinstance(item, Rejected) and isinstance(item.error, _BY_THE_CLOCK) for item in every]
    if not any(early_for_us) or behind_the_record(rt) is None:
        return every
    error = ClockBehind("the clock of this gateway is behind its record")
    return [
        Postponed(received=item.received, error=error) if doubted else item
        for item, doubted in zip(every, early_for_us, strict=True)
    ]


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
        tried = list(zip(rows, prepare([_received_again(row) for row in rows], rt), strict=True))
        unknown |= {row.sender for row, item in tried if isinstance(item, Postponed)}
        judged = [(row, item) for row, item in tried if not isinstance(item, Postponed)]
        if not judged:
            continue
        answers, work, _ = _commit([item for _, item in judged], rt)
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


def _commit(prepared: Sequence[Prepared | Rejected], rt: Runtime) -> tuple[list[Answer], Batch, bool]:
    """Save a batch; return the answers, what was written, and whether some message may wait for one of these."""
    try:
        return _save(prepared, rt)
    except StoreConflict:  # another process took one of these messages first: now it can be seen
        return _save(prepared, rt)


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


def _not_after(now: datetime, item: Prepared | Rejected) -> Prepared | Rejected:
    """Let nothing be received after its receipt is made, which its sender would refuse: our clock went back in between."""
    if item.received.received_at <= now:
        return item
    return replace(item, received=replace(item.received, received_at=now))


def _save(prepared: Sequence[Prepared | Rejected], rt: Runtime) -> tuple[list[Answer], Batch, bool]:
    """Decide each message, advancing the cases in memory; then write everything, in one transaction."""
    with transaction(rt.engine) as tx:
        now = rt.clock()
        items = [_not_after(now, item) for item in prepared]
        work = look_up(tx, items, now)
        answers = [decide(tx, item, work, rt) for item in items]
        record(tx, work, rt)
        return answers, work, work.gaps or bool(work.waiting)
