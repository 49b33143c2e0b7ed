"""A simulation of growth: 100 states, 10 million messages a year, 5 years kept. docs/scale.md quotes what it prints.

What one message costs is measured and stands in scale.json, with the date; what the year looks like is assumed and stands
below. From both follow the load of the busiest hour and second, rows, bytes and times, and what reaches its limit first.

    python benchmarks/scale.py             # print the tables from scale.json
    python benchmarks/scale.py --measure   # measure rows and bytes of a message again (PostgreSQL, about a minute)
    python benchmarks/scale.py --write     # put the tables into docs/scale.md
"""

import argparse
import asyncio
import json
import logging
import random
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

HERE = Path(__file__).resolve().parent
MEASURED = HERE / "scale.json"
RESULTS = HERE / "results.json"
DOCUMENT = HERE.parent / "docs" / "scale.md"
BEGIN, END = "<!-- benchmarks/scale.py writes from here -->", "<!-- to here -->"

STATES = 100
MESSAGES_A_YEAR = 10_000_000  # each is sent once and received once; receipts are on top
YEARS = 5
MESSAGES_A_CASE = 8  # application, questions, reply, transfer, records; both directions
OPEN_DAYS = 40  # a case is open so long
YEAR = 2026
MONTHS = (0.85, 0.90, 1.00, 1.00, 1.05, 1.10, 1.15, 1.15, 1.10, 1.00, 0.90, 0.80)  # summers are busier
WEEKDAYS = (1.45, 1.35, 1.30, 1.25, 1.15, 0.30, 0.20)  # Monday first
HOURS = (0.1,) * 6 + (
    0.3,
    1.0,
    2.4,
    3.0,
    2.8,
    2.4,
    1.6,
    2.2,
    2.4,
    2.0,
    1.4,
    0.7,
    0.4,
    0.3,
    0.2,
    0.2,
    0.1,
    0.1,
)  # all in one zone
GROUP = 20  # national systems hand in groups; on average so many messages come at one instant
SURGE = 10  # a crisis: so many times the load of an ordinary busiest hour
OUTAGE_HOURS = 72  # a partner is away over a long weekend, beginning in the busiest hour
ZIPF = 1.0  # how unequal states are: the n-th has 1/n of the first one's share


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one message costs on one side, receipt included, handled alone: batches need less."""

    on: str  # day of the measurement
    rows: float  # of all tables
    bytes: float  # of the database, indexes included
    journal_rows: float
    documents_bytes: float  # of `bytes`
    cpu_us: float  # both sides, servers included (results.json, hop)
    rate: float  # messages a second of one hop on two cores (results.json, hop)
    sealed_bytes: float  # what waits at a broker
    verify_us: float  # of one journal entry on PostgreSQL (docs/performance.md)


@dataclass(frozen=True, slots=True, kw_only=True)
class Year:
    """What the year looks like."""

    mean_per_s: float
    busiest_hour_per_s: float
    busiest_second: int
    busiest_day: int  # messages
    outage: float  # share of a year's messages in the hours of an outage


def year() -> Year:
    """Return the load of the year; the busiest hour is played second by second, from a fixed seed."""
    day, weights = date(YEAR, 1, 1), []
    while day.year == YEAR:
        weights += [MONTHS[day.month - 1] * WEEKDAYS[day.weekday()] * hour for hour in HOURS]
        day += timedelta(days=1)
    whole = sum(weights)
    place = max(range(len(weights)), key=weights.__getitem__)
    busiest = MESSAGES_A_YEAR * weights[place] / whole / 3600
    days = [sum(weights[first : first + 24]) for first in range(0, len(weights), 24)]
    chance = random.Random(1)  # a simulation: the same numbers each time
    seconds: Counter[int] = Counter()
    now = 0.0
    while (now := now + chance.expovariate(busiest / GROUP)) < 3600:  # seconds
        seconds[int(now)] += max(1, round(chance.expovariate(1 / GROUP)))
    return Year(
        mean_per_s=MESSAGES_A_YEAR / (365 * 86_400),
        busiest_hour_per_s=busiest,
        busiest_second=max(seconds.values()),
        busiest_day=round(MESSAGES_A_YEAR * max(days) / whole),
        outage=sum(weights[place : place + OUTAGE_HOURS]) / whole,
    )


def largest_share() -> float:
    """Return the share of all messages that the largest state sends or receives."""
    shares = [1 / number**ZIPF for number in range(1, STATES + 1)]
    first = shares[0] / sum(shares)
    return 1 - (1 - first) ** 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One installation: how many sides of messages it holds a year."""

    name: str
    sides: float


def places() -> tuple[Place, ...]:
    """Return the installations that are looked at: each message has two sides."""
    all_shares = sum(1 / number**ZIPF for number in range(1, STATES + 1))
    median = 1 / (STATES / 2) ** ZIPF / all_shares
    return (
        Place(name="median state", sides=MESSAGES_A_YEAR * 2 * median),
        Place(name="largest state", sides=MESSAGES_A_YEAR * largest_share()),
        Place(name="one installation for all", sides=MESSAGES_A_YEAR * 2),
    )


def load_table(of: Year, measured: Measured) -> list[str]:
    """Return, for each kind of installation, what the years bring."""
    lines = [
        "| | " + " | ".join(place.name for place in places()) + " |",
        "|---|" + "---|" * len(places()),
    ]
    rows: Sequence[tuple[str, list[str]]] = (
        ("sides of messages a year", [f"{place.sides:,.0f}" for place in places()]),
        ("messages a second, mean", [f"{of.mean_per_s * _part(place):.3f}" for place in places()]),
        ("messages a second, busiest hour", [f"{of.busiest_hour_per_s * _part(place):.2f}" for place in places()]),
        ("the same in a crisis", [f"{of.busiest_hour_per_s * SURGE * _part(place):.1f}" for place in places()]),
        (
            "cores in the busiest hour",
            [f"{of.busiest_hour_per_s * place.sides / MESSAGES_A_YEAR * measured.cpu_us / 2 / 1e6:.3f}" for place in places()],
        ),
        (
            "cores in a crisis",
            [
                f"{of.busiest_hour_per_s * SURGE * place.sides / MESSAGES_A_YEAR * measured.cpu_us / 2 / 1e6:.2f}"
                for place in places()
            ],
        ),
        ("cases after five years", [f"{_cases(place):,.0f}" for place in places()]),
        ("of these open", [f"{_cases(place) / YEARS / 365 * OPEN_DAYS:,.0f}" for place in places()]),
        ("rows after five years, million", [f"{place.sides * YEARS * measured.rows / 1e6:,.0f}" for place in places()]),
        ("database after five years, GB", [f"{place.sides * YEARS * measured.bytes / 1e9:,.0f}" for place in places()]),
        ("journal after five years, million entries", [f"{_entries(place, measured) / 1e6:,.0f}" for place in places()]),
        ("verifying the whole journal, hours", [f"{_verify_hours(place, measured):.1f}" for place in places()]),
        (
            f"a partner away for {OUTAGE_HOURS} hours: messages that wait, at most",
            [f"{_waiting(place, of):,.0f}" for place in places()],
        ),
        (
            "the same, GB at the broker",
            [f"{_waiting(place, of) * measured.sealed_bytes / 1e9:.2f}" for place in places()],
        ),
        ("minutes to work it off", [f"{_waiting(place, of) / measured.rate / 60:.1f}" for place in places()]),
    )
    return lines + [f"| {name} | " + " | ".join(values) + " |" for name, values in rows]


def _part(place: Place) -> float:
    """Return the share of all messages that touch the installation."""
    return min(1.0, place.sides / MESSAGES_A_YEAR)


def _cases(place: Place) -> float:
    return place.sides / MESSAGES_A_CASE * YEARS


def _entries(place: Place, measured: Measured) -> float:
    return place.sides * YEARS * measured.journal_rows


def _verify_hours(place: Place, measured: Measured) -> float:
    return _entries(place, measured) * measured.verify_us / 1e6 / 3600


def _waiting(place: Place, of: Year) -> float:
    """Return what waits for the partner that has most to do with the installation: half of its messages, taken high."""
    return place.sides / 2 * of.outage * 0.5


# What an installation of two cores, 24 GB and one disk can bear.
DISK_GB = 1_000
VERIFY_HOURS = 8.0  # one night
CASES_MEASURED = 1_000_000  # growth was measured up to here


def limits_table(of: Year, measured: Measured) -> list[str]:
    """Return what reaches its limit at how many messages a year, the first one first, for one installation for all states."""
    whole = Place(name="all", sides=MESSAGES_A_YEAR * 2)
    need = {
        f"verifying the whole journal within a night ({VERIFY_HOURS:.0f} h), all {YEARS} years of it": (
            _verify_hours(whole, measured) / VERIFY_HOURS
        ),
        f"database and its indexes on a disk of {DISK_GB:,} GB": whole.sides * YEARS * measured.bytes / 1e9 / DISK_GB,
        f"cases in one database as measured for pages ({CASES_MEASURED:,})": _cases(whole) / CASES_MEASURED,
        "CPU of two cores in the busiest hour": of.busiest_hour_per_s / measured.rate,
        f"CPU of two cores in a crisis ({SURGE} times the busiest hour)": of.busiest_hour_per_s * SURGE / measured.rate,
        "the busiest second is worked off within a second": of.busiest_second / measured.rate,
    }
    lines = ["| limit | used at 10 million a year | reached at, million messages a year |", "|---|---|---|"]
    for name, used in sorted(need.items(), key=lambda item: -item[1]):
        lines.append(f"| {name} | {used * 100:,.1f} % | {MESSAGES_A_YEAR / used / 1e6:,.1f} |")
    return lines


def inputs_table(of: Year, measured: Measured) -> list[str]:
    """Return what was measured, and what follows for the year."""
    return [
        f"| measured on {measured.on} | |",
        "|---|---|",
        f"| rows written for one side of a message, receipt included | {measured.rows:.1f} |",
        f"| bytes of the database for it, indexes included | {measured.bytes:,.0f} |",
        f"| of these, documents | {measured.documents_bytes:,.0f} |",
        f"| journal entries for it | {measured.journal_rows:.1f} |",
        f"| bytes that wait at a broker | {measured.sealed_bytes:,.0f} |",
        f"| CPU of a message, both sides and servers, microseconds | {measured.cpu_us:,.0f} |",
        f"| messages a second of one hop on two cores | {measured.rate:.0f} |",
        f"| verifying one journal entry, microseconds | {measured.verify_us:.1f} |",
        "",
        "| of the year | |",
        "|---|---|",
        f"| messages a second, mean | {of.mean_per_s:.2f} |",
        f"| busiest hour, times the mean | {of.busiest_hour_per_s / of.mean_per_s:.1f} |",
        f"| messages a second in it | {of.busiest_hour_per_s:.2f} |",
        f"| busiest second of that hour, messages | {of.busiest_second} |",
        f"| busiest day, messages | {of.busiest_day:,} |",
        f"| share of the year in {OUTAGE_HOURS} hours from the busiest hour on | {of.outage * 100:.2f} % |",
    ]


def report(measured: Measured) -> str:
    """Return the tables as docs/scale.md holds them."""
    of = year()
    return "\n\n".join("\n".join(each(of, measured)) for each in (inputs_table, load_table, limits_table))


def written(text: str, tables: str) -> str:
    """Return the document with these tables in their place."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{tables}\n\n{END}{after}"


def read() -> Measured:
    return Measured(**json.loads(MEASURED.read_text(encoding="utf-8")))


def measure(count: int = 200) -> Measured:
    """Send messages one by one between two authorities on one PostgreSQL database; count rows and bytes when it is tidied."""
    import growth  # noqa: PLC0415  # what only measuring needs
    import structlog  # noqa: PLC0415
    from servers import servers  # noqa: PLC0415
    from sqlalchemy import text  # noqa: PLC0415

    from gateway.settings import Settings  # noqa: PLC0415
    from gateway.trust.devca import make_development_keys  # noqa: PLC0415
    from gateway.wiring import build, utc_now  # noqa: PLC0415

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    results = json.loads(RESULTS.read_text(encoding="utf-8"))

    async def send(rt: growth.Runtime) -> None:
        await rt.transport.open((growth.ASKING, growth.ASKED))
        for _ in range(count):
            growth.hand_in(rt, 1)
            await growth.carry(rt)
        await rt.transport.close()

    def sizes(rt: growth.Runtime) -> Mapping[str, tuple[int, int]]:
        with rt.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM FULL ANALYZE"))
            names = [row[0] for row in connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))]
            return {
                name: (
                    connection.execute(text(f'SELECT count(*) FROM "{name}"')).scalar_one(),
                    connection.execute(text("SELECT pg_total_relation_size(:name)"), {"name": name}).scalar_one(),
                )
                for name in names
            }

    with tempfile.TemporaryDirectory(prefix="gateway-bench-") as folder, servers() as on:
        keys = Path(folder) / "keys"
        make_development_keys(keys, [growth.ASKING, growth.ASKED], datetime.now(UTC))
        home = (growth.ASKING, growth.ASKED)
        rt = build(
            Settings(home=home, keys=keys, database=on.fresh_database("scale"), broker="embedded"),
            clock=utc_now,
            prepare_database=True,
        )
        before = sizes(rt)
        asyncio.run(send(rt))
        after = sizes(rt)
        with growth.reading(rt.engine) as tx:
            sealed = tx.execute(text("SELECT avg(length(body)) FROM documents WHERE kind = 'signed'")).scalar_one()
        rt.engine.dispose()
    sides = count * 2
    grown = {name: (after[name][0] - before[name][0], after[name][1] - before[name][1]) for name in after}
    return Measured(
        on=datetime.now(UTC).date().isoformat(),
        rows=round(sum(rows for rows, _ in grown.values()) / sides, 2),
        bytes=round(sum(size for _, size in grown.values()) / sides),
        journal_rows=round(grown["journal"][0] / sides, 2),
        documents_bytes=round(grown["documents"][1] / sides),
        cpu_us=results["hop"]["cpu_us_per_message"],
        rate=results["hop"]["rate"],
        sealed_bytes=round(float(sealed)),
        verify_us=17.8,
    )


def main() -> None:
    options = argparse.ArgumentParser(description="Simulate five years of 100 states.")
    options.add_argument("--measure", action="store_true")
    options.add_argument("--write", action="store_true")
    given = options.parse_args()
    if given.measure:
        MEASURED.write_text(json.dumps(asdict(measure()), indent=2) + "\n", encoding="utf-8")
    tables = report(read())
    print(tables)
    if given.write:
        DOCUMENT.write_text(written(DOCUMENT.read_text(encoding="utf-8"), tables), encoding="utf-8")


if __name__ == "__main__":
    main()
