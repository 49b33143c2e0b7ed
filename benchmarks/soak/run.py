"""One soak: load, kills and faults side by side; after each fault, and at the end, the books are compared."""

import json
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import psycopg

from gateway.transport import topology
from soak import parcels
from soak.books import at_rest, read, settled
from soak.faults import FAULTS, Scene
from soak.fleet import Fleet
from soak.installation import SILENT, Installations, Side, installations
from soak.invariants import Verdict, judge
from soak.machine import machine
from soak.papers import papers
from soak.systems import Systems

SETTLE_SECONDS = 420.0  # most that is waited for what was accepted before a fault ended: a clock that was ahead left leases
REST_SECONDS = 600.0  # the same at the end, for everything
LOOK_SECONDS = 0.5
WHILE_STARTING = 0.1  # share of the processes picked while they start that are killed all the same
FIRST_SECONDS = 90.0  # until the first message is through


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a soak does. The seed decides which process is killed and when, and where faults strike."""

    seed: int
    kills: int
    seconds: float  # bound of the time in which it kills; what is left of the kills is left out
    pause: tuple[float, float]  # seconds between two kills, least and most
    rate: float  # applications a second
    flood: int  # applications at once, when a partner floods
    length: float  # of an outage, seconds
    judged: bool  # whether the books are compared after each fault, or at the end alone
    parts: tuple[str, ...]  # processes of each gateway
    without: frozenset[str]  # faults that are left out
    hurry: bool  # whether the clocks jump at the end, so that nobody waits for leases of the dead


@dataclass(slots=True)
class Outcome:
    """What came of it."""

    verdict: Verdict = field(default_factory=Verdict)
    kills: Counter[str] = field(default_factory=Counter)
    exits: Counter[str] = field(default_factory=Counter)
    last_words: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)
    repeats: int = 0
    machine: Mapping[str, object] = field(default_factory=dict)
    seconds: float = 0.0


def soak(plan: Plan, say: Callable[[str], None]) -> Outcome:
    """Run it; `say` is told what goes on."""
    outcome, began = Outcome(), time.monotonic()
    with installations() as at:
        fleet = Fleet()
        systems = Systems(at.sides["west"], at.sides["east"], papers(at.folder / "keys"), rate=plan.rate)
        chance = random.Random(plan.seed)
        scene = Scene(at=at, fleet=fleet, systems=systems, chance=chance, length=plan.length, flood=plan.flood)
        for side in at.sides.values():
            parcels.capture(side)
            fleet.add(side.name, side.config, side.clock_file, at.folder, plan.parts)
        parcels.declare(at.node.url, SILENT)
        try:
            fleet.start()
            _wait(lambda: len(fleet.started()) == len(fleet.workers), FIRST_SECONDS)
            systems.start()
            _wait(lambda: _one_through(systems, at), FIRST_SECONDS)
            _torment(plan, scene, outcome, say)
            systems.finish()
            if plan.hurry:
                FAULTS["clocks-forward"](scene)
            rested = _wait(lambda: at_rest(systems.ledger, at.sides.values()), REST_SECONDS)
            outcome.verdict = _last_look(scene, rested=rested)
        finally:
            systems.close()
            fleet.close()
        outcome.kills, outcome.exits, outcome.repeats = fleet.kills, fleet.exits, systems.ledger.repeats
        outcome.last_words = fleet.last_words
        for side in at.sides.values():
            outcome.findings += _journal(side)
        if not plan.hurry:
            outcome.machine = machine(at.postgres, at.node)
    outcome.findings += outcome.verdict.sentences()
    outcome.seconds = time.monotonic() - began
    return outcome


def _one_through(systems: Systems, at: Installations) -> bool:
    return bool(known := systems.ledger.known()) and settled(known[:1], at.sides.values())


def _torment(plan: Plan, scene: Scene, outcome: Outcome, say: Callable[[str], None]) -> None:
    """Kill and fault side by side, until the kills are done (and each fault once) or the time is over."""
    end = time.monotonic() + plan.seconds
    killed = threading.Event()
    killer = threading.Thread(target=_kill, args=(plan, scene.fleet, end, killed), daemon=True)
    killer.start()
    order = [name for name in FAULTS if name not in plan.without]
    if not scene.at.disk.mounted:
        order.remove("disk-full")
        say("disk-full is left out: no file system may be mounted here")
    while not killed.is_set() or outcome.faults.total() < len(order):
        name = order[outcome.faults.total() % len(order)]
        say(f"{scene.fleet.kills.total()} kills, {len(scene.systems.ledger.known())} accepted; {name}")
        FAULTS[name](scene)
        outcome.faults[name] += 1
        if plan.judged:
            outcome.findings += [f"after {name}: {each}" for each in _look(scene)]
        if time.monotonic() > end + SETTLE_SECONDS:
            break
    killer.join()


def _kill(plan: Plan, fleet: Fleet, end: float, done: threading.Event) -> None:
    chance = random.Random(f"kills {plan.seed}")
    left = plan.kills
    while left and time.monotonic() < end:
        time.sleep(chance.uniform(*plan.pause))
        victim = chance.choice(fleet.workers)
        if victim in fleet.started() or chance.random() < WHILE_STARTING:
            left -= fleet.kill(victim)
    done.set()


def _look(scene: Scene) -> list[str]:
    """Wait until what was accepted so far is through, and compare the books about it; load and kills go on."""
    ledger, sides = scene.systems.ledger, scene.at.sides
    messages = ledger.known()
    if not _wait(lambda: settled(messages, sides.values()), SETTLE_SECONDS):
        return [f"not settled within {SETTLE_SECONDS:.0f} seconds"]
    return judge(ledger, messages, [read(side) for side in sides.values()], whole=False).sentences()


def _last_look(scene: Scene, *, rested: bool) -> Verdict:
    ledger, sides = scene.systems.ledger, scene.at.sides
    verdict = judge(ledger, ledger.known(), [read(side) for side in sides.values()], whole=True)
    if not rested:
        verdict.others.append(f"not at rest within {REST_SECONDS:.0f} seconds")
    waiting = set(parcels.names_in(scene.at.node.url, topology.inbound(SILENT)))
    for each in ledger.silent.values():
        if each.message_id not in waiting:
            verdict.others.append(f"{each.message_id} does not wait for the partner that never answers")
    for side in sides.values():
        if left := parcels.names_in(scene.at.node.url, topology.inbound(side.authority)):
            verdict.others.append(f"{len(left)} parcels wait for {side.authority}")
        if parked := parcels.names_in(scene.at.node.url, topology.parked(side.authority)):
            verdict.others.append(f"{len(parked)} parcels of {side.authority} are parked")
    return verdict


def _journal(side: Side) -> list[str]:
    """Ask the command that operators use."""
    words = [sys.executable, "-m", "gateway", "journal", "verify", "--json", "--config", str(side.direct)]
    done = subprocess.run(words, capture_output=True, encoding="utf-8", check=False, stdin=subprocess.DEVNULL)
    if done.returncode == 0 and json.loads(done.stdout)["valid"]:
        return []
    return [f"the journal of {side.name} is not whole: {done.stdout[:500]}{done.stderr[:500]}"]


def _wait(reached: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if reached():
                return True
        except psycopg.OperationalError:
            pass  # the database is being made to fail
        time.sleep(LOOK_SECONDS)
    return False
