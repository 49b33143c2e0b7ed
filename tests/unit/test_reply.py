"""A reply written from the application it answers is in order, and says no more than the printed form."""

from datetime import UTC, date, datetime

import pytest
from lxml import etree

from gateway.domain.messages import Outcome
from gateway.errors import RuleViolation, SchemaViolation
from gateway.settings import data_folder
from gateway.stages import Checked, Tree
from gateway.wire.allowed import AllowedFields
from gateway.wire.documents import NS, parse_xml, serialize
from gateway.wire.examples import fresh_header
from gateway.wire.reading import complete_header, read, text, texts
from gateway.wire.reply import Decision, write_reply
from gateway.wire.schema import SchemaSet

FOLDER = data_folder("schemas") / "readmission" / "1.0"
SCHEMAS, ALLOWED = SchemaSet.load(FOLDER), AllowedFields.load(FOLDER)
R = f"{{{NS}}}"
NOW = datetime(2026, 6, 1, 8, 15, tzinfo=UTC)
AGREED = Decision(agreed=True, on=date(2026, 6, 1), signatory="A. Specimen")
REFUSED = Decision(
    agreed=False, on=date(2026, 6, 1), signatory="A. Specimen", reasons=(("conditions-not-met", "No record."), ("other", ""))
)
APPLICATIONS = sorted((FOLDER / "examples").glob("ReadmissionApplication-*.xml"))


def application(name: str = "ReadmissionApplication-own-national") -> Tree:
    return parse_xml((FOLDER / "examples" / f"{name}.xml").read_bytes())


def checked(reply: Tree) -> Checked:
    """Hand the reply in: the gateway fills the header, then schema, rules and allow-list are asked."""
    document = parse_xml(serialize(reply))
    values = {key.removeprefix("Header/"): value for key, value in fresh_header(NOW).items()}
    values |= {"InReplyTo/MessageId": values["MessageId"], "InReplyTo/Sha256": "0" * 64}
    complete_header(document, values)
    found = SCHEMAS.check(document)
    ALLOWED.check(found)
    return found


@pytest.mark.parametrize("decision", [AGREED, REFUSED], ids=["agreed", "refused"])
@pytest.mark.parametrize("path", APPLICATIONS, ids=lambda path: path.stem)
def test_reply_to_every_example_meets_schema_rules_and_allow_list(path, decision: Decision) -> None:
    found = read(checked(write_reply(parse_xml(path.read_bytes()), decision)))
    assert found.outcome is (Outcome.AGREED if decision.agreed else Outcome.REFUSED)
    assert found.reasons == tuple(code for code, _ in decision.reasons)


def test_reply_goes_back_to_who_asked_in_the_same_case() -> None:
    header = read(checked(write_reply(application(), AGREED, national_reference="PK/1/26"))).header
    assert (header.sender, header.recipient, header.case_reference) == ("PK-MOI", "BA-MS", "KQ3XN7YB2MZV5TDWA4RUHE6PCG")
    assert header.national_reference == "PK/1/26"


def test_reply_refers_to_the_file_number_and_date_of_the_application() -> None:
    reply = write_reply(application(), AGREED)
    assert (text(reply, "Reference/Number"), text(reply, "Reference/Date")) == ("08-30-1-1174/26", "2026-11-24")


def test_reply_to_an_application_without_a_file_number_refers_to_the_case() -> None:
    asked = application()
    asked[0].remove(asked[0].find(f"{R}NationalReference"))
    assert text(write_reply(asked, AGREED), "Reference/Number") == "KQ3XN7YB2MZV5TDWA4RUHE6PCG"


def test_reply_names_person_and_family_by_name_birth_and_nationality_only() -> None:
    reply = write_reply(application(), AGREED)
    people = [reply.find(f"{R}Person"), *reply.iterfind(f"{R}FamilyMember")]
    assert len(people) == 3
    for person in people:
        assert {etree.QName(child).localname for child in person} <= {"Name", "MaidenName", "Birth", "Nationality"}
    assert texts(reply, "FamilyMember/Name/AsShown") == ("NAMUNA SPECIMEN BIBI", "NAMUNA ALI")


@pytest.mark.parametrize("secret", ["3420112345671", "scar above", "Specimen Street", "photograph", "XX0000000"])
def test_reply_repeats_nothing_else_of_the_application(secret: str) -> None:
    assert secret in etree.tostring(application(), encoding="unicode")
    assert secret not in etree.tostring(write_reply(application(), AGREED), encoding="unicode")


def test_person_without_a_known_name_is_answered_as_unknown() -> None:
    asked = application()
    person = asked.find(f"{R}Person")
    for name in ("Name", "OtherName"):
        for found in person.findall(R + name):
            person.remove(found)
    reason = etree.Element(f"{R}NameUnknown")
    reason.text = "not-established"
    person.insert(0, reason)

    reply = checked(write_reply(asked, AGREED)).document

    assert text(reply, "Person/Name/AsShown") == "unknown"
    assert text(reply, "Person/NameUnknown") is None


def test_remarks_rank_and_interview_are_written_when_given() -> None:
    decision = Decision(
        agreed=True,
        on=date(2026, 6, 1),
        signatory="A. Specimen",
        rank="Director",
        remarks="Travel document follows.",
        interview_proposed=False,
    )
    reply = checked(write_reply(application(), decision)).document
    assert (text(reply, "Remarks"), text(reply, "Signatory/Rank")) == ("Travel document follows.", "Director")
    assert text(reply, "Decision/InterviewProposed") == "false"


def test_what_is_not_given_is_not_written() -> None:
    reply = write_reply(application(), AGREED)
    assert [text(reply, path) for path in ("Remarks", "Signatory/Rank", "Decision/InterviewProposed")] == [None, None, None]


def test_refusal_without_a_reason_breaks_the_rule() -> None:
    with pytest.raises(RuleViolation, match="refusal-needs-reason"):
        checked(write_reply(application(), Decision(agreed=False, on=date(2026, 6, 1), signatory="A. Specimen")))


def test_agreement_with_a_reason_breaks_the_rule() -> None:
    with pytest.raises(RuleViolation, match="agreement-has-no-reason"):
        checked(
            write_reply(
                application(),
                Decision(agreed=True, on=date(2026, 6, 1), signatory="A. Specimen", reasons=(("other", ""),)),
            )
        )


def test_reason_that_is_not_on_the_list_is_refused() -> None:
    decision = Decision(agreed=False, on=date(2026, 6, 1), signatory="A. Specimen", reasons=(("because", ""),))
    with pytest.raises(SchemaViolation):
        checked(write_reply(application(), decision))


def test_unsigned_reply_is_refused() -> None:
    with pytest.raises(SchemaViolation):
        checked(write_reply(application(), Decision(agreed=True, on=date(2026, 6, 1))))


def test_writing_a_reply_leaves_the_application_as_it_was() -> None:
    asked = application()
    before = etree.tostring(asked)
    write_reply(asked, AGREED)
    assert etree.tostring(asked) == before
