"""The machine-readable zone of travel documents, visas and cards (ICAO Doc 9303, eighth edition, parts 3 to 7)."""

from gateway.wire.mrz.comparing import Compared, compare
from gateway.wire.mrz.dates import RULES, MrzDate, birth_date, expiry_date
from gateway.wire.mrz.layout import LAYOUTS, Fields
from gateway.wire.mrz.reading import Check, Mrz, read_mrz
from gateway.wire.mrz.suggestion import is_protected, state_of, suggested
from gateway.wire.mrz.writing import write_mrz

__all__ = [
    "LAYOUTS",
    "RULES",
    "Check",
    "Compared",
    "Fields",
    "Mrz",
    "MrzDate",
    "birth_date",
    "compare",
    "expiry_date",
    "is_protected",
    "read_mrz",
    "state_of",
    "suggested",
    "write_mrz",
]
