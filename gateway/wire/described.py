"""How an application describes the person it is about: what two descriptions are compared by, and what one is found by."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from gateway.stages import Tree
from gateway.wire.documents import NS
from gateway.wire.names import tokens, word_variants
from gateway.wire.names.spellings import ARTICLES, BETWEEN

_R = f"{{{NS}}}"
_MOST_WORDS = 300  # spellings of words that one case is found by
_NUMBER, _WORD, _YEAR = 1000, 100, 60  # what puts a candidate first, when there are more than are looked at
_SHORTEST_NUMBER = 4  # signs; what is shorter finds everybody


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A document or personal number: capital letters and figures only, without what stands between them."""

    kind: str  # of the document or identifier
    state: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What is known of a person. Nothing of it is sure; each field may be empty."""

    names: tuple[str, ...]  # forms of the name itself: as shown, in Latin letters
    other_names: tuple[str, ...]  # maiden name, aliases and the like, each in its forms
    given: tuple[str, ...]  # words of the name that are known to be given names
    born: str | None  # "YYYY", "YYYY-MM" or "YYYY-MM-DD"
    birth_certain: bool  # the date is not estimated
    sex: str | None  # male | female; None for anything else
    nationalities: frozenset[str]  # without "unknown"
    documents: frozenset[Number]
    identifiers: frozenset[Number]


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One thing that a person can be found by."""

    kind: str  # name | number | born
    text: str
    weight: int


def describe(application: Tree) -> Description:
    """Return the description of the person of a canonical application, notification or transit application."""
    person = application.find(f"{_R}Person")
    if person is None:
        person = application.makeelement(f"{_R}Person")
    sex = _text(person, "Sex")
    return Description(
        names=tuple(dict.fromkeys(_forms(person, "Name"))),
        other_names=tuple(dict.fromkeys((*_forms(person, "MaidenName"), *_forms(person, "OtherName/Name")))),
        given=tuple(
            _text(part, "Value") for part in person.iterfind(f"{_R}Name/{_R}Part") if _text(part, "Kind") in {"given", "single"}
        ),
        born=_text(person, "Birth/Date") or None,
        birth_certain=_text(person, "Birth/DateQuality") in {"exact", "partial"},
        sex=sex if sex in {"male", "female"} else None,
        nationalities=frozenset(_all(person, "Nationality")) - {"unknown"},
        documents=_numbers(application, "Document", value="Number", state="IssuingState"),
        identifiers=_numbers(person, "Identifier", value="Value", state="State"),
    )


def search_terms(described: Description) -> tuple[Term, ...]:
    """Return what a person can be found by: words of every name in every spelling, numbers, year of birth.

    The year only puts likelier people first; nobody is found by it alone.
    """
    words: dict[str, None] = {}  # the name itself first: a hostile list of aliases is cut off at its end
    for name in (*described.names, *described.other_names):
        words.update(dict.fromkeys(sorted(tokens(name) - ARTICLES - BETWEEN)))
    numbers = sorted({number.value for number in described.documents | described.identifiers})
    return (
        *(Term(kind="number", text=value, weight=_NUMBER) for value in numbers),
        # a word of many spellings is found by each of them, and counts no more than a word of one
        *(
            Term(kind="name", text=word, weight=_WORD // len(word_variants(word) or {word}))
            for word in islice(words, _MOST_WORDS)
        ),
        *((Term(kind="born", text=described.born[:4], weight=_YEAR),) if described.born else ()),
    )


def plain_number(value: str) -> str:
    """Return a number without what stands between its signs."""
    return "".join(sign for sign in value.upper() if sign.isalnum())


def _path(path: str) -> str:
    return "/".join(_R + step for step in path.split("/"))


def _text(element: Tree, path: str) -> str:
    found: str = element.findtext(_path(path)) or ""
    return found.strip()


def _all(element: Tree, path: str) -> Iterator[str]:
    for found in element.iterfind(_path(path)):
        if found.text:
            yield found.text.strip()


def _forms(person: Tree, path: str) -> Iterator[str]:
    for form in ("AsShown", "Latin"):
        yield from _all(person, f"{path}/{form}")


def _numbers(parent: Tree, name: str, *, value: str, state: str) -> frozenset[Number]:
    found = (
        Number(kind=_text(one, "Kind"), state=_text(one, state), value=plain_number(_text(one, value)))
        for one in parent.iterfind(_R + name)
    )
    return frozenset(number for number in found if len(number.value) >= _SHORTEST_NUMBER)
