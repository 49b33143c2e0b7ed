"""Options that every command shares, spelled once."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="One JSON document on standard output, nothing else.")]
ConfigOption: TypeAlias = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="Settings file (TOML). Default: gateway.toml if there is one.")
]
PartnersOption: TypeAlias = Annotated[
    Path | None, typer.Option("--partners", metavar="DIR", help="Partner folders to use instead of the installed ones.")
]
