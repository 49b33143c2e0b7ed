"""The key of an attachment: each part opens in its own place only, and with the case key gone nothing opens."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import Erased, StoredDataDamaged
from gateway.trust.attachment_key import AttachmentKey
from gateway.trust.vault import Vault


@pytest.fixture(scope="module")
def vault(folder) -> Vault:
    return Vault.load(folder)


@given(data=st.binary(max_size=2000), number=st.integers(1, 25))
def test_part_comes_back_as_it_was(data: bytes, number: int) -> None:
    key = AttachmentKey.new()
    assert key.decrypt(number, key.encrypt(number, data)) == data


def test_same_part_is_written_differently_each_time() -> None:
    key = AttachmentKey.new()
    assert key.encrypt(1, b"specimen") != key.encrypt(1, b"specimen")


def test_part_opens_in_its_own_place_only() -> None:
    key = AttachmentKey.new()
    with pytest.raises(StoredDataDamaged):
        key.decrypt(2, key.encrypt(1, b"specimen"))
    with pytest.raises(StoredDataDamaged):
        AttachmentKey.new().decrypt(1, key.encrypt(1, b"specimen"))


@pytest.mark.parametrize("place", [0, 5, 20, -1])
def test_altered_part_does_not_open(place: int) -> None:
    key = AttachmentKey.new()
    stored = bytearray(key.encrypt(1, b"specimen"))
    stored[place] ^= 1
    with pytest.raises(StoredDataDamaged):
        key.decrypt(1, bytes(stored))


@pytest.mark.parametrize("stored", [b"", b"\x01", b"\x02" + bytes(60)])
def test_what_is_no_part_does_not_open(stored: bytes) -> None:
    with pytest.raises(StoredDataDamaged):
        AttachmentKey.new().decrypt(1, stored)


def test_file_moves_into_its_case_without_being_encrypted_anew(vault: Vault) -> None:
    holding, case = vault.new_case_key(), vault.new_case_key()
    key = AttachmentKey.new()
    stored = key.encrypt(1, b"specimen")
    held = key.keep(vault, holding)
    claimed = AttachmentKey.kept(vault, holding, held).keep(vault, case)
    assert AttachmentKey.kept(vault, case, claimed).decrypt(1, stored) == b"specimen"
    with pytest.raises(StoredDataDamaged):
        AttachmentKey.kept(vault, holding, claimed)


def test_without_the_key_of_the_case_nothing_opens(vault: Vault) -> None:
    kept = AttachmentKey.new().keep(vault, vault.new_case_key())
    with pytest.raises(Erased):
        AttachmentKey.kept(vault, b"", kept)


def test_key_does_not_show_itself() -> None:
    raw = os.urandom(32)
    assert repr(AttachmentKey(_raw=raw)) == "AttachmentKey()"
