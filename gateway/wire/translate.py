"""Translate between a partner's dialect and the canonical message, both ways, with a report of every field."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from lxml import etree

from gateway.errors import SeveralMessages, UnknownMessageType
from gateway.partners import Dialect
from gateway.partners.formats import XML
from gateway.stages import Tree
from gateway.wire.dialect_documents import DialectDocuments, render_xml
from gateway.wire.dialect_formats import compile_documents
from gateway.wire.documents import NS, canonicalize, parse_xml
from gateway.wire.groups import from_canonical, to_canonical
from gateway.wire.on_demand import OnDemand
from gateway.wire.plans import Plan
from gateway.wire.report import Field, Report, digest, filled_line
from gateway.wire.routes import Notes, Slots, route
from gateway.wire.shapes import Shape, xml_shapes
from gateway.wire.table_documents import TableDocuments
from gateway.wire.xml_form import ReadXml, WriteXml, xml_reader, xml_writer

CANONICAL = "canonical"


class Schemas(Protocol):
    """What the translator asks of a schema set."""

    @property
    def folder(self) -> Path:
        """The folder that holds readmission.xsd."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """One translated document."""

    body: bytes  # the result, serialized
    media_type: str
    document: Tree | None  # the canonical tree, for a translation to canonical
    type: str  # "ReadmissionApplication"
    report: Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Translator:
    """One dialect, compiled. Safe to share between threads; make it once."""

    dialect: str  # "ba/ms-xml"
    media_type: str  # of its documents
    documents: DialectDocuments
    readers: Mapping[str, ReadXml]  # canonical, by message type
    writers: Mapping[str, WriteXml]

    @classmethod
    def compile(cls, dialect: Dialect, schemas: Schemas) -> "Translator":
        """Compile schema, code lists and rows of a dialect; raises `MappingInvalid` naming file, row and path."""
        documents = compile_documents(dialect, canonical_shapes(schemas.folder), schemas.folder)
        plans = documents.plans
        places = OnDemand(plans, lambda kind: route(plans[kind].scope, "canonical", plans[kind]))
        return cls(
            dialect=dialect.id,
            media_type=dialect.form.media_type,
            documents=documents,
            readers=OnDemand(plans, lambda kind: xml_reader(places[kind], NS, "canonical")),
            writers=OnDemand(plans, lambda kind: xml_writer(kind, places[kind], "canonical", namespace=NS)),
        )

    def split(self, body: bytes) -> list[bytes]:
        """Return a document for each message that a table holds; any other document is one message. Raises `Refused`."""
        return self.documents.split(body) if isinstance(self.documents, TableDocuments) else [body]

    def message_of(self, body: bytes, number: int) -> bytes:
        """Return one message of a table, counted from 1. Raises `Refused`."""
        found = self.split(body)
        if not 1 <= number <= len(found):
            raise SeveralMessages(f"the table holds {len(found)} messages; there is none with the number {number}", path="/")
        return found[number - 1]

    def to_canonical(self, body: bytes, *, fill: Mapping[str, str] | None = None) -> Translation:
        """Translate a document of the dialect.

        `fill` gives values for header fields the document leaves out, by canonical path ("Header/MessageId"); what the
        document says wins. The result still has to be checked against the canonical schema and rules.

        Raises what parsing raises, `UnknownMessageType`, `SchemaViolation` (of the dialect), `UnmappedCode`, `BadValue`.
        """
        kind, document = self.documents.parse(body)
        plan, notes = self.documents.plans[kind], Notes()
        slots: Slots = [None] * plan.scope.size
        self.documents.read(kind, document, slots, notes)
        to_canonical(plan.scope, slots)
        filled = _fill(plan, slots, fill or {})
        result = render_xml(self.writers[kind], slots, notes)
        report = self._report(plan, notes, filled, (self.dialect, CANONICAL), (digest(body), digest(result)))
        return Translation(body=result, media_type=XML, document=parse_xml(result), type=kind, report=report)

    def from_canonical(self, document: Tree, *, sha256_in: str | None = None) -> Translation:
        """Translate a checked canonical document into the dialect.

        `sha256_in` is the digest of the bytes it was parsed from, for the report; without it, that of its canonical form.

        Raises `UnknownMessageType`, `UnmappedCode`, `BadValue`, `FieldNotCarried` (a required field has no place there),
        `SchemaViolation` (the result would not meet the dialect's schema).
        """
        kind = etree.QName(document).localname
        plan = self.documents.plans.get(kind)
        if plan is None:
            raise UnknownMessageType(f"the format {self.dialect} has no such message", path=f"/{kind}")
        notes = Notes()
        slots: Slots = [None] * plan.scope.size
        self.readers[kind](document, slots, notes)
        from_canonical(plan.scope, slots, notes)
        result = self.documents.render(kind, slots, notes)
        before = sha256_in or digest(canonicalize(document))
        report = self._report(plan, notes, (), (CANONICAL, self.dialect), (before, digest(result)))
        return Translation(body=result, media_type=self.media_type, document=None, type=kind, report=report)

    @staticmethod
    def _report(plan: Plan, notes: Notes, filled: tuple[Field, ...], ends: tuple[str, str], digests: tuple[str, str]) -> Report:
        lost = {field.path: field for field in notes.lost}
        return Report(
            type=plan.type,
            source=ends[0],
            target=ends[1],
            sha256_in=digests[0],
            sha256_out=digests[1],
            fields=(*(plan.fields[number] for number in sorted(notes.seen)), *filled, *lost.values()),
        )


def _fill(plan: Plan, slots: Slots, fill: Mapping[str, str]) -> tuple[Field, ...]:
    """Put in what is missing, and return the report's lines for it; a path outside the message is a programmer's slip."""
    filled: list[Field] = []
    for path, value in fill.items():
        place = plan.fillable[path]
        inner = slots
        for group, size in place.groups:
            inner[group] = inner[group] or [[None] * size]
            inner = inner[group][0]
        if inner[place.slot] is None:
            inner[place.slot] = value
            filled.append(filled_line(plan.type, path))
    return tuple(filled)


@lru_cache(maxsize=8)
def canonical_shapes(folder: Path) -> Mapping[str, Shape]:
    """Return the shape of each canonical message type; schemas are published and never change in place."""
    return xml_shapes(folder / "readmission.xsd")[1]
