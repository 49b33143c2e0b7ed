"""Letters of the Arabic script (ICAO 9303-3, section 6, table C): Arabic, Persian, Urdu, Pashto.

The machine-readable form can be turned back into the letters: where the Latin letters do not suffice, X opens a sequence.
It is no spelling that a person would use, and what a state prints as Latin beside the name is another thing.
"""

from collections.abc import Mapping
from types import MappingProxyType

MRZ: Mapping[str, str] = MappingProxyType(
    {
        "\u0621": "XE",  # hamza
        "\u0622": "XAA",  # alef with madda above
        "\u0623": "XAE",  # alef with hamza above
        "\u0624": "U",  # waw with hamza above
        "\u0625": "I",  # alef with hamza below
        "\u0626": "XI",  # yeh with hamza above
        "\u0627": "A",  # alef
        "\u0628": "B",  # beh
        "\u0629": "XTA",  # teh marbuta, but at the end of a word
        "\u062a": "T",  # teh
        "\u062b": "XTH",  # theh
        "\u062c": "J",  # jeem
        "\u062d": "XH",  # hah
        "\u062e": "XKH",  # khah
        "\u062f": "D",  # dal
        "\u0630": "XDH",  # thal
        "\u0631": "R",  # reh
        "\u0632": "Z",  # zain
        "\u0633": "S",  # seen
        "\u0634": "XSH",  # sheen
        "\u0635": "XSS",  # sad
        "\u0636": "XDZ",  # dad
        "\u0637": "XTT",  # tah
        "\u0638": "XZZ",  # zah
        "\u0639": "E",  # ain
        "\u063a": "G",  # ghain
        "\u0640": "",  # tatweel
        "\u0641": "F",  # feh
        "\u0642": "Q",  # qaf
        "\u0643": "K",  # kaf
        "\u0644": "L",  # lam
        "\u0645": "M",  # meem
        "\u0646": "N",  # noon
        "\u0647": "H",  # heh
        "\u0648": "W",  # waw
        "\u0649": "XAY",  # alef maksura
        "\u064a": "Y",  # yeh
        "\u064b": "",  # fathatan
        "\u064c": "",  # dammatan
        "\u064d": "",  # kasratan
        "\u064e": "",  # fatha
        "\u064f": "",  # damma
        "\u0650": "",  # kasra
        "\u0652": "",  # sukun
        "\u0670": "",  # superscript alef
        "\u0671": "XXA",  # alef wasla
        "\u0679": "XXT",  # tteh
        "\u067c": "XRT",  # teh with ring
        "\u067e": "P",  # peh
        "\u0681": "XKE",  # hah with hamza above
        "\u0685": "XXH",  # hah with three dots above
        "\u0686": "XC",  # tcheh
        "\u0688": "XXD",  # ddal
        "\u0689": "XDR",  # dal with ring
        "\u0691": "XXR",  # rreh
        "\u0693": "XRR",  # reh with ring
        "\u0696": "XRX",  # reh with dot below and dot above
        "\u0698": "XJ",  # jeh
        "\u069a": "XXS",  # seen with dot below and dot above
        "\u069c": "",  # seen with three dots below and above
        "\u06a2": "",  # feh with dot moved below
        "\u06a7": "",  # qaf with dot above
        "\u06a8": "",  # qaf with three dots above
        "\u06a9": "XKK",  # keheh
        "\u06ab": "XXK",  # kaf with ring
        "\u06ad": "XNG",  # ng
        "\u06af": "XGG",  # gaf
        "\u06ba": "XNN",  # noon ghunna
        "\u06bc": "XXN",  # noon with ring
        "\u06be": "XDO",  # heh doachashmee
        "\u06c0": "XYH",  # heh with yeh above
        "\u06c1": "XXG",  # heh goal
        "\u06c2": "XGE",  # heh goal with hamza above
        "\u06c3": "XTG",  # teh marbuta goal
        "\u06cc": "XYA",  # farsi yeh
        "\u06cd": "XXY",  # yeh with tail
        "\u06d0": "Y",  # yeh (Pashto e)
        "\u06d2": "XYB",  # yeh barree
        "\u06d3": "XBE",  # yeh barree with hamza above
    }
)
FINAL: Mapping[str, str] = MappingProxyType({"\u0629": "XAH"})
SHADDA = "\u0651"  # the letter before it is written twice

# How people write the letters in Latin. Short vowels are not in the script: nobody can add them, and nothing here does.
_READ = {
    "\u0621": "",
    "\u0622": "A",
    "\u0623": "A",
    "\u0624": "U",
    "\u0625": "I",
    "\u0626": "I",
    "\u0629": "A",
    "\u062b": "TH",
    "\u062d": "H",
    "\u062e": "KH",
    "\u0630": "DH",
    "\u0634": "SH",
    "\u0635": "S",
    "\u0636": "D",
    "\u0637": "T",
    "\u0638": "Z",
    "\u0639": "A",
    "\u063a": "GH",
    "\u0648": "U",
    "\u0649": "A",
    "\u064a": "I",
    "\u0671": "A",
    "\u0679": "T",
    "\u067c": "T",
    "\u0681": "DZ",
    "\u0685": "TS",
    "\u0686": "CH",
    "\u0688": "D",
    "\u0689": "D",
    "\u0691": "R",
    "\u0693": "R",
    "\u0696": "ZH",
    "\u0698": "ZH",
    "\u069a": "SH",
    "\u06a9": "K",
    "\u06ab": "G",
    "\u06ad": "NG",
    "\u06af": "G",
    "\u06ba": "N",
    "\u06bc": "N",
    "\u06be": "H",
    "\u06c0": "H",
    "\u06c1": "H",
    "\u06c2": "H",
    "\u06c3": "A",
    "\u06cc": "I",
    "\u06cd": "I",
    "\u06d0": "E",
    "\u06d2": "E",
    "\u06d3": "E",
}
READ_INITIAL: Mapping[str, str] = MappingProxyType({"\u0648": "W", "\u064a": "Y", "\u06cc": "Y"})
SPELLINGS: tuple[Mapping[str, str], ...] = tuple(
    MappingProxyType(way)
    for way in (
        _READ,
        _READ | {"\u062b": "S", "\u0630": "Z", "\u0636": "Z", "\u0648": "V"},  # Persian and Urdu
        _READ | {"\u0648": "OU", "\u0634": "CH", "\u0642": "K"},  # French, in the Maghreb
        _READ | {"\u0648": "O", "\u064a": "EE", "\u0642": "K"},
    )
)

# Letters that look the same and are typed for each other, in every layout.
ALIKE: Mapping[str, str] = MappingProxyType(
    {
        "\u06cc": "\u064a",
        "\u0649": "\u064a",
        "\u06a9": "\u0643",
        "\u06c1": "\u0647",
        "\u0623": "\u0627",
        "\u0625": "\u0627",
        "\u0622": "\u0627",
    }
)
