"""Numbers missing among the messages of a case file: only those that the journal says were given up may be."""

import json
from typing import Any

import pytest

from gateway.errors import CaseIncomplete, JournalMismatch
from gateway.flow.case_gaps import judge_gaps, numbered


def told(first: Any, last: Any, *, actor: str = "AA-X", event: str = "gap.given_up") -> dict[str, Any]:
    return {"id": 7, "event": event, "actor": actor, "detail": json.dumps({"first": first, "last": last})}


@pytest.mark.parametrize("numbers", [[], [1], [2, 1, 3]])
def test_numbers_without_a_gap_need_no_word_of_the_journal(numbers: list[int]) -> None:
    assert judge_gaps("AA-X", numbers, []) == []


@pytest.mark.parametrize("entries", [[told(2, 3)], [told(3, 3), told(2, 2)], [told(1, 9)], [told(2, 2), told(2, 3)]])
def test_gap_that_was_given_up_is_told(entries: list[dict[str, Any]]) -> None:
    assert judge_gaps("AA-X", [1, 4], entries) == [(2, 3)]


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [told(2, 2)],
        [told(3, 3)],
        [told(2, 3, actor="BB-X")],
        [told(2, 3, event="gap.told")],
        [told("2", "3")],
        [told(True, 3)],
        [told(None, None)],
    ],
)
def test_gap_that_nobody_gave_up_is_refused(entries: list[dict[str, Any]]) -> None:
    with pytest.raises(CaseIncomplete):
        judge_gaps("AA-X", [1, 4], entries)


@pytest.mark.parametrize("numbers", [[1, 1], [0, 1], [-1, 1], [1, 10**30]])
def test_number_that_stands_twice_or_cannot_be_is_refused_at_once(numbers: list[int]) -> None:
    with pytest.raises(CaseIncomplete):
        judge_gaps("AA-X", numbers, [told(1, 9)])


def test_entry_without_details_is_no_entry_of_ours() -> None:
    with pytest.raises(JournalMismatch):
        judge_gaps("AA-X", [2], [told(1, 1) | {"detail": "[]"}])


def test_gap_is_called_by_its_numbers() -> None:
    assert (numbered(2, 2), numbered(2, 4)) == ("its message number 2", "its messages number 2 to 4")
