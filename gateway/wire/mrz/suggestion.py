"""What a machine-readable zone says in the words of the canonical schema: for a form to start from, never to overwrite one."""

from datetime import date
from typing import Any

from gateway.wire.countries import ICAO, ICAO_ALSO_READ, ICAO_PROTECTED
from gateway.wire.mrz.dates import birth_date, expiry_date
from gateway.wire.mrz.reading import Mrz

_STATES: dict[str, str] = {code: state for state, code in ICAO.items()} | dict(ICAO_ALSO_READ)
_SEXES = {"M": "male", "F": "female", "X": "other", "<": "unknown"}
_KINDS = {"P": "passport", "V": "visa", "I": "identity-card", "A": "identity-card", "C": "identity-card"}


def state_of(code: str) -> str | None:
    """Return the state of an ICAO code (alpha-2, "stateless" or "unknown"); None for a code that names none of ours.

    Codes that say that somebody was granted protection name no state either: that may stand in no message.
    """
    return _STATES.get(code)


def is_protected(mrz: Mrz) -> bool:
    """Whether the zone says that the person was granted protection: a safeguard for the officer, never a field."""
    return mrz.fields.nationality in ICAO_PROTECTED


def suggested(mrz: Mrz, today: date) -> dict[str, Any]:
    """Return {"document": ..., "person": ...}; a value is None where the zone does not say it, or cannot be read so."""
    fields = mrz.fields
    birth, expiry = birth_date(fields.birth, today), expiry_date(fields.expiry, today)
    return {
        "document": {
            "Kind": _KINDS.get(fields.code[:1], "other"),
            "Number": fields.number or None,
            "IssuingState": state_of(fields.issuer),
            "ExpiryDate": expiry.reading,
        },
        "person": {
            "family": fields.primary or None,
            "given": fields.secondary or None,
            "Sex": _SEXES[fields.sex],
            "Birth/Date": birth.reading,
            "Birth/DateQuality": "unknown" if birth.reading is None else "exact" if len(birth.reading) > 7 else "partial",  # noqa: PLR2004 - a full date
            "Nationality": state_of(fields.nationality),
        },
    }
