"""Which end counts where the text says so, and what may be relied on when."""

from datetime import UTC, date, datetime

import pytest

from gateway.domain.answers import ExtensionAsked
from gateway.domain.limits import Actor, Direction, EndRule, Extension, ExtensionKind, Unit
from tests.clock_samples import MONDAY, ask, calendar, dates, instant, june, limit

WEDNESDAY = "2026-06-03T10:15:00+02:00"  # ten days end on Saturday the 13th
OPEN = limit()
LITERAL = limit(end=EndRule.LITERAL, end_source="Art. 1(2)")
ROLLED = limit(end=EndRule.ROLLED, end_source="Art. 1(3)")


@pytest.mark.parametrize(
    ("row", "ends"),
    [(OPEN, (june(13), june(15))), (LITERAL, (june(13), june(13))), (ROLLED, (june(15), june(15)))],
)
def test_end_on_a_rest_day_is_the_one_that_the_text_fixes(row, ends):
    assert dates(ask(row, WEDNESDAY)) == ends


@pytest.mark.parametrize("row", [OPEN, LITERAL, ROLLED])
def test_end_on_a_working_day_is_the_same_by_every_rule(row):
    assert dates(ask(row, MONDAY)) == (june(11), june(11))


@pytest.mark.parametrize(("row", "day"), [(OPEN, 15), (LITERAL, 13), (ROLLED, 15)])
def test_silence_may_be_relied_on_only_after_the_last_end(row, day):
    assert ask(row, WEDNESDAY).lapses_at == datetime(2026, 6, day, 22, tzinfo=UTC)


def test_literal_end_needs_no_calendar_beyond_its_day():
    short = calendar(known_until=june(13))
    assert dates(ask(LITERAL, WEDNESDAY, requested=short)) == (june(13), june(13))
    assert ask(ROLLED, WEDNESDAY, requested=short).known is False


def test_rolled_working_days_end_on_a_working_day_of_the_side_that_acts():
    row = limit(amount=1, unit=Unit.WORKING_DAYS, end=EndRule.ROLLED, calendar="requesting")
    assert dates(ask(row, MONDAY, requested=calendar("RS", "Europe/Belgrade", june(2)))) == (june(3), june(3))


@pytest.mark.parametrize("end", list(EndRule))
def test_end_counted_backward_moves_by_no_rule(end):
    row = limit(amount=3, direction=Direction.BEFORE, end=end)
    assert dates(ask(row, MONDAY, planned=june(10))) == (june(7), june(7))


@pytest.mark.parametrize("end", list(EndRule))
def test_end_in_hours_moves_by_no_rule(end):
    found = ask(limit(amount=48, unit=Unit.HOURS, end=end), "2026-06-05T10:15:00+02:00")
    assert dates(found) == (june(7), june(7))


# --- with an extension ----------------------------------------------------------------------------------------------

SIX = Extension(kind=ExtensionKind.INCREMENT, days=6, who=Actor.REQUESTED, article="Art. 10(3)")


@pytest.mark.parametrize(
    ("end", "days", "ends"),
    [
        (EndRule.OPEN, 6, (june(19), june(19))),
        (EndRule.LITERAL, 6, (june(19), june(19))),
        (EndRule.ROLLED, 6, (june(19), june(19))),  # 16 days in all, not 6 after the Monday
        (EndRule.ROLLED, 1, (june(15), june(15))),
        (EndRule.LITERAL, 1, (june(14), june(14))),
        (EndRule.OPEN, 1, (june(14), june(15))),
    ],
)
def test_extension_is_added_to_the_last_day_as_counted(end, days, ends):
    more = ExtensionAsked(at=instant("2026-06-10T12:00:00+02:00"), days=days)
    assert dates(ask(limit(end=end, extension=SIX), WEDNESDAY, extension=more)) == ends


def test_extension_may_be_asked_for_until_the_end_that_the_text_fixes():
    sunday = ExtensionAsked(at=instant("2026-06-14T12:00:00+02:00"), days=6)
    assert dates(ask(limit(end=EndRule.ROLLED, extension=SIX), WEDNESDAY, extension=sunday)) == (june(19), june(19))
    late = ask(limit(end=EndRule.LITERAL, extension=SIX), WEDNESDAY, extension=sunday)
    assert (late.extension.granted, dates(late)) == (False, (june(13), june(13)))


# --- what is told ---------------------------------------------------------------------------------------------------


def test_end_that_moves_is_told_with_its_source():
    explain = ask(ROLLED, WEDNESDAY).explain
    assert "The text says that an end on a rest day moves to the next working day: Art. 1(3)." in explain
    assert "End: Mon 15 June 2026, 24:00 in Europe/Belgrade = 2026-06-15T22:00:00Z." in explain
    assert "Every day counts: day 1 is Thu 4 June 2026, day 10 is Sat 13 June 2026." in explain


def test_end_that_does_not_move_is_told_with_its_source():
    explain = ask(LITERAL, WEDNESDAY).explain
    assert "The text says that an end on a rest day does not move: Art. 1(2)." in explain
    assert not any("The text does not say which end counts" in sentence for sentence in explain)


def test_open_end_is_told_as_open():
    explain = ask(OPEN, WEDNESDAY).explain
    assert (
        "The text does not say which end counts: act by the literal end; rely on silence only after the rolled end." in explain
    )
    assert "Rolled end, on a working day in RS: Mon 15 June 2026, 24:00 in Europe/Belgrade = 2026-06-15T22:00:00Z." in explain


def test_month_that_rolls_is_told_with_its_own_last_day():
    row = limit(amount=3, unit=Unit.MONTHS, end=EndRule.ROLLED, end_source="Art. 1")
    found = ask(row, "2026-11-30T12:00:00+01:00")
    assert dates(found) == (date(2027, 3, 1), date(2027, 3, 1))
    assert any("end on Sun 28 February 2027" in sentence for sentence in found.explain)
