"""`gateway case`: what happened, and what is due, from the store of this gateway."""

import csv
import sys
from dataclasses import asdict, fields
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any

import typer
from rich.table import Table

from gateway.cli.case_hints import hints
from gateway.cli.case_record import erase, export
from gateway.cli.options import ConfigOption, JsonOption
from gateway.cli.output import console, print_json
from gateway.cli.who import account
from gateway.domain.case import Case
from gateway.errors import NotFound
from gateway.settings import load
from gateway.store import cases, deadlines, journal, messages
from gateway.store.database import open_engine, reading, require_current, transaction
from gateway.store.durations import SMALLEST_GROUP, Group, durations


def _summary(case: Case) -> dict[str, Any]:
    return {
        "id": case.id,
        "reference": case.reference,
        "home": case.home,
        "counterparty": case.counterparty,
        "role": str(case.role),
        "state": str(case.state),
        "waits_for": str(case.waits_for) if case.waits_for else None,
        "suspended": case.suspended,
        "linked": list(case.linked),
        "treaty": case.treaty,
        "procedure": str(case.procedure),
        "category": str(case.category),
        "opened_at": case.opened_at,
        "changed_at": case.changed_at,
    }


def list_cases(
    state: Annotated[str | None, typer.Option(help="Only cases in this state, e.g. requested.")] = None,
    treaty: Annotated[str | None, typer.Option(metavar="ID", help="Only cases under this treaty.")] = None,
    counterparty: Annotated[str | None, typer.Option(metavar="AUTHORITY", help="Only cases with this authority.")] = None,
    due_within: Annotated[int | None, typer.Option(metavar="DAYS", min=0, help="Only what is due within so many days.")] = None,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """List the cases of this gateway's home authorities, by what is due next.

    Example: `gateway case list --state requested --due-within 5`
    """
    settings = load(config)
    engine = open_engine(settings.database)
    require_current(engine)
    before = None if due_within is None else datetime.now(UTC) + timedelta(days=due_within)
    with reading(engine) as tx:
        rows = cases.by_due(tx, state=state, treaty=treaty, counterparty=counterparty, due_before=before)
    found = [_summary(case) | {"due_until": due, "secondary_source": secondary} for case, due, secondary in rows]
    if json:
        print_json({"cases": found})
        return
    columns = ["id", "reference", "home", "counterparty", "role", "state", "waits_for", "treaty", "procedure", "due_until"]
    table = Table(*columns, title=f"{len(found)} cases")
    for case in found:
        mark = " (secondary source)" if case["secondary_source"] else ""
        values = ["" if case[name] is None else str(case[name]) for name in columns]
        table.add_row(*values[:-1], values[-1] + mark)
    console().print(table)


def show_case(
    case: Annotated[str, typer.Argument(metavar="ID", help="Row number or case reference.")],
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Show one case: its messages with their receipts, its deadlines with their explanation, what the journal says.

    Personal data is not printed; the reading is journalled. Example: `gateway case show 1`
    """
    settings = load(config)
    engine = open_engine(settings.database)
    require_current(engine)
    with transaction(engine) as tx:
        found = [cases.get(tx, int(case))] if case.isascii() and case.isdigit() else cases.by_reference(tx, case)
        if not found:
            raise NotFound("there is no such case")
        documents = [_whole(tx, one) for one in found]
        now, detail = datetime.now(UTC), {"purpose": "operations"}
        journal.append(
            tx,
            [
                journal.Entry(at=now, event="case.read", actor=account(), authority=one.home, case_id=one.id, detail=detail)
                for one in found
            ],
        )
    if json:
        print_json(documents[0] if len(documents) == 1 else {"cases": documents})
        return
    for document in documents:
        _print_case(document)


def _whole(tx: Any, case: Case) -> dict[str, Any]:
    assert case.id is not None
    return _summary(case) | {
        "messages": [
            {
                "direction": row.direction,
                "type": row.type,
                "message_id": row.message_id,
                "sender": row.sender,
                "recipient": row.recipient,
                "sha256": row.digest,
                "outcome": row.outcome,
                "received_at": row.received_at,
                "receipt": row.receipt_message_id,
            }
            for row in messages.of_case(tx, case.id)
        ],
        "deadlines": [row.detail | {"state": row.state} for row in deadlines.of_cases(tx, [case.id])],
        "journal": [
            {"at": entry.at, "event": entry.event, "actor": entry.actor, **entry.detail}
            for entry in journal.of_case(tx, case.id)
        ],
    }


def _print_case(document: dict[str, Any]) -> None:
    out = console()
    out.print(f"[bold]{document['reference']}[/]  {document['home']} ({document['role']}) with {document['counterparty']}")
    out.print(f"  {document['state']}, {document['treaty']}, {document['procedure']}, {document['category']}")
    for message in document["messages"]:
        out.print(
            f"  {message['direction']:>3} {message['type']} {message['message_id']} {message['outcome']}, "
            f"receipt {message['receipt']}"
        )
    for deadline in document["deadlines"]:
        out.print(f"  deadline {deadline['limit']}: {deadline['state']}")
        for sentence in deadline["explain"]:
            out.print(f"    {sentence}")


def reverse(
    case: Annotated[int, typer.Argument(metavar="ID", help="Row number of the case.")],
    limit: Annotated[str, typer.Option(help="Limit whose lapse is taken back, e.g. reply.")],
    who: Annotated[str, typer.Option(help="Person who decides.")],
    why: Annotated[str, typer.Option(help="Reason.")],
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Take back a lapse that was recorded, with a reason.

    Example: `gateway case reverse-lapse 7 --limit reply --who officer.one@ba-ms --why "the reply came by courier"`
    """
    # A whole gateway, with its transports: not loaded where only the store is read.
    from gateway.flow.lapses import reverse_lapse  # noqa: PLC0415
    from gateway.wiring import build  # noqa: PLC0415

    reverse_lapse(case, limit, by=who, why=why, rt=build(load(config)))
    if json:
        print_json({"case": case, "limit": limit, "state": "open"})
        return
    console().print(f"The lapse of {limit} in case {case} is taken back; the deadline is open again.")


def show_durations(
    since: Annotated[str | None, typer.Option(metavar="DATE", help="Cases opened from this day on (UTC).")] = None,
    until: Annotated[str | None, typer.Option(metavar="DATE", help="Cases opened before this day (UTC).")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Comma-separated values on standard output.")] = False,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Say how long things took: to receipt, reply, travel document and transfer; by treaty, partner and procedure.

    Groups of fewer than five cases show no figure. No personal data. Example: `gateway case durations --csv`
    """
    engine = open_engine(load(config).database)
    require_current(engine)
    with reading(engine) as tx:
        rows = [asdict(group) for group in durations(tx, since=_day(since, "--since"), until=_day(until, "--until"))]
    if json:
        print_json({"smallest_group": SMALLEST_GROUP, "durations": rows})
        return
    columns = [field.name for field in fields(Group)]
    if as_csv:
        writer = csv.DictWriter(sys.stdout, columns)
        writer.writeheader()
        writer.writerows(rows)
        return
    table = Table(*columns, title="Durations")
    for row in rows:
        table.add_row(*(f"fewer than {SMALLEST_GROUP}" if row[name] is None else str(row[name]) for name in columns))
    console().print(table)


def _day(text: str | None, option: str) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC) if text else None
    except ValueError as error:
        raise typer.BadParameter("is no date such as 2026-06-01", param_hint=option) from error


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(no_args_is_help=True, help="Cases of this gateway.")
    group.command("list")(list_cases)
    group.command("show")(show_case)
    group.command("reverse-lapse")(reverse)
    group.command("durations")(show_durations)
    group.command("export")(export)
    group.command("erase")(erase)
    group.command("hints")(hints)
    app.add_typer(group, name="case")
