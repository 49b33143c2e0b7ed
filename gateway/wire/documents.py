"""Bytes to trees and back. Everything hostile about a document's form is refused here, before anything reads it.

The parser knows no DTD, expands no entity, opens no file and no connection. One encoding: UTF-8 without a mark.
"""

import json
import re
import threading
from pathlib import Path
from typing import Any

from lxml import etree

from gateway.errors import (
    DoctypeForbidden,
    EmptyDocument,
    MalformedJson,
    MalformedXml,
    MarkupForbidden,
    NotAFile,
    NotText,
    TooLarge,
    TooManyAttributes,
    WrongEncoding,
)
from gateway.stages import MAX_MESSAGE_BYTES, Tree

NS = "urn:readmission-gateway:readmission:1.0"
ENVELOPE_NS = "urn:readmission-gateway:envelope:1.0"

MAX_ATTRIBUTES = 32  # on one element: canonical form takes time by the square of their number
MAX_JSON_DEPTH = 64

_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff", b"<\x00", b"\x00<", b"{\x00", b"\x00{")
_DECLARED = re.compile(rb"<\?xml[^>]*?\bencoding\s*=\s*[\"']([^\"'>]*)[\"']")
_FORBIDDEN_MARKUP = etree.XPath("//comment()|//processing-instruction()")
_TOO_MANY = etree.XPath(f"//*[@*[{MAX_ATTRIBUTES + 1}]]")
_CLEAN = etree.XPath(f"not(//comment()|//processing-instruction()|//*[@*[{MAX_ATTRIBUTES + 1}]])")
_local = threading.local()


def read_file(path: Path) -> bytes:
    """Return the bytes of a document file. Raises `NotAFile`, `EmptyDocument`, `TooLarge`."""
    if not path.exists():
        raise NotAFile("there is no such file")
    if not path.is_file():
        raise NotAFile("this is a folder, not a document" if path.is_dir() else "this is not a file")
    try:
        with path.open("rb") as file:
            body = file.read(MAX_MESSAGE_BYTES + 1)
    except OSError as error:
        raise NotAFile("the file cannot be read") from error
    _check_size(body)
    return body


def _check_size(body: bytes) -> None:
    if not body.strip():
        raise EmptyDocument("the document is empty")
    if len(body) > MAX_MESSAGE_BYTES:
        raise TooLarge(f"the document is larger than {MAX_MESSAGE_BYTES} bytes; scans and photographs travel as attachments")


def _check_text(body: bytes) -> str:
    """Refuse everything that is not UTF-8 text; return the text."""
    _check_size(body)
    if body.startswith(_MARKS):
        raise WrongEncoding("the document must be UTF-8 without a byte order mark", line=1)
    if b"\x00" in body:
        raise NotText("the document holds zero bytes: it is not text")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        if body.lstrip()[:1] not in b"<{[":
            raise NotText("the document is not text", line=line) from error
        raise WrongEncoding("the document is not valid UTF-8", line=line) from error


def _parser() -> etree.XMLParser:
    """Return this thread's parser; sharing one would make threads wait for each other."""
    parser: etree.XMLParser | None = getattr(_local, "parser", None)
    if parser is None:
        parser = etree.XMLParser(
            resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=False, remove_pis=False
        )
        _local.parser = parser
    return parser


def parse_xml(body: bytes) -> Tree:
    """Return the root of an XML document that came from outside.

    Raises `EmptyDocument`, `TooLarge`, `NotText`, `WrongEncoding`, `DoctypeForbidden`, `MarkupForbidden`,
    `TooManyAttributes` or `MalformedXml`, with the line where one is known.
    """
    _check_text(body)
    declared = _DECLARED.match(body)
    if declared and declared.group(1).lower() != b"utf-8":
        raise WrongEncoding("the document declares another encoding than UTF-8", line=1)
    for forbidden in (b"<!DOCTYPE", b"<!ENTITY"):
        place = body.find(forbidden)
        if place >= 0:
            raise DoctypeForbidden("a document type or entity declaration is not allowed", line=body.count(b"\n", 0, place) + 1)
    try:
        root = etree.fromstring(body, _parser())
    except etree.XMLSyntaxError as error:
        raise MalformedXml("the document is not well-formed XML", line=error.lineno) from None
    tree = root.getroottree()
    if tree.docinfo.internalDTD is not None:
        raise DoctypeForbidden("a document type declaration is not allowed", line=1)
    if not _CLEAN(root):
        _refuse_markup(root)
    return root


def _refuse_markup(root: Tree) -> None:
    found: Any = _FORBIDDEN_MARKUP(root)
    if found:
        raise MarkupForbidden("comments and processing instructions are not allowed in a message", line=found[0].sourceline)
    crowded: Any = _TOO_MANY(root)
    raise TooManyAttributes(f"an element has more than {MAX_ATTRIBUTES} attributes", line=crowded[0].sourceline)


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise MalformedJson("a JSON object has the same key twice")
    return found


def _no_constant(_name: str) -> Any:
    raise MalformedJson("NaN and Infinity are not JSON")


def _check_depth(text: str) -> None:
    """Refuse deep nesting before the parser recurses into it; braces inside strings are counted out."""
    depth, in_string, escaped = 0, False, False
    for character in text:
        if in_string:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                in_string = False
        elif character == '"':
            in_string = True
        elif character in "[{":
            depth += 1
            if depth > MAX_JSON_DEPTH:
                raise MalformedJson(f"the document is nested deeper than {MAX_JSON_DEPTH} levels")
        elif character in "]}":
            depth -= 1


def parse_json(body: bytes) -> Any:
    """Return the value of a JSON document that came from outside.

    Raises `EmptyDocument`, `TooLarge`, `NotText`, `WrongEncoding` or `MalformedJson`; a key that stands twice, NaN,
    Infinity, a lone surrogate and nesting deeper than 64 levels are malformed.
    """
    text = _check_text(body)
    if text.count("[") + text.count("{") > MAX_JSON_DEPTH:
        _check_depth(text)
    try:
        value = json.loads(text, object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise MalformedJson("the document is not well-formed JSON", line=error.lineno) from None
    except (ValueError, RecursionError):  # a number with thousands of digits
        raise MalformedJson("the document holds a number that is too long") from None
    if "\\u" in text and re.search(r"\\u[dD][89a-fA-F]", text):
        try:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError:
            raise MalformedJson("the document holds half of a surrogate pair") from None
    return value


def canonicalize(node: Tree) -> bytes:
    """Return the exclusive canonical form of `node`, without comments.

    Raises `MalformedXml` where there is none: a namespace name that is not an absolute URI.
    """
    try:
        return etree.tostring(node, method="c14n", exclusive=True, with_comments=False)
    except etree.C14NError as error:
        raise MalformedXml("the document has no canonical form (a namespace name that is not absolute)") from error


def serialize(node: Tree) -> bytes:
    """Return `node` as an XML document: UTF-8, with declaration."""
    return etree.tostring(node, xml_declaration=True, encoding="UTF-8")
