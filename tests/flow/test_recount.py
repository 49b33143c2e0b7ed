"""Open deadlines counted again: after a decision about a day, with stale calendars, and for the question what would move."""

from dataclasses import replace
from datetime import UTC, date, datetime
from types import MappingProxyType

import pytest

from gateway.domain.calendars import Kind, SpecialDay, Status
from gateway.errors import CalendarInvalid, DatabaseUnavailable
from gateway.flow import watch
from gateway.flow.calendars import change_day
from gateway.flow.recount import recount_all, recount_outdated, what_if
from gateway.flow.watch import watch_once
from gateway.partners.calendar_changes import Action, CalendarBook, Change, append_change, load_changes
from gateway.settings import data_folder
from tests.forging import count, journalled
from tests.gateways import Gateway
from tests.steps import ASKED, ASKING, RULES, asked, dates, ruled

pytestmark = pytest.mark.anyio

RECEIVED = datetime(2026, 6, 3, 8, 0, tzinfo=UTC)  # Wednesday; ten days end on Saturday the 13th, rolled to Monday the 15th
SATURDAY, MONDAY, TUESDAY = date(2026, 6, 13), date(2026, 6, 15), date(2026, 6, 16)
WHO = {"who": "Legal unit", "why": "Official Gazette 12/2026"}
MOURNING = {"action": Action.ADD, "calendar": "rs", "on": MONDAY, "name": "Day of mourning"} | WHO


def booked(side: Gateway, folder) -> Gateway:
    """Return a gateway with a file of calendar changes of its own."""
    changes = folder / f"{side.rt.settings.name}.toml"
    settings = replace(side.rt.settings, calendar_changes=changes)
    book = CalendarBook(data_folder("partners") / "calendars", changes)
    return replace(side, rt=replace(side.rt, settings=settings, calendars=book))


@pytest.fixture
async def case(two_gateways, clock, tmp_path):
    """An application received on 3 June 2026, under rules that have every limit, with calendars that can be changed."""
    clock.now = RECEIVED
    west, east = ruled(two_gateways)
    return await asked(booked(west, tmp_path), booked(east, tmp_path), clock)


def ends(case, side, limit: str = "reply") -> tuple[date | None, date | None]:
    row = case.deadline(side, limit)
    return row.due_on, row.rolled_on


def written(side) -> dict[str, int]:
    return count(side.rt.engine, "cases", "messages", "documents", "outbox", "inbox", "deadlines", "journal")


# --- a decision about a day ---------------------------------------------------------------------------------------------


async def test_added_day_moves_the_open_deadlines_that_hang_on_it(case) -> None:
    assert ends(case, case.west) == (SATURDAY, MONDAY)
    moves = change_day(case.west.rt, **MOURNING)
    assert ends(case, case.west) == (SATURDAY, TUESDAY)
    assert [(move.limit_id, move.before, move.after) for move in moves] == [
        ("reply", (SATURDAY, MONDAY), (SATURDAY, TUESDAY)),
    ]


async def test_move_tells_who_is_affected(case) -> None:
    (move,) = change_day(case.west.rt, **MOURNING)
    found = case.case(case.west)
    assert (move.case_id, move.reference, move.home, move.must_act) == (found.id, found.reference, ASKING, "requested")
    assert move.calendar_before == case.west.rt.calendars["rs"].version.removesuffix("~1")
    assert move.calendar_after == case.west.rt.calendars["rs"].version


async def test_what_moved_is_journalled_and_so_is_the_decision(case, clock) -> None:
    change_day(case.west.rt, **MOURNING)
    (decision,) = journalled(case.west.rt.engine, "calendar.changed")
    assert (decision["actor"], decision["at"]) == ("Legal unit", clock.now)
    assert decision["detail"] == {
        "calendar": "rs",
        "on": "2026-06-15",
        "action": "add",
        "kind": "rest",
        "why": WHO["why"],
        "version": case.west.rt.calendars["rs"].version,
    }
    (moved,) = journalled(case.west.rt.engine, "deadline.moved")
    assert (moved["actor"], moved["authority"], moved["case_id"]) == ("gateway", ASKING, case.opening.case_id)
    assert moved["detail"]["before"] == ["2026-06-13", "2026-06-15"]
    assert moved["detail"]["after"] == ["2026-06-13", "2026-06-16"]


async def test_moved_deadline_says_which_calendar_it_knew_and_lapses_at_its_new_end(case, clock) -> None:
    change_day(case.west.rt, **MOURNING)
    row = case.deadline(case.west, "reply")
    assert (row.calendar_ids, row.calendar_version) == ("rs", case.west.rt.calendars["rs"].version)
    assert any("Day of mourning" in line for line in row.detail["explain"])
    clock.now = datetime(2026, 6, 15, 22, 0, tzinfo=UTC)
    watch_once(case.west.rt)
    assert case.deadline(case.west, "reply").state == "open"
    clock.now = datetime(2026, 6, 16, 22, 0, tzinfo=UTC)
    watch_once(case.west.rt)
    assert case.deadline(case.west, "reply").state == "lapsed"


async def test_removed_day_moves_it_back(case) -> None:
    change_day(case.west.rt, **MOURNING)
    (move,) = change_day(case.west.rt, action=Action.REMOVE, calendar="rs", on=MONDAY, **WHO)
    assert (move.before, move.after) == ((SATURDAY, TUESDAY), (SATURDAY, MONDAY))
    assert case.west.rt.calendars["rs"].version.endswith("~2")


async def test_saturday_that_is_worked_leaves_one_end_only(case) -> None:
    change_day(case.west.rt, **MOURNING | {"on": SATURDAY, "name": "Exchange", "kind": Kind.WORK})
    assert ends(case, case.west) == (SATURDAY, SATURDAY)


async def test_day_that_moves_nothing_is_written_and_moves_nothing(case) -> None:
    before = dates(case.deadline(case.west, "reply"))
    assert change_day(case.west.rt, **MOURNING | {"on": date(2027, 3, 2)}) == []
    assert dates(case.deadline(case.west, "reply")) == before
    assert journalled(case.west.rt.engine, "deadline.moved") == []
    assert len(load_changes(case.west.rt.settings.calendar_changes)) == 1


async def test_confirmed_day_leaves_one_reading(case, clock) -> None:
    """Feasts that follow the moon widen the answer: once it is known how they fall, both ends stand."""
    calendar = case.west.rt.calendars["rs"]
    feast = SpecialDay(on=MONDAY, name="Feast", status=Status.ESTIMATED)
    frozen = {**case.west.rt.calendars, "rs": replace(calendar, days=MappingProxyType({**calendar.days, MONDAY: feast}))}
    book = CalendarBook(data_folder("partners") / "calendars", case.west.rt.settings.calendar_changes)
    book._frozen = book._current = MappingProxyType(frozen)
    rt = replace(case.west.rt, calendars=book)
    recount_all(rt)
    assert case.deadline(case.west, "reply").detail["estimated"] is True
    change_day(rt, action=Action.CONFIRM, calendar="rs", on=MONDAY, **WHO)
    row = case.deadline(case.west, "reply")
    assert row.detail["estimated"] is False
    assert (row.due_on, row.rolled_on) == (SATURDAY, TUESDAY)


async def test_only_open_deadlines_move(case) -> None:
    await case.answered(agreed=False)
    before = case.deadlines(case.west)
    assert change_day(case.west.rt, **MOURNING) == []
    assert case.deadlines(case.west) == before


async def test_deadline_that_was_prolonged_or_stopped_is_counted_again_with_all_of_it(case, clock) -> None:
    await case.told("ExtensionRequest-by-requested", ASKED, Extension__Limit="reply", Extension__Days="6")
    await case.told("Suspension-illness", ASKING, Suspension__Since="2026-06-03", Suspension__ExpectedUntil=None)
    clock.now = datetime(2026, 6, 5, 8, 0, tzinfo=UTC)
    await case.told("Resumption-plain", ASKING, Resumption__Since="2026-06-05")
    before = ends(case, case.west)
    assert before == (date(2026, 6, 20), date(2026, 6, 22))  # 13 June, six days more, and the 4th left out; a Saturday
    change_day(case.west.rt, **MOURNING | {"on": date(2026, 6, 22)})
    assert ends(case, case.west) == (date(2026, 6, 20), date(2026, 6, 23))


@pytest.mark.parametrize(
    "change",
    [
        {"on": date(2040, 1, 1)},
        {"calendar": "xx"},
        {"action": Action.REMOVE, "name": ""},
        {"action": Action.CONFIRM, "name": ""},
        {"on": date(2026, 11, 11)},
        {"name": ""},
        {"who": " "},
        {"why": ""},
    ],
    ids=[
        "horizon",
        "no calendar",
        "nothing to remove",
        "nothing to confirm",
        "confirmed day",
        "no name",
        "nobody",
        "no reason",
    ],
)
async def test_change_that_cannot_be_is_refused_and_nothing_is_written(case, change) -> None:
    before, rows = written(case.west), case.deadlines(case.west)
    with pytest.raises(CalendarInvalid):
        change_day(case.west.rt, **MOURNING | change)
    assert (written(case.west), case.deadlines(case.west)) == (before, rows)
    assert load_changes(case.west.rt.settings.calendar_changes) == ()
    assert case.west.rt.calendars.refresh() is False


async def test_calendars_that_are_not_a_book_cannot_be_changed(case) -> None:
    with pytest.raises(CalendarInvalid):
        change_day(replace(case.west.rt, calendars=dict(case.west.rt.calendars)), **MOURNING)


# --- stale calendars ----------------------------------------------------------------------------------------------------


def decided_elsewhere(case) -> None:
    """Let another process write down a day; this one has not read it yet."""
    change = Change(kind=Kind.REST, at=case.clock.now, **MOURNING)
    append_change(case.west.rt.settings.calendar_changes, change)


async def test_watch_takes_notice_of_a_day_that_another_process_changed(case) -> None:
    decided_elsewhere(case)
    assert ends(case, case.west) == (SATURDAY, MONDAY)
    watch_once(case.west.rt)
    assert ends(case, case.west) == (SATURDAY, TUESDAY)
    assert len(journalled(case.west.rt.engine, "deadline.moved")) == 1
    watch_once(case.west.rt)
    assert len(journalled(case.west.rt.engine, "deadline.moved")) == 1


async def test_recount_that_failed_is_made_up_for(case, monkeypatch) -> None:
    decided_elsewhere(case)

    def unavailable(_rt) -> None:
        raise DatabaseUnavailable("the database does not answer")

    with monkeypatch.context() as broken:
        broken.setattr(watch, "recount_outdated", unavailable)
        with pytest.raises(DatabaseUnavailable):
            watch_once(case.west.rt)
    watch_once(case.west.rt)
    assert ends(case, case.west) == (SATURDAY, TUESDAY)


async def test_deadlines_of_before_a_restart_are_counted_with_the_calendars_of_today(case, tmp_path) -> None:
    decided_elsewhere(case)
    fresh = booked(case.west, tmp_path)
    (move,) = recount_outdated(fresh.rt)
    assert move.after == (SATURDAY, TUESDAY)


async def test_deadline_counted_with_the_calendars_of_today_is_left_alone(case) -> None:
    before = case.deadlines(case.west)
    assert recount_outdated(case.west.rt) == []
    assert case.deadlines(case.west) == before


async def test_two_sides_that_know_the_same_days_count_alike_again(case) -> None:
    change_day(case.west.rt, **MOURNING)
    assert ends(case, case.west) != ends(case, case.east)
    change_day(case.east.rt, **MOURNING)
    case.settled("reply")


# --- what would move ----------------------------------------------------------------------------------------------------


def proposed(case):
    """Return the calendars as they would be with one more day of rest."""
    calendar = case.west.rt.calendars["rs"]
    day = SpecialDay(on=MONDAY, name="Day of mourning", status=Status.CONFIRMED)
    return {
        **case.west.rt.calendars,
        "rs": replace(calendar, days=MappingProxyType({**calendar.days, MONDAY: day}), version="x"),
    }


async def test_question_lists_who_would_move_and_writes_nothing(case) -> None:
    before, rows = written(case.west), case.deadlines(case.west)
    moves, looked = what_if(case.west.rt, calendars=proposed(case), treaties=case.west.rt.treaties)
    assert [(move.limit_id, move.after, move.calendar_after) for move in moves] == [("reply", (SATURDAY, TUESDAY), "x")]
    assert looked == 3  # reply, interview, search in a register
    assert (written(case.west), case.deadlines(case.west)) == (before, rows)


async def test_question_over_a_changed_rule_lists_who_would_move(case) -> None:
    longer = replace(
        RULES, limits=tuple(replace(row, amount=12) if row.id == "reply" else row for row in RULES.limits), version="2"
    )
    moves, _ = what_if(case.west.rt, calendars=case.west.rt.calendars, treaties={"eu-rs": longer})
    assert [(move.limit_id, move.before, move.after) for move in moves] == [
        ("reply", (SATURDAY, MONDAY), (MONDAY, MONDAY)),
    ]


async def test_question_over_what_is_in_force_moves_nobody(case) -> None:
    moves, looked = what_if(case.west.rt, calendars=case.west.rt.calendars, treaties=case.west.rt.treaties)
    assert (moves, looked) == ([], 3)


async def test_question_looks_at_open_deadlines_only(case) -> None:
    await case.answered(agreed=False)
    assert what_if(case.west.rt, calendars=proposed(case), treaties=case.west.rt.treaties) == ([], 0)
