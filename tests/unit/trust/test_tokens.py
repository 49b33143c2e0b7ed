"""Tokens that fail: lost sessions, wrong PINs, processes that fork, and what is not installed."""

import builtins
import os
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.errors import KeyMissing, SigningKeyUnavailable, TokenPinRefused, TrustInvalid
from gateway.trust import tokens
from gateway.trust.algorithms import ECDSA_P256, RSA_3072
from gateway.trust.hardware import HardwareKey
from gateway.trust.tokens import module_of


@pytest.fixture
def place(softhsm):
    """A P-256 key in the token; every test has the library for itself."""
    tokens._modules.clear()
    found = softhsm.place(b"a key of a test")
    module_of(found).generate(found, ECDSA_P256)
    yield found
    tokens._modules.clear()
    module_of(found).destroy(found)


def check(place, data=b"data"):
    module = module_of(place)
    ECDSA_P256.check(module.public_key(place), module.sign(place, ECDSA_P256, data), data)


def test_session_that_was_lost_is_opened_again(place):
    module, public_key = module_of(place), module_of(place).public_key(place)
    module.sign(place, ECDSA_P256, b"data")
    module._sessions["gateway"].close()
    ECDSA_P256.check(public_key, module.sign(place, ECDSA_P256, b"data"), b"data")


def test_token_that_is_gone_is_unavailable_until_it_is_back(place, softhsm):
    check(place)
    gone = softhsm.folder / "gone"
    softhsm.tokens.rename(gone)
    try:
        with pytest.raises(SigningKeyUnavailable):
            module_of(place).sign(place, ECDSA_P256, b"data")
    finally:
        gone.rename(softhsm.tokens)
    check(place)


def test_wrong_pin_is_sent_once_and_never_again(place, monkeypatch):
    tried = []

    def pin(self):
        tried.append(1)
        return "0000"

    module_of(place)._forget()
    monkeypatch.setattr(tokens.TokenPlace, "pin", pin)
    tokens._modules.clear()
    for _ in range(3):
        with pytest.raises(TokenPinRefused):
            module_of(place).sign(place, ECDSA_P256, b"data")
    assert len(tried) == 1


def test_child_of_a_fork_opens_the_token_for_itself(place):
    check(place)
    child = os.fork()
    if child == 0:  # no assertion and no exception may leave it
        code = 1
        try:
            check(place)
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    check(place)


def test_key_that_is_not_in_the_token_is_missing(place):
    with pytest.raises(KeyMissing):
        module_of(place).sign(replace(place, key_id=b"another"), ECDSA_P256, b"data")


def test_key_of_another_kind_does_not_sign(place):
    with pytest.raises((TrustInvalid, SigningKeyUnavailable)):
        module_of(place).sign(place, RSA_3072, b"data")


def test_token_with_another_key_than_the_certificates_is_not_heard(place):
    from cryptography.hazmat.primitives.asymmetric import ec

    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    key = HardwareKey(authority="BA-MS", chain=(), algorithm=ECDSA_P256, public_key=other, place=place)
    with pytest.raises(TrustInvalid, match="another key"):
        key.sign(b"data")


def test_library_named_by_a_link_is_the_same_library(place, tmp_path):
    link = tmp_path / "token.so"
    link.symlink_to(place.module)
    check(place)
    check(replace(place, module=link))


def test_library_that_is_not_there_is_misconfigured(place):
    elsewhere = replace(place, module=Path("/nowhere/token.so"))
    with pytest.raises(TrustInvalid, match=r"token\.so"):
        module_of(elsewhere).sign(elsewhere, ECDSA_P256, b"data")


def test_package_that_is_not_installed_is_named(place, monkeypatch):
    real = builtins.__import__

    def missing(name, *rest, **named):
        if name == "pkcs11":
            raise ImportError(name)
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(TrustInvalid, match=r"readmission-gateway\[hsm\]"):
        module_of(place).sign(place, ECDSA_P256, b"data")
