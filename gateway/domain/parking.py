"""What was set aside: grouped by cause, put into the order of the cases, and whose turn it is to act.

A thing that is parked stays where it is until a named person decides: tried again, or given up with a reason.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from gateway.errors import BadValue, MissingField, SecondPersonMissing, Unavailable, catalogue

LONGEST_NAME: Final = 80
LONGEST_REASON: Final = 400  # characters


class Owner(StrEnum):
    """Who must act before a thing is tried again."""

    OPERATIONS = "operations"
    CASE_OFFICER = "case officer"
    PARTNER = "partner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """Who must act, and what to do."""

    owner: Owner
    step: str


_DEFECT = Remedy(
    owner=Owner.OPERATIONS, step="report the code and the rule as a defect, install the version that mends it, then replay"
)
_OUTSIDE = Remedy(owner=Owner.OPERATIONS, step="see that what is outside answers again (gateway doctor), then replay")
_OURS = Remedy(owner=Owner.OPERATIONS, step="mend this installation (gateway doctor), then replay")
_MESSAGE = Remedy(owner=Owner.CASE_OFFICER, step="send a corrected message, and drop this one")
_THEIRS = Remedy(owner=Owner.PARTNER, step="have the partner correct it, and drop this one")

# Where there is more to say than the family of the code says: docs/errors.md, "who must act".
REMEDIES: Final[Mapping[str, Remedy]] = MappingProxyType(
    {
        "internal-error": _DEFECT,
        "undeliverable": Remedy(
            owner=Owner.OPERATIONS, step="ask the partner whether it receives under this name; once it does, replay"
        ),
        "broker-unavailable": Remedy(owner=Owner.OPERATIONS, step="see that the broker answers (gateway doctor), then replay"),
        "queue-refused": Remedy(
            owner=Owner.OPERATIONS, step="ask the partner to make room in its queue; once there is some, replay"
        ),
        "paper-due": Remedy(
            owner=Owner.CASE_OFFICER,
            step="print it, send it another way, record the delivery; or replay it, if it can leave now",
        ),
        "too-large": Remedy(owner=Owner.CASE_OFFICER, step="send it anew with smaller files, or on paper, and drop this one"),
    }
)


@cache
def remedy(code: str, direction: str) -> Remedy:
    """Return who must act about a cause, and what to do."""
    if code in REMEDIES:
        return REMEDIES[code]
    family = catalogue().get(code)
    if family is None:
        return _DEFECT
    if family.exit_code == 1:
        return _MESSAGE if direction == "out" else _THEIRS
    return _OUTSIDE if issubclass(family, Unavailable) else _OURS


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why things are parked; all things of one cause are one line."""

    code: str
    partner: str  # the authority at the other side; empty where nothing says who sent it
    rule: str | None  # place in the document, kind of a defect, or what set it aside
    direction: str  # in | out


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedThing:
    """One message, or one part of an attachment, that waits for a decision."""

    id: str  # "out-12" or "in-5"; never given to another one
    direction: str  # in | out
    home: str
    partner: str
    verified: bool  # whether partner, message and case come from verified bytes
    message_id: str | None
    type: str | None
    case: str | None  # reference between the two sides
    sequence: int | None
    code: str
    rule: str | None
    since: datetime
    came_at: datetime  # when it first came or was made
    attempts: int
    taken_by: str | None = None  # the person who looks after it

    @property
    def cause(self) -> Cause:
        return Cause(code=self.code, partner=self.partner, rule=self.rule, direction=self.direction)

    @property
    def remedy(self) -> Remedy:
        return remedy(self.code, self.direction)

    @property
    def owner(self) -> str:
        """Whose turn it is: the person who took it, else the role that the code names."""
        return self.taken_by or self.remedy.owner

    def as_dict(self) -> dict[str, Any]:
        """Return the thing as the command line shows it."""
        return {
            "id": self.id,
            "direction": self.direction,
            "authority": self.home,
            "partner": self.partner or None,
            "verified": self.verified,
            "message_id": self.message_id,
            "type": self.type,
            "case": self.case,
            "sequence": self.sequence,
            "code": self.code,
            "rule": self.rule,
            "since": self.since,
            "attempts": self.attempts,
            "owner": self.owner,
            "next": self.remedy.step,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """All that is parked for one cause."""

    cause: Cause
    count: int
    oldest: datetime
    owners: tuple[str, ...]
    step: str

    def as_dict(self) -> dict[str, Any]:
        """Return the line as the command line and the API show it."""
        return {
            "code": self.cause.code,
            "partner": self.cause.partner or None,
            "rule": self.cause.rule,
            "direction": self.cause.direction,
            "count": self.count,
            "oldest": self.oldest,
            "owners": self.owners,
            "next": self.step,
        }


def grouped(things: Iterable[ParkedThing]) -> list[Group]:
    """Return one line for each cause, the one with most things first."""
    by_cause: dict[Cause, list[ParkedThing]] = {}
    for thing in things:
        by_cause.setdefault(thing.cause, []).append(thing)
    groups = [
        Group(
            cause=cause,
            count=len(members),
            oldest=min(member.since for member in members),
            owners=tuple(sorted({member.owner for member in members})),
            step=members[0].remedy.step,
        )
        for cause, members in by_cause.items()
    ]
    return sorted(groups, key=lambda group: (-group.count, group.oldest, group.cause.code, group.cause.partner))


def in_case_order(things: Sequence[ParkedThing]) -> list[ParkedThing]:
    """Return things as they must be tried: cases by their oldest thing, within a case by sequence, then by age."""
    oldest: dict[object, tuple[datetime, int]] = {}
    for thing in things:
        case = _case_of(thing)
        oldest[case] = min(_age(thing), oldest.get(case, _age(thing)))
    return sorted(things, key=lambda thing: (oldest[_case_of(thing)], thing.case or "", thing.sequence or 0, _age(thing)))


def _age(thing: ParkedThing) -> tuple[datetime, int]:
    """Return what is smaller for what came earlier; of one instant, for what has the lower id."""
    return thing.came_at, int(thing.id.rpartition("-")[2])


def _case_of(thing: ParkedThing) -> object:
    """Return what things of one case have in common; a thing without a case stands alone."""
    return (thing.home, thing.partner, thing.case) if thing.case else thing.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Who decides about what is parked, and why; for many things at once a second person stands behind it."""

    by: str
    why: str
    second: str | None = None

    @classmethod
    def of(cls, *, by: str, why: str, second: str | None = None) -> "Ground":
        """Return what persons wrote, on one line each. Raises `MissingField`, `BadValue`, `SecondPersonMissing`."""
        given = cls(by=_given("by", by, LONGEST_NAME), why=_given("why", why, LONGEST_REASON), second=_plain(second) or None)
        if given.second is not None and len(given.second) > LONGEST_NAME:
            raise BadValue(f"a name has at most {LONGEST_NAME} characters", path="second")
        if given.second is not None and given.second.casefold() == given.by.casefold():
            raise SecondPersonMissing("the second person must be another one than who decides it", path="second")
        return given

    def require_enough(self, count: int, most_alone: int) -> None:
        """Raise `SecondPersonMissing` where one person alone may not decide about so many."""
        if count > most_alone and self.second is None:
            raise SecondPersonMissing(
                f"{count} messages at once need a second person (--second NAME); one alone may decide about {most_alone}",
                path="second",
            )


def _plain(text: str | None) -> str:
    return " ".join((text or "").split())


def _given(name: str, text: str, longest: int) -> str:
    plain = _plain(text)
    if not plain:
        raise MissingField("a decision about what is parked names a person and a reason", path=name)
    if len(plain) > longest:
        raise BadValue(f"at most {longest} characters", path=name)
    return plain
