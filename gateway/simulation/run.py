"""One run: the scenes of a script, one after the other, within its time."""

import time
from collections.abc import Callable
from pathlib import Path

from gateway.simulation.attacks import genuine, play_attack
from gateway.simulation.behaviours import play_behaviour
from gateway.simulation.cast import Cast
from gateway.simulation.forgeries import Forge
from gateway.simulation.report import Report, Scene
from gateway.simulation.rig import Rig
from gateway.simulation.script import Act, Script

STRANGER = "XX-OTHER"  # an authority that nobody exchanges with, whose keys the attacker has


async def perform(
    script: Script, rig: Rig, cast: Cast, keys: Path, *, partner: str, told: Callable[[Scene], None] = lambda _: None
) -> Report:
    """Play the scenes; `keys` is the attacker's key folder, `told` hears of each scene once it is over."""
    end = time.monotonic() + script.most_seconds
    scenes: list[Scene] = []
    left_out: dict[str, str] = {}
    for act in script.acts:
        if time.monotonic() >= end:
            left_out[str(act)] = f"not begun within {script.most_seconds} seconds"
            continue
        rig.clock.move(seconds=1)
        scene = await _play(act, rig, cast, keys)
        scenes.append(scene)
        told(scene)
    return Report(partner=partner, played=cast.theirs, tested=cast.ours, over=script.over, scenes=scenes, left_out=left_out)


async def _play(act: Act, rig: Rig, cast: Cast, keys: Path) -> Scene:
    if act.behaviour is not None:
        return await play_behaviour(act.behaviour, rig, cast)
    assert act.attack is not None
    forge = Forge.load(keys, rig.clock(), genuine(rig, cast), sender=cast.theirs, other=STRANGER)
    return await play_attack(act.attack, rig, cast, forge, every=act.every)
