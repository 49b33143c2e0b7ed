"""Numbers that are missing among the messages of a case file: the journal must say that their sender gave them up."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from gateway.errors import CaseIncomplete
from gateway.flow.case_journal import details

_GIVEN_UP = "gap.given_up"


def judge_gaps(sender: str, numbers: Sequence[int], entries: Sequence[Mapping[str, Any]]) -> list[tuple[int, int]]:
    """Return the gaps between the numbers of one sender, first and last, each of which the journal says was given up.

    Raises `CaseIncomplete` for any other gap and for a number that stands twice, `JournalMismatch`.
    """
    gaps = []
    for before, number in pairwise([0, *sorted(numbers)]):
        if number == before + 1:
            continue
        if number <= before or not _covered(before + 1, number - 1, _given_up(sender, entries)):
            raise CaseIncomplete(f"between the messages of {sender} one is missing")
        gaps.append((before + 1, number - 1))
    return gaps


def numbered(first: int, last: int) -> str:
    """Return what a gap is called."""
    return f"its message number {first}" if first == last else f"its messages number {first} to {last}"


def _given_up(sender: str, entries: Sequence[Mapping[str, Any]]) -> list[tuple[int, int]]:
    told = [details(entry) for entry in entries if (entry["event"], entry["actor"]) == (_GIVEN_UP, sender)]
    found = [(one.get("first"), one.get("last")) for one in told]
    return sorted((first, last) for first, last in found if type(first) is int and type(last) is int)


def _covered(first: int, last: int, told: Sequence[tuple[int, int]]) -> bool:
    for begin, end in told:
        if begin <= first:
            first = max(first, end + 1)
    return first > last
