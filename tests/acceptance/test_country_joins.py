"""A country that nobody foresaw joins with data alone: its words, its examples, a treaty; then it is asked, and answers."""

from pathlib import Path

import pytest

from gateway.settings import data_folder
from tests.running import call
from tests.vocabularies import CSV_GROUPS, LATIN_XML, LINES, NESTED_JSON, XLSX_GROUPS, dialect_folder, vocabulary_text

EXAMPLES = data_folder("schemas") / "readmission" / "1.0" / "examples"
PARTNER = """\
code = "xa"
state = "XA"
name = "Exampleland"
own_name = "Exampleland"
languages = ["en"]
working_language = "en"
zone = "Europe/Sarajevo"
calendar = "ba"
[[authorities]]
code = "XA-MIA"
name = "Ministry of Internal Affairs"
own_name = "Ministry of Internal Affairs"
dialect = "test"
edge = "files"
"""
TREATY = """\
id = "ba-xa"
name = "Agreement of a test"
version = "1"
[[parties]]
code = "BA"
name = "Bosnia and Herzegovina"
states = ["BA"]
[[parties]]
code = "XA"
name = "Exampleland"
states = ["XA"]
"""


FORMATS = {
    "xml": (LATIN_XML, "xml"),
    "json": (NESTED_JSON, "json"),
    "csv": (CSV_GROUPS, "csv"),
    "xlsx": (XLSX_GROUPS, "xlsx"),
    "lines": (LINES, "txt"),
}


@pytest.mark.parametrize(("head", "suffix"), FORMATS.values(), ids=FORMATS)
def test_an_invented_country_is_asked_and_answers(
    head: str, suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    partners = tmp_path / "partners"
    (partners / "treaties").mkdir(parents=True)
    (partners / "treaties" / "ba-xa.toml").write_text(TREATY, encoding="utf-8")
    for shipped in ("ba", "calendars"):
        (partners / shipped).symlink_to(data_folder("partners") / shipped)
    folder = dialect_folder(partners, vocabulary_text(head))
    (partners / "xa" / "partner.toml").write_text(PARTNER, encoding="utf-8")
    (tmp_path / "gateway.toml").write_text('partners = "partners"\nkeys = "keys"\ncalendar_changes = "changes.toml"\n')
    monkeypatch.chdir(tmp_path)

    assert call("partner", "draft", partners / "xa", monkeypatch=monkeypatch).code == 0
    (folder / "examples").mkdir()
    for name in ("ReadmissionApplication-own-national", "ReadmissionReply-agreed"):
        words = ("--from", "canonical", "--to", "xa/test", "--partners", "partners", "--out")
        example = folder / "examples" / f"{name}.{suffix}"
        assert call("translate", EXAMPLES / f"{name}.xml", *words, example, monkeypatch=monkeypatch).code == 0
    checked = call("partner", "check", partners / "xa", "--partners", "partners", "--json", monkeypatch=monkeypatch)
    (report,) = checked.json["partners"]
    assert (report["problems"], report["examples"]) == ([], 2)

    played = call("simulate", "xa", "--behaviour", "accept", "--config", "gateway.toml", "--json", monkeypatch=monkeypatch)
    assert played.code == 0, played.out
    (scene,) = played.json["scenes"]
    assert (played.json["played"], scene["sent"]) == ("XA-MIA", ["ReadmissionReply: sent"])
    assert {"what": "the case", "expected": "agreed", "found": "agreed", "ok": True} in scene["checks"]
