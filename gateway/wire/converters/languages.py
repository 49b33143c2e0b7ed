"""Languages: a canonical code may have a script behind it ("sr-Cyrl"), which every form here keeps."""

from collections.abc import Mapping
from typing import Any

from gateway.errors import BadValue
from gateway.wire.converters.converter import Converter, exact, text_of
from gateway.wire.languages import BIBLIOGRAPHIC, TERMINOLOGY

_TWO, _THREE = 2, 3


def _lettered(name: str, form: str, codes: Mapping[str, str]) -> Converter:
    """Return the converter of a table; a code of three letters that the table has no short one for stays as it is."""
    back = {three: two for two, three in codes.items()}

    def read(value: Any) -> str:
        text = text_of(value, form)
        code, dash, script = text.partition("-")
        if len(code) != _THREE or not code.isascii() or not code.islower():
            raise BadValue(f"is not a language's code of {form}")
        return f"{back.get(code, code)}{dash}{script}"

    def write(value: str) -> str:
        code, dash, script = value.partition("-")
        if len(code) == _TWO and code not in codes:
            raise BadValue(f"has no code of {form}")
        return f"{codes.get(code, code)}{dash}{script}"

    return exact(name, form, ("bs", write("bs")), read, write)


def _read_upper(value: Any) -> str:
    code, dash, script = text_of(value, "capital letters").partition("-")
    if not code.isascii() or not code.isupper() or len(code) not in {_TWO, _THREE}:
        raise BadValue("is not a language's code in capital letters")
    return f"{code.lower()}{dash}{script}"


def _write_upper(value: str) -> str:
    code, dash, script = value.partition("-")
    return f"{code.upper()}{dash}{script}"


LANGUAGES = (
    _lettered("language-alpha3", "three letters, ISO 639-2/T and 639-3", TERMINOLOGY),
    _lettered("language-alpha3-b", "three letters, ISO 639-2/B", BIBLIOGRAPHIC),
    exact("language-upper", "the canonical code in capital letters", ("bs", "BS"), _read_upper, _write_upper),
)
