"""What a command prints: one JSON document with --json, people's text without it."""

import json
import sys
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from unicodedata import category

from gateway.errors import GatewayError

if TYPE_CHECKING:
    from rich.console import Console

_OBEYED = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # categories of Unicode: control, format, surrogate, line and paragraph separator
_JOINERS = {"\u200c", "\u200d"}  # of the category Cf too, and needed to write Urdu and Persian


def console() -> "Console":
    """Return the console for people's text; colours and width follow the terminal, NO_COLOR is respected."""
    from rich.console import Console  # noqa: PLC0415  # a service that writes JSON prints no tables

    return Console(file=sys.stdout, highlight=False, soft_wrap=True)


def foreign(text: str) -> str:
    """Return text that came from outside as the console may print it: its own words, and nothing that a terminal obeys.

    Markup is escaped; what moves the cursor, changes colours or turns the direction of writing is written as its number.
    """
    from rich.markup import escape  # noqa: PLC0415  # see above

    return escape("".join(each if _harmless(each) else each.encode("unicode_escape").decode() for each in text))


def _harmless(sign: str) -> bool:
    return sign in _JOINERS or category(sign) not in _OBEYED


def _plain(value: Any) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"no JSON form for {type(value).__name__}")


def print_json(document: Any) -> None:
    """Print one JSON document, human-readable, in UTF-8."""
    print(json.dumps(document, ensure_ascii=False, indent=2, default=_plain))


def print_error(error: GatewayError, *, as_json: bool) -> None:
    """Print why a command ended. The JSON form is `{"error": {code, path, line, message}}`."""
    if as_json:
        print_json({"error": error.as_dict()})
        return
    from rich.markup import escape  # noqa: PLC0415  # see above

    place = ", ".join(
        part for part in (f"at {error.path}" if error.path else "", f"line {error.line}" if error.line else "") if part
    )
    console().print(f"[bold red]{error.code}[/]: {escape(error.message)}" + (f" ({escape(place)})" if place else ""))
