"""Letters to A-Z, as a machine-readable zone has them (ICAO 9303-3, section 6). Never to overwrite what a document shows."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from gateway.errors import LetterUnknown
from gateway.wire.names import arabic, armenian, cyrillic, georgian, latin

FILLER = "<"
_BETWEEN = frozenset(" -\u2010\u2011\u2012\u2013/\u00a0\u200c")  # a hyphen becomes a filler; U+200C parts words in Persian
_NOTHING = frozenset("'`\u00b4\u2018\u2019\u02bb\u02bc\u055a.,\u200d")  # an apostrophe is left out, and so is a full stop


@dataclass(frozen=True, slots=True, kw_only=True)
class Letters:
    """How letters are written in Latin: anywhere, at the beginning and at the end of a word, and as a pair."""

    anywhere: Mapping[str, str]
    initial: Mapping[str, str] = field(default_factory=dict)
    final: Mapping[str, str] = field(default_factory=dict)
    pairs: Mapping[str, str] = field(default_factory=dict)

    def written(self, word: str) -> str:
        """Return the word in A-Z. Raises `LetterUnknown`; the error does not repeat the letter."""
        result: list[str] = []
        place = 0
        while place < len(word):
            pair = word[place : place + 2]
            if pair in self.pairs:
                result.append(self.pairs[pair])
                place += 2
                continue
            result.append(self._letter(word, place, result))
            place += 1
        return "".join(result)

    def _letter(self, word: str, place: int, before: list[str]) -> str:
        letter = word[place]
        if letter == arabic.SHADDA:
            written = [each for each in before if each]  # a vowel mark may stand between the letter and its shadda
            return written[-1].lstrip("X") if written else ""  # the table's note: the sequence is repeated, its X is not
        if place == 0 and letter in self.initial:
            return self.initial[letter]
        if place == len(word) - 1 and letter in self.final:
            return self.final[letter]
        found = self.anywhere.get(letter)
        return self._plain(letter) if found is None else found

    def _plain(self, letter: str) -> str:
        """Return what a letter is without its marks, which no table has: the acute of Montenegrin С́, the comma of Ș."""
        if unicodedata.category(letter) == "Mn" and not unicodedata.name(letter, "").startswith("ARABIC"):
            return ""
        plain = [part for part in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(part)]
        if plain == [letter] or any(part not in self.anywhere for part in plain):
            raise LetterUnknown("a letter of this name is in no table of transliteration")
        return "".join(self.anywhere[part] for part in plain)


@lru_cache(maxsize=64)
def _table(language: str) -> Letters:
    return Letters(
        anywhere={
            **latin.MRZ,
            **cyrillic.MRZ_BY_LANGUAGE.get(language, cyrillic.MRZ),
            **arabic.MRZ,
            **georgian.MRZ,
            **armenian.MRZ,
        },
        initial={**cyrillic.INITIAL_BY_LANGUAGE.get(language, {}), **armenian.INITIAL},
        final=arabic.FINAL,
        pairs=armenian.PAIRS,
    )


def words(text: str) -> list[str]:
    """Return the words of a name in capital letters, without apostrophes and full stops."""
    whole = unicodedata.normalize("NFC", text).upper()
    # what upper() makes of the small ligature of Armenian are its two letters, which mean the same
    parted = "".join(" " if letter in _BETWEEN else "" if letter in _NOTHING else letter for letter in whole)
    return parted.split()


def mrz(text: str, language: str = "") -> str:
    """Return a name as the machine-readable zone has it: A-Z, "<" between words.

    `language` is a language or a script as canonical messages write them ("sr", "uk", "sr-Cyrl", "Cyrl"); only the
    Cyrillic table differs by language, and without one its general column is taken. Where the table allows several
    results, this is the first of them; `variants` has the others.

    Raises `LetterUnknown` for a letter that is in no table, and for a figure: nothing is left out in silence.
    """
    table = _table(language.partition("-")[0].lower())
    return FILLER.join(written for word in words(text) if (written := table.written(word)))
