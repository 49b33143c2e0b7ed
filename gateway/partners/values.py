"""Read typed values of a `Table`: dates, instants, whole numbers, words of a list; a refusal names file and key."""

from datetime import date, datetime
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.partners.fields import Table

Word = TypeVar("Word", bound=StrEnum)


def optional(table: Table, key: str) -> str:
    """Return a text, "" when the key is absent; an empty text that is written down is refused."""
    return table.text(key) if key in table.values else ""


def flag(table: Table, key: str) -> bool | None:
    """Return true or false, None when the key is absent."""
    value = table.values.get(key)
    if value is not None and not isinstance(value, bool):
        raise table.refuse(key, "is not true or false")
    return value


def word(table: Table, key: str, kind: type[Word], default: Word | None = None) -> Word:
    """Return one word of a closed list."""
    value = table.text(key, default)
    if value not in set(kind):
        raise table.refuse(key, f"is {value!r}, not one of {', '.join(kind)}")
    return kind(value)


def whole(table: Table, key: str) -> int:
    """Return a whole number of at least 1."""
    value = table.values.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise table.refuse(key, "is missing" if value is None else "is not a whole number of at least 1")
    return value


def day(table: Table, key: str) -> date:
    """Return a local date."""
    value = table.values.get(key)
    if not isinstance(value, date) or isinstance(value, datetime):
        raise table.refuse(key, "is missing" if value is None else "is not a date")
    return value


def instant(table: Table, key: str) -> datetime:
    """Return an aware instant."""
    value = table.values.get(key)
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise table.refuse(key, "is missing" if value is None else "is not an instant with its distance from UTC")
    return value


def zone(table: Table, key: str) -> str:
    """Return the name of an IANA time zone."""
    name = table.text(key)
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise table.refuse(key, f"is {name!r}, which is no IANA time zone") from error
    return name
