"""Between reading and writing: the fields of a group converter change places, in both directions."""

from collections.abc import Iterator

from gateway.errors import FieldNotCarried, Refused
from gateway.wire.converters import Member
from gateway.wire.plans import Group, Scope, absolute
from gateway.wire.report import Field
from gateway.wire.routes import Notes, Slots, placed


def to_canonical(scope: Scope, slots: Slots) -> None:
    """Fill the canonical slots of every group from the partner's. Raises what the converters raise."""
    for group in scope.groups:
        values = [slots[slot] for slot in group.here]
        if all(value is None for value in values):
            continue
        try:
            found = group.converter.read(values)
        except Refused as error:
            raise placed(error, group.path, None) from error.__cause__
        for slot, value in zip(group.canonical, found, strict=True):
            slots[slot] = value
    for repeat in scope.grouped:
        for inner in slots[repeat.slot] or ():
            to_canonical(repeat.scope, inner)


def from_canonical(scope: Scope, slots: Slots, notes: Notes) -> None:
    """Fill the partner's slots of every group from the canonical ones.

    Raises what the converters raise, and `FieldNotCarried` for a loss that the mapping file does not declare.
    """
    for group in scope.groups:
        values = [slots[slot] for slot in group.canonical]
        if all(value is None for value in values):
            continue
        try:
            found, lost = group.converter.write(values)
        except Refused as error:
            raise placed(error, group.path, None) from error.__cause__
        for member in group.converter.canonical:
            if member.path in lost:
                notes.lost.extend(_losses(group, member))
        for slot, value in zip(group.here, found, strict=True):
            slots[slot] = value
    for repeat in scope.grouped:
        for inner in slots[repeat.slot] or ():
            from_canonical(repeat.scope, inner, notes)


def _losses(group: Group, member: Member) -> Iterator[Field]:
    """Yield the lines of the report for a member that does not come back; of a repeated one, for each of its fields."""
    path, why = absolute(group.path, member.path), group.losses.get(member.path)
    if why is None:
        raise FieldNotCarried(
            "would not come back from this form, and cannot_carry does not declare that it may be lost", path=path
        )
    for each in (absolute(path, name) for name in member.inner or (".",)):
        yield Field(path=each, action="dropped", rule=f"convert:{group.converter.name}", why=why)
