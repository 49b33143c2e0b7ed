"""How far two descriptions may be of one person: a score from 0 to 100, and every reason for and against.

It is a hint for a human and decides nothing. The weights stand in one table; decision 0034 says where they come from and what
they do with pairs that look real (twins, fathers and sons, one name in two spellings).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from gateway.wire.described import Description, Number
from gateway.wire.names import variants, word_variants
from gateway.wire.names.transliterate import words

THRESHOLD = 50  # a pair below is not shown unless somebody asks for it

# Points of each reason; the name brings up to NAME_POINTS by how alike it is.
NAME_POINTS = 50
POINTS: Mapping[str, int] = {
    "name-same": NAME_POINTS,
    "name-alike": NAME_POINTS,
    "name-as-other-name": NAME_POINTS,
    "name-not-known": 0,
    "given-names-differ": -30,
    "name-words-differ": -20,
    "birth-same": 30,
    "birth-agrees-in-part": 15,
    "birth-day-and-month-swapped": 20,
    "birth-one-figure-differs": 15,
    "birth-near-an-estimate": 5,
    "birth-differs": -25,
    "sex-same": 5,
    "sex-differs": -25,
    "nationality-shared": 5,
    "document-number-same": 45,
    "identifier-same": 55,
    "identifier-differs": -30,
}
# What two cases with one number score at least: either they are one person, or a paper is not what it seems.
LEAST: Mapping[str, int] = {"document-number-same": 55, "identifier-same": 60}

REASONS: Mapping[str, str] = {
    "name-same": "the same name, in one of its spellings",
    "name-alike": "much of the name is alike",
    "name-as-other-name": "a name is given as another name in the other case",
    "name-not-known": "one of the names is not known",
    "given-names-differ": "the given names differ: they may be relatives or twins",
    "name-words-differ": "each name has a word that the other lacks",
    "birth-same": "the same date of birth",
    "birth-agrees-in-part": "the dates of birth agree as far as both are known",
    "birth-day-and-month-swapped": "the same date of birth with day and month swapped",
    "birth-one-figure-differs": "the dates of birth differ in one figure",
    "birth-near-an-estimate": "an estimated date of birth is near",
    "birth-differs": "the dates of birth differ",
    "sex-same": "the same sex",
    "sex-differs": "the sexes differ",
    "nationality-shared": "a nationality is the same",
    "document-number-same": "the same document number",
    "identifier-same": "the same personal number",
    "identifier-differs": "personal numbers of the same kind differ",
}

_ALIKE = 80  # how alike two words must be (0 to 100) to count as one
_NEAR_YEARS = 2
_MOST_NAMES = 8  # forms of names that are compared of each side


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One reason for or against."""

    code: str  # a key of POINTS and REASONS
    points: int

    @property
    def message(self) -> str:
        """Return the reason in words."""
        return REASONS[self.code]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resemblance:
    """How far two descriptions may be of one person."""

    score: int  # 0 to 100
    reasons: tuple[Reason, ...]


def resemblance(one: Description, other: Description) -> Resemblance:
    """Compare two descriptions; the order makes no difference."""
    reasons = (
        *_names(one, other),
        *_births(one, other),
        *_sexes(one, other),
        *([_reason("nationality-shared")] if one.nationalities & other.nationalities else []),
        *_numbers(one, other),
    )
    score = sum(reason.points for reason in reasons)
    least = max((LEAST.get(reason.code, 0) for reason in reasons), default=0)
    return Resemblance(score=min(100, max(0, least, score)), reasons=reasons)


def _reason(code: str) -> Reason:
    return Reason(code=code, points=POINTS[code])


@dataclass(frozen=True, slots=True)
class _NamePair:
    """How alike two names are."""

    alike: float  # 0 to 100
    conflict: bool  # each has a word that the other lacks


def _names(one: Description, other: Description) -> Iterator[Reason]:
    if not (one.names or one.other_names) or not (other.names or other.other_names):
        yield _reason("name-not-known")
        return
    main = _best(one.names, other.names)
    aside = _best(one.names, other.other_names), _best(one.other_names, other.names), _best(one.other_names, other.other_names)
    best = max((main, *aside), key=_worth)
    points = max(0, round((best.alike - 50) / 50 * NAME_POINTS))  # half of the words alike says nothing: family names
    if points and best is not main and _worth(best) > _worth(main):
        yield Reason(code="name-as-other-name", points=points)
        return
    if points:
        yield Reason(code="name-same" if best.alike >= 100 else "name-alike", points=points)  # noqa: PLR2004 - out of a hundred
    if main.conflict:
        yield _reason("given-names-differ" if _given_differ(one, other) else "name-words-differ")


def _worth(pair: _NamePair) -> float:
    return pair.alike + (POINTS["name-words-differ"] if pair.conflict else 0)


def _best(ones: tuple[str, ...], others: tuple[str, ...]) -> _NamePair:
    pairs = (_alike(*sorted(pair)) for pair in product(ones[:_MOST_NAMES], others[:_MOST_NAMES]))
    return max(pairs, key=_worth, default=_NamePair(0, conflict=False))


@lru_cache(maxsize=8192)
def _alike(one: str, other: str) -> _NamePair:
    """Compare two names word by word, whatever their order: twice what is alike by the number of words of both."""
    if _in_any_order(one) & _in_any_order(other):
        return _NamePair(100, conflict=False)
    mine, theirs = words(one), words(other)
    if not mine or not theirs:
        return _NamePair(0, conflict=False)
    pairs = sorted(((_word_alike(a, b), i, j) for i, a in enumerate(mine) for j, b in enumerate(theirs)), reverse=True)
    left, right, total = set(range(len(mine))), set(range(len(theirs))), 0.0
    for score, i, j in pairs:
        if score >= _ALIKE and i in left and j in right:
            left.remove(i)
            right.remove(j)
            total += score
    return _NamePair(2 * total / (len(mine) + len(theirs)), conflict=bool(left and right))


def _in_any_order(name: str) -> frozenset[str]:
    return frozenset(" ".join(sorted(spelled.split())) for spelled in variants(name))


@lru_cache(maxsize=16384)
def _word_alike(one: str, other: str) -> float:
    """Return how alike two words are in the two of their spellings that are nearest to each other, 0 to 100.

    A single letter is the initial of any word that begins with it, for a little less than the word itself.
    """
    mine, theirs = word_variants(one), word_variants(other)
    if mine & theirs:
        return 100
    if 1 in {len(one), len(other)}:
        return _ALIKE if one[0] == other[0] else 0
    from rapidfuzz import fuzz, process  # noqa: PLC0415  # 3 MB, for words that were not compared before

    found = (process.extractOne(spelled, theirs, scorer=fuzz.ratio) for spelled in mine)
    return max(score for _, score, _ in found)


def _given_differ(one: Description, other: Description) -> bool:
    """Whether both sides say which words are given names, and no two of them are alike."""
    if not one.given or not other.given:
        return False
    mine, theirs = words(" ".join(one.given)), words(" ".join(other.given))
    return all(_word_alike(a, b) < _ALIKE for a, b in product(mine, theirs))


def _births(one: Description, other: Description) -> Iterator[Reason]:
    if one.born is None or other.born is None:
        return
    short, long = sorted((one.born, other.born), key=len)
    if short == long and len(long) == len("2000-01-01"):
        yield _reason("birth-same")
    elif long.startswith(short):
        yield _reason("birth-agrees-in-part")
    elif long[:4] == short[:4] and long[5:7] == short[8:10] and long[8:10] == short[5:7]:
        yield _reason("birth-day-and-month-swapped")
    elif not (one.birth_certain and other.birth_certain) and abs(int(short[:4]) - int(long[:4])) <= _NEAR_YEARS:
        yield _reason("birth-near-an-estimate")
    elif len(short) == len(long) == len("2000-01-01") and sum(a != b for a, b in zip(short, long, strict=True)) == 1:
        yield _reason("birth-one-figure-differs")
    else:
        yield _reason("birth-differs")


def _sexes(one: Description, other: Description) -> Iterator[Reason]:
    if one.sex and other.sex:
        yield _reason("sex-same" if one.sex == other.sex else "sex-differs")


def _numbers(one: Description, other: Description) -> Iterator[Reason]:
    """One number may stand among the documents here and among the personal numbers there: identity cards carry it."""
    if _values(one.identifiers) & _values(other.identifiers):
        yield _reason("identifier-same")
    elif _values(one.identifiers | one.documents) & _values(other.identifiers | other.documents):
        yield _reason("document-number-same")
    if _identifiers_differ(one.identifiers, other.identifiers):
        yield _reason("identifier-differs")


def _values(numbers: frozenset[Number]) -> set[tuple[str, str]]:
    return {(number.state, number.value) for number in numbers}


def _identifiers_differ(mine: frozenset[Number], theirs: frozenset[Number]) -> bool:
    """Whether both have personal numbers of one kind and state, none of which is the same."""
    kinds = {(number.kind, number.state) for number in mine} & {(number.kind, number.state) for number in theirs}
    return any(
        not {n.value for n in mine if (n.kind, n.state) == kind} & {n.value for n in theirs if (n.kind, n.state) == kind}
        for kind in kinds
    )
