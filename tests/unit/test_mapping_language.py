"""The mapping language on small invented formats: each verb both ways, order, empty groups, what is filled in and lost."""

import json
from pathlib import Path

import pytest

from gateway.errors import BadValue, FieldNotCarried
from gateway.wire.documents import NS
from gateway.wire.translate import Translator
from tests.small_dialects import (
    FAX,
    JSON_ROWS,
    JSON_SCHEMA,
    JSON_SETS,
    XML_ROWS,
    XML_SCHEMA,
    Make,
    actions,
    compact,
    make_json,
    make_xml,
    note,
    own,
)


@pytest.fixture
def xml(tmp_path: Path) -> Make:
    return make_xml(tmp_path)


@pytest.fixture
def jsn(tmp_path: Path) -> Make:
    return make_json(tmp_path)


# --- verbs, XML ---------------------------------------------------------------------------------------------------


def test_every_verb_reads_an_xml_dialect(xml: Make) -> None:
    body = own(
        '<Rodjen>03.1990</Rodjen><Jezik>bs</Jezik><Jezik>hr</Jezik><Spol pitano="da">F</Spol><Dom><Grad>Sarajevo</Grad></Dom>'
    )
    assert compact(xml().to_canonical(body).body) == (
        '<Note schemaVersion="1.0"><Header><MessageId>m1</MessageId></Header><Sex>female</Sex><Asked>true</Asked>'
        "<Born>1990-03</Born><Home><Town>Sarajevo</Town></Home><Tongue>bs</Tongue><Tongue>hr</Tongue></Note>"
    )


def test_every_verb_writes_an_xml_dialect_in_the_order_of_its_schema(xml: Make) -> None:
    document = note(
        "<Asked>1</Asked><Born>1990-03-05</Born><Home><Town>Sarajevo</Town><State>BA</State></Home><Tongue>bs</Tongue>"
        "<Child><Name>A</Name></Child><Child><Name>B</Name><Home><State>BA</State></Home></Child>"
    )
    assert compact(xml().from_canonical(document).body) == (
        '<Biljeska broj="m1" verzija="2"><Djeca><Dijete><Ime>A</Ime></Dijete>'
        "<Dijete><Dom><Drzava>BA</Drzava></Dom><Ime>B</Ime></Dijete></Djeca><Rodjen>05.03.1990</Rodjen><Jezik>bs</Jezik>"
        '<Spol pitano="da">M</Spol><Dom><Drzava>BA</Drzava><Grad>Sarajevo</Grad></Dom></Biljeska>'
    )


def test_a_report_names_action_and_rule_of_each_field(xml: Make) -> None:
    report = xml().to_canonical(own('<Rodjen>1990</Rodjen><Jezik>bs</Jezik><Spol pitano="ne">M</Spol>')).report
    assert actions(report) == {
        "/Note/@schemaVersion": ("filled", "fixed"),
        "/Note/Header/MessageId": ("copied", "copy"),
        "/Note/Sex": ("coded", "codes:sex"),
        "/Note/Asked": ("coded", "codes:yes"),
        "/Note/Born": ("converted", "convert:date-dmy"),
        "/Note/Tongue": ("copied", "copy"),
    }
    told = {field.rule: field.why for field in report.fields}
    assert told["codes:sex"] == "code list 'sex', version 3 of 2026-01-01, reviewed 2026-11-24 by A. Specimen"


def test_a_report_has_the_keys_that_scripts_rely_on(xml: Make) -> None:
    document = xml().from_canonical(note(""), sha256_in="ab").report.as_dict()
    assert {"from", "to", "sha256_in", "sha256_out", "fields", "dropped"} <= set(document)
    assert (document["from"], document["to"], document["sha256_in"]) == ("canonical", "xa/own", "ab")
    assert set(document["fields"][0]) == {"path", "action", "rule", "why"}


def test_a_retired_code_still_reads(xml: Make) -> None:
    assert b"<Sex>male</Sex>" in xml().to_canonical(own("<Spol>muški</Spol>")).body


def test_markup_in_a_value_survives(xml: Make) -> None:
    text = "<b> & \"quoted\" ]]> 'a'"
    document = note("")
    document[0][0].text = document[1].tail = None
    document[0][0].text = text
    translator = xml()
    there = translator.from_canonical(document)
    back = translator.to_canonical(there.body).document
    assert back is not None
    assert back[0][0].text == text


def test_line_ends_and_tabs_in_an_attribute_survive(xml: Make) -> None:
    document = note("")
    document[0][0].text = "a\nb\tc\rd"
    translator = xml()
    back = translator.to_canonical(translator.from_canonical(document).body).document
    assert back is not None
    assert back[0][0].text == "a\nb\tc\rd"


def test_each_element_stands_on_its_own_line_so_that_errors_can_name_it(xml: Make) -> None:
    body = xml().to_canonical(own("<Spol>M</Spol>")).body
    assert body.splitlines()[1:3] == [f'<Note xmlns="{NS}" schemaVersion="1.0">'.encode(), b" <Header>"]


# --- verbs, JSON --------------------------------------------------------------------------------------------------


def test_every_verb_reads_a_json_dialect(jsn: Make) -> None:
    body = {
        "kind": "NOTE",
        "id": "m1",
        "person": {"sex": "M", "asked": False, "born": "05.03.1990"},
        "tongues": ["ur", "pa"],
        "children": [{"name": "A", "home": {"state": "PK"}}],
    }
    assert compact(jsn().to_canonical(json.dumps(body).encode()).body) == (
        '<Note schemaVersion="1.0"><Header><MessageId>m1</MessageId></Header><Sex>male</Sex><Asked>false</Asked>'
        "<Born>1990-03-05</Born><Tongue>ur</Tongue><Tongue>pa</Tongue>"
        "<Child><Name>A</Name><Home><State>PK</State></Home></Child></Note>"
    )


def test_every_verb_writes_a_json_dialect(jsn: Make) -> None:
    document = note("<Asked>true</Asked><Home><Town>Lahore</Town></Home><Tongue>ur</Tongue><Child><Name>A</Name></Child>")
    body = jsn().from_canonical(document).body
    assert json.loads(body) == {
        "kind": "NOTE",
        "id": "m1",
        "person": {"sex": "M", "asked": True},
        "form": "2",
        "home": {"town": "Lahore"},
        "tongues": ["ur"],
        "children": [{"name": "A"}],
    }
    assert list(json.loads(body))[:3] == ["kind", "id", "person"]


def test_null_and_the_empty_text_give_nothing(jsn: Make) -> None:
    schema = json.loads(json.dumps(JSON_SCHEMA))
    schema["$defs"]["note"]["properties"]["home"] = {
        "type": "object",
        "properties": {"town": {"type": ["string", "null"]}, "state": {}},
    }
    body = b'{"kind": "NOTE", "id": "m1", "person": {"sex": "M"}, "home": {"town": null, "state": ""}}'
    assert b"Home" not in jsn(schema=schema).to_canonical(body).body


def test_a_control_character_is_refused_where_it_came_from(jsn: Make) -> None:
    with pytest.raises(BadValue) as refused:
        jsn().to_canonical(b'{"kind": "NOTE", "id": "m1", "person": {"sex": "M"}, "tongues": ["u\\u0001r"]}')
    assert refused.value.path == "/tongues"


def test_a_json_result_is_indented_for_people(jsn: Make) -> None:
    assert jsn().from_canonical(note("")).body.startswith(b'{\n  "kind": "NOTE",\n  "id": "m1",\n  "person": {\n    "sex": "M"')


# --- empty groups, fill, loss ----------------------------------------------------------------------------------------


def test_a_group_in_which_nothing_would_stand_is_not_written(xml: Make) -> None:
    translator = xml()
    assert b"Dom" not in translator.from_canonical(note("<Home/>")).body
    assert b"Home" not in translator.to_canonical(own("<Spol>M</Spol><Dom/>")).body


def test_a_fixed_value_alone_does_not_make_a_group(xml: Make) -> None:
    rows = [
        *XML_ROWS[:6],
        '{ here = "Dom/Grad", canonical = "Home/Town" }',
        '{ here = "Dom/Drzava", fixed = "BIH" }',
        *XML_ROWS[7:],
    ]
    lost = FAX + ', { canonical = "Home/State", why = "always BIH" }'
    translator = xml(rows=rows, lost=lost)
    without = translator.from_canonical(note(""))
    assert b"Dom" not in without.body
    assert "/Biljeska/Dom/Drzava" not in actions(without.report)
    with_town = translator.from_canonical(note("<Home><Town>T</Town></Home>"))
    assert b"<Drzava>BIH</Drzava>" in with_town.body
    assert actions(with_town.report)["/Biljeska/Dom/Drzava"] == ("filled", "fixed")


def test_what_the_document_leaves_out_can_be_filled_in_and_is_reported(xml: Make) -> None:
    done = xml().to_canonical(own("<Spol>M</Spol>", 'verzija="2"'), fill={"Header/MessageId": "new", "Sex": "female"})
    assert compact(done.body) == '<Note schemaVersion="1.0"><Header><MessageId>new</MessageId></Header><Sex>male</Sex></Note>'
    assert actions(done.report)["/Note/Header/MessageId"] == ("filled", "fill")
    assert actions(done.report)["/Note/Sex"] == ("coded", "codes:sex")


def test_a_field_the_dialect_has_no_place_for_can_be_filled_in_too(xml: Make) -> None:
    done = xml().to_canonical(own("<Spol>M</Spol>"), fill={"Header/Fax": "f"})
    assert b"<Fax>f</Fax>" in done.body


def test_filling_reaches_into_an_optional_group(xml: Make) -> None:
    assert b"<Town>T</Town>" in xml().to_canonical(own("<Spol>M</Spol>"), fill={"Home/Town": "T"}).body


def test_a_field_without_a_place_is_reported_as_dropped(xml: Make) -> None:
    document = note("", "<Header><MessageId>m1</MessageId><Fax>1</Fax></Header><Sex>male</Sex>")
    report = xml().from_canonical(document).report
    assert actions(report)["/Note/Header/Fax"] == ("dropped", "cannot-carry")
    assert report.as_dict()["dropped"] == 1


def test_a_required_field_without_a_place_is_refused(xml: Make) -> None:
    lost = FAX + ', { canonical = "Sex", why = "not asked there" }'
    rows = [row.replace('canonical = "Sex", codes = "sex"', 'canonical = "Born"') for row in XML_ROWS if "date-dmy" not in row]
    schema = XML_SCHEMA.replace('<xs:element name="Rodjen" type="xs:string" minOccurs="0"/>', "")
    translator = xml(rows=rows, lost=lost, schema=schema)
    assert translator.documents.plans["Note"].unmet == ("Sex",)  # known before any message comes
    with pytest.raises(FieldNotCarried) as refused:
        translator.from_canonical(note(""))
    assert refused.value.path == "/Note/Sex"


def one_place(jsn: Make, *rows: str) -> Translator:
    """Return the JSON dialect with one tongue and one child, flat."""
    schema = json.loads(json.dumps(JSON_SCHEMA))
    members = schema["$defs"]["note"]["properties"]
    del members["tongues"], members["children"]
    members["tongue"] = members["child"] = {"type": "string"}
    sets = JSON_SETS.partition("text = ")[0]
    kept = [row for row in JSON_ROWS if "tongues" not in row and "children" not in row]
    return jsn(rows=[*kept, *rows], schema=schema, lost=FAX + ', { canonical = ["Child/Home"], why = "flat" }', sets=sets)


ONE_TONGUE = '{ here = "tongue", canonical = "Tongue[1]" }'
ONE_CHILD = '{ here = "child", canonical = "Child[1]/Name" }'


def test_what_may_come_several_times_can_have_one_place(jsn: Make) -> None:
    translator = one_place(jsn, ONE_TONGUE, ONE_CHILD)
    there = translator.from_canonical(note("<Tongue>sr</Tongue><Child><Name>Ana</Name></Child>"))
    assert (json.loads(there.body)["tongue"], json.loads(there.body)["child"]) == ("sr", "Ana")
    assert actions(there.report)["/Note/Child/Name"] == ("copied", "copy")
    assert compact(translator.to_canonical(there.body).body).endswith(
        "<Tongue>sr</Tongue><Child><Name>Ana</Name></Child></Note>"
    )


@pytest.mark.parametrize(
    ("inner", "path"),
    [
        ("<Tongue>sr</Tongue><Tongue>de</Tongue>", "/Note/Tongue"),
        ("<Child><Name>Ana</Name></Child><Child><Name>Iva</Name></Child>", "/Note/Child"),
    ],
)
def test_a_second_one_without_a_place_is_refused(jsn: Make, inner: str, path: str) -> None:
    with pytest.raises(FieldNotCarried, match="one of these only") as refused:
        one_place(jsn, ONE_TONGUE, ONE_CHILD).from_canonical(note(inner))
    assert refused.value.path == path


def test_a_header_field_that_the_gateway_gives_itself_needs_no_place(xml: Make) -> None:
    lost = FAX + ', { canonical = "Header/MessageId", why = "no number of ours" }'
    rows = [row for row in XML_ROWS if "MessageId" not in row]
    schema = XML_SCHEMA.replace('<xs:attribute name="broj"/>', "")
    translator = xml(rows=rows, lost=lost, schema=schema)
    assert translator.documents.plans["Note"].unmet == ()
    there = translator.from_canonical(note(""))
    assert actions(there.report)["/Note/Header/MessageId"] == ("dropped", "cannot-carry")
    assert b"<MessageId>new</MessageId>" in translator.to_canonical(there.body, fill={"Header/MessageId": "new"}).body


def test_a_field_that_is_lost_inside_a_repeated_group_is_reported(jsn: Make) -> None:
    lost = (
        FAX + ', { canonical = "Child/Home", why = "no addresses of children" }, { here = "children/home", why = "the same" }'
    )
    sets = JSON_SETS.replace(', { here = "home", canonical = "Home", repeat = "place" }', "")
    translator = jsn(sets=sets, lost=lost)
    there = translator.from_canonical(note("<Child><Name>A</Name><Home><Town>T</Town></Home></Child>"))
    assert actions(there.report)["/Note/Child/Home/Town"] == ("dropped", "cannot-carry")
    back = translator.to_canonical(
        b'{"kind": "NOTE", "person": {"sex": "M"}, "children": [{"name": "A", "home": {"town": "T"}}]}'
    )
    assert actions(back.report)["/children/home/town"] == ("dropped", "cannot-carry")
