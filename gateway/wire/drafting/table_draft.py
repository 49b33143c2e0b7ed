"""The `[table]` of a drafted sheet: columns named by the joined words, numbered or in rows of their own."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from gateway.partners.layouts import MAX_COLUMNS
from gateway.wire.drafting.layout import Layout, Node
from gateway.wire.drafting.naming import STYLES, kebab
from gateway.wire.drafting.rows import quoted
from gateway.wire.drafting.vocabulary import TableWords, Vocabulary
from gateway.wire.drafting.writing import Written

_CODES = {"State", "Nationality", "Language"}  # lists of these fit one cell; a text may hold the sign between two
_TIMES = {"Part": 5, "Child": 6, "FamilyMember": 6, "Evidence": 6, "Attachment": 6, "OtherName": 2, "Identifier": 2}
_LINE = 10_000
_NUMBERS = ("{n}", "{m}")
_JOINTS = {"snake": "_", "upper-snake": "_", "kebab": "-", "as-is": " ", "pascal": "", "camel": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """One column of the sheet."""

    path: tuple[str, ...]
    words: tuple[str, ...]  # the names along the path, each number behind what it numbers
    times: tuple[int, ...]
    key: str  # Group/Member, for widths
    value: Written
    separator: str = ""


_TOP = _Column(path=(), words=(), times=(), key="", value=Written(name="", verb=None, kind="token"))


class _Sheet:
    def __init__(self, vocabulary: Vocabulary, words: TableWords, layout: Layout) -> None:
        self.vocabulary, self.words, self.layout = vocabulary, words, layout

    def columns(self, nodes: Iterable[Node], above: _Column) -> Iterator[_Column]:
        """Yield the columns below `above`; a list gets its limit as a number."""
        for node in nodes:
            if not node.name:
                continue
            rows = self.layout.shared[node.rows] if node.rows is not None else None
            here = self.below(above, node)
            if node.children:
                yield from self.columns(node.children, here)
            elif rows is not None and not rows.single:
                yield from self.columns(rows.nodes, here)
            elif (value := node.value or (rows.nodes[0].value if rows else None)) is not None:
                yield self.valued(above, node, replace(here, value=value))

    def below(self, above: _Column, node: Node) -> _Column:
        """Return `above` with one more step."""
        words, times, path = (*above.words, node.name), above.times, (*above.path, node.name)
        if node.times > 1:
            if len(times) == (1 if self.vocabulary.format == "lines" else len(_NUMBERS)):
                why = f"needs a further number for {'/'.join(path)} ({node.key}), a list inside lists: name it in cannot_carry"
                raise self.vocabulary.bad("table", f'{why}, or take repeats = "records"')
            words, times = (*words, _NUMBERS[len(times)]), (*times, self.limit(node))
        return replace(above, path=path, words=words, times=times, key=node.key)

    def limit(self, node: Node) -> int:
        """Return how many columns a list gets: what the vocabulary says, or what such sheets commonly have."""
        return min(self.words.times.get(node.key) or _TIMES.get(node.key.rpartition("/")[2], 4), node.times)

    def valued(self, above: _Column, node: Node, here: _Column) -> _Column:
        """Return the column of a value; a list of codes stands in one cell where the vocabulary has a sign to part them."""
        if node.times == 1 or not self.words.separator or here.value.name not in _CODES:
            return here
        return replace(here, words=(*above.words, node.name), times=above.times, separator=self.words.separator)

    def name(self, column: _Column) -> str:
        """Return what the header calls a column."""
        style = self.vocabulary.style
        joined = _JOINTS[style].join(column.words if _JOINTS[style] else (word[:1].upper() + word[1:] for word in column.words))
        return joined[:1].lower() + joined[1:] if style == "camel" else joined

    def line(self, column: _Column, start: int) -> tuple[str, int]:
        """Return a column as TOML, and the first character behind it."""
        parts = [f"name = {quoted(self.name(column))}", f"path = {quoted('/'.join(column.path))}"]
        if column.times:
            times = column.times[0] if len(column.times) == 1 else list(column.times)
            parts.append(f"times = {times}")
        if column.separator:
            parts.append(f"separator = {quoted(column.separator)}")
        if self.vocabulary.format == "lines":
            width = self.words.widths.get(column.key) or self.words.widths.get(kebab(column.value.name)) or column.value.width
            parts.append(f"at = [{start}, {width}]")
            if column.times:
                parts.append(f"every = {width}")
            start += width * (column.times[0] if column.times else 1)
            if start > _LINE:
                why = f"leaves no room on a line of {_LINE} characters for {'/'.join(column.path)}: lower widths or times"
                raise self.vocabulary.bad("widths", why)
        return f"  {{ {', '.join(parts)} }},", start

    def block(self, columns: Iterable[_Column], start: int) -> Iterator[str]:
        """Yield `columns = [...]`."""
        yield "columns = ["
        for column in columns:
            text, start = self.line(column, start)
            yield text
        yield "]"

    def tag(self) -> _Column:
        """Return the column that tells the message type."""
        name = self.vocabulary.name(self.vocabulary.type_word)
        longest = max(len(self.vocabulary.type_name(kind)) for kind in self.vocabulary.types)
        value = Written(name="Tag", verb=None, kind="token", width=longest)
        return replace(_TOP, path=(name,), words=(name,), value=value)

    def merged(self, groups: Iterable[str] = ()) -> list[_Column]:
        """Return the columns of all messages but those of `groups`: what two messages share is one column."""
        tag = self.tag()
        found = {tag.path: tag}
        for rows in self.layout.messages.values():
            for column in self.columns((node for node in rows.nodes if node.name not in groups), _TOP):
                _merge(found, column)
        return list(found.values())

    def groups(self) -> dict[str, list[Node]]:
        """Return what gets rows of its own, by name: groups at the top of a message that repeat, or all."""
        every = self.words.repeats == "groups"
        found: dict[str, list[Node]] = {}
        for rows in self.layout.messages.values():
            for node in rows.nodes:
                group = node.children or (node.rows is not None and not self.layout.shared[node.rows].single)
                if group and (every or node.times > 1):
                    found.setdefault(node.name, []).append(node)
        return found

    def records(self) -> Iterator[str]:
        """Yield the kinds of rows: the row that begins a message, and one for each group that has rows of its own."""
        groups = self.groups()
        values = {"": STYLES["upper-snake"](self.vocabulary.type_word)} | {name: name.upper() for name in groups}
        name, width = self.vocabulary.name(self.words.record), max(map(len, values.values()))
        lines = self.vocabulary.format == "lines"
        yield f"record = {{ name = {quoted(name)}, at = [1, {width}] }}" if lines else f"record = {quoted(name)}"
        for path, value in values.items():
            yield from ("[[table.records]]", f"value = {quoted(value)}")
            if path:
                yield f"path = {quoted(path)}"
            yield from self.block(self.inside(groups[path]) if path else self.merged(groups), width + 1)

    def inside(self, nodes: Iterable[Node]) -> list[_Column]:
        """Return the columns of a group that has rows of its own: what is above it is no part of their names and numbers."""
        found: dict[tuple[str, ...], _Column] = {}
        for node in nodes:
            inner = node.children or self.layout.shared[str(node.rows)].nodes
            for column in self.columns(inner, _TOP):
                _merge(found, column)
        return list(found.values())


def _merge(found: dict[tuple[str, ...], _Column], column: _Column) -> None:
    """Add a column; one that is there already becomes as wide and as long as both need."""
    known = found.get(column.path, column)
    times = tuple(max(pair) for pair in zip(known.times, column.times, strict=False)) or column.times
    width = max(known.value.width, column.value.width)
    found[column.path] = replace(column, times=times, value=replace(column.value, width=width))


def table_text(vocabulary: Vocabulary, words: TableWords, layout: Layout) -> str:
    """Return the section `[table]` of mapping.toml. Raises `MappingInvalid` for what a table cannot hold."""
    sheet = _Sheet(vocabulary, words, layout)
    lines = ["", "[table]"]
    lines += [
        f"{key} = {quoted(value) if isinstance(value, str) else str(value).lower()}" for key, value in words.further.items()
    ]
    if words.record:
        lines += sheet.records()
    else:
        columns = sheet.merged()
        if (total := sum(math.prod(column.times) for column in columns)) > MAX_COLUMNS:
            why = f"leaves {total} columns, and a table has at most {MAX_COLUMNS}: lower numbers, cannot_carry"
            raise vocabulary.bad("times", f'{why}, or repeats = "groups"')
        lines += sheet.block(columns, 1)
    return "\n".join(lines) + "\n"
