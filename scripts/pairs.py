"""The authorities of scripts/specimens/: one file for each state, in which every authority names the one it writes to."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from example_cases import application, cases, reply
from follow_ups import follow_ups
from specimens import Corridor, Fields
from threads import OTHER, Side

ANSWERED: Mapping[str, str] = {"reply-agreed": "own-national", "reply-agreed-in-part": "family"}
FOLLOWED = "expired-passport"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """An authority and the one it writes to, each as the one that asks."""

    asking: Corridor
    asked: Corridor  # the other one asks


def pairs(folder: Path, whole: Path) -> dict[str, Pair]:
    """Read the files below `folder`; the result is keyed by authority. `whole` is specimens.toml, whose states may be asked."""
    tables = [tomllib.loads(path.read_text(encoding="utf-8")) for path in (whole, *sorted(folder.glob("*.toml")))]
    authorities = {code: facts for table in tables for code, facts in table.get("authorities", {}).items()}
    nationals = {state: facts for table in tables for state, facts in table.get("nationals", {}).items()}
    persons = {state: facts for table in tables for state, facts in table.get("persons", {}).items()}
    persons |= {state: _of_corridor(tables[0], state) for state in nationals if state not in persons}

    def corridor(requesting: str, requested: str, agreement: str) -> Corridor:
        here, there = nationals[requesting[:2]], nationals[requested[:2]]
        code = f"{requesting} {requested}".lower()
        facts = {
            "place": authorities[requesting]["address"]["town"],
            "border": here["arrival"],
            "way": "air",
            "persons": persons["any"] | persons[requested[:2]],
        }
        return Corridor(
            code=code,
            requesting=requesting,
            requested=requested,
            agreement=agreement,
            facts=facts,
            home=there,
            away=here,
            authorities=authorities,
            answering=f"answer {code}",
        )

    found: dict[str, Pair] = {}
    for code, facts in authorities.items():
        if "counterpart" in facts:
            other, agreement = facts["counterpart"]["authority"], facts["counterpart"]["agreement"]
            found[code] = Pair(asking=corridor(code, other, agreement), asked=corridor(other, code, agreement))
    return found


def _of_corridor(whole: Mapping[str, Any], state: str) -> Mapping[str, Any]:
    """Return the persons of a state of specimens.toml: those of the corridor in which it is asked."""
    found = next(facts["persons"] for facts in whole["corridors"].values() if facts["requested"][:2] == state)
    script = "cyrillic" if state == "RS" else "urdu" if state == "PK" else "diacritics"
    return {kind: found[kind] for kind in ("unknown-birth-date", "single-name")} | {"own-script": found[script]}


def messages(pair: Pair, *, both_sides: bool) -> Iterator[tuple[str, str, Fields]]:
    """Yield name, type and fields of what the authority of a pair sends: every kind of case, and one example of each type.

    What either side may send is sent by each where `both_sides` says so; otherwise by one and the other in turn.
    """
    numbers = {kind: number for number, kind in enumerate(cases(pair.asking), 1)}
    for kind, number in numbers.items():
        yield kind, "ReadmissionApplication", application(pair.asking, kind, number)
    for what, kind in ANSWERED.items():
        yield what, "ReadmissionReply", reply(pair.asked, what, application(pair.asked, kind, numbers[kind]))
    sides: Mapping[Side, Mapping[str, tuple[str, Fields]]] = {
        "requesting": _first_of_each_type(pair.asking, pair.asking.requesting, numbers[FOLLOWED]),
        "requested": _first_of_each_type(pair.asked, pair.asking.requesting, numbers[FOLLOWED]),
    }
    shared = sorted(sides["requesting"].keys() & sides["requested"].keys())
    for side, found in sides.items():
        for kind, (name, fields) in found.items():
            turn: Side = "requesting" if kind in shared and shared.index(kind) % 2 else "requested"
            if both_sides or kind not in sides[OTHER[side]] or turn == side:
                yield name, kind, fields


def _first_of_each_type(corridor: Corridor, sender: str, number: int) -> Mapping[str, tuple[str, Fields]]:
    """Return message type -> name and fields of the first example that `sender` sends."""
    found: dict[str, tuple[str, Fields]] = {}
    for name, (kind, fields) in follow_ups(corridor, application(corridor, FOLLOWED, number)).items():
        if fields["Header"]["Sender"] == sender:
            found.setdefault(kind, (name, fields))
    return found
