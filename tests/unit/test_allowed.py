"""Only fields on the list of a message type leave."""

from copy import deepcopy

import pytest
from lxml import etree

from gateway.errors import FieldNotAllowed, SchemaSetBroken
from gateway.settings import data_folder
from gateway.stages import Checked, Tree
from gateway.wire.allowed import AllowedFields
from gateway.wire.documents import NS, parse_xml
from gateway.wire.schema import MESSAGE_ROOTS, SchemaSet
from gateway.wire.translate import canonical_shapes

FOLDER = data_folder("schemas") / "readmission" / "1.0"
R = f"{{{NS}}}"
ALLOWED = AllowedFields.load(FOLDER)
SCHEMAS = SchemaSet.load(FOLDER)


def checked(document: Tree) -> Checked:
    return Checked(document=document, type=etree.QName(document).localname, schema_version="1.0")


def example(name: str) -> Tree:
    return parse_xml((FOLDER / "examples" / f"{name}.xml").read_bytes())


def with_field(document: Tree, group: str, name: str) -> Tree:
    """Return a copy with one more field in a group, as a later schema could bring it."""
    changed = deepcopy(document)
    etree.SubElement(changed.find("/".join(R + step for step in group.split("/"))), R + name).text = "SPECIMEN"
    return changed


@pytest.mark.parametrize("path", sorted((FOLDER / "examples").glob("*.xml")), ids=lambda path: path.stem)
def test_every_example_may_leave(path) -> None:
    ALLOWED.check(SCHEMAS.check(parse_xml(path.read_bytes())))


def test_every_message_type_has_a_list() -> None:
    assert set(ALLOWED.trees) == set(MESSAGE_ROOTS)


@pytest.mark.parametrize(
    ("name", "group", "field"),
    [
        ("ReadmissionReply-agreed", "Person", "PhysicalDescription"),
        ("ReadmissionReply-agreed", "Person", "LastAddress"),
        ("ReadmissionApplication-own-national", "Spouse", "CivilStatus"),
        ("ReadmissionApplication-own-national", "Child", "Father"),
        ("Receipt-accepted", ".", "Person"),
        ("ReadmissionReply-agreed-in-part", "RefusedMember/Person", "Sex"),
        ("InterviewResult-confirmed", "Person", "OtherName"),
        ("TransferNotification-escorted", "Traveller/Person", "PhysicalDescription"),
        ("TransferNotification-escorted", "SpecialCare/Person", "Address"),
        ("TransitApplication-escorted", "Person", "Identifier"),
        ("TransitApplication-escorted", "Person", "Father"),
        ("TransitApplication-escorted", "Document", "IssueDate"),
        ("CostStatement-by-requesting", "Person", "Sex"),
    ],
)
def test_field_that_is_not_on_the_list_is_refused_with_its_place(name, group, field) -> None:
    document = example(name)
    changed = deepcopy(document) if group == "." else with_field(document, group, field)
    if group == ".":
        etree.SubElement(changed, R + field)
    with pytest.raises(FieldNotAllowed) as refused:
        ALLOWED.check(checked(changed))
    assert refused.value.path == f"/{etree.QName(document).localname}/{'' if group == '.' else group + '/'}{field}"
    assert "SPECIMEN" not in str(refused.value)


def test_group_that_is_allowed_as_a_whole_may_leave_with_all_its_fields() -> None:
    ALLOWED.check(checked(with_field(example("ReadmissionApplication-own-national"), "Person", "Religion")))


def test_message_type_without_a_list_does_not_leave() -> None:
    with pytest.raises(FieldNotAllowed, match="no allow-list"):
        ALLOWED.check(checked(etree.Element(R + "Telegram")))


def test_empty_list_lets_nothing_leave(tmp_path) -> None:
    (tmp_path / "allowed.toml").write_text("Receipt = []")
    with pytest.raises(FieldNotAllowed):
        AllowedFields.load(tmp_path).check(checked(example("Receipt-accepted")))


@pytest.mark.parametrize("text", [None, "Receipt = ["])
def test_list_that_cannot_be_read_stops_the_start(tmp_path, text) -> None:
    if text is not None:
        (tmp_path / "allowed.toml").write_text(text)
    with pytest.raises(SchemaSetBroken):
        AllowedFields.load(tmp_path)


def test_list_names_only_fields_that_the_schema_has() -> None:
    """A list entry with a spelling mistake would silently allow nothing."""
    shapes = canonical_shapes(FOLDER)

    def unknown(tree, shape, path):
        for name, below in tree.items():
            if name not in shape.children:
                yield f"{path}/{name}"
            else:
                yield from unknown(below, shape.children[name], f"{path}/{name}")

    assert [path for type_, tree in ALLOWED.trees.items() for path in unknown(tree, shapes[type_], type_)] == []


FOLLOW_UPS = sorted(set(MESSAGE_ROOTS) - {"ReadmissionApplication", "WrittenNotification", "TransitApplication", "Receipt"})


@pytest.mark.parametrize("type_", FOLLOW_UPS)
def test_a_message_about_an_open_case_names_the_person_by_four_fields_only(type_) -> None:
    assert set(ALLOWED.trees[type_]["Person"]) == {"Name", "MaidenName", "Birth", "Nationality"}


@pytest.mark.parametrize(
    ("type_", "group"),
    [
        ("ReadmissionReply", "RefusedMember"),
        ("TransferNotification", "Traveller"),
        ("TransferNotification", "SpecialCare"),
    ],
)
def test_any_other_person_is_named_by_the_same_four(type_, group) -> None:
    assert set(ALLOWED.trees[type_][group]["Person"]) == {"Name", "MaidenName", "Birth", "Nationality"}
