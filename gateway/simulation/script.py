"""Which scenes are played: all of them, some that were named, or what a script (TOML) says."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.errors import ScriptInvalid
from gateway.simulation.attacks import CLASSES, NOT_SENT
from gateway.simulation.behaviours import BEHAVIOURS

WAYS = ("memory", "rabbitmq", "rest", "files")
MOST_TIMES = 100
MOST_SCENES = 1000
_PLAY_KEYS = {"behaviour", "attack", "times", "every"}
_KEYS = {"over", "counterpart", "most_seconds", "play"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One scene: a behaviour, or a class of attacks."""

    behaviour: str | None = None
    attack: int | None = None
    every: bool = False  # all forgeries of the class, not one

    def __str__(self) -> str:
        return self.behaviour or f"attack-{self.attack}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """The scenes in their order, and how they are played."""

    acts: tuple[Act, ...]
    over: str = "memory"
    counterpart: str | None = None  # authority on our side
    most_seconds: int = 900  # after that no further scene is begun


def whole(*, over: str = "memory", counterpart: str | None = None, every: bool = False) -> Script:
    """Return the script of a conformance run: every behaviour, and every class of attacks that can be sent."""
    return Script(
        acts=(*(Act(behaviour=name) for name in BEHAVIOURS), *(Act(attack=number, every=every) for number in CLASSES)),
        over=over,
        counterpart=counterpart,
    )


def chosen(
    behaviours: Sequence[str],
    attacks: Sequence[int],
    *,
    over: str = "memory",
    counterpart: str | None = None,
    every: bool = False,
) -> Script:
    """Return a script of the scenes that were named. Raises `ScriptInvalid`."""
    acts = [_act({"behaviour": name}, name) for name in behaviours]
    acts += [_act({"attack": number, "every": every}, f"attack {number}") for number in attacks]
    return Script(acts=tuple(acts), over=over, counterpart=counterpart)


def read_script(path: Path) -> Script:
    """Read a script. Raises `ScriptInvalid`, naming the row and the key."""
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ScriptInvalid(f"the script {path.name!r} cannot be read: {error}") from error
    _only(given, _KEYS, f"in {path.name}")
    over, seconds, counterpart = given.get("over", "memory"), given.get("most_seconds", 900), given.get("counterpart")
    if over not in WAYS:
        raise ScriptInvalid(f"in {path.name}: over is {over!r}, not one of {', '.join(WAYS)}")
    if not _whole(seconds, 3600):
        raise ScriptInvalid(f"in {path.name}: most_seconds must be a number from 1 to 3600")
    if not isinstance(counterpart, str | None):
        raise ScriptInvalid(f"in {path.name}: counterpart must be the code of an authority")
    rows = given.get("play", [])
    if not isinstance(rows, list) or not rows:
        raise ScriptInvalid(f"in {path.name}: there is no [[play]]")
    acts: list[Act] = []
    for number, row in enumerate(rows, 1):
        where = f"in {path.name}, play {number}"
        if not isinstance(row, dict):
            raise ScriptInvalid(f"{where} must be a table, [[play]]")
        _only(row, _PLAY_KEYS, where)
        times = row.get("times", 1)
        if not _whole(times, MOST_TIMES):
            raise ScriptInvalid(f"{where}: times must be a number from 1 to {MOST_TIMES}")
        each = {"every": row.get("every", False)}
        every_attack = [{"attack": number} for number in CLASSES] if row.get("attack") == "all" else [row]
        acts += [_act(each | one, where) for _ in range(times) for one in every_attack]
    if len(acts) > MOST_SCENES:
        raise ScriptInvalid(f"in {path.name}: a script has at most {MOST_SCENES} scenes")
    return Script(acts=tuple(acts), over=over, counterpart=counterpart, most_seconds=seconds)


def _act(row: dict[str, Any], where: str) -> Act:
    behaviour, attack, every = row.get("behaviour"), row.get("attack"), row.get("every", False)
    if (behaviour is None) == (attack is None):
        raise ScriptInvalid(f"{where}: name either a behaviour or an attack")
    if not isinstance(every, bool):
        raise ScriptInvalid(f"{where}: every is true or false")
    if behaviour is not None and (not isinstance(behaviour, str) or behaviour not in BEHAVIOURS):
        raise ScriptInvalid(f"{where}: {behaviour!r} is no behaviour; there are {', '.join(BEHAVIOURS)}")
    if attack is None:
        return Act(behaviour=behaviour)
    if isinstance(attack, bool) or not isinstance(attack, int) or attack not in CLASSES:
        why = f": {NOT_SENT[attack]}" if attack in NOT_SENT else ""
        raise ScriptInvalid(f"{where}: attack {attack!r} cannot be sent{why}; the classes are 1 to 40, see the help")
    return Act(attack=attack, every=every)


def _whole(value: object, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most


def _only(given: dict[str, Any], keys: set[str], where: str) -> None:
    unknown = sorted(set(given) - keys)
    if unknown:
        raise ScriptInvalid(f"{where}: there is no key {unknown[0]!r}")
