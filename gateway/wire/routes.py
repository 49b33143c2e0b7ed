"""The rows of one scope as a tree of names on one side: what readers dispatch on and writers walk."""

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from gateway.errors import Refused
from gateway.wire.plans import GIVEN_BY_GATEWAY, Leaf, Plan, Repeat, Scope, Side
from gateway.wire.report import Field
from gateway.wire.shapes import Shape, steps

Slots: TypeAlias = list[Any]  # canonical text, a list of Slots, or None


@dataclass(slots=True)
class Notes:
    """What one translation touched."""

    seen: set[int] = field(default_factory=set)  # numbers of report lines
    lost: list[Field] = field(default_factory=list)


@dataclass(slots=True)
class Route:
    """One name on one side; `children` stand in schema order, attributes first."""

    path: str  # absolute, for errors and reports
    children: dict[str, "Route"] = field(default_factory=dict)
    leaf: Leaf | None = None
    repeat: Repeat | None = None
    slot_only: int | None = None  # a field without a row that may still be filled in
    once: int | None = None  # may come several times and has one place on the other side: the slot that says it came
    lost: str | None = None  # why it cannot be carried
    required: bool = True

    @property
    def fixed(self) -> bool:
        """Whether its value is the same in every message."""
        return self.leaf is not None and self.leaf.fixed is not None

    @property
    def plain(self) -> bool:
        """Whether it is a value and nothing else."""
        return self.leaf is not None and not self.children


def route(scope: Scope, side: Side, plan: Plan | None = None) -> Route:
    """Return the tree of one scope; with `plan`, of the whole message."""
    shape = scope.here if side == "here" else scope.canonical
    root = Route(path=scope.here_path if side == "here" else scope.canonical_path)
    for leaf in scope.leaves:
        if (path := leaf.here if side == "here" else leaf.canonical) is not None:
            _place(root, path).leaf = leaf
    for repeat in scope.repeats:
        if (path := repeat.here if side == "here" else repeat.canonical) is not None:
            _place(root, path).repeat = repeat
    for path, why in (scope.lost_here if side == "here" else scope.lost_canonical).items():
        lost, there = _place(root, path), shape.at(path)
        lost.lost, lost.required = why, there is not None and there.required and path not in GIVEN_BY_GATEWAY
    if plan is not None and side == "here" and plan.match is not None:
        _place(root, plan.match[0])
    if side == "canonical":
        for path, slot in scope.first.items():
            _place(root, path).once = slot
        for path, slot in scope.spare.items():
            _place(root, path).slot_only = slot
    _order(root, shape)
    return root


def _place(root: Route, path: str) -> Route:
    """Return the route at `path`, adding what is missing on the way."""
    for step in steps(path):
        root = root.children.setdefault(step, Route(path=f"{root.path}/{step}"))
    return root


def _order(place: Route, shape: Shape) -> None:
    known = list(shape.children)
    place.children = dict(sorted(place.children.items(), key=lambda item: known.index(item[0])))
    for name, child in place.children.items():
        _order(child, shape.children[name])


def placed(error: Refused, path: str, line: int | None) -> Refused:
    """Return `error` with the place it was found at; a converter knows only the value."""
    error.path, error.line = path, line
    return error
