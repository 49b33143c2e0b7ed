"""`make bench`: signing and sealing, then one hop, gateway against straight line, embedded and over RabbitMQ with PostgreSQL;
then the journal and the clock at scale, large attachments, and what is measured around the hop: HTTP submit,
messages of 200 KB, a backlog, an idle gateway, growth with the number of cases.

Gateway and prototype run alternately, so that both meet the same machine; the ratio is the median over the rounds. Then the
gateway alone at 100 and 200 messages per second, for latency. Writes results.json and prints a table. Begun by run.py.
"""

import argparse
import json
import os
import platform
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import around
import backlog
import clock
import goals
import prototype
import psutil
import record
import trust
from hop import SIZE, gateway_hop
from measure import Result, wait_until_quiet
from prototype import Kind
from rich.console import Console
from rich.table import Table
from servers import Servers, servers

RESULTS = Path(__file__).resolve().parent / "results.json"
KINDS: Sequence[Kind] = ("embedded", "rabbitmq")
OFFERED = (100.0, 200.0)  # messages per second, for latency
SECONDS_OFFERED = 10
MB_ALLOWED = 200  # resident memory of a worker
MB_OF_ATTACHMENTS = 100  # growth of the peak of memory by a message with 100 MiB of attachments
RATIO_WANTED = 0.4  # of the prototype's rate
# What the clock is to reach: microseconds, milliseconds, seconds.
CLOCK_WANTED = {
    "due_date_us calendar-days": 20,
    "due_date_us working-days": 20,
    "find_due_of_1000000_ms_sqlite": 50,
    "find_due_of_1000000_ms_postgres": 50,
    "recount_100000_s_sqlite": 60,
    "recount_100000_s_postgres": 60,
}

Run = Callable[[Kind, int, float], Result]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """What all runs of one kind say together."""

    gateway: Sequence[Result]  # at full speed, one per round
    baseline: Sequence[Result]  # same, the prototype
    offered: Sequence[Result]  # the gateway at each rate of `OFFERED`
    quiet: bool  # whether the machine was quiet before every run

    def ratio(self) -> float:
        return median(ours.rate / theirs.rate for ours, theirs in zip(self.gateway, self.baseline, strict=True))

    def rss_mb(self) -> float:
        return max(result.rss_mb for result in (*self.gateway, *self.offered))

    def as_dict(self) -> dict[str, Any]:
        """Return the row of results.json. Rates per second, times in ms, CPU in microseconds, memory in MiB."""
        return {
            "rate": round(median(result.rate for result in self.gateway), 1),
            "baseline_rate": round(median(result.rate for result in self.baseline), 1),
            "ratio": round(self.ratio(), 3),
            **{f"p50_ms_at_{rate:.0f}": round(one.p50_ms, 1) for rate, one in zip(OFFERED, self.offered, strict=True)},
            **{f"p99_ms_at_{rate:.0f}": round(one.p99_ms, 1) for rate, one in zip(OFFERED, self.offered, strict=True)},
            "cpu_us_per_message": round(median(result.cpu_us_per_message for result in self.gateway)),
            "baseline_cpu_us_per_message": round(median(result.cpu_us_per_message for result in self.baseline)),
            "rss_mb": round(self.rss_mb(), 1),
            "others_cores": round(max(result.others_cores for result in (*self.gateway, *self.baseline)), 2),
            "rounds": len(self.gateway),
            "quiet": self.quiet,
        }


def measure_hop(kind: Kind, *, count: int, rounds: int, gateway: Run, baseline: Run, say: Callable[[str], None]) -> Hop:
    """Run both alternately, each time after a wait for a quiet machine."""
    ours: list[Result] = []
    theirs: list[Result] = []
    quiet = True
    for number in range(1, rounds + 1):
        for name, run, results in (("prototype", baseline, theirs), ("gateway", gateway, ours)):
            quiet &= wait_until_quiet()
            results.append(run(kind, count, 0))
            say(f"{kind} {number}/{rounds} {name}: {results[-1].rate:.0f} messages/s")
    offered = []
    for rate in OFFERED:
        quiet &= wait_until_quiet()
        offered.append(one := gateway(kind, int(rate * SECONDS_OFFERED), rate))
        say(f"{kind} gateway at {rate:.0f}/s: p50 {one.p50_ms:.1f} ms, p99 {one.p99_ms:.1f} ms")
    return Hop(gateway=ours, baseline=theirs, offered=offered, quiet=quiet)


def machine() -> dict[str, Any]:
    """Say what was measured on: enough to judge a figure, nothing that names the machine."""
    return {
        "cpu": _cpu_name(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": platform.system(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }


def _cpu_name() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def table(rows: dict[str, dict[str, Any]]) -> Table:
    """Return the figures as a table; what misses its goal is red."""
    caption = "rate: messages/s, gateway and straight line; p50, p99: ms at 100/s; CPU: us per message; memory: MiB"
    drawn = Table("hop", title="One hop, a 6 KB application", caption=caption)
    for heading in ("rate", "straight", "ratio", "p50", "p99", "CPU", "straight", "memory"):
        drawn.add_column(heading, justify="right")
    for kind, row in rows.items():
        ratio = f"[{'green' if row['ratio'] >= RATIO_WANTED else 'red'}]{row['ratio']:.2f}[/]"
        memory = f"[{'green' if row['rss_mb'] < MB_ALLOWED else 'red'}]{row['rss_mb']:.0f}[/]"
        speeds = f"{row['rate']:.0f}", f"{row['baseline_rate']:.0f}"
        times = f"{row['p50_ms_at_100']:.1f}", f"{row['p99_ms_at_100']:.1f}"
        cpu = str(row["cpu_us_per_message"]), str(row["baseline_cpu_us_per_message"])
        drawn.add_row(kind if row["quiet"] else f"{kind} (not quiet)", *speeds, ratio, *times, *cpu, memory)
    return drawn


def clock_table(row: dict[str, Any]) -> Table:
    """Return the figures of the clock as a table; what misses its goal is red."""
    drawn = Table("clock", "measured", "goal", title="The clock")
    for name, goal in CLOCK_WANTED.items():
        value = row["due_date_us"][name.partition(" ")[2]] if name.startswith("due_date_us ") else row[name]
        drawn.add_row(name, f"[{'green' if value <= goal else 'red'}]{value}[/]", f"at most {goal}")
    return drawn


def attachments() -> dict[str, Any]:
    """Send 100 MiB in a process of its own: its peak of memory is not that of what ran before."""
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("attachments.py"))], capture_output=True, check=True, timeout=600
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> int:
    """Measure, write and print; a goal that is missed is said in words."""
    parser = argparse.ArgumentParser(description="Measure one hop, gateway against straight line.")
    parser.add_argument("--count", type=int, default=3000, help="messages of one run at full speed")
    parser.add_argument("--rounds", type=int, default=3, help="alternations of prototype and gateway")
    parser.add_argument("--backlog", type=int, default=backlog.COUNT, help="messages of the backlog; 100000 in a full run")
    parser.add_argument("--cases", type=int, default=100_000, help="cases that growth is measured up to; 1000000 in a full run")
    parser.add_argument("--only", choices=KINDS, help="one kind of hop only; results.json is then left alone")
    given = parser.parse_args()
    console = Console()
    kinds = [given.only] if given.only else KINDS
    rows: dict[str, dict[str, Any]] = {}
    trusted = trust.measure(console.print) if not given.only else {}
    with ExitStack() as stack:
        on: Servers | None = stack.enter_context(servers()) if "rabbitmq" in kinds else None
        for kind in kinds:
            hop = measure_hop(
                kind,
                count=given.count,
                rounds=given.rounds,
                gateway=lambda kind, count, rate: gateway_hop(kind, count, rate, on=on),
                baseline=lambda kind, count, rate: prototype.run(kind, count, rate, on=on),
                say=console.print,
            )
            rows[kind] = hop.as_dict()
        whole = on is not None and not given.only
        recorded, beside = record.measure(console.print, on) if on is not None and whole else ({}, {})
        ticking = clock.measure(console.print, on) if on is not None and whole else {}
        rows_around, named = {}, {}
        if on is not None and whole:
            named = around.versions(on)
            steady = rows["rabbitmq"]["rate"]
            rows_around = around.measure(console.print, on, messages=given.backlog, cases=given.cases, steady=steady)
    console.print(table(rows))
    if whole:
        console.print(goals.drawn("Trust", trusted))
        console.print(goals.drawn("Journal", recorded))
        console.print(clock_table(ticking))
        reached = around.figures(rows_around, rows)
        console.print(goals.drawn("Around the hop", reached))
        large = attachments()
        console.print(f"attachments of {large['megabytes']} MB: the peak of memory grew by {large['grown_mb']} MB")
        if large["grown_mb"] >= MB_OF_ATTACHMENTS:
            console.print(f"[red]attachments: allowed are {MB_OF_ATTACHMENTS} MB[/]")
        document = {
            "machine": machine() | named,
            "sizes": {"message_bytes": SIZE, "messages_of_a_run": given.count, "backlog": given.backlog, "cases": given.cases},
            "hop": rows["rabbitmq"],
            "hop_embedded": rows["embedded"],
            "trust": trust.as_dict(trusted),
            "journal": record.as_dict(recorded, beside),
            "clock": ticking,
            "attachments": large,
            **rows_around,
            "reached": around.verdicts(reached),
        }
        RESULTS.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    for kind, row in rows.items():
        if row["ratio"] < RATIO_WANTED:
            console.print(f"[red]{kind}: ratio {row['ratio']:.2f}, the first goal is {RATIO_WANTED}[/]")
        if row["rss_mb"] >= MB_ALLOWED:
            console.print(f"[red]{kind}: a worker took {row['rss_mb']:.0f} MB, allowed are {MB_ALLOWED}[/]")
    return 0
