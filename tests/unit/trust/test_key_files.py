"""Where private keys may lie and who may read them: the key folder, the environment, mounted secrets."""

import os
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import KeyMissing, TrustInvalid
from gateway.trust.folder import authority_files, exposure, read_private, write_file
from gateway.trust.held import HeldKeys
from gateway.trust.keys import KeyRing
from gateway.trust.places import KeyPlace, TokenPlace, read_place
from gateway.trust.vault import Vault, new_master_key

pytestmark = pytest.mark.skipif(os.name != "posix", reason="file modes are a matter of posix systems")


@pytest.fixture
def apart(folder, tmp_path):
    """A key folder without the signing key of BA-MS, and the file that holds it elsewhere."""
    for path in (folder / "private").iterdir():
        if path.name != "BA-MS.signing.pem":
            write_file(tmp_path / "keys" / "private" / path.name, path.read_bytes(), private=True)
    mounted = tmp_path / "secrets" / "..data" / "tls.pem"  # as Kubernetes lays it
    write_file(mounted, (folder / "private" / "BA-MS.signing.pem").read_bytes(), private=True)
    (tmp_path / "secrets" / "tls.pem").symlink_to(Path("..data") / "tls.pem")
    return tmp_path


# --- the environment


def test_signing_key_is_read_from_the_file_that_the_environment_names(apart, ring, now):
    environment = {"GATEWAY_SIGNING_KEY_BA_MS_FILE": str(apart / "secrets" / "tls.pem")}
    found = KeyRing.load(apart / "keys", environment=environment)
    assert found.authorities() == ("AT-BMI", "BA-MS", "PK-MOI")
    assert found.signing("BA-MS", now).chain == ring.signing("BA-MS", now).chain


def test_key_given_twice_stops_the_start(folder):
    with pytest.raises(TrustInvalid, match="keep one"):
        HeldKeys.load(folder, {"GATEWAY_SIGNING_KEY_BA_MS_FILE": str(folder / "private" / "BA-MS.signing.pem")})


@pytest.mark.parametrize("name", ["BA", "ba_ms", "BA_MS_2", "BAMS", "BA-MS-X"])
def test_variable_that_names_no_authority_stops_the_start(folder, name):
    with pytest.raises(TrustInvalid, match="names no authority"):
        HeldKeys.load(folder, {f"GATEWAY_SIGNING_KEY_{name}_FILE": "somewhere"})


def test_file_of_the_environment_that_is_not_there_is_missing(apart):
    with pytest.raises(KeyMissing):
        HeldKeys.load(apart / "keys", {"GATEWAY_SIGNING_KEY_BA_MS_FILE": str(apart / "none")})


def test_file_of_the_environment_is_refused_when_others_can_read_it(apart):
    (apart / "secrets" / "..data" / "tls.pem").chmod(0o444)
    with pytest.raises(TrustInvalid, match="0600"):
        HeldKeys.load(apart / "keys", {"GATEWAY_SIGNING_KEY_BA_MS_FILE": str(apart / "secrets" / "tls.pem")})


def test_master_key_is_read_from_the_file_that_the_environment_names(folder, tmp_path):
    write_file(tmp_path / "master", new_master_key(), private=True)
    elsewhere = Vault.load(folder, environment={"GATEWAY_MASTER_KEY_FILE": str(tmp_path / "master")})
    assert repr(elsewhere) != repr(Vault.load(folder, environment={}))


# --- who may read it

US, GROUP, OTHER = 500, 600, 700


@pytest.mark.parametrize(
    ("owner", "group", "mode", "good"),
    [
        (US, GROUP, 0o600, True),
        (US, GROUP, 0o400, True),
        (US, GROUP, 0o640, False),
        (US, GROUP, 0o604, False),
        (0, GROUP, 0o440, True),
        (0, GROUP, 0o640, True),
        (0, GROUP, 0o460, False),
        (0, GROUP, 0o444, False),
        (0, OTHER, 0o440, False),
        (OTHER, GROUP, 0o600, False),
        (OTHER, GROUP, 0o440, False),
    ],
)
def test_private_file_may_be_read_by_its_owner_and_as_a_mounted_secret_by_our_group(monkeypatch, owner, group, mode, good):
    monkeypatch.setattr(os, "geteuid", lambda: US)
    monkeypatch.setattr(os, "getegid", lambda: GROUP)
    monkeypatch.setattr(os, "getgroups", list)
    assert (exposure(SimpleNamespace(st_uid=owner, st_gid=group, st_mode=0o100000 | mode)) is None) == good


@pytest.mark.parametrize(("mode", "good"), [(0o600, True), (0o400, True), (0o440, False)])
def test_root_reads_files_of_its_services_and_is_not_more_lenient(monkeypatch, mode, good):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert (exposure(SimpleNamespace(st_uid=US, st_gid=GROUP, st_mode=mode)) is None) == good


def test_link_to_a_file_that_others_can_read_is_refused(tmp_path):
    (tmp_path / "open").write_bytes(b"secret")
    (tmp_path / "open").chmod(0o644)
    (tmp_path / "link").symlink_to(tmp_path / "open")
    with pytest.raises(TrustInvalid, match="0600"):
        read_private(tmp_path / "link")


# --- numbers and instants


def test_files_of_an_authority_come_in_the_order_of_their_numbers(tmp_path):
    for name in ("BA-MS.10.pem", "BA-MS.pem", "BA-MS.2.pem", "AT-BMI.pem"):
        (tmp_path / name).touch()
    names = [path.name for _, path in authority_files(tmp_path, ".pem")]
    assert names == ["AT-BMI.pem", "BA-MS.pem", "BA-MS.2.pem", "BA-MS.10.pem"]


def test_key_signs_from_the_instant_that_stands_beside_it(folder, tmp_path, forge, now):
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    later = now + timedelta(days=10)
    new = forge.certificate()
    pem = new.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pem += x509.load_der_x509_certificate(new.chain[0]).public_bytes(Encoding.PEM)
    private = tmp_path / "private"
    write_file(private / "BA-MS.signing.pem", (folder / "private" / "BA-MS.signing.pem").read_bytes(), private=True)
    write_file(private / "BA-MS.2.signing.pem", pem, private=True)
    write_file(private / "BA-MS.2.signing.toml", KeyPlace(signs_from=later).written(), private=True)
    keys = HeldKeys.load(tmp_path, {})
    assert keys.key("BA-MS", later - timedelta(seconds=1)).chain != new.chain
    assert keys.key("BA-MS", later).chain == new.chain


TOKEN = TokenPlace(
    module=Path("/usr/lib/token.so"),
    token='the "token"',
    key_id=b"\x01\xff",
    label=None,
    pin_file=Path("/run/pin"),
    pin_env=None,
)


@pytest.mark.parametrize("place", [KeyPlace(), KeyPlace(token=TOKEN)], ids=["nothing", "token"])
def test_place_is_read_as_it_was_written(tmp_path, now, place):
    for written in (place, KeyPlace(signs_from=now, token=place.token)):
        write_file(tmp_path / "a.toml", written.written(), private=True)
        assert read_place(tmp_path / "a.toml") == written


BAD_PLACES = {
    "not TOML": "from",
    "unknown key": "till = 2026-01-01T00:00:00Z",
    "no instant": 'from = "tomorrow"',
    "no zone": "from = 2026-01-01T00:00:00",
    "no table": "pkcs11 = 1",
    "no text": "[pkcs11]\nmodule = 1",
    "unknown member": '[pkcs11]\npassword = "x"',
    "no token": '[pkcs11]\nmodule = "m"\nid = "00"\npin_env = "P"',
    "id and label": '[pkcs11]\nmodule = "m"\ntoken = "t"\nid = "00"\nlabel = "l"\npin_env = "P"',
    "odd id": '[pkcs11]\nmodule = "m"\ntoken = "t"\nid = "000"\npin_env = "P"',
    "no PIN": '[pkcs11]\nmodule = "m"\ntoken = "t"\nid = "00"',
}


@pytest.mark.parametrize("text", BAD_PLACES.values(), ids=BAD_PLACES.keys())
def test_place_that_cannot_be_meant_stops_the_start_by_name(tmp_path, text):
    write_file(tmp_path / "BA-MS.signing.toml", text.encode(), private=True)
    with pytest.raises(TrustInvalid, match=r"BA-MS\.signing\.toml"):
        read_place(tmp_path / "BA-MS.signing.toml")


@given(data=st.binary(max_size=200))
def test_any_bytes_are_a_place_or_give_our_own_error(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "any.toml"
    write_file(path, data, private=True)
    try:
        read_place(path)
    except TrustInvalid:
        return


def test_pin_comes_from_a_file_or_a_variable(tmp_path):
    from dataclasses import replace

    write_file(tmp_path / "pin", b"4711\n", private=True)
    assert replace(TOKEN, pin_file=tmp_path / "pin").pin({}) == "4711"
    named = replace(TOKEN, pin_file=None, pin_env="PIN")
    assert named.pin({"PIN": "4712"}) == "4712"
    with pytest.raises(TrustInvalid, match="PIN"):
        named.pin({})
    (tmp_path / "pin").chmod(0o644)
    with pytest.raises(TrustInvalid, match="0600"):
        replace(TOKEN, pin_file=tmp_path / "pin").pin({})
