"""Whether a dialect's code lists are complete: held against the values that both schemas list where a list is used."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from gateway.partners import Dialect
from gateway.wire.plans import Plan, Scope

_RULE = "codes:"


@dataclass(slots=True)
class _Use:
    """What both schemas list at all places at which one list is used."""

    canonical: set[str] = field(default_factory=set)
    here: set[str] = field(default_factory=set)
    open_canonical: bool = False  # some place takes any value
    open_here: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ListGaps:
    """What one list lacks."""

    name: str
    without_code: tuple[str, ...]  # canonical values that the list has no code for: a message with one is refused
    unknown: tuple[str, ...]  # canonical codes of the list that no field knows: slips
    unread: tuple[str, ...]  # codes that the partner's schema allows and the list does not read
    not_allowed: tuple[str, ...]  # codes that the list writes and the partner's schema refuses


def gaps(dialect: Dialect, plans: list[Plan]) -> list[ListGaps]:
    """Return what each code list of a dialect lacks; lists that lack nothing are left out.

    A list that no row uses has everything unknown: it is returned with all its codes.
    """
    used: dict[str, _Use] = {}
    for plan in plans:
        for name, use in _uses(plan, plan.scope):
            known = used.setdefault(name, _Use())
            known.canonical |= use.canonical
            known.here |= use.here
            known.open_canonical |= use.open_canonical
            known.open_here |= use.open_here
    found = [_gaps(dialect, name, used.get(name, _Use())) for name in dialect.codes]
    return [each for each in found if each.without_code or each.unknown or each.unread or each.not_allowed]


def _gaps(dialect: Dialect, name: str, use: _Use) -> ListGaps:
    codes = dialect.codes[name]
    writes, reads = set(codes.codes.values()), {*codes.codes.values(), *codes.also_read}
    return ListGaps(
        name=name,
        without_code=tuple(sorted(use.canonical - set(codes.codes))),
        unknown=() if use.open_canonical else tuple(sorted(set(codes.codes) - use.canonical)),
        unread=tuple(sorted(use.here - reads)),
        not_allowed=() if use.open_here or not use.here else tuple(sorted(writes - use.here)),
    )


def _uses(plan: Plan, scope: Scope) -> Iterator[tuple[str, _Use]]:
    for leaf in scope.leaves:
        rule = plan.fields[leaf.number].rule
        if not rule.startswith(_RULE) or leaf.canonical is None or leaf.here is None:
            continue
        canonical, here = scope.canonical.at(leaf.canonical), scope.here.at(leaf.here)
        listed, own = set(canonical.values if canonical else ()), set(here.values if here else ())
        yield rule.removeprefix(_RULE), _Use(canonical=listed, here=own, open_canonical=not listed, open_here=not own)
    for repeat in scope.repeats:
        yield from _uses(plan, repeat.scope)
