"""What cannot be delivered before its deadline goes on paper: the officer is told in time, and it has one effect."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from gateway.domain.calendars import Calendar
from gateway.domain.messages import ReceiptItem
from gateway.errors import BadValue, BrokerUnavailable, NotFound, TooLarge
from gateway.flow.case_export import export_case
from gateway.flow.case_verdict import verify_case_file
from gateway.flow.deliver import claim, deliver_once, settle
from gateway.flow.deliveries import Proof, record_delivery
from gateway.flow.draft import Sent
from gateway.flow.paper_due import paper_from, set_aside_for_paper
from gateway.flow.watch import watch_once
from gateway.store import outbox, paper
from gateway.store import tables as t
from gateway.store.accounts import AccountRole
from gateway.store.database import reading, transaction
from gateway.store.worklist import Viewer, worklist_page
from tests.forging import Scripted, hand_in_entry, journalled, receipt, row_of, take
from tests.gateways import Gateway
from tests.officers import Officer
from tests.packs import SCHEMAS
from tests.steps import ASKED, ASKING, Thread

pytestmark = pytest.mark.anyio

NOBODY = BrokerUnavailable("nobody answers")
OURS = frozenset({ASKED})
OFFICER = Viewer(account="officer.one", role=AccountRole.OFFICER, authority=ASKED)


@pytest.fixture
async def cut(case: Thread) -> Thread:
    """A case whose answering side cannot reach the other one."""
    scripted = Scripted(case.east.hub)
    await scripted.open(case.east.rt.settings.home)
    scripted.failing[ASKING] = NOBODY
    return replace(case, east=replace(case.east, rt=replace(case.east.rt, transport=scripted)))


async def stuck(cut: Thread) -> Sent:
    """Answer, and try to deliver it until the morning two working days before the end."""
    sent = cut.answer()
    assert isinstance(sent, Sent), sent
    await cut.east.deliver()
    cut.clock.now = datetime(2026, 6, 9, 6, tzinfo=UTC)
    await cut.east.deliver()
    return sent


def slip(at: datetime) -> Proof:
    return Proof(kind="transmission-report", at=at, reference="FAX 0042")


def delivered(cut: Thread, sent: Sent, at: datetime | None = None) -> None:
    record_delivery(sent.message_id, slip(at or cut.clock.now), by="officer.one", homes=OURS, rt=cut.east.rt)


def rows(side: Gateway) -> list:
    with reading(side.rt.engine) as tx:
        return list(tx.execute(select(t.outbox).where(t.outbox.c.recipient == ASKING)))


def letters(cut: Thread, sent: Sent) -> list:
    return [row for row in rows(cut.east) if row.message_id == sent.message_id]


# --- when it is due on paper ------------------------------------------------------------------------------------------


CALENDAR = Calendar(
    id="xx",
    version="test",
    state="RS",
    zone="Europe/Belgrade",
    weekend=frozenset({5, 6}),
    days={},
    known_from=date(2026, 1, 1),
    known_until=date(2026, 12, 31),
    source="made up",
)
END = datetime(2026, 6, 11, 22, tzinfo=UTC)  # the end of 11 June in Belgrade, a Thursday


def test_paper_is_due_on_the_morning_so_many_working_days_before_the_last_day() -> None:
    written = datetime(2026, 6, 1, 8, tzinfo=UTC)
    assert paper_from(written, END, CALENDAR, 2) == datetime(2026, 6, 8, 22, tzinfo=UTC)
    assert paper_from(written, END, CALENDAR, 4) == datetime(2026, 6, 6, 15, tzinfo=UTC)  # half of the time is for trying


def test_of_what_is_written_shortly_before_the_end_half_the_time_is_left_for_paper() -> None:
    assert paper_from(END - timedelta(hours=10), END, CALENDAR, 2) == END - timedelta(hours=5)


def test_what_was_late_when_it_was_written_is_never_due_on_paper() -> None:
    assert paper_from(END, END, CALENDAR, 2) is None


def test_without_a_calendar_half_the_time_is_left_for_paper() -> None:
    assert paper_from(END - timedelta(days=10), END, None, 2) == END - timedelta(days=5)
    ended = replace(CALENDAR, known_until=date(2026, 1, 2))
    assert paper_from(END - timedelta(days=10), END, ended, 2) == END - timedelta(days=5)


# --- setting aside ----------------------------------------------------------------------------------------------------


async def test_row_carries_the_end_of_the_deadline_that_the_answer_keeps(cut) -> None:
    end = cut.deadline(cut.east, "reply").due_until
    sent = cut.answer()
    (row,) = letters(cut, sent)
    assert (row.due_at, row.turn_at) == (end, end)


async def test_undelivered_answer_is_set_aside_for_paper_and_told_once(cut) -> None:
    sent = await stuck(cut)
    watch_once(cut.east.rt)
    watch_once(cut.east.rt)
    (row,) = letters(cut, sent)
    assert (row.code, row.paper_at, row.parked_at) == ("paper-due", cut.clock.now, cut.clock.now)
    message = row_of(cut.east, "out", ASKED, sent.message_id)
    assert (message.outcome, message.code) == ("parked", "paper-due")
    (entry,) = journalled(cut.east.rt.engine, "message.set_aside")
    assert (entry["authority"], entry["message_id"]) == (ASKED, sent.message_id)
    assert entry["detail"]["trouble"] == "broker-unavailable"


async def test_nothing_more_is_tried_once_it_is_set_aside(cut, clock) -> None:
    await stuck(cut)
    watch_once(cut.east.rt)
    cut.east.rt.transport.failing.clear()
    clock.move(days=1)
    assert claim(cut.east.rt, by="test") == []


async def test_before_its_time_nothing_is_set_aside(cut, clock) -> None:
    cut.answer()
    await cut.east.deliver()
    clock.now = datetime(2026, 6, 8, 21, 59, tzinfo=UTC)
    assert set_aside_for_paper(cut.east.rt) == 0
    clock.move(minutes=1)
    assert set_aside_for_paper(cut.east.rt) == 1


async def test_message_that_is_being_sent_is_not_set_aside(cut, clock) -> None:
    cut.answer()
    clock.now = datetime(2026, 6, 9, 6, tzinfo=UTC)
    (row,) = claim(cut.east.rt, by="test")
    assert set_aside_for_paper(cut.east.rt) == 0
    settle([row], [NOBODY], cut.east.rt)
    assert set_aside_for_paper(cut.east.rt) == 1


async def test_message_that_was_parked_for_another_reason_is_told_too(cut, clock) -> None:
    sent = cut.answer()
    cut.east.rt.transport.failing[ASKING] = TooLarge("more than is carried")
    await cut.east.deliver()
    clock.now = datetime(2026, 6, 9, 6, tzinfo=UTC)
    assert set_aside_for_paper(cut.east.rt) == 1
    assert row_of(cut.east, "out", ASKED, sent.message_id).code == "paper-due"


async def test_message_without_a_deadline_is_never_set_aside(two_gateways, clock) -> None:
    west, _ = two_gateways
    hand_in_entry(west)
    clock.move(days=60)
    assert set_aside_for_paper(west.rt) == 0


async def test_what_is_tried_again_by_a_person_is_not_set_aside_a_second_time(cut, clock) -> None:
    sent = await stuck(cut)
    watch_once(cut.east.rt)
    with transaction(cut.east.rt.engine) as tx:
        tx.execute(t.outbox.update().values(parked_at=None))
    assert set_aside_for_paper(cut.east.rt) == 0
    cut.east.rt.transport.failing.clear()
    clock.move(minutes=5)
    while await cut.east.deliver():
        pass
    assert row_of(cut.east, "out", ASKED, sent.message_id).outcome == "sent"


# --- what the officer sees --------------------------------------------------------------------------------------------


async def test_case_stands_on_the_worklist_with_the_end_of_its_deadline(cut, clock) -> None:
    def lines() -> dict[int, datetime | None]:
        with reading(cut.east.rt.engine) as tx:
            return {line.id: line.for_paper for line in worklist_page(tx, OFFICER, now=clock.now, show="todo").lines}

    end = cut.deadline(cut.east, "reply").due_until
    sent = await stuck(cut)
    assert set(lines().values()) <= {None}
    watch_once(cut.east.rt)
    assert lines() == {cut.case(cut.east).id: end}
    delivered(cut, sent)
    assert set(lines().values()) <= {None}


async def test_line_of_the_queue_says_how_many_are_for_paper(cut) -> None:
    await stuck(cut)
    watch_once(cut.east.rt)
    with reading(cut.east.rt.engine) as tx:
        (state,) = [one for one in outbox.states(tx) if one.recipient == ASKING]
    assert (state.parked, state.for_paper, state.codes) == (1, 1, ("paper-due",))


# --- what becomes of it -----------------------------------------------------------------------------------------------


async def test_delivery_on_paper_ends_the_electronic_copy_and_keeps_the_deadline(cut, clock) -> None:
    sent = await stuck(cut)
    watch_once(cut.east.rt)
    at = clock.now + timedelta(hours=2)
    clock.move(hours=3)
    delivered(cut, sent, at)
    assert letters(cut, sent) == []
    message = row_of(cut.east, "out", ASKED, sent.message_id)
    assert (message.outcome, message.received_at, message.receipt_message_id) == ("delivered", at, None)
    assert cut.deadline(cut.east, "reply").state == "met"
    with reading(cut.east.rt.engine) as tx:
        proof = paper.of_messages(tx, [message.id])[message.id]
    assert (proof.recorded_for, proof.receipt_message_id, proof.delivered_at) == (ASKED, None, at)
    (entry,) = journalled(cut.east.rt.engine, "message.delivered")
    assert (entry["authority"], entry["detail"]["receipt"]) == (ASKED, None)


async def test_paper_that_was_too_late_is_late(cut, clock) -> None:
    sent = await stuck(cut)
    watch_once(cut.east.rt)
    clock.move(days=10)
    delivered(cut, sent)
    assert cut.deadline(cut.east, "reply").state == "late"


async def test_copy_that_had_arrived_unnoticed_has_no_second_effect(cut, clock) -> None:
    sent = cut.answer()
    (row,) = claim(cut.east.rt, by="test")
    cut.east.rt.transport.failing.clear()
    assert await deliver_once(cut.east.rt, [row]) == [None]  # it arrives
    settle([row], [NOBODY], cut.east.rt)  # and the confirm is lost
    clock.now = datetime(2026, 6, 9, 6, tzinfo=UTC)
    watch_once(cut.east.rt)
    delivered(cut, sent)
    before = cut.deadlines(cut.east)
    await cut.exchange()  # the other side takes the copy, and its receipt comes
    message = row_of(cut.east, "out", ASKED, sent.message_id)
    assert message.outcome == "received"
    assert message.receipt_message_id is not None
    after = cut.deadlines(cut.east)
    assert {name: (one.started_at, one.due_until, one.state) for name, one in after.items()} == {
        name: (one.started_at, one.due_until, one.state) for name, one in before.items()
    }
    assert cut.states() == ("agreed", "agreed")


async def test_receipt_that_comes_while_it_is_set_aside_ends_the_task(cut, clock) -> None:
    sent = cut.answer()
    (row,) = claim(cut.east.rt, by="test")
    cut.east.rt.transport.failing.clear()
    await deliver_once(cut.east.rt, [row])
    settle([row], [NOBODY], cut.east.rt)
    clock.now = datetime(2026, 6, 9, 6, tzinfo=UTC)
    watch_once(cut.east.rt)
    await cut.exchange()
    assert letters(cut, sent) == []
    assert row_of(cut.east, "out", ASKED, sent.message_id).outcome == "received"
    with pytest.raises(NotFound):
        delivered(cut, sent)


async def test_other_side_that_asks_for_it_later_gets_a_copy_and_the_proof_on_paper_goes_on_counting(cut, clock) -> None:
    sent = await stuck(cut)
    watch_once(cut.east.rt)
    delivered(cut, sent)
    at = row_of(cut.east, "out", ASKED, sent.message_id).received_at
    before = cut.deadlines(cut.east)
    cut.east.rt.transport.failing.clear()
    clock.move(hours=1)
    asks = ReceiptItem(
        message_id=sent.message_id,
        digest=sent.digest,
        received_at=clock.now,
        accepted=False,
        code="sequence-gap",
        missing=(1,),
    )
    take(cut.east.rt, receipt(cut.west.rt, clock.now, asks, sender=ASKING, recipient=ASKED))
    await cut.exchange()
    assert cut.states() == ("agreed", "agreed")
    assert row_of(cut.east, "out", ASKED, sent.message_id).outcome == "received"
    after = cut.deadlines(cut.east)
    assert after["transfer"].started_at == before["transfer"].started_at == at


async def test_refusal_of_a_copy_beside_the_paper_is_recorded_and_changes_nothing(cut, clock) -> None:
    sent = await stuck(cut)
    watch_once(cut.east.rt)
    delivered(cut, sent)
    refused = ReceiptItem(
        message_id=sent.message_id, digest=sent.digest, received_at=clock.now, accepted=False, code="schema-invalid"
    )
    take(cut.east.rt, receipt(cut.west.rt, clock.now, refused, sender=ASKING, recipient=ASKED))
    assert row_of(cut.east, "out", ASKED, sent.message_id).outcome == "delivered"
    assert len(journalled(cut.east.rt.engine, "message.refused_by_partner")) == 1


@pytest.mark.parametrize("wrong", ["before it was signed", "in the future"])
async def test_proof_that_cannot_be_is_refused_and_the_message_stays_set_aside(cut, clock, wrong) -> None:
    sent = await stuck(cut)
    watch_once(cut.east.rt)
    with pytest.raises(BadValue):
        delivered(cut, sent, clock.now + (timedelta(hours=1) if wrong == "in the future" else -timedelta(days=30)))
    assert len(letters(cut, sent)) == 1


async def test_delivery_is_recorded_once(cut) -> None:
    sent = await stuck(cut)
    watch_once(cut.east.rt)
    delivered(cut, sent)
    with pytest.raises(NotFound):
        delivered(cut, sent)


async def test_other_authority_does_not_find_the_message(cut) -> None:
    sent = await stuck(cut)
    watch_once(cut.east.rt)
    with pytest.raises(NotFound):
        record_delivery(sent.message_id, slip(cut.clock.now), by="x", homes=frozenset({"PK-MOI"}), rt=cut.east.rt)


async def test_message_that_is_still_tried_is_not_recorded_as_delivered_on_paper(cut) -> None:
    sent = cut.answer()
    await cut.east.deliver()
    with pytest.raises(NotFound):
        delivered(cut, sent)


async def test_case_file_tells_of_a_recorded_delivery_and_does_not_call_it_proven(cut, tmp_path) -> None:
    sent = await stuck(cut)
    watch_once(cut.east.rt)
    delivered(cut, sent)
    path = tmp_path / "case.asice"
    export_case(cut.case(cut.east).id or 0, path, cut.east.rt, actor="clerk", purpose="appeal")
    found = verify_case_file(path, cut.east.rt.settings.keys / "anchors", cut.clock.now, SCHEMAS)
    (item,) = [item for item in found.items if item.item == "receipt of message 2"]
    assert (found.verdict, item.verdict) == ("valid", "not-proven")
    assert item.says.startswith("There is no receipt for this readmission reply")
    assert item.says.endswith(
        f"{ASKED} recorded that this readmission reply was delivered on paper on 9 June 2026, 06:00:00 UTC "
        f"(a transmission report shows it); that is the word of {ASKED}."
    )
    assert "not proven" in found.says


# --- the whole way on the pages ---------------------------------------------------------------------------------------


async def test_officer_is_led_from_the_worklist_to_the_proof(cut, clock) -> None:
    sent = await stuck(cut)
    watch_once(cut.east.rt)
    person = Officer(cut.east.rt)
    case = cut.case(cut.east)
    assert "Send on paper" in person.get("/work")
    page = person.get(f"/cases/{case.id}")
    assert "this message cannot be delivered to AT-BMI" in page
    assert f"/cases/{case.id}/print/{sent.message_id}" in page
    path = f"/cases/{case.id}/delivery/{sent.message_id}"
    assert path in page
    assert "could not be delivered to AT-BMI" in person.get(path)
    said = {"kind": "transmission-report", "day": "2026-06-09", "time": "05:30", "zone": "UTC", "reference": "FAX 0042"}
    answer = person.post(path, upload=True, **said)
    assert answer.headers["location"] == f"/cases/{case.id}?done=sent-on-paper"
    page = person.get(answer.headers["location"])
    assert "Delivered on paper" in page
    assert "Carried on paper: Transmission report" in page
    assert "this message cannot be delivered" not in page
    assert "Send on paper" not in person.get("/work")
    assert person.client.get(path).status_code == 400


async def test_page_of_a_message_that_is_still_tried_offers_no_proof(cut) -> None:
    sent = cut.answer()
    person = Officer(cut.east.rt)
    case = cut.case(cut.east)
    assert "delivery on paper" not in person.get(f"/cases/{case.id}")
    assert person.client.get(f"/cases/{case.id}/delivery/{sent.message_id}").status_code == 400
