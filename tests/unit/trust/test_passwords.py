"""Stored secrets: salted, slow for passwords, and of no use to who steals them."""

from hashlib import sha256

import pytest

from gateway.trust.passwords import check_api_secret, check_password, hash_api_secret, hash_password


@pytest.fixture(scope="module")
def stored():
    return hash_password("Ključ od Vrbasa 7")


def test_the_right_password_fits(stored):
    assert check_password("Ključ od Vrbasa 7", stored)


@pytest.mark.parametrize("wrong", ["", "Kljuc od Vrbasa 7", "Ključ od Vrbasa 7 ", "ključ od vrbasa 7"])
def test_another_password_does_not_fit(stored, wrong):
    assert not check_password(wrong, stored)


def test_the_same_password_is_stored_differently_each_time(stored):
    assert hash_password("Ključ od Vrbasa 7") != stored


def test_the_stored_form_names_argon2id_with_its_cost(stored):
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.parametrize("damaged", ["", "x", "$argon2id$", "$argon2i$v=19$m=19456,t=2,p=1$AAAA$AAAA"])
def test_what_is_no_hash_fits_no_password(damaged):
    assert not check_password("", damaged)


def test_a_shortened_hash_fits_no_password(stored):
    assert not check_password("Ključ od Vrbasa 7", stored[:-4])


def test_an_api_secret_is_stored_as_its_sha_256():
    assert hash_api_secret("rg_0123456789") == sha256(b"rg_0123456789").hexdigest()


def test_only_the_right_api_secret_fits():
    kept = hash_api_secret("rg_0123456789")
    assert check_api_secret("rg_0123456789", kept)
    assert not check_api_secret("rg_0123456788", kept)
