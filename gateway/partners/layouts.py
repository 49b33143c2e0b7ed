"""The layout of a table: which column holds which member of the tree that schema and rows speak of, as `[table]` says it."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway.partners.fields import Table

ENCODINGS: Final = (
    "utf-8",
    "utf-8-sig",
    *(f"windows-{page}" for page in range(1250, 1259)),
    *(f"iso-8859-{part}" for part in range(1, 17) if part != 12),  # noqa: PLR2004 - part 12 was never published
)
MAX_COLUMNS: Final = 500
_NUMBERS: Final = ("{n}", "{m}")
_KEYS = {
    "csv": {"delimiter", "encoding", "header", "formula_guard", "columns", "record", "records"},
    "xlsx": {"sheet", "header", "columns", "record", "records"},
    "lines": {"encoding", "columns", "record", "records"},
}
_COLUMN_KEYS = {"name", "path", "times", "separator"}
_LINE_KEYS = {"at", "pad", "align", "every"}
_SHEET_NAME = re.compile(r"[^\x00-\x1f\[\]:*?/\\]{1,31}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Where a value stands on a line of fixed width."""

    start: int  # 1 is the first character
    length: int
    pad: str = " "  # what fills it up
    right: bool = False  # whether the value stands at the right end
    every: int = 0  # numbered columns: characters from one to the next


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column, or several that are numbered."""

    name: str  # "Prezime", "Dijete {n} ime"
    path: str  # "person/surname", below the path of its record
    times: tuple[int, ...] = ()  # how many {n} there are, and how many {m} for each
    separator: str = ""  # between the values of a list in one cell
    span: Span | None = None  # fixed width only


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One kind of row."""

    value: str  # what the record column says; "" where there is one kind only
    path: str  # what its columns are relative to; "" for the row that begins a message
    columns: tuple[Column, ...]  # empty: every member of the schema is a column of its name


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a table is written."""

    delimiter: str
    encoding: str
    sheet: str  # xlsx: the sheet's name; "" for the only one
    header: bool  # whether the first row names the columns
    formula_guard: bool  # csv: whether a text that a spreadsheet program would run gets an apostrophe before it
    record: str  # the column that tells the kind of row; "" where there is one kind only
    record_span: Span | None
    records: tuple[Record, ...]


def read_layout(table: Table, form: str) -> Layout:
    """Read `[table]` of a dialect whose format is `form` (csv, xlsx or lines). Raises `MappingInvalid` naming file and key."""
    table.only(_KEYS[form])
    encoding = table.text("encoding", "utf-8").lower()
    if encoding not in ENCODINGS:
        raise table.refuse("encoding", f"is {encoding!r}, not one of {', '.join(ENCODINGS)}")
    delimiter = _sign(table, "delimiter", ",")
    if delimiter in '"\r\n':
        raise table.refuse("delimiter", "is a quotation mark or a line end")
    sheet = table.text("sheet") if "sheet" in table.values else ""
    if sheet and not _SHEET_NAME.fullmatch(sheet):
        raise table.refuse("sheet", "is no name of a sheet: at most 31 characters, none of []:*?/\\")
    record, span = _record_column(table, form)
    records = _records(table, form) if record else (Record(value="", path="", columns=_columns(table, form)),)
    header = _flag(table, "header", default=form != "lines")
    if not header and form != "lines" and any(not each.columns for each in records):
        raise table.refuse("columns", "is missing: without a header nothing else tells their order")
    return Layout(
        delimiter=delimiter,
        encoding=encoding,
        sheet=sheet,
        header=header,
        formula_guard=_flag(table, "formula_guard", default=True),
        record=record,
        record_span=span,
        records=records,
    )


def _flag(table: Table, key: str, *, default: bool) -> bool:
    value = table.values.get(key, default)
    if type(value) is not bool:
        raise table.refuse(key, "is not true or false")
    return value


def _sign(table: Table, key: str, default: str) -> str:
    """Return a text of one character, which may be a blank."""
    value = table.values.get(key, default)
    if not isinstance(value, str) or len(value) != 1:
        raise table.refuse(key, "is not one character")
    return value


def _record_column(table: Table, form: str) -> tuple[str, Span | None]:
    if "record" not in table.values:
        if "records" in table.values:
            raise table.refuse("record", "is missing: the column that tells which of the records a row is")
        return "", None
    if "columns" in table.values:
        raise table.refuse("columns", "stands beside 'record': with kinds of rows, each of [[table.records]] has its own")
    if form != "lines":
        return table.text("record"), None
    inner = table.table("record")
    inner.only({"name", *_LINE_KEYS} - {"every"})
    return inner.text("name"), _span(inner)


def _records(table: Table, form: str) -> tuple[Record, ...]:
    found: list[Record] = []
    for entry in table.tables("records"):
        entry.only({"value", "path", "columns"})
        path = entry.text("path") if "path" in entry.values else ""
        if any(entry.text("value") == other.value or path == other.path for other in found):
            raise entry.refuse("value", "or path stands in two records")
        found.append(Record(value=entry.text("value"), path=path, columns=_columns(entry, form)))
    if [each.path for each in found].count("") != 1:
        raise table.refuse("records", "needs exactly one record without a path: the row that begins a message")
    if any(not each.columns for each in found):
        raise table.refuse("records", "needs 'columns' in each record")
    return tuple(found)


def _columns(table: Table, form: str) -> tuple[Column, ...]:
    columns = tuple(_column(entry, form) for entry in table.tables("columns"))
    if form == "lines" and not columns:
        raise table.refuse("columns", "is missing: nothing else tells where on the line a value stands")
    return columns


def _column(entry: Table, form: str) -> Column:
    entry.only(_COLUMN_KEYS | (_LINE_KEYS if form == "lines" else set()))
    name = entry.text("name")
    if name != name.strip():
        raise entry.refuse("name", "begins or ends with a blank")
    times = _times(entry, name)
    separator = entry.values.get("separator", "")
    if not isinstance(separator, str):
        raise entry.refuse("separator", "is not a text")
    span = _span(entry) if form == "lines" else None
    if span is not None and ((len(times) == 1) != bool(span.every) or len(times) > 1):
        raise entry.refuse("every", "goes with 'times' and one {n}: how many characters from one to the next")
    return Column(name=name, path=entry.text("path"), times=times, separator=separator, span=span)


def _times(entry: Table, name: str) -> tuple[int, ...]:
    value: Any = entry.values.get("times", [])
    times = value if isinstance(value, list) else [value]
    if not all(type(each) is int and 1 <= each <= MAX_COLUMNS for each in times) or len(times) > len(_NUMBERS):
        raise entry.refuse("times", f"is not a number from 1 to {MAX_COLUMNS}, or two of them")
    if math.prod(times) > MAX_COLUMNS:
        raise entry.refuse("times", f"makes more than {MAX_COLUMNS} columns")
    for number, mark in enumerate(_NUMBERS):
        if name.count(mark) != (1 if number < len(times) else 0):
            raise entry.refuse("times", f"and {mark} in the name go together: one number for each, {{n}} before {{m}}")
    return tuple(times)


def _span(table: Table) -> Span:
    at = table.values.get("at")
    if not isinstance(at, list) or len(at) != 2 or not all(type(each) is int and 1 <= each <= 10_000 for each in at):  # noqa: PLR2004
        raise table.refuse("at", "is not [start, length]; the first character of a line is 1")
    align = table.text("align", "left")
    if align not in {"left", "right"}:
        raise table.refuse("align", f"is {align!r}, not 'left' or 'right'")
    every = table.values.get("every", 0)
    if type(every) is not int or (every != 0 and every < at[1]):
        raise table.refuse("every", "is not a number of characters, at least the length of the column")
    return Span(start=at[0], length=at[1], pad=_sign(table, "pad", " "), right=align == "right", every=every)


def numbered(column: Column) -> Mapping[str, tuple[int, ...]]:
    """Return the name of each column that this one stands for, with its numbers from 0: {"Dijete 1 ime": (0,)}."""
    found: dict[str, tuple[int, ...]] = {column.name: ()}
    for mark, times in zip(_NUMBERS, column.times, strict=False):
        found = {
            name.replace(mark, str(each + 1)): (*numbers, each) for name, numbers in found.items() for each in range(times)
        }
    return found
