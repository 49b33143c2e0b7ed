"""The machine readable zone of a document: read, check digits checked, and written. ICAO Doc 9303, 8th edition.

TD1 (cards, part 5), TD2 (part 6), TD3 (passports, part 4), MRV-A and MRV-B (visas, part 7). A wrong check digit is told and
nothing is refused for it: people copy by hand, and scanners misread. What is no machine readable zone is refused.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

from gateway.errors import MrzInvalid
from gateway.wire.countries import ALPHA3, ALSO_READ

Kind: TypeAlias = Literal["TD1", "TD2", "TD3", "MRV-A", "MRV-B"]

FILLER = "<"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_VALUES = {FILLER: 0} | {sign: number for number, sign in enumerate("0123456789" + _LETTERS)}
_WEIGHTS = (7, 3, 1)
_MOST_SIGNS = 400  # of what a person may paste, spaces and line ends counted

# States as documents write them (part 3, section 5): Germany by one letter; several marks stand for no state.
_STATES: Mapping[str, str] = {
    **{three: two for two, three in ALPHA3.items()},
    **ALSO_READ,
    "D": "DE",
    "XXA": "stateless",
    "XXB": "stateless",  # refugee under the Convention of 1951: the document names no nationality
    "XXC": "stateless",  # refugee otherwise
    "XXX": "unknown",
}


@dataclass(frozen=True, slots=True)
class _At:
    """A field: line and columns, both from 0, the end not included."""

    line: int
    start: int
    end: int

    def of(self, lines: tuple[str, ...]) -> str:
        return lines[self.line][self.start : self.end]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """Where the fields of one kind stand."""

    kind: Kind
    lines: int
    width: int
    code: _At
    issuer: _At
    name: _At
    number: _At
    nationality: _At
    birth: _At
    sex: _At
    expiry: _At
    optional: tuple[_At, ...]
    optional_checked: bool = False  # the optional data have a check digit behind them
    composite: tuple[_At, ...] = ()  # what the last check digit is over; none on visas
    composite_at: _At | None = None


_TD1 = _Layout(
    kind="TD1",
    lines=3,
    width=30,
    code=_At(0, 0, 2),
    issuer=_At(0, 2, 5),
    number=_At(0, 5, 14),
    birth=_At(1, 0, 6),
    sex=_At(1, 7, 8),
    expiry=_At(1, 8, 14),
    nationality=_At(1, 15, 18),
    name=_At(2, 0, 30),
    optional=(_At(0, 15, 30), _At(1, 18, 29)),
    composite=(_At(0, 5, 30), _At(1, 0, 7), _At(1, 8, 15), _At(1, 18, 29)),
    composite_at=_At(1, 29, 30),
)


def _two_lines(kind: Kind, width: int, optional: int, *, composite: bool, optional_checked: bool = False) -> _Layout:
    """Return a layout of two lines; they differ in width and in what stands behind the date of expiry."""
    return _Layout(
        kind=kind,
        lines=2,
        width=width,
        code=_At(0, 0, 2),
        issuer=_At(0, 2, 5),
        name=_At(0, 5, width),
        number=_At(1, 0, 9),
        nationality=_At(1, 10, 13),
        birth=_At(1, 13, 19),
        sex=_At(1, 20, 21),
        expiry=_At(1, 21, 27),
        optional=(_At(1, 28, 28 + optional),),
        optional_checked=optional_checked,
        composite=(_At(1, 0, 10), _At(1, 13, 20), _At(1, 21, width - 1)) if composite else (),
        composite_at=_At(1, width - 1, width) if composite else None,
    )


_TD2 = _two_lines("TD2", 36, 7, composite=True)
_TD3 = _two_lines("TD3", 44, 14, composite=True, optional_checked=True)
_MRV_A = _two_lines("MRV-A", 44, 16, composite=False)
_MRV_B = _two_lines("MRV-B", 36, 8, composite=False)
_LAYOUTS: Mapping[Kind, _Layout] = {each.kind: each for each in (_TD1, _TD2, _TD3, _MRV_A, _MRV_B)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check digit."""

    field: str  # "number", "birth", "expiry", "optional", "composite"
    line: int  # from 1
    column: int  # from 1
    ok: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Mrz:
    """What a machine readable zone says. Texts are as it writes them, without fillers."""

    kind: Kind
    document: str  # "P", "PM", "ID", "V"
    issuer: str  # "UTO", "D"
    family: str  # primary identifier: "ERIKSSON"
    given: str  # secondary identifier: "ANNA MARIA"; "" where there is none
    name_may_be_cut: bool  # the name fills its field to the last place
    number: str
    nationality: str  # "UTO"
    birth: str  # YYMMDD, an unknown part as "<<"
    sex: str  # "F", "M", "X"; "" where it is not stated
    expiry: str  # YYMMDD; "" where the document has no end
    optional: tuple[str, ...]
    checks: tuple[Check, ...]

    @property
    def failed(self) -> tuple[Check, ...]:
        """Return the check digits that are wrong."""
        return tuple(each for each in self.checks if not each.ok)

    @property
    def nationality_state(self) -> str | None:
        """Return the nationality as the canonical message writes it; None for a mark that is no state's."""
        return _STATES.get(self.nationality)

    @property
    def issuing_state(self) -> str | None:
        """Return the issuing state as the canonical message writes it; None for an organisation."""
        return _STATES.get(self.issuer)


def check_digit(text: str) -> str:
    """Return the check digit over `text`: weights 7, 3, 1 over 0 to 9, A = 10 to Z = 35, filler = 0, modulo 10."""
    return str(sum(_VALUES[sign] * _WEIGHTS[place % 3] for place, sign in enumerate(text)) % 10)


def parse(text: str) -> Mrz:
    """Read a machine readable zone: two or three lines, or the same without line ends; blanks are left out, small letters read.

    Raises `MrzInvalid` naming line and column, never what stands there.
    """
    layout, lines = _lines(text)
    number, number_check = _number(layout, lines)
    checks = [number_check, *_checks(layout, lines)]
    family, given, full = _name(layout.name.of(lines))
    return Mrz(
        kind=layout.kind,
        document=layout.code.of(lines).rstrip(FILLER),
        issuer=layout.issuer.of(lines).rstrip(FILLER),
        family=family,
        given=given,
        name_may_be_cut=full,
        number=number,
        nationality=layout.nationality.of(lines).rstrip(FILLER),
        birth=_date(layout.birth, lines),
        sex=_sex(layout.sex, lines),
        expiry=_date(layout.expiry, lines) if layout.expiry.of(lines).strip(FILLER) else "",
        optional=tuple(at.of(lines).rstrip(FILLER) for at in layout.optional),
        checks=tuple(checks),
    )


def _lines(text: str) -> tuple[_Layout, tuple[str, ...]]:
    if len(text) > _MOST_SIGNS:
        raise MrzInvalid(f"it has more than {_MOST_SIGNS} signs")
    given = ["".join(line.split()).upper() for line in text.strip().splitlines()]
    joined = "".join(given)
    for layout in _LAYOUTS.values():
        if len(joined) != layout.lines * layout.width or joined.startswith("V") != layout.kind.startswith("MRV"):
            continue
        lines = tuple(joined[start : start + layout.width] for start in range(0, len(joined), layout.width))
        if len(given) not in {1, layout.lines} or (len(given) > 1 and tuple(given) != lines):
            raise MrzInvalid(f"its lines are not of {layout.width} signs each")
        for number, line in enumerate(lines, 1):
            for column, sign in enumerate(line, 1):
                if sign not in _VALUES:
                    raise MrzInvalid(f"line {number}, column {column}: only A to Z, 0 to 9 and < stand there")
        return layout, lines
    raise MrzInvalid("it has neither 3 lines of 30 signs, nor 2 of 36, nor 2 of 44")


def _number(layout: _Layout, lines: tuple[str, ...]) -> tuple[str, Check]:
    """Return the document number and its check. A long one goes on in the optional data (parts 5 and 6)."""
    at = layout.number
    number, digit = at.of(lines), lines[at.line][at.end]
    rest = layout.optional[0]
    if digit == FILLER and layout.kind in {"TD1", "TD2"} and rest.of(lines).strip(FILLER):
        more = rest.of(lines).partition(FILLER)[0]
        number, digit = number + more[:-1], more[-1:]
        place = rest.start + len(more)
        return number.rstrip(FILLER), Check(field="number", line=rest.line + 1, column=place, ok=check_digit(number) == digit)
    ok = check_digit(number) == digit
    return number.rstrip(FILLER), Check(field="number", line=at.line + 1, column=at.end + 1, ok=ok)


def _checks(layout: _Layout, lines: tuple[str, ...]) -> Iterator[Check]:
    for name, at in (("birth", layout.birth), ("expiry", layout.expiry)):
        yield _check(name, at, lines)
    if layout.optional_checked:
        at = layout.optional[0]
        empty = not at.of(lines).strip(FILLER) and lines[at.line][at.end] == FILLER  # then the digit may be left out
        yield Check(field="optional", line=at.line + 1, column=at.end + 1, ok=True) if empty else _check("optional", at, lines)
    if layout.composite_at is not None:
        at = layout.composite_at
        ok = check_digit("".join(part.of(lines) for part in layout.composite)) == at.of(lines)
        yield Check(field="composite", line=at.line + 1, column=at.start + 1, ok=ok)


def _check(name: str, at: _At, lines: tuple[str, ...]) -> Check:
    ok = check_digit(at.of(lines)) == lines[at.line][at.end]
    return Check(field=name, line=at.line + 1, column=at.end + 1, ok=ok)


def _name(field: str) -> tuple[str, str, bool]:
    family, _, given = field.rstrip(FILLER).partition(FILLER * 2)
    if not family:
        raise MrzInvalid("there is no name in it")
    return family.replace(FILLER, " "), " ".join(given.replace(FILLER, " ").split()), not field.endswith(FILLER)


def _date(at: _At, lines: tuple[str, ...]) -> str:
    text = at.of(lines)
    parts = text[:2], text[2:4], text[4:]
    good = all(part.isdigit() or part == FILLER * 2 for part in parts)
    month, day = (int(part) if part.isdigit() else 1 for part in parts[1:])
    if not good or not 1 <= month <= 12 or not 1 <= day <= 31:  # noqa: PLR2004 - of a calendar
        raise MrzInvalid(f"line {at.line + 1}, column {at.start + 1}: there is no date YYMMDD")
    return text


def _sex(at: _At, lines: tuple[str, ...]) -> str:
    sign = at.of(lines)
    if sign not in "FMX<":
        raise MrzInvalid(f"line {at.line + 1}, column {at.start + 1}: only F, M, X or < stands there")
    return sign.strip(FILLER)


# --- dates: two digits of a year say no century -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A date as the canonical message writes it, and the rule by which the century was taken."""

    value: str  # "YYYY-MM-DD", "YYYY-MM" or "YYYY"
    rule: str


_CENTURY = 100


def born(mrz: Mrz, today: date) -> Reading | None:
    """Return the date of birth: the latest year that is not after `today`. None when no year is stated."""
    return _reading(mrz.birth, today.year, "the latest year with these two digits that is not in the future")


def ends(mrz: Mrz, today: date) -> Reading | None:
    """Return the date of expiry: the year nearest to `today` that ends so, at most 50 years ahead. None without one."""
    return _reading(mrz.expiry, today.year + _CENTURY // 2, "the latest year with these two digits, at most 50 years ahead")


def _reading(text: str, latest: int, rule: str) -> Reading | None:
    if not text[:2].isdigit():
        return None
    year = latest - (latest - int(text[:2])) % _CENTURY
    parts = [f"{year:04}"]
    for part in (text[2:4], text[4:]):
        if not part.isdigit():
            break
        parts.append(part)
    return Reading(value="-".join(parts), rule=rule)


# --- writing ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """What a machine readable zone is written of; letters A to Z, digits and blanks only: transliteration comes before."""

    document: str
    issuer: str
    family: str
    given: str
    number: str
    nationality: str
    birth: str  # YYMMDD, an unknown part as "<<"
    sex: str  # "F", "M", "X" or ""
    expiry: str  # YYMMDD, or ""
    optional: tuple[str, ...] = ()


def write(kind: Kind, fields: Fields) -> str:
    """Return the lines. A name that does not fit is cut at its end, as the standard allows; nothing else is ever cut.

    Raises `MrzInvalid` for a field that does not fit, or holds a sign that cannot stand there.
    """
    layout = _LAYOUTS[kind]
    grid = [[FILLER] * layout.width for _ in range(layout.lines)]
    optional = list(fields.optional) + [""] * (len(layout.optional) - len(fields.optional))
    number = fields.number
    room = layout.number.end - layout.number.start
    if len(number) > room and kind in {"TD1", "TD2"} and not optional[0]:
        optional[0] = number[room:] + check_digit(_clean(number))
        number = number[:room]
    _put(grid, layout.code, fields.document)
    _put(grid, layout.issuer, fields.issuer)
    width = layout.name.end - layout.name.start
    _put(grid, layout.name, f"{_clean(fields.family)}{FILLER * 2 if fields.given else ''}{_clean(fields.given)}"[:width])
    _put(grid, layout.number, number)
    _put(grid, layout.nationality, fields.nationality)
    _put(grid, layout.birth, fields.birth)
    _put(grid, layout.sex, fields.sex)
    _put(grid, layout.expiry, fields.expiry)
    for at, text in zip(layout.optional, optional, strict=True):
        _put(grid, at, text)
    checked = [layout.birth, layout.expiry, *([layout.optional[0]] if layout.optional_checked else [])]
    if len(fields.number) <= room:
        checked.append(layout.number)
    for at in checked:
        grid[at.line][at.end] = check_digit("".join(grid[at.line][at.start : at.end]))
    lines = tuple("".join(line) for line in grid)
    if layout.composite_at is not None:
        at = layout.composite_at
        grid[at.line][at.start] = check_digit("".join(part.of(lines) for part in layout.composite))
    return "\n".join("".join(line) for line in grid)


def _clean(text: str) -> str:
    return FILLER.join(text.upper().split())


def _put(grid: list[list[str]], at: _At, text: str) -> None:
    signs = _clean(text)
    if len(signs) > at.end - at.start:
        raise MrzInvalid(f"line {at.line + 1}, column {at.start + 1}: there are only {at.end - at.start} places")
    if any(sign not in _VALUES for sign in signs):
        raise MrzInvalid(f"line {at.line + 1}, column {at.start + 1}: only A to Z, 0 to 9 and < can stand there")
    grid[at.line][at.start : at.start + len(signs)] = signs
