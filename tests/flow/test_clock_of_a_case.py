"""The clocks of a case: what each message starts and meets, with the same dates on both sides."""

from datetime import UTC, date, datetime, timedelta

import pytest

from gateway.flow.draft import Sent
from gateway.flow.watch import watch_once
from gateway.wire.reading import instant_text
from tests.forging import outcomes, take
from tests.steps import ASKED, ASKING, asked, on_the_way, opened, ruled

pytestmark = pytest.mark.anyio

MONDAY = datetime(2026, 6, 1, 8, 15, tzinfo=UTC)
TO_BE_HELD = "ReadmissionApplication-cyrillic"  # a national of the state asked: held for a statement, then released


def at(day: int, month: int = 6, hour: int = 12) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


# --- what a message starts ----------------------------------------------------------------------------------------------


async def test_application_starts_what_its_receipt_is_the_start_of(case) -> None:
    assert case.open_limits() == {"reply", "interview", "register-search"}
    assert [case.due(limit) for limit in ("reply", "interview", "register-search")] == [
        date(2026, 6, 11),
        date(2026, 6, 8),
        date(2026, 6, 8),
    ]


async def test_clock_starts_when_the_other_side_had_the_message_not_when_it_was_sent(two_gateways, clock) -> None:
    case = opened(*ruled(two_gateways), clock)
    await case.west.deliver()
    assert case.deadlines(case.west) == {}
    clock.move(days=3)
    await case.exchange()
    case.settled("reply")
    assert case.deadline(case.west, "reply").started_at == MONDAY + timedelta(days=3)


async def test_clock_of_the_side_that_sent_starts_with_the_receipt_and_not_before(two_gateways, clock) -> None:
    case = opened(*ruled(two_gateways), clock)
    take(case.east.rt, *on_the_way(case.west, case.opening))
    clock.move(days=2)  # the receipt is two days on its way
    assert case.deadlines(case.west) == {}
    await case.exchange()
    case.settled("reply")
    assert case.deadline(case.west, "reply").started_at == MONDAY


async def test_agreement_starts_the_transfer(agreed) -> None:
    assert agreed.open_limits() == {"transfer"}
    assert agreed.due("transfer") == date(2026, 9, 1)


async def test_refusal_starts_nothing_and_ends_what_waited(case) -> None:
    await case.answered(agreed=False)
    assert case.open_limits() == set()
    assert [case.settled(limit) for limit in ("reply", "interview", "register-search")] == ["met", "moot", "moot"]


async def test_written_notification_starts_the_transfer_without_a_reply(two_gateways, clock) -> None:
    case = await asked(*ruled(two_gateways), clock, "WrittenNotification-willing")
    assert case.open_limits() == {"transfer"}
    assert case.due("transfer") == date(2026, 9, 1)


async def test_transfer_notice_is_counted_back_from_the_planned_day(agreed, clock) -> None:
    clock.now = at(2)
    await agreed.told("TransferNotification-alone", ASKING, Plan__At=instant_text(at(10)))
    assert agreed.due("transfer-notice") == date(2026, 6, 5)  # Wednesday the 10th; Tuesday, Monday, Friday
    assert agreed.settled("transfer-notice") == "met"


async def test_transfer_notice_that_comes_after_its_day_is_late(agreed, clock) -> None:
    clock.now = at(8)
    await agreed.told("TransferNotification-alone", ASKING, Plan__At=instant_text(at(10)))
    assert agreed.settled("transfer-notice") == "late"


async def test_new_plan_after_a_postponement_starts_its_notice_again(agreed, clock) -> None:
    clock.now = at(2)
    await agreed.told("TransferNotification-alone", ASKING, Plan__At=instant_text(at(10)))
    await agreed.told("TransferPostponed-by-requested", ASKED, Postponement__Since="2026-06-02")
    clock.now = at(22)
    await agreed.told("TransferNotification-alone", ASKING, Plan__At=instant_text(at(24)))
    assert agreed.due("transfer-notice") == date(2026, 6, 19)
    assert agreed.settled("transfer-notice") == "late"


@pytest.mark.parametrize(
    ("example", "started", "day"),
    [
        ("TravelDocumentRequest-first", "travel-document", date(2026, 6, 15)),
        ("TravelDocumentRequest-renewal", "travel-document-renewal", date(2026, 6, 15)),
    ],
)
async def test_request_for_a_travel_document_starts_the_limit_of_its_purpose_only(
    two_gateways, clock, example, started, day
) -> None:
    case = await asked(*ruled(two_gateways), clock, TO_BE_HELD)
    await case.answered()
    await case.told(example, ASKING)
    assert case.open_limits() == {"transfer", started}
    assert case.due(started) == day


@pytest.mark.parametrize("answer", ["TravelDocumentIssued-by-requested", "TravelDocumentRefused-by-requested"])
async def test_travel_document_is_met_by_the_document_or_its_refusal(two_gateways, clock, answer) -> None:
    case = await asked(*ruled(two_gateways), clock, TO_BE_HELD)
    await case.answered()
    await case.told("TravelDocumentRequest-first", ASKING)
    clock.move(days=3)
    await case.told(answer, ASKED)
    assert case.settled("travel-document") == "met"


async def test_interview_that_is_fixed_starts_the_limit_of_its_result(case, clock) -> None:
    await case.told("InterviewRequest-by-requested", ASKED)
    await case.told("InterviewAppointment-by-requesting", ASKING, Appointment__At=instant_text(at(4)))
    assert case.due("interview-result") == date(2026, 6, 7)
    clock.now = at(6)
    await case.told("InterviewResult-confirmed", ASKED, Result__HeldOn="2026-06-04")
    assert [case.settled(limit) for limit in ("interview", "interview-result")] == ["met", "met"]
    assert case.settled("reply") == "open"  # a result is no reply


async def test_result_of_a_search_in_a_register_meets_its_limit(case) -> None:
    await case.told("RegisterSearchResult-found", ASKED, Search__SearchedOn="2026-06-01")
    assert case.settled("register-search") == "met"
    assert case.open_limits() == {"reply", "interview"}


async def test_hand_over_meets_the_transfer_and_starts_the_time_for_an_error(agreed, clock) -> None:
    await agreed.told("TransferNotification-alone", ASKING, Plan__At=instant_text(at(10)))
    clock.now = at(10, hour=15)
    await agreed.told("TransferRecord-handed-over", ASKED, Record__At=instant_text(at(10)))
    assert agreed.settled("transfer") == "met"
    assert agreed.due("error") == date(2026, 9, 10)
    clock.move(days=20)
    await agreed.told("ReadmissionInError-not-a-national", ASKED)
    assert agreed.settled("error") == "met"


async def test_statement_of_costs_starts_their_settlement_whatever_the_state(case, clock) -> None:
    await case.answered(agreed=False)
    stated = await case.told("CostStatement-by-requested", ASKED)
    assert case.open_limits() == {"costs"}
    assert case.due("costs") == date(2026, 7, 1)
    clock.move(days=10)
    await case.told("CostSettlement-by-requesting", ASKING)
    assert case.settled("costs") == "met"
    assert case.deadline(case.east, "costs").inputs["message"] == stated.message_id


async def test_transit_has_a_notice_and_a_reply_of_its_own(two_gateways, clock) -> None:
    planned = {"Transit__At": instant_text(at(20))}
    case = await asked(*ruled(two_gateways), clock, "TransitApplication-escorted", **planned)
    assert case.settled("transit-notice") == "met"
    assert (case.due("transit-notice"), case.due("transit-reply")) == (date(2026, 6, 16), date(2026, 6, 6))
    await case.told("TransitReply-agreed", ASKED)
    assert case.settled("transit-reply") == "met"
    assert case.states() == ("transit-agreed", "transit-agreed")


async def test_transit_that_is_announced_too_late_says_so(two_gateways, clock) -> None:
    planned = {"Transit__At": instant_text(at(4))}
    case = await asked(*ruled(two_gateways), clock, "TransitApplication-escorted", **planned)
    assert case.settled("transit-notice") == "late"


# --- in time or late ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "found"), [(-1, "met"), (0, "late")])
async def test_reply_is_in_time_until_the_rolled_end(case, clock, seconds, found) -> None:
    clock.now = case.deadline(case.west, "reply").lapses_at + timedelta(seconds=seconds)
    await case.answered()
    assert case.settled("reply") == found
    assert case.states() == ("agreed", "agreed")


async def test_our_reply_counts_by_when_the_other_side_had_it_not_by_when_it_was_handed_in(case, clock) -> None:
    end = case.deadline(case.west, "reply").lapses_at
    clock.now = end - timedelta(hours=1)
    case.answer()
    assert case.deadline(case.east, "reply").state == "met"  # for our own screens, until the receipt comes
    clock.now = end + timedelta(hours=1)
    await case.exchange()
    assert case.settled("reply") == "late"


async def test_reply_received_in_time_and_taken_late_wins_over_the_lapse(case, clock) -> None:
    end = case.deadline(case.west, "reply").lapses_at
    clock.now = end - timedelta(minutes=1)
    sent = case.answer()
    assert isinstance(sent, Sent)
    (body,) = on_the_way(case.east, sent)
    clock.now = end
    assert watch_once(case.west.rt) > 0
    assert case.deadline(case.west, "reply").state == "lapsed"
    clock.now = end - timedelta(minutes=1)  # when the transport handed it over, before the database was back
    take(case.west.rt, body)
    assert case.deadline(case.west, "reply").state == "met"
    await case.exchange()
    assert case.settled("reply") == "met"


async def test_reply_that_overtakes_the_receipt_meets_the_clock_that_starts_later(two_gateways, clock) -> None:
    case = opened(*ruled(two_gateways), clock)
    take(case.east.rt, *on_the_way(case.west, case.opening))
    clock.move(hours=1)
    sent = case.answer()
    take(case.west.rt, *on_the_way(case.east, sent))
    assert case.deadlines(case.west).keys() == {"transfer"}
    await case.exchange()
    assert [case.settled(limit) for limit in ("reply", "interview", "transfer")] == ["met", "moot", "open"]


# --- what ends a clock without meeting it -------------------------------------------------------------------------------


async def test_withdrawal_ends_every_clock_of_the_case(case) -> None:
    await case.told("Withdrawal-no-longer-needed", ASKING)
    assert case.open_limits() == set()
    assert case.settled("reply") == "moot"


async def test_costs_are_still_owed_after_a_withdrawal(case) -> None:
    await case.told("CostStatement-by-requested", ASKED)
    await case.told("Withdrawal-no-longer-needed", ASKING)
    assert case.open_limits() == {"costs"}


async def test_withdrawal_that_comes_with_the_application_leaves_no_clock_running(two_gateways, clock) -> None:
    case = opened(*ruled(two_gateways), clock)
    withdrawn = case.send("Withdrawal-error", ASKING)
    both = on_the_way(case.west, case.opening, withdrawn)
    assert outcomes(take(case.east.rt, *both)) == [("accepted", None), ("accepted", None)]
    await case.exchange()
    assert case.open_limits() == set()
    assert case.states() == ("withdrawn", "withdrawn")
