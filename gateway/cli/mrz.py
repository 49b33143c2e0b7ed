"""`gateway mrz`: what the machine readable zone of a document says, and whether its check digits fit."""

import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from gateway.cli.options import ConfigOption, JsonOption
from gateway.cli.output import console, print_json
from gateway.errors import MrzInvalid
from gateway.wire.documents import read_file
from gateway.wire.mrz import Mrz, Reading, born, ends, parse

_STANDARD_INPUT = "-"


def read_mrz(
    file: Annotated[Path, typer.Argument(help="A file with the two or three lines; - for standard input.")],
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Read the machine readable zone of a passport, card or visa (ICAO Doc 9303) and check its check digits.

    Wrong check digits are shown; exit code 1 only for what is no machine readable zone. A zone holds personal data: it is not
    given on the command line, where others on the machine see it.

    Example: `gateway mrz zone.txt --json`
    """
    del config  # every command takes it
    body = sys.stdin.buffer.read(10_000) if str(file) == _STANDARD_INPUT else read_file(file)
    try:
        found = parse(body.decode("ascii"))
    except UnicodeDecodeError as error:
        raise MrzInvalid("only A to Z, 0 to 9 and < stand in it") from error
    told = as_dict(found, datetime.now(UTC).date())
    if json:
        print_json(told)
    else:
        _print(found, told)


def as_dict(found: Mrz, today: date) -> dict[str, Any]:
    """Return it as a JSON object; dates with the rule by which the century was taken."""
    return {
        "kind": found.kind,
        "document": found.document,
        "issuer": found.issuer,
        "issuing_state": found.issuing_state,
        "family": found.family,
        "given": found.given,
        "name_may_be_cut": found.name_may_be_cut,
        "number": found.number,
        "nationality": found.nationality,
        "nationality_state": found.nationality_state,
        "birth": _date(found.birth, born(found, today)),
        "sex": found.sex,
        "expiry": _date(found.expiry, ends(found, today)),
        "optional": list(found.optional),
        "checks": [{"field": each.field, "line": each.line, "column": each.column, "ok": each.ok} for each in found.checks],
        "valid": not found.failed,
    }


def _date(text: str, reading: Reading | None) -> dict[str, str | None]:
    return {"text": text, "date": reading.value if reading else None, "rule": reading.rule if reading else None}


def _print(found: Mrz, told: dict[str, Any]) -> None:
    screen = console()
    table = Table("Field", "It says")
    for name in ("kind", "document", "issuer", "family", "given", "number", "nationality", "sex"):
        table.add_row(name, escape(str(told[name])))
    for name in ("birth", "expiry"):
        if told[name]["date"]:
            table.add_row(name, f"{told[name]['date']} ({told[name]['rule']})")
    screen.print(table)
    for each in found.failed:
        screen.print(f"[yellow]to ask[/] the check digit of {each.field} (line {each.line}, column {each.column}) does not fit")
    if not found.failed:
        screen.print(f"all {len(found.checks)} check digits fit")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("mrz")(read_mrz)
