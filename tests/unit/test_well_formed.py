"""A schema that is told to be well-formed is one to `jsonschema` too; every shipped schema is told so."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, SchemaError

from gateway.partners import load
from gateway.settings import data_folder
from gateway.wire.well_formed import _RULES, well_formed

PLAIN = st.none() | st.booleans() | st.integers(-2, 5) | st.sampled_from([0.5, "", "string", "a", "(", "#", "#/$defs/a", "# b"])
VALUES = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*_RULES, "a", "format", "contains"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@settings(max_examples=400, deadline=None, database=None)
@given(schema=VALUES)
def test_what_is_well_formed_is_a_schema_to_jsonschema(schema: Any) -> None:
    if well_formed(schema):
        Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "text"},
        {"type": ["string", "string"]},
        {"type": []},
        {"pattern": "("},
        {"required": ["a", "a"]},
        {"minLength": -1},
        {"allOf": []},
        {"properties": {"a": 1}},
        {"dependentRequired": {"a": "b"}},
        {"$defs": {"a": {"items": "b"}}},
    ],
)
def test_a_schema_that_is_none_is_left_to_jsonschema_which_refuses_it(schema: dict[str, Any]) -> None:
    assert not well_formed(schema)
    with pytest.raises(SchemaError):
        Draft202012Validator.check_schema(schema)


def test_a_keyword_that_is_not_known_is_left_to_jsonschema() -> None:
    assert not well_formed({"contains": True})
    Draft202012Validator.check_schema({"contains": True})


def test_every_shipped_schema_is_told_at_once() -> None:
    dialects = load(data_folder("partners")).dialects.values()
    schemas = {each.id: json.loads(each.schema.read_text("utf-8")) for each in dialects if each.schema.suffix == ".json"}
    assert [name for name, schema in schemas.items() if not well_formed(schema)] == []
    assert len(schemas) > 10
