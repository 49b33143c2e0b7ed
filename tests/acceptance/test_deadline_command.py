"""`gateway deadline` and `gateway treaty` as a lawyer and a script use them."""

import json
import shutil
from functools import cache

import pytest
import typer
from typer.testing import CliRunner

from gateway.cli import clock
from gateway.cli.clock import register
from gateway.errors import UnknownLimit, UnknownTreaty
from gateway.partners.treaties import load_treaties
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
    """Keep settings of this machine out, and read each folder of files once."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(clock, "load_treaties", TREATIES)
    for name in ("PARTNERS", "OVERRIDES"):
        monkeypatch.delenv(f"GATEWAY_{name}", raising=False)


TREATIES = cache(load_treaties)


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
        "agreement": "eu-rs",
        "protocol": None,
        "limit": "reply",
        "applies": True,
        "known": True,
        "who": "requested",
        "start_on": "2026-06-01",
        "zone": "Europe/Belgrade",
        "unit": "calendar-days",
        "amount": 10,
        "literal": {"due_on": "2026-06-11", "until": "2026-06-11T22:00:00Z"},
        "rolled": {"due_on": "2026-06-11", "until": "2026-06-11T22:00:00Z"},
        "extension": {"granted": False, "why": "No extension was asked for."},
        "on_lapse": "agreed",
        "also_on_lapse": [],
        "lapses_at": "2026-06-11T22:00:00Z",
        "source": "Art. 10(2)",
        "confidence": "verified",
        "calendar": {"id": "rs", "version": "holidays-0.109/2"},
        "estimated": False,
        "why_not": None,
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
    assert told(*REPLY, *MONDAY, "--requesting", "FR")["rolled"]["due_on"] == "2026-06-08"


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


def test_name_that_is_no_limit_is_refused_with_exit_code_one():
    error = run("deadline", "--treaty", "eu-rs", "--limit", "answer", *MONDAY).exception
    assert isinstance(error, UnknownLimit)
    assert error.exit_code == 1


def test_limit_that_the_treaty_lacks_does_not_apply():
    found = told("deadline", "--treaty", "eu-rs", "--limit", "costs", *MONDAY, code=1)
    assert (found["applies"], found["known"]) == (False, False)
    assert "no rule 'costs'" in found["why_not"]


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
        (*MONDAY, "--obstacle", "2026-06-08/2026-06-02"),
        (*MONDAY, "--obstacle", "soon"),
        (*MONDAY, "--suspended", "2026-06-02/later"),
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
    assert isinstance(run(*REPLY, *MONDAY, "--partners", tmp_path / "elsewhere").exception, UnknownTreaty)


# --- protocols, obstacles, means of transport -----------------------------------------------------------------------


def test_protocol_between_the_two_states_is_applied_without_being_named():
    found = told(*REPLY, *MONDAY, "--requesting", "FR")
    assert (found["treaty"], found["agreement"], found["protocol"]) == ("eu-rs/fr", "eu-rs", "eu-rs/fr")
    assert (found["amount"], found["rolled"]["due_on"], found["source"]) == (7, "2026-06-08", "Art. 5")


@pytest.mark.parametrize("pair", [("RS", "FR"), ("FR", "RS")])
def test_protocol_holds_in_both_directions(pair):
    assert told(*REPLY, *MONDAY, "--requesting", pair[0], "--requested", pair[1])["protocol"] == "eu-rs/fr"


def test_protocol_may_be_named_itself():
    found = told("deadline", "--treaty", "eu-rs/fr", "--limit", "reply", *MONDAY, "--requesting", "FR")
    assert (found["treaty"], found["amount"]) == ("eu-rs/fr", 7)


def test_named_protocol_does_not_apply_to_another_state():
    found = told("deadline", "--treaty", "eu-rs/fr", "--limit", "reply", *MONDAY, "--requesting", "AT", code=1)
    assert found["applies"] is False


TRANSFER = ("deadline", "--treaty", "eu-rs", "--limit", "transfer", "--requesting", "AT", *MONDAY)


def test_obstacle_prolongs_the_limit_for_the_transfer():
    found = told(*TRANSFER, "--obstacle", "2026-08-01/2026-08-11")
    assert found["literal"]["due_on"] == "2026-09-11"
    assert any("The clock stood still (obstacle)" in sentence for sentence in found["explain"])


def test_obstacle_that_lasts_leaves_the_end_unknown():
    found = told(*TRANSFER, "--obstacle", "2026-08-01", code=1)
    assert (found["applies"], found["known"]) == (True, False)
    assert found["why_not"] == "The clock stands since 2026-08-01 (obstacle): no end yet."


def test_obstacle_that_began_after_the_end_changes_nothing():
    assert told(*TRANSFER, "--obstacle", "2026-09-02")["literal"]["due_on"] == "2026-09-01"


def test_obstacle_does_not_prolong_the_limit_for_the_reply():
    assert told(*REPLY, *MONDAY, "--obstacle", "2026-06-03/2026-06-08")["literal"]["due_on"] == "2026-06-11"


def test_suspension_prolongs_the_limit_for_the_reply():
    assert told(*REPLY, *MONDAY, "--suspended", "2026-06-03/2026-06-08")["literal"]["due_on"] == "2026-06-16"


@pytest.mark.parametrize(("option", "hint"), [("--obstacle", "--obstacle"), ("--suspended", "--suspended")])
def test_wrong_day_of_a_standstill_names_its_option(option, hint):
    result = run(*REPLY, *MONDAY, option, "2026-06-03/soon")
    assert result.exit_code == 2
    assert hint in result.output
