"""The canonical messages as a drafter needs them: groups with their members, and what a value may hold.

`gateway.wire.shapes` tells structure only; a drafted schema also needs types, lengths, codes, and which groups are the same
group in many places. Read from the XSD files, which are published and never edited in place.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from lxml import etree

from gateway.stages import Tree

_XS = "{http://www.w3.org/2001/XMLSchema}"
_GATEWAYS_OWN = {"Receipt"}  # exchanged between gateways, never with a national system
_BUILT_IN = {"boolean", "date", "dateTime", "decimal", "integer", "string", "token"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """What a field may hold: a simple type of the canonical XSD."""

    name: str  # "Sex"; "Boolean" for xs:boolean; that of the element for a type without a name
    base: str  # the built-in type below it, "token"; "partial-date" for the one union
    codes: tuple[str, ...] = ()  # its enumeration
    pattern: str | None = None
    longest: int | None = None
    least: int | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One element of a group: a field with a value, or a group below it."""

    name: str
    group: str | None  # the name of its group; None for a field
    value: Value | None  # of a field
    required: bool
    times: int  # how often at most

    @property
    def many(self) -> bool:
        """Whether it may come several times."""
        return self.times > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A complex type, or a message: named members in schema order."""

    name: str
    meaning: str  # the comment that stands above it in the XSD, "" without one
    members: tuple[Member, ...]

    def member(self, name: str) -> Member | None:
        """Return the member called `name`, or None."""
        return next((member for member in self.members if member.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Canonical:
    """All messages that a dialect may have."""

    messages: Mapping[str, Group]  # in the order of the XSD files
    groups: Mapping[str, Group]  # every group that a message leads to
    sections: tuple[tuple[str, tuple[str, ...]], ...]  # what an XSD file is about, and its messages

    def of(self, name: str) -> Group | None:
        """Return the group or message called `name`; a group wins, where both have the name it is the same word."""
        return self.groups.get(name) or self.messages.get(name)

    def used(self, messages: tuple[str, ...]) -> tuple[str, ...]:
        """Return the names of the groups that `messages` lead to, each once, outer ones first."""
        found: dict[str, None] = {}

        def walk(group: Group) -> None:
            for member in group.members:
                if member.group is not None and member.group not in found:
                    found[member.group] = None
                    walk(self.groups[member.group])

        for name in messages:
            walk(self.messages[name])
        return tuple(found)

    def paths(self, message: str, wanted: str, name: str) -> Iterator[str]:
        """Yield every canonical path in `message` that ends at the member `name` of the group `wanted`."""

        def walk(group: Group, above: str) -> Iterator[str]:
            for member in group.members:
                path = f"{above}{member.name}"
                if group.name == wanted and member.name == name:
                    yield path
                if member.group is not None:
                    yield from walk(self.groups[member.group], f"{path}/")

        yield from walk(self.messages[message], "")


class _Reader:
    """The XSD files of one schema folder."""

    def __init__(self, folder: Path) -> None:
        self.named: dict[tuple[str, str], Tree] = {}
        self.sections: list[tuple[str, tuple[str, ...]]] = []
        self.meanings: dict[str, str] = {}
        self.messages: list[str] = []
        root = folder / "readmission.xsd"
        self.read(root, {root})

    def read(self, path: Path, seen: set[Path]) -> None:
        """Read one file and, before it, what it includes."""
        root = etree.fromstring(path.read_bytes(), etree.XMLParser(resolve_entities=False, no_network=True))
        about = next((comment.text for comment in root.itersiblings(preceding=True)), "")
        here: list[str] = []
        said = ""
        for part in root.iterchildren():
            if part.tag is etree.Comment:
                said = " ".join((part.text or "").split())
                continue
            if part.tag == f"{_XS}include":
                further = path.parent / part.get("schemaLocation", "")
                if further not in seen:
                    seen.add(further)
                    self.read(further, seen)
                continue
            kind, name = etree.QName(part).localname, part.get("name", "")
            self.named[kind, name] = part
            if kind == "element" and name not in _GATEWAYS_OWN:
                here.append(name)
            if kind in {"element", "complexType"}:
                self.meanings[f"{kind} {name}"] = said
            said = ""
        if here:
            self.messages += here
            self.sections.append((" ".join((about or "").split()).rstrip("."), tuple(here)))

    def group(self, name: str, kind: Tree, meaning: str) -> Group:
        """Return a group from its complex type."""
        return Group(name=name, meaning=meaning, members=tuple(self.members(kind)))

    def members(self, part: Tree) -> Iterator[Member]:
        """Yield the members of a complex type or of a named group, in order."""
        for child in part.iterchildren(tag=etree.Element):
            if child.tag == f"{_XS}element":
                yield self.member(child)
            elif child.tag == f"{_XS}group":
                yield from self.members(self.named["group", child.get("ref", "")])
            elif child.tag in {f"{_XS}sequence", f"{_XS}complexType"}:
                yield from self.members(child)

    def member(self, element: Tree) -> Member:
        """Return one member."""
        kind, name = element.get("type", ""), element.get("name", "")
        complex_type = ("complexType", kind) in self.named
        return Member(
            name=name,
            group=kind if complex_type else None,
            value=None if complex_type else self.value(kind, element),
            required=element.get("minOccurs", "1") != "0",
            times=int(element.get("maxOccurs", "1")),
        )

    def value(self, kind: str, element: Tree) -> Value:
        """Return what a field may hold."""
        built_in = kind.removeprefix("xs:")
        if built_in in _BUILT_IN:
            return Value(name=built_in.capitalize(), base=built_in)
        simple = self.named["simpleType", kind] if kind else element.find(f"{_XS}simpleType")
        rule = simple.find(f"{_XS}restriction")

        def facet(name: str) -> str | None:
            found = rule.find(f"{_XS}{name}")
            return None if found is None else str(found.get("value"))

        def number(name: str) -> int | None:
            found = facet(name)
            return None if found is None else int(found)

        return Value(
            name=kind or element.get("name", ""),
            base=rule.get("base", "xs:partial-date").removeprefix("xs:"),
            codes=tuple(code.get("value", "") for code in rule.iterfind(f"{_XS}enumeration")),
            pattern=facet("pattern"),
            longest=number("maxLength"),
            least=number("minInclusive"),
            most=number("maxInclusive"),
        )


@lru_cache(maxsize=8)
def read_canonical(folder: Path) -> Canonical:
    """Return the messages of a schema folder."""
    reader = _Reader(folder)
    types = {name: part for (kind, name), part in reader.named.items() if kind == "complexType"}
    groups = {name: reader.group(name, part, reader.meanings[f"complexType {name}"]) for name, part in types.items()}
    messages = {
        name: reader.group(name, reader.named["element", name], reader.meanings[f"element {name}"]) for name in reader.messages
    }
    whole = Canonical(messages=MappingProxyType(messages), groups=MappingProxyType(groups), sections=tuple(reader.sections))
    used = set(whole.used(tuple(messages)))
    return Canonical(
        messages=whole.messages,
        groups=MappingProxyType({name: group for name, group in groups.items() if name in used}),
        sections=whole.sections,
    )
