"""Every test that the threat model names exists, and every threat names one."""

import re

import pytest

from tests.named_tests import ROOT, exists

PAGE = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| TM-")]
BOUNDARIES = set(re.findall(r"^\| (B\d) ", PAGE, re.MULTILINE))


def test_threats_are_numbered_without_a_gap() -> None:
    assert [row[0] for row in ROWS] == [f"TM-{number:02}" for number in range(1, len(ROWS) + 1)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_threat_has_a_boundary_a_rating_a_control_and_tests_that_exist(row: list[str]) -> None:
    _, boundary, rating, threat, control, default, tests = row
    assert set(boundary.split()) <= BOUNDARIES
    assert rating in {"high", "medium", "low"}
    assert threat
    assert control
    assert default
    names = re.findall(r"`([^`]+)`", tests)
    assert names
    assert [name for name in names if not exists(name)] == []


def test_every_boundary_is_crossed_by_a_threat() -> None:
    assert {boundary for row in ROWS for boundary in row[1].split()} == BOUNDARIES


def test_no_other_test_is_named_on_the_page_that_does_not_exist() -> None:
    assert [name for name in re.findall(r"`(tests/\S+::\S+)`", PAGE) if not exists(name)] == []
