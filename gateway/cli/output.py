"""What a command prints: one JSON document with --json, people's text without it."""

import json
import sys
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from gateway.errors import GatewayError

if TYPE_CHECKING:
    from rich.console import Console


def console() -> "Console":
    """Return the console for people's text; colours and width follow the terminal, NO_COLOR is respected."""
    from rich.console import Console  # noqa: PLC0415  # a service that writes JSON prints no tables

    return Console(file=sys.stdout, highlight=False, soft_wrap=True)


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
