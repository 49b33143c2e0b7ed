"""Tables as XLSX workbooks (ISO/IEC 29500, transitional): one sheet, text cells.

Read with the same hardened parser as every other document, part by part: only the parts that hold cells, never more of them
than a document may be large. Written by hand, so that the same rows give the same bytes.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from html import escape
from typing import Final

from gateway.errors import ActiveContent, BadValue, MalformedTable, Refused, TooManyCells
from gateway.partners.layouts import MAX_COLUMNS, Layout
from gateway.stages import MAX_MESSAGE_BYTES, Tree
from gateway.wire.cell_values import DateStyles, number_text
from gateway.wire.documents import WHOLE, parse_xml
from gateway.wire.rows import MAX_ROWS, Row, check_size, gathered

_MAIN: Final = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_REL: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_PACKAGE: Final = "{http://schemas.openxmlformats.org/package/2006/relationships}"
MAX_PARTS: Final = 100
MAX_UNPACKED: Final = 8 * MAX_MESSAGE_BYTES  # of all parts together
_SUSPECT_RATIO: Final = 200  # a sheet of text packs to about a fifteenth
_SMALL: Final = 65_536  # bytes; below it a ratio says nothing
_ACTIVE: Final = (
    "vbaproject",
    "/externallinks/",
    "/embeddings/",
    "/activex/",
    "/ctrlprops/",
    "macrosheets/",
    "/connections.xml",
)
_REFERENCE: Final = re.compile(r"([A-Z]{1,3})[1-9][0-9]{0,6}")
_ESCAPED: Final = re.compile("_x([0-9A-Fa-f]{4})_")
_TO_ESCAPE: Final = re.compile("_(?=x[0-9A-Fa-f]{4}_)|[\x00-\x08\x0b-\x1f\ufffe\uffff]")
_NO_XML: Final = re.compile("[\ud800-\udfff]")
_FIRST_MOMENT: Final = (1980, 1, 1, 0, 0, 0)  # of a ZIP


def _malformed(why: str, line: int | None = None) -> MalformedTable:
    return MalformedTable(why, path=WHOLE, line=line)


@dataclass(frozen=True, slots=True)
class Workbook:
    """Rows as a workbook."""

    layout: Layout
    names: Mapping[str, object]  # of the columns, in the order in which they are written

    def read(self, body: bytes) -> list[Row]:
        """Return the rows of the sheet."""
        check_size(body)
        return gathered(cells(body, self.layout.sheet), self.names, header=self.layout.header, ragged=True)

    def write(self, rows: Sequence[Row]) -> bytes:
        """Return the workbook; every cell is text, so that no program turns it into a number, a date or a formula."""
        names = list(self.names)
        lines = [names] if self.layout.header else []
        lines += [[row.cells.get(name, "") for name in names] for row in rows]
        return _packed(_sheet(lines), self.layout.sheet or "Sheet1")


# --- reading -------------------------------------------------------------------------------------------------------


def cells(body: bytes, wanted: str) -> Iterator[tuple[int, list[str]]]:
    """Yield number and cells of each row. Raises `Refused` for anything but a plain workbook."""
    with _opened(body) as parts:
        sheet, dates, texts = parts.opened(wanted)
    for number, row in enumerate(sheet.iterfind(f"{_MAIN}sheetData/{_MAIN}row"), 1):
        said = row.get("r", "")
        line = int(said) if said.isascii() and said.isdigit() and len(said) <= 7 else number  # noqa: PLR2004 - 1,048,576 rows
        if number > MAX_ROWS + 1:
            raise TooManyCells(f"the table has more than {MAX_ROWS} rows", path=WHOLE, line=line)
        yield line, _row(row, line, dates, texts)


def parse_parts(body: bytes) -> None:
    """Parse every part of a workbook, for the process that reads foreign bytes first. Raises `Refused` for what is none."""
    with _opened(body) as parts:
        parts.check()
        for name in parts.package.namelist():
            with suppress(Refused):  # it may be a part that is never read; here it is only made to happen
                parts.tree(name)


@contextmanager
def _opened(body: bytes) -> "Iterator[_Parts]":
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as package:
            yield _Parts(package)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, ValueError, OSError, RuntimeError) as error:
        raise _malformed("the document is no workbook (XLSX), or is damaged") from error


@dataclass(frozen=True, slots=True)
class _Parts:
    """The parts of a package that are read, and none beside them."""

    package: zipfile.ZipFile

    def opened(self, wanted: str) -> tuple[Tree, DateStyles, list[str]]:
        """Return the sheet, the styles that show dates, and the shared texts."""
        self.check()
        book = self.tree("xl/workbook.xml")
        targets = {
            each.get("Id"): (each.get("Type", ""), each.get("Target", ""), each.get("TargetMode", ""))
            for each in self.tree("xl/_rels/workbook.xml.rels").iterfind(f"{_PACKAGE}Relationship")
        }
        if any(mode == "External" for _, _, mode in targets.values()):
            raise ActiveContent("the workbook has links to other files", path=WHOLE)
        sheet = self.tree(_target(targets, _named_sheet(book, wanted).get(_REL)))
        properties = book.find(f"{_MAIN}workbookPr")
        since_1904 = properties is not None and properties.get("date1904") in {"1", "true"}
        shared = next((target for kind, target, _ in targets.values() if kind.endswith("/sharedStrings")), "")
        styles = next((target for kind, target, _ in targets.values() if kind.endswith("/styles")), "")
        texts = [_text(item) for item in self.tree(_inside(shared)).iterfind(f"{_MAIN}si")] if shared else []
        return sheet, DateStyles.of(self.tree(_inside(styles)) if styles else None, since_1904=since_1904), texts

    def check(self) -> None:
        """Refuse what is no plain workbook by its list of parts, before anything is unpacked."""
        infos = self.package.infolist()
        if len(infos) > MAX_PARTS or sum(info.file_size for info in infos) > MAX_UNPACKED:
            raise TooManyCells("the workbook has too many parts, or unpacks to too much", path=WHOLE)
        if len({info.filename for info in infos}) != len(infos):
            raise _malformed("the workbook has a part twice")
        for info in infos:
            if any(word in f"/{info.filename}".lower() for word in _ACTIVE):
                raise ActiveContent("the workbook has macros, embedded files or links to other files", path=WHOLE)
            if info.flag_bits & 1 or info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
                raise _malformed("the workbook is encrypted, or packed in an unusual way")
            if info.file_size > max(_SMALL, _SUSPECT_RATIO * info.compress_size):
                raise TooManyCells("a part of the workbook unpacks to far more than it is", path=WHOLE)

    def tree(self, name: str) -> Tree:
        """Return a part as a tree; what its head says of its size is not believed."""
        try:
            with self.package.open(name) as part:
                data = part.read(MAX_MESSAGE_BYTES + 1)
        except KeyError:
            raise _malformed("the document is no workbook (XLSX): a part is missing") from None
        try:
            return parse_xml(data.removeprefix(b"\xef\xbb\xbf"))
        except Refused as error:
            raise type(error)(f"in a part of the workbook: {error.message}", path=WHOLE) from None


def _named_sheet(book: Tree, wanted: str) -> Tree:
    sheets = book.findall(f"{_MAIN}sheets/{_MAIN}sheet")
    found = [sheet for sheet in sheets if not wanted or sheet.get("name") == wanted]
    if len(found) != 1:
        raise _malformed(f"the workbook has no sheet {wanted!r}" if wanted else "the workbook must have exactly one sheet")
    return found[0]


def _target(targets: Mapping[str | None, tuple[str, str, str]], identifier: str | None) -> str:
    kind, target, _ = targets.get(identifier, ("", "", ""))
    if not kind.endswith("/worksheet"):
        raise _malformed("the sheet of the workbook is missing")
    return _inside(target)


def _inside(target: str) -> str:
    """Return the name of a part that the workbook names, relative to itself or to the package."""
    return target[1:] if target.startswith("/") else f"xl/{target}"


def _row(row: Tree, line: int, dates: DateStyles, texts: Sequence[str]) -> list[str]:
    cells: list[str] = []
    for cell in row.iterfind(f"{_MAIN}c"):
        place = _column(cell.get("r"), len(cells), line)
        if place < len(cells):
            raise _malformed("a cell stands twice, or out of order", line)
        text = _value(cell, line, dates, texts)
        if not text:
            continue
        if place >= MAX_COLUMNS:
            raise TooManyCells(f"the table has more than {MAX_COLUMNS} columns", path=WHOLE, line=line)
        cells += [""] * (place - len(cells))
        cells.append(text)
    return cells


def _column(reference: str | None, following: int, line: int) -> int:
    """Return the column of a cell, from 0; one without reference follows the last."""
    if reference is None:
        return following
    found = _REFERENCE.fullmatch(reference)
    if found is None:
        raise _malformed("a cell has no place in the sheet", line)
    column = 0
    for letter in found[1]:
        column = 26 * column + ord(letter) - ord("A") + 1
    return column - 1


def _value(cell: Tree, line: int, dates: DateStyles, texts: Sequence[str]) -> str:
    """Return what a cell shows, as text."""
    if cell.find(f"{_MAIN}f") is not None:
        raise ActiveContent("a cell holds a formula; a message holds values only", path=WHOLE, line=line)
    kind = cell.get("t", "n")
    if kind == "inlineStr":
        inline = cell.find(f"{_MAIN}is")
        return "" if inline is None else _text(inline)
    value = cell.findtext(f"{_MAIN}v") or ""
    if kind == "s":
        if not (value.isascii() and value.isdigit() and len(value) <= 7 and int(value) < len(texts)):  # noqa: PLR2004 - see MAX_MESSAGE_BYTES
            raise _malformed("a cell names a text that the workbook does not have", line)
        return texts[int(value)]
    if kind in {"str", "d"}:
        return _unescaped(value)
    if kind == "b":
        return {"1": "TRUE", "0": "FALSE"}.get(value, "")
    if kind != "n":
        raise BadValue("a cell holds an error, or a value of a kind that is not known", path=WHOLE, line=line)
    style = cell.get("s", "0")
    return number_text(value, line, dates, style) if value else ""


def _text(item: Tree) -> str:
    """Return the text of a plain or a formatted string, without hints on how to pronounce it."""
    runs = [item, *item.iterfind(f"{_MAIN}r")]
    return _unescaped("".join(part.text or "" for run in runs for part in run.iterfind(f"{_MAIN}t")))


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


# --- writing -------------------------------------------------------------------------------------------------------

_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_CONTENT_TYPES = (
    f'{_HEAD}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/></Types>'
)
_ROOT = (
    f'{_HEAD}<Relationships xmlns="{_RELATIONS}">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
)
_BOOK = (
    f'{_HEAD}<workbook xmlns="{_SPREADSHEET}" xmlns:r="{_OFFICE}">'
    '<sheets><sheet name="%s" sheetId="1" r:id="rId1"/></sheets></workbook>'
)
_BOOK_RELATIONS = (
    f'{_HEAD}<Relationships xmlns="{_RELATIONS}">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>'
)
_TEXT_FORMAT = 49  # "@": what is typed into such a cell stays text
_STYLES = (
    f'{_HEAD}<styleSheet xmlns="{_SPREADSHEET}"><fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="2"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    f'<xf numFmtId="{_TEXT_FORMAT}" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)


def _sheet(lines: Sequence[Sequence[str]]) -> str:
    letters = [_letters(number) for number in range(max(map(len, lines), default=0))]
    rows: list[str] = []
    for number, line in enumerate(lines, 1):
        cells = "".join(
            f'<c r="{letter}{number}" s="1" t="inlineStr"><is><t xml:space="preserve">{_escaped(text)}</t></is></c>'
            for letter, text in zip(letters, line, strict=True)
            if text
        )
        rows.append(f'<row r="{number}">{cells}</row>')
    columns = f'<cols><col min="1" max="{len(letters)}" width="18" style="1" customWidth="1"/></cols>'
    return f'{_HEAD}<worksheet xmlns="{_SPREADSHEET}">{columns}<sheetData>{"".join(rows)}</sheetData></worksheet>'


def _letters(column: int) -> str:
    found = ""
    column += 1
    while column:
        column, letter = divmod(column - 1, 26)
        found = chr(ord("A") + letter) + found
    return found


def _escaped(text: str) -> str:
    if _NO_XML.search(text):
        raise BadValue("a value holds half of a surrogate pair", path=WHOLE)
    return escape(_TO_ESCAPE.sub(lambda found: f"_x{ord(found[0]):04X}_", text), quote=False)


def _packed(sheet: str, name: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as package:  # packed, the bytes would depend on the library's version
        for part, text in (
            ("[Content_Types].xml", _CONTENT_TYPES),
            ("_rels/.rels", _ROOT),
            ("xl/workbook.xml", _BOOK % escape(name)),
            ("xl/_rels/workbook.xml.rels", _BOOK_RELATIONS),
            ("xl/worksheets/sheet1.xml", sheet),
            ("xl/styles.xml", _STYLES),
        ):
            info = zipfile.ZipInfo(part, _FIRST_MOMENT)
            info.external_attr = 0o600 << 16
            package.writestr(info, text.encode())
    return out.getvalue()


EMPTY: Final = _packed(_sheet([]), "Sheet1")  # what a process can warm up on
