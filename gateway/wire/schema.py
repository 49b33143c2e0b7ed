"""The shared schemas. lxml decides on the hot path; xmlschema, much slower, explains a refusal and converts to JSON."""

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lxml import etree

from gateway.errors import Refused, SchemaSetBroken, SchemaViolation, UnknownMessageType, UnsupportedSchemaVersion
from gateway.stages import Checked, Tree
from gateway.wire.documents import NS, parse_xml
from gateway.wire.rules import Rules, path_of

if TYPE_CHECKING:
    from xmlschema import XMLSchema10

MESSAGE_ROOTS = ("ReadmissionApplication", "ReadmissionReply", "Receipt")
_ROOT_TAGS = {f"{{{NS}}}{name}": name for name in MESSAGE_ROOTS}
_NAMESPACE_STEM = "urn:readmission-gateway:readmission:"
_VERSION = NS.removeprefix(_NAMESPACE_STEM)
_CLARK = re.compile(r"\{[^}]*\}")
_VALUE = re.compile(r"'[^']*'")


@dataclass(frozen=True)
class SchemaSet:
    """One version of the message schemas with its rules. Safe to share between threads."""

    folder: Path
    xsd: etree.XMLSchema
    rules: Rules

    @classmethod
    def load(cls, folder: Path) -> "SchemaSet":
        """Read `readmission.xsd` and `rules.sch` of a folder. Raises `SchemaSetBroken`."""
        try:
            xsd = etree.XMLSchema(etree.parse(folder / "readmission.xsd"))
        except (OSError, etree.LxmlError) as error:
            raise SchemaSetBroken(f"readmission.xsd cannot be read: {error}") from error
        return cls(folder=folder, xsd=xsd, rules=Rules.load(folder / "rules.sch"))

    def check(self, document: Tree) -> Checked:
        """Return the document as checked, or raise the first problem with its place.

        Raises `UnknownMessageType`, `UnsupportedSchemaVersion`, `SchemaViolation` or `RuleViolation`.
        """
        name = self._type(document)
        if not self.xsd.validate(document):
            raise self._first(document)
        broken = self.rules.violations(document, first_only=True)
        if broken:
            raise broken[0]
        return Checked(document=document, type=name, schema_version=_VERSION)

    def problems(self, document: Tree) -> list[Refused]:
        """Return every problem of a document, worded for a case officer; empty when it is in order."""
        try:
            self._type(document)
        except Refused as error:
            return [error]
        found: list[Refused] = list(self._explain(document)) if not self.xsd.validate(document) else []
        found += self.rules.violations(document)
        return found

    def to_json(self, document: Tree) -> dict[str, Any]:
        """Return a checked document as JSON, `{"ReadmissionApplication": {...}}`; `from_json` gives the same document back."""
        value: Any = self._explainer.decode(document, namespaces={"": NS})
        del value["@xmlns"]
        return {etree.QName(document).localname: value}

    def from_json(self, data: Any) -> Tree:
        """Return the document that a JSON value stands for.

        Raises `UnknownMessageType` or `SchemaViolation`.
        """
        if not isinstance(data, dict) or len(data) != 1 or next(iter(data)) not in MESSAGE_ROOTS:
            raise UnknownMessageType(f"the JSON must be an object with one member, named {' or '.join(MESSAGE_ROOTS)}")
        name, value = next(iter(data.items()))
        if not isinstance(value, dict):
            raise SchemaViolation("the message must be a JSON object", path=f"/{name}")
        from xmlschema import XMLSchemaException  # noqa: PLC0415  # loaded only where it is needed: it costs 0.2 s

        try:
            element: Any = self._explainer.encode(
                value | {"@xmlns": NS}, path=name, namespaces={"": NS}, etree_element_class=etree.Element, indent=0
            )
        except (XMLSchemaException, TypeError, ValueError, AttributeError) as error:
            raise SchemaViolation("the JSON does not fit the schema of the message", path=f"/{name}") from error
        return parse_xml(etree.tostring(element))

    @cached_property
    def _explainer(self) -> "XMLSchema10":
        return _explainer(self.folder)

    def _type(self, document: Tree) -> str:
        name = _ROOT_TAGS.get(document.tag)
        if name is None:
            qname = etree.QName(document)
            if (qname.namespace or "").startswith(_NAMESPACE_STEM) and qname.namespace != NS:
                raise UnsupportedSchemaVersion(
                    f"this gateway reads schema version {_VERSION} only", path="/", line=document.sourceline
                )
            raise UnknownMessageType("the root element is no message of this schema", path="/", line=document.sourceline)
        version = document.get("schemaVersion")
        if version is not None and version != _VERSION:
            raise UnsupportedSchemaVersion(
                f"this gateway reads schema version {_VERSION} only", path=f"/{name}/@schemaVersion", line=document.sourceline
            )
        return name

    def _first(self, document: Tree) -> Refused:
        return next(iter(self._explain(document)), SchemaViolation("the document does not meet its schema", path="/"))

    def _explain(self, document: Tree) -> list[Refused]:
        """Word what is wrong through xmlschema; the value itself is never repeated, it may be personal."""
        found: list[Refused] = []
        for error in self._explainer.iter_errors(document):
            node: Any = error.elem if error.elem is not None else document
            found.append(SchemaViolation(_words(error), path=path_of(node), line=getattr(node, "sourceline", None)))
        return found


@lru_cache(maxsize=8)
def _explainer(folder: Path) -> "XMLSchema10":
    """Build the slow schema once per process. Nothing is fetched: includes are local files of the same folder."""
    from xmlschema import XMLSchema10  # noqa: PLC0415  # loaded only where it is needed: it costs 0.2 s

    return XMLSchema10(folder / "readmission.xsd", allow="local", defuse="nonlocal")


def _words(error: Any) -> str:
    """Turn an xmlschema error into a sentence without values."""
    reason = _CLARK.sub("", str(error.reason or "the content is not allowed here"))
    name = type(error).__name__
    if name == "XMLSchemaChildrenValidationError":
        expected = sorted({str(getattr(item, "local_name", None) or item) for item in (error.expected or ())})
        invalid = getattr(error.invalid_child, "tag", None)
        got = (
            f"the element {etree.QName(invalid).localname} is not allowed here"
            if invalid is not None
            else "something is missing"
        )
        return got + (f"; expected: {', '.join(expected)}" if expected else "")
    kind = getattr(error.validator, "enumeration", None)
    if kind:
        return f"the value is none of: {', '.join(map(str, kind))}"
    return "the value does not fit: " + _VALUE.sub("it", reason)
