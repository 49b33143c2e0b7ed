"""A message as an outline of labels and values, to be read and printed: whatever its dialect and format."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.partners.formats import CSV, TEXT, XLSX, XML
from gateway.stages import Tree
from gateway.wire.documents import parse_json, parse_xml
from gateway.wire.workbook import cells

_SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[_-]+")
_SCRIPTS = {"ARABIC": "Arab", "CYRILLIC": "Cyrl", "LATIN": "Latn"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One label with its value, or with what stands below it."""

    label: str
    value: str | None = None  # None: a group
    script: str | None = None  # of the value, ISO 15924, when its first letter tells
    below: tuple["Item", ...] = ()


def outline_of(body: bytes, media_type: str = XML) -> tuple[Item, ...]:
    """Return the outline of a stored document. Signatures are left out: they are proof, not reading."""
    if media_type == XLSX:
        return _of_rows([values for _, values in cells(body, "")])
    if media_type in {CSV, TEXT}:
        return _of_text(body, table=media_type == CSV)
    if body.lstrip()[:1] == b"<":
        return _of_xml(parse_xml(body))
    return _of_json(parse_json(body))


def _of_text(body: bytes, *, table: bool) -> tuple[Item, ...]:
    """Return a table line by line; what its columns mean the dialect knows, and it may have changed since."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = body.decode("cp1252", "replace")
    if not table:
        return tuple(_leaf(f"Line {number}", line) for number, line in enumerate(text.splitlines(), 1))
    head = text.partition("\n")[0]
    return _of_rows(list(csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t|", key=head.count))))


def _of_rows(rows: Sequence[Sequence[str]]) -> tuple[Item, ...]:
    """Return what stands in each row, named by the header."""
    head, *below = rows or [[]]
    found = [
        tuple(
            _leaf(name or str(number), value) for number, (name, value) in enumerate(zip(head, row, strict=False), 1) if value
        )
        for row in below
    ]
    if len(found) == 1:
        return found[0]
    return tuple(Item(label=f"Row {number}", below=items) for number, items in enumerate(found, 1) if items)


def label_of(name: str) -> str:
    """Return an element or key name in words: "dateOfBirth" is "Date of birth"."""
    words = " ".join(part for part in _CAMEL.split(name) if part)
    lowered = " ".join(word if word.isupper() else word.lower() for word in words.split())
    return lowered[:1].upper() + lowered[1:]


def script_of(text: str) -> str | None:
    """Return the script of the first letter, None where there is none that we name."""
    for sign in text:
        if sign.isalpha():
            return _SCRIPTS.get(unicodedata.name(sign, "").split(" ")[0])
    return None


def _leaf(label: str, value: str) -> Item:
    return Item(label=label, value=value, script=script_of(value))


def _of_xml(element: Tree) -> tuple[Item, ...]:
    items = [_leaf(label_of(str(name)), str(value)) for name, value in element.attrib.items()]
    for child in element:
        if child.tag == _SIGNATURE:
            continue
        label = label_of(str(child.tag).rpartition("}")[2])
        if len(child) or child.attrib:
            below = _of_xml(child)
            written = (child.text or "").strip()
            items.append(Item(label=label, below=(_leaf("Value", written), *below) if written else below))
        else:
            items.append(_leaf(label, child.text or ""))
    return tuple(items)


def _of_json(node: Any) -> tuple[Item, ...]:
    if not isinstance(node, dict):
        return (_leaf("Value", _plain(node)),)
    return tuple(item for name, value in node.items() for item in _of_value(label_of(name), value))


def _of_value(label: str, value: Any) -> Iterable[Item]:
    if isinstance(value, list):
        for entry in value:
            yield from _of_value(label, entry)
    elif isinstance(value, dict):
        yield Item(label=label, below=_of_json(value))
    else:
        yield _leaf(label, _plain(value))


def _plain(value: Any) -> str:
    return {True: "yes", False: "no", None: "none"}[value] if value is None or isinstance(value, bool) else str(value)
