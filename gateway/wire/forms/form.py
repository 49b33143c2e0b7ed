"""A message as a form: sections of numbered rows, each label in two languages, ready to be written as a page."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from lxml import etree

from gateway.stages import Tree
from gateway.wire.documents import NS
from gateway.wire.forms.labels import Both, Words
from gateway.wire.forms.layout import Layout, LayoutRow, LayoutSection, layout_of
from gateway.wire.forms.plain import plain_sections
from gateway.wire.forms.sheet import Box, Row, Section
from gateway.wire.forms.structure import Structure
from gateway.wire.forms.writing import WRITERS, Line, Writer
from gateway.wire.reading import text

_R = f"{{{NS}}}"
_NOTHING = etree.Element("Nothing")  # stands for an element that is not there: each row of it is empty


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One message, laid out."""

    title: Both
    words: Words
    boxes: tuple[Box, ...]
    head: tuple[Row, ...]
    sections: tuple[Section, ...]
    sender: str
    recipient: str
    case_reference: str
    message_id: str
    digest: str  # of the signed envelope; "" for a message that is not signed yet
    signed_by: str  # authority; "" where it is not signed
    treaty_form: bool  # whether a treaty has this form; it ends with room for a hand-written signature and a seal


def form_of(
    document: Tree, *, words: Words, states: Mapping[str, str], structure: Structure, digest: str = "", signed_by: str = ""
) -> Form:
    """Return the form of a checked message. `structure` is what the schema says of it, for types without a layout."""
    kind = etree.QName(document).localname
    layout = layout_of(kind)
    writer = Writer(words=words, states=states, codes=structure.codes)
    if layout is None:
        boxes: tuple[Box, ...] = ()
        head: tuple[Row, ...] = ()
        sections = plain_sections(document, structure.shapes[kind], writer)
    else:
        boxes, head, sections = _by_layout(document, layout, writer)
    return Form(
        title=words.label(kind),
        words=words,
        boxes=boxes,
        head=head,
        sections=sections,
        sender=text(document, "Header/Sender") or "",
        recipient=text(document, "Header/Recipient") or "",
        case_reference=text(document, "Header/CaseReference") or "",
        message_id=text(document, "Header/MessageId") or "",
        digest=digest,
        signed_by=signed_by,
        treaty_form=layout is not None,
    )


def _by_layout(document: Tree, layout: Layout, writer: Writer) -> tuple[tuple[Box, ...], tuple[Row, ...], tuple[Section, ...]]:
    boxes = tuple(
        Box(label=writer.words.label(tick.label), ticked=_is(document, tick.path, tick.value)) for tick in layout.ticks
    )
    head = tuple(row for each in layout.head if (row := _row(document, each, writer)).lines or each.number)
    return boxes, head, tuple(section for each in layout.sections for section in _sections(document, each, writer))


def _is(document: Tree, path: str, value: str) -> bool:
    return text(document, path) == value or (value == "true" and text(document, path) == "1")


def _sections(document: Tree, layout: LayoutSection, writer: Writer) -> Iterator[Section]:
    about: Sequence[Tree] = _elements(document, layout.each) if layout.each else [document]
    if not about and layout.optional:
        return
    for number, element in enumerate(about or [_NOTHING], 1):
        yield Section(
            letter=layout.letter,
            label=writer.words.label(layout.label),
            number=number if len(about) > 1 else None,
            photograph=layout.photograph,
            rows=tuple(_row(element, row, writer) for row in layout.rows),
        )


def _row(element: Tree, layout: LayoutRow, writer: Writer) -> Row:
    write = WRITERS[layout.writer]
    asked = replace(writer, wanted=layout.wanted)
    lines: list[Line] = [line for found in _elements(element, layout.paths) for line in write(asked, found)]
    return Row(number=layout.number, label=writer.words.label(layout.label), lines=tuple(lines))


def _elements(element: Tree, paths: Sequence[str]) -> list[Tree]:
    """Return what stands at the paths, one path after the other."""
    if element is _NOTHING:
        return []
    found: list[Tree] = []
    for path in paths:
        found += [element] if path == "." else element.findall("/".join(_R + step for step in path.split("/")))
    return found
