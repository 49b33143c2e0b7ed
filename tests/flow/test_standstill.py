"""Clocks that are prolonged, stand still and go on: the same days count on both sides, whatever was how long on its way."""

from datetime import UTC, date, datetime

import pytest

from gateway.wire.reading import instant_text
from tests.forging import take
from tests.steps import ASKED, ASKING, dates, on_the_way, opened, ruled

pytestmark = pytest.mark.anyio


def at(day: int) -> datetime:
    return datetime(2026, 6, day, 12, tzinfo=UTC)


# --- more time ----------------------------------------------------------------------------------------------------------


async def test_extension_asked_for_by_the_side_that_may_ask_prolongs_the_limit_on_both_sides(case, clock) -> None:
    clock.now = at(10)
    await case.told("ExtensionRequest-by-requested", ASKED, Extension__Limit="reply", Extension__Days="6")
    assert case.due("reply") == date(2026, 6, 17)


@pytest.mark.parametrize(
    ("by", "day", "days", "limit"),
    [
        (ASKING, 10, "6", "reply"),
        (ASKED, 12, "6", "reply"),
        (ASKED, 10, "7", "reply"),
        (ASKED, 10, "6", "register-search"),
    ],
    ids=["by the other side", "too late", "too long", "for a limit that knows none"],
)
async def test_extension_that_the_rule_does_not_allow_prolongs_nothing(case, clock, by, day, days, limit) -> None:
    before = {side.rt.settings.name: dates(case.deadline(side, "reply")) for side in case.sides}
    clock.now = at(day)
    name = f"ExtensionRequest-by-{'requesting' if by == ASKING else 'requested'}"
    await case.told(name, by, Extension__Limit=limit, Extension__Days=days)
    assert {side.rt.settings.name: dates(case.deadline(side, "reply")) for side in case.sides} == before


async def test_extension_counts_from_when_the_other_side_had_the_request(case, clock) -> None:
    clock.now = at(10)
    case.send("ExtensionRequest-by-requested", ASKED, Extension__Limit="reply", Extension__Days="6")
    assert case.deadline(case.east, "reply").due_on == date(2026, 6, 17)
    clock.now = at(12)  # it was on its way beyond the end of the limit
    await case.exchange()
    assert case.due("reply") == date(2026, 6, 11)


async def test_extension_that_overtakes_the_receipt_of_the_application_counts_on_both_sides(two_gateways, clock) -> None:
    case = opened(*ruled(two_gateways), clock)
    take(case.east.rt, *on_the_way(case.west, case.opening))
    request = case.send("ExtensionRequest-by-requested", ASKED, Extension__Limit="reply", Extension__Days="6")
    take(case.west.rt, *on_the_way(case.east, request))
    await case.exchange()
    assert case.due("reply") == date(2026, 6, 17)


# --- standstill ---------------------------------------------------------------------------------------------------------


async def test_suspension_stops_every_clock_and_resumption_sets_it_going(case, clock) -> None:
    clock.now = at(4)
    await case.told("Suspension-illness", ASKING, Suspension__Since="2026-06-04", Suspension__ExpectedUntil=None)
    assert [case.due(limit) for limit in ("reply", "register-search")] == [None, None]
    assert [case.case(side).suspended for side in case.sides] == [True, True]
    clock.now = at(9)
    await case.told("Resumption-plain", ASKING, Resumption__Since="2026-06-09")
    assert [case.due(limit) for limit in ("reply", "register-search")] == [date(2026, 6, 16), date(2026, 6, 13)]
    assert [case.case(side).suspended for side in case.sides] == [False, False]


async def test_suspension_counts_from_the_day_on_which_the_other_side_had_it(case, clock) -> None:
    clock.now = at(4)
    case.send("Suspension-illness", ASKING, Suspension__Since="2026-06-03", Suspension__ExpectedUntil=None)
    clock.now = at(6)
    await case.exchange()
    case.settled("reply")
    clock.now = at(8)
    case.send("Resumption-plain", ASKING, Resumption__Since="2026-06-08")
    clock.now = at(9)
    await case.exchange()
    assert case.due("reply") == date(2026, 6, 14)  # three days: the 6th to the 9th


async def test_both_sent_before_either_arrived_end_alike_on_both_sides(case, clock) -> None:
    clock.now = at(3)
    case.send("Suspension-illness", ASKING, Suspension__Since="2026-06-03", Suspension__ExpectedUntil=None)
    clock.now = at(5)
    case.send("Resumption-plain", ASKING, Resumption__Since="2026-06-05")
    clock.now = at(7)
    await case.exchange()
    assert case.due("reply") == date(2026, 6, 11)  # it was over before the other side knew of it


async def test_clock_that_starts_while_the_case_stands_does_not_run(case, clock) -> None:
    await case.told("Suspension-illness", ASKING, Suspension__Since="2026-06-01", Suspension__ExpectedUntil=None)
    clock.now = at(4)
    await case.answered()
    assert case.due("transfer") is None
    clock.now = at(9)
    await case.told("Resumption-plain", ASKING, Resumption__Since="2026-06-09")
    assert case.due("transfer") == date(2026, 9, 8)  # three months from the 4th, and the 5th to the 8th left out


async def test_standstill_that_was_over_before_the_clock_started_does_not_touch_it(case, clock) -> None:
    await case.told("Suspension-illness", ASKING, Suspension__Since="2026-06-01", Suspension__ExpectedUntil=None)
    clock.now = at(3)
    await case.told("Resumption-plain", ASKING, Resumption__Since="2026-06-03")
    clock.now = at(4)
    await case.answered()
    assert case.due("transfer") == date(2026, 9, 4)
    assert not any("stood" in line for line in case.deadline(case.west, "transfer").detail["explain"])


async def test_resumption_that_crosses_the_agreement_ends_the_standstill_on_the_same_day(case, clock) -> None:
    await case.told("Suspension-illness", ASKING, Suspension__Since="2026-06-01", Suspension__ExpectedUntil=None)
    clock.now = at(4)
    case.send("Resumption-plain", ASKING, Resumption__Since="2026-06-04")
    case.answer()
    await case.east.deliver()
    await case.west.take_in()  # the agreement is there on the 4th; the resumption is on its way until the 6th
    clock.now = at(6)
    await case.exchange()
    assert case.due("transfer") == date(2026, 9, 5)  # the 5th is left out


async def test_clock_that_stands_is_not_stopped_twice(case) -> None:
    await case.told("Suspension-illness", ASKING, Suspension__Since="2026-06-01", Suspension__ExpectedUntil=None)
    assert case.send("Suspension-illness", ASKING).code == "transition-not-allowed"


async def test_clock_that_runs_is_not_set_going(case) -> None:
    assert case.send("Resumption-plain", ASKING).code == "transition-not-allowed"


async def test_postponed_transfer_is_an_obstacle_until_the_next_plan(agreed, clock) -> None:
    await agreed.told("TransferNotification-alone", ASKING, Plan__At=instant_text(at(10)))
    clock.now = at(9)
    await agreed.told("TransferPostponed-by-requesting", ASKING, Postponement__Since="2026-06-09")
    assert agreed.due("transfer") is None
    clock.now = at(19)
    await agreed.told("TransferNotification-alone", ASKING, Plan__At=instant_text(at(30)))
    assert agreed.due("transfer") == date(2026, 9, 11)
