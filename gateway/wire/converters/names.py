"""A name as one text, and the canonical name: as shown, its script, its parts.

Nothing about the parts is invented. A text with another number of words than its form has places is read without parts,
a single word as a single name. Written is what reads back the same; where the order of the document, or the parts, would
not come back, the message is refused unless the mapping file declares that loss (`AsShown`, `Part`), and then the report
names it. The words themselves are never changed, and the script is read off the letters: mixed letters are refused.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from gateway.errors import BadValue
from gateway.wire.converters.converter import GroupConverter, Member, Values
from gateway.wire.names.scripts import script_of

Parts: TypeAlias = list[list[str]]  # each kind and value
Split: TypeAlias = Callable[[str], tuple[str, Parts | None]]  # a text -> what the document shows, parts

_SHOWN = (Member(path="AsShown"), Member(path="Script"))
_WHOLE = (*_SHOWN, Member(path="Part", inner=("Kind", "Value")))


def _line(value: str) -> str:
    return " ".join(value.split())


def _script(text: str) -> str:
    script = script_of(text)
    if script is None:
        raise BadValue("is a name in no script, or in letters of several")
    return script


def _given_up(values: Values, back: Values) -> frozenset[str]:
    """Return the members that did not come back. Raises `BadValue` where the text would say something else."""
    (shown, script, parts), (shown_back, script_back, parts_back) = values, back
    if script != script_back:
        raise BadValue("is a name whose script cannot be told from its letters")
    lost = set()
    if shown != shown_back:
        if sorted(shown.split()) != sorted(shown_back.split()):
            raise BadValue("is a name that shows other words than its parts have; this form cannot carry both")
        lost.add("AsShown")
    if parts == parts_back or ("AsShown" in lost and sorted(parts or []) == sorted(parts_back or [])):
        return frozenset(lost)
    if parts_back is not None and (parts is None or _joined(parts) != _joined(parts_back)):
        raise BadValue("is a name that this form would say something about that is not known")
    return frozenset(lost | {"Part"})


def _joined(parts: Parts) -> dict[str, str]:
    """Return the words of each kind."""
    found: dict[str, str] = {}
    for kind, value in parts:
        found[kind] = f"{found[kind]} {value}" if kind in found else value
    return found


def _name(
    name: str, form: str, split: Split, join: Callable[[dict[str, str]], str | None], example: tuple[Any, ...], here: str
) -> GroupConverter:
    """Return the converter of a form; `join` gives the text for the words of each kind, None if it has no place for them."""

    def read(values: Values) -> Values:
        shown, parts = split(_line(values[0]))
        return shown, _script(shown), parts

    def write(values: Values) -> tuple[Values, frozenset[str]]:
        shown, script, parts = values
        if not shown:
            raise BadValue("is a name that shows nothing")
        clean = [[kind, _line(value)] for kind, value in parts] if parts else None
        text = (join(_joined(clean)) if clean else None) or _line(shown)
        return (text,), _given_up((_line(shown), script.strip(), clean), read((text,)))

    return GroupConverter(
        name=name,
        form=form,
        here=("the name",),
        canonical=_WHOLE,
        example=(example, (here,)),
        read=read,
        write=write,
        may_lose=frozenset({"AsShown", "Part"}),
    )


def _in_order(name: str, kinds: Sequence[str], here: str) -> GroupConverter:
    """Return the form in which each part is one word, in a fixed order."""

    def split(text: str) -> tuple[str, Parts | None]:
        words = text.split(" ")
        if len(words) == len(kinds):
            return text, [list(pair) for pair in zip(kinds, words, strict=True)]
        return text, [["single", text]] if len(words) == 1 else None

    def join(words: dict[str, str]) -> str | None:
        return " ".join(words[kind] for kind in kinds) if set(words) == set(kinds) else None

    example = split(here)
    return _name(name, f"{', '.join(kinds)}: one word each", split, join, (example[0], "Latn", example[1]), here)


def _family_comma_given(text: str) -> tuple[str, Parts | None]:
    family, comma, given = (part.strip() for part in text.partition(","))
    if not comma:
        return text, [["single", text]] if " " not in text else None
    if not family or not given or "," in given:
        raise BadValue("is not a name written as family name, comma, given name")
    return f"{family} {given}", [["family", family], ["given", given]]


def _join_comma(words: dict[str, str]) -> str | None:
    return f"{words['family']}, {words['given']}" if set(words) == {"family", "given"} else None


_BRACKETS = re.compile(r"([^()]+) \(([^()]+)\) ([^()]+)")


def _family_father_given(text: str) -> tuple[str, Parts | None]:
    match = _BRACKETS.fullmatch(text)
    if match is None:
        return text, [["single", text]] if " " not in text else None
    family, father, given = match.groups()
    return f"{family} {given}", [["family", family], ["father", father], ["given", given]]


def _join_brackets(words: dict[str, str]) -> str | None:
    fits = set(words) == {"family", "father", "given"}
    return f"{words['family']} ({words['father']}) {words['given']}" if fits else None


def _as_shown() -> GroupConverter:
    def read(values: Values) -> Values:
        shown = _line(values[0])
        return shown, _script(shown)

    def write(values: Values) -> tuple[Values, frozenset[str]]:
        shown, script = values
        if not shown or _script(_line(shown)) != script.strip():
            raise BadValue("is a name whose script cannot be told from its letters")
        return (_line(shown),), frozenset()

    return GroupConverter(
        name="name-as-shown",
        form="the name as the document shows it, nothing said of its parts",
        here=("the name",),
        canonical=_SHOWN,
        example=(("SPECIMEN ANA", "Latn"), ("SPECIMEN ANA",)),
        read=read,
        write=write,
    )


def _single(text: str) -> tuple[str, Parts | None]:
    return text, [["single", text]]


NAMES = (
    _as_shown(),
    _in_order("name-given-family", ("given", "family"), "ANA SPECIMEN"),
    _in_order("name-family-given", ("family", "given"), "SPECIMEN ANA"),
    _in_order("name-given-patronymic-family", ("given", "patronymic", "family"), "ANA PETROVNA SPECIMEN"),
    _in_order("name-family-given-patronymic", ("family", "given", "patronymic"), "SPECIMEN ANA PETROVNA"),
    _in_order("name-given-father-family", ("given", "father", "family"), "ANA PETAR SPECIMEN"),
    _in_order("name-given-father-grandfather", ("given", "father", "grandfather"), "ALI HASAN OMAR"),
    _in_order("name-given-father-grandfather-family", ("given", "father", "grandfather", "family"), "ALI HASAN OMAR SPECIMEN"),
    _name(
        "name-family-comma-given",
        "family name, comma, given name; each may have several words",
        _family_comma_given,
        _join_comma,
        ("DE LA MUESTRA ANA MARIA", "Latn", [["family", "DE LA MUESTRA"], ["given", "ANA MARIA"]]),
        "DE LA MUESTRA, ANA MARIA",
    ),
    _name(
        "name-family-father-given",
        "family name, father's name in brackets, given name",
        _family_father_given,
        _join_brackets,
        ("UZORAK ANA", "Latn", [["family", "UZORAK"], ["father", "PETAR"], ["given", "ANA"]]),
        "UZORAK (PETAR) ANA",
    ),
    _name(
        "name-single",
        "a single name, however many words it has",
        _single,
        lambda words: words["single"] if set(words) == {"single"} else None,
        ("SPECIMEN", "Latn", [["single", "SPECIMEN"]]),
        "SPECIMEN",
    ),
)
