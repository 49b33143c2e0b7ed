"""`gateway demo`: the main job as a new user sees it, and every document that it leaves."""

import hashlib
import json
import shutil
import stat
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from gateway.errors import BrokerMissing
from gateway.transport.installed import ensure_server
from gateway.trust.certificates import TrustStore
from gateway.trust.verify import verify
from gateway.wire.documents import NS, parse_xml
from gateway.wire.manifest import manifest
from tests.conftest import without_rabbitmq
from tests.running import Done, run, running, write_settings

ACTS = {"act-1-ba-pk": ("BA-MS", "PK-MOI"), "act-2-at-rs": ("AT-BMI", "RS-MUP")}
SUFFIX = {"BA-MS": "xml", "PK-MOI": "json", "AT-BMI": "json", "RS-MUP": "xml"}
SECONDS = 110.0


@pytest.fixture(scope="module")
def keys(keys: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys of its own: the demonstration adds those of every authority of the shipped partners."""
    return Path(shutil.copytree(keys, tmp_path_factory.mktemp("demo") / "keys"))


def documents(folder: Path) -> set[str]:
    """Return what lies there, without the gateway that the acts were played on."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {str(path) for path in found if path.parts[0] != "gateway"}


def expected() -> set[str]:
    """Both originals, both translations, signed envelopes, receipts, mapping reports and the case file of both acts."""
    found = {f"{act}/case-file.asice" for act in ACTS}
    for act, (asking, asked) in ACTS.items():
        for name, sender, recipient in (("application", asking, asked), ("reply", asked, asking)):
            found |= {
                f"{act}/{name}/{file}"
                for file in (
                    f"1-as-handed-in.{SUFFIX[sender]}",
                    "2-canonical.xml",
                    "3-mapping-report-of-sender.json",
                    "4-signed.xml",
                    "5-as-received-signed.xml",
                    f"6-as-delivered.{SUFFIX[recipient]}",
                    "7-mapping-report-of-recipient.json",
                    "8-receipt-signed.xml",
                )
            }
    files = ("document-scan-6e95ff23c80e22b9.pdf", "photograph-41bcc3d44f644bd0.jpg")  # named by kind and digest
    return found | {f"act-1-ba-pk/application/attachments/{file}" for file in files}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def config(folder: Path, keys: Path) -> Path:
    return write_settings(folder, keys)


@pytest.fixture(scope="module")
def told(folder: Path, config: Path) -> Done:
    """One run of the demonstration; the tests of this module look at what it left."""
    return run("demo", "--json", "--out", folder / "out", "--config", config, cwd=folder, seconds=SECONDS)


def steps(told: Done, act: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = told.json["acts"][act]["steps"]
    return found


def test_demo_ends_by_itself_with_exit_0(told: Done) -> None:
    assert (told.code, told.err) == (0, "")


def test_story_as_one_json_document(told: Done, folder: Path) -> None:
    assert told.json.keys() == {"broker", "out", "acts"}
    assert (told.json["broker"], told.json["out"]) == ("embedded", str(folder / "out"))
    assert [act["act"] for act in told.json["acts"]] == [1, 2]
    for act in (0, 1):
        assert [step["step"] for step in steps(told, act)] == list(range(1, len(steps(told, act)) + 1))


def test_every_document_exchanged_is_left(told: Done, folder: Path) -> None:
    assert told.code == 0
    assert documents(folder / "out") == expected()


def test_attachments_arrive_as_the_message_names_them(told: Done, folder: Path) -> None:
    application = folder / "out" / "act-1-ba-pk" / "application"
    named = {entry.sha256 for entry in manifest(parse_xml((application / "2-canonical.xml").read_bytes()))}
    left = {hashlib.sha256(path.read_bytes()).hexdigest() for path in (application / "attachments").iterdir()}
    assert left == named
    assert len(named) == 2


def test_envelope_arrives_as_it_was_sent(told: Done, folder: Path) -> None:
    for act in ACTS:
        for name in ("application", "reply"):
            place = folder / "out" / act / name
            sent = (place / "4-signed.xml").read_bytes()
            assert (place / "5-as-received-signed.xml").read_bytes() == sent
            assert hashlib.sha256(sent).hexdigest() in {step.get("sha256") for number in (0, 1) for step in steps(told, number)}


def test_signatures_are_those_of_the_authorities(told: Done, folder: Path, keys: Path) -> None:
    trust = TrustStore.load(keys)
    for act, (asking, asked) in ACTS.items():
        for name, sender, recipient in (("application", asking, asked), ("reply", asked, asking)):
            place = folder / "out" / act / name
            assert verify((place / "4-signed.xml").read_bytes(), trust).signer == sender
            assert verify((place / "8-receipt-signed.xml").read_bytes(), trust).signer == recipient


def test_receipt_names_the_digest_of_the_envelope(told: Done, folder: Path) -> None:
    for act in ACTS:
        for name in ("application", "reply"):
            place = folder / "out" / act / name
            digest = hashlib.sha256((place / "4-signed.xml").read_bytes()).hexdigest()
            assert digest in (place / "8-receipt-signed.xml").read_text(encoding="utf-8")


def test_delivered_document_is_in_the_recipients_own_words(told: Done, folder: Path) -> None:
    out = folder / "out"
    request = json.loads((out / "act-1-ba-pk" / "application" / "6-as-delivered.json").read_text(encoding="utf-8"))
    assert request["documentType"] == "READMISSION_REQUEST"
    reply = parse_xml((out / "act-1-ba-pk" / "reply" / "6-as-delivered.xml").read_bytes())
    assert NS not in reply.tag
    for act in ACTS:
        for name in ("application", "reply"):
            assert parse_xml((out / act / name / "2-canonical.xml").read_bytes()).tag.startswith(f"{{{NS}}}Readmission")


def test_mapping_reports_name_fields_without_values(told: Done, folder: Path) -> None:
    for path in (folder / "out").rglob("*-mapping-report-*.json"):
        report = json.loads(path.read_text(encoding="utf-8"))
        assert report.keys() >= {"from", "to", "sha256_in", "sha256_out", "fields", "dropped"}
        assert report["fields"]
        assert "SPECIMEN" not in path.read_text(encoding="utf-8")


def test_first_act_is_held_until_two_officers_acted(told: Done) -> None:
    held = next(step for step in steps(told, 0) if step.get("hold"))
    assert held["hold"] == "statement-missing"
    assert not any(step.get("hold") for step in steps(told, 1))


def test_both_sides_count_the_same_days_in_the_second_act(told: Done) -> None:
    clocks = [step["deadline"] for step in steps(told, 1) if "deadline" in step]
    assert len(clocks) == 3
    west, east, ordinary = clocks
    assert west["literal"] == east["literal"]
    assert all(clock["confidence"] == "verified" for clock in clocks)
    assert ordinary["amount"] == 10
    assert west["amount"] < ordinary["amount"]


def test_limit_that_nobody_verified_is_not_known_in_the_first_act(told: Done) -> None:
    clocks = [step["deadline"] for step in steps(told, 0) if "deadline" in step]
    assert [clock["known"] for clock in clocks] == [False, False]


def test_both_sides_end_agreed_with_whole_journals(told: Done) -> None:
    for act in (0, 1):
        last = [step for step in steps(told, act) if "journal" in step]
        assert [step["journal"] for step in last] == ["whole", "whole"]
        assert {step["state"] for step in last} == {"agreed"}


def test_case_is_left_as_a_file_in_which_all_is_proven(told: Done, folder: Path, config: Path) -> None:
    for act in (0, 1):
        assert (steps(told, act)[-1]["who"], steps(told, act)[-1]["verdict"]) == ("anybody", "valid")
    for file in sorted((folder / "out").glob("act-*/case-file.asice")):
        found = run("verify-case", file, "--json", "--config", config, cwd=folder, seconds=SECONDS)
        assert found.code == 0
        assert {item["verdict"] for item in found.json["items"]} == {"valid"}


def test_story_for_people_can_be_checked_by_hand(told: Done, folder: Path, config: Path) -> None:
    done = run("demo", "--out", "again", "--config", config, cwd=folder, seconds=SECONDS)
    assert (done.code, done.err) == (0, "")
    assert "Act 1. Bosnia and Herzegovina asks Pakistan" in done.out
    assert "Act 2. Austria asks Serbia" in done.out
    assert documents(folder / "again") == expected()
    advice = dict(line.split(":", 1) for line in done.out.splitlines()[-3:])
    command = {name.split()[0]: words.split()[1:] for name, words in advice.items()}  # without the word gateway
    checked = run(*command["Check"], "--config", config, cwd=folder)
    assert (checked.code, checked.out.splitlines()[-1].startswith("valid: signed by")) == (0, True)
    checked = run(*command["A"], "--config", config, cwd=folder)
    assert (checked.code, checked.out.splitlines()[-1].startswith("VALID")) == (0, True)
    assert run(*command["What"], cwd=folder).out.startswith("4 cases")


def test_folder_of_the_user_keeps_what_else_it_holds(told: Done, folder: Path, config: Path) -> None:
    (folder / "out" / "notes.txt").write_text("mine", encoding="utf-8")
    stale = folder / "out" / "act-1-ba-pk" / "stale.xml"
    stale.write_text("old", encoding="utf-8")
    done = run("demo", "--json", "--out", folder / "out", "--config", config, cwd=folder, seconds=SECONDS)
    assert done.code == 0
    assert documents(folder / "out") == expected() | {"notes.txt"}
    (folder / "out" / "notes.txt").unlink()


def test_folder_that_cannot_be_written_is_wrong_usage(config: Path, folder: Path) -> None:
    (folder / "file").write_text("", encoding="utf-8")
    for out in (folder / "file", folder / "file" / "below"):
        done = run("demo", "--out", out, "--json", "--config", config, cwd=folder)
        assert (done.code, done.json["error"]["code"]) == (2, "wrong-usage")
        assert "Traceback" not in done.err


def test_broker_that_is_none_is_wrong_usage(config: Path, folder: Path) -> None:
    done = run("demo", "--broker", "pigeon", "--config", config, cwd=folder)
    assert done.code == 2
    assert "pigeon" in done.err


def test_database_of_the_demo_lies_in_its_own_folder_for_its_user_alone(told: Done, folder: Path) -> None:
    places = {path.parent for path in folder.rglob("*.sqlite3")}
    assert {place.name for place in places} == {"gateway"}
    assert {stat.S_IMODE(place.stat().st_mode) for place in places} == {0o700}


def test_exhibition_shows_cases_in_several_states(folder: Path, config: Path) -> None:
    with running("demo", "--serve", "--json", "--config", config, cwd=folder) as process:
        told = process.first_document()
        assert {each["role"] for each in told["sign_ins"]} == {"officer", "liaison", "operations", "auditor"}
        headers = {"authorization": f"Bearer {told['api_keys']['BA-MS']}"}
        # It listens before it announces itself: the first attempt must connect.
        with httpx2.Client(timeout=30) as client:
            cases = client.get(f"{told['api']}cases", headers=headers).json()["cases"]
            assert len({case["state"] for case in cases}) >= 2
            assert client.get(f"{told['pages']}sign-in").status_code == 200
        assert process.end() == (0, "")


@pytest.mark.rabbitmq
def test_two_gateways_play_the_same_over_rabbitmq(folder: Path, config: Path) -> None:
    try:
        ensure_server()
    except BrokerMissing as error:
        without_rabbitmq(error)
    done = run(
        "demo", "--broker", "rabbitmq", "--json", "--out", folder / "carried", "--config", config, cwd=folder, seconds=SECONDS
    )
    assert (done.code, done.err) == (0, "")
    assert done.json["broker"] == "rabbitmq"
    assert documents(folder / "carried") == expected()
    for act in (0, 1):
        first, *_, last = (datetime.fromisoformat(step["at"]) for step in steps(done, act))
        assert last - first < timedelta(seconds=25), "a message waited for a second attempt"
