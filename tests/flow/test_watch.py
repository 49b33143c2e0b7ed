"""The clock's walk: reminders, overdue and lapse, each told once and in order of time, however many watches run."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from gateway.flow import loops, watch
from gateway.flow.timekeeping import TOLERANCE, ClockGuard, behind_the_record
from gateway.flow.watch import watch_once
from gateway.store import cases, deadlines
from gateway.store.database import reading
from gateway.transport.memory import MemoryHub
from gateway.wire.documents import serialize
from tests.conftest import MovableClock
from tests.forging import TO_ORIGIN, answer_to, application, count, find, hand_in_entry, journalled, sealed, take
from tests.gateways import exchange, make_gateway
from tests.steps import ASKED, ASKING, asked

pytestmark = pytest.mark.anyio

# Ordinary, eu-rs: 10 calendar days. Received on Wednesday 3 June 2026 in Belgrade: literal end Saturday the 13th,
# rolled end Monday the 15th, 24:00 in Belgrade. Working days before the 13th: the 12th, 11th, 10th, 9th, 8th.
RECEIVED = datetime(2026, 6, 3, 8, 0, tzinfo=UTC)
FIRST_REMINDER = datetime(2026, 6, 7, 22, 0, tzinfo=UTC)
SECOND_REMINDER = datetime(2026, 6, 10, 22, 0, tzinfo=UTC)
LITERAL_END = datetime(2026, 6, 13, 22, 0, tzinfo=UTC)
ROLLED_END = datetime(2026, 6, 15, 22, 0, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)


@pytest.fixture
async def case(two_gateways, clock):
    """An ordinary application of AT-BMI that RS-MUP received on 3 June."""
    clock.now = RECEIVED
    return await asked(*two_gateways, clock, Request__Procedure="ordinary")


def told(side) -> list[tuple[str, str]]:
    """Return what the watch told, oldest first: (limit, stage)."""
    rows = [row for row in journalled(side.rt.engine) if row["event"].startswith("deadline.")]
    return [(row["detail"]["limit"], row["detail"]["stage"]) for row in rows]


# --- when ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stage", "at"),
    [("remind-5", FIRST_REMINDER), ("remind-2", SECOND_REMINDER), ("overdue", LITERAL_END), ("lapse", ROLLED_END)],
)
async def test_each_thing_is_told_at_its_moment_and_not_before(case, clock, stage, at) -> None:
    for side in case.sides:
        clock.now = at - MOMENT
        watch_once(side.rt)
        before = told(side)
        assert ("reply", stage) not in before
        clock.now = at
        assert watch_once(side.rt) == 1
        assert told(side) == [*before, ("reply", stage)]


async def test_walk_through_the_whole_limit_tells_everything_once(case, clock) -> None:
    while clock.now < ROLLED_END + timedelta(days=3):
        for side in case.sides:
            watch_once(side.rt)
        clock.move(hours=6)
    for side in case.sides:
        assert told(side) == [("reply", stage) for stage in ("remind-5", "remind-2", "overdue", "lapse")]


async def test_reminder_tells_who_must_act_and_until_when(case, clock) -> None:
    clock.now = FIRST_REMINDER
    watch_once(case.east.rt)
    (entry,) = journalled(case.east.rt.engine, "deadline.reminded")
    assert (entry["authority"], entry["case_id"], entry["actor"]) == (ASKED, case.case(case.east).id, "gateway")
    assert entry["detail"] == {
        "limit": "reply",
        "must_act": "requested",
        "stage": "remind-5",
        "due_on": "2026-06-13",
        "lapses_at": ROLLED_END.isoformat(),
    }


async def test_lead_times_are_those_of_the_settings(migrated_sqlite, tmp_path, keys, clock) -> None:
    hub = MemoryHub(clock)
    clock.now = RECEIVED
    made = await make_gateway(
        f"sqlite:///{tmp_path / 'own.sqlite3'}", keys, clock, home=(ASKING, ASKED), hub=hub, remind_days=(1,)
    ).open()
    document = application(clock.now)
    find(document, "Request/Procedure").text = "ordinary"
    made.hand_in(serialize(document), authority=ASKING)
    await exchange(made)
    clock.now = SECOND_REMINDER
    assert watch_once(made.rt) == 0
    clock.now = datetime(2026, 6, 11, 22, 0, tzinfo=UTC)
    assert watch_once(made.rt) == 2  # one for each side
    assert {stage for _, stage in told(made)} == {"remind-1"}
    made.rt.engine.dispose()


async def test_reminder_that_would_come_before_the_clock_started_is_left_out(two_gateways, clock) -> None:
    case = await asked(*two_gateways, clock)  # accelerated: two working days
    clock.move(days=10)
    watch_once(case.west.rt)
    assert told(case.west) == [("reply", "overdue"), ("reply", "lapse")]


async def test_limit_without_a_meaning_of_silence_is_overdue_and_never_lapses(case, clock) -> None:
    await case.answered()
    clock.move(days=400)
    for side in case.sides:
        watch_once(side.rt)
        assert told(side)[-1] == ("transfer", "overdue")
        assert case.deadline(side, "transfer").state == "open"


async def test_application_that_never_arrived_has_no_clock(two_gateways, clock) -> None:
    west, _ = two_gateways
    hand_in_entry(west)
    assert count(west.rt.engine, "deadlines") == {"deadlines": 0}
    clock.move(days=1000)
    assert watch_once(west.rt) == 0


async def test_nothing_is_told_of_a_limit_that_is_not_known(two_gateways, clock) -> None:
    west, east = two_gateways
    held = west.hand_in(serialize(application(clock.now, TO_ORIGIN)), authority="BA-MS")
    west.release(held.case_id)
    await exchange(west, east)
    clock.move(days=5000)
    for side in two_gateways:
        assert watch_once(side.rt) == 0
        with reading(side.rt.engine) as tx:
            rows = deadlines.still_open(tx, after=0, most=10)
        assert [(row.limit_id, row.known) for row in rows] == [("reply", False)]


async def test_nothing_is_told_of_an_answered_limit(case, clock) -> None:
    await case.answered(agreed=False)
    clock.move(days=400)
    for side in case.sides:
        assert watch_once(side.rt) == 0


async def test_nothing_is_told_while_the_clock_stands(case, clock) -> None:
    await case.told("Suspension-illness", ASKING, Suspension__Since="2026-06-03", Suspension__ExpectedUntil=None)
    clock.now = ROLLED_END + timedelta(days=30)
    for side in case.sides:
        assert watch_once(side.rt) == 0


async def test_what_was_told_is_not_told_again_of_a_limit_that_was_prolonged(case, clock) -> None:
    clock.now = FIRST_REMINDER
    for side in case.sides:
        watch_once(side.rt)
    await case.told("ExtensionRequest-by-requested", ASKED, Extension__Limit="reply", Extension__Days="6")
    assert case.deadline(case.west, "reply").due_on == date(2026, 6, 19)
    clock.now = datetime(2026, 6, 11, 22, 0, tzinfo=UTC)  # five working days before the 19th
    assert watch_once(case.west.rt) == 0
    clock.now = datetime(2026, 6, 16, 22, 0, tzinfo=UTC)
    assert watch_once(case.west.rt) == 1
    assert told(case.west) == [("reply", "remind-5"), ("reply", "remind-2")]


# --- after a downtime ---------------------------------------------------------------------------------------------------


async def test_after_a_downtime_only_the_reminder_nearest_to_the_end_is_told(case, clock) -> None:
    clock.now = SECOND_REMINDER + timedelta(hours=5)
    assert watch_once(case.west.rt) == 1
    assert told(case.west) == [("reply", "remind-2")]


async def test_after_a_downtime_overdue_and_lapse_are_told_and_no_reminder(case, clock) -> None:
    clock.now = ROLLED_END + timedelta(days=1)
    assert watch_once(case.west.rt) == 2
    assert told(case.west) == [("reply", "overdue"), ("reply", "lapse")]


@pytest.mark.parametrize("most", [1, 3, 100])
async def test_after_a_downtime_nothing_is_left_out_however_small_the_portions(gateway, clock, most) -> None:
    clock.now = RECEIVED
    for _ in range(3):
        document = application(clock.now)
        find(document, "Request/Procedure").text = "ordinary"
        gateway.hand_in(serialize(document), authority=ASKING)
        await exchange(gateway)
        clock.move(days=1)
    clock.now = ROLLED_END + timedelta(days=30)
    assert watch_once(gateway.rt, most=most) == 12  # three cases, two sides, overdue and lapse
    assert watch_once(gateway.rt, most=most) == 0
    lapses = [row["detail"]["lapses_at"] for row in journalled(gateway.rt.engine, "deadline.lapsed")]
    assert lapses == sorted(lapses)


async def test_after_a_downtime_everything_is_told_in_the_order_in_which_it_was_due(gateway, clock) -> None:
    """The second case is overdue on Sunday the 14th, before the first lapses on Monday the 15th."""
    clock.now = RECEIVED
    for _ in range(2):
        document = application(clock.now)
        find(document, "Request/Procedure").text = "ordinary"
        gateway.hand_in(serialize(document), authority=ASKING)
        await exchange(gateway)
        clock.move(days=1)
    clock.now = ROLLED_END + timedelta(days=30)
    watch_once(gateway.rt)
    assert [stage for _, stage in told(gateway)] == ["overdue"] * 4 + ["lapse"] * 4


# --- any number of watches ----------------------------------------------------------------------------------------------


@pytest.fixture
async def on_postgres(migrated_postgres_url: str, keys, clock: MovableClock):
    """One gateway on PostgreSQL with an application that is overdue on both sides."""
    clock.now = RECEIVED
    made = await make_gateway(migrated_postgres_url, keys, clock, home=(ASKING, ASKED), hub=MemoryHub(clock)).open()
    document = application(clock.now)
    find(document, "Request/Procedure").text = "ordinary"
    sent = made.hand_in(serialize(document), authority=ASKING)
    await exchange(made)
    clock.now = ROLLED_END
    yield made, sent, document
    made.rt.engine.dispose()


async def test_of_two_watches_that_look_at_once_one_tells(on_postgres, monkeypatch) -> None:
    made, _, _ = on_postgres
    true_look, other = deadlines.due, []

    def look(tx, now, *, most):
        found = true_look(tx, now, most=most)
        if not other:  # the second watch looks and writes after the first has looked
            other.append(None)
            other[0] = watch_once(made.rt)
        return found

    monkeypatch.setattr(watch.deadlines, "due", look)
    assert watch_once(made.rt) == 0
    assert other == [4]  # overdue and lapse, for each side of the case
    assert Counter(told(made)) == {("reply", "overdue"): 2, ("reply", "lapse"): 2}


async def test_many_watches_at_once_tell_each_thing_once(on_postgres) -> None:
    made, _, _ = on_postgres
    counts = await asyncio.gather(*(asyncio.to_thread(watch_once, made.rt) for _ in range(6)))
    assert sum(counts) == 4
    assert Counter(told(made)) == {("reply", "overdue"): 2, ("reply", "lapse"): 2}


async def test_reply_that_comes_while_the_watch_looks_leaves_no_lapse(on_postgres, clock, monkeypatch) -> None:
    made, sent, document = on_postgres
    true_look, once = deadlines.due, []

    def look(tx, now, *, most):
        found = true_look(tx, now, most=most)
        if not once:
            once.append(True)
            clock.move(minutes=-1)
            take(made.rt, sealed(made.rt, answer_to(document, sent.digest, clock.now), clock.now))
        return [row for row in found if row.case_id == sent.case_id]

    monkeypatch.setattr(watch.deadlines, "due", look)
    assert watch_once(made.rt) == 0
    assert told(made) == []
    with reading(made.rt.engine) as tx:
        found = {row.limit_id: row.state for row in deadlines.of_cases(tx, [sent.case_id])}
        assert cases.get(tx, sent.case_id).state == "agreed"
    assert found == {"reply": "met", "transfer": "open"}


# --- a clock that jumps -------------------------------------------------------------------------------------------------


class Counter_:  # noqa: N801 - it stands for a function
    """The counter that never jumps: it goes on as told."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.mark.parametrize("seconds", [61, -61, 86_400, -86_400])
def test_jump_of_more_than_a_minute_is_seen_until_the_clock_is_right_again(clock, seconds) -> None:
    counter = Counter_()
    guard = ClockGuard(clock, counter)
    clock.move(seconds=seconds)
    assert guard.jump() == timedelta(seconds=seconds)
    clock.move(seconds=30)
    counter.seconds += 30
    assert guard.jump() == timedelta(seconds=seconds)
    clock.move(seconds=-seconds)
    assert guard.jump() is None


@pytest.mark.parametrize("seconds", [60, -60, 0])
def test_correction_of_up_to_a_minute_is_no_jump(clock, seconds) -> None:
    guard = ClockGuard(clock, Counter_())
    clock.move(seconds=seconds)
    assert guard.jump() is None


def test_time_that_passes_is_no_jump(clock) -> None:
    counter = Counter_()
    guard = ClockGuard(clock, counter)
    for _ in range(5):
        clock.move(hours=3)
        counter.seconds += 3 * 3600
        assert guard.jump() is None


async def test_clock_behind_the_record_is_not_trusted(case, clock) -> None:
    assert behind_the_record(case.west.rt) is None
    clock.move(seconds=-TOLERANCE.total_seconds())
    assert behind_the_record(case.west.rt) is None
    clock.move(seconds=-1)
    assert behind_the_record(case.west.rt) == TOLERANCE + timedelta(seconds=1)


@pytest.mark.parametrize("days", [40, -40])
async def test_watch_loop_changes_nothing_after_a_jump_and_raises_one_alarm(case, clock, days, monkeypatch) -> None:
    """The machine's counter stands nearly still while its clock leaps: the limits must not run out by that."""
    west = replace(case.west, rt=replace(case.west.rt, settings=replace(case.west.rt.settings, watch_seconds=1)))
    looks, stop = [], asyncio.Event()

    async def pause(_stop, _seconds) -> None:
        looks.append(clock.now)
        if len(looks) == 1:
            clock.move(days=days)
        if len(looks) == 4:
            stop.set()

    monkeypatch.setattr(loops, "_pause", pause)
    before = case.deadlines(west)
    await asyncio.wait_for(loops.watch(west.rt, stop), 20)
    assert case.deadlines(west) == before
    assert told(west) == []
    (entry,) = journalled(west.rt.engine, "clock.jumped")
    assert entry["detail"]["seconds"] == pytest.approx(days * 86_400, abs=60)
