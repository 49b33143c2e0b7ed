"""Submit through HTTP: `gateway run api` with its uvicorn, PostgreSQL, and clients that keep their connections.

First one process for the API and eight clients, then two that share a port and thirty-two: the more are at work at once, the
more stand in one batch.

Each request hands in one 6 KB application in Austria's format and is answered 201 after the commit. The load comes from a
process of its own on the same processors.

    python benchmarks/submitting.py           # prints the figures
"""

import http.client
import json
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hop import DIALECT, document
from idle import HOME, serving
from measure import percentile, tree_cpu_seconds
from servers import Servers, servers

from gateway.settings import Settings
from gateway.store import accounts
from gateway.store.database import open_engine, transaction, upgrade
from gateway.trust.devca import make_development_keys
from gateway.wiring import build

WAYS = ((1, 8), (1, 32), (2, 32))  # processes that share the port, clients
COUNT = 2_000
WARM_UP = 40  # requests of each client before the measured ones


def _client(url: str, key: str, body: bytes, count: int) -> list[float]:
    """Hand in `count` messages one after the other; return the seconds of each."""
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=60)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    times = []
    for _ in range(count):
        began = time.perf_counter()
        connection.request("POST", f"/api/v1/messages?dialect={DIALECT}", body, headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status not in {HTTPStatus.CREATED, HTTPStatus.ACCEPTED}:
            raise RuntimeError(f"a message was answered {answer.status}")
        times.append(time.perf_counter() - began)
    connection.close()
    return times


def load(url: str, key: str, body: bytes, count: int, clients: int) -> tuple[float, list[float]]:
    """Hand in from all clients at once; return messages per second and the seconds of each."""
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(lambda _: _client(url, key, body, WARM_UP), range(clients)))
        began = time.perf_counter()
        found = list(pool.map(lambda _: _client(url, key, body, count // clients), range(clients)))
        seconds = time.perf_counter() - began
    times = [one for each in found for one in each]
    return len(times) / seconds, times


def _body(folder: Path) -> bytes:
    """Return what is handed in."""
    make_development_keys(folder, [HOME], datetime.now(UTC))
    settings = Settings(home=(HOME,), keys=folder, broker="memory", database=f"sqlite:///{folder}/unused.sqlite3")
    rt = build(settings, prepare_database=True)
    body = document(rt).fresh()
    rt.engine.dispose()
    return body


def measure(say: Callable[[str], None], on: Servers, count: int = COUNT) -> dict[str, Any]:
    """Return the row of results.json: the fastest way, and all of them."""
    ways = [_way(say, on, count, processes, clients) for processes, clients in WAYS]
    return max(ways, key=lambda way: way["submit_per_s"]) | {"ways": ways}


def _way(say: Callable[[str], None], on: Servers, count: int, processes: int, clients: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="gateway-bench-") as folder, ExitStack() as stack:
        database = on.fresh_database("submitting")
        engine = open_engine(database)
        upgrade(engine)
        now = datetime.now(UTC)
        with transaction(engine) as tx:
            key = accounts.add_api_key(tx, authority=HOME, scopes=("submit",), at=now, ends_at=now + timedelta(days=1))
        engine.dispose()
        body = _body(Path(folder) / "other")
        pids, url, port = [], "", 0
        for number in range(processes):
            place = Path(folder) / str(number)
            place.mkdir()
            started = serving(place, database=database, broker=on.amqp, parts=("run", "api"), port=port)
            pid, url = stack.enter_context(started)
            port = urlsplit(url).port or 0
            pids.append(pid)
        before = sum(map(tree_cpu_seconds, pids))
        rate, times = load(url, key, body, count, clients)
        used = sum(map(tree_cpu_seconds, pids)) - before
    found = {
        "submit_per_s": round(rate, 1),
        "p50_ms": round(percentile(times, 0.5) * 1e3, 1),
        "p99_ms": round(percentile(times, 0.99) * 1e3, 1),
        "cpu_us_per_message": round(used / (len(times) + clients * WARM_UP) * 1e6),
        "bytes": len(body),
        "processes": processes,
        "clients": clients,
    }
    say(f"through HTTP: {found}")
    return found


if __name__ == "__main__":
    with servers() as both:
        print(json.dumps(measure(print, both), indent=2))
