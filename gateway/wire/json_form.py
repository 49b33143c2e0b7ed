"""Read and write JSON by a route: closures made once per message type, members in the order of the schema."""

from collections.abc import Callable, Iterator
from json.encoder import encode_basestring
from typing import Any, TypeAlias

from gateway.errors import BadValue, Refused, SchemaViolation
from gateway.wire.plans import Repeat
from gateway.wire.report import Field
from gateway.wire.routes import Notes, Route, Slots, placed, route

ReadJson: TypeAlias = Callable[[Any, Slots, Notes], None]
WriteJson: TypeAlias = Callable[[Slots, dict[str, Any], Notes], bool]  # tells whether anything but fixed values was written


# --- reading -------------------------------------------------------------------------------------------------------


def json_reader(place: Route) -> ReadJson:
    """Return the function that reads the value at `place` into slots; null and "" say that nothing is given."""
    if not place.children:
        return _value_reader(place)
    entries = {name: _entry(child) for name, child in place.children.items()}
    path = place.path

    def read(value: Any, slots: Slots, notes: Notes) -> None:
        if not isinstance(value, dict):
            raise SchemaViolation("is not an object", path=path or "/")
        for name, inner in value.items():
            entry = entries.get(name)
            if entry is None:
                raise SchemaViolation("holds a member that the format does not know", path=path or "/")
            if inner is not None and inner != "":
                entry(inner, slots, notes)

    return read


def _entry(place: Route) -> ReadJson:
    if place.lost is not None:
        return _lost_reader(place)
    if place.repeat is not None:
        return _repeat_reader(place.repeat)
    return json_reader(place)


def _value_reader(place: Route) -> ReadJson:
    leaf, path = place.leaf, place.path
    if leaf is None:  # the member that tells the message type
        return lambda _value, _slots, _notes: None
    slot, convert, number, fixed = leaf.slot, leaf.read, leaf.number, leaf.fixed

    def read(value: Any, slots: Slots, notes: Notes) -> None:
        if fixed is not None:
            if value != fixed:
                raise BadValue(f"must be {fixed!r}, as in every message of this format", path=path)
            return
        if convert is not None:
            try:
                value = convert(value)
            except Refused as error:
                raise placed(error, path, None) from error.__cause__
        elif not isinstance(value, str):
            raise BadValue("is not a text", path=path)
        slots[slot] = value
        notes.seen.add(number)

    return read


def _repeat_reader(repeat: Repeat) -> ReadJson:
    slot, size, inner = repeat.slot, repeat.scope.size, json_reader(route(repeat.scope, "here"))
    path = repeat.scope.here_path

    def read(value: Any, slots: Slots, notes: Notes) -> None:
        items: list[Slots] = []
        several = isinstance(value, list)
        for number, item in enumerate(value if several else (value,)):
            found: Slots = [None] * size
            try:
                inner(item, found, notes)
            except Refused as error:
                if several and error.path is not None and error.path.startswith(path):  # which of them: as the schema says it
                    error.path = f"{path}/{number}{error.path.removeprefix(path)}"
                raise
            items.append(found)
        slots[slot] = items

    return read


def _lost_reader(place: Route) -> ReadJson:
    def read(value: Any, _slots: Slots, notes: Notes) -> None:
        notes.lost.extend(
            Field(path=path, action="dropped", rule="cannot-carry", why=place.lost) for path in _filled(value, place.path)
        )

    return read


def _filled(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _filled(inner, f"{path}/{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from _filled(inner, path)
    elif value is not None:
        yield path


# --- writing -------------------------------------------------------------------------------------------------------


def json_writer(place: Route) -> WriteJson:
    """Return the function that writes the members below `place`."""
    below = [_member_writer(name, child) for name, child in place.children.items() if child.lost is None]
    fixed = [child.leaf.number for child in place.children.values() if child.leaf is not None and child.fixed]

    def write(slots: Slots, target: dict[str, Any], notes: Notes) -> bool:
        wrote = False
        for member in below:
            if member(slots, target, notes):
                wrote = True
        if wrote:
            notes.seen.update(fixed)
        return wrote

    return write


def _member_writer(name: str, place: Route) -> WriteJson:
    if place.repeat is not None:
        return _repeat_writer(name, place.repeat)
    if place.leaf is not None:
        return _value_writer(name, place)
    inner = json_writer(place)

    def write(slots: Slots, target: dict[str, Any], notes: Notes) -> bool:
        group: dict[str, Any] = target.get(name, {})  # the member that tells the type may stand in it already
        if inner(slots, group, notes):
            target[name] = group
            return True
        return False

    return write


def _native(place: Route) -> Callable[[Slots], Any]:
    """Return the function that gives the value of a leaf as the partner writes it, or None."""
    leaf = place.leaf
    assert leaf is not None
    slot, convert, path = leaf.slot, leaf.write, leaf.canonical_path
    if convert is None:
        return lambda slots: slots[slot]

    def native(slots: Slots) -> Any:
        canonical = slots[slot]
        if canonical is None:
            return None
        try:
            return convert(canonical)
        except Refused as error:
            raise placed(error, path, None) from error.__cause__

    return native


def _value_writer(name: str, place: Route) -> WriteJson:
    native = _native(place)
    fixed = place.leaf.fixed if place.leaf else None

    def write(slots: Slots, target: dict[str, Any], _notes: Notes) -> bool:
        if fixed is not None:
            target[name] = fixed
            return False
        value = native(slots)
        if value is None:
            return False
        target[name] = value
        return True

    return write


def _repeat_writer(name: str, repeat: Repeat) -> WriteJson:
    slot, place, many = repeat.slot, route(repeat.scope, "here"), repeat.scope.here.many
    native = _native(place) if place.leaf is not None else None
    inner = json_writer(place)

    def write(slots: Slots, target: dict[str, Any], notes: Notes) -> bool:
        items: list[Any] = []
        for found in slots[slot] or ():
            if native is not None:
                items.append(native(found))
                continue
            group: dict[str, Any] = {}
            if inner(found, group, notes):
                items.append(group)
        if items:
            target[name] = items if many else items[0]
        return bool(items)

    return write


def dump(value: Any, indent: str = "") -> str:
    """Return JSON text for people and machines: UTF-8, two spaces; the standard encoder is slow when it indents."""
    deeper = indent + "  "
    if isinstance(value, str):
        return encode_basestring(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        members = [f"{deeper}{encode_basestring(name)}: {dump(inner, deeper)}" for name, inner in value.items()]
        return "{\n" + ",\n".join(members) + f"\n{indent}}}" if members else "{}"
    if isinstance(value, list):
        items = [f"{deeper}{dump(inner, deeper)}" for inner in value]
        return "[\n" + ",\n".join(items) + f"\n{indent}]" if items else "[]"
    return str(value)
