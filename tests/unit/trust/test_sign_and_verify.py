"""The one signature profile: what it covers, what it returns, and that other people's software accepts it."""

import inspect
import shutil
import subprocess
from base64 import b64decode, b64encode
from datetime import timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo

import pytest
from cryptography.x509 import load_der_x509_certificate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from signxml import DigestAlgorithm, SignatureConfiguration, SignatureMethod, XMLVerifier
from signxml.xades import XAdESSignatureConfiguration, XAdESVerifier

from gateway.errors import (
    CertificateNotValid,
    SignatureInvalid,
    SignatureProfile,
    SignerMismatch,
    SigningTimeInvalid,
    TooLarge,
)
from gateway.stages import MAX_MESSAGE_BYTES
from gateway.trust.algorithms import ECDSA_P256
from gateway.trust.policy import Policy
from gateway.trust.sign import sign
from gateway.trust.verify import STEPS, examine, verify, verify_by_steps
from gateway.wire.documents import NS, canonicalize, parse_xml


def test_a_signed_message_names_its_signer(signed, trust, now):
    assert verify(signed.body, trust, now).signer == "BA-MS"


def test_digests_are_of_the_signed_bytes(signed, trust, now):
    opened = verify(signed.body, trust, now)
    assert opened.digest == signed.digest == sha256(signed.body).hexdigest()
    assert opened.signed == signed.body


def test_an_envelope_that_was_not_sealed_says_so(signed, trust, now):
    opened = verify(signed.body, trust, now)
    assert (opened.sealed_for, opened.sealed_id) == (None, None)


def test_what_is_read_is_what_was_signed(signed, trust, now, message):
    opened = verify(signed.body, trust, now)
    assert canonicalize(opened.document) == canonicalize(message())


def test_the_document_returned_is_a_tree_of_its_own(signed, trust, now):
    opened = verify(signed.body, trust, now)
    assert opened.document.getparent() is None
    assert opened.document.getroottree().getroot() is opened.document


def test_the_signing_time_is_kept_to_the_second(message, ring, trust, now):
    made = sign(message(), ring.signing("BA-MS"), now + timedelta(milliseconds=678))
    assert made.signed_at == now
    assert verify(made.body, trust, now).signed_at == now


def test_an_instant_in_another_zone_is_signed_in_utc(message, ring, trust, now):
    made = sign(message(), ring.signing("BA-MS"), now.astimezone(ZoneInfo("Asia/Karachi")))
    assert b"<xades:SigningTime>2026-11-24T12:00:00Z</xades:SigningTime>" in made.body


def test_an_envelope_is_its_own_canonical_form(signed):
    assert canonicalize(parse_xml(signed.body)) == signed.body


def test_signing_does_not_change_the_document(message, ring, now):
    document = message()
    before = canonicalize(document)
    sign(document, ring.signing("BA-MS"), now)
    assert canonicalize(document) == before


def test_a_message_written_with_a_prefix_verifies(ring, trust, now):
    prefixed = parse_xml(
        f'<r:Receipt xmlns:r="{NS}" schemaVersion="1.0"><r:Header><r:Sender>BA-MS</r:Sender></r:Header></r:Receipt>'.encode()
    )
    made = sign(prefixed, ring.signing("BA-MS"), now)
    assert canonicalize(verify(made.body, trust, now).document) == canonicalize(prefixed)


def test_the_order_of_attributes_in_the_source_does_not_matter(ring, trust, now):
    source = f'<Receipt xmlns="{NS}" zeta="2" alpha="1"><Header><Sender>BA-MS</Sender></Header></Receipt>'
    made = sign(parse_xml(source.encode()), ring.signing("BA-MS"), now)
    assert verify(made.body, trust, now).document.get("zeta") == "2"


def test_only_a_message_of_the_family_is_signed(ring, now):
    with pytest.raises(SignatureProfile):
        sign(parse_xml(b'<Receipt xmlns="urn:example:other"/>'), ring.signing("BA-MS"), now)


def test_an_element_without_a_namespace_is_not_signed(ring, now):
    loose = parse_xml(f'<r:Receipt xmlns:r="{NS}"><Header/></r:Receipt>'.encode())
    with pytest.raises(SignatureProfile):
        sign(loose, ring.signing("BA-MS"), now)


def test_an_envelope_beyond_the_limit_is_not_signed(message, ring, now):
    with pytest.raises(TooLarge):
        sign(message(text="x" * (MAX_MESSAGE_BYTES - 3000)), ring.signing("BA-MS"), now)


def test_s_is_always_in_the_lower_half(message, ring, trust, now):
    document = message()
    for _ in range(24):  # about half of all raw signatures have a high s
        verify(sign(document, ring.signing("BA-MS"), now).body, trust, now)


def test_the_other_signature_of_the_same_pair_is_refused(signed, trust, now, forge):
    envelope = parse_xml(signed.body)
    value = envelope.find(".//{http://www.w3.org/2000/09/xmldsig#}SignatureValue")
    raw = b64decode(value.text)
    high = raw[:32] + (ECDSA_P256.order - int.from_bytes(raw[32:], "big")).to_bytes(32, "big")
    value.text = b64encode(high).decode()
    with pytest.raises(SignatureProfile):
        verify(canonicalize(envelope), trust, now)


# --- policy


def test_a_signer_that_is_not_the_sender_is_refused(message, ring, trust, now):
    made = sign(message(sender="BA-MS"), ring.signing("PK-MOI"), now)
    with pytest.raises(SignerMismatch):
        verify(made.body, trust, now)


def test_a_message_without_a_sender_is_refused(ring, trust, now):
    made = sign(parse_xml(f'<Receipt xmlns="{NS}"/>'.encode()), ring.signing("BA-MS"), now)
    with pytest.raises(SignerMismatch):
        verify(made.body, trust, now)


def test_a_second_sender_is_refused(message, ring, trust, now):
    made = sign(message(inside="<Header><Sender>BA-MS</Sender></Header>"), ring.signing("BA-MS"), now)
    with pytest.raises(SignerMismatch):
        verify(made.body, trust, now)


def test_a_partner_clock_may_run_five_minutes_ahead(signed, trust, now):
    assert verify(signed.body, trust, now - timedelta(minutes=5)).signer == "BA-MS"


def test_a_signing_time_in_the_future_is_refused(signed, trust, now):
    with pytest.raises(SigningTimeInvalid):
        verify(signed.body, trust, now - timedelta(minutes=5, seconds=1))


def test_the_tolerance_is_the_installations(signed, trust, now):
    assert verify(signed.body, trust, now - timedelta(hours=1), Policy(clock_skew=timedelta(hours=2))).signer == "BA-MS"


def test_a_certificate_that_ended_before_the_message_came_is_refused(signed, trust, now):
    with pytest.raises(CertificateNotValid):
        verify(signed.body, trust, now + timedelta(days=900))


def test_a_record_is_verified_as_of_its_signing_time_after_the_certificate_ended(signed, trust):
    assert verify(signed.body, trust).signer == "BA-MS"


def test_a_message_signed_before_the_certificate_began_is_refused(message, ring, trust, now):
    made = sign(message(), ring.signing("BA-MS"), now - timedelta(days=60))
    with pytest.raises(CertificateNotValid):
        verify(made.body, trust, now)


# --- examine


def test_the_steps_in_the_code_carry_the_names_that_are_shown():
    source = inspect.getsource(verify_by_steps)
    missing = [name for number, name in enumerate(STEPS, 1) if f"# {number} {name}" not in source]
    assert not missing


def test_a_good_envelope_passes_every_step(signed, trust, now):
    found = examine(signed.body, trust, now)
    assert [(each.step, each.name, each.ok) for each in found.steps] == [
        (n, name, True)
        for n, name in enumerate(STEPS[:-1], 1)  # the last is for a stamped envelope
    ]
    assert found.opened is not None
    assert found.refusal is None


def test_an_examination_ends_at_the_step_that_refuses(signed, trust, now):
    found = examine(signed.body.replace(b">3.1<", b">3.2<"), trust, now)
    assert [each.ok for each in found.steps] == [True] * 7 + [False]
    assert found.opened is None
    assert isinstance(found.refusal, SignatureInvalid)


# --- other people's software


def _certificate(ring):
    return load_der_x509_certificate(ring.signing("BA-MS").chain[0])


def test_signxml_accepts_our_signature_as_xml_dsig(signed, ring):
    strict = SignatureConfiguration(
        require_x509=True,
        location="./",
        expect_references=2,
        signature_methods=frozenset({SignatureMethod.ECDSA_SHA256}),
        digest_algorithms=frozenset({DigestAlgorithm.SHA256}),
    )
    results = XMLVerifier().verify(signed.body, x509_cert=_certificate(ring), expect_config=strict)
    assert canonicalize(results[0].signed_xml[0]) == canonicalize(parse_xml(signed.body)[0])


def test_signxml_accepts_our_chain(signed, folder):
    strict = SignatureConfiguration(require_x509=True, location="./", expect_references=2)
    anchor = str(folder / "anchors" / "development-root.pem")
    results = XMLVerifier().verify(signed.body, ca_pem_file=anchor, expect_config=strict)
    assert len(results) == 2


def test_signxml_accepts_our_signature_as_xades(signed, ring):
    config = XAdESSignatureConfiguration(location="./", expect_references=2)
    results = XAdESVerifier().verify(signed.body, x509_cert=_certificate(ring), expect_config=config)
    assert "2026-11-24T12:00:00Z" in etree.tostring(results[1].signed_properties, encoding="unicode")


@pytest.mark.skipif(shutil.which("xmlsec1") is None, reason="the xmlsec1 command is not installed")
def test_xmlsec_accepts_our_signature(signed, folder, tmp_path):
    file = tmp_path / "signed.xml"
    file.write_bytes(signed.body)
    properties = "http://uri.etsi.org/01903/v1.3.2#:SignedProperties"
    anchor = str(folder / "anchors" / "development-root.pem")
    command = ["xmlsec1", "--verify", "--trusted-pem", anchor, "--id-attr:Id", properties, str(file)]
    done = subprocess.run(command, capture_output=True, check=False, timeout=30)
    assert done.returncode == 0, done.stderr


# --- every text


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")) | st.sampled_from("\t\n\r<>&\"'"), max_size=60)
)
def test_any_text_is_read_as_it_was_signed(ring, trust, now, message, text):
    document = message()
    document[-1].text = text.replace("\ufffe", "").replace("\uffff", "")
    document.set("note", document[-1].text)
    opened = verify(sign(document, ring.signing("BA-MS"), now).body, trust, now)
    assert (opened.document[-1].text or "") == document[-1].text
    assert opened.document.get("note") == document.get("note")
