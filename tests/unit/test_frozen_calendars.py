"""The files of `partners/calendars/`, read as plain TOML: what each holds, what it may not hold, and days known for certain."""

import importlib.util
import tomllib
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "partners" / "calendars"
FILES = {path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.toml"))}

STATES = (  # noqa: SIM905 - fifty lines of one code each read worse
    "AL BA XK ME MK RS "
    "AT BE BG CY CZ DE EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK DK "
    "RU TR PK GE AM AZ MD UA LK CV BY KZ CH GB "
    "BD AF IN MA DZ TN EG"
).split()
PARTS = {"ba-brcko", "ba-fbih", "ba-rs"}

KEYS = {"id", "version", "state", "zone", "weekend", "known_from", "known_until", "source", "note", "days"}
DAY_KEYS = {"on", "name", "status", "kind", "source"}
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MOON = {"af", "al", "ba", *PARTS, "bd", "dz", "eg", "ma", "mk", "pk", "tn", "tr", "xk"}
YEARLY = {
    "az": 2027,
    "by": 2027,
    "eg": 2028,
    "hu": 2027,
    "in": 2027,
    "kz": 2027,
    "lk": 2026,
    "lv": 2027,
    "md": 2027,
    "ru": 2027,
    "ua": 2026,
}
DECREED = {
    "az": 2025,
    "by": 2026,
    "eg": 2026,
    "hu": 2026,
    "in": 2026,
    "kz": 2025,
    "lv": 2026,
    "md": 2026,
}  # last year whose decree is known
FEASTS = (
    "Eid al-",
    "Ashura",
    "Day of Arafah",
    "First Day of Ramadan",
    "Islamic New Year",
    "Laylat al-Qadr",
    "Prophet's Birthday",
)
WEEKENDS = {"af", "bd", "dz", "eg"}  # Friday and Saturday; every other state closes on Saturday and Sunday


def line(code, on):
    """The line of `on` in the file `code`, or None."""
    found = [day for day in FILES[code]["days"] if day["on"] == date.fromisoformat(on)]
    return found[0] if found else None


def script():
    spec = importlib.util.spec_from_file_location("freeze_calendars", ROOT / "scripts" / "freeze_calendars.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# --- which files there are ---------------------------------------------------------------------------------------------


def test_every_state_and_every_part_of_bosnia_has_a_file_and_no_other_file_is_there():
    assert set(FILES) == {state.lower() for state in STATES} | PARTS


def test_every_state_that_a_treaty_file_names_has_a_calendar():
    treaties = [tomllib.loads(path.read_text(encoding="utf-8")) for path in (ROOT / "partners" / "treaties").glob("*.toml")]
    named = {state for treaty in treaties for party in treaty.get("parties", []) for state in party.get("states", [])}
    assert named
    assert {state for state in named if state.lower() not in FILES} == set()


# --- what each file holds ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", FILES)
def test_file_has_the_keys_of_the_format_and_no_other(code):
    assert KEYS - {"note"} <= FILES[code].keys() <= KEYS


@pytest.mark.parametrize("code", FILES)
def test_file_says_its_id_state_zone_and_source(code):
    file = FILES[code]
    assert (file["id"], file["state"]) == (code, code[:2].upper())
    assert ZoneInfo(file["zone"]).key == file["zone"]
    assert file["source"].startswith("holidays 0.109, ")
    assert file["version"] == "holidays-0.109/2"


def test_offices_close_on_the_days_that_the_state_rests():
    found = {code for code, file in FILES.items() if file["weekend"] == ["friday", "saturday"]}
    assert found == WEEKENDS
    assert all(FILES[code]["weekend"] == ["saturday", "sunday"] for code in set(FILES) - WEEKENDS)


@pytest.mark.parametrize("code", FILES)
def test_lines_have_the_keys_and_words_of_the_format(code):
    for day in FILES[code]["days"]:
        assert {"on", "name", "status"} <= day.keys() <= DAY_KEYS
        assert day["name"].strip()
        assert day["status"] in {"confirmed", "estimated"}
        assert day.get("kind", "half") in {"half", "work"}, "rest is left out"


@pytest.mark.parametrize("code", FILES)
def test_days_stand_in_order_and_none_stands_twice(code):
    found = [day["on"] for day in FILES[code]["days"]]
    assert found == sorted(set(found))


@pytest.mark.parametrize("code", FILES)
def test_days_lie_inside_the_horizon(code):
    file = FILES[code]
    assert [day["on"] for day in file["days"] if not file["known_from"] <= day["on"] <= file["known_until"]] == []


@pytest.mark.parametrize("code", FILES)
def test_horizon_begins_in_2024_and_ends_where_the_knowledge_ends(code):
    until = YEARLY.get(code, 2028 if code in MOON else 2030)
    assert (FILES[code]["known_from"], FILES[code]["known_until"]) == (date(2024, 1, 1), date(until, 12, 31))


@pytest.mark.parametrize("code", YEARLY)
def test_file_that_hangs_on_a_yearly_decree_says_so(code):
    assert ("every day of a later year" if code in DECREED else "calendar") in FILES[code]["note"]


@pytest.mark.parametrize(("code", "last"), DECREED.items())
def test_every_day_after_the_last_decree_is_an_estimate(code, last):
    later = [day["status"] for day in FILES[code]["days"] if day["on"].year > last]
    assert later
    assert set(later) == {"estimated"}


@pytest.mark.parametrize("code", sorted(set(FILES) - {"ua"}))
def test_every_year_has_its_holidays(code):
    file = FILES[code]
    years = {day["on"].year for day in file["days"]}
    assert years == set(range(file["known_from"].year, file["known_until"].year + 1))


def test_ukraine_keeps_no_holiday_while_martial_law_lasts_and_says_so():
    assert FILES["ua"]["days"] == []
    assert "martial law" in FILES["ua"]["note"]


@pytest.mark.parametrize("code", FILES)
def test_moved_working_day_lies_on_the_weekend_and_half_day_does_not(code):
    weekend = {WEEKDAYS.index(name) for name in FILES[code]["weekend"]}
    for day in FILES[code]["days"]:
        if "kind" in day:
            assert (day["on"].weekday() in weekend) is (day["kind"] == "work"), day


@pytest.mark.parametrize("code", FILES)
def test_moved_working_day_names_a_rest_day_of_the_same_file(code):
    for day in FILES[code]["days"]:
        if day.get("kind") == "work":
            instead = line(code, day["name"].removeprefix("Working day in exchange for "))
            assert instead["name"] == f"Day off in exchange for {day['on']}"


def test_moved_working_days_are_there_for_the_states_that_have_them_and_for_no_other():
    found = {code for code, file in FILES.items() if any(day.get("kind") == "work" for day in file["days"])}
    assert found == {"az", "by", "hu", "kz", "lv", "ru"}


def test_half_days_are_there_for_the_states_that_have_them_and_for_no_other():
    found = {code for code, file in FILES.items() if any(day.get("kind") == "half" for day in file["days"])}
    assert found == {"ee", "gr", "tr"}


@pytest.mark.parametrize("code", FILES)
def test_day_that_only_the_moon_sets_is_estimated_after_2026(code):
    for day in FILES[code]["days"]:
        if day["on"].year > 2026 and all(any(feast in name for feast in FEASTS) for name in day["name"].split("; ")):
            assert day["status"] == "estimated", day


@pytest.mark.parametrize("code", sorted(set(FILES) - MOON))
def test_calendar_without_a_feast_of_the_moon_ahead_has_no_estimated_day(code):
    last = DECREED.get(code, 9999)
    assert [day for day in FILES[code]["days"] if day["status"] == "estimated" and day["on"].year <= last] == []


@pytest.mark.parametrize("code", FILES)
def test_status_stands_in_its_key_and_never_in_the_name(code):
    assert [day["name"] for day in FILES[code]["days"] if "estimated" in day["name"] or "substituted" in day["name"]] == []


def test_calendar_of_bosnia_is_the_union_of_its_parts():
    parts = [{day["on"] for day in FILES[code]["days"]} for code in PARTS]
    assert {day["on"] for day in FILES["ba"]["days"]} == set().union(*parts)
    assert "union of the three" in FILES["ba"]["note"]


# --- days known for certain --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "on", "name"),
    [
        ("af", "2026-08-19", "Afghanistan Independence Day"),
        ("bd", "2026-12-16", "Victory Day"),
        ("dz", "2026-11-01", "Revolution Day"),
        ("eg", "2026-10-08", "Armed Forces Day (observed)"),
        ("in", "2026-01-26", "Republic Day"),
        ("ma", "2026-11-18", "Independence Day"),
        ("tn", "2026-10-15", "Evacuation Day"),
        ("al", "2026-11-28", "Flag and Independence Day"),
        ("am", "2026-09-21", "Independence Day"),
        ("at", "2026-10-26", "National Day"),
        ("at", "2027-03-29", "Easter Monday"),
        ("ba", "2026-11-25", "Statehood Day (Federation of BiH)"),
        ("ba-rs", "2026-01-14", "Orthodox New Year"),
        ("be", "2026-07-21", "National Day"),
        ("bg", "2026-03-03", "Liberation Day"),
        ("by", "2026-07-03", "Independence Day of the Republic of Belarus (Day of the Republic)"),
        ("ch", "2026-08-01", "National Day"),
        ("cv", "2026-07-05", "National Independence Day"),
        ("cy", "2026-10-01", "Cyprus Independence Day"),
        ("cz", "2026-10-28", "Independent Czechoslovak State Day"),
        ("de", "2026-10-03", "German Unity Day"),
        ("ee", "2026-02-24", "Independence Day"),
        ("es", "2026-10-12", "National Day"),
        ("fi", "2026-12-06", "Independence Day"),
        ("fr", "2026-07-14", "National Day"),
        ("gb", "2025-04-21", "Easter Monday"),
        ("gb", "2026-12-28", "Boxing Day (observed)"),
        ("ge", "2026-05-26", "Independence Day"),
        ("gr", "2026-03-25", "Independence Day"),
        ("hr", "2026-05-30", "Statehood Day"),
        ("hu", "2026-08-20", "State Foundation Day"),
        ("ie", "2026-03-17", "Saint Patrick's Day"),
        ("it", "2026-06-02", "Republic Day"),
        ("lk", "2026-02-04", "Independence Day"),
        ("lt", "2026-02-16", "Day of Restoration of the State of Lithuania"),
        ("lu", "2026-06-23", "National Day"),
        ("lv", "2026-11-18", "Republic of Latvia Proclamation Day"),
        ("md", "2026-08-27", "Republic of Moldova Independence Day"),
        ("me", "2026-07-13", "Statehood Day"),
        ("mk", "2026-09-08", "Independence Day"),
        ("mt", "2026-09-21", "Independence Day"),
        ("nl", "2025-04-26", "King's Day"),
        ("pk", "2026-08-14", "Independence Day"),
        ("pl", "2026-11-11", "National Independence Day"),
        ("pt", "2026-04-25", "Freedom Day"),
        ("ro", "2026-12-01", "National Day"),
        ("rs", "2026-02-17", "Statehood Day (observed)"),
        ("rs", "2026-04-13", "Easter Monday"),
        ("ru", "2026-06-12", "Russia Day"),
        ("se", "2026-06-19", "Midsummer Eve"),
        ("sk", "2026-08-29", "Slovak National Uprising Anniversary"),
        ("tr", "2026-10-29", "Republic Day"),
        ("xk", "2026-02-17", "Independence Day"),
    ],
)
def test_holiday_fixed_by_law_or_by_easter_is_a_confirmed_rest_day(code, on, name):
    assert line(code, on) == {"on": date.fromisoformat(on), "name": name, "status": "confirmed"}


@pytest.mark.parametrize(
    ("code", "on", "kind"),
    [
        ("hu", "2026-01-10", "work"),
        ("lv", "2026-06-27", "work"),
        ("ru", "2024-04-27", "work"),
        ("ee", "2026-12-23", "half"),
        ("gr", "2026-12-24", "half"),
        ("tr", "2026-10-28", "half"),
    ],
)
def test_moved_working_day_and_half_day_are_known_as_such(code, on, kind):
    assert line(code, on)["kind"] == kind


@pytest.mark.parametrize(
    ("code", "on"),
    [("ba", "2026-03-20"), ("xk", "2027-03-09"), ("pk", "2027-03-10"), ("tr", "2027-03-09"), ("ma", "2026-05-27")],
)
def test_feast_of_the_moon_ahead_is_estimated(code, on):
    assert line(code, on)["status"] == "estimated"


@pytest.mark.parametrize(("code", "on"), [("pk", "2026-03-20"), ("tr", "2025-03-30"), ("lk", "2026-05-30")])
def test_feast_of_the_moon_in_a_table_already_seen_is_confirmed(code, on):
    assert line(code, on)["status"] == "confirmed"


@pytest.mark.parametrize(
    ("code", "on"),
    [
        ("dk", "2024-04-26"),  # Great Prayer Day, a working day since 2024
        ("pl", "2024-12-24"),  # a holiday since 2025 only
        ("gb", "2026-08-03"),  # summer bank holiday of Scotland
        ("de", "2026-10-31"),  # Reformation Day, of some Laender
        ("rs", "2026-10-26"),  # National Day of Austria
    ],
)
def test_day_that_is_no_holiday_of_the_state_is_not_in_its_file(code, on):
    assert line(code, on) is None


# --- the script --------------------------------------------------------------------------------------------------------


def test_freezing_again_gives_the_committed_bytes(tmp_path):
    script().main(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        path.name: path.read_bytes() for path in FOLDER.iterdir()
    }


def test_another_version_of_the_library_is_refused(tmp_path, monkeypatch):
    module = script()
    monkeypatch.setattr(module, "version", lambda _: "0.110")
    with pytest.raises(SystemExit, match=r"freezes holidays 0\.109; installed is 0\.110"):
        module.main(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_year_without_a_holiday_is_refused_unless_the_seed_expects_it():
    module = script()
    ukraine = next(seed for seed in module.seeds() if seed.id == "ua")
    with pytest.raises(SystemExit, match="ua: the library has no holiday in"):
        module.text(module.Seed(id=ukraine.id, zone=ukraine.zone, until=ukraine.until))


def test_horizon_beyond_the_library_is_refused():
    module = script()
    with pytest.raises(SystemExit, match="lk: the library does not cover 2024 to 2027"):
        module.text(module.Seed(id="lk", zone="Asia/Colombo", until=2027))
