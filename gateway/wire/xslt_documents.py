"""A dialect that its partner translates with stylesheets of its own. Every translation is done there and back, and compared.

What comes back missing must be named in `cannot_carry`; what comes back changed, or was never there, is refused. So a
stylesheet can lose nothing, and add nothing, that nobody knows of.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lxml import etree

from gateway.errors import BadValue, FieldNotCarried, MappingInvalid, UnknownMessageType
from gateway.partners import Dialect
from gateway.stages import Tree
from gateway.wire.dialect_documents import DECLARATION, render_xml
from gateway.wire.dialect_schema import XmlSchema
from gateway.wire.documents import NS, parse_xml
from gateway.wire.fields import flat
from gateway.wire.mapping import lost_entries
from gateway.wire.on_demand import OnDemand
from gateway.wire.plans import GIVEN_BY_GATEWAY, Plan
from gateway.wire.report import Field
from gateway.wire.routes import Notes, Slots, route
from gateway.wire.same_plan import same_plan
from gateway.wire.shapes import Shape, xml_shapes
from gateway.wire.stylesheets import Stylesheet
from gateway.wire.xml_form import ReadXml, WriteXml, xml_reader, xml_writer


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lost:
    """One entry of `cannot_carry`."""

    path: str  # "Spouse/Language"
    why: str


@dataclass(frozen=True, slots=True)
class XsltDocuments:
    """A dialect with stylesheets."""

    plans: Mapping[str, Plan]
    schema: XmlSchema
    kinds: Mapping[str, str]  # root element -> message type
    inward: Stylesheet
    outward: Stylesheet
    lost: Sequence[_Lost]
    readers: Mapping[str, ReadXml]  # canonical
    writers: Mapping[str, WriteXml]

    @classmethod
    def compile(cls, dialect: Dialect, canonical: Mapping[str, Shape]) -> "XsltDocuments":
        """Compile schema and stylesheets; raises `MappingInvalid`."""
        schema = XmlSchema.load(dialect)
        namespace, shapes = xml_shapes(dialect.schema)
        if namespace != dialect.namespace:
            raise MappingInvalid(f"{dialect.place}: key 'namespace' is not the target namespace of {dialect.schema.name}")
        kinds: dict[str, str] = {}
        plans: dict[str, Plan] = {}
        inward, outward = (_stylesheet(dialect, key) for key in ("to_canonical", "from_canonical"))
        for kind, message in dialect.mapping["messages"].items():
            place = f"{dialect.place}: messages.{kind}"
            if kind not in canonical:
                raise MappingInvalid(f"{place}: is no canonical message type")
            if not isinstance(message, dict) or set(message) != {"root"} or message["root"] not in shapes:
                raise MappingInvalid(f"{place}: needs 'root', an element of the schema, and nothing else")
            kinds[f"{{{namespace}}}{message['root']}"] = kind
            why = "by the partner's own stylesheet"
            plans[kind] = same_plan(kind, canonical[kind], action="converted", rule=f"xslt:{inward.name}", why=why)
        places = OnDemand(plans, lambda kind: route(plans[kind].scope, "canonical", plans[kind]))
        return cls(
            plans=plans,
            schema=schema,
            kinds=kinds,
            inward=inward,
            outward=outward,
            lost=_lost(dialect, {kind: canonical[kind] for kind in plans}),
            readers=OnDemand(plans, lambda kind: xml_reader(places[kind], NS, "canonical")),
            writers=OnDemand(plans, lambda kind: xml_writer(kind, places[kind], "canonical", namespace=NS)),
        )

    def parse(self, body: bytes) -> tuple[str, Tree]:
        """Return message type and root element."""
        document = parse_xml(body)
        kind = self.kinds.get(str(document.tag))
        if kind is None:
            path = f"/{etree.QName(document).localname}"
            raise UnknownMessageType("the root element is no message of this format", path=path)
        self.schema.check(document)
        return kind, document

    def read(self, kind: str, document: Tree, slots: Slots, notes: Notes) -> None:
        """Fill `slots` with what the partner's stylesheet makes of the document."""
        found = self.inward.apply(document)
        if found.tag != f"{{{NS}}}{kind}":
            raise BadValue(f"the stylesheet {self.inward.name} makes another message of this document", path="/")
        self.readers[kind](found, slots, notes)

    def render(self, kind: str, slots: Slots, notes: Notes) -> bytes:
        """Return the document as bytes, after the way back was tried."""
        before = etree.fromstring(render_xml(self.writers[kind], slots, notes))
        document = self.outward.apply(before)
        self.schema.check(document)
        self._compare(self.plans[kind], before, self.inward.apply(document), notes)
        return f"{DECLARATION}\n{etree.tostring(document, encoding='unicode')}\n".encode()

    def _compare(self, plan: Plan, before: Tree, after: Tree, notes: Notes) -> None:
        """Note what is lost. Raises `FieldNotCarried` for what may not be, `BadValue` for what is changed or added."""
        left, right = Counter(flat(before)), Counter(flat(after))
        if [one for one in flat(before) if one in right] != [one for one in flat(after) if one in left]:
            raise BadValue("the stylesheets change the order of what comes several times", path=f"/{plan.type}")
        given = {path for path, _ in left}
        for path, _ in right - left:
            raise BadValue(
                f"the stylesheets {'change' if path in given else 'add'} this field on the way there and back", path=path
            )
        numbers = {field.path: number for number, field in enumerate(plan.fields)}
        for path, _ in left - right:
            notes.lost.append(self._dropped(plan, path))
            if all(other != path for other, _ in right):
                notes.seen.discard(numbers[path])

    def _dropped(self, plan: Plan, path: str) -> Field:
        inner = path.removeprefix(f"/{plan.type}/")
        entry = next((each for each in self.lost if f"{inner}/".startswith(f"{each.path}/")), None)
        if entry is None:
            raise FieldNotCarried("the stylesheets lose this field, and cannot_carry does not name it", path=path)
        shape = plan.scope.canonical.at(entry.path)
        if shape is not None and shape.required and entry.path not in GIVEN_BY_GATEWAY:
            raise FieldNotCarried(f"the other format has no place for this required field: {entry.why}", path=path)
        return Field(path=path, action="dropped", rule="cannot-carry", why=entry.why)


def _stylesheet(dialect: Dialect, key: str) -> Stylesheet:
    name = dialect.mapping.get(key)
    if not isinstance(name, str) or "/" in name or not (dialect.folder / name).is_file():
        raise MappingInvalid(f"{dialect.place}: key {key!r} does not name a file of this folder")
    return Stylesheet.load(dialect.folder / name, f"{dialect.partner}/dialects/{dialect.name}/{name}")


def _lost(dialect: Dialect, canonical: Mapping[str, Shape]) -> tuple[_Lost, ...]:
    found: list[_Lost] = []
    for entry in lost_entries(dialect):
        path = entry.get("canonical")
        if path is None:
            raise MappingInvalid(f"{dialect.place}: cannot_carry: what the stylesheets do not read cannot be named ('here')")
        if all(shape.at(path) is None for shape in canonical.values()):
            raise MappingInvalid(f"{dialect.place}: cannot_carry: no message has {path!r}")
        found.append(_Lost(path=path, why=entry["why"]))
    return tuple(found)
