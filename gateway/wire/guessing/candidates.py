"""Canonical fields that a name of a sample may mean: every field of a message type, and the groups that may repeat."""

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.wire.drafting.canonical import Canonical, Group, Member, Value

ONLY = "[1]"  # behind a step of a canonical path: the one of several for which a format has a place
_DEEPEST = 1  # groups that may repeat, inside one that stands for the first: not guessed


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One canonical field, seen from the message or from a repeated group."""

    path: str  # "Person/Birth/Date", "Document[1]/Number"; "." is the value itself
    groups: tuple[str, ...]  # the complex types that it leads through
    members: tuple[str, ...]  # the members that lead to them: "Spouse", "Birth"
    value: Value
    many: bool  # whether the field itself may come several times
    required: bool  # of its group, where that is there


@dataclass(frozen=True, slots=True, kw_only=True)
class Several:
    """One canonical group that may come several times."""

    path: str
    group: str
    members: tuple[str, ...]


def fields_of(canonical: Canonical, group: Group) -> Iterator[Candidate]:
    """Yield every field of a message or of a group, the first of what repeats included."""
    yield from _fields(canonical, group, "", (), (), 0)


def _fields(
    canonical: Canonical, group: Group, above: str, groups: tuple[str, ...], members: tuple[str, ...], only: int
) -> Iterator[Candidate]:
    for member in group.members:
        path = f"{above}{member.name}"
        if member.value is not None:
            yield Candidate(
                path=path,
                groups=groups,
                members=members,
                value=member.value,
                many=member.many,
                required=member.required,
            )
            continue
        inner, marks = canonical.groups[str(member.group)], only + member.many
        if marks <= _DEEPEST and not (marks and member.name == "Part"):
            step = f"{path}{ONLY}/" if member.many else f"{path}/"
            yield from _fields(canonical, inner, step, (*groups, inner.name), (*members, member.name), marks)


def several_of(canonical: Canonical, group: Group) -> Iterator[Several]:
    """Yield every group at or below `group` that may come several times and lies in none that does."""

    def walk(inner: Group, above: str, members: tuple[str, ...]) -> Iterator[Several]:
        for member in inner.members:
            if member.group is None:
                continue
            path = f"{above}{member.name}"
            if member.many:
                yield Several(path=path, group=member.group, members=(*members, member.name))
            else:
                yield from walk(canonical.groups[member.group], f"{path}/", (*members, member.name))

    yield from walk(group, "", ())


def required_of(canonical: Canonical, group: Group, used: set[str], above: str = "") -> Iterator[tuple[str, Member, Group]]:
    """Yield every field that must be there: of required groups, and of groups from which something in `used` is taken.

    `used` holds paths as rows have them, with the marks of those that are the only one.
    """
    for member in group.members:
        path = f"{above}{member.name}"
        if member.value is not None:
            if member.required and path not in used and f"{path}{ONLY}" not in used:
                yield path, member, group
            continue
        steps = [f"{path}{ONLY}"] if member.many else [path]
        for step in steps:
            taken = any(one == step or one.startswith(f"{step}/") for one in used)
            if path in used or step in used:  # repeated by a row, or written as one text
                continue
            if taken or (member.required and not member.many):
                yield from required_of(canonical, canonical.groups[str(member.group)], used, f"{step}/")


def bare(path: str) -> str:
    """Return a path without the marks of what has one place only."""
    return path.replace(ONLY, "")
