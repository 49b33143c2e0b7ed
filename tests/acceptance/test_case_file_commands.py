"""`gateway case export`, `verify-case` and `case erase` as a script runs them."""

import json
import os
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.case import State
from gateway.store import cases
from gateway.store.database import open_engine, reading
from gateway.trust.vault import Vault
from tests.packs import Sample, forged, pack
from tests.running import run
from tests.store_rows import add_case

BY = ("--why", "retention-ended", "--by", "officer.one@ba-ms", "--yes")


@pytest.fixture
def engine(sqlite_url: str):
    """An engine on the database that the commands use."""
    opened = open_engine(sqlite_url)
    yield opened
    opened.dispose()


# --- verify-case --------------------------------------------------------------------------------------------------------


def test_stranger_needs_the_file_and_anchors_only(sample: Sample, tmp_path: Path) -> None:
    done = run("verify-case", sample.path, "--anchors", sample.keys / "anchors", "--json", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert set(done.json) == {"verdict", "code", "says", "items"}
    assert (done.json["verdict"], done.json["code"]) == ("valid", None)
    assert {frozenset(item) for item in done.json["items"]} == {frozenset({"item", "verdict", "code", "says"})}
    assert list(tmp_path.iterdir()) == []


def test_clerk_reads_sentences(sample: Sample, tmp_path: Path) -> None:
    done = run("verify-case", sample.path, "--anchors", sample.keys / "anchors", cwd=tmp_path)
    assert done.code == 0
    assert "The readmission application of AT-BMI to RS-MUP of 1 June 2026, 08:15:00 UTC is authentic" in done.out
    assert done.out.rstrip().splitlines()[-1].startswith("VALID")


def test_forged_file_ends_with_exit_code_one_and_its_code(sample: Sample, tmp_path: Path) -> None:
    path = pack(sample.files | {"README.txt": b"all is well"}, tmp_path / "forged.asice")
    done = run("verify-case", path, "--anchors", sample.keys / "anchors", "--json", cwd=tmp_path)
    assert (done.code, done.json["verdict"], done.json["code"]) == (1, "refused", "container-changed")
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "container-form"), (b"PK", "container-form"), (b"{}", "signature-invalid"), (b"x" * 2_000_000, "container-form")],
)
def test_anything_else_is_refused(told, tmp_path: Path, content: bytes, code: str) -> None:
    (tmp_path / "file").write_bytes(content)
    assert told("verify-case", tmp_path / "file", code=1)["code"] == code


def test_missing_file_is_refused(told, tmp_path: Path) -> None:
    assert told("verify-case", tmp_path / "missing", code=1)["error"]["code"] == "not-a-file"


@pytest.mark.skipif(sys.platform != "linux", reason="files of the kernel that have no end to look for")
def test_what_only_looks_like_a_file_is_refused(told, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path / "pipe", "/proc/version", "/proc/self/mem", "/dev/zero"):
        assert told("verify-case", place, code=1)["error"]["code"] == "not-a-file"


def test_words_of_the_exporter_move_no_cursor_and_colour_nothing(sample: Sample, tmp_path: Path) -> None:
    def write(files: dict[str, bytes], _index: dict[str, Any]) -> None:
        whole = json.loads(files["deadlines/reply.json"])
        whole["answer"]["source"] = "Art. [/bold]9\x1b[2J\u202e"
        files["deadlines/reply.json"] = json.dumps(whole).encode()

    path = forged(sample, tmp_path / "coloured.asice", write)
    done = run("verify-case", path, "--anchors", sample.keys / "anchors", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert "(Art. [/bold]9\\x1b[2J\\u202e)" in done.out
    assert "\x1b" not in done.out


def test_missing_anchors_are_a_fault_of_the_installation(sample: Sample, tmp_path: Path) -> None:
    done = run("verify-case", sample.path, "--anchors", tmp_path, "--json", cwd=tmp_path)
    assert (done.code, done.json["error"]["code"]) == (4, "key-missing")


# --- export -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def with_key(engine, keys: Path) -> int:
    """A closed case without messages, whose key the vault made."""
    return add_case(engine, state=State.TAKEN_BACK, wrapped_key=Vault.load(keys).new_case_key())


def test_export_writes_one_file_that_verifies(told, with_key: int, tmp_path: Path) -> None:
    out = tmp_path / "case.asice"
    written = told("case", "export", with_key, "--out", out, "--purpose", "appeal", "--by", "officer.one@ba-ms")
    assert (written["signed_by"], written["messages"], written["bytes"]) == ("BA-MS", 0, out.stat().st_size)
    assert told("verify-case", out)["verdict"] == "valid"
    with zipfile.ZipFile(out) as archive:
        assert json.loads(archive.read("case.json"))["exported"]["purpose"] == "appeal"


def test_export_may_be_named_by_reference(told, with_key: int, engine, tmp_path: Path) -> None:
    with reading(engine) as tx:
        reference = cases.get(tx, with_key).reference
    assert told("case", "export", reference, "--out", tmp_path / "x")["case"] == reference


def test_export_into_a_folder_that_is_not_there_is_wrong_usage(told, with_key: int, tmp_path: Path) -> None:
    told("case", "export", with_key, "--out", tmp_path / "missing" / "x", code=2)


def test_unknown_case_is_refused(told, tmp_path: Path) -> None:
    assert told("case", "export", "7", "--out", tmp_path / "x", code=1)["error"]["code"] == "not-found"
    assert told("case", "erase", "7", *BY, code=1)["error"]["code"] == "not-found"


# --- erase --------------------------------------------------------------------------------------------------------------


def test_erased_case_leaves_a_record_that_verifies_and_no_export(told, with_key: int, tmp_path: Path) -> None:
    done = told("case", "erase", with_key, *BY)
    assert done["record"]["why"] == "retention-ended"
    record = tmp_path / "record.json"
    record.write_text(json.dumps({name: done[name] for name in ("record", "certificates", "signature")}))
    assert told("verify-case", record)["verdict"] == "valid"
    assert told("case", "export", with_key, "--out", tmp_path / "x", code=1)["error"]["code"] == "erased"
    assert told("case", "erase", with_key, *BY, code=1)["error"]["code"] == "erased"
    assert told("journal", "verify")["verdict"] == "whole"
    assert told("case", "erase", "--replay")["erased_again"] == []


def test_open_case_is_not_erased(told, engine, tmp_path: Path) -> None:
    case_id = add_case(engine)
    assert told("case", "erase", case_id, *BY, code=1)["error"]["code"] == "case-open"


@pytest.mark.parametrize(
    "words",
    [
        ("1",),
        ("1", "--by", "x"),
        ("1", "--why", "the person, A. Specimen, asked", "--by", "x"),
        (),
        ("1", "--replay"),
    ],
)
def test_erasure_without_person_reason_or_case_is_wrong_usage(told, words) -> None:
    told("case", "erase", *words, code=2)


def test_erasure_that_is_not_confirmed_does_nothing(config, with_key: int, engine, tmp_path: Path) -> None:
    done = run("case", "erase", with_key, *BY[:-1], "--config", config, cwd=tmp_path)
    assert done.code == 1
    with reading(engine) as tx:
        assert cases.get(tx, with_key).wrapped_key is not None
