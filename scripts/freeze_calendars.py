"""Freeze the public holidays of a pinned library into `partners/calendars/`.

Run `python scripts/freeze_calendars.py`; running it again leaves no diff. The gateway itself never asks the library:
a date in a legal deadline must not change because a dependency did. Raise REVISION when this script's rules change.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

import holidays

LIBRARY = "0.109"
REVISION = 1
FIRST_YEAR = 2025
FOLDER = Path(__file__).resolve().parent.parent / "partners" / "calendars"
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
ESTIMATED = "(estimated)"  # the label is the library's only sign, and only its English texts have it reliably

# Fixed dates, and feasts that hang on the computation of Easter: they hold as long as the law stays.
BY_LAW = 2030
# The library knows Eid and Ashura as astronomical estimates only; one year ahead is as far as they are worth a warning.
BY_MOON = 2027

ENTITIES = {"BIH": "Federation of BiH", "SRP": "Republika Srpska", "BRC": "Brčko District"}
BA_NOTE = (
    "The entities of Bosnia and Herzegovina have holiday laws of their own. This calendar is the union of the three: "
    "a day is a rest day if it is one anywhere; the name says where. Counted with it, an end is never too early for the "
    "other side. An authority of one entity uses ba-fbih, ba-rs or ba-brcko."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seed:
    """What one file is made from."""

    id: str
    state: str
    zone: str
    subdivisions: tuple[str | None, ...]
    last_year: int
    note: str = ""


SEEDS = (
    Seed(id="at", state="AT", zone="Europe/Vienna", subdivisions=(None,), last_year=BY_LAW),
    Seed(id="ba", state="BA", zone="Europe/Sarajevo", subdivisions=tuple(ENTITIES), last_year=BY_MOON, note=BA_NOTE),
    Seed(id="ba-brcko", state="BA", zone="Europe/Sarajevo", subdivisions=("BRC",), last_year=BY_MOON),
    Seed(id="ba-fbih", state="BA", zone="Europe/Sarajevo", subdivisions=("BIH",), last_year=BY_MOON),
    Seed(id="ba-rs", state="BA", zone="Europe/Sarajevo", subdivisions=("SRP",), last_year=BY_MOON),
    Seed(
        id="pk",
        state="PK",
        zone="Asia/Karachi",
        subdivisions=(None,),
        last_year=BY_MOON,
        note="Federal public holidays. Dates that follow the moon are announced shortly before.",
    ),
    Seed(id="rs", state="RS", zone="Europe/Belgrade", subdivisions=(None,), last_year=BY_LAW),
)


def named_days(seed: Seed) -> tuple[dict[date, dict[str, set[str | None]]], frozenset[int]]:
    """Return, by date, each holiday's name with the subdivisions that keep it; and the weekend."""
    found: dict[date, dict[str, set[str | None]]] = defaultdict(lambda: defaultdict(set))
    weekend: set[int] = set()
    for subdivision in seed.subdivisions:
        years = range(FIRST_YEAR, seed.last_year + 1)
        source = holidays.country_holidays(seed.state, subdiv=subdivision, years=years, language="en_US")
        if not source.start_year <= FIRST_YEAR <= seed.last_year <= source.end_year:
            raise SystemExit(f"{seed.id}: the library does not cover {FIRST_YEAR} to {seed.last_year}")
        weekend |= source.weekend
        for day, names in source.items():
            for name in names.split("; "):
                found[day][name].add(subdivision)
        for year in years:  # an unknown year is an empty set there, not an error
            if not any(day.year == year for day in source):
                raise SystemExit(f"{seed.id}: the library has no holiday in {year}")
    return found, frozenset(weekend)


def row(day: date, names: dict[str, set[str | None]], seed: Seed) -> str:
    """Return one line of the file. A day that one certain name makes a rest day is certain."""
    shown = []
    for name, kept_by in sorted(names.items()):
        partly = len(kept_by) < len(seed.subdivisions)
        where = f" ({', '.join(ENTITIES[part] for part in sorted(filter(None, kept_by)))})" if partly else ""
        shown.append(name.replace(ESTIMATED, "").strip() + where)
    status = "estimated" if all(ESTIMATED in name for name in names) else "confirmed"
    return f'  {{ on = {day.isoformat()}, name = "{"; ".join(shown)}", status = "{status}" }},'


def text(seed: Seed) -> str:
    """Return the whole file."""
    found, weekend = named_days(seed)
    note = [f'note = "{seed.note}"'] if seed.note else []
    lines = [
        "# Written by scripts/freeze_calendars.py. Check it against the state's gazette before you rely on it.",
        f'id = "{seed.id}"',
        f'version = "holidays-{LIBRARY}/{REVISION}"',
        f'state = "{seed.state}"',
        f'zone = "{seed.zone}"',
        f"weekend = [{', '.join(chr(34) + WEEKDAYS[day] + chr(34) for day in sorted(weekend))}]",
        f"known_from = {date(FIRST_YEAR, 1, 1).isoformat()}",
        f"known_until = {date(seed.last_year, 12, 31).isoformat()}",
        f'source = "holidays {LIBRARY}, public holidays'
        + (f" of {', '.join(filter(None, seed.subdivisions))}" if any(seed.subdivisions) else "")
        + '"',
        *note,
        "days = [",
        *(row(day, names, seed) for day, names in sorted(found.items())),
        "]",
    ]
    return "\n".join(lines) + "\n"


def main(folder: Path = FOLDER) -> None:
    """Write every file below `folder`."""
    if version("holidays") != LIBRARY:
        raise SystemExit(f"this script freezes holidays {LIBRARY}; installed is {version('holidays')}")
    folder.mkdir(parents=True, exist_ok=True)
    for seed in SEEDS:
        path = folder / f"{seed.id}.toml"
        path.write_text(text(seed), encoding="utf-8")
        print(f"{path.name}: {path.read_text(encoding='utf-8').count('status =')} days")


if __name__ == "__main__":
    main()
