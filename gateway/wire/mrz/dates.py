"""Two-digit years: what a zone says is kept; the full date is a reading, with the rule it was made by."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

RULES: Mapping[str, str] = {
    "latest-not-in-future": "the latest year with these two digits that is not in the future",
    "nearest-to-today": "the year with these two digits within fifty years of today",
    "year-not-known": "the zone does not say the year",
    "no-date": "what stands there is no date",
}
_LONGEST_LIFE = 120  # years
_CENTURY = 100
_HALF = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class MrzDate:
    """A date as it is written, and as it can be read."""

    said: str  # YYMMDD with fillers, as it stands there
    reading: str | None  # "YYYY", "YYYY-MM" or "YYYY-MM-DD"; None when the year is not known, or this is no date
    other: str | None  # the other century, where that is possible as well
    rule: str  # a key of RULES


def birth_date(said: str, today: date) -> MrzDate:
    """Read a date of birth: the latest century in which it does not lie after `today`.

    Of somebody who may be over a hundred both readings are given; which holds is for a human to say.
    """
    return _read(said, today, "latest-not-in-future")


def expiry_date(said: str, today: date) -> MrzDate:
    """Read a date of expiry: the century in which it lies within fifty years of `today`."""
    return _read(said, today, "nearest-to-today")


def _read(said: str, today: date, rule: str) -> MrzDate:
    year, month, day = (said[place : place + 2] for place in (0, 2, 4))
    if year == "<<":
        return MrzDate(said=said, reading=None, other=None, rule="year-not-known")
    if not _fits(year, month, day):
        return MrzDate(said=said, reading=None, other=None, rule="no-date")
    first = today.year - today.year % _CENTURY + int(year)  # in the century of today
    candidates = [one for one in (first + _CENTURY, first, first - _CENTURY) if _real(one, month, day)]
    if rule == "nearest-to-today":
        chosen = next((one for one in candidates if abs(one - today.year) <= _HALF), None)
        return _dated(said, chosen, None, month, day, rule)
    past = [one for one in candidates if _starts(one, month, day) <= today]
    older = [one for one in past[1:] if today.year - one <= _LONGEST_LIFE]
    return _dated(said, past[0] if past else None, older[0] if older else None, month, day, rule)


def _dated(said: str, year: int | None, other: int | None, month: str, day: str, rule: str) -> MrzDate:
    if year is None:
        return MrzDate(said=said, reading=None, other=None, rule="no-date")
    return MrzDate(said=said, reading=_text(year, month, day), other=_text(other, month, day) if other else None, rule=rule)


def _fits(year: str, month: str, day: str) -> bool:
    """Whether the parts are figures, or fillers from the month or the day on."""
    known = [part for part in (month, day) if part != "<<"]
    return year.isdigit() and all(part.isdigit() for part in known) and not (month == "<<" and day != "<<")


def _starts(year: int, month: str, day: str) -> date:
    """Return the first day that the date may mean."""
    return date(year, int(month) if month.isdigit() else 1, int(day) if day.isdigit() else 1)


def _real(year: int, month: str, day: str) -> bool:
    try:
        _starts(year, month, day)
    except ValueError:
        return False
    return True


def _text(year: int, month: str, day: str) -> str:
    return "-".join((str(year), *(part for part in (month, day) if part != "<<")))
