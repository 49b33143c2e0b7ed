"""Instants: in UTC, with an offset, as the clock on the wall of a named zone, as seconds since 1970.

A wall clock shows one hour twice when summer time ends and leaves one out when it begins: such a time is refused, in both
directions, because which instant is meant is a guess.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from gateway.errors import BadValue
from gateway.wire.converters.converter import Converter, exact, text_of

_INSTANT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})")
_EXAMPLE = "2026-06-01T08:15:00Z"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _canonical(moment: datetime, fraction: str = "") -> str:
    return moment.replace(tzinfo=None).isoformat(timespec="seconds") + fraction + "Z"


def _read_instant(value: Any) -> str:
    """Turn an instant with Z or an offset into UTC; the fraction keeps its digits."""
    match = _INSTANT.fullmatch(text_of(value, "an instant with its offset"))
    if match is None:
        raise BadValue("is not an instant with its offset (YYYY-MM-DDThh:mm:ss+hh:mm)")
    seconds, fraction, offset = match.groups()
    try:
        moment = datetime.fromisoformat(seconds + ("+00:00" if offset == "Z" else offset)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadValue("is no instant of the calendar") from error
    return _canonical(moment, fraction or "")


def _read_utc(value: Any) -> str:
    if not text_of(value, "an instant in UTC").endswith("Z"):
        raise BadValue("is not an instant in UTC (YYYY-MM-DDThh:mm:ssZ)")
    return _read_instant(value)


def _write_offset(value: str) -> str:
    return _read_utc(value)[:-1] + "+00:00"


def _moment(canonical: str) -> tuple[datetime, str]:
    """Return the second of a canonical instant, in UTC, and its fraction."""
    match = _INSTANT.fullmatch(_read_utc(canonical))
    assert match is not None, "read_utc gives nothing else"
    return datetime.fromisoformat(match[1] + "+00:00"), match[2] or ""


# --- seconds since 1970 ----------------------------------------------------------------------------------------------


def _read_epoch(per_second: int) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if type(value) is not int:
            raise BadValue("is not a whole number")
        seconds, rest = divmod(value, per_second)
        try:
            moment = _EPOCH + timedelta(seconds=seconds)
        except OverflowError as error:
            raise BadValue("is no instant of the calendar") from error
        return _canonical(moment, f".{rest:03}" if rest else "")

    return read


def _write_epoch(per_second: int) -> Callable[[str], int]:
    def write(value: str) -> int:
        moment, fraction = _moment(value)
        return (moment - _EPOCH) // timedelta(seconds=1) * per_second + int(fraction[1:].ljust(3, "0")[:3] or "0")

    return write


def _epoch(name: str, unit: str, per_second: int) -> tuple[Converter, Converter]:
    form = f"{unit} since 1970-01-01T00:00:00Z"
    number = exact(
        name, f"{form}, a number", (_EXAMPLE, 1780301700 * per_second), _read_epoch(per_second), _write_epoch(per_second)
    )

    def read(value: Any) -> str:
        if not re.fullmatch(r"0|-?[1-9][0-9]{0,17}", text := text_of(value, form)):
            raise BadValue(f"is not {form}")
        return number.read(int(text))

    return number, Converter(
        name=f"{name}-text",
        form=f"{form}, as text",
        example=(_EXAMPLE, str(1780301700 * per_second)),
        read=read,
        write=lambda value: str(number.write(value)),
    )


# --- the clock on the wall -------------------------------------------------------------------------------------------

# name: what it looks like, pattern with the groups y m d h min and s, how it is written
_WALLS = {
    "instant-local": (
        "YYYY-MM-DDThh:mm:ss",
        r"(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)T(?P<h>\d\d):(?P<n>\d\d):(?P<s>\d\d)",
        "{0:%Y-%m-%dT%H:%M:%S}",
    ),
    "instant-local-space": (
        "YYYY-MM-DD hh:mm:ss",
        r"(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d) (?P<h>\d\d):(?P<n>\d\d):(?P<s>\d\d)",
        "{0:%Y-%m-%d %H:%M:%S}",
    ),
    "instant-local-dmy": (
        "DD.MM.YYYY hh:mm:ss",
        r"(?P<d>\d\d)\.(?P<m>\d\d)\.(?P<y>\d{4}) (?P<h>\d\d):(?P<n>\d\d):(?P<s>\d\d)",
        "{0:%d.%m.%Y %H:%M:%S}",
    ),
    "instant-local-dmy-slash": (
        "DD/MM/YYYY hh:mm:ss",
        r"(?P<d>\d\d)/(?P<m>\d\d)/(?P<y>\d{4}) (?P<h>\d\d):(?P<n>\d\d):(?P<s>\d\d)",
        "{0:%d/%m/%Y %H:%M:%S}",
    ),
    "instant-local-dmy-minutes": (
        "DD.MM.YYYY hh:mm",
        r"(?P<d>\d\d)\.(?P<m>\d\d)\.(?P<y>\d{4}) (?P<h>\d\d):(?P<n>\d\d)",
        "{0:%d.%m.%Y %H:%M}",
    ),
    "instant-local-minutes": (
        "YYYY-MM-DDThh:mm",
        r"(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)T(?P<h>\d\d):(?P<n>\d\d)",
        "{0:%Y-%m-%dT%H:%M}",
    ),
}


def _once(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant at which the clocks of `zone` show `wall`. Raises `BadValue` if there are two, or none."""
    first, second = wall.replace(tzinfo=zone, fold=0), wall.replace(tzinfo=zone, fold=1)
    try:
        if first.utcoffset() != second.utcoffset():
            raise BadValue("is a time that the clocks of its zone show twice, or never: it names no one instant")
        return first.astimezone(UTC)
    except OverflowError as error:
        raise BadValue("is no instant of the calendar") from error


def local(name: str, zone: ZoneInfo) -> Converter | None:
    """Return the converter `name` ("instant-local-dmy") for the wall clock of one zone; None if there is no such form."""
    if name not in _WALLS:
        return None
    looks, pattern, template = _WALLS[name]
    form, matcher = f"{looks} by the clock of {zone.key}", re.compile(pattern, re.ASCII)

    def read(value: Any) -> str:
        match = matcher.fullmatch(text_of(value, form))
        if match is None:
            raise BadValue(f"is not written as {form}")
        found = {part: int(digits) for part, digits in match.groupdict().items()}
        try:
            wall = datetime(found["y"], found["m"], found["d"], found["h"], found["n"], found.get("s", 0))  # noqa: DTZ001 - a wall clock
        except ValueError as error:
            raise BadValue(f"is no time of the calendar written as {form}") from error
        return _canonical(_once(wall, zone))

    def write(value: str) -> str:
        moment, _ = _moment(value)
        try:
            return template.format(moment.astimezone(zone).replace(tzinfo=None))
        except OverflowError as error:
            raise BadValue("is no instant of the calendar") from error

    here = write(_EXAMPLE)
    return exact(f"{name}:{zone.key}", form, (_EXAMPLE, here), read, write)


LOCAL_FORMS = tuple(_WALLS)

INSTANTS = (
    Converter(name="instant-iso", form="YYYY-MM-DDThh:mm:ssZ", example=(_EXAMPLE, _EXAMPLE), read=_read_utc, write=_read_utc),
    Converter(
        name="instant-offset",
        form="YYYY-MM-DDThh:mm:ss+hh:mm",
        example=(_EXAMPLE, "2026-06-01T08:15:00+00:00"),
        read=_read_instant,
        write=_write_offset,
    ),
    *_epoch("epoch-seconds", "seconds", 1),
    *_epoch("epoch-millis", "milliseconds", 1000),
)
