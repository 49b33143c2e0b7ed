"""What a simulation came to: scene by scene, what was sent, what came back, and what was expected."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that must have come about."""

    what: str
    expected: str
    found: str

    @property
    def ok(self) -> bool:
        return self.expected == self.found


@dataclass(slots=True)
class Scene:
    """One behaviour or attack that was played."""

    name: str
    what: str
    sent: list[str] = field(default_factory=list)  # types and codes, never contents
    came_back: list[str] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)

    def check(self, what: str, expected: object, found: object) -> None:
        """Note what was expected and what was found."""
        self.checks.append(Check(what=what, expected=str(expected), found=str(found)))

    @property
    def ok(self) -> bool:
        """Whether everything came about; a scene in which nothing was looked at shows nothing."""
        return bool(self.checks) and all(check.ok for check in self.checks)

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "what": self.what,
            "ok": self.ok,
            "sent": self.sent,
            "came_back": self.came_back,
            "checks": [
                {"what": check.what, "expected": check.expected, "found": check.found, "ok": check.ok} for check in self.checks
            ],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A whole run."""

    partner: str
    played: str  # authority of the partner
    tested: str  # authority on our side
    over: str
    scenes: Sequence[Scene]
    left_out: Mapping[str, str]  # what a script asked for and was not played, and why

    @property
    def ok(self) -> bool:
        return bool(self.scenes) and not self.left_out and all(scene.ok for scene in self.scenes)

    def as_dict(self) -> dict[str, Any]:
        return {
            "partner": self.partner,
            "played": self.played,
            "tested": self.tested,
            "over": self.over,
            "ok": self.ok,
            "scenes": [scene.as_dict() for scene in self.scenes],
            "left_out": dict(self.left_out),
        }
