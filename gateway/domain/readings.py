"""The readings of a limit: what it would be if a feast moved, or if a word of the text meant something else.

A feast that hangs on the moon may come a day earlier or later than its estimate. A treaty's word for a working day may
include Saturday. Neither is ours to decide: every reading is counted, and the earliest and the latest end are shown.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import product

from gateway.domain.calendars import ONE_DAY, Calendar, moved, with_saturdays
from gateway.domain.limits import Direction, EndRule, Limit, Unit

MOST_FEASTS = 4  # in one limit; 3 ways each. A limit that spans more is years long, and its end hangs on the last ones


Feast = tuple[Calendar, tuple[date, ...]]  # an estimated feast: its calendar and its run of days


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One way to read a limit: the calendars as they are then."""

    acting: Calendar
    counting: tuple[Calendar, ...]
    why: str = ""
    feasts: tuple[Feast, ...] = ()  # those that come on another day


def readings(row: Limit, plain: Reading, start_on: date, earliest: date, latest: date) -> tuple[Reading, ...]:
    """Return the other readings of a limit; none where no doubt touches its end.

    `earliest` is the earliest last day found so far, `latest` the latest end after rolling.
    """
    if not row.saturday_may_count and not any(calendar.shaky for calendar in (*plain.counting, plain.acting)):
        return ()
    found = list(_moved(doubtful_feasts(row, plain, start_on, earliest, latest)[-MOST_FEASTS:], plain))
    if row.saturday_may_count and row.unit is Unit.WORKING_DAYS:
        found += [
            replace(
                reading,
                counting=tuple(map(with_saturdays, reading.counting)),
                why=f"Saturday counts as a working day{', and ' if reading.why else ''}{reading.why}",
            )
            for reading in (plain, *found)
        ]
    return tuple(found)


def _moved(doubts: Sequence[Feast], plain: Reading) -> Iterator[Reading]:
    for shifts in product((0, -1, 1), repeat=len(doubts)):
        if not any(shifts):
            continue
        changed: dict[Calendar, Calendar] = {}
        said: list[str] = []
        for (calendar, feast), by in zip(doubts, shifts, strict=True):
            if by:
                changed[calendar] = moved(changed.get(calendar, calendar), feast, by)
                said.append(f"{calendar.days[feast[0]].name} comes a day {'later' if by > 0 else 'earlier'}")
        yield Reading(
            acting=changed.get(plain.acting, plain.acting),
            counting=tuple(changed.get(calendar, calendar) for calendar in plain.counting),
            why=", and ".join(said),
            feasts=tuple(doubt for doubt, by in zip(doubts, shifts, strict=True) if by),
        )


def doubtful_feasts(row: Limit, plain: Reading, start_on: date, earliest: date, latest: date) -> list[Feast]:
    """Return the estimated feasts that could move the end, the one nearest to it last.

    A feast matters where working days are counted, and around an end that rolls; not inside calendar days.
    """
    back = row.direction is Direction.BEFORE
    found: list[Feast] = []
    for calendar in dict.fromkeys((*plain.counting, plain.acting)):
        if calendar in plain.counting:
            first, last = min(start_on, earliest), max(start_on, latest)
        elif back or row.end is EndRule.LITERAL:
            continue  # nothing rolls
        else:
            first, last = earliest, latest
        found += [(calendar, feast) for feast in calendar.feasts(first - ONE_DAY, last + ONE_DAY)]
    return sorted(found, key=lambda doubt: doubt[1], reverse=back)
