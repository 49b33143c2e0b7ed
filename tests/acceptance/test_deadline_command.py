"""`gateway deadline` and `gateway treaty` as a lawyer and a script use them."""

import json
import shutil

import pytest
import typer
from typer.testing import CliRunner

from gateway.cli.clock import register
from gateway.errors import NotAFile, UnknownLimit, UnknownTreaty
from gateway.settings import data_folder

MONDAY = ("--start", "2026-06-01T10:15:00+02:00")
NOTICE_ROW = """
[[limits]]
id = "transfer-notice"
who = "requesting"
start = "planned-transfer"
direction = "before"
amount = %d
unit = "working-days"
calendar = "requesting"
procedures = ["ordinary"]
categories = ["national"]
article = "Art. 99"
source = "invented"
confidence = "verified"
escorted = %s
"""
NOTICE = NOTICE_ROW % (2, "false") + NOTICE_ROW % (5, "true")
REPLY = ("deadline", "--treaty", "eu-rs", "--limit", "reply")


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


# --- deadline ---------------------------------------------------------------------------------------------------------


def test_reply_to_an_application_received_on_a_monday_is_due_on_the_tenth_day():
    found = told(*REPLY, *MONDAY)
    explain = found.pop("explain")
    assert found == {
        "treaty": "eu-rs",
        "limit": "reply",
        "applies": True,
        "known": True,
        "start_on": "2026-06-01",
        "zone": "Europe/Belgrade",
        "unit": "calendar-days",
        "amount": 10,
        "literal": {"due_on": "2026-06-11", "until": "2026-06-11T22:00:00Z"},
        "rolled": {"due_on": "2026-06-11", "until": "2026-06-11T22:00:00Z"},
        "extension": {"granted": False, "why": "No extension was asked for."},
        "on_lapse": "agreed",
        "lapses_at": "2026-06-11T22:00:00Z",
        "source": "Art. 10(2)",
        "confidence": "verified",
        "calendar": {"id": "rs", "version": "holidays-0.109/2"},
        "estimated": False,
    }
    assert "Every day counts: day 1 is Tue 2 June 2026, day 10 is Thu 11 June 2026." in explain


def test_both_ends_are_shown_to_people_when_they_differ():
    result = run(*REPLY, "--start", "2026-06-03T10:15:00+02:00")
    assert result.exit_code == 0
    assert "Act by Sat 13 June 2026" in result.stdout
    assert "Rely on silence only after Mon 15 June 2026" in result.stdout


def test_one_end_is_shown_to_people_when_both_agree():
    result = run(*REPLY, *MONDAY)
    assert "Due Thu 11 June 2026" in result.stdout
    assert "Rely on silence" not in result.stdout


def test_accelerated_reply_is_counted_in_working_days_of_serbia():
    found = told(*REPLY, "--procedure", "accelerated", "--start", "2026-04-09T10:15:00+02:00", "--requesting", "AT")
    assert (found["amount"], found["unit"], found["rolled"]["due_on"]) == (2, "working-days", "2026-04-15")


def test_asked_state_decides_whose_days_count():
    found = told(*REPLY, *MONDAY, "--requested", "AT")
    assert (found["zone"], found["calendar"]["id"]) == ("Europe/Vienna", "at")


def test_requesting_serbia_leaves_the_asked_state_open():
    result = run(*REPLY, *MONDAY, "--requesting", "RS")
    assert result.exit_code == 2
    assert "--requested" in result.output


def test_transfer_is_counted_by_the_days_of_the_requesting_state():
    found = told("deadline", "--treaty", "eu-rs", "--limit", "transfer", *MONDAY, "--requesting", "AT")
    assert (found["calendar"]["id"], found["rolled"]["due_on"], found["on_lapse"]) == ("at", "2026-09-01", "nothing")


def test_transfer_with_no_requesting_state_named_takes_the_days_of_serbia():
    found = told("deadline", "--treaty", "eu-rs", "--limit", "transfer", *MONDAY)
    assert (found["calendar"]["id"], found["literal"]["due_on"]) == ("rs", "2026-09-01")
    assert any("was not named" in sentence for sentence in found["explain"])


@pytest.fixture
def no_calendar_of_france(monkeypatch, tmp_path):
    folder = tmp_path / "partners"
    shutil.copytree(data_folder("partners"), folder)
    (folder / "calendars" / "fr.toml").unlink()
    monkeypatch.setenv("GATEWAY_PARTNERS", str(folder))


def test_transfer_by_france_is_counted_by_the_days_of_france():
    found = told("deadline", "--treaty", "eu-rs", "--limit", "transfer", *MONDAY, "--requesting", "FR")
    assert (found["calendar"]["id"], found["rolled"]["due_on"]) == ("fr", "2026-09-01")


def test_transfer_by_a_state_whose_days_nobody_entered_is_not_known(no_calendar_of_france):
    found = told("deadline", "--treaty", "eu-rs", "--limit", "transfer", *MONDAY, "--requesting", "FR", code=1)
    assert (found["applies"], found["known"]) == (True, False)


def test_reply_to_a_state_without_calendar_is_known_because_serbia_must_act(no_calendar_of_france):
    assert told(*REPLY, *MONDAY, "--requesting", "FR")["rolled"]["due_on"] == "2026-06-11"


def test_extension_asked_in_time_is_granted():
    found = told(*REPLY, *MONDAY, "--extension-asked", "2026-06-10T12:00:00+02:00", "--extension-days", 6)
    assert found["extension"]["granted"] is True
    assert (found["literal"]["due_on"], found["lapses_at"]) == ("2026-06-17", "2026-06-17T22:00:00Z")


def test_extension_asked_late_is_not_granted():
    found = told(*REPLY, *MONDAY, "--extension-asked", "2026-06-12T12:00:00+02:00", "--extension-days", 6)
    assert found["extension"]["granted"] is False
    assert found["literal"]["due_on"] == "2026-06-11"


def test_accelerated_reply_has_no_extension():
    asked = ("--extension-asked", "2026-06-02T12:00:00+02:00", "--extension-days", 2)
    assert told(*REPLY, *MONDAY, "--procedure", "accelerated", *asked)["extension"]["granted"] is False


def test_limit_nobody_verified_is_not_known():
    found = told("deadline", "--treaty", "ba-pk", "--limit", "reply", *MONDAY, code=1)
    assert (found["applies"], found["known"], found["amount"], found["confidence"]) == (True, False, None, "unverified")
    assert (found["literal"]["due_on"], found["lapses_at"], found["on_lapse"]) == (None, None, "nothing")


def test_limit_nobody_verified_is_told_to_people_as_not_known():
    result = run("deadline", "--treaty", "ba-pk", "--limit", "reply", *MONDAY)
    assert result.exit_code == 1
    assert "Not known: ask" in result.stdout


@pytest.mark.parametrize("option", [("--procedure", "border"), ("--category", "diplomat")])
def test_procedure_or_category_the_treaty_does_not_know_does_not_apply(option):
    found = told(*REPLY, *MONDAY, *option, code=1)
    assert (found["applies"], found["known"]) == (False, False)


def test_what_does_not_apply_is_told_to_people():
    result = run("deadline", "--treaty", "eu-rs", "--limit", "submission", *MONDAY)
    assert result.exit_code == 1
    assert "Does not apply" in result.stdout


def test_date_beyond_the_calendar_is_not_known():
    assert told(*REPLY, "--start", "2031-06-01T10:15:00+02:00", code=1)["known"] is False


def test_unknown_treaty_is_refused_with_exit_code_one():
    error = run("deadline", "--treaty", "xx-yy", "--limit", "reply", *MONDAY).exception
    assert isinstance(error, UnknownTreaty)
    assert error.exit_code == 1


def test_unknown_limit_is_refused_with_exit_code_one():
    error = run("deadline", "--treaty", "eu-rs", "--limit", "costs", *MONDAY).exception
    assert isinstance(error, UnknownLimit)
    assert error.exit_code == 1


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--start", "yesterday"),
        ("--start", "2026-06-01T10:15:00"),
        ("--start", "0001-01-01T00:00:00+02:00"),
        ("--start", "9999-12-31T23:00:00Z"),
        ("--planned", "tomorrow"),
        ("--planned", "9999-12-31"),
        (*MONDAY, "--extension-days", "6"),
        (*MONDAY, "--extension-asked", "2026-06-02T10:00:00Z"),
        (*MONDAY, "--extension-asked", "2026-06-02", "--extension-days", "6"),
        (*MONDAY, "--extension-asked", "2026-06-02T10:00:00Z", "--extension-days", "0"),
    ],
)
def test_wrong_usage_ends_with_exit_code_two(options):
    assert run(*REPLY, *options).exit_code == 2


def test_planned_day_does_not_start_a_limit_that_runs_from_an_event():
    result = run(*REPLY, "--planned", "2026-06-10")
    assert result.exit_code == 2
    assert "--start" in result.output


def test_notice_is_counted_back_from_the_planned_day_alone(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(data_folder("partners") / "calendars", elsewhere / "calendars")
    text = (data_folder("partners") / "treaties" / "eu-rs.toml").read_text(encoding="utf-8")
    (elsewhere / "treaties").mkdir()
    (elsewhere / "treaties" / "eu-rs.toml").write_text(text + NOTICE, encoding="utf-8")
    options = ("--planned", "2026-06-10", "--requesting", "AT", "--partners", elsewhere)
    notice = ("deadline", "--treaty", "eu-rs", "--limit", "transfer-notice", *options)
    assert told(*notice)["literal"]["due_on"] == "2026-06-08"
    assert told(*notice, "--escorted")["literal"]["due_on"] == "2026-06-02"  # 4 June is Corpus Christi in Austria


def test_figure_of_the_operator_is_shown_as_the_operators(tmp_path):
    (tmp_path / "figures.toml").write_text(
        '[[overrides]]\ntreaty = "ba-pk"\nlimit = "reply"\namount = 30\nunit = "calendar-days"\n'
        'who = "Ministry of Security"\nwhen = 2026-05-04\nreference = "Minutes 3/2026"\n',
        encoding="utf-8",
    )
    (tmp_path / "mine.toml").write_text('overrides = "figures.toml"\n', encoding="utf-8")
    found = told("deadline", "--treaty", "ba-pk", "--limit", "reply", *MONDAY, "--config", tmp_path / "mine.toml")
    assert (found["known"], found["confidence"], found["source"]) == (True, "operator", "Minutes 3/2026")
    assert (found["zone"], found["literal"]["due_on"], found["on_lapse"]) == ("Asia/Karachi", "2026-07-01", "nothing")
    assert any("Ministry of Security" in sentence for sentence in found["explain"])


def test_partners_folder_of_the_caller_is_used(tmp_path):
    (tmp_path / "elsewhere" / "treaties").mkdir(parents=True)
    (tmp_path / "elsewhere" / "calendars").mkdir()
    assert told("treaty", "list", "--partners", tmp_path / "elsewhere") == {"treaties": []}


# --- treaty -----------------------------------------------------------------------------------------------------------


def test_treaties_are_listed():
    assert [treaty["id"] for treaty in told("treaty", "list")["treaties"]] == ["ba-pk", "eu-rs"]


def test_list_for_people_names_the_limits():
    assert "ba-pk" in run("treaty", "list").stdout


def test_treaty_is_shown_with_article_source_and_confidence():
    rows = told("treaty", "show", "eu-rs")["limits"]
    assert {(row["id"], row["article"], row["confidence"]) for row in rows} == {
        ("submission", "Art. 10", "verified"),
        ("reply", "Art. 10(2)", "verified"),
        ("transfer", "Art. 10", "verified"),
    }


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
    assert "eu-rs: 4 rules, 12 examples" in run("treaty", "check").stdout


def altered(folder, old, new):
    text = (data_folder("partners") / "treaties" / "eu-rs.toml").read_text(encoding="utf-8")
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
