"""Armenian letters: the system of BGN/PCGN (1981) without its apostrophes, as passports have them. ICAO has no table."""

from collections.abc import Mapping
from types import MappingProxyType

_LETTERS = (
    "Ա:A Բ:B Գ:G Դ:D Ե:E Զ:Z Է:E Ը:Y Թ:T Ժ:ZH Ի:I Լ:L Խ:KH Ծ:TS Կ:K Հ:H Ձ:DZ Ղ:GH Ճ:CH Մ:M Յ:Y Ն:N Շ:SH Ո:O Չ:CH Պ:P Ջ:J "
    "Ռ:R Ս:S Վ:V Տ:T Ր:R Ց:TS Ւ:V Փ:P Ք:K Օ:O Ֆ:F"
)

MRZ: Mapping[str, str] = MappingProxyType(
    {letter: latin for letter, _, latin in (pair.partition(":") for pair in _LETTERS.split())} | {"և": "EV"}
)
INITIAL: Mapping[str, str] = MappingProxyType({"Ե": "YE", "Ո": "VO", "և": "YEV"})
PAIRS: Mapping[str, str] = MappingProxyType({"ՈՒ": "U", "ԵՒ": "EV"})  # written with two letters, one sound
SPELLINGS: tuple[Mapping[str, str], ...] = (
    MappingProxyType({}),
    MappingProxyType({"Ղ": "G", "Ը": "E", "Ծ": "DZ", "Ճ": "J"}),  # western
)
