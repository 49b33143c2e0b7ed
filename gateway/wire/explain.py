"""Why a document does not meet its schema, in words for a case officer; and the document as JSON and back.

This is the slow side, done with xmlschema: lxml has already decided. The words name fields, rules and allowed values.
They never repeat what stands in the document, which may be personal: no part of the checker's own sentences is used.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

from lxml import etree
from xmlschema import (
    UnorderedConverter,
    XMLSchema10,
    XMLSchemaChildrenValidationError,
    XMLSchemaException,
    XMLSchemaValidationError,
)

from gateway.errors import SchemaSetBroken, SchemaViolation
from gateway.stages import Tree
from gateway.wire.documents import NS, parse_xml
from gateway.wire.rules import path_of
from gateway.wire.shapes import Shape, xml_shapes

MOST = 100  # problems told about one document: who mends these meets the rest

# What xmlschema is asked about: its time grows by the square of the children of one element. No message comes near either.
_MOST_CHILDREN, _MOST_ELEMENTS = 1_000, 10_000
_CROWDED = etree.XPath(f"boolean(/descendant::*[*[{_MOST_CHILDREN + 1}]]) or count(/descendant::*) > {_MOST_ELEMENTS}")

_TAG = f"{{{NS}}}"
# What xmlschema may raise over a value that it cannot hold, such as a year of twenty digits.
_TRIPS = (XMLSchemaException, ArithmeticError, ValueError)

# How a value is written, by the name of its type in the schema.
_FORMS = {
    "Uuid": "a message id: 32 lower-case hexadecimal digits in groups of 8-4-4-4-12",
    "Sha256": "a SHA-256 digest: 64 lower-case hexadecimal digits",
    "AuthorityCode": "an authority code: state code, hyphen, short name in capitals, such as BA-MS",
    "CaseReference": "a case reference: 16 to 32 of the characters A to Z and 2 to 7",
    "AgreementId": "the id of an agreement, such as ba-pk",
    "Instant": "an instant in UTC, such as 2026-06-01T08:15:00Z",
    "dateTime": "an instant in UTC, such as 2026-06-01T08:15:00Z",
    "PartialDate": "a date that exists, as YYYY-MM-DD, YYYY-MM or YYYY",
    "FullDate": "a date that exists, as YYYY-MM-DD",
    "date": "a date that exists, as YYYY-MM-DD",
    "State": "a state as two capital letters (ISO 3166-1; XK for Kosovo)",
    "Nationality": 'a state as two capital letters (ISO 3166-1; XK for Kosovo), "stateless" or "unknown"',
    "Language": "a language code of two or three letters, such as ur, or with its script: pa-Arab",
    "Script": "a script as four letters (ISO 15924), such as Latn or Cyrl",
    "EvidenceCode": "a code of the evidence tables N1, N2, T1, T2 or S1, such as N2-08",
    "Amount": "an amount with two decimal places, such as 120.00",
    "decimal": "an amount with two decimal places, such as 120.00",
    "Currency": "a currency as three capital letters (ISO 4217)",
    "boolean": "true or false",
    "integer": "a whole number",
}


@dataclass(frozen=True, slots=True)
class Explainer:
    """The schema of one folder, as xmlschema reads it."""

    schema: XMLSchema10
    shapes: Mapping[str, Shape]  # by message type

    def problems(self, document: Tree) -> list[SchemaViolation]:
        """Return what is wrong with a document that lxml refused, by line: at least one problem, at most `MOST`."""
        if _CROWDED(document):
            words = "the document does not meet its schema, and has too many elements to be told where"
            return [SchemaViolation(words, path=path_of(document), line=document.sourceline)]
        found: dict[tuple[str | None, str], SchemaViolation] = {}
        try:
            for error in islice(self.schema.iter_errors(document), MOST):
                problem = _problem(error, document)
                found.setdefault((problem.path, problem.message), problem)
        except _TRIPS:
            found.clear()  # it stopped half-way; what it told until then may mislead
        if not found:
            return [SchemaViolation("the document does not meet its schema", path=path_of(document), line=document.sourceline)]
        return sorted(found.values(), key=lambda problem: problem.line or 0)

    def to_json(self, document: Tree) -> dict[str, Any]:
        """Return the content of a document that meets the schema. Raises `SchemaViolation`."""
        try:
            value: Any = self.schema.decode(document, namespaces={"": NS}, decimal_type=str)
        except XMLSchemaValidationError as error:
            raise _problem(error, document) from None
        except _TRIPS:
            raise SchemaViolation("the document does not meet its schema", path=path_of(document)) from None
        return {key: content for key, content in value.items() if key != "@xmlns"}

    def from_json(self, name: str, value: dict[str, Any]) -> Tree:
        """Return the document named `name` with the content `value`; members may stand in any order.

        Raises `SchemaViolation`.
        """
        _fit(value, self.shapes[name], f"/{name}")
        try:
            element: Any = self.schema.encode(
                value | {"@xmlns": NS},
                path=name,
                converter=UnorderedConverter,
                namespaces={"": NS},
                etree_element_class=etree.Element,
                indent=0,
            )
        except XMLSchemaValidationError as error:
            raise _misfit(error, name) from None
        except (*_TRIPS, TypeError, AttributeError, KeyError):
            # It trips over values and names of the wrong kind in several ways; all mean that the JSON does not fit.
            raise SchemaViolation("the JSON does not fit the schema of the message", path=f"/{name}") from None
        return parse_xml(etree.tostring(element))


@lru_cache(maxsize=8)
def explainer(folder: Path) -> Explainer:
    """Build the slow schema once per process. Nothing is fetched: includes are local files of the same folder."""
    try:
        path = folder / "readmission.xsd"
        return Explainer(XMLSchema10(path, allow="local", defuse="always"), xml_shapes(path)[1])
    except (OSError, XMLSchemaException) as error:
        raise SchemaSetBroken(f"readmission.xsd cannot be read: {error}") from error


def _fit(value: Any, shape: Shape, path: str) -> None:
    """Refuse a JSON value whose members are not those of the schema: the encoder finds them too, but not where."""
    if isinstance(value, list):
        if not shape.many or not value:
            raise SchemaViolation("a list stands where none is allowed, or an empty one", path=path)
        for number, item in enumerate(value, 1):
            if isinstance(item, list):
                raise SchemaViolation("a list stands inside a list", path=f"{path}[{number}]")
            _fit(item, shape, f"{path}[{number}]")
    elif not shape.children:
        if not isinstance(value, str | int | float):
            raise SchemaViolation("a value is expected here", path=path)
    elif not isinstance(value, dict):
        raise SchemaViolation("an object is expected here", path=path)
    else:
        for name, member in value.items():
            if name not in shape.children:
                raise SchemaViolation("this member is not known here", path=f"{path}/{name}")
            _fit(member, shape.children[name], f"{path}/{name}")


def _misfit(error: XMLSchemaValidationError, name: str) -> SchemaViolation:
    """Word why a JSON value does not fit. Elements made so far do not hang together: the path skips what is between."""
    element: Any = error.elem
    if element is None:
        return SchemaViolation("the JSON does not fit the schema of the message", path=f"/{name}")
    found, place = _problem(error, element), etree.QName(element).localname
    return SchemaViolation(found.message, path=f"/{name}" if place == name else f"/{name}//{place}")


def _problem(error: XMLSchemaValidationError, document: Tree) -> SchemaViolation:
    node: Any = error.elem if error.elem is not None else document
    if isinstance(error, XMLSchemaChildrenValidationError):
        return _children(error, node)
    return SchemaViolation(_value(error), path=path_of(node), line=node.sourceline)


def _children(error: XMLSchemaChildrenValidationError, parent: Tree) -> SchemaViolation:
    """Word a child that is missing, not known, out of order or there too often."""
    child: Any = error.invalid_child
    group: Any = error.validator
    expected = [str(item.local_name) for item in error.expected or ()]
    wanted = ", ".join(expected)
    here = path_of(parent)
    missing = f"{here}/{expected[0]}" if len(expected) == 1 else here
    if child is None:
        return SchemaViolation(f"something required is missing: {wanted}", path=missing, line=parent.sourceline)
    tag = etree.QName(child)
    hint = f"; expected: {wanted}" if wanted else ""
    if tag.namespace != NS:
        words = f"{tag.localname} is not in the namespace of the message{hint}"
    elif tag.localname not in _names(group):
        words = f"{tag.localname} is not known here{hint}"
    elif any(before.tag == child.tag for before in child.itersiblings(preceding=True)):
        words = f"{tag.localname} stands here more often than allowed, or not beside the others"
    elif wanted:
        return SchemaViolation(
            f"{wanted} is missing, or stands too late: it comes before {tag.localname}", path=missing, line=child.sourceline
        )
    else:
        words = f"{tag.localname} is out of order"
    return SchemaViolation(words, path=path_of(child), line=child.sourceline)


def _names(group: Any) -> Iterator[str]:
    return (str(element.local_name) for element in group.iter_elements())


def _value(error: XMLSchemaValidationError) -> str:
    """Word a value, an attribute or misplaced text, from the rule that was broken and never from the value."""
    rule: Any = error.validator
    kind, limit = type(rule).__name__, getattr(rule, "value", None)
    match kind:
        case "XsdEnumerationFacets":
            return f"the value is none of: {', '.join(map(str, rule.enumeration))}"
        case "XsdMinLengthFacet":
            return "the value is empty" if limit == 1 else f"the value is shorter than {limit} characters"
        case "XsdMaxLengthFacet":
            return f"the value is longer than {limit} characters"
        case "XsdMinInclusiveFacet":
            return f"the number is less than {limit}"
        case "XsdMaxInclusiveFacet":
            return f"the number is more than {limit}"
    return _place(error, kind) or _form(rule)


def _place(error: XMLSchemaValidationError, kind: str) -> str | None:
    """Word something that stands where it must not."""
    rule: Any = error.validator
    match kind:
        case "XsdAttributeGroup":
            return _attributes(error, rule)
        case "XsdAttribute":
            return f"the attribute {rule.local_name} has not the value it must have"
        case "XsdGroup":
            return "something stands between the elements or in their place that does not belong there"
        case "XsdElement":
            return "the element holds other elements or an attribute where only a value is allowed"
    return None


def _form(rule: Any) -> str:
    """Word how the value should be written."""
    own, parent = (str(getattr(part, "local_name", None)) for part in (rule, getattr(rule, "parent", None)))
    if parent in {"Line", "Text"}:
        return "the value holds characters that change the direction of reading; a reader must see what was signed"
    form = _FORMS.get(parent) or _FORMS.get(own)
    return f"the value is not {form}" if form else "the value is not written as the schema asks"


def _attributes(error: XMLSchemaValidationError, rule: Any) -> str:
    present = set(map(str, error.elem.attrib)) if error.elem is not None else set()
    missing = [name for name, attribute in rule.items() if name and attribute.is_required() and name not in present]
    if missing:
        return f"the attribute {', '.join(missing)} is missing"
    unknown = sorted(etree.QName(name).localname for name in present if name not in rule)
    return (
        f"the attribute {', '.join(unknown)} is not allowed here" if unknown else "an attribute has not the value it must have"
    )
