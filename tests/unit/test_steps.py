"""What the clock and the case must know of each step stands where the schema says, and is read as it stands there."""

from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from gateway.domain.messages import MESSAGE_TYPES, STEPS, Application, Message, Receipt, Reply, Step, type_of
from gateway.settings import data_folder
from gateway.wire.documents import NS, parse_xml
from gateway.wire.reading import read
from gateway.wire.schema import SchemaSet
from gateway.wire.shapes import Shape, xml_shapes
from gateway.wire.steps import PLACES, Places

FOLDER = data_folder("schemas") / "readmission" / "1.0"
SCHEMAS = SchemaSet.load(FOLDER)
EXAMPLES = sorted((FOLDER / "examples").glob("*.xml"))
FACTS = [field.name for field in fields(Places)]
OF_STEPS = [path for path in EXAMPLES if path.stem.partition("-")[0] in STEPS]


@cache
def message(name: str) -> Message:
    return read(SCHEMAS.check(parse_xml((FOLDER / "examples" / f"{name}.xml").read_bytes())))


def named() -> Iterator[tuple[str, str, str]]:
    """Yield type, fact and path of every place that is named."""
    for kind, places in PLACES.items():
        for fact in FACTS:
            if path := getattr(places, fact):
                yield kind, fact, path


def written(fact: str, value: Any) -> str | None:
    """Return a fact as a document writes it."""
    if value is None:
        return None
    if fact == "at":
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"True": "true", "False": "false"}.get(str(value), str(value))


def standing(root: ET.Element, path: str) -> str | None:
    return root.findtext("/".join(f"{{{NS}}}{part}" for part in path.split("/")))


# --- every example ----------------------------------------------------------------------------------------------------


def test_every_message_type_has_an_example() -> None:
    assert {path.stem.partition("-")[0] for path in EXAMPLES} == set(MESSAGE_TYPES)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_is_read_as_what_it_is(path: Path) -> None:
    kind = path.stem.partition("-")[0]
    found = message(path.stem)
    assert type(found) is MESSAGE_TYPES[kind]
    assert type_of(found) == kind
    assert (found.header.case_reference is None) is isinstance(found, Receipt)


@pytest.mark.parametrize("path", OF_STEPS, ids=lambda path: path.stem)
def test_facts_of_a_step_are_what_stands_in_its_document(path: Path) -> None:
    found, root = message(path.stem), ET.parse(path).getroot()
    assert isinstance(found, Step)
    for fact in FACTS:
        place = getattr(PLACES[found.type], fact)
        if fact == "proof":
            expected = standing(root, f"{place}/MessageId") if place else None
            assert (found.proof and found.proof.message_id) == expected
            assert (found.proof and found.proof.digest) == (standing(root, f"{place}/Sha256") if place else None)
        elif fact == "escorted":
            assert found.escorted is (place != "" and standing(root, place) == "true")
        else:
            stands = standing(root, place) if place else None
            stands = stands.partition(".")[0].rstrip("Z") + "Z" if stands and fact == "at" else stands
            assert written(fact, getattr(found, fact)) == stands, fact


UNTIL = date(2026, 12, 1)
BY_HAND: list[tuple[str, dict[str, Any]]] = [
    ("ExtensionRequest-by-requested", {"limit": "reply", "days": 6, "reason": "practical-obstacle"}),
    ("ExtensionDecision-granted-by-requesting", {"outcome": "granted", "limit": "reply", "days": 6, "until": UNTIL}),
    ("ExtensionDecision-refused-by-requesting", {"outcome": "refused", "limit": "reply"}),
    ("InformationRequest-by-requested", {"until": date(2026, 10, 1)}),
    ("InterviewAppointment-by-requested", {"at": datetime(2026, 10, 7, 9, 0, tzinfo=UTC)}),
    ("InterviewResult-not-held", {"outcome": "not-held", "on": date(2026, 10, 6)}),
    ("RegisterSearchResult-found", {"outcome": "found", "on": date(2026, 10, 7)}),
    ("TravelDocumentRequest-renewal", {"reason": "renewal", "until": date(2026, 10, 26)}),
    ("TravelDocumentIssued-by-requested", {"until": date(2027, 4, 12)}),
    ("TravelDocumentRefused-by-requested", {"reason": "identity-not-established"}),
    ("TransferNotification-alone", {"at": datetime(2026, 10, 28, 10, 0, tzinfo=UTC), "means": "land"}),
    (
        "TransferNotification-escorted",
        {"at": datetime(2026, 10, 25, 13, 0, tzinfo=UTC), "means": "air", "escorted": True},
    ),
    ("TransferNotificationReply-changed", {"outcome": "changed", "at": datetime(2026, 11, 4, 13, 0, tzinfo=UTC)}),
    ("TransferPostponed-by-requested", {"on": date(2026, 10, 24), "reason": "other"}),
    ("TransferRecord-handed-over", {"outcome": "handed-over", "at": datetime(2026, 10, 25, 14, 0, tzinfo=UTC), "means": "air"}),
    ("TransitReply-refused", {"outcome": "refused", "on": date(2026, 10, 18)}),
    ("TransitRevocation-other", {"reason": "other"}),
    ("Withdrawal-person-left", {"reason": "person-left"}),
    ("Suspension-illness", {"on": date(2026, 12, 5), "until": date(2026, 12, 26), "reason": "illness"}),
    ("Resumption-plain", {"on": date(2026, 12, 9)}),
    ("ReadmissionInError-not-a-national", {"on": date(2026, 10, 25), "reason": "not-a-national"}),
    ("ReadmissionInErrorReply-accepted", {"outcome": "accepted", "on": date(2026, 11, 1)}),
    ("CostStatement-by-requested", {"on": date(2026, 11, 18), "until": date(2027, 1, 17)}),
    ("CostSettlement-by-requesting", {"on": date(2026, 11, 19)}),
    ("ErasureNotice-case-by-requested", {"outcome": "case", "on": date(2026, 11, 14), "reason": "purpose-ended"}),
    ("PostReturnFollowUp-not-reached-by-requested", {"outcome": "not-reached", "on": date(2026, 11, 21)}),
    ("InformationReply-by-requested", {}),
    ("DataUseReport-by-requesting", {}),
    ("ReintegrationReferral-by-requested", {}),
]


@pytest.mark.parametrize(("name", "facts"), BY_HAND, ids=[name for name, _ in BY_HAND])
def test_facts_of_a_step_read_by_a_person(name: str, facts: dict[str, Any]) -> None:
    found = message(name)
    told = {fact: getattr(found, fact) for fact in FACTS if getattr(found, fact) not in {None, False}}
    assert told == facts


@pytest.mark.parametrize("name", ["LapseNotice-agreed", "Correction-by-requested", "Rejection-by-requesting"])
def test_message_that_speaks_of_another_one_names_it_by_id_and_digest(name: str) -> None:
    found = message(name)
    assert isinstance(found, Step)
    assert found.proof is not None
    assert (len(found.proof.message_id), len(found.proof.digest)) == (36, 64)


def test_notice_of_silence_names_its_instant_in_utc() -> None:
    found = message("LapseNotice-agreed")
    assert isinstance(found, Step)
    assert found.at == datetime(2026, 12, 9, 22, 0, tzinfo=UTC)
    assert (found.outcome, found.limit) == ("agreed", "reply")


def test_other_messages_are_no_steps() -> None:
    assert isinstance(message("ReadmissionReply-agreed"), Reply)
    assert isinstance(message("TransitApplication-escorted"), Application)
    transit = message("TransitApplication-escorted")
    assert isinstance(transit, Application)
    assert transit.planned is not None


# --- places -----------------------------------------------------------------------------------------------------------


@cache
def shapes() -> dict[str, Shape]:
    return dict(xml_shapes(FOLDER / "readmission.xsd")[1])


def test_places_are_for_steps_and_for_each_of_them() -> None:
    assert set(PLACES) == set(STEPS)


@pytest.mark.parametrize(("kind", "fact", "path"), list(named()), ids=[f"{kind} {fact}" for kind, fact, _ in named()])
def test_place_exists_in_the_schema(kind: str, fact: str, path: str) -> None:
    found = shapes()[kind].at(path)
    assert found is not None
    assert found.leaf is (fact != "proof")
    if fact == "proof":
        assert set(found.children) == {"MessageId", "Sha256"}


@pytest.mark.parametrize("path", ["Plan/When", "Plans/At", "Plan/At/Zone"])
def test_place_that_does_not_exist_would_be_found(path: str) -> None:
    assert shapes()["TransferNotification"].at(path) is None
