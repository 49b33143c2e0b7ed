"""Hostile variants of a partner's own example: what no format may let pass. Each must be refused, whatever the partner wrote.

A schema that lets unknown fields pass lets data through that nobody looked at; a parser that takes two members of one name
reads another document than the sender's.
"""

import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from lxml import etree

from gateway.errors import Refused
from gateway.stages import Tree
from gateway.wire.documents import parse_json, parse_xml
from gateway.wire.schema import SchemaSet
from gateway.wire.translate import Translator

_DEPTH = 5_000
_STRANGE = "gatewayCheckStranger"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One changed example."""

    name: str  # what was done to it, in words
    body: bytes


def accepted_variants(translator: Translator, schemas: SchemaSet, form: str, body: bytes) -> Iterator[str]:
    """Yield the names of the variants of an example that are not refused, as each of them must be.

    `form` is the dialect's format; `body` an example that passes.
    """
    for variant in variants(form, body):
        try:
            document = translator.to_canonical(variant.body).document
            if document is not None:
                schemas.check(document)
        except Refused:
            continue
        yield variant.name


def variants(form: str, body: bytes) -> Iterator[Variant]:
    """Yield the variants of an example in a format ("xml", "json", "csv", "xlsx", "lines", "xslt", "canonical")."""
    yield Variant(name="nothing at all", body=b"")
    yield Variant(name="cut off in the middle", body=body[: len(body) * 6 // 10])
    if form != "xlsx":
        yield Variant(name="a byte that is zero", body=body[: len(body) // 2] + b"\x00" + body[len(body) // 2 :])
    made = _BY_FORM.get(form, _xml)
    yield from made(body)


def _xml(body: bytes) -> Iterator[Variant]:
    root = parse_xml(body)
    plain: bytes = etree.tostring(root, encoding="utf-8")
    yield Variant(name="a document type", body=b'<!DOCTYPE a [<!ENTITY b "c">]>' + plain)
    yield Variant(name="a document type from outside", body=b'<!DOCTYPE a SYSTEM "file:///etc/hostname">' + plain)
    yield Variant(name="bytes that are no UTF-8", body=plain.replace(b">", b">\xff\xfe", 1))
    yield Variant(name="something behind the end", body=plain + b"<more/>")
    yield Variant(name=f"{_DEPTH} elements in one another", body=b"<a>" * _DEPTH + b"</a>" * _DEPTH)
    yield Variant(name="another namespace", body=etree.tostring(_renamed(root), encoding="utf-8"))
    yield from _strange_attribute(root)
    for path, number in _groups(root):
        yield Variant(name=f"an unknown element in {path}", body=_with_stranger(root, number))


def _renamed(root: Tree) -> Tree:
    other = etree.Element(f"{{urn:{_STRANGE}}}{etree.QName(root).localname}")
    other.extend(deepcopy(child) for child in root)
    return other


def _strange_attribute(root: Tree) -> Iterator[Variant]:
    copy = deepcopy(root)
    copy.set(_STRANGE, "1")
    yield Variant(name="an unknown attribute", body=etree.tostring(copy, encoding="utf-8"))


def _groups(root: Tree) -> Iterator[tuple[str, int]]:
    """Yield one element of each name that holds others, with its number in document order."""
    met: set[str] = set()
    for number, element in enumerate(root.iter(etree.Element)):
        if len(element) and element.tag not in met:
            met.add(element.tag)
            yield etree.QName(element).localname, number


def _with_stranger(root: Tree, number: int) -> bytes:
    copy = deepcopy(root)
    for place, element in enumerate(list(copy.iter(etree.Element))):
        if place == number:
            space = etree.QName(element).namespace
            etree.SubElement(element, f"{{{space}}}{_STRANGE}" if space else _STRANGE).text = "x"
    body: bytes = etree.tostring(copy, encoding="utf-8")
    return body


def _json(body: bytes) -> Iterator[Variant]:
    text = body.decode()
    document = parse_json(body)
    first = next(iter(document))
    yield Variant(name="one member twice", body=text.replace("{", f'{{"{first}": "x",', 1).encode())
    yield Variant(name="something behind the end", body=body + b"{}")
    yield Variant(name="a list instead of the document", body=b"[" + body + b"]")
    yield Variant(name=f"{_DEPTH} lists in one another", body=b"[" * _DEPTH + b"]" * _DEPTH)
    yield Variant(name="a value that is no number", body=text.replace("{", f'{{"{_STRANGE}": NaN,', 1).encode())
    yield Variant(name="bytes that are no UTF-8", body=body.replace(b'"', b'"\xff', 1))
    for path, found in _objects(document, ""):
        found[_STRANGE] = "x"
        yield Variant(name=f"an unknown member in {path or 'the document'}", body=json.dumps(document).encode())
        del found[_STRANGE]


def _objects(value: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every object; of a list only those of its first item."""
    if isinstance(value, dict):
        yield path, value
        for name, inner in list(value.items()):
            yield from _objects(inner, f"{path}/{name}")
    elif isinstance(value, list) and value:
        yield from _objects(value[0], path)


def _csv(body: bytes) -> Iterator[Variant]:
    head, _, rest = body.partition(b"\n")
    mark = max(b";,\t|", key=lambda each: head.count(bytes([each])))
    delimiter, ending = bytes([mark]), b"\r" if head.endswith(b"\r") else b""
    head = head.removesuffix(b"\r")
    name = head.removeprefix(b"\xef\xbb\xbf").split(delimiter)[0]
    unknown = head + delimiter + _STRANGE.encode() + ending
    yield Variant(name="an unknown column", body=unknown + b"\n" + rest)
    yield Variant(name="one column twice", body=head + delimiter + name + ending + b"\n" + rest)
    row, _, more = rest.partition(b"\n")
    yield Variant(
        name="a row with a cell too much", body=body.replace(row, row.removesuffix(b"\r") + delimiter + b"x" + ending, 1)
    )
    yield Variant(name="no heading", body=rest or more)


def _xlsx(body: bytes) -> Iterator[Variant]:
    yield Variant(name="an archive without a sheet", body=_zipped({"readme.txt": b"x"}))
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheets = [name for name in parts if name.startswith("xl/worksheets/")]
    for name in sheets[:1]:
        entity = b'<!DOCTYPE a [<!ENTITY b "c">]>'
        head, mark, rest = parts[name].partition(b"?>")
        changed = head + mark + entity + rest if mark else entity + parts[name]
        yield Variant(name="a document type in a sheet", body=_zipped(parts | {name: changed}))
        yield Variant(name="a sheet that is no XML", body=_zipped(parts | {name: b"\x00\x01"}))
        yield Variant(name="macros", body=_zipped(parts | {"xl/vbaProject.bin": b"x"}))


def _zipped(parts: Mapping[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return made.getvalue()


def _lines(body: bytes) -> Iterator[Variant]:
    first, mark, rest = body.partition(b"\n")
    yield Variant(name="a line that is too long", body=first.removesuffix(b"\r") + b"xxxxxxxx" + mark + rest)
    yield Variant(name="a line of an unknown kind", body=body + b"\xc2\xa7\xc2\xa7" + b"x" * 40 + b"\n")


_BY_FORM: Mapping[str, Callable[[bytes], Iterator[Variant]]] = {
    "json": _json,
    "csv": _csv,
    "xlsx": _xlsx,
    "lines": _lines,
}
