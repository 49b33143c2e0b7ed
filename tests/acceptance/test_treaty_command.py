"""`gateway treaty` as a lawyer and a script use it: list, show, check."""

import json
import shutil

import pytest
import typer
from typer.testing import CliRunner

from gateway.cli.treaty import register
from gateway.errors import NotAFile, UnknownTreaty
from gateway.settings import data_folder

TREATIES = data_folder("partners") / "treaties"


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in ("PARTNERS", "OVERRIDES"):
        monkeypatch.delenv(f"GATEWAY_{name}", raising=False)


def run(*arguments):
    app = typer.Typer()
    register(app)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def told(*arguments, code=0):
    result = run(*arguments, "--json")
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def test_treaties_are_listed():
    listed = [treaty["id"] for treaty in told("treaty", "list")["treaties"]]
    assert {"ba-pk", "eu-rs", "eu-rs/fr"} <= set(listed)
    assert sorted(listed) == sorted(path.relative_to(TREATIES).with_suffix("").as_posix() for path in TREATIES.rglob("*.toml"))


def test_partners_folder_of_the_caller_is_listed(tmp_path):
    (tmp_path / "elsewhere" / "treaties").mkdir(parents=True)
    assert told("treaty", "list", "--partners", tmp_path / "elsewhere") == {"treaties": []}


def test_list_for_people_names_the_limits():
    assert "ba-pk" in run("treaty", "list").stdout


def test_treaty_is_shown_with_article_source_and_confidence():
    rows = told("treaty", "show", "eu-rs")["limits"]
    assert {(row["id"], row["article"], row["confidence"]) for row in rows} == {
        ("submission", "Art. 10", "verified"),
        ("submission", "Art. 6(3)", "unverified"),
        ("reply", "Art. 10(2)", "verified"),
        ("transfer", "Art. 10", "verified"),
        ("travel-document", "article not read", "unverified"),
        ("error", "article not read", "unverified"),
        ("transit-reply", "article not read", "unverified"),
    }


def test_protocol_is_shown_as_one():
    shown = run("treaty", "show", "eu-rs/fr").stdout
    assert "Protocol to eu-rs: its rules prevail over the agreement's." in shown
    assert told("treaty", "show", "eu-rs/fr")["agreement"] == "eu-rs"


def test_obstacle_is_shown_as_an_extension_without_a_number():
    assert "extension: for as long as a recorded obstacle lasts" in run("treaty", "show", "eu-rs").stdout


def test_treaty_is_shown_to_people_with_extension_and_article():
    shown = run("treaty", "show", "eu-rs").stdout
    assert "reply: 10 calendar days after receipt, the requested state acts" in shown
    assert "extension: up to 6 calendar days more, at the request of the requested state, Art. 10(3)" in shown


def test_register_entry_is_shown_with_its_authorities():
    assert "Authority of BA: Ministry of Security" in run("treaty", "show", "ba-pk").stdout


def test_showing_an_unknown_treaty_is_refused():
    assert isinstance(run("treaty", "show", "xx").exception, UnknownTreaty)


def test_shipped_treaties_pass_their_check():
    found = told("treaty", "check")
    assert (found["verdict"], found["errors"]) == ("accepted", [])


def test_check_for_people_counts_the_examples():
    assert "eu-rs: 8 rules, 13 examples" in run("treaty", "check").stdout


def altered(folder, old, new):
    text = (TREATIES / "eu-rs.toml").read_text(encoding="utf-8")
    assert old in text
    path = folder / "eu-rs.toml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


@pytest.mark.parametrize("form", [("--json",), ()])
def test_check_refuses_an_example_that_does_not_come_out(tmp_path, form):
    result = run("treaty", "check", altered(tmp_path, "amount = 10", "amount = 11"), *form)
    assert result.exit_code == 1
    assert "says 2026-06-11" in result.stdout


@pytest.mark.parametrize("form", [("--json",), ()])
def test_check_refuses_a_rule_without_article(tmp_path, form):
    result = run("treaty", "check", altered(tmp_path, 'article = "Art. 10(2)"', ""), *form)
    assert result.exit_code == 1
    assert "'article' is missing" in result.stdout


def test_check_of_a_folder_that_is_not_there_is_refused(tmp_path):
    assert isinstance(run("treaty", "check", tmp_path / "none").exception, NotAFile)


ROW = 'id = "reply"'
REPLY_NUMBER = 'start = "receipt"\namount = 10'


@pytest.mark.parametrize(
    ("old", "new", "told_so"),
    [
        (ROW, 'id = "answer"', "'id' is 'answer'"),
        (ROW, f"{ROW}\ndays = 10", "'days' is not known"),
        (ROW, f'{ROW}\ndirection = "before"', "does not go with the start 'receipt'"),
        (ROW, f'{ROW}\nend = "rolled"', "'end_source'"),
        ('confidence = "unverified"', 'confidence = "unverified"\namount = 3', "nobody has verified"),
        (REPLY_NUMBER, 'start = "receipt"', "lacks an amount"),
        ('procedures = ["accelerated"]', 'procedures = ["ordinary"]', "no precedence between them"),
    ],
)
def test_check_refuses_a_rule_that_contradicts_itself(tmp_path, old, new, told_so):
    found = told("treaty", "check", altered(tmp_path, old, new), code=1)
    assert (found["verdict"], found["treaties"]) == ("refused", [])
    assert told_so in found["errors"][0]


@pytest.mark.parametrize("form", [("--json",), ()])
def test_check_refuses_a_rule_that_computes_without_an_example(tmp_path, form):
    text = (TREATIES / "eu-rs.toml").read_text(encoding="utf-8")
    begin = text.index("examples = [")
    (tmp_path / "eu-rs.toml").write_text(text[:begin] + text[text.index("\n]\n", begin) + 3 :], encoding="utf-8")
    result = run("treaty", "check", tmp_path / "eu-rs.toml", *form)
    assert result.exit_code == 1
    assert "limit 'submission' (ordinary) computes without an example" in result.stdout


@pytest.fixture
def folder(tmp_path):
    """Return a folder with the agreement EU-Serbia and its protocol with France."""
    (tmp_path / "rules" / "eu-rs").mkdir(parents=True)
    for name in ("eu-rs.toml", "eu-rs/fr.toml"):
        shutil.copy(TREATIES / name, tmp_path / "rules" / name)
    return tmp_path / "rules"


def test_check_of_a_folder_takes_agreement_and_protocol(folder):
    found = told("treaty", "check", folder)
    assert {treaty["id"] for treaty in found["treaties"]} == {"eu-rs", "eu-rs/fr"}


def test_check_of_a_protocol_counts_it_over_the_agreement_beside_it(folder):
    found = told("treaty", "check", folder / "eu-rs" / "fr.toml")
    assert [(treaty["id"], treaty["examples"]) for treaty in found["treaties"]] == [("eu-rs/fr", 4)]


def test_check_refuses_a_protocol_without_its_agreement(folder):
    (folder / "eu-rs.toml").unlink()
    assert "there is no agreement 'eu-rs'" in told("treaty", "check", folder, code=1)["errors"][0]


def test_check_refuses_two_protocols_for_one_pair_of_states(folder):
    text = (folder / "eu-rs" / "fr.toml").read_text(encoding="utf-8")
    (folder / "eu-rs" / "two.toml").write_text(text.replace('id = "eu-rs/fr"', 'id = "eu-rs/two"'), encoding="utf-8")
    assert "protocols for the same pair of states" in told("treaty", "check", folder, code=1)["errors"][0]


def test_check_refuses_a_protocol_whose_example_does_not_come_out(folder):
    path = folder / "eu-rs" / "fr.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("amount = 7", "amount = 8"), encoding="utf-8")
    found = told("treaty", "check", folder, code=1)
    assert {error.partition(":")[0] for error in found["errors"]} == {"treaties/eu-rs/fr.toml"}


def test_a_field_that_is_withheld_and_that_no_message_has_fails_the_check_and_a_good_one_is_shown(tmp_path):
    folder = tmp_path / "partners"
    shutil.copytree(TREATIES.parent, folder)
    file = folder / "treaties" / "eu-rs.toml"
    whole = file.read_text(encoding="utf-8")
    row = '\n[[withheld]]\nfield = "Person/{}"\narticle = "Art. 16(c)"\nsource = "invented"\nconfidence = "verified"\n'
    file.write_text(whole + row.format("Fingers"), encoding="utf-8")
    refused = told("treaty", "check", file, code=1)
    assert refused["errors"] == ["treaties/eu-rs.toml: withheld[1]: no message has a field 'Person/Fingers'"]

    file.write_text(whole + row.format("CivilStatus"), encoding="utf-8")
    told("treaty", "check", file)
    (shown,) = told("treaty", "show", "eu-rs", "--partners", folder)["withheld"]
    assert (shown["field"], shown["article"], shown["confidence"]) == ("Person/CivilStatus", "Art. 16(c)", "verified")
    assert "Not sent: Person/CivilStatus" in run("treaty", "show", "eu-rs", "--partners", folder).output
