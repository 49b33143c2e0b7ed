"""Make the broken inputs of the wire check, one file per defect and named for it.

Run `python scripts/make_vectors.py` (or `make vectors`); running it again leaves no diff. Each file is a good example
with one thing broken, so that nothing else can be the reason of its refusal. `expected.json` says with which code
each is refused; the tests hold the gateway to it, and a partner can hold its own software to it.
"""

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from gateway.errors import (
    DoctypeForbidden,
    EmptyDocument,
    MalformedJson,
    MalformedXml,
    MarkupForbidden,
    NestedTooDeeply,
    NotText,
    Refused,
    RuleViolation,
    SchemaViolation,
    TooLarge,
    TooManyAttributes,
    TooManyElements,
    UnknownAuthority,
    UnknownMessageType,
    UnsupportedSchemaVersion,
    WrongEncoding,
)
from gateway.stages import MAX_MESSAGE_BYTES
from gateway.wire.documents import (
    MAX_ATTRIBUTES,
    MAX_DEPTH,
    MAX_ELEMENTS,
    MAX_JSON_DEPTH,
    MAX_NAMESPACES,
    NS,
    parse_xml,
)
from gateway.wire.namespaces import ENVELOPE_NS
from gateway.wire.schema import SchemaSet

ROOT = Path(__file__).resolve().parent.parent
SCHEMAS = ROOT / "schemas" / "readmission" / "1.0"
FOLDER = ROOT / "tests" / "vectors" / "broken"

Vector: TypeAlias = tuple[str, type[Refused], bytes]  # name of the file, why it is refused, its bytes

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
CHILD_BORN = "<Birth><Date>2019-08-14</Date><DateQuality>exact</DateQuality><Place>Kharian</Place><State>PK</State></Birth>"


def example(name: str) -> str:
    """Return the text of a good example."""
    return (SCHEMAS / "examples" / f"{name}.xml").read_text(encoding="utf-8")


APPLICATION = example("ReadmissionApplication-own-national")
ACCELERATED = example("ReadmissionApplication-third-country-entry")
AGREED = example("ReadmissionReply-agreed")
REFUSED = example("ReadmissionReply-refused")
RECEIPT = example("Receipt-refused")


def swap(text: str, *pairs: tuple[str, str]) -> bytes:
    """Return `text` with each first part replaced once; a part that is not there is a slip in this script."""
    for old, new in pairs:
        if old not in text:
            raise ValueError(f"{old!r} does not stand in the example")
        text = text.replace(old, new, 1)
    return text.encode()


def block(text: str, name: str) -> str:
    """Return the first element `name` of a document as it stands there, with the line feed after it."""
    start = text.index(f"<{name}>")
    end = text.index(f"</{name}>", start) + len(f"</{name}>")
    return text[start : end + 1]


def without(text: str, name: str) -> str:
    """Return a document without its elements `name`."""
    return re.sub(rf"\s*<{name}>.*?</{name}>", "", text, flags=re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleDefect:
    """A good example, and how one rule between fields is broken in it."""

    rule: str
    text: str  # the example without the elements that are taken out
    changes: Sequence[tuple[str, str]]  # what stands there, what takes its place
    place: str  # path of the node that the refusal names


def rule_defects() -> list[RuleDefect]:
    """Read rule_defects.toml."""
    table = tomllib.loads(Path(__file__).with_name("rule_defects.toml").read_text(encoding="utf-8"))
    found: list[RuleDefect] = []
    for rule, spec in table.items():
        good = text = example(spec["example"])
        for name in spec.get("without", ()):
            text = without(text, name)
        changes = [(old, new) for old, new in spec.get("change", ())]
        if text == good and not changes:
            raise ValueError(f"{rule}: nothing is broken in {spec['example']}")
        found.append(RuleDefect(rule=rule, text=text, changes=changes, place=spec["place"]))
    return found


def bytes_that_are_no_text() -> Iterator[Vector]:
    """Empty, too large, binary, or in another encoding."""
    yield "empty.xml", EmptyDocument, b""
    yield "only_white_space.xml", EmptyDocument, b" \r\n\t\n"
    filler = " " * 64 + "\n"
    missing = MAX_MESSAGE_BYTES + 1 - len(APPLICATION.encode())
    padding = (filler * (missing // len(filler) + 1))[:missing]
    yield (
        "one_byte_over_one_megabyte.xml",
        TooLarge,
        swap(APPLICATION, ("</ReadmissionApplication>", padding + "</ReadmissionApplication>")),
    )
    yield "picture.bin", NotText, bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489")
    yield "photograph.bin", NotText, bytes.fromhex("ffd8ffe1") + b"Exif" + bytes.fromhex("ffdbffc4ffd9")
    yield "pdf.bin", NotText, b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj <</Type /Catalog>> endobj\n"
    yield "zero_byte_in_text.xml", NotText, swap(APPLICATION, ("Sarajevo", "Sara\x00jevo"))
    yield "utf8_with_byte_order_mark.xml", WrongEncoding, b"\xef\xbb\xbf" + APPLICATION.encode()
    yield "utf16_with_byte_order_mark.xml", WrongEncoding, b"\xff\xfe" + AGREED.replace("UTF-8", "UTF-16").encode("utf-16-le")
    yield "utf16_without_byte_order_mark.xml", WrongEncoding, AGREED.encode("utf-16-be")
    yield "declares_latin1.xml", WrongEncoding, swap(APPLICATION, ("UTF-8", "ISO-8859-1"))
    yield "declares_utf7.xml", WrongEncoding, swap(APPLICATION, ("UTF-8", "UTF-7"))
    yield "latin1_bytes.xml", WrongEncoding, swap(REFUSED, ("SPECIMEN", "MÜLLER")).replace("Ü".encode(), b"\xdc")
    yield "json_in_utf16.json", WrongEncoding, canonical_json().decode().encode("utf-16-le")


def xml_out_of_form() -> Iterator[Vector]:
    """Not well-formed, or with parts of XML that a message must not have."""
    yield "cut_off.xml", MalformedXml, APPLICATION.encode()[: len(APPLICATION.encode()) // 2]
    yield "closing_tag_of_another_element.xml", MalformedXml, swap(APPLICATION, ("</Sex>", "</Gender>"))
    yield "two_messages_in_one_file.xml", MalformedXml, APPLICATION.encode() + AGREED.removeprefix(DECLARATION).encode()
    yield "white_space_before_the_declaration.xml", MalformedXml, b"\n" + APPLICATION.encode()
    yield "ampersand_alone.xml", MalformedXml, swap(APPLICATION, ("Directorate General of", "Immigration & Passports,"))
    yield "entity_without_declaration.xml", MalformedXml, swap(APPLICATION, ("Sarajevo", "&place;"))
    yield "prefix_without_namespace.xml", MalformedXml, swap(APPLICATION, ("<Sex>male</Sex>", "<x:Sex>male</x:Sex>"))
    yield "same_attribute_twice.xml", MalformedXml, swap(APPLICATION, (' schemaVersion="1.0"', ' schemaVersion="1.0"' * 2))
    yield "control_character.xml", MalformedXml, swap(APPLICATION, ("Sarajevo", "Sara\x08jevo"))
    yield "plain_text.xml", MalformedXml, b"Please take this person back.\nKind regards\n"
    observations = block(APPLICATION, "Observations")
    for name, levels in {"elements_nested_too_deeply.xml": 300, "one_level_too_deep.xml": MAX_DEPTH}.items():
        deep = "<Observations>" * levels + "</Observations>" * levels + "\n"
        yield name, NestedTooDeeply, swap(APPLICATION, (observations, deep))
    yield "elements_without_end.xml", TooManyElements, swap(APPLICATION, (observations, "<a/>" * MAX_ELEMENTS + "\n"))
    names = "".join(f'<a xmlns:n{number}="urn:n"/>' for number in range(MAX_NAMESPACES))
    yield "too_many_namespaces.xml", TooManyAttributes, swap(APPLICATION, (observations, names + "\n"))
    for name, doctype in {
        "doctype_empty.xml": "<!DOCTYPE ReadmissionApplication>",
        "doctype_external.xml": '<!DOCTYPE ReadmissionApplication SYSTEM "http://127.0.0.1:9/application.dtd">',
        "entity_internal.xml": '<!DOCTYPE ReadmissionApplication [<!ENTITY place "Sarajevo">]>',
        "entity_external_file.xml": '<!DOCTYPE ReadmissionApplication [<!ENTITY place SYSTEM "file:///etc/hostname">]>',
        "entity_parameter.xml": '<!DOCTYPE ReadmissionApplication [<!ENTITY % all SYSTEM "http://127.0.0.1:9/all.ent"> %all;]>',
        "entity_expansion.xml": "<!DOCTYPE ReadmissionApplication [\n"
        '<!ENTITY a0 "ha">\n'
        + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">\n' for n in range(1, 10))
        + '<!ENTITY place "&a9;">\n]>',
    }.items():
        used = ("Sarajevo", "&place;") if "ENTITY place" in doctype else ("Sarajevo", "Sarajevo")
        yield name, DoctypeForbidden, swap(APPLICATION, (DECLARATION, DECLARATION + doctype + "\n"), used)
    yield "comment_in_a_value.xml", MarkupForbidden, swap(APPLICATION, ("Sarajevo", "Sara<!-- -->jevo"))
    yield "comment_before_the_message.xml", MarkupForbidden, swap(APPLICATION, (DECLARATION, DECLARATION + "<!-- draft -->\n"))
    yield "processing_instruction.xml", MarkupForbidden, swap(APPLICATION, ("<Person>", "<?print now?><Person>"))
    style = '<?xml-stylesheet type="text/xsl" href="http://127.0.0.1:9/form.xsl"?>\n'
    yield "style_sheet.xml", MarkupForbidden, swap(APPLICATION, (DECLARATION, DECLARATION + style))
    attributes = "".join(f' a{number}=""' for number in range(MAX_ATTRIBUTES + 1))
    yield "one_attribute_too_many.xml", TooManyAttributes, swap(APPLICATION, ("<Person>", f"<Person{attributes}>"))


def canonical_json(change: Callable[[dict[str, Any]], object] | None = None) -> bytes:
    """Return the good application as JSON, changed."""
    document = deepcopy(SchemaSet.load(SCHEMAS).to_json(parse_xml(APPLICATION.encode())))
    if change is not None:
        change(document["ReadmissionApplication"])
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()


def json_out_of_form() -> Iterator[Vector]:
    """The same, for a message as JSON."""
    good = canonical_json().decode()
    yield "json_cut_off.json", MalformedJson, good[: len(good) // 2].encode()
    yield "json_comma_twice.json", MalformedJson, swap(good, ('"Sex": "male",', '"Sex": "male",,'))
    yield "json_comment.json", MalformedJson, swap(good, ('"Sex": "male",', '"Sex": "male", // as shown'))
    yield "json_same_key_twice.json", MalformedJson, swap(good, ('"Sex": "male",', '"Sex": "male", "Sex": "female",'))
    yield "json_not_a_number.json", MalformedJson, swap(good, ('"HeightCm": 176', '"HeightCm": NaN'))
    yield "json_infinity.json", MalformedJson, swap(good, ('"HeightCm": 176', '"HeightCm": -Infinity'))
    yield "json_number_too_large.json", MalformedJson, swap(good, ('"HeightCm": 176', '"HeightCm": 1e999'))
    yield "json_number_too_long.json", MalformedJson, swap(good, ('"HeightCm": 176', f'"HeightCm": 1{"0" * 5000}'))
    yield "json_half_of_a_surrogate_pair.json", MalformedJson, swap(good, ('"Place": "Sarajevo"', '"Place": "\\ud83d"'))
    depth = MAX_JSON_DEPTH + 1
    yield "json_nested_too_deeply.json", MalformedJson, swap(good, ('"Sex": "male"', f'"Sex": {"[" * depth}{"]" * depth}'))
    yield "json_two_messages.json", UnknownMessageType, b'{"ReadmissionApplication": {}, "ReadmissionReply": {}}\n'
    yield "json_list.json", UnknownMessageType, b'[{"ReadmissionApplication": {}}]\n'
    yield "json_message_is_text.json", SchemaViolation, b'{"ReadmissionApplication": "please"}\n'
    yield (
        "json_schema_version_2.json",
        UnsupportedSchemaVersion,
        canonical_json(lambda message: message.update({"@schemaVersion": "2.0"})),
    )
    yield "json_missing_sex.json", SchemaViolation, canonical_json(lambda message: message["Person"].pop("Sex"))
    yield "json_unknown_member.json", SchemaViolation, canonical_json(lambda message: message.update(Religion="none"))
    yield "json_unknown_code.json", SchemaViolation, canonical_json(lambda message: message["Person"].update(Sex="M"))
    yield (
        "json_text_for_a_number.json",
        SchemaViolation,
        canonical_json(lambda message: message["Header"].update(Sequence="first")),
    )


def other_documents() -> Iterator[Vector]:
    """Good XML that is no message this gateway reads."""
    yield "root_of_no_message.xml", UnknownMessageType, APPLICATION.replace("ReadmissionApplication", "Header").encode()
    yield "no_namespace.xml", UnknownMessageType, swap(APPLICATION, (f' xmlns="{NS}"', ""))
    yield "envelope.xml", UnknownMessageType, f'<Envelope xmlns="{ENVELOPE_NS}" version="1.0"/>\n'.encode()
    yield "schema_version_2.xml", UnsupportedSchemaVersion, swap(APPLICATION, ('schemaVersion="1.0"', 'schemaVersion="2.0"'))
    yield "namespace_of_version_2.xml", UnsupportedSchemaVersion, swap(APPLICATION, ("readmission:1.0", "readmission:2.0"))
    yield "unknown_recipient.xml", UnknownAuthority, swap(APPLICATION, ("PK-MOI", "QQ-NONE"))
    yield "unknown_sender.xml", UnknownAuthority, swap(APPLICATION, ("BA-MS", "QQ-NONE"))


# name: what stands in the good application, what takes its place. Named "<element>_<what is wrong>".
SCHEMA_DEFECTS = {
    "schema_version_missing": (' schemaVersion="1.0"', ""),
    "attribute_not_known": ("<Person>", '<Person id="p1">'),
    "xsi_type": ("<Sex>", f'<Sex {XSI} xsi:type="Line">'),
    "xsi_nil": ("<Sex>male</Sex>", f'<Sex {XSI} xsi:nil="true"/>'),
    "xsi_schema_location": (" schemaVersion", f' {XSI} xsi:schemaLocation="{NS} http://127.0.0.1:9/other.xsd" schemaVersion'),
    "xinclude": (
        "<Observations>",
        '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/hostname"/><Observations>',
    ),
    "message_id_missing": ("<MessageId>019ab4d2-7c40-7a11-8f02-5d1e3b6a9c01</MessageId>", ""),
    "message_id_in_capitals": ("019ab4d2-7c40", "019AB4D2-7C40"),
    "case_reference_too_short": ("KQ3XN7YB2MZV5TDWA4RUHE6PCG", "KQ3XN7YB"),
    "sender_missing": ("<Sender>BA-MS</Sender>", ""),
    "recipient_not_a_code": ("PK-MOI", "Islamabad"),
    "sequence_zero": ("<Sequence>1<", "<Sequence>0<"),
    "created_without_zone": ("08:05:00Z", "08:05:00"),
    "created_with_offset": ("08:05:00Z", "09:05:00+01:00"),
    "agreement_missing": ("<Agreement>ba-pk</Agreement>", ""),
    "ground_not_a_code": ("<Ground>national<", "<Ground>citizen<"),
    "procedure_empty": ("<Procedure>ordinary<", "<Procedure><"),
    "interview_yes": ("<InterviewRequested>true<", "<InterviewRequested>yes<"),
    "date_with_dots": ("<Date>2026-11-24<", "<Date>24.11.2026<"),
    "date_that_does_not_exist": ("<Date>2026-11-24<", "<Date>2026-11-31<"),
    "birth_month_13": ("<Date>1991-03<", "<Date>1991-13<"),
    "authority_name_too_long": ("Ministarstvo sigurnosti", "Ministarstvo sigurnosti " * 20),
    "person_missing": (block(APPLICATION, "Person"), ""),
    "person_out_of_order": ("<Person>", "<Observations>early</Observations><Person>"),
    "name_in_two_parts_of_no_kind": ("<Kind>tribal</Kind>", "<Kind>surname</Kind>"),
    "name_script_missing": ("<Script>Arab</Script>", ""),
    "name_turns_the_direction": ("<AsShown>SPECIMEN KHAN<", "<AsShown>SPECIMEN\u202eKHAN<"),
    "sex_missing": ("<Sex>male</Sex>", ""),
    "sex_twice": ("<Sex>male</Sex>", "<Sex>male</Sex><Sex>male</Sex>"),
    "sex_not_a_code": ("<Sex>male<", "<Sex>M<"),
    "element_not_known": ("<CivilStatus>", "<Religion>none</Religion><CivilStatus>"),
    "element_of_another_namespace": ("<Sex>", '<Sex xmlns="urn:other">'),
    "element_inside_a_value": ("<Sex>male<", "<Sex><b>male</b><"),
    "text_between_elements": ("<Sex>", "sex: <Sex>"),
    "nationality_as_a_word": ("<Nationality>PK<", "<Nationality>Pakistan<"),
    "nationality_seven_times": ("<Nationality>PK</Nationality>", "<Nationality>PK</Nationality>" * 7),
    "height_in_metres": ("<HeightCm>176<", "<HeightCm>1.76<"),
    "height_too_tall": ("<HeightCm>176<", "<HeightCm>1760<"),
    "language_as_a_word": ("<Language>ur<", "<Language>Urdu<"),
    "document_number_missing": ("<Number>XX0000000</Number>", ""),
    "document_kind_not_a_code": ("<Kind>passport<", "<Kind>travel permit<"),
    "evidence_code_not_known": ("<Code>N2-02<", "<Code>N3-02<"),
    "evidence_without_code": ("<Code>N2-08</Code>", ""),
    "observations_empty": (block(APPLICATION, "Observations"), "<Observations></Observations>\n"),
    "attachment_digest_too_short": ("41bcc3d44f644bd0", "41bcc3d4"),
    "attachment_too_large": ("<Size>48213<", "<Size>999999999<"),
    "attachment_kind_of_media": ("image/jpeg", "text/html"),
}

# rule id: good document, what stands in it, what takes its place
RULE_DEFECTS: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "application-has-case": (APPLICATION, (("<Sequence>1</Sequence>", ""),)),
    "accelerated-needs-apprehension": (ACCELERATED, ((block(ACCELERATED, "Apprehension"), ""),)),
    "at-least-one-evidence": (without(ACCELERATED, "Evidence"), ()),
    "child-needs-adult-or-guardian": (APPLICATION, (("<Date>1991-03<", "<Date>2008-12<"),)),
    "health-needs-consent": (
        APPLICATION,
        (("<ConsentGiven>false</ConsentGiven>", "<ConsentGiven>false</ConsentGiven><Description>needs care</Description>"),),
    ),
    "stateless-ground-fits": (APPLICATION, (("<Ground>national<", "<Ground>stateless<"),)),
    "name-or-reason": (APPLICATION, (("<OtherName>", "<NameUnknown>none given</NameUnknown><OtherName>"),)),
    "expiry-after-issue": (APPLICATION, (("2021-05-09", "2016-05-10"),)),
    "birth-date-or-unknown": (APPLICATION, ((CHILD_BORN, CHILD_BORN.replace("exact", "unknown")),)),
    "reply-has-case": (AGREED, (("<CaseReference>KQ3XN7YB2MZV5TDWA4RUHE6PCG</CaseReference>", ""),)),
    "reply-answers": (AGREED, ((block(AGREED, "InReplyTo"), ""),)),
    "refusal-needs-reason": (without(REFUSED, "Reason"), ()),
    "agreement-has-no-reason": (REFUSED, (("<Outcome>refused<", "<Outcome>agreed<"),)),
    "refused-needs-code": (RECEIPT, (("<Code>rule-violation</Code>", ""),)),
    "no-outer-blanks": (APPLICATION, (("<Sex>male</Sex>", "<Sex> male</Sex>"),)),
}


def broken_content() -> Iterator[Vector]:
    """Messages that do not meet the schema, and messages that meet it but not a rule between fields."""
    for name, change in SCHEMA_DEFECTS.items():
        yield f"{name}.xml", SchemaViolation, swap(APPLICATION, change)
    for rule, (good, changes) in RULE_DEFECTS.items():
        yield f"rule_{rule.replace('-', '_')}.xml", RuleViolation, swap(good, *changes)
    for defect in rule_defects():
        yield f"rule_{defect.rule.replace('-', '_')}.xml", RuleViolation, swap(defect.text, *defect.changes)


def vectors() -> dict[str, tuple[str, bytes]]:
    """Return every broken input: name of the file -> code and bytes."""
    found: dict[str, tuple[str, bytes]] = {}
    for part in (bytes_that_are_no_text, xml_out_of_form, json_out_of_form, other_documents, broken_content):
        for name, why, body in part():
            if name in found:
                raise ValueError(f"{name} is made twice")
            found[name] = (why.code, body)
    return dict(sorted(found.items()))


def files() -> dict[str, bytes]:
    """Return every file of the folder with its bytes."""
    made = vectors()
    expected = json.dumps({name: code for name, (code, _) in made.items()}, indent=2) + "\n"
    return {name: body for name, (_, body) in made.items()} | {"expected.json": expected.encode()}


def main() -> None:
    """Write the folder anew."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    made = files()
    for stale in FOLDER.iterdir():
        if stale.name not in made:
            stale.unlink()
    for name, body in made.items():
        (FOLDER / name).write_bytes(body)
    print(f"{len(made)} files in {FOLDER.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
