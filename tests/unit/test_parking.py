"""What is parked: grouped by cause, ordered by case, and whose turn it is; who may decide."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.parking import REMEDIES, Ground, Owner, ParkedThing, grouped, in_case_order, remedy
from gateway.errors import BadValue, MissingField, SecondPersonMissing, catalogue

NOW = datetime(2026, 6, 1, 8, 15, tzinfo=UTC)
PAGE = Path(__file__).resolve().parents[2] / "docs" / "errors.md"
WORDS = {Owner.OPERATIONS: {"operator"}, Owner.CASE_OFFICER: {"sender", "officer"}, Owner.PARTNER: {"partner"}}


def thing(number: int, **changes: object) -> ParkedThing:
    values: dict[str, object] = {
        "id": f"in-{number}",
        "direction": "in",
        "home": "RS-MUP",
        "partner": "AT-BMI",
        "verified": True,
        "message_id": None,
        "type": None,
        "case": None,
        "sequence": None,
        "code": "internal-error",
        "rule": "ValueError",
        "since": NOW,
        "came_at": NOW,
        "attempts": 1,
    }
    return ParkedThing(**values | changes)  # type: ignore[arg-type]


def hours(count: int) -> datetime:
    return NOW + timedelta(hours=count)


def test_things_of_one_cause_are_one_line() -> None:
    first, second = grouped([thing(1, since=hours(2)), thing(2, rule="KeyError"), thing(3, since=hours(1))])
    assert (first.cause.rule, first.count, first.oldest) == ("ValueError", 2, hours(1))
    assert (second.cause.rule, second.count) == ("KeyError", 1)


def test_line_names_everybody_whose_turn_it_is() -> None:
    (group,) = grouped([thing(1), thing(2, taken_by="C. Specimen")])
    assert group.owners == ("C. Specimen", "operations")


def test_within_a_case_the_sequence_counts_and_not_the_age() -> None:
    late = thing(1, case="a", sequence=2, came_at=hours(5))
    early = thing(2, case="a", sequence=3, came_at=hours(1))
    assert in_case_order([early, late]) == [late, early]


def test_cases_follow_their_oldest_thing_and_stay_together() -> None:
    old, other, new = (
        thing(1, case="b", sequence=9, came_at=hours(1)),
        thing(2, came_at=hours(2)),
        thing(3, case="b", sequence=1, came_at=hours(3)),
    )
    assert in_case_order([other, old, new]) == [new, old, other]


def test_same_reference_between_two_other_authorities_is_another_case() -> None:
    one = thing(1, case="a", sequence=2, came_at=hours(1))
    two = thing(2, case="a", sequence=1, came_at=hours(2), partner="XA-ONE")
    assert in_case_order([two, one]) == [one, two]


@given(st.lists(st.tuples(st.sampled_from([None, "a", "b"]), st.integers(1, 4), st.integers(0, 9)), max_size=12), st.randoms())
def test_order_does_not_depend_on_how_things_were_listed(rows, random) -> None:
    things = [thing(number, case=case, sequence=seq, came_at=hours(h)) for number, (case, seq, h) in enumerate(rows)]
    shuffled = list(things)
    random.shuffle(shuffled)
    assert in_case_order(shuffled) == in_case_order(things)


def test_remedies_say_who_as_the_page_of_errors_does() -> None:
    rows = dict(re.findall(r"^\| `([a-z-]+)` \|[^|]*\|[^|]*\|([^|]*)\|", PAGE.read_text("utf-8"), re.MULTILINE))
    for code, found in REMEDIES.items():
        if code in rows:
            assert any(word in rows[code] for word in WORDS[found.owner]), code
    assert set(REMEDIES) - set(rows) == {"internal-error"}  # told above the tables


@pytest.mark.parametrize(
    ("code", "direction", "owner"),
    [
        ("mapping-invalid", "in", Owner.OPERATIONS),
        ("revocation-unknown", "in", Owner.OPERATIONS),
        ("schema-violation", "in", Owner.PARTNER),
        ("schema-violation", "out", Owner.CASE_OFFICER),
        ("a-code-of-tomorrow", "in", Owner.OPERATIONS),
    ],
)
def test_family_of_a_code_says_whose_turn_it_is(code, direction, owner) -> None:
    assert remedy(code, direction).owner is owner


def test_every_code_has_somebody_and_something_to_do() -> None:
    assert all(remedy(code, way).step for code in catalogue() for way in ("in", "out"))


def test_one_person_decides_about_as_many_as_the_setting_says() -> None:
    ground = Ground.of(by="A. Specimen", why="mended")
    ground.require_enough(20, 20)
    with pytest.raises(SecondPersonMissing):
        ground.require_enough(21, 20)
    Ground.of(by="A. Specimen", why="mended", second="B. Specimen").require_enough(21, 20)


@pytest.mark.parametrize("second", ["A. Specimen", "a.  specimen "])
def test_second_person_is_another_one(second) -> None:
    with pytest.raises(SecondPersonMissing):
        Ground.of(by="A. Specimen", why="mended", second=second)


@pytest.mark.parametrize(("by", "why"), [("", "mended"), ("A. Specimen", " \n ")])
def test_decision_names_a_person_and_a_reason(by, why) -> None:
    with pytest.raises(MissingField):
        Ground.of(by=by, why=why)


@pytest.mark.parametrize(("by", "why"), [("A" * 81, "mended"), ("A. Specimen", "x" * 401)])
def test_decision_fits_where_it_is_kept(by, why) -> None:
    with pytest.raises(BadValue):
        Ground.of(by=by, why=why)


def test_what_persons_wrote_stands_on_one_line() -> None:
    assert Ground.of(by=" A.\tSpecimen ", why="mended\nin 7").why == "mended in 7"
