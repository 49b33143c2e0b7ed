"""Dates of other calendars: Hijri (Umm al-Qura) and Persian solar.

Whole dates only. A year of these calendars, or a month, lies in two Gregorian ones: which one is meant is a guess, so a
partial date is refused in both directions. The Hijri tables reach from 1343 to 1500 (1924-08-01 to 2077-11-16).
Figures of the Arabic script are read; those of ASCII are written.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date

from gateway.errors import BadValue
from gateway.wire.converters.converter import Converter, text_of

_FIGURES = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "01234567890123456789")
_FORMS = (
    ("ymd", "ymd", "-"),
    ("ymd-slash", "ymd", "/"),
    ("dmy", "dmy", "."),
    ("dmy-slash", "dmy", "/"),
    ("dmy-dash", "dmy", "-"),
)


def _from_hijri(year: int, month: int, day: int) -> date:
    from hijridate import Hijri  # noqa: PLC0415  # few partners write such dates

    return Hijri(year, month, day).to_gregorian()


def _to_hijri(day: date) -> tuple[int, int, int]:
    from hijridate import Gregorian  # noqa: PLC0415  # same

    return Gregorian.fromdate(day).to_hijri().datetuple()


def _from_persian(year: int, month: int, day: int) -> date:
    import jdatetime  # noqa: PLC0415  # same

    gregorian: date = jdatetime.date(year, month, day).togregorian()
    return gregorian


def _to_persian(day: date) -> tuple[int, int, int]:
    import jdatetime  # noqa: PLC0415  # same

    there = jdatetime.date.fromgregorian(date=day)
    return there.year, there.month, there.day


_EXAMPLE = "1990-09-07"
# By name: how people call it, both ways, and what the example is there.
_CALENDARS: dict[str, tuple[str, Callable[[int, int, int], date], Callable[[date], tuple[int, int, int]], dict[str, str]]] = {
    "hijri": ("Hijri, Umm al-Qura", _from_hijri, _to_hijri, {"y": "1411", "m": "02", "d": "18"}),
    "persian": ("Persian solar", _from_persian, _to_persian, {"y": "1369", "m": "06", "d": "16"}),
}


def _converter(calendar: str, name: str, order: str, mark: str) -> Converter:
    words, there, back, known = _CALENDARS[calendar]
    letters = {"d": "DD", "m": "MM", "y": "YYYY"}
    form = f"{mark.join(letters[part] for part in order)} of the calendar {words} (whole dates only)"
    size = {"d": "([0-9]{2})", "m": "([0-9]{2})", "y": "([0-9]{4})"}
    pattern = re.compile(re.escape(mark).join(size[part] for part in order))

    def read(value: object) -> str:
        match = pattern.fullmatch(text_of(value, form).translate(_FIGURES))
        if match is None:
            raise BadValue(f"is not written as {form}; a partial date would be one of two Gregorian ones")
        found = dict(zip(order, map(int, match.groups()), strict=True))
        try:
            return there(found["y"], found["m"], found["d"]).isoformat()
        except (ValueError, OverflowError) as error:
            raise BadValue(f"is no date that is known of the calendar {words}") from error

    def write(value: str) -> str:
        try:
            year, month, day = back(date.fromisoformat(value.strip()))
        except (ValueError, OverflowError) as error:
            raise BadValue(f"is no whole date that is known of the calendar {words}") from error
        found = {"y": f"{year:04}", "m": f"{month:02}", "d": f"{day:02}"}
        return mark.join(found[part] for part in order)

    example = _EXAMPLE, mark.join(known[part] for part in order)
    return Converter(name=f"date-{calendar}-{name}", form=form, example=example, read=read, write=write)


def _converters() -> Iterator[Converter]:
    for calendar in _CALENDARS:
        for name, order, mark in _FORMS:
            yield _converter(calendar, name, order, mark)


CALENDARS = tuple(_converters())
