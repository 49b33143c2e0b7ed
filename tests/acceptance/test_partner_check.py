"""`gateway partner check` says what is broken and what is missing in a partner folder, in the order in which to mend it."""

import json
from pathlib import Path
from shutil import copy, copytree, ignore_patterns
from typing import Any

import pytest
import typer
from lxml import html
from typer.testing import CliRunner

from gateway.cli import partner
from gateway.flow.partner_check import CHECKS
from gateway.settings import data_folder
from gateway.wire.hostile import variants

ONE = "own-national"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Austria, Serbia and Pakistan with one example each, treaties and calendars beside them."""
    for code, dialect, form in (("at", "bmi-json", "json"), ("rs", "mup-xml", "xml"), ("pk", "moi-json", "json")):
        copytree(data_folder("partners") / code, tmp_path / code, ignore=ignore_patterns("examples"))
        examples = tmp_path / code / "dialects" / dialect / "examples"
        examples.mkdir()
        copy(data_folder("partners") / code / "dialects" / dialect / "examples" / f"{ONE}.{form}", examples)
    for name in ("treaties", "calendars"):
        copytree(data_folder("partners") / name, tmp_path / name)
    return tmp_path


def check(*words: object, code: int = 0) -> Any:
    """Return the reports."""
    app = typer.Typer()
    partner.register(app)
    done = CliRunner().invoke(app, ["partner", "check", *map(str, words), "--json"])
    assert done.exit_code == code, done.output or done.exception
    return json.loads(done.stdout)["partners"]


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def broken(report: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["check"], each["what"]) for each in report["findings"] if each["weight"] == "broken"]


def missing(report: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["check"], each["what"]) for each in report["findings"] if each["weight"] == "missing"]


def test_a_folder_that_can_be_used_is_ok_though_much_is_missing(folder: Path) -> None:
    (report,) = check(folder / "rs")
    assert (report["ok"], report["ready"], report["problems"], report["examples"]) == (True, False, [], 1)
    assert ("examples", "rs/mup-xml: 1 examples, 6 are wanted") in missing(report)
    assert any(what.startswith("rs/mup-xml: no example of ") and "ReadmissionReply" in what for _, what in missing(report))


def test_findings_come_broken_first_then_in_the_order_of_the_checks(folder: Path) -> None:
    edit(folder / "at" / "dialects" / "bmi-json" / "codes.toml", 'sea = "', 'see = "')
    (report,) = check(folder / "at", code=1)
    assert [each["order"] for each in report["findings"]] == list(range(1, len(report["findings"]) + 1))
    weights = [each["weight"] for each in report["findings"]]
    assert weights == sorted(weights)
    order = list(CHECKS)
    places = [order.index(each["check"]) for each in report["findings"] if each["weight"] == "missing"]
    assert places == sorted(places)
    assert all(each["fix"] for each in report["findings"])


def test_a_folder_that_cannot_be_read_names_file_and_key_and_what_was_not_reached(folder: Path) -> None:
    edit(folder / "at" / "partner.toml", 'zone = "Europe/Vienna"', 'zone = "Europe/Wien"')
    (report,) = check(folder / "at", code=1)
    ((where, what),) = broken(report)
    assert where == "files"
    assert "at/partner.toml: " in what
    assert "key 'zone'" in what
    assert report["not_reached"] == list(CHECKS)[1:]


def test_a_code_that_no_field_knows_is_broken(folder: Path) -> None:
    edit(folder / "at" / "dialects" / "bmi-json" / "codes.toml", 'sea = "', 'see = "')
    (report,) = check(folder / "at", code=1)
    assert ("codes", "see") in [(where, what.rpartition(" ")[2]) for where, what in broken(report)]


def test_a_value_without_a_code_is_missing_and_so_is_a_code_that_is_not_read(folder: Path) -> None:
    path = folder / "pk" / "dialects" / "moi-json" / "codes.toml"
    (line,) = [each for each in path.read_text(encoding="utf-8").splitlines() if each.startswith("hazel = ")][:1]
    edit(path, f"{line}\n", "")
    (report,) = check(folder / "pk")
    told = [what for where, what in missing(report) if where == "codes"]
    assert any(what.endswith("has no code for: hazel") for what in told)
    assert any("does not read what schema.json allows" in what for what in told)


def test_a_code_that_the_partners_schema_refuses_is_broken(folder: Path) -> None:
    path = folder / "pk" / "dialects" / "moi-json" / "codes.toml"
    (line,) = [each for each in path.read_text(encoding="utf-8").splitlines() if each.startswith("hazel = ")][:1]
    edit(path, line, 'hazel = "NUT"')
    (report,) = check(folder / "pk", code=1)
    assert any(where == "codes" and "writes what schema.json does not allow: NUT" in what for where, what in broken(report))


def test_a_format_that_cannot_carry_an_answer_is_told_so(folder: Path) -> None:
    mapping = folder / "at" / "dialects" / "bmi-json" / "mapping.toml"
    text = mapping.read_text(encoding="utf-8")
    head, _, rest = text.partition("[messages.ReadmissionReply]")
    mapping.write_text(head + rest[rest.index("[messages.") :], encoding="utf-8")
    (report,) = check(folder / "at", code=1)  # its code lists are left without a row
    assert ("exchange", "at/bmi-json, the format of AT-BMI, has no ReadmissionReply") in missing(report)
    (whole,) = check(folder / "rs")
    assert [where for where, _ in missing(whole) if where == "exchange"] == []


def test_what_a_lax_schema_lets_pass_the_mapping_refuses(folder: Path) -> None:
    path = folder / "at" / "dialects" / "bmi-json" / "schema.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"additionalProperties": false', '"additionalProperties": true'))
    (report,) = check(folder / "at")
    assert [where for where, _ in broken(report)] == []  # the mapping knows no such member, and refuses it


@pytest.mark.parametrize(("code", "dialect", "form"), [("at", "bmi-json", "json"), ("rs", "mup-xml", "xml")])
def test_every_hostile_variant_differs_from_the_example_and_there_are_many(code: str, dialect: str, form: str) -> None:
    body = (data_folder("partners") / code / "dialects" / dialect / "examples" / f"{ONE}.{form}").read_bytes()
    made = list(variants(form, body))
    assert len(made) > 15
    assert len({each.name for each in made}) == len(made)
    assert all(each.body != body for each in made)


def test_a_state_without_agreement_is_missing_until_the_folder_says_why(folder: Path) -> None:
    for path in (folder / "at", folder / "rs"):
        edit(path / "partner.toml", f'state = "{path.name.upper()}"', 'state = "XA"')
        text = (path / "partner.toml").read_text(encoding="utf-8")
        (path / "partner.toml").write_text(text.replace(f'"{path.name.upper()}-', '"XA-'), encoding="utf-8")
    edit(folder / "rs" / "partner.toml", 'state = "XA"', 'state = "XA"\nno_agreement = "none was concluded"')
    without, said = check(folder / "at", folder / "rs")
    assert [where for where, what in missing(without) if "no file under treaties/ names XA" in what] == ["treaty"]
    assert [where for where, _ in missing(said) if where == "treaty"] == []


def test_no_agreement_is_broken_where_one_binds_the_state(folder: Path) -> None:
    edit(folder / "rs" / "partner.toml", 'state = "RS"', 'state = "RS"\nno_agreement = "none was concluded"')
    (report,) = check(folder / "rs", code=1)
    assert [where for where, what in broken(report) if "eu-rs" in what] == ["treaty"]


def test_a_calendar_beside_the_folder_is_read_and_an_unknown_one_is_missing(folder: Path) -> None:
    edit(folder / "rs" / "partner.toml", 'calendar = "rs"', 'calendar = "xa"')
    (report,) = check(folder / "rs")
    assert any(what.startswith("there is no calendars/xa.toml") for where, what in missing(report) if where == "calendar")
    (folder / "calendars" / "xa.toml").write_text(
        (folder / "calendars" / "rs.toml").read_text(encoding="utf-8").replace('id = "rs"', 'id = "xa"'), encoding="utf-8"
    )
    (report,) = check(folder / "rs")
    assert [what for where, what in missing(report) if where == "calendar"] == []


def test_an_authority_without_a_certificate_is_missing(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    config = tmp_path / "gateway.toml"
    config.write_text(f'keys = "{tmp_path / "keys"}"\n', encoding="utf-8")
    (report,) = check(folder / "rs", "--config", config)
    assert any(where == "certificates" for where, _ in missing(report))


def test_the_page_says_the_same_and_loads_nothing_from_elsewhere(folder: Path, tmp_path: Path) -> None:
    edit(folder / "at" / "dialects" / "bmi-json" / "codes.toml", 'sea = "', 'see = "')
    page = tmp_path / "report.html"
    (report,) = check(folder / "at", "--html", page, code=1)
    root = html.fromstring(page.read_text(encoding="utf-8"))
    assert len(root.findall(".//tbody/tr")) == len(report["findings"])
    assert root.xpath("//script | //link | //img | //@src | //@href") == []
    assert report["findings"][0]["what"] in root.text_content()


def test_people_read_the_same_order(folder: Path) -> None:
    app = typer.Typer()
    partner.register(app)
    said = CliRunner().invoke(app, ["partner", "check", str(folder / "rs")]).stdout
    assert said.startswith("rs: ok, 1 examples both ways, ")
    assert "1. missing (examples)" in said
