"""The writing end of the walk inward: one transaction for a batch, whose messages were decided before."""

from collections.abc import Sequence
from dataclasses import replace

from gateway.domain.case import Case
from gateway.domain.clock import Happening
from gateway.domain.messages import Receipt
from gateway.errors import AnswerMismatch, StoreConflict
from gateway.flow import receipts
from gateway.flow.arrival import Prepared, Rejected
from gateway.flow.batch import Batch, name_of, place_of, type_inside
from gateway.flow.claims import claim
from gateway.flow.clockwork import Started, start_clocks
from gateway.flow.gaps import answer_asking
from gateway.flow.papers import facts_of, receipt_paper, report_paper, signed_paper, translated_paper
from gateway.flow.ports import Runtime
from gateway.flow.taking import fits, gives_up
from gateway.store import attachments, cases, early, inbox, journal, messages
from gateway.store.cases import CaseKey
from gateway.store.database import Tx
from gateway.store.messages import MessageRow


def record(tx: Tx, work: Batch, rt: Runtime) -> None:
    """Write the batch: cases, messages, documents, inboxes, deadlines, receipts, journal."""
    _write_cases(tx, work)
    issued = work.drafts.issue(tx, rt, work.now)
    rows = [_message_row(item, work, key, draft) for item, key, draft in work.taken]
    refused = [(item, _case_of(item, work), draft, key is not None) for item, draft, key in work.refused if draft is not None]
    rows += [_refused_row(*one, work) for one in refused]
    ids = messages.add(tx, rows)
    papers = _refused_papers(rt, refused, ids[len(work.taken) :])
    deliveries: list[inbox.NewInboxRow] = []
    starts: list[Started] = []
    reports: dict[int, str] = {}  # by row: SHA-256 of the mapping report
    for (item, key, draft), row_id in zip(work.taken, ids[: len(work.taken)], strict=True):
        if key is None or item.translation is None:
            papers.append(receipt_paper(row_id, item.opened.signed))
            continue
        case = work.current[key]
        assert case.id is not None
        if item.named:
            claim(tx, case, row_id, item.named, work.arrived[item.opened.signer, item.opened.sealed_id or ""], rt)
        papers.append(signed_paper(rt, case, row_id, item.opened.signed, item.opened.digest))
        papers.append(translated_paper(rt, case, row_id, item.translation))
        papers.append(report_paper(rt, case, row_id, item.translation.report))
        reports[row_id] = papers[-1].sha256
        dialect = rt.partners.authority(case.home).dialect
        deliveries.append(
            inbox.NewInboxRow(authority=case.home, message_row=row_id, case_id=case.id, dialect=dialect, arrived_at=work.now)
        )
        assert not isinstance(item.message, Receipt)
        if draft is not None:
            starts.append(Started(case=case, happening=Happening.of(item.message), received_at=item.received.received_at))
    messages.add_documents(tx, papers)
    inbox.add(tx, deliveries)
    early.add(tx, work.waiting)
    early.remove(tx, work.done)
    for row, type_ in work.suspended:
        early.suspend(tx, row, type_)
    attachments.forget(
        tx, [(draft.issuer, *name) for item, draft, _ in work.refused if draft is not None and (name := name_of(item))]
    )
    start_clocks(tx, starts, rt, work.now)
    _apply_receipts(tx, work, rt)
    for (item, key, _), row_id in zip(work.taken, ids[: len(work.taken)], strict=True):
        its_case = work.current[key] if key else None
        state = str(its_case.state) if its_case else None
        detail = {"type": item.checked.type, "state": state, "transport": item.received.transport}
        if row_id in reports:
            detail["report"] = reports[row_id]
        work.note(item, "message.received", detail, its_case.id if its_case else None)
    work.entries += issued
    journal.append(tx, work.entries)


def _apply_receipts(tx: Tx, work: Batch, rt: Runtime) -> None:
    """Let each line of a receipt take effect on what it names; a line that fits nothing we sent is noted."""
    for item, _, _ in work.taken:
        if isinstance(item.message, Receipt):
            good = tuple(one for one in item.message.items if fits(one, item, work.sent))
            work.entries += receipts.apply(tx, rt, replace(item.message, items=good), work.sent, work.now)
            for one in good:
                if one.missing:
                    row = work.sent[item.message.header.recipient, one.message_id]
                    work.entries += answer_asking(tx, rt, row, one.missing, work.now)
            unfit = len(item.message.items) - len(good) - _apply_gaps(tx, item, work)
            if unfit:
                work.note(item, "receipt.partly_refused", {"code": AnswerMismatch.code, "count": unfit})


def _apply_gaps(tx: Tx, item: Prepared, work: Batch) -> int:
    """Let messages that wait here go without numbers that their sender gives up; return how many lines say so."""
    assert isinstance(item.message, Receipt)
    count = 0
    for one in item.message.items:
        first = gives_up(one, item, work)
        kept = work.kept.get((item.message.header.sender, one.message_id))
        if first is not None and kept is not None and kept.id is not None:
            early.give_up(tx, kept.id, first)
            numbers = {"first": first, "last": kept.sequence - 1, "count": kept.sequence - first}
            # In the record of the case: whoever reads its file must see why a number is missing there.
            work.note(item, "gap.given_up", {"code": one.code, **numbers}, _waits_in(tx, kept))
            count += 1
    return count


def _waits_in(tx: Tx, kept: early.EarlyRow) -> int | None:
    """Return the row of the case that a waiting message belongs to, None while nothing opened it."""
    found = cases.by_reference(tx, kept.reference, home=kept.home)
    return next((case.id for case in found if case.counterparty == kept.sender), None)


def _write_cases(tx: Tx, work: Batch) -> None:
    """Insert the cases that were opened, change those that advanced."""
    touched = list(dict.fromkeys(key for _, key, _ in work.taken if key))
    fresh = [key for key in touched if work.current[key].id is None]
    for fresh_key, added in zip(fresh, cases.add(tx, [work.current[key] for key in fresh]), strict=True):
        work.current[fresh_key] = added
    for changed in touched:
        if changed in work.before and not cases.change(tx, work.current[changed], before=work.before[changed]):
            raise StoreConflict("the case was changed meanwhile")


def _message_row(item: Prepared, work: Batch, key: CaseKey | None, draft: receipts.Draft | None) -> MessageRow:
    header = item.message.header
    return MessageRow(
        direction="in",
        sender=header.sender,
        message_id=header.message_id,
        recipient=header.recipient,
        case_id=work.current[key].id if key else None,
        type=item.checked.type,
        sequence=header.sequence,
        digest=item.opened.digest,
        in_reply_to=header.answers.message_id if header.answers else None,
        signed_at=item.opened.signed_at,
        created_at=work.now,
        received_at=item.received.received_at,
        outcome="accepted",
        receipt_message_id=draft.message_id if draft else None,
        facts=facts_of(item.message),
    )


def _case_of(item: Rejected, work: Batch) -> Case | None:
    """Return the case that a refused message of a verified sender names, if it is one of the two sides' own."""
    place = place_of(item.opened)
    return work.current.get(place[0]) if place else None


def _refused_papers(
    rt: Runtime, refused: Sequence[tuple[Rejected, Case | None, receipts.Draft, bool]], ids: Sequence[int]
) -> list[messages.DocumentRow]:
    """Return what is kept of refused messages: the signed bytes, under the key of the case they name; of others the digest."""
    return [
        signed_paper(rt, case, row_id, item.opened.signed, item.opened.digest)
        for (item, case, _, _), row_id in zip(refused, ids, strict=True)
        if item.opened is not None and case is not None and case.wrapped_key is not None
    ]


def _refused_row(item: Rejected, case: Case | None, draft: receipts.Draft, uses_up: bool, work: Batch) -> MessageRow:
    """Return the row of a refused message: a repeat of it gets the recorded receipt. `uses_up`: its number is taken by it."""
    opened = item.opened
    assert opened is not None
    place = place_of(opened)
    return MessageRow(
        direction="in",
        sender=opened.signer,
        message_id=opened.sealed_id or "",
        recipient=draft.issuer,
        case_id=case.id if case else None,
        type=type_inside(opened),
        sequence=place[1] if place and uses_up else None,
        digest=opened.digest,
        in_reply_to=None,
        signed_at=opened.signed_at,
        created_at=work.now,
        received_at=item.received.received_at,
        outcome="refused",
        code=item.error.code,
        receipt_message_id=draft.message_id,
    )
