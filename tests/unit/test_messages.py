"""What the domain must know of a message."""

from dataclasses import replace
from datetime import UTC, date, datetime
from xml.etree import ElementTree as ET

import pytest

from gateway.domain.messages import (
    CATEGORY_OF,
    MESSAGE_TYPES,
    OPENING,
    STEPS,
    Application,
    Category,
    Ground,
    Header,
    Outcome,
    Procedure,
    Receipt,
    Reply,
    Step,
    type_of,
)
from gateway.settings import data_folder
from gateway.wire.schema import MESSAGE_ROOTS
from gateway.wire.shapes import xml_shapes

XSD = "{http://www.w3.org/2001/XMLSchema}"
SCHEMAS = data_folder("schemas") / "readmission" / "1.0"
TODAY = date(2026, 6, 1)

HEADER = Header(
    message_id="019ab4d2-7c40-7a11-8f02-5d1e3b6a9c01",
    sender="BA-MS",
    recipient="PK-MOI",
    created=datetime(2026, 6, 1, 8, 15, tzinfo=UTC),
)
APPLICATION = Application(
    header=HEADER,
    agreement="ba-pk",
    ground=Ground.NATIONAL,
    procedure=Procedure.ORDINARY,
    interview_requested=False,
    nationalities=("PK",),
    former_nationalities=(),
    children_born=(),
    born="1991-03-02",
    evidence=("N1-02",),
)


def child_on(today: date, born: str | None) -> bool:
    return replace(APPLICATION, born=born).concerns_child(today)


def values_of_type(name: str) -> set[str]:
    """Return the enumeration of a named simple type of the schema, or of the one inside the first element of that name."""
    for file in sorted(SCHEMAS.glob("*.xsd")):
        for kind in ET.parse(file).iter():
            values = {item.get("value", "") for item in kind.iter(f"{XSD}enumeration")}
            if kind.get("name") == name and values:
                return values
    raise AssertionError(f"the schema has no type {name}")


@pytest.mark.parametrize(
    ("born", "today", "child"),
    [
        ("2008-06-02", TODAY, True),  # 18 tomorrow
        ("2008-06-01", TODAY, False),  # 18 today
        ("2008-05-31", TODAY, False),
        ("2026-06-01", TODAY, True),
        ("2008-02-29", date(2026, 2, 28), True),  # born on a leap day: 18 on 1 March
        ("2008-02-29", date(2026, 3, 1), False),
    ],
)
def test_person_is_a_child_until_the_eighteenth_birthday(born: str, today: date, *, child: bool) -> None:
    assert child_on(today, born) is child


@pytest.mark.parametrize(
    ("born", "today", "child"),
    [
        ("2008", date(2026, 12, 30), True),  # perhaps born on 31 December
        ("2008", date(2026, 12, 31), False),
        ("2007", TODAY, False),
        ("2008-06", date(2026, 6, 29), True),  # perhaps born on the last day of June
        ("2008-06", date(2026, 7, 1), False),
        ("2008-07", TODAY, True),
        ("2008-05", TODAY, False),
    ],
)
def test_partial_birth_date_counts_in_the_childs_favour(born: str, today: date, *, child: bool) -> None:
    assert child_on(today, born) is child


def test_unknown_birth_date_is_no_finding_about_age() -> None:
    assert not child_on(TODAY, None)


@pytest.mark.parametrize(
    "children", [("2019-08-14",), ("1990-01-01", "2019"), (None,)], ids=["child", "second child", "no date"]
)
def test_child_named_with_an_adult_concerns_a_child(children: tuple[str | None, ...]) -> None:
    assert replace(APPLICATION, children_born=children).concerns_child(TODAY)


def test_grown_up_child_named_with_the_person_concerns_no_child() -> None:
    assert not replace(APPLICATION, children_born=("2001-02-03", "2007")).concerns_child(TODAY)


@pytest.mark.parametrize(
    ("ground", "category"),
    [
        (Ground.NATIONAL, Category.NATIONAL),
        (Ground.FORMER_NATIONAL, Category.NATIONAL),
        (Ground.FAMILY_MEMBER, Category.NATIONAL),
        (Ground.FORMER_SFRY_NATIONAL, Category.NATIONAL),
        (Ground.THIRD_COUNTRY_VISA, Category.THIRD_COUNTRY),
        (Ground.THIRD_COUNTRY_PERMIT, Category.THIRD_COUNTRY),
        (Ground.THIRD_COUNTRY_ENTRY, Category.THIRD_COUNTRY),
        (Ground.STATELESS, Category.STATELESS),
    ],
)
def test_ground_belongs_to_one_category(ground: Ground, category: Category) -> None:
    assert replace(APPLICATION, ground=ground).category is category


def test_every_ground_for_readmission_has_a_category() -> None:
    # Transit claims no ground: there the nationality decides.
    assert set(CATEGORY_OF) == set(Ground) - {Ground.TRANSIT}


@pytest.mark.parametrize(
    ("nationalities", "category"),
    [(("PK",), Category.THIRD_COUNTRY), (("unknown",), Category.THIRD_COUNTRY), (("stateless",), Category.STATELESS)],
)
def test_person_in_transit_is_counted_by_nationality(nationalities: tuple[str, ...], category: Category) -> None:
    transit = replace(APPLICATION, type="TransitApplication", ground=Ground.TRANSIT, nationalities=nationalities)
    assert transit.category is category


@pytest.mark.parametrize(("type_", "words"), [("Procedure", Procedure), ("ReplyOutcome", Outcome)])
def test_words_of_the_domain_are_the_words_of_the_schema(type_: str, words: type[Procedure | Outcome]) -> None:
    assert values_of_type(type_) == {str(word) for word in words}


def test_grounds_are_those_of_the_schema_and_transit() -> None:
    # A case needs a ground; a transit application has none, so the domain says "transit" where the schema has no word.
    assert values_of_type("Ground") == {str(ground) for ground in Ground} - {"transit"}


def test_message_types_are_the_roots_of_the_schema() -> None:
    _, shapes = xml_shapes(SCHEMAS / "readmission.xsd")
    assert set(MESSAGE_TYPES) == set(shapes) == set(MESSAGE_ROOTS)


def test_each_message_type_opens_a_case_tells_a_step_replies_or_is_a_receipt() -> None:
    groups = [OPENING, STEPS, ("ReadmissionReply", "Receipt")]
    assert sorted(name for group in groups for name in group) == sorted(MESSAGE_ROOTS)


@pytest.mark.parametrize(
    ("message", "name"),
    [
        (APPLICATION, "ReadmissionApplication"),
        (Reply(header=HEADER, outcome=Outcome.AGREED, reasons=()), "ReadmissionReply"),
        (replace(APPLICATION, type="WrittenNotification"), "WrittenNotification"),
        (Step(header=HEADER, type="Withdrawal"), "Withdrawal"),
        (Receipt(header=HEADER, items=()), "Receipt"),
    ],
    ids=["application", "reply", "notification", "step", "receipt"],
)
def test_type_of_a_message_is_the_name_of_its_root(message: Application | Reply | Step | Receipt, name: str) -> None:
    assert type_of(message) == name


def test_message_cannot_be_changed_after_it_was_read() -> None:
    with pytest.raises(AttributeError):
        APPLICATION.born = "1990"  # type: ignore[misc]
