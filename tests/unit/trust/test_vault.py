"""Data at rest: bound to its place, unreadable without the master key, gone with the case key."""

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.errors import Erased, KeyMissing, Misconfigured, StoredDataDamaged, TrustInvalid
from gateway.trust import vault as module
from gateway.trust.vault import Vault, new_master_key

ABOUT = b"journal/body/17"


@pytest.fixture
def vault(folder):
    return Vault.load(folder)


def _folder_with(tmp_path, content, mode=0o600):
    (tmp_path / "private").mkdir()
    file = tmp_path / "private" / "master.key"
    file.write_bytes(content)
    file.chmod(mode)
    return tmp_path


@given(data=st.binary(max_size=500), about=st.binary(max_size=40))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_was_encrypted_is_read_again(vault, data, about):
    key = vault.new_case_key()
    assert vault.decrypt(key, vault.encrypt(key, data, about), about) == data


def test_another_process_reads_it_too(vault, folder):
    key = vault.new_case_key()
    stored = vault.encrypt(key, b"SPECIMEN", ABOUT)
    assert Vault.load(folder).decrypt(key, stored, ABOUT) == b"SPECIMEN"


def test_the_stored_bytes_show_nothing(vault):
    stored = vault.encrypt(vault.new_case_key(), b"SPECIMEN" * 10, ABOUT)
    assert b"SPECIMEN" not in stored


def test_the_same_data_is_never_stored_twice_alike(vault):
    key = vault.new_case_key()
    assert vault.encrypt(key, b"SPECIMEN", ABOUT) != vault.encrypt(key, b"SPECIMEN", ABOUT)


def test_each_case_has_a_key_of_its_own(vault):
    stored = vault.encrypt(vault.new_case_key(), b"SPECIMEN", ABOUT)
    with pytest.raises(StoredDataDamaged):
        vault.decrypt(vault.new_case_key(), stored, ABOUT)


def test_data_moved_to_another_place_is_not_read(vault):
    key = vault.new_case_key()
    stored = vault.encrypt(key, b"SPECIMEN", ABOUT)
    with pytest.raises(StoredDataDamaged):
        vault.decrypt(key, stored, b"journal/body/18")


def test_a_destroyed_key_is_erasure(vault):
    key = vault.new_case_key()
    stored = vault.encrypt(key, b"SPECIMEN", ABOUT)
    vault.destroy(key)
    for wrapped in (b"", key):  # the row without its key, and the row of a backup
        with pytest.raises(Erased):
            vault.decrypt(wrapped, stored, ABOUT)


def test_a_destroyed_key_is_erasure_for_every_process_that_starts_later(vault, folder):
    key = vault.new_case_key()
    stored = vault.encrypt(key, b"SPECIMEN", ABOUT)
    vault.destroy(key)
    with pytest.raises(Erased):
        Vault.load(folder).decrypt(key, stored, ABOUT)


def test_a_process_that_runs_learns_of_a_destroyed_key_when_it_looks(vault, folder):
    key = vault.new_case_key()
    stored = vault.encrypt(key, b"SPECIMEN", ABOUT)
    running = Vault.load(folder)
    assert running.decrypt(key, stored, ABOUT) == b"SPECIMEN"
    vault.destroy(key)
    running.refresh()
    with pytest.raises(Erased):
        running.decrypt(key, stored, ABOUT)


def test_other_cases_stay_readable_when_one_is_destroyed(vault, folder):
    keys = [vault.new_case_key() for _ in range(20)]
    stored = [vault.encrypt(key, b"SPECIMEN", ABOUT) for key in keys]
    vault.destroy(keys[7])
    for reader in (vault, Vault.load(folder)):
        left = [place for place in range(20) if place != 7]
        assert all(reader.decrypt(keys[place], stored[place], ABOUT) == b"SPECIMEN" for place in left)


def test_destroying_twice_is_harmless(vault):
    key = vault.new_case_key()
    vault.destroy(key)
    vault.destroy(key)
    with pytest.raises(Erased):
        vault.encrypt(key, b"SPECIMEN", ABOUT)


def test_a_key_of_an_older_version_is_still_read_and_cannot_be_destroyed_for_good(vault):
    head = b"\x01" + vault._master_id
    old = head + bytes(12) + vault._master.encrypt(bytes(12), b"k" * 32, b"readmission-gateway case key 1" + head)
    stored = vault.encrypt(old, b"SPECIMEN", ABOUT)
    vault._unwrapped.clear()
    assert vault.decrypt(old, stored, ABOUT) == b"SPECIMEN"
    assert not vault.destroyable(old)
    assert vault.destroyable(vault.new_case_key())


def test_a_key_under_another_tree_is_not_read(vault, folder, tmp_path):
    key = vault.new_case_key()
    other = Vault.load(folder, tmp_path / "elsewhere")
    with pytest.raises(StoredDataDamaged, match="another tree"):
        other.encrypt(key, b"", ABOUT)
    with pytest.raises(StoredDataDamaged, match="another tree"):
        other.destroy(key)


def test_nothing_is_written_under_a_destroyed_key(vault):
    with pytest.raises(Erased):
        vault.encrypt(b"", b"SPECIMEN", ABOUT)


def test_a_destroyed_key_leaves_memory(vault):
    key = vault.new_case_key()
    vault.encrypt(key, b"SPECIMEN", ABOUT)
    assert key in vault._unwrapped
    vault.destroy(key)
    assert key not in vault._unwrapped


def test_memory_holds_a_bounded_number_of_keys(vault, monkeypatch):
    monkeypatch.setattr(module, "_CACHED_KEYS", 3)
    keys = [vault.new_case_key() for _ in range(5)]
    for key in keys:
        vault.encrypt(key, b"", ABOUT)
    assert list(vault._unwrapped) == keys[2:]


def test_the_key_used_last_is_dropped_last(vault, monkeypatch):
    monkeypatch.setattr(module, "_CACHED_KEYS", 2)
    first, second, third = (vault.new_case_key() for _ in range(3))
    for key in (first, second, first, third):
        vault.encrypt(key, b"", ABOUT)
    assert list(vault._unwrapped) == [first, third]


def test_another_master_key_reads_nothing(vault, tmp_path):
    key = vault.new_case_key()
    stored = vault.encrypt(key, b"SPECIMEN", ABOUT)
    other = Vault.load(_folder_with(tmp_path, new_master_key()))
    with pytest.raises(StoredDataDamaged, match="another master key"):
        other.decrypt(key, stored, ABOUT)


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-1], lambda b: b + b"x", lambda b: b"\x02" + b[1:], lambda b: b[:5], lambda _: b"x"]
)
def test_damaged_data_is_not_read(vault, damage):
    key = vault.new_case_key()
    with pytest.raises(StoredDataDamaged):
        vault.decrypt(key, damage(vault.encrypt(key, b"SPECIMEN", ABOUT)), ABOUT)


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-1], lambda b: b + b"x", lambda b: b"\x03" + b[1:], lambda b: b[:5], lambda _: b"x"]
)
def test_a_damaged_case_key_opens_nothing(vault, damage):
    key = vault.new_case_key()
    stored = vault.encrypt(key, b"SPECIMEN", ABOUT)
    with pytest.raises(StoredDataDamaged):
        vault.decrypt(damage(key), stored, ABOUT)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(min_value=0), flip=st.integers(min_value=1, max_value=255))
def test_any_changed_byte_of_a_case_key_is_noticed(vault, place, flip):
    key = bytearray(vault.new_case_key())
    key[place % len(key)] ^= flip
    with pytest.raises(StoredDataDamaged):
        vault.encrypt(bytes(key), b"", ABOUT)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(min_value=0), flip=st.integers(min_value=1, max_value=255))
def test_any_changed_byte_is_noticed(vault, place, flip):
    key = vault.new_case_key()
    stored = bytearray(vault.encrypt(key, b"SPECIMEN", ABOUT))
    stored[place % len(stored)] ^= flip
    with pytest.raises(Misconfigured):
        vault.decrypt(key, bytes(stored), ABOUT)


def test_a_missing_master_key_stops_the_start(tmp_path):
    with pytest.raises(KeyMissing):
        Vault.load(tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="file modes are a matter of posix systems")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_master_key_others_can_read_stops_the_start(tmp_path, mode):
    with pytest.raises(TrustInvalid, match="0600"):
        Vault.load(_folder_with(tmp_path, new_master_key(), mode))


@pytest.mark.parametrize("content", [b"", b"short", b"z" * 64, b"0" * 63, b"0" * 65])
def test_a_master_key_of_another_form_stops_the_start(tmp_path, content):
    with pytest.raises(TrustInvalid):
        Vault.load(_folder_with(tmp_path, content))


def test_a_vault_does_not_print_its_key(vault, folder):
    assert (folder / "private" / "master.key").read_text().strip() not in repr(vault)
