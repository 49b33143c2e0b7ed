"""How a drafted format is laid out: row sets as trees of names, from which mapping and schema are both written.

A group that comes in several places, or several times, is a row set of its own and a type of its own in the schema; a group
that comes once stands where it is needed. In a flat layout only what repeats is a row set.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from gateway.wire.converters import GroupConverter
from gateway.wire.drafting.canonical import Canonical, Group, Member
from gateway.wire.drafting.naming import is_xml_name, kebab, snake
from gateway.wire.drafting.vocabulary import Vocabulary
from gateway.wire.drafting.writing import Written, written

# What the gateway fills in when a home authority leaves it out.
_FILLED_IN = {"Header/MessageId", "Header/CaseReference", "Header/Sequence", "Header/Created"}


_ONE_TEXT = 1500  # characters for a group written as one text


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One name here; or, with no name, a canonical field whose value is fixed."""

    name: str  # "@name" is an attribute, "." the value itself
    canonical: str  # path below the row set's element
    required: bool
    times: int
    value: Written | None = None
    rows: str | None = None  # the row set of what it holds
    children: tuple["Node", ...] = ()
    fixed: str | None = None
    key: str = ""  # Group/Member


@dataclass(frozen=True, slots=True, kw_only=True)
class RowSet:
    """The rows of a message, or of a group that is shared."""

    name: str
    group: str  # the canonical group or message, or the type of a repeated value
    meaning: str
    nodes: tuple[Node, ...]

    @property
    def single(self) -> bool:
        """Whether it is a repeated value, not a group."""
        return len(self.nodes) == 1 and self.nodes[0].name == "."


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """All row sets of a format."""

    messages: Mapping[str, RowSet]
    shared: Mapping[str, RowSet]


class _Layer:
    """Lays out one vocabulary."""

    def __init__(self, vocabulary: Vocabulary, canonical: Canonical) -> None:
        self.vocabulary, self.canonical = vocabulary, canonical
        self.flat = vocabulary.layout == "flat"
        self.shared: dict[str, RowSet] = {}
        self.several = {
            vocabulary.name(str(vocabulary.words.of(kind, member.name))): member.times
            for kind in vocabulary.types
            for member in canonical.messages[kind].members
            if member.many and vocabulary.carries(kind, member.name)
        }
        self.places: dict[str, int] = {}
        for name in (*vocabulary.types, *canonical.used(tuple(vocabulary.types))):
            group = canonical.messages.get(name) or canonical.groups[name]
            for member in group.members:
                one_text = vocabulary.group_converter(name, member) is not None
                if member.group is not None and not one_text and vocabulary.carries(name, member.name):
                    self.places[member.group] = self.places.get(member.group, 0) + 1

    def rows(self, group: Group, name: str) -> RowSet:
        """Return the row set of a group."""
        nodes = tuple(self.nodes(group, "", ""))
        self.distinct(nodes, group.name)
        if self.vocabulary.format == "xml":
            attributes_first = sorted(nodes, key=lambda node: not node.name.startswith("@"))
            nodes = tuple(attributes_first)
        return RowSet(name=name, group=group.name, meaning=group.meaning, nodes=nodes)

    def nodes(self, group: Group, words: str, above: str, *, required: bool = True) -> Iterator[Node]:
        """Yield the nodes of a group; `words` and `above` lead to it where the layout joins groups."""
        beside = self.content(group)
        for member in group.members:
            path = f"{group.name}/{member.name}"
            canonical = f"{above}{member.name}"
            if path in self.vocabulary.cannot_carry:
                continue
            if path in self.vocabulary.fixed:
                yield Node(name="", canonical=canonical, required=True, times=1, fixed=self.vocabulary.fixed[path])
                continue
            word = f"{words} {self.vocabulary.words.of(group.name, member.name)}".strip()
            needed = required and member.required and path not in _FILLED_IN
            times = self.times(group, member, word)
            if (converter := self.vocabulary.group_converter(group.name, member)) is not None:
                yield self.one_text(
                    group, member, converter, Node(name=word, canonical=canonical, required=needed, times=times)
                )
                continue
            if member.group is not None and times == 1 and (self.flat or self.places[member.group] == 1):
                yield from self.inner(member, word, canonical, needed=needed)
                continue
            yield Node(
                name="." if member.name == beside else self.name(group, member, word),
                canonical=canonical,
                required=needed,
                times=times,
                value=written(self.vocabulary, group.name, member) if member.value is not None else None,
                rows=self.row_set(group, member),
                key=path,
            )

    def one_text(self, group: Group, member: Member, converter: GroupConverter, node: Node) -> Node:
        """Return the node of a group that a converter writes as one text."""
        inner = self.canonical.groups[str(member.group)]
        known = {each.path for each in converter.canonical}
        for other in inner.members:
            if other.name not in known and self.vocabulary.carries(inner.name, other.name):
                raise self.vocabulary.bad(
                    f"converters.{kebab(inner.name)}", f"has no place for {inner.name}/{other.name}: name it in cannot_carry"
                )
        verb = ("convert", converter.name)
        value = Written(name=f"{inner.name}Text", verb=verb, kind="string", longest=_ONE_TEXT)
        rows = f"each_{snake(inner.name)}" if node.times > 1 else None
        if rows is not None:
            one = Node(name=".", canonical=".", required=True, times=1, value=value)
            self.shared[rows] = RowSet(name=rows, group=inner.name, meaning="", nodes=(one,))
        name, key = self.name(group, member, node.name), f"{group.name}/{member.name}"
        return replace(node, name=name, value=value, rows=rows, key=key)

    def times(self, group: Group, member: Member, word: str) -> int:
        """Return how often a member may come.

        A table has one column, or one kind of row, for all messages: what comes several times in one message does in all.
        """
        if self.vocabulary.table is None or group.name not in self.canonical.messages:
            return member.times
        return max(member.times, self.several.get(self.vocabulary.name(word), 1))

    def inner(self, member: Member, word: str, canonical: str, *, needed: bool) -> Iterator[Node]:
        """Yield a group that stands where it is needed: joined in a flat layout, as an element of its own otherwise."""
        group = self.canonical.groups[str(member.group)]
        if self.flat:
            yield from self.nodes(group, word, f"{canonical}/", required=needed)
            return
        children = tuple(self.nodes(group, "", f"{canonical}/"))
        self.distinct(children, group.name)
        name = self.checked(self.vocabulary.name(word), member.name)
        ordered = tuple(sorted(children, key=lambda node: not node.name.startswith("@")))
        yield Node(name=name, canonical=canonical, required=needed, times=1, children=ordered, key=member.name)

    def name(self, group: Group, member: Member, word: str) -> str:
        """Return the name of a member in this format."""
        name = self.checked(self.vocabulary.name(word), f"{group.name}/{member.name}")
        attribute = member.name in self.vocabulary.attributes and member.value is not None and not member.many
        return f"@{name}" if attribute else name

    def checked(self, name: str, key: str) -> str:
        """Refuse a name that the format cannot have."""
        if self.vocabulary.format == "xml" and not is_xml_name(name):
            raise self.vocabulary.bad(f"words.{key}", f"gives {name!r}, which cannot be the name of an element")
        if "/" in name or name == "." or name.startswith("@"):
            raise self.vocabulary.bad(f"words.{key}", f"gives {name!r}, which a mapping cannot name")
        return name

    def content(self, group: Group) -> str | None:
        """Return the member that is the text of its element: it must come, and all others must be attributes."""
        others = [member for member in group.members if member.name not in self.vocabulary.attributes]
        if len(others) != 1 or len(group.members) == 1 or not others[0].required or others[0].many:
            return None
        return others[0].name if others[0].value is not None and others[0].name in self.vocabulary.content else None

    def row_set(self, group: Group, member: Member) -> str | None:
        """Return the name of the row set for what a member holds; None for a single value."""
        if member.group is not None:
            name = snake(member.group)
            if name not in self.shared:
                self.shared[name] = self.rows(self.canonical.groups[member.group], name)
            return name
        if not member.many or member.value is None:
            return None
        value = written(self.vocabulary, group.name, member)
        name = f"each_{snake(value.name)}"
        node = Node(name=".", canonical=".", required=True, times=1, value=value)
        self.shared[name] = RowSet(name=name, group=member.value.name, meaning="", nodes=(node,))
        return name

    def distinct(self, nodes: tuple[Node, ...], group: str) -> None:
        """Refuse two members of one group that get the same name, naming both."""
        taken: dict[str, str] = {}
        for node in nodes:
            if not node.name:
                continue
            if node.name in taken:
                raise self.vocabulary.bad(
                    "words", f"gives {node.name!r} to two members of {group}: {taken[node.name]} and {node.canonical}"
                )
            taken[node.name] = node.canonical


def lay_out(vocabulary: Vocabulary, canonical: Canonical) -> Layout:
    """Return the row sets of a format; raises `MappingInvalid` naming the key of the vocabulary that is at fault."""
    layer = _Layer(vocabulary, canonical)
    messages: dict[str, RowSet] = {}
    for kind, group in canonical.messages.items():
        if kind not in vocabulary.types:
            continue
        rows = layer.rows(group, snake(kind))
        tag = vocabulary.name(vocabulary.type_word) if vocabulary.type_word else ""
        if tag and any(node.name == tag for node in rows.nodes):
            raise vocabulary.bad("type_word", f"gives {tag!r}, which is a member of {kind} as well")
        messages[kind] = rows
    order = {snake(name): number for number, name in enumerate(canonical.groups)}
    shared = dict(sorted(layer.shared.items(), key=lambda item: (order.get(item[0], -1), item[0])))
    return Layout(messages=MappingProxyType(messages), shared=MappingProxyType(shared))
