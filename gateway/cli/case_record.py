"""`gateway case export`: a case leaves the store as a file that anybody can check."""

from getpass import getuser
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.options import ConfigOption, JsonOption
from gateway.cli.output import console, print_json
from gateway.domain.case import Case
from gateway.errors import NotFound
from gateway.settings import load
from gateway.store import cases
from gateway.store.database import Tx, reading

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Row number or case reference.")]


def one_case(tx: Tx, name: str, home: str | None = None) -> Case:
    """Return the case that a row number or a reference names. Raises `NotFound`, also where a reference names two."""
    found = [cases.get(tx, int(name))] if name.isascii() and name.isdigit() else cases.by_reference(tx, name, home=home)
    if not found:
        raise NotFound("there is no such case")
    if len(found) > 1:
        raise NotFound("this gateway is home to both sides of the case: name it by its row number, see 'gateway case list'")
    return found[0]


def export(
    case: IdArgument,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="File to write; it appears whole or not at all.")],
    authority: Annotated[
        str | None, typer.Option("--as", metavar="AUTHORITY", help="Authority that signs it. Default: the case's own.")
    ] = None,
    purpose: Annotated[
        str | None, typer.Option("--purpose", metavar="TEXT", help="What it is for; stands in file and journal.")
    ] = None,
    by: Annotated[
        str | None, typer.Option("--by", metavar="NAME", help="Who exports it. Default: the user of this machine.")
    ] = None,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Write a case as one signed file (ASiC-E): messages, receipts, certificates, deadlines, journal entries, a summary as PDF.

    The file holds personal data; who wrote it and what for is journalled. `gateway verify-case` checks it anywhere.
    Example: `gateway case export 7 --out case-7.asice --purpose "appeal before the administrative court"`
    """
    # A whole gateway, with its transports: not loaded where only the store is read.
    from gateway.flow.case_export import export_case  # noqa: PLC0415
    from gateway.wiring import build  # noqa: PLC0415

    rt = build(load(config))
    with reading(rt.engine) as tx:
        found = one_case(tx, case, authority)
    assert found.id is not None
    actor = by if by is not None else f"cli:{getuser()}"
    try:
        written = export_case(found.id, out, rt, actor=actor, purpose=purpose, by=authority)
    except OSError as error:
        raise typer.BadParameter(f"the file {out.name!r} cannot be written") from error
    if json:
        print_json(
            {
                "out": str(out),
                "case": found.reference,
                "sha256": written.sha256,
                "bytes": written.bytes,
                "signed_by": written.index.exported.by,
                "exported_at": written.index.exported.at,
                "messages": len(written.index.messages),
                "files": len(written.index.files),
            }
        )
        return
    console().print(
        f"{out}: {len(written.index.messages)} messages, signed by {written.index.exported.by}, SHA-256 {written.sha256}"
    )
