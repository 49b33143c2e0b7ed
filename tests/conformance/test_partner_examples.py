"""The examples of every partner but the first four: one test a dialect, over all of its examples, both ways."""

from collections import Counter
from typing import Any

import pytest
from lxml import etree
from stdnum.md import idno
from stdnum.nl import bsn
from stdnum.tr import tckimlik

from gateway.domain.treaties import treaty_between
from gateway.partners.treaties import load_treaties
from gateway.settings import data_folder
from gateway.wire.examples import example_files, flat
from gateway.wire.identifiers import warnings
from gateway.wire.schema import MESSAGE_ROOTS
from tests.shipped import FIRST, PARTNERS, allowed, read, schemas, translator, twin_of

WESTERN_BALKANS = {"al", "ba", "xk", "me", "mk", "rs"}
DIALECTS = sorted(dialect.id for dialect in PARTNERS.dialects.values() if dialect.partner not in FIRST)
ASKING = {"ReadmissionApplication", "WrittenNotification", "TransitApplication", "TransferNotification", "Withdrawal"}
ASKED = {"ReadmissionReply", "InterviewResult", "RegisterSearchResult", "TransferNotificationReply", "TransitReply"}
KINDS = {
    "own-national",
    "own-script",
    "family",
    "child-with-guardian",
    "unknown-birth-date",
    "single-name",
    "third-country-permit",
    "reply-agreed",
    "reply-agreed-in-part",
}
# States whose personal number has a check that is not one of the canonical kinds, and how a number nobody has begins.
CHECKED = {"TR": (tckimlik.is_valid, "98"), "MD": (idno.is_valid, "29990"), "NL": (bsn.is_valid, "9990")}


def text(document: Any, path: str) -> str:
    return str(document.findtext("/".join(f"{{*}}{step}" for step in path.split("/"))) or "")


def documents(dialect: str) -> dict[str, Any]:
    """The canonical twins of a dialect's examples, by name."""
    return {path.stem: read(twin_of(path)) for path in example_files(PARTNERS.dialect(dialect))}


def kind_of(document: Any) -> str:
    return str(etree.QName(document).localname)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_example_is_its_canonical_twin_both_ways(dialect: str) -> None:
    for path in example_files(PARTNERS.dialect(dialect)):
        read_in = translator(dialect).to_canonical(path.read_bytes())
        assert read_in.body == twin_of(path).read_bytes(), path
        assert read_in.report.dropped == (), path
        written = translator(dialect).from_canonical(read(twin_of(path)))
        assert written.body == path.read_bytes(), path


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_twin_meets_schema_rules_and_allow_list(dialect: str) -> None:
    for name, document in documents(dialect).items():
        assert schemas().problems(document) == [], name
        allowed().check(schemas().check(document))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_example_can_be_written_in_the_format_of_the_one_it_is_sent_to(dialect: str) -> None:
    for name, document in documents(dialect).items():
        target = PARTNERS.authority(text(document, "Header/Recipient")).dialect
        there = translator(target).from_canonical(document)
        declared = {field.path for field in there.report.dropped}
        back = translator(target).to_canonical(there.body)
        assert list(flat(back.document)) == [field for field in flat(document) if field[0] not in declared], (name, target)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_examples_cover_every_type_that_the_format_has_and_the_kinds_of_persons(dialect: str) -> None:
    found = documents(dialect)
    types = Counter(map(kind_of, found.values()))
    assert set(types) == set(PARTNERS.dialect(dialect).mapping["messages"]) - {"Receipt"}
    assert set(found) >= KINDS
    assert len(found) >= (12 if PARTNERS.dialect(dialect).partner in WESTERN_BALKANS else 6)
    assert types.keys() >= ASKING | ASKED, "as the side that asks, and as the one that is asked"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_example_is_sent_by_its_authority_under_rules_that_bind_both_states(dialect: str) -> None:
    treaties = load_treaties(data_folder("partners") / "treaties")
    for name, document in documents(dialect).items():
        sender, recipient = text(document, "Header/Sender"), text(document, "Header/Recipient")
        assert PARTNERS.authority(sender).dialect == dialect, name
        agreement = text(document, "Request/Agreement")
        if agreement:
            assert treaty_between(treaties, agreement, sender[:2], recipient[:2]).binds(sender[:2], recipient[:2]), name
            partners = [PARTNERS.partner(code[:2].lower()) for code in (sender, recipient)]
            assert (agreement == "no-agreement") is any(partner.no_agreement for partner in partners), name


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_personal_number_checks_out_although_it_is_nobodys(dialect: str) -> None:
    for name, document in documents(dialect).items():
        assert warnings(document) == [], name
        for number in document.iterfind("{*}Person/{*}Identifier"):
            value, state = text(number, "Value"), text(number, "State")
            if text(number, "Kind") == "other":
                check, start = CHECKED.get(state, (str, "SPECIMEN-"))
                assert check(value), name
                assert value.startswith(start), name


def test_no_two_examples_of_any_partner_share_a_message_id() -> None:
    ids = Counter(
        text(read(twin_of(path)), "Header/MessageId")
        for dialect in PARTNERS.dialects.values()
        for path in example_files(dialect)
    )
    assert [number for number, times in ids.items() if times > 1] == []


def test_the_western_balkan_partners_send_every_type_that_either_side_may_send_from_both() -> None:
    either = set(MESSAGE_ROOTS) - {"Receipt"}
    for dialect in ("al/mb-xml", "xk/mpb-json", "me/mup-xml", "mk/mvr-xml"):
        assert {kind_of(document) for document in documents(dialect).values()} == either
        assert {name.rpartition("-")[2] for name in documents(dialect) if name.startswith("cost-statement")} == {
            "requesting",
            "requested",
        }


# --- what a folder holds beside its formats -------------------------------------------------------------------------------


@pytest.mark.parametrize("code", sorted(PARTNERS.partners))
def test_a_partner_names_offices_and_crossing_points_and_says_why_it_has_no_agreement(code: str) -> None:
    partner = PARTNERS.partner(code)
    assert len(partner.contacts) >= 3
    assert all(contact.email.endswith(".example") for contact in partner.contacts)
    assert {point.source for point in partner.crossing_points} == {"proposal"}
    named = {
        state
        for treaty in load_treaties(data_folder("partners") / "treaties").values()
        if treaty.id != "no-agreement"
        for party in treaty.parties
        for state in party.states
    }
    assert bool(partner.no_agreement) is (partner.state not in named)
    assert (data_folder("partners") / "calendars" / f"{partner.calendar}.toml").is_file()
