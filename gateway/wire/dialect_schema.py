"""Check a document against a partner's own schema: XSD 1.0 for XML, JSON Schema 2020-12 for JSON.

A problem is told by place and rule. The checkers' own sentences quote the value, and a value may be a person's.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from lxml import etree

from gateway.errors import MappingInvalid, SchemaViolation
from gateway.partners import Dialect
from gateway.stages import Tree
from gateway.wire.json_check import Check, compile_check
from gateway.wire.well_formed import well_formed

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

_WHY = {
    "SCHEMAV_ELEMENT_CONTENT": "an element is missing, out of order or not known here",
    "SCHEMAV_CVC_COMPLEX_TYPE_2_4": "an element is missing, out of order or not known here",
    "SCHEMAV_CVC_ENUMERATION_VALID": "the code is not one the format knows",
    "SCHEMAV_CVC_PATTERN_VALID": "the value is not written as the format asks",
    "SCHEMAV_CVC_MAXLENGTH_VALID": "the value is too long",
    "SCHEMAV_CVC_MINLENGTH_VALID": "the value is empty or too short",
    "SCHEMAV_CVC_ELT_1": "the element is not known",
    "SCHEMAV_CVC_COMPLEX_TYPE_3_2_1": "an attribute is not known here",
    "SCHEMAV_CVC_COMPLEX_TYPE_3_2_2": "an attribute is not known here",
    "SCHEMAV_CVC_COMPLEX_TYPE_4": "a required attribute is missing",
    "SCHEMAV_CVC_MININCLUSIVE_VALID": "the number is too small",
    "SCHEMAV_CVC_MAXINCLUSIVE_VALID": "the number is too large",
}
_EXPECTED = re.compile(r"Expected is (.*)\.$")
_JSON_WHY = {
    "type": "the value is of another kind than the format asks",
    "enum": "the code is not one the format knows",
    "const": "the value is not the one the format asks",
    "pattern": "the value is not written as the format asks",
    "minLength": "the value is empty or too short",
    "maxLength": "the value is too long",
    "additionalProperties": "a member is not known here",
    "unevaluatedProperties": "a member is not known here",
    "minItems": "the list is too short",
    "maxItems": "the list is too long",
    "minimum": "the number is too small",
    "maximum": "the number is too large",
}


@dataclass(frozen=True, slots=True)
class XmlSchema:
    """A dialect's XSD."""

    schema: etree.XMLSchema

    @classmethod
    def load(cls, dialect: Dialect) -> "XmlSchema":
        """Compile the XSD; raises `MappingInvalid`."""
        try:
            return cls(etree.XMLSchema(etree.parse(str(dialect.schema))))
        except (etree.XMLSchemaParseError, etree.XMLSyntaxError, OSError) as error:
            raise MappingInvalid(
                f"{dialect.partner}/dialects/{dialect.name}/{dialect.schema.name}: is no XSD ({error})"
            ) from error

    def check(self, document: Tree) -> None:
        """Raise `SchemaViolation` for the first problem, with path and line."""
        if self.schema.validate(document):
            return
        log: Any = self.schema.error_log  # the stubs do not know that it is a sequence
        first = log[0]
        why = _WHY.get(first.type_name, "the value is not of the type the format asks")
        if "ELEMENT_CONTENT" in first.type_name and (expected := _EXPECTED.search(first.message)):
            why += f"; expected {_local(expected[1])}"
        raise SchemaViolation(why, path=_named(document, first.path), line=first.line)


def _local(names: str) -> str:
    return re.sub(r"\{[^}]*\}", "", names).strip()


def _named(document: Tree, path: str | None) -> str | None:
    """Turn libxml2's path of positions into one of names."""
    found = document.getroottree().xpath(path) if path else None
    if not isinstance(found, list) or not found or not isinstance(found[0], etree._Element):  # noqa: SLF001 - lxml's own type
        return None
    names: list[str] = []
    for element in (found[0], *found[0].iterancestors()):
        name, alike = etree.QName(element).localname, 1 + sum(1 for _ in element.itersiblings(element.tag, preceding=True))
        names.append(name if alike == 1 else f"{name}[{alike}]")
    return "/" + "/".join(reversed(names))


@dataclass(frozen=True, slots=True)
class JsonSchema:
    """A dialect's JSON Schema."""

    validator: Callable[[], "Draft202012Validator"]  # explains; made when it is first needed
    schema: Mapping[str, Any]
    decide: Check | None  # decides; None leaves the decision to the validator

    @classmethod
    def load(cls, dialect: Dialect) -> "JsonSchema":
        """Read and check the schema itself; raises `MappingInvalid`."""
        place = f"{dialect.partner}/dialects/{dialect.name}/{dialect.schema.name}"
        try:
            schema = json.loads(dialect.schema.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise MappingInvalid(f"{place}: is not JSON") from error
        if not well_formed(schema):
            _require_schema(schema, place)
        return cls(cache(partial(_validator, schema)), schema, compile_check(schema))

    def check(self, document: Any) -> None:
        """Raise `SchemaViolation` for the most telling problem, with its path."""
        if self.decide is not None and self.decide(document):
            return
        from jsonschema.exceptions import best_match  # noqa: PLC0415  # see _validator

        problem = best_match(self.validator().iter_errors(document))
        if problem is not None:
            raise SchemaViolation(_json_why(problem), path="/" + "/".join(str(step) for step in problem.absolute_path))


def _validator(schema: Any) -> "Draft202012Validator":
    from jsonschema import Draft202012Validator  # noqa: PLC0415  # only refusals need it, and it brings 4 MB

    return Draft202012Validator(schema)


def _require_schema(schema: Any, place: str) -> None:
    from jsonschema.exceptions import SchemaError  # noqa: PLC0415  # see _validator

    try:
        _validator(True).check_schema(schema)
    except SchemaError as error:
        raise MappingInvalid(f"{place}: is no JSON Schema 2020-12, at {error.json_path}") from error


def _json_why(problem: "ValidationError") -> str:
    rule = str(problem.validator)
    needed: Any = problem.validator_value
    if rule == "required" and isinstance(problem.instance, dict):
        missing = [name for name in needed if name not in problem.instance]
        return f"a required member is missing: {', '.join(missing)}"
    return _JSON_WHY.get(rule, f"the rule {rule!r} of the format is not met")
