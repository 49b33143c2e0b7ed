"""What a form is made of: boxes, rows and sections."""

from dataclasses import dataclass

from gateway.wire.forms.labels import Both
from gateway.wire.forms.writing import Line

_SHORT_LINES, _SHORT_TEXT = 12, 800  # lines and characters: a quarter of a page


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A box to tick."""

    label: Both
    ticked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One numbered row: its label in both languages, and between them what the message says. No line: not stated."""

    number: str
    label: Both
    lines: tuple[Line, ...]

    @property
    def long(self) -> bool:
        """Whether it may go over the end of a page; a shorter one stays in one piece."""
        return len(self.lines) > _SHORT_LINES or sum(len(piece.text) for line in self.lines for piece in line) > _SHORT_TEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Rows under one heading."""

    label: Both
    rows: tuple[Row, ...]
    letter: str = ""
    number: int | None = None  # of several of the same kind
    photograph: bool = False
