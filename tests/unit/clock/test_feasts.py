"""Feasts that are only estimated."""

from datetime import date

import pytest

from gateway.domain.limits import Unit
from tests.clock_samples import MONDAY, ask, calendar, limit


def test_estimated_day_among_counted_working_days_is_told():
    shaky = calendar(estimated=(date(2026, 6, 3),))
    found = ask(limit(amount=5, unit=Unit.WORKING_DAYS), MONDAY, requested=shaky)
    assert found.estimated is True
    assert any("Wed 3 June 2026 (Feast) is an estimate" in sentence for sentence in found.explain)


def test_estimated_day_inside_calendar_days_does_not_matter():
    assert ask(limit(), MONDAY, requested=calendar(estimated=(date(2026, 6, 3),))).estimated is False


@pytest.mark.parametrize("day", [10, 11, 12])
def test_estimated_day_at_or_beside_the_end_matters(day):
    assert ask(limit(), MONDAY, requested=calendar(estimated=(date(2026, 6, day),))).estimated is True


def test_estimated_day_does_not_matter_for_hours():
    shaky = calendar(estimated=(date(2026, 6, 2),))
    assert ask(limit(amount=24, unit=Unit.HOURS), MONDAY, requested=shaky).estimated is False
