"""The format of a partner that speaks the canonical XML as it is: no rows, and our own schema."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lxml import etree

from gateway.errors import MappingInvalid, UnknownMessageType
from gateway.partners import Dialect
from gateway.stages import Tree
from gateway.wire.dialect_documents import render_xml
from gateway.wire.dialect_schema import XmlSchema
from gateway.wire.documents import NS, parse_xml
from gateway.wire.on_demand import OnDemand
from gateway.wire.plans import Plan
from gateway.wire.reading import complete_header
from gateway.wire.routes import Notes, Slots, route
from gateway.wire.same_plan import same_plan
from gateway.wire.shapes import Shape
from gateway.wire.xml_form import ReadXml, WriteXml, xml_reader, xml_writer

# What a home authority may leave out of the header, for the check alone: the gateway writes its own before anything is sent.
_STAND_INS: Final = {
    "MessageId": "00000000-0000-0000-0000-000000000000",
    "Sender": "XX-XX",
    "Created": "1970-01-01T00:00:00Z",
}


@dataclass(frozen=True, slots=True)
class CanonicalDocuments:
    """A dialect that is the canonical XML."""

    plans: Mapping[str, Plan]
    schema: XmlSchema
    readers: Mapping[str, ReadXml]
    writers: Mapping[str, WriteXml]

    @classmethod
    def compile(cls, dialect: Dialect, canonical: Mapping[str, Shape], folder: Path) -> "CanonicalDocuments":
        """Take the message types that mapping.toml names; raises `MappingInvalid`. `folder` holds the canonical schema."""
        plans: dict[str, Plan] = {}
        for kind, message in dialect.mapping["messages"].items():
            if kind not in canonical or message != {}:
                raise MappingInvalid(
                    f"{dialect.place}: messages.{kind}: is an empty table, named after a canonical message type"
                )
            plans[kind] = same_plan(kind, canonical[kind], action="copied", rule="copy")
        places = OnDemand(plans, lambda kind: route(plans[kind].scope, "here", plans[kind]))
        return cls(
            plans=plans,
            schema=XmlSchema(etree.XMLSchema(etree.parse(str(folder / "readmission.xsd")))),
            readers=OnDemand(plans, lambda kind: xml_reader(places[kind], NS, "here")),
            writers=OnDemand(plans, lambda kind: xml_writer(kind, places[kind], "here", namespace=NS)),
        )

    def parse(self, body: bytes) -> tuple[str, Tree]:
        """Return message type and root element."""
        document = parse_xml(body)
        name = etree.QName(document)
        if name.namespace != NS or name.localname not in self.plans:
            raise UnknownMessageType("the root element is no message of this format", path=f"/{name.localname}")
        whole = deepcopy(document)
        complete_header(whole, _STAND_INS)
        self.schema.check(whole)
        return name.localname, document

    def read(self, kind: str, document: Tree, slots: Slots, notes: Notes) -> None:
        """Fill `slots`."""
        self.readers[kind](document, slots, notes)

    def render(self, kind: str, slots: Slots, notes: Notes) -> bytes:
        """Return the document as bytes."""
        body = render_xml(self.writers[kind], slots, notes)
        self.schema.check(etree.fromstring(body))  # our own words: nothing in them has to be guarded against
        return body
