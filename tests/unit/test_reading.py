"""From a checked document to the domain's words and back to documents the gateway writes itself."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from lxml import etree

from gateway.domain.messages import Answered, Application, Category, Ground, Header, Outcome, Procedure, ReceiptItem
from gateway.errors import UnknownMessageType
from gateway.settings import data_folder
from gateway.stages import Checked, Tree
from gateway.wire.allowed import AllowedFields
from gateway.wire.documents import NS, parse_xml, serialize
from gateway.wire.reading import (
    complete_header,
    header_of,
    instant_text,
    message_inside,
    read,
    read_header,
    text,
    texts,
    without_header,
    write_receipt,
)
from gateway.wire.schema import SchemaSet

FOLDER = data_folder("schemas") / "readmission" / "1.0"
SCHEMAS = SchemaSet.load(FOLDER)
R = f"{{{NS}}}"
NOW = datetime(2026, 6, 1, 8, 15, 0, 123_456, tzinfo=UTC)
ID = "019ab4d2-7c40-7a11-8f02-5d1e3b6a9c01"


def example(name: str) -> Tree:
    return parse_xml((FOLDER / "examples" / f"{name}.xml").read_bytes())


def message(name: str):
    return read(SCHEMAS.check(example(name)))


def document(header: str = "", *, root: str = "ReadmissionReply") -> Tree:
    return parse_xml(f'<{root} xmlns="{NS}" schemaVersion="1.0">{header}<Reference/></{root}>'.encode())


def order(parent: Tree) -> list[str]:
    return [etree.QName(child).localname for child in parent]


# --- reading ----------------------------------------------------------------------------------------------------------


def test_application_is_read_with_what_the_rules_ask() -> None:
    found = message("ReadmissionApplication-own-national")
    assert isinstance(found, Application)
    assert (found.agreement, found.ground, found.procedure, found.category) == (
        "ba-pk",
        Ground.NATIONAL,
        Procedure.ORDINARY,
        Category.NATIONAL,
    )
    assert (found.interview_requested, found.nationalities, found.born) == (True, ("PK",), "1991-03")
    assert found.evidence == ("N2-02", "N1-02", "N2-08")


def test_header_of_an_application_names_both_sides() -> None:
    assert message("ReadmissionApplication-own-national").header == Header(
        message_id=ID,
        sender="BA-MS",
        recipient="PK-MOI",
        created=datetime(2026, 11, 24, 8, 5, tzinfo=UTC),
        case_reference="KQ3XN7YB2MZV5TDWA4RUHE6PCG",
        sequence=1,
        national_reference="08-30-1-1174/26",
    )


def test_refusal_is_read_with_its_reasons_and_what_it_answers() -> None:
    found = message("ReadmissionReply-refused")
    assert (found.outcome, found.reasons) == (Outcome.REFUSED, ("conditions-not-met", "identity-not-established"))
    assert found.header.answers == Answered(
        message_id="019ab4d8-1f60-7b35-9c44-2e7a60d1f802",
        digest="fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9",
    )


def test_agreement_has_no_reasons() -> None:
    found = message("ReadmissionReply-agreed")
    assert (found.outcome, found.reasons) == (Outcome.AGREED, ())


@pytest.mark.parametrize(("name", "accepted"), [("Receipt-accepted", True), ("Receipt-refused", False)])
def test_receipt_is_read_line_by_line(name: str, *, accepted: bool) -> None:
    found = message(name)
    assert found.items
    assert {item.accepted for item in found.items if not item.accepted} == (set() if accepted else {False})
    assert all(item.received_at.utcoffset() == timedelta(0) for item in found.items)
    assert all(item.code for item in found.items if not item.accepted)
    assert found.header.case_reference is None


@pytest.mark.parametrize(("written", "meant"), [("true", True), ("1", True), ("false", False), ("0", False)])
def test_both_spellings_of_a_truth_value_are_read(written: str, *, meant: bool) -> None:
    found = example("ReadmissionApplication-own-national")
    found.find(f"{R}Request/{R}InterviewRequested").text = written
    assert read(SCHEMAS.check(found)).interview_requested is meant


def test_unknown_birth_date_is_none() -> None:
    found = example("ReadmissionApplication-own-national")
    birth = found.find(f"{R}Person/{R}Birth")
    birth.remove(birth.find(f"{R}Date"))
    birth.find(f"{R}DateQuality").text = "unknown"
    assert read(SCHEMAS.check(found)).born is None


def test_message_without_a_reader_is_refused() -> None:
    with pytest.raises(UnknownMessageType):
        read(Checked(document=document(), type="TransferNotice", schema_version="1.0"))


def test_text_that_is_not_there_is_none() -> None:
    found = example("ReadmissionApplication-own-national")
    assert text(found, "Guardian/Name/AsShown") is None
    assert texts(found, "Guardian/Nationality") == ()


def test_same_name_in_another_namespace_is_not_read() -> None:
    foreign = etree.fromstring(f'<a xmlns="{NS}"><b xmlns="urn:other">x</b></a>')
    assert text(foreign, "b") is None


# --- the header -------------------------------------------------------------------------------------------------------

ALL = {
    "MessageId": ID,
    "Sender": "PK-MOI",
    "Created": "2026-06-01T08:15:00Z",
    "CaseReference": "A" * 26,
    "Recipient": "BA-MS",
    "Sequence": "1",
    "InReplyTo/MessageId": ID,
    "InReplyTo/Sha256": "0" * 64,
    "NationalReference": "1/26",
}
SCHEMA_ORDER = ["MessageId", "CaseReference", "Sender", "Recipient", "Sequence", "Created", "NationalReference", "InReplyTo"]


@pytest.mark.parametrize("keys", [list(ALL), list(reversed(ALL))], ids=["as given", "reversed"])
def test_missing_header_is_written_in_the_order_of_the_schema(keys: list[str]) -> None:
    found = document()
    filled = complete_header(found, {key: ALL[key] for key in keys})
    assert order(found)[0] == "Header"
    assert order(found[0]) == SCHEMA_ORDER
    assert order(found[0][-1]) == ["MessageId", "Sha256"]
    assert set(filled) == {f"Header/{key}" for key in ALL}
    assert header_of(found) == ALL


def test_what_stands_in_the_header_stays() -> None:
    found = document("<Header><MessageId>own</MessageId><Recipient>BA-MS</Recipient></Header>")
    assert complete_header(found, {"MessageId": ID, "Sequence": "7"}) == ("Header/Sequence",)
    assert header_of(found) == {"MessageId": "own", "Recipient": "BA-MS", "Sequence": "7"}


def test_half_an_answer_is_completed_not_replaced() -> None:
    found = document(f"<Header><InReplyTo><Sha256>{'1' * 64}</Sha256></InReplyTo></Header>")
    assert complete_header(found, {"InReplyTo/MessageId": ID, "InReplyTo/Sha256": "0" * 64}) == ("Header/InReplyTo/MessageId",)
    assert header_of(found) == {"InReplyTo/MessageId": ID, "InReplyTo/Sha256": "1" * 64}


def test_document_without_a_header_has_none() -> None:
    assert header_of(document()) == {}


def test_completed_example_still_meets_its_schema() -> None:
    found = without_header(example("ReadmissionReply-refused"), ("MessageId", "Sequence", "Created", "InReplyTo"))
    complete_header(found, {key: value for key, value in ALL.items() if key not in {"Sender", "Recipient", "CaseReference"}})
    assert read_header(SCHEMAS.check(found).document).message_id == ID


@pytest.mark.parametrize("header", ["<Header><Unknown/></Header>", '<Header><x xmlns="urn:other"/></Header>'])
def test_header_with_a_field_that_is_not_known_is_refused_by_the_schema_not_by_a_crash(header: str) -> None:
    from gateway.errors import SchemaViolation

    found = document(header)
    complete_header(found, ALL)
    with pytest.raises(SchemaViolation):
        SCHEMAS.check(found)


def test_header_fields_named_are_taken_out_and_no_others() -> None:
    found = without_header(example("ReadmissionReply-refused"), ("MessageId", "InReplyTo"))
    assert order(found[0]) == ["CaseReference", "Sender", "Recipient", "Sequence", "Created", "NationalReference"]


def test_document_without_a_header_stays_as_it_is() -> None:
    assert order(without_header(document(), ("MessageId",))) == ["Reference"]


# --- what the gateway writes ------------------------------------------------------------------------------------------

HEADER = Header(message_id=ID, sender="PK-MOI", recipient="BA-MS", created=NOW)
ACCEPTED = ReceiptItem(message_id=ID, digest="a" * 64, received_at=NOW, accepted=True)
REFUSED = ReceiptItem(
    message_id=ID, digest="b" * 64, received_at=NOW, accepted=False, code="schema-violation", text="a field is missing"
)


def test_instant_is_written_in_utc_with_microseconds() -> None:
    assert instant_text(NOW.astimezone(timezone(timedelta(hours=5)))) == "2026-06-01T08:15:00.123456Z"


@pytest.mark.parametrize("hosted_by", [None, "east-gateway"])
def test_written_receipt_meets_schema_rules_and_allow_list(hosted_by: str | None) -> None:
    checked = SCHEMAS.check(parse_xml(serialize(write_receipt(HEADER, [ACCEPTED, REFUSED], hosted_by=hosted_by))))
    AllowedFields.load(FOLDER).check(checked)
    found = read(checked)
    assert found.header == HEADER
    assert found.items == (ACCEPTED, REFUSED)


def test_line_of_a_message_that_waits_names_what_is_missing_and_is_no_refusal() -> None:
    waits = replace(ACCEPTED, accepted=False, missing=(2, 3), code="sequence-gap", text="earlier messages have not come")
    checked = SCHEMAS.check(parse_xml(serialize(write_receipt(HEADER, [waits]))))
    AllowedFields.load(FOLDER).check(checked)
    (found,) = read(checked).items
    assert found == waits
    assert (found.waits, text(checked.document, "Item/Outcome")) == (True, "waiting")


def test_long_text_of_a_refusal_is_cut_to_what_the_schema_takes() -> None:
    written = write_receipt(HEADER, [replace(REFUSED, text="x" * 1000)])
    assert read(SCHEMAS.check(written)).items[0].text == "x" * 250


def test_refused_line_without_a_code_breaks_the_rule() -> None:
    from gateway.errors import RuleViolation

    with pytest.raises(RuleViolation, match="refused-needs-code"):
        SCHEMAS.check(write_receipt(HEADER, [replace(REFUSED, code=None)]))


def test_message_is_the_first_element_of_its_envelope() -> None:
    inner = example("Receipt-accepted")
    envelope = etree.Element("{urn:readmission-gateway:envelope:1.0}Envelope")
    envelope.append(inner)
    assert etree.QName(message_inside(serialize(envelope))).localname == "Receipt"
