"""What is measured around the hop: HTTP submit, large messages, backlog, idling, growth; each beside what it must reach."""

import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import backlog
import growth
import idle
import psycopg
import submitting
from cryptography.hazmat.backends.openssl import backend
from goals import Figure
from hop import gateway_hop
from measure import Result, wait_until_quiet
from servers import Servers

LARGE = 200  # messages of 200 KB
LARGE_PER_S, SUBMIT_PER_S = 40.0, 300.0
EMBEDDED_PER_S = 200.0
DRAIN_OF_STEADY = 0.9
GROWN_MB = 10.0  # of a worker between the first fifth and the end of a backlog
P99_MS = {100: 100.0, 200: 200.0}  # by messages per second


def versions(on: Servers) -> dict[str, str]:
    """Return the versions of what takes part."""
    with psycopg.connect(on.postgres) as connection:
        found = connection.execute("SHOW server_version").fetchone()
    ctl = shutil.which("rabbitmqctl") or "/usr/sbin/rabbitmqctl"
    rabbitmq = subprocess.run([ctl, "version"], capture_output=True, text=True, timeout=60, check=True)
    return {
        "postgres": str(found[0]) if found else "",
        "rabbitmq": rabbitmq.stdout.strip().splitlines()[-1],
        "openssl": backend.openssl_version_text(),
        "sqlite": sqlite3.sqlite_version,
    }


def large(say: Callable[[str], None], on: Servers) -> dict[str, Any]:
    """Carry messages of 200 KB over RabbitMQ and PostgreSQL; return the row of results.json."""
    found: Result = gateway_hop("rabbitmq", LARGE, on=on, large=True)
    say(f"messages of 200 KB: {found.rate:.1f}/s, {found.cpu_us_per_message:.0f} us of CPU each")
    return {"rate": round(found.rate, 1), "cpu_us_per_message": round(found.cpu_us_per_message), "count": LARGE}


def measure(say: Callable[[str], None], on: Servers, *, messages: int, cases: int, steady: float) -> dict[str, Any]:
    """Measure everything; `messages` of the backlog, up to `cases` in the database; `steady`: the rate of the hop.

    Return the rows of results.json, each with whether the machine was quiet before it.
    """
    sizes = [size for size in growth.SIZES if size <= cases]
    works: Mapping[str, Callable[[], dict[str, Any]]] = {
        "idle": lambda: {name: one.as_dict() for name, one in idle.measure(say, on).items()},
        "http": lambda: submitting.measure(say, on),
        "large_message": lambda: large(say, on),
        "backlog": lambda: _of_steady(backlog.measure(say, on, messages), steady),
        "growth": lambda: growth.measure(say, on, sizes),
    }
    rows: dict[str, Any] = {}
    for name, work in works.items():
        quiet = wait_until_quiet()
        rows[name] = work() | {"quiet": quiet}
    return rows


def _of_steady(row: dict[str, Any], steady: float) -> dict[str, Any]:
    return row | {"of_steady": round(row["drain_per_s"] / steady, 2)}


def figures(rows: Mapping[str, Any], hops: Mapping[str, Mapping[str, Any]]) -> dict[str, Figure]:
    """Return what the table shows: every figure with what it must reach."""
    held = rows["backlog"]
    found = {
        f"p99_ms_at_{rate} {kind}": Figure(measured=row[f"p99_ms_at_{rate}"], goal=goal)
        for kind, row in hops.items()
        for rate, goal in P99_MS.items()
    }
    found |= {
        "embedded_per_s": Figure(measured=hops["embedded"]["rate"], goal=EMBEDDED_PER_S, at_least=True),
        "http_submit_per_s": Figure(measured=rows["http"]["submit_per_s"], goal=SUBMIT_PER_S, at_least=True),
        "large_message_per_s": Figure(measured=rows["large_message"]["rate"], goal=LARGE_PER_S, at_least=True),
        "backlog_of_steady": Figure(measured=held["of_steady"], goal=DRAIN_OF_STEADY, at_least=True),
        "backlog_grown_mb": Figure(
            measured=round(held["memory_at_the_end_mb"] - held["memory_after_a_fifth_mb"], 1), goal=GROWN_MB
        ),
    }
    found |= {
        f"idle_{name}": Figure(measured=one["measured"], goal=one["goal"])
        for name, one in rows["idle"].items()
        if name != "quiet"
    }
    return found | growth.figures({kind: row for kind, row in rows["growth"].items() if kind != "quiet"})


def verdicts(found: Mapping[str, Figure]) -> dict[str, Any]:
    """Return each figure with its goal and whether it is met, for results.json."""
    return {name: asdict(one) | {"met": one.met} for name, one in found.items()}
