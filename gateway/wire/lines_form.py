"""Tables as lines of fixed width: each value stands at its place, counted in characters, filled up to its length.

A value that does not fit is refused, never cut. A place that holds blanks only holds nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from gateway.errors import BadValue, MalformedTable, MappingInvalid, TooManyCells, WrongColumns
from gateway.partners.layouts import Layout, Span
from gateway.wire.documents import WHOLE
from gateway.wire.rows import MAX_CELLS, MAX_ROWS, Row, decoded, encoded, nothing
from gateway.wire.sheet import Cell, Sheet

BLANK: Final = " "


@dataclass(frozen=True, slots=True)
class _Field:
    """One value of a kind of line, with its place from 0."""

    name: str
    span: Span
    start: int

    @property
    def end(self) -> int:
        return self.start + self.span.length

    def read(self, line: str) -> str:
        """Return the value; "" for none. A value that is all filling is one of it: "0" in "000"."""
        text = line[self.start : self.end]
        if not text.strip(BLANK):
            return ""
        pad = self.span.pad
        value = text.lstrip(pad) if self.span.right else text.rstrip(pad)
        return value or pad

    def write(self, text: str) -> str:
        """Return the value at its full length. Raises `BadValue` where it would not come back the same."""
        if "\n" in text or "\r" in text:
            raise BadValue(f"the column {self.name!r} would hold a line end, and a message is one line", path=WHOLE)
        if len(text) > self.span.length:
            words = f"the column {self.name!r} has room for {self.span.length} characters, and the value is longer"
            raise BadValue(words, path=WHOLE)
        filled = text.rjust(self.span.length, self.span.pad) if self.span.right else text.ljust(self.span.length, self.span.pad)
        if self.read(f"{'':{self.start}}{filled}") != text:
            words = f"the column {self.name!r} would hold a value that cannot be told from what fills it up"
            raise BadValue(words, path=WHOLE)
        return filled


@dataclass(frozen=True, slots=True)
class LinesTable:
    """Rows as lines of fixed width."""

    layout: Layout
    kind: _Field | None  # where a line tells its kind
    fields: Mapping[str, Sequence[_Field]]  # by the kind's value, in the order of their places
    width: int

    @classmethod
    def compile(cls, layout: Layout, sheet: Sheet, place: str) -> "LinesTable":
        """Place every column. Raises `MappingInvalid` for two that overlap."""
        kind = _Field(layout.record, layout.record_span, layout.record_span.start - 1) if layout.record_span else None
        fields: dict[str, Sequence[_Field]] = {}
        for each in sheet.kinds:
            found = [kind] if kind else []
            found = sorted([*found, *map(_placed, each.cells.values())], key=lambda field: field.start)
            for before, after in pairwise(found):
                if after.start < before.end:
                    raise MappingInvalid(f"{place}: table: columns {before.name!r} and {after.name!r} overlap")
            if kind and len(each.record.value) > kind.span.length:
                raise MappingInvalid(f"{place}: table: the value {each.record.value!r} does not fit into {kind.name!r}")
            fields[each.record.value] = found
        return cls(layout, kind, fields, max(each[-1].end for each in fields.values()))

    def read(self, body: bytes) -> list[Row]:
        """Return the lines that hold something."""
        text = decoded(body, self.layout.encoding)
        rows: list[Row] = []
        cells = 0
        *ended, last = text.split("\n")
        for number, line in enumerate((*ended, last), 1):
            row = self._row(line.removesuffix("\r"), number, ended=number <= len(ended))
            if row is None:
                continue
            cells += len(row.cells)
            if len(rows) == MAX_ROWS or cells > MAX_CELLS:
                raise TooManyCells(f"the table has more than {MAX_ROWS} rows, or {MAX_CELLS} cells", path=WHOLE, line=number)
            rows.append(row)
        if not rows:
            raise nothing("the document has no line")
        return rows

    def _row(self, line: str, number: int, *, ended: bool) -> Row | None:
        if not line.strip(BLANK):
            return None
        if "\r" in line:
            raise MalformedTable("a carriage return stands inside a line", path=WHOLE, line=number)
        if len(line) > self.width and line[self.width :].strip(BLANK):
            raise MalformedTable(f"the line is longer than {self.width} characters", path=WHOLE, line=number)
        value = self.kind.read(line).strip() if self.kind else ""
        fields = self.fields.get(value)
        if fields is None:
            name = self.kind.name if self.kind else ""
            raise WrongColumns(f"the column {name!r} holds no kind of row ({', '.join(self.fields)})", path=WHOLE, line=number)
        if not ended and len(line) < fields[-1].end:  # others may have lost the blanks at their end
            raise MalformedTable("the last line is too short and has no line end; it may be cut off", path=WHOLE, line=number)
        _check_gaps(line, fields, number)
        return Row(number, {field.name: text for field in fields if (text := field.read(line))})

    def write(self, rows: Sequence[Row]) -> bytes:
        """Return the lines."""
        lines: list[str] = []
        for row in rows:
            line = ""
            for field in self.fields[row.cells[self.kind.name] if self.kind else ""]:
                line = line.ljust(field.start)
                text = row.cells.get(field.name, "")
                line += field.write(text) if text else BLANK * field.span.length
            lines.append(f"{line:{self.width}}\r\n")
        return encoded("".join(lines), rows, self.layout.encoding)


def _placed(cell: Cell) -> _Field:
    span = cell.column.span
    assert span is not None, "reading the layout checks it"
    return _Field(cell.name, span, span.start - 1 + span.every * (cell.numbers[0] if cell.numbers else 0))


def _check_gaps(line: str, fields: Sequence[_Field], number: int) -> None:
    """Refuse what stands where no column is: it would be lost."""
    end = 0
    for field in fields:
        if line[end : field.start].strip(BLANK):
            raise WrongColumns(f"something stands before the column {field.name!r}", path=WHOLE, line=number)
        end = field.end
    if line[end:].strip(BLANK):
        raise WrongColumns(f"something stands behind the column {fields[-1].name!r}", path=WHOLE, line=number)
