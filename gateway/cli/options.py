"""Options that every command shares, spelled once."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

RowOption: TypeAlias = Annotated[
    int | None, typer.Option("--row", min=1, help="Which message of a table with several (CSV, XLSX, lines), from 1.")
]
JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="One JSON document on standard output, nothing else.")]
ConfigOption: TypeAlias = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="Settings file (TOML). Default: gateway.toml if there is one.")
]
PartnersOption: TypeAlias = Annotated[
    Path | None, typer.Option("--partners", metavar="DIR", help="Partner folders to use instead of the installed ones.")
]
AtOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--at", metavar="INSTANT", help="Judge as of this instant, e.g. 2026-11-24T12:00:00Z. Default: now."),
]


def instant_of(text: str | None, option: str) -> datetime:
    """Return the instant that was given for an option, now if none was. Raises `typer.BadParameter`."""
    if text is None:
        return datetime.now(UTC)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{option} is not an instant like 2026-11-24T12:00:00Z") from error
    if instant.tzinfo is None:
        raise typer.BadParameter(f"{option} needs a zone: end it with Z for UTC, or with an offset like +01:00")
    try:
        return instant.astimezone(UTC)
    except OverflowError as error:
        raise typer.BadParameter(f"{option} lies outside the years that can be counted") from error
