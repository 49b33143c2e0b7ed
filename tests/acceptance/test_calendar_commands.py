"""`gateway calendar` and `gateway deadline whatif` as an office uses them: what is known, what is decided, who is affected."""

import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.settings import data_folder
from gateway.store import deadlines
from gateway.store.database import open_engine, reading
from gateway.transport.memory import MemoryHub
from gateway.wire.documents import serialize
from tests.conftest import MovableClock
from tests.forging import application, find, journalled
from tests.gateways import exchange, make_gateway
from tests.running import Done, run

pytestmark = pytest.mark.anyio

RECEIVED = datetime(2026, 6, 3, 8, 0, tzinfo=UTC)  # ten days end on Saturday the 13th, rolled to Monday the 15th
WHO = ("--who", "Legal unit", "--why", "Official Gazette 12/2026")
ADD = ("calendar", "add", "rs", "2026-06-15", "--name", "Day of mourning", *WHO)
ESTIMATED = ("pk", "2027-03-10")
SUMMARY = {"id", "state", "zone", "version", "known_from", "known_until", "days", "estimated", "source"}
CALENDARS = data_folder("partners") / "calendars"
TREATIES = data_folder("partners") / "treaties"


@pytest.fixture
async def asked(config: Path, sqlite_url: str, keys: Path) -> str:
    """An ordinary application of AT-BMI that RS-MUP received on 3 June 2026, both at home here; returns the case reference."""
    clock = MovableClock(RECEIVED)
    made = await make_gateway(sqlite_url, keys, clock, home=("AT-BMI", "RS-MUP"), hub=MemoryHub(clock)).open()
    document = application(clock.now)
    find(document, "Request/Procedure").text = "ordinary"
    sent = made.hand_in(serialize(document), authority="AT-BMI")
    await exchange(made)
    made.rt.engine.dispose()
    return sent.case_reference


def ends(url: str) -> set[tuple[str, str]]:
    """Return both ends of the open deadlines."""
    engine = open_engine(url)
    with reading(engine) as tx:
        rows = deadlines.still_open(tx, after=0, most=100)
    engine.dispose()
    return {(str(row.due_on), str(row.rolled_on)) for row in rows}


def refusal(document) -> str:
    return document["error"]["code"]


# --- list and show ------------------------------------------------------------------------------------------------------


def test_list_names_every_calendar_with_how_far_it_reaches(told) -> None:
    found = told("calendar", "list")["calendars"]
    assert [row["id"] for row in found] == [file.stem for file in sorted(CALENDARS.glob("*.toml"))]
    assert {frozenset(row) for row in found} == {frozenset(SUMMARY)}
    (pakistan,) = (row for row in found if row["id"] == "pk")
    assert pakistan["zone"] == "Asia/Karachi"
    assert pakistan["estimated"] > 0


def test_show_names_every_day_with_its_status_and_source(told) -> None:
    found = told("calendar", "show", "pk", "--year", "2027")
    assert set(found) == SUMMARY | {"note", "days"}
    days = {day["on"]: day for day in found["days"]}
    assert all(on.startswith("2027-") for on in days)
    assert list(days) == sorted(days)
    assert set(days[ESTIMATED[1]]) == {"on", "name", "kind", "status", "source"}
    assert days[ESTIMATED[1]]["status"] == "estimated"


def test_show_without_a_year_shows_all_of_them(told) -> None:
    assert len({day["on"][:4] for day in told("calendar", "show", "rs")["days"]}) > 1


def test_calendar_that_is_not_there_is_named_as_unknown(told) -> None:
    assert refusal(told("calendar", "show", "xx", code=4)) == "calendar-invalid"


def test_people_see_version_horizon_and_days(config: Path, tmp_path: Path) -> None:
    done: Done = run("calendar", "show", "rs", "--year", "2026", "--config", config, cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert "known until" in done.out
    assert "Armistice Day" in done.out


# --- confirm, add, remove -----------------------------------------------------------------------------------------------


async def test_added_day_is_written_down_and_lists_who_is_affected(asked, told, sqlite_url) -> None:
    assert ends(sqlite_url) == {("2026-06-13", "2026-06-15")}
    before = {row["id"]: row["version"] for row in told("calendar", "list")["calendars"]}
    found = told(*ADD)
    assert set(found) == {"calendar", "version", "moved"}
    assert (found["calendar"], found["version"]) == ("rs", before["rs"] + "~1")
    assert ends(sqlite_url) == {("2026-06-13", "2026-06-16")}
    assert sorted((one["authority"], one["case"], one["limit"], one["must_act"]) for one in found["moved"]) == [
        ("AT-BMI", asked, "reply", "requested"),
        ("RS-MUP", asked, "reply", "requested"),
    ]
    (first, _) = found["moved"]
    assert first["before"] == {"due_on": "2026-06-13", "rolled_on": "2026-06-15", "calendar": before["rs"]}
    assert first["after"] == {"due_on": "2026-06-13", "rolled_on": "2026-06-16", "calendar": before["rs"] + "~1"}


async def test_decision_and_moves_stand_in_the_journal(asked, told, sqlite_url) -> None:
    told(*ADD)
    engine = open_engine(sqlite_url)
    (decision,) = journalled(engine, "calendar.changed")
    moved = journalled(engine, "deadline.moved")
    engine.dispose()
    assert (decision["actor"], decision["detail"]["why"]) == ("Legal unit", "Official Gazette 12/2026")
    assert len(moved) == 2
    assert told("journal", "verify")["verdict"] == "whole"


def test_added_day_is_shown_with_the_reference_it_rests_on(told, tmp_path) -> None:
    told(*ADD, "--kind", "half")
    days = {day["on"]: day for day in told("calendar", "show", "rs", "--year", "2026")["days"]}
    assert days["2026-06-15"] == {
        "on": "2026-06-15",
        "name": "Day of mourning",
        "kind": "half",
        "status": "confirmed",
        "source": "Official Gazette 12/2026",
    }
    (change,) = tomllib.loads((tmp_path / "changes.toml").read_text(encoding="utf-8"))["changes"]
    assert (change["who"], change["action"], change["calendar"]) == ("Legal unit", "add", "rs")


def test_confirmed_day_is_not_estimated_any_more(told) -> None:
    before = told("calendar", "show", "pk")["estimated"]
    assert told("calendar", "confirm", *ESTIMATED, *WHO)["version"].endswith("~1")
    found = told("calendar", "show", "pk", "--year", "2027")
    assert found["estimated"] == before - 1
    assert {day["on"]: day["status"] for day in found["days"]}[ESTIMATED[1]] == "confirmed"


def test_removed_day_is_like_its_weekday(told) -> None:
    told("calendar", "remove", *ESTIMATED, *WHO)
    assert ESTIMATED[1] not in {day["on"] for day in told("calendar", "show", "pk")["days"]}


def test_deadline_counts_with_the_days_of_this_installation(told) -> None:
    question = (
        "deadline",
        "--treaty",
        "eu-rs",
        "--limit",
        "reply",
        "--start",
        "2026-06-03T10:00:00+02:00",
        "--requesting",
        "AT",
    )
    before = told(*question)
    told(*ADD)
    after = told(*question)
    assert before != after
    assert any("Day of mourning" in line for line in after["explain"])


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("add", "xx", "2026-06-15", "--name", "Day"), 4),
        (("add", "rs", "2026-11-11", "--name", "Day"), 4),
        (("add", "rs", "2050-01-01", "--name", "Day"), 4),
        (("add", "rs", "2026-06-15", "--name", ""), 4),
        (("confirm", "rs", "2026-11-11"), 4),
        (("confirm", "rs", "2026-06-15"), 4),
        (("remove", "rs", "2026-06-15"), 4),
    ],
)
def test_change_that_cannot_be_is_refused_and_leaves_no_file(told, tmp_path, words, code) -> None:
    assert refusal(told("calendar", *words, *WHO, code=code)) == "calendar-invalid"
    assert not (tmp_path / "changes.toml").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("add", "rs", "15 June", "--name", "Day", *WHO),
        ("add", "rs", "2026-06-15", *WHO),
        ("add", "rs", "2026-06-15", "--name", "Day", "--kind", "sometimes", *WHO),
        ("confirm", *ESTIMATED, "--who", "Legal unit"),
        ("remove", *ESTIMATED, "--why", "Official Gazette"),
    ],
    ids=["no date", "no name", "no such kind", "no reason", "nobody"],
)
def test_wrong_usage_writes_nothing(told, tmp_path, words) -> None:
    assert refusal(told("calendar", *words, code=2)) == "wrong-usage"
    assert not (tmp_path / "changes.toml").exists()


@pytest.mark.parametrize("lacking", ["--who", "--why"])
def test_empty_reason_or_office_does_not_break_the_file(told, tmp_path, lacking) -> None:
    words = list(ADD)
    words[words.index(lacking) + 1] = " "
    assert refusal(told(*words, code=4)) == "calendar-invalid"
    assert told(*ADD)["calendar"] == "rs"


async def test_people_are_told_what_moved(asked, config, tmp_path) -> None:
    done = run(*ADD, "--config", config, cwd=tmp_path, env={"COLUMNS": "200"})
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("rs is now version ")
    assert "2 open deadlines moved" in done.out
    assert asked in done.out


# --- what if ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def proposed(tmp_path: Path) -> Path:
    """A calendar of Serbia as it would be, with Monday 15 June 2026 as a day of rest."""
    text = (CALENDARS / "rs.toml").read_text(encoding="utf-8")
    line = '  { on = 2026-06-15, name = "Day of mourning", status = "confirmed" },\n'
    file = tmp_path / "rs.toml"
    file.write_text(text.replace("days = [\n", "days = [\n" + line, 1), encoding="utf-8")
    return file


async def test_question_over_a_calendar_lists_who_would_move_and_writes_nothing(asked, told, proposed, sqlite_url) -> None:
    found = told("deadline", "whatif", "--calendar", proposed)
    assert found["looked_at"] == 2
    assert sorted((one["authority"], one["case"], one["after"]["rolled_on"]) for one in found["moved"]) == [
        ("AT-BMI", asked, "2026-06-16"),
        ("RS-MUP", asked, "2026-06-16"),
    ]
    assert ends(sqlite_url) == {("2026-06-13", "2026-06-15")}
    assert told("deadline", "whatif", "--calendar", CALENDARS / "rs.toml")["moved"] == []


async def test_question_over_a_rule_lists_who_would_move(asked, told, tmp_path) -> None:
    text = (TREATIES / "eu-rs.toml").read_text(encoding="utf-8")
    changed = tmp_path / "eu-rs.toml"
    changed.write_text(text.replace("amount = 10\n", "amount = 12\n"), encoding="utf-8")
    found = told("deadline", "whatif", "--treaty", changed)
    assert {one["after"]["due_on"] for one in found["moved"]} == {"2026-06-15"}
    assert len(found["moved"]) == 2


@pytest.mark.parametrize(
    ("words", "code", "told_"),
    [
        ((), 2, "wrong-usage"),
        (("--calendar", "nowhere.toml"), 1, "not-a-file"),
        (("--treaty", "nowhere.toml"), 1, "not-a-file"),
        (("--calendar", TREATIES / "eu-rs.toml"), 4, "calendar-invalid"),
        (("--treaty", CALENDARS / "rs.toml"), 4, "treaty-invalid"),
    ],
    ids=["nothing", "no calendar", "no treaty", "no calendar inside", "no treaty inside"],
)
def test_question_over_what_is_no_such_file_is_refused(told, words, code, told_) -> None:
    assert refusal(told("deadline", "whatif", *words, code=code)) == told_


async def test_people_are_told_how_many_would_move(asked, config, proposed, tmp_path) -> None:
    done = run("deadline", "whatif", "--calendar", proposed, "--config", config, cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert "2 open deadlines looked at; 2 would move" in done.out
