"""Every rule between fields accepts what it should and refuses what it should, here and in lxml's own Schematron."""

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from lxml import etree, isoschematron

from gateway.errors import RuleViolation, SchemaSetBroken
from gateway.settings import data_folder
from gateway.wire.documents import parse_xml
from gateway.wire.explain import explainer
from gateway.wire.rules import Rules, path_of
from gateway.wire.schema import MESSAGE_ROOTS, SchemaSet
from scripts.make_vectors import rule_defects
from tests.rule_cases import FOLLOW_UPS_ACCEPTED

FOLDER = data_folder("schemas") / "readmission" / "1.0"
BROKEN = Path(__file__).resolve().parent.parent / "vectors" / "broken"
EXAMPLES = sorted((FOLDER / "examples").glob("*.xml"))
SCH = "http://purl.oclc.org/dsdl/schematron"


def example(name: str) -> str:
    return (FOLDER / "examples" / f"{name}.xml").read_text(encoding="utf-8")


NATIONAL = example("ReadmissionApplication-own-national")
ENTRY = example("ReadmissionApplication-third-country-entry")
AGREED = example("ReadmissionReply-agreed")
REFUSED = example("ReadmissionReply-refused")
RECEIPT = example("Receipt-refused")

RELATIVE = "<{0}><Name><AsShown>UZORAK</AsShown><Script>Latn</Script></Name></{0}>"
NO_DATE = ("<Date>1991-03</Date>\n      <DateQuality>partial<", "<DateQuality>unknown<")
CARE = "<ConsentGiven>{}</ConsentGiven><Description>needs insulin</Description>"
EXPIRY = "<IssueDate>2016-05-10</IssueDate>\n    <ExpiryDate>2021-05-09</ExpiryDate>"
NAME = NATIONAL[NATIONAL.index("<Name>\n") : NATIONAL.index("    <OtherName>")]
SECOND_REASON = "<Reason><Code>identity-not-established</Code></Reason>"
FIRST_REASON = REFUSED[REFUSED.index("<Reason>") : REFUSED.index(SECOND_REASON)]

Change = tuple[str, str]


def born(date: str) -> Change:
    return "<Date>1991-03<", f"<Date>{date}<"


def with_relative(kind: str) -> Change:
    return "  <Health>", RELATIVE.format(kind) + "  <Health>"


def dates(issue: str, expiry: str) -> Change:
    return EXPIRY, f"<IssueDate>{issue}</IssueDate><ExpiryDate>{expiry}</ExpiryDate>"


def apprehension() -> Change:
    whole = ENTRY[ENTRY.index("<Apprehension>") : ENTRY.index("</Apprehension>") + len("</Apprehension>")]
    return whole, ""


def evidence(text: str) -> list[Change]:
    return [(found, "") for found in re.findall(r"\s*<Evidence>.*?</Evidence>", text, re.DOTALL)]


# rule, good document, changes that leave it accepted
ACCEPTED: list[tuple[str, str, list[Change]]] = [
    ("application-has-case", NATIONAL, []),
    ("accelerated-needs-apprehension", ENTRY, []),
    ("accelerated-needs-apprehension", ENTRY, [apprehension(), ("accelerated", "ordinary")]),
    ("at-least-one-evidence", ENTRY, evidence(ENTRY)[:1]),
    ("child-needs-adult-or-guardian", NATIONAL, [born("2008-11-24")]),  # 18 on the day of the message
    ("child-needs-adult-or-guardian", NATIONAL, [born("2008-10")]),
    ("child-needs-adult-or-guardian", NATIONAL, [born("2007")]),
    ("child-needs-adult-or-guardian", NATIONAL, [NO_DATE]),
    ("child-needs-adult-or-guardian", NATIONAL, [born("2019-01-01"), with_relative("Guardian")]),
    ("child-needs-adult-or-guardian", NATIONAL, [born("2019-01-01"), with_relative("AccompanyingAdult")]),
    ("health-needs-consent", NATIONAL, []),
    ("no-outer-blanks", NATIONAL, []),
    ("no-outer-blanks", NATIONAL, [("</Description>", " </Description>")]),  # free text keeps its blanks
    ("health-needs-consent", NATIONAL, [("<ConsentGiven>false</ConsentGiven>", CARE.format("true"))]),
    ("health-needs-consent", NATIONAL, [("<ConsentGiven>false</ConsentGiven>", CARE.format("1"))]),
    ("stateless-ground-fits", NATIONAL, []),
    (
        "stateless-ground-fits",
        NATIONAL,
        [("<Ground>national<", "<Ground>stateless<"), ("<Nationality>PK<", "<Nationality>stateless<")],
    ),
    ("name-or-reason", NATIONAL, []),
    ("name-or-reason", NATIONAL, [(NAME, "<NameUnknown>the person does not speak</NameUnknown>")]),
    ("expiry-after-issue", NATIONAL, [dates("2016-05-10", "2016-05-11")]),
    ("expiry-after-issue", NATIONAL, [dates("2016", "2016")]),
    ("expiry-after-issue", NATIONAL, [dates("2016-05-10", "2016-05")]),
    ("expiry-after-issue", NATIONAL, [(EXPIRY, "<ExpiryDate>2001</ExpiryDate>")]),
    ("birth-date-or-unknown", NATIONAL, [NO_DATE]),
    ("reply-has-case", AGREED, []),
    ("reply-answers", AGREED, []),
    ("refusal-needs-reason", REFUSED, [(SECOND_REASON, "")]),
    ("agreement-has-no-reason", AGREED, []),
    (
        "refused-needs-code",
        RECEIPT,
        [("<Outcome>refused</Outcome>\n    <Code>rule-violation</Code>", "<Outcome>accepted</Outcome>")],
    ),
    ("waiting-names-missing", RECEIPT, []),
    (
        "waiting-names-missing",
        RECEIPT,
        [("<Outcome>accepted</Outcome>", "<Outcome>waiting</Outcome><Missing>2</Missing><Missing>3</Missing>")],
    ),
    (
        "waiting-names-missing",
        RECEIPT,
        [("<Outcome>accepted</Outcome>", "<Outcome>waiting</Outcome><Code>partner-suspended</Code>")],
    ),
    *((rule, example(name), list(changes)) for rule, name, changes in FOLLOW_UPS_ACCEPTED),
]

# rule, good document, changes that break it, place that is told
REFUSALS: list[tuple[str, str, list[Change], str]] = [
    ("no-outer-blanks", NATIONAL, [("<Sex>male</Sex>", "<Sex> male</Sex>")], "/ReadmissionApplication/Person/Sex"),
    ("no-outer-blanks", NATIONAL, [("<Sex>male</Sex>", "<Sex>male\n</Sex>")], "/ReadmissionApplication/Person/Sex"),
    ("application-has-case", NATIONAL, [("<Sequence>1</Sequence>", "")], "/ReadmissionApplication"),
    (
        "application-has-case",
        NATIONAL,
        [("<CaseReference>KQ3XN7YB2MZV5TDWA4RUHE6PCG</CaseReference>", "")],
        "/ReadmissionApplication",
    ),
    ("accelerated-needs-apprehension", ENTRY, [apprehension()], "/ReadmissionApplication"),
    ("at-least-one-evidence", ENTRY, evidence(ENTRY), "/ReadmissionApplication"),
    ("child-needs-adult-or-guardian", NATIONAL, [born("2008-11-25")], "/ReadmissionApplication"),  # 18 tomorrow
    ("child-needs-adult-or-guardian", NATIONAL, [born("2008-11")], "/ReadmissionApplication"),  # perhaps 17
    ("child-needs-adult-or-guardian", NATIONAL, [born("2008")], "/ReadmissionApplication"),
    (
        "health-needs-consent",
        NATIONAL,
        [("<ConsentGiven>false</ConsentGiven>", CARE.format("false"))],
        "/ReadmissionApplication",
    ),
    ("stateless-ground-fits", NATIONAL, [("<Ground>national<", "<Ground>stateless<")], "/ReadmissionApplication"),
    ("name-or-reason", NATIONAL, [(NAME, "")], "/ReadmissionApplication/Person"),
    ("name-or-reason", NATIONAL, [(NAME, NAME + "<NameUnknown>x</NameUnknown>")], "/ReadmissionApplication/Person"),
    ("expiry-after-issue", NATIONAL, [dates("2016-05-10", "2016-05-10")], "/ReadmissionApplication/Document[1]"),
    ("expiry-after-issue", NATIONAL, [dates("2016", "2015-12-31")], "/ReadmissionApplication/Document[1]"),
    ("birth-date-or-unknown", NATIONAL, [("<Date>1991-03</Date>", "")], "/ReadmissionApplication/Person/Birth"),
    (
        "birth-date-or-unknown",
        NATIONAL,
        [("<Date>1994</Date><DateQuality>estimated<", "<DateQuality>exact<")],
        "/ReadmissionApplication/Spouse/Birth",
    ),
    ("reply-has-case", AGREED, [("<Sequence>1</Sequence>", "")], "/ReadmissionReply"),
    ("reply-answers", AGREED, [(AGREED[AGREED.index("<InReplyTo>") : AGREED.index("  </Header>")], "")], "/ReadmissionReply"),
    ("refusal-needs-reason", REFUSED, [(SECOND_REASON, ""), (FIRST_REASON, "")], "/ReadmissionReply"),
    ("agreement-has-no-reason", REFUSED, [("<Outcome>refused<", "<Outcome>agreed<")], "/ReadmissionReply"),
    ("refused-needs-code", RECEIPT, [("<Code>rule-violation</Code>", "")], "/Receipt/Item[2]"),
    ("waiting-names-missing", RECEIPT, [("<Outcome>accepted<", "<Outcome>waiting<")], "/Receipt/Item[1]"),
    (
        "waiting-names-missing",
        RECEIPT,
        [("<Outcome>accepted</Outcome>", "<Outcome>accepted</Outcome><Missing>2</Missing>")],
        "/Receipt/Item[1]",
    ),
    (
        "waiting-names-missing",
        RECEIPT,
        [("<Outcome>accepted</Outcome>", "<Outcome>refused</Outcome><Code>partner-suspended</Code>")],
        "/Receipt/Item[1]",
    ),
    *((defect.rule, defect.text, list(defect.changes), defect.place) for defect in rule_defects()),
]


@lru_cache
def schemas() -> SchemaSet:
    return SchemaSet.load(FOLDER)


@lru_cache
def reference() -> isoschematron.Schematron:
    """lxml's own processor, on the same published file."""
    return isoschematron.Schematron(etree.parse(FOLDER / "rules.sch"))


def change(text: str, changes: list[Change]) -> Any:
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    document = parse_xml(text.encode())
    schemas().xsd.assertValid(document)  # so that the rule alone decides
    return document


@pytest.mark.parametrize(("rule", "text", "changes"), ACCEPTED)
def test_a_rule_accepts_what_it_should(rule: str, text: str, changes: list[Change]) -> None:
    document = change(text, changes)
    assert schemas().rules.violations(document) == []
    assert schemas().check(document)
    assert reference().validate(document)


@pytest.mark.parametrize(("rule", "text", "changes", "place"), REFUSALS)
def test_a_rule_refuses_what_it_should(rule: str, text: str, changes: list[Change], place: str) -> None:
    document = change(text, changes)
    (found,) = schemas().rules.violations(document)
    assert found.message.endswith(f"(rule {rule})")
    assert found.path == place
    assert found.line
    with pytest.raises(RuleViolation, match=rule):
        schemas().check(document)
    assert not reference().validate(document)


def test_each_rule_of_the_published_file_has_an_accepting_case_with_a_refusing_one() -> None:
    published = {found.get("id") for found in etree.parse(FOLDER / "rules.sch").iter(f"{{{SCH}}}assert")}
    assert {rule for rule, *_ in ACCEPTED} == {rule for rule, *_ in REFUSALS} == published


def test_each_rule_of_the_published_file_has_a_broken_vector() -> None:
    published = {found.get("id", "") for found in etree.parse(FOLDER / "rules.sch").iter(f"{{{SCH}}}assert")}
    assert {path.stem for path in BROKEN.glob("rule_*.xml")} == {f"rule_{rule.replace('-', '_')}" for rule in published}


@pytest.mark.parametrize("path", sorted(BROKEN.glob("rule_*.xml")), ids=lambda path: path.name)
def test_lxmls_own_schematron_refuses_the_same_vectors(path: Path) -> None:
    document = parse_xml(path.read_bytes())
    assert not reference().validate(document)
    (found,) = schemas().rules.violations(document)
    assert path.stem == f"rule_{found.message.partition('(rule ')[2].rstrip(')').replace('-', '_')}"


ANSWERING = (
    "ReadmissionReply",
    "InformationReply",
    "InterviewAppointment",
    "TravelDocumentRefused",
    "TransferNotificationReply",
    "TransitReply",
    "ExtensionRequest",
    "ExtensionDecision",
    "Withdrawal",
    "LapseNotice",
    "ReadmissionInErrorReply",
    "CostSettlement",
    "Rejection",
)


def example_without(name: str, element: str) -> Any:
    """Return the first example of a message type, without an element of its header."""
    document = parse_xml(next(path for path in EXAMPLES if path.name.startswith(f"{name}-")).read_bytes())
    header = document[0]
    for found in [child for child in header if etree.QName(child).localname == element]:
        header.remove(found)
    schemas().xsd.assertValid(document)
    return document


@pytest.mark.parametrize("element", ["CaseReference", "Sequence"])
@pytest.mark.parametrize("name", [name for name in MESSAGE_ROOTS if name != "Receipt"])
def test_a_message_about_a_case_is_refused_without_case_reference_or_sequence(name: str, element: str) -> None:
    document = example_without(name, element)
    (found,) = schemas().rules.violations(document)
    assert found.message.endswith("-has-case)")
    assert not reference().validate(document)


@pytest.mark.parametrize("name", [name for name in MESSAGE_ROOTS if name != "Receipt"])
def test_only_a_message_that_answers_must_name_what_it_answers(name: str) -> None:
    document = example_without(name, "InReplyTo")
    found = [one.message for one in schemas().rules.violations(document)]
    assert ([message.rpartition("-")[2] for message in found] == ["answers)"]) == (name in ANSWERING)
    assert reference().validate(document) == (name not in ANSWERING)


def free_text(declaration: Any, path: str = "") -> dict[str, bool]:
    """Return the path of every leaf below an element of the schema, and whether it is of type Text."""
    if declaration.type.is_simple():
        return {path: declaration.type.local_name == "Text"}
    below = {child.local_name: child for child in declaration.type.content.iter_elements()}
    return {place: free for name, child in below.items() for place, free in free_text(child, f"{path}/{name}").items()}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_only_free_text_keeps_its_blanks(path: Path) -> None:
    document = parse_xml(path.read_bytes())
    name = etree.QName(document).localname
    kinds = free_text(explainer(FOLDER).schema.elements[name])
    told: set[str] = set()
    for leaf in (element for element in document.iter() if len(element) == 0):
        leaf.text = f"{leaf.text} "
        place = re.sub(r"\[\d+\]", "", path_of(leaf)).removeprefix(f"/{name}")
        if not kinds[place] and place != "/Item/Text":  # the text of a receipt is cut to its length wherever that is
            told.add(path_of(leaf))
    found = schemas().rules.violations(document)
    assert {one.path for one in found if one.message.endswith("(rule no-outer-blanks)")} == told


def test_all_violations_are_told_unless_the_first_is_asked_for() -> None:
    document = change(NATIONAL, [("<Sequence>1</Sequence>", ""), ("<Ground>national<", "<Ground>stateless<")])
    assert len(schemas().rules.violations(document)) == 2
    assert len(schemas().rules.violations(document, first_only=True)) == 1


def test_a_rule_text_names_no_value_of_the_document() -> None:
    (found,) = schemas().rules.violations(change(NATIONAL, [born("2015-07-03")]))
    assert "2015" not in found.message


@pytest.mark.parametrize(
    "body",
    [
        "<let name='x' value='1'/>",
        "<pattern><rule context='/a'><report test='b'>x</report></rule></pattern>",
        "<pattern><rule abstract='true' id='x'><assert test='b'>x</assert></rule></pattern>",
        "<pattern><rule context='/a'><extends rule='x'/></rule></pattern>",
        "<pattern><rule context='/a'><assert test='b'>x <value-of select='b'/></assert></rule></pattern>",
        "<pattern><rule context='/a['><assert test='b'>x</assert></rule></pattern>",
        "<pattern><rule context='/a'><assert test='b ='>x</assert></rule></pattern>",
    ],
)
def test_a_rule_file_that_this_reader_would_read_wrong_stops_the_start(tmp_path: Path, body: str) -> None:
    (tmp_path / "rules.sch").write_text(f'<schema xmlns="{SCH}">{body}</schema>')
    with pytest.raises(SchemaSetBroken, match=r"rules\.sch"):
        Rules.load(tmp_path / "rules.sch")


def test_a_rule_file_with_another_query_language_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "rules.sch").write_text(f'<schema xmlns="{SCH}" queryBinding="xslt2"/>')
    with pytest.raises(SchemaSetBroken, match="xslt2"):
        Rules.load(tmp_path / "rules.sch")


def test_a_missing_rule_file_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(SchemaSetBroken):
        Rules.load(tmp_path / "rules.sch")


def test_the_place_of_an_element_counts_only_where_there_are_several() -> None:
    root = parse_xml(b"<a><b/><c><d/><d/></c><b/></a>")
    assert [path_of(element) for element in root.iter()] == ["/a", "/a/b[1]", "/a/c", "/a/c/d[1]", "/a/c/d[2]", "/a/b[2]"]
