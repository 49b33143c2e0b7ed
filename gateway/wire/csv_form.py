"""Tables as CSV (RFC 4180, with the delimiter and the encoding of the layout).

A text that a spreadsheet program would run as a formula gets an apostrophe before it, and loses it when it is read, so that it
comes back the same. A telephone number or a negative number runs nothing and stays as it is.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gateway.errors import MalformedTable
from gateway.partners.layouts import Layout
from gateway.wire.documents import WHOLE
from gateway.wire.rows import Row, decoded, encoded, gathered

_RUNS = r"[=@\t\r\uff1d\uff20\uff0b\uff0d]|[+-](?![0-9 ()./+-]*\Z)"  # full-width signs run too in some languages
_GUARD = re.compile(rf"'*(?:{_RUNS})")
_GUARDED = re.compile(rf"'+(?:{_RUNS})")


@dataclass(frozen=True, slots=True)
class CsvTable:
    """Rows as CSV."""

    layout: Layout
    names: Mapping[str, object]  # of the columns, in the order in which they are written

    def read(self, body: bytes) -> list[Row]:
        """Return the rows."""
        text = decoded(body, self.layout.encoding)
        return gathered(self._cells(text), self.names, header=self.layout.header, ragged=False)

    def _cells(self, text: str) -> Iterator[tuple[int, list[str]]]:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=self.layout.delimiter, strict=True)
        guarded = self.layout.formula_guard
        try:
            for values in reader:
                if guarded:
                    values = [value[1:] if value[:1] == "'" and _GUARDED.match(value) else value for value in values]  # noqa: PLW2901
                yield reader.line_num, values
        except csv.Error:  # its sentences are for programmers
            words = "the quotation mark of a cell is not closed, or something stands behind it"
            raise MalformedTable(words, path=WHOLE, line=reader.line_num or 1) from None

    def write(self, rows: Sequence[Row]) -> bytes:
        """Return the table."""
        out = io.StringIO(newline="")
        writer = csv.writer(out, delimiter=self.layout.delimiter, lineterminator="\r\n")
        names = list(self.names)
        if self.layout.header:
            writer.writerow(names)
        for row in rows:
            cells = [row.cells.get(name, "") for name in names]
            if self.layout.formula_guard:
                cells = [f"'{cell}" if _GUARD.match(cell) else cell for cell in cells]
            writer.writerow(cells)
        return encoded(out.getvalue(), rows, self.layout.encoding)
