"""Frozen calendars: what they say, and that they say nothing beyond their horizon."""

from datetime import date
from pathlib import Path

import pytest

from gateway.domain.calendars import Side, Status
from gateway.errors import CalendarInvalid, LimitNotKnown
from gateway.partners.calendars import load_calendar, load_calendars
from gateway.settings import data_folder
from tests.clock_samples import calendar

ROOT = Path(__file__).resolve().parents[2]
FOLDER = data_folder("partners") / "calendars"


@pytest.fixture(scope="module")
def shipped():
    return load_calendars(FOLDER)


# --- the value --------------------------------------------------------------------------------------------------------


def test_weekday_without_holiday_is_a_working_day():
    assert calendar().is_working(date(2026, 6, 1)) is True


@pytest.mark.parametrize("day", [date(2026, 6, 6), date(2026, 6, 7), date(2026, 6, 8)])
def test_weekend_and_holiday_are_no_working_days(day):
    assert calendar("RS", "Europe/Belgrade", date(2026, 6, 8)).is_working(day) is False


@pytest.mark.parametrize("day", [date(2024, 12, 31), date(2031, 1, 1)])
def test_day_outside_the_horizon_is_not_known(day):
    with pytest.raises(LimitNotKnown, match=r"known from 2025-01-01 to 2030-12-31"):
        calendar().is_working(day)


@pytest.mark.parametrize("day", [date(2025, 1, 1), date(2030, 12, 31)])
def test_first_and_last_known_day_are_known(day):
    assert calendar().is_working(day) is True


def test_next_working_day_passes_a_long_weekend():
    rest = calendar("RS", "Europe/Belgrade", date(2026, 6, 5), date(2026, 6, 8))
    assert rest.next_working(date(2026, 6, 5)) == date(2026, 6, 9)


def test_next_working_day_of_a_working_day_is_itself():
    assert calendar().next_working(date(2026, 6, 1)) == date(2026, 6, 1)


def test_holiday_on_a_weekend_is_told_by_its_name():
    rest = calendar("RS", "Europe/Belgrade", date(2026, 6, 6))
    told = [rest.why_rest(day) for day in (date(2026, 6, 6), date(2026, 6, 7), date(2026, 6, 8))]
    assert told == ["National Day", "weekend", None]


def test_feasts_are_found_with_both_ends_included():
    rest = calendar("RS", "Europe/Belgrade", date(2026, 6, 8), estimated=(date(2026, 6, 3), date(2026, 6, 5)))
    found = rest.feasts(date(2026, 6, 3), date(2026, 6, 5))
    assert found == ((date(2026, 6, 3),), (date(2026, 6, 5),))


def test_side_of_a_state_takes_the_calendar_of_the_whole_state(shipped):
    assert Side.of("BA", shipped).calendar is shipped["ba"]


def test_side_of_a_state_without_calendar_has_none(shipped):
    assert Side.of("JP", shipped).calendar is None


# --- the shipped files ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "day", "name"),
    [
        ("rs", date(2026, 2, 17), "Statehood Day (observed)"),
        ("rs", date(2026, 4, 13), "Easter Monday"),
        ("at", date(2026, 10, 26), "National Day"),
        ("at", date(2027, 3, 29), "Easter Monday"),
        ("pk", date(2026, 8, 14), "Independence Day"),
        ("ba-fbih", date(2026, 11, 25), "Statehood Day"),
        ("ba-rs", date(2026, 1, 14), "Orthodox New Year"),
    ],
)
def test_known_holidays_are_in_the_files(shipped, code, day, name):
    assert shipped[code].why_rest(day) == name


def test_holiday_of_one_state_is_a_working_day_in_another(shipped):
    assert shipped["rs"].is_working(date(2026, 10, 26)) is True


def test_calendar_of_bosnia_is_the_union_of_its_parts(shipped):
    parts = [shipped[code].days.keys() for code in ("ba-fbih", "ba-rs", "ba-brcko")]
    assert shipped["ba"].days.keys() == set().union(*parts)


def test_holiday_of_one_part_of_bosnia_is_named_so(shipped):
    assert shipped["ba"].why_rest(date(2026, 11, 25)) == "Statehood Day (Federation of BiH)"


def test_days_that_follow_the_moon_are_estimated(shipped):
    assert shipped["pk"].days[date(2027, 3, 10)].status is Status.ESTIMATED
    assert shipped["ba"].days[date(2026, 3, 20)].status is Status.ESTIMATED


def test_days_already_announced_are_confirmed(shipped):
    assert shipped["pk"].days[date(2026, 3, 20)].status is Status.CONFIRMED


def test_no_day_is_called_estimated_in_its_name(shipped):
    assert not [day.name for rest in shipped.values() for day in rest.days.values() if "estimated" in day.name]


def test_gateway_never_imports_the_holiday_library():
    sources = (ROOT / "gateway").rglob("*.py")
    assert not [path for path in sources if "import holidays" in path.read_text(encoding="utf-8")]


# --- files that are refused -------------------------------------------------------------------------------------------


GOOD = """
id = "xa"
version = "1"
state = "XA"
zone = "Europe/Vienna"
weekend = ["saturday", "sunday"]
known_from = 2026-01-01
known_until = 2026-12-31
source = "invented"
days = [{ on = 2026-05-01, name = "Labour Day", status = "confirmed" }]
"""


def write(folder, text):
    path = folder / "xa.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_small_calendar_loads(tmp_path):
    assert load_calendar(write(tmp_path, GOOD)).why_rest(date(2026, 5, 1)) == "Labour Day"


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('id = "xa"', 'id = "xb"', "id"),
        ('version = "1"', 'version = "a version of many words"', "version"),
        ('zone = "Europe/Vienna"', 'zone = "Europe/Atlantis"', "zone"),
        ('"sunday"', '"sonntag"', "weekend"),
        ('"saturday", "sunday"', '"monday","tuesday","wednesday","thursday","friday","saturday","sunday"', "weekend"),
        ("known_until = 2026-12-31", "known_until = 2025-12-31", "known_until"),
        ("known_until = 2026-12-31", 'known_until = "2026-12-31"', "known_until"),
        ("known_from = 2026-01-01", "", "known_from"),
        ("on = 2026-05-01", "on = 2027-05-01", "on"),
        ("on = 2026-05-01", "on = 2026-05-01T00:00:00Z", "on"),
        ('status = "confirmed"', 'status = "perhaps"', "status"),
        ('status = "confirmed" }', 'status = "confirmed" }, { on = 2026-05-01, name = "x", status = "confirmed" }', "on"),
        ('source = "invented"', 'sauce = "invented"', "sauce"),
    ],
)
def test_wrong_calendar_file_is_refused_with_file_and_key(tmp_path, old, new, key):
    assert old in GOOD
    with pytest.raises(CalendarInvalid, match=rf"calendars/xa\.toml.*'{key}'"):
        load_calendar(write(tmp_path, GOOD.replace(old, new)))


def test_missing_folder_of_calendars_is_refused(tmp_path):
    with pytest.raises(CalendarInvalid):
        load_calendars(tmp_path / "calendars")
