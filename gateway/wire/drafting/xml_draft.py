"""The XSD of a drafted XML format."""

from collections.abc import Iterable, Iterator
from html import escape

from gateway.wire.drafting.canonical import Canonical
from gateway.wire.drafting.layout import Layout, Node, RowSet
from gateway.wire.drafting.type_names import TypeNames
from gateway.wire.drafting.vocabulary import Vocabulary
from gateway.wire.drafting.writing import Written

_BARE = {"xs:date", "xs:dateTime", "xs:integer", "xs:boolean", "xs:decimal"}


def xsd_text(vocabulary: Vocabulary, canonical: Canonical, layout: Layout) -> str:
    """Return schema.xsd: simple types, shared groups, then one global element for each message."""
    draft = XsdWriter(TypeNames.of(vocabulary, canonical, layout))
    groups = [line for rows in layout.shared.values() if not rows.single for line in draft.group(rows)]
    messages = [line for kind, rows in layout.messages.items() for line in draft.message(vocabulary.type_name(kind), rows)]
    about = (
        f"{vocabulary.about} What the gateway fills in is optional. Drafted from vocabulary.toml by 'gateway partner draft'."
    )
    return xsd_file(about, vocabulary.namespace, vocabulary.version, (draft.simple_types(), groups, messages))


def xsd_file(about: str, namespace: str, version: str, parts: tuple[Iterable[str], Iterable[str], Iterable[str]]) -> str:
    """Return an XSD of values, groups and documents; without a namespace where `namespace` is empty."""
    own = f' xmlns="{_text(namespace)}" targetNamespace="{_text(namespace)}"' if namespace else ""
    values, groups, documents = parts
    return "\n".join(
        (
            '<?xml version="1.0" encoding="UTF-8"?>',
            f"<!-- {_text(about.replace('--', '-'))} -->",
            f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"{own}',
            f'           elementFormDefault="qualified" version="{_text(version)}">',
            *("", "  <!-- Values -->", *values),
            *("", "  <!-- Groups -->", *groups),
            *("", "  <!-- Documents -->", *documents),
            "</xs:schema>",
            "",
        )
    )


def _text(text: str) -> str:
    """Return `text` for an attribute or a comment; signs that cannot be seen are written as numbers."""
    marked = escape(text, quote=True)
    return "".join(f"&#x{ord(sign):X};" if 0x2000 <= ord(sign) <= 0x206F else sign for sign in marked)  # noqa: PLR2004 - a Unicode block


class XsdWriter:
    """Writes types and elements of an XSD; what it was asked for, it remembers."""

    def __init__(self, names: TypeNames) -> None:
        self.names = names
        self.values: dict[str, Written] = {}

    def group(self, rows: RowSet) -> Iterator[str]:
        """Yield the complex type of a shared group."""
        yield f'  <xs:complexType name="{self.names.of_rows(rows.name)}">'
        yield from self.inside(rows.nodes, "    ")
        yield "  </xs:complexType>"

    def message(self, root: str, rows: RowSet) -> Iterator[str]:
        """Yield the global element of a message."""
        yield f'  <xs:element name="{root}"><xs:complexType>'
        yield from self.inside(rows.nodes, "    ")
        yield "  </xs:complexType></xs:element>"

    def inside(self, nodes: Iterable[Node], indent: str) -> Iterator[str]:
        """Yield the content of a complex type."""
        named = [node for node in nodes if node.name]
        attributes = [node for node in named if node.name.startswith("@")]
        content = next((node for node in named if node.name == "." and node.value is not None), None)
        if content is not None and content.value is not None:
            yield f'{indent}<xs:simpleContent><xs:extension base="{self.simple(content.value)}">'
            yield from self.attributes(attributes, f"{indent}  ")
            yield f"{indent}</xs:extension></xs:simpleContent>"
            return
        yield f"{indent}<xs:sequence>"
        for node in named:
            if not node.name.startswith("@"):
                yield from self.element(node, f"{indent}  ")
        yield f"{indent}</xs:sequence>"
        yield from self.attributes(attributes, indent)

    def attributes(self, nodes: Iterable[Node], indent: str) -> Iterator[str]:
        """Yield attribute declarations."""
        for node in nodes:
            if node.value is not None:
                use = ' use="required"' if node.required else ""
                yield f'{indent}<xs:attribute name="{node.name[1:]}" type="{self.simple(node.value)}"{use}/>'

    def element(self, node: Node, indent: str) -> Iterator[str]:
        """Yield an element of a sequence."""
        often = ("" if node.required else ' minOccurs="0"') + (f' maxOccurs="{node.times}"' if node.times > 1 else "")
        if node.children:
            yield f'{indent}<xs:element name="{node.name}"{often}><xs:complexType>'
            yield from self.inside(node.children, f"{indent}  ")
            yield f"{indent}</xs:complexType></xs:element>"
            return
        kind = self.simple(node.value) if node.value is not None else self.names.of_rows(str(node.rows))
        yield f'{indent}<xs:element name="{node.name}" type="{kind}"{often}/>'

    def simple(self, value: Written) -> str:
        """Return the name of a simple type, and note that it is needed."""
        if value.kind == "any":
            return "xs:string"
        bare = value.kind in _BARE and value.pattern is None and value.least is None and value.most is None
        if bare:
            return value.kind
        self.values[value.name] = value
        return self.names.of_value(value.name)

    def simple_types(self) -> Iterator[str]:
        """Yield the simple types that were asked for, by name."""
        for name, value in sorted(self.values.items()):
            base = value.kind if value.kind in _BARE else f"xs:{'string' if value.kind == 'string' else 'token'}"
            free = base in {"xs:string", "xs:token"} and not value.codes
            facets = [
                ("enumeration", value.codes),
                ("minLength", ("1",) if free else ()),
                ("maxLength", (value.longest,) if value.longest is not None else ()),
                ("minInclusive", (value.least,) if value.least is not None else ()),
                ("maxInclusive", (value.most,) if value.most is not None else ()),
                ("pattern", (value.pattern,) if value.pattern is not None else ()),
            ]
            inside = [f'<xs:{facet} value="{_text(str(one))}"/>' for facet, several in facets for one in several]
            head = f'  <xs:simpleType name="{self.names.of_value(name)}"><xs:restriction base="{base}">'
            foot = "</xs:restriction></xs:simpleType>"
            if len(inside) <= 2:  # noqa: PLR2004 - what fits a line
                yield head + "".join(inside) + foot
            else:
                yield head
                yield from (f"    {line}" for line in inside)
                yield f"  {foot}"
