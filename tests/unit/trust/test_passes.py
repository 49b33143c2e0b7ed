"""Conformance passes: signed by the gateway's key, checked offline; altered, expired or foreign ones are refused."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.conformance import CONTEXT, Pass
from gateway.errors import GatewayError, PassExpired, PassInvalid, SignatureInvalid
from gateway.trust.algorithms import ECDSA_P256
from gateway.trust.certificates import TrustStore
from gateway.trust.keys import KeyRing
from gateway.trust.passes import check_pass, sign_pass
from gateway.trust.purposes import LOOPS, PAGES, purpose_of
from tests.attacks.forged import NOW, keys, trust

MADE = Pass(
    partner="pk",
    played="PK-MOI",
    tested="BA-MS",
    folder="d053f6adc389bbbe",
    schemas="readmission/1.0",
    gateway="0.1.0",
    over="memory",
    results={"accept": True, "attack-7": True},
    made_at=NOW,
    ends_at=NOW + timedelta(days=365),
    authority="BA-MS",
    certificate="",
)


def key(authority: str = "BA-MS"):
    return KeyRing.load(keys()).signing(authority, NOW)


def stated(**changes) -> Pass:
    return replace(MADE, **{"certificate": sha256(key().chain[0]).hexdigest()} | changes)


@pytest.fixture(scope="module")
def body() -> bytes:
    return sign_pass(stated(), key())


def test_pass_says_offline_who_signed_what(body) -> None:
    checked = check_pass(body, trust())
    assert (checked.signer, checked.stated) == ("BA-MS", stated())


def test_pass_is_current_until_its_last_instant(body) -> None:
    checked = check_pass(body, trust())
    checked.require_current(checked.stated.ends_at - timedelta(seconds=1))
    with pytest.raises(PassExpired):
        checked.require_current(checked.stated.ends_at)


@pytest.mark.parametrize(
    "change",
    [
        {"partner": "rs"},
        {"folder": "0" * 16},
        {"ends_at": "2036-01-01T00:00:00Z"},
        {"results": {"accept": True}},
        {"results": {"accept": True, "attack-7": False}},
        {"gateway": "9.9.9"},
        {"made_at": "2026-12-01T08:00:01Z"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_altered_pass_is_refused(body, change) -> None:
    document = json.loads(body)
    document["pass"] |= change
    with pytest.raises(SignatureInvalid):
        check_pass(json.dumps(document).encode(), trust())


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"v": None},
        {"more": 1},
        {"results": {}},
        {"results": {"accept": 1}},
        {"results": {"<b>": True}},
        {"results": ["accept"]},
        {"made_at": "2026-13-01T08:00:00Z"},
        {"made_at": "2026-12-01T08:00:00+00:00"},
        {"partner": "p\nk"},
        {"certificate": "00"},
        {"authority": 7},
    ],
)
def test_statement_of_another_form_is_refused(body, change) -> None:
    document = json.loads(body)
    document["pass"] |= change
    with pytest.raises(PassInvalid):
        check_pass(json.dumps(document).encode(), trust())


def test_pass_signed_by_another_than_it_names_is_refused(body) -> None:
    for signed in (
        sign_pass(stated(authority="PK-MOI"), key()),
        sign_pass(stated(), key("PK-MOI")),
        sign_pass(stated(certificate="0" * 64), key()),
    ):
        with pytest.raises(PassInvalid):
            check_pass(signed, trust())


def test_signature_in_another_form_is_refused(body) -> None:
    from base64 import b64decode, b64encode

    document = json.loads(body)
    raw = b64decode(document["signature"])
    size = ECDSA_P256.scalar_bytes
    other = ECDSA_P256.order - int.from_bytes(raw[size:], "big")
    document["signature"] = b64encode(raw[:size] + other.to_bytes(size, "big")).decode()
    with pytest.raises(PassInvalid):
        check_pass(json.dumps(document).encode(), trust())


def test_pass_of_a_signer_that_is_not_pinned_is_refused(tmp_path, body) -> None:
    from tests.gateways import make_keys

    with pytest.raises(GatewayError) as refusal:
        check_pass(body, TrustStore.load(make_keys(tmp_path / "keys", datetime(2026, 1, 1, tzinfo=UTC))))
    assert refusal.value.code == "signer-not-trusted"


def test_loops_may_ask_the_signer_for_a_pass_while_pages_may_not() -> None:
    covered = stated().covered()
    assert covered.startswith(CONTEXT)
    assert purpose_of(covered, ECDSA_P256) == "conformance-pass"
    assert "conformance-pass" in LOOPS - PAGES


def test_any_bytes_give_our_own_error() -> None:
    store = trust()

    @given(
        st.one_of(st.binary(max_size=400), st.recursive(st.none() | st.integers() | st.text(max_size=8), _nested).map(_as_pass))
    )
    def tried(given_bytes: bytes) -> None:
        with pytest.raises(GatewayError):
            check_pass(given_bytes, store)

    tried()


def _nested(inner):
    return st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["pass", "signature", "certificates", "v", "results", "made_at"]), inner, max_size=4
    )


def _as_pass(value) -> bytes:
    return json.dumps({"pass": value, "signature": "AAAA", "certificates": [value]}).encode()


def test_too_much_or_too_deep_is_refused() -> None:
    for given_bytes in (b"[" * 300_000, b"[" * 100_000, b'{"pass": ' * 5000):
        with pytest.raises(PassInvalid):
            check_pass(given_bytes, trust())
