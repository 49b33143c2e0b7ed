"""Bytes to trees: what is hostile or out of form is refused with one code and its line, before anything reads it."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
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
    Refused,
    TooLarge,
    TooManyAttributes,
    TooManyElements,
    WrongEncoding,
)
from gateway.stages import MAX_MESSAGE_BYTES
from gateway.wire.documents import (
    MAX_DEPTH,
    MAX_ELEMENTS,
    MAX_NAMESPACES,
    canonicalize,
    parse_json,
    parse_xml,
    read_file,
    serialize,
)

DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>'


def refused(body: bytes, why: type[Refused], *, line: int | None = None) -> Refused:
    """Parse as XML; check class and line; return the error."""
    with pytest.raises(Refused) as caught:
        parse_xml(body)
    assert type(caught.value) is why
    assert caught.value.line == line
    return caught.value


def refused_json(body: bytes, why: type[Refused] = MalformedJson, *, line: int | None = None) -> Refused:
    with pytest.raises(Refused) as caught:
        parse_json(body)
    assert type(caught.value) is why
    assert caught.value.line == line
    return caught.value


# --- files ------------------------------------------------------------------------------------------------------------


def test_the_bytes_of_a_file_are_read_as_they_are(tmp_path: Path) -> None:
    file = tmp_path / "message.xml"
    file.write_bytes(b"<a/>\r\n")
    assert read_file(file) == b"<a/>\r\n"


def test_a_file_of_the_largest_size_is_read(tmp_path: Path) -> None:
    file = tmp_path / "message.xml"
    file.write_bytes(b"x" * MAX_MESSAGE_BYTES)
    assert len(read_file(file)) == MAX_MESSAGE_BYTES


@pytest.mark.parametrize(
    ("body", "why"), [(b"", EmptyDocument), (b" \n\t", EmptyDocument), (b"x" * (MAX_MESSAGE_BYTES + 1), TooLarge)]
)
def test_a_file_without_content_or_with_too_much_is_refused(tmp_path: Path, body: bytes, why: type[Refused]) -> None:
    file = tmp_path / "message.xml"
    file.write_bytes(body)
    with pytest.raises(why) as caught:
        read_file(file)
    assert caught.value.path == "/"


def test_a_folder_is_no_document(tmp_path: Path) -> None:
    with pytest.raises(NotAFile, match="folder"):
        read_file(tmp_path)


@pytest.mark.parametrize("name", ["missing.xml", "no/such/folder.xml"])
def test_a_missing_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotAFile, match="no such file"):
        read_file(tmp_path / name)


@pytest.mark.parametrize("name", ["x" * 5000, "zero\x00byte"])
def test_a_name_that_no_file_can_have_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotAFile):
        read_file(tmp_path / name)


def test_a_pipe_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(NotAFile, match="not a file"):
        read_file(tmp_path / "pipe")


# --- text -------------------------------------------------------------------------------------------------------------


def test_a_good_document_gives_its_root() -> None:
    assert parse_xml(DECLARATION + "<a>Ž</a>".encode()).text == "Ž"


def test_a_document_without_declaration_is_utf8() -> None:
    assert parse_xml("<a>اردو</a>".encode()).text == "اردو"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
def test_another_encoding_is_refused(encoding: str) -> None:
    refused("<a>x</a>".encode(encoding), WrongEncoding, line=1)
    refused_json('{"a": 1}'.encode(encoding), WrongEncoding, line=1)


@pytest.mark.parametrize("name", ["ISO-8859-2", "windows-1250", "UTF-7", "UTF-16", "EBCDIC-CP-US", "nonsense"])
def test_a_declaration_of_another_encoding_is_refused(name: str) -> None:
    refused(f'<?xml version="1.0" encoding = \'{name}\' standalone="yes"?><a/>'.encode(), WrongEncoding, line=1)


@pytest.mark.parametrize("name", ["UTF-8", "utf-8", "Utf-8"])
def test_the_declared_name_of_utf8_may_be_written_in_any_case(name: str) -> None:
    assert parse_xml(f'<?xml version="1.0" encoding="{name}"?><a/>'.encode()).tag == "a"


def test_bytes_that_are_not_utf8_are_refused_with_their_line() -> None:
    refused(b"<a>\n\n\xff</a>", WrongEncoding, line=3)
    refused_json(b'{"a":\n"\xc4"}', WrongEncoding, line=2)


@pytest.mark.parametrize(
    "body", [b"\x89PNG\r\n\x1a\n\x00\x00", b"\xff\xd8\xff\xe1Exif", b"PK\x03\x04\x00", b"%PDF-1.7\n%\xe2\xe3"]
)
def test_a_binary_is_no_text(body: bytes) -> None:
    with pytest.raises(NotText):
        parse_xml(body)
    with pytest.raises(NotText):
        parse_json(body)


def test_a_zero_byte_is_refused_with_its_line() -> None:
    refused(b"<a>\n\x00</a>", NotText, line=2)


def test_too_many_bytes_are_refused_before_they_are_parsed() -> None:
    refused(b"<a>" + b"x" * MAX_MESSAGE_BYTES, TooLarge)
    refused_json(b'"' + b"x" * MAX_MESSAGE_BYTES, TooLarge)


# --- XML --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "line", "word"),
    [
        (b"<a>\n<b></a>", 2, "closing tag"),
        (b"<a>\n\n", 3, "cut off"),
        (b"<a/>\n<b/>", 2, "after its end"),
        (b"hello", 1, "does not begin"),
        (b"<a>\n&name;</a>", 2, "entity"),
        (b"<a>R & D</a>", 1, "&amp;"),
        (b'<a b="1"\n b="2"/>', 2, "twice"),
        (b"<a>\n<x:b/></a>", 2, "prefix"),
        (b"<a>\x08</a>", 1, "character"),
        (b"\n<?xml version='1.0'?><a/>", 2, "first line"),
        (b"<a b=1/>", 1, "well-formed"),
    ],
)
def test_malformed_xml_is_told_with_line_and_reason(body: bytes, line: int, word: str) -> None:
    assert word in refused(body, MalformedXml, line=line).message


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 200, 300, 5000])
def test_nesting_deeper_than_allowed_is_refused(depth: int) -> None:
    assert "64 levels" in refused(b"<a>" * depth + b"</a>" * depth, NestedTooDeeply, line=1).message


def test_the_deepest_nesting_is_read() -> None:
    parse_xml(b"<a>" * MAX_DEPTH + b"</a>" * MAX_DEPTH)


def test_nesting_is_told_with_its_line() -> None:
    refused(b"<b><c/>\n" + b"<a>" * MAX_DEPTH + b"</a>" * MAX_DEPTH + b"</b>", NestedTooDeeply, line=2)


def test_more_elements_than_allowed_are_refused() -> None:
    refused(b"<a>" + b"<b/>" * MAX_ELEMENTS + b"</a>", TooManyElements)


def test_the_most_elements_are_read() -> None:
    assert len(parse_xml(b"<a>" + b"<b/>" * (MAX_ELEMENTS - 1) + b"</a>")) == MAX_ELEMENTS - 1


def test_more_namespaces_than_allowed_are_refused() -> None:
    names = b"".join(b'<b xmlns:n%d="urn:n"/>' % number for number in range(MAX_NAMESPACES + 1))
    refused(b"<a>" + names + b"</a>", TooManyAttributes)
    on_one = b"".join(b' xmlns:n%d="urn:n"' % number for number in range(MAX_NAMESPACES + 1))
    refused(b"<a" + on_one + b"/>", TooManyAttributes)


def test_the_most_namespaces_are_read() -> None:
    names = b"".join(b'<b xmlns:n%d="urn:n"/>' % number for number in range(MAX_NAMESPACES))
    assert len(parse_xml(b"<a>" + names + b"</a>")) == MAX_NAMESPACES


def test_what_is_malformed_is_not_repeated() -> None:
    error = refused(b"<a><SPECIMEN>SPECIMEN</UZORAK></a>", MalformedXml, line=1)
    assert "SPECIMEN" not in error.message
    assert error.__cause__ is None


@pytest.mark.parametrize(
    "head",
    [
        b"<!DOCTYPE a>",
        b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd">',
        b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]>',
        b'<!DOCTYPE a [<!ENTITY % p SYSTEM "http://127.0.0.1:9/p"> %p;]>',
        b'<!DOCTYPE a [<!ENTITY e "x"><!ENTITY f "&e;&e;&e;">]>',
        b"<!ENTITY e 'x'>",
    ],
)
def test_a_document_type_or_entity_declaration_is_refused(head: bytes) -> None:
    refused(b"\n\n" + head + b"<a>&e;</a>", DoctypeForbidden, line=3)


def test_libxml2_never_sees_a_document_type(monkeypatch: pytest.MonkeyPatch) -> None:
    def seen(*_: object) -> None:
        raise AssertionError("the parser was asked")

    monkeypatch.setattr(etree, "fromstring", seen)
    refused(b"<!DOCTYPE a><a/>", DoctypeForbidden, line=1)


def test_a_document_type_in_the_parsed_tree_is_refused_too(monkeypatch: pytest.MonkeyPatch) -> None:
    tree = etree.fromstring(b"<!DOCTYPE a [<!ELEMENT a EMPTY>]><a/>")
    monkeypatch.setattr(etree, "fromstring", lambda *_: tree)
    refused(b"<a/>", DoctypeForbidden, line=1)


@pytest.mark.parametrize("markup", [b"<!-- x -->", b"<?x y?>"])
@pytest.mark.parametrize("document", [b"\n%s<a/>", b"\n<a/>%s", b"\n<a>%s</a>", b"<a>\n12%s34</a>"])
def test_comments_and_processing_instructions_are_refused_wherever_they_stand(document: bytes, markup: bytes) -> None:
    refused(document % markup, MarkupForbidden, line=2)


def test_32_attributes_are_allowed() -> None:
    assert len(parse_xml(b"<a" + b"".join(b' a%d=""' % n for n in range(32)) + b"/>").attrib) == 32


def test_33_attributes_on_any_element_are_refused() -> None:
    refused(b"<a>\n<b" + b"".join(b' a%d=""' % n for n in range(33)) + b"/></a>", TooManyAttributes, line=2)


def test_cdata_is_text() -> None:
    assert parse_xml(b"<a><![CDATA[x < y]]></a>").text == "x < y"


def test_threads_do_not_share_a_parser() -> None:
    good, failed = b"<a>" + b"<b>x</b>" * 200 + b"</a>", []

    def work() -> None:
        for _ in range(50):
            with pytest.raises(MalformedXml):
                parse_xml(b"<a>")
            if len(parse_xml(good)) != 200:
                failed.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    assert failed == []


# --- JSON -------------------------------------------------------------------------------------------------------------


def test_json_gives_its_value() -> None:
    assert parse_json('{"a": [1, 2.5, true, null, "Ž", "\\ud83d\\ude00"]}'.encode()) == {"a": [1, 2.5, True, None, "Ž", "😀"]}


def test_the_same_key_may_stand_in_two_objects() -> None:
    assert parse_json(b'{"a": {"x": 1}, "b": [{"x": 1}, {"x": 2}]}')["b"][1] == {"x": 2}


@pytest.mark.parametrize(
    ("body", "line", "word"),
    [
        (b'{"a": 1,\n}', 2, "well-formed"),
        (b'{"a": 1', 1, "well-formed"),
        (b'{"a": 1,\n"b": 2,\n"a": 3}', 3, "same key twice"),
        (b'{"a": 1, "\\u0061": 3}', 1, "same key twice"),
        (b'{"a": "{\\"b\\":1,", "b": 1,\n"b": 2}', 2, "same key twice"),
        (b'[1,\n"NaN",\nNaN]', 3, "NaN"),
        (b'{"a":\n-Infinity}', 2, "Infinity"),
        (b"[1,\n1e999]", 2, "too large"),
        (b"[1,\n1e999x]", 2, "too large"),
        (b"\nNaN0", 2, "NaN"),
        (b"[1,\n" + b"1" * 5000 + b"]", 2, "too long"),
        (b'["x",\n"\\ud83d"]', 2, "surrogate"),
        (b'{"x":\n{"\\udc00": 1}}', 2, "surrogate"),
        (b"[\n" * 65 + b"]" * 65, 65, "deeper than 64"),
        (b'{"a":' * 100_000, 1, "deeper than 64"),
    ],
)
def test_malformed_json_is_told_with_line_and_reason(body: bytes, line: int, word: str) -> None:
    assert word in refused_json(body, line=line).message


def test_64_levels_of_json_are_allowed() -> None:
    assert parse_json(b"[" * 64 + b"]" * 64)


def test_brackets_inside_strings_are_no_levels() -> None:
    assert len(parse_json(b'["' + b"[{" * 500 + b'"]')[0]) == 1000


# --- back to bytes ----------------------------------------------------------------------------------------------------


def test_the_canonical_form_is_one_for_all_ways_of_writing() -> None:
    one = parse_xml(b'<a xmlns="urn:x" xmlns:y="urn:y" b="1" a="2"><c></c></a>')
    other = parse_xml(b"<a  a='2'  b='1'  xmlns='urn:x'><c/></a>")
    assert canonicalize(one) == canonicalize(other) == b'<a xmlns="urn:x" a="2" b="1"><c></c></a>'


def test_a_part_has_a_canonical_form_of_its_own() -> None:
    assert canonicalize(parse_xml(b'<a xmlns="urn:x"><b>1</b>tail</a>')[0]) == b'<b xmlns="urn:x">1</b>'


def test_a_namespace_that_is_not_absolute_has_no_canonical_form() -> None:
    with pytest.raises(MalformedXml, match="canonical form"):
        canonicalize(parse_xml(b'<a xmlns="x"/>'))


def test_a_serialized_document_parses_to_the_same_again() -> None:
    document = parse_xml("<a xmlns='urn:x'>Ž<b/></a>".encode())
    assert serialize(document).startswith(b"<?xml")
    assert canonicalize(parse_xml(serialize(document))) == canonicalize(document)


# --- anything ---------------------------------------------------------------------------------------------------------

XML_PIECES = [
    b"<a>",
    b"</a>",
    b"<a/>",
    b"<!--",
    b"-->",
    b"<?x",
    b"?>",
    b"<!DOCTYPE a [",
    b"]>",
    b"&e;",
    b"<![CDATA[",
    b"]]>",
    b"\xff",
]
JSON_PIECES = [b'{"a":', b'"a"', b"}", b"[", b"]", b",", b"NaN", b"1e999", b'"\\ud800"', b"-", b"9" * 5000, b"0"]
ODD = st.one_of(
    st.binary(max_size=300),
    st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.text('<>&;!?-[]{}":,/=ax1\\u \n\x00', max_size=200).map(str.encode),
    st.lists(st.sampled_from([*XML_PIECES, *JSON_PIECES]), max_size=12).map(b"".join),
    st.lists(st.sampled_from(JSON_PIECES), max_size=12).map(b"".join),
)


def outcome(parse: Callable[[bytes], object], body: bytes) -> object:
    """Return what the parser gives, or its refusal; any other exception fails the test."""
    try:
        return parse(body)
    except Refused as error:
        return error


@settings(max_examples=300)
@given(ODD)
def test_any_bytes_give_a_tree_or_a_refusal_with_a_place(body: bytes) -> None:
    found: Any = outcome(parse_xml, body)
    assert (found.path or found.line) if isinstance(found, Refused) else isinstance(found.tag, str)


@settings(max_examples=300)
@given(ODD)
def test_any_bytes_give_a_json_value_or_a_refusal_with_a_place(body: bytes) -> None:
    found = outcome(parse_json, body)
    assert not isinstance(found, Refused) or found.path or found.line
