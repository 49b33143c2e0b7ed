"""What a treaty does not allow does not leave: from the hand-in to the sealed message, and what the record says of it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import pytest
from lxml import etree

from gateway.domain.limits import Confidence
from gateway.domain.safeguards import HoldReason
from gateway.domain.treaties import Treaty, Withheld
from gateway.errors import Refused
from gateway.flow.draft import Held, Sent
from gateway.flow.papers import sha256
from gateway.wire.documents import NS, canonicalize, serialize
from gateway.wire.reading import without_header
from tests.forging import application, count, find, journalled, leaving, reply, stored
from tests.gateways import Gateway, exchange

pytestmark = pytest.mark.anyio


def withholding(treaties: Mapping[str, Treaty], treaty: str, *fields: str, messages: frozenset[str] = frozenset()):
    """Return the treaties, one of them with fields that may not be sent under it."""
    rows = tuple(
        Withheld(
            field=field,
            messages=messages,
            article="Art. 99",
            source="invented",
            confidence=Confidence.VERIFIED,
            treaty=treaty,
        )
        for field in fields
    )
    return MappingProxyType(dict(treaties) | {treaty: replace(treaties[treaty], withheld=rows)})


def under(side: Gateway, treaty: str, *fields: str, **more: frozenset[str]) -> Gateway:
    """Return the gateway with other rules and the same database."""
    return replace(side, rt=replace(side.rt, treaties=withholding(side.rt.treaties, treaty, *fields, **more)))


def paths(document) -> set[str]:
    tree = etree.ElementTree(document)
    return {tree.getelementpath(element).replace(f"{{{NS}}}", "") for element in document.iter()}


async def test_a_field_that_the_treaty_withholds_is_not_in_the_sealed_message(two_gateways) -> None:
    west = under(two_gateways[0], "eu-rs", "Person/PhysicalDescription", "Person/CivilStatus")
    document = application(west.rt.clock())
    assert {"Person/PhysicalDescription/HeightCm", "Person/CivilStatus"} <= paths(document)

    assert isinstance(west.hand_in(serialize(document), authority="AT-BMI"), Sent)

    ((_, sealed),) = leaving(west, two_gateways[1].rt)
    gone = paths(document) - paths(sealed)
    assert {path.split("/")[1] for path in gone} == {"PhysicalDescription", "CivilStatus"}
    assert paths(sealed) < paths(document)


async def test_the_report_names_each_field_with_the_treaty_and_its_digest_stands_in_the_journal(two_gateways) -> None:
    west = under(two_gateways[0], "eu-rs", "Person/PhysicalDescription")
    document = application(west.rt.clock())
    assert isinstance(west.hand_in(serialize(document), authority="AT-BMI"), Sent)

    (body,) = stored(west, "report")
    report = json.loads(body)
    dropped = [field for field in report["fields"] if field["action"] == "dropped"]
    there = find(document, "Person/PhysicalDescription")
    assert {field["path"] for field in dropped} == {
        f"/ReadmissionApplication/Person/PhysicalDescription/{etree.QName(child).localname}" for child in there
    }
    assert {field["rule"] for field in dropped} == {"not-allowed:eu-rs"}
    assert {field["why"] for field in dropped} == {"eu-rs, Art. 99: not to be sent (verified)"}
    assert report["dropped"] == len(dropped) > 0
    ((_, sealed),) = leaving(west, two_gateways[1].rt)
    assert report["sha256_out"] == sha256(canonicalize(sealed))
    assert [row["detail"]["report"] for row in journalled(west.rt.engine, "message.sent")] == [sha256(body)]


async def test_a_message_in_the_authoritys_own_format_is_narrowed_after_its_translation(two_gateways) -> None:
    west = under(two_gateways[0], "eu-rs", "Person/PhysicalDescription")
    header = ("MessageId", "CaseReference", "Sequence", "Created")
    document = without_header(application(west.rt.clock()), header)
    body = west.rt.translators["at/bmi-json"].from_canonical(document).body
    assert isinstance(west.hand_in(body, authority="AT-BMI", dialect="at/bmi-json"), Sent)

    (report,) = map(json.loads, stored(west, "report"))
    rules = {field["path"]: field["rule"] for field in report["fields"]}
    assert rules["/ReadmissionApplication/Person/PhysicalDescription/HeightCm"] == "not-allowed:eu-rs"
    assert report["from"] == "at/bmi-json"
    ((_, sealed),) = leaving(west, two_gateways[1].rt)
    assert not any("PhysicalDescription" in path for path in paths(sealed))


async def test_a_field_of_every_member_of_the_family_is_withheld(two_gateways) -> None:
    east = under(two_gateways[1], "ba-pk", "Child/Birth/Place", "Child/Language")
    document = application(east.rt.clock(), "ReadmissionApplication-family")
    assert {"Child[1]/Birth/Place", "Child[2]/Birth/Place", "Child[1]/Language"} <= paths(document)
    held = east.hand_in(serialize(document), authority="PK-MOI")
    assert isinstance(east.release(held.case_id), Sent)
    ((_, sealed),) = leaving(east, two_gateways[0].rt)
    assert "Child[2]/Birth/Date" in paths(sealed)
    assert [path for path in paths(sealed) if path.startswith("Child") and path.endswith(("Birth/Place", "Language"))] == []


async def test_a_message_that_cannot_be_without_the_field_is_refused_with_its_place(two_gateways) -> None:
    west = under(two_gateways[0], "eu-rs", "Person/Sex")
    before = count(west.rt.engine)
    result = west.hand_in(serialize(application(west.rt.clock())), authority="AT-BMI")
    assert isinstance(result, Refused)
    assert (result.code, result.path) == ("field-withheld", "/ReadmissionApplication/Person/Sex")
    assert count(west.rt.engine) == before


async def test_a_field_that_is_withheld_in_other_messages_or_under_another_treaty_leaves(two_gateways) -> None:
    for west in (
        under(two_gateways[0], "eu-rs", "Person/PhysicalDescription", messages=frozenset({"TransitApplication"})),
        under(two_gateways[0], "eu-ba", "Person/PhysicalDescription"),
    ):
        assert isinstance(west.hand_in(serialize(application(west.rt.clock())), authority="AT-BMI"), Sent)
    sealed = [document for _, document in leaving(two_gateways[0], two_gateways[1].rt)]
    assert all("Person/PhysicalDescription/HeightCm" in paths(document) for document in sealed)
    assert stored(two_gateways[0], "report") == []


async def test_a_later_message_of_the_case_is_narrowed_by_the_treaty_of_the_case(two_gateways) -> None:
    west, east = two_gateways
    asked = application(west.rt.clock())
    assert isinstance(west.hand_in(serialize(asked), authority="AT-BMI"), Sent)
    await exchange(west, east)
    narrowed = under(east, "eu-rs", "Person/Birth/Place", "Remarks")
    answer = reply(asked, east.rt.clock())
    assert "Person/Birth/Place" in paths(answer)
    assert isinstance(narrowed.hand_in(serialize(answer), authority="RS-MUP"), Sent)
    sealed = [document for _, document in leaving(narrowed, west.rt) if document.tag.endswith("Reply")]
    assert [path for path in paths(sealed[0]) if path in {"Person/Birth/Place", "Remarks"}] == []


async def test_a_held_message_is_narrowed_already_and_refused_once_the_treaty_narrows_further(two_gateways) -> None:
    west = under(two_gateways[0], "ba-pk", "Person/Father")
    document = application(west.rt.clock(), "ReadmissionApplication-own-national")
    held = west.hand_in(serialize(document), authority="BA-MS")
    assert isinstance(held, Held)
    assert held.reason is HoldReason.STATEMENT_MISSING

    with pytest.raises(Refused) as refused:
        under(west, "ba-pk", "Person/Father", "Person/PhysicalDescription").release(held.case_id)
    assert refused.value.code == "field-withheld"
