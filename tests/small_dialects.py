"""Two small invented formats, XML and JSON, of one small invented canonical message: for tests of the mapping language."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from lxml import etree

from gateway.partners.dialects import load_dialect
from gateway.wire.documents import NS, parse_xml
from gateway.wire.report import Report
from gateway.wire.translate import Translator

CANONICAL = f"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="{NS}" targetNamespace="{NS}"
           elementFormDefault="qualified">
  <xs:complexType name="Place"><xs:sequence>
    <xs:element name="Town" type="xs:string" minOccurs="0"/><xs:element name="State" type="xs:string" minOccurs="0"/>
  </xs:sequence></xs:complexType>
  <xs:element name="Note"><xs:complexType><xs:sequence>
    <xs:element name="Header"><xs:complexType><xs:sequence>
      <xs:element name="MessageId" type="xs:string"/><xs:element name="Fax" type="xs:string" minOccurs="0"/>
    </xs:sequence></xs:complexType></xs:element>
    <xs:element name="Sex" type="xs:string"/>
    <xs:element name="Asked" type="xs:boolean" minOccurs="0"/>
    <xs:element name="Born" type="xs:string" minOccurs="0"/>
    <xs:element name="Home" type="Place" minOccurs="0"/>
    <xs:element name="Tongue" type="xs:string" minOccurs="0" maxOccurs="9"/>
    <xs:element name="Child" minOccurs="0" maxOccurs="9"><xs:complexType><xs:sequence>
      <xs:element name="Name" type="xs:string"/><xs:element name="Home" type="Place" minOccurs="0"/>
    </xs:sequence></xs:complexType></xs:element>
  </xs:sequence><xs:attribute name="schemaVersion" use="required"/></xs:complexType></xs:element>
  <xs:element name="Other"><xs:complexType><xs:sequence>
    <xs:element name="Text" type="xs:string"/>
  </xs:sequence></xs:complexType></xs:element>
</xs:schema>"""

XML_SCHEMA = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="urn:x" targetNamespace="urn:x"
           elementFormDefault="qualified">
  <xs:complexType name="Mjesto"><xs:sequence>
    <xs:element name="Drzava" type="xs:string" minOccurs="0"/><xs:element name="Grad" type="xs:string" minOccurs="0"/>
  </xs:sequence></xs:complexType>
  <xs:element name="Biljeska"><xs:complexType><xs:sequence>
    <xs:element name="Djeca" minOccurs="0"><xs:complexType><xs:sequence>
      <xs:element name="Dijete" maxOccurs="9"><xs:complexType><xs:sequence>
        <xs:element name="Dom" type="Mjesto" minOccurs="0"/>
        <xs:element name="Ime"><xs:complexType>
          <xs:simpleContent><xs:extension base="xs:string"/></xs:simpleContent>
        </xs:complexType></xs:element>
      </xs:sequence></xs:complexType></xs:element>
    </xs:sequence></xs:complexType></xs:element>
    <xs:element name="Rodjen" type="xs:string" minOccurs="0"/>
    <xs:element name="Jezik" type="xs:string" minOccurs="0" maxOccurs="9"/>
    <xs:element name="Spol" minOccurs="0"><xs:complexType><xs:simpleContent><xs:extension base="xs:string">
      <xs:attribute name="pitano"/></xs:extension></xs:simpleContent></xs:complexType></xs:element>
    <xs:element name="Dom" type="Mjesto" minOccurs="0"/>
  </xs:sequence><xs:attribute name="broj"/><xs:attribute name="verzija" use="required"/></xs:complexType></xs:element>
</xs:schema>"""

JSON_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["kind"],
    "properties": {"kind": {"enum": ["NOTE"]}},
    "allOf": [{"if": {"properties": {"kind": {"const": "NOTE"}}}, "then": {"$ref": "#/$defs/note"}}],
    "$defs": {
        "place": {
            "type": "object",
            "properties": {"town": {"type": "string"}, "state": {"type": "string"}},
            "additionalProperties": False,
        },
        "child": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "home": {"$ref": "#/$defs/place"}},
            "required": ["name"],
            "additionalProperties": False,
        },
        "note": {
            "type": "object",
            "properties": {
                "kind": {"const": "NOTE"},
                "id": {"type": "string"},
                "person": {
                    "type": "object",
                    "properties": {
                        "sex": {"type": "string"},
                        "asked": {"type": "boolean"},
                        "born": {"type": "string", "maxLength": 10},
                    },
                    "additionalProperties": False,
                },
                "form": {"const": "2"},
                "home": {"$ref": "#/$defs/place"},
                "tongues": {"type": "array", "items": {"type": "string"}},
                "children": {"type": "array", "items": {"$ref": "#/$defs/child"}},
            },
            "required": ["person"],
            "additionalProperties": False,
        },
    },
}

FAX = '{ canonical = "Header/Fax", why = "no field for it" }'
CODES = """
[sex]
version = "3"
valid_from = 2026-01-01
reviewed = 2026-11-24
reviewed_by = "A. Specimen"
codes = { male = "M", female = "F" }
also_read = { muški = "male" }
[yes]
version = "1"
valid_from = 2026-01-01
reviewed = 2026-11-24
reviewed_by = "A. Specimen"
codes = { true = "da", false = "ne" }
""".replace("muški", '"muški"')

XML_ROWS = [
    '{ canonical = "@schemaVersion", fixed = "1.0" }',
    '{ here = "@verzija", fixed = "2" }',
    '{ here = "@broj", canonical = "Header/MessageId" }',
    '{ here = "Spol", canonical = "Sex", codes = "sex" }',
    '{ here = "Spol/@pitano", canonical = "Asked", codes = "yes" }',
    '{ here = "Rodjen", canonical = "Born", convert = "date-dmy" }',
    '{ here = "Dom", canonical = "Home", repeat = "place" }',
    '{ here = "Jezik", canonical = "Tongue", repeat = "text" }',
    '{ here = "Djeca/Dijete", canonical = "Child", repeat = "child" }',
]
XML_SETS = """
place = [{ here = "Grad", canonical = "Town" }, { here = "Drzava", canonical = "State" }]
text = [{ here = ".", canonical = "." }]
child = [{ here = "Ime", canonical = "Name" }, { here = "Dom", canonical = "Home", repeat = "place" }]
"""
JSON_ROWS = [
    '{ canonical = "@schemaVersion", fixed = "1.0" }',
    '{ here = "form", fixed = "2" }',
    '{ here = "id", canonical = "Header/MessageId" }',
    '{ here = "person/sex", canonical = "Sex", codes = "sex" }',
    '{ here = "person/asked", canonical = "Asked", convert = "boolean" }',
    '{ here = "person/born", canonical = "Born", convert = "date-dmy" }',
    '{ here = "home", canonical = "Home", repeat = "place" }',
    '{ here = "tongues", canonical = "Tongue", repeat = "text" }',
    '{ here = "children", canonical = "Child", repeat = "child" }',
]
JSON_SETS = """
place = [{ here = "town", canonical = "Town" }, { here = "state", canonical = "State" }]
text = [{ here = ".", canonical = "." }]
child = [{ here = "name", canonical = "Name" }, { here = "home", canonical = "Home", repeat = "place" }]
"""

# In a table a child has languages too: a list inside a list.
_CHILD_ENDS = 'type="Place" minOccurs="0"/>\n    </xs:sequence></xs:complexType></xs:element>\n  </xs:sequence>'
_TONGUES = '<xs:element name="Tongue" type="xs:string" minOccurs="0" maxOccurs="9"/>'
TABLE_CANONICAL = CANONICAL.replace(_CHILD_ENDS, _CHILD_ENDS.replace("/>", f"/>{_TONGUES}", 1))
# The same note as a table: every value is a text, so that what JSON has as true and false is a code here.
TABLE_SCHEMA: dict[str, Any] = json.loads(json.dumps(JSON_SCHEMA).replace('"boolean"', '"string"'))
TABLE_SCHEMA["$defs"]["child"]["properties"]["tongues"] = {"type": "array", "items": {"type": "string"}}
TABLE_ROWS = [row.replace('convert = "boolean"', 'codes = "yes"') for row in JSON_ROWS]
COLUMNS = """
columns = [
  { name = "Vrsta", path = "kind" }, { name = "Broj", path = "id" }, { name = "Spol", path = "person/sex" },
  { name = "Pitano", path = "person/asked" }, { name = "Rodjen", path = "person/born" }, { name = "Obrazac", path = "form" },
  { name = "Grad", path = "home/town" }, { name = "Drzava", path = "home/state" },
  { name = "Jezici", path = "tongues", separator = "|" },
  { name = "Dijete {n} ime", path = "children/name", times = 3 },
  { name = "Dijete {n} grad", path = "children/home/town", times = 3 },
  { name = "Dijete {n} drzava", path = "children/home/state", times = 3 },
  { name = "Dijete {n} jezik {m}", path = "children/tongues", times = [3, 2] },
]
"""
RECORDS = """
record = "Uloga"
[[table.records]]
value = "OSOBA"
columns = [
  { name = "Vrsta", path = "kind" }, { name = "Broj", path = "id" }, { name = "Spol", path = "person/sex" },
  { name = "Pitano", path = "person/asked" }, { name = "Rodjen", path = "person/born" }, { name = "Obrazac", path = "form" },
  { name = "Grad", path = "home/town" }, { name = "Drzava", path = "home/state" },
  { name = "Jezik {n}", path = "tongues", times = 4 },
]
[[table.records]]
value = "DIJETE"
path = "children"
columns = [
  { name = "Ime", path = "name" }, { name = "Grad", path = "home/town" }, { name = "Drzava", path = "home/state" },
  { name = "Jezik {n}", path = "tongues", times = 4 },
]
"""
LINES = """
record = { name = "Kod", at = [1, 2] }
[[table.records]]
value = "01"
columns = [
  { name = "Vrsta", path = "kind", at = [3, 5] }, { name = "Broj", path = "id", at = [8, 6], pad = "0", align = "right" },
  { name = "Spol", path = "person/sex", at = [14, 1] }, { name = "Pitano", path = "person/asked", at = [15, 2] },
  { name = "Rodjen", path = "person/born", at = [17, 10] }, { name = "Obrazac", path = "form", at = [27, 1] },
  { name = "Grad", path = "home/town", at = [28, 10] }, { name = "Drzava", path = "home/state", at = [38, 2] },
  { name = "Jezik {n}", path = "tongues", times = 3, at = [40, 3], every = 3 },
]
[[table.records]]
value = "02"
path = "children"
columns = [
  { name = "Ime", path = "name", at = [3, 10] }, { name = "Mjesto", path = "home/town", at = [13, 10] },
  { name = "Zemlja", path = "home/state", at = [23, 2] }, { name = "Govori", path = "tongues", at = [25, 20], separator = "+" },
]
"""
TABLE_SETS = JSON_SETS.replace(
    'repeat = "place" }]', 'repeat = "place" }, { here = "tongues", canonical = "Tongue", repeat = "text" }]'
)
FLAT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("nr", "sex", "born", "town")},
    "required": ["nr", "sex"],
    "additionalProperties": False,
}
FLAT_ROWS = """
note = [
  { canonical = "@schemaVersion", fixed = "1.0" }, { here = "nr", canonical = "Header/MessageId" },
  { here = "sex", canonical = "Sex", codes = "sex" }, { here = "born", canonical = "Born", convert = "date-dmy" },
  { here = "town", canonical = "Home/Town" },
]
"""
FLAT_LOST = ", ".join(
    f'{{ canonical = "{path}", why = "no column for it" }}' for path in ("Header/Fax", "Asked", "Home/State", "Tongue", "Child")
)

Make = Callable[..., Translator]


def make_table(folder: Path) -> Make:
    """Return the function that compiles the small table dialect, changed as its arguments say."""

    def make(
        layout: str = COLUMNS, form: str = "csv", rows: list[str] = TABLE_ROWS, schema: dict[str, Any] = TABLE_SCHEMA
    ) -> Translator:
        head = f'version = "1"\nformat = "{form}"\nschema = "schema.json"\ncannot_carry = [{FAX}]\n'
        message = '[messages.Note]\nmatch = { path = "kind", value = "NOTE" }\nrows = "note"\n'
        return compiled(
            folder,
            "schema.json",
            json.dumps(schema),
            head + message + f"[rows]\nnote = [{', '.join(rows)}]\n{TABLE_SETS}\n[table]\n{layout}",
            TABLE_CANONICAL,
        )

    return make


def make_flat(folder: Path) -> Make:
    """Return the function that compiles the simplest table: a flat schema, one message type, and nothing said of columns."""

    def make(table: str = "", form: str = "csv", schema: dict[str, Any] = FLAT_SCHEMA) -> Translator:
        head = f'version = "1"\nformat = "{form}"\nschema = "schema.json"\ncannot_carry = [{FLAT_LOST}]\n'
        message = f'[messages.Note]\nrows = "note"\n[rows]{FLAT_ROWS}\n[table]\n{table}'
        return compiled(folder, "schema.json", json.dumps(schema), head + message)

    return make


def make_xml(folder: Path) -> Make:
    """Return the function that compiles the small XML dialect, changed as its arguments say."""

    def make(
        rows: list[str] = XML_ROWS, sets: str = XML_SETS, lost: str = FAX, schema: str = XML_SCHEMA, root: str = "Biljeska"
    ) -> Translator:
        head = f'version = "1"\nformat = "xml"\nnamespace = "urn:x"\nschema = "schema.xsd"\ncannot_carry = [{lost}]\n'
        message = f'[messages.Note]\nroot = "{root}"\nrows = "note"\n'
        return compiled(folder, "schema.xsd", schema, head + message + f"[rows]\nnote = [{', '.join(rows)}]\n{sets}")

    return make


def make_json(folder: Path) -> Make:
    """Return the function that compiles the small JSON dialect, changed as its arguments say."""

    def make(
        rows: list[str] = JSON_ROWS, sets: str = JSON_SETS, lost: str = FAX, schema: dict[str, Any] = JSON_SCHEMA
    ) -> Translator:
        head = f'version = "1"\nformat = "json"\nschema = "schema.json"\ncannot_carry = [{lost}]\n'
        message = '[messages.Note]\nmatch = { path = "kind", value = "NOTE" }\nrows = "note"\n'
        return compiled(
            folder, "schema.json", json.dumps(schema), head + message + f"[rows]\nnote = [{', '.join(rows)}]\n{sets}"
        )

    return make


def compiled(folder: Path, name: str, schema: str, mapping: str, canonical: str = CANONICAL) -> Translator:
    (folder / "canonical").mkdir(exist_ok=True)
    (folder / "canonical" / "readmission.xsd").write_text(canonical)
    dialect = folder / "own"
    dialect.mkdir(exist_ok=True)
    (dialect / name).write_text(schema)
    (dialect / "mapping.toml").write_text(mapping)
    (dialect / "codes.toml").write_text(CODES)
    return Translator.compile(load_dialect(dialect, "xa"), SimpleNamespace(folder=folder / "canonical"))


def note(inner: str, head: str = "<Header><MessageId>m1</MessageId></Header><Sex>male</Sex>") -> Any:
    return parse_xml(f'<Note xmlns="{NS}" schemaVersion="1.0">{head}{inner}</Note>'.encode())


def own(inner: str, attributes: str = 'broj="m1" verzija="2"') -> bytes:
    return f'<Biljeska xmlns="urn:x" {attributes}>{inner}</Biljeska>'.encode()


def compact(body: bytes) -> str:
    """Return a document without its declaration and line ends."""
    root = etree.fromstring(body, etree.XMLParser(remove_blank_text=True))
    return etree.tostring(root, encoding="unicode").replace(f' xmlns="{NS}"', "").replace(' xmlns="urn:x"', "")


def actions(report: Report) -> dict[str, tuple[str, str]]:
    return {field.path: (field.action, field.rule) for field in report.fields}
