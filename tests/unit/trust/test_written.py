"""The short way through an envelope: what `sign` writes takes it, nothing else does, and both ways say the same."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.trust import profile
from gateway.trust.policy import STANDARD
from gateway.trust.sign import sign
from gateway.trust.verify import verify, verify_by_steps
from gateway.trust.written import open_written
from gateway.wire.documents import NS, canonicalize, parse_xml


def _short(body, trust, now):
    return open_written(body, trust, now, STANDARD)


def test_what_sign_writes_takes_the_short_way(signed, trust, now):
    assert _short(signed.body, trust, now) is not None


def test_both_ways_return_the_same(signed, trust, now):
    short, long = _short(signed.body, trust, now), verify_by_steps(signed.body, trust, now)
    names = ("signed", "digest", "inside", "signer", "signed_at", "sealed_for", "sealed_id")
    assert [getattr(short, name) for name in names] == [getattr(long, name) for name in names]
    assert canonicalize(short.document) == canonicalize(long.document)


def test_the_document_of_the_short_way_is_a_tree_of_its_own(signed, trust, now):
    opened = _short(signed.body, trust, now)
    assert opened.document.getroottree().getroot() is opened.document


def test_the_digest_of_what_is_inside_is_that_of_its_canonical_form(signed, trust, now, message):
    opened = _short(signed.body, trust, now)
    assert opened.inside == profile.sha256(canonicalize(message())).hexdigest()


def test_a_message_written_with_a_prefix_takes_the_long_way(ring, trust, now):
    prefixed = parse_xml(f'<r:Receipt xmlns:r="{NS}"><r:Header><r:Sender>BA-MS</r:Sender></r:Header></r:Receipt>'.encode())
    body = sign(prefixed, ring.signing("BA-MS"), now).body
    assert _short(body, trust, now) is None
    assert verify(body, trust, now).signer == "BA-MS"


@pytest.mark.parametrize("text", ['he wrote id="7" on it', "xmlns"])
def test_text_that_looks_like_markup_of_an_attack_takes_the_long_way(message, ring, trust, now, text):
    body = sign(message(text=text.replace('"', "&quot;")), ring.signing("BA-MS"), now).body
    assert _short(body, trust, now) is None
    assert verify(body, trust, now).signer == "BA-MS"


FOREIGN = [
    '<d:Signature xmlns:d="http://www.w3.org/2000/09/xmldsig#"/>',
    '<Envelope xmlns="urn:readmission-gateway:envelope:1.0"/>',
    '<Header xmlns=""/>',
    '<Note id="envelope"/>',
    '<Note ID="envelope"/>',
    '<Note xml:id="envelope"/>',
    "<!-- a remark --><Note/>",
    "<?target data?><Note/>",
    "<Note><![CDATA[text]]></Note>",
    "<Note />",
    "<Note b='1' a='2'/>",
]


@pytest.mark.parametrize("inside", FOREIGN)
def test_what_the_steps_look_at_never_takes_the_short_way(message, ring, trust, now, inside):
    plain = canonicalize(message())
    forged = plain.replace(b"</ReadmissionApplication>", inside.encode() + b"</ReadmissionApplication>")
    assert _short(_signed_as_it_is(forged, ring.signing("BA-MS")), trust, now) is None


def test_the_same_forger_is_believed_when_nothing_is_foreign(message, ring, trust, now):
    assert _short(_signed_as_it_is(canonicalize(message()), ring.signing("BA-MS")), trust, now) is not None


def _signed_as_it_is(message, key, signing_time=b"2026-11-24T12:00:00Z"):
    """Return these bytes in an envelope, signed by a partner's own key without looking at them."""
    digest = profile.digest(profile.OPEN + message + profile.CLOSE)
    certificate = profile.digest(key.chain[0])
    properties = profile.digest(profile.signed_properties_alone(signing_time, certificate))
    signature = profile.signature(
        algorithm=key.algorithm,
        envelope_digest=digest,
        properties_digest=properties,
        value=key.algorithm.to_only_form(key.sign(profile.signed_info_alone(key.algorithm, digest, properties))),
        certificates=profile.key_info(key.chain),
        signing_time=signing_time,
        certificate_digest=certificate,
    )
    return profile.OPEN + message + signature + profile.CLOSE


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(min_value=0), byte=st.binary(min_size=0, max_size=2), cut=st.integers(min_value=0, max_value=2))
def test_no_changed_envelope_takes_the_short_way(signed, trust, now, place, byte, cut):
    at = place % len(signed.body)
    changed = signed.body[:at] + byte + signed.body[at + cut :]
    assert (_short(changed, trust, now) is None) == (changed != signed.body)
