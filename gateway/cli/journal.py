"""`gateway journal`: the append-only record of this installation."""

import json as text
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli.options import ConfigOption, JsonOption
from gateway.cli.output import console, print_json
from gateway.flow.evidence import verify_roots
from gateway.settings import load
from gateway.store import journal, roots
from gateway.store.database import open_engine, reading, require_current
from gateway.trust.certificates import TrustStore
from gateway.trust.folder import write_file

RememberOption = Annotated[
    Path | None,
    typer.Option(
        "--remember",
        metavar="FILE",
        help="Hold the journal against the last entry that this file remembers; if it is whole, remember the new last one.",
    ),
]


def verify_journal(remember: RememberOption = None, json: JsonOption = False, config: ConfigOption = None) -> None:
    """Walk the whole journal and name every entry that was changed, removed, inserted, moved or copied, or fits no signed root.

    That the end was cut off shows against the newest signed root, and against whatever remembers it: keep the file of
    --remember on another machine.

    Exit 0 when it is whole, 1 when it is not. Example: `gateway journal verify --remember last-entry.json`
    """
    marks = _remembered(remember) if remember else []
    settings = load(config)
    engine = open_engine(settings.database)
    require_current(engine)
    with reading(engine) as tx:
        found = journal.examine(tx, marks)
        made, unfit = (
            verify_roots(tx, TrustStore.load(settings.keys, revocation=settings.revocation)) if roots.newest(tx) else (0, [])
        )
    number, hash_ = found.last
    whole = not found.findings and not unfit
    if json:
        print_json(
            {
                "verdict": "whole" if whole else "broken",
                "valid": whole,
                "entries": found.entries,
                "last": {"entry": number, "hash": hash_},
                "findings": [{"entry": one.id, "id": one.id, "what": one.what} for one in found.findings],
                "roots": made,
                "root_findings": [{"root": one.number, "what": one.what} for one in unfit],
            }
        )
    else:
        verdict = "the chain is whole" if whole else f"{len(found.findings) + len(unfit)} findings"
        console().print(f"{found.entries} entries under {made} signed roots, {verdict}; the last is {number}, {hash_}")
        for what in [one.what for one in found.findings] + [one.what for one in unfit]:
            console().print(f"  {what}")
    if not whole:
        raise typer.Exit(1)
    if remember:
        _remember(remember, number, hash_)


def _remembered(file: Path) -> list[journal.Mark]:
    """Return what the file remembers; nothing before it was written the first time."""
    try:
        content: Any = text.loads(file.read_bytes())
    except FileNotFoundError:
        return []
    except (OSError, ValueError):
        content = None
    match content:
        case {"entry": int(number), "hash": str(hash_)} if number >= 0:
            return [journal.Mark(entry=number, hash=hash_, by=f"the file {file.name}")] if number else []
        case _:
            raise typer.BadParameter(f"the file {file.name!r} is not one that --remember wrote", param_hint="--remember")


def _remember(file: Path, number: int, hash_: str) -> None:
    try:
        write_file(file, (text.dumps({"entry": number, "hash": hash_}) + "\n").encode())
    except OSError as error:
        raise typer.BadParameter(f"the file {file.name!r} cannot be written", param_hint="--remember") from error


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(no_args_is_help=True, help="The append-only record.")
    group.command("verify")(verify_journal)
    group.callback()(lambda: None)  # keeps `verify` a command of a group while it is the only one
    app.add_typer(group, name="journal")
