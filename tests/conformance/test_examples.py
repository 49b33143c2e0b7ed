"""The examples: every canonical one is valid, every partner has the kinds, every dialect one is its canonical twin."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from lxml import etree

from gateway.errors import SchemaViolation
from gateway.partners import Dialect
from gateway.wire.documents import parse_json, parse_xml
from gateway.wire.examples import example_files, flat
from gateway.wire.identifiers import warnings
from gateway.wire.schema import MESSAGE_ROOTS
from tests.shipped import FIRST, PARTNERS, SCHEMAS, allowed, read, schemas, translator, twin_of

ROOT = Path(__file__).resolve().parents[2]
# The examples of these four are tested one by one; those of the others together, in test_partner_examples.py.
OURS = [dialect for dialect in PARTNERS.dialects.values() if dialect.partner in FIRST]
DIALECTS = sorted(dialect.id for dialect in OURS)
ANSWERS = {"BA-MS": "PK-MOI", "PK-MOI": "BA-MS", "AT-BMI": "RS-MUP", "RS-MUP": "AT-BMI"}
CANONICAL = sorted((SCHEMAS / "examples").glob("*.xml"))
TWINS = sorted(path for dialect in OURS for path in (dialect.folder / "examples" / "canonical").glob("*.xml"))
FILES = [pytest.param(dialect, path, id=f"{dialect.id}-{path.stem}") for dialect in OURS for path in example_files(dialect)]
CLAIM = re.compile("asyl|azil|\u0430\u0437\u0438\u043b|refugee|protection|T2-02", re.IGNORECASE)
ANSWERING = {
    "ReadmissionReply",
    "ExtensionRequest",
    "ExtensionDecision",
    "InformationReply",
    "InterviewAppointment",
    "TravelDocumentIssued",  # where it was asked for
    "TravelDocumentRefused",
    "TransferNotificationReply",
    "TransitReply",
    "Withdrawal",
    "LapseNotice",
    "ReadmissionInErrorReply",
    "CostSettlement",
    "Rejection",
}
_ANSWERED = ["Header/InReplyTo/MessageId", "Header/InReplyTo/Sha256"]
# A receipt is about several cases, and it names what it answers in its items.
NEVER_USED = {name: [] if name in ANSWERING else _ANSWERED for name in MESSAGE_ROOTS} | {
    "Receipt": ["Header/CaseReference", "Header/Sequence", "Header/NationalReference", *_ANSWERED]
}
# Who may send what; the other types may come from either side.
ONLY_REQUESTING = {
    "ReadmissionApplication",
    "WrittenNotification",
    "TransitApplication",
    "TransferNotification",
    "Withdrawal",
    "Suspension",
    "Resumption",
    "ReadmissionInErrorReply",
}
ONLY_REQUESTED = {
    "ReadmissionReply",
    "InterviewResult",
    "RegisterSearchResult",
    "TransferNotificationReply",
    "TransitReply",
    "TransitRevocation",
    "ReadmissionInError",
}
NATIONAL = {"national", "former-national", "family-member"}


def texts(document: Any, path: str) -> list[str]:
    return [found.text or "" for found in document.iterfind("/".join(f"{{*}}{step}" for step in path.split("/")))]


def text(document: Any, path: str) -> str:
    return "".join(texts(document, path)[:1])


def label(path: Path) -> str:
    parts = path.parts
    return f"{parts[parts.index('partners') + 1]}-{path.stem}" if "partners" in parts else path.stem


# --- canonical examples -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [*CANONICAL, *TWINS], ids=label)
def test_a_canonical_example_meets_schema_rules_and_allow_list(path: Path) -> None:
    document = read(path)
    assert schemas().problems(document) == []
    allowed().check(schemas().check(document))


@pytest.mark.parametrize("path", CANONICAL, ids=label)
def test_a_canonical_example_is_named_after_its_message_type(path: Path) -> None:
    assert path.name.startswith(f"{etree.QName(read(path)).localname}-")


def test_every_message_type_has_a_canonical_example_and_ba_sends_an_application() -> None:
    assert {path.name.partition("-")[0] for path in CANONICAL} == set(MESSAGE_ROOTS)
    senders = {text(read(path), "Header/Sender") for path in CANONICAL if path.name.startswith("ReadmissionApplication")}
    assert "BA-MS" in senders


@pytest.mark.parametrize("name", sorted(set(MESSAGE_ROOTS) - {"ReadmissionApplication", "ReadmissionReply", "Receipt"}))
def test_a_type_has_an_example_from_each_side_that_may_send_it(name: str) -> None:
    sides = {"AT-BMI": "requesting", "RS-MUP": "requested"}
    found = {sides[text(read(path), "Header/Sender")] for path in CANONICAL if path.name.startswith(f"{name}-")}
    only = {"requesting"} if name in ONLY_REQUESTING else {"requested"} if name in ONLY_REQUESTED else None
    assert found == (only or {"requesting", "requested"})


def _outcomes() -> Iterator[tuple[str, str, set[str]]]:
    """Yield message type, path below the root, and the codes of every field that says how something ended."""
    xsd = {code.get("name"): code for code in etree.parse(str(SCHEMAS / "common.xsd")).iterfind(".//{*}simpleType[@name]")}
    for name, path, kind in (
        ("ReadmissionReply", "Decision/Outcome", "ReplyOutcome"),
        ("Receipt", "Item/Outcome", "ReceiptOutcome"),
        ("InterviewResult", "Result/Finding", "InterviewFinding"),
        ("RegisterSearchResult", "Search/Finding", "SearchFinding"),
        ("TravelDocumentRequest", "TravelDocument/Purpose", "TravelDocumentPurpose"),
        ("TransferNotificationReply", "Decision/Outcome", "PlanOutcome"),
        ("TransferRecord", "Record/Outcome", "TransferOutcome"),
        ("TransitReply", "Decision/Outcome", "TransitOutcome"),
        ("ExtensionDecision", "Decision/Outcome", "ExtensionOutcome"),
        ("Withdrawal", "Withdrawal/Reason", "WithdrawalReason"),
        ("LapseNotice", "Lapse/Meaning", "LapseMeaning"),
        ("ReadmissionInErrorReply", "Decision/Outcome", "ErrorOutcome"),
        ("ErasureNotice", "Erasure/Scope", "ErasureScope"),
    ):
        yield name, path, {code.get("value") for code in xsd[kind].iterfind(".//{*}enumeration")}


@pytest.mark.parametrize(("name", "path", "codes"), list(_outcomes()), ids=[name for name, *_ in _outcomes()])
def test_every_outcome_has_a_canonical_example(name: str, path: str, codes: set[str]) -> None:
    assert {code for file in CANONICAL if file.name.startswith(f"{name}-") for code in texts(read(file), path)} == codes


@pytest.mark.parametrize("name", MESSAGE_ROOTS)
def test_every_field_that_may_leave_stands_in_an_example(name: str) -> None:
    seen: set[str] = set()
    for path in (*CANONICAL, *TWINS):
        if etree.QName(read(path)).localname == name:
            seen |= {field.removeprefix(f"/{name}/") for field, _ in flat(read(path))}
    unused = [field for field in _allowed_leaves(name) if field not in seen]
    assert unused == NEVER_USED[name]


def _allowed_leaves(name: str) -> Iterator[str]:
    from gateway.wire.translate import canonical_shapes

    permitted = allowed().trees[name]
    for path, _ in canonical_shapes(SCHEMAS)[name].leaves():
        node: Any = permitted
        for step in path.split("/"):
            node = node.get(step) if node else {}  # an empty tree allows everything below
            if node is None:
                break
        if node is not None and not path.startswith("@"):
            yield path


# --- what every partner has -------------------------------------------------------------------------------------------


def _age(document: Any) -> int:
    """Youngest possible age in whole years; 99 without a birth date."""
    born = text(document, "Person/Birth/Date")
    day = date.fromisoformat((born + "-12-31"[len(born) - 4 :])[:10].replace("-02-31", "-02-28")) if born else date(1927, 1, 1)
    now = date.fromisoformat(text(document, "Header/Created")[:10])
    return now.year - day.year - ((now.month, now.day) < (day.month, day.day))


def _scripted(document: Any, script: str) -> bool:
    return text(document, "Person/Name/Script") == script and bool(text(document, "Person/Name/Latin"))


def _expired(document: Any) -> bool:
    ends = texts(document, "Document/ExpiryDate")
    return "N2-02" in texts(document, "Evidence/Code") and min(ends, default="9999") < text(document, "Request/Date")


KINDS: dict[str, Callable[[Any], bool]] = {
    "own national": lambda m: (
        text(m, "Request/Ground") == "national" and texts(m, "Person/Nationality") == [text(m, "Header/Recipient")[:2]]
    ),
    "third-country national with a visa": lambda m: text(m, "Request/Ground") == "third-country-visa",
    "third-country national with a permit": lambda m: text(m, "Request/Ground") == "third-country-permit",
    "third-country national after direct entry": lambda m: text(m, "Request/Ground") == "third-country-entry",
    "child with a guardian": lambda m: _age(m) < 18 and bool(m.findall("{*}Guardian")),
    "child with an adult": lambda m: _age(m) < 18 and bool(m.findall("{*}AccompanyingAdult")),
    "family": lambda m: bool(m.findall("{*}Spouse")) and len(m.findall("{*}Child")) > 1,
    "unknown birth date": lambda m: text(m, "Person/Birth/DateQuality") == "unknown",
    "single name": lambda m: texts(m, "Person/Name/Part/Kind") == ["single"],
    "no name": lambda m: bool(text(m, "Person/NameUnknown")),
    "long text": lambda m: 3800 < len(text(m, "Observations")) <= 4000,
    "diacritics": lambda m: text(m, "Person/Name/Script") == "Latn" and not text(m, "Person/Name/AsShown").isascii(),
    "Cyrillic": lambda m: _scripted(m, "Cyrl"),
    "Urdu": lambda m: _scripted(m, "Arab") and "ur" in texts(m, "Person/Language"),
    "expired passport": _expired,
    "accelerated": lambda m: text(m, "Request/Procedure") == "accelerated" and bool(text(m, "Apprehension/At")),
    "interview asked": lambda m: text(m, "Request/InterviewRequested") == "true",
    "stateless": lambda m: text(m, "Request/Ground") == "stateless",
    "former national": lambda m: text(m, "Request/Ground") in {"former-sfry-national", "former-national"},
    "agreed": lambda m: text(m, "Decision/Outcome") == "agreed" and not m.findall("{*}FamilyMember"),
    "refused with reasons": lambda m: text(m, "Decision/Outcome") == "refused" and bool(texts(m, "Decision/Reason/Text")),
    "agreed for a family": lambda m: text(m, "Decision/Outcome") == "agreed" and len(m.findall("{*}FamilyMember")) > 1,
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_partner_has_an_example_of_every_kind(dialect: str, kind: str) -> None:
    found = [path.stem for path in example_files(PARTNERS.dialect(dialect)) if KINDS[kind](read(twin_of(path)))]
    assert found != []


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_partner_has_a_dozen_applications_or_more(dialect: str) -> None:
    types = [etree.QName(read(twin_of(path))).localname for path in example_files(PARTNERS.dialect(dialect))]
    assert types.count("ReadmissionApplication") >= 12
    assert types.count("ReadmissionReply") >= 3


def test_the_successor_states_of_the_sfry_are_asked_for_its_former_nationals() -> None:
    asked = {
        text(read(path), "Header/Recipient") for path in TWINS if text(read(path), "Request/Ground") == "former-sfry-national"
    }
    assert asked == {"BA-MS", "RS-MUP"}


@pytest.mark.parametrize(("dialect", "path"), FILES)
def test_an_example_is_sent_by_its_partner_to_the_one_it_has_an_agreement_with(dialect: Dialect, path: Path) -> None:
    document = read(twin_of(path))
    sender = text(document, "Header/Sender")
    assert PARTNERS.authority(sender).dialect == dialect.id
    assert text(document, "Header/Recipient") == ANSWERS[sender]
    if etree.QName(document).localname == "ReadmissionApplication":
        assert text(document, "Request/Agreement") == ("ba-pk" if dialect.partner in {"ba", "pk"} else "eu-rs")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_reply_answers_an_example_of_the_other_side(dialect: str) -> None:
    sent = {text(read(path), "Header/MessageId"): read(path) for path in TWINS}
    documents = [read(twin_of(path)) for path in example_files(PARTNERS.dialect(dialect))]
    replies = [document for document in documents if etree.QName(document).localname == "ReadmissionReply"]
    for reply in replies:
        asked = sent[text(reply, "Header/InReplyTo/MessageId")]
        assert text(reply, "Header/CaseReference") == text(asked, "Header/CaseReference")
        assert text(reply, "Reference/Number") == text(asked, "Header/NationalReference")
        assert text(reply, "Person/Name/AsShown") == text(asked, "Person/Name/AsShown")
        assert text(reply, "Header/Created") > text(asked, "Header/Created")


# --- dialect example and canonical twin -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("dialect", "path"), FILES)
def test_an_example_translates_to_its_canonical_twin(dialect: Dialect, path: Path) -> None:
    translation = translator(dialect.id).to_canonical(path.read_bytes())
    assert translation.body == twin_of(path).read_bytes()
    assert translation.report.dropped == ()


@pytest.mark.parametrize(("dialect", "path"), FILES)
def test_a_canonical_twin_translates_back_to_the_example(dialect: Dialect, path: Path) -> None:
    translation = translator(dialect.id).from_canonical(read(twin_of(path)))
    assert translation.body == path.read_bytes()
    assert translation.report.dropped == ()


@pytest.mark.parametrize(("dialect", "path"), FILES)
def test_an_example_can_be_written_in_the_format_of_the_one_it_is_sent_to(dialect: Dialect, path: Path) -> None:
    document = read(twin_of(path))
    target = PARTNERS.authority(text(document, "Header/Recipient")).dialect
    there = translator(target).from_canonical(document)
    declared = {field.path for field in there.report.dropped}
    assert {field.rpartition("/")[2] for field in declared} <= {"Fax"}
    back = translator(target).to_canonical(there.body)
    assert list(flat(back.document)) == [field for field in flat(document) if field[0] not in declared]


@pytest.mark.parametrize(("dialect", "path"), [param for param in FILES if param.id.endswith("own-national")])
def test_a_home_authority_may_leave_out_what_the_gateway_fills_in(dialect: Dialect, path: Path) -> None:
    rows = {row["canonical"]: row["here"] for row in dialect.mapping["rows"]["header"]}
    left_out = {rows[name] for name in ("MessageId", "CaseReference", "Sequence", "Created")}
    twin = read(twin_of(path))
    fill = {f"Header/{name}": text(twin, f"Header/{name}") for name in ("MessageId", "CaseReference", "Sequence", "Created")}
    translation = translator(dialect.id).to_canonical(_without(path, left_out), fill=fill)
    assert translation.body == twin_of(path).read_bytes()
    assert {field.path.rpartition("/")[2] for field in translation.report.fields if field.rule == "fill"} == {
        "MessageId",
        "CaseReference",
        "Sequence",
        "Created",
    }


def _without(path: Path, names: set[str]) -> bytes:
    if path.suffix == ".json":
        data = parse_json(path.read_bytes())
        head = next(value for value in data.values() if isinstance(value, dict))
        for name in names:
            del head[name]
        return json.dumps(data, ensure_ascii=False).encode()
    document = parse_xml(path.read_bytes())
    for child in list(document[0]):
        if etree.QName(child).localname in names:
            document[0].remove(child)
    return etree.tostring(document, encoding="utf-8")


@pytest.mark.parametrize(("dialect", "path"), [param for param in FILES if param.id.endswith(("own-national", "reply-agreed"))])
def test_a_field_that_a_format_does_not_know_is_refused(dialect: Dialect, path: Path) -> None:
    if dialect.format == "json":
        data = parse_json(path.read_bytes())
        data["person"]["unheardOf"] = "x"
        body = json.dumps(data, ensure_ascii=False).encode()
    else:
        document = parse_xml(path.read_bytes())
        etree.SubElement(document, f"{{{dialect.namespace}}}unheardOf").text = "x"
        body = etree.tostring(document, encoding="utf-8")
    with pytest.raises(SchemaViolation):
        translator(dialect.id).to_canonical(body)


def test_every_name_in_the_serbian_schema_is_cyrillic_throughout() -> None:
    schema = etree.parse(str(PARTNERS.dialect("rs/mup-xml").schema))
    names = [part.get("name") for part in schema.iter() if part.get("name")]
    assert len(names) > 100
    assert [name for name in names if not re.fullmatch("[\u0400-\u04ff]+", name)] == []


# --- persons and papers -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", TWINS, ids=label)
def test_a_personal_number_checks_out_although_it_is_nobodys(path: Path) -> None:
    assert warnings(read(path)) == []
    for identifier in read(path).iterfind("{*}Person/{*}Identifier"):
        kind, value = text(identifier, "Kind"), text(identifier, "Value")
        marks = {"jmbg": value[7:9] == "99", "cnic": value.startswith("60000"), "other": value.startswith("SPECIMEN")}
        assert marks[kind]


@pytest.mark.parametrize(
    "path", [path for path in TWINS if etree.QName(read(path)).localname == "ReadmissionApplication"], ids=label
)
def test_the_evidence_is_of_the_sort_that_the_ground_asks_for(path: Path) -> None:
    ground = text(read(path), "Request/Ground")
    wanted = "N" if ground in NATIONAL else "S" if ground == "former-sfry-national" else "T"
    assert {code[0] for code in texts(read(path), "Evidence/Code")} == {wanted}


def test_no_two_examples_share_a_message_id_and_each_tells_its_time() -> None:
    ids = [text(read(path), "Header/MessageId") for path in TWINS]
    assert len(ids) == len(set(ids))
    for path in TWINS:
        number = UUID(text(read(path), "Header/MessageId"))
        assert number.version == 7
        created = datetime.fromisoformat(text(read(path), "Header/Created"))
        assert number.int >> 80 == created.timestamp() * 1000


@pytest.mark.parametrize("path", [*CANONICAL, *TWINS], ids=label)
def test_no_example_tells_of_a_claim_for_protection(path: Path) -> None:
    # The name of an authority may hold the word; what is said about the person may not.
    told = [value for field, value in flat(read(path)) if "Authority/" not in field]
    assert [value for value in told if CLAIM.search(value)] == []


# --- the script, the page of codes ----------------------------------------------------------------------------------------


def test_making_the_examples_again_leaves_no_difference(tmp_path: Path) -> None:
    script = ROOT / "scripts" / "make_examples.py"
    command = [sys.executable, script, "--out", tmp_path]
    run = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=100)
    assert run.returncode == 0, run.stderr
    made = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert made == {path: (ROOT / path).read_bytes() for path in made}
    kept = {path.relative_to(ROOT) for path in TWINS} | {param.values[1].relative_to(ROOT) for param in FILES}
    kept |= {path.relative_to(ROOT) for dialect in PARTNERS.dialects.values() for path in example_files(dialect)}
    assert kept <= set(made), "an example of a partner that the script does not write"


def test_the_page_of_codes_explains_every_code_of_the_schema() -> None:
    xsd = etree.parse(str(SCHEMAS / "common.xsd"))
    # What the word itself says needs no explanation.
    plain = {"Procedure", "Sex", "CivilStatus", "EyeColour", "Transport", "AttachmentKind", "MediaType"}
    lists = [kind for kind in xsd.iterfind(".//{*}simpleType[@name]") if kind.get("name") not in plain]
    wanted = {code.get("value") for kind in lists for code in kind.iterfind(".//{*}enumeration")}
    pattern = xsd.find(".//{*}simpleType[@name='EvidenceCode']//{*}pattern").get("value")
    every = [f"{family}-{number:02}" for family in ("N1", "N2", "T1", "T2", "S1") for number in range(100)]
    wanted |= {code for code in every if re.fullmatch(pattern, code)}
    page = (ROOT / "docs" / "codes.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([^`]+)`", page, re.MULTILINE)) == wanted
