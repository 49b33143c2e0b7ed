"""Named converters, both directions, with what each refuses."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import BadValue
from gateway.wire.converters import CONVERTERS
from gateway.wire.countries import ALPHA3

BOTH_WAYS = [
    ("date-iso", "1990-03-05", "1990-03-05"),
    ("date-iso", "1990-03", "1990-03"),
    ("date-dmy", "1990-03-05", "05.03.1990"),
    ("date-dmy", "1990-03", "03.1990"),
    ("date-dmy", "1990", "1990"),
    ("date-dmy-slash", "1990-03-05", "05/03/1990"),
    ("date-dmy-slash", "1990-03", "03/1990"),
    ("date-dmy-dash", "1990-03-05", "05-03-1990"),
    ("date-mdy", "1990-03-05", "03/05/1990"),
    ("date-mdy", "1990-03", "03/1990"),
    ("date-ymd-slash", "1990-03-05", "1990/03/05"),
    ("date-ymd-slash", "1990-03", "1990/03"),
    ("instant-iso", "2026-06-01T08:15:00Z", "2026-06-01T08:15:00Z"),
    ("instant-offset", "2026-06-01T08:15:00.250Z", "2026-06-01T08:15:00.250+00:00"),
    ("integer", "182", 182),
    ("integer", "0", 0),
    ("boolean", "true", True),
    ("boolean", "false", False),
    ("digits-cnic", "3520212345671", "35202-1234567-1"),
    ("case-reference-grouped", "ABCDEFGH234567ABCDEFGHIJKL", "ABCD-EFGH-2345-67AB-CDEF-GHIJ-KL"),
    ("country-alpha3", "BA", "BIH"),
    ("country-alpha3", "XK", "XKX"),
    ("country-alpha3", "YU", "YUG"),
    ("country-alpha3", "stateless", "XXA"),
    ("country-alpha3", "unknown", "XXX"),
]

CANNOT_READ: list[tuple[str, Any]] = [
    ("date-iso", "05.03.1990"),
    ("date-dmy", "5.3.1990"),
    ("date-dmy", "31.02.1990"),
    ("date-dmy", "13.1990"),
    ("date-dmy", "00.03.1990"),
    ("date-dmy", "0000"),
    ("date-dmy", "05.03.90"),
    ("date-dmy", "05.03.1990."),
    ("date-dmy", "05/03/1990"),
    ("date-dmy", ""),
    ("date-dmy", 1990),
    ("date-dmy", "\u0660\u0665.\u0660\u0663.\u0661\u0669\u0669\u0660"),
    ("date-dmy-slash", "05.03.1990"),
    ("date-dmy-dash", "1990-03-05"),
    ("date-mdy", "13/05/1990"),
    ("date-ymd-slash", "1990/13"),
    ("instant-iso", "2026-06-01T10:15:00+02:00"),
    ("instant-iso", "2026-06-01"),
    ("instant-iso", "2026-13-01T10:15:00Z"),
    ("instant-iso", None),
    ("instant-offset", "2026-06-01T10:15:00"),
    ("instant-offset", "0001-01-01T00:15:00+01:00"),
    ("integer", "182"),
    ("integer", 1.5),
    ("integer", True),
    ("boolean", "yes"),
    ("boolean", 1),
    ("digits-cnic", "3520212345671"),
    ("digits-cnic", "35202-1234567"),
    ("case-reference-grouped", "ABCDEFGH234567ABCDEFGHIJKL"),
    ("case-reference-grouped", "ABCD-EFGH"),
    ("case-reference-grouped", "ABC-DEFG-HIJK-LMNO-PQRS"),
    ("country-alpha3", "BA"),
    ("country-alpha3", "bih"),
    ("country-alpha3", "ZZZ"),
    ("country-alpha3", 70),
]

CANNOT_WRITE = [
    ("date-dmy", "1990/03/05"),
    ("date-dmy", "late"),
    ("instant-offset", "2026-06-01T10:15:00+02:00"),
    ("integer", "a hundred"),
    ("boolean", "yes"),
    ("digits-cnic", "35202-1234567-1"),
    ("case-reference-grouped", "abcd"),
    ("country-alpha3", "ZZ"),
]


@pytest.mark.parametrize(("name", "canonical", "here"), BOTH_WAYS)
def test_a_value_reads_to_its_canonical_form(name: str, canonical: str, here: Any) -> None:
    assert CONVERTERS[name].read(here) == canonical


@pytest.mark.parametrize(("name", "canonical", "here"), BOTH_WAYS)
def test_a_canonical_value_is_written_in_the_partners_form(name: str, canonical: str, here: Any) -> None:
    written = CONVERTERS[name].write(canonical)
    assert (written, type(written)) == (here, type(here))


@pytest.mark.parametrize(("name", "value"), CANNOT_READ)
def test_a_value_that_is_not_in_the_form_is_refused(name: str, value: Any) -> None:
    with pytest.raises(BadValue) as refused:
        CONVERTERS[name].read(value)
    assert not value or str(value) not in refused.value.message


@pytest.mark.parametrize(("name", "value"), CANNOT_WRITE)
def test_a_value_that_is_not_canonical_is_refused(name: str, value: str) -> None:
    with pytest.raises(BadValue) as refused:
        CONVERTERS[name].write(value)
    assert value not in refused.value.message


def test_every_converter_is_tried_in_both_directions_and_refused() -> None:
    assert {name for name, _, _ in BOTH_WAYS} == set(CONVERTERS)
    assert {name for name, _ in CANNOT_READ} == set(CONVERTERS)


@pytest.mark.parametrize("name", [name for name in CONVERTERS if name.startswith("date-")])
@given(day=st.dates(), length=st.sampled_from([4, 7, 10]))
def test_every_date_full_or_partial_comes_back_from_every_form(name: str, day: Any, length: int) -> None:
    canonical = day.isoformat()[:length]
    assert CONVERTERS[name].read(CONVERTERS[name].write(canonical)) == canonical


def test_an_instant_with_any_offset_is_read_as_utc() -> None:
    assert CONVERTERS["instant-offset"].read("2026-06-01T00:15:00.5+02:00") == "2026-05-31T22:15:00.5Z"


def test_the_other_spellings_of_a_canonical_boolean_are_written() -> None:
    assert [CONVERTERS["boolean"].write(text) for text in ("1", "0")] == [True, False]


@pytest.mark.parametrize("code", ["RKS", "UNK", "XXK", "XKX"])
def test_kosovo_is_read_in_every_way_documents_write_it(code: str) -> None:
    assert CONVERTERS["country-alpha3"].read(code) == "XK"


def test_no_two_states_share_a_code() -> None:
    assert len(set(ALPHA3.values())) == len(ALPHA3) == 256
