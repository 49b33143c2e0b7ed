"""A sample document as a tree of names with the values seen under each: XML, JSON, CSV or XLSX behind one shape."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from lxml import etree

from gateway.errors import BadValue, MalformedTable
from gateway.stages import Tree
from gateway.wire.documents import parse_json, parse_xml
from gateway.wire.guessing.words import words_of
from gateway.wire.rows import check_size, decoded
from gateway.wire.workbook import cells

FORMATS: Final = ("xml", "json", "csv", "xlsx")
_DELIMITERS: Final = ";,\t|"
_UNMAPPABLE: Final = re.compile(r"[/{}]|^@|^\.$")


@dataclass(slots=True)
class Seen:
    """One name of the sample: an element, an attribute ("@name"), a member, a column."""

    name: str
    many: bool = False
    values: list[Any] = field(default_factory=list)  # of every place where it stood, in order
    children: dict[str, "Seen"] = field(default_factory=dict)

    @property
    def leaf(self) -> bool:
        """Whether it holds values; beside attributes its own values are under "."."""
        return not self.children

    def child(self, name: str) -> "Seen":
        """Return the child called `name`, adding it."""
        return self.children.setdefault(name, Seen(name))

    def leaves(self, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], "Seen"]]:
        """Yield path and node of every leaf below."""
        for name, child in self.children.items():
            if child.leaf:
                yield (*above, name), child
            else:
                yield from child.leaves((*above, name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A document that a partner sent, as far as a dialect can be guessed from it."""

    format: str
    tree: Seen
    namespace: str = ""  # XML
    delimiter: str = ","  # CSV
    encoding: str = "utf-8"  # CSV
    renamed: tuple[tuple[str, str], ...] = ()  # columns whose name a mapping cannot have: name, member


def format_of(body: bytes, suffix: str) -> str:
    """Return the format of a document, by its first bytes, else by the suffix of its file."""
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if body.startswith(b"PK"):
        return "xlsx"
    if start == b"<":
        return "xml"
    if start in {b"{", b"["}:
        return "json"
    return "xlsx" if suffix == ".xlsx" else "csv"


def read_sample(body: bytes, form: str) -> Sample:
    """Return the sample; raises what parsing hostile bytes raises, as for every other document."""
    if form == "xml":
        root = parse_xml(body)
        tree = _wrapped(_element(root, Seen(etree.QName(root).localname)))
        return Sample(format=form, tree=tree, namespace=etree.QName(root).namespace or "")
    if form == "json":
        document = parse_json(body)
        if isinstance(document, list):
            document = document[0] if document and isinstance(document[0], dict) else None
        if not isinstance(document, dict):
            raise BadValue("is no object with members: a message is one object", path="/")
        return Sample(format=form, tree=_member(document, Seen("")))
    if form == "xlsx":
        check_size(body)
        return _table(form, [row for _, row in cells(body, "")], ",", "utf-8")
    return _csv(body)


def _element(element: Tree, seen: Seen) -> Seen:
    """Add what an element holds to `seen`."""
    for key in map(str, element.attrib):
        if not key.startswith("{"):
            seen.child(f"@{key}").values.append(str(element.get(key)))
    counts: dict[str, int] = {}
    for child in element.iterchildren(tag=etree.Element):
        name = etree.QName(child).localname
        counts[name] = counts.get(name, 0) + 1
        inner = _element(child, seen.child(name))
        inner.many = inner.many or counts[name] > 1
    text = (element.text or "").strip()
    if len(element) == 0 and seen.children and text:
        seen.child(".").values.append(text)
    elif len(element) == 0:
        seen.values.append(text)
    return seen


def _wrapped(seen: Seen) -> Seen:
    """Mark what stands alone in an element that is called after it, `<Kids><Kid>`: there may be several."""
    for child in seen.children.values():
        inside = list(child.children.values())
        if len(inside) == 1 and not inside[0].leaf and words_of(child.name).startswith(words_of(inside[0].name)[:-1]):
            inside[0].many = True
        _wrapped(child)
    return seen


def _member(value: Any, seen: Seen) -> Seen:
    """Add what a JSON value holds to `seen`."""
    if isinstance(value, dict):
        for name, inner in value.items():
            _member(inner, seen.child(name))
    elif isinstance(value, list):
        seen.many = True
        for item in value:
            _member(item, seen)
    else:
        seen.values.append(value)
    return seen


def _csv(body: bytes) -> Sample:
    encoding = "utf-8-sig" if body.startswith(b"\xef\xbb\xbf") else "utf-8"
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        encoding = "windows-1250"
    text = decoded(body, encoding)
    first = text.splitlines()[0]
    delimiter = max(_DELIMITERS, key=first.count)
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True) if any(row)]
    except csv.Error as error:
        raise MalformedTable("is no table of values separated by a sign", path="/") from error
    return _table("csv", rows, delimiter, encoding)


def _table(form: str, rows: list[list[str]], delimiter: str, encoding: str) -> Sample:
    tree = Seen("")
    header, *others = [[cell.strip() for cell in row] for row in rows] or [[]]
    if not others or len(set(header)) != len(header) or not all(header):
        raise MalformedTable("needs a first row that names each column once, and at least one row below it", path="/")
    renamed: list[tuple[str, str]] = []
    for number, name in enumerate(header):
        member = _UNMAPPABLE.sub("_", name)
        if member != name:
            renamed.append((name, member))
        tree.child(member).values += [row[number] for row in others if number < len(row)]
    return Sample(format=form, tree=tree, delimiter=delimiter, encoding=encoding, renamed=tuple(renamed))
