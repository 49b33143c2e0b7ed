"""Decide fast whether a JSON document meets a dialect's schema: the keywords the dialects use, compiled to closures.

`jsonschema` takes 2 ms for a message of 6 KB, more than everything else on the way together; this takes a tenth of it.
It only decides. A document that fails is given to `jsonschema`, which explains, and a schema with a keyword that is not
in `_RULES` is left to `jsonschema` altogether (`compile_check` returns None). A test holds the two to the same verdict.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Check: TypeAlias = Callable[[Any], bool]

_SILENT = {"$schema", "$id", "$defs", "title", "description", "$comment", "examples", "default"}
_TYPES: Mapping[str, Check] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "integer": lambda value: (
        (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, float) and value.is_integer())
    ),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
}


class _Unknown(Exception):  # noqa: N818 - a signal inside this module, not an error
    """The schema uses a keyword that is not known here."""


class _Compiler:
    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.schema = schema
        self.named: dict[str, Check] = {}

    def check(self, part: Any) -> Check:
        """Return the function that decides one schema."""
        if isinstance(part, bool):
            return lambda _value: part
        if part.get("type") == "string" and set(part) <= _OF_TEXT | _SILENT:
            return _text(part)
        rules = [
            rule
            for key, argument in part.items()
            if key not in _SILENT and (rule := self.rule(key, argument, part)) is not None
        ]
        if len(rules) == 1:
            return rules[0]

        def every(value: Any) -> bool:
            for rule in rules:  # noqa: SIM110 - a generator costs more than the rules
                if not rule(value):
                    return False
            return True

        return every

    def rule(self, key: str, argument: Any, part: Mapping[str, Any]) -> Check | None:
        """Return the function for one keyword, or None where another keyword does its work."""
        if key == "$ref":
            return self.reference(argument)
        if key in {"properties", "additionalProperties", "required"}:
            return self.members(part) if key == next(name for name in part if name in _MEMBER_KEYS) else None
        if key in {"if", "then", "else"}:
            return self.condition(part) if key == "if" else None
        if key in {"allOf", "anyOf", "oneOf"}:
            inner = [self.check(one) for one in argument]
            if key == "allOf":
                return lambda value: all(check(value) for check in inner)
            if key == "anyOf":
                return lambda value: any(check(value) for check in inner)
            return lambda value: sum(check(value) for check in inner) == 1
        if key == "items":
            item = self.check(argument)
            return lambda value: not isinstance(value, list) or all(map(item, value))
        return _simple(key, argument)

    def reference(self, name: str) -> Check:
        """Return the check of a definition of this file; it is compiled once and may refer to itself."""
        if not name.startswith("#/"):
            raise _Unknown(name)
        if name not in self.named:
            self.named[name] = lambda value: self.named[name](value)  # noqa: PLW0108 - bound late: it refers to itself
            target: Any = self.schema
            for step in name[2:].split("/"):
                target = target[step]
            self.named[name] = self.check(target)
        return self.named[name]

    def members(self, part: Mapping[str, Any]) -> Check:
        """Return the check of an object's members, its required names and its further names together."""
        known = {name: self.check(inner) for name, inner in part.get("properties", {}).items()}
        further = self.check(part.get("additionalProperties", True))
        needed = tuple(part.get("required", ()))

        def check(value: Any) -> bool:
            if not isinstance(value, dict):
                return True
            for name in needed:
                if name not in value:
                    return False
            for name, inner in value.items():  # noqa: SIM110 - as above
                if not known.get(name, further)(inner):
                    return False
            return True

        return check

    def condition(self, part: Mapping[str, Any]) -> Check:
        """Return the check of if, then and else."""
        asked, then, otherwise = (self.check(part.get(key, True)) for key in ("if", "then", "else"))
        return lambda value: then(value) if asked(value) else otherwise(value)


_MEMBER_KEYS = {"properties", "additionalProperties", "required"}


def _same(value: Any, other: Any) -> bool:
    """Tell whether two values are equal in JSON, where true is not 1."""
    return bool(value == other) and isinstance(value, bool) == isinstance(other, bool)


def _simple(key: str, argument: Any) -> Check:
    """Return the function for a keyword about one value; a keyword about another kind of value passes."""
    if key == "type":
        kinds = [_TYPES[kind] for kind in ([argument] if isinstance(argument, str) else argument)]
        return kinds[0] if len(kinds) == 1 else lambda value: any(kind(value) for kind in kinds)
    if key == "pattern":
        found = re.compile(argument).search
        return lambda value: not isinstance(value, str) or found(value) is not None
    if key in {"const", "enum"}:
        allowed = [argument] if key == "const" else argument
        if all(isinstance(one, str) for one in allowed):
            words = frozenset(allowed)
            return lambda value: isinstance(value, str) and value in words
        if any(isinstance(one, dict | list) for one in allowed):
            raise _Unknown(key)
        return lambda value: any(_same(value, one) for one in allowed)
    if key in _SIZES:
        kind, fits = _SIZES[key]
        return lambda value: not isinstance(value, kind) or fits(len(value), argument)
    if key == "dependentRequired":
        pairs = [(name, needed) for name, names in argument.items() for needed in names]
        return lambda value: not isinstance(value, dict) or all(needed in value for name, needed in pairs if name in value)
    if key in _BOUNDS:
        within = _BOUNDS[key]
        number = _TYPES["number"]
        return lambda value: not number(value) or within(value, argument)
    raise _Unknown(key)


_OF_TEXT = {"type", "minLength", "maxLength", "pattern"}
# A pattern that keeps some signs out and lets all others in: "^[^\u202A-\u202E]*$".
_KEEPS_OUT = re.compile(r"\^\[\^((?:\\u[0-9A-Fa-f]{4}|-)+)\]\*\$")


def _text(part: Mapping[str, Any]) -> Check:
    """Return the function for a text with its length and its pattern: most values of a document are texts, so it is one."""
    least, most, pattern = part.get("minLength", 0), part.get("maxLength"), part.get("pattern", "")
    found = re.compile(pattern).search
    kept_out = _KEEPS_OUT.fullmatch(pattern)
    # Where only signs beyond ASCII are kept out, a text in ASCII needs no look at each of its letters.
    plain = kept_out is not None and all(int(sign, 16) > 0x7F for sign in re.findall(r"[0-9A-Fa-f]{4}", kept_out[1]))  # noqa: PLR2004

    def check(value: Any) -> bool:
        if not isinstance(value, str) or len(value) < least or (most is not None and len(value) > most):
            return False
        return not pattern or (plain and value.isascii()) or found(value) is not None

    return check


_SIZES: Mapping[str, tuple[type[str] | type[list[Any]], Callable[[int, int], bool]]] = {
    "minLength": (str, lambda size, bound: size >= bound),
    "maxLength": (str, lambda size, bound: size <= bound),
    "minItems": (list, lambda size, bound: size >= bound),
    "maxItems": (list, lambda size, bound: size <= bound),
}
_BOUNDS: Mapping[str, Callable[[float, float], bool]] = {
    "minimum": lambda value, bound: value >= bound,
    "maximum": lambda value, bound: value <= bound,
}


def compile_check(schema: Mapping[str, Any]) -> Check | None:
    """Return the decision for `schema` (already checked to be a JSON Schema 2020-12), or None if it says too much."""
    try:
        return _Compiler(schema).check(schema)
    except (_Unknown, KeyError):
        return None
