"""Every named converter, by name. docs/values.md holds them as a table; a test compares."""

from collections.abc import Mapping
from types import MappingProxyType
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.wire.converters.addresses import ADDRESSES
from gateway.wire.converters.calendars import CALENDARS
from gateway.wire.converters.converter import Converter, GroupConverter
from gateway.wire.converters.countries import COUNTRIES
from gateway.wire.converters.dates import DATES
from gateway.wire.converters.documents import DOCUMENTS
from gateway.wire.converters.fields import FIELDS
from gateway.wire.converters.instants import INSTANTS, LOCAL_FORMS, local
from gateway.wire.converters.languages import LANGUAGES
from gateway.wire.converters.months import MONTHS
from gateway.wire.converters.name_fields import NAME_FIELDS
from gateway.wire.converters.names import NAMES
from gateway.wire.converters.numbers import NUMBERS
from gateway.wire.converters.telephones import TELEPHONES

_SAMPLE_ZONE = ZoneInfo("Europe/Sarajevo")


def _by_name(*groups: tuple[Converter, ...]) -> Mapping[str, Converter]:
    found: dict[str, Converter] = {}
    for converter in (each for group in groups for each in group):
        assert converter.name not in found, converter.name
        found[converter.name] = converter
    return MappingProxyType(found)


CONVERTERS = _by_name(DATES, MONTHS, CALENDARS, INSTANTS, NUMBERS, COUNTRIES, LANGUAGES, TELEPHONES, DOCUMENTS)
GROUP_CONVERTERS: Mapping[str, GroupConverter] = MappingProxyType(
    {each.name: each for each in (*NAMES, *NAME_FIELDS, *ADDRESSES, *FIELDS)}
)


def converter_named(name: str) -> Converter | None:
    """Return the converter of one value that a mapping row names, or None.

    "instant-local-dmy:Europe/Sarajevo" is the wall clock of any zone of the time zone database.
    """
    if name in CONVERTERS:
        return CONVERTERS[name]
    form, colon, key = name.partition(":")
    if not colon:
        return None
    try:
        return local(form, ZoneInfo(key))
    except (ZoneInfoNotFoundError, ValueError, OSError):  # ValueError: a key that would leave the database's folder
        return None


def zoned_samples() -> tuple[Converter, ...]:
    """Return each form of a wall clock for one zone, for documentation and tests."""
    return tuple(found for form in LOCAL_FORMS if (found := local(form, _SAMPLE_ZONE)) is not None)
