"""Identifiers of messages and cases."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.identity import new_case_reference, new_message_id

NOW = datetime(2026, 6, 1, 8, 15, 0, 123_000, tzinfo=UTC)
YEARS = timedelta(days=3650)  # most by which a later instant is later; the calendar ends with 9999
instants = st.datetimes(
    min_value=datetime(1970, 1, 2),  # noqa: DTZ001
    max_value=datetime(9999, 1, 1) - YEARS,  # noqa: DTZ001
    timezones=st.just(UTC),
)


@given(now=instants)
def test_message_id_has_the_layout_of_a_uuid_of_version_7(now: datetime) -> None:
    found = UUID(new_message_id(now))

    assert found.version == 7
    assert found.variant == RFC_4122


@given(now=instants)
def test_message_id_begins_with_the_milliseconds_of_its_instant(now: datetime) -> None:
    assert UUID(new_message_id(now)).int >> 80 == int(now.timestamp() * 1000)


@given(now=instants, later=st.timedeltas(min_value=timedelta(milliseconds=2), max_value=YEARS))
def test_later_message_id_sorts_after_an_earlier_one(now: datetime, later: timedelta) -> None:
    assert new_message_id(now) < new_message_id(now + later)


def test_message_id_is_written_in_lower_case_with_hyphens() -> None:
    made = new_message_id(NOW)
    assert made == str(UUID(made))


def test_message_id_does_not_depend_on_the_zone_the_instant_is_written_in() -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=5)))
    assert new_message_id(NOW)[:13] == new_message_id(elsewhere)[:13]


@pytest.mark.parametrize("make", [lambda: new_message_id(NOW), new_case_reference], ids=["message id", "case reference"])
def test_thousand_identifiers_of_one_instant_are_all_different(make) -> None:
    assert len({make() for _ in range(1000)}) == 1000


def test_case_reference_is_26_letters_and_digits_that_cannot_be_confused() -> None:
    for _ in range(200):
        reference = new_case_reference()
        assert len(reference) == 26
        assert set(reference) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")


def test_every_place_of_a_case_reference_takes_every_character() -> None:
    references = [new_case_reference() for _ in range(1500)]
    assert [len({reference[place] for reference in references}) for place in range(26)] == [32] * 26
