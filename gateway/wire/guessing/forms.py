"""How the values of a sample are written, if they can be those of a canonical field at all."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from rapidfuzz import fuzz

from gateway.errors import Refused
from gateway.wire.converters import CONVERTERS, Converter
from gateway.wire.countries import ALPHA3
from gateway.wire.drafting.canonical import Value
from gateway.wire.drafting.naming import plain
from gateway.wire.guessing.thesaurus import Thesaurus
from gateway.wire.guessing.words import words_of

_PREFIXES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "PartialDate": ("date-",),
        "FullDate": ("date-",),
        "Instant": ("instant-", "epoch-"),
        "State": ("country-",),
        "Nationality": ("country-",),
        "Language": ("language-",),
        "Amount": ("amount-",),
        "CaseReference": ("case-reference-",),
        "HeightCm": ("height-",),
    }
)
# What a value says of itself, whatever its name is: other fields do not look like this.
TELLING: Final[Mapping[str, re.Pattern[str]]] = MappingProxyType(
    {
        "date": re.compile(r"\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./]\d{4}"),
        "instant": re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}.*"),
        "email": re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+"),
        "uuid": re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-.*"),
        "telephone": re.compile(r"\+[\d\s()/-]{7,}"),
    }
)
_CERTAIN = 0.1
_LIKELY = 0.05
_BRIEF = 2  # signs of a short code
_ALIKE = 88  # of 100: two words for a code that are the same word


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One way of writing a canonical value."""

    verb: tuple[str, str] | None  # ("convert", name); ("codes", "") for a list that is guessed; None copies
    bonus: float  # what the values add to the confidence
    why: str
    codes: Mapping[str, str] = field(default_factory=dict)  # canonical code -> code here
    unsure: tuple[str, ...] = ()  # canonical codes whose code here is made up
    others: tuple[str, ...] = ()  # converters that read the values as well


def form_of(value: Value, values: Sequence[Any], thesaurus: Thesaurus, member: str = "") -> Form | None:
    """Return how `values` are written as canonical values of a type; None where they cannot be."""
    said = [one for one in values if one not in (None, "")]
    if not said:
        return (
            Form(verb=None, bonus=0.0, why="no value seen") if value.base in {"token", "string"} and not value.codes else None
        )
    if value.base == "boolean":
        return _boolean(said, thesaurus)
    if value.codes:
        return _coded(value, said, thesaurus)
    if value.name in _PREFIXES or value.base in {"integer", "decimal", "date"}:
        return _converted(value, said)
    return _text(value, said, member)


def _boolean(said: list[Any], thesaurus: Thesaurus) -> Form | None:
    if all(type(one) is bool for one in said):
        return Form(verb=("convert", "boolean"), bonus=_CERTAIN, why="true and false")
    if not all(isinstance(one, str) for one in said):
        return None
    for yes, no in thesaurus.yes_no:
        if all(one.strip().lower() in {yes, no} for one in said):
            style = _style(said)
            return Form(
                verb=("codes", ""), bonus=_CERTAIN, why=f"{yes} and {no}", codes={"true": style(yes), "false": style(no)}
            )
    return None


def _style(said: Sequence[Any]) -> Any:
    """Return the function that writes a word as the sample does: in capitals, capitalised, or in lower case."""
    first = str(said[0]).strip()
    return str.upper if first.isupper() else str.capitalize if first[:1].isupper() else str.lower


def _coded(value: Value, said: list[Any], thesaurus: Thesaurus) -> Form | None:
    if not all(isinstance(one, str) and len(one) <= 60 for one in said):  # noqa: PLR2004 - longer is a text, not a code
        return None
    known = thesaurus.codes.get(value.name, {})
    here: dict[str, str] = {}
    for one in dict.fromkeys(said):
        code = _code_of(one, value, known)
        if code is None or here.get(code, one) != one:
            return None
        here[code] = one
    if set(here) == set(here.values()) and all(code in value.codes for code in here):
        return Form(verb=None, bonus=_CERTAIN, why="canonical codes as they are")
    unsure: list[str] = []
    for code in value.codes:
        if code not in here:
            here[code] = _made_up(code, here, known, said)
            unsure.append(code)
    ordered = {code: here[code] for code in value.codes}
    return Form(verb=("codes", ""), bonus=_CERTAIN, why="a code of the list", codes=ordered, unsure=tuple(unsure))


def _code_of(here: str, value: Value, known: Mapping[str, str]) -> str | None:
    words = words_of(here)
    if words in known:
        return known[words]
    for other, code in known.items():
        if min(len(words), len(other)) > _BRIEF + 1 and fuzz.ratio(words, other) >= _ALIKE:
            return code
    for code in value.codes:
        if words == plain(code).replace("-", " ") or fuzz.ratio(words, code.replace("-", " ")) >= _ALIKE:
            return code
    return None


def _made_up(code: str, taken: Mapping[str, str], known: Mapping[str, str], said: Sequence[str]) -> str:
    """Return a code for a canonical code that the sample does not show: of the same length where one is known."""
    style = _style(said)
    brief = max(map(len, said)) <= _BRIEF
    digits = all(one.isdigit() for one in said)
    for words, meant in known.items():
        fits = words.isdigit() if digits else words.isalpha() and (len(words) <= _BRIEF) == brief
        if meant == code and fits and style(words) not in taken.values():
            return str(style(words))
    joint = "_" if any("_" in one for one in said) else "-"
    made = style(code.replace("-", joint))
    return str(made) if made not in taken.values() else f"{made}{joint}2"


def _converted(value: Value, said: list[Any]) -> Form | None:
    """Return the converter that reads all values and writes them back; the others that do as well are told."""
    if value.base == "integer" and value.name != "HeightCm" and not value.name.endswith("Number"):
        return _integer(value, said)
    as_it_is = all(isinstance(one, str) for one in said) and value.pattern is not None
    if as_it_is and all(re.fullmatch(str(value.pattern), one.strip()) and _known(value, one) for one in said):
        return Form(verb=None, bonus=_CERTAIN, why="written as the canonical message writes it")
    found = [
        converter.name
        for prefix in _PREFIXES.get(value.name, ())
        for converter in CONVERTERS.values()
        if converter.name.startswith(prefix) and _reads(converter, said, value)
    ]
    if not found:
        return _integer(value, said) if value.base == "integer" else None
    first = min(found, key=lambda name: ("mdy" in name, name.count("-"), found.index(name)))
    alike = tuple(name for name in found if name != first and not name.startswith(f"{first}-"))
    why = f"read by {first}" + (f"; {', '.join(alike[:3])} would read the values too" if alike else "")
    return Form(verb=("convert", first), bonus=_LIKELY if alike else _CERTAIN, why=why, others=alike)


def _known(value: Value, one: str) -> bool:
    return value.name not in {"State", "Nationality"} or one.strip() in ALPHA3


def _integer(value: Value, said: list[Any]) -> Form | None:
    if all(type(one) is int for one in said):
        fits = all((value.least or 0) <= one <= (value.most or 10**18) for one in said)
        return Form(verb=("convert", "integer"), bonus=_LIKELY, why="a number") if fits else None
    if all(isinstance(one, str) and one.strip().isascii() and one.strip().isdigit() and len(one) <= 18 for one in said):  # noqa: PLR2004
        fits = all((value.least or 0) <= int(one) <= (value.most or 10**18) for one in said)
        return Form(verb=None, bonus=_LIKELY, why="a number") if fits else None
    return None


def _reads(converter: Converter, said: list[Any], value: Value) -> bool:
    for one in said:
        try:
            canonical = converter.read(one)
            back = converter.write(canonical)
        except (Refused, AttributeError, TypeError, ValueError):  # a converter of texts was given a number, or the reverse
            return False
        if back != one or (value.pattern and not re.fullmatch(value.pattern, canonical)):
            return False
        if value.name in {"PartialDate", "FullDate"} and not 1900 <= int(canonical[:4]) <= 2100:  # noqa: PLR2004 - years of the living
            return False
    return True


def _text(value: Value, said: list[Any], member: str) -> Form | None:
    if not all(isinstance(one, str) for one in said):
        return None
    texts = [one.strip() for one in said]
    longest = value.longest or 4000
    if any(len(one) > longest for one in texts):
        return None
    if value.name not in {"Line", "Text"}:
        if value.pattern and not all(re.fullmatch(value.pattern, one) for one in texts):
            return None
        return Form(verb=None, bonus=_CERTAIN, why="written as the canonical message writes it")
    told = {kind for kind, pattern in TELLING.items() if all(pattern.fullmatch(one) for one in texts)}
    wanted = {"Email": {"email"}, "Telephone": {"telephone"}, "Fax": {"telephone"}}.get(member, set())
    if wanted & told:
        return Form(verb=None, bonus=_CERTAIN, why=f"looks like {'/'.join(wanted)}")
    if told or (member == "Email"):
        return None
    numbers = member in {"Number", "Value", "TravelDocumentNumber", "DocumentNumber", "NationalReference"}
    if numbers and not any(sign.isdigit() for one in texts for sign in one):
        return None
    return Form(verb=None, bonus=_LIKELY if numbers else 0.0, why="a number of a paper" if numbers else "a text")
