"""In which ways a name may be spelled: for search and for candidates. Never to overwrite, never to decide that two are one.

Letters are written by every way in use (ICAO, the languages' own Latin alphabets, English, German and French habits), one
way through a whole word; well-known names have their other spellings; articles, particles and patronymics may be missing.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from itertools import islice, product

from gateway.errors import LetterUnknown
from gateway.wire.names import arabic, armenian, cyrillic, georgian, latin
from gateway.wire.names.spellings import ARTICLES, BETWEEN, PATRONYMICS, SPELLINGS
from gateway.wire.names.transliterate import Letters, words

MOST = 256  # variants of one name: enough for any two or three words, and a bound for hostile ones
LONGEST = 12  # words that are looked at
_PER_WORD = 24
_ARTICLE = "\u0627\u0644"  # of Arabic, written with its noun
_SHORT = 4  # a word no longer than this may be all name

# Latin after Latin: the two letters that stand for one with a mark, read back to the plain one.
_FOLDS = (("AE", "A"), ("OE", "O"), ("UE", "U"), ("DJ", "D"))


def _tables() -> Iterator[Letters]:
    """Yield every way through a word; each script has its own ways, and a word has one script."""
    ways: tuple[tuple[tuple[Mapping[str, str], ...], Mapping[str, str], Mapping[str, str]], ...] = (
        (latin.SPELLINGS, latin.MRZ, {}),
        (cyrillic.SPELLINGS, cyrillic.MRZ, {}),
        (arabic.SPELLINGS, arabic.MRZ, arabic.READ_INITIAL),
        (georgian.SPELLINGS, georgian.MRZ, {}),
        (armenian.SPELLINGS, armenian.MRZ, armenian.INITIAL),
    )
    for spellings, table, initial in ways:
        for way in spellings:
            yield Letters(anywhere={**table, **way}, initial=initial, pairs=armenian.PAIRS)
    yield Letters(anywhere=cyrillic.MRZ_BY_LANGUAGE["uk"], initial=cyrillic.INITIAL_BY_LANGUAGE["uk"])
    yield Letters(anywhere=arabic.MRZ, final=arabic.FINAL)


_TABLES = tuple(_tables())


@lru_cache(maxsize=4096)
def _spellings(word: str) -> tuple[str, ...]:
    """Return how one word may be written with A-Z, the likeliest first."""
    written: list[str] = []
    for table in _TABLES:
        with suppress(LetterUnknown):
            written.append(table.written(word))
    if word.isascii() or word[0] in latin.MRZ:
        written += [spelling.replace(two, one) for spelling in list(written) for two, one in _FOLDS]
    known = [other for spelling in (_alike(word), *written) for other in SPELLINGS.get(spelling, ())]
    in_order = dict.fromkeys((*written[:1], *known, *written) if word.isascii() else (*known, *written))
    return tuple(spelling for spelling in in_order if spelling)[:_PER_WORD] or (word,)


def word_variants(word: str) -> frozenset[str]:
    """Return how one word of a name may be written with A-Z.

    A word with a letter that no table has stands for itself: it can be found by exactly that word.
    """
    return frozenset(spelling for each in words(word) for spelling in _spellings(each))


def _alike(word: str) -> str:
    """Return an Arabic word in the one spelling that the table of names has."""
    plain = "".join(
        arabic.ALIKE.get(letter, letter) for letter in word if letter in arabic.ALIKE or arabic.MRZ.get(letter) != ""
    )
    plain = plain.replace(arabic.SHADDA, "").replace("\u0626", "\u064a")
    return plain[:-1] + "\u0647" if plain.endswith("\u0629") else plain


@lru_cache(maxsize=2048)
def variants(name: str) -> frozenset[str]:
    """Return the ways in which a whole name may be spelled: words of A-Z with one space between them, in their order.

    At most `MOST`, and the same for the same name. The order of the words is the reader's business: names are written
    with the family name first or last. A word with a letter that no table has stays as it is.
    """
    given = words(name)[:LONGEST]
    if not given:
        return frozenset()
    found: set[str] = set()
    for line in _lines(given):
        each_word = max(2, int((MOST / 2) ** (1 / len(line))))
        spelled = product(*(_spellings(word)[:each_word] for word in line))
        found |= {" ".join(each) for each in islice(spelled, MOST - len(found))}
    return frozenset(found)


def _lines(given: list[str]) -> Iterator[list[str]]:
    """Yield the words as they stand, with the article joined, without it, without particles, without patronymic."""
    yield given
    seen = [given]
    for line in (_joined(given), _without(given, ARTICLES), _without(given, ARTICLES | BETWEEN), _without_patronymic(given)):
        if line and line not in seen:
            seen.append(line)
            yield line


def _joined(given: list[str]) -> list[str]:
    result: list[str] = []
    for word in given:
        if result and result[-1] in ARTICLES:
            result[-1] += word
        else:
            result.append(word)
    return result


def _without(given: list[str], left_out: frozenset[str]) -> list[str]:
    plain = [word.removeprefix(_ARTICLE) if len(word) > _SHORT else word for word in given]
    return [word for word in plain if word not in left_out]


def _without_patronymic(given: list[str]) -> list[str]:
    if len(given) < 3:  # noqa: PLR2004 - given name, patronymic, family name
        return given
    return given[:1] + [word for word in given[1:] if not _spellings(word)[0].endswith(PATRONYMICS)]


def tokens(name: str) -> frozenset[str]:
    """Return every word of a name in every spelling: what an index of keyed hashes would hold, and a search would ask for."""
    found: set[str] = set()
    for line in _lines(words(name)[:LONGEST]):
        for word in line:
            found.update(_spellings(word))
    return frozenset(found)
