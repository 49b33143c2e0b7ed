"""The layout of a message that no treaty has a form for: the order and the names of the schema, group by group."""

from collections.abc import Iterator

from lxml import etree

from gateway.stages import Tree
from gateway.wire.documents import NS
from gateway.wire.forms.sheet import Row, Section
from gateway.wire.forms.writing import Line, Piece, Writer, code_line, date_text, instant_words, name_lines, plain, state_text
from gateway.wire.shapes import Shape

_R = f"{{{NS}}}"
_STATES = frozenset({"State", "IssuingState", "Nationality", "FormerNationality", "Destination", "OtherState"})
# Elements whose values are written by people, or are numbers and references: everything else with a word like a code is one.
_FREE = frozenset(
    {"Number", "Value", "CaseReference", "LinkedCase", "Agreement", "Sender", "Recipient", "Limit", "Script", "Text"}
)


def plain_sections(document: Tree, shape: Shape, writer: Writer) -> tuple[Section, ...]:
    """Return a section for each group of the message, and one for the fields that stand alone; in the order of the schema."""
    sections: list[Section] = []
    alone: list[Row] = []
    for name, inner in shape.children.items():
        if name.startswith("@") or name == "Header":
            continue
        found = document.findall(_R + name)
        if inner.leaf:
            lines = [line for each in found for line in _value(writer, each)]
            if lines:
                alone.append(_row(writer, (name,), lines))
            continue
        for number, element in enumerate(found, 1):
            rows = tuple(_rows(element, inner, writer, ()))
            sections.append(Section(label=writer.words.label(name), number=number if len(found) > 1 else None, rows=rows))
    if alone:
        sections.append(Section(label=writer.words.label("further-fields"), rows=tuple(alone)))
    return tuple(sections)


def _rows(element: Tree, shape: Shape, writer: Writer, above: tuple[str, ...]) -> Iterator[Row]:
    for name, inner in shape.children.items():
        if name.startswith("@"):
            continue
        found = element.findall(_R + name)
        if "AsShown" in inner.children:  # a name stands in one row, with its script and its Latin form
            lines = [line for each in found for line in name_lines(each)]
            if lines:
                yield _row(writer, (*above, name), lines)
        elif inner.leaf:
            lines = [line for each in found for line in _value(writer, each)]
            if lines or not above:
                yield _row(writer, (*above, name), lines)
        else:
            for each in found:
                yield from _rows(each, inner, writer, (*above, name))


def _row(writer: Writer, path: tuple[str, ...], lines: list[Line]) -> Row:
    """Return a row; a field below a group is named with its group, since "State" alone may be of a birth or an address."""
    several = [writer.words.label(name) for name in path]
    own = [each.own for each in several]
    label = several[-1]
    if len(several) > 1:
        joined = ": ".join(each for each in own if each) if all(own) else None
        label = type(label)(english=": ".join(each.english for each in several), own=joined)
    return Row(number="", label=label, lines=tuple(lines))


def _value(writer: Writer, element: Tree) -> list[Line]:
    name, value = etree.QName(element).localname, element.text or ""
    if name in _STATES:
        return plain(state_text(writer, value))
    if name in _FREE:
        return plain(value)
    if _is_day(value):
        return plain(date_text(value))
    if value[10:11] == "T" and value.endswith("Z") and _is_day(value[:10]):
        return plain(instant_words(value))
    if value in writer.codes:
        return code_line(writer, value)
    return [(Piece(text=part),) for part in value.splitlines() if part.strip()]


def _is_day(value: str) -> bool:
    parts = value.split("-")
    return (
        len(value) in {7, 10}
        and [len(part) for part in parts][:2] == [4, 2]
        and all(part.isascii() and part.isdigit() for part in parts)
    )
