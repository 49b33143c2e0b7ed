"""`gateway keys`: a key's whole life, with a certificate authority that is not ours, in a file and in a token."""

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway.errors import KeyMissing
from gateway.trust.certificates import TrustStore
from gateway.trust.folder import write_file
from gateway.trust.hardware import HardwareKey
from gateway.trust.held import HeldKeys
from gateway.trust.keys import KeyRing
from tests.running import call, write_settings
from tests.throwaway_ca import DAY, DOCUMENT_SIGNING, Holder, offers, root

NOW = datetime.now(UTC).replace(microsecond=0)
SOON = NOW + timedelta(days=30)


def later():
    # the command reads the machine's clock, and these tests may come long after NOW
    return datetime.now(UTC) + timedelta(minutes=1)


@pytest.fixture(scope="module")
def issuer() -> Holder:
    return root(NOW)


@pytest.fixture
def folder(tmp_path: Path, issuer: Holder) -> Path:
    """A key folder that holds an anchor and nothing else."""
    write_file(tmp_path / "keys" / "anchors" / "root.pem", issuer.pem)
    return tmp_path / "keys"


@pytest.fixture
def told(tmp_path: Path, folder: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch):
    """Run `gateway keys ...`; it must end with `code`."""
    config = write_settings(tmp_path, folder, database=sqlite_url)

    def ask(*words: object, code: int = 0):
        done = call("keys", *words, "--json", "--config", config, monkeypatch=monkeypatch)
        assert done.code == code, done
        return done.json

    return ask


@pytest.fixture
def certify(told, tmp_path: Path, issuer: Holder):
    """Make a key, have its request answered by the certificate authority, bring the certificate in."""

    def begin_to_end(*words: object, certificate: tuple[object, ...] = (), **changes: object):
        csr, pem = tmp_path / "request.csr", tmp_path / "certificate.pem"
        told("new", "BA-MS", "--csr", csr, *words)
        request = x509.load_pem_x509_csr(csr.read_bytes())
        pem.write_bytes(issuer.issue(public_key=request.public_key(), **changes).pem)  # type: ignore[arg-type]
        return told("certificate", "BA-MS", pem, *certificate)

    return begin_to_end


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# --- a new key


@pytest.mark.parametrize(
    ("algorithm", "kind"),
    [("ecdsa-p256-sha256", "secp256r1"), ("ecdsa-p384-sha384", "secp384r1"), ("rsa3072-sha256", 3072)],
)
def test_request_asks_for_a_certificate_that_signs_documents(told, tmp_path, algorithm, kind):
    made = told("new", "BA-MS", "--csr", tmp_path / "a.csr", "--algorithm", algorithm)
    request = x509.load_pem_x509_csr((tmp_path / "a.csr").read_bytes())
    assert request.is_signature_valid
    key = request.public_key()
    assert (key.curve.name if isinstance(key, ec.EllipticCurvePublicKey) else key.key_size) == kind
    usage = request.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert (usage.value.digital_signature, usage.value.content_commitment, usage.value.key_cert_sign) == (True, True, False)
    assert list(request.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [DOCUMENT_SIGNING]
    assert request.subject.rfc4514_string() == "CN=BA-MS signing,O=Ministry of Security,C=BA"
    assert (made["algorithm"], made["key"], made["journalled"]) == (algorithm, "file", True)


def test_waiting_key_is_private_to_its_owner(told, tmp_path, folder):
    told("new", "BA-MS", "--csr", tmp_path / "a.csr")
    assert (folder / "private" / "BA-MS.pending.pem").stat().st_mode & 0o777 == 0o600
    assert (folder / "private").stat().st_mode & 0o777 == 0o700
    assert b"PRIVATE" not in (tmp_path / "a.csr").read_bytes()


def test_waiting_key_is_kept_when_its_request_is_written_again(told, tmp_path):
    told("new", "BA-MS", "--csr", tmp_path / "a.csr")
    made = told("new", "BA-MS", "--csr", tmp_path / "b.csr", "--subject", "CN=Other,C=BA")
    first, second = (x509.load_pem_x509_csr((tmp_path / name).read_bytes()) for name in ("a.csr", "b.csr"))
    assert first.public_key() == second.public_key()
    assert made["subject"] == second.subject.rfc4514_string() == "CN=Other,C=BA"


def test_waiting_key_of_another_algorithm_is_not_thrown_away(told, tmp_path, folder):
    told("new", "BA-MS", "--csr", tmp_path / "a.csr")
    before = files(folder)
    found = told("new", "BA-MS", "--csr", tmp_path / "a.csr", "--algorithm", "rsa3072-sha256", code=4)
    assert (found["error"]["code"], files(folder)) == ("trust-invalid", before)


@pytest.mark.parametrize(
    "words",
    [
        ["BA-MS"],
        ["BA-MS", "--development"],
        ["BA-MS", "--csr", "x", "--algorithm", "dsa"],
        ["BA-MS", "--csr", "x", "--token", "gateway"],
        ["BA-MS", "--csr", "x", "--subject", "nobody"],
    ],
)
def test_new_key_that_is_half_described_is_wrong_usage(told, folder, words):
    before = files(folder)
    told("new", *words, code=2)
    assert files(folder) == before


def test_authority_that_no_partner_has_gets_no_key(told, tmp_path, folder):
    before = files(folder)
    assert told("new", "QQ-NO", "--csr", tmp_path / "a.csr", code=1)["error"]["code"] == "unknown-authority"
    assert files(folder) == before


# --- its certificate


def test_key_signs_once_its_certificate_is_brought_in(certify, folder):
    done = certify()
    key = KeyRing.load(folder, environment={}).signing("BA-MS", later())
    assert TrustStore.load(folder).verdict(key.chain, NOW).fingerprint == done["fingerprint"]
    assert not list((folder / "private").glob("*.pending.*"))


def test_first_certificate_brings_a_sealing_key_with_it(certify, folder):
    certify()
    found = TrustStore.load(folder).sealing_key("BA-MS", later())
    assert KeyRing.load(folder, environment={}).sealing("BA-MS", found.key_id).suite is found.suite


@pytest.mark.parametrize(("common", "named"), [("BA-MS signing", True), ("Ministry signing", False), ("PK-MOI signing", False)])
def test_certificate_that_would_not_tell_a_court_whose_it_is_is_warned_of(told, tmp_path, issuer, monkeypatch, common, named):
    told("new", "BA-MS", "--csr", tmp_path / "a.csr")
    request = x509.load_pem_x509_csr((tmp_path / "a.csr").read_bytes())
    (tmp_path / "a.pem").write_bytes(issuer.issue(common, public_key=request.public_key()).pem)
    words = ("keys", "certificate", "BA-MS", tmp_path / "a.pem", "--json", "--config", tmp_path / "gateway.toml")
    done = call(*words, monkeypatch=monkeypatch)
    assert (done.code, done.json["names_authority"]) == (0, named)
    assert ("a court that has anchors only refuses" in done.err) is not named


def _other_key(issuer, request):
    return issuer.issue().pem


REFUSED = {
    "other key": (_other_key, "certificate-mismatch"),
    "no certificate": (lambda issuer, request: b"not a certificate", "certificate-mismatch"),
    "other anchor": (lambda issuer, request: root(NOW).issue(public_key=request.public_key()).pem, "signer-not-trusted"),
    "other purpose": (
        lambda issuer, request: issuer.issue(public_key=request.public_key(), purposes=[ExtendedKeyUsageOID.SERVER_AUTH]).pem,
        "signer-not-trusted",
    ),
    "ended": (
        lambda issuer, request: issuer.issue(public_key=request.public_key(), begins=-9 * DAY, ends=-DAY).pem,
        "certificate-not-valid",
    ),
}


@pytest.mark.parametrize(("make", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_certificate_that_does_not_fit_is_refused_with_nothing_changed(told, tmp_path, folder, issuer, make, code):
    told("new", "BA-MS", "--csr", tmp_path / "a.csr")
    before = files(folder)
    pem = tmp_path / "bad.pem"
    pem.write_bytes(make(issuer, x509.load_pem_x509_csr((tmp_path / "a.csr").read_bytes())))
    assert told("certificate", "BA-MS", pem, code=1)["error"]["code"] == code
    assert files(folder) == before


def test_certificate_without_a_waiting_key_is_misconfigured(told, tmp_path, issuer):
    pem = tmp_path / "some.pem"
    pem.write_bytes(_other_key(issuer, None))
    assert told("certificate", "BA-MS", pem, code=4)["error"]["code"] == "key-missing"


def test_root_that_comes_with_the_certificate_is_not_pinned(told, tmp_path, folder, issuer):
    told("new", "BA-MS", "--csr", tmp_path / "a.csr")
    pem = tmp_path / "whole.pem"
    pem.write_bytes(
        issuer.issue(public_key=x509.load_pem_x509_csr((tmp_path / "a.csr").read_bytes()).public_key()).pem + issuer.pem
    )
    told("certificate", "BA-MS", pem)
    assert len(x509.load_pem_x509_certificates((folder / "pinned" / "BA-MS.pem").read_bytes())) == 1


def test_certificate_whose_revocation_list_was_never_fetched_is_brought_in(certify, told):
    certify(more=offers(crl=["http://lists.invalid/root.crl"]))
    assert told("list")["authorities"][0]["signs_here"]


# --- rollover


def test_new_key_signs_from_the_planned_instant_on(certify, folder):
    old = certify()["fingerprint"]
    new = certify(certificate=("--from", SOON.isoformat()))["fingerprint"]
    keys, trust = HeldKeys.load(folder, {}), TrustStore.load(folder)
    before, after = keys.key("BA-MS", SOON - timedelta(seconds=1)), keys.key("BA-MS", SOON)
    assert trust.verdict(before.chain, NOW).fingerprint == old
    assert trust.verdict(after.chain, NOW).fingerprint == new
    assert {each.fingerprint for each in trust.pinned("BA-MS")} == {old, new}


def test_second_certificate_without_a_planned_instant_is_wrong_usage(certify, told, tmp_path, issuer):
    certify()
    told("new", "BA-MS", "--csr", tmp_path / "b.csr")
    pem = tmp_path / "b.pem"
    pem.write_bytes(issuer.issue(public_key=x509.load_pem_x509_csr((tmp_path / "b.csr").read_bytes()).public_key()).pem)
    told("certificate", "BA-MS", pem, code=2)
    told("certificate", "BA-MS", pem, "--from", (NOW + timedelta(days=900)).isoformat(), code=2)


def test_no_key_signs_before_or_after_its_certificate(certify, folder):
    certify()
    for at in (NOW - 31 * DAY, NOW + 301 * DAY):
        with pytest.raises(KeyMissing, match="valid at"):
            HeldKeys.load(folder, {}).key("BA-MS", at)


def test_new_sealing_key_is_used_from_its_instant_on_while_the_old_one_opens(certify, told, folder):
    certify()
    old = TrustStore.load(folder).sealing_key("BA-MS", SOON)
    done = told("rotate", "BA-MS", "--from", SOON.isoformat(), "--suite", "x25519-hkdf-sha256-aes256gcm")
    trust, ring = TrustStore.load(folder), KeyRing.load(folder, environment={})
    assert trust.sealing_key("BA-MS", SOON - timedelta(minutes=1)).key_id == old.key_id
    new = trust.sealing_key("BA-MS", SOON)
    assert (new.suite.name, done["file"]) == ("x25519-hkdf-sha256-aes256gcm", "sealing/BA-MS.2.json")
    assert set(ring.sealing_ids("BA-MS")) == {old.key_id, new.key_id}


def test_rotation_may_begin_a_new_signing_key(certify, told, tmp_path):
    certify()
    assert told("rotate", "BA-MS", "--csr", tmp_path / "b.csr")["key"] == "file"
    (row,) = told("list")["authorities"]
    assert row["pending"] == "file"


def test_partners_are_given_certificates_and_sealing_keys_and_nothing_private(certify, told, tmp_path, folder):
    certify(certificate=("--out", tmp_path / "one.json"))
    told("rotate", "BA-MS", "--out", tmp_path / "two.json")
    given = json.loads((tmp_path / "two.json").read_bytes())
    elsewhere = tmp_path / "elsewhere"
    write_file(elsewhere / "anchors" / "root.pem", (folder / "anchors" / "root.pem").read_bytes())
    for name, pem in given["pinned"].items():
        write_file(elsewhere / "pinned" / name, pem.encode())
    for name, document in given["sealing"].items():
        write_file(elsewhere / "sealing" / name, json.dumps(document).encode())
    there, here = TrustStore.load(elsewhere), TrustStore.load(folder)
    assert given["fingerprints"]["BA-MS.pem"] == there.pinned("BA-MS")[0].fingerprint
    assert {key.key_id for key in there.sealing_keys("BA-MS")} == {key.key_id for key in here.sealing_keys("BA-MS")}
    assert "PRIVATE" not in (tmp_path / "one.json").read_text()


@pytest.mark.parametrize("words", [["--suite", "none"], ["--from", "2020-01-01T00:00:00Z"], ["--from", "tomorrow"]])
def test_rotation_that_makes_no_sense_is_wrong_usage(certify, told, words):
    certify()
    told("rotate", "BA-MS", *words, code=2)


# --- revocation


def test_revoked_key_signs_no_more(certify, told, folder):
    done = certify()
    found = told("revoke", "BA-MS", "--why", "the laptop is lost", "--by", "A. Specimen")
    assert (found["fingerprint"], found["signs_on"], found["destroyed"]) == (done["fingerprint"], False, False)
    with pytest.raises(KeyMissing):
        HeldKeys.load(folder, {}).key("BA-MS", datetime.now(UTC) + timedelta(seconds=1))


def test_other_key_takes_over_from_a_revoked_one(certify, told, folder):
    old = certify()["fingerprint"]
    new = certify(certificate=("--from", NOW.isoformat()))["fingerprint"]
    told("revoke", "BA-MS", "--why", "x", "--by", "y", code=4)  # two are pinned: which one?
    found = told("revoke", new, "--why", "x", "--by", "y", "--at", (NOW - timedelta(hours=1)).isoformat())
    assert found["signs_on"]
    key = HeldKeys.load(folder, {}).key("BA-MS", datetime.now(UTC))
    assert TrustStore.load(folder).verdict(key.chain, NOW).fingerprint == old


def test_sealing_key_is_vouched_for_by_the_key_that_takes_over(certify, told, folder):
    certify()
    new = certify(certificate=("--from", NOW.isoformat()))["fingerprint"]
    vouchers = _vouchers(folder)
    assert new in vouchers
    told("revoke", new, "--why", "x", "--by", "y")
    assert new not in _vouchers(folder)


def test_key_for_second_signatures_is_made_published_and_vouched_for_anew(certify, told, folder, tmp_path):
    certify()
    done = told("rotate", "BA-MS", "--suite", "ml-dsa-65", "--out", tmp_path / "for-partners.json")
    assert done["file"] == "second/BA-MS.json"
    assert set(json.loads((tmp_path / "for-partners.json").read_bytes())["second"]) == {"BA-MS.json"}
    (first,) = TrustStore.load(folder).second_keys("BA-MS", later())
    assert HeldKeys.load(folder, {}).second("BA-MS", first.key_id) is not None
    new = certify(certificate=("--from", NOW.isoformat()))["fingerprint"]
    (again,) = TrustStore.load(folder).second_keys("BA-MS", later())
    assert (again.key_id, again.voucher) == (first.key_id, new)
    assert again.version > first.version
    told("revoke", new, "--why", "x", "--by", "y")
    (last,) = TrustStore.load(folder).second_keys("BA-MS", later())
    assert (last.key_id, last.voucher) == (first.key_id, first.voucher)


def _vouchers(folder: Path) -> set[str]:
    from base64 import b64decode
    from hashlib import sha256

    documents = [json.loads(path.read_bytes()) for path in (folder / "sealing").glob("*.json")]
    return {sha256(b64decode(each["certificates"][0])).hexdigest() for each in documents}


def test_private_key_is_destroyed_only_when_that_is_said(certify, told, folder):
    certify()
    told("revoke", "BA-MS", "--why", "x", "--by", "y")
    assert (folder / "private" / "BA-MS.signing.pem").exists()
    assert told("revoke", "BA-MS", "--why", "x", "--by", "y", "--destroy")["destroyed"]
    assert not (folder / "private" / "BA-MS.signing.pem").exists()


def test_what_is_not_pinned_cannot_be_revoked(certify, told):
    certify()
    assert told("revoke", "0" * 64, "--why", "x", "--by", "y", code=4)["error"]["code"] == "key-missing"


def test_partners_certificate_is_revoked_without_private_keys(told, folder, issuer):
    write_file(folder / "pinned" / "PK-MOI.pem", _other_key(issuer, None))
    found = told("revoke", "PK-MOI", "--why", "x", "--by", "y", "--destroy")
    assert (found["authority"], found["destroyed"]) == ("PK-MOI", False)


# --- the record


def test_each_change_stands_in_the_journal(certify, told, sqlite_url):
    certify()
    told("rotate", "BA-MS")
    told("revoke", "BA-MS", "--why", "x", "--by", "A. Specimen")
    with sqlite3.connect(sqlite_url.removeprefix("sqlite:///")) as database:
        rows = database.execute("SELECT event, actor, authority FROM journal ORDER BY id").fetchall()
    database.close()
    assert rows == [
        ("key.made", "operator", "BA-MS"),
        ("certificate.installed", "operator", "BA-MS"),
        ("key.rotated", "operator", "BA-MS"),
        ("certificate.revoked", "A. Specimen", "BA-MS"),
    ]


def test_change_without_a_database_is_done_and_says_that_it_is_not_journalled(tmp_path, folder, monkeypatch):
    config = write_settings(tmp_path, folder, database=f"sqlite:///{tmp_path / 'none.sqlite3'}")
    done = call("keys", "new", "BA-MS", "--csr", tmp_path / "a.csr", "--json", "--config", config, monkeypatch=monkeypatch)
    assert (done.code, done.json["journalled"]) == (0, False)
    assert "not journalled (database-not-ready): key.made BA-MS" in done.err


# --- the list


def test_list_says_where_a_key_lies_and_how_long_it_lasts(certify, told):
    certify("--algorithm", "rsa3072-sha256")
    (row,) = told("list")["authorities"]
    (certificate,) = row["certificates"]
    assert (certificate["algorithm"], certificate["key"], certificate["days_left"]) == ("rsa3072-sha256", "file", 299)
    assert (row["signs_here"], row["pending"], row["sealing_keys"][0]["opens_here"]) == (True, None, True)


def test_people_are_shown_what_waits(told, tmp_path, monkeypatch):
    told("new", "BA-MS", "--csr", tmp_path / "a.csr")
    done = call("keys", "list", "--config", tmp_path / "gateway.toml", monkeypatch=monkeypatch)
    assert "waits for its certificate, file" in done.out


# --- in a token


@pytest.mark.parametrize("algorithm", ["ecdsa-p256-sha256", "ecdsa-p384-sha384", "rsa3072-sha256"])
def test_key_in_a_token_lives_the_same_life(certify, told, folder, softhsm, algorithm):
    certify("--algorithm", algorithm, "--pkcs11", softhsm.library, "--token", "gateway", "--pin-file", softhsm.pin_file)
    assert not any(b"PRIVATE KEY" in content for content in files(folder).values())
    key = HeldKeys.load(folder, {}).key("BA-MS", later())
    assert isinstance(key, HardwareKey)
    assert TrustStore.load(folder).sealing_key("BA-MS", later())  # its document is signed by the token
    assert told("list")["authorities"][0]["certificates"][0]["key"] == "pkcs11"
    assert told("revoke", "BA-MS", "--why", "x", "--by", "y", "--destroy")["destroyed"]
    with pytest.raises(KeyMissing, match="does not hold"):
        key.sign(b"x")


def test_wrong_pin_makes_no_key(told, tmp_path, folder, softhsm):
    pin = tmp_path / "pin"
    pin.touch(mode=0o600)
    pin.write_text("0000")
    words = ("--pkcs11", softhsm.library, "--token", "gateway", "--pin-file", pin)
    from gateway.trust import tokens

    tokens._modules.clear()
    assert told("new", "BA-MS", "--csr", tmp_path / "a.csr", *words, code=4)["error"]["code"] == "token-pin-refused"
    tokens._modules.clear()  # a process that was started anew
    assert not (tmp_path / "a.csr").exists()
    assert not list((folder / "private").glob("*.pending.*"))


def test_pem_of_a_private_key_beside_a_token_is_refused(certify, folder, softhsm):
    from gateway.errors import TrustInvalid

    certify("--pkcs11", softhsm.library, "--token", "gateway", "--pin-file", softhsm.pin_file)
    path = folder / "private" / "BA-MS.signing.pem"
    pem = rsa.generate_private_key(65537, 2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_file(path, pem + path.read_bytes(), private=True)
    with pytest.raises(TrustInvalid, match="token"):
        HeldKeys.load(folder, {})
