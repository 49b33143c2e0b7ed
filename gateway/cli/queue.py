"""`gateway queue list`: what waits, for whom, since when, and what is parked."""

import asyncio
from typing import Any

import typer
from rich.table import Table

from gateway.cli.options import ConfigOption, JsonOption
from gateway.cli.output import console, print_json
from gateway.settings import load
from gateway.store import early, outbox
from gateway.store.database import open_engine, reading, require_current
from gateway.transport.port import QueueState
from gateway.wiring import transport, utc_now


def list_queues(json: JsonOption = False, config: ConfigOption = None) -> None:
    """Show the outbox by partner and the transport's queues.

    Example: `gateway queue list --json`
    """
    settings = load(config)
    engine = open_engine(settings.database)
    require_current(engine)
    with reading(engine) as tx:
        leaving, files = outbox.states(tx), early.count_of_files(tx)
        gaps = early.count(tx) - files

    async def states() -> list[QueueState]:
        carrier = transport(settings, engine, utc_now)
        await carrier.open(settings.home)
        try:
            return list(await carrier.states())
        finally:
            await carrier.close()

    document: dict[str, Any] = {
        "outbox": [
            {
                "sender": state.sender,
                "recipient": state.recipient,
                "waiting": state.waiting,
                "parked": state.parked,
                "oldest": state.oldest,
                "codes": state.codes,
            }
            for state in leaving
        ],
        "queues": [
            {
                "name": state.name,
                "waiting": state.waiting,
                "parked": state.parked,
                "oldest": state.oldest,
                "consumers": state.consumers,
            }
            for state in asyncio.run(states())
        ],
        "waiting_for_earlier": gaps,
        "waiting_for_attachments": files,
    }
    if json:
        print_json(document)
        return
    table = Table("from", "to", "waiting", "parked", "oldest", "codes", title="Leaving")
    for row in document["outbox"]:
        table.add_row(
            *(str(row[name] or "") for name in ("sender", "recipient", "waiting", "parked", "oldest")), ", ".join(row["codes"])
        )
    console().print(table)
    table = Table("queue", "waiting", "parked", "oldest", title="Arriving")
    for row in document["queues"]:
        table.add_row(*(str(row[name] if row[name] is not None else "") for name in ("name", "waiting", "parked", "oldest")))
    console().print(table)
    if gaps:
        console().print(f"{gaps} messages are kept until an earlier one of their case comes; it was asked for")
    if files:
        console().print(
            f"{files} messages are kept until their attachments are there; what stays away for an hour is asked for"
        )


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(no_args_is_help=True, help="State of delivery.")
    group.command("list")(list_queues)
    group.callback()(lambda: None)  # keeps `list` a command of a group while it is the only one
    app.add_typer(group, name="queue")
