"""Load `partners/calendars/` into frozen calendars.

The files are written once by `scripts/freeze_calendars.py` and edited by people afterwards only through their version.
No holiday library is asked while the gateway runs.
"""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from types import MappingProxyType

from gateway.domain.calendars import Calendar, Kind, SpecialDay, Status
from gateway.errors import CalendarInvalid
from gateway.partners.fields import Table
from gateway.partners.values import day, optional, word, zone

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_KEYS = {"id", "version", "state", "zone", "weekend", "known_from", "known_until", "source", "note", "days"}
_DAY_KEYS = {"on", "name", "status", "kind", "source"}


def load_calendars(folder: Path) -> Mapping[str, Calendar]:
    """Read every calendar in `folder`, by id. Raises `CalendarInvalid` naming the file and the key."""
    if not folder.is_dir():
        raise CalendarInvalid(f"there is no folder of calendars {folder.name!r}")
    found = (load_calendar(path) for path in sorted(folder.glob("*.toml")))
    return MappingProxyType({calendar.id: calendar for calendar in found})


def load_calendar(path: Path) -> Calendar:
    """Read one calendar; its file is named after its id."""
    table = Table.read(path, f"calendars/{path.name}", CalendarInvalid)
    table.only(_KEYS)
    if table.text("id") != path.stem:
        raise table.refuse("id", f"is {table.text('id')!r}, but the file is {path.name!r}")
    known_from, known_until = day(table, "known_from"), day(table, "known_until")
    if known_from > known_until:
        raise table.refuse("known_until", "lies before known_from")
    days: dict[date, SpecialDay] = {}
    for entry in table.tables("days"):
        special = _special_day(entry)
        if special.on in days:
            raise entry.refuse("on", f"names {special.on} a second time")
        if not known_from <= special.on <= known_until:
            raise entry.refuse("on", f"is {special.on}, outside known_from and known_until")
        days[special.on] = special
    return Calendar(
        id=path.stem,
        version=_version(table),
        state=table.text("state"),
        zone=zone(table, "zone"),
        weekend=_weekend(table),
        days=MappingProxyType(days),
        known_from=known_from,
        known_until=known_until,
        source=table.text("source"),
        note=optional(table, "note"),
    )


def _version(table: Table) -> str:
    version = table.text("version")
    if len(version) > 19:  # noqa: PLR2004 - two versions and a sign between them fit the store's 40 characters
        raise table.refuse("version", "is longer than 19 characters")
    return version


def _weekend(table: Table) -> frozenset[int]:
    names = table.texts("weekend")
    for name in names:
        if name not in WEEKDAYS:
            raise table.refuse("weekend", f"names {name!r}, not one of {', '.join(WEEKDAYS)}")
    if set(names) == set(WEEKDAYS):
        raise table.refuse("weekend", "leaves no working day")
    return frozenset(WEEKDAYS.index(name) for name in names)


def _special_day(entry: Table) -> SpecialDay:
    entry.only(_DAY_KEYS)
    return SpecialDay(
        on=day(entry, "on"),
        name=entry.text("name"),
        status=word(entry, "status", Status),
        kind=word(entry, "kind", Kind, Kind.REST),
        source=optional(entry, "source"),
    )
