"""Scripts: which one a name is written in (ISO 15924)."""

import unicodedata
from functools import lru_cache

_CODES = {
    "ARABIC": "Arab",
    "ARMENIAN": "Armn",
    "BENGALI": "Beng",
    "CJK": "Hani",
    "CYRILLIC": "Cyrl",
    "DEVANAGARI": "Deva",
    "ETHIOPIC": "Ethi",
    "GEORGIAN": "Geor",
    "GREEK": "Grek",
    "GUJARATI": "Gujr",
    "GURMUKHI": "Guru",
    "HANGUL": "Hang",
    "HEBREW": "Hebr",
    "KHMER": "Khmr",
    "LAO": "Laoo",
    "LATIN": "Latn",
    "MYANMAR": "Mymr",
    "SINHALA": "Sinh",
    "SYRIAC": "Syrc",
    "TAMIL": "Taml",
    "TELUGU": "Telu",
    "THAANA": "Thaa",
    "THAI": "Thai",
    "TIBETAN": "Tibt",
    "TIFINAGH": "Tfng",
}


@lru_cache(maxsize=4096)
def _script_of_letter(letter: str) -> str | None:
    if not unicodedata.category(letter).startswith("L"):
        return None
    return _CODES.get(unicodedata.name(letter, "?").partition(" ")[0], "?")


def script_of(text: str) -> str | None:
    """Return the script of the letters of `text`; None if there are no letters, if they are mixed, or of a script not known."""
    found = {script for letter in text if (script := _script_of_letter(letter)) is not None}
    return found.pop() if len(found) == 1 and "?" not in found else None
