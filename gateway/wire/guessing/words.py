"""Names and values of a sample as plain words, so that "DateOfBirth", "date_of_birth" and "DATE-OF-BIRTH" are the same."""

import re
import unicodedata

_BREAKS = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")
_CAMEL = re.compile(r"([^\W_A-Z])([A-Z\u0400-\u042F])(?![\u0400-\u042F])|([A-Z])([A-Z][a-z])")
_PLAIN = str.maketrans({"đ": "d", "ß": "ss", "ł": "l", "\u0131": "i", "ø": "o", "æ": "ae", "œ": "oe", "þ": "th", "ə": "e"})
# Words that a name may have or leave out: "date of birth", "date de naissance".
_FILLERS = {
    "of",
    "the",
    "de",
    "des",
    "du",
    "la",
    "le",
    "di",
    "del",
    "della",
    "da",
    "do",
    "und",
    "i",
    "et",
    "y",
    "e",
    "der",
    "die",
    "das",
}


def words_of(name: str) -> str:
    """Return a name as words in lower case without accents, separated by blanks."""
    spaced = _CAMEL.sub(lambda found: f"{found[1] or found[3]} {found[2] or found[4]}", name)
    spaced = _BREAKS.sub(" ", spaced)
    plain = unicodedata.normalize("NFKD", spaced.lower().translate(_PLAIN))
    kept = "".join(sign if sign.isalnum() else " " for sign in plain if not unicodedata.combining(sign))
    return " ".join(kept.split())


def lean(words: str) -> str:
    """Return words without those that say nothing; all of them where nothing else would be left."""
    kept = [word for word in words.split() if word not in _FILLERS]
    return " ".join(kept) or words
