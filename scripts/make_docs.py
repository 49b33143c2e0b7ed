"""Make what comes from the code: OpenAPI, AsyncAPI, docs/commands.md, the tables of docs/message-cycle.md and docs/values.md.

Running it again leaves no diff.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from gateway import __version__
from gateway.cli.main import build
from gateway.domain.clock import MEETS, STARTS_BY, Moment
from gateway.domain.moves import EVENT_OF, NEXT, OPEN_STATES, OPENS, READMISSION, Event, Role, State
from gateway.transport.asyncapi import asyncapi_document
from gateway.web.api import openapi_document
from gateway.wire.converters import CONVERTERS, GROUP_CONVERTERS
from gateway.wire.converters.registry import zoned_samples

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


def asyncapi_page() -> str:
    """Return the AsyncAPI document of the broker."""
    return json.dumps(asyncapi_document(__version__), indent=2, ensure_ascii=False) + "\n"


def _messages(event: Event) -> str:
    """Return the messages that do this: type, and outcome where that decides."""
    found = [f"`{kind}`{f': {outcome}' if outcome else ''}" for (kind, outcome), one in EVENT_OF.items() if one is event]
    return ", ".join(found)


def _states(states: set[State]) -> str:
    """Return the states in the order of the code, or the name of a whole group."""
    for name, group in (("any open case", OPEN_STATES), ("before the transfer", READMISSION)):
        if states == group:
            return name
        if group == READMISSION and states > group:
            return ", ".join([name, *(state for state in State if state in states - group)])
    return ", ".join(state for state in State if state in states)


def moves_table() -> str:
    """Return who may send what from which state, and what becomes of the case."""
    lines = ["| message | from the side | while the case is | it becomes |", "|---|---|---|---|"]
    for event in Event:
        if event is Event.HOLD:
            continue
        if event in OPENS:
            lines.append(f"| {_messages(event)} | requesting | new, or held | {OPENS[event]} |")
            continue
        rows = {(state, role): after for (state, one, role), after in NEXT.items() if one is event}
        by = " or ".join(role for role in Role if any(one is role for _, one in rows))
        ends: dict[str, set[State]] = {}
        for (state, _), after in rows.items():
            ends.setdefault("the same" if after is state and event is not Event.TRANSFER_NOTICE else after, set()).add(state)
        lines += [f"| {_messages(event)} | {by} | {_states(states)} | {end} |" for end, states in ends.items()]
    return "\n".join(lines)


_MOMENTS = {Moment.RECEIPT: "its receipt", Moment.AT: "the instant it names", Moment.ON: "the day it names"}


def clocks_table() -> str:
    """Return which message starts which limits, from which moment, and which it meets."""
    lines = ["| message | starts | from | meets |", "|---|---|---|---|"]
    for event in Event:
        starts: dict[Moment, list[str]] = {}
        for start in STARTS_BY.get(event, ()):
            known = starts.setdefault(start.moment, [])
            known += [name for name in sorted(start.limits) if name not in known]
        if not starts and event not in MEETS:
            continue
        begun = "; ".join(", ".join(names) for names in starts.values()) or "none"
        moments = "; ".join(_MOMENTS[moment] for moment in starts) or "none"
        lines.append(f"| {_messages(event)} | {begun} | {moments} | {', '.join(sorted(MEETS.get(event, ()))) or 'none'} |")
    return "\n".join(lines)


def _sample(value: object) -> str:
    """Return an example as a cell of a table; what has several fields or lines as JSON."""
    plain = isinstance(value, str) and "\n" not in value
    text = str(value) if plain else json.dumps(value, ensure_ascii=False)
    return f"`{_words(text)}`"


def converters_table() -> str:
    """Return every converter of one value, with an example on both sides."""
    lines = ["| converter | the partner writes | canonical | there |", "|---|---|---|---|"]
    lines += [
        f"| `{each.name}` | {_words(each.form)} | {_sample(each.example[0])} | {_sample(each.example[1])} |"
        for each in (*CONVERTERS.values(), *zoned_samples())
    ]
    return "\n".join(lines)


def group_converters_table() -> str:
    """Return every converter between groups of fields, with an example on both sides."""
    lines = ["| converter | the partner writes | its fields | canonical | there |", "|---|---|---|---|---|"]
    for each in GROUP_CONVERTERS.values():
        fields = ", ".join(each.here)
        canonical, there = each.example
        lines.append(f"| `{each.name}` | {_words(each.form)} | {fields} | {_sample(canonical)} | {_sample(there)} |")
    return "\n".join(lines)


def values_page() -> str:
    """Return docs/values.md with its tables as the code has them now."""
    return _with_tables("values.md", {"converters": converters_table(), "group converters": group_converters_table()})


def message_cycle_page() -> str:
    """Return docs/message-cycle.md with its tables as the code has them now."""
    return _with_tables("message-cycle.md", {"moves": moves_table(), "clocks": clocks_table()})


def _with_tables(file: str, tables: Mapping[str, str]) -> str:
    page = (DOCS / file).read_text(encoding="utf-8")
    for name, table in tables.items():
        before, rest = page.split(f"<!-- made by make docs: {name} -->\n", 1)
        _, after = rest.split("<!-- end -->", 1)
        page = f"{before}<!-- made by make docs: {name} -->\n{table}\n<!-- end -->{after}"
    return page


def main() -> int:
    """Write the documents; return 0."""
    pages = (
        ("openapi.json", openapi_page()),
        ("asyncapi.json", asyncapi_page()),
        ("commands.md", commands_page()),
        ("message-cycle.md", message_cycle_page()),
        ("values.md", values_page()),
    )
    for name, text in pages:
        (DOCS / name).write_text(text, encoding="utf-8")
    print(f"{', '.join(name for name, _ in pages)} in docs/ are up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())
