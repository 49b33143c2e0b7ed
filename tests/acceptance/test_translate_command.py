"""`gateway translate` and `gateway partner` as a person or a script calls them."""

import json
from hashlib import sha256
from pathlib import Path
from shutil import copytree, rmtree
from typing import Any

import pytest
import typer
from lxml import etree
from typer.testing import CliRunner

from gateway.cli import partner, translate
from gateway.errors import GatewayError, NotAFile, RuleViolation, SchemaViolation, UnknownDialect
from gateway.settings import data_folder
from gateway.wire.documents import parse_xml

BA = "urn:readmission-gateway:dialect:ba:ms:1"
NAME = "<KaoUDokumentu>SPECIMEN NAMUNA</KaoUDokumentu><Pismo>Latn</Pismo>"
APPLICATION = f"""<?xml version="1.0" encoding="UTF-8"?>
<ZahtjevZaPrihvat xmlns="{BA}" verzija="1">
  <Zaglavlje><NasBroj>08-1/26</NasBroj><Posiljalac>BA-MS</Posiljalac><Primalac>PK-MOI</Primalac></Zaglavlje>
  <Zahtjev><Sporazum>ba-pk</Sporazum><Osnov>državljanin</Osnov><Postupak>redovni</Postupak><TrazeniRazgovor>da</TrazeniRazgovor>
    <Mjesto>Sarajevo</Mjesto><Datum>24.11.2026</Datum></Zahtjev>
  <OrganMolilac><Naziv>Ministarstvo sigurnosti</Naziv><Faks>033 000 000</Faks></OrganMolilac>
  <ZamoljeniOrgan><Naziv>Ministry of Interior</Naziv></ZamoljeniOrgan>
  <Osoba><Ime>{NAME}</Ime><LicniBroj><Vrsta>CNIC</Vrsta><Broj>35202-1234567-1</Broj><Drzava>PAK</Drzava></LicniBroj>
    <Spol>M</Spol><Rodjenje><Datum>03.1990</Datum><TacnostDatuma>nepotpun</TacnostDatuma></Rodjenje>
    <Drzavljanstvo>PAK</Drzavljanstvo></Osoba>
  <Dokazi><Dokaz><Sifra>N2-08</Sifra></Dokaz></Dokazi>
</ZahtjevZaPrihvat>
"""


@pytest.fixture
def application(tmp_path: Path) -> Path:
    file = tmp_path / "application.xml"
    file.write_text(APPLICATION, encoding="utf-8")
    return file


def run(*arguments: object, fails: type[GatewayError] | None = None, code: int = 0) -> str:
    """Run one command in this process; the error that `main` would turn into an exit code is checked by its class."""
    app = typer.Typer()
    translate.register(app)
    partner.register(app)
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if fails is not None:
        assert isinstance(result.exception, fails)
        return str(result.exception)
    assert result.exit_code == code, result.output or result.exception
    return result.stdout


def test_a_bosnian_application_comes_out_in_pakistans_format(application: Path) -> None:
    document = json.loads(run("translate", application, "--from", "ba/ms-xml", "--to", "pk/moi-json"))
    assert document["documentType"] == "READMISSION_REQUEST"
    assert document["person"] == {
        "name": {"fullName": "SPECIMEN NAMUNA", "script": "Latn"},
        "gender": "MALE",
        "birth": {"date": "03-1990", "dateAccuracy": "PARTIAL"},
        "nationalities": ["PAK"],
        "identityNumbers": [{"type": "CNIC", "number": "35202-1234567-1", "country": "PAK"}],
    }
    assert document["request"]["interviewRequested"] is True


def test_the_report_tells_what_was_done_to_each_field(application: Path, tmp_path: Path) -> None:
    out, report = tmp_path / "out.json", tmp_path / "report.json"
    said = run("translate", application, "--from", "ba/ms-xml", "--to", "pk/moi-json", "--out", out, "--report", report)
    found = json.loads(report.read_text(encoding="utf-8"))
    assert (found["from"], found["to"], found["dropped"]) == ("ba/ms-xml", "pk/moi-json", 1)
    assert found["sha256_in"] == sha256(application.read_bytes()).hexdigest()
    assert found["sha256_out"] == sha256(out.read_bytes()).hexdigest()
    by_path: dict[str, list[dict[str, Any]]] = {}
    for field in found["fields"]:
        by_path.setdefault(field["path"], []).append(field)
    root = "/ReadmissionApplication"
    assert [field["action"] for field in by_path[f"{root}/Person/Sex"]] == ["coded", "coded"]
    assert by_path[f"{root}/RequestingAuthority/Fax"][-1]["action"] == "dropped"
    assert by_path[f"{root}/RequestingAuthority/Fax"][-1]["why"]
    filled = {path for path, fields in by_path.items() if any(field["rule"] == "fill" for field in fields)}
    assert filled == {f"{root}/Header/{name}" for name in ("MessageId", "CaseReference", "Sequence", "Created")}
    assert "SPECIMEN" not in report.read_text(encoding="utf-8")
    assert "dropped /ReadmissionApplication/RequestingAuthority/Fax" in said


def test_json_output_is_the_report_alone(application: Path, tmp_path: Path) -> None:
    found = json.loads(run("translate", application, "--from", "ba/ms-xml", "--to", "canonical", "--json"))
    assert (found["to"], found["type"], found["dropped"]) == ("canonical", "ReadmissionApplication", 0)


def test_the_way_back_gives_the_same_document(application: Path, tmp_path: Path) -> None:
    canonical, there, back = tmp_path / "canonical.xml", tmp_path / "there.xml", tmp_path / "back.xml"
    run("translate", application, "--from", "ba/ms-xml", "--to", "canonical", "--out", canonical)
    run("translate", canonical, "--from", "canonical", "--to", "ba/ms-xml", "--out", there)
    run("translate", there, "--from", "ba/ms-xml", "--to", "canonical", "--out", back)
    assert back.read_bytes() == canonical.read_bytes()


def test_canonical_to_canonical_is_checked_and_handed_on(application: Path, tmp_path: Path) -> None:
    canonical, same = tmp_path / "canonical.xml", tmp_path / "same.xml"
    run("translate", application, "--from", "ba/ms-xml", "--to", "canonical", "--out", canonical)
    run("translate", canonical, "--from", "canonical", "--to", "canonical", "--out", same)
    assert same.read_bytes() == canonical.read_bytes()


def test_each_message_gets_an_identifier_of_its_own(application: Path) -> None:
    found = [run("translate", application, "--from", "ba/ms-xml", "--to", "canonical") for _ in range(2)]
    header = [parse_xml(text.encode())[0] for text in found]
    assert header[0][0].text != header[1][0].text
    assert etree.QName(header[0][0]).localname == "MessageId"


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("<Datum>03.1990</Datum>", "", RuleViolation),
        ("<Sifra>N2-08</Sifra>", "<Sifra>N9-99</Sifra>", SchemaViolation),
        ("<Spol>M</Spol>", "", SchemaViolation),
    ],
)
def test_nothing_is_written_when_a_document_is_refused(
    application: Path, tmp_path: Path, old: str, new: str, error: type[GatewayError]
) -> None:
    application.write_text(APPLICATION.replace(old, new), encoding="utf-8")
    out, report = tmp_path / "out.json", tmp_path / "report.json"
    run("translate", application, "--from", "ba/ms-xml", "--to", "pk/moi-json", "--out", out, "--report", report, fails=error)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["application.xml"]


def test_an_unknown_dialect_is_named(application: Path) -> None:
    assert "ba/other" in run("translate", application, "--from", "ba/other", "--to", "canonical", fails=UnknownDialect)


def test_a_place_that_cannot_be_written_is_told(application: Path, tmp_path: Path) -> None:
    out = tmp_path / "nowhere" / "out.xml"
    assert "out.xml" in run("translate", application, "--from", "ba/ms-xml", "--to", "canonical", "--out", out, fails=NotAFile)


@pytest.fixture
def partners(tmp_path: Path, application: Path) -> Path:
    folder = tmp_path / "partners"
    for code in ("ba", "pk"):
        copytree(data_folder("partners") / code, folder / code)
    examples = folder / "ba" / "dialects" / "ms-xml" / "examples"
    rmtree(examples)
    examples.mkdir()
    application.rename(examples / "application.xml")
    return folder


def test_partners_are_listed_with_their_authorities() -> None:
    found = {entry["code"]: entry for entry in json.loads(run("partner", "list", "--json"))["partners"]}
    assert found["ba"]["authorities"][0]["code"] == "BA-MS"
    assert found["pk"]["dialects"] == [{"id": "pk/moi-json", "format": "json", "version": "1"}]
    assert "PK-MOI" in run("partner", "list")


def test_a_partner_whose_examples_go_both_ways_is_ok(partners: Path) -> None:
    found = json.loads(run("partner", "check", partners / "ba", "--json"))["partners"]
    (told,) = [{name: each[name] for name in ("code", "ok", "problems", "examples")} for each in found]
    assert told == {"code": "ba", "ok": True, "problems": [], "examples": 1}


def test_every_partner_of_a_folder_is_checked(partners: Path) -> None:
    found = json.loads(run("partner", "check", "--partners", partners, "--json"))["partners"]
    assert [(entry["code"], entry["ok"]) for entry in found] == [("ba", True), ("pk", True)]


def test_a_broken_example_is_a_problem(partners: Path) -> None:
    example = partners / "ba" / "dialects" / "ms-xml" / "examples" / "application.xml"
    example.write_text(APPLICATION.replace("<Spol>M</Spol>", "<Spol>Q</Spol>"), encoding="utf-8")
    found = json.loads(run("partner", "check", partners / "ba", "--json", code=1))["partners"][0]
    assert (found["ok"], found["examples"]) == (False, 1)
    assert found["problems"][0].startswith("ba/ms-xml/examples/application.xml: unmapped-code at /ZahtjevZaPrihvat/Osoba/Spol")


def test_a_hole_in_a_mapping_is_a_problem_with_file_and_field(partners: Path) -> None:
    mapping = partners / "ba" / "dialects" / "ms-xml" / "mapping.toml"
    text = mapping.read_text(encoding="utf-8")
    mapping.write_text(text.replace('  { here = "Faks", canonical = "Fax" },\n', ""), encoding="utf-8")
    said = run("partner", "check", partners / "ba", code=1)
    assert "mapping-invalid: ba/dialects/ms-xml/mapping.toml" in said
    assert "RequestingAuthority/Fax" in said


def test_a_folder_that_is_no_partner_is_refused(tmp_path: Path) -> None:
    run("partner", "check", tmp_path, fails=NotAFile)
