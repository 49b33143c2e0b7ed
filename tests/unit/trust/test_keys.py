"""Key files: made once, private to their owner, refused when they do not fit."""

import json
import os
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from gateway.errors import KeyMissing, TrustInvalid
from gateway.trust.certificates import TrustStore
from gateway.trust.devca import make_development_keys
from gateway.trust.folder import write_file
from gateway.trust.keys import KeyRing
from gateway.trust.vault import Vault


def _snapshot(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def own(folder, tmp_path):
    """Return a copy of the key folder, to be damaged."""
    for path, content in _snapshot(folder).items():
        write_file(tmp_path / path, content, private=path.parts[0] in {"private", "ca"})
    return tmp_path


# --- development keys


def test_making_development_keys_again_changes_nothing(own, now):
    before = _snapshot(own)
    make_development_keys(own, ["AT-BMI", "BA-MS", "PK-MOI"], now + timedelta(days=3))
    assert _snapshot(own) == before


def test_a_new_authority_is_added_under_the_same_anchor(own, now):
    before = _snapshot(own)
    make_development_keys(own, ["BA-MS", "RS-MUP"], now)
    after = _snapshot(own)
    assert {path: after[path] for path in before} == before
    assert TrustStore.load(own).verdict(KeyRing.load(own).signing("RS-MUP").chain, now).authority == "RS-MUP"


def test_a_lost_pin_is_written_again_from_the_private_file(own, now, folder):
    (own / "pinned" / "BA-MS.pem").unlink()
    make_development_keys(own, ["BA-MS"], now)
    assert _snapshot(own) == _snapshot(folder)


def test_an_authority_of_another_installation_is_left_alone(own, now):
    (own / "private" / "PK-MOI.signing.pem").unlink()
    (own / "private" / "PK-MOI.sealing.json").unlink()
    before = _snapshot(own)
    make_development_keys(own, ["PK-MOI"], now)
    assert _snapshot(own) == before


def test_every_authority_can_sign_and_be_sealed_for(folder, now):
    ring, trust = KeyRing.load(folder), TrustStore.load(folder)
    assert ring.authorities() == trust.authorities() == ("AT-BMI", "BA-MS", "PK-MOI")
    for authority in ring.authorities():
        key = trust.sealing_key(authority, now)
        assert ring.sealing(authority, key.key_id).suite is key.suite


@pytest.mark.skipif(os.name != "posix", reason="file modes are a matter of posix systems")
def test_private_files_belong_to_their_owner_alone(folder):
    private = [*(folder / "private").iterdir(), *(folder / "ca").iterdir()]
    assert private
    assert {path.stat().st_mode & 0o777 for path in private} == {0o600}


def test_the_master_key_is_made_too(folder):
    assert Vault.load(folder).new_case_key()


@pytest.mark.parametrize("code", ["BA", "ba-ms", "../BA-MS", "BA-MS.pem", ""])
def test_an_authority_code_of_another_form_gets_no_file(tmp_path, now, code):
    with pytest.raises(TrustInvalid):
        make_development_keys(tmp_path, [code], now)
    assert not _snapshot(tmp_path)


def test_a_damaged_certificate_authority_is_not_used(own, now):
    write_file(own / "ca" / "root.key.pem", b"not a key", private=True)
    with pytest.raises(TrustInvalid):
        make_development_keys(own, ["RS-MUP"], now)


def test_a_certificate_authority_with_another_key_is_not_used(own, now):
    write_file(own / "ca" / "root.key.pem", _pem(ec.SECP256R1()), private=True)
    with pytest.raises(TrustInvalid, match="not a pair"):
        make_development_keys(own, ["RS-MUP"], now)


# --- key ring


def _pem(curve, password=None):
    encryption = NoEncryption() if password is None else BestAvailableEncryption(password)
    return ec.generate_private_key(curve).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def _certificates(own):
    return (own / "pinned" / "BA-MS.pem").read_bytes()


def test_a_missing_key_folder_is_a_missing_key(tmp_path):
    with pytest.raises(KeyMissing):
        KeyRing.load(tmp_path)


def test_the_key_of_an_authority_that_is_not_at_home_is_missing(ring):
    with pytest.raises(KeyMissing, match="RS-MUP"):
        ring.signing("RS-MUP")
    with pytest.raises(KeyMissing, match="BA-MS"):
        ring.sealing("BA-MS", "0" * 16)


@pytest.mark.skipif(os.name != "posix", reason="file modes are a matter of posix systems")
@pytest.mark.parametrize("name", ["BA-MS.signing.pem", "BA-MS.sealing.json"])
def test_a_private_file_others_can_read_stops_the_start(own, name):
    (own / "private" / name).chmod(0o640)
    with pytest.raises(TrustInvalid, match="0600"):
        KeyRing.load(own)


def test_two_signing_keys_of_one_authority_stop_the_start(own):
    write_file(own / "private" / "BA-MS.2.signing.pem", (own / "private" / "BA-MS.signing.pem").read_bytes(), private=True)
    with pytest.raises(TrustInvalid, match="two signing keys"):
        KeyRing.load(own)


DEFECTS = {
    "empty": lambda own: b"",
    "text": lambda own: b"not a key",
    "no certificate": lambda own: _pem(ec.SECP256R1()),
    "no key": _certificates,
    "other curve": lambda own: _pem(ec.SECP384R1()) + _certificates(own),
    "certificate of another key": lambda own: _pem(ec.SECP256R1()) + _certificates(own),
    "encrypted": lambda own: _pem(ec.SECP256R1(), b"secret") + _certificates(own),
}


@pytest.mark.parametrize("defect", DEFECTS.values(), ids=DEFECTS.keys())
def test_a_signing_key_file_that_does_not_fit_stops_the_start_by_name(own, defect):
    write_file(own / "private" / "BA-MS.signing.pem", defect(own), private=True)
    with pytest.raises(TrustInvalid, match=r"BA-MS\.signing\.pem"):
        KeyRing.load(own)


@pytest.mark.parametrize(
    "change",
    [{"authority": "PK-MOI"}, {"key_id": "0" * 16}, {"suite": "none"}, {"v": 2}, {"private_key": "AAAA"}, {"private_key": 1}],
)
def test_a_sealing_key_file_that_does_not_fit_stops_the_start_by_name(own, change):
    file = own / "private" / "BA-MS.sealing.json"
    write_file(file, json.dumps({**json.loads(file.read_bytes()), **change}).encode(), private=True)
    with pytest.raises(TrustInvalid, match=r"BA-MS\.sealing\.json"):
        KeyRing.load(own)


def test_an_old_sealing_key_still_opens(own, now):
    old = KeyRing.load(own).sealing_ids("BA-MS")
    other = _fresh_sealing_key(own, now)
    write_file(own / "private" / "BA-MS.2.sealing.json", other, private=True)
    assert set(old) < set(KeyRing.load(own).sealing_ids("BA-MS"))


def _fresh_sealing_key(own, now):
    elsewhere = own / "elsewhere"
    make_development_keys(elsewhere, ["BA-MS"], now)
    return (elsewhere / "private" / "BA-MS.sealing.json").read_bytes()


def test_keys_do_not_print_themselves(ring):
    assert repr(ring.signing("BA-MS")) == "FileKey(BA-MS)"
    key_id = ring.sealing_ids("BA-MS")[0]
    assert repr(ring.sealing("BA-MS", key_id)) == f"SealedKey({key_id})"


def test_the_certificate_in_the_key_file_is_the_pinned_one(folder, ring):
    pinned = x509.load_pem_x509_certificate((folder / "pinned" / "BA-MS.pem").read_bytes())
    assert ring.signing("BA-MS").chain == (pinned.public_bytes(Encoding.DER),)


# --- files


def test_a_file_that_cannot_be_finished_leaves_the_old_one(tmp_path, monkeypatch):
    target = tmp_path / "file"
    write_file(target, b"old")

    def full(_):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        write_file(target, b"new")
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]
