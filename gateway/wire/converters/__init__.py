"""Named converters: dates of every order and calendar, instants, numbers, states, languages, telephones, names, addresses."""

from gateway.wire.converters.converter import Converter, GroupConverter, Member, Read, Values, Write
from gateway.wire.converters.registry import CONVERTERS, GROUP_CONVERTERS, converter_named

__all__ = [
    "CONVERTERS",
    "GROUP_CONVERTERS",
    "Converter",
    "GroupConverter",
    "Member",
    "Read",
    "Values",
    "Write",
    "converter_named",
]
