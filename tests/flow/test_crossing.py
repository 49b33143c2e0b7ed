"""Two messages that cross on the way: both are taken, and both sides of the case end alike, clocks included."""

from datetime import timedelta

import pytest

from gateway.flow.draft import Sent
from gateway.flow.watch import watch_once
from gateway.wire.reading import instant_text
from tests.steps import ASKED, ASKING, asked, ruled

pytestmark = pytest.mark.anyio

PLAN = "TransferNotification-alone"


@pytest.fixture
def gateways(two_gateways):
    return ruled(two_gateways)


async def requested(gateways, clock):
    return await asked(*gateways, clock)


async def agreed(gateways, clock):
    case = await requested(gateways, clock)
    await case.answered()
    return case


def plan(clock, days: int = 10) -> dict[str, str]:
    return {"Plan__At": instant_text(clock.now + timedelta(days=days))}


async def planned(gateways, clock):
    case = await agreed(gateways, clock)
    await case.told(PLAN, ASKING, **plan(clock))
    return case


async def in_transit(gateways, clock):
    return await asked(
        *gateways, clock, "TransitApplication-escorted", Transit__At=instant_text(clock.now + timedelta(days=20))
    )


async def transit_agreed(gateways, clock):
    case = await in_transit(gateways, clock)
    await case.told("TransitReply-agreed", ASKED)
    return case


STATES = {
    "requested": requested,
    "agreed": agreed,
    "planned": planned,
    "transit-requested": in_transit,
    "transit-agreed": transit_agreed,
}

WITHDRAWN, POSTPONED, NOT_DONE = (
    "Withdrawal-no-longer-needed",
    "TransferPostponed-by-requesting",
    "TransferRecord-not-carried-out",
)
HANDED_OVER, AT_THE_BORDER = "TransferRecord-handed-over", "TransferRecord-refused-at-border"
YES, NO = "yes", "no"  # the reply, which is written from the application

# state of both sides, what the asking side sends, what the other side sends at the same time, state of both sides after
CROSSINGS = [
    ("requested", WITHDRAWN, YES, "withdrawn"),
    ("requested", WITHDRAWN, NO, "withdrawn"),
    ("requested", "Suspension-illness", YES, "agreed"),
    ("requested", "Suspension-illness", NO, "refused"),
    ("requested", "InformationRequest-by-requesting", NO, "refused"),
    ("requested", WITHDRAWN, "InformationRequest-by-requested", "withdrawn"),
    ("requested", WITHDRAWN, "ExtensionRequest-by-requested", "withdrawn"),
    ("requested", WITHDRAWN, "InterviewResult-confirmed", "withdrawn"),
    ("agreed", PLAN, HANDED_OVER, "transferred"),
    ("agreed", WITHDRAWN, HANDED_OVER, "transferred"),
    ("planned", WITHDRAWN, "TransferNotificationReply-accepted", "withdrawn"),
    ("planned", WITHDRAWN, "TransferNotificationReply-changed", "withdrawn"),
    ("planned", WITHDRAWN, "TransferNotificationReply-refused", "withdrawn"),
    ("planned", WITHDRAWN, "TransferPostponed-by-requested", "withdrawn"),
    ("planned", WITHDRAWN, AT_THE_BORDER, "withdrawn"),
    ("planned", WITHDRAWN, HANDED_OVER, "transferred"),
    ("planned", POSTPONED, "TransferNotificationReply-accepted", "agreed"),
    ("planned", POSTPONED, "TransferNotificationReply-changed", "agreed"),
    ("planned", POSTPONED, "TransferNotificationReply-refused", "agreed"),
    ("planned", POSTPONED, "TransferPostponed-by-requested", "agreed"),
    ("planned", POSTPONED, AT_THE_BORDER, "agreed"),
    ("planned", POSTPONED, HANDED_OVER, "transferred"),
    ("planned", NOT_DONE, "TransferNotificationReply-refused", "agreed"),
    ("planned", NOT_DONE, AT_THE_BORDER, "agreed"),
    ("planned", NOT_DONE, HANDED_OVER, "transferred"),
    ("transit-requested", WITHDRAWN, "TransitReply-agreed", "transit-withdrawn"),
    ("transit-requested", WITHDRAWN, "TransitReply-refused", "transit-withdrawn"),
    ("transit-agreed", WITHDRAWN, "TransitRevocation-other", "transit-withdrawn"),
    ("transit-agreed", WITHDRAWN, HANDED_OVER, "transited"),
    ("transit-agreed", NOT_DONE, HANDED_OVER, "transited"),
    ("transit-agreed", NOT_DONE, "TransitRevocation-other", "transit-revoked"),
]


def send(case, name: str, by: str) -> None:
    """Hand in a message that must be taken; records and notices of a plan carry times of their own."""
    now = instant_text(case.clock.now)
    changes = {
        PLAN: plan(case.clock),
        HANDED_OVER: {"Record__At": now},
        AT_THE_BORDER: {"Record__At": now},
        NOT_DONE: {"Record__At": now},
        "Suspension-illness": {"Suspension__ExpectedUntil": None, "Suspension__Since": now[:10]},
    }
    sent = case.answer(agreed=name == YES) if name in {YES, NO} else case.send(name, by, **changes.get(name, {}))
    assert isinstance(sent, Sent), (name, sent)


async def exchange(case, first: str) -> None:
    """Let both messages arrive; `first` is the side whose messages arrive before the other side's leave."""
    sides = case.sides if first == ASKING else case.sides[::-1]
    for side in sides:
        await side.deliver()
    for side in sides[::-1]:
        await side.take_in()
    await case.exchange()


@pytest.mark.parametrize("first", [ASKING, ASKED])
@pytest.mark.parametrize(("before", "asking", "other", "after"), CROSSINGS)
async def test_both_sides_end_alike(gateways, clock, before, asking, other, after, first) -> None:
    case = await STATES[before](gateways, clock)
    assert case.states() == (before, before)
    clock.move(days=1)
    send(case, asking, ASKING)
    send(case, other, ASKED)
    await exchange(case, first)
    assert case.states() == (after, after)
    west, east = (case.case(side) for side in case.sides)
    assert (west.waits_for, west.suspended) == (east.waits_for, east.suspended)
    for limit in case.open_limits():
        case.settled(limit)


@pytest.mark.parametrize(
    ("before", "asking", "other"),
    [
        ("requested", WITHDRAWN, YES),
        ("planned", WITHDRAWN, "TransferNotificationReply-refused"),
        ("planned", POSTPONED, AT_THE_BORDER),
        ("transit-requested", WITHDRAWN, "TransitReply-agreed"),
    ],
)
async def test_what_is_taken_when_it_crosses_is_refused_when_it_is_handed_in_afterwards(
    gateways, clock, before, asking, other
) -> None:
    case = await STATES[before](gateways, clock)
    send(case, asking, ASKING)
    await case.exchange()
    states = case.states()
    refused = case.answer() if other == YES else case.send(other, ASKED)
    assert refused.code == "transition-not-allowed"
    assert case.states() == states


async def test_word_on_a_plan_that_no_longer_stands_does_not_touch_the_one_that_does(gateways, clock) -> None:
    case = await planned(gateways, clock)
    send(case, POSTPONED, ASKING)
    later = case.send(PLAN, ASKING, **plan(clock, 30))
    send(case, "TransferNotificationReply-refused", ASKED)
    await case.exchange()
    assert case.states() == ("planned", "planned")
    assert [case.case(side).plan for side in case.sides] == [later.message_id] * 2


async def test_word_on_the_plan_that_stands_counts(gateways, clock) -> None:
    case = await planned(gateways, clock)
    await case.told(POSTPONED, ASKING)
    await case.told(PLAN, ASKING, **plan(clock, 30))
    await case.told("TransferNotificationReply-refused", ASKED)
    assert case.states() == ("agreed", "agreed")


@pytest.mark.parametrize(
    ("opening", "limit", "other", "after"),
    [
        (requested, "reply", HANDED_OVER, "transferred"),
        (in_transit, "transit-reply", HANDED_OVER, "transited"),
        (in_transit, "transit-reply", "TransitRevocation-other", "transit-revoked"),
    ],
)
async def test_notice_of_silence_taken_back_while_the_other_side_acts_on_it(
    gateways, clock, opening, limit, other, after
) -> None:
    case = await opening(gateways, clock)
    row = case.deadline(case.west, limit)
    clock.now = row.lapses_at
    watch_once(case.west.rt)
    notice = await case.told(
        "LapseNotice-agreed",
        ASKING,
        proven=case.receipt(),
        Lapse__Limit=limit,
        Lapse__LapsedAt=instant_text(row.lapses_at),
        Lapse__ReceivedAt=instant_text(row.started_at),
    )
    clock.move(hours=1)
    taken_back = case.send("Correction-by-requesting", ASKING, proven=(notice.message_id, notice.digest))
    assert isinstance(taken_back, Sent), taken_back
    send(case, other, ASKED)
    await case.exchange()
    assert case.states() == (after, after)
    case.open_limits()


async def test_new_plan_replaces_the_one_that_stood(gateways, clock) -> None:
    case = await planned(gateways, clock)
    later = await case.told(PLAN, ASKING, **plan(clock, 30))
    assert case.states() == ("planned", "planned")
    assert [case.case(side).plan for side in case.sides] == [later.message_id] * 2
