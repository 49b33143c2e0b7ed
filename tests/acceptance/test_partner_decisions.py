"""The commands by which a partner is tried, opened and stopped, from a run of the simulation to the switch."""

import json
import shutil
import zipfile
from datetime import UTC, datetime, timedelta

import pytest

from gateway.settings import data_folder
from gateway.store import journal
from gateway.store.database import open_engine, reading, transaction
from gateway.store.passes import PassRow, add
from gateway.store.tables import journal as entries
from tests.running import call, run, write_settings

SPECIMEN_KEY = b"-----BEGIN EC " + b"PRIVATE KEY-----\nAAAA\n-----END EC " + b"PRIVATE KEY-----\n"
WHO = ("--by", "A. Specimen", "--why", "letter 14/2026")
ADMIT = ("partner", "admit", "pk", "--basis", "Agreement, Art. 20", "--assessment", "DPIA-7", "--by", "A. Specimen")


@pytest.fixture
def events(sqlite_url):
    """Return events and details of the journal, as they stand when it is called."""

    def look() -> list[tuple[str, dict]]:
        with reading(open_engine(sqlite_url)) as tx:
            rows = tx.execute(entries.select().order_by(entries.c.id)).mappings().all()
            assert journal.verify(tx)[1] == []
        return [(row["event"], json.loads(row["detail"])) for row in rows]

    return look


@pytest.fixture
def passed(told, tmp_path):
    """Play the shortest run that gives a pass, and return the file."""
    told("simulate", "pk", "--pass", "--out", tmp_path / "pk.pass.json")
    return tmp_path / "pk.pass.json"


def test_production_without_a_pass_is_refused_and_nothing_is_recorded(told, events) -> None:
    told(*ADMIT)
    assert told("partner", "production", "pk", *WHO, code=1)["error"]["code"] == "pass-missing"
    assert [event for event, _ in events()] == ["partner.admitted"]
    assert told("partner", "show", "pk")["stage"] == "test"


def test_production_without_a_pass_by_decision_is_journalled_as_that(told, events) -> None:
    told(*ADMIT)
    assert told("partner", "production", "pk", "--without-pass", *WHO)["pass"] is None
    event, detail = events()[-1]
    assert (event, detail["who"], detail["pass"], detail["why"]) == ("partner.switched", "pk", None, "letter 14/2026")


def test_run_gives_a_pass_that_lets_the_partner_into_production(told, events, passed, tmp_path) -> None:
    verified = told("partner", "pass", "verify", passed)
    assert (verified["verdict"], verified["signer"], verified["pass"]["partner"]) == ("valid", "AT-BMI", "pk")
    assert all(verified["pass"]["results"].values())
    (listed,) = told("partner", "passes", "pk", "--out", tmp_path / "again.json")["passes"]
    assert listed["valid"]
    assert (tmp_path / "again.json").read_bytes() == passed.read_bytes()
    told(*ADMIT)
    assert told("partner", "production", "pk", *WHO)["pass"] == listed["sha256"]
    assert [event for event, _ in events()] == ["partner.passed", "partner.admitted", "partner.switched"]
    shown = told("partner", "show", "pk")
    assert (shown["stage"], shown["admitted"], [each["fault"] for each in shown["passes"]]) == ("production", True, [None])


def test_expired_or_altered_pass_is_refused_offline(told, passed, tmp_path) -> None:
    later = datetime.now(UTC) + timedelta(days=366)
    refused = told("partner", "pass", "verify", passed, "--at", later.isoformat(), code=1)
    assert (refused["verdict"], refused["code"]) == ("refused", "pass-expired")
    document = json.loads(passed.read_bytes())
    document["pass"]["partner"] = "rs"
    (tmp_path / "altered.json").write_text(json.dumps(document))
    refused = told("partner", "pass", "verify", tmp_path / "altered.json", code=1)
    assert (refused["code"], refused["signer"], refused["pass"]) == ("signature-invalid", None, None)


def test_pass_for_another_partner_does_not_open_this_one(told, passed, sqlite_url) -> None:
    told("partner", "admit", "rs", "--basis", "Agreement", "--assessment", "DPIA-8", "--by", "A. Specimen")
    body = passed.read_bytes() + b" "
    row = PassRow(partner="rs", made_at=datetime.now(UTC), ends_at=datetime.now(UTC), sha256="0" * 64, body=body)
    with transaction(open_engine(sqlite_url)) as tx:
        add(tx, row)
    assert told("partner", "production", "rs", *WHO, code=1)["error"]["code"] == "pass-missing"
    assert [each["code"] for each in told("partner", "passes", "rs")["passes"]] == ["pass-invalid"]


def test_part_of_a_run_gives_no_pass(told) -> None:
    assert told("simulate", "pk", "--behaviour", "accept", "--pass", code=1)["error"]["code"] == "script-invalid"


def test_partner_is_suspended_and_resumed_by_command(told) -> None:
    told("partner", "suspend", "BA-MS:PK-MOI", *WHO)
    listed = {each["code"]: each for each in told("partner", "list")["partners"]}
    assert [len(listed[code]["suspended"]) for code in ("ba", "pk", "rs")] == [1, 1, 0]
    assert told("partner", "suspend", "PK-MOI:BA-MS", *WHO, code=1)["error"]["code"] == "transition-not-allowed"
    told("partner", "resume", "PK-MOI:BA-MS", *WHO)
    assert told("partner", "show", "pk")["suspended"] == []


@pytest.mark.parametrize("words", [("pk",), ("pk", "--by", "A. Specimen")])
def test_suspension_without_a_person_or_a_reason_is_refused(told, words) -> None:
    assert told("partner", "suspend", *words, code=1)["error"]["code"] == "missing-field"


def test_partners_are_listed_where_there_is_no_database_yet(keys, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = write_settings(tmp_path, keys, database=f"sqlite:///{tmp_path / 'none' / 'gateway.sqlite3'}")
    done = call("partner", "list", "--json", "--config", config, monkeypatch=monkeypatch)
    assert done.code == 0
    assert {each["stage"] for each in done.json["partners"]} == {None}


def test_deviation_in_a_simulation_is_exit_1(told, tmp_path) -> None:
    (tmp_path / "script.toml").write_text('most_seconds = 1\n[[play]]\nattack = "all"\ntimes = 20\n')
    told_of = told("simulate", "pk", "--script", tmp_path / "script.toml", code=1)
    assert not told_of["ok"]
    assert told_of["left_out"]


def test_played_system_may_call_the_api(told) -> None:
    found = told("simulate", "rs", "--behaviour", "ask", "--over", "rest")
    assert (found["ok"], found["over"]) == (True, "rest")


def test_help_names_every_behaviour(monkeypatch: pytest.MonkeyPatch) -> None:
    from gateway.simulation.behaviours import BEHAVIOURS

    text = call("simulate", "--help", monkeypatch=monkeypatch).out
    assert [name for name in BEHAVIOURS if name not in text] == []


def test_doctor_says_which_environment_it_is_and_who_is_in_production(told, config, monkeypatch: pytest.MonkeyPatch) -> None:
    def exchange() -> dict:
        done = call("doctor", "--json", "--config", config, monkeypatch=monkeypatch)
        return next(each for each in done.json["parts"] if each["part"] == "exchange")

    assert exchange()["what"].startswith("environment development: every partner is usable")
    monkeypatch.setenv("GATEWAY_ENVIRONMENT", "production")
    assert (exchange()["ok"], "no partner is in production" in exchange()["what"]) == (False, True)
    told(*ADMIT)
    told("partner", "production", "pk", "--without-pass", *WHO)
    told("partner", "suspend", "rs", *WHO)
    found = exchange()
    assert found["ok"]
    assert found["what"].endswith("in production: pk; without a current conformance pass: pk; SUSPENDED: rs")


# --- the kit ------------------------------------------------------------------------------------------------------------------


def test_kit_is_the_same_bytes_each_time(told, tmp_path) -> None:
    first = told("partner", "kit", "pk", "--out", tmp_path / "one.zip")
    done = run("partner", "kit", "pk", "--out", "two.zip", "--json", cwd=tmp_path, env={"PYTHONHASHSEED": "7"})
    assert done.code == 0, done
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    assert done.json["sha256"] == first["sha256"]


def test_kit_stands_on_its_own_and_its_readme_is_true(told, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    told("partner", "kit", "rs", "--out", tmp_path / "rs.zip")
    zipfile.ZipFile(tmp_path / "rs.zip").extractall(tmp_path)
    kit = tmp_path / "rs-kit"
    monkeypatch.chdir(kit)
    lines = [line.split() for line in (kit / "README.md").read_text().splitlines() if line.startswith("    gateway ")]
    refused = 0
    assert len(lines) == 7
    for _, *words in lines:
        done = call(*words, "--json", monkeypatch=monkeypatch)
        if words[:1] == ["verify"] and "genuine" not in words[1]:
            refused += 1
            assert (done.code, done.json["verdict"]) == (1, "refused")
        else:
            assert done.code == 0, (words, done)
    assert refused == 1
    expected = json.loads((kit / "attacks" / "expected.json").read_text())
    for name, one in expected.items():
        words = ("verify", f"attacks/{name}", "--at", "2026-12-01T08:00:00Z", "--config", "gateway.toml", "--json")
        done = call(*words, monkeypatch=monkeypatch)
        assert (done.json["verdict"], done.json["code"]) == (one["verdict"], one.get("code")), name


def test_kit_holds_no_private_key(told, tmp_path) -> None:
    told("partner", "kit", "pk", "--out", tmp_path / "pk.zip")
    with zipfile.ZipFile(tmp_path / "pk.zip") as archive:
        assert [name for name in archive.namelist() if b"PRIVATE KEY" in archive.read(name)] == []
        assert [name for name in archive.namelist() if name.startswith("/") or ".." in name] == []


def test_partner_folder_with_a_private_key_is_not_packed(told, tmp_path) -> None:
    shutil.copytree(data_folder("partners"), tmp_path / "partners")
    (tmp_path / "partners" / "pk" / "old.pem").write_bytes(SPECIMEN_KEY)
    words = ("partner", "kit", "pk", "--out", tmp_path / "pk.zip", "--partners", tmp_path / "partners")
    assert told(*words, code=4)["error"]["code"] == "partner-invalid"
    assert not (tmp_path / "pk.zip").exists()


def test_expected_results_are_what_the_commands_give(told, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    told("partner", "kit", "pk", "--out", tmp_path / "pk.zip")
    zipfile.ZipFile(tmp_path / "pk.zip").extractall(tmp_path)
    monkeypatch.chdir(tmp_path / "pk-kit")
    example = "partners/pk/dialects/moi-json/examples/own-national.json"
    ways = ("--from", "pk/moi-json", "--to", "canonical", "--out", "out.xml", "--report", "report.json")
    done = call("translate", example, *ways, "--config", "gateway.toml", "--json", monkeypatch=monkeypatch)
    assert done.code == 0
    expected = json.loads((tmp_path / "pk-kit" / "expected/moi-json/own-national.json.to-canonical.json").read_text())
    found = json.loads((tmp_path / "pk-kit" / "report.json").read_text())
    assert [each["path"] for each in found["fields"]] == [each["path"] for each in expected["fields"]]
    assert found["sha256_in"] == expected["sha256_in"]
