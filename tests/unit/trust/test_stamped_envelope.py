"""Profile T: a stamped envelope is read like the one that was signed, and its timestamp lets it outlive its certificate."""

from base64 import b64encode
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.errors import Refused, TooLarge
from gateway.partners.trust_rules import Allowance, SecondSignature, TrustRules
from gateway.stages import Received
from gateway.trust import authorities, stamped, timestamps
from gateway.trust.algorithms import ECDSA_P256
from gateway.trust.certificates import TrustStore
from gateway.trust.devtsa import DevelopmentAuthority
from gateway.trust.profile import MAX_ENVELOPE_BYTES
from gateway.trust.revocation import local
from gateway.trust.seal import seal, unseal
from gateway.trust.sign import sign
from gateway.trust.verify import STEPS, examine, verify, verify_by_steps
from gateway.wire.documents import canonicalize, parse_xml
from tests.timestamping import certified, token_of

XADES = "{http://uri.etsi.org/01903/v1.3.2#}"
DS = "{http://www.w3.org/2000/09/xmldsig#}"


def stamp_of(envelope: bytes, folder, trust, at, **changes) -> bytes:
    """Return the token of a good authority over an envelope, given at `at`."""
    authority = certified(folder, lambda: at, **changes) if changes else DevelopmentAuthority.load(folder, lambda: at)
    return authorities.obtain(stamped.over(envelope), [authority], trust.timestamp_anchors, lambda: at).token


@pytest.fixture(scope="session")
def token(signed, folder, trust, now) -> bytes:
    return stamp_of(signed.body, folder, trust, now + timedelta(seconds=1))


@pytest.fixture(scope="session")
def body(signed, token) -> bytes:
    return stamped.add(signed.body, token)


def code(body, trust, at) -> str:
    with pytest.raises(Refused) as refused:
        verify(body, trust, at)
    return refused.value.code


# --- what a good one is


def test_stamped_envelope_passes_every_step(body, trust, now) -> None:
    found = examine(body, trust, now)
    assert [(each.name, each.ok) for each in found.steps] == [(name, True) for name in STEPS]


def test_result_is_that_of_the_envelope_without_timestamp_and_says_when_it_was_stamped(body, signed, trust, now) -> None:
    plain, found = verify(signed.body, trust, now), verify(body, trust, now)
    assert (found.signed, found.digest, found.inside) == (signed.body, signed.digest, plain.inside)
    assert (found.signer, found.signed_at) == (plain.signer, plain.signed_at)
    assert found.stamped_at == now + timedelta(seconds=1)
    assert "DEVELOPMENT ONLY" in (found.timestamp_authority or "")
    assert (plain.stamped_at, plain.timestamp_authority) == (None, None)


def test_timestamp_is_over_the_canonical_signature_value_at_the_place_of_the_standard(body) -> None:
    """ETSI EN 319 132-1, 5.3: computed by lxml from the tree, not from our templates."""
    root = parse_xml(body)
    (value,) = root.iter(f"{DS}SignatureValue")
    assert etree.tostring(value, method="c14n", exclusive=True, with_tail=False) == stamped.over(body)
    (qualifying,) = root.iter(f"{XADES}QualifyingProperties")
    assert [each.tag for each in qualifying] == [f"{XADES}SignedProperties", f"{XADES}UnsignedProperties"]
    places = [each.tag.removeprefix(XADES) for each in qualifying[1].iter()]
    assert places[:3] == ["UnsignedProperties", "UnsignedSignatureProperties", "SignatureTimeStamp"]
    assert canonicalize(root) == body


def test_stamped_envelope_outlives_the_certificate_of_its_signer(body, signed, trust, now) -> None:
    thirty_years = now + timedelta(days=365 * 30)
    assert code(signed.body, trust, thirty_years) == "certificate-not-valid"
    assert verify(body, trust, thirty_years).digest == signed.digest


def test_stamped_envelope_is_accepted_sealed(body, signed, ring, trust, message_id, now) -> None:
    sealed = seal(replace(signed, body=body), message_id=message_id, sender="BA-MS", recipient="PK-MOI", trust=trust)
    opened = unseal(Received(body=sealed.body, received_at=now, transport="test"), ring, trust)
    assert (opened.digest, opened.stamped_at) == (signed.digest, now + timedelta(seconds=1))


# --- the time of the timestamp


def test_timestamp_made_after_the_certificate_ended_is_refused(forge, pin, folder, trust, message, now) -> None:
    key = forge.certificate(not_after=now + timedelta(hours=1))
    envelope = sign(message(), key, now).body
    late = now + timedelta(hours=2)
    store = pin(key)
    assert code(stamped.add(envelope, stamp_of(envelope, folder, trust, late)), store, late) == "certificate-not-valid"
    in_time = stamped.add(envelope, stamp_of(envelope, folder, trust, now + timedelta(minutes=59)))
    assert verify(in_time, store, late).stamped_at == now + timedelta(minutes=59)


@pytest.mark.parametrize("minutes", [-6, -60 * 24 * 20])
def test_timestamp_from_before_the_signing_time_is_refused(signed, folder, trust, now, minutes) -> None:
    token = stamp_of(signed.body, folder, trust, now + timedelta(minutes=minutes))
    assert code(stamped.add(signed.body, token), trust, now) == "timestamp-time-invalid"


def test_timestamp_from_the_future_is_refused(signed, folder, trust, now) -> None:
    token = stamp_of(signed.body, folder, trust, now + timedelta(minutes=6))
    assert code(stamped.add(signed.body, token), trust, now) == "timestamp-time-invalid"


def test_signature_from_the_future_is_refused_whatever_its_timestamp_says(ring, folder, trust, message, now) -> None:
    envelope = sign(message(), ring.signing("BA-MS"), now + timedelta(days=1)).body
    assert code(stamped.add(envelope, stamp_of(envelope, folder, trust, now)), trust, now) == "signing-time-invalid"


def test_timestamp_by_an_authority_whose_certificate_had_ended_is_refused(signed, folder, trust, now) -> None:
    expired = certified(folder, lambda: now, not_after=now - timedelta(seconds=1))
    token = token_of(expired.answer(timestamps.query(stamped.over(signed.body)).as_bytes()))
    assert code(stamped.add(signed.body, token), trust, now) == "timestamp-not-trusted"


def test_certificate_revoked_after_the_timestamp_leaves_the_envelope_good(forge, pin, folder, trust, message, now) -> None:
    store, body = _revoked(forge, pin, folder, trust, message, now, since=now + timedelta(hours=1))
    assert verify(body, store, now + timedelta(hours=2)).stamped_at == now
    assert verify(body, store).stamped_at == now


def test_certificate_revoked_before_the_timestamp_is_refused(forge, pin, folder, trust, message, now) -> None:
    """Whoever has the key can claim any time of signing; the timestamp cannot be had for the past."""
    store, body = _revoked(forge, pin, folder, trust, message, now, since=now - timedelta(seconds=1), claims=timedelta(days=1))
    assert code(body, store, now) == "certificate-revoked"
    assert code(body, store, None) == "certificate-revoked"


def _revoked(forge, pin, folder, trust, message, now, *, since, claims=timedelta()):
    """Return a store in which the signer is revoked from `since` on, and an envelope stamped at `now` that claims more age."""
    key = forge.certificate(not_before=now - timedelta(days=2))
    store = pin(key)
    local.revoke(store.folder, sha256(key.chain[0]).hexdigest(), since, "key lost", "B. Officer")
    store.refresh()
    envelope = sign(message(), key, now - claims).body
    return store, stamped.add(envelope, stamp_of(envelope, folder, trust, now))


# --- forgeries of the whole


def test_timestamp_of_another_envelope_is_refused(ring, message, token, trust, now) -> None:
    other = sign(message(text="3.2"), ring.signing("BA-MS"), now).body
    assert code(stamped.add(other, token), trust, now) == "timestamp-mismatch"


def test_two_timestamps_in_one_envelope_are_refused(body, token, trust, now) -> None:
    end = len(stamped._END)
    twice = body[:-end] + stamped.HEAD + b64encode(token) + stamped.TAIL + body[-end:]
    assert code(twice, trust, now) == "signature-profile"


def test_two_tokens_in_one_timestamp_are_refused(signed, token, trust, now) -> None:
    assert code(stamped.add(signed.body, token + token), trust, now) == "timestamp-malformed"
    text = b64encode(token)
    two = b"</xades:EncapsulatedTimeStamp><xades:EncapsulatedTimeStamp>"
    start, end = signed.body[: -len(stamped._END)] + stamped.HEAD, stamped.TAIL + stamped._END
    assert code(start + text + two + text + end, trust, now) == "timestamp-malformed"


def test_message_changed_under_a_good_timestamp_is_refused(body, trust, now) -> None:
    assert code(body.replace(b">3.1<", b">3.2<"), trust, now) == "signature-invalid"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<xades:EncapsulatedTimeStamp>", b"<xades:EncapsulatedTimeStamp> "),
        (b"<xades:EncapsulatedTimeStamp>", b'<xades:EncapsulatedTimeStamp Id="x">'),
        (b"<xades:SignatureTimeStamp>", b'<xades:SignatureTimeStamp Id="x">'),
        (b"<xades:UnsignedProperties>", b"<xades:UnsignedProperties>\n"),
        (b"<xades:SignatureTimeStamp>", b"<xades:SignatureTimeStamp><ds:Transforms></ds:Transforms>"),
        (
            b'xml-exc-c14n#"></ds:CanonicalizationMethod><xades:Enc',
            b'xml-exc-c14n#WithComments"></ds:CanonicalizationMethod><xades:Enc',
        ),
        (b"</xades:UnsignedProperties>", b"</xades:UnsignedProperties><xades:UnsignedProperties></xades:UnsignedProperties>"),
        (b"SignatureTimeStamp>", b"ArchiveTimeStamp>"),
        (b"</xades:SignatureTimeStamp>", b"</xades:SignatureTimeStamp><xades:CounterSignature></xades:CounterSignature>"),
    ],
)
def test_timestamp_that_is_not_written_in_the_one_form_is_refused(body, trust, now, old, new) -> None:
    changed = body.replace(old, new)
    assert changed != body
    assert code(changed, trust, now) in {"signature-profile", "timestamp-malformed"}


def test_timestamp_before_the_signed_properties_is_refused(signed, token, trust, now) -> None:
    moved = stamped.HEAD + b64encode(token) + stamped.TAIL
    place = signed.body.index(b"<xades:SignedProperties")
    assert code(signed.body[:place] + moved + signed.body[place:], trust, now) == "signature-profile"


@pytest.mark.parametrize("text", [b"QR==", b"QQ", b"QQ==\n", b"Q Q==", b"!", b"QQ==QQ=="])
def test_base64_that_is_not_in_its_one_form_is_refused(body, token, trust, now, text) -> None:
    assert code(body.replace(b64encode(token), text), trust, now) == "timestamp-malformed"


def test_envelope_that_its_timestamp_makes_too_large_is_refused(ring, message, token, now) -> None:
    room = MAX_ENVELOPE_BYTES - len(sign(message(text=""), ring.signing("BA-MS"), now).body)
    envelope = sign(message(text="x" * room), ring.signing("BA-MS"), now).body
    with pytest.raises(TooLarge):
        stamped.add(envelope, token * 8)


def test_only_an_envelope_of_the_profile_can_be_stamped(body, token) -> None:
    for wrong in (body, b"<x/>", b""):
        with pytest.raises(Refused) as refused:
            stamped.add(wrong, token)
        assert refused.value.code == "signature-profile"
    with pytest.raises(Refused):
        stamped.over(b"<x/>")


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None)
def test_stamped_envelope_changed_anywhere_is_refused_with_our_own_error(body, trust, now, data) -> None:
    place = data.draw(st.integers(0, len(body) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda value: value != body[place]))
    with pytest.raises(Refused):
        verify_by_steps(body[:place] + bytes([other]) + body[place + 1 :], trust, now)


def test_refused_timestamp_is_the_last_step_of_the_examination(ring, message, token, trust, now) -> None:
    other = stamped.add(sign(message(text="3.2"), ring.signing("BA-MS"), now).body, token)
    found = examine(other, trust, now)
    assert [each.ok for each in found.steps] == [True] * (len(STEPS) - 1) + [False]


def test_malformed_timestamp_is_told_as_the_first_step_that_refuses(body, trust, now) -> None:
    found = examine(body.replace(b"<xades:EncapsulatedTimeStamp>", b"<xades:EncapsulatedTimeStamp>!"), trust, now)
    assert [each.ok for each in found.steps] == [False]


# --- algorithms that end, second signatures


def test_stamped_envelope_outlives_the_last_day_of_its_algorithm(body, folder, now) -> None:
    rules = TrustRules(signatures=(Allowance(name=ECDSA_P256.name, until=now.date()),))
    trust = TrustStore.load(folder, rules={"BA-MS": rules})
    assert verify(body, trust, now + timedelta(days=30)).signer == "BA-MS"


def test_envelope_stamped_after_the_last_day_of_its_algorithm_is_refused(signed, folder, trust, now) -> None:
    late = stamped.add(signed.body, stamp_of(signed.body, folder, trust, now + timedelta(days=1)))
    rules = TrustRules(signatures=(Allowance(name=ECDSA_P256.name, until=now.date()),))
    assert code(late, TrustStore.load(folder, rules={"BA-MS": rules}), now + timedelta(days=2)) == "algorithm-not-allowed"


def test_second_signature_covers_the_timestamp_too(body, signed, folder, ring, message_id, now) -> None:
    rules = {"BA-MS": TrustRules(second_signature=SecondSignature.REQUIRED)}
    trust = TrustStore.load(folder, rules=rules)
    with_stamp = replace(signed, body=body)
    names = {"message_id": message_id, "sender": "BA-MS", "recipient": "PK-MOI"}
    sealed = seal(with_stamp, trust=trust, ring=ring, **names).body
    opened = unseal(Received(body=sealed, received_at=now + timedelta(minutes=1), transport="test"), ring, trust)
    assert opened.stamped_at == now + timedelta(seconds=1)
