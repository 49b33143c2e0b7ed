"""Several fields of the partner that are one canonical value: day, month and year; series and number; date and time."""

import re
from collections.abc import Iterator

from gateway.errors import BadValue
from gateway.wire.converters.converter import GroupConverter, Member, Values
from gateway.wire.converters.dates import parts_of, real_date

_ONE = (Member(path="."),)


def _clean(values: Values) -> list[str | None]:
    return [(value or "").strip() or None for value in values]


def _read_date(values: Values) -> Values:
    day, month, year = _clean(values)
    if year is None or (month is None and day is not None):
        raise BadValue("is not a date in the fields day, month and year, of which the day, or day and month, may be missing")
    if not re.fullmatch("[0-9]{4}", year) or not all(re.fullmatch("[0-9]{1,2}", part) for part in (day, month) if part):
        raise BadValue("is not a date in figures, the year with four")
    return (real_date("-".join(part.zfill(2) for part in (year, month, day) if part), "day, month and year"),)


def _write_date(values: Values) -> tuple[Values, frozenset[str]]:
    year, month, day = parts_of(values[0])
    return (day, month, year), frozenset()


def _write_short(values: Values) -> tuple[Values, frozenset[str]]:
    year, month, day = parts_of(values[0])
    return (day and day.lstrip("0"), month and month.lstrip("0"), year), frozenset()


def _dates() -> Iterator[GroupConverter]:
    here, form = ("day", "month", "year"), "day, month and year in fields of their own"
    for name, note, write, example, numbers in (
        ("date-in-fields", "with leading zeros", _write_date, ("05", "03", "1990"), False),
        ("date-in-fields-short", "without leading zeros", _write_short, ("5", "3", "1990"), False),
        ("date-in-fields-numbers", "numbers", _write_short, (5, 3, 1990), True),
    ):
        yield GroupConverter(
            name=name,
            form=f"{form}, {note}",
            here=here,
            canonical=_ONE,
            example=(("1990-03-05",), example),
            read=_read_date,
            write=write,
            numbers=numbers,
        )


def _two(name: str, form: str, here: tuple[str, str], example: tuple[str, str, str], mark: str, pattern: str) -> GroupConverter:
    """Return the converter of two fields that are one value with `mark` between them; `pattern` takes the value apart."""
    matcher = re.compile(pattern, re.ASCII)

    def read(values: Values) -> Values:
        first, second = _clean(values)
        joined = f"{first or ''}{mark}{second or ''}"
        match = matcher.fullmatch(joined)
        if match is None or match.groups() != (first, second):
            raise BadValue(f"is not {form}")
        return (joined,)

    def write(values: Values) -> tuple[Values, frozenset[str]]:
        match = matcher.fullmatch(values[0].strip())
        if match is None:
            raise BadValue(f"cannot be written as {form}")
        return match.groups(), frozenset()

    return GroupConverter(
        name=name,
        form=form,
        here=here,
        canonical=_ONE,
        example=((example[0],), example[1:]),
        read=read,
        write=write,
    )


FIELDS = (
    *_dates(),
    _two(
        "number-series",
        "letters of the series, and figures",
        ("series", "number"),
        ("AB0000001", "AB", "0000001"),
        "",
        r"([A-Z]+)(\d+)",
    ),
    _two(
        "number-series-space",
        "series and number, with a space between them in the whole",
        ("series", "number"),
        ("AB 0000001", "AB", "0000001"),
        " ",
        r"([^\s]+) ([^\s]+)",
    ),
    _two(
        "instant-date-time",
        "date (YYYY-MM-DD) and time (hh:mm:ssZ), in UTC",
        ("date", "time"),
        ("2026-06-01T08:15:00Z", "2026-06-01", "08:15:00Z"),
        "T",
        r"(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?Z)",
    ),
)
