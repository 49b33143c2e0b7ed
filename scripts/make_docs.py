"""Make the documents that come from the code: docs/openapi.json and docs/commands.md. Running it again leaves no diff."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperArgument, TyperGroup, TyperOption

from gateway.cli.main import build
from gateway.web.api import openapi_document

DOCS = Path(__file__).resolve().parent.parent / "docs"


def _commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(command, TyperGroup):
        for name in sorted(command.commands):
            yield from _commands(command.commands[name], f"{path} {name}")
    else:
        yield path, command


def _options(command: Any) -> Iterator[str]:
    for parameter in command.params:
        if isinstance(parameter, TyperOption) and not parameter.hidden:
            names = ", ".join(parameter.opts)
            value = "" if parameter.is_flag else f" {parameter.make_metavar(typer.Context(command))}"
            yield f"- `{names}{value}` {parameter.help or ''}".rstrip()


def commands_page() -> str:
    """Return the command reference."""
    lines = [
        "# Commands",
        "",
        "Made by `make docs` from the commands' own help. Exit codes: 0 done, 1 refused, 2 wrong usage, 3 unavailable, 4 misconfigured.",
        "",
    ]
    for path, command in _commands(typer.main.get_command(build()), "gateway"):
        arguments = " ".join(
            parameter.make_metavar(typer.Context(command))
            for parameter in command.params
            if isinstance(parameter, TyperArgument)
        )
        lines += [
            f"## `{path}{' ' + arguments if arguments else ''}`",
            "",
            (command.help or "").strip(),
            "",
            *_options(command),
            "",
        ]
    return "\n".join(lines)


def main() -> int:
    """Write both documents; return 0."""
    (DOCS / "openapi.json").write_text(
        json.dumps(openapi_document(), ensure_ascii=False, indent=2, sort_keys=True) + "\n", encoding="utf-8"
    )
    (DOCS / "commands.md").write_text(commands_page(), encoding="utf-8")
    print("docs/openapi.json and docs/commands.md are up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())
