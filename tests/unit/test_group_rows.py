"""Rows that convert a group: a name or an address as one text, several fields that are one. Both ways, and what is lost."""

import json
from itertools import permutations
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import BadValue, FieldNotCarried, MappingInvalid
from gateway.partners.dialects import load_dialect
from gateway.wire.converters import GROUP_CONVERTERS
from gateway.wire.converters.names import NAMES
from gateway.wire.documents import NS, parse_xml
from gateway.wire.translate import Translator
from tests.small_dialects import actions, compact

CANONICAL = f"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="{NS}" targetNamespace="{NS}"
           elementFormDefault="qualified">
  <xs:complexType name="Name"><xs:sequence>
    <xs:element name="AsShown" type="xs:string"/><xs:element name="Script" type="xs:string"/>
    <xs:element name="Latin" type="xs:string" minOccurs="0"/>
    <xs:element name="Part" minOccurs="0" maxOccurs="12"><xs:complexType><xs:sequence>
      <xs:element name="Kind" type="xs:string"/><xs:element name="Value" type="xs:string"/>
    </xs:sequence></xs:complexType></xs:element>
  </xs:sequence></xs:complexType>
  <xs:complexType name="Address"><xs:sequence>
    <xs:element name="Street" type="xs:string" minOccurs="0"/><xs:element name="PostCode" type="xs:string" minOccurs="0"/>
    <xs:element name="Town" type="xs:string" minOccurs="0"/><xs:element name="Region" type="xs:string" minOccurs="0"/>
    <xs:element name="State" type="xs:string" minOccurs="0"/>
  </xs:sequence></xs:complexType>
  <xs:element name="Note"><xs:complexType><xs:sequence>
    <xs:element name="Name" type="Name" minOccurs="0"/><xs:element name="Born" type="xs:string" minOccurs="0"/>
    <xs:element name="Home" type="Address" minOccurs="0"/>
    <xs:element name="Child" minOccurs="0" maxOccurs="9"><xs:complexType><xs:sequence>
      <xs:element name="Name" type="Name"/></xs:sequence></xs:complexType></xs:element>
  </xs:sequence><xs:attribute name="schemaVersion" use="required"/></xs:complexType></xs:element>
</xs:schema>"""

XML_SCHEMA = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:x" elementFormDefault="qualified">
  <xs:element name="Zapis"><xs:complexType><xs:sequence>
    <xs:element name="Dijete" minOccurs="0" maxOccurs="9"><xs:complexType><xs:sequence>
      <xs:element name="Ime" type="xs:string"/></xs:sequence></xs:complexType></xs:element>
    <xs:element name="Dom" type="xs:string" minOccurs="0"/>
    <xs:element name="Rodjen" minOccurs="0"><xs:complexType>
      <xs:attribute name="dan"/><xs:attribute name="mjesec"/><xs:attribute name="godina"/></xs:complexType></xs:element>
    <xs:element name="Ime" type="xs:string" minOccurs="0"/>
  </xs:sequence></xs:complexType></xs:element>
</xs:schema>"""

JSON_SCHEMA = {
    "type": "object",
    "properties": {
        "kind": {"const": "NOTE"},
        "name": {"type": "string"},
        "day": {"type": "integer"},
        "month": {"type": "integer"},
        "year": {"type": "integer"},
        "home": {"type": "string"},
        "children": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}}}},
    },
    "required": ["kind"],
    "additionalProperties": False,
}

LATIN = ['{ canonical = "Name/Latin", why = "not asked" }', '{ canonical = "Child/Name/Latin", why = "not asked" }']
LOSS = [
    '{ canonical = "Name/Part", why = "one text" }',
    '{ canonical = "Name/AsShown", why = "the order of the words" }',
]
VERSION = '{ canonical = "@schemaVersion", fixed = "1.0" }'


class Maker:
    """Compiles small dialects below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "canonical").mkdir()
        (folder / "canonical" / "readmission.xsd").write_text(CANONICAL)

    def xml(
        self,
        name: str = "name-given-family",
        *,
        born: str = '{ here = ["Rodjen/@dan", "Rodjen/@mjesec", "Rodjen/@godina"], '
        'canonical = "Born", convert = "date-in-fields" }',
        lost: tuple[str, ...] = (),
    ) -> Translator:
        rows = [
            VERSION,
            f'{{ here = "Ime", canonical = "Name", convert = "{name}" }}',
            born,
            '{ here = "Dom", canonical = "Home", convert = "address-street-town-state" }',
            '{ here = "Dijete", canonical = "Child", repeat = "child" }',
        ]
        sets = f'child = [{{ here = "Ime", canonical = "Name", convert = "{name}" }}]'
        head = 'format = "xml"\nnamespace = "urn:x"\nschema = "schema.xsd"\n'
        return self._compiled("schema.xsd", XML_SCHEMA, head, 'root = "Zapis"', rows, sets, lost)

    def json(self, name: str = "name-given-family", *, lost: tuple[str, ...] = ()) -> Translator:
        rows = [
            VERSION,
            f'{{ here = "name", canonical = "Name", convert = "{name}" }}',
            '{ here = ["day", "month", "year"], canonical = "Born", convert = "date-in-fields-numbers" }',
            '{ here = "home", canonical = "Home", convert = "address-lines" }',
            '{ here = "children", canonical = "Child", repeat = "child" }',
        ]
        sets = f'child = [{{ here = "name", canonical = "Name", convert = "{name}" }}]'
        match = 'match = { path = "kind", value = "NOTE" }'
        head = 'format = "json"\nschema = "schema.json"\n'
        return self._compiled("schema.json", json.dumps(JSON_SCHEMA), head, match, rows, sets, lost)

    def _compiled(
        self, schema: str, text: str, head: str, message: str, rows: list[str], sets: str, lost: tuple[str, ...]
    ) -> Translator:
        dialect = self.folder / "own"
        dialect.mkdir(exist_ok=True)
        (dialect / schema).write_text(text)
        (dialect / "mapping.toml").write_text(
            f'version = "1"\n{head}cannot_carry = [{", ".join((*LATIN, *lost))}]\n[messages.Note]\n{message}\nrows = "note"\n'
            f"[rows]\nnote = [{', '.join(rows)}]\n{sets}\n"
        )
        return Translator.compile(load_dialect(dialect, "xa"), SimpleNamespace(folder=self.folder / "canonical"))


@pytest.fixture
def make(tmp_path: Path) -> Maker:
    return Maker(tmp_path)


def name(shown: str, *parts: tuple[str, str], script: str = "Latn", inside: str = "Name") -> str:
    listed = "".join(f"<Part><Kind>{kind}</Kind><Value>{value}</Value></Part>" for kind, value in parts)
    return f"<{inside}><AsShown>{shown}</AsShown><Script>{script}</Script>{listed}</{inside}>"


def note(inner: str) -> Any:
    return parse_xml(f'<Note xmlns="{NS}" schemaVersion="1.0">{inner}</Note>'.encode())


def zapis(inner: str) -> bytes:
    return f'<Zapis xmlns="urn:x">{inner}</Zapis>'.encode()


ANA = name("ANA SPECIMEN", ("given", "ANA"), ("family", "SPECIMEN"))
CHILDREN = "<Child>{}</Child><Child>{}</Child>".format(
    name("IVO SPECIMEN", ("given", "IVO"), ("family", "SPECIMEN")), name("EVA", ("single", "EVA"))
)
WHOLE = f"{ANA}<Born>1990-03-05</Born><Home><Street>Uzorna 1</Street><PostCode>71000</PostCode><Town>Sarajevo</Town></Home>"


def test_group_rows_read_and_write_xml(make: Maker) -> None:
    translator = make.xml()
    there = translator.from_canonical(note(WHOLE + CHILDREN))
    assert compact(there.body) == (
        "<Zapis><Dijete><Ime>IVO SPECIMEN</Ime></Dijete><Dijete><Ime>EVA</Ime></Dijete><Dom>Uzorna 1, 71000 Sarajevo</Dom>"
        '<Rodjen dan="05" mjesec="03" godina="1990"/><Ime>ANA SPECIMEN</Ime></Zapis>'
    ).replace("/></", "></Rodjen></") or "Rodjen" in compact(there.body)
    back = translator.to_canonical(there.body)
    assert compact(back.body) == f'<Note schemaVersion="1.0">{WHOLE}{CHILDREN}</Note>'


def test_group_rows_read_and_write_json(make: Maker) -> None:
    translator = make.json()
    there = translator.from_canonical(note(WHOLE + CHILDREN))
    assert json.loads(there.body) == {
        "kind": "NOTE",
        "name": "ANA SPECIMEN",
        "day": 5,
        "month": 3,
        "year": 1990,
        "home": "Uzorna 1\n71000 Sarajevo",
        "children": [{"name": "IVO SPECIMEN"}, {"name": "EVA"}],
    }
    assert compact(translator.to_canonical(there.body).body) == f'<Note schemaVersion="1.0">{WHOLE}{CHILDREN}</Note>'


def test_what_is_not_given_is_not_written(make: Maker) -> None:
    translator = make.json()
    assert json.loads(translator.from_canonical(note("<Born>1990</Born>")).body) == {"kind": "NOTE", "year": 1990}
    assert compact(translator.to_canonical(b'{"kind": "NOTE", "month": 3, "year": 1990}').body) == (
        '<Note schemaVersion="1.0"><Born>1990-03</Born></Note>'
    )
    empty = compact(translator.to_canonical(b'{"kind": "NOTE"}').body)
    assert empty.replace("\n", "") == '<Note schemaVersion="1.0"></Note>'


def test_a_group_stands_in_the_report_once(make: Maker) -> None:
    report = make.json().from_canonical(note(ANA + CHILDREN)).report
    assert actions(report) == {
        "/Note/@schemaVersion": ("filled", "fixed"),
        "/Note/Name": ("converted", "convert:name-given-family"),
        "/Note/Child/Name": ("converted", "convert:name-given-family"),
    } or "/Note/@schemaVersion" not in actions(report)


def test_a_text_of_another_number_of_words_is_read_without_parts(make: Maker) -> None:
    body = make.xml().to_canonical(zapis("<Ime>ANA MARIA DE LA MUESTRA</Ime>")).body
    assert compact(body) == f'<Note schemaVersion="1.0">{name("ANA MARIA DE LA MUESTRA")}</Note>'


def test_the_script_is_read_off_the_letters(make: Maker) -> None:
    body = make.xml("name-as-shown", lost=(*LOSS[:1], '{ canonical = "Child/Name/Part", why = "one text" }'))
    assert "<Script>Cyrl</Script>" in compact(body.to_canonical(zapis("<Ime>Ана Узорак</Ime>")).body)
    with pytest.raises(BadValue) as refused:
        body.to_canonical(zapis("<Ime>Ана Uzorak</Ime>"))
    assert refused.value.path == "/Note/Name"


# --- what does not come back ----------------------------------------------------------------------------------------------

TURNED = name("SPECIMEN ANA", ("family", "SPECIMEN"), ("given", "ANA"))
LONG = name("ANA MARIA SPECIMEN", ("given", "ANA MARIA"), ("family", "SPECIMEN"))


@pytest.mark.parametrize(("inner", "path"), [(TURNED, "/Note/Name/AsShown"), (LONG, "/Note/Name/Part")])
def test_a_loss_that_the_file_does_not_declare_refuses(make: Maker, inner: str, path: str) -> None:
    with pytest.raises(FieldNotCarried) as refused:
        make.xml().from_canonical(note(inner))
    assert refused.value.path == path


def test_the_order_of_the_document_is_lost_as_declared_and_reported(make: Maker) -> None:
    there = make.xml(lost=tuple(LOSS)).from_canonical(note(TURNED))
    assert "<Ime>ANA SPECIMEN</Ime>" in compact(there.body)
    assert actions(there.report)["/Note/Name/AsShown"] == ("dropped", "convert:name-given-family")
    assert [field.why for field in there.report.dropped] == ["the order of the words"]


def test_parts_are_lost_as_declared_and_reported_field_by_field(make: Maker) -> None:
    there = make.xml(lost=tuple(LOSS)).from_canonical(note(LONG))
    assert "<Ime>ANA MARIA SPECIMEN</Ime>" in compact(there.body)
    assert {field.path for field in there.report.dropped} == {"/Note/Name/Part/Kind", "/Note/Name/Part/Value"}


@pytest.mark.parametrize(
    "inner",
    [
        name("ANA SPECIMEN"),  # the form would say which is the family name
        name("ANA SPECIMEN", ("given", "ANA"), ("patronymic", "SPECIMEN")),
        name("ANA", ("given", "ANA"), ("family", "SPECIMEN")),  # shows fewer words than it has
        name("ANA SPECIMEN", ("given", "ANA"), ("family", "SPECIMEN"), script="Cyrl"),
        name("ANA", ("given", "ANA")),  # a single word is read as a single name
    ],
)
def test_what_the_form_would_say_wrongly_is_refused_whatever_the_file_declares(make: Maker, inner: str) -> None:
    with pytest.raises(BadValue) as refused:
        make.xml(lost=tuple(LOSS)).from_canonical(note(inner))
    assert refused.value.path == "/Note/Name"
    assert "ANA" not in refused.value.message


def test_a_loss_that_the_converter_never_has_cannot_be_declared(make: Maker) -> None:
    with pytest.raises(MappingInvalid, match="'Name/Script' is mapped as well"):
        make.xml(lost=('{ canonical = "Name/Script", why = "no" }',))


@pytest.mark.parametrize(
    ("born", "why"),
    [
        ('{ here = "Rodjen/@dan", canonical = "Born", convert = "date-in-fields" }', "needs in 'here': day, month, year"),
        (
            '{ here = ["Rodjen/@dan", "Rodjen", "Rodjen/@godina"], canonical = "Born", convert = "date-in-fields" }',
            "is a group",
        ),
        (
            '{ here = ["Rodjen/@dan", "Rodjen/@dan", "Rodjen/@godina"], canonical = "Born", convert = "date-in-fields" }',
            "twice",
        ),
        (
            '{ here = ["Rodjen/@dan", "Rodjen/@x", "Rodjen/@godina"], canonical = "Born", convert = "date-in-fields" }',
            "no '@x'",
        ),
        ('{ here = "Rodjen/@dan", canonical = "Born", convert = "name-single" }', "no 'AsShown'"),
        ('{ here = ["Rodjen/@dan"], canonical = "Name", convert = "name-single" }', "twice"),
        ('{ here = "Rodjen/@dan", convert = "name-single" }', "needs 'here' and 'canonical'"),
        ('{ here = "Rodjen/@dan", canonical = "Born", convert = "name-single", codes = "x" }', "nothing else"),
        ('{ here = ["Rodjen/@dan"], canonical = "Born", convert = "date-dmy" }', "not a row of texts"),
    ],
)
def test_a_row_that_does_not_fit_its_converter_names_file_row_and_reason(make: Maker, born: str, why: str) -> None:
    with pytest.raises(MappingInvalid) as refused:
        make.xml(born=born)
    assert why in refused.value.message
    assert "xa/dialects/own/mapping.toml: rows.note[3]" in refused.value.message


def test_a_value_that_cannot_be_read_is_refused_with_the_place_of_the_group(make: Maker) -> None:
    for body in (
        b'{"kind": "NOTE", "day": 5, "year": 1990}',
        b'{"kind": "NOTE", "year": 90}',
        b'{"kind": "NOTE", "home": "x"}',
    ):
        with pytest.raises(BadValue) as refused:
            make.json().to_canonical(body)
        assert refused.value.path in {"/Note/Born", "/Note/Home"}


# --- the law ----------------------------------------------------------------------------------------------------------------

WORD = st.sampled_from(["ANA", "ALI", "SPECIMEN", "DE LA MUESTRA", "KHAN", "(X)", "A,B", "UZORAK", "УЗОРАК", "نمونہ"])
KINDS = ["given", "family", "patronymic", "father", "grandfather", "single", "tribal"]
PARTS = st.none() | st.lists(st.tuples(st.sampled_from(KINDS), WORD).map(list), min_size=1, max_size=4)
SHOWN = st.lists(WORD, min_size=1, max_size=4).map(" ".join)
LINE = st.none() | st.sampled_from(["Uzorna 1", "71000", "Sarajevo", "BA", "a, b", "c;d", "x|y", "e\nf", "12 Novi Sad"])


@st.composite
def canonical_names(draw: st.DrawFn) -> tuple[str, str, list[list[str]] | None]:
    """Return a name; most show the words of their parts, in one order or another."""
    parts = draw(PARTS)
    shown = draw(SHOWN)
    if parts and draw(st.booleans()):
        shown = " ".join(value for _, value in draw(st.sampled_from(list(permutations(parts))[:6])))
    return shown, draw(st.sampled_from(["Latn", "Latn", "Cyrl", "Arab"])), parts


@settings(max_examples=300)
@given(canonical_names())
def test_a_name_that_is_written_reads_back_the_same_but_for_what_is_said_to_be_lost(value: Any) -> None:
    for converter in NAMES:
        given_values = value[: len(converter.canonical)]
        try:
            here, lost = converter.write(given_values)
        except BadValue:
            continue
        back = converter.read(here)
        assert lost <= converter.may_lose
        members = [member.path for member in converter.canonical]
        differs = {path for path, one, other in zip(members, given_values, back, strict=True) if one != other}
        assert differs <= lost | ({"Part"} if "AsShown" in lost else set()), (converter.name, here)
        assert sorted(back[0].split()) == sorted(given_values[0].split()), "no word is ever changed"


@settings(max_examples=300)
@given(st.tuples(LINE, LINE, LINE, LINE, LINE))
def test_an_address_that_is_written_reads_back_the_same_but_for_what_is_said_to_be_lost(value: Any) -> None:
    for converter in [each for name_, each in GROUP_CONVERTERS.items() if name_.startswith("address-")]:
        try:
            here, lost = converter.write(value)
        except BadValue:
            continue
        members = [member.path for member in converter.canonical]
        expected = [None if path in lost else one for path, one in zip(members, value, strict=True)]
        assert list(converter.read(here)) == expected, (converter.name, here)
        assert lost <= converter.may_lose


@given(st.dates(), st.sampled_from([4, 7, 10]))
def test_a_date_in_fields_reads_back_the_same(day: Any, length: int) -> None:
    for converter in [each for name_, each in GROUP_CONVERTERS.items() if name_.startswith("date-")]:
        here, lost = converter.write((day.isoformat()[:length],))
        assert converter.read(here) == (day.isoformat()[:length],)
        assert lost == frozenset()


@settings(max_examples=200)
@given(st.lists(st.none() | st.text(max_size=30), min_size=3, max_size=3))
def test_any_texts_are_read_or_refused_with_our_own_error(values: list[str | None]) -> None:
    for converter in GROUP_CONVERTERS.values():
        taken = values[: len(converter.here)]
        if any(value is not None for value in taken):
            try:
                found = converter.read(taken)
            except BadValue:
                continue
            assert len(found) == len(converter.canonical)


def test_the_example_of_every_group_converter_holds_in_both_directions() -> None:
    for name_, converter in GROUP_CONVERTERS.items():
        canonical, here = converter.example
        written, lost = converter.write(canonical)
        assert (tuple(int(value) for value in written) if converter.numbers else tuple(written)) == here, name_
        assert tuple(converter.read([str(value) for value in here])) == tuple(canonical), name_
        assert lost == frozenset(), name_
