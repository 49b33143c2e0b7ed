"""Timestamps: what a good one proves, and each way in which a bad one is refused (attack 30 of the catalogue, and more)."""

from datetime import timedelta
from hashlib import sha256

import pytest
from asn1crypto import algos, cms, tsp
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

from gateway.errors import Refused, TimestampMalformed
from gateway.trust import timestamps
from gateway.trust.devtsa import DevelopmentAuthority
from tests.timestamping import NOW, certified, token_of, with_token

DATA = b"the bytes whose time is to be proven"


@pytest.fixture(scope="session")
def development(folder, now) -> DevelopmentAuthority:
    return DevelopmentAuthority.load(folder, lambda: now)


@pytest.fixture(scope="session")
def anchors(trust):
    return trust.timestamp_anchors


@pytest.fixture(scope="session")
def token(development) -> bytes:
    return token_of(development.answer(timestamps.query(DATA).as_bytes()))


def answered(authority, anchors, now, *, data=DATA, change=bytes):
    """Ask and take the answer in, as the gateway does."""
    asked = timestamps.query(data)
    return timestamps.accept(change(authority.answer(asked.as_bytes())), asked, data, anchors, now)


def code(act, *arguments, **named) -> str:
    with pytest.raises(Refused) as refused:
        act(*arguments, **named)
    return refused.value.code


# --- what is asked, and what a good answer proves


def test_request_carries_a_nonce_of_its_own_each_time() -> None:
    first, second = timestamps.query(DATA), timestamps.query(DATA)
    assert first.nonce is not None
    assert first.nonce != second.nonce


def test_request_asks_for_the_certificate_and_tells_no_more_than_a_digest() -> None:
    asked = tsp.TimeStampReq.load(timestamps.query(DATA).as_bytes(), strict=True)
    assert asked["cert_req"].native is True
    assert asked["message_imprint"]["hash_algorithm"]["algorithm"].native == "sha256"
    assert asked["message_imprint"]["hashed_message"].native == sha256(DATA).digest()


def test_good_timestamp_tells_its_time_its_authority_and_its_number(development, anchors, now) -> None:
    stamp = answered(development, anchors, now)
    assert stamp.at == now
    assert "DEVELOPMENT ONLY" in stamp.authority
    assert stamp.serial > 0
    assert timestamps.check(stamp.token, DATA, anchors) == stamp


def test_two_timestamps_have_two_numbers(development, anchors, now) -> None:
    assert answered(development, anchors, now).serial != answered(development, anchors, now).serial


def test_timestamp_stays_good_after_the_certificate_of_its_authority_ended(folder, anchors, now) -> None:
    short = certified(folder, lambda: now, not_after=now + timedelta(minutes=1))
    stamp = answered(short, anchors, now)
    assert timestamps.check(stamp.token, DATA, anchors).at == now  # no clock is asked


# --- attack 30: late, wrong hash, wrong nonce, key expired, two tokens


@pytest.mark.parametrize("minutes", [-6, 6, 60 * 24 * 20])
def test_timestamp_far_from_our_own_time_is_refused(development, anchors, now, minutes) -> None:
    assert code(answered, development, anchors, now + timedelta(minutes=minutes)) == "timestamp-time-invalid"


@pytest.mark.parametrize("minutes", [-5, 5])
def test_timestamp_within_the_tolerance_is_taken(development, anchors, now, minutes) -> None:
    assert answered(development, anchors, now + timedelta(minutes=minutes)).at == now


def test_timestamp_over_other_data_is_refused(token, anchors) -> None:
    assert code(timestamps.check, token, DATA + b".", anchors) == "timestamp-mismatch"


def test_answer_to_a_request_for_other_data_is_refused(development, anchors, now) -> None:
    asked = timestamps.query(DATA)
    answer = development.answer(timestamps.query(b"something else").as_bytes())
    assert code(timestamps.accept, answer, asked, DATA, anchors, now) == "timestamp-mismatch"


def test_answer_to_another_request_for_the_same_data_is_refused(development, anchors, now) -> None:
    asked = timestamps.query(DATA)
    replayed = development.answer(timestamps.query(DATA).as_bytes())
    assert code(timestamps.accept, replayed, asked, DATA, anchors, now) == "timestamp-mismatch"


def test_answer_without_a_nonce_is_refused(development, anchors, now) -> None:
    asked = timestamps.query(DATA)
    bare = tsp.TimeStampReq.load(asked.as_bytes())
    without = tsp.TimeStampReq({name: bare[name] for name in ("version", "message_imprint", "cert_req")}).dump()
    assert code(timestamps.accept, development.answer(without), asked, DATA, anchors, now) == "timestamp-mismatch"


@pytest.mark.parametrize(
    "life",
    [
        {"not_after": timedelta(seconds=-1)},
        {"not_before": timedelta(seconds=1)},
    ],
    ids=["expired", "not yet valid"],
)
def test_timestamp_by_a_certificate_that_was_not_valid_at_its_time_is_refused(folder, anchors, now, life) -> None:
    authority = certified(folder, **{name: now + by for name, by in life.items()})
    assert code(answered, authority, anchors, now) == "timestamp-not-trusted"


def test_two_tokens_are_refused(token, development, anchors) -> None:
    other = token_of(development.answer(timestamps.query(DATA).as_bytes()))
    assert code(timestamps.check, token + other, DATA, anchors) == "timestamp-malformed"
    both = cms.SetOf([cms.ContentInfo.load(token), cms.ContentInfo.load(other)], spec=cms.ContentInfo).dump()
    assert code(timestamps.check, both, DATA, anchors) == "timestamp-malformed"


def test_second_token_beside_the_signature_is_refused(development, anchors, now) -> None:
    def carry(token: cms.ContentInfo) -> None:
        attribute = {"type": "signature_time_stamp_token", "values": [cms.ContentInfo.load(token.dump())]}
        token["content"]["signer_infos"][0]["unsigned_attrs"] = cms.CMSAttributes([cms.CMSAttribute(attribute)])

    changed = {"change": lambda answer: with_token(answer, carry)}
    assert code(answered, development, anchors, now, **changed) == "timestamp-malformed"


def test_token_signed_twice_is_refused(development, anchors, now) -> None:
    def double(token: cms.ContentInfo) -> None:
        signers = token["content"]["signer_infos"]
        signers.append(cms.SignerInfo.load(signers[0].dump()))

    changed = {"change": lambda answer: with_token(answer, double)}
    assert code(answered, development, anchors, now, **changed) == "timestamp-malformed"


# --- whom we believe, and what for


@pytest.mark.parametrize(
    "how",
    [
        {"own_root": True},
        {"purposes": ()},
        {"purposes": (ExtendedKeyUsageOID.CODE_SIGNING,)},
        {"purposes": (ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.CODE_SIGNING)},
        {"critical": False},
        {"curve": ec.SECP192R1()},
        {"curve": ec.SECP256K1()},
        {"ca": True},
    ],
    ids=[
        "own root",
        "no purpose",
        "code signing",
        "two purposes",
        "purpose not critical",
        "weak key",
        "other curve",
        "certificate authority",
    ],
)
def test_certificate_that_is_not_for_timestamps_alone_under_a_trusted_root_is_refused(folder, anchors, now, how) -> None:
    assert code(answered, certified(folder, **how), anchors, now) == "timestamp-not-trusted"


def test_authority_of_messages_cannot_make_timestamps(folder, anchors, ring, now) -> None:
    key = ring.signing("BA-MS")
    officer = DevelopmentAuthority(
        certificate=x509.load_der_x509_certificate(key.chain[0]), private_key=key.private_key, clock=lambda: now
    )
    assert code(answered, officer, anchors, now) == "timestamp-not-trusted"


def test_nobody_is_trusted_without_anchors(token) -> None:
    assert code(timestamps.check, token, DATA, ()) == "timestamp-not-trusted"


def test_timestamp_over_a_longer_hash_than_we_ask_for_is_refused(development, anchors) -> None:
    """The right bytes, but by another algorithm than was asked for: nothing may choose how it is checked."""
    asked = TimestampRequestBuilder().data(DATA).hash_algorithm(HashAlgorithm.SHA512).build()
    assert code(timestamps.check, token_of(development.answer(asked.as_bytes())), DATA, anchors) == "timestamp-mismatch"


def test_imprint_that_names_another_algorithm_for_our_digest_is_refused(development, anchors) -> None:
    asked = tsp.TimeStampReq.load(timestamps.query(DATA).as_bytes())
    asked["message_imprint"]["hash_algorithm"] = algos.DigestAlgorithm({"algorithm": "sha3_256"})
    assert code(timestamps.check, token_of(development.answer(asked.dump(force=True))), DATA, anchors) in {
        "timestamp-mismatch",
        "timestamp-malformed",
    }


def test_token_that_does_not_carry_its_certificate_is_refused(development, anchors, now) -> None:
    def strip(token: cms.ContentInfo) -> None:
        token["content"]["certificates"] = cms.CertificateSet([])

    changed = {"change": lambda answer: with_token(answer, strip)}
    assert code(answered, development, anchors, now, **changed) in {"timestamp-not-trusted", "timestamp-malformed"}


def test_signature_by_an_algorithm_of_yesterday_is_refused(development, anchors, now) -> None:
    def weaken(token: cms.ContentInfo) -> None:
        signer = token["content"]["signer_infos"][0]
        signer["digest_algorithm"] = algos.DigestAlgorithm({"algorithm": "sha1"})

    changed = {"change": lambda answer: with_token(answer, weaken)}
    assert code(answered, development, anchors, now, **changed) == "timestamp-not-trusted"


def test_content_of_another_kind_is_refused(development, anchors, now) -> None:
    def rename(token: cms.ContentInfo) -> None:
        token["content"]["encap_content_info"]["content_type"] = "data"

    changed = {"change": lambda answer: with_token(answer, rename)}
    assert code(answered, development, anchors, now, **changed) == "timestamp-malformed"


@pytest.mark.parametrize("status", ["rejection", "granted_with_mods", "waiting", "revocation_warning"])
def test_answer_that_grants_nothing_is_refused(development, anchors, now, status) -> None:
    def refuse(answer: bytes) -> bytes:
        response = tsp.TimeStampResp.load(answer)
        response["status"] = tsp.PKIStatusInfo({"status": status})
        return response.dump(force=True)

    assert code(answered, development, anchors, now, change=refuse) == "timestamp-malformed"


# --- bytes from outside


def test_token_larger_than_any_token_is_refused_unread(anchors) -> None:
    assert code(timestamps.check, bytes(timestamps.MAX_TOKEN_BYTES + 1), DATA, anchors) == "timestamp-malformed"


def _of_another_version(answer: bytes) -> bytes:
    """Let the certificate say that it is of version 5, and the signed attributes name it as it then is."""
    (certificate,) = tsp.TimeStampResp.load(answer)["time_stamp_token"]["content"]["certificates"]
    old = certificate.chosen.dump()
    new = old.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x04", 1)
    return answer.replace(old, new).replace(sha256(old).digest(), sha256(new).digest())


def _naming_by(values: list[object]):
    def change(token: cms.ContentInfo) -> None:
        token["content"]["signer_infos"][0]["signed_attrs"][2] = cms.CMSAttribute(
            {"type": "signing_certificate_v2", "values": values}
        )

    return lambda answer: with_token(answer, change)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (_of_another_version, "timestamp-not-trusted"),
        (_naming_by([]), "timestamp-malformed"),
        (_naming_by([tsp.SigningCertificateV2({"certs": []})]), "timestamp-malformed"),
    ],
    ids=["certificate of version 5", "attribute without a value", "attribute that names none"],
)
def test_token_that_is_der_and_holds_what_no_token_holds_is_refused(token, anchors, change, expected) -> None:
    answer = tsp.TimeStampResp({"status": {"status": "granted"}, "time_stamp_token": cms.ContentInfo.load(token)}).dump()
    assert code(timestamps.check, token_of(change(answer)), DATA, anchors) == expected


def test_trailing_byte_is_refused(token, anchors) -> None:
    assert code(timestamps.check, token + b"\0", DATA, anchors) == "timestamp-malformed"


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_with_our_own_error(data: bytes) -> None:
    with pytest.raises(TimestampMalformed):
        timestamps.check(data, DATA, ())


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None)
def test_changed_token_is_refused_with_our_own_error(token, anchors, data) -> None:
    changed = bytearray(token)
    for _ in range(data.draw(st.integers(1, 3))):
        changed[data.draw(st.integers(0, len(token) - 1))] = data.draw(st.integers(0, 255))
    if bytes(changed) != token:
        with pytest.raises(Refused):
            timestamps.check(bytes(changed), DATA, anchors)


def test_no_single_bit_of_a_token_can_be_changed(token, anchors) -> None:
    """Nothing in it is free: what its authority did not sign is compared with what it must be."""
    taken = []
    for place in range(len(token)):
        changed = bytearray(token)
        changed[place] ^= 1 << (place % 8)
        try:
            timestamps.check(bytes(changed), DATA, anchors)
        except Refused:
            continue
        taken.append(place)
    assert taken == []


@given(st.binary(max_size=300))
def test_any_answer_is_refused_with_our_own_error(data: bytes) -> None:
    asked = timestamps.query(DATA)
    with pytest.raises(TimestampMalformed):
        timestamps.accept(data, asked, DATA, (), NOW)


def test_token_nested_as_deep_as_it_can_be_is_refused(anchors) -> None:
    nested = b""
    while len(nested) < timestamps.MAX_TOKEN_BYTES - 5:
        nested = b"\x30\x82" + len(nested).to_bytes(2, "big") + nested
    assert code(timestamps.check, nested, DATA, anchors) == "timestamp-malformed"


def test_development_authority_refuses_what_is_no_request(development) -> None:
    with pytest.raises(TimestampMalformed):
        development.answer(b"\x30\x00")
