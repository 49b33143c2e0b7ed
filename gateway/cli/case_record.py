"""`gateway case export` and `erase`: a case leaves the store as a file that anybody can check, or for good."""

from getpass import getuser
from json import loads
from pathlib import Path
from typing import Annotated

import typer

from gateway import log
from gateway.cli.options import ConfigOption, JsonOption
from gateway.cli.output import console, print_json
from gateway.domain.case import Case
from gateway.errors import NotFound, TimestampUnavailable
from gateway.settings import load
from gateway.store import cases
from gateway.store.database import Tx, reading
from gateway.trust.deletion import WHY

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
    from gateway.flow.evidence import gather  # noqa: PLC0415
    from gateway.wiring import build  # noqa: PLC0415

    settings = load(config)
    log.set_up(as_json=settings.log_json, level=30)
    rt = build(settings)
    with reading(rt.engine) as tx:
        found = one_case(tx, case, authority)
    assert found.id is not None
    actor = by if by is not None else f"cli:{getuser()}"
    try:
        gather(rt, at_once=True)  # so that a signed root lies over every entry that the file tells of
    except TimestampUnavailable as error:
        typer.echo(f"the newest entries of the journal have no timestamp yet: {error.message}", err=True)
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


def erase(
    case: Annotated[str | None, typer.Argument(metavar="[ID]", help="Row number or case reference.")] = None,
    why: Annotated[
        str | None,
        typer.Option("--why", metavar="CODE", help="retention-ended, person-request, court-order or unlawful."),
    ] = None,
    by: Annotated[str | None, typer.Option("--by", metavar="NAME", help="Person who decides.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask again.")] = False,
    although_open: Annotated[
        bool, typer.Option("--although-open", help="Erase a case in which something is still to be done; the record says so.")
    ] = False,
    again: Annotated[bool, typer.Option("--replay", help="After a restore: erase again all that was erased before.")] = False,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Destroy the key of a case: its contents cannot be read again, neither here nor from a backup of the database.

    A signed record without personal data remains, and the journal stays whole. Case files that were handed out before are out
    of reach; the record names them by their digest. After the restore of a backup: `gateway case erase --replay`.
    Example: `gateway case erase 7 --why retention-ended --by officer.one@ba-ms`
    """
    # A whole gateway, with its transports: not loaded where only the store is read.
    from gateway.flow.erasure import erase_case, replay  # noqa: PLC0415
    from gateway.wiring import build  # noqa: PLC0415

    if again == (case is not None):
        raise typer.BadParameter("name either one case, or --replay")
    if not again and (why not in WHY or by is None):
        raise typer.BadParameter(f"--by names who decides, and --why is one of: {', '.join(WHY)}")
    rt = build(load(config))
    if again:
        found_again = replay(rt)
        if json:
            print_json({"erased_again": found_again})
        else:
            console().print(f"{len(found_again)} cases were in the database again; they are erased")
        return
    with reading(rt.engine) as tx:
        found = one_case(tx, case or "")
    assert found.id is not None
    if not yes:
        named = f"{found.reference} ({found.home} with {found.counterparty}, {found.state})"
        typer.confirm(f"Destroy the key of case {named}? This is final.", abort=True, err=True)
    done = erase_case(found.id, by=by or "", why=why or "", rt=rt, although_open=although_open)
    if json:
        print_json({"case": found.id, "reference": found.reference, **loads(done.document)})
        return
    out = console()
    out.print(f"Case {found.reference} is erased. Its signed record stays in the journal and beside the case keys.")
    if not done.record.key_destroyed:
        out.print("Its key was made by an older version: backups made before today still open it. Destroy them.")
    for digest in done.record.exports:
        out.print(f"A case file that was handed out is out of reach: SHA-256 {digest}")
