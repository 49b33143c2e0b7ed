"""Documents in a partner's own format behind one shape, XML and JSON: parse and check, read into slots, render and check."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from lxml import etree

from gateway.errors import MappingInvalid, UnknownMessageType
from gateway.partners import Dialect
from gateway.stages import Tree
from gateway.wire.dialect_schema import JsonSchema, XmlSchema
from gateway.wire.documents import parse_json, parse_xml
from gateway.wire.json_form import ReadJson, WriteJson, dump, json_reader, json_writer
from gateway.wire.mapping import compile_mapping
from gateway.wire.on_demand import OnDemand
from gateway.wire.plans import Plan
from gateway.wire.routes import Notes, Slots, route
from gateway.wire.shapes import Shape, json_shape, steps, xml_shapes
from gateway.wire.xml_form import ReadXml, WriteXml, xml_reader, xml_writer

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'


class DialectDocuments(Protocol):
    """Reads and writes one dialect."""

    @property
    def plans(self) -> Mapping[str, Plan]:
        """The plan of each message type."""
        ...

    def parse(self, body: bytes) -> tuple[str, Any]:
        """Return message type and document, checked against the dialect's schema."""
        ...

    def read(self, kind: str, document: Any, slots: Slots, notes: Notes) -> None:
        """Fill `slots` with the canonical values of `document`."""
        ...

    def render(self, kind: str, slots: Slots, notes: Notes) -> bytes:
        """Return the document for `slots`, checked against the dialect's schema."""
        ...


@dataclass(frozen=True, slots=True)
class XmlDocuments:
    """An XML dialect."""

    plans: Mapping[str, Plan]
    schema: XmlSchema
    kinds: Mapping[str, str]  # root element -> message type
    readers: Mapping[str, ReadXml]
    writers: Mapping[str, WriteXml]

    @classmethod
    def compile(cls, dialect: Dialect, canonical: Mapping[str, Shape]) -> "XmlDocuments":
        """Compile schema and mapping; raises `MappingInvalid`."""
        schema = XmlSchema.load(dialect)
        namespace, shapes = xml_shapes(dialect.schema)
        if namespace != dialect.namespace:
            raise MappingInvalid(f"{dialect.place}: key 'namespace' is not the target namespace of {dialect.schema.name}")
        roots: dict[str, str] = {}
        for kind, message in dialect.mapping["messages"].items():
            if not isinstance(message, dict) or set(message) != {"root", "rows"} or message["root"] not in shapes:
                raise MappingInvalid(f"{dialect.place}: messages.{kind}: needs 'root', an element of the schema, and 'rows'")
            roots[kind] = message["root"]
        plans = compile_mapping(dialect, canonical, {kind: shapes[root] for kind, root in roots.items()})
        places = OnDemand(plans, lambda kind: route(plans[kind].scope, "here", plans[kind]))
        return cls(
            plans=plans,
            schema=schema,
            kinds={f"{{{namespace}}}{root}" if namespace else root: kind for kind, root in roots.items()},
            readers=OnDemand(plans, lambda kind: xml_reader(places[kind], namespace, "here")),
            writers=OnDemand(plans, lambda kind: xml_writer(roots[kind], places[kind], "here", namespace=namespace)),
        )

    def parse(self, body: bytes) -> tuple[str, Tree]:
        """Return message type and root element."""
        document = parse_xml(body)
        kind = self.kinds.get(str(document.tag))
        if kind is None:
            raise UnknownMessageType(
                "the root element is no message of this format", path=f"/{etree.QName(document).localname}"
            )
        self.schema.check(document)
        return kind, document

    def read(self, kind: str, document: Tree, slots: Slots, notes: Notes) -> None:
        """Fill `slots`."""
        self.readers[kind](document, slots, notes)

    def render(self, kind: str, slots: Slots, notes: Notes) -> bytes:
        """Return the document as bytes."""
        body = render_xml(self.writers[kind], slots, notes)
        self.schema.check(etree.fromstring(body))  # our own words: nothing in them has to be guarded against
        return body


@dataclass(frozen=True, slots=True)
class JsonDocuments:
    """A JSON dialect."""

    plans: Mapping[str, Plan]
    schema: JsonSchema
    readers: Mapping[str, ReadJson]
    writers: Mapping[str, WriteJson]

    @classmethod
    def compile(cls, dialect: Dialect, canonical: Mapping[str, Shape]) -> "JsonDocuments":
        """Compile schema and mapping; raises `MappingInvalid`."""
        schema = JsonSchema.load(dialect)
        shapes: dict[str, Shape] = {}
        for kind, message in dialect.mapping["messages"].items():
            match = match_of(dialect, kind, message)
            shapes[kind] = json_shape(schema.schema, *(match or ("", "")))
        plans = compile_mapping(dialect, canonical, shapes)
        places = OnDemand(plans, lambda kind: route(plans[kind].scope, "here", plans[kind]))
        return cls(
            plans=plans,
            schema=schema,
            readers=OnDemand(plans, lambda kind: json_reader(places[kind])),
            writers=OnDemand(plans, lambda kind: json_writer(places[kind])),
        )

    def parse(self, body: bytes) -> tuple[str, Any]:
        """Return message type and the parsed document."""
        document = parse_json(body)
        return self.recognize(document), document

    def recognize(self, document: Any) -> str:
        """Return the message type of a parsed document, checked against the schema."""
        for kind, plan in self.plans.items():
            if plan.match is None or _at(document, plan.match[0]) == plan.match[1]:
                self.schema.check(document)
                return kind
        raise UnknownMessageType("no member tells a message type of this format", path=self._match_path())

    def _match_path(self) -> str:
        return "/" + next(iter(plan.match[0] for plan in self.plans.values() if plan.match), "")

    def read(self, kind: str, document: Any, slots: Slots, notes: Notes) -> None:
        """Fill `slots`."""
        self.readers[kind](document, slots, notes)

    def render(self, kind: str, slots: Slots, notes: Notes) -> bytes:
        """Return the document as bytes; the member that tells the type stands first."""
        return (dump(self.tree(kind, slots, notes)) + "\n").encode()

    def tree(self, kind: str, slots: Slots, notes: Notes) -> dict[str, Any]:
        """Return the document, checked against the schema."""
        document: dict[str, Any] = {}
        if (match := self.plans[kind].match) is not None:
            *above, last = steps(match[0])
            place = document
            for step in above:
                place = place.setdefault(step, {})
            place[last] = match[1]
        self.writers[kind](slots, document, notes)
        self.schema.check(document)
        return document


def match_of(dialect: Dialect, kind: str, message: Any) -> tuple[str, str] | None:
    """Return path and value of the member that tells a message type; None where a dialect has one type and says nothing.

    Raises `MappingInvalid`.
    """
    place = f"{dialect.place}: messages.{kind}"
    if isinstance(message, dict) and set(message) == {"rows"} and len(dialect.mapping["messages"]) == 1:
        return None
    match = message.get("match") if isinstance(message, dict) else None
    if not isinstance(match, dict) or set(match) != {"path", "value"} or set(message) != {"match", "rows"}:
        raise MappingInvalid(f"{place}: needs 'match' with 'path' and 'value', and 'rows'")
    if not all(isinstance(each, str) and each for each in match.values()):
        raise MappingInvalid(f"{place}: 'match' takes two texts")
    return match["path"], match["value"]


def _at(document: Any, path: str) -> Any:
    for step in steps(path):
        document = document.get(step) if isinstance(document, dict) else None
    return document


def render_xml(write: WriteXml, slots: Slots, notes: Notes) -> bytes:
    """Return the document that `write` makes of `slots`."""
    out = [DECLARATION]
    write(slots, out, notes)
    out.append("\n")
    return "".join(out).encode()
