"""Read and write XML by a route: closures made once per message type, order from the schema.

The writer makes text, not a tree: three times cheaper, and the bytes are the ones that are parsed, signed and kept.
"""

import re
from collections.abc import Callable, Iterator
from typing import TypeAlias, cast

from lxml import etree

from gateway.errors import BadValue, FieldNotCarried, Refused, SchemaViolation
from gateway.stages import Tree
from gateway.wire.plans import Repeat, Side
from gateway.wire.report import Field
from gateway.wire.routes import Notes, Route, Slots, placed, route

ReadXml: TypeAlias = Callable[[Tree, Slots, Notes], None]
WriteXml: TypeAlias = Callable[[Slots, list[str], Notes], bool]  # tells whether anything but fixed values was written

_AWKWARD = re.compile('[&<>"\r\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]').search
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]").search
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;"})


def escape(value: str, source: str) -> str:
    """Return `value` as XML text; raises `BadValue` at `source` for a character that XML cannot hold (JSON can)."""
    if _AWKWARD(value) is None:
        return value
    if _NOT_XML(value):
        raise BadValue("holds a control character that a message cannot carry", path=source)
    return value.translate(_ESCAPES)


def escape_attribute(value: str, source: str) -> str:
    """Return `value` as the text of an attribute in double quotes; line ends and tabs survive."""
    return escape(value, source).replace("\n", "&#10;").replace("\t", "&#9;")


# --- reading -------------------------------------------------------------------------------------------------------


def xml_reader(place: Route, namespace: str, side: Side) -> ReadXml:
    """Return the function that reads the element at `place` into slots.

    An element that the schema allows and the mapping does not know cannot come: compiling refuses such a hole. What
    the schema does not allow is a `SchemaViolation` should it come unchecked.
    """
    attributes = {name[1:]: child for name, child in place.children.items() if name.startswith("@")}
    entries = {
        f"{{{namespace}}}{name}" if namespace else name: _entry(child, namespace, side)
        for name, child in place.children.items()
        if not name.startswith("@")
    }
    attribute_readers = [(name, _value_reader(child, side)) for name, child in attributes.items()]
    own = _value_reader(place, side) if place.leaf else None

    def read(element: Tree, slots: Slots, notes: Notes) -> None:
        for name, take in attribute_readers:
            if (value := element.get(name)) is not None:
                take(value, element, slots, notes)
        if own is not None and (text := element.text):
            own(text, element, slots, notes)
        for child in element:
            entry = entries.get(child.tag)
            if entry is None:
                raise SchemaViolation("this element has no place here", path=place.path, line=_line(child))
            slot, convert, number, path, further = entry
            if further is not None:
                further(child, slots, notes)
            elif text := child.text:
                slots[slot] = text if convert is None else _converted(convert, text, path, child)
                notes.seen.add(number)

    return read


def _line(element: Tree) -> int | None:
    return cast("int | None", element.sourceline)


def _converted(convert: Callable[[str], str], text: str, path: str, element: Tree) -> str:
    """Return the canonical value; a refusal names the place."""
    try:
        return convert(text)
    except Refused as error:
        raise placed(error, path, _line(element)) from error.__cause__


_Entry: TypeAlias = tuple[int, Callable[[str], str] | None, int, str, ReadXml | None]


def _entry(place: Route, namespace: str, side: Side) -> _Entry:
    """Return how a child element is read: a plain value by slot and converter, anything else by a function."""
    entry = _any_number(place, namespace, side)
    return entry if place.once is None else (0, None, 0, place.path, _once_reader(place.once, entry))


def _once_reader(came: int, entry: _Entry) -> ReadXml:
    """Return the function that reads the first of several elements, and refuses the second: it has no place elsewhere."""
    slot, convert, number, path, further = entry

    def read(element: Tree, slots: Slots, notes: Notes) -> None:
        if slots[came] is not None:
            raise FieldNotCarried("the other format has a place for one of these only", path=path, line=_line(element))
        slots[came] = ""
        if further is not None:
            further(element, slots, notes)
        elif text := element.text:
            slots[slot] = text if convert is None else _converted(convert, text, path, element)
            notes.seen.add(number)

    return read


def _any_number(place: Route, namespace: str, side: Side) -> _Entry:
    """Return how a child element is read, however often it comes."""
    leaf = place.leaf
    if leaf is not None and place.plain and leaf.fixed is None:
        return leaf.slot, leaf.read if side == "here" else None, leaf.number, place.path, None
    if place.lost is not None:
        return 0, None, 0, place.path, _lost_reader(place)
    if place.repeat is not None:
        return 0, None, 0, place.path, _repeat_reader(place, namespace, side)
    return 0, None, 0, place.path, xml_reader(place, namespace, side)


def _value_reader(place: Route, side: Side) -> Callable[[str, Tree, Slots, Notes], None]:
    """Return the reader of an attribute, or of the text beside attributes."""
    leaf, why = place.leaf, place.lost

    def read(value: str, element: Tree, slots: Slots, notes: Notes) -> None:
        if leaf is None:
            notes.lost.append(_carry_not(place, why or ""))
        elif leaf.fixed is not None:
            if value.strip() != leaf.fixed:
                raise BadValue(
                    f"must be {leaf.fixed!r}, as in every message of this format", path=place.path, line=_line(element)
                )
        else:
            slots[leaf.slot] = _converted(leaf.read, value, place.path, element) if leaf.read and side == "here" else value
            notes.seen.add(leaf.number)

    return read


def _repeat_reader(place: Route, namespace: str, side: Side) -> ReadXml:
    repeat = place.repeat
    assert repeat is not None
    slot, size = repeat.slot, repeat.scope.size
    inner = xml_reader(route(repeat.scope, side), namespace, side)

    def read(element: Tree, slots: Slots, notes: Notes) -> None:
        item: Slots = [None] * size
        inner(element, item, notes)
        if slots[slot] is None:
            slots[slot] = []
        slots[slot].append(item)

    return read


def _carry_not(place: Route, why: str) -> Field:
    """Return the report line for a lost field; a field that the schema demands cannot be lost."""
    if place.required:
        raise FieldNotCarried(f"the other format has no place for this required field: {why}", path=place.path)
    return Field(path=place.path, action="dropped", rule="cannot-carry", why=why)


def _lost_reader(place: Route) -> ReadXml:
    def read(element: Tree, _slots: Slots, notes: Notes) -> None:
        for path in filled(element, place.path):
            lost = _carry_not(place, place.lost or "")
            notes.lost.append(Field(path=path, action=lost.action, rule=lost.rule, why=lost.why))

    return read


def filled(element: Tree, path: str) -> Iterator[str]:
    """Yield the path of every value at or below `element`."""
    if element.text and element.text.strip():
        yield path
    for child in element:
        yield from filled(child, f"{path}/{etree.QName(child).localname}")


# --- writing -------------------------------------------------------------------------------------------------------


def xml_writer(name: str, place: Route, side: Side, *, depth: int = 0, namespace: str = "") -> WriteXml:
    """Return the function that writes the element `name`; `namespace` is declared on the root only.

    Every element stands on a line of its own, so that an error can name its line. A group in which nothing but fixed
    values would stand is not written.
    """
    if place.repeat is not None:
        return _repeat_writer(name, place.repeat, side, depth)
    if not place.children:
        return _plain_writer(f"\n{' ' * depth}<{name}>", f"</{name}>", place, side)
    return _group_writer(name, place, side, depth, namespace)


def _value(place: Route, side: Side) -> Callable[[Slots], str | None]:
    """Return the function that gives the value of a leaf in the words of `side`, or None."""
    leaf = place.leaf
    if leaf is None:
        slot = -1 if place.slot_only is None else place.slot_only
        return lambda slots: slots[slot]
    if leaf.fixed is not None:
        fixed = leaf.fixed
        return lambda _slots: fixed
    slot = leaf.slot
    if side == "canonical" or leaf.write is None:
        return lambda slots: slots[slot]
    convert, path = leaf.write, leaf.canonical_path

    def value(slots: Slots) -> str | None:
        canonical = slots[slot]
        if canonical is None:
            return None
        try:
            text: str = convert(canonical)
        except Refused as error:
            raise placed(error, path, None) from error.__cause__
        return text

    return value


def _source(place: Route, side: Side) -> str:
    """Return where the value of a leaf came from: an error names the place its reader can mend."""
    if place.leaf is None:
        return place.path
    return place.leaf.here_path if side == "canonical" else place.leaf.canonical_path


def _plain_writer(opened: str, close: str, place: Route, side: Side) -> WriteXml:
    value, source = _value(place, side), _source(place, side)
    counts = place.leaf is None or place.leaf.fixed is None

    def write(slots: Slots, out: list[str], _notes: Notes) -> bool:
        text = value(slots)
        if text is None:
            return False
        if _AWKWARD(text) is not None:
            text = escape(text, source)
        out.append(f"{opened}{text}{close}")
        return counts

    return write


def _group_writer(name: str, place: Route, side: Side, depth: int, namespace: str) -> WriteXml:
    line = f"\n{' ' * depth}"
    head = f"{line}<{name}" + (f' xmlns="{namespace}"' if namespace else "")
    parts = {key: child for key, child in place.children.items() if child.lost is None or child.slot_only is not None}
    attributes = [
        (key[1:], _value(child, side), _source(child, side), child.fixed) for key, child in parts.items() if key[0] == "@"
    ]
    below = [xml_writer(key, child, side, depth=depth + 1) for key, child in parts.items() if key[0] != "@"]
    own = _value(place, side) if place.leaf is not None else None
    source, is_root = _source(place, side), depth == 0
    close = f"{line}</{name}>" if below else f"</{name}>"
    fixed = [child.leaf.number for child in (place, *parts.values()) if child.leaf is not None and child.fixed]

    def write(slots: Slots, out: list[str], notes: Notes) -> bool:
        mark, wrote = len(out), is_root
        opened = head
        for key, value, origin, constant in attributes:
            if (text := value(slots)) is not None:
                opened += f' {key}="{escape_attribute(text, origin)}"'
                wrote = wrote or not constant
        out.append(f"{opened}>")
        if own is not None and (text := own(slots)) is not None:
            out.append(escape(text, source))
            wrote = True
        for child in below:
            if child(slots, out, notes):
                wrote = True
        if not wrote:
            del out[mark:]
            return False
        out.append(close)
        notes.seen.update(fixed)
        return True

    return write


def _repeat_writer(name: str, repeat: Repeat, side: Side, depth: int) -> WriteXml:
    slot, item = repeat.slot, xml_writer(name, route(repeat.scope, side), side, depth=depth)

    def write(slots: Slots, out: list[str], notes: Notes) -> bool:
        wrote = False
        for inner in slots[slot] or ():
            wrote = item(inner, out, notes) or wrote
        return wrote

    return write
