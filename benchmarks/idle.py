"""What a gateway costs that has nothing to do: `gateway serve` with API, pages and all loops, as it is run.

python benchmarks/idle.py             # about a minute: SQLite with the embedded queue, then PostgreSQL and RabbitMQ
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psutil
from goals import Figure
from measure import tree_cpu_seconds
from servers import Servers, servers

from gateway.store.database import open_engine, upgrade
from gateway.trust.devca import make_development_keys

HOME = "AT-BMI"
START_SECONDS = 60
SETTLE_SECONDS = 5.0  # what is done once after the start is not idling
SECONDS = 30.0
WANTED = {"memory_mb": 120.0, "core_percent": 1.0}


@contextmanager
def serving(
    folder: Path, *, database: str, broker: str, parts: Sequence[str] = ("serve",), port: int = 0
) -> Iterator[tuple[int, str]]:
    """Run `gateway serve`, or other `parts`, as an installation does; yield its process id and the address of its API.

    Others may share its port.
    """
    config = folder / "gateway.toml"
    keys = folder / "keys"
    make_development_keys(keys, [HOME, "RS-MUP"], datetime.now(UTC))
    config.write_text(
        f'home = ["{HOME}"]\nkeys = "{keys}"\ndatabase = "{database}"\nbroker = "{broker}"\nport = {port}\n'
        "share_port = true\nlog_json = true\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "gateway", *parts, "--json", "--config", str(config)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, cwd=folder)
        try:
            assert process.stdout is not None
            said = ""
            for line in process.stdout:  # it says where it listens once it does
                said += line
                if line.rstrip() == "}":
                    break
            else:
                raise RuntimeError("the gateway did not start: " + (folder / "log").read_text(encoding="utf-8")[-500:])
            yield process.pid, json.loads(said)["url"]
        finally:
            process.terminate()
            process.wait(START_SECONDS)


def look(pid: int) -> tuple[float, float, float]:
    """Look at a process that has nothing to do, with its children.

    Return its resident memory in MiB, the same with what processes share divided among them, its share of one core in percent.
    """
    time.sleep(SETTLE_SECONDS)
    before, began = tree_cpu_seconds(pid), time.monotonic()
    time.sleep(SECONDS)
    used, passed = tree_cpu_seconds(pid) - before, time.monotonic() - began
    whole = psutil.Process(pid)
    each = [one.memory_full_info() for one in (whole, *whole.children(recursive=True))]
    resident, divided = sum(one.rss for one in each), sum(one.pss for one in each)
    return round(resident / 2**20, 1), round(divided / 2**20, 1), round(used / passed * 100, 2)


def measure(say: Callable[[str], None], on: Servers) -> Mapping[str, Figure]:
    """Measure both kinds of installation."""
    figures: dict[str, Figure] = {}
    for kind in ("embedded", "rabbitmq"):
        with tempfile.TemporaryDirectory(prefix="gateway-bench-") as folder:
            database, broker = f"sqlite:///{folder}/idle.sqlite3", "embedded"
            if kind == "rabbitmq":
                database, broker = on.fresh_database("idle"), on.amqp
                engine = open_engine(database)
                upgrade(engine)
                engine.dispose()
            with serving(Path(folder), database=database, broker=broker) as (pid, _):
                memory, divided, share = look(pid)
        figures[f"memory_mb_{kind}"] = Figure(measured=memory, goal=WANTED["memory_mb"])
        figures[f"core_percent_{kind}"] = Figure(measured=share, goal=WANTED["core_percent"])
        say(f"idle, {kind}: {memory} MB ({divided} MB with what is shared divided), {share} % of a core")
    return figures


if __name__ == "__main__":
    with servers() as both:
        print(json.dumps({name: one.as_dict() for name, one in measure(print, both).items()}, indent=2))
