"""Fields that a treaty does not allow: how its file says so, what stops the start, and what is taken out."""

from dataclasses import replace

import pytest

from gateway.domain.limits import Confidence
from gateway.domain.treaties import Withheld, treaty_between
from gateway.errors import TreatyInvalid
from gateway.partners.treaties import load_treaties
from gateway.settings import data_folder
from gateway.wire.documents import parse_xml
from gateway.wire.translate import canonical_shapes
from gateway.wire.withheld import check_withheld, withhold

FOLDER = data_folder("schemas") / "readmission" / "1.0"
SHAPES = canonical_shapes(FOLDER)
HEAD = """
id = "xa-xb"
name = "Sample agreement"
version = "1"
[[parties]]
code = "XA"
name = "Sample A"
states = ["XA"]
[[parties]]
code = "XB"
name = "Sample B"
states = ["XB"]
"""
ROW = """
[[withheld]]
field = "Person/PhysicalDescription"
messages = ["ReadmissionApplication"]
article = "Art. 16(c)"
source = "invented"
confidence = "verified"
"""


def load(folder, text, name="xa-xb"):
    path = folder / f"{name}.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return load_treaties(folder)


def row(field, *messages):
    return Withheld(
        field=field,
        messages=frozenset(messages),
        article="Art. 1",
        source="invented",
        confidence=Confidence.VERIFIED,
        treaty="xa-xb",
    )


def document(name="ReadmissionApplication-own-national"):
    return parse_xml((FOLDER / "examples" / f"{name}.xml").read_bytes())


def test_a_row_says_field_messages_article_source_and_confidence(tmp_path) -> None:
    (found,) = load(tmp_path, HEAD + ROW)["xa-xb"].withheld
    assert (found.field, found.messages) == ("Person/PhysicalDescription", {"ReadmissionApplication"})
    assert (found.article, found.confidence, found.treaty) == ("Art. 16(c)", Confidence.VERIFIED, "xa-xb")


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('article = "Art. 16(c)"\n', "", "article"),
        ('source = "invented"\n', "", "source"),
        ('confidence = "verified"\n', "", "confidence"),
        ('confidence = "verified"', 'confidence = "unverified"', "confidence"),
        ("field =", "fields =", "fields"),
        ('messages = ["ReadmissionApplication"]', "messages = []", "messages"),
    ],
)
def test_a_row_that_is_not_whole_or_that_nobody_has_read_stops_the_start(tmp_path, old, new, key) -> None:
    assert old in ROW
    with pytest.raises(TreatyInvalid, match=rf"treaties/xa-xb.toml: withheld\[1\]: key '{key}'"):
        load(tmp_path, HEAD + ROW.replace(old, new))


@pytest.mark.parametrize(
    ("field", "messages"),
    [
        ("Person/Phisical", ()),
        ("Person/PhysicalDescription", ("ReadmissionAplication",)),
        ("Child", ("TransitApplication",)),
        ("Header/NationalReference", ()),
    ],
)
def test_a_row_that_no_message_could_follow_stops_the_start(tmp_path, field, messages) -> None:
    treaty = load(tmp_path, HEAD)["xa-xb"]
    with pytest.raises(TreatyInvalid, match=r"treaties/xa-xb.toml: withheld\[1\]: "):
        check_withheld({"xa-xb": replace(treaty, withheld=(row(field, *messages),))}, SHAPES)


def test_the_rows_of_the_shipped_treaties_name_fields_that_messages_have() -> None:
    check_withheld(load_treaties(data_folder("partners") / "treaties"), SHAPES)


def test_the_rows_of_a_protocol_stand_beside_those_of_its_agreement(tmp_path) -> None:
    load(tmp_path, HEAD + ROW)
    protocol = HEAD.replace('id = "xa-xb"', 'id = "xa-xb/xa"\nagreement = "xa-xb"') + ROW.replace(
        "PhysicalDescription", "Father"
    )
    found = treaty_between(load(tmp_path, protocol, "xa-xb/xa"), "xa-xb", "XA", "XB")
    assert [each.field for each in found.withheld] == ["Person/PhysicalDescription", "Person/Father"]


def test_what_is_taken_out_is_named_by_every_field_that_held_a_value_and_never_by_the_value() -> None:
    tree = document("ReadmissionApplication-family")
    dropped = withhold(tree, "ReadmissionApplication", [row("Person/PhysicalDescription"), row("Child/Name/Part")])
    assert {field.path for field in dropped} >= {
        "/ReadmissionApplication/Person/PhysicalDescription/HeightCm",
        "/ReadmissionApplication/Child/Name/Part/Value",
    }
    assert {(field.action, field.rule) for field in dropped} == {("dropped", "not-allowed:xa-xb")}
    assert withhold(tree, "ReadmissionApplication", [row("Person/PhysicalDescription")]) == ()


def test_a_group_that_is_left_with_nothing_is_taken_out_too() -> None:
    tree = document()
    names = ("HeightCm", "EyeColour", "Marks")
    withhold(tree, "ReadmissionApplication", [row(f"Person/PhysicalDescription/{name}") for name in names])
    assert "PhysicalDescription" not in {element.tag.rpartition("}")[2] for element in tree.find("{*}Person")}


def test_a_message_of_another_type_keeps_its_fields() -> None:
    assert withhold(document(), "ReadmissionApplication", [row("Person/PhysicalDescription", "TransitApplication")]) == ()
