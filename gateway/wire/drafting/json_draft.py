"""The JSON Schema of a drafted JSON format, nested or flat."""

import json
from collections.abc import Iterable
from typing import Any

from gateway.wire.drafting.canonical import Canonical
from gateway.wire.drafting.layout import Layout, Node
from gateway.wire.drafting.naming import snake
from gateway.wire.drafting.type_names import TypeNames
from gateway.wire.drafting.vocabulary import Vocabulary
from gateway.wire.drafting.writing import Written


def json_schema_text(vocabulary: Vocabulary, canonical: Canonical, layout: Layout) -> str:
    """Return schema.json: the member that tells the type, one condition for each message, and the shared definitions."""
    draft = JsonWriter(TypeNames.of(vocabulary, canonical, layout))
    tag = vocabulary.name(vocabulary.type_word)
    messages: dict[str, Any] = {}
    for kind, rows in layout.messages.items():
        messages[snake(kind)] = draft.members(rows.nodes, {tag: {"const": vocabulary.type_name(kind)}})
    groups = {draft.names.of_rows(rows.name): draft.members(rows.nodes) for rows in layout.shared.values() if not rows.single}
    values = draft.definitions()
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": vocabulary.about,
        "description": "What the gateway fills in is optional. Drafted from vocabulary.toml by 'gateway partner draft'.",
        "type": "object",
        "required": [tag],
        "properties": {tag: {"enum": [vocabulary.type_name(kind) for kind in layout.messages]}},
        "allOf": [
            {
                "if": {"properties": {tag: {"const": vocabulary.type_name(kind)}}},
                "then": {"$ref": f"#/$defs/{draft.message(kind)}"},
            }
            for kind in layout.messages
        ],
        "$defs": {**values, **groups, **{draft.message(kind): messages[snake(kind)] for kind in layout.messages}},
    }
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"


class JsonWriter:
    """Writes objects and members of a JSON Schema; the values it was asked for, it remembers."""

    def __init__(self, names: TypeNames) -> None:
        self.names = names
        self.values: dict[str, Written] = {}

    def message(self, kind: str) -> str:
        """Return the name of a message's definition."""
        return f"message_{snake(kind)}"

    def members(self, nodes: Iterable[Node], first: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the schema of an object."""
        named = [node for node in nodes if node.name]
        return {
            "type": "object",
            "additionalProperties": False,
            "required": [*(first or {}), *(node.name for node in named if node.required)],
            "properties": {**(first or {}), **{node.name: self.member(node) for node in named}},
        }

    def member(self, node: Node) -> dict[str, Any]:
        """Return the schema of one member."""
        if node.children:
            return self.members(node.children)
        if node.value is not None and node.value.kind == "any":
            return {}
        kind = self.value(node.value) if node.value is not None else f"#/$defs/{self.names.of_rows(str(node.rows))}"
        if node.times == 1:
            return {"$ref": kind}
        return {"type": "array", "minItems": 1, "maxItems": node.times, "items": {"$ref": kind}}

    def definitions(self) -> dict[str, Any]:
        """Return the definitions of the values that were asked for, by name."""
        return {self.names.of_value(name): _value(value) for name, value in sorted(self.values.items())}

    def value(self, value: Written) -> str:
        """Return the reference to a value's definition, and note that it is needed."""
        self.values[value.name] = value
        return f"#/$defs/{self.names.of_value(value.name)}"


def _value(value: Written) -> dict[str, Any]:
    """Return the schema of a value."""
    if value.codes:
        return {"enum": list(value.codes)}
    if value.kind == "boolean":
        return {"type": "boolean"}
    if value.kind == "integer":
        bounds = {"minimum": value.least, "maximum": value.most}
        return {"type": "integer", **{key: bound for key, bound in bounds.items() if bound is not None}}
    text: dict[str, Any] = {"type": "string", "minLength": 1}
    if value.longest is not None:
        text["maxLength"] = value.longest
    if value.pattern is not None:
        text["pattern"] = json_pattern(value.pattern)
    return text


def json_pattern(pattern: str) -> str:
    """Return an XSD pattern for JSON Schema: bound to both ends, signs that cannot be seen as numbers."""
    seen = "".join(f"\\u{ord(sign):04X}" if 0x2000 <= ord(sign) <= 0x206F else sign for sign in pattern)  # noqa: PLR2004 - a block
    return f"^({seen})$" if "|" in seen else f"^{seen}$"
