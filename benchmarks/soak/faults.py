"""What is done to the gateways, a function for each fault. Each ends what it began: then all must come right by itself."""

import contextlib
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from soak import parcels
from soak.fleet import Fleet
from soak.installation import HOMES, Installations, Side
from soak.systems import Systems

SLOW_BYTES = 30_000  # a second, each way and connection
WITHIN_SKEW = 240.0  # seconds; what one side signs with a clock so far ahead is still taken by the other
AT_ONCE = 3600.0  # seconds; both clocks together


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Everything that can be made to fail. `length`: how long an outage lasts, seconds; `flood`: applications at once."""

    at: Installations
    fleet: Fleet
    systems: Systems
    chance: random.Random
    length: float
    flood: int

    @property
    def west(self) -> Side:
        return self.at.sides["west"]

    @property
    def east(self) -> Side:
        return self.at.sides["east"]

    def either(self) -> Side:
        return self.chance.choice([self.west, self.east])

    def wait(self, share: float = 1.0) -> None:
        time.sleep(self.length * share)


def broker_stop(scene: Scene) -> None:
    scene.at.node.stop()
    scene.wait()
    scene.at.node.start()


def broker_kill(scene: Scene) -> None:
    scene.at.node.kill()
    scene.wait(0.5)
    scene.at.node.start()


def broker_pause(scene: Scene) -> None:
    scene.at.node.pause()
    scene.wait()
    scene.at.node.resume()


def postgres_stop(scene: Scene) -> None:
    scene.at.postgres.stop()
    scene.wait()
    scene.at.postgres.start()


def postgres_kill(scene: Scene) -> None:
    scene.at.postgres.kill()
    scene.wait(0.3)
    scene.at.postgres.start()


def postgres_pause(scene: Scene) -> None:
    scene.at.postgres.pause()
    scene.wait()
    scene.at.postgres.resume()


def postgres_connections_ended(scene: Scene) -> None:
    """The server ends all sessions of one database, again and again, wherever their transactions stand."""
    end = time.monotonic() + scene.length
    while time.monotonic() < end:
        with contextlib.suppress(psycopg.Error):
            scene.at.postgres.cut_connections(f"soak_{scene.either().name}")
        time.sleep(scene.chance.uniform(0.05, 0.4))


def postgres_cut_in_the_middle(scene: Scene) -> None:
    """The network to the database breaks after so many bytes: the client cannot know whether its commit arrived."""
    end = time.monotonic() + scene.length
    while time.monotonic() < end:
        proxy = scene.either().to_database
        proxy.cut_after(scene.chance.randrange(200, 20_000))
        time.sleep(scene.chance.uniform(0.1, 0.4))
        proxy.resume()


def broker_cut_in_the_middle(scene: Scene) -> None:
    end = time.monotonic() + scene.length
    while time.monotonic() < end:
        proxy = scene.either().to_broker
        proxy.cut_after(scene.chance.randrange(50, 30_000))
        time.sleep(scene.chance.uniform(0.3, 1.0))
        proxy.resume()


def network_cut(scene: Scene) -> None:
    with _networks(scene) as (broker, database):
        broker.to_broker.cut()
        database.to_database.cut()
        scene.wait()


def network_slow(scene: Scene) -> None:
    with _networks(scene) as (broker, database):
        broker.to_broker.slow(SLOW_BYTES)
        database.to_database.slow(SLOW_BYTES)
        scene.wait()


def network_silent(scene: Scene) -> None:
    """Connections stay open, and nothing passes."""
    with _networks(scene) as (broker, database):
        broker.to_broker.slow(0)
        database.to_database.slow(0)
        scene.wait()


@contextmanager
def _networks(scene: Scene) -> Iterator[tuple[Side, Side]]:
    """Yield whose way to the broker and whose way to the database fails; both are mended at the end."""
    chosen = scene.either(), scene.either()
    try:
        yield chosen
    finally:
        chosen[0].to_broker.resume()
        chosen[1].to_database.resume()


def disk_full(scene: Scene) -> None:
    """The disk of database, journal and case keys has no byte left; the server may end by that, and is started again."""
    scene.at.disk.fill()
    scene.wait(1.5)
    scene.at.disk.free()
    if not scene.at.postgres.running:
        scene.at.postgres.start()


def clock_ahead(scene: Scene) -> None:
    clock = scene.either().clock
    clock.jump(WITHIN_SKEW)
    scene.wait()
    clock.jump(-WITHIN_SKEW)


def clock_behind(scene: Scene) -> None:
    clock = scene.either().clock
    clock.jump(-WITHIN_SKEW)
    scene.wait()
    clock.jump(WITHIN_SKEW)


def clocks_forward(scene: Scene) -> None:
    """Both clocks jump and stay there. The watch stands until a person starts it anew: so we do."""
    for side in scene.at.sides.values():
        side.clock.jump(AT_ONCE)
    for each in scene.fleet.workers:
        if each.part == "watch":
            scene.fleet.kill(each)


def duplicates(scene: Scene) -> None:
    """What was delivered long ago comes again, three times, in another order."""
    found = _caught(scene, 60) * 3
    scene.chance.shuffle(found)
    parcels.publish(scene.at.node.url, found)


def poison(scene: Scene) -> None:
    parcels.publish(scene.at.node.url, parcels.poison(_caught(scene, 8), scene.chance))


def _caught(scene: Scene, most: int) -> list[parcels.Caught]:
    pairs = ((scene.west, HOMES["east"]), (scene.east, HOMES["west"]))
    return [each for side, to in pairs for each in parcels.caught(side, to, most, scene.chance)]


def queue_full(scene: Scene) -> None:
    """Nobody reads a queue that holds five: the sender is refused, keeps what it has, and others are not held up."""
    to = scene.either()
    node = scene.at.node
    limit = '{"max-length": 5, "overflow": "reject-publish"}'
    node.control("set_policy", "-p", "gateway", "--apply-to", "queues", "soak", f"^in\\.{to.authority}$", limit)
    frozen = scene.fleet.freeze(to.name, "consume")
    scene.wait(2)
    scene.fleet.thaw(frozen)
    scene.wait(0.5)
    node.control("clear_policy", "-p", "gateway", "soak")


def partner_floods(scene: Scene) -> None:
    scene.systems.flood(scene.flood)


def partner_stands_still(scene: Scene) -> None:
    """Nothing of one side reads: its queue grows."""
    side = scene.either()
    frozen = scene.fleet.freeze(side.name, "consume")
    scene.wait(2)
    scene.fleet.thaw(frozen)


def partner_never_answers(scene: Scene) -> None:
    """An authority has a queue, and nobody who reads it: what is sent to it waits there, and holds up nobody."""
    scene.systems.write_to_the_silent(10)


Fault = Callable[[Scene], None]
FAULTS: Mapping[str, Fault] = {
    "duplicates": duplicates,
    "poison": poison,
    "partner-never-answers": partner_never_answers,
    "partner-floods": partner_floods,
    "postgres-connections-ended": postgres_connections_ended,
    "postgres-cut-in-the-middle": postgres_cut_in_the_middle,
    "broker-cut-in-the-middle": broker_cut_in_the_middle,
    "network-cut": network_cut,
    "network-slow": network_slow,
    "network-silent": network_silent,
    "clock-ahead": clock_ahead,
    "clock-behind": clock_behind,
    "disk-full": disk_full,
    "partner-stands-still": partner_stands_still,
    "queue-full": queue_full,
    "broker-pause": broker_pause,
    "broker-stop": broker_stop,
    "broker-kill": broker_kill,
    "postgres-pause": postgres_pause,
    "postgres-stop": postgres_stop,
    "postgres-kill": postgres_kill,
    "clocks-forward": clocks_forward,
}
