"""The shared schemas. lxml decides on the hot path; xmlschema, much slower, explains a refusal and converts to JSON."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lxml import etree

from gateway.domain.messages import MESSAGE_TYPES
from gateway.errors import Refused, SchemaSetBroken, SchemaViolation, UnknownMessageType, UnsupportedSchemaVersion
from gateway.stages import Checked, Tree
from gateway.wire.documents import NS
from gateway.wire.rules import Rules, path_of
from gateway.wire.short_schema import ShortSchema

if TYPE_CHECKING:
    from gateway.wire.explain import Explainer

# The global elements of the schema, in its order; a test compares.
MESSAGE_ROOTS = tuple(MESSAGE_TYPES)
_ROOT_TAGS = {f"{{{NS}}}{name}": name for name in MESSAGE_ROOTS}
_NAMESPACE_STEM = "urn:readmission-gateway:readmission:"
_VERSION = NS.removeprefix(_NAMESPACE_STEM)

# xsi:type, xsi:nil, xsi:schemaLocation: XSD lets them stand anywhere, and no list of fields would see what they carry.
_XSI = {"xsi": "http://www.w3.org/2001/XMLSchema-instance"}
_HAS_XSI = etree.XPath("boolean(//*/@xsi:*)", namespaces=_XSI)
_WITH_XSI = etree.XPath("//*[@xsi:*]", namespaces=_XSI)


@dataclass(frozen=True, slots=True)
class SchemaSet:
    """One version of the message schemas with its rules. Safe to share between threads."""

    folder: Path
    short: ShortSchema
    rules: Rules

    @classmethod
    def load(cls, folder: Path) -> "SchemaSet":
        """Read `readmission.xsd` and `rules.sch` of a folder. Raises `SchemaSetBroken`."""
        try:
            short = ShortSchema.load(folder / "readmission.xsd")
        except (OSError, etree.LxmlError) as error:
            raise SchemaSetBroken(f"readmission.xsd cannot be read: {error}") from error
        return cls(folder=folder, short=short, rules=Rules.load(folder / "rules.sch"))

    @property
    def xsd(self) -> etree.XMLSchema:
        """The schema as it is published. Raises `SchemaSetBroken`."""
        return _whole(self.folder / "readmission.xsd")

    def check(self, document: Tree) -> Checked:
        """Return the document as checked, or raise the first problem with its place.

        Raises `UnknownMessageType`, `UnsupportedSchemaVersion`, `SchemaViolation` or `RuleViolation`.
        """
        name = self._type(document)
        if _HAS_XSI(document) or not self._meets(document):
            raise self._schema_problems(document)[0]
        broken = self.rules.violations(document, first_only=True)
        if broken:
            raise broken[0]
        return Checked(document=document, type=name, schema_version=_VERSION)

    def problems(self, document: Tree) -> list[Refused]:
        """Return what is wrong with a document, worded for a case officer; empty when it is in order.

        Rules between fields are looked at once the schema is met: what they would say about other documents may be wrong.
        """
        try:
            self._type(document)
        except Refused as error:
            return [error]
        return list(self._schema_problems(document)) or list(self.rules.violations(document))

    def to_json(self, document: Tree) -> dict[str, Any]:
        """Return a checked document as JSON; `from_json` gives the same document back.

        Raises `SchemaViolation` for a document that was not checked.
        """
        return {etree.QName(document).localname: self._explainer().to_json(document)}

    def from_json(self, data: Any) -> Tree:
        """Return the document that a JSON value stands for; it is still to be checked.

        Raises `UnknownMessageType` or `SchemaViolation`.
        """
        if not isinstance(data, dict) or len(data) != 1 or next(iter(data)) not in MESSAGE_ROOTS:
            raise UnknownMessageType(
                "the JSON must be one object with one member, named after a message type such as ReadmissionApplication",
                path="/",
            )
        name, value = next(iter(data.items()))
        if not isinstance(value, dict):
            raise SchemaViolation("the message must be a JSON object", path=f"/{name}")
        version = value.get("@schemaVersion")
        if isinstance(version, str) and version != _VERSION:
            raise _unsupported(f"/{name}/@schemaVersion", None)
        return self._explainer().from_json(name, value)

    def type_of(self, document: Tree) -> str | None:
        """Return the message type that the root element names, None if it is no message of this schema."""
        return _ROOT_TAGS.get(document.tag)

    def _schema_problems(self, document: Tree) -> list[SchemaViolation]:
        if _HAS_XSI(document):
            found: Any = _WITH_XSI(document)
            words = "attributes of XML Schema (xsi:) are not used in a message"
            return [SchemaViolation(words, path=path_of(found[0]), line=found[0].sourceline)]
        return [] if self._meets(document) else self._explainer().problems(document)

    def _meets(self, document: Tree) -> bool:
        """Tell whether the document meets the XSD."""
        decides = self.short.xsd if self.short.decides(document) else self.xsd
        return bool(decides.validate(document))

    def _explainer(self) -> "Explainer":
        from gateway.wire.explain import explainer  # noqa: PLC0415  # xmlschema costs 0.2 s: loaded only when asked to explain

        return explainer(self.folder)

    def _type(self, document: Tree) -> str:
        name = _ROOT_TAGS.get(document.tag)
        if name is None:
            namespace = etree.QName(document).namespace or ""
            if namespace.startswith(_NAMESPACE_STEM) and namespace != NS:
                raise _unsupported("/", document.sourceline)
            raise UnknownMessageType("the root element is no message of this schema", path="/", line=document.sourceline)
        version = document.get("schemaVersion")
        if version is not None and version != _VERSION:
            raise _unsupported(f"/{name}/@schemaVersion", document.sourceline)
        return name


@lru_cache(maxsize=8)
def _whole(path: Path) -> etree.XMLSchema:
    """Read it when the first document needs it; published schemas never change in place."""
    try:
        return etree.XMLSchema(etree.parse(path))
    except (OSError, etree.LxmlError) as error:
        raise SchemaSetBroken(f"{path.name} cannot be read: {error}") from error


def _unsupported(path: str, line: int | None) -> UnsupportedSchemaVersion:
    return UnsupportedSchemaVersion(f"this gateway reads schema version {_VERSION} only", path=path, line=line)
