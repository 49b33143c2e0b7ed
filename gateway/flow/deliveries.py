"""Proof of delivery to an authority on paper: recorded by a person, from then on a receipt like any other.

A message for such an authority is taken in and kept like every message, but nobody has it yet: no receipt is issued and no
clock runs. What proves receipt is a transmission report, a courier's slip or a signature at the door. Whoever records it names
kind, time and reference; the authority's receipt is signed with that time, goes to the sender the usual way, and starts the
same clocks on both sides.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gateway.domain.case import Case
from gateway.errors import AlreadyDelivered, BadValue, Erased, NotFound, TransitionNotAllowed
from gateway.flow.arrival import CLOCK_SKEW
from gateway.flow.clockwork import Started, happened, start_clocks
from gateway.flow.paper_tasks import end_task
from gateway.flow.papers import happening_of, sha256
from gateway.flow.ports import Runtime
from gateway.flow.receipts import Drafts, clocks_of
from gateway.log import logger
from gateway.store import cases, journal, messages, outbox_paper, paper
from gateway.store.database import Tx, transaction
from gateway.store.messages import DocumentRow, MessageRow
from gateway.store.paper import REFERENCE, DeliveryRow
from gateway.wire.media import media_type_of

log = logger("deliveries")

KINDS: Final = ("transmission-report", "courier", "hand")
SCAN: Final = "delivery"  # kind of the stored document
MOST_SCAN_BYTES: Final = 8_388_608
LONGEST_REFERENCE: Final = 250


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What shows that a message reached an authority on paper."""

    kind: str  # one of KINDS
    at: datetime  # aware, as the proof says
    reference: str  # number of the report or slip, as written on it
    scan: bytes | None = None  # of the proof itself: PDF, JPEG, PNG

    def require_sound(self) -> None:
        """Raise `BadValue` for a proof that says nothing."""
        if self.kind not in KINDS:
            raise BadValue(f"the kind of a proof is one of {', '.join(KINDS)}", path="kind")
        if self.at.tzinfo is None:
            raise BadValue("the time of delivery needs a zone", path="at")
        if not self.reference.strip() or len(self.reference) > LONGEST_REFERENCE:
            raise BadValue(f"the reference has 1 to {LONGEST_REFERENCE} characters", path="reference")
        if self.scan is not None and len(self.scan) > MOST_SCAN_BYTES:
            raise BadValue(f"the scan has at most {MOST_SCAN_BYTES} bytes", path="scan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """A delivery that is recorded."""

    message_id: str
    receipt_message_id: str | None  # None: the recipient's gateway is another one
    delivered_at: datetime


def record_delivery(message_id: str, proof: Proof, *, by: str, homes: frozenset[str], rt: Runtime) -> Delivered:
    """Record that a message reached its recipient on paper, and issue the recipient's receipt for that time.

    `homes` are the authorities for which `by` may speak: the recipient's own people, or the sender's, who hold the slip; the
    receipt says which. A message that was set aside for paper (flow/paper_due.py) is recorded by the sender's people; no
    receipt is issued, since that is for the recipient's own gateway, and the message leaves the outbox.

    Raises `NotFound`, `TransitionNotAllowed` for a recipient that is not on paper, `AlreadyDelivered`, `BadValue` for a time
    before the message was signed or after now, `AttachmentType` for a scan of no kind that is taken.
    """
    proof.require_sound()
    now = rt.clock()
    with transaction(rt.engine) as tx:
        if (sent := _set_aside(tx, message_id, homes)) is not None:
            return _record_sent(tx, sent, proof, by=by, now=now, rt=rt)
        row = _received(tx, message_id, homes, rt)
        case = cases.get(tx, row.case_id or 0, lock=True)
        if case.wrapped_key is None:
            raise Erased("the case was erased; nothing can be added to it")
        _require_possible(row, proof.at, now)
        speaks = row.recipient if row.recipient in homes else row.sender
        drafts = Drafts()
        draft = drafts.delivered(row, proof.at, f"on paper: {proof.kind}; recorded by {speaks}", now)
        entries = drafts.issue(tx, rt, now)
        scan = _keep_scan(tx, row, case, proof, rt)
        kept = _kept(row, case, proof, receipt=draft.message_id, scan=scan, by=by, speaks=speaks, now=now, rt=rt)
        paper.add(tx, kept)
        assert row.id is not None, "it was read from the store"
        end_task(tx, row.recipient, row.case_id or 0, row.id, by=by, rt=rt)
        _start(tx, case, row, proof.at, rt, now)
        journal.append(tx, [_entry(row, proof, draft.message_id, by=by, speaks=speaks, scan=scan, now=now), *entries])
    rt.bell.hand(drafts.leaving, now)
    log.info("message.delivered", message_id=row.message_id, case=case.id)
    return Delivered(message_id=row.message_id, receipt_message_id=draft.message_id, delivered_at=proof.at)


def _set_aside(tx: Tx, message_id: str, homes: frozenset[str]) -> MessageRow | None:
    """Return a message of one of these authorities that is to go on paper since no other way is open; None if it is none."""
    found = [row for row in messages.by_message_id(tx, message_id) if row.direction == "out" and row.sender in homes]
    if not found or found[0].id is None or not outbox_paper.is_for_paper(tx, found[0].id):
        return None
    return found[0]


def _record_sent(tx: Tx, row: MessageRow, proof: Proof, *, by: str, now: datetime, rt: Runtime) -> Delivered:
    """Record that a message of ours went on paper: its electronic copy ends, and the time limits run from the proof."""
    assert row.id is not None, "it was read from the store"
    if row.receipt_message_id is not None:
        raise AlreadyDelivered("this message has its receipt already")
    case = cases.get(tx, row.case_id or 0, lock=True)
    if case.wrapped_key is None:
        raise Erased("the case was erased; nothing can be added to it")
    _require_possible(row, proof.at, now)
    outbox_paper.end(tx, [row.id])
    messages.mark_delivered(tx, row.id)
    scan = _keep_scan(tx, row, case, proof, rt)
    paper.add(tx, _kept(row, case, proof, receipt=None, scan=scan, by=by, speaks=row.sender, now=now, rt=rt))
    clocks_of(tx, rt, [(proof.at, row)], now)
    journal.append(tx, [_entry(row, proof, None, by=by, speaks=row.sender, scan=scan, now=now)])
    log.info("message.delivered", message_id=row.message_id, case=case.id)
    return Delivered(message_id=row.message_id, receipt_message_id=None, delivered_at=proof.at)


def _kept(
    row: MessageRow,
    case: Case,
    proof: Proof,
    *,
    receipt: str | None,
    scan: str | None,
    by: str,
    speaks: str,
    now: datetime,
    rt: Runtime,
) -> DeliveryRow:
    assert row.id is not None, "it was read from the store"
    assert case.wrapped_key is not None, "looked at before"
    return DeliveryRow(
        message_row=row.id,
        kind=proof.kind,
        delivered_at=proof.at,
        zone=str(proof.at.tzinfo)[:40],
        reference=rt.vault.encrypt(case.wrapped_key, proof.reference.strip().encode(), REFERENCE),
        recorded_by=by,
        recorded_for=speaks,
        recorded_at=now,
        receipt_message_id=receipt,
        scan=scan,
    )


def reference_of(row: DeliveryRow, case: Case, rt: Runtime) -> str:
    """Return what the proof is called. Raises `Erased`."""
    if case.wrapped_key is None:
        raise Erased("the contents of this case were erased")
    return rt.vault.decrypt(case.wrapped_key, row.reference, REFERENCE).decode()


def _received(tx: Tx, message_id: str, homes: frozenset[str], rt: Runtime) -> MessageRow:
    """Return the message as its recipient received it."""
    found = [row for row in messages.by_message_id(tx, message_id) if row.direction == "in" and row.case_id is not None]
    mine = next((row for row in found if not homes.isdisjoint({row.sender, row.recipient})), None)
    if mine is None or mine.outcome != "accepted":
        raise NotFound("no such message lies here for an authority on paper")
    if mine.receipt_message_id is not None:
        raise AlreadyDelivered("this message has its receipt already")
    if not rt.on_paper(mine.recipient):
        raise TransitionNotAllowed(f"{mine.recipient} does not get its messages on paper; its gateway issues the receipts")
    return mine


def _require_possible(row: MessageRow, at: datetime, now: datetime) -> None:
    if row.signed_at is not None and at < row.signed_at - CLOCK_SKEW:
        raise BadValue("the message cannot have been delivered before it was signed", path="at")
    if at > now + CLOCK_SKEW:
        raise BadValue("the time of delivery lies in the future", path="at")


def _keep_scan(tx: Tx, row: MessageRow, case: Case, proof: Proof, rt: Runtime) -> str | None:
    """Keep the scan as a document of the message, encrypted; return its digest."""
    if proof.scan is None:
        return None
    assert row.id is not None
    assert case.wrapped_key is not None, "looked at before"
    digest = sha256(proof.scan)
    body = rt.vault.encrypt(case.wrapped_key, proof.scan, f"{SCAN}:{digest}".encode())
    kept = DocumentRow(message_row=row.id, kind=SCAN, media_type=media_type_of(proof.scan), sha256=digest, body=body)
    messages.add_documents(tx, [kept])
    return digest


def _start(tx: Tx, case: Case, row: MessageRow, at: datetime, rt: Runtime, now: datetime) -> None:
    """Start the recipient's clocks, then let what came meanwhile meet or move them: paper is recorded late."""
    start_clocks(tx, [Started(case=case, happening=happening_of(row), received_at=at)], rt, now)
    for later in _after(messages.of_case(tx, case.id or 0), row):
        happened(tx, case, happening_of(later), later.received_at or now, rt, now)


def _after(rows: Sequence[MessageRow], row: MessageRow) -> list[MessageRow]:
    """Return the messages of the case that came or went after `row`, and that the other side is known to have."""
    return [
        later
        for later in rows
        if (later.id or 0) > (row.id or 0)
        and later.receipt_message_id is not None
        and later.outcome in {"accepted", "received"}
    ]


def _entry(
    row: MessageRow, proof: Proof, receipt: str | None, *, by: str, speaks: str, scan: str | None, now: datetime
) -> journal.Entry:
    return journal.Entry(
        at=now,
        event="message.delivered",
        actor=by,
        authority=row.recipient if row.direction == "in" else row.sender,
        case_id=row.case_id,
        message_id=row.message_id,
        digest=row.digest,
        detail={
            "kind": proof.kind,
            "delivered_at": proof.at.isoformat(),
            "receipt": receipt,
            "recorded_for": speaks,
            "scan": scan,
        },
    )
