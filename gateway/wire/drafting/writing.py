"""How a field's value is written in a dialect: the verb of its row, and what the dialect's schema says about it.

The schema's pattern for a converted value comes from running the converter over samples, so that a converter added later
needs nothing here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from gateway.errors import Refused
from gateway.wire.converters import Converter, converter_named
from gateway.wire.drafting.canonical import Member, Value
from gateway.wire.drafting.naming import kebab
from gateway.wire.drafting.vocabulary import Vocabulary

_KIND_OF: Mapping[str, str] = MappingProxyType(
    {
        "PartialDate": "date",
        "FullDate": "date",
        "Instant": "instant",
        "State": "country",
        "Nationality": "country",
        "Amount": "amount",
        "CaseReference": "case-reference",
        "Language": "language",
    }
)
_SAMPLES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "PartialDate": ("2001-02-03", "2001-02", "2001"),
        "FullDate": ("2001-02-03",),
        "Instant": ("2001-02-03T04:05:06Z", "2001-02-03T04:05:06.123456Z"),
        "State": ("BA", "PK"),
        "Nationality": ("BA", "stateless", "unknown"),
        "CaseReference": ("A" * 16, "A" * 32),
        "Amount": ("0.01", "10.01", "1234567890.01"),
        "Boolean": ("true", "false"),
    }
)
_WIDTHS: Mapping[str, int] = MappingProxyType(
    {
        "Uuid": 36, "Sha256": 64, "AuthorityCode": 15, "CaseReference": 32, "Instant": 27, "PartialDate": 10, "FullDate": 10,
        "State": 2, "Nationality": 9, "Language": 8, "Script": 4, "EvidenceCode": 5, "Amount": 13, "Currency": 3,
        "AgreementId": 40, "Boolean": 5, "Text": 400,
    }
)  # fmt: skip
_XSD_KINDS = {"date", "dateTime", "integer", "boolean", "decimal"}
_AS_TEXT = {"boolean": "true|false|1|0", "integer": "[0-9]{1,18}"}
_NATIVE = {"boolean": "boolean", "integer": "integer"}  # JSON has kinds of its own for these


Kind: TypeAlias = Literal[
    "string", "token", "integer", "boolean", "any", "xs:date", "xs:dateTime", "xs:integer", "xs:boolean", "xs:decimal"
]  # "any": what no row reads


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The row's verb, and what the schema allows."""

    name: str  # of the value's type, for a shared type in the schema; one name, one form
    verb: tuple[str, str] | None  # ("codes", "sex"), ("convert", "date-dmy"); None copies
    kind: Kind
    codes: tuple[str, ...] = ()
    pattern: str | None = None
    longest: int | None = None
    least: int | None = None
    most: int | None = None
    width: int = 100  # how long its texts are, for lines of fixed width


def written(vocabulary: Vocabulary, group: str, member: Member) -> Written:
    """Return how the value of a field is written; raises `MappingInvalid` for a converter or list that is not there."""
    value = member.value
    assert value is not None, "a group has no value"
    rule, key = _rule(vocabulary, group, member, value)
    name = value.name if not key.startswith("converters.at") else f"{group}{member.name}"
    if rule == "copy":
        return copied(vocabulary.format, name, value)
    if rule.startswith("codes:"):
        return _coded(vocabulary, name, value, rule.removeprefix("codes:"), key)
    converter = converter_named(rule)
    if converter is None:
        raise vocabulary.bad(key, f"names {rule!r}, and there is no such converter")
    return converted(name, value, rule, converter)


def _rule(vocabulary: Vocabulary, group: str, member: Member, value: Value) -> tuple[str, str]:
    """Return what the vocabulary says about a field, and the key that says it."""
    path, of_type = f"{group}/{member.name}", kebab(value.name)
    if path in vocabulary.converters.at:
        return vocabulary.converters.at[path], f"converters.at.{path}"
    kind = _KIND_OF.get(value.name) or _NATIVE.get(value.base, "")
    for key in (of_type, kind):
        if key in vocabulary.converters.by_name:
            return vocabulary.converters.by_name[key], f"converters.{key}"
    if of_type in vocabulary.codes:
        return f"codes:{of_type}", f"codes.{of_type}"
    if vocabulary.format == "json" and value.base in _NATIVE:
        return _NATIVE[value.base], "format"
    return "copy", "format"


def copied(form: str, name: str, value: Value) -> Written:
    """Return how a value is written that is copied into a format."""
    if form == "xml":
        kind: Any = f"xs:{value.base}" if value.base in _XSD_KINDS else "string" if value.base == "string" else "token"
        least, most, pattern = value.least, value.most, value.pattern
    else:
        kind, least, most, pattern = "string", None, None, _AS_TEXT.get(value.base, value.pattern)
    return Written(
        name=name, verb=None, kind=kind, codes=value.codes, pattern=pattern, longest=value.longest, least=least, most=most,
        width=_width(value),
    )  # fmt: skip


def _width(value: Value) -> int:
    """Return how many characters a value as it is takes at most; of a line or a text, what most formats leave for it."""
    if value.codes:
        return max(map(len, value.codes))
    return len(str(value.most)) if value.most is not None else _WIDTHS.get(value.name, 100)


def _coded(vocabulary: Vocabulary, name: str, value: Value, codes: str, key: str) -> Written:
    if codes not in vocabulary.codes:
        raise vocabulary.bad(key, f"names the code list {codes!r}, which does not stand under codes")
    known = ("true", "false") if value.base == "boolean" else value.codes
    if missing := [code for code in known if code not in vocabulary.codes[codes]]:
        raise vocabulary.bad(key, f"names the code list {codes!r}, which has no code for {', '.join(missing)}")
    here = (*vocabulary.codes[codes].values(), *vocabulary.also_read.get(codes, {}))
    return Written(name=name, verb=("codes", codes), kind="token", codes=here, width=max(map(len, here)))


def converted(name: str, value: Value, rule: str, converter: Converter) -> Written:
    """Return what a converter makes of the type's samples."""
    write, verb = converter.write, ("convert", rule)
    samples = value.codes or _SAMPLES.get(value.name) or _bounds(value)
    made: list[Any] = []
    for sample in samples:
        try:
            made.append(write(sample))
        except Refused:  # a form that the converter does not have, such as a year alone
            continue
    if made and all(type(one) is bool for one in made):
        return Written(name=name, verb=verb, kind="boolean")
    if made and all(type(one) is int for one in made):
        return Written(name=name, verb=verb, kind="integer", least=value.least, most=value.most)
    texts = [str(one) for one in made]
    facets = _facets(value, texts)
    return Written(name=name, verb=verb, kind="token", width=max(map(len, texts), default=100), **facets)


def _facets(value: Value, texts: list[str]) -> dict[str, Any]:
    """Return what the schema says of values that look like `texts`: codes, a pattern, or a length."""
    if texts and (value.codes or value.base == "boolean"):
        return {"codes": tuple(dict.fromkeys(texts))}
    if value.name == "CaseReference" and texts and all(text.isascii() for text in texts):
        signs = "".join(sorted({re.escape(sign) for text in texts for sign in text if not sign.isalnum()}))
        return {"pattern": f"[A-Z2-7{signs}]{{{len(texts[0])},{len(texts[-1])}}}"}
    patterns = {_pattern(text, instant=value.name == "Instant") for text in texts}
    if not patterns or None in patterns:
        return {"longest": max(250, 2 * (value.longest or 0))}
    return {"pattern": "|".join(sorted(filter(None, patterns), key=_by_length))}


def _by_length(pattern: str) -> tuple[int, str]:
    return -len(pattern), pattern


def _bounds(value: Value) -> tuple[str, ...]:
    return (str(value.least), str(value.most)) if value.least is not None and value.most is not None else ()


def _pattern(text: str, *, instant: bool) -> str | None:
    """Return a pattern for texts like this one; None where its letters say too much (names of months, other digits)."""
    if not text.isascii() or (not instant and re.search("[a-z]", text)):
        return None
    parts: list[str] = []
    for run in re.findall(r"[0-9]+|[A-Z]+|.", text):
        if run.isdigit():
            parts.append(f"[0-9]{{{len(run)}}}")
        elif run.isalpha() and not instant:
            parts.append(f"[A-Z]{{{len(run)}}}")
        else:
            parts.append("[+-]" if run == "+" else re.sub(r"([.\\*?()\[\]{}|^$])", r"\\\1", run))
    whole = "".join(parts)
    if instant:
        whole = whole.replace(r"\.[0-9]{6}", r"\.[0-9]{1,6}")
        whole = re.sub(r"\[\+-\]\[0-9\]\{2\}:\[0-9\]\{2\}$", lambda found: f"(Z|{found[0]})", whole)
    return whole
