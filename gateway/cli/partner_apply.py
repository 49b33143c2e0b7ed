"""`gateway partner apply`: put a checked partner folder in the place of the old one, with name and reason in the journal."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.options import ConfigOption, JsonOption
from gateway.cli.output import console, print_json
from gateway.errors import GatewayError, NotAFile, PartnerInvalid
from gateway.flow.directory import read_known, require_sound
from gateway.partners.folder import load_partner
from gateway.partners.versions import Difference, differences, versions
from gateway.settings import Settings, load
from gateway.store import journal
from gateway.store.database import open_engine, require_current, transaction
from gateway.wire.schema import SchemaSet


def apply(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The partner folder to put in place.")],
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who decides it.")],
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="The reason, or the reference of the decision.")],
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Check a partner folder, put it in the place of the old one as a whole, and journal who did it and what differs.

    A running gateway takes it up within seconds, without a restart. A folder that does not pass changes nothing.

    Example: `gateway partner apply ../rs --by "A. Specimen" --why "order 12/2026"`
    """
    settings = load(config)
    found = put_in_place(path, settings, by=by, why=why, now=datetime.now(UTC))
    if json:
        print_json(
            {"partner": path.resolve().name, "changed": found is not None, "difference": found.as_dict() if found else None}
        )
    elif found is None:
        console().print(f"{path.resolve().name}: nothing differs")
    else:
        counts = f"{len(found.changed)} files changed, {len(found.added)} added, {len(found.removed)} removed"
        console().print(f"{found.part}: version {found.before or 'none'} -> {found.after}; {counts}")


def put_in_place(path: Path, settings: Settings, *, by: str, why: str, now: datetime) -> Difference | None:
    """Put the folder `path` in place; return what differs, None when nothing does.

    All folders together are read with the new one before anything is moved; if the database cannot be told, the old one is
    put back. Raises `NotAFile`, `PartnerInvalid`, `MappingInvalid`, `DatabaseUnavailable`.
    """
    new = path.resolve()
    if not (new / "partner.toml").is_file():
        raise NotAFile(f"{new.name!r} is no partner folder: it holds no partner.toml")
    place, aside = settings.partners / new.name, settings.partners / f".{new.name}.before"
    if place.resolve() == new:
        raise PartnerInvalid(f"{new.name!r} is the folder in use: give a copy of it that was changed")
    load_partner(new)
    schemas = SchemaSet.load(settings.schemas / "readmission" / "1.0")
    trial = settings.partners / f".{new.name}.trial"
    engine = open_engine(settings.database)
    require_current(engine)
    try:
        _try(new, settings, trial, schemas, now)
        before = versions(settings.partners)
        shutil.rmtree(aside, ignore_errors=True)
        if place.exists():
            place.rename(aside)
        (trial / new.name).rename(place)
        found = differences(before, versions(settings.partners), settings.partners)
        if not found:
            return None
        try:
            with transaction(engine) as tx:
                detail = {"by": by, "why": why, "changes": [each.as_dict() for each in found]}
                journal.append(tx, [journal.Entry(at=now, event="partner.applied", actor=by, detail=detail)])
        except GatewayError:
            shutil.rmtree(place)
            if aside.exists():
                aside.rename(place)
            raise
        return found[0]
    finally:
        shutil.rmtree(trial, ignore_errors=True)
        shutil.rmtree(aside, ignore_errors=True)


def _try(new: Path, settings: Settings, trial: Path, schemas: SchemaSet, now: datetime) -> None:
    """Read all partner folders with the new one among them, in a hidden copy, and run its examples both ways."""
    shutil.rmtree(trial, ignore_errors=True)
    trial.mkdir()
    for each in settings.partners.iterdir():
        if each.is_dir() and not each.name.startswith(".") and each.name != new.name:
            (trial / each.name).symlink_to(each, target_is_directory=True)
    shutil.copytree(new, trial / new.name, ignore=shutil.ignore_patterns(".*"))
    known = read_known(trial, settings.overrides, schemas)
    require_sound((each for each in known.partners.dialects.values() if each.partner == new.name), known, schemas, now)


def register(group: typer.Typer) -> None:
    """Add the command to the group `partner`."""
    group.command("apply")(apply)
