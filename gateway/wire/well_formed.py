"""Tell fast that a JSON Schema is one, for the keywords the dialects use; `jsonschema` decides where this does not say yes.

Checking a schema of 70 KB against the meta-schema takes `jsonschema` half a second, and a check of all
partners does it for every JSON format and every table. A yes from here is a yes from there; a test holds it to that.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

_TYPES = {"array", "boolean", "integer", "null", "number", "object", "string"}
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _size(value: Any) -> bool:
    return type(value) is int and value >= 0


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _names(value: Any) -> bool:
    return isinstance(value, list) and all(map(_text, value)) and len(set(value)) == len(value)


def _type(value: Any) -> bool:
    if isinstance(value, str):
        return value in _TYPES
    return _names(value) and bool(value) and _TYPES.issuperset(value)


def _pattern(value: Any) -> bool:
    try:
        return isinstance(value, str) and re.compile(value) is not None
    except re.error:
        return False


def _dependent(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_names, value.values()))


def _by_name(value: Any) -> bool:
    return isinstance(value, dict) and all(map(well_formed, value.values()))


def _several(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(well_formed, value))


def well_formed(schema: Any) -> bool:
    """Whether `schema` is certainly a JSON Schema 2020-12; False says nothing."""
    if not isinstance(schema, dict):
        return isinstance(schema, bool)
    for key, value in schema.items():
        rule = _RULES.get(key)
        if rule is None or not rule(value):
            return False
    return True


_RULES: Mapping[str, Callable[[Any], bool]] = {
    "$schema": lambda value: bool(value == _DIALECT),
    "$id": lambda value: isinstance(value, str) and "#" not in value,
    "$ref": lambda value: isinstance(value, str) and re.fullmatch(r"#(/[\w$-]+)*", value) is not None,
    **dict.fromkeys(("$defs", "properties"), _by_name),
    **dict.fromkeys(("allOf", "anyOf", "oneOf", "prefixItems"), _several),
    **dict.fromkeys(("items", "not", "if", "then", "else", "additionalProperties", "unevaluatedProperties"), well_formed),
    **dict.fromkeys(("title", "description", "$comment"), _text),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"), _size),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _number),
    "type": _type,
    "pattern": _pattern,
    "required": _names,
    "dependentRequired": _dependent,
    "enum": lambda value: isinstance(value, list),
    "const": lambda _value: True,
}
