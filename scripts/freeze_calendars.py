"""Freeze the public holidays of a pinned library into `partners/calendars/`.

Run `python scripts/freeze_calendars.py`; running it again leaves no diff. Which files are written, and how far they
reach, is in `scripts/calendar_seeds.toml`. The gateway itself never asks the library: a date in a legal deadline must
not change because a dependency did. Raise REVISION when this script's rules or the seeds change.
"""

import json
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import holidays

LIBRARY = "0.109"
REVISION = 2
FIRST_YEAR = 2024
SEEDS = Path(__file__).resolve().parent / "calendar_seeds.toml"
FOLDER = Path(__file__).resolve().parent.parent / "partners" / "calendars"
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

# The label is the library's only sign of an estimate, and only its English texts have it reliably.
ESTIMATED = (" (estimated)", ", estimated)")
# So does it name the day that a day off was exchanged for: month, day, year.
SUBSTITUTED = re.compile(r"Day off \(substituted from (\d\d)/(\d\d)/(\d{4})\)")
# Whatever the library says, a feast that follows the moon is estimated after the last year of tables that were seen.
MOON = (
    "Ashura",
    "Day of Arafah",
    "Eid al-Adha",
    "Eid al-Fitr",
    "First Day of Ramadan",
    "Islamic New Year",
    "Jumu'atul-Wida",
    "Laylat al-Qadr",
    "Mid-Sha'ban",
    "Prophet's Birthday",
)
MOON_SEEN = 2026

PARTS = {"BIH": "Federation of BiH", "SRP": "Republika Srpska", "BRC": "Brčko District", "ENG": "England and Wales"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seed:
    """What one file is made from: a table of calendar_seeds.toml."""

    id: str  # name of the file; its first two letters are the state's code
    zone: str  # IANA
    until: int  # last year
    estimated_from: int = 9999  # first year whose decree the library does not hold: every day of it is an estimate
    subdivisions: tuple[str | None, ...] = (None,)
    categories: tuple[str, ...] = ("public",)
    law: str = ""
    no_days: bool = False
    note: str = ""

    @property
    def state(self) -> str:
        """ISO 3166-1 alpha-2, or XK."""
        return self.id[:2].upper()

    @property
    def source(self) -> str:
        """Return where the days of the file are from."""
        kinds = " and ".join(category.replace("_", " ") for category in self.categories)
        parts = ", ".join(filter(None, self.subdivisions))
        return f"holidays {LIBRARY}, {kinds} holidays{' of ' + parts if parts else ''}{'; ' + self.law if self.law else ''}"

    def holds(self, day: date) -> bool:
        """Whether `day` lies inside the horizon."""
        return FIRST_YEAR <= day.year <= self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One line of a file."""

    on: date
    name: str
    estimated: bool
    kind: str = "rest"  # rest, half, work

    def line(self) -> str:
        """Return the line as TOML."""
        status = "estimated" if self.estimated else "confirmed"
        kind = "" if self.kind == "rest" else f', kind = "{self.kind}"'
        return f'  {{ on = {self.on.isoformat()}, name = {quoted(self.name)}, status = "{status}"{kind} }},'


def quoted(text: str) -> str:
    """Return `text` as a basic string of TOML, which JSON's strings are."""
    return json.dumps(text, ensure_ascii=False)


def seed_of(table: dict[str, Any]) -> Seed:
    """Return one table of calendar_seeds.toml as a seed; TOML's lists become tuples."""
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
    return Seed(**values)


def seeds() -> tuple[Seed, ...]:
    """Read calendar_seeds.toml."""
    return tuple(seed_of(table) for table in tomllib.loads(SEEDS.read_text(encoding="utf-8"))["calendar"])


def asked(seed: Seed, subdivision: str | None, categories: Iterable[str]) -> holidays.HolidayBase:
    """Ask the library for all years of the file and the one after, whose decree may move a day of the last."""
    known = holidays.country_holidays(seed.state)
    if not known.start_year <= FIRST_YEAR <= seed.until <= known.end_year:
        raise SystemExit(f"{seed.id}: the library does not cover {FIRST_YEAR} to {seed.until}")
    years = range(FIRST_YEAR, min(seed.until + 1, known.end_year) + 1)
    return holidays.country_holidays(
        seed.state, subdiv=subdivision, years=years, language="en_US", categories=tuple(categories)
    )


def is_estimated(name: str, day: date) -> bool:
    """Whether `day` may still move: the library says so, or the feast follows the moon and no table was seen."""
    follows_the_moon = any(feast in name for feast in MOON)
    return any(label in name for label in ESTIMATED) or (follows_the_moon and day.year > MOON_SEEN)


def plain(name: str) -> str:
    """Return the library's name without its label for estimates, and with a moved day's origin as 2026-01-17."""
    name = name.replace(ESTIMATED[0], "").replace(ESTIMATED[1], ")")
    return SUBSTITUTED.sub(r"Day off in exchange for \3-\1-\2", name)


def joined(day: date, kept_by: dict[str, set[str | None]], seed: Seed, kind: str) -> Day:
    """Join all names of one date. A day that one certain name makes a rest day is certain."""
    shown = []
    for name, parts in sorted(kept_by.items()):
        partly = len(parts) < len(seed.subdivisions)
        where = f" ({', '.join(PARTS[part] for part in sorted(filter(None, parts)))})" if partly else ""
        shown.append(plain(name) + where)
    estimated = all(is_estimated(name, day) for name in kept_by)
    return Day(on=day, name="; ".join(shown), estimated=estimated, kind=kind)


def named(seed: Seed, sources: dict[str | None, holidays.HolidayBase], kind: str) -> dict[date, Day]:
    """Return the holidays of all parts inside the horizon, by date."""
    found: dict[date, dict[str, set[str | None]]] = {}
    for subdivision, source in sources.items():
        for day, names in source.items():
            if seed.holds(day):
                for name in names.split("; "):
                    found.setdefault(day, {}).setdefault(name, set()).add(subdivision)
    lines = {day: joined(day, names, seed, kind) for day, names in found.items()}
    return {day: replace(line, estimated=True) if day.year >= seed.estimated_from else line for day, line in lines.items()}


def moved(seed: Seed, sources: dict[str | None, holidays.HolidayBase]) -> Iterator[Day]:
    """Yield the days of the weekend on which offices work in exchange for another day."""
    for source in sources.values():
        for day in sorted(source.weekend_workdays):
            if not seed.holds(day):
                continue
            instead = sorted(free for free, name in source.items() if f"substituted from {day:%m/%d/%Y}" in name)
            if day in source or day.weekday() not in source.weekend or len(instead) != 1:
                raise SystemExit(f"{seed.id}: {day} is no day of the weekend that was moved to one other day")
            yield Day(on=day, name=f"Working day in exchange for {instead[0].isoformat()}", estimated=False, kind="work")


def days(seed: Seed) -> tuple[list[Day], frozenset[int]]:
    """Return the lines of the file in order, and the weekend (Monday is 0).

    A half day inside a weekend or on a holiday is left out: nobody works then anyway.
    """
    sources = {part: asked(seed, part, seed.categories) for part in seed.subdivisions}
    weekend = frozenset().union(*(source.weekend for source in sources.values()))
    rest = named(seed, sources, "rest")
    missing = set(range(FIRST_YEAR, seed.until + 1)) - {day.year for day in rest}
    if missing and not seed.no_days:  # an unknown year is an empty set there, not an error
        raise SystemExit(f"{seed.id}: the library has no holiday in {sorted(missing)}")
    found = rest | {day.on: day for day in moved(seed, sources)}
    if all("half_day" in source.supported_categories for source in sources.values()):
        halves = named(seed, {part: asked(seed, part, ("half_day",)) for part in seed.subdivisions}, "half")
        found |= {on: day for on, day in halves.items() if on not in found and on.weekday() not in weekend}
    return [found[on] for on in sorted(found)], weekend


def text(seed: Seed) -> str:
    """Return the whole file."""
    lines, weekend = days(seed)
    return "\n".join([
        "# Written by scripts/freeze_calendars.py. Check it against the state's gazette before you rely on it.",
        f'id = "{seed.id}"',
        f'version = "holidays-{LIBRARY}/{REVISION}"',
        f'state = "{seed.state}"',
        f'zone = "{seed.zone}"',
        f"weekend = [{', '.join(quoted(WEEKDAYS[day]) for day in sorted(weekend))}]",
        f"known_from = {date(FIRST_YEAR, 1, 1).isoformat()}",
        f"known_until = {date(seed.until, 12, 31).isoformat()}",
        f"source = {quoted(seed.source)}",
        *([f"note = {quoted(seed.note)}"] if seed.note else []),
        "days = [",
        *(day.line() for day in lines),
        "]",
        "",
    ])  # fmt: skip


def main(folder: Path = FOLDER) -> None:
    """Write every file below `folder`."""
    if version("holidays") != LIBRARY:
        raise SystemExit(f"this script freezes holidays {LIBRARY}; installed is {version('holidays')}")
    folder.mkdir(parents=True, exist_ok=True)
    for seed in seeds():
        path = folder / f"{seed.id}.toml"
        path.write_text(text(seed), encoding="utf-8")
        print(f"{path.name}: {path.read_text(encoding='utf-8').count('status =')} days")


if __name__ == "__main__":
    main()
