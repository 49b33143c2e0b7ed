"""Where each field of a machine-readable zone stands, and how its check digits are made.

Sources: Doc 9303-5 (TD1), 9303-6 (TD2), 9303-4 (TD3), 9303-7 (MRV-A, MRV-B); check digits 9303-3, section 4.9.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

FILLER = "<"
_WEIGHTS = (7, 3, 1)


@dataclass(frozen=True, slots=True)
class Place:
    """Some positions of one line, counted from 0; `end` is not part of it."""

    line: int
    start: int
    end: int

    @property
    def width(self) -> int:
        """Return how many positions it has."""
        return self.end - self.start

    def of(self, lines: Sequence[str]) -> str:
        """Return what stands there."""
        return lines[self.line][self.start : self.end]

    def after(self) -> "Place":
        """Return the one position that follows: the check digit of a field stands there."""
        return Place(self.line, self.end, self.end + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One format."""

    name: str
    lines: int
    width: int
    code: Place
    issuer: Place
    names: Place
    number: Place
    nationality: Place
    birth: Place
    sex: Place
    expiry: Place
    optional: tuple[Place, ...]
    composite: Place | None  # its check digit
    covers: tuple[Place, ...]  # what the composite check digit is made of, in this order
    long_numbers: bool  # a number of more than nine signs goes on in the first optional field
    checks_optional: bool  # optional data has a check digit of its own


def _two_lines(name: str, width: int, *, visa: bool) -> Layout:
    """Return a format of two lines; they differ in their width and in what follows the date of expiry."""
    passport = name == "TD3"
    end = width if visa else width - 1 - passport
    return Layout(
        name=name,
        lines=2,
        width=width,
        code=Place(0, 0, 2),
        issuer=Place(0, 2, 5),
        names=Place(0, 5, width),
        number=Place(1, 0, 9),
        nationality=Place(1, 10, 13),
        birth=Place(1, 13, 19),
        sex=Place(1, 20, 21),
        expiry=Place(1, 21, 27),
        optional=(Place(1, 28, end),),
        composite=None if visa else Place(1, width - 1, width),
        covers=() if visa else (Place(1, 0, 10), Place(1, 13, 20), Place(1, 21, width - 1)),
        long_numbers=name == "TD2",
        checks_optional=passport,
    )


_TD1 = Layout(
    name="TD1",
    lines=3,
    width=30,
    code=Place(0, 0, 2),
    issuer=Place(0, 2, 5),
    names=Place(2, 0, 30),
    number=Place(0, 5, 14),
    nationality=Place(1, 15, 18),
    birth=Place(1, 0, 6),
    sex=Place(1, 7, 8),
    expiry=Place(1, 8, 14),
    optional=(Place(0, 15, 30), Place(1, 18, 29)),
    composite=Place(1, 29, 30),
    covers=(Place(0, 5, 30), Place(1, 0, 7), Place(1, 8, 15), Place(1, 18, 29)),
    long_numbers=True,
    checks_optional=False,
)

LAYOUTS: Mapping[str, Layout] = {
    "TD1": _TD1,
    "TD2": _two_lines("TD2", 36, visa=False),
    "TD3": _two_lines("TD3", 44, visa=False),
    "MRV-A": _two_lines("MRV-A", 44, visa=True),
    "MRV-B": _two_lines("MRV-B", 36, visa=True),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """What a machine-readable zone says, without fillers and check digits. Words of a name are parted by one space."""

    format: str  # a key of LAYOUTS
    code: str  # kind of document, one or two signs: "P", "ID", "V"
    issuer: str  # state or organisation, one to three letters as ICAO has them: "UTO", "D"
    primary: str  # usually the family name
    secondary: str = ""  # usually the given names; "" for a person with one name
    number: str
    nationality: str
    birth: str  # YYMMDD, "<" for each figure that is not known
    sex: str  # M, F, X or "<"
    expiry: str  # as `birth`
    optional: tuple[str, ...]  # one text for each optional field of the format


def check_digit(text: str) -> str:
    """Return the check digit of a text of figures, capital letters and fillers: weights 7, 3, 1 modulo 10."""
    values = (0 if sign == FILLER else int(sign, 36) for sign in text)
    return str(sum(value * _WEIGHTS[place % 3] for place, value in enumerate(values)) % 10)
