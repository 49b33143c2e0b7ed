"""What was done to a broken chain, in words that an auditor understands: changed, removed, inserted, moved, copied."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.store.chain import GENESIS, Noticed, Stored, fits, is_hash

_NEAR = 16  # numbers to either side at which a moved entry is looked for
_ALL_PAIRS = 200  # broken entries up to which each is tried at the place of each


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One place where the chain is broken."""

    id: int  # number of the entry
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What somebody outside the table remembers of the journal: that an entry was there, and perhaps its hash.

    A chain cannot show that its end was cut off, or that all of it was written anew from some entry on. This can.
    """

    entry: int
    hash: str | None
    by: str  # whose memory it is, e.g. "the signed root of 2026-06-01"


class Table(Protocol):
    """The stored journal, asked about single entries."""

    def hash_at(self, number: int) -> str | None:
        """Return the hash that stands at a number."""
        ...

    def number_of(self, hash_: str) -> int | None:
        """Return the number at which a hash stands."""
        ...


def explain(noticed: Noticed, table: Table, marks: Sequence[Mark] = ()) -> list[Finding]:
    """Return a finding for each place that `walk` noticed and each mark that is not met, by number."""
    home = _moved(noticed, table)
    found = [*_strays(noticed, home), *_moves(home), *_inserted(noticed, home, table), *_changed(noticed, home)]
    found += [*_rewritten(noticed, home), *_missing(noticed, home), *_unmet(noticed, marks)]
    if noticed.more:
        found.append(Finding(id=noticed.last[0], what=f"{noticed.more} more places are broken; only the first were looked at"))
    return sorted(found, key=lambda each: each.id)


@dataclass(slots=True)
class _Home:
    """Where broken entries belong."""

    of: dict[int, int]  # where an entry stands -> the number it was written under
    copies: dict[int, int]  # same, while the entry stands at its own place too


def _moved(noticed: Noticed, table: Table) -> _Home:
    """Find the number under which each broken entry was written: its hash fits there."""
    home, shift = _Home(of={}, copies={}), 0
    broken = {stored.number for stored in noticed.broken}
    missing = [number for gap in noticed.gaps for number in gap[:_NEAR]][:_ALL_PAIRS]
    others = [*sorted(broken), *missing] if len(broken) <= _ALL_PAIRS else []
    for stored in noticed.broken:
        for number in dict.fromkeys(_candidates(stored, shift, others, table)):
            if number != stored.number and number > 0 and fits(number, stored.values, stored.previous, stored.hash):
                shift = number - stored.number
                copied = number not in broken and table.hash_at(number) == stored.hash
                (home.copies if copied else home.of)[stored.number] = number
                break
    return home


def _candidates(stored: Stored, shift: int, others: Sequence[int], table: Table) -> Iterator[int]:
    yield stored.number + shift  # what was moved is seldom alone
    for step in range(1, _NEAR + 1):
        yield stored.number + step
        yield stored.number - step
    yield from others
    if others:
        if stored.previous == GENESIS:
            yield 1
        if is_hash(stored.previous):
            yield (table.number_of(stored.previous) or 0) + 1  # the place after the entry it follows


def _strays(noticed: Noticed, home: _Home) -> Iterator[Finding]:
    for number in noticed.strays:
        if number in home.of or number in home.copies:
            continue
        if number < 1:
            yield Finding(id=number, what=f"entry {number} was inserted before the first")
        else:
            yield Finding(id=number, what=f"entry {number} stands there twice: one of them was inserted")


def _moves(home: _Home) -> Iterator[Finding]:
    for at, number in home.of.items():
        yield Finding(id=at, what=f"entry {at} was moved here: it was written as entry {number}")
    for at, number in home.copies.items():
        yield Finding(id=at, what=f"entry {at} was inserted: it is a copy of entry {number}")


def _inserted(noticed: Noticed, home: _Home, table: Table) -> Iterator[Finding]:
    """Name what stands where a moved entry belongs."""
    broken = {stored.number for stored in noticed.broken}
    for at, number in home.of.items():
        stands = number not in home.of and number not in home.copies
        if stands and (number in broken or table.hash_at(number) is not None):
            yield Finding(id=number, what=f"entry {number} was inserted: what was written as entry {number} stands at {at}")


def _changed(noticed: Noticed, home: _Home) -> Iterator[Finding]:
    """Name what no place fits."""
    explained = {*home.of, *home.copies, *home.of.values()}
    last = noticed.last[0]
    for stored in noticed.broken:
        number = stored.number
        if number in explained or number < 1:
            continue
        if number in noticed.bad_hash:
            what = f"the hash of entry {number} was changed: the entry after it knows another"
        elif any(fits(number, stored.values, previous, stored.hash) for previous in stored.follows):
            what = f"the link of entry {number} to the entry before it was changed"
        elif number == last:
            what = f"entry {number} was changed, or put at the end by hand: its hash does not fit it"
        else:
            what = f"entry {number} was changed after it was written"
        yield Finding(id=number, what=what)


def _rewritten(noticed: Noticed, home: _Home) -> Iterator[Finding]:
    """Name entries that were replaced and given a hash of their own: the next one follows another entry."""
    explained = {*home.of, *home.copies, *home.of.values(), *(stored.number for stored in noticed.broken)}
    for number in noticed.unlinked:
        if number == 1:
            yield Finding(id=1, what="entry 1 does not begin the journal: it follows an entry that is not there")
        elif number not in home.of.values() and number - 1 not in explained:
            what = f"entry {number - 1} was replaced by another: entry {number} does not follow it; so may those before it"
            yield Finding(id=number - 1, what=what)


def _missing(noticed: Noticed, home: _Home) -> Iterator[Finding]:
    """Name the numbers under which no entry is left, wherever it stands."""
    elsewhere = set(home.of.values())
    moved = {*home.of, *home.copies}
    highest = max(elsewhere | {_highest_in_place(noticed, moved)})
    end = max(moved, default=0) if noticed.more else highest + 1  # what was not looked at closely may stand anywhere
    runs = [range(number, number + 1) for number in moved - elsewhere if 0 < number < min(end, highest + 1)]
    for gap in noticed.gaps:
        runs += _without(gap, elsewhere, highest)
    for run in runs:
        named = f"entry {run[0]} is" if len(run) == 1 else f"entries {run[0]} to {run[-1]} are"
        yield Finding(id=run[0], what=f"{named} missing")


def _highest_in_place(noticed: Noticed, moved: Collection[int]) -> int:
    """Return the highest number at which an entry stands that was not moved there."""
    number, before = noticed.last[0], {gap[-1]: gap[0] - 1 for gap in noticed.gaps}
    while number > 0 and (number in moved or number in before):
        number = before.get(number, number - 1)
    return number


def _without(gap: range, elsewhere: Collection[int], highest: int) -> Iterator[range]:
    """Yield the parts of a gap, up to the highest number, whose entries do not stand elsewhere."""
    start = gap[0]
    for number in [*sorted(number for number in elsewhere if number in gap), min(gap[-1], highest) + 1]:
        if start < number:
            yield range(start, number)
        start = number + 1


def _unmet(noticed: Noticed, marks: Sequence[Mark]) -> Iterator[Finding]:
    """Name what others remember, and the table does not hold: the end of the journal, and the first entry that is another."""
    last = noticed.last[0]
    beyond = max(marks, key=lambda mark: mark.entry, default=None)
    if beyond is not None and beyond.entry > last:
        named = f"entry {beyond.entry} is" if beyond.entry == last + 1 else f"entries {last + 1} to {beyond.entry} are"
        yield Finding(id=last + 1, what=f"{named} missing at the end: {beyond.by} knows entry {beyond.entry}")
    for mark in sorted(marks, key=lambda mark: mark.entry):
        if mark.hash is not None and noticed.marked.get(mark.entry, mark.hash) != mark.hash:
            what = f"entry {mark.entry} is not the one that {mark.by} knows: it was written anew, or some before it were"
            yield Finding(id=mark.entry, what=what)
            return
