"""Every file of tests/vectors/broken is refused with the code that expected.json names, by every way in."""

import json
from functools import lru_cache
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from gateway.cli import check
from gateway.errors import catalogue
from gateway.partners import load
from gateway.settings import data_folder
from gateway.wire.check import Verdict, examine
from gateway.wire.documents import NS
from gateway.wire.schema import SchemaSet
from scripts.make_vectors import FOLDER, files

SCHEMAS = data_folder("schemas") / "readmission" / "1.0"
EXPECTED: dict[str, str] = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))

# Each kind of bad input, by the code that a partner's software will see.
KINDS = {
    "empty-document",
    "too-large",
    "not-text",
    "wrong-encoding",
    "malformed-xml",
    "malformed-json",
    "doctype-forbidden",
    "markup-forbidden",
    "too-many-attributes",
    "too-many-elements",
    "nested-too-deeply",
    "unknown-message-type",
    "unsupported-schema-version",
    "unknown-authority",
    "schema-violation",
    "rule-violation",
}


@lru_cache
def schemas() -> SchemaSet:
    return SchemaSet.load(SCHEMAS)


@lru_cache
def app() -> typer.Typer:
    made = typer.Typer()
    check.register(made)
    return made


@lru_cache
def authorities() -> frozenset[str]:
    return frozenset(load(data_folder("partners")).authorities)


def verdict_on(name: str) -> Verdict:
    return examine((FOLDER / name).read_bytes(), schemas(), authorities=authorities())


def test_the_script_leaves_no_diff() -> None:
    assert {path.name: path.read_bytes() for path in FOLDER.iterdir()} == files()


def test_every_file_has_a_code_with_none_left_over() -> None:
    assert set(EXPECTED) == {path.name for path in FOLDER.iterdir()} - {"expected.json"}
    assert set(EXPECTED.values()) == KINDS <= set(catalogue())


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_broken_document_is_refused_with_its_code(name: str) -> None:
    verdict = verdict_on(name)
    assert verdict.verdict == "refused"
    assert {error.code for error in verdict.errors} == {EXPECTED[name]}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_refusal_has_a_place_with_a_sentence_for_a_case_officer(name: str) -> None:
    for error in verdict_on(name).errors:
        assert error.path or error.line
        assert len(error.message.split()) >= 3
        for machine_talk in ("Traceback", "{", NS, "xs:", "libxml", "Error", "None", "\\"):
            assert machine_talk not in error.message


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_the_command_says_the_same_with_exit_code_1(name: str) -> None:
    result = CliRunner().invoke(app(), [str(FOLDER / name), "--json"])
    assert result.exit_code == 1
    told: Any = json.loads(result.stdout)
    assert told["verdict"] == "refused"
    assert {error["code"] for error in told["errors"]} == {EXPECTED[name]}
