"""Named converters, both directions, with what each refuses. The law of all of them: what is written reads back the same."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import BadValue
from gateway.wire.converters import CONVERTERS, Converter, converter_named
from gateway.wire.converters.registry import zoned_samples
from gateway.wire.countries import ALPHA3, NUMERIC
from gateway.wire.languages import TERMINOLOGY
from tests.converter_cases import CANNOT_READ, CANNOT_WRITE, READ, WRITTEN

ALL: dict[str, Converter] = dict(CONVERTERS) | {each.name: each for each in zoned_samples()}


def named(name: str) -> Converter:
    found = converter_named(name)
    assert found is not None, name
    return found


# --- what is canonical ----------------------------------------------------------------------------------------------

DATES = st.builds(lambda day, length: day.isoformat()[:length], st.dates(), st.sampled_from([4, 7, 10]))
NEAR_DATES = st.dates(date(1924, 8, 1), date(2077, 11, 16)).map(date.isoformat)
INSTANTS = st.builds(
    lambda moment, fraction: f"{moment.isoformat(timespec='seconds')}{fraction}Z",
    st.datetimes(),
    st.sampled_from(["", "", ".250", ".5", ".123456"]),
)
CANONICAL = st.one_of(
    DATES,
    NEAR_DATES,
    INSTANTS,
    st.integers(-(10**17), 10**17).map(str),
    st.integers(0, 300).map(str),
    st.decimals(0, 9999999999, places=2).map("{:.2f}".format),
    st.sampled_from(["true", "false"]),
    st.sampled_from(sorted(ALPHA3)),
    st.sampled_from(sorted(TERMINOLOGY)),
    st.sampled_from(["rom", "prs", "cnr", "sr-Cyrl", "pa-Arab"]),
    st.from_regex(r"\+[1-9][0-9]{0,2}( [0-9]{2,4}){1,4}", fullmatch=True),
    st.from_regex(r"\+[1-9][0-9]{6,12}", fullmatch=True),
    st.from_regex("[A-Z2-7]{16,32}", fullmatch=True),
    st.from_regex("[A-Z]{0,2}[0-9]{4,14}", fullmatch=True),
)
WRITTEN_LIKE = st.from_regex(r"[0-9A-Z+]{1,4}([-./ :,]{1,2}[0-9A-Za-z]{1,4}){0,6}", fullmatch=True)
ANYTHING = st.one_of(st.text(), WRITTEN_LIKE, st.integers(), st.floats(), st.booleans(), st.none(), st.lists(st.integers()))


def is_other_spelling(value: str) -> bool:
    return value in {"1", "0"} or (value.lstrip("+-").isdecimal() and str(int(value)) != value)


@settings(max_examples=150)
@given(value=CANONICAL)
def test_what_is_written_reads_back_the_same_with_every_converter(value: str) -> None:
    for name, converter in ALL.items():
        if name.startswith(("boolean", "integer")) and is_other_spelling(value):
            continue  # XML Schema has several spellings of one value; the canonical one comes back
        try:
            written = converter.write(value)
        except BadValue:
            continue
        assert converter.read(written) == value, (name, written)


@settings(max_examples=150)
@given(value=ANYTHING)
def test_any_value_is_read_into_one_canonical_form_or_refused_with_our_own_error(value: Any) -> None:
    for name, converter in ALL.items():
        try:
            canonical = converter.read(value)
        except BadValue:
            continue
        assert converter.read(converter.write(canonical)) == canonical, name


@settings(max_examples=150)
@given(value=st.text() | CANONICAL)
def test_any_text_is_written_or_refused_with_our_own_error(value: str) -> None:
    for converter in ALL.values():
        try:
            converter.write(value)
        except BadValue:
            continue


@settings(max_examples=100)
@given(value=DATES)
def test_every_date_full_or_partial_comes_back_from_every_form_that_carries_partial_dates(value: str) -> None:
    carrying = [each for name, each in ALL.items() if name.startswith("date-") and not name.endswith(("-full", "-compact"))]
    for converter in carrying:
        if not name_of_other_calendar(converter.name):
            assert converter.read(converter.write(value)) == value, converter.name


@settings(max_examples=100)
@given(value=NEAR_DATES)
def test_every_day_of_the_tables_comes_back_from_every_form(value: str) -> None:
    for name, converter in ALL.items():
        if name.startswith("date-"):
            assert converter.read(converter.write(value)) == value, name


def name_of_other_calendar(name: str) -> bool:
    return name.startswith(("date-hijri", "date-persian"))


# --- case by case -------------------------------------------------------------------------------------------------------


def test_the_example_of_every_converter_holds_in_both_directions() -> None:
    for name, converter in ALL.items():
        canonical, here = converter.example
        assert converter.read(here) == canonical, name
        assert (converter.write(canonical), type(converter.write(canonical))) == (here, type(here)), name


@pytest.mark.parametrize(("name", "canonical", "here"), WRITTEN)
def test_a_value_is_read_and_written_in_the_partners_form(name: str, canonical: str, here: Any) -> None:
    assert named(name).read(here) == canonical
    written = named(name).write(canonical)
    assert (written, type(written)) == (here, type(here))


@pytest.mark.parametrize(("name", "here", "canonical"), READ)
def test_another_spelling_is_read_and_not_written(name: str, here: Any, canonical: str) -> None:
    assert named(name).read(here) == canonical
    assert named(name).write(canonical) != here


@pytest.mark.parametrize(("name", "value"), CANNOT_READ)
def test_a_value_that_is_not_in_the_form_is_refused(name: str, value: Any) -> None:
    with pytest.raises(BadValue) as refused:
        named(name).read(value)
    assert len(str(value)) < 4 or str(value) not in refused.value.message


@pytest.mark.parametrize(("name", "value"), CANNOT_WRITE)
def test_a_value_that_the_form_cannot_carry_is_refused(name: str, value: str) -> None:
    with pytest.raises(BadValue) as refused:
        named(name).write(value)
    assert len(value) < 5 or value not in refused.value.message


def test_every_converter_refuses_a_value_of_another_kind_in_both_directions() -> None:
    taken = []
    for name, converter in ALL.items():
        taken += [name for odd in ("", "?", "late", None, ["1990"], {}, float("nan")) if not refuses(converter.read, odd)]
        taken += [name for odd in ("", "?", "\u0661\u0669\u0669\u0660") if not refuses(converter.write, odd)]
    assert taken == []


def refuses(function: Callable[[Any], Any], value: Any) -> bool:
    try:
        function(value)
    except BadValue:
        return True
    return False


def test_a_year_of_two_figures_is_refused_by_every_date() -> None:
    short = ("05.03.90", "05/03/90", "90-03-05", "050390", "900305", "121990", "200103", "05 MAR 90", "90")
    dates = [each for name, each in ALL.items() if name.startswith("date-")]
    assert [(each.name, value) for each in dates for value in short if not refuses(each.read, value)] == []


def test_a_converter_of_a_zone_that_is_not_known_does_not_exist() -> None:
    for name in (
        "instant-local:Europe/Atlantis",
        "instant-local:",
        "instant-local:../../etc/passwd",
        "instant-local",
        "date-x",
    ):
        assert converter_named(name) is None, name
    assert converter_named("date-iso:Europe/Vienna") is None


@pytest.mark.parametrize("code", ["RKS", "UNK", "XXK", "XKX"])
def test_kosovo_is_read_in_every_way_documents_write_it(code: str) -> None:
    assert CONVERTERS["country-alpha3"].read(code) == "XK"
    assert CONVERTERS["country-icao"].read(code) == "XK"


def test_no_two_states_share_a_code() -> None:
    assert len(set(ALPHA3.values())) == len(ALPHA3) == 256
    assert len(set(NUMERIC.values())) == len(NUMERIC) == 251
    assert set(NUMERIC) <= set(ALPHA3)


def test_no_two_languages_share_a_code() -> None:
    assert len(set(TERMINOLOGY.values())) == len(TERMINOLOGY) == 183
