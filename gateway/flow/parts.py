"""The parts of attachments on the way: sealed and sent in small groups, kept as they come, checked once a file is whole.

Parts and their message may come in any order, and more than once. A part proves nothing by itself: the file is compared with
the digest it was announced by when its last part has come, and with the signed message when that is taken.
"""

import hashlib
from dataclasses import dataclass

from gateway.errors import (
    AttachmentMismatch,
    AttachmentType,
    CannotOpen,
    DatabaseUnavailable,
    Erased,
    GatewayError,
    Refused,
    StoreConflict,
    WrongRecipient,
)
from gateway.flow import lines
from gateway.flow.arrival import Answer
from gateway.flow.attachments import check_quota, file_key, stored_bytes, stored_part
from gateway.flow.deliver import settle
from gateway.flow.openness import keep_back
from gateway.flow.papers import sha256
from gateway.flow.ports import Runtime
from gateway.log import logger
from gateway.stages import Received
from gateway.store import attachments, cases, journal, messages, outbox, outbox_claims
from gateway.store.attachments import PARTIAL, AttachmentRow
from gateway.store.database import Tx, reading, transaction
from gateway.store.outbox import OutboxRow
from gateway.transport.port import Parcel
from gateway.trust.attachment_key import AttachmentKey
from gateway.trust.parts import Part, open_part, seal_part
from gateway.wire.media import Sniffer

log = logger("parts")

GROUP = 4  # parts that leave at once: what waits behind them waits for 4 MiB, and so much is in memory


# --- outward ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Some parts of one attachment, sealed."""

    row: OutboxRow
    parcels: list[Parcel]
    last: bool  # nothing of the attachment is left after them


def next_group(rt: Runtime, *, by: str) -> Group | None:
    """Seal the next few parts of the attachment that has waited longest; None when none is due.

    An attachment that cannot be sealed is set back or parked like a message that cannot be sent.
    """
    now = rt.clock()
    with reading(rt.engine) as tx:
        due = outbox_claims.attachments_due(tx, now)
    if not due:
        return None
    with transaction(rt.engine) as tx:
        row = lines.claim_attachment(tx, due, rt, by=by)
        row = next(iter(keep_back(tx, [row], rt)), None) if row else None
    if row is None or row.attachment_id is None:
        return None
    try:
        return _sealed(row, row.attachment_id, rt)
    except DatabaseUnavailable:
        raise
    except GatewayError as error:  # no key of the recipient that may be used, now or ever: it is tried again, or parked
        settle([row], [error], rt)
        return None


def _sealed(row: OutboxRow, attachment_id: int, rt: Runtime) -> Group:
    with reading(rt.engine) as tx:
        file = attachments.get(tx, attachment_id)
        if file is None:
            raise Erased("the case was erased while its attachment was about to leave")
        case = cases.get(tx, file.case_id or 0)
    assert file.of is not None
    assert file.sha256 is not None
    key = file_key(file, case.wrapped_key, rt)
    numbers = range(row.part, min(row.part + GROUP, file.of + 1))
    parcels = [
        Parcel(
            message_id=row.message_id,
            sender=row.sender,
            recipient=row.recipient,
            body=seal_part(
                stored_part(file, key, number, rt),
                sender=row.sender,
                recipient=row.recipient,
                message_id=row.message_id,
                sha256=file.sha256,
                number=number,
                of=file.of,
                trust=rt.trust,
                at=rt.clock(),
            ),
            bulk=True,
        )
        for number in numbers
    ]
    return Group(row=row, parcels=parcels, last=numbers.stop > file.of)


def settle_group(group: Group, answers: list[GatewayError | None], rt: Runtime) -> int:
    """Write how far an attachment has come; return how many parts are confirmed.

    A part that failed is sent again, and all after it.
    """
    confirmed = next((place for place, answer in enumerate(answers) if answer is not None), len(answers))
    failure = answers[confirmed] if confirmed < len(answers) else None
    with transaction(rt.engine) as tx:
        if confirmed:
            lines.reached(tx, [group.row.recipient], rt)
        if failure is None and group.last:
            outbox.done(tx, [group.row.id])
        elif confirmed:
            outbox.left(tx, group.row.id, part=group.row.part + confirmed, at=rt.clock())
    if failure is not None:
        settle([group.row], [failure], rt)
    return confirmed


def send_attachments_again(tx: Tx, rt: Runtime, message_row: int) -> None:
    """Put the attachments of a message that is sent again into the outbox too, from their first part."""
    files = attachments.of_message(tx, message_row)
    if files:
        outbox.add_attachments(tx, message_row, messages.get(tx, message_row), [file.id for file in files], rt.clock())


# --- inward -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What became of a part, and the file that it made whole, if it did."""

    answer: Answer
    whole: bool = False


def take_part(raw: Received, rt: Runtime) -> Kept:
    """Keep one part. After the return it is durable, or its refusal is recorded. Raises `DatabaseUnavailable`."""
    part: Part | None = None
    try:
        part = open_part(raw.body, rt.ring)
        _check_home(part, rt)
        try:
            row = _keep(part, rt)
        except StoreConflict:  # another process began with this file first: now it can be seen
            row = _keep(part, rt)
    except Refused as error:
        _note_refusal(raw, part, error, rt)
        return Kept(answer=Answer(outcome="refused", message_id=part.header.message_id if part else None, code=error.code))
    whole = row is not None and row.state == PARTIAL and row.parts == row.of
    if whole and row is not None:
        _check_whole(row, part, rt)
    return Kept(answer=Answer(outcome="part", message_id=part.header.message_id), whole=whole)


def _check_home(part: Part, rt: Runtime) -> None:
    if not rt.is_home(part.header.recipient):
        raise WrongRecipient(f"this gateway is not home to {part.header.recipient}")


def _keep(part: Part, rt: Runtime) -> AttachmentRow | None:
    """Write a part unless it is there; return the file as it stands now, None when its message was settled before."""
    header, now = part.header, rt.clock()
    with transaction(rt.engine) as tx:
        row = attachments.arriving(
            tx, home=header.recipient, sender=header.sender, message_id=header.message_id, sha256=header.sha256
        )
        if row is None:
            if messages.known(tx, "in", [(header.sender, header.message_id)]):
                return None  # it was taken or refused: this part comes too late, or a second time
            row = _begin(tx, part, rt)
        if row.of != header.of:
            raise CannotOpen("the part says that its file has another number of parts than the parts before it")
        if row.state != PARTIAL or attachments.has_part(tx, row.id, header.number):
            return row
        check_quota(attachments.unclaimed_bytes(tx, header.recipient, header.sender) + len(part.data), rt)
        key = AttachmentKey.kept(rt.vault, row.holding or b"", row.key)
        body = key.encrypt(header.number, part.data)
        attachments.add_part(tx, row.id, header.number, body, size=len(part.data), at=now)
        return attachments.get(tx, row.id)


def _begin(tx: Tx, part: Part, rt: Runtime) -> AttachmentRow:
    header = part.header
    holding = rt.vault.new_case_key()
    row_id = attachments.begin(
        tx,
        authority=header.recipient,
        holding=holding,
        key=AttachmentKey.new().keep(rt.vault, holding),
        at=rt.clock(),
        sender=header.sender,
        message_id=header.message_id,
        sha256=header.sha256,
        of=header.of,
    )
    row = attachments.get(tx, row_id)
    assert row is not None
    return row


def _check_whole(row: AttachmentRow, part: Part, rt: Runtime) -> None:
    """Read a file through whose parts are all there; note whether it is what it was announced as, and of which kind."""
    digest, sniffer = hashlib.sha256(), Sniffer()
    for data in stored_bytes(row, file_key(row, None, rt), rt):
        digest.update(data)
        sniffer.feed(data)
    media_type, code = None, None
    if digest.hexdigest() != row.sha256:
        code = AttachmentMismatch.code
    else:
        try:
            media_type = sniffer.media_type()
        except AttachmentType as error:
            code = error.code
    if code is not None:
        log.warning("attachment.refused", code=code, message_id=row.message_id, sender=row.sender)
    header, now = part.header, rt.clock()
    with transaction(rt.engine) as tx:
        attachments.settle(tx, row.id, sha256=header.sha256, of=header.of, media_type=media_type, code=code, at=now)
        entry = journal.Entry(
            at=now,
            event="attachment.received" if code is None else "attachment.refused",
            actor="gateway",  # who sealed the parts is not proven before the message is there
            authority=header.recipient,
            message_id=header.message_id,
            digest=digest.hexdigest(),
            detail={"size": row.size, "type": media_type, "code": code},
        )
        journal.append(tx, [entry])


def _note_refusal(raw: Received, part: Part | None, error: Refused, rt: Runtime) -> None:
    header = part.header if part else None
    log.warning("part.refused", code=error.code, transport=raw.transport, message_id=header.message_id if header else None)
    entry = journal.Entry(
        at=rt.clock(),
        event="part.refused",
        actor="unknown",  # who sealed a part is not proven
        authority=header.recipient if header and rt.is_home(header.recipient) else None,
        message_id=header.message_id if header else None,
        digest=sha256(raw.body),
        detail={"code": error.code, "transport": raw.transport},
    )
    with transaction(rt.engine) as tx:
        journal.append(tx, [entry])
