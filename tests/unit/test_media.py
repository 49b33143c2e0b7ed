"""What a file is, told by its ends alone: what is taken, and what is refused because two readers would disagree."""

import io
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import AttachmentType
from gateway.wire.media import Sniffer, media_type_of
from gateway.wire.specimen_files import specimen_file

JPEG, PNG, PDF, OPAQUE = "image/jpeg", "image/png", "application/pdf", "application/octet-stream"
BEGINS = {
    "JPEG": (b"\xff\xd8\xff\xe0\x00\x10JFIF", JPEG),
    "PNG": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", PNG),
    "PDF 1": (b"%PDF-1.7\n", PDF),
    "PDF 2": (b"%PDF-2.0\n", PDF),
    "TIFF, Intel": (b"II*\x00\x08\x00\x00\x00", OPAQUE),
    "TIFF, Motorola": (b"MM\x00*\x00\x00\x00\x08", OPAQUE),
    "JPEG 2000": (b"\x00\x00\x00\x0cjP  \r\n\x87\n", OPAQUE),
    "JPEG 2000, bare": (b"\xff\x4f\xff\x51\x00\x2f", OPAQUE),
    "WSQ": (b"\xff\xa0\xff\xa4\x00\x3a", OPAQUE),
    "ANSI/NIST": (b"1.001:162\x1d1.002:0500\x1d", OPAQUE),
    "ANSI/NIST of 1993": (b"1.01:162\x1d1.02:0201\x1d", OPAQUE),
}
NOT_TAKEN = {
    "nothing": b"",
    "text": b"Dear colleagues",
    "web page": b"<!DOCTYPE html><script>",
    "vector image": b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>",
    "program of Windows": b"MZ\x90\x00",
    "program of Linux": b"\x7fELF\x02",
    "shell script": b"#!/bin/sh\n",
    "office document of old": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "gzip": b"\x1f\x8b\x08\x00",
    "RAR": b"Rar!\x1a\x07\x01\x00",
    "7z": b"7z\xbc\xaf\x27\x1c",
    "animated image": b"GIF89a",
    "half a signature": b"\x89PNG",
    "signature after a blank": b" %PDF-1.7\n",
    "PDF of no version": b"%PDF-9.9",
    "XML of ANSI/NIST": b"<?xml version='1.0'?><itl:NISTBiometricInformationExchangePackage/>",
}
FILLER = b"specimen " * 20_000  # longer than both ends that are looked at


def archive(compression: int = zipfile.ZIP_DEFLATED, comment: bytes = b"") -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", compression) as file:
        file.writestr("a", b"a" * 1000)
        file.comment = comment
    return made.getvalue()


@pytest.mark.parametrize("kind", BEGINS)
def test_file_is_what_it_begins_as(kind: str) -> None:
    begin, media_type = BEGINS[kind]
    assert media_type_of(begin) == media_type
    assert media_type_of(begin + FILLER) == media_type


@pytest.mark.parametrize("media_type", [JPEG, PNG, PDF, OPAQUE])
def test_specimens_are_what_they_are_called(media_type: str) -> None:
    assert media_type_of(specimen_file("specimen", media_type, 5000)) == media_type
    assert len(specimen_file("specimen", media_type, 5000)) == 5000


@pytest.mark.parametrize("kind", NOT_TAKEN)
def test_anything_else_is_refused(kind: str) -> None:
    for body in (NOT_TAKEN[kind], NOT_TAKEN[kind] + FILLER):
        with pytest.raises(AttachmentType):
            media_type_of(body)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_archive_is_refused_whatever_it_holds(compression: int) -> None:
    with pytest.raises(AttachmentType, match="archive"):
        media_type_of(archive(compression))
    with pytest.raises(AttachmentType, match="archive"):
        media_type_of(b"PK\x05\x06" + bytes(18))  # an empty one


@pytest.mark.parametrize("kind", BEGINS)
@pytest.mark.parametrize("comment", [b"", b"c" * 65_535], ids=["no comment", "longest comment"])
def test_archive_behind_a_file_of_another_kind_is_found(kind: str, comment: bytes) -> None:
    with pytest.raises(AttachmentType, match="ends as an archive"):
        media_type_of(BEGINS[kind][0] + FILLER + archive(comment=comment))


@pytest.mark.parametrize("kind", [kind for kind in BEGINS if not kind.startswith("PDF")])
@pytest.mark.parametrize("offset", [40, 1019, 1024])
def test_header_of_a_pdf_inside_another_file_is_found(kind: str, offset: int) -> None:
    begin = BEGINS[kind][0]
    with pytest.raises(AttachmentType, match="readers of PDF"):
        media_type_of(begin + b"x" * (offset - len(begin)) + b"%PDF-1.7\n" + FILLER)


def test_words_far_inside_a_file_do_no_harm() -> None:
    begin = BEGINS["JPEG"][0]
    assert media_type_of(begin + FILLER + b"%PDF-1.7 PK\x03\x04 PK\x05\x06" + FILLER) == JPEG


def test_bomb_that_calls_itself_a_pdf_is_refused_by_its_first_bytes() -> None:
    bomb = zlib.compress(bytes(10_000_000))
    with pytest.raises(AttachmentType):
        media_type_of(bomb)


@given(st.binary(max_size=300), st.integers(1, 50))
def test_pieces_make_no_difference(tail: bytes, size: int) -> None:
    body = BEGINS["PNG"][0] + tail
    sniffer = Sniffer()
    for start in range(0, len(body), size):
        sniffer.feed(body[start : start + size])
    assert _verdict(sniffer) == _verdict_of(body)


@given(st.lists(st.binary(max_size=70_000), max_size=4))
def test_both_ends_are_kept_whatever_comes_between(pieces: list[bytes]) -> None:
    sniffer = Sniffer()
    for piece in (b"\xff\xd8\xff", *pieces, b"PK\x05\x06" + bytes(18)):
        sniffer.feed(piece)
    with pytest.raises(AttachmentType):
        sniffer.media_type()


@given(st.binary(max_size=2000))
def test_any_bytes_give_a_kind_or_our_own_error(body: bytes) -> None:
    assert _verdict_of(body) in {JPEG, PNG, PDF, OPAQUE, AttachmentType.code}


def _verdict(sniffer: Sniffer) -> str:
    try:
        return sniffer.media_type()
    except AttachmentType as error:
        return error.code


def _verdict_of(body: bytes) -> str:
    sniffer = Sniffer()
    sniffer.feed(body)
    return _verdict(sniffer)
