"""Dates of the Gregorian calendar in figures, in every order and with every mark that was seen.

A date may be partial: the year, or year and month. Four styles of each order:

- plain: leading zeros; a partial date leaves out what is not known ("03.1990", "1990");
- `-short`: no leading zeros; reads them;
- `-zeros`: what is not known stands as 00 ("00.03.1990", "00.00.1990");
- `-full`: a whole date or nothing: a partial one is refused.

A year of two figures is refused everywhere: which century it means is a guess. Without a mark ("-compact") six figures
could be such a year or a month and a year, so year and month travel in the style `-zeros` alone.
"""

import re
from collections.abc import Iterator
from datetime import date

from gateway.errors import BadValue
from gateway.wire.converters.converter import Converter, Read, Write, text_of

_ISO = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")
_LETTERS = {"d": "DD", "m": "MM", "y": "YYYY"}
_SHORT_LETTERS = {"d": "D", "m": "M", "y": "YYYY"}
_FULL = len("YYYY-MM-DD")

# name, order, mark between, mark at the end
_ORDERS = (
    ("date-iso", "ymd", "-", ""),
    ("date-ymd-slash", "ymd", "/", ""),
    ("date-ymd-dot", "ymd", ".", ""),
    ("date-ymd-compact", "ymd", "", ""),
    ("date-dmy", "dmy", ".", ""),
    ("date-dmy-dot-end", "dmy", ".", "."),
    ("date-dmy-slash", "dmy", "/", ""),
    ("date-dmy-dash", "dmy", "-", ""),
    ("date-dmy-space", "dmy", " ", ""),
    ("date-dmy-compact", "dmy", "", ""),
    ("date-mdy", "mdy", "/", ""),
    ("date-mdy-dash", "mdy", "-", ""),
    ("date-mdy-dot", "mdy", ".", ""),
    ("date-mdy-compact", "mdy", "", ""),
)


def real_date(iso: str, form: str) -> str:
    """Return `iso` (YYYY, YYYY-MM or YYYY-MM-DD) if there is such a day, month or year."""
    try:
        date.fromisoformat(iso if len(iso) == _FULL else iso + "-01-01"[len(iso) - 4 :])
    except ValueError as error:
        raise BadValue(f"is no date of the calendar written as {form}") from error
    return iso


def parts_of(canonical: str) -> tuple[str, str | None, str | None]:
    """Return year, month and day of a canonical date; raises `BadValue` for anything else."""
    match = _ISO.fullmatch(canonical.strip())
    if match is None:
        raise BadValue("is not a canonical date")
    real_date(match[0], "YYYY-MM-DD")
    year, month, day = match.groups()
    return year, month, day


def _reader(order: str, mark: str, end: str, form: str, style: str) -> Read:
    size = "{1,2}" if style == "-short" else "{2}"
    digits = {"d": f"([0-9]{size})", "m": f"([0-9]{size})", "y": "([0-9]{4})"}
    partial = [order.replace("d", ""), "y"] if mark else ["y"]
    orders = [order] if style in {"-zeros", "-full"} else [order, *partial]
    patterns = [(re.compile(re.escape(mark).join(digits[part] for part in parts) + re.escape(end)), parts) for parts in orders]

    def read(value: object) -> str:
        text = text_of(value, form)
        for pattern, parts in patterns:
            if match := pattern.fullmatch(text):
                found = dict(zip(parts, match.groups(), strict=True))
                if style == "-zeros":
                    found = _known(found, form)
                return real_date("-".join(found[part].zfill(2) for part in "ymd" if part in found), form)
        raise BadValue(f"is not written as {form}")

    return read


def _known(found: dict[str, str], form: str) -> dict[str, str]:
    """Leave out what stands as 00. Raises `BadValue` for a day of an unknown month."""
    if found["m"] == "00" and found["d"] != "00":
        raise BadValue(f"names a day of an unknown month; a date is written as {form}")
    return {part: digits for part, digits in found.items() if digits != "00"}


def _writer(order: str, mark: str, end: str, form: str, style: str) -> Write:
    def write(value: str) -> str:
        year, month, day = parts_of(value)
        if style == "-full" and day is None:
            raise BadValue(f"is not a whole date, and {form} has no place for a partial one")
        if style == "-zeros":
            month, day = month or "00", day or "00"
        elif not mark and month is not None and day is None:
            raise BadValue(f"is year and month, and {form} has no place for that")
        found = {"y": year, "m": month, "d": day}
        if style == "-short":
            found = {part: digits if part == "y" or digits is None else digits.lstrip("0") for part, digits in found.items()}
        return mark.join(part for key in order if (part := found[key])) + end

    return write


def _converters() -> Iterator[Converter]:
    notes = {
        "": "(or without day, or the year alone)",
        "-short": "(or without day, or the year alone)",
        "-zeros": "(00 for a day or month that is not known)",
        "-full": "(whole dates only)",
    }
    for name, order, mark, end in _ORDERS:
        for style, note in notes.items():
            if style == "-short" and not mark:
                continue  # without a mark nobody can tell 1.11. from 11.1.
            letters = _SHORT_LETTERS if style == "-short" else _LETTERS
            if not style and not mark:
                note = "(or the year alone)"  # noqa: PLW2901 - this form's own
            form = f"{mark.join(letters[part] for part in order)}{end} {note}"
            canonical = "1990-03" if style == "-zeros" else "1990-03-05"
            write = _writer(order, mark, end, form, style)
            yield Converter(
                name=f"{name}{style}",
                form=form,
                example=(canonical, write(canonical)),
                read=_reader(order, mark, end, form, style),
                write=write,
            )


DATES = tuple(_converters())
