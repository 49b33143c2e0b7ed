"""From the lines of a machine-readable zone to its fields, each check digit told apart.

What has not the form of a zone is refused, by line and position. A check digit that does not fit is told and not refused:
documents are misprinted and misread, and a human decides what that means.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.errors import MrzInvalid
from gateway.wire.mrz.layout import FILLER, LAYOUTS, Fields, Layout, Place, check_digit

_BY_SIZE = {(2, 44): ("TD3", "MRV-A"), (2, 36): ("TD2", "MRV-B"), (3, 30): ("TD1", "TD1")}
_IN_ONE = {2 * 44: (2, 44), 2 * 36: (2, 36), 3 * 30: (3, 30)}  # pasted without line ends
_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ<")
_FIGURES = frozenset("0123456789<")
_ANY = _LETTERS | _FIGURES
_SEXES = frozenset("MFX<")
_LONGEST_TEXT = 400  # signs; no zone has more, spaces and line ends included


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check digit."""

    name: str  # number | birth | expiry | optional | composite
    line: int  # from 1, as people count
    position: int
    fits: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Mrz:
    """What was read."""

    fields: Fields
    truncated: bool  # the name fills its field to the last position: something of it may be missing
    checks: tuple[Check, ...]

    @property
    def fits(self) -> bool:
        """Whether every check digit fits."""
        return all(check.fits for check in self.checks)


def read_mrz(text: str) -> Mrz:
    """Read a machine-readable zone, in lines or pasted as one line; blanks are left out, small letters are taken as capitals.

    Raises `MrzInvalid` for a text that is no zone, `MrzInvalid` for a sign that cannot stand where it stands. Both name
    places, never what stands there.
    """
    lines = _lines(text)
    layout = _layout_of(lines)
    _check_signs(lines, layout)
    number, optional, number_check = _number(lines, layout)
    primary, secondary = _names(layout.names.of(lines))
    fields = Fields(
        format=layout.name,
        code=_bare(layout.code.of(lines)),
        issuer=_bare(layout.issuer.of(lines)),
        primary=primary,
        secondary=secondary,
        number=number,
        nationality=_bare(layout.nationality.of(lines)),
        birth=layout.birth.of(lines),
        sex=layout.sex.of(lines),
        expiry=layout.expiry.of(lines),
        optional=optional,
    )
    truncated = not layout.names.of(lines).endswith(FILLER)
    return Mrz(fields=fields, truncated=truncated, checks=(number_check, *_checks(lines, layout)))


def _lines(text: str) -> list[str]:
    if len(text) > _LONGEST_TEXT:
        raise MrzInvalid(f"a machine-readable zone is no longer than {_LONGEST_TEXT} signs, line ends included")
    lines = ["".join(line.split()).translate(_CAPITALS) for line in text.splitlines() if line.strip()]
    if len(lines) == 1 and len(lines[0]) in _IN_ONE:
        count, width = _IN_ONE[len(lines[0])]
        return [lines[0][number * width : (number + 1) * width] for number in range(count)]
    return lines


_CAPITALS = {ord(letter): letter.upper() for letter in "abcdefghijklmnopqrstuvwxyz"}


def _layout_of(lines: Sequence[str]) -> Layout:
    sizes = {(len(lines), len(line)) for line in lines}
    if len(sizes) != 1 or (size := sizes.pop()) not in _BY_SIZE:
        for number, line in enumerate(lines, 1):
            if len(lines) in {2, 3} and len(line) != len(lines[0]):
                raise MrzInvalid(f"line {number} has {len(line)} signs, line 1 has {len(lines[0])}", line=number)
        raise MrzInvalid("a machine-readable zone has two lines of 44 or 36 signs, or three of 30")
    other, visa = _BY_SIZE[size]
    return LAYOUTS[visa if lines[0].startswith("V") else other]


def _check_signs(lines: Sequence[str], layout: Layout) -> None:
    """Raise `MrzInvalid` for the first sign that cannot stand where it stands."""
    allowed: Mapping[Place, frozenset[str]] = {
        layout.code: _ANY,
        layout.issuer: _LETTERS,
        layout.names: _LETTERS,
        layout.nationality: _LETTERS,
        layout.birth: _FIGURES,
        layout.birth.after(): _FIGURES,
        layout.sex: _SEXES,
        layout.expiry: _FIGURES,
        layout.expiry.after(): _FIGURES,
        layout.number.after(): _FIGURES,
    }
    by_position = {
        (place.line, position): signs for place, signs in allowed.items() for position in range(place.start, place.end)
    }
    for number, line in enumerate(lines):
        for position, sign in enumerate(line):
            if sign not in by_position.get((number, position), _ANY):
                where = f"line {number + 1}, position {position + 1}"
                raise MrzInvalid(f"the sign at {where} cannot stand there", path=where, line=number + 1)
    if layout.code.of(lines).startswith(FILLER):
        raise MrzInvalid("a zone begins with the kind of document", path="line 1, position 1", line=1)


def _number(lines: Sequence[str], layout: Layout) -> tuple[str, tuple[str, ...], Check]:
    """Return the document number, what optional data is left, and the check digit of the number.

    A number of more than nine signs (TD1 and TD2) has a filler for its check digit; the rest of it, then the check digit,
    then a filler begin the optional data.
    """
    field, digit = layout.number.of(lines), layout.number.after()
    optional = [place.of(lines) for place in layout.optional]
    rest = optional[0].partition(FILLER)[0] if layout.long_numbers and digit.of(lines) == FILLER else ""
    if FILLER in field or len(rest) < 2:  # noqa: PLR2004 - at least one more sign, and the check digit
        check = _check("number", field, digit, lines)
        return _bare(field), tuple(map(_bare, optional)), check
    place = layout.optional[0]
    at = Place(place.line, place.start + len(rest) - 1, place.start + len(rest))
    left = [optional[0][len(rest) :].removeprefix(FILLER), *optional[1:]]
    whole = field + rest[:-1]
    return whole, tuple(map(_bare, left)), _check("number", whole, at, lines)


def _checks(lines: Sequence[str], layout: Layout) -> list[Check]:
    found = [_check(name, place.of(lines), place.after(), lines) for name, place in _dates(layout)]
    if layout.checks_optional:
        place = layout.optional[0]
        check = _check("optional", place.of(lines), place.after(), lines)
        empty = not _bare(place.of(lines)) and place.after().of(lines) == FILLER  # 9303-4: 0 or a filler
        found.append(Check(name="optional", line=check.line, position=check.position, fits=check.fits or empty))
    if layout.composite is not None:
        found.append(_check("composite", "".join(place.of(lines) for place in layout.covers), layout.composite, lines))
    return found


def _dates(layout: Layout) -> tuple[tuple[str, Place], ...]:
    return ("birth", layout.birth), ("expiry", layout.expiry)


def _check(name: str, text: str, digit: Place, lines: Sequence[str]) -> Check:
    return Check(name=name, line=digit.line + 1, position=digit.start + 1, fits=check_digit(text) == digit.of(lines))


def _bare(field: str) -> str:
    """Return a field without the fillers at its end; those inside are part of it."""
    return field.rstrip(FILLER)


def _names(field: str) -> tuple[str, str]:
    """Return the primary and the secondary identifier; a name without two fillers inside is a primary one alone."""
    primary, _, secondary = field.strip(FILLER).partition(FILLER * 2)
    return _words(primary), _words(secondary)


def _words(identifier: str) -> str:
    return " ".join(word for word in identifier.split(FILLER) if word)
