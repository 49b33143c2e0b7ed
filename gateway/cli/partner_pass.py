"""`gateway partner passes`, `gateway partner pass verify`: conformance passes, kept here and checked anywhere."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from gateway.cli.options import AtOption, ConfigOption, JsonOption, instant_of
from gateway.cli.output import console, print_json
from gateway.errors import GatewayError, NotFound, PassExpired
from gateway.flow.passes import fault
from gateway.settings import load
from gateway.store import passes
from gateway.store.database import reading
from gateway.trust.certificates import TrustStore
from gateway.trust.folder import write_file
from gateway.trust.passes import CheckedPass, check_pass
from gateway.wire.documents import read_file
from gateway.wiring import build


def list_passes(
    code: Annotated[str | None, typer.Argument(metavar="[CODE]", help="Only this partner's.")] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write the newest of CODE as a file.")] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """List the conformance passes that are kept here, newest first, each valid or why not.

    Example: `gateway partner passes pk --out pk.pass.json`
    """
    rt = build(load(config))
    with reading(rt.engine) as tx:
        rows = passes.of(tx, code)
    if out is not None:
        if code is None or not rows:
            raise NotFound("there is no pass to write: name a partner that has one")
        write_file(out, rows[0].body)
    told: list[dict[str, Any]] = []
    for row in rows:
        error = fault(rt, row)
        told.append(
            {
                "partner": row.partner,
                "made_at": row.made_at,
                "ends_at": row.ends_at,
                "sha256": row.sha256,
                "valid": error is None,
                "code": error.code if error else None,
                "why": error.message if error else None,
            }
        )
    if json:
        print_json({"passes": told})
        return
    table = Table("Partner", "Made", "Ends", "Valid", "SHA-256")
    for each in told:
        table.add_row(
            each["partner"],
            f"{each['made_at']:%Y-%m-%d}",
            f"{each['ends_at']:%Y-%m-%d}",
            "yes" if each["valid"] else escape(f"no: {each['why']}"),
            each["sha256"][:16],
        )
    console().print(table)


def verify_pass(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The pass.")],
    at: AtOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Check a conformance pass offline: signature, signer, time; needs trust anchors and pinned certificates, no database.

    Example: `gateway partner pass verify pk.pass.json`
    """
    now = instant_of(at, "--at") if at else datetime.now(UTC)
    trust = TrustStore.load(load(config).keys, revocation="off")
    checked: CheckedPass | None = None
    error: GatewayError | None = None
    try:
        checked = check_pass(read_file(file), trust)
        checked.require_current(now)
    except GatewayError as refused:
        error = refused
    told: dict[str, Any] = {
        "verdict": "refused" if error else "valid",
        "code": error.code if error else None,
        "message": error.message if error else None,
        "signer": checked.signer if checked and (error is None or isinstance(error, PassExpired)) else None,
        "pass": checked.stated.members() if checked else None,
    }
    if json:
        print_json(told)
    elif error is not None:
        console().print(f"[bold red]refused[/] {error.code}: {escape(error.message)}")
    elif checked is not None:
        stated = checked.stated
        out = console()
        until = f"{stated.ends_at:%Y-%m-%d}"
        out.print(f"[green]valid[/] signed by {checked.signer}, for {stated.partner} ({stated.played}), until {until}")
        out.print(f"  folder {stated.folder}, schemas {stated.schemas}, gateway {stated.gateway}, over {stated.over}")
        out.print(f"  {sum(stated.results.values())} of {len(stated.results)} scenes went as they must")
    if error is not None:
        raise typer.Exit(error.exit_code)


def register(group: typer.Typer) -> None:
    """Add the commands of this module."""
    group.command("passes")(list_passes)
    inner = typer.Typer(no_args_is_help=True, help="One conformance pass.")
    inner.command("verify")(verify_pass)
    group.add_typer(inner, name="pass")
