"""A layout bound to a schema: rows of a table to the tree that the mapping rows speak of, and back.

The tree is what a JSON document of the same schema would be, with texts for values. Which members may come several times the
schema says; a column repeats by numbers in its name, by a separator in its cell, or by rows of their own.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, TypeAlias

from gateway.errors import BadValue, FieldNotCarried, MappingInvalid, WrongColumns
from gateway.partners.layouts import MAX_COLUMNS, Column, Layout, Record, numbered
from gateway.wire.documents import WHOLE
from gateway.wire.rows import Row
from gateway.wire.shapes import Shape, steps

Key: TypeAlias = tuple[tuple[int, int], ...]  # place of a row: its record and its number, behind those of the rows it is below
Numbers: TypeAlias = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """One column of one kind of row."""

    name: str
    column: Column
    path: tuple[str, ...]  # from the top
    many: tuple[bool, ...]  # for each step, whether it may come several times
    numbers: Numbers  # of the name, from 0
    above: int  # how many of the repeated steps are told by the row

    def family(self) -> tuple[object, ...]:
        """Return what columns share that are numbered together."""
        if not self.numbers:
            return (self.path, self.name)
        repeated = [length for length, many in enumerate(self.many, 1) if many][self.above]
        return (self.path[:repeated], self.column.times[0])


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of row."""

    record: Record
    path: tuple[str, ...]
    many: tuple[bool, ...]
    parents: tuple[int, ...]  # the kinds that rows of this kind are below, outermost first, and itself; none for the first
    cells: Mapping[str, Cell]


@dataclass(frozen=True, slots=True)
class Found:
    """Where a value stood."""

    column: str
    line: int


@dataclass(slots=True)
class _Several:
    """The items of a repeated member while rows are read, by their number."""

    items: dict[int, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A compiled layout."""

    record: str  # column that tells the kind of row, or ""
    kinds: tuple[Kind, ...]
    first: int  # the kind that begins a message
    by_value: Mapping[str, int]
    by_path: Mapping[tuple[str, ...], tuple[int, tuple[Cell, ...]]]  # kind and columns of each member

    @property
    def names(self) -> dict[str, Cell | None]:
        """The columns in the order in which they are written."""
        found: dict[str, Cell | None] = {self.record: None} if self.record else {}
        for kind in self.kinds:
            for name, cell in kind.cells.items():
                found.setdefault(name, cell)
        return found

    # --- reading ---------------------------------------------------------------------------------------------------

    def messages(self, rows: Sequence[Row]) -> list[list[Row]]:
        """Return the rows of each message: one row each, or the row that begins one and all up to the next."""
        if not self.record:
            return [[row] for row in rows]
        groups: list[list[Row]] = []
        for row in rows:
            if self._kind(row) == self.first:
                groups.append([])
            if not groups:
                value = self.kinds[self.first].record.value
                raise WrongColumns(f"the first row must be of the kind {value!r}", path=WHOLE, line=row.line)
            groups[-1].append(row)
        return groups

    def _kind(self, row: Row) -> int:
        if not self.record:
            return self.first
        value = row.cells.get(self.record, "").strip()
        if value not in self.by_value:
            known = ", ".join(self.by_value)
            raise WrongColumns(f"the column {self.record!r} holds no kind of row ({known})", path=WHOLE, line=row.line)
        return self.by_value[value]

    def tree(self, rows: Sequence[Row]) -> tuple[dict[str, Any], dict[str, Found]]:
        """Return the tree of one message, and where each value stood, by its path ("/children/0/name").

        Raises `WrongColumns` for a row that has no place, `BadValue` for a list with an empty item.
        """
        top: dict[str, Any] = {}
        count: dict[tuple[int, Numbers], int] = {}
        current: dict[int, Numbers] = {}  # numbers of the last row of each kind
        for row in rows:
            number = self._kind(row)
            current[number] = numbers = self._numbers(number, current, count, row)
            for name, text in row.cells.items():
                if name == self.record:
                    continue
                cell = self.kinds[number].cells.get(name)
                if cell is None:
                    raise WrongColumns(f"rows of this kind have no column {name!r}", path=WHOLE, line=row.line)
                _put(top, cell, numbers, text, row.line)
        places: dict[str, Found] = {}
        return _plain(top, "", places), places

    def _numbers(self, number: int, current: Mapping[int, Numbers], count: dict[tuple[int, Numbers], int], row: Row) -> Numbers:
        """Return the numbers of the repeated members that a row is about. Rows below a row belong to the last one."""
        kind = self.kinds[number]
        above: Numbers = ()
        for parent in kind.parents[:-1]:
            if parent not in current or current[parent][: len(above)] != above:
                value = self.kinds[parent].record.value
                raise WrongColumns(f"the row belongs below a row of the kind {value!r}", path=WHOLE, line=row.line)
            above = current[parent]
        before = count.get((number, above), 0)
        if before and not (kind.many and kind.many[-1]):
            raise WrongColumns("a message has only one row of this kind", path=WHOLE, line=row.line)
        count[number, above] = before + 1
        return (*above, before) if kind.many and kind.many[-1] else above

    # --- writing ---------------------------------------------------------------------------------------------------

    def rows(self, tree: Mapping[str, Any]) -> list[Row]:
        """Return the rows of one message.

        Raises `FieldNotCarried` where the tree has more of something than the table has places, `BadValue` for a list item that
        holds its separator.
        """
        made: dict[Key, dict[str, str]] = {(): {}}
        for path, numbers, text in _leaves(tree):
            number, cells = self.by_path[path]
            cell, key = self._place(number, cells, numbers, path)
            for length in range(len(key) + 1):
                made.setdefault(key[:length], {})
            row = made[key]
            if cell.column.separator:
                _check_item(text, cell)
                text = f"{row[cell.name]}{cell.column.separator}{text}" if cell.name in row else text  # noqa: PLW2901
            row[cell.name] = text
        rows: list[Row] = []
        for line, (key, texts) in enumerate(sorted(made.items()), 1):
            kind = self.kinds[key[-1][0] if key else self.first]
            rows.append(Row(line, {self.record: kind.record.value, **texts} if self.record else texts))
        return rows

    def _place(self, number: int, cells: Sequence[Cell], numbers: Numbers, path: tuple[str, ...]) -> tuple[Cell, Key]:
        """Return the column of a value, and the place of its row."""
        kind, above = self.kinds[number], cells[0].above
        own = numbers[above : len(numbers) - 1] if cells[0].column.separator else numbers[above:]
        cell = next((cell for cell in cells if cell.numbers == own), None)
        if cell is None:
            words = f"the table has no further column {cells[0].column.name!r}"
            raise FieldNotCarried(words, path="/" + "/".join(path))
        key: list[tuple[int, int]] = []
        used = 0
        for parent in kind.parents:
            repeated = self.kinds[parent].many[-1]
            key.append((parent, numbers[used] if repeated else 0))
            used += repeated
        return cell, tuple(key)


def _check_item(text: str, cell: Cell) -> None:
    if cell.column.separator in text:
        words = f"a value of the list in the column {cell.name!r} holds the sign that separates them"
        raise BadValue(words, path="/" + "/".join(cell.path))


def _leaves(value: Any, path: tuple[str, ...] = (), numbers: Numbers = ()) -> Iterator[tuple[tuple[str, ...], Numbers, str]]:
    """Yield path, numbers and text of every value that says something."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, (*path, name), numbers)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _leaves(inner, path, (*numbers, number))
    elif value:
        yield path, numbers, value


def _put(top: dict[str, Any], cell: Cell, above: Numbers, text: str, line: int) -> None:
    """Put the value or values of a cell where they belong."""
    separator = cell.column.separator
    values = text.split(separator) if separator else [text]
    for number, value in enumerate(values):
        if not value:
            raise BadValue(f"the list in the column {cell.name!r} has an empty item", path="/" + "/".join(cell.path), line=line)
        numbers = iter((*above, *cell.numbers, number))
        place: Any = top
        *steps_above, last = zip(cell.path, cell.many, strict=True)
        for step, many in steps_above:
            place = place.setdefault(step, _Several() if many else {})
            if many:
                place = place.items.setdefault(next(numbers), {})
        found = (value, Found(cell.name, line))
        if last[1]:
            place.setdefault(last[0], _Several()).items[next(numbers)] = found
        else:
            place[last[0]] = found


def _plain(value: Any, path: str, places: dict[str, Found]) -> Any:
    """Return the tree as JSON would be: lists without gaps, values without their places, which go to `places`."""
    if isinstance(value, dict):
        return {name: _plain(inner, f"{path}/{name}", places) for name, inner in value.items()}
    if isinstance(value, _Several):
        return [_plain(value.items[number], f"{path}/{at}", places) for at, number in enumerate(sorted(value.items))]
    places[path] = value[1]
    return value[0]


# --- compiling -----------------------------------------------------------------------------------------------------


def compile_sheet(layout: Layout, shapes: Mapping[str, Shape], place: str) -> Sheet:
    """Bind a layout to the shapes of the message types. Raises `MappingInvalid` naming file, column and path.

    Every member of the schema must have a column: what has none could be written nowhere.
    """
    compiler = _Compiler(layout=layout, shapes=shapes, place=place)
    kinds = tuple(compiler.kind(record) for record in compiler.records())
    by_path: dict[tuple[str, ...], tuple[int, tuple[Cell, ...]]] = {}
    for number, kind in enumerate(kinds):
        for cell in kind.cells.values():
            known, cells = by_path.get(cell.path, (number, ()))
            if cells and (known != number or cells[0].column is not cell.column):
                raise compiler.bad(cell.name, f"the path {'/'.join(cell.path)!r} has a column already")
            by_path[cell.path] = (number, (*cells, cell))
    paths = {tuple(steps(path)) for shape in shapes.values() for path, _ in shape.leaves()}
    if missing := sorted("/".join(path) for path in paths - by_path.keys()):
        raise MappingInvalid(f"{place}: table: no column holds {', '.join(map(repr, missing))}")
    sheet = Sheet(
        record=layout.record,
        kinds=kinds,
        first=next(number for number, kind in enumerate(kinds) if not kind.path),
        by_value={kind.record.value: number for number, kind in enumerate(kinds)},
        by_path=by_path,
    )
    if len(sheet.names) > MAX_COLUMNS:
        hint = 'let groups share their columns (in a vocabulary: repeats = "groups"), or carry fewer message types'
        raise MappingInvalid(f"{place}: table: has {len(sheet.names)} columns, and at most {MAX_COLUMNS} are read: {hint}")
    return sheet


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compiler:
    layout: Layout
    shapes: Mapping[str, Shape]
    place: str

    def bad(self, column: str, why: str) -> MappingInvalid:
        return MappingInvalid(f"{self.place}: table: column {column!r}: {why}")

    def records(self) -> tuple[Record, ...]:
        """Return the kinds of rows; where the layout names no columns, each member of a flat schema is one."""
        (*_, last) = records = self.layout.records
        if last.columns:
            return records
        columns = {path: Column(name=path, path=path) for shape in self.shapes.values() for path, _ in shape.leaves()}
        deep = sorted(path for path in columns if "/" in path)
        if deep:
            raise MappingInvalid(f"{self.place}: table: needs 'columns', since {', '.join(map(repr, deep))} lie inside others")
        return (Record(value="", path="", columns=tuple(columns.values())),)

    def kind(self, record: Record) -> Kind:
        path = tuple(steps(record.path))
        shape = self.shape(path, f"the record {record.value!r}") if path else None
        if shape is not None and shape.leaf:
            raise MappingInvalid(f"{self.place}: table: the record {record.value!r} is about a value, not a group")
        many = self.many(path)
        parents = sorted(
            (len(steps(other.path)), number)
            for number, other in enumerate(self.layout.records)
            if path and other.path and f"{record.path}/".startswith(f"{other.path}/")
        )
        chain = tuple(number for _, number in parents)
        told = sum(self.many(tuple(steps(self.layout.records[number].path)))[-1] for number in chain)
        if sum(many) != told:
            words = f"{record.path!r} lies in something that may come several times: that needs a record of its own"
            raise MappingInvalid(f"{self.place}: table: the record {record.value!r}: {words}")
        cells: dict[str, Cell] = {}
        every = (cell for column in record.columns for cell in self.cells(column, path, told))
        for _, run in groupby(every, Cell.family):  # all columns of the first child, then all of the second
            for cell in sorted(run, key=lambda cell: cell.numbers[:1]):
                if cell.name in cells or cell.name == self.layout.record:
                    raise self.bad(cell.name, "has the name of another column")
                cells[cell.name] = cell
        return Kind(record=record, path=path, many=many, parents=chain, cells=cells)

    def cells(self, column: Column, above: tuple[str, ...], told: int) -> Iterator[Cell]:
        path = (*above, *steps(column.path))
        shape = self.shape(path, f"column {column.name!r}")
        if not shape.leaf:
            raise self.bad(column.name, f"{'/'.join(path)!r} is a group of members, not a value")
        many = self.many(path)
        if column.separator and not many[-1]:
            raise self.bad(column.name, "has a separator, but its value can come only once")
        repeats, wanted = sum(many) - told, len(column.times) + bool(column.separator)
        if repeats != wanted:
            if repeats > wanted:
                raise self.bad(
                    column.name, "may come several times and needs a number in its name with 'times', or a 'separator'"
                )
            raise self.bad(column.name, "has more numbers in its name than its path has parts that may come several times")
        for name, numbers in numbered(column).items():
            yield Cell(name=name, column=column, path=path, many=many, numbers=numbers, above=told)

    def shape(self, path: tuple[str, ...], who: str) -> Shape:
        """Return what the schema says about a path, in whichever message type has it."""
        for shape in self.shapes.values():
            if (found := shape.at("/".join(path))) is not None:
                return found
        raise MappingInvalid(f"{self.place}: table: {who}: the schema has no {'/'.join(path)!r}")

    def many(self, path: tuple[str, ...]) -> tuple[bool, ...]:
        return tuple(self.shape(path[: length + 1], "a part of the path").many for length in range(len(path)))
