"""What the mapping language refuses: documents, with place and without value; mappings, with file and row."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import BadValue, GatewayError, MappingInvalid, SchemaViolation, UnknownMessageType, UnmappedCode
from gateway.wire.documents import NS, parse_xml
from tests.small_dialects import FAX, JSON_ROWS, XML_ROWS, XML_SCHEMA, XML_SETS, Make, make_json, make_xml, note, own


@pytest.fixture
def xml(tmp_path: Path) -> Make:
    return make_xml(tmp_path)


@pytest.fixture
def jsn(tmp_path: Path) -> Make:
    return make_json(tmp_path)


# --- refusals of a document ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inner", "error", "path"),
    [
        ("<Spol>Q</Spol>", UnmappedCode, "/Biljeska/Spol"),
        ('<Spol pitano="moguce">M</Spol>', UnmappedCode, "/Biljeska/Spol/@pitano"),
        ("<Rodjen>1990-03-05</Rodjen><Spol>M</Spol>", BadValue, "/Biljeska/Rodjen"),
        ("<Spol>M</Spol><Rodjen>1990</Rodjen>", SchemaViolation, "/Biljeska/Rodjen"),
        ("<Pol>M</Pol>", SchemaViolation, "/Biljeska/Pol"),
        ("<Djeca><Dijete/></Djeca>", SchemaViolation, "/Biljeska/Djeca/Dijete"),
    ],
)
def test_a_refusal_names_path_and_line_and_no_value(xml: Make, inner: str, error: type[GatewayError], path: str) -> None:
    with pytest.raises(error) as refused:
        xml().to_canonical(own("\n" + inner))
    assert (refused.value.path, refused.value.line) == (path, 2)
    assert not {"Q", "moguce", "1990-03-05"} & set(refused.value.message.replace("'", " ").split())


@pytest.mark.parametrize(
    ("change", "error", "path"),
    [
        ({"person": {"sex": "Q"}}, UnmappedCode, "/person/sex"),
        ({"person": {"sex": "M", "born": "1990-03-05"}}, BadValue, "/person/born"),
        ({"person": {"sex": "M", "born": "12345678901"}}, SchemaViolation, "/person/born"),
        ({"person": {"sex": 1}}, SchemaViolation, "/person/sex"),
        ({"children": [{"name": "A"}, {}]}, SchemaViolation, "/children/1"),
        ({"person": None}, SchemaViolation, "/person"),
        ({"more": 1}, SchemaViolation, "/"),
        ({"kind": "OTHER"}, UnknownMessageType, "/kind"),
    ],
)
def test_a_json_refusal_names_the_path(jsn: Make, change: dict[str, Any], error: type[GatewayError], path: str) -> None:
    body = {"kind": "NOTE", "id": "m1", "person": {"sex": "M"}} | change
    with pytest.raises(error) as refused:
        jsn().to_canonical(json.dumps(body).encode())
    assert refused.value.path == path


def test_a_missing_required_member_is_named(jsn: Make) -> None:
    with pytest.raises(SchemaViolation, match="required member is missing: person"):
        jsn().to_canonical(b'{"kind": "NOTE"}')


def test_a_list_at_the_top_is_no_message(jsn: Make) -> None:
    with pytest.raises(UnknownMessageType):
        jsn().to_canonical(b"[]")


def test_a_root_that_is_no_message_is_refused(xml: Make) -> None:
    with pytest.raises(UnknownMessageType) as refused:
        xml().to_canonical(b'<Nesto xmlns="urn:x"/>')
    assert refused.value.path == "/Nesto"


def test_a_message_the_dialect_does_not_have_is_refused(xml: Make) -> None:
    with pytest.raises(UnknownMessageType):
        xml().from_canonical(parse_xml(f'<Other xmlns="{NS}"><Text>a</Text></Other>'.encode()))


def test_a_code_the_dialect_lacks_is_refused_at_the_canonical_place(xml: Make) -> None:
    with pytest.raises(UnmappedCode) as refused:
        xml().from_canonical(note("", "<Header><MessageId>m1</MessageId></Header><Sex>other</Sex>"))
    assert refused.value.path == "/Note/Sex"


def test_another_fixed_value_is_refused(xml: Make) -> None:
    with pytest.raises(BadValue) as refused:
        xml().to_canonical(own("<Spol>M</Spol>", 'broj="m1" verzija="9"'))
    assert (refused.value.path, "'2'" in refused.value.message) == ("/Biljeska/@verzija", True)


def test_a_result_that_breaks_the_dialects_schema_is_refused(jsn: Make) -> None:
    translator = jsn(rows=[row.replace(', convert = "date-dmy"', "") for row in JSON_ROWS])
    with pytest.raises(SchemaViolation) as refused:
        translator.from_canonical(note("<Born>1990-03-05T00:00</Born>"))
    assert refused.value.path == "/person/born"


# --- refusals of a mapping -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('codes = "sex"', 'codes = "seks"', "rows.note[4]: codes.toml has no list 'seks'"),
        ('convert = "date-dmy"', 'convert = "upper"', "rows.note[6]: there is no converter 'upper'"),
        ('convert = "date-dmy"', 'turn = "x"', "rows.note[6]: key 'turn' is not known"),
        ('convert = "date-dmy"', 'convert = "date-dmy", codes = "sex"', "has two verbs"),
        ('canonical = "Born", ', "", "every other row both"),
        ('{ here = "@verzija", fixed', '{ here = "@verzija", canonical = "Born", fixed', "a fixed value names one side"),
        (
            'canonical = "Born"',
            'canonical = "Birth"',
            "canonical path 'Birth': the schema has no 'Birth' there, but @schemaVersion, Header, Sex",
        ),
        ('here = "Rodjen"', 'here = "Roden"', "here path 'Roden': the schema has no 'Roden'"),
        ('canonical = "Born"', 'canonical = "Sex"', "canonical path 'Sex' is mapped twice"),
        ('canonical = "Born"', 'canonical = "Home"', "Home is a group of fields"),
        ('repeat = "text"', 'codes = "sex"', "'Jezik' may come several times and needs 'repeat'"),
        ('repeat = "text"', 'repeat = "words"', "rows.words: is not a list of rows"),
        ('repeat = "text"', 'repeat = "note"', "rows.note: repeats itself"),
        ('here = "Djeca/Dijete"', 'here = "Djeca"', "Child may come several times, Djeca only once"),
        ('repeat = "place"', 'repeat = "child"', "the schema has no"),
    ],
)
def test_a_wrong_row_is_named_with_file_and_number(xml: Make, old: str, new: str, told: str) -> None:
    whole = "\0".join(XML_ROWS)
    assert old in whole
    with pytest.raises(MappingInvalid) as refused:
        xml(rows=whole.replace(old, new, 1).split("\0"))
    assert refused.value.message.startswith("xa/dialects/own/mapping.toml: ")
    assert told in refused.value.message


@pytest.mark.parametrize("missing", range(len(XML_ROWS)))
def test_a_field_that_no_row_names_is_refused(xml: Make, missing: int) -> None:
    with pytest.raises(MappingInvalid, match="fields neither mapped nor named in cannot_carry"):
        xml(rows=[row for number, row in enumerate(XML_ROWS) if number != missing])


def test_a_field_missing_from_a_shared_row_set_is_named_in_full(xml: Make) -> None:
    with pytest.raises(
        MappingInvalid, match="canonical fields neither mapped nor named in cannot_carry: 'Home/State', 'Child/Home/State'"
    ):
        xml(sets=XML_SETS.replace(', { here = "Drzava", canonical = "State" }', ""))


def test_every_open_field_of_both_sides_is_listed_at_once(xml: Make) -> None:
    with pytest.raises(MappingInvalid) as refused:
        xml(rows=[row for row in XML_ROWS if "Dijete" not in row and "Spol" not in row and "Mjesto" not in row])
    canonical, here = refused.value.message.split("\n")
    assert canonical.endswith("cannot_carry: 'Sex' (required), 'Asked', 'Child'")  # an optional group by its own path
    assert here.endswith("cannot_carry: 'Djeca', 'Spol'")


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ('{ here = "Spol", canonical = "Sex[1]" }', "'Sex' can come only once: leave out [1]"),
        ('{ here = "Jezik", canonical = "Tongue[1]", repeat = "text" }', "'Tongue' is repeated: leave out [1]"),
        ('{ here = "Rodjen", canonical = "Child/Name" }', "needs 'repeat', or [1] behind it"),
    ],
)
def test_one_place_for_several_is_said_where_there_are_several(xml: Make, row: str, told: str) -> None:
    with pytest.raises(MappingInvalid) as refused:
        xml(rows=[row, *XML_ROWS])
    assert told in refused.value.message


@pytest.mark.parametrize("last", [True, False])
def test_one_place_and_a_repeat_do_not_go_together(xml: Make, last: bool) -> None:
    row, others = '{ here = "Rodjen", canonical = "Child[1]/Name" }', [row for row in XML_ROWS if "Rodjen" not in row]
    with pytest.raises(MappingInvalid, match=r"has a row with (\[1\]|'repeat') as well"):
        xml(rows=[*others, row] if last else [row, *others])


@pytest.mark.parametrize(
    ("lost", "told"),
    [
        ('{ canonical = [], why = "x" }', "is a path or a list of paths"),
        ('{ canonical = ["Header/Fax", 1], why = "x" }', "is a path or a list of paths"),
        ("", "canonical fields neither mapped nor named in cannot_carry: 'Header/Fax'"),
        (FAX + ', { canonical = "Sex", why = "x" }', "canonical path 'Sex' is mapped as well"),
        (FAX + ', { canonical = "Telex", why = "x" }', "no message has 'Telex'"),
        ('{ canonical = "Header/Fax" }', "cannot_carry[1]: needs"),
    ],
)
def test_what_cannot_be_carried_is_declared_exactly(xml: Make, lost: str, told: str) -> None:
    with pytest.raises(MappingInvalid) as refused:
        xml(lost=lost)
    assert told in refused.value.message


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ("<a/>", "no XSD"),
        ("<a", "no XSD"),
        (
            XML_SCHEMA.replace('targetNamespace="urn:x"', 'targetNamespace="urn:y"').replace('xmlns="urn:x"', 'xmlns="urn:y"'),
            "'namespace'",
        ),
        (XML_SCHEMA.replace('elementFormDefault="qualified"', ""), "elementFormDefault"),
        (XML_SCHEMA.replace('type="Mjesto"', 'type="Grad"'), "no XSD"),
    ],
)
def test_a_schema_that_cannot_serve_is_refused(xml: Make, schema: str, told: str) -> None:
    with pytest.raises(MappingInvalid) as refused:
        xml(schema=schema)
    assert told in refused.value.message


def test_a_json_schema_that_is_none_is_refused(jsn: Make) -> None:
    with pytest.raises(MappingInvalid, match="no JSON Schema"):
        jsn(schema={"type": "thing"})


def test_a_root_the_schema_does_not_have_is_refused(xml: Make) -> None:
    with pytest.raises(MappingInvalid, match=r"messages\.Note: needs 'root'"):
        xml(root="Nesto")
