"""`gateway certs` as an operator uses it: what is trusted and why not, and how to bear with an outage."""

import json
import shutil
from datetime import UTC, datetime, timedelta

import pytest

from gateway.store.database import open_engine
from gateway.trust.revocation import local
from gateway.trust.sign import sign
from gateway.wire.documents import parse_xml
from tests.forging import journalled
from tests.gateways import example
from tests.running import call, write_settings
from tests.throwaway_ca import DAY, lay, offers, root

NOW = datetime.now(UTC).replace(microsecond=0)  # the commands take the clock of the machine
URL = "http://crl.specimen.example/list.crl"
BY = ("--by", "A. Officer", "--why", "the issuer announced an outage")


def instant(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


UNTIL = ("--until", instant(NOW + 2 * DAY))


@pytest.fixture
def ca():
    return root(NOW)


@pytest.fixture
def leaf(ca):
    return ca.issue("ME-MUP signing", more=offers(crl=[URL]))


@pytest.fixture
def folder(keys, tmp_path, ca, leaf):
    """Development keys, and ME-MUP with a certificate of an issuer that offers a list."""
    shutil.copytree(keys, tmp_path / "keys")
    return lay(tmp_path / "keys", [ca], ME_MUP=leaf)


@pytest.fixture
def config(folder, tmp_path, sqlite_url):
    return write_settings(tmp_path, folder, database=sqlite_url)


@pytest.fixture
def people(config, monkeypatch):
    """Run a command for a person; return the exit code and the text."""

    def ask(*words):
        done = call(*words, "--config", config, monkeypatch=monkeypatch)
        return done.code, done.out

    return ask


def one(document):
    (authority,) = document["authorities"]
    (certificate,) = authority["certificates"]
    return authority, certificate


# --- check ------------------------------------------------------------------------------------------------------------


def test_development_keys_are_trusted_and_said_to_be_irrevocable(told) -> None:
    authority, certificate = one(told("certs", "check", "PK-MOI"))
    assert (authority["trusted"], certificate["trusted"], certificate["development"]) == (True, True, True)
    (link,) = certificate["chain"]
    assert (link["state"], link["needed"]) == ("unknown", False)
    assert "cannot be revoked" in link["why"]
    assert [key["usable"] for key in authority["sealing_keys"]] == [True]


def test_without_an_authority_all_are_examined(told) -> None:
    found = told("certs", "check", code=1)
    assert [each["authority"] for each in found["authorities"]] == ["AT-BMI", "BA-MS", "ME-MUP", "PK-MOI", "RS-MUP"]
    assert [each["authority"] for each in found["authorities"] if not each["trusted"]] == ["ME-MUP"]


def test_a_certificate_of_which_nothing_is_known_is_told_with_what_to_do(told) -> None:
    _, certificate = one(told("certs", "check", "ME-MUP", code=1))
    assert (certificate["trusted"], certificate["code"]) == (False, "revocation-unknown")
    (why,) = certificate["why"]
    assert "grace bridges the time" in why


def test_a_fresh_list_is_told_with_its_dates(told, folder, ca) -> None:
    (folder / "revocation" / "x.crl").write_bytes(ca.crl())
    _, certificate = one(told("certs", "check", "ME-MUP", code=1))  # 1: it has no sealing key
    assert certificate["trusted"]
    (link,) = certificate["chain"]
    assert (link["state"], link["source"]) == ("good", "crl")
    assert datetime.fromisoformat(link["next_update"]) == NOW + DAY


def test_a_revoked_certificate_is_told_as_of_an_instant(told, folder, ca, leaf) -> None:
    (folder / "revocation" / "x.crl").write_bytes(ca.crl(leaf.certificate, at=-DAY))
    _, now = one(told("certs", "check", "ME-MUP", code=1))
    _, before = one(told("certs", "check", "ME-MUP", "--at", instant(NOW - 2 * DAY), code=1))
    assert (now["code"], before["code"]) == ("certificate-revoked", None)


def test_a_chain_that_does_not_verify_is_told_in_words(told, folder, ca) -> None:
    lay(folder, [root(NOW, "Another")], ME_MUP=ca.issue("Issuing CA", ca=True).issue("ME-MUP signing"))
    _, certificate = one(told("certs", "check", "ME-MUP", code=1))
    assert certificate["code"] == "signer-not-trusted"
    assert any("no anchor bears the name" in why for why in certificate["why"])


def test_an_ended_certificate_beside_the_one_in_use_is_no_fault(told, folder, ca) -> None:
    shutil.copy(folder / "pinned" / "PK-MOI.pem", folder / "pinned" / "PK-MOI.2.pem")
    lay(folder, [ca], PK_MOI=ca.issue("PK-MOI signing", ends=-DAY))
    (authority,) = told("certs", "check", "PK-MOI")["authorities"]
    assert [(each["trusted"], each["days_left"] < 0) for each in authority["certificates"]] == [(True, False), (False, True)]


def test_a_sealing_key_whose_voucher_was_taken_back_is_not_usable(told, folder) -> None:
    fingerprint = one(told("certs", "check", "PK-MOI"))[1]["fingerprint"]
    local.revoke(folder, fingerprint, NOW - timedelta(hours=1), "key lost", "B. Officer")
    authority, certificate = one(told("certs", "check", "PK-MOI", code=1))
    assert certificate["code"] == "certificate-revoked"
    assert [(key["usable"], key["why"]) for key in authority["sealing_keys"]] == [
        (False, "the certificate that vouches for it is revoked")
    ]


def test_a_file_that_proves_nothing_is_named(told, folder) -> None:
    (folder / "revocation" / "x.crl").write_bytes(b"no list")
    assert told("certs", "check", "PK-MOI")["unusable"] == {"x.crl": "what is there is not a revocation list in DER"}


def test_people_read_the_chain_the_state_and_the_days(people, folder, ca) -> None:
    (folder / "revocation" / "x.crl").write_bytes(ca.crl())
    code, out = people("certs", "check", "ME-MUP")
    assert code == 1
    for words in (
        "CN=Specimen root",
        "(anchor)",
        "revocation: good",
        " days left",
        "none; ask the partner",
        "not trusted as of",
    ):
        assert words in out


def test_a_certificate_that_does_not_name_its_authority_is_warned_of(told, people, folder, ca) -> None:
    assert one(told("certs", "check", "PK-MOI"))[1]["names_authority"]
    (folder / "revocation" / "x.crl").write_bytes(ca.crl())
    lay(folder, [ca], ME_MUP=ca.issue("Ministry seal"))
    _, certificate = one(told("certs", "check", "ME-MUP", code=1))  # 1: it has no sealing key
    assert (certificate["trusted"], certificate["names_authority"]) == (True, False)
    _, text = people("certs", "check", "ME-MUP")
    assert "a court that has anchors only refuses" in " ".join(text.split())


def test_an_authority_without_a_pin_is_refused(told) -> None:
    assert told("certs", "check", "XK-MPB", code=1)["error"]["code"] == "unknown-authority"


@pytest.mark.parametrize("at", ["yesterday", "2026-01-01", "0001-01-01T00:00:00+14:00"])
def test_an_instant_that_is_none_is_wrong_usage(told, at) -> None:
    told("certs", "check", "--at", at, code=2)


# --- grace ------------------------------------------------------------------------------------------------------------


def test_a_grace_is_recorded_shown_and_taken_back(told, people, folder, sqlite_url) -> None:
    given = told("certs", "grace", "ME-MUP", *UNTIL, *BY)
    assert (given["subject"], given["by"]) == ("ME-MUP", "A. Officer")
    _, certificate = one(told("certs", "check", "ME-MUP", code=1))
    assert certificate["trusted"]
    assert certificate["chain"][0]["grace"]["why"] == "the issuer announced an outage"
    assert "decided by A. Officer" in people("certs", "check", "ME-MUP")[1]
    told("certs", "grace", "ME-MUP", "--end", *BY)
    assert not one(told("certs", "check", "ME-MUP", code=1))[1]["trusted"]
    engine = open_engine(sqlite_url)
    assert [(row["event"], row["actor"]) for row in journalled(engine)] == [
        ("certificate.grace_given", "A. Officer"),
        ("certificate.grace_ended", "A. Officer"),
    ]
    engine.dispose()


def test_the_beginning_of_a_fingerprint_names_a_certificate(told, leaf) -> None:
    assert told("certs", "grace", leaf.fingerprint[:16], *UNTIL, *BY)["subject"] == leaf.fingerprint


@pytest.mark.parametrize("subject", ["XK-MPB", "ab" * 32, "", "ME-MUP/../x"])
def test_a_grace_is_given_only_to_what_is_pinned(told, subject) -> None:
    assert told("certs", "grace", subject, *UNTIL, *BY, code=1)["error"]["code"] == "not-found"


def test_a_grace_of_more_than_thirty_days_is_not_given(told) -> None:
    too_long = ("--until", instant(NOW + 31 * DAY))
    assert told("certs", "grace", "ME-MUP", *too_long, *BY, code=4)["error"]["code"] == "trust-invalid"


@pytest.mark.parametrize(
    "words",
    [(*BY,), (*UNTIL, "--end", *BY), (*UNTIL, "--by", "A. Officer"), (*UNTIL, "--why", "an outage")],
    ids=["neither end nor instant", "both", "no reason", "nobody"],
)
def test_a_grace_needs_an_end_a_person_and_a_reason(told, words) -> None:
    told("certs", "grace", "ME-MUP", *words, code=2)


# --- doctor and verify ------------------------------------------------------------------------------------------------


def test_doctor_tells_what_it_is_that_is_not_known(told) -> None:
    parts = {part["part"]: part for part in told("doctor", code=3)["parts"]}
    assert not parts["revocation"]["ok"]
    assert "ME-MUP" in parts["revocation"]["what"]


def test_doctor_is_content_where_all_is_known(told, folder, ca) -> None:
    (folder / "revocation" / "x.crl").write_bytes(ca.crl())
    parts = {part["part"]: part for part in told("doctor", code=0)["parts"]}
    assert parts["revocation"]["ok"]
    assert "4 cannot be revoked" in parts["revocation"]["what"]


def test_verify_says_that_it_is_not_known_whether_the_signer_was_revoked(
    told, folder, ca, config, tmp_path, monkeypatch
) -> None:
    signer = ca.issue("BA-MS signing", more=offers(crl=[URL]))
    lay(folder, [ca], **{"BA_MS.2": signer})
    file = tmp_path / "signed.xml"
    file.write_bytes(sign(parse_xml(example("ReadmissionApplication-own-national")), signer.signer("BA-MS"), NOW).body)
    done = call("verify", file, "--json", "--config", config, monkeypatch=monkeypatch)
    found = json.loads(done.out)
    assert (done.code, found["verdict"], found["code"], found["steps"][-1]["step"]) == (3, "refused", "revocation-unknown", 4)
