"""`gateway mrz`: what the machine-readable zone of a document says, and whether its check digits fit."""

import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from gateway.cli.options import AtOption, ConfigOption, JsonOption, instant_of
from gateway.cli.output import console, print_json
from gateway.errors import NotText
from gateway.wire.documents import read_file
from gateway.wire.mrz import RULES, Mrz, MrzDate, birth_date, expiry_date, is_protected, read_mrz, state_of, suggested

PROTECTED = "the code of nationality says that the person was granted protection: nothing of it may reach the country of origin"


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog="Examples:  gateway mrz zone.txt  |  gateway mrz - --json < zone.txt")
    def mrz(
        zone: Annotated[
            str,
            typer.Argument(
                metavar="FILE|TEXT",
                help="A file, - for standard input, or the zone itself, which others on this machine can then see.",
            ),
        ],
        at: AtOption = None,
        config: ConfigOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Read the machine-readable zone of a passport, card or visa (TD1, TD2, TD3, MRV-A, MRV-B) and check every digit.

        Wrong check digits are told; exit code 1 only for what is no machine-readable zone. Years have two figures there: what
        is written is given, and a reading of it with its rule. Nothing is stored.
        """
        del config  # every command takes it
        told = as_dict(read_mrz(_text(zone)), instant_of(at, "--at").date() if at else datetime.now(UTC).date())
        if as_json:
            print_json(told)
        else:
            _tell(told)


def _text(zone: str) -> str:
    """Return the zone: from standard input, the argument itself, or from a file of this name."""
    if zone == "-":
        return sys.stdin.read(4096)
    if "<" in zone:  # every zone has it, and no file name by accident
        return zone
    try:
        return read_file(Path(zone)).decode()
    except UnicodeDecodeError:
        raise NotText("the file is no text") from None


def as_dict(found: Mrz, today: date) -> dict[str, Any]:
    """Return it as a JSON object; dates with the rule by which the century was taken."""
    fields = found.fields
    return {
        "kind": fields.format,
        "document": fields.code,
        "issuer": fields.issuer,
        "issuing_state": state_of(fields.issuer),
        "family": fields.primary,
        "given": fields.secondary,
        "name_may_be_cut": found.truncated,
        "number": fields.number,
        "nationality": fields.nationality,
        "nationality_state": state_of(fields.nationality),
        "birth": _date(birth_date(fields.birth, today)),
        "sex": fields.sex.strip("<"),
        "expiry": _date(expiry_date(fields.expiry, today)),
        "optional": list(fields.optional),
        "checks": [
            {"field": check.name, "line": check.line, "column": check.position, "ok": check.fits} for check in found.checks
        ],
        "valid": found.fits,
        "suggested": suggested(found, today),
        "warnings": _warnings(found),
    }


def _date(found: MrzDate) -> dict[str, str | None]:
    return {"text": found.said, "date": found.reading, "other": found.other, "rule": RULES[found.rule]}


def _warnings(found: Mrz) -> list[dict[str, str]]:
    wrong = [
        {
            "code": "check-digit",
            "path": f"line {check.line}, column {check.position}",
            "message": f"the check digit of {check.name} (line {check.line}, column {check.position}) does not fit",
        }
        for check in found.checks
        if not check.fits
    ]
    return wrong + ([{"code": "protected", "path": "nationality", "message": PROTECTED}] if is_protected(found) else [])


def _tell(told: dict[str, Any]) -> None:
    out = console()
    for name in ("kind", "document", "issuer", "family", "given", "number", "nationality", "sex"):
        out.print(f"{name:<12}{escape(told[name])}")
    for name in ("birth", "expiry"):
        day = told[name]
        other = f", or {day['other']}" if day["other"] else ""
        out.print(f"{name:<12}{day['date'] or 'not known'}{other} ({day['rule']})")
    for warning in told["warnings"]:
        out.print(f"[yellow]to ask[/] {escape(warning['message'])}")
    if told["valid"]:
        out.print(f"all {len(told['checks'])} check digits fit")
