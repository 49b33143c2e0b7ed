"""`gateway verify-case`: a case file checked by somebody who has no gateway. Loads no store and reads no database."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.options import ConfigOption, JsonOption
from gateway.cli.output import console, foreign, print_json
from gateway.flow.case_verdict import Verdict, verify_case_file
from gateway.flow.case_words import NOT_PROVEN, REFUSED
from gateway.flow.deletion_verdict import is_record, verify_record_file
from gateway.settings import data_folder, load
from gateway.trust.folder import ANCHORS, TIMESTAMP_ANCHORS
from gateway.wire.schema import SchemaSet

_COLOURS = {REFUSED: "red", NOT_PROVEN: "yellow"}


def verify_case(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The case file, or the record of an erasure.")],
    anchors: Annotated[
        Path | None,
        typer.Option(
            "--anchors", metavar="DIR", help="Folder of trusted root certificates (*.pem). Default: the key folder's."
        ),
    ] = None,
    timestamp_anchors: Annotated[
        Path | None,
        typer.Option(
            "--timestamp-anchors", metavar="DIR", help="The same for timestamp authorities. Default: those in --anchors."
        ),
    ] = None,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Check an exported case file: one verdict for each message, receipt, translation, deadline and journal entry in it.

    Needs no network, no database, and with --anchors no settings. Exit 0 when all of it holds, 1 when something does not.
    Example: `gateway verify-case case-7.asice --anchors roots/`
    """
    trusted = anchors
    if trusted is None:
        keys = load(config).keys
        trusted, timestamp_anchors = keys / ANCHORS, timestamp_anchors or keys / TIMESTAMP_ANCHORS
    if is_record(file):
        found = verify_record_file(file, trusted)
    else:
        schemas = SchemaSet.load(data_folder("schemas") / "readmission" / "1.0")
        found = verify_case_file(file, trusted, datetime.now(UTC), schemas, timestamp_anchors=timestamp_anchors)
    if json:
        print_json(_document(found))
    else:
        _tell(found)
    if found.verdict == REFUSED:
        raise typer.Exit(1)


def _document(found: Verdict) -> dict[str, object]:
    return {
        "verdict": found.verdict,
        "code": found.code,
        "says": found.says,
        "items": [{"item": item.item, "verdict": item.verdict, "code": item.code, "says": item.says} for item in found.items],
    }


def _tell(found: Verdict) -> None:
    out = console()
    for item in found.items:
        out.print(f"[{_COLOURS.get(item.verdict, 'green')}]{item.verdict:<10}[/] {foreign(item.item)}")
        out.print(f"           {foreign(item.says)}")
    out.print(f"\n[bold]{found.verdict.upper()}[/]  {foreign(found.says)}")


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("verify-case")(verify_case)
