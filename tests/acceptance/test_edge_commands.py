"""`gateway queue list`, `queue again` and `doctor`: what a person sees of the systems of the home authorities."""

import shutil
from datetime import timedelta

import pytest

from gateway.errors import EdgeUnavailable
from gateway.flow.turns import Turn
from gateway.settings import data_folder, load
from gateway.store import edge_troubles, edge_turns, inbox, lines, messages
from gateway.store.database import open_engine, reading, transaction
from gateway.wiring import build
from tests.forging import journalled
from tests.running import call, write_settings
from tests.store_rows import NOW, add_case, fill_outbox, message_row
from tests.webhook_server import WRITTEN, webhook_server


@pytest.fixture
def engine(sqlite_url):
    """A message for BA-MS that its system refused."""
    made = open_engine(sqlite_url)
    case = add_case(made)
    with transaction(made) as tx:
        (row,) = messages.add(tx, [message_row(direction="in", case_id=case)])
        inbox.add(
            tx,
            [inbox.NewInboxRow(authority="BA-MS", message_row=row, case_id=case, dialect="ba/ms-xml", arrived_at=NOW)],
        )
        (waiting,) = inbox.waiting(tx, "BA-MS")
        edge_troubles.note(tx, waiting.id, code="edge-refused", now=NOW, next_at=None)
    yield made
    made.dispose()


def edge_of(found: dict, authority: str) -> dict:
    return next(line for line in found["edges"] if line["authority"] == authority)


def test_list_shows_what_waits_for_each_home_authority_and_why(engine, told) -> None:
    found = told("queue", "list")
    assert edge_of(found, "BA-MS") == {
        "authority": "BA-MS",
        "edge": "pull",
        "waiting": 1,
        "refused": 1,
        "oldest": NOW.isoformat(),
        "code": "edge-refused",
        "since": NOW.isoformat(),
        "next_at": None,
    }
    assert edge_of(found, "RS-MUP")["code"] is None


def test_list_shows_how_the_line_of_each_recipient_stands(engine, told) -> None:
    fill_outbox(engine, 2, recipient="PK-MOI", first=50)
    with transaction(engine) as tx:
        failing = lines.locked(tx, "PK-MOI")
        lines.failed(tx, failing, failures=5, code="broker-unavailable", now=NOW, next_at=NOW + timedelta(seconds=2))
    (line,) = told("queue", "list")["outbox"]
    assert line == {
        "sender": "BA-MS",
        "recipient": "PK-MOI",
        "waiting": 2,
        "parked": 0,
        "oldest": NOW.isoformat(),
        "codes": [],
        "for_paper": 0,
        "nearest_deadline": None,
        "line": "stopped",
        "failures": 5,
        "since": NOW.isoformat(),
        "next_at": (NOW + timedelta(seconds=2)).isoformat(),
        "sent_per_second": None,
        "sent_per_day": None,
        "sent_today": None,
    }


def test_again_lets_messages_and_system_be_tried_now(engine, told, config) -> None:
    rt = build(load(config, environment={}))
    turn = Turn("BA-MS", rt, by="one")
    assert turn.keep()
    turn.failed(EdgeUnavailable("away", after_seconds=3600))
    rt.engine.dispose()
    assert edge_of(told("queue", "list"), "BA-MS")["code"] == "edge-unavailable"
    assert told("queue", "again", "BA-MS") == {"authority": "BA-MS", "messages": 1}
    line = edge_of(told("queue", "list"), "BA-MS")
    assert (line["waiting"], line["refused"], line["code"], line["next_at"]) == (1, 0, None, None)
    with reading(engine) as tx:
        assert edge_turns.get(tx, "BA-MS").held_by == "one"  # whoever serves it goes on
    assert told("queue", "again", "BA-MS")["messages"] == 0
    said = journalled(engine, "queue.tried_again")
    assert [(one["authority"], one["detail"]["count"]) for one in said] == [("BA-MS", 1), ("BA-MS", 0)]
    assert said[0]["actor"].startswith("cli:")


def test_again_is_for_home_authorities_only(told) -> None:
    assert told("queue", "again", "FR-DGEF", code=4)["error"]["code"] == "not-home"


def test_doctor_says_how_each_home_authority_is_reached(told) -> None:
    (line,) = (part for part in told("doctor")["parts"] if part["part"] == "edges")
    assert line["ok"]
    assert "RS-MUP fetches by itself" in line["what"]


def test_doctor_tells_a_system_that_is_away_and_a_setting_that_is_missing(tmp_path, sqlite_url, keys, monkeypatch) -> None:
    partners = shutil.copytree(data_folder("partners"), tmp_path / "partners")
    for code in ("rs", "ba"):
        file = partners / code / "partner.toml"
        file.write_text(file.read_text("utf-8").replace('edge = "pull"', 'edge = "push"'), "utf-8")
    (tmp_path / "secret").write_text(WRITTEN)
    config = write_settings(tmp_path, keys, database=sqlite_url, partners=str(partners), home=["RS-MUP"])
    with webhook_server() as server:
        table = f'\n[edges.RS-MUP]\nurl = "{server.url}"\nsecret_file = "secret"\nprivate_addresses = true\n'
        config.write_text(config.read_text() + table)

        def edges() -> dict:
            done = call("doctor", "--json", "--config", config, monkeypatch=monkeypatch)
            return next(part for part in done.json["parts"] if part["part"] == "edges")

        assert (edges()["ok"], edges()["what"]) == (True, "RS-MUP push to localhost")
    away = edges()
    assert (away["ok"], away["exit_code"], away["what"].partition(":")[0]) == (False, 3, "edge-unavailable")

    config.write_text(config.read_text().replace('home = ["RS-MUP"]', 'home = ["RS-MUP", "BA-MS"]'))
    missing = edges()
    assert (missing["exit_code"], missing["what"].partition(":")[0]) == (4, "settings-invalid")
    assert "BA-MS" in missing["what"]
    assert "RS-MUP" in missing["what"]
