"""Cyrillic letters (ICAO 9303-3, section 6, table B), by language; Ь has no row there and is not written.

Two rows of the printed table have slipped, and are read as what they must mean: Ћ (U+040B) is printed as U+04BA, Ѓ
(U+0403) as U+0492. Without them neither the Serbian nor the Macedonian alphabet would be whole. Beside U+0402 Ђ the table
shows the glyph of Ћ.
"""

from collections.abc import Mapping
from types import MappingProxyType

_ALL = {
    "А": "A",
    "Б": "B",
    "В": "V",
    "Г": "G",
    "Д": "D",
    "Е": "E",
    "Ж": "ZH",
    "З": "Z",
    "И": "I",
    "Й": "I",
    "К": "K",
    "Л": "L",
    "М": "M",
    "Н": "N",
    "О": "O",
    "П": "P",
    "Р": "R",
    "С": "S",
    "Т": "T",
    "У": "U",
    "Ф": "F",
    "Х": "KH",
    "Ц": "TS",
    "Ч": "CH",
    "Ш": "SH",
    "Щ": "SHCH",
    "Ъ": "IE",
    "Ы": "Y",
    "Ь": "",
    "Э": "E",
    "Ю": "IU",
    "Я": "IA",
    "Ё": "E",
    "Ђ": "D",
    "Ѓ": "G",
    "Є": "IE",
    "Ѕ": "DZ",
    "І": "I",
    "Ї": "I",
    "Ј": "J",
    "Љ": "LJ",
    "Њ": "NJ",
    "Ћ": "C",
    "Ќ": "K",
    "Ў": "U",
    "Џ": "DZ",
    "Ѫ": "U",
    "Ѵ": "Y",
    "Ґ": "G",
    "Ғ": "G",
}

_SERBIAN = {"Г": "H", "Ж": "Z", "Х": "H", "Ц": "C", "Ч": "C", "Ш": "S"}

_EXCEPT: dict[str, dict[str, str]] = {
    "be": {"Г": "H", "Ё": "IO"},
    "bg": {"Щ": "SHT"},
    "mk": {"Ѓ": "GJ", "Ќ": "KJ", "Џ": "DJ", "Х": "H", "Ц": "C"},
    "sr": _SERBIAN,
    "bs": _SERBIAN,
    "cnr": _SERBIAN,
    "sh": _SERBIAN,
    "uk": {"Г": "H", "И": "Y"},
}

MRZ: Mapping[str, str] = MappingProxyType(_ALL)
MRZ_BY_LANGUAGE: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {language: MappingProxyType(_ALL | exceptions) for language, exceptions in _EXCEPT.items()}
)
INITIAL_BY_LANGUAGE: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {"uk": MappingProxyType({"Є": "YE", "Ї": "YI", "Й": "Y", "Ю": "YU", "Я": "YA"})}
)

# Ways in which people and authorities write the letters; each is one way through a whole word. The first five are those of
# the table; then the Latin alphabets of the same languages (ЂОРЂЕВИЋ is ĐORĐEVIĆ, on paper DJORDJEVIC), Bulgaria's law of
# 2009, Ukraine's resolution 55 of 2010, and the English and the German way with Russian names.
_SOUTH = {"Г": "G", "Ж": "Z", "Х": "H", "Ц": "C", "Ч": "C", "Ш": "S"}
_IOTATED = {"Ю": "YU", "Я": "YA", "Й": "Y"}
_BULGARIAN = _IOTATED | {"Х": "H", "Щ": "SHT", "Ъ": "A", "Ь": "Y"}
_UKRAINIAN = {"Г": "H", "И": "Y", "Й": "I", "Є": "IE"}
_ENGLISH = _IOTATED | {"Ё": "YO", "Ъ": ""}
_GERMAN = {
    "Ж": "SH",
    "Й": "J",
    "Х": "CH",
    "Ц": "Z",
    "Ч": "TSCH",
    "Ш": "SCH",
    "Щ": "SCHTSCH",
    "Ю": "JU",
    "Я": "JA",
    "Ъ": "",
    "В": "W",
}
SPELLINGS: tuple[Mapping[str, str], ...] = tuple(
    MappingProxyType(way)
    for way in (
        {},
        *_EXCEPT.values(),
        _SOUTH,
        _SOUTH | {"Ђ": "DJ", "Џ": "DZ", "Ѓ": "G", "Ќ": "K"},
        _SOUTH | {"Ђ": "DJ", "Ћ": "CH", "Ч": "CH", "Ш": "SH", "Ж": "ZH", "Џ": "DZH"},
        _BULGARIAN,
        _UKRAINIAN,
        _ENGLISH,
        _GERMAN,
    )
)
