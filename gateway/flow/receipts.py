"""Receipts: one signature for all messages of one sender in a batch; saved with the messages they prove.

A receipt exists if and only if the message is durable, or its refusal is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from gateway.domain.case import Case, answered_in_time
from gateway.domain.identity import new_message_id
from gateway.domain.messages import REPLY_TYPES, Header, Receipt, ReceiptItem
from gateway.domain.moves import OPENS
from gateway.errors import Dropped, Refused, StoreConflict
from gateway.flow.clockwork import Started, happened, start_clocks
from gateway.flow.papers import clear, happening_of, receipt_paper, sha256
from gateway.flow.parts import send_attachments_again
from gateway.flow.ports import Runtime
from gateway.log import logger
from gateway.stages import Signed
from gateway.store import cases, journal, messages, outbox, outbox_paper
from gateway.store.database import Tx
from gateway.store.messages import MessageRow
from gateway.store.outbox import OutboxRow, Place
from gateway.trust.seal import seal
from gateway.trust.sign import sign
from gateway.wire.reading import write_receipt

log = logger("receipts")


@dataclass(slots=True)
class Draft:
    """A receipt that will be signed at the end of the batch. Its id is known before, so that messages can name it."""

    message_id: str
    issuer: str  # our authority, which received
    sender: str  # whose messages it is about
    items: list[ReceiptItem] = field(default_factory=list)


@dataclass(slots=True)
class Drafts:
    """The receipts of one batch, one for each pair of authorities."""

    by_pair: dict[tuple[str, str], Draft] = field(default_factory=dict)
    leaving: list[OutboxRow] = field(default_factory=list)  # for the delivery loop, once they are committed

    def _draft(self, issuer: str, sender: str, at: datetime) -> Draft:
        return self.by_pair.setdefault((issuer, sender), Draft(message_id=new_message_id(at), issuer=issuer, sender=sender))

    def accept(self, header: Header, digest: str, received_at: datetime) -> Draft:
        """Add the line for a message that was taken."""
        draft = self._draft(header.recipient, header.sender, received_at)
        draft.items.append(ReceiptItem(message_id=header.message_id, digest=digest, received_at=received_at, accepted=True))
        return draft

    def delivered(self, row: MessageRow, at: datetime, proof: str, now: datetime) -> Draft:
        """Add the line for a message that was carried on paper; `proof` says what shows it, and who says so."""
        draft = self._draft(row.recipient, row.sender, now)
        draft.items.append(ReceiptItem(message_id=row.message_id, digest=row.digest, received_at=at, accepted=True, text=proof))
        return draft

    def refuse(
        self, *, sender: str, recipient: str, message_id: str, digest: str, received_at: datetime, error: Refused
    ) -> Draft:
        """Add the line for a message that was refused after its signature was verified."""
        draft = self._draft(recipient, sender, received_at)
        draft.items.append(
            ReceiptItem(
                message_id=message_id,
                digest=digest,
                received_at=received_at,
                accepted=False,
                code=error.code,
                text=error.message,
            )
        )
        return draft

    def wait(
        self, header: Header, digest: str, received_at: datetime, missing: tuple[int, ...], *, code: str = "sequence-gap"
    ) -> None:
        """Add the line for a message that is kept until messages of its case come, by number; it asks for them.

        A message that lacks attachments asks for itself; one whose exchange is suspended asks for nothing.
        """
        self._draft(header.recipient, header.sender, received_at).items.append(
            ReceiptItem(
                message_id=header.message_id,
                digest=digest,
                received_at=received_at,
                accepted=False,
                code=code,
                missing=missing,
            )
        )

    def never_comes(self, row: MessageRow, numbers: tuple[int, ...], now: datetime) -> None:
        """Add the line that a message of ours waits at the other side for numbers that we gave up."""
        self._draft(row.sender, row.recipient, now).items.append(
            ReceiptItem(
                message_id=row.message_id,
                digest=row.digest,
                received_at=now,
                accepted=False,
                code=Dropped.code,
                missing=numbers,
            )
        )

    def issue(self, tx: Tx, rt: Runtime, now: datetime) -> list[journal.Entry]:
        """Sign, seal and queue the receipts; return their journal entries."""
        drafts = [draft for draft in self.by_pair.values() if rt.is_home(draft.issuer)]
        signed = [_signed(draft, rt, now) for draft in drafts]
        rows = [
            MessageRow(
                direction="out",
                sender=draft.issuer,
                message_id=draft.message_id,
                recipient=draft.sender,
                case_id=None,
                type="Receipt",
                sequence=None,
                digest=paper.digest,
                in_reply_to=None,
                signed_at=paper.signed_at,
                created_at=now,
                received_at=None,
                outcome="waiting",
            )
            for draft, paper in zip(drafts, signed, strict=True)
        ]
        ids = messages.add(tx, rows)
        messages.add_documents(tx, [receipt_paper(row, paper.body) for row, paper in zip(ids, signed, strict=True)])
        sealed = [
            seal(paper, message_id=draft.message_id, sender=draft.issuer, recipient=draft.sender, trust=rt.trust, ring=rt.ring)
            for draft, paper in zip(drafts, signed, strict=True)
        ]
        self.leaving += outbox.add(tx, list(zip(ids, sealed, strict=True)), now, lease=rt.bell.lease(now))
        return [
            journal.Entry(
                at=now,
                event="receipt.issued",
                actor="gateway",
                authority=draft.issuer,
                message_id=draft.message_id,
                digest=paper.digest,
                detail={"count": len(draft.items), "refused": sum(1 for item in draft.items if not item.accepted)},
            )
            for draft, paper in zip(drafts, signed, strict=True)
        ]


def _signed(draft: Draft, rt: Runtime, now: datetime) -> Signed:
    header = Header(message_id=draft.message_id, sender=draft.issuer, recipient=draft.sender, created=now)
    return sign(write_receipt(header, draft.items), rt.ring.signing(draft.issuer, now), now)


def repeat(tx: Tx, rt: Runtime, row: MessageRow, now: datetime) -> list[journal.Entry]:
    """Queue the recorded receipt again for a message that came a second time, unless it is on its way anyway.

    Returns what the journal says of it.
    """
    if row.receipt_message_id is None:
        return []
    key = (row.recipient, row.receipt_message_id)
    receipt = messages.known(tx, "out", [key]).get(key)
    document = messages.document(tx, receipt.id, "receipt") if receipt and receipt.id else None
    if receipt is None or receipt.id is None or document is None or outbox.waits(tx, receipt.id):
        return []
    _seal_again(tx, rt, receipt, document.body, now)
    return [_sent_again(receipt, now)]


def apply(tx: Tx, rt: Runtime, receipt: Receipt, sent: dict[tuple[str, str], MessageRow], now: datetime) -> list[journal.Entry]:
    """Note what the other side received, and start the clock of the requesting side; return what the journal says.

    A later receipt changes an earlier one only from refused to accepted: the message was taken after all.
    """
    header = receipt.header
    news: list[tuple[ReceiptItem, MessageRow]] = []
    entries: list[journal.Entry] = []
    for item in receipt.items:
        key = (header.recipient, item.message_id)
        row = sent[key]
        if item.waits:
            entries += send_again(tx, rt, row, item.missing, now) if item.missing else [_kept(item, row, header, now)]
        elif row.outcome == messages.DELIVERED and not item.accepted:  # a copy beside the paper, which has arrived
            entries.append(_refusal(item, row, header, now))
        elif row.receipt_message_id is None or (row.outcome == "refused" and item.accepted):
            outcome = "received" if item.accepted else "refused"
            news.append((item, row))
            # A second line about it, in this receipt or the next one of the batch, meets what was noted.
            sent[key] = replace(row, outcome=outcome, receipt_message_id=header.message_id)
    messages.mark_receipts(
        tx,
        [
            messages.ReceiptNote(
                row_id=row.id or 0,
                outcome="received" if item.accepted else "refused",
                code=item.code,
                received_at=item.received_at,
                receipt_message_id=header.message_id,
            )
            for item, row in news
        ],
    )
    if parked := [row.id for _, row in news if row.id is not None and row.outcome == "parked"]:
        outbox_paper.end(tx, parked)  # it had arrived although its delivery looked failed: nobody need act any more
    started = [(item.received_at, row) for item, row in news if item.accepted and row.case_id]
    # What was proven on paper counts from then; a copy that comes later starts nothing.
    clocks_of(tx, rt, [(at, row) for at, row in started if row.outcome != messages.DELIVERED], now)
    return entries + [_refusal(item, row, header, now) for item, row in news if not item.accepted]


def clocks_of(tx: Tx, rt: Runtime, proven: Sequence[tuple[datetime, MessageRow]], now: datetime) -> None:
    """Start, meet and move the clocks by messages of ours, now that it is proven when the other side had them."""
    found = {case.id: case for case in cases.get_many(tx, sorted({row.case_id for _, row in proven if row.case_id}))}
    for received_at, row in proven:
        if row.type in REPLY_TYPES and row.case_id in found:
            found[row.case_id] = _in_time(tx, found[row.case_id], received_at, now)
    news = [
        Started(case=found[row.case_id], happening=happening_of(row), received_at=received_at)
        for received_at, row in proven
        if row.case_id in found
    ]
    start_clocks(tx, news, rt, now)
    opened = [new.case for new in news if new.happening.event in OPENS]
    spoken = messages.last_sequences(tx, [case.id for case in opened if case.id], "in")
    for case in opened:
        if case.id in spoken:  # the other side spoke before its receipt came
            _overtaken(tx, rt, case, now)


def _in_time(tx: Tx, case: Case, received_at: datetime, now: datetime) -> Case:
    """Return the case after the proof of our reply: the notice of silence may have come before it."""
    changed = answered_in_time(case, received_at, now)
    if changed is case:
        return case
    if not cases.change(tx, changed, before=case):
        raise StoreConflict("the case was changed meanwhile")
    log.info("case.lapse_overruled", case=case.id)
    return replace(changed, revision=case.revision + 1)


def _overtaken(tx: Tx, rt: Runtime, case: Case, now: datetime) -> None:
    """Meet, stop and prolong the clocks that a receipt started after what does so had come."""
    assert case.id is not None
    for row in messages.of_case(tx, case.id):
        if row.direction == "in" and row.outcome == "accepted" and row.received_at is not None:
            happened(tx, case, happening_of(row), row.received_at, rt, now)


def send_again(tx: Tx, rt: Runtime, row: MessageRow, missing: tuple[int, ...], now: datetime) -> list[journal.Entry]:
    """Put earlier messages of the case, which the other side misses, into the outbox again unless they wait there.

    What a person gave up does not leave: flow/gaps.py says so.
    """
    if row.case_id is None:
        return []
    entries: list[journal.Entry] = []
    case = cases.get(tx, row.case_id)
    for earlier in messages.of_sequences(tx, row.case_id, missing):
        if earlier.outcome == "dropped":
            continue
        document = messages.document(tx, earlier.id, "signed") if earlier.id else None
        if earlier.id is None or document is None or case.wrapped_key is None or outbox.waits(tx, earlier.id):
            continue
        _seal_again(tx, rt, earlier, clear(rt, case, document), now)
        send_attachments_again(tx, rt, earlier.id)
        log.info("message.sent_again", message_id=earlier.message_id, case=case.id)
        entries.append(_sent_again(earlier, now))
    return entries


def _sent_again(row: MessageRow, now: datetime) -> journal.Entry:
    return journal.Entry(
        at=now,
        event="message.sent_again",
        actor="gateway",
        authority=row.sender,
        case_id=row.case_id,
        message_id=row.message_id,
        digest=row.digest,
        detail={"type": row.type},
    )


def _seal_again(tx: Tx, rt: Runtime, row: MessageRow, body: bytes, now: datetime) -> None:
    """Seal what was signed once more: the signed bytes, and so the digest, are the same."""
    assert row.id is not None
    signed = Signed(body=body, digest=sha256(body), signer=row.sender, signed_at=now)
    sealed = seal(signed, message_id=row.message_id, sender=row.sender, recipient=row.recipient, trust=rt.trust, ring=rt.ring)
    outbox.add(tx, [(row.id, sealed)], now, places={row.id: Place(case_id=row.case_id)})


def _refusal(item: ReceiptItem, row: MessageRow, header: Header, now: datetime) -> journal.Entry:
    log.warning("message.refused_by_partner", code=item.code, message_id=item.message_id, partner=header.sender)
    return journal.Entry(
        at=now,
        event="message.refused_by_partner",
        actor=header.sender,
        authority=header.recipient,
        case_id=row.case_id,
        message_id=item.message_id,
        digest=item.digest,
        detail={"code": item.code},
    )


def _kept(item: ReceiptItem, row: MessageRow, header: Header, now: datetime) -> journal.Entry:
    """Say that the other side keeps a message and does not act on it: it came, and it counts from when it came."""
    log.warning("message.kept_by_partner", code=item.code, message_id=item.message_id, partner=header.sender)
    return journal.Entry(
        at=now,
        event="message.kept_by_partner",
        actor=header.sender,
        authority=header.recipient,
        case_id=row.case_id,
        message_id=item.message_id,
        digest=item.digest,
        detail={"code": item.code, "received_at": item.received_at.isoformat()},
    )


def proof_of(tx: Tx, row: MessageRow) -> bytes | None:
    """Return the signed receipt for a message, None while there is none."""
    if row.receipt_message_id is None:
        return None
    key = (row.recipient, row.receipt_message_id)  # a receipt is sent by whoever received the message
    found = messages.known(tx, "in" if row.direction == "out" else "out", [key]).get(key)
    document = messages.document(tx, found.id, "receipt") if found and found.id else None
    return document.body if document else None
