"""Make the documents that come from the code: docs/openapi.json and docs/commands.md. Running it again leaves no diff."""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from gateway.cli.main import build
from gateway.web.api import openapi_document

DOCS = Path(__file__).resolve().parent.parent / "docs"
HEAD = """\
# Commands

Made by `make docs` from the commands' own help.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | refused: the message or the data is at fault |
| 2 | wrong usage |
| 3 | unavailable: something outside is at fault |
| 4 | misconfigured: this installation is at fault |

With `--json` a command prints one JSON document on standard output and nothing else there, also when it ends with an error:
`{"error": {"code", "path", "line", "message"}}`. The codes stand in [errors.md](errors.md).
"""


def commands() -> Mapping[str, TyperCommand | TyperGroup]:
    """Return every command by its whole name, e.g. "gateway case list", in the order of the alphabet.

    A group is one too where it does something by itself: `gateway deadline`.
    """
    return dict(_walk(typer.main.get_command(build()), "gateway"))


def _walk(command: object, path: str) -> Iterator[tuple[str, TyperCommand | TyperGroup]]:
    if isinstance(command, TyperGroup):
        if command.invoke_without_command:
            yield path, command
        for name, below in sorted(command.commands.items()):
            yield from _walk(below, f"{path} {name}")
    elif isinstance(command, TyperCommand):
        yield path, command


def _words(text: str | None) -> str:
    """Return a text as one line; a bar would end a cell of a table."""
    return " ".join((text or "").split()).replace("|", "\\|")


def _option(option: TyperOption) -> str:
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    value = "" if option.is_flag else f" {option.metavar or 'VALUE'}"
    needed = " Needed." if option.required else ""
    given = option.default
    default = f" Default: {given}." if isinstance(given, str | int | Path) and not isinstance(given, bool) else ""
    return f"| {names}{value} | {_words(option.help)}{needed}{default} |"


def _argument(argument: TyperArgument) -> str:
    name = argument.metavar or (argument.name or "").upper()
    return name if argument.required or name.startswith("[") else f"[{name}]"


def _section(path: str, command: TyperCommand | TyperGroup) -> str:
    arguments = [_argument(each) for each in command.params if isinstance(each, TyperArgument)]
    options = [_option(each) for each in command.params if isinstance(each, TyperOption) and not each.hidden]
    parts = [f"## `{' '.join((path, *arguments))}`", (command.help or "").strip()]
    if command.epilog:
        parts.append("\n".join(f"    {line.strip()}" for line in command.epilog.splitlines()))
    if options:
        parts.append("\n".join(["| option | |", "|---|---|", *options]))
    return "\n\n".join(parts) + "\n"


def commands_page() -> str:
    """Return the command reference."""
    return "\n".join([HEAD, *(_section(path, command) for path, command in commands().items())])


def openapi_page() -> str:
    """Return the OpenAPI document as it is kept."""
    document: dict[str, Any] = openapi_document()
    return json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def main() -> int:
    """Write both documents; return 0."""
    for name, text in (("openapi.json", openapi_page()), ("commands.md", commands_page())):
        (DOCS / name).write_text(text, encoding="utf-8")
    print("docs/openapi.json and docs/commands.md are up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())
