"""`gateway case`: cases by what is due next, how long things took, and a lapse taken back."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from gateway.domain.case import State
from gateway.store import deadlines, messages
from gateway.store.database import open_engine, reading, transaction
from tests.forging import journalled
from tests.running import run
from tests.store_rows import NOW, add_case, deadline_row, message_row

FAR = datetime.now(UTC) + timedelta(days=400)
SUMMARY = {
    "id", "reference", "home", "counterparty", "role", "state", "waits_for", "suspended", "linked", "treaty", "procedure",
    "category", "opened_at", "changed_at",
}  # fmt: skip
COLUMNS = ["treaty", "partner", "role", "procedure", "measure", "count", "median_hours", "ninth_decile_hours"]
REVERSE = ("--limit", "reply", "--who", "officer.one@ba-ms", "--why", "the reply came by courier")
SECRET = "08-30-1/26"  # our own file number of the specimen case


@pytest.fixture
def engine(sqlite_url: str):
    """An engine on the database that the commands use."""
    opened = open_engine(sqlite_url)
    yield opened
    opened.dispose()


def write_deadlines(engine: Engine, *rows) -> None:
    with transaction(engine) as tx:
        deadlines.add(tx, rows)


# --- list ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def several(engine) -> tuple[int, int, int]:
    """A case due in more than a year, one that is overdue, one without a deadline."""
    far = add_case(engine)
    over = add_case(engine, reference="B" * 26, treaty="eu-rs", home="AT-BMI", counterparty="RS-MUP", state=State.AGREED)
    none = add_case(engine, reference="C" * 26, state=State.HELD)
    write_deadlines(engine, deadline_row(far, due_until=FAR), deadline_row(over, due_until=NOW))
    return far, over, none


def test_list_is_sorted_by_what_is_due_next(told, several) -> None:
    far, over, none = several
    found = told("case", "list")["cases"]
    assert [row["id"] for row in found] == [over, far, none]
    assert {frozenset(row) for row in found} == {frozenset(SUMMARY | {"due_until", "secondary_source"})}
    assert [row["secondary_source"] for row in found] == [False, False, False]
    assert [row["due_until"] for row in found] == [NOW.isoformat(), FAR.isoformat(), None]
    assert [row["waits_for"] for row in found] == ["requesting", "requested", "requesting"]


@pytest.mark.parametrize(
    ("words", "places"),
    [
        (("--state", "held"), [2]),
        (("--state", "refused"), []),
        (("--treaty", "eu-rs"), [1]),
        (("--counterparty", "PK-MOI"), [0, 2]),
        (("--due-within", "5"), [1]),
        (("--due-within", "500"), [1, 0]),
        (("--due-within", "500", "--counterparty", "PK-MOI"), [0]),
    ],
)
def test_list_can_be_narrowed(told, several, words, places) -> None:
    assert [row["id"] for row in told("case", "list", *words)["cases"]] == [several[place] for place in places]


def test_days_that_cannot_be_are_wrong_usage(told) -> None:
    assert told("case", "list", "--due-within", "-1", code=2)["error"]["code"] == "wrong-usage"


def test_list_for_people_shows_the_case_and_no_personal_data(config, several, tmp_path) -> None:
    done = run("case", "list", "--config", config, cwd=tmp_path, env={"COLUMNS": "200"})
    assert (done.code, done.err) == (0, "")
    assert "B" * 26 in done.out
    assert SECRET not in done.out


# --- a lapse taken back -------------------------------------------------------------------------------------------------


@pytest.fixture
def lapsed(engine) -> int:
    """A case whose reply lapsed, and that has another deadline which is open."""
    case_id = add_case(engine)
    write_deadlines(
        engine, deadline_row(case_id, state="lapsed", stage="lapse", look_at=None), deadline_row(case_id, "transfer")
    )
    return case_id


def states(engine, case_id: int) -> dict[str, str]:
    with reading(engine) as tx:
        return {row.limit_id: row.state for row in deadlines.of_cases(tx, [case_id])}


def test_lapse_is_taken_back_and_journalled(told, engine, lapsed) -> None:
    assert told("case", "reverse-lapse", lapsed, *REVERSE) == {"case": lapsed, "limit": "reply", "state": "open"}
    assert states(engine, lapsed) == {"reply": "open", "transfer": "open"}
    (entry,) = journalled(engine, "deadline.lapse_reversed")
    assert (entry["actor"], entry["detail"]["why"]) == ("officer.one@ba-ms", "the reply came by courier")
    assert told("journal", "verify")["verdict"] == "whole"


def test_people_are_told_that_the_deadline_is_open_again(config, lapsed, tmp_path) -> None:
    done = run("case", "reverse-lapse", lapsed, *REVERSE, "--config", config, cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert "open again" in done.out


@pytest.mark.parametrize(
    ("case", "limit", "code"),
    [(0, "transfer", "transition-not-allowed"), (0, "costs", "not-found"), (999, "reply", "not-found")],
    ids=["not lapsed", "no such deadline", "no such case"],
)
def test_only_a_recorded_lapse_is_taken_back(told, engine, lapsed, case, limit, code) -> None:
    words = ("--limit", limit, *REVERSE[2:])
    assert told("case", "reverse-lapse", case or lapsed, *words, code=1)["error"]["code"] == code
    assert states(engine, lapsed) == {"reply": "lapsed", "transfer": "open"}
    assert journalled(engine) == []


def test_lapse_is_taken_back_once(told, lapsed) -> None:
    told("case", "reverse-lapse", lapsed, *REVERSE)
    assert told("case", "reverse-lapse", lapsed, *REVERSE, code=1)["error"]["code"] == "transition-not-allowed"


def test_lapse_that_the_other_side_was_told_of_is_not_taken_back_here(told, engine) -> None:
    notice = message_row(9).message_id
    case_id = add_case(engine, state=State.AGREED, deemed_at=NOW, lapse_notice=notice)
    write_deadlines(engine, deadline_row(case_id, state="lapsed"))
    refused = told("case", "reverse-lapse", case_id, *REVERSE, code=1)["error"]
    assert refused["code"] == "transition-not-allowed"
    assert "correction" in refused["message"]
    assert states(engine, case_id) == {"reply": "lapsed"}


@pytest.mark.parametrize("lacking", ["--limit", "--who", "--why"])
def test_nothing_is_taken_back_without_limit_person_and_reason(told, engine, lapsed, lacking) -> None:
    place = REVERSE.index(lacking)
    words = REVERSE[:place] + REVERSE[place + 2 :]
    assert told("case", "reverse-lapse", lapsed, *words, code=2)["error"]["code"] == "wrong-usage"
    assert states(engine, lapsed)["reply"] == "lapsed"


@pytest.mark.parametrize("empty", ["--who", "--why"])
def test_empty_person_or_reason_is_none(told, engine, lapsed, empty) -> None:
    words = list(REVERSE)
    words[words.index(empty) + 1] = "  "
    assert told("case", "reverse-lapse", lapsed, *words, code=1)["error"]["code"] == "missing-field"
    assert states(engine, lapsed)["reply"] == "lapsed"


# --- durations ----------------------------------------------------------------------------------------------------------


def received(engine, count: int, *, first: int = 1, **changes) -> None:
    """Write cases of which the other side had the application two hours after it was signed."""
    for number in range(first, first + count):
        case_id = add_case(engine, reference=f"{number:026d}", **changes)
        row = message_row(number, case_id=case_id, received_at=NOW + timedelta(hours=2), outcome="received")
        with transaction(engine) as tx:
            messages.add(tx, [row])


def test_durations_name_each_group_and_suppress_small_ones(told, engine) -> None:
    received(engine, 5)
    received(engine, 4, first=10, treaty="eu-rs")
    found = told("case", "durations")
    assert found["smallest_group"] == 5
    assert found["durations"] == [
        {
            "treaty": "ba-pk",
            "partner": "PK",
            "role": "requesting",
            "procedure": "ordinary",
            "measure": "receipt",
            "count": 5,
            "median_hours": 2.0,
            "ninth_decile_hours": 2.0,
        },
        {
            "treaty": "eu-rs",
            "partner": "PK",
            "role": "requesting",
            "procedure": "ordinary",
            "measure": "receipt",
            "count": None,
            "median_hours": None,
            "ninth_decile_hours": None,
        },
    ]


def test_table_for_a_spreadsheet_has_the_same_figures(config, engine, tmp_path) -> None:
    received(engine, 5)
    received(engine, 4, first=10, treaty="eu-rs")
    done = run("case", "durations", "--csv", "--config", config, cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert list(rows[0]) == COLUMNS
    assert [(row["treaty"], row["count"], row["median_hours"]) for row in rows] == [("ba-pk", "5", "2.0"), ("eu-rs", "", "")]
    assert SECRET not in done.out


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("--since", "2026-06-01"), 1),
        (("--since", "2026-06-02"), 0),
        (("--until", "2026-06-01"), 0),
        (("--since", "2026-06-01", "--until", "2026-06-02"), 1),
    ],
)
def test_durations_can_be_limited_to_a_time(told, engine, words, found) -> None:
    received(engine, 1)
    assert len(told("case", "durations", *words)["durations"]) == found


@pytest.mark.parametrize("option", ["--since", "--until"])
def test_day_that_is_none_is_wrong_usage(told, option) -> None:
    assert told("case", "durations", option, "June", code=2)["error"]["code"] == "wrong-usage"


def test_people_read_that_a_group_is_too_small(config, engine, tmp_path) -> None:
    received(engine, 1)
    done = run("case", "durations", "--config", config, cwd=tmp_path, env={"COLUMNS": "200"})
    assert (done.code, done.err) == (0, "")
    assert "fewer than 5" in done.out
