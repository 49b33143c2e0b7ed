"""What is read from a schema about structure: names, order, what is required and what repeats."""

from pathlib import Path

import pytest

from gateway.errors import MappingInvalid
from gateway.settings import data_folder
from gateway.wire.shapes import json_shape, xml_shapes

HEAD = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="urn:x" targetNamespace="urn:x"
  elementFormDefault="qualified">"""


def leaves(tmp_path: Path, inner: str, root: str = "Root") -> dict[str, tuple[bool, bool]]:
    file = tmp_path / "schema.xsd"
    file.write_text(f"{HEAD}{inner}</xs:schema>")
    namespace, shapes = xml_shapes(file)
    assert namespace == "urn:x"
    return {path: (shape.required, shape.many) for path, shape in shapes[root].leaves()}


def test_order_requirement_and_repetition_come_from_the_sequence(tmp_path: Path) -> None:
    inner = """<xs:element name="Root"><xs:complexType><xs:sequence>
      <xs:element name="B" type="xs:string" minOccurs="0"/><xs:element name="A" type="xs:string" maxOccurs="unbounded"/>
    </xs:sequence><xs:attribute name="v" use="required"/></xs:complexType></xs:element>"""
    found = leaves(tmp_path, inner)
    assert list(found) == ["@v", "B", "A"]
    assert found == {"@v": (True, False), "B": (False, False), "A": (True, True)}


def test_each_branch_of_a_choice_is_optional(tmp_path: Path) -> None:
    inner = """<xs:element name="Root"><xs:complexType><xs:choice>
      <xs:element name="A" type="xs:string"/><xs:element name="B" type="xs:string"/>
    </xs:choice></xs:complexType></xs:element>"""
    assert leaves(tmp_path, inner) == {"A": (False, False), "B": (False, False)}


def test_an_extension_adds_to_what_its_base_has(tmp_path: Path) -> None:
    inner = """<xs:complexType name="Base"><xs:sequence><xs:element name="A" type="xs:string"/></xs:sequence></xs:complexType>
    <xs:element name="Root"><xs:complexType><xs:complexContent><xs:extension base="Base"><xs:sequence>
      <xs:element name="B" type="xs:string"/></xs:sequence></xs:extension></xs:complexContent></xs:complexType></xs:element>"""
    assert list(leaves(tmp_path, inner)) == ["A", "B"]


def test_named_groups_and_references_are_followed(tmp_path: Path) -> None:
    inner = """<xs:group name="G"><xs:sequence><xs:element ref="E"/></xs:sequence></xs:group>
    <xs:element name="E" type="xs:string"/>
    <xs:element name="Root"><xs:complexType><xs:sequence>
      <xs:group ref="G" minOccurs="0"/>
    </xs:sequence></xs:complexType></xs:element>"""
    assert leaves(tmp_path, inner) == {"E": (False, False)}


def test_a_value_beside_attributes_is_a_leaf_of_its_own(tmp_path: Path) -> None:
    inner = """<xs:element name="Root"><xs:complexType><xs:sequence><xs:element name="A"><xs:complexType><xs:simpleContent>
      <xs:extension base="xs:string"><xs:attribute name="k"/></xs:extension>
    </xs:simpleContent></xs:complexType></xs:element></xs:sequence></xs:complexType></xs:element>"""
    assert list(leaves(tmp_path, inner)) == ["A/@k", "A"]


def test_the_published_schema_is_read_with_what_it_includes() -> None:
    _, shapes = xml_shapes(data_folder("schemas") / "readmission" / "1.0" / "readmission.xsd")
    application = shapes["ReadmissionApplication"]
    assert list(application.children)[:3] == ["@schemaVersion", "Header", "Request"]
    child, missing = application.at("Child"), application.at("Child/Telephone")
    assert child is not None
    assert (child.many, child.required, missing) == (True, False, None)


@pytest.mark.parametrize("text", ["<a", "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'/>"])
def test_a_schema_that_cannot_be_read_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "schema.xsd").write_text(text)
    with pytest.raises(MappingInvalid, match=r"^schema\.xsd"):
        xml_shapes(tmp_path / "schema.xsd")


def test_only_the_variant_that_was_asked_for_is_read_from_a_json_schema() -> None:
    def variant(kind: str, member: str) -> dict[str, object]:
        return {"properties": {"kind": {"const": kind}, member: {"type": "string"}}, "required": [member]}

    schema = {"oneOf": [variant("A", "one"), variant("B", "two")]}
    assert [path for path, _ in json_shape(schema, "kind", "A").leaves()] == ["kind", "one"]
    assert [path for path, _ in json_shape(schema, "kind", "B").leaves()] == ["kind", "two"]


def test_a_json_array_repeats_its_item() -> None:
    schema = {"properties": {"all": {"type": "array", "items": {"properties": {"name": {}}, "required": ["name"]}}}}
    found = json_shape(schema, "kind", "A").at("all")
    assert found is not None
    assert (found.many, found.required, found.children["name"].required) == (True, False, True)
