"""A vocabulary gives a whole dialect: mapping, schema and code lists that compile and lose nothing."""

import tomllib
from pathlib import Path

import pytest
from lxml import etree

from gateway.errors import BadValue, FieldNotCarried, MappingInvalid, SchemaViolation
from gateway.partners.dialects import load_dialect
from gateway.wire.documents import parse_xml
from gateway.wire.drafting.blank import blank_text
from gateway.wire.drafting.draft import draft_dialect
from gateway.wire.examples import flat
from gateway.wire.schema import SchemaSet
from gateway.wire.translate import Translator
from tests.vocabularies import (
    CSV_GROUPS,
    CSV_NUMBERED,
    FLAT_JSON,
    LATIN_XML,
    LINES,
    NESTED_JSON,
    SCHEMAS,
    XLSX_GROUPS,
    canonical,
    dialect_folder,
    vocabulary_text,
)

EXAMPLES = sorted(path for path in (SCHEMAS / "examples").glob("*.xml") if not path.name.startswith("Receipt"))
APPLICATION = SCHEMAS / "examples" / "ReadmissionApplication-own-national.xml"


ONE_OF_EACH = list({path.name.partition("-")[0]: path for path in EXAMPLES}.values())


def translator(root: Path, text: str) -> Translator:
    folder = dialect_folder(root, text)
    draft_dialect(folder, SCHEMAS).write()
    return Translator.compile(load_dialect(folder, "xa"), SchemaSet.load(SCHEMAS))


def refusal(root: Path, text: str) -> str:
    with pytest.raises(MappingInvalid) as refused:
        draft_dialect(dialect_folder(root, text), SCHEMAS)
    assert "xa/dialects/test/vocabulary.toml" in refused.value.message
    return refused.value.message


# --- what comes out ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "head",
    [LATIN_XML, FLAT_JSON, NESTED_JSON, CSV_GROUPS, XLSX_GROUPS],
    ids=["xml", "flat json", "nested json", "csv", "xlsx"],
)
def test_canonical_examples_come_back_the_same_from_a_drafted_format(head: str, tmp_path: Path) -> None:
    drafted = translator(tmp_path, vocabulary_text(head))
    assert len(ONE_OF_EACH) == len(canonical().messages)
    for path in EXAMPLES if head == LATIN_XML else ONE_OF_EACH:
        document = parse_xml(path.read_bytes())
        there = drafted.from_canonical(document)
        back = drafted.to_canonical(there.body).document
        assert back is not None
        assert list(flat(back)) == list(flat(document)), path.name
        assert there.report.dropped == ()


def test_lines_of_fixed_width_carry_every_example_but_texts_with_line_ends(tmp_path: Path) -> None:
    drafted = translator(tmp_path, vocabulary_text(LINES))
    refused = 0
    for path in ONE_OF_EACH:
        document = parse_xml(path.read_bytes())
        if any("\n" in value for _, value in flat(document)):
            with pytest.raises(BadValue, match="line end"):
                drafted.from_canonical(document)
            refused += 1
            continue
        there = drafted.from_canonical(document)
        back = drafted.to_canonical(there.body).document
        assert back is not None
        assert list(flat(back)) == [field for field in flat(document) if "/OtherName/" not in field[0]], path.name
    assert 0 < refused < len(ONE_OF_EACH) / 4


SHEET_TYPES = ("ReadmissionApplication",)


def sheet_text(head: str, kinds: tuple[str, ...] = SHEET_TYPES) -> str:
    """Return a vocabulary that carries a few message types only."""
    text = vocabulary_text(head)
    start = text.index("[types]")
    named = "".join(f'{kind} = "{kind}"\n' for kind in kinds)
    return f"{text[:start]}[types]\n{named}{text[text.index('[codes.', start) :]}"


def test_sheet_of_one_row_has_numbered_columns(tmp_path: Path) -> None:
    drafted = translator(tmp_path, sheet_text(CSV_NUMBERED))
    body = drafted.from_canonical(parse_xml(APPLICATION.read_bytes())).body.decode()
    assert len(body.splitlines()) == 2
    assert "Child2NamePart2Value" in body
    assert "Child3" not in body


def test_more_children_than_the_sheet_has_columns_for_are_refused(tmp_path: Path) -> None:
    text = sheet_text(CSV_NUMBERED).replace('"ReadmissionApplication/Child" = 2', '"ReadmissionApplication/Child" = 1')
    family = parse_xml((SCHEMAS / "examples" / "ReadmissionApplication-family.xml").read_bytes())
    with pytest.raises(FieldNotCarried):
        translator(tmp_path, text).from_canonical(family)


def test_sheet_with_more_columns_than_a_table_may_have_is_refused(tmp_path: Path) -> None:
    told = refusal(tmp_path, sheet_text(CSV_NUMBERED, tuple(canonical().messages)))
    assert "columns, and a table has at most 500" in told


def test_list_inside_lists_has_no_number_left(tmp_path: Path) -> None:
    text = sheet_text(CSV_NUMBERED).replace('"Relative/OtherName" = "the sheet has no column for it"\n', "")
    assert "needs a further number for" in refusal(tmp_path, text)


def test_names_listed_as_attributes_are_attributes(tmp_path: Path) -> None:
    drafted = translator(tmp_path, vocabulary_text(LATIN_XML))
    body = etree.fromstring(drafted.from_canonical(parse_xml(APPLICATION.read_bytes())).body)
    (part, *_) = body.iter("{*}Part")
    assert (set(part.attrib), len(part), bool(part.text)) == ({"Kind"}, 0, True)


def test_cyrillic_words_make_element_names(tmp_path: Path) -> None:
    words = {"Person": "лице", "MaidenName": "моминско презиме"}
    drafted = translator(tmp_path, vocabulary_text(LATIN_XML, words=words))
    assert "<Лице>" in drafted.from_canonical(parse_xml(APPLICATION.read_bytes())).body.decode()


def test_word_for_one_place_wins_over_the_word_for_the_name(tmp_path: Path) -> None:
    drafted = translator(tmp_path, vocabulary_text(FLAT_JSON, more='[words.at]\n"Document/IssuingState" = "land of issue"'))
    assert '"land_of_issue": "' in drafted.from_canonical(parse_xml(APPLICATION.read_bytes())).body.decode()


def test_field_without_a_place_is_dropped_with_the_reason(tmp_path: Path) -> None:
    drafted = translator(tmp_path, vocabulary_text(FLAT_JSON, more='[cannot_carry]\n"Authority/Fax" = "no fax there"'))
    report = drafted.from_canonical(parse_xml(APPLICATION.read_bytes())).report
    assert {(field.path.rpartition("/")[2], field.why) for field in report.dropped} == {("Fax", "no fax there")}


def test_fixed_field_is_not_in_the_format_and_always_read(tmp_path: Path) -> None:
    drafted = translator(tmp_path, vocabulary_text(FLAT_JSON, more='[fixed]\n"Request/Procedure" = "ordinary"'))
    there = drafted.from_canonical(parse_xml(APPLICATION.read_bytes())).body
    assert b"request_procedure" not in there
    back = drafted.to_canonical(there).document
    assert back is not None
    assert back.findtext("{*}Request/{*}Procedure") == "ordinary"


NAMES_AS_TEXT = """\
[converters]
name = "name-family-comma-given"
[cannot_carry]
"Name/Latin" = "one form only"
"Name/AsShown" = "always family name first"
"Name/Part" = "no parts where the name is not of two"
"""


def test_whole_group_is_written_as_one_text(tmp_path: Path) -> None:
    drafted = translator(tmp_path, vocabulary_text(NESTED_JSON + NAMES_AS_TEXT))
    there = drafted.from_canonical(parse_xml(APPLICATION.read_bytes()))
    assert '"name": "' in there.body.decode()
    back = drafted.to_canonical(there.body).document
    assert back is not None
    assert back.findtext("{*}Person/{*}Birth/{*}Date") == "1991-03"
    assert "one form only" in {field.why for field in there.report.dropped}


def test_group_as_one_text_must_say_what_it_has_no_place_for(tmp_path: Path) -> None:
    told = refusal(tmp_path, vocabulary_text(NESTED_JSON + NAMES_AS_TEXT.replace('"Name/Latin" = "one form only"\n', "")))
    assert "has no place for Name/Latin: name it in cannot_carry" in told


def test_type_that_is_not_named_is_not_carried(tmp_path: Path) -> None:
    text = vocabulary_text(LATIN_XML).replace('Rejection = "rejection"\n[codes', "[codes")
    assert "Rejection" not in translator(tmp_path, text).documents.plans


def test_code_list_that_is_left_out_is_copied_as_it_is(tmp_path: Path) -> None:
    text = vocabulary_text(FLAT_JSON)
    start = text.index("[codes.sex]")
    drafted = translator(tmp_path, text[:start] + text[text.index("[codes.", start + 1) :])
    assert '"person_sex": "male"' in drafted.from_canonical(parse_xml(APPLICATION.read_bytes())).body.decode()


def test_retired_code_is_read_and_never_written(tmp_path: Path) -> None:
    drafted = translator(tmp_path, vocabulary_text(FLAT_JSON, more='[also_read.sex]\n"OLD" = "male"'))
    there = drafted.from_canonical(parse_xml(APPLICATION.read_bytes())).body
    assert b"OLD" not in there
    back = drafted.to_canonical(there.replace(b'"MALE"', b'"OLD"')).document
    assert back is not None
    assert back.findtext("{*}Person/{*}Sex") == "male"


@pytest.mark.parametrize(
    ("head", "before", "after"),
    [
        (LATIN_XML, b"<Sex>MALE</Sex>", b"<Sex>MAN</Sex>"),
        (LATIN_XML, b"<Sender>BA-MS<", b"<Sender>somebody<"),
        (FLAT_JSON, b'"person_sex": "MALE"', b'"person_sex": 1'),
        (FLAT_JSON, b'"request_interview_requested": true', b'"request_interview_requested": "no"'),
        (FLAT_JSON, b'"header_sender": "BA-MS",', b""),
        (NESTED_JSON, b'"sender": "BA-MS",', b'"sender": "BA-MS", "further": "1",'),
    ],
)
def test_drafted_schema_refuses_what_the_canonical_one_would(head: str, before: bytes, after: bytes, tmp_path: Path) -> None:
    drafted = translator(tmp_path, vocabulary_text(head))
    there = drafted.from_canonical(parse_xml(APPLICATION.read_bytes())).body
    assert before in there
    with pytest.raises(SchemaViolation):
        drafted.to_canonical(there.replace(before, after))


def test_same_vocabulary_gives_the_same_files(tmp_path: Path) -> None:
    folder = dialect_folder(tmp_path, vocabulary_text(LATIN_XML))
    first = draft_dialect(folder, SCHEMAS)
    assert first.write() == ("mapping.toml", "schema.xsd", "codes.toml")
    assert draft_dialect(folder, SCHEMAS).files == first.files
    assert first.differing() == ()


def test_file_changed_by_hand_is_told(tmp_path: Path) -> None:
    folder = dialect_folder(tmp_path, vocabulary_text(LATIN_XML))
    draft_dialect(folder, SCHEMAS).write()
    (folder / "codes.toml").write_text("# mine\n", encoding="utf-8")
    assert draft_dialect(folder, SCHEMAS).differing() == ("codes.toml",)


def test_empty_vocabulary_names_every_name_once() -> None:
    blank = tomllib.loads(blank_text(canonical()))
    groups = (*canonical().messages.values(), *canonical().groups.values())
    assert set(blank["words"]) - {"at"} == {member.name for group in groups for member in group.members}
    assert set(blank["types"]) == set(canonical().messages)
    assert set(blank["codes"]["sex"]) == {"male", "female", "other", "unknown"}


# --- what is refused ---------------------------------------------------------------------------------------------------


def test_two_members_of_a_group_with_one_word_are_refused_by_name(tmp_path: Path) -> None:
    told = refusal(tmp_path, vocabulary_text(LATIN_XML, words={"IssuingAuthority": "issue place"}))
    assert "IssuingAuthority" in told
    assert "IssuePlace" in told


def test_joined_names_that_meet_are_refused(tmp_path: Path) -> None:
    told = refusal(tmp_path, vocabulary_text(FLAT_JSON, words={"Transfer": "entry"}))
    assert "Entry/Date" in told
    assert "Transfer/Date" in told


def test_name_without_a_word_is_refused(tmp_path: Path) -> None:
    told = refusal(tmp_path, vocabulary_text(LATIN_XML).replace('CivilStatus = "civil status"\n', ""))
    assert "has no word for Person/CivilStatus" in told


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("[words]\n", '[words]\nHeights = "x"\n', "'words.Heights' is no name"),
        ("[types]\n", '[types]\nLetter = "x"\n', "'types.Letter' is no canonical message type"),
        ('Rejection = "rejection"\n[codes', 'Rejection = "correction"\n[codes', "as types.Correction does"),
        ('"female" = "FEMALE"\n', "", "'codes.sex' has no code for female"),
        ('"female" = "FEMALE"\n', '"female" = "FEMALE"\n"third" = "T"\n', "'codes.sex' names third"),
        ('"female" = "FEMALE"', '"female" = "MALE"', "'codes.sex' writes MALE for two"),
        ("[codes.sex]", "[codes.gender]", "'codes.gender' is no code list"),
        ('date = "date-dmy"', 'date = "date-dym"', "there is no such converter"),
        ('date = "date-dmy"', 'day = "date-dmy"', "'converters.day' is neither a kind of value"),
        ('false = "ne"\n', "", "'yes-no', which has no code for false"),
        ("[words]\n", '[cannot_carry]\n"Person/Fax" = "x"\n[words]\n', "cannot_carry.Person/Fax"),
        ("[words]\n", '[fixed]\n"Person/Birth" = "x"\n[words]\n', "is not a field with one value"),
        ('Person = "person"', 'Person = "1st"', "cannot be the name of an element"),
        ('style = "pascal"', 'style = "fancy"', "not one of pascal"),
        ('style = "pascal"', 'style = "pascal"\nlayout = "flat"', "is for JSON, not for the format 'xml'"),
        ('style = "pascal"', 'style = "pascal"\n[times]\nx = 1', "has no meaning for the format 'xml'"),
        ("reviewed = 2026-01-01", 'reviewed = "2026"', "'reviewed' is not a date"),
        ('style = "pascal"', 'style = "pascal"\ntype_word = "x"', "has no meaning for the format 'xml'"),
        ('about = "A format for tests."\n', "", "'about' is missing"),
        ('about = "A format for tests."\n', 'about = "x"\ncolour = "x"\n', "'colour' is not known"),
    ],
)
def test_slip_in_a_vocabulary_is_refused_with_its_key(before: str, after: str, told: str, tmp_path: Path) -> None:
    text = vocabulary_text(LATIN_XML)
    assert before in text
    assert told in refusal(tmp_path, text.replace(before, after, 1))


def test_member_that_tells_the_type_must_not_be_a_field(tmp_path: Path) -> None:
    head = NESTED_JSON.replace("document type", "person")
    assert "'type_word' gives 'person', which is a member of" in refusal(tmp_path, vocabulary_text(head))
