"""Code lists as functions, one for each direction."""

from typing import Any

from gateway.errors import UnmappedCode
from gateway.partners import CodeList
from gateway.wire.converters import Read, Write


def code_reader(codes: CodeList) -> Read:
    """Return here -> canonical; a retired code still reads."""
    known = {here: canonical for canonical, here in codes.codes.items()} | dict(codes.also_read)

    def read(value: Any) -> str:
        try:
            return known[value.strip()]
        except (KeyError, AttributeError):
            raise UnmappedCode(
                f"the code is not in the list {codes.name!r}, version {codes.version}"
            ) from None  # the cause quotes the value

    return read


def code_writer(codes: CodeList) -> Write:
    """Return canonical -> here."""
    known = dict(codes.codes)
    if set(known) == {"true", "false"}:  # the two other spellings that xs:boolean allows
        known |= {"1": known["true"], "0": known["false"]}

    def write(value: str) -> str:
        try:
            return known[value.strip()]
        except KeyError:
            raise UnmappedCode(
                f"the list {codes.name!r}, version {codes.version}, has no code for this value"
            ) from None  # the cause quotes the value

    return write
