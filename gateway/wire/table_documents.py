"""Tables: CSV, XLSX and lines of fixed width.

A layout turns the rows of a message into the tree that a JSON document would be; schema, rows and report are those of JSON.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from gateway.errors import MappingInvalid, Refused, SeveralMessages
from gateway.partners import Dialect
from gateway.partners.layouts import Layout
from gateway.wire.converters import GROUP_CONVERTERS, converter_named
from gateway.wire.csv_form import CsvTable
from gateway.wire.dialect_documents import JsonDocuments
from gateway.wire.documents import WHOLE
from gateway.wire.lines_form import LinesTable
from gateway.wire.plans import Plan
from gateway.wire.routes import Notes, Slots
from gateway.wire.rows import Written
from gateway.wire.shapes import Shape
from gateway.wire.sheet import Found, Sheet, compile_sheet
from gateway.wire.workbook import Workbook


@dataclass(frozen=True, slots=True)
class TableDocument:
    """The rows of one message."""

    tree: Mapping[str, Any]
    places: Mapping[str, Found]  # path of a value -> where it stood
    line: int  # of its first row


@dataclass(frozen=True, slots=True)
class TableDocuments:
    """A dialect of tables."""

    inner: JsonDocuments
    sheet: Sheet
    table: Written

    @property
    def plans(self) -> Mapping[str, Plan]:
        """The plan of each message type."""
        return self.inner.plans

    @classmethod
    def compile(cls, dialect: Dialect, layout: Layout, canonical: Mapping[str, Shape]) -> "TableDocuments":
        """Compile schema, mapping and layout; raises `MappingInvalid`."""
        for name, rows in dialect.mapping["rows"].items():
            for number, row in enumerate(rows if isinstance(rows, list) else (), 1):
                if isinstance(row, dict) and not _gives_text(row.get("convert")):
                    words = f"{row['convert']!r} gives no text, and a cell holds text: copy a number, use codes for yes and no"
                    raise MappingInvalid(f"{dialect.place}: rows.{name}[{number}]: {words}")
        inner = JsonDocuments.compile(dialect, canonical)
        shapes = {kind: plan.scope.here for kind, plan in inner.plans.items()}
        sheet = compile_sheet(layout, shapes, dialect.place)
        return cls(inner=inner, sheet=sheet, table=_written(dialect, layout, sheet))

    def split(self, body: bytes) -> list[bytes]:
        """Return a document for each message of a table, in its order, written anew.

        The same rows give the same bytes, wherever and in whichever file they stand.
        """
        return [self.table.write(rows) for rows in self.sheet.messages(self.table.read(body))]

    def parse(self, body: bytes) -> tuple[str, TableDocument]:
        """Return message type and document."""
        groups = self.sheet.messages(self.table.read(body))
        if len(groups) > 1:
            raise SeveralMessages(f"the table holds {len(groups)} messages; choose one (--row N)", path=WHOLE)
        (rows,) = groups
        tree, places = self.sheet.tree(rows)
        document = TableDocument(tree, places, rows[0].line)
        with _located(document):
            return self.inner.recognize(tree), document

    def read(self, kind: str, document: TableDocument, slots: Slots, notes: Notes) -> None:
        """Fill `slots`."""
        with _located(document):
            self.inner.read(kind, document.tree, slots, notes)

    def render(self, kind: str, slots: Slots, notes: Notes) -> bytes:
        """Return the document as bytes."""
        return self.table.write(self.sheet.rows(self.inner.tree(kind, slots, notes)))


def _gives_text(name: Any) -> bool:
    """Whether what a converter writes can stand in a cell; one that is not known is refused elsewhere."""
    if not isinstance(name, str):
        return True
    if name in GROUP_CONVERTERS:
        return not GROUP_CONVERTERS[name].numbers
    converter = converter_named(name)
    return converter is None or isinstance(converter.example[1], str)


def _written(dialect: Dialect, layout: Layout, sheet: Sheet) -> Written:
    """Return what reads and writes the rows. Raises `MappingInvalid`."""
    if dialect.format == "xlsx":
        return Workbook(layout, sheet.names)
    try:
        "".join((*sheet.names, *sheet.by_value)).encode(layout.encoding)
    except UnicodeEncodeError as error:
        raise MappingInvalid(f"{dialect.place}: table: a name of a column cannot be written in {layout.encoding}") from error
    if dialect.format == "lines":
        return LinesTable.compile(layout, sheet, dialect.place)
    return CsvTable(layout, sheet.names)


@contextmanager
def _located(document: TableDocument) -> Iterator[None]:
    """Give a refusal the column and the line of the value that it is about; a group has the line of its first value."""
    try:
        yield
    except Refused as error:
        path = (error.path or "").rstrip("/")
        exact = document.places.get(path)
        inside = [found.line for place, found in document.places.items() if place.startswith(f"{path}/")]
        error.line = exact.line if exact else min(inside, default=document.line)
        if exact:
            error.message = f"{error.message} (column {exact.column!r})"
            error.args = (error.message,)
        raise
