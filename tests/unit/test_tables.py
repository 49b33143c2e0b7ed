"""Tables: CSV, workbooks and lines of fixed width, read and written by the layout that mapping.toml gives."""

import io
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.errors import (
    ActiveContent,
    BadValue,
    EmptyDocument,
    FieldNotCarried,
    GatewayError,
    MalformedTable,
    MappingInvalid,
    NotText,
    Refused,
    SchemaViolation,
    SeveralMessages,
    TooLarge,
    TooManyCells,
    UnknownMessageType,
    UnmappedCode,
    WrongColumns,
    WrongEncoding,
)
from gateway.stages import MAX_MESSAGE_BYTES
from gateway.wire.rows import MAX_ROWS
from tests.small_dialects import (
    COLUMNS,
    FLAT_SCHEMA,
    LINES,
    RECORDS,
    TABLE_ROWS,
    Make,
    actions,
    compact,
    make_flat,
    make_table,
    note,
)

HEAD = "<Header><MessageId>12</MessageId></Header><Sex>male</Sex>"
FULL = (
    "<Asked>true</Asked><Born>1990-03</Born><Home><Town>Foča</Town><State>BA</State></Home>"
    "<Tongue>sr</Tongue><Tongue>de</Tongue><Child><Name>Ana</Name><Home><Town>Pale</Town></Home>"
    "<Tongue>x</Tongue><Tongue>y</Tongue></Child><Child><Name>Iva</Name></Child>"
)
LAYOUTS = [("csv", COLUMNS), ("csv", RECORDS), ("xlsx", COLUMNS), ("xlsx", RECORDS), ("lines", LINES)]
FLAT = b"nr,sex,born,town\r\nm1,M,05.03.1990,Tuzla\r\n"


@pytest.fixture
def table(tmp_path: Path) -> Make:
    return make_table(tmp_path)


@pytest.fixture
def flat(tmp_path: Path) -> Make:
    return make_flat(tmp_path)


def refused(flat: Make, body: bytes, error: type[GatewayError], **changes: Any) -> GatewayError:
    with pytest.raises(error) as caught:
        flat(**changes).to_canonical(body)
    return caught.value


# --- there and back ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("form", "layout"), LAYOUTS)
def test_a_message_comes_back_from_a_table_as_it_was(table: Make, form: str, layout: str) -> None:
    translator = table(layout, form)
    document = note(FULL, HEAD)
    there = translator.from_canonical(document)
    back = translator.to_canonical(there.body)
    assert back.document is not None
    assert compact(back.body) == compact(translator.to_canonical(translator.from_canonical(back.document).body).body)
    assert "<Child><Name>Ana</Name><Home><Town>Pale</Town></Home><Tongue>x</Tongue><Tongue>y</Tongue></Child>" in compact(
        back.body
    )
    assert actions(there.report)["/Note/Sex"] == ("coded", "codes:sex")
    assert translator.split(there.body) == [there.body]  # the same rows, the same bytes


def test_a_flat_schema_needs_no_layout(flat: Make) -> None:
    done = flat().to_canonical(FLAT)
    assert compact(done.body) == (
        '<Note schemaVersion="1.0"><Header><MessageId>m1</MessageId></Header><Sex>male</Sex>'
        "<Born>1990-03-05</Born><Home><Town>Tuzla</Town></Home></Note>"
    )
    assert done.document is not None
    assert flat().from_canonical(done.document).body == FLAT


def test_columns_are_read_in_any_order_and_written_in_that_of_the_layout(flat: Make) -> None:
    there = flat().to_canonical(b"town,nr,born,sex\nTuzla,m1,05.03.1990,M\n\n\n")
    assert there.document is not None
    assert flat().from_canonical(there.document).body == FLAT


def test_numbered_columns_stand_together_by_number(table: Make) -> None:
    header = table().from_canonical(note("", HEAD)).body.decode().splitlines()[0].split(",")
    first, second = header.index("Dijete 1 ime"), header.index("Dijete 2 ime")
    assert header[first:second] == ["Dijete 1 ime", "Dijete 1 grad", "Dijete 1 drzava", "Dijete 1 jezik 1", "Dijete 1 jezik 2"]


def test_a_gap_between_numbered_columns_is_closed(table: Make) -> None:
    translator = table()
    header = translator.from_canonical(note("", HEAD)).body.decode().splitlines()[0]
    cells = {"Vrsta": "NOTE", "Spol": "M", "Obrazac": "2", "Dijete 3 ime": "Iva"}
    row = ",".join(cells.get(name, "") for name in header.split(","))
    assert "<Child><Name>Iva</Name></Child>" in compact(translator.to_canonical(f"{header}\n{row}\n".encode()).body)


def test_without_a_header_the_columns_stand_in_their_order(flat: Make) -> None:
    columns = ", ".join(f'{{ name = "{name}", path = "{name}" }}' for name in ("nr", "sex", "born", "town"))
    translator = flat(f"header = false\ndelimiter = ';'\ncolumns = [{columns}]")
    done = translator.to_canonical(b"m1;M;;Tuzla\n")
    assert done.document is not None
    assert translator.from_canonical(done.document).body == b"m1;M;;Tuzla\r\n"


@pytest.mark.parametrize(
    ("encoding", "mark"), [("utf-8", b""), ("utf-8-sig", b"\xef\xbb\xbf"), ("windows-1250", b""), ("iso-8859-2", b"")]
)
def test_the_encoding_is_that_of_the_layout(flat: Make, encoding: str, mark: bytes) -> None:
    translator = flat(f'encoding = "{encoding}"')
    body = translator.from_canonical(note("<Home><Town>Šabac Čačak</Town></Home>")).body
    assert body.startswith(mark + b"nr,")
    assert "Šabac Čačak" in translator.to_canonical(body).body.decode()


def test_a_byte_order_mark_is_read_where_none_is_written(flat: Make) -> None:
    assert b"Tuzla" in flat().to_canonical(b"\xef\xbb\xbf" + FLAT).body


def test_a_character_that_the_encoding_lacks_is_refused_and_its_column_named(flat: Make) -> None:
    with pytest.raises(BadValue, match="column 'town'") as caught:
        flat('encoding = "windows-1250"').from_canonical(note("<Home><Town>Краљево</Town></Home>"))
    assert "Краљево" not in caught.value.message


def test_without_match_a_table_is_of_the_only_type_there_is(flat: Make) -> None:
    assert flat().to_canonical(FLAT).type == "Note"


def test_match_tells_the_type_by_a_column(table: Make) -> None:
    body = table().from_canonical(note("", HEAD)).body
    with pytest.raises(UnknownMessageType):
        table().to_canonical(body.replace(b"NOTE", b"OTHER"))


# --- what is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "error", "told", "line"),
    [
        (b"", EmptyDocument, "empty", 1),
        (b"nr,sex,born,town\n", EmptyDocument, "no row", 1),
        (b"nr,sex,born\nm1,M,\n", WrongColumns, "'town' is missing", 1),
        (b"nr,sex,born,town,sex\nm1,M,,,\n", WrongColumns, "'sex' stands twice", 1),
        (b"nr,sex,born,town,fax\nm1,M,,,\n", WrongColumns, "column number 5 is not known", 1),
        (b"nr,sex\nm1,M\n", WrongColumns, "the columns 'born', 'town' are missing", 1),
        (b"nr,sex,born,town\nm1,M,\n", MalformedTable, "fewer cells", 2),
        (b"nr,sex,born,town\nm1,M,,,more\n", WrongColumns, "more cells", 2),
        (b'nr,sex,born,town\nm1,M,,"Tuz\n', MalformedTable, "quotation mark", 2),
        (b'nr,sex,born,town\nm1,M,,"Tuz"la\n', MalformedTable, "quotation mark", 2),
        (b"nr,sex,born,town\nm1,M,,Tuz\x00la\n", NotText, "zero bytes", 2),
        (b"nr,sex,born,town\nm1,M,,Tuz\xffla\n", WrongEncoding, "utf-8", 2),
        (b"nr,sex,born,town\n" + b"m1,M,," + b"," * 600 + b"x\n", WrongColumns, "more cells", 2),
        (b",".join(b"c%d" % number for number in range(600)) + b"\n", TooManyCells, "500 columns", 1),
        (b"a" * (MAX_MESSAGE_BYTES + 1), TooLarge, "larger", None),
        (b"nr,sex,born,town\n" + b"m1,M,,\n" * (MAX_ROWS + 1), TooManyCells, "rows", MAX_ROWS + 2),
        (b"nr,sex,born,town\n\n\nm1,Q,,\n", UnmappedCode, "(column 'sex')", 4),
        (b"nr,sex,born,town\nm1,M,1990-03-05,\n", BadValue, "(column 'born')", 2),
        (b"nr,sex,born,town\n,M,,Tuzla\n", SchemaViolation, "missing: nr", 2),
    ],
)
def test_a_refusal_names_line_and_column_and_no_value(
    flat: Make, body: bytes, error: type[GatewayError], told: str, line: int | None
) -> None:
    caught = refused(flat, body, error)
    assert told in caught.message
    assert caught.line == line
    assert "1990-03-05" not in caught.message


def test_a_row_of_a_person_in_the_place_of_the_heading_is_not_repeated(flat: Make) -> None:
    caught = refused(flat, b"NAMUNA,SPECIMEN,NAMUNA,05.03.1990\nNAMUNA,SPECIMEN,NAMUNA,05.03.1990\n", WrongColumns)
    assert caught.message == "columns number 1, 2, 3, 4 are not known here"


def test_a_refusal_of_a_heading_names_a_few_columns_and_counts_the_rest(flat: Make) -> None:
    caught = refused(flat, b",".join(b"SPECIMEN%d" % number for number in range(300)) + b"\n", WrongColumns)
    assert caught.message.endswith(" and 288 more are not known here")


def test_several_messages_in_one_table_are_refused_and_can_be_told_apart(flat: Make) -> None:
    body = FLAT + b"m2,F,,\r\n"
    assert "2 messages" in refused(flat, body, SeveralMessages).message
    first, second = flat().split(body)
    assert (first, second) == (FLAT, b"nr,sex,born,town\r\nm2,F,,\r\n")
    assert flat().message_of(body, 2) == second
    with pytest.raises(SeveralMessages):
        flat().message_of(body, 3)


def test_a_message_of_several_rows_ends_where_the_next_begins(table: Make) -> None:
    translator = table(RECORDS)
    body = translator.from_canonical(note(FULL, HEAD)).body
    header, _, rows = body.partition(b"\r\n")
    assert translator.split(body + rows) == [body, body]
    lone = header + b"\r\n" + rows.partition(b"\r\n")[2]
    with pytest.raises(WrongColumns, match="the first row must be of the kind 'OSOBA'"):
        translator.to_canonical(lone)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (b"DIJETE,,", b"DIJETE,NOTE,", "rows of this kind have no column 'Vrsta'"),
        (b"DIJETE,", b"BRAT,", "holds no kind of row (OSOBA, DIJETE)"),
    ],
)
def test_a_row_of_another_kind_is_refused(table: Make, old: bytes, new: bytes, told: str) -> None:
    body = table(RECORDS).from_canonical(note(FULL, HEAD)).body
    assert old in body
    with pytest.raises(WrongColumns) as caught:
        table(RECORDS).to_canonical(body.replace(old, new, 1))
    assert (told in caught.value.message, caught.value.line) == (True, 3)


def test_an_error_in_a_repeated_row_names_the_row(table: Make) -> None:
    translator = table(RECORDS, rows=TABLE_ROWS)
    body = translator.from_canonical(note(FULL, HEAD)).body.replace(b"Iva", b"")
    with pytest.raises(SchemaViolation) as caught:
        translator.to_canonical(body.replace(b"DIJETE,,,,,,,,,,,,,", b"DIJETE,,,,,,,Grad,,,,,,"))
    assert (caught.value.path, caught.value.line) == ("/children/1", 4)


def test_more_than_the_columns_hold_is_refused_and_not_cut(table: Make) -> None:
    children = "".join(f"<Child><Name>{name}</Name></Child>" for name in "ABCD")
    with pytest.raises(FieldNotCarried, match="Dijete") as caught:
        table().from_canonical(note(children, HEAD))
    assert caught.value.path == "/children/name"


def test_a_list_in_one_cell_refuses_its_own_separator(table: Make) -> None:
    with pytest.raises(BadValue, match="separates"):
        table().from_canonical(note("<Tongue>a|b</Tongue>", HEAD))
    body = table().from_canonical(note("<Tongue>a</Tongue><Tongue>b</Tongue>", HEAD)).body
    with pytest.raises(BadValue, match="empty item"):
        table().to_canonical(body.replace(b"a|b", b"a||b"))


# --- formulas ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("town", "written"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("+cmd|x", "'+cmd|x"),
        ("-2+3+cmd", "'-2+3+cmd"),
        ("'=x", "''=x"),
        ("\uff1dx", "'\uff1dx"),
        ("+387 33 000-001", "+387 33 000-001"),
        ("-5", "-5"),
        ("'s-Hertogenbosch", "'s-Hertogenbosch"),
    ],
)
def test_a_formula_is_written_as_text_and_comes_back_the_same(flat: Make, town: str, written: str) -> None:
    body = flat().from_canonical(note(f"<Home><Town>{town}</Town></Home>")).body
    assert body.decode().splitlines()[1] == f"m1,M,,{written}"
    assert f"<Town>{town}</Town>" in flat().to_canonical(body).body.decode()


def test_the_guard_can_be_left_out_where_no_spreadsheet_program_reads(flat: Make) -> None:
    body = flat("formula_guard = false").from_canonical(note("<Home><Town>=1+1</Town></Home>")).body
    assert b",=1+1\r\n" in body


# --- lines ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inner", "head", "told"),
    [
        ("<Home><Town>Bosanska Krupa</Town></Home>", HEAD, "'Grad' has room for 10 characters"),
        ("<Home><Town>a\nb</Town></Home>", HEAD, "'Grad' would hold a line end"),
        ("<Home><Town>Tuzla </Town></Home>", HEAD, "'Grad' would hold a value that cannot be told"),
        ("", HEAD.replace("12", "012"), "'Broj' would hold a value that cannot be told"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_and_never_cut(table: Make, inner: str, head: str, told: str) -> None:
    with pytest.raises(BadValue) as caught:
        table(LINES, "lines").from_canonical(note(inner, head))
    assert told in caught.value.message


def test_a_number_that_is_all_filling_is_read_as_one(table: Make) -> None:
    translator = table(LINES, "lines")
    body = translator.from_canonical(note("", HEAD.replace("12", "0"))).body
    assert b"000000" in body
    assert b"<MessageId>0</MessageId>" in translator.to_canonical(body).body


@pytest.mark.parametrize(
    ("change", "error", "told"),
    [
        (lambda body: body.replace(b"01NOTE", b"09NOTE"), WrongColumns, "holds no kind of row (01, 02)"),
        (lambda body: body[:-6] + b"more\r\n", WrongColumns, "something stands"),
        (lambda body: body.rstrip(b"\r\n") + b"  more\r\n", MalformedTable, "longer than"),
        (lambda body: body[:-20], MalformedTable, "cut off"),
        (lambda body: body.replace(b"NOTE ", b"NO\rTE"), MalformedTable, "carriage return"),
    ],
)
def test_a_line_that_is_not_as_laid_out_is_refused(table: Make, change: Any, error: type[GatewayError], told: str) -> None:
    translator = table(LINES, "lines")
    body = translator.from_canonical(note("<Child><Name>Ana</Name></Child>", HEAD)).body
    with pytest.raises(error) as caught:
        translator.to_canonical(change(body))
    assert told in caught.value.message


def test_lines_that_lost_the_blanks_at_their_end_are_read(table: Make) -> None:
    translator = table(LINES, "lines")
    body = translator.from_canonical(note(FULL, HEAD)).body
    bare = b"\n".join(line.rstrip() for line in body.splitlines()) + b"\n"
    assert translator.to_canonical(bare).body == translator.to_canonical(body).body


# --- layouts that cannot be ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "old", "new", "told"),
    [
        ("csv", 'path = "person/sex"', 'path = "person/gender"', "column 'Spol': the schema has no 'person/gender'"),
        ("csv", 'path = "person/sex"', 'path = "person"', "column 'Spol': 'person' is a group"),
        ("csv", '{ name = "Spol", path = "person/sex" },', "", "no column holds 'person/sex'"),
        ("csv", 'path = "person/sex"', 'path = "person/born"', "the path 'person/born' has a column already"),
        ("csv", 'name = "Spol"', 'name = "Broj"', "column 'Broj': has the name of another column"),
        ("csv", ", times = 3 }", " }", "'times' and {n} in the name go together"),
        ("csv", ', separator = "|"', "", "column 'Jezici': may come several times"),
        ("csv", 'path = "home/town" }', 'path = "home/town", separator = "|" }', "its value can come only once"),
        ("csv", '"Grad"', '"Grad {n}", times = 2', "more numbers in its name"),
        ("csv", "columns = [", 'encoding = "utf-7"\ncolumns = [', "'encoding' is 'utf-7'"),
        ("csv", "columns = [", 'encoding = "windows-1250"\ncolumns = [', "cannot be written"),
        ("csv", "columns = [", "delimiter = '\"'\ncolumns = [", "'delimiter' is a quotation mark"),
        ("csv", "columns = [", "sheet = 'A'\ncolumns = [", "'sheet' is not known"),
        ("csv", "columns = [", "colums = []\ncolumns = [", "'colums' is not known"),
        ("lines", "at = [3, 5]", "at = [3, 6]", "'Vrsta' and 'Broj' overlap"),
        ("lines", ", at = [3, 5]", "", "'at' is not [start, length]"),
        ("lines", "every = 3", "every = 2", "'every' is not a number"),
        ("lines", 'value = "02"', 'value = "002"', "does not fit into 'Kod'"),
        ("lines", 'path = "children"\n', "", "stands in two records"),
    ],
)
def test_a_layout_that_cannot_be_is_named_with_file_and_column(table: Make, form: str, old: str, new: str, told: str) -> None:
    layout = LINES if form == "lines" else COLUMNS.replace("Drzava", "Држава") if "1250" in new else COLUMNS
    assert old in layout
    with pytest.raises(MappingInvalid) as caught:
        table(layout.replace(old, new, 1), form)
    assert caught.value.message.startswith("xa/dialects/own/mapping.toml")
    assert told in caught.value.message


def test_a_schema_that_is_not_flat_needs_columns(table: Make) -> None:
    with pytest.raises(MappingInvalid, match="needs 'columns'"):
        table("")


def test_a_converter_that_gives_no_text_is_refused(table: Make) -> None:
    with pytest.raises(MappingInvalid, match="'boolean' gives no text"):
        table(rows=[row.replace('codes = "yes"', 'convert = "boolean"') for row in TABLE_ROWS])


NESTED = """
record = "Uloga"
[[table.records]]
value = "OSOBA"
columns = [
  { name = "Vrsta", path = "kind" }, { name = "Broj", path = "id" }, { name = "Spol", path = "person/sex" },
  { name = "Pitano", path = "person/asked" }, { name = "Rodjen", path = "person/born" }, { name = "Obrazac", path = "form" },
  { name = "Jezici", path = "tongues", separator = "+" },
]
[[table.records]]
value = "DIJETE"
path = "children"
columns = [{ name = "Ime", path = "name" }, { name = "Jezici", path = "tongues", separator = "+" }]
[[table.records]]
value = "DOM"
path = "home"
columns = [{ name = "Grad", path = "town" }, { name = "Drzava", path = "state" }]
[[table.records]]
value = "DOM DJETETA"
path = "children/home"
columns = [{ name = "Grad", path = "town" }, { name = "Drzava", path = "state" }]
"""


def test_rows_below_a_row_belong_to_the_last_one(table: Make) -> None:
    translator = table(NESTED)
    homes = FULL.replace("<Name>Iva</Name>", "<Name>Iva</Name><Home><Town>Bileća</Town></Home>")
    body = translator.from_canonical(note(homes, HEAD)).body
    rows = [line.split(",")[0] for line in body.decode().splitlines()]
    assert rows == ["Uloga", "OSOBA", "DIJETE", "DOM DJETETA", "DIJETE", "DOM DJETETA", "DOM"]
    assert compact(translator.to_canonical(body).body) == compact(
        table(COLUMNS).to_canonical(table(COLUMNS).from_canonical(note(homes, HEAD)).body).body
    )


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (("OSOBA", "DOM DJETETA"), "belongs below a row of the kind 'DIJETE'"),
        (("OSOBA", "DOM", "DOM"), "only one row of this kind"),
        (("OSOBA", "DIJETE", "DOM DJETETA", "DOM DJETETA"), "only one row of this kind"),
    ],
)
def test_a_row_without_its_place_is_refused(table: Make, rows: tuple[str, ...], told: str) -> None:
    cells = {
        "OSOBA": "NOTE,12,M,,,2,,,,",
        "DIJETE": ",,,,,,,Ana,,",
        "DOM": ",,,,,,,,Pale,",
        "DOM DJETETA": ",,,,,,,,Pale,",
    }
    header = "Uloga,Vrsta,Broj,Spol,Pitano,Rodjen,Obrazac,Jezici,Ime,Grad,Drzava"
    body = "\n".join([header, *(f"{row},{cells[row]}" for row in rows)])
    with pytest.raises(WrongColumns) as caught:
        table(NESTED).to_canonical(body.encode())
    assert (told in caught.value.message, caught.value.line) == (True, len(rows) + 1)


# --- workbooks -----------------------------------------------------------------------------------------------------


def workbook(rows: list[list[Any]], *, title: str = "Sheet1", change: Any = None) -> bytes:
    """Return a workbook as another program writes it."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    for row in rows:
        sheet.append(row)
    if change is not None:
        change(book, sheet)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


HEADER = ["nr", "sex", "born", "town"]


def changed(body: bytes, part: str, old: bytes, new: bytes) -> bytes:
    """Return a workbook with one part changed, or added."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(body)) as before, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as after:
        for name in before.namelist():
            data = before.read(name)
            assert name != part or old in data
            after.writestr(name, data.replace(old, new, 1) if name == part else data)
        if part not in before.namelist():
            after.writestr(part, new)
    return out.getvalue()


def test_a_workbook_of_another_program_is_read(flat: Make) -> None:
    body = workbook([HEADER, ["007", "M", "05.03.1990", "Tuzla"], [None, None, None, None]])
    done = flat(form="xlsx").to_canonical(body)
    assert b"<MessageId>007</MessageId>" in done.body
    assert b"<Born>1990-03-05</Born>" in done.body


def test_another_program_reads_what_is_written_as_text(flat: Make) -> None:
    document = note("<Home><Town>=1+1</Town></Home>", HEAD.replace("12", "007"))
    body = flat(form="xlsx").from_canonical(document).body
    sheet = openpyxl.load_workbook(io.BytesIO(body)).active
    assert sheet is not None
    cells = {cell.value: cell.data_type for row in sheet.iter_rows() for cell in row if cell.value is not None}
    assert cells == dict.fromkeys((*HEADER, "007", "M", "=1+1"), "s")
    assert flat(form="xlsx").from_canonical(document).body == body


def test_a_date_cell_is_read_as_iso_text(table: Make, tmp_path: Path) -> None:
    import datetime as dt

    schema = FLAT_SCHEMA
    translator = make_flat(tmp_path)(form="xlsx", schema=schema)
    rows: list[list[Any]] = [HEADER, [1234, "M", None, dt.date(1990, 3, 5)], ["x", "M", None, dt.datetime(1990, 3, 5, 8, 30)]]  # noqa: DTZ001
    first, second = translator.split(workbook(rows))
    assert b"<MessageId>1234</MessageId>" in translator.to_canonical(first).body
    assert b"<Town>1990-03-05</Town>" in translator.to_canonical(first).body
    assert b"<Town>1990-03-05T08:30:00</Town>" in translator.to_canonical(second).body


def links(book: Any, _sheet: Any) -> None:
    from openpyxl.packaging.relationship import Relationship
    from openpyxl.workbook.external_link.external import ExternalLink

    link = ExternalLink()
    link.file_link = Relationship(type="externalLinkPath", Target="http://example.invalid/a.xlsx", TargetMode="External")
    book._external_links.append(link)


SHEET = "xl/worksheets/sheet1.xml"
GOOD = [HEADER, ["m1", "M", None, "Tuzla"]]


@pytest.mark.parametrize(
    ("body", "error", "told"),
    [
        (workbook([HEADER, ["m1", "M", None, "=1+1"]]), ActiveContent, "formula"),
        (workbook(GOOD, change=links), ActiveContent, "links to other files"),
        (changed(workbook(GOOD), "xl/vbaProject.bin", b"", b"x"), ActiveContent, "macros"),
        (workbook([HEADER, ["m1", "M", None, 12345678901234567890]]), BadValue, "more than 15 digits"),
        (workbook(GOOD, change=lambda book, _: book.create_sheet("Other")), MalformedTable, "exactly one sheet"),
        (changed(workbook(GOOD), SHEET, b"<sheetData>", b"<!DOCTYPE a><sheetData>"), Refused, "in a part of the workbook"),
        (changed(workbook(GOOD), SHEET, b'r="B2"', b'r="A2"'), MalformedTable, "twice, or out of order"),
        (changed(workbook(GOOD), SHEET, b'r="B2"', b'r="22"'), MalformedTable, "no place"),
        (
            changed(workbook(GOOD), SHEET, b't="inlineStr"><is><t>m1</t></is>', b't="s"><v>500</v>'),
            MalformedTable,
            "does not have",
        ),
        (changed(workbook(GOOD), "xl/more.bin", b"", b"0" * 10_000_000), TooManyCells, "unpacks to too"),
        (changed(workbook(GOOD), "xl/more.bin", b"", b"0" * 1_000_000), TooManyCells, "unpacks to far more"),
        (b"PK\x03\x04 and no more", MalformedTable, "no workbook"),
        (FLAT, MalformedTable, "no workbook"),
        (workbook([[f"c{number}" for number in range(600)]]), TooManyCells, "columns"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_workbook_that_is_more_or_less_than_cells_is_refused(
    flat: Make, body: bytes, error: type[GatewayError], told: str
) -> None:
    assert told in refused(flat, body, error, form="xlsx").message


def test_the_sheet_that_the_layout_names_is_read_among_others(flat: Make) -> None:
    body = workbook(GOOD, title="Podaci", change=lambda book, _: book.create_sheet("Other"))
    translator = flat("sheet = 'Podaci'", form="xlsx")
    assert b"Tuzla" in translator.to_canonical(body).body
    with pytest.raises(MalformedTable, match="no sheet 'Ostalo'"):
        flat("sheet = 'Ostalo'", form="xlsx").to_canonical(body)


# --- any text, any bytes -------------------------------------------------------------------------------------------

TEXTS = st.text(
    st.characters(codec="utf-8", exclude_characters="\r", exclude_categories=["Cs", "Cc"])
    | st.sampled_from("\t\n,;\"'=+-@ _x0041_"),
    min_size=1,
    max_size=30,
)


@pytest.mark.parametrize("form", ["csv", "xlsx", "lines"])
def test_any_text_comes_back_or_is_refused(tmp_path: Path, form: str) -> None:
    at = ", at = [%d, 60]" if form == "lines" else ""
    columns = ", ".join(
        f'{{ name = "{name}", path = "{name}"{at % (1 + 60 * place) if at else ""} }}' for place, name in enumerate(HEADER)
    )
    translator = make_flat(tmp_path)(f"columns = [{columns}]", form=form)
    table: Any = translator.documents

    @settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(TEXTS, min_size=1, max_size=4))
    def comes_back(texts: list[str]) -> None:
        tree = dict(zip(HEADER, texts, strict=False))
        try:
            body = table.table.write(table.sheet.rows(tree))
        except BadValue:
            assert form == "lines", "everything can be written where lines have no width"
            return
        assert table.sheet.tree(table.table.read(body))[0] == tree

    comes_back()


@pytest.mark.parametrize(("form", "layout"), LAYOUTS)
def test_any_bytes_give_an_error_of_our_own(table: Make, form: str, layout: str) -> None:
    translator = table(layout, form)
    good = translator.from_canonical(note(FULL, HEAD)).body

    @settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
    @given(st.data())
    def is_read_or_refused(data: st.DataObject) -> None:
        start = data.draw(st.integers(0, len(good)))
        length = data.draw(st.integers(0, 40))
        body = good[:start] + data.draw(st.binary(max_size=20)) + good[start + length :]
        for hostile in (body, data.draw(st.binary(max_size=300))):
            try:
                translator.to_canonical(hostile)
            except Refused as error:
                assert error.message  # noqa: PT017 - most are refused, some changes still make a message

    is_read_or_refused()
