"""Which message starts a limit, which meets it, and when a person is told: tables that fit the rule files and the case."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import pytest

from gateway.domain.clock import CLOSED, MEETS, STARTS_BY, Happening, Moment, Start, kept_limits, marks
from gateway.domain.limits import COMPUTABLE, LIMIT_IDS, STARTS, Direction, Limit, OnLapse, Unit
from gateway.domain.moves import NEXT, WAITS_FOR, Event, Role, State
from gateway.partners.treaties import load_treaties
from gateway.settings import data_folder
from tests.case_samples import NOW, application, sent
from tests.clock_samples import ask, calendar, limit

MONDAY = "2026-06-01T10:15:00+02:00"
STARTED = {(start.word, one) for starts in STARTS_BY.values() for start in starts for one in start.limits}
MET = {one for limits in MEETS.values() for one in limits}
NOT_OURS = {"submission"}  # what it runs from (knowledge, apprehension, entry) is no message: it ends when the case begins


@cache
def rows() -> tuple[Limit, ...]:
    """Return the rows of all rule files that compute a date."""
    treaties = load_treaties(data_folder("partners") / "treaties", None).values()
    return tuple(row for treaty in treaties for row in treaty.limits if row.confidence in COMPUTABLE and row.amount is not None)


# --- words ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("event", STARTS_BY)
def test_words_of_the_table_are_those_of_the_rule_files(event: Event) -> None:
    for start in STARTS_BY[event]:
        assert start.word in STARTS
        assert start.limits
        assert start.limits <= set(LIMIT_IDS)


@pytest.mark.parametrize("table", [MEETS, CLOSED], ids=["met", "closed"])
def test_limits_of_the_tables_are_limits_that_there_are(table: dict[Any, frozenset[str]]) -> None:
    assert set().union(*table.values()) <= set(LIMIT_IDS)


def test_states_that_are_closed_to_the_clock_move_no_more_but_by_a_claim() -> None:
    for state in State:
        moves = {event for (from_, event, _), after in NEXT.items() if from_ is state and after is not state}
        claim = moves <= {Event.ERROR_CLAIM, Event.ERROR_ACCEPTED, Event.ERROR_REFUSED}
        assert (state in CLOSED) is (claim or WAITS_FOR[state] is None), state


def test_costs_may_be_settled_in_every_closed_case() -> None:
    assert all("costs" in limits for limits in CLOSED.values())


# --- the rule files ---------------------------------------------------------------------------------------------------


def test_rule_files_have_rows_to_compare_with() -> None:
    assert len({row.id for row in rows()}) == len(LIMIT_IDS)


@pytest.mark.parametrize("limit_id", sorted(set(LIMIT_IDS) - NOT_OURS))
def test_every_limit_that_can_be_computed_is_started_by_some_message(limit_id: str) -> None:
    assert {row.start for row in rows() if row.id == limit_id} - {word for word, one in STARTED if one == limit_id} == set()


@pytest.mark.parametrize("limit_id", sorted(set(LIMIT_IDS) - NOT_OURS))
def test_every_limit_that_can_be_computed_is_met_by_some_message(limit_id: str) -> None:
    assert limit_id in MET


def test_submission_runs_from_what_is_no_message() -> None:
    assert {row.start for row in rows() if row.id == "submission"} <= {"knowledge", "apprehension", "entry"}
    assert not {word for word, one in STARTED if one == "submission"}


def test_limit_counted_back_runs_from_the_instant_that_its_message_names() -> None:
    back = {(row.id, row.start) for row in rows() if row.direction is Direction.BEFORE}
    named = {
        (one, start.word)
        for starts in STARTS_BY.values()
        for start in starts
        for one in start.limits
        if start.moment is Moment.AT
    }
    assert back
    assert back <= named


@pytest.mark.parametrize("event", MEETS)
def test_limit_is_met_by_the_side_that_must_act_but_a_hand_over_by_the_side_that_takes_over(event: Event) -> None:
    senders = {role for _, one, role in NEXT if one is event}
    owed = {Role(str(row.who)) for row in rows() if row.id in MEETS[event]}
    if event is Event.HANDED_OVER:
        assert (owed, senders) == ({Role.REQUESTING}, {Role.REQUESTED})
    else:
        assert owed & senders


# --- what a message means ---------------------------------------------------------------------------------------------


def test_step_gives_the_clock_its_facts_and_nothing_of_the_person() -> None:
    message = sent(Event.TRANSFER_NOTICE, Role.REQUESTING, at=NOW, means="air", escorted=True)
    found = Happening.of(message)
    assert (found.event, found.at, found.means, found.escorted) == (Event.TRANSFER_NOTICE, NOW, "air", True)
    assert found.message_id == message.header.message_id


def test_application_for_transit_gives_the_clock_its_planned_instant() -> None:
    assert Happening.of(application(Event.TRANSIT, planned=NOW)).at == NOW
    assert Happening.of(application()).at is None


@pytest.mark.parametrize(("reason", "limits"), [("first", {"travel-document"}), ("renewal", {"travel-document-renewal"})])
def test_request_for_a_travel_document_is_for_a_first_one_or_a_renewal(reason: str, limits: set[str]) -> None:
    assert kept_limits(Happening.of(sent(Event.DOCUMENT_REQUEST, Role.REQUESTING, reason=reason))) == limits
    assert kept_limits(Happening.of(sent(Event.AGREEMENT, Role.REQUESTED))) is None


def start(moment: Moment) -> Start:
    return Start(word="receipt", limits=frozenset({"reply"}), moment=moment)


@pytest.mark.parametrize(
    ("moment", "at"),
    [
        (Moment.RECEIPT, NOW),
        (Moment.AT, NOW + timedelta(days=1)),
        (Moment.ON, datetime(2026, 6, 9, 12, 0, tzinfo=UTC)),
    ],
)
def test_clock_runs_from_the_moment_that_its_row_names(moment: Moment, at: datetime) -> None:
    happening = replace(Happening.of(application()), at=NOW + timedelta(days=1), on=date(2026, 6, 9))
    assert happening.moment(start(moment), NOW) == at


@pytest.mark.parametrize("moment", [Moment.AT, Moment.ON])
def test_clock_does_not_run_from_a_moment_that_the_message_does_not_name(moment: Moment) -> None:
    assert Happening.of(application()).moment(start(moment), NOW) is None


# --- when a person is told --------------------------------------------------------------------------------------------


def told(row: Limit, leads: tuple[int, ...] = (5, 2), **other: Any) -> list[tuple[str, datetime]]:
    return [(mark.stage, mark.at) for mark in marks(ask(row, MONDAY, **other), leads)]


def midnight(month: int, day: int) -> datetime:
    """Return the first instant of a summer day in Belgrade."""
    return datetime(2026, month, day, tzinfo=UTC) - timedelta(hours=2)


def test_reminders_overdue_and_lapse_come_in_order() -> None:
    found = told(limit(amount=12))  # Monday 1 June: Saturday the 13th, rolled to Monday the 15th
    assert found == [
        ("remind-5", midnight(6, 8)),
        ("remind-2", midnight(6, 11)),
        ("overdue", midnight(6, 14)),
        ("lapse", midnight(6, 16)),
    ]


@pytest.mark.parametrize("amount", range(1, 40))
@pytest.mark.parametrize("unit", [Unit.CALENDAR_DAYS, Unit.WORKING_DAYS])
def test_marks_are_in_order_of_time_whatever_the_limit(amount: int, unit: Unit) -> None:
    found = told(limit(amount=amount, unit=unit), leads=(2, 10, 5))
    assert [at for _, at in found] == sorted(at for _, at in found)
    assert [stage for stage, _ in found][-2:] == ["overdue", "lapse"]


def test_reminder_that_would_come_before_the_clock_started_is_left_out() -> None:
    assert [stage for stage, _ in told(limit(amount=3))] == ["remind-2", "overdue", "lapse"]
    assert [stage for stage, _ in told(limit(amount=1))] == ["overdue", "lapse"]


def test_reminder_before_a_planned_day_may_come_before_the_message() -> None:
    back = limit(direction=Direction.BEFORE, amount=3, on_lapse=OnLapse.NOTHING, start="planned-transfer", id="transfer-notice")
    found = told(back, planned=date(2026, 6, 15))
    assert [stage for stage, _ in found] == ["remind-5", "remind-2", "overdue"]


def test_limit_in_hours_has_no_reminders() -> None:
    found = told(limit(amount=48, unit=Unit.HOURS))
    assert found == [("overdue", datetime(2026, 6, 3, 8, 15, tzinfo=UTC)), ("lapse", datetime(2026, 6, 3, 8, 15, tzinfo=UTC))]


def test_silence_that_means_nothing_is_overdue_and_never_lapses() -> None:
    assert [stage for stage, _ in told(limit(on_lapse=OnLapse.NOTHING))] == ["remind-5", "remind-2", "overdue"]


@pytest.mark.parametrize("lead", [(), (300,)], ids=["none asked for", "before the calendar begins"])
def test_reminder_that_nobody_asked_for_or_no_calendar_places_is_left_out(lead: tuple[int, ...]) -> None:
    short = calendar(known_from=date(2026, 6, 1))
    assert [stage for stage, _ in told(limit(), leads=lead, requested=short)] == ["overdue", "lapse"]


def test_deadline_that_is_not_known_has_no_marks() -> None:
    assert told(limit(amount=None)) == []
    assert told(limit(), requested=calendar(known_until=date(2026, 6, 5))) == []
    assert told(limit(), procedure="accelerated") == []
