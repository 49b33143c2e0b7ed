"""Deadlines in the store: one for each case and limit, told of once, counted again: the same on SQLite and PostgreSQL."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.domain.case import State
from gateway.errors import StoreConflict
from gateway.store import cases, deadlines
from gateway.store.database import reading, transaction
from tests.store_rows import NOW, add_case, deadline_row, new_case

LATER = NOW + timedelta(hours=1)


def written(engine, *rows):
    """Write deadlines; return them as they are read back."""
    with transaction(engine) as tx:
        deadlines.add(tx, rows)
    with reading(engine) as tx:
        return deadlines.of_cases(tx, sorted({row.case_id for row in rows}))


def test_deadline_comes_back_with_its_explanation(engine) -> None:
    case_id = add_case(engine)
    (found,) = written(engine, deadline_row(case_id))
    assert found == replace(deadline_row(case_id), id=found.id)


def test_case_has_one_deadline_of_each_limit(engine) -> None:
    case_id = add_case(engine)
    written(engine, deadline_row(case_id), deadline_row(case_id, "transfer"))
    with pytest.raises(StoreConflict), transaction(engine) as tx:
        deadlines.add(tx, [deadline_row(case_id)])


def test_deadline_written_again_replaces_only_the_one_of_its_limit(engine) -> None:
    case_id = add_case(engine)
    with transaction(engine) as tx:
        deadlines.put(tx, [deadline_row(case_id), deadline_row(case_id, "transfer")])
        deadlines.put(tx, [deadline_row(case_id, source="Art. 12")])
    with reading(engine) as tx:
        found = {row.limit_id: row.source for row in deadlines.of_cases(tx, [case_id])}
    assert found == {"reply": "Art. 12", "transfer": "Art. 11(2)"}


def test_one_deadline_is_found_by_case_and_limit(engine) -> None:
    case_id, other = add_case(engine), add_case(engine, reference="B" * 26)
    written(engine, deadline_row(case_id), deadline_row(case_id, "transfer"))
    with reading(engine) as tx:
        found = deadlines.get(tx, case_id, "transfer")
        assert found is not None
        assert (found.case_id, found.limit_id) == (case_id, "transfer")
        assert deadlines.get(tx, case_id, "costs") is None
        assert deadlines.get(tx, other, "transfer") is None


# --- what is due ------------------------------------------------------------------------------------------------------


def test_what_is_due_comes_in_order_of_time(engine) -> None:
    case_id = add_case(engine)
    written(
        engine,
        deadline_row(case_id, "second", look_at=NOW),
        deadline_row(case_id, "first", look_at=NOW - timedelta(days=1)),
        deadline_row(case_id, "future", look_at=NOW + timedelta(microseconds=1)),
        deadline_row(case_id, "met", state="met"),
        deadline_row(case_id, "lapsed", state="lapsed"),
        deadline_row(case_id, "nothing to tell", look_at=None),
    )
    with reading(engine) as tx:
        assert [row.limit_id for row in deadlines.due(tx, NOW, most=10)] == ["first", "second"]
        assert [row.limit_id for row in deadlines.due(tx, NOW, most=1)] == ["first"]


def test_each_thing_is_told_by_whoever_comes_first(engine) -> None:
    (row,) = written(engine, deadline_row(add_case(engine)))
    with transaction(engine) as tx:
        assert deadlines.tell(tx, row, stage="overdue", look_at=LATER, at=LATER)
        assert not deadlines.tell(tx, row, stage="overdue", look_at=LATER, at=LATER)
    with reading(engine) as tx:
        (found,) = deadlines.of_cases(tx, [row.case_id])
    assert found == replace(row, stage="overdue", look_at=LATER, changed_at=LATER)


@pytest.mark.parametrize(
    "meanwhile", [{"state": "met"}, {"stage": "remind-5"}, {"look_at": LATER}], ids=["answered", "told", "moved"]
)
def test_nothing_is_told_of_a_deadline_that_somebody_changed(engine, meanwhile) -> None:
    (row,) = written(engine, deadline_row(add_case(engine)))
    with transaction(engine) as tx:
        deadlines.rewrite(tx, replace(row, **meanwhile))
        assert not deadlines.tell(tx, row, stage="lapse", look_at=None, at=LATER, state="lapsed")
    with reading(engine) as tx:
        assert deadlines.of_cases(tx, [row.case_id]) == [replace(row, **meanwhile)]


def test_lapse_is_told_together_with_its_state(engine) -> None:
    (row,) = written(engine, deadline_row(add_case(engine), stage="overdue"))
    with transaction(engine) as tx:
        assert deadlines.tell(tx, row, stage="lapse", look_at=None, at=LATER, state="lapsed")
        assert deadlines.due(tx, LATER, most=10) == []
    with reading(engine) as tx:
        (found,) = deadlines.of_cases(tx, [row.case_id])
    assert (found.state, found.stage, found.look_at) == ("lapsed", "lapse", None)


# --- answered ---------------------------------------------------------------------------------------------------------


def test_awaited_answer_settles_a_deadline_whatever_it_stood_at(engine) -> None:
    case_id = add_case(engine)
    written(engine, deadline_row(case_id, state="lapsed"), deadline_row(case_id, "transfer"))
    with transaction(engine) as tx:
        deadlines.answer(tx, case_id, "reply", state="late", at=LATER)
        assert {row.limit_id: row.state for row in deadlines.of_cases(tx, [case_id])} == {"reply": "late", "transfer": "open"}


def test_answered_deadline_is_not_looked_at_again(engine) -> None:
    case_id = add_case(engine)
    written(engine, deadline_row(case_id))
    with transaction(engine) as tx:
        deadlines.answer(tx, case_id, "reply", state="met", at=LATER)
        assert deadlines.due(tx, LATER + timedelta(days=999), most=10) == []
        (row,) = deadlines.of_cases(tx, [case_id])
    assert (row.look_at, row.changed_at) == (None, LATER)


# --- counted again ----------------------------------------------------------------------------------------------------


def test_open_deadlines_are_walked_in_portions_by_their_row(engine) -> None:
    case_id = add_case(engine)
    rows = written(engine, *(deadline_row(case_id, name) for name in "abc"), deadline_row(case_id, "met", state="met"))
    first, second, third, _ = (row.id for row in rows)
    with reading(engine) as tx:
        assert [row.id for row in deadlines.still_open(tx, after=0, most=2)] == [first, second]
        assert [row.id for row in deadlines.still_open(tx, after=second, most=2)] == [third]
        assert deadlines.still_open(tx, after=third, most=2) == []


def test_deadlines_counted_again_are_written_and_no_other(engine) -> None:
    case_id = add_case(engine)
    moved, left = written(engine, deadline_row(case_id), deadline_row(case_id, "transfer"))
    with transaction(engine) as tx:
        locked = deadlines.still_open(tx, after=0, most=10, lock=True)
        assert locked == [moved, left]
        deadlines.rewrite_many(tx, [replace(moved, source="counted again", changed_at=LATER)])
    with reading(engine) as tx:
        found = {row.limit_id: row.source for row in deadlines.of_cases(tx, [case_id])}
    assert found == {"reply": "counted again", "transfer": "Art. 11(2)"}


def test_nothing_to_count_again_writes_nothing(engine) -> None:
    (kept,) = written(engine, deadline_row(add_case(engine)))
    with transaction(engine) as tx:
        deadlines.rewrite_many(tx, [])
        assert deadlines.of_cases(tx, [kept.case_id]) == [kept]


def test_many_deadlines_counted_again_are_written_with_everything_but_whose_they_are(engine) -> None:
    case_id = add_case(engine)
    first, second, third = written(engine, *(deadline_row(case_id, name) for name in "abc"))
    fresh = [
        replace(first, due_on=LATER.date(), due_until=LATER, look_at=None, detail={"дан": 1}, inputs={"start": "anew"}),
        replace(third, known=False, due_on=None, due_until=None, lapses_at=None, calendar_version="rs~1"),
    ]
    with transaction(engine) as tx:
        assert deadlines.still_open(tx, after=0, most=9, lock=True) == [first, second, third]
        deadlines.rewrite_many(tx, fresh)
        deadlines.rewrite_many(tx, [])
    with reading(engine) as tx:
        assert deadlines.of_cases(tx, [case_id]) == [fresh[0], second, fresh[1]]


# --- cases by what is due next ----------------------------------------------------------------------------------------


@pytest.fixture
def several(engine):
    """Cases of BA-MS: one due later, one due now and later, one without a deadline, one whose deadline was met."""
    later = add_case(engine)
    soon = add_case(engine, reference="B" * 26, treaty="eu-ba", counterparty="AT-BMI")
    none = add_case(engine, reference="C" * 26, state=State.HELD)
    met = add_case(engine, reference="D" * 26, home="PK-MOI")
    written(
        engine,
        deadline_row(later, due_until=LATER),
        deadline_row(soon, due_until=NOW),
        deadline_row(soon, "transfer", due_until=LATER),
        deadline_row(met, state="met", due_until=NOW - timedelta(days=1)),
    )
    return later, soon, none, met


def ids(found) -> list[int]:
    return [case.id for case, _, _ in found]


def test_cases_come_by_what_is_due_next_and_those_without_a_deadline_last(engine, several) -> None:
    later, soon, none, met = several
    with reading(engine) as tx:
        found = cases.by_due(tx)
        assert [(case.id, due) for case, due, _ in found] == [(soon, NOW), (later, LATER), (met, None), (none, None)]
        assert ids(cases.by_due(tx, most=1)) == [soon]


def test_case_whose_open_deadline_rests_on_a_secondary_source_is_marked(engine) -> None:
    read_first_hand, hearsay = add_case(engine), add_case(engine, reference="B" * 26)
    written(engine, deadline_row(read_first_hand), deadline_row(hearsay, confidence="secondary"))
    with reading(engine) as tx:
        assert {case.id: secondary for case, _, secondary in cases.by_due(tx)} == {read_first_hand: False, hearsay: True}


@pytest.mark.parametrize(
    ("asked", "places"),
    [
        ({"state": "held"}, [2]),
        ({"treaty": "eu-ba"}, [1]),
        ({"counterparty": "PK-MOI"}, [0, 3, 2]),
        ({"homes": ["PK-MOI"]}, [3]),
        ({"homes": []}, []),
        ({"due_before": NOW}, [1]),
        ({"due_before": NOW - timedelta(microseconds=1)}, []),
        ({"due_before": LATER, "counterparty": new_case().counterparty}, [0]),
        ({"state": "agreed"}, []),
    ],
)
def test_list_by_what_is_due_can_be_narrowed(engine, several, asked, places) -> None:
    with reading(engine) as tx:
        assert ids(cases.by_due(tx, **asked)) == [several[place] for place in places]
