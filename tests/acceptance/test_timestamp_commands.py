"""`gateway sign --timestamp`, `verify`, `doctor` and `journal verify`: what a person sees of timestamps and roots."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from gateway.flow.evidence import gather
from gateway.flow.ports import Runtime
from gateway.settings import load
from gateway.store import journal
from gateway.store.database import open_engine, transaction, upgrade
from gateway.store.root_tables import roots as root_table
from gateway.trust.devca import make_development_keys
from gateway.wire.documents import canonicalize, parse_xml
from gateway.wiring import build
from tests.gateways import AUTHORITIES, EXAMPLES
from tests.running import call, write_settings

SILENT = "http://127.0.0.1:9/"  # the port of the discard service: nobody is there


class Desk:
    """A folder with settings and keys, and the command line in it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, **changes: object) -> None:
        self.folder, self.monkeypatch = folder, monkeypatch
        self.settings = write_settings(folder, folder / "keys", **changes)
        make_development_keys(folder / "keys", AUTHORITIES, datetime.now(UTC))
        self.engine = open_engine(f"sqlite:///{folder / 'gateway.sqlite3'}")
        upgrade(self.engine)

    def run(self, *words: str) -> tuple[int, Any]:
        """Return exit code and JSON."""
        done = call(*words, "--json", "--config", self.settings, monkeypatch=self.monkeypatch)
        return done.code, done.json

    def tell(self, *words: str) -> str:
        return call(*words, "--config", self.settings, monkeypatch=self.monkeypatch).out

    def runtime(self) -> Runtime:
        return build(load(self.settings, environment={}))


MESSAGE = str(EXAMPLES / "ReadmissionApplication-own-national.xml")


@pytest.fixture
def desk(tmp_path, monkeypatch) -> Desk:
    return Desk(tmp_path, monkeypatch)


@pytest.fixture
def stamped(desk) -> str:
    out = str(desk.folder / "t.xml")
    code, found = desk.run("sign", MESSAGE, "--as", "BA-MS", "--out", out, "--timestamp")
    assert code == 0
    assert found["stamped_at"]
    return out


def test_stamped_envelope_is_valid_with_the_time_of_its_timestamp(desk, stamped) -> None:
    code, found = desk.run("verify", stamped)
    assert (code, found["verdict"], found["signer"]) == (0, "valid", "BA-MS")
    assert "DEVELOPMENT ONLY" in found["timestamp_authority"]
    age = datetime.now(UTC) - datetime.fromisoformat(found["stamped_at"])
    assert timedelta() <= age < timedelta(minutes=5)
    assert "timestamp of" in desk.tell("verify", stamped)


def test_digest_is_that_of_the_envelope_without_its_timestamp(desk, stamped) -> None:
    plain = str(desk.folder / "b.xml")
    desk.run("sign", MESSAGE, "--as", "BA-MS", "--out", plain)
    _, signed = desk.run("verify", plain)
    assert (signed["stamped_at"], signed["timestamp_authority"]) == (None, None)
    _, found = desk.run("verify", stamped)
    assert found["sha256"] != signed["sha256"]  # signed anew, at another instant
    body = parse_xml(Path(stamped).read_bytes())
    for unsigned in list(body.iter("{http://uri.etsi.org/01903/v1.3.2#}UnsignedProperties")):
        unsigned.getparent().remove(unsigned)
    (desk.folder / "cut.xml").write_bytes(canonicalize(body))
    assert desk.run("verify", str(desk.folder / "cut.xml"))[1]["sha256"] == found["sha256"]


def test_stamped_envelope_is_still_valid_when_its_certificate_has_ended(desk, stamped) -> None:
    assert desk.run("verify", stamped, "--at", "2056-01-01T00:00:00Z")[0] == 0


def test_envelope_without_timestamp_is_not_valid_when_its_certificate_has_ended(desk) -> None:
    plain = str(desk.folder / "b.xml")
    desk.run("sign", MESSAGE, "--as", "BA-MS", "--out", plain)
    code, found = desk.run("verify", plain, "--at", "2056-01-01T00:00:00Z")
    assert (code, found["code"]) == (1, "certificate-not-valid")


def test_nothing_is_written_when_no_timestamp_can_be_had(tmp_path, monkeypatch) -> None:
    desk = Desk(tmp_path, monkeypatch, timestamp_authorities=[SILENT])  # the port of the discard service: nobody is there
    code, found = desk.run("sign", MESSAGE, "--as", "BA-MS", "--out", str(tmp_path / "t.xml"), "--timestamp")
    assert (code, found["error"]["code"]) == (3, "timestamp-unavailable")
    assert not (tmp_path / "t.xml").exists()


def test_signing_with_timestamp_and_no_authority_at_all_is_misconfigured(desk) -> None:
    (desk.folder / "keys" / "ca" / "timestamps.pem").unlink()
    code, found = desk.run("sign", MESSAGE, "--as", "BA-MS", "--out", str(desk.folder / "t.xml"), "--timestamp")
    assert (code, found["error"]["code"]) == (4, "key-missing")


# --- the doctor


def evidence_of(desk: Desk) -> dict[str, Any]:
    (found,) = [part for part in desk.run("doctor")[1]["parts"] if part["part"] == "evidence"]
    return found


def test_doctor_says_that_development_timestamps_prove_nothing(desk) -> None:
    found = evidence_of(desk)
    assert found["ok"]
    assert "prove nothing" in found["what"]


def test_doctor_says_when_time_rests_on_our_own_clock(desk) -> None:
    (desk.folder / "keys" / "ca" / "timestamps.pem").unlink()
    found = evidence_of(desk)
    assert found["ok"]
    assert found["what"] == "no timestamp authority: evidence of time rests on the gateway's own clock"


def test_doctor_says_which_authority_is_silent(tmp_path, monkeypatch) -> None:
    desk = Desk(tmp_path, monkeypatch, timestamp_authorities=[SILENT, "development"])
    found = evidence_of(desk)
    assert found["ok"]
    assert "no good timestamp from 127.0.0.1" in found["what"]


def test_doctor_fails_when_every_authority_is_silent(tmp_path, monkeypatch) -> None:
    found = evidence_of(Desk(tmp_path, monkeypatch, timestamp_authorities=[SILENT]))
    assert (found["ok"], found["exit_code"]) == (False, 3)


def test_doctor_fails_when_the_journal_waits_too_long(tmp_path, monkeypatch) -> None:
    desk = Desk(tmp_path, monkeypatch, timestamp_authorities=["development"])
    with transaction(desk.engine) as tx:
        at = datetime.now(UTC) - timedelta(hours=5)
        journal.append(tx, [journal.Entry(at=at, event="gateway.tried", actor="gateway")])
    found = evidence_of(desk)
    assert not found["ok"]
    assert "evidence-clock-stopped" in found["what"]
    gather(desk.runtime())
    assert evidence_of(desk)["ok"]


# --- the journal


def rooted(desk: Desk) -> Runtime:
    rt = desk.runtime()
    with transaction(rt.engine) as tx:
        journal.append(tx, [journal.Entry(at=rt.clock(), event="gateway.tried", actor="gateway")] * 3)
    gather(rt)
    return rt


def test_whole_journal_is_told_with_its_roots(desk) -> None:
    rooted(desk)
    code, found = desk.run("journal", "verify")
    assert (code, found["verdict"], found["entries"], found["roots"], found["root_findings"]) == (0, "whole", 3, 1, [])
    assert "under 1 signed roots" in desk.tell("journal", "verify")


def test_journal_that_does_not_fit_its_roots_is_broken(desk) -> None:
    """The chain itself is whole: only the signed root tells."""
    rt = rooted(desk)
    with transaction(rt.engine) as tx:
        tx.exec_driver_sql("DROP TRIGGER journal_roots_no_update")
        tx.execute(update(root_table).values(root="0" * 64))
    code, found = desk.run("journal", "verify")
    assert (code, found["verdict"], found["findings"]) == (1, "broken", [])
    assert {one["root"] for one in found["root_findings"]} == {1}
