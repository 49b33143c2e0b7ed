"""`gateway journal verify`: for an auditor to read, for a script to judge; and what other commands say of the journal."""

import json
import os
import pwd

import pytest
from sqlalchemy import delete, update

from gateway.store.database import open_engine
from gateway.store.tables import journal as table
from tests.forging import journalled
from tests.journal_rows import rows, tamper, write
from tests.running import call
from tests.store_rows import add_case


@pytest.fixture
def engine(sqlite_url: str):
    """An engine on the database that the commands use."""
    opened = open_engine(sqlite_url)
    yield opened
    opened.dispose()


def test_whole_journal_is_valid(told, engine) -> None:
    write(engine, 3)
    assert told("journal", "verify") == {
        "verdict": "whole",
        "valid": True,
        "entries": 3,
        "last": {"entry": 3, "hash": rows(engine)[-1]["hash"]},
        "findings": [],
        "roots": 0,
        "root_findings": [],
    }


def test_empty_journal_is_valid(told) -> None:
    found = told("journal", "verify")
    assert (found["valid"], found["entries"], found["last"]) == (True, 0, {"entry": 0, "hash": "0" * 64})


def test_every_finding_has_a_number_and_a_sentence(told, engine) -> None:
    write(engine, 5)
    tamper(engine, update(table).where(table.c.id == 2).values(actor="nobody"), delete(table).where(table.c.id == 4))
    found = told("journal", "verify", code=1)
    assert (found["verdict"], found["valid"], found["entries"]) == ("broken", False, 4)
    assert found["findings"] == [
        {"entry": 2, "id": 2, "what": "entry 2 was changed after it was written"},
        {"entry": 4, "id": 4, "what": "entry 4 is missing"},
    ]


def test_people_read_sentences(config, engine, monkeypatch) -> None:
    write(engine, 3)
    done = call("journal", "verify", "--config", config, monkeypatch=monkeypatch)
    assert (done.code, done.out) == (
        0,
        f"3 entries under 0 signed roots, the chain is whole; the last is 3, {rows(engine)[-1]['hash']}\n",
    )
    tamper(engine, delete(table).where(table.c.id == 2))
    done = call("journal", "verify", "--config", config, monkeypatch=monkeypatch)
    assert done.code == 1
    assert done.out.splitlines()[1:] == ["  entry 2 is missing"]


def test_file_that_remembers_the_last_entry_shows_a_cut_end(told, engine, tmp_path) -> None:
    write(engine, 3)
    file = tmp_path / "last.json"
    told("journal", "verify", "--remember", file)
    assert json.loads(file.read_text()) == {"entry": 3, "hash": rows(engine)[-1]["hash"]}
    tamper(engine, delete(table).where(table.c.id == 3))
    assert told("journal", "verify")["valid"]  # the chain alone cannot know
    found = told("journal", "verify", "--remember", file, code=1)["findings"]
    assert [(one["id"], one["what"]) for one in found] == [
        (3, "entry 3 is missing at the end: the file last.json knows entry 3")
    ]
    assert json.loads(file.read_text())["entry"] == 3  # what was found broken is not remembered


def test_end_that_was_cut_off_and_written_over_is_shown_too(told, engine, tmp_path) -> None:
    write(engine, 3)
    told("journal", "verify", "--remember", tmp_path / "last.json")
    tamper(engine, delete(table).where(table.c.id == 3))
    write(engine, 2, first=7)
    found = told("journal", "verify", "--remember", tmp_path / "last.json", code=1)["findings"]
    assert [one["id"] for one in found] == [3]


def test_file_follows_the_journal(told, engine, tmp_path) -> None:
    file = tmp_path / "last.json"
    for number in (1, 2):
        told("journal", "verify", "--remember", file)
        write(engine, 2, first=number)
    assert told("journal", "verify", "--remember", file)["last"]["entry"] == 4
    assert json.loads(file.read_text())["entry"] == 4


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"[]", b'{"entry": 1}', b'{"entry": 1, "hash": 7}', b'{"entry": -1, "hash": ""}']
)
def test_file_that_remembers_nothing_is_wrong_usage(told, tmp_path, content) -> None:
    file = tmp_path / "last.json"
    file.write_bytes(content)
    told("journal", "verify", "--remember", file, code=2)
    assert file.read_bytes() == content


def test_reading_a_case_by_command_is_journalled(told, engine, monkeypatch) -> None:
    monkeypatch.setenv("LOGNAME", "somebody-else")  # whom the shell names does not count
    case_id = add_case(engine)
    told("case", "show", case_id)
    (read,) = journalled(engine, "case.read")
    actor = f"cli:{pwd.getpwuid(os.getuid()).pw_name}"
    assert (read["actor"], read["case_id"], read["detail"]) == (actor, case_id, {"purpose": "operations"})


def test_case_that_is_not_there_is_not_read(told, engine) -> None:
    told("case", "show", 999, code=1)
    assert journalled(engine) == []


def part(document: dict, name: str) -> dict:
    (found,) = (one for one in document["parts"] if one["part"] == name)
    return found


def test_doctor_says_how_the_journal_is_guarded(told) -> None:
    found = part(told("doctor"), "journal")
    assert found["ok"]
    assert found["what"].startswith("append-only by triggers")


def test_doctor_fails_when_a_guard_is_gone(told, engine) -> None:
    tamper(engine)
    found = part(told("doctor", code=4), "journal")
    assert not found["ok"]
    assert "journal_no_update is missing" in found["what"]
