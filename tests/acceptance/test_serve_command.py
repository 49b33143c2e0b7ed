"""`gateway serve` and `gateway run` as processes: they answer, work together, and end when they are told to."""

import json
import signal
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest

from gateway.store import accounts
from gateway.store.database import open_engine, transaction
from gateway.wire.documents import NS, parse_xml, serialize
from tests.gateways import example
from tests.running import run, running, until, write_settings

ALL = ["AT-BMI", "BA-MS", "PK-MOI", "RS-MUP"]


@pytest.fixture
def config(tmp_path: Path, sqlite_url: str, keys: Path) -> Path:
    return write_settings(tmp_path, keys, database=sqlite_url)


def add_key(sqlite_url: str, authority: str) -> dict[str, str]:
    """Headers with an API key that is valid today."""
    engine, now = open_engine(sqlite_url), datetime.now(UTC)
    with transaction(engine) as tx:
        key = accounts.add_api_key(
            tx, authority=authority, scopes=("submit", "inbox", "cases"), at=now, ends_at=now + timedelta(days=1)
        )
    engine.dispose()
    return {"authorization": f"Bearer {key}"}


def application() -> bytes:
    """An application that leaves at once, without what the gateway fills in."""
    document = parse_xml(example("ReadmissionApplication-third-country-entry"))
    header = document.find(f"{{{NS}}}Header")
    assert header is not None
    for name in ("MessageId", "CaseReference", "Sequence", "Created"):
        header.remove(header.find(f"{{{NS}}}{name}"))  # type: ignore[arg-type]
    return serialize(document)


def hand_in(url: str, headers: dict[str, str]) -> dict[str, object]:
    answer = httpx2.post(f"{url}/api/v1/messages?dialect=canonical", content=application(), headers=headers, timeout=30)
    assert answer.status_code == 201, answer.text
    found: dict[str, object] = answer.json()
    return found


def inbox(url: str, headers: dict[str, str]) -> list[dict[str, object]]:
    found: list[dict[str, object]] = httpx2.get(f"{url}/api/v1/inbox", headers=headers, timeout=30).json()["messages"]
    return found


def test_serve_carries_a_message_from_one_authority_to_the_other(config: Path, sqlite_url: str, tmp_path: Path) -> None:
    austria, serbia = add_key(sqlite_url, "AT-BMI"), add_key(sqlite_url, "RS-MUP")
    with running("serve", "--config", config, "--json", cwd=tmp_path) as process:
        told = process.first_document()
        assert told["home"] == ALL
        assert set(told["parts"]) >= {"api", "consume", "deliver", "watch"}
        assert httpx2.get(f"{told['url']}/readyz", timeout=30).json() == {"state": "ok"}
        assert httpx2.get(f"{told['url']}/sign-in", timeout=30).status_code == 200
        sent = hand_in(told["url"], austria)
        (line,) = until(lambda: inbox(told["url"], serbia), "the message in the inbox of RS-MUP")
        assert line["message_id"] == sent["message_id"]
        assert process.end() == (0, "")
    assert "Traceback" not in process.errors()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_serve_ends_cleanly_when_told(config: Path, tmp_path: Path, number: signal.Signals) -> None:
    with running("serve", "--config", config, "--json", cwd=tmp_path) as process:
        process.first_document()
        assert process.end(number) == (0, "")
    assert process.errors() == ""


def test_parts_run_apart_on_one_database(config: Path, sqlite_url: str, tmp_path: Path) -> None:
    austria, serbia = add_key(sqlite_url, "AT-BMI"), add_key(sqlite_url, "RS-MUP")
    folder = tmp_path / "apart"
    folder.mkdir()
    with running("run", "api", "--config", config, "--json", cwd=tmp_path) as front:
        url = front.first_document()["url"]
        sent = hand_in(url, austria)
        assert inbox(url, serbia) == []
        with running("run", "consume", "deliver", "--config", config, "--json", cwd=folder) as back:
            assert back.first_document() == {"url": None, "parts": ["consume", "deliver"], "home": ALL}
            (line,) = until(lambda: inbox(url, serbia), "the message in the inbox of RS-MUP")
            assert line["message_id"] == sent["message_id"]
            assert back.end() == (0, "")
        assert front.end() == (0, "")
    assert "Traceback" not in front.errors() + back.errors()


def test_message_handed_in_before_a_kill_is_carried_after_it(config: Path, sqlite_url: str, tmp_path: Path) -> None:
    austria, serbia = add_key(sqlite_url, "AT-BMI"), add_key(sqlite_url, "RS-MUP")
    with running("run", "api", "--config", config, "--json", cwd=tmp_path) as process:
        sent = hand_in(process.first_document()["url"], austria)
        process.end(signal.SIGKILL)
    with running("serve", "--config", config, "--json", cwd=tmp_path) as process:
        url = process.first_document()["url"]
        (line,) = until(lambda: inbox(url, serbia), "the message in the inbox of RS-MUP")
        assert line["message_id"] == sent["message_id"]


def test_people_are_told_the_address(config: Path, tmp_path: Path) -> None:
    with running("serve", "--config", config, cwd=tmp_path) as process:
        assert process.process.stdout is not None
        line = process.process.stdout.readline()
    assert line.startswith("http://127.0.0.1:")
    assert "home to AT-BMI, BA-MS" in line


def test_embedded_database_is_made_at_the_first_start(keys: Path, tmp_path: Path) -> None:
    config = write_settings(tmp_path, keys)
    with running("serve", "--config", config, "--json", cwd=tmp_path) as process:
        url = process.first_document()["url"]
        assert httpx2.get(f"{url}/readyz", timeout=30).status_code == 200
        assert process.end()[0] == 0


# --- what stops the start ---------------------------------------------------------------------------------------------


def refused(config: Path, *words: object) -> str:
    """Run until it stops by itself; return the code of its error after looking at everything else."""
    done = run(*words, "--config", config, "--json", cwd=config.parent)
    last = done.out[done.out.rindex('{\n  "error"') :]
    assert "Traceback" not in done.err
    assert done.code in {3, 4}
    code: str = json.loads(last)["error"]["code"]
    return code


def test_port_that_is_taken_stops_the_start_with_a_sentence(config: Path, keys: Path, sqlite_url: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        config = write_settings(tmp_path, keys, database=sqlite_url, port=taken.getsockname()[1])
        done = run("serve", "--config", config, "--json", cwd=tmp_path)
    assert (done.code, done.err) == (4, "")
    assert done.json["error"]["code"] == "settings-invalid"
    assert "is taken" in done.json["error"]["message"]


def test_two_processes_that_share_a_port_both_listen_and_one_goes_on_when_the_other_has_ended(
    keys: Path, sqlite_url: str, tmp_path: Path
) -> None:
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    first = write_settings(tmp_path / "first", keys, database=sqlite_url, share_port=True)
    with running("run", "api", "--config", first, "--json", cwd=first.parent) as one:
        url = one.first_document()["url"]
        second = write_settings(
            tmp_path / "second", keys, database=sqlite_url, share_port=True, port=int(url.rpartition(":")[2])
        )
        with running("run", "api", "--config", second, "--json", cwd=second.parent) as other:
            assert other.first_document()["url"] == url
            one.process.send_signal(signal.SIGTERM)
            assert one.process.wait(20) == 0
            headers = add_key(sqlite_url, "AT-BMI")
            assert [hand_in(url, headers)["outcome"] for _ in range(4)] == ["sent"] * 4


def test_broker_that_is_away_is_told_with_exit_3(keys: Path, sqlite_url: str, tmp_path: Path) -> None:
    config = write_settings(tmp_path, keys, database=sqlite_url, broker="amqp://nobody:secret@127.0.0.1:1/none")
    assert refused(config, "run", "consume") == "broker-unavailable"


def test_authority_that_no_partner_has_stops_the_start(keys: Path, sqlite_url: str, tmp_path: Path) -> None:
    assert refused(write_settings(tmp_path, keys, database=sqlite_url, home=["QQ-NO"]), "serve") == "settings-invalid"


def test_gateway_without_a_home_has_nothing_to_run(keys: Path, sqlite_url: str, tmp_path: Path) -> None:
    assert refused(write_settings(tmp_path, keys, database=sqlite_url, home=[]), "run", "consume") == "settings-invalid"


def test_missing_keys_stop_the_start(sqlite_url: str, tmp_path: Path) -> None:
    assert refused(write_settings(tmp_path, tmp_path / "none", database=sqlite_url), "serve") == "key-missing"


def test_part_that_does_not_exist_is_wrong_usage(config: Path, tmp_path: Path) -> None:
    done = run("run", "everything", "--config", config, cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert "everything" in done.err


@pytest.mark.postgres
def test_production_database_is_never_changed_by_a_start(postgres_url: str, keys: Path, tmp_path: Path) -> None:
    config = write_settings(tmp_path, keys, database=postgres_url)
    assert refused(config, "serve") == "database-not-ready"
    assert run("doctor", "--upgrade", "--config", config, cwd=tmp_path).code == 0
    with running("serve", "--config", config, "--json", cwd=tmp_path) as process:
        assert httpx2.get(f"{process.first_document()['url']}/readyz", timeout=30).status_code == 200
        assert process.end()[0] == 0
