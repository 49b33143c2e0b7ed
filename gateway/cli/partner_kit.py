"""`gateway partner kit`: one archive for the engineers of a partner."""

import json as text
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import typer

from gateway import __version__
from gateway.cli.options import ConfigOption, JsonOption, PartnersOption
from gateway.cli.output import console, print_json
from gateway.settings import data_folder, load
from gateway.simulation.kit import make_kit
from gateway.transport.asyncapi import asyncapi_document
from gateway.trust.folder import write_file
from gateway.wiring.simulated import folders_only


def kit(
    code: Annotated[str, typer.Argument(metavar="CODE", help="The partner, e.g. pk.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The archive to write (ZIP).")],
    counterpart: Annotated[
        str | None, typer.Option("--counterpart", metavar="AUTHORITY", help="Whom they exchange with; default: one that fits.")
    ] = None,
    partners: PartnersOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Pack what the engineers of a partner need: schemas, their format with examples and expected results, moves and clocks.

    Also the error catalogue, OpenAPI and AsyncAPI, samples of attacks, and a README that leads to a first exchange. The same
    folders give the same bytes. No key of anybody is in it.

    Example: `gateway partner kit pk --out pk-kit.zip`
    """
    from gateway.web.api import openapi_document  # noqa: PLC0415  # the API is loaded only to be described

    documents = {
        "errors.md": (data_folder("docs") / "errors.md").read_bytes(),
        "openapi.json": _json(openapi_document()),
        "asyncapi.json": _json(asyncapi_document(__version__)),
    }
    with folders_only(load(config, overrides={"partners": partners})) as rt:
        made = make_kit(rt, code, counterpart=counterpart, documents=documents)
    body = made.packed()
    write_file(out, body)
    found = {"partner": code, "counterpart": made.counterpart, "file": str(out), "sha256": sha256(body).hexdigest()}
    if json:
        print_json(found | {"files": len(made.files), "bytes": len(body)})
    else:
        console().print(f"{out}: {len(made.files)} files, {len(body)} bytes, sha256 {found['sha256']}")


def _json(document: object) -> bytes:
    return text.dumps(document, ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n"


def register(group: typer.Typer) -> None:
    """Add the command of this module."""
    group.command("kit")(kit)
