"""The deadlines of a case: which ones a message starts, what their rows say, and what a reply makes of them."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.domain.calendars import Side
from gateway.domain.case import Case
from gateway.domain.clock import Happening
from gateway.domain.deadlines import due_date
from gateway.domain.messages import Category, Procedure
from gateway.domain.moves import Event, Role, State
from gateway.domain.treaties import Treaty, treaty_between
from gateway.errors import TreatyDoesNotBind, UnknownTreaty
from gateway.flow import clockwork
from gateway.flow.clockwork import Started, check_binds, first_deadlines, happened
from gateway.partners.calendars import load_calendars
from gateway.partners.treaties import load_treaties
from gateway.settings import data_folder
from gateway.store import deadlines
from gateway.store.database import reading, transaction
from tests.clock_samples import limit, treaty
from tests.store_rows import NOW, add_case, deadline_row, new_case

RECEIVED = datetime(2026, 6, 3, 8, 0, tzinfo=UTC)  # a Wednesday


@cache
def shipped() -> Any:
    folder = data_folder("partners")
    return load_treaties(folder / "treaties"), load_calendars(folder / "calendars")


def runtime(treaties: dict[str, Treaty]) -> Any:
    """What the clockwork needs of a running gateway: treaties, calendars, and when to remind."""
    calendars = shipped()[1]

    def between(treaty_id: str, requesting: str, requested: str) -> Treaty:
        return treaty_between(treaties, treaty_id, requesting[:2], requested[:2])

    return SimpleNamespace(
        treaty=between,
        rules_of=lambda case: between(case.treaty, case.requesting, case.requested),
        side=lambda authority: Side.of(authority[:2], calendars),
        calendars=calendars,
        settings=SimpleNamespace(remind_days=(5, 2)),
    )


def rules() -> Any:
    """The real treaties and calendars."""
    return runtime(shipped()[0])


def case(**changes: Any) -> Case:
    """Return a case in which AT-BMI asked RS-MUP, as AT-BMI sees it."""
    given = {"id": 1, "home": "AT-BMI", "counterparty": "RS-MUP", "treaty": "eu-rs", "category": Category.THIRD_COUNTRY}
    return new_case(**given | changes)


def started(one: Case, received_at: datetime = RECEIVED, event: Event = Event.APPLICATION, **changes: Any) -> Started:
    """Return a message to a case that the other side had at `received_at`."""
    happening = Happening(**{"event": event, "message_id": "m-1", "sender": one.requesting} | changes)
    return Started(case=one, happening=happening, received_at=received_at)


def test_receipt_of_an_application_starts_the_limit_for_the_reply() -> None:
    (row,) = first_deadlines([started(case())], rules(), NOW)
    assert (row.case_id, row.limit_id, row.must_act, row.state) == (1, "reply", "requested", "open")
    assert (row.started_at, row.changed_at) == (RECEIVED, NOW)
    assert (row.due_on, row.rolled_on) == (date(2026, 6, 13), date(2026, 6, 15))  # Saturday; Monday
    assert row.lapses_at == row.rolled_until == datetime(2026, 6, 15, 22, 0, tzinfo=UTC)  # midnight in Belgrade
    assert (row.on_lapse, row.confidence) == ("agreed", "verified")
    assert "Art. 10(2)" in row.source


def test_row_names_the_versions_it_was_counted_with() -> None:
    (row,) = first_deadlines([started(case())], rules(), NOW)
    assert row.treaty_version == shipped()[0]["eu-rs"].version
    assert (row.calendar_ids, row.calendar_version) == ("rs", rules().calendars["rs"].version)


def test_row_keeps_the_whole_explanation() -> None:
    (row,) = first_deadlines([started(case())], rules(), NOW)
    assert row.detail["literal"]["due_on"] == "2026-06-13"
    assert len(row.detail["explain"]) >= 2


def test_both_sides_of_a_case_count_the_same() -> None:
    theirs = case(home="RS-MUP", counterparty="AT-BMI", role=Role.REQUESTED)
    counted = [first_deadlines([started(one)], rules(), NOW) for one in (case(), theirs)]
    ours, others = ([replace(row, home="", ours=True) for row in rows] for rows in counted)  # each side keeps its own rows
    assert ours == others


def test_days_are_those_of_the_state_that_must_act() -> None:
    to_austria = case(home="RS-MUP", counterparty="AT-BMI")
    late_evening = datetime(2026, 6, 24, 9, 0, tzinfo=UTC)
    (austria,) = first_deadlines([started(to_austria, late_evening)], rules(), NOW)
    assert austria.calendar_version == rules().calendars["at"].version


def test_accelerated_procedure_has_its_own_limit() -> None:
    (row,) = first_deadlines([started(case(procedure=Procedure.ACCELERATED))], rules(), NOW)
    assert row.due_on == date(2026, 6, 5)


def test_unverified_limit_gives_a_row_without_a_date() -> None:
    (row,) = first_deadlines([started(case(home="BA-MS", counterparty="PK-MOI", treaty="ba-pk"))], rules(), NOW)
    assert not row.known
    assert {row.due_on, row.due_until, row.rolled_on, row.rolled_until, row.lapses_at} == {None}
    assert (row.on_lapse, row.confidence) == ("nothing", "unverified")


def test_calendar_that_does_not_reach_gives_a_row_without_a_date() -> None:
    (row,) = first_deadlines([started(case(), datetime(2090, 1, 1, tzinfo=UTC))], rules(), NOW)
    assert not row.known
    assert row.lapses_at is None


def test_procedure_without_a_rule_starts_no_clock() -> None:
    only_ordinary = runtime({"eu-rs": treaty(limit())})
    assert first_deadlines([started(case(procedure=Procedure.ACCELERATED))], only_ordinary, NOW) == []


def test_treaty_without_a_limit_for_the_reply_starts_no_clock() -> None:
    assert first_deadlines([started(case())], runtime({"eu-rs": treaty(limit(id="transfer"))}), NOW) == []


def test_message_that_starts_nothing_gives_no_row() -> None:
    assert first_deadlines([started(case(), event=Event.INFORMATION_REQUEST)], rules(), NOW) == []


def test_agreement_starts_the_limit_for_the_transfer() -> None:
    (row,) = first_deadlines([started(case(), event=Event.AGREEMENT)], rules(), NOW)
    assert (row.limit_id, row.must_act, row.due_on) == ("transfer", "requesting", date(2026, 9, 3))


def test_agreement_does_not_start_a_notice_before_the_transfer() -> None:
    named = case(home="NL-DTV", treaty="benelux-xk", counterparty="XK-MPB")
    ids = {row.limit_id for row in first_deadlines([started(named, event=Event.AGREEMENT)], rules(), NOW)}
    assert "transfer-notice" not in ids


def test_protocol_between_the_two_states_gives_the_limit() -> None:
    (row,) = first_deadlines([started(case(home="FR-DGEF"))], rules(), NOW)
    assert (row.due_on, row.source) == (date(2026, 6, 10), "Art. 5")


def test_row_keeps_what_it_was_counted_from() -> None:
    (row,) = first_deadlines([started(case())], rules(), NOW)
    assert (row.inputs["start"], row.inputs["planned"], row.inputs["stops"]) == (RECEIVED.isoformat(), False, [])
    assert row.inputs["message"] == "m-1"


def test_case_of_an_unknown_treaty_starts_no_guess() -> None:
    with pytest.raises(UnknownTreaty):
        first_deadlines([started(case(treaty="xa-xb"))], rules(), NOW)


def test_cases_of_a_batch_have_their_rows_in_its_order() -> None:
    batch = [started(case(id=number), RECEIVED + timedelta(days=number % 2)) for number in (3, 1, 2)]
    rows = first_deadlines(batch, rules(), NOW)
    assert [(row.case_id, row.started_at) for row in rows] == [(each.case.id, each.received_at) for each in batch]
    alone = [row for one in batch for row in first_deadlines([one], rules(), NOW)]
    assert rows == alone


def test_cases_that_are_counted_alike_are_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    monkeypatch.setattr(clockwork, "due_date", lambda *args, **named: calls.append("counted") or due_date(*args, **named))
    rows = first_deadlines([started(case(id=number)) for number in range(1, 6)], rules(), NOW)
    assert [row.case_id for row in rows] == [1, 2, 3, 4, 5]
    assert calls == ["counted"]


@pytest.mark.parametrize(
    "other",
    [
        started(case(id=2, procedure=Procedure.ACCELERATED), RECEIVED),
        started(case(id=2, treaty="ba-pk", home="BA-MS", counterparty="PK-MOI"), RECEIVED),
        started(case(id=2, home="RS-MUP", counterparty="AT-BMI"), RECEIVED),
        started(case(id=2), RECEIVED + timedelta(days=1)),
        started(case(id=2, category=Category.STATELESS), RECEIVED),
    ],
    ids=["procedure", "treaty", "direction", "instant", "category"],
)
def test_cases_that_differ_are_counted_apart(monkeypatch: pytest.MonkeyPatch, other: Started) -> None:
    calls: list[str] = []
    monkeypatch.setattr(clockwork, "due_date", lambda *args, **named: calls.append("counted") or due_date(*args, **named))
    first_deadlines([started(case()), other], rules(), NOW)
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
COUNTED: dict[str, Any] = {"calendar_ids": "rs", "inputs": {"stops": [], "extension": None}}


def row_of(case_id: int, limit_id: str = "reply", **changes: Any) -> deadlines.DeadlineRow:
    return deadline_row(case_id, limit_id, **COUNTED | changes)


def replies(tx: Any, one: Case, received_at: datetime, now: datetime) -> None:
    agreed = Happening(event=Event.AGREEMENT, message_id="m-2", sender=one.requested)
    happened(tx, replace(one, state=State.AGREED), agreed, received_at, rules(), now)


@pytest.mark.parametrize("before", ["open", "lapsed"])
@pytest.mark.parametrize(
    ("replied", "state"),
    [(LAPSES - timedelta(microseconds=1), "met"), (LAPSES, "late"), (LAPSES + timedelta(days=1), "late")],
    ids=["in time", "at the end", "after the end"],
)
def test_reply_is_met_before_the_end_of_the_limit_only(engine, before: str, replied: datetime, state: str) -> None:
    case_id = add_case(engine)
    with transaction(engine) as tx:
        deadlines.add(tx, [row_of(case_id, lapses_at=LAPSES, state=before)])
        replies(tx, case(id=case_id), replied, NOW + timedelta(days=20))
    with reading(engine) as tx:
        (row,) = deadlines.of_cases(tx, [case_id])
    assert (row.state, row.changed_at) == (state, NOW + timedelta(days=20))


def test_reply_to_an_unknown_limit_is_met(engine) -> None:
    case_id = add_case(engine)
    unknown = replace(row_of(case_id), known=False, lapses_at=None)
    with transaction(engine) as tx:
        deadlines.add(tx, [unknown])
        replies(tx, case(id=case_id), NOW + timedelta(days=9999), NOW)
    with reading(engine) as tx:
        assert deadlines.of_cases(tx, [case_id])[0].state == "met"


def test_reply_settles_no_other_limit_and_no_other_case(engine) -> None:
    one, other = add_case(engine), add_case(engine, reference="ANOTHERONE2MZV5TDWA4RUHE6P")
    with transaction(engine) as tx:
        deadlines.add(tx, [row_of(one), row_of(one, "transfer"), row_of(other)])
        replies(tx, case(id=one, state=State.AGREED), NOW, NOW)
    with reading(engine) as tx:
        found = {(row.case_id, row.limit_id): row.state for row in deadlines.of_cases(tx, [one, other])}
    assert found == {(one, "reply"): "late", (one, "transfer"): "open", (other, "reply"): "open"}
