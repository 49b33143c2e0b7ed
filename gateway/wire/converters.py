"""Named converters: a value as a partner writes it, and the same value as the canonical message writes it.

Each works in both directions and refuses what it cannot read with `BadValue`; it never guesses and never repeats the
value in the error. Dates may be partial (year, year and month) in every form.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Any

from gateway.errors import BadValue
from gateway.wire.countries import ALPHA3, ALSO_READ

Read = Callable[[Any], str]
Write = Callable[[str], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Converter:
    """One way of writing a value. `read(write(canonical)) == canonical` for every canonical value it accepts."""

    name: str
    form: str  # what it looks like on the partner's side, for reports and documentation
    read: Read  # here -> canonical
    write: Write  # canonical -> here


def _text(value: Any, form: str) -> str:
    if not isinstance(value, str):
        raise BadValue(f"is not written as {form}")
    return value.strip()


def _real(iso: str, form: str) -> str:
    """Return `iso` (YYYY, YYYY-MM or YYYY-MM-DD) if there is such a day, month or year."""
    try:
        date.fromisoformat(iso + "-01-01"[len(iso) - 4 :] if len(iso) < 10 else iso)  # noqa: PLR2004 - full date
    except ValueError as error:
        raise BadValue(f"is no date of the calendar written as {form}") from error
    return iso


_ISO = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")


def _date(name: str, order: str, mark: str) -> Converter:
    """Return a date converter; `order` is "dmy", "mdy" or "ymd", a partial date leaves out day, or day and month."""
    words = {"d": "DD", "m": "MM", "y": "YYYY"}
    form = f"{mark.join(words[part] for part in order)} (or without day, or the year alone)"
    digits = {"d": "([0-9]{2})", "m": "([0-9]{2})", "y": "([0-9]{4})"}
    orders = [order, order.replace("d", ""), "y"]
    patterns = [(re.compile(re.escape(mark).join(digits[part] for part in parts)), parts) for parts in orders]

    def read(value: Any) -> str:
        text = _text(value, form)
        for pattern, parts in patterns:
            if match := pattern.fullmatch(text):
                found = dict(zip(parts, match.groups(), strict=True))
                return _real("-".join(found[part] for part in "ymd" if part in found), form)
        raise BadValue(f"is not written as {form}")

    def write(value: str) -> str:
        match = _ISO.fullmatch(value.strip())
        if match is None:
            raise BadValue("is not a canonical date")
        found = dict(zip("ymd", match.groups(), strict=True))
        return mark.join(part for key in order if (part := found[key]))

    return Converter(name=name, form=form, read=read, write=write)


_INSTANT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})")


def _read_instant(value: Any) -> str:
    """Turn an instant with Z or an offset into UTC; the fraction keeps its digits."""
    match = _INSTANT.fullmatch(_text(value, "an instant with its offset"))
    if match is None:
        raise BadValue("is not an instant with its offset (YYYY-MM-DDThh:mm:ss+hh:mm)")
    seconds, fraction, offset = match.groups()
    try:
        moment = datetime.fromisoformat(seconds + ("+00:00" if offset == "Z" else offset)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadValue("is no instant of the calendar") from error
    return f"{moment:%Y-%m-%dT%H:%M:%S}".rjust(19, "0") + (fraction or "") + "Z"


def _read_utc(value: Any) -> str:
    if not _text(value, "an instant in UTC").endswith("Z"):
        raise BadValue("is not an instant in UTC (YYYY-MM-DDThh:mm:ssZ)")
    return _read_instant(value)


def _write_offset(value: str) -> str:
    return _read_utc(value)[:-1] + "+00:00"


def _read_integer(value: Any) -> str:
    if type(value) is not int:
        raise BadValue("is not a whole number")
    return str(value)


def _write_integer(value: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", value.strip()):
        raise BadValue("is not a whole number")
    return int(value)


def _read_boolean(value: Any) -> str:
    if type(value) is not bool:
        raise BadValue("is not true or false")
    return "true" if value else "false"


def _write_boolean(value: str) -> bool:
    try:
        return {"true": True, "1": True, "false": False, "0": False}[value.strip()]
    except KeyError as error:
        raise BadValue("is not true or false") from error


def _read_cnic(value: Any) -> str:
    if not re.fullmatch(r"[0-9]{5}-[0-9]{7}-[0-9]", _text(value, "a CNIC")):
        raise BadValue("is not a CNIC written as 00000-0000000-0")
    return str(value).strip().replace("-", "")


def _write_cnic(value: str) -> str:
    digits = value.strip()
    if not re.fullmatch(r"[0-9]{13}", digits):
        raise BadValue("is not a CNIC of 13 digits")
    return f"{digits[:5]}-{digits[5:12]}-{digits[12]}"


def _read_grouped(value: Any) -> str:
    text = _text(value, "groups of four")
    joined = text.replace("-", "")
    if not re.fullmatch(r"[A-Z2-7]{16,32}", joined) or _group(joined) != text:
        raise BadValue("is not a case reference in groups of four")
    return joined


def _group(reference: str) -> str:
    return "-".join(reference[start : start + 4] for start in range(0, len(reference), 4))


def _write_grouped(value: str) -> str:
    reference = value.strip()
    if not re.fullmatch(r"[A-Z2-7]{16,32}", reference):
        raise BadValue("is not a case reference")
    return _group(reference)


_ALPHA2: dict[str, str] = {alpha3: alpha2 for alpha2, alpha3 in ALPHA3.items()} | dict(ALSO_READ)


def _read_alpha3(value: Any) -> str:
    try:
        return _ALPHA2[_text(value, "three letters")]
    except KeyError as error:
        raise BadValue("is not a state's code of three letters") from error


def _write_alpha3(value: str) -> str:
    try:
        return ALPHA3[value.strip()]
    except KeyError as error:
        raise BadValue("is not a state's code of two letters") from error


CONVERTERS: Mapping[str, Converter] = MappingProxyType(
    {
        converter.name: converter
        for converter in (
            _date("date-iso", "ymd", "-"),
            _date("date-dmy", "dmy", "."),
            _date("date-dmy-slash", "dmy", "/"),
            _date("date-dmy-dash", "dmy", "-"),
            _date("date-mdy", "mdy", "/"),
            _date("date-ymd-slash", "ymd", "/"),
            Converter(name="instant-iso", form="YYYY-MM-DDThh:mm:ssZ", read=_read_utc, write=_read_utc),
            Converter(name="instant-offset", form="YYYY-MM-DDThh:mm:ss+hh:mm", read=_read_instant, write=_write_offset),
            Converter(name="integer", form="a number", read=_read_integer, write=_write_integer),
            Converter(name="boolean", form="true or false", read=_read_boolean, write=_write_boolean),
            Converter(name="digits-cnic", form="00000-0000000-0", read=_read_cnic, write=_write_cnic),
            Converter(name="case-reference-grouped", form="AAAA-AAAA-AAAA-AAAA", read=_read_grouped, write=_write_grouped),
            Converter(name="country-alpha3", form="three letters, ISO 3166-1", read=_read_alpha3, write=_write_alpha3),
        )
    }
)
