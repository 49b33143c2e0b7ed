"""Telephone numbers of the international form (ITU-T E.123): "+387 33 123 456" in canonical messages.

Numbers that do not begin with "+" have no place in these forms and are refused: the country they belong to is a guess.
"""

import re
from collections.abc import Callable
from typing import Any

from gateway.errors import BadValue
from gateway.wire.converters.converter import Converter, exact, text_of

_INTERNATIONAL = re.compile(r"\+[1-9][0-9]*(?:[ /().-]{1,2}[0-9]+)*")
_EXAMPLE = "+387 33 123 456"


def _international(value: str) -> str:
    """Return a number with its "+". Raises `BadValue` for anything else."""
    if not _INTERNATIONAL.fullmatch(value):
        raise BadValue("is not a telephone number in the international form (+387 33 123 456)")
    return value


def _prefixed(name: str, form: str, prefix: str) -> Converter:
    """Return the converter that writes `prefix` where the canonical number has "+"; everything behind is kept."""

    def read(value: Any) -> str:
        text = text_of(value, form)
        if not text.startswith(prefix):
            raise BadValue(f"is not a telephone number written as {form}")
        return _international("+" + text.removeprefix(prefix))

    def write(value: str) -> str:
        return prefix + _international(value)[1:]

    return exact(name, form, (_EXAMPLE, write(_EXAMPLE)), read, write)


def _marked(
    name: str, form: str, there: Callable[[str], str], back: Callable[[str], str], example: str = _EXAMPLE
) -> Converter:
    """Return the converter that writes other marks; a number that would not come back is refused."""
    return exact(
        name,
        form,
        (example, there(example)),
        lambda value: _international(back(text_of(value, form))),
        lambda value: there(_international(value)),
    )


def _same(value: str) -> str:
    return value


TELEPHONES = (
    _prefixed("telephone-no-plus", "387 33 123 456", ""),
    _prefixed("telephone-00", "00387 33 123 456", "00"),
    _prefixed("telephone-uri", "tel:+387 33 123 456", "tel:+"),
    _marked("telephone-dashes", "+387-33-123-456", lambda v: v.replace(" ", "-"), lambda v: v.replace("-", " ")),
    _marked(
        "telephone-digits",
        "+38733123456 (a number with spaces is refused)",
        _same,
        lambda v: re.sub(r"[ /().-]", "", v),
        "+38733123456",
    ),
    _marked(
        "telephone-00-digits",
        "0038733123456 (a number with spaces is refused)",
        lambda v: "00" + v[1:],
        lambda v: "+" + re.sub(r"[ /().-]", "", v).removeprefix("00") if v.startswith("00") else "",
        "+38733123456",
    ),
)
