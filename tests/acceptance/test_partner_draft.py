"""`gateway partner words` and `gateway partner draft` as somebody who knows the partner's words calls them."""

import tomllib
from pathlib import Path

import pytest

from tests.running import call
from tests.vocabularies import LATIN_XML, dialect_folder, vocabulary_text


def test_vocabulary_is_drafted_into_a_dialect_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = dialect_folder(tmp_path, vocabulary_text(LATIN_XML))
    done = call("partner", "draft", folder, "--json", monkeypatch=monkeypatch)
    assert done.code == 0
    assert done.json == {
        "ok": True,
        "dialects": [{"dialect": "xa/test", "differing": ["mapping.toml", "schema.xsd", "codes.toml"]}],
    }
    assert tomllib.loads((folder / "mapping.toml").read_text(encoding="utf-8"))["format"] == "xml"


def test_check_writes_nothing_and_fails_on_drift(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = dialect_folder(tmp_path, vocabulary_text(LATIN_XML))
    done = call("partner", "draft", tmp_path, "--check", monkeypatch=monkeypatch)
    assert done.code == 1
    assert "xa/test: not as drafted: mapping.toml, schema.xsd, codes.toml" in done.out
    assert not (folder / "mapping.toml").exists()
    call("partner", "draft", tmp_path, monkeypatch=monkeypatch)
    assert call("partner", "draft", tmp_path, "--check", monkeypatch=monkeypatch).code == 0


def test_folder_without_a_vocabulary_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = call("partner", "draft", tmp_path, "--json", monkeypatch=monkeypatch)
    assert (done.code, done.json["error"]["code"]) == (1, "not-a-file")


def test_slip_in_the_vocabulary_is_told_with_file_and_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dialect_folder(tmp_path, vocabulary_text(LATIN_XML, words={"Person": "1"}))
    done = call("partner", "draft", tmp_path, "--json", monkeypatch=monkeypatch)
    assert (done.code, done.json["error"]["code"]) == (4, "mapping-invalid")
    assert "xa/dialects/test/vocabulary.toml: key 'words." in done.json["error"]["message"]


def test_empty_vocabulary_is_toml_for_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    done = call("partner", "words", monkeypatch=monkeypatch)
    assert done.code == 0
    assert "IssuingState" in tomllib.loads(done.out)["words"]
