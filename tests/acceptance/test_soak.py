"""The short soak: what `make soak` does at length, within a minute or two. docs/soak.md says what is injected and checked."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.transport.node import find_server

ROOT = Path(__file__).resolve().parents[2]
SEED = 20261126


@pytest.mark.postgres
@pytest.mark.rabbitmq
@pytest.mark.timeout(900)
@pytest.mark.skipif(find_server() is None, reason="RabbitMQ is not there: the soak needs a node of its own")
def test_nothing_is_lost_and_nothing_doubled_while_everything_fails(tmp_path: Path) -> None:
    out = tmp_path / "soak.json"
    done = subprocess.run(
        [sys.executable, "-m", "soak", "--short", "--seed", str(SEED), "--out", str(out)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (ROOT / "benchmarks", ROOT)))},
        capture_output=True,
        encoding="utf-8",
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(out.read_text(encoding="utf-8"))
    assert found["kills"] > 0
    assert found["accepted"] == found["delivered"] > 0
    assert {name: found[name] for name in ("lost", "doubled", "receipts_without_message", "messages_without_receipt")} == {
        "lost": 0,
        "doubled": 0,
        "receipts_without_message": 0,
        "messages_without_receipt": 0,
    }
