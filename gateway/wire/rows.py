"""The rows of a table between its bytes and its meaning: the cells that hold something, by the name of their column."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from gateway.errors import BadValue, EmptyDocument, MalformedTable, NotText, TooLarge, TooManyCells, WrongColumns, WrongEncoding
from gateway.partners.layouts import MAX_COLUMNS
from gateway.stages import MAX_MESSAGE_BYTES
from gateway.wire.documents import WHOLE

MAX_ROWS: Final = 5_000
MAX_CELLS: Final = 100_000
_LISTED: Final = 12  # columns that a refusal names
_MARK = "\ufeff"


@dataclass(frozen=True, slots=True)
class Row:
    """One row, or one line of fixed width."""

    line: int  # where it ends in the document, counted from 1
    cells: Mapping[str, str]  # column -> text; a cell that holds nothing is not there


class Written(Protocol):
    """Reads and writes one way of writing rows down."""

    def read(self, body: bytes) -> list[Row]:
        """Return the rows that hold something. Raises `Refused` for anything that is no such table."""
        ...

    def write(self, rows: Sequence[Row]) -> bytes:
        """Return the table with these rows. Raises `BadValue` for a value that cannot be written so that it comes back."""
        ...


def check_size(body: bytes) -> None:
    """Refuse nothing at all, and too much."""
    if not body.strip():
        raise EmptyDocument("the document is empty", path=WHOLE, line=1)
    if len(body) > MAX_MESSAGE_BYTES:
        raise TooLarge(
            f"the document is larger than {MAX_MESSAGE_BYTES} bytes; scans and photographs travel as attachments", path=WHOLE
        )


def decoded(body: bytes, encoding: str) -> str:
    """Return the text of a document in `encoding`, without its byte order mark.

    Raises `EmptyDocument`, `TooLarge`, `NotText`, `WrongEncoding`.
    """
    check_size(body)
    zero = body.find(b"\x00")
    if zero >= 0:
        raise NotText("the document holds zero bytes: it is not text", line=body.count(b"\n", 0, zero) + 1)
    unicode = encoding.startswith("utf-8")
    try:
        text = body.decode("utf-8" if unicode else encoding)
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise WrongEncoding(f"the document is not written in {encoding}", line=line) from None  # the cause holds the document
    return text.removeprefix(_MARK) if unicode else text


def encoded(text: str, rows: Sequence[Row], encoding: str) -> bytes:
    """Return the bytes of a table. Raises `BadValue` naming the column whose value has a character that the encoding lacks."""
    try:
        body = text.encode(encoding)
    except UnicodeEncodeError:
        column = next(name for row in rows for name, value in row.cells.items() if not _writable(value, encoding))
        words = f"the column {column!r} would hold a character that {encoding} does not have"
        raise BadValue(words, path=WHOLE) from None  # the cause holds the value
    if "\x00" in text or (text.startswith(_MARK) and encoding == "utf-8"):
        raise BadValue("a value holds a character that would not come back", path=WHOLE)
    return body


def _writable(value: str, encoding: str) -> bool:
    try:
        value.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def nothing(words: str) -> EmptyDocument:
    """Return the refusal of a table without a row."""
    return EmptyDocument(words, path=WHOLE, line=1)


def named(header: Sequence[str], known: Mapping[str, object], line: int) -> list[str]:
    """Return the columns that a header names, in its order.

    Raises `WrongColumns`: columns of the format by their name, others by their place, never by what stands there.
    """
    names = [name.strip() for name in header]
    while names and not names[-1]:
        names.pop()
    if len(names) > MAX_COLUMNS:
        raise TooManyCells(f"the table has more than {MAX_COLUMNS} columns", path=WHOLE, line=line)
    found = Counter(names)
    twice = [name for name, times in found.items() if times > 1 and name in known]
    strange = [str(place) for place, name in enumerate(names, 1) if name not in known]
    missing = [name for name in known if name not in found]
    if twice:
        raise _wrong(_listed(twice, "the column {} stands twice", "the columns {} stand twice"), line)
    if strange:  # by their place: where the heading is missing, the first row of a person stands in its stead
        raise _wrong(_listed(strange, "column number {} is not known here", "columns number {} are not known here"), line)
    if missing:
        raise _wrong(_listed(missing, "the column {} is missing", "the columns {} are missing"), line)
    return names


def _wrong(words: str, line: int) -> WrongColumns:
    return WrongColumns(words, path=WHOLE, line=line)


def _listed(names: Sequence[str], one: str, several: str) -> str:
    """Return the sentence with the first few names in it, and how many more there are."""
    shown = ", ".join(name if name.isdigit() else repr(name) for name in names[:_LISTED])
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return (one if len(names) == 1 else several).format(shown + more)


def gathered(
    table: Iterable[tuple[int, Sequence[str]]], known: Mapping[str, object], *, header: bool, ragged: bool
) -> list[Row]:
    """Return the rows of a table given as line numbers and cells; `ragged`: a row may end before its last columns.

    Counts as it goes, so that what is too much is refused before it is kept.
    """
    names: list[str] | None = None if header else list(known)
    rows: list[Row] = []
    cells = 0
    for line, values in table:
        if not any(values):
            continue
        if names is None:
            names = named(values, known, line)
            continue
        if any(values[len(names) :]):
            raise WrongColumns("the row has more cells than there are columns", path=WHOLE, line=line)
        if len(values) < len(names) and not ragged:
            raise MalformedTable("the row has fewer cells than there are columns; it may be cut off", path=WHOLE, line=line)
        found = {name: value for name, value in zip(names, values, strict=False) if value}
        cells += len(found)
        if len(rows) == MAX_ROWS or cells > MAX_CELLS:
            raise TooManyCells(f"the table has more than {MAX_ROWS} rows, or {MAX_CELLS} cells", path=WHOLE, line=line)
        rows.append(Row(line, found))
    if not rows:
        raise nothing("the table has no row below its header" if header else "the table has no row")
    return rows
