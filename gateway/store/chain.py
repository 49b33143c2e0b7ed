"""The hash chain of the journal: how an entry is hashed, and one walk along the chain that notices where it does not hold.

The hash of an entry is the SHA-256 of a JSON list: its number, its fields in the order of `FIELDS`, and the hash of the
entry before it. An instant stands as `2026-06-01T08:15:00.123456+00:00`. So an entry fits no place but its own.
"""

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

GENESIS = "0" * 64  # what the first entry follows
FIELDS = ("at", "event", "actor", "authority", "case_id", "message_id", "digest", "detail")  # in the order they are hashed
MOST = 1000  # places of one kind that are looked at closely; whoever breaks more is told their number
_HASH = re.compile(r"[0-9a-f]{64}")
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


def entry_hash(number: int, values: Sequence[Any], previous: str) -> str:
    """Return the hash of an entry. `values` are its fields, instant and detail as text. Raises TypeError for bytes."""
    # Bytes that are no text stand as surrogates, and are hashed as the bytes they are: nobody can hide behind them.
    return hashlib.sha256(_encode([number, *values, previous]).encode("utf-8", "surrogateescape")).hexdigest()


def is_hash(value: Any) -> bool:
    """Tell whether what stands in a column of hashes has the form of one."""
    return isinstance(value, str) and _HASH.fullmatch(value) is not None


def fits(number: int, values: Sequence[Any], previous: str, hash_: str) -> bool:
    """Tell whether an entry with this hash may stand at this number."""
    try:
        return entry_hash(number, values, previous) == hash_
    except TypeError:  # a column holds what no entry ever held
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An entry that does not fit its own hash, as it stands in the table."""

    number: int
    values: Sequence[Any]  # in the order of FIELDS
    previous: str
    hash: str
    follows: Collection[str]  # hashes that the entry before it has, and should have


@dataclass(slots=True)
class Noticed:
    """What one walk along the chain noticed. Of `broken`, `unlinked` and `gaps` the first `MOST` are kept; `more` counts on."""

    entries: int = 0  # rows read
    last: tuple[int, str] = (0, GENESIS)  # number and hash of the last row; no text if it has none
    broken: list[Stored] = field(default_factory=list)
    unlinked: list[int] = field(default_factory=list)  # whole, but following another entry than the one before it
    gaps: list[range] = field(default_factory=list)  # numbers that no row has
    strays: list[int] = field(default_factory=list)  # numbers below the first, or that stand twice
    bad_hash: set[int] = field(default_factory=set)  # entries whose successor knows the right hash
    marked: dict[int, str] = field(default_factory=dict)  # hashes of the entries that were asked for
    more: int = 0

    def keep(self, kept: list[Any], one: Any) -> None:
        """Keep one more place, or count it."""
        if len(kept) < MOST:
            kept.append(one)
        else:
            self.more += 1


def walk(rows: Iterable[Sequence[Any]], marked: Collection[int] = ()) -> Noticed:
    """Go along rows of (number, the fields, previous, hash) in the order of their numbers."""
    noticed = Noticed()
    count, expected, last = 0, 1, GENESIS  # last: the hash that the row before has
    right = GENESIS  # the hash that it should have
    for row in rows:
        count += 1
        number, values, previous, hash_ = row[0], row[1:-2], row[-2], row[-1]
        try:
            own = entry_hash(number, values, previous)
        except TypeError:  # a column holds what no entry ever held
            own = ""
        if own != hash_:
            stored = Stored(number=number, values=values, previous=previous, hash=hash_, follows={last, right})
            noticed.keep(noticed.broken, stored)
        if number > expected:
            noticed.keep(noticed.gaps, range(expected, number))
        elif number < expected:
            noticed.keep(noticed.strays, number)
            continue
        elif previous != last:
            if previous == right:
                noticed.bad_hash.add(number - 1)
            elif own == hash_:
                noticed.keep(noticed.unlinked, number)
        if number in marked:
            noticed.marked[number] = hash_
        expected, last, right = number + 1, hash_, own
    noticed.entries, noticed.last = count, (expected - 1, last if is_hash(last) else "")
    return noticed
