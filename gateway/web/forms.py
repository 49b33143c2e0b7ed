"""Reading a form: a bounded body, plain fields, and errors that name the field they belong to."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from fastapi import Request

from gateway.errors import BadValue, TooLarge

MAX_FORM_BYTES = 65_536
MAX_FIELDS = 100
LINE = 250  # characters, schema type `Line`
TEXT = 4000  # characters, schema type `Text`
# Directional overrides make a reader see another order than the one that is signed (schema types `Line` and `Text`).
_OVERRIDES = re.compile("[\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldError:
    """One thing to correct: the id of the field, and a sentence."""

    field: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """The fields of one submitted form."""

    values: Mapping[str, Sequence[str]]
    errors: list[FieldError] = field(default_factory=list)

    def one(self, name: str) -> str:
        """Return the first value of a field, without the space around it; "" when it is missing."""
        return (self.values.get(name) or [""])[0].strip()

    def many(self, name: str) -> tuple[str, ...]:
        """Return all values of a field, as given by checkboxes."""
        return tuple(self.values.get(name) or ())

    def wrong(self, name: str, text: str) -> None:
        """Note that a field is to be corrected."""
        self.errors.append(FieldError(field=name, text=text))

    def choice(self, name: str, allowed: Sequence[str], otherwise: str) -> str:
        """Return a value that must be one of `allowed`; notes `otherwise` as an error if it is not."""
        given = self.one(name)
        if given not in allowed:
            self.wrong(name, otherwise)
            return ""
        return given

    def line(self, name: str, label: str, *, required: bool = False) -> str | None:
        """Return one line of text, None when empty. It must be fit to be signed and read."""
        return self._written(name, label, most=LINE, required=required, line=True)

    def text(self, name: str, label: str, *, required: bool = False) -> str | None:
        """Return text of several lines, None when empty."""
        return self._written(name, label, most=TEXT, required=required, line=False)

    def _written(self, name: str, label: str, *, most: int, required: bool, line: bool) -> str | None:
        given = unicodedata.normalize("NFC", self.one(name).replace("\r\n", "\n"))
        if not given:
            if required:
                self.wrong(name, f"Enter {label}")
            return None
        if len(given) > most:
            self.wrong(name, f"{label[:1].upper()}{label[1:]} must be {most} characters or fewer")
        if _OVERRIDES.search(given) or any(
            unicodedata.category(sign) in {"Cc", "Cs"} and (line or sign not in "\n\t") for sign in given
        ):
            self.wrong(name, f"{label[:1].upper()}{label[1:]} contains invisible signs that are not allowed")
        return given


async def read_form(request: Request) -> Form:
    """Return the fields of a URL-encoded form. Raises `TooLarge` or `BadValue`."""
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise BadValue("this page takes a form")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_FORM_BYTES:
            raise TooLarge(f"a form is at most {MAX_FORM_BYTES} bytes")
    try:
        fields = parse_qs(
            body.decode("ascii"), keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=MAX_FIELDS
        )
    except (UnicodeDecodeError, ValueError) as error:
        raise BadValue("the form cannot be read") from error
    return Form(values=fields)
