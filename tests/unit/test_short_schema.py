"""The short schema decides only where it says the same as the published one."""

import shutil
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from gateway.errors import SchemaSetBroken
from gateway.settings import data_folder
from gateway.wire.documents import NS, parse_xml
from gateway.wire.schema import SchemaSet
from gateway.wire.short_schema import ShortSchema

FOLDER = data_folder("schemas") / "readmission" / "1.0"
EXAMPLES = sorted((FOLDER / "examples").glob("*.xml"))
OVERRIDES = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
SAME_LEAD = "\u201cSPECIMEN\u201d \u2065"  # characters whose first byte in UTF-8 is that of an override


@lru_cache
def published() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(FOLDER / "readmission.xsd"))


@lru_cache
def short() -> ShortSchema:
    return ShortSchema.load(FOLDER / "readmission.xsd")


@lru_cache
def schemas() -> SchemaSet:
    return SchemaSet.load(FOLDER)


def with_text(path: Path, place: int, text: str) -> Any:
    """Return the example with `text` put into one of its leaves."""
    document = parse_xml(path.read_bytes())
    leaves = [each for each in document.iter() if len(each) == 0]
    leaf = leaves[place % len(leaves)]
    leaf.text = (leaf.text or "") + text
    return document


def variants(document: Any) -> list[Any]:
    """Return the document without each of its elements, and with each of them twice."""
    found = []
    count = sum(1 for _ in document.iter())
    for number in range(1, count):
        for twice in (False, True):
            changed = deepcopy(document)
            element = list(changed.iter())[number]
            above = element.getparent()
            if twice:
                above.insert(above.index(element), deepcopy(element))
            else:
                above.remove(element)
            found.append(changed)
    return found


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_both_say_the_same_of_an_example_and_of_what_lacks_or_doubles_an_element(path: Path) -> None:
    document = parse_xml(path.read_bytes())
    assert short().decides(document)
    assert short().xsd.validate(document)
    for changed in variants(document):
        assert short().xsd.validate(changed) == published().validate(changed)


@pytest.mark.parametrize("override", OVERRIDES, ids=lambda one: f"U+{ord(one):04X}")
def test_an_override_in_any_leaf_is_left_to_the_published_schema_which_refuses_it(override: str) -> None:
    for place in range(40):
        document = with_text(EXAMPLES[place % len(EXAMPLES)], place, override)
        assert not short().decides(document)
        assert not published().validate(document)
        assert schemas().problems(document)


def test_an_override_in_an_attribute_is_left_to_the_published_schema() -> None:
    document = parse_xml(EXAMPLES[0].read_bytes())
    document.set("schemaVersion", "1.0\u202e")
    assert not short().decides(document)


def test_a_quotation_mark_that_begins_like_an_override_is_no_override() -> None:
    document = parse_xml((FOLDER / "examples" / "ReadmissionApplication-third-country-entry.xml").read_bytes())
    observations = etree.SubElement(document, f"{{{NS}}}Observations")
    observations.text = SAME_LEAD
    assert short().decides(document)
    assert short().xsd.validate(document)
    assert published().validate(document)


def test_only_patterns_that_forbid_characters_are_left_out() -> None:
    kept = [each.get("value") for path in FOLDER.glob("*.xsd") for each in etree.parse(path).iter("{*}pattern")]
    assert sum("\u202a" in value for value in kept) == 2
    assert short().forbidden is not None
    assert sorted(each.decode() for each in short().forbidden.pattern.replace(b"\\", b"").split(b"|")) == sorted(OVERRIDES)
    document = with_text(EXAMPLES[0], 0, " no identifier")  # the first leaf is an id, which has a pattern of another kind
    assert short().decides(document)
    assert not short().xsd.validate(document)


def test_a_forbidding_pattern_beside_another_of_its_type_stays_since_they_are_alternatives(tmp_path: Path) -> None:
    (tmp_path / "readmission.xsd").write_text(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="a"><xs:simpleType>'
        '<xs:restriction base="xs:string"><xs:pattern value="[^x]*"/><xs:pattern value="xyz"/></xs:restriction>'
        "</xs:simpleType></xs:element></xs:schema>"
    )
    found = ShortSchema.load(tmp_path / "readmission.xsd")
    assert found.forbidden is None
    assert found.xsd.validate(etree.fromstring("<a>xyz</a>"))
    assert not found.xsd.validate(etree.fromstring("<a>xx</a>"))


def test_parts_that_declare_other_names_are_refused_when_the_schema_is_loaded(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "set")
    part = tmp_path / "set" / "reply.xsd"
    text = part.read_text()
    part.write_text(text.replace('xmlns:xs="http', 'xmlns:other="urn:other" xmlns:xs="http', 1))
    with pytest.raises(SchemaSetBroken, match=r"reply\.xsd"):
        SchemaSet.load(tmp_path / "set")
