"""`python -m soak`: run a soak and write down what came of it. Exit 1 when anything was found.

PYTHONPATH=benchmarks:. python -m soak --kills 1000 --seconds 1200 --seed 7 --out benchmarks/soak.json
PYTHONPATH=benchmarks:. python -m soak --short
"""

import argparse
import json
import secrets
import signal
import sys
import time
from pathlib import Path

from soak.run import Outcome, Plan, soak

ONE_EACH = ("api", "consume", "deliver", "watch")


def short(seed: int) -> Plan:
    """Return the plan of the short version: a few dozen kills, each fault once and briefly."""
    return Plan(
        seed=seed,
        kills=30,
        seconds=60,
        pause=(0.5, 1.5),
        rate=2,
        flood=20,
        length=1,
        judged=False,
        parts=ONE_EACH,
        without=frozenset({"queue-full"}),  # rabbitmqctl takes many seconds to start
        hurry=True,
    )


def full(seed: int, kills: int, seconds: float) -> Plan:
    """Return the plan of the full run; its loops run in two processes each."""
    return Plan(
        seed=seed,
        kills=kills,
        seconds=seconds,
        pause=(0.2, 1.0),
        rate=2,
        flood=100,
        length=6,
        judged=True,
        parts=(*ONE_EACH, "consume", "deliver"),
        without=frozenset(),
        hurry=False,
    )


def results(plan: Plan, outcome: Outcome) -> dict[str, object]:
    """Return what benchmarks/soak.json holds."""
    verdict = outcome.verdict
    return {
        "kills": outcome.kills.total(),
        "faults": dict(outcome.faults),
        "accepted": verdict.accepted,
        "delivered": verdict.delivered,
        "lost": len(verdict.lost),
        "doubled": len(verdict.doubled),
        "receipts_without_message": len(verdict.receipts_without_message),
        "messages_without_receipt": len(verdict.messages_without_receipt),
        "seed": plan.seed,
        "seconds": round(outcome.seconds),
        "kills_by_part": dict(outcome.kills),
        "ended_by_themselves": dict(outcome.exits),
        "last_words": dict(outcome.last_words),
        "hand_ins_repeated": outcome.repeats,
        "findings": outcome.findings,
        "machine": outcome.machine,
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=1500, help="bound of the time in which processes are killed")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--short", action="store_true", help="a few dozen kills, each fault once and briefly")
    parser.add_argument("--out", type=Path, help="file for the results")
    arguments = parser.parse_args()
    began = time.monotonic()
    plan = short(arguments.seed) if arguments.short else full(arguments.seed, arguments.kills, arguments.seconds)
    print(f"seed {plan.seed}", flush=True)
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(1))  # servers and file systems are given back
    outcome = soak(plan, lambda text: print(f"{time.monotonic() - began:6.0f} s  {text}", flush=True))
    told = results(plan, outcome)
    print(json.dumps(told, indent=2))
    if arguments.out:
        arguments.out.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    return 1 if outcome.findings else 0


if __name__ == "__main__":
    sys.exit(main())
