"""Limits of a partner: a bucket that fills with time, a quota that begins anew each day, and a table that says both."""

import math
from datetime import UTC, date, datetime, timedelta

import pytest

from gateway.domain.pace import UNLIMITED, Pace
from gateway.errors import PartnerInvalid
from gateway.partners.fields import Table
from gateway.partners.pace import read_pace

NOW = datetime(2026, 6, 1, 8, tzinfo=UTC)
FIVE = Pace(sent_per_second=5)


def read(**values: object) -> Pace:
    return read_pace(Table(values, "xx/partner.toml: pace", PartnerInvalid))


def test_without_a_limit_nothing_is_counted() -> None:
    assert not UNLIMITED.limits_sending
    assert UNLIMITED.tokens(None, None, NOW) == math.inf
    assert UNLIMITED.left_today(NOW.date(), 10**9, NOW.date()) == math.inf


def test_bucket_begins_full_with_one_second_of_messages() -> None:
    assert FIVE.tokens(None, None, NOW) == 5


def test_bucket_fills_with_time_and_not_beyond_one_second() -> None:
    assert FIVE.tokens(0.0, NOW, NOW + timedelta(milliseconds=500)) == 2.5
    assert FIVE.tokens(0.0, NOW, NOW + timedelta(hours=1)) == 5


def test_clock_that_went_back_takes_nothing_out_of_the_bucket() -> None:
    assert FIVE.tokens(2.0, NOW, NOW - timedelta(hours=1)) == 2


def test_slow_partner_gets_one_message_once_it_has_saved_for_it() -> None:
    slow = Pace(sent_per_second=0.1)
    assert slow.tokens(None, None, NOW) == 1
    assert slow.tokens(0.0, NOW, NOW + timedelta(seconds=9)) < 1
    assert slow.tokens(0.0, NOW, NOW + timedelta(seconds=10)) == 1


def test_quota_begins_anew_each_day() -> None:
    quota, today = Pace(sent_per_day=10), date(2026, 6, 1)
    assert quota.left_today(today, 7, today) == 3
    assert quota.left_today(today, 12, today) == 0
    assert quota.left_today(today - timedelta(days=1), 10, today) == 10


def test_table_names_all_limits() -> None:
    assert read(sent_per_second=0.5, sent_per_day=1000, taken_per_minute=60) == Pace(
        sent_per_second=0.5, sent_per_day=1000, taken_per_minute=60
    )
    assert read() == UNLIMITED


@pytest.mark.parametrize(
    "values",
    [
        {"sent_per_second": 0},
        {"sent_per_second": -1},
        {"sent_per_second": True},
        {"sent_per_second": "5"},
        {"sent_per_second": math.inf},
        {"sent_per_second": math.nan},
        {"sent_per_day": 0},
        {"sent_per_day": 1.5},
        {"sent_per_day": True},
        {"taken_per_minute": -1},
        {"per_day": 5},
    ],
)
def test_table_that_says_no_limit_is_refused_by_file(values) -> None:
    with pytest.raises(PartnerInvalid, match="xx/partner"):
        read(**values)
