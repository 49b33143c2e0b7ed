"""`gateway partner new`: from a stranger's document to a folder that passes the check."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from gateway.cli import partner
from gateway.settings import data_folder
from tests.running import call
from tests.strangers import ANSWERS, CSV, JSON, XML

PARTNERS = data_folder("partners")


def given(folder: Path, name: str, body: bytes, answers: str = ANSWERS) -> tuple[Path, Path]:
    (folder / name).write_bytes(body)
    (folder / "answers.toml").write_text(answers, encoding="utf-8")
    return folder / name, folder / "answers.toml"


@pytest.mark.parametrize(("name", "body"), [("request.xml", XML), ("request.json", JSON), ("requests.csv", CSV)])
def test_folder_from_a_sample_passes_the_check(name: str, body: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sample, answers = given(tmp_path, name, body)
    made = call(
        "partner",
        "new",
        "xa",
        "--sample",
        sample,
        "--answers",
        answers,
        "--out",
        tmp_path / "out",
        "--json",
        monkeypatch=monkeypatch,
    )
    assert made.code == 0
    assert made.json["type"] == "ReadmissionApplication"
    assert made.json["added"]
    assert made.json["check"]["examples"] == 1
    assert call("partner", "check", tmp_path / "out" / "xa", monkeypatch=monkeypatch).code == 0
    assert "## 1. Fields that every message must have" in (tmp_path / "out" / "xa" / "GUESSES.md").read_text(encoding="utf-8")
    told = json.loads((tmp_path / "out" / "xa" / "guesses.json").read_text(encoding="utf-8"))
    assert told["matched"] == made.json["matched"]


def test_table_gets_no_column_for_what_the_gateway_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sample, answers = given(tmp_path, "requests.csv", CSV)
    words = ("partner", "new", "xa", "--sample", sample, "--answers", answers, "--out", tmp_path / "out", "--json")
    added = {one["canonical"] for one in call(*words, monkeypatch=monkeypatch).json["added"]}
    assert added >= {"Header/Sender", "Request/Date"}
    assert not added & {"Header/MessageId", "Header/Created"}


def test_folder_that_is_there_is_not_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sample, answers = given(tmp_path, "request.xml", XML)
    (tmp_path / "xa").mkdir()
    (tmp_path / "xa" / "mine.txt").write_text("kept")
    words = ("partner", "new", "xa", "--sample", sample, "--answers", answers, "--out", tmp_path)
    assert call(*words, monkeypatch=monkeypatch).code == 2
    assert (tmp_path / "xa" / "mine.txt").read_text() == "kept"
    assert call(*words, "--force", monkeypatch=monkeypatch).code == 0
    assert not (tmp_path / "xa" / "mine.txt").exists()


@pytest.mark.parametrize("key", ["state", "name", "own_name", "languages", "working_language", "zone", "calendar"])
def test_answer_that_is_missing_is_named(key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head, tables = ANSWERS.split("[[", 1)
    left = "".join(line for line in head.splitlines(keepends=True) if not line.startswith(f"{key} ="))
    sample, answers = given(tmp_path, "request.xml", XML, f"{left}[[{tables}")
    done = call(
        "partner",
        "new",
        "xa",
        "--sample",
        sample,
        "--answers",
        answers,
        "--out",
        tmp_path / "out",
        "--json",
        monkeypatch=monkeypatch,
    )
    assert (done.code, done.json["error"]["code"]) == (4, "partner-invalid")
    assert f"answers.toml: key '{key}' is missing" in done.json["error"]["message"]
    assert not (tmp_path / "out").exists()


def test_questions_are_asked_where_no_answers_are_given(tmp_path: Path) -> None:
    (tmp_path / "request.xml").write_bytes(XML)
    app = typer.Typer()
    partner.register(app)
    answers = [
        "XA",
        "Xanadu",
        "Xanadu",
        "en, fr",
        "en",
        "Europe/Sarajevo",
        "ba",
        "XA-MOI",
        "Ministry",
        "Ministry",
        "pull",
        "n",
        "n",
    ]
    words = ["partner", "new", "xa", "--sample", str(tmp_path / "request.xml"), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, words, input="\n".join(answers) + "\n")
    assert done.exit_code == 0, done.output
    assert 'languages = ["en", "fr"]' in (tmp_path / "out" / "xa" / "partner.toml").read_text(encoding="utf-8")
