"""A mapping report as it is kept: packed by hand, read by anybody."""

import json
import zlib
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.report import Field, Report

FIELDS = st.builds(
    Field,
    path=st.text(max_size=40),
    action=st.sampled_from(["copied", "coded", "dropped", "filled"]),
    rule=st.sampled_from(["copy", "codes:sex", "cannot-carry"]),
    why=st.none() | st.text(max_size=60),
)
REPORTS = st.builds(
    Report,
    type=st.just("ReadmissionApplication"),
    source=st.just("at/bmi-json"),
    target=st.just("canonical"),
    sha256_in=st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
    sha256_out=st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
    fields=st.lists(FIELDS, max_size=60).map(tuple),
)


def _report(*fields: Field) -> Report:
    return Report(type="Receipt", source="canonical", target="x", sha256_in="0" * 64, sha256_out="1" * 64, fields=fields)


@given(report=REPORTS)
def test_what_is_packed_unpacks_to_the_report(report: Report) -> None:
    digest, packed = report.packed()
    assert zlib.decompress(packed) == report.as_json()
    assert digest == sha256(report.as_json()).hexdigest()


@given(report=REPORTS)
def test_the_bytes_say_what_the_document_says(report: Report) -> None:
    assert json.loads(report.as_json()) == report.as_dict()


def test_packed_reports_with_the_same_lines_keep_their_own_digests() -> None:
    line = Field(path="/Receipt/Header", action="copied", rule="copy")
    one, other = _report(line), Report(type="Receipt", source="x", target="y", sha256_in="2", sha256_out="3", fields=(line,))
    assert [json.loads(zlib.decompress(each.packed()[1]))["sha256_in"] for each in (one, other)] == ["0" * 64, "2"]


def test_a_report_that_was_altered_at_rest_does_not_unpack() -> None:
    packed = bytearray(_report(Field(path="/a", action="dropped", rule="cannot-carry")).packed()[1])
    packed[20] ^= 1
    with pytest.raises(zlib.error, match="data check"):
        zlib.decompress(bytes(packed))


def test_lines_that_differ_in_one_word_are_not_equal() -> None:
    assert Field(path="/a", action="copied", rule="copy") != Field(path="/a", action="copied", rule="fixed")


def test_lines_that_say_the_same_are_equal_and_found_by_each_other() -> None:
    one, other = (Field(path="/a", action="copied", rule="copy") for _ in range(2))
    assert {one: 1}[other] == 1
