"""A message as an outline that can be read and printed."""

# ruff: noqa: RUF001 - names in Cyrillic letters are what the pages must show

import json

import pytest

from gateway.errors import DoctypeForbidden, MalformedJson
from gateway.web.outline import Item, label_of, outline_of, script_of


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("dateOfBirth", "Date of birth"),
        ("CNIC", "CNIC"),
        ("full_name", "Full name"),
        ("Датум", "Датум"),
        ("InReplyTo", "In reply to"),
        ("place-of-issue", "Place of issue"),
    ],
)
def test_name_of_a_field_becomes_words(name: str, label: str) -> None:
    assert label_of(name) == label


@pytest.mark.parametrize(
    ("text", "script"),
    [("УЗОРАК", "Cyrl"), ("نمونہ", "Arab"), ("ŠEHIĆ", "Latn"), ("12.03", None), ("1 УЗОРАК", "Cyrl"), ("様", None)],
)
def test_script_is_told_by_the_first_letter(text: str, script: str | None) -> None:
    assert script_of(text) == script


def test_json_of_any_shape_is_outlined() -> None:
    body = json.dumps(
        {"person": {"fullName": "NAMUNA", "aliases": ["A", "B"]}, "interview": True, "spouse": None, "year": 1990}
    )
    assert outline_of(body.encode()) == (
        Item(
            label="Person",
            below=(
                Item(label="Full name", value="NAMUNA", script="Latn"),
                Item(label="Aliases", value="A", script="Latn"),
                Item(label="Aliases", value="B", script="Latn"),
            ),
        ),
        Item(label="Interview", value="yes", script="Latn"),
        Item(label="Spouse", value="none", script="Latn"),
        Item(label="Year", value="1990"),
    )


def test_list_of_groups_gives_one_group_each() -> None:
    outline = outline_of(b'{"evidence": [{"code": "N1-01"}, {"code": "N2-04"}]}')
    assert [(item.label, item.below[0].value) for item in outline] == [("Evidence", "N1-01"), ("Evidence", "N2-04")]


def test_xml_is_outlined_with_its_attributes_and_without_namespaces() -> None:
    person = "<z:Osoba><z:Ime>УЗОРАК</z:Ime></z:Osoba>"
    body = f'<z:Zahtjev xmlns:z="urn:x" verzija="2">{person}<z:Broj oblik="a">7</z:Broj></z:Zahtjev>'
    assert outline_of(body.encode()) == (
        Item(label="Verzija", value="2"),
        Item(label="Osoba", below=(Item(label="Ime", value="УЗОРАК", script="Cyrl"),)),
        Item(label="Broj", below=(Item(label="Value", value="7"), Item(label="Oblik", value="a", script="Latn"))),
    )


def test_signature_is_left_out_of_the_reading() -> None:
    body = b'<E><A>text</A><Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignatureValue>x</SignatureValue></Signature></E>'
    assert [item.label for item in outline_of(body)] == ["A"]


def test_stored_document_is_parsed_as_guardedly_as_one_that_comes_in() -> None:
    with pytest.raises(DoctypeForbidden):
        outline_of(b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>')
    with pytest.raises(MalformedJson):
        outline_of(b'{"a": 1, "a": 2}')
