"""The fast decision about a JSON document is the decision of `jsonschema`."""

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from gateway.partners import load
from gateway.settings import data_folder
from gateway.wire.json_check import compile_check

SCHEMAS = {
    dialect.id: json.loads(dialect.schema.read_text(encoding="utf-8"))
    for dialect in load(data_folder("partners")).dialects.values()
    if dialect.format == "json"
}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 300) | st.sampled_from([1.0, 1.5]) | st.sampled_from(["", "AB", "a", "x" * 20]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3),
    max_leaves=6,
)
ONE_RULE: list[dict[str, Any]] = [
    {"type": "integer"},
    {"type": "number"},
    {"type": ["string", "null"]},
    {"const": 1},
    {"const": True},
    {"enum": ["AB", 0, None]},
    {"pattern": "^[A-Z]+$"},
    {"minLength": 1, "maxLength": 4},
    {"minimum": 0, "maximum": 1.5},
    {"minItems": 1, "maxItems": 2, "items": {"type": "string"}},
    {"items": False},
    {"properties": {"a": {"type": "string"}, "b": True}, "required": ["a"], "additionalProperties": False},
    {"required": ["a"], "additionalProperties": {"type": "integer"}},
    {"additionalProperties": {"type": "boolean"}},
    {"if": {"properties": {"a": {"const": "AB"}}}, "then": {"required": ["b"]}, "else": {"required": ["c"]}},
    {"if": {"type": "string"}, "then": {"minLength": 2}},
    {"allOf": [{"type": "object"}, {"required": ["a"]}]},
    {"anyOf": [{"type": "string"}, {"required": ["a"], "type": "object"}]},
    {"oneOf": [{"type": "integer"}, {"minimum": 2}, {"type": "string"}]},
    {"dependentRequired": {"a": ["b", "c"], "b": []}},
    {"$ref": "#/$defs/tree", "$defs": {"tree": {"type": "object", "additionalProperties": {"$ref": "#/$defs/tree"}}}},
]


@pytest.mark.parametrize("schema", ONE_RULE, ids=",".join)
@settings(max_examples=60, deadline=None, database=None)
@given(value=VALUES)
def test_each_rule_decides_as_jsonschema_does(schema: dict[str, Any], value: Any) -> None:
    decide = compile_check(schema)
    assert decide is not None
    assert decide(value) == Draft202012Validator(schema).is_valid(value)


@pytest.mark.parametrize(
    "schema",
    [
        {"not": {}},
        {"contains": {}},
        {"properties": {"a": {"uniqueItems": True}}},
        {"$ref": "https://example.org/x"},
        {"const": [1]},
    ],
)
def test_a_rule_that_is_not_known_leaves_the_decision_to_jsonschema(schema: dict[str, Any]) -> None:
    assert compile_check(schema) is None


@pytest.mark.parametrize("dialect", SCHEMAS)
def test_the_schema_of_every_json_dialect_is_decided_fast(dialect: str) -> None:
    assert compile_check(SCHEMAS[dialect]) is not None


REQUEST: dict[str, Any] = {
    "documentType": "READMISSION_REQUEST",
    "formVersion": "1",
    "header": {"from": "PK-MOI", "to": "BA-MS"},
    "request": {
        "agreement": "ba-pk",
        "basis": "NATIONAL",
        "procedure": "NORMAL",
        "interviewRequested": False,
        "place": "Islamabad",
        "date": "24-11-2026",
    },
    "requestingAuthority": {"name": "Ministry of Interior"},
    "requestedAuthority": {"name": "Ministry of Security"},
    "person": {
        "name": {"fullName": "SPECIMEN NAMUNA", "script": "Latn", "parts": [{"type": "ONLY_NAME", "value": "NAMUNA"}]},
        "gender": "MALE",
        "birth": {"dateAccuracy": "PARTIAL", "date": "1990"},
        "nationalities": ["BIH"],
        "appearance": {"heightCm": 182},
    },
    "evidence": [{"code": "N1-01"}],
}


def spots(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(spot for key, below in inner for spot in spots(below, (*path, key)))]


def test_a_whole_request_is_accepted() -> None:
    decide = compile_check(SCHEMAS["pk/moi-json"])
    assert decide is not None
    assert decide(REQUEST)


@pytest.mark.parametrize("broken", [None, 7, "", "x", [], {}, {"more": 1}], ids=repr)
@pytest.mark.parametrize("spot", spots(REQUEST)[1:], ids=lambda spot: "/".join(map(str, spot)))
def test_a_request_broken_in_one_place_is_decided_as_jsonschema_does(spot: tuple[Any, ...], broken: Any) -> None:
    document = deepcopy(REQUEST)
    place: Any = document
    for step in spot[:-1]:
        place = place[step]
    place[spot[-1]] = broken
    decide = compile_check(SCHEMAS["pk/moi-json"])
    assert decide is not None
    assert decide(document) == Draft202012Validator(SCHEMAS["pk/moi-json"]).is_valid(document)


@pytest.mark.parametrize("pattern", ["^[^\\u202A-\\u202E]*$", "^[^\\u0041-\\u0042]*$", "^[a-z]*$"])
@pytest.mark.parametrize("text", ["", "plain", "A in ASCII", "\u202aturned", "čitko", 7])
def test_text_with_length_and_pattern_is_decided_as_the_library_does(pattern, text):
    schema = {"type": "string", "minLength": 1, "maxLength": 10, "pattern": pattern}
    decide = compile_check(schema)
    assert decide is not None
    assert decide(text) is Draft202012Validator(schema).is_valid(text)
