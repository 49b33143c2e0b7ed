"""Bytes to trees and back. Everything hostile about a document's form is refused here, before anything reads it.

The parser knows no DTD, expands no entity, opens no file and no connection. One encoding: UTF-8 without a mark.
"""

import json
import math
import os
import re
import stat
import sys
import threading
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

from lxml import etree

from gateway.errors import (
    DoctypeForbidden,
    EmptyDocument,
    MalformedJson,
    MalformedXml,
    MarkupForbidden,
    NestedTooDeeply,
    NotAFile,
    NotText,
    TooLarge,
    TooManyAttributes,
    TooManyElements,
    WrongEncoding,
)
from gateway.stages import MAX_MESSAGE_BYTES, Tree

NS = "urn:readmission-gateway:readmission:1.0"

MAX_ATTRIBUTES = 32  # on one element: canonical form takes time by the square of their number
MAX_NAMESPACES = 1024  # declared in one document: looking one up takes time by the number of those in scope
MAX_ELEMENTS = 200_000
MAX_DEPTH = 64
MAX_JSON_DEPTH = 64
WHOLE = "/"  # the place of what is wrong with a document as a whole

_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff", b"<\x00", b"\x00<", b"{\x00", b"\x00{")
_DECLARED = re.compile(rb"<\?xml[^>]*?\bencoding\s*=\s*[\"']([^\"'>]*)[\"']")
# The first one only, and by one walk: a union, or all of them, is put into document order, which for comments takes time by the
# square of their number (a megabyte of them: 100 seconds).
_FORBIDDEN_MARKUP = etree.XPath("/descendant::node()[self::comment() or self::processing-instruction()][1]")
_TOO_MANY = etree.XPath(f"/descendant::*[@*[{MAX_ATTRIBUTES + 1}]]")
_USUAL_DEPTH = 12  # nothing of ours is deeper, and a look at so few levels costs next to nothing
_CLEAN = etree.XPath(  # "descendant" takes half the time of "//", which looks at the children of every node
    f"not(/descendant::comment() or /descendant::processing-instruction() or /descendant::*/@*[{MAX_ATTRIBUTES + 1}]"
    f" or {'/*' * (_USUAL_DEPTH + 1)})"
)
_SHORTEST_ELEMENT = len(b"<a/>")  # shorter documents than so many of them need not be counted
_SHORTEST_DECLARATION = len(b" xmlns=''")
_local = threading.local()

# What libxml2 found, for people. Its own sentences quote the document, and a document is about a person.
_SYNTAX = {
    etree.ErrorTypes.ERR_TAG_NAME_MISMATCH: "an opening and a closing tag do not belong together",
    etree.ErrorTypes.ERR_TAG_NOT_FINISHED: "it ends before its last element is closed; it may be cut off",
    etree.ErrorTypes.ERR_GT_REQUIRED: "a tag is not complete; the document may be cut off",
    etree.ErrorTypes.ERR_NAME_REQUIRED: "a sign such as & or < stands in the text as itself; it is written &amp; or &lt;",
    etree.ErrorTypes.ERR_RESERVED_XML_NAME: "something stands before its first line, <?xml ...?>",
    etree.ErrorTypes.ERR_RESOURCE_LIMIT: "one of its parts is too large",
    etree.ErrorTypes.ERR_DOCUMENT_END: "something stands after its end",
    etree.ErrorTypes.ERR_DOCUMENT_EMPTY: "it does not begin with an element",
    etree.ErrorTypes.ERR_UNDECLARED_ENTITY: "it uses an entity (&name;), and there are none in a message",
    etree.ErrorTypes.ERR_ATTRIBUTE_REDEFINED: "an attribute stands twice on one element",
    etree.ErrorTypes.ERR_INVALID_CHAR: "it holds a character that XML does not allow",
    etree.ErrorTypes.NS_ERR_UNDEFINED_NAMESPACE: "a prefix has no namespace",
}

_NO_NUMBERS = ("NaN", "Infinity", "-Infinity")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
# A string counts as one token, ended or not, so that each pass takes time by the length of the text and no more.
_JSON_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{},:]|[^\s"\[\]{},:]++', re.DOTALL)


def read_file(path: Path) -> bytes:
    """Return the bytes of a document file. Raises `NotAFile`, `EmptyDocument`, `TooLarge`."""
    try:
        with open_file(path) as file:
            body = file.read(MAX_MESSAGE_BYTES + 1)
    except OSError as error:
        raise NotAFile("the file cannot be read", path=WHOLE) from error
    if body is None:  # what looks like a file and has nothing to give now
        raise NotAFile("the file cannot be read", path=WHOLE)
    _check_size(body)
    return body


def open_file(path: Path) -> BinaryIO:
    """Open a file to read, and nothing that only looks like one. Never waits: neither for a pipe nor for what stands behind it.

    Raises `NotAFile`.
    """
    try:
        file = open(path, "rb", opener=_without_waiting)  # noqa: SIM115  # the caller closes it
    except FileNotFoundError as error:
        raise NotAFile("there is no such file", path=WHOLE) from error
    except IsADirectoryError as error:
        raise NotAFile("this is a folder, not a document", path=WHOLE) from error
    except (OSError, ValueError) as error:
        raise NotAFile("the file cannot be read", path=WHOLE) from error
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):  # of the opened file: a name can be turned in between
        file.close()
        raise NotAFile("this is not a file", path=WHOLE)
    return file


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))  # not on every system


def _check_size(body: bytes) -> None:
    if not body.strip():
        raise EmptyDocument("the document is empty", path=WHOLE, line=1)
    if len(body) > MAX_MESSAGE_BYTES:
        raise TooLarge(
            f"the document is larger than {MAX_MESSAGE_BYTES} bytes; scans and photographs travel as attachments", path=WHOLE
        )


def _line(body: bytes, place: int) -> int:
    return body.count(b"\n", 0, place) + 1


def _check_text(body: bytes) -> str:
    """Refuse everything that is not UTF-8 text; return the text."""
    _check_size(body)
    if body.startswith(_MARKS):
        raise WrongEncoding("the document must be UTF-8, and without a byte order mark", line=1)
    zero = body.find(b"\x00")
    if zero >= 0:
        raise NotText("the document holds zero bytes: it is not text", line=_line(body, zero))
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        line = _line(body, error.start)
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


def parse_xml(body: bytes, *, deepest: int = MAX_DEPTH) -> Tree:
    """Return the root of an XML document that came from outside. `deepest` is the number of levels it may have.

    Raises `EmptyDocument`, `TooLarge`, `NotText`, `WrongEncoding`, `DoctypeForbidden`, `TooManyElements`, `NestedTooDeeply`,
    `TooManyAttributes`, `MarkupForbidden` or `MalformedXml`, with the line where one is known.
    """
    _check_text(body)
    declared = _DECLARED.match(body)
    if declared and declared.group(1).lower() != b"utf-8":
        raise WrongEncoding("the document declares another encoding than UTF-8", line=1)
    for forbidden in (b"<!DOCTYPE", b"<!ENTITY"):
        place = body.find(forbidden)
        if place >= 0:
            raise DoctypeForbidden("a document type or entity declaration is not allowed", line=_line(body, place))
    _check_counts(body)
    try:
        root = etree.fromstring(body, _parser())
    except etree.XMLSyntaxError as error:
        if "Excessive depth" in error.msg:  # libxml2 gives up at 256; its number for it means other limits too
            raise _too_deep(deepest, error.lineno) from None
        why = _SYNTAX.get(getattr(error, "code", None))  # the stubs do not know it
        words = "the document is not well-formed XML" + (f": {why}" if why else "")
        raise MalformedXml(words, line=error.lineno or 1) from None  # the cause quotes the document
    tree = root.getroottree()
    if tree.docinfo.internalDTD is not None:
        raise DoctypeForbidden("a document type declaration is not allowed", line=1)
    if not _CLEAN(root):
        _refuse_markup(root, deepest)
    return root


def _check_counts(body: bytes) -> None:
    """Refuse, before a tree is built, more elements or namespaces than any message has."""
    if len(body) > MAX_ELEMENTS * _SHORTEST_ELEMENT and body.count(b"<") - body.count(b"</") > MAX_ELEMENTS:
        raise TooManyElements(f"the document has more than {MAX_ELEMENTS} elements", path=WHOLE)
    if len(body) > MAX_NAMESPACES * _SHORTEST_DECLARATION and body.count(b"xmlns") > MAX_NAMESPACES:
        raise TooManyAttributes(f"the document declares more than {MAX_NAMESPACES} namespaces", path=WHOLE)


@cache
def _deeper_than(levels: int) -> etree.XPath:
    return etree.XPath("/*" * (levels + 1))


def _too_deep(deepest: int, line: int | None) -> NestedTooDeeply:
    return NestedTooDeeply(f"the document is nested deeper than {deepest} levels", line=line or 1)


def _refuse_markup(root: Tree, deepest: int) -> None:
    """Say what is wrong with a document that did not look clean; it may only be deeper than usual."""
    deep: Any = _deeper_than(deepest)(root)
    if deep:
        raise _too_deep(deepest, deep[0].sourceline)
    found: Any = _FORBIDDEN_MARKUP(root)
    if found:
        raise MarkupForbidden("comments and processing instructions are not allowed in a message", line=found[0].sourceline)
    crowded: Any = _TOO_MANY(root)
    if crowded:
        raise TooManyAttributes(f"an element has more than {MAX_ATTRIBUTES} attributes", line=crowded[0].sourceline)


class _NotPlainError(ValueError):
    """The text is JSON as Python reads it, but not one value that every reader would take from it."""


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _NotPlainError("a JSON object has the same key twice")
    return found


def _no_constant(_name: str) -> Any:
    raise _NotPlainError("NaN and Infinity are not JSON")


def _finite(number: str) -> float:
    value = float(number)
    if math.isinf(value):
        raise _NotPlainError("a number is too large")
    return value


def _check_depth(text: str) -> None:
    """Refuse deep nesting before the parser recurses into it; brackets inside strings do not count."""
    depth = 0
    for token in _JSON_TOKEN.finditer(text):
        sign = token.group()
        if sign in {"[", "{"}:
            depth += 1
            if depth > MAX_JSON_DEPTH:
                line = text.count("\n", 0, token.start()) + 1
                raise MalformedJson(f"the document is nested deeper than {MAX_JSON_DEPTH} levels", line=line)
        elif sign in {"]", "}"}:
            depth -= 1


def _line_of_fault(text: str) -> int:
    """Return the line of what `_NotPlainError` or a number too long is about: the parser does not tell.

    `text` is well-formed up to that place.
    """
    keys: list[set[str] | None] = []  # of each open object; None for an open list
    before = ""
    for token in _JSON_TOKEN.finditer(text):
        sign, faulty = token.group(), False
        if sign in {"{", "["}:
            keys.append(set() if sign == "{" else None)
        elif sign in {"}", "]"}:
            keys.pop()
        elif sign.startswith('"'):
            value = json.loads(sign)
            seen = keys[-1] if keys and before in {"{", ","} else None
            faulty = not _encodable(value) or (seen is not None and value in seen)
            if seen is not None:
                seen.add(value)
        else:
            faulty = sign.startswith(_NO_NUMBERS) or len(sign) > sys.get_int_max_str_digits() or _infinite(sign)
        if faulty:
            return text.count("\n", 0, token.start()) + 1
        before = sign
    return 1


def _infinite(sign: str) -> bool:
    number = _NUMBER.match(sign)  # what stands after it may be anything: the parser stopped here
    return number is not None and math.isinf(float(number.group()))


def _encodable(value: str) -> bool:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _plain(text: str) -> Any:
    value = json.loads(text, object_pairs_hook=_no_duplicates, parse_constant=_no_constant, parse_float=_finite)
    if "\\u" in text and _SURROGATE.search(text) and not _encodable(json.dumps(value, ensure_ascii=False)):
        raise _NotPlainError("the document holds half of a surrogate pair")
    return value


def parse_json(body: bytes) -> Any:
    """Return the value of a JSON document that came from outside.

    Raises `EmptyDocument`, `TooLarge`, `NotText`, `WrongEncoding` or `MalformedJson` with its line; a key that stands
    twice, NaN, Infinity, a lone surrogate and nesting deeper than 64 levels are malformed.
    """
    text = _check_text(body)
    if text.count("[") + text.count("{") > MAX_JSON_DEPTH:
        _check_depth(text)
    try:
        return _plain(text)
    except json.JSONDecodeError as error:
        raise MalformedJson("the document is not well-formed JSON", line=error.lineno) from None
    except _NotPlainError as error:
        raise MalformedJson(str(error), line=_line_of_fault(text)) from None
    except ValueError:  # Python refuses to read a number of thousands of digits
        raise MalformedJson("the document holds a number that is too long", line=_line_of_fault(text)) from None


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
