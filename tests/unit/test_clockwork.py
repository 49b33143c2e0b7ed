"""The deadlines of a case: which ones a receipt starts, what their rows say, and what a reply makes of them."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.domain.case import Case, Role
from gateway.domain.deadlines import due_date
from gateway.domain.messages import Category, Procedure
from gateway.errors import TreatyDoesNotBind, UnknownTreaty
from gateway.flow import clockwork
from gateway.flow.clockwork import check_binds, first_deadlines, reply_settles
from gateway.partners.calendars import load_calendars
from gateway.partners.treaties import load_treaties
from gateway.settings import data_folder
from gateway.store import deadlines
from gateway.store.database import reading, transaction
from tests.clock_samples import limit, treaty
from tests.store_rows import NOW, add_case, deadline_row, new_case

RECEIVED = datetime(2026, 6, 3, 8, 0, tzinfo=UTC)  # a Wednesday


@cache
def rules() -> Any:
    """What the clockwork needs of a running gateway: treaties and calendars, the real ones."""
    folder = data_folder("partners")
    treaties = load_treaties(folder / "treaties", None)

    def named(treaty_id: str) -> Any:
        try:
            return treaties[treaty_id]
        except KeyError:
            raise UnknownTreaty(treaty_id) from None

    return SimpleNamespace(treaty=named, calendars=load_calendars(folder / "calendars"))


def case(**changes: Any) -> Case:
    """Return a case in which AT-BMI asked RS-MUP, as AT-BMI sees it."""
    given = {"id": 1, "home": "AT-BMI", "counterparty": "RS-MUP", "treaty": "eu-rs", "category": Category.THIRD_COUNTRY}
    return new_case(**given | changes)


def test_receipt_of_an_application_starts_the_limit_for_the_reply() -> None:
    (row,) = first_deadlines([(case(), RECEIVED)], rules(), NOW)
    assert (row.case_id, row.limit_id, row.must_act, row.state) == (1, "reply", "requested", "open")
    assert (row.started_at, row.changed_at) == (RECEIVED, NOW)
    assert (row.due_on, row.rolled_on) == (date(2026, 6, 13), date(2026, 6, 15))  # Saturday; Monday
    assert row.lapses_at == row.rolled_until == datetime(2026, 6, 15, 22, 0, tzinfo=UTC)  # midnight in Belgrade
    assert (row.on_lapse, row.confidence) == ("agreed", "verified")
    assert "Art. 10(2)" in row.source


def test_row_names_the_versions_it_was_counted_with() -> None:
    (row,) = first_deadlines([(case(), RECEIVED)], rules(), NOW)
    assert row.treaty_version == rules().treaty("eu-rs").version
    assert row.calendar_version == rules().calendars["rs"].version


def test_row_keeps_the_whole_explanation() -> None:
    (row,) = first_deadlines([(case(), RECEIVED)], rules(), NOW)
    assert row.detail["literal"]["due_on"] == "2026-06-13"
    assert len(row.detail["explain"]) >= 2


def test_both_sides_of_a_case_count_the_same() -> None:
    theirs = case(home="RS-MUP", counterparty="AT-BMI", role=Role.REQUESTED)
    assert first_deadlines([(case(), RECEIVED)], rules(), NOW) == first_deadlines([(theirs, RECEIVED)], rules(), NOW)


def test_days_are_those_of_the_state_that_must_act() -> None:
    to_austria = case(home="RS-MUP", counterparty="AT-BMI")
    late_evening = datetime(2026, 6, 24, 9, 0, tzinfo=UTC)
    (austria,) = first_deadlines([(to_austria, late_evening)], rules(), NOW)
    assert austria.calendar_version == rules().calendars["at"].version


def test_accelerated_procedure_has_its_own_limit() -> None:
    (row,) = first_deadlines([(case(procedure=Procedure.ACCELERATED), RECEIVED)], rules(), NOW)
    assert row.due_on == date(2026, 6, 5)


def test_unverified_limit_gives_a_row_without_a_date() -> None:
    (row,) = first_deadlines([(case(home="BA-MS", counterparty="PK-MOI", treaty="ba-pk"), RECEIVED)], rules(), NOW)
    assert not row.known
    assert {row.due_on, row.due_until, row.rolled_on, row.rolled_until, row.lapses_at} == {None}
    assert (row.on_lapse, row.confidence) == ("nothing", "unverified")


def test_calendar_that_does_not_reach_gives_a_row_without_a_date() -> None:
    (row,) = first_deadlines([(case(), datetime(2090, 1, 1, tzinfo=UTC))], rules(), NOW)
    assert not row.known
    assert row.lapses_at is None


def test_procedure_without_a_rule_gives_a_row_that_promises_nothing() -> None:
    only_ordinary = SimpleNamespace(treaty=lambda _: treaty(limit()), calendars=rules().calendars)
    (row,) = first_deadlines([(case(procedure=Procedure.ACCELERATED), RECEIVED)], only_ordinary, NOW)
    assert not row.known
    assert (row.on_lapse, row.source, row.confidence, row.must_act) == ("nothing", "", "unverified", "requested")


@pytest.mark.xfail(reason="waits for gateway.flow.clockwork: no row of that id in the treaty means no deadline", strict=True)
def test_treaty_without_a_limit_for_the_reply_starts_no_clock() -> None:
    silent = SimpleNamespace(treaty=lambda _: treaty(limit(id="transfer")), calendars=rules().calendars)
    assert first_deadlines([(case(), RECEIVED)], silent, NOW) == []


def test_case_of_an_unknown_treaty_starts_no_guess() -> None:
    with pytest.raises(UnknownTreaty):
        first_deadlines([(case(treaty="xa-xb"), RECEIVED)], rules(), NOW)


def test_cases_of_a_batch_have_their_rows_in_its_order() -> None:
    batch = [(case(id=number), RECEIVED + timedelta(days=number % 2)) for number in (3, 1, 2)]
    rows = first_deadlines(batch, rules(), NOW)
    assert [(row.case_id, row.started_at) for row in rows] == [(each.id, received) for each, received in batch]
    alone = [row for one in batch for row in first_deadlines([one], rules(), NOW)]
    assert rows == alone


def test_cases_that_are_counted_alike_are_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    monkeypatch.setattr(clockwork, "due_date", lambda *args, **named: calls.append("counted") or due_date(*args, **named))
    rows = first_deadlines([(case(id=number), RECEIVED) for number in range(1, 6)], rules(), NOW)
    assert [row.case_id for row in rows] == [1, 2, 3, 4, 5]
    assert calls == ["counted"]


@pytest.mark.parametrize(
    "other",
    [
        (case(id=2, procedure=Procedure.ACCELERATED), RECEIVED),
        (case(id=2, treaty="ba-pk", home="BA-MS", counterparty="PK-MOI"), RECEIVED),
        (case(id=2, home="RS-MUP", counterparty="AT-BMI"), RECEIVED),
        (case(id=2), RECEIVED + timedelta(days=1)),
        (case(id=2, category=Category.STATELESS), RECEIVED),
    ],
    ids=["procedure", "treaty", "direction", "instant", "category"],
)
def test_cases_that_differ_are_counted_apart(monkeypatch: pytest.MonkeyPatch, other: tuple[Case, datetime]) -> None:
    calls: list[str] = []
    monkeypatch.setattr(clockwork, "due_date", lambda *args, **named: calls.append("counted") or due_date(*args, **named))
    first_deadlines([(case(), RECEIVED), other], rules(), NOW)
    assert len(calls) == 2


# --- who is bound -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("asking", "asked"), [("AT-BMI", "RS-MUP"), ("RS-MUP", "AT-BMI")])
def test_treaty_binds_its_two_sides_both_ways(asking: str, asked: str) -> None:
    assert check_binds("eu-rs", requesting=asking, requested=asked, rt=rules()) is None


@pytest.mark.parametrize(
    ("agreement", "asking", "asked"),
    [("eu-rs", "BA-MS", "PK-MOI"), ("eu-rs", "RS-MUP", "RS-MUP"), ("eu-rs", "AT-BMI", "AT-BMI"), ("ba-pk", "BA-MS", "RS-MUP")],
)
def test_treaty_of_others_does_not_bind(agreement: str, asking: str, asked: str) -> None:
    with pytest.raises(TreatyDoesNotBind) as caught:
        check_binds(agreement, requesting=asking, requested=asked, rt=rules())
    assert caught.value.path == "Request/Agreement"


def test_treaty_without_a_rule_file_is_unknown() -> None:
    with pytest.raises(UnknownTreaty):
        check_binds("xa-xb", requesting="AT-BMI", requested="RS-MUP", rt=rules())


# --- the reply --------------------------------------------------------------------------------------------------------

LAPSES = NOW + timedelta(days=10)


@pytest.mark.parametrize("before", ["open", "lapsed"])
@pytest.mark.parametrize(
    ("replied", "state"),
    [(LAPSES - timedelta(microseconds=1), "met"), (LAPSES, "late"), (LAPSES + timedelta(days=1), "late")],
    ids=["in time", "at the end", "after the end"],
)
def test_reply_is_met_before_the_end_of_the_limit_only(engine, before: str, replied: datetime, state: str) -> None:
    case_id = add_case(engine)
    with transaction(engine) as tx:
        deadlines.add(tx, [deadline_row(case_id, lapses_at=LAPSES, state=before)])
        reply_settles(tx, case(id=case_id), replied, NOW + timedelta(days=20))
    with reading(engine) as tx:
        (row,) = deadlines.of_cases(tx, [case_id])
    assert (row.state, row.changed_at) == (state, NOW + timedelta(days=20))


def test_reply_to_an_unknown_limit_is_met(engine) -> None:
    case_id = add_case(engine)
    unknown = replace(deadline_row(case_id), known=False, lapses_at=None)
    with transaction(engine) as tx:
        deadlines.add(tx, [unknown])
        reply_settles(tx, case(id=case_id), NOW + timedelta(days=9999), NOW)
    with reading(engine) as tx:
        assert deadlines.of_cases(tx, [case_id])[0].state == "met"


def test_reply_settles_no_other_limit_and_no_other_case(engine) -> None:
    one, other = add_case(engine), add_case(engine, reference="ANOTHERONE2MZV5TDWA4RUHE6P")
    with transaction(engine) as tx:
        deadlines.add(tx, [deadline_row(one), deadline_row(one, "transfer"), deadline_row(other)])
        reply_settles(tx, case(id=one), NOW, NOW)
    with reading(engine) as tx:
        found = {(row.case_id, row.limit_id): row.state for row in deadlines.of_cases(tx, [one, other])}
    assert found == {(one, "reply"): "late", (one, "transfer"): "open", (other, "reply"): "open"}
