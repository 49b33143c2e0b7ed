"""Latin letters with marks (ICAO 9303-3, section 6, table A). Where several results are allowed, the first is the default.

Not in the table, and from national practice: Ə of Azerbaijani (A in passports), ß in small letters as SS. Any other letter
with a mark is its plain letter.
"""

from collections.abc import Mapping
from types import MappingProxyType

_ONE = (
    ("A", "ÀÁÂÃĀĂĄ"),
    ("AE", "Æ"),
    ("C", "ÇĆĈĊČ"),
    ("D", "ÐĎĐ"),
    ("E", "ÈÉÊËĒĔĖĘĚ"),
    ("G", "ĜĞĠĢ"),
    ("H", "ĤĦ"),
    ("I", "ÌÍÎÏĨĪĬĮİı"),
    ("IJ", "Ĳ"),
    ("J", "Ĵ"),
    ("K", "Ķ"),
    ("L", "ĹĻĽĿŁ"),
    ("N", "ŃŅŇŊ"),
    ("O", "ÒÓÔÕŌŎŐ"),
    ("OE", "ØŒ"),
    ("R", "ŔŖŘ"),
    ("S", "ŚŜŞŠ"),
    ("SS", "ẞß"),
    ("T", "ŢŤŦ"),
    ("TH", "Þ"),
    ("U", "ÙÚÛŨŪŬŮŰŲ"),
    ("W", "Ŵ"),
    ("Y", "ÝŶŸ"),
    ("Z", "ŹŻŽ"),
)

SEVERAL: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"Ä": ("AE", "A"), "Å": ("AA", "A"), "Ñ": ("N", "NXX"), "Ö": ("OE", "O"), "Ü": ("UE", "UXX", "U")}
)

MRZ: Mapping[str, str] = MappingProxyType(
    {letter: letter for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
    | {letter: result for result, letters in _ONE for letter in letters}
    | {letter: results[0] for letter, results in SEVERAL.items()}
    | {"Ə": "A"}
)

# Ways in which people and authorities write the letters; each is one way through a whole word.
SPELLINGS: tuple[Mapping[str, str], ...] = (
    MappingProxyType({}),
    MappingProxyType({"Ä": "A", "Å": "A", "Ö": "O", "Ü": "U", "Ø": "O", "Æ": "A", "Ə": "E", "ẞ": "S"}),
    MappingProxyType({"Ü": "UXX", "Ñ": "NXX"}),
    MappingProxyType({"Đ": "DJ", "Ð": "DH"}),
    MappingProxyType({"Đ": "DJ", "Č": "CH", "Ć": "CH", "Ç": "CH", "Š": "SH", "Ş": "SH", "Ž": "ZH", "Ğ": "GH"}),
)
