"""`gateway check` as a case officer, a script or a partner's developer calls it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from gateway.cli import check
from gateway.errors import Misconfigured
from gateway.settings import data_folder

EXAMPLES = data_folder("schemas") / "readmission" / "1.0" / "examples"
APPLICATION = EXAMPLES / "ReadmissionApplication-own-national.xml"
BA = "urn:readmission-gateway:dialect:ba:ms:1"
NAME = "<KaoUDokumentu>SPECIMEN NAMUNA</KaoUDokumentu><Pismo>Latn</Pismo>"
DIALECT = f"""<?xml version="1.0" encoding="UTF-8"?>
<ZahtjevZaPrihvat xmlns="{BA}" verzija="1">
  <Zaglavlje><NasBroj>08-1/26</NasBroj><Posiljalac>BA-MS</Posiljalac><Primalac>PK-MOI</Primalac></Zaglavlje>
  <Zahtjev><Sporazum>ba-pk</Sporazum><Osnov>državljanin</Osnov><Postupak>redovni</Postupak><TrazeniRazgovor>da</TrazeniRazgovor>
    <Mjesto>Sarajevo</Mjesto><Datum>24.11.2026</Datum></Zahtjev>
  <OrganMolilac><Naziv>Ministarstvo sigurnosti</Naziv></OrganMolilac>
  <ZamoljeniOrgan><Naziv>Ministry of Interior</Naziv></ZamoljeniOrgan>
  <Osoba><Ime>{NAME}</Ime><Spol>M</Spol><Rodjenje><Datum>03.1990</Datum><TacnostDatuma>nepotpun</TacnostDatuma></Rodjenje>
    <Drzavljanstvo>PAK</Drzavljanstvo></Osoba>
  <Dokazi><Dokaz><Sifra>N2-08</Sifra></Dokaz></Dokazi>
</ZahtjevZaPrihvat>
"""


def run(*arguments: object) -> Result:
    app = typer.Typer()
    check.register(app)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def told(*arguments: object) -> Any:
    """Return the JSON of a check; the exit code must say the same."""
    result = run(*arguments, "--json")
    document = json.loads(result.stdout)
    assert result.exit_code == (0 if document["verdict"] == "accepted" else 1)
    return document


@pytest.fixture
def dialect_file(tmp_path: Path) -> Path:
    file = tmp_path / "zahtjev.xml"
    file.write_text(DIALECT, encoding="utf-8")
    return file


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.xml")), ids=lambda path: path.name)
def test_a_canonical_example_is_accepted(path: Path) -> None:
    assert told(path) == {"verdict": "accepted", "type": path.name.partition("-")[0], "errors": [], "warnings": []}


def test_a_refused_message_is_told_with_code_path_line_and_sentence(tmp_path: Path) -> None:
    file = tmp_path / "message.xml"
    file.write_text(APPLICATION.read_text(encoding="utf-8").replace("<Sex>male<", "<Sex>M<", 1), encoding="utf-8")
    assert told(file) == {
        "verdict": "refused",
        "type": "ReadmissionApplication",
        "errors": [
            {
                "code": "schema-violation",
                "path": "/ReadmissionApplication/Person/Sex",
                "line": 46,
                "message": "the value is none of: male, female, other, unknown",
            }
        ],
        "warnings": [],
    }


def test_a_personal_number_that_does_not_check_out_is_told_and_refuses_nothing(tmp_path: Path) -> None:
    file = tmp_path / "message.xml"
    text = APPLICATION.read_text(encoding="utf-8")
    file.write_text(text.replace("<Kind>cnic</Kind>", "<Kind>jmbg</Kind>", 1), encoding="utf-8")
    (warning,) = told(file)["warnings"]
    assert (warning["code"], warning["path"]) == ("check-digit", "/ReadmissionApplication/Person/Identifier[1]/Value")
    assert "to ask" in run(file).stdout


def test_people_get_sentences(tmp_path: Path) -> None:
    result = run(APPLICATION)
    assert "accepted" in result.stdout
    assert "ReadmissionApplication" in result.stdout
    file = tmp_path / "message.xml"
    file.write_text(
        APPLICATION.read_text(encoding="utf-8").replace("<Sex>male</Sex>", "").replace(">176<", ">x<"), encoding="utf-8"
    )
    result = run(file)
    assert result.exit_code == 1
    assert "2 problems" in result.stdout
    assert "Sex is missing" in result.stdout
    assert "/ReadmissionApplication/Person/PhysicalDescription/HeightCm" in result.stdout
    assert "{" not in result.stdout


def test_words_in_brackets_are_printed_as_they_are(tmp_path: Path) -> None:
    file = tmp_path / "[bold]x[bold].xml"
    shutil.copy(APPLICATION, file)
    assert "[bold]x[bold].xml" in run(file).stdout


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("missing.xml", None, "not-a-file"),
        ("empty.xml", b"", "empty-document"),
        ("binary.xml", b"\x89PNG\r\n\x1a\n\x00", "not-text"),
        ("large.xml", b"<a>" + b" " * 1_100_000 + b"</a>", "too-large"),
    ],
)
@pytest.mark.parametrize("dialect", [[], ["--dialect", "ba/ms-xml"], ["--dialect", "pk/moi-json"]])
def test_a_file_that_is_no_document_is_refused_for_every_format(
    tmp_path: Path, name: str, content: bytes | None, code: str, dialect: list[str]
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    found = told(tmp_path / name, *dialect)
    assert (found["type"], [error["code"] for error in found["errors"]]) == (None, [code])


def test_a_folder_is_refused(tmp_path: Path) -> None:
    (error,) = told(tmp_path)["errors"]
    assert error == {"code": "not-a-file", "path": "/", "line": None, "message": "this is a folder, not a document"}


# --- dialects ---------------------------------------------------------------------------------------------------------


def test_a_dialect_document_is_checked_as_the_message_that_it_says(dialect_file: Path) -> None:
    assert told(dialect_file, "--dialect", "ba/ms-xml") == {
        "verdict": "accepted",
        "type": "ReadmissionApplication",
        "errors": [],
        "warnings": [],
    }


def test_a_dialect_document_is_not_canonical(dialect_file: Path) -> None:
    assert [error["code"] for error in told(dialect_file)["errors"]] == ["unknown-message-type"]


def test_a_canonical_document_is_not_of_the_dialect() -> None:
    assert [error["code"] for error in told(APPLICATION, "--dialect", "ba/ms-xml")["errors"]] == ["unknown-message-type"]


def test_a_dialect_document_out_of_its_own_schema_is_refused_with_its_line(dialect_file: Path) -> None:
    dialect_file.write_text(DIALECT.replace("<Spol>M</Spol>", "<Pol>M</Pol>"), encoding="utf-8")
    (error,) = told(dialect_file, "--dialect", "ba/ms-xml")["errors"]
    assert (error["code"], error["line"]) == ("schema-violation", 8)
    assert error["path"].startswith("/ZahtjevZaPrihvat/Osoba")


def test_a_dialect_document_that_breaks_a_rule_is_refused_with_the_place_in_the_message(dialect_file: Path) -> None:
    dialect_file.write_text(DIALECT.replace("redovni", "ubrzani"), encoding="utf-8")
    found = told(dialect_file, "--dialect", "ba/ms-xml")
    (error,) = found["errors"]
    assert found["type"] == "ReadmissionApplication"
    assert (error["code"], error["path"], error["line"]) == ("rule-violation", "/ReadmissionApplication", None)
    assert "apprehension" in error["message"]


def test_a_json_dialect_out_of_form_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "request.json").write_text('{\n"documentType": }')
    (error,) = told(tmp_path / "request.json", "--dialect", "pk/moi-json")["errors"]
    assert (error["code"], error["line"]) == ("malformed-json", 2)


@pytest.mark.parametrize(
    ("dialect", "code"), [("xx/any", "unknown-partner"), ("ba/none", "unknown-dialect"), ("", "unknown-partner")]
)
def test_a_dialect_that_nobody_has_is_told(dialect: str, code: str) -> None:
    assert [error["code"] for error in told(APPLICATION, "--dialect", dialect)["errors"]] == [code]


# --- partners ---------------------------------------------------------------------------------------------------------


def test_an_authority_that_no_partner_folder_names_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "message.xml"
    file.write_text(APPLICATION.read_text(encoding="utf-8").replace("PK-MOI", "QQ-NONE"), encoding="utf-8")
    (error,) = told(file)["errors"]
    assert (error["code"], error["path"]) == ("unknown-authority", "/ReadmissionApplication/Header/Recipient")


def test_partner_folders_of_ones_own_can_be_tried(tmp_path: Path) -> None:
    shutil.copytree(data_folder("partners") / "ba", tmp_path / "ba")
    found = told(APPLICATION, "--partners", tmp_path)
    assert [error["code"] for error in found["errors"]] == ["unknown-authority"]  # Pakistan is not in this folder


def test_a_broken_partner_folder_is_the_installations_fault(tmp_path: Path) -> None:
    (tmp_path / "xa").mkdir()
    (tmp_path / "xa" / "partner.toml").write_text('code = "xb"\n')
    result = run(APPLICATION, "--partners", tmp_path)
    assert isinstance(result.exception, Misconfigured)


def test_a_settings_file_is_read(tmp_path: Path) -> None:
    shutil.copytree(data_folder("partners") / "ba", tmp_path / "own" / "ba")
    (tmp_path / "gateway.toml").write_text('partners = "own"\n')
    (tmp_path / "gateway.toml").chmod(0o600)
    found = told(APPLICATION, "--config", tmp_path / "gateway.toml")
    assert [error["code"] for error in found["errors"]] == ["unknown-authority"]


# --- the whole command ------------------------------------------------------------------------------------------------


def test_the_installed_command_prints_one_json_document_with_exit_code_1(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "check", tmp_path, "--json"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert json.loads(done.stdout)["errors"][0]["code"] == "not-a-file"
    assert "Traceback" not in done.stderr
