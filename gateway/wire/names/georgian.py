"""Georgian letters: the national system of Georgia (2002) without its apostrophes, as in passports. ICAO has no table."""

from collections.abc import Mapping
from types import MappingProxyType

_LETTERS = (
    "ა:A ბ:B გ:G დ:D ე:E ვ:V ზ:Z თ:T ი:I კ:K ლ:L მ:M ნ:N ო:O პ:P ჟ:ZH რ:R ს:S ტ:T უ:U ფ:P ქ:K ღ:GH ყ:Q შ:SH ჩ:CH ც:TS "
    "ძ:DZ წ:TS ჭ:CH ხ:KH ჯ:J ჰ:H"
)
_SMALL = {letter: latin for letter, _, latin in (pair.partition(":") for pair in _LETTERS.split())}


def _both(letters: Mapping[str, str]) -> Mapping[str, str]:
    """Return the table with the capital letters, which stand in a block of their own (Mtavruli)."""
    return MappingProxyType(dict(letters) | {letter.upper(): latin for letter, latin in letters.items()})


MRZ: Mapping[str, str] = _both(_SMALL)
SPELLINGS: tuple[Mapping[str, str], ...] = (_both({}), _both({"ყ": "K", "ფ": "PH"}))
