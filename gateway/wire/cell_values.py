"""Numbers in the cells of a workbook as text: a whole or decimal number as it stands, a date in ISO form.

A spreadsheet keeps a date as a number of days and a style that shows it; what cannot be told for certain is refused.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from gateway.errors import BadValue
from gateway.stages import Tree
from gateway.wire.documents import WHOLE

_MAIN: Final = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_NUMBER: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
MOST_DIGITS: Final = 15  # what a spreadsheet keeps of a number
_BUILT_IN_DATES: Final = frozenset({*range(14, 18), 22, *range(27, 32), 36, *range(50, 55), 57, 58})
_BUILT_IN_TIMES: Final = frozenset({18, 19, 20, 21, 32, 33, 34, 35, 45, 46, 47, 55, 56})
_SAID: Final = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.')  # text, colours and fillings in a format
_SHOWS_DATE: Final = re.compile("[dy]", re.IGNORECASE)
_SHOWS_TIME: Final = re.compile("[hs]", re.IGNORECASE)
_DAYS_1900: Final = datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet knows no zone
_DAYS_1904: Final = datetime(1904, 1, 1)  # noqa: DTZ001
_FIRST_CERTAIN: Final = 61  # 1 March 1900: before it the numbers count a day that never was
_LAST_DAY: Final = 2_958_465  # 31 December 9999
_DAY_SECONDS: Final = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class DateStyles:
    """Which styles of a workbook show a number as a date."""

    formats: Mapping[str, str]  # number of the style -> "date", "time"
    since_1904: bool

    @classmethod
    def of(cls, styles: Tree | None, *, since_1904: bool) -> "DateStyles":
        """Read the styles of a workbook."""
        if styles is None:
            return cls(formats={}, since_1904=since_1904)
        own = {each.get("numFmtId"): each.get("formatCode", "") for each in styles.iterfind(f"{_MAIN}numFmts/{_MAIN}numFmt")}
        found: dict[str, str] = {}
        for number, style in enumerate(styles.iterfind(f"{_MAIN}cellXfs/{_MAIN}xf")):
            kind = _shows(style.get("numFmtId", "0"), own)
            if kind:
                found[str(number)] = kind
        return cls(formats=found, since_1904=since_1904)


def _shows(identifier: str, own: Mapping[str | None, str]) -> str:
    if identifier in own:
        code = _SAID.sub("", own[identifier])
        return "date" if _SHOWS_DATE.search(code) else "time" if _SHOWS_TIME.search(code) else ""
    number = int(identifier) if identifier.isascii() and identifier.isdigit() and len(identifier) < 4 else 0  # noqa: PLR2004 - built-in ones are below 164
    return "date" if number in _BUILT_IN_DATES else "time" if number in _BUILT_IN_TIMES else ""


def number_text(value: str, line: int, dates: DateStyles, style: str) -> str:
    """Return the text of a number cell. Raises `BadValue` for a number that the spreadsheet may have changed."""
    kind = dates.formats.get(style)
    if not _NUMBER.fullmatch(value) or (kind is None and len(re.sub("[^0-9]", "", value)) > MOST_DIGITS):
        words = f"a cell holds a number of more than {MOST_DIGITS} digits, which a spreadsheet changes: format the cell as text"
        raise BadValue(words, path=WHOLE, line=line)
    if kind is None:
        return value
    if kind == "time":
        raise BadValue("a cell holds a time without a date: format the cell as text", path=WHOLE, line=line)
    days = float(value)
    if not (0 if dates.since_1904 else _FIRST_CERTAIN) <= days <= _LAST_DAY:
        raise BadValue("a cell holds a date before March 1900 or after 9999: format the cell as text", path=WHOLE, line=line)
    whole = int(days)
    try:
        moment = (_DAYS_1904 if dates.since_1904 else _DAYS_1900) + timedelta(whole, round((days - whole) * _DAY_SECONDS))
    except OverflowError:
        raise BadValue("a cell holds a date after 9999: format the cell as text", path=WHOLE, line=line) from None
    return f"{moment:%Y-%m-%d}" if days == whole else f"{moment:%Y-%m-%dT%H:%M:%S}"
