"""The attack catalogue on signatures: each forgery is refused with its stable code.

Where a forgery could be signed by a partner's own key it is (`forge.resigned`): the profile must refuse it, not luck.
"""

import hmac
from base64 import b64encode
from copy import deepcopy
from hashlib import sha256

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.errors import GatewayError, Refused, SignatureProfile
from gateway.trust.sign import sign
from gateway.trust.verify import verify
from gateway.wire.documents import ENVELOPE_NS, NS, canonicalize, parse_xml

DS = "{http://www.w3.org/2000/09/xmldsig#}"
DSIG = "http://www.w3.org/2000/09/xmldsig#"


def _code(body, trust, now):
    with pytest.raises(Refused) as refusal:
        verify(body, trust, now)
    return refusal.value.code


def _evil(message):
    return message(text="somebody else")


@pytest.fixture
def envelope(signed):
    return parse_xml(signed.body)


# --- nothing, too much, or in the wrong place


def test_a_message_without_an_envelope_is_refused(message, trust, now):
    assert _code(canonicalize(message()), trust, now) == "signature-missing"


def test_a_stripped_signature_is_refused(envelope, trust, now):
    envelope.remove(envelope[1])
    assert _code(canonicalize(envelope), trust, now) == "signature-missing"


def test_an_empty_signature_is_refused(envelope, trust, now):
    envelope.remove(envelope[1])
    etree.SubElement(envelope, f"{DS}Signature")
    assert _code(canonicalize(envelope), trust, now) == "signature-profile"


def test_an_empty_signed_info_is_refused(envelope, trust, now):
    envelope[1][0].clear()
    assert _code(canonicalize(envelope), trust, now) == "signature-profile"


def test_two_signatures_are_refused(envelope, trust, now):
    envelope.append(deepcopy(envelope[1]))
    with pytest.raises(SignatureProfile, match="more than one signature"):
        verify(canonicalize(envelope), trust, now)


def test_a_signature_before_the_message_is_refused(envelope, trust, now, forge):
    envelope.insert(0, envelope[1])
    assert _code(forge.resigned(envelope), trust, now) == "signature-profile"


def test_a_signature_inside_the_message_is_refused(envelope, trust, now, forge):
    envelope[0].append(envelope[1])
    assert _code(forge.resigned(envelope), trust, now) == "signature-profile"


def test_two_messages_are_refused(envelope, trust, now, forge, message):
    envelope.insert(0, _evil(message))
    assert _code(forge.resigned(envelope), trust, now) == "signature-profile"


def test_tail_text_after_the_signature_is_refused(signed, trust, now):
    assert _code(signed.body.replace(b"</ds:Signature>", b"</ds:Signature>x"), trust, now) == "signature-profile"


def test_white_space_between_message_and_signature_is_refused(envelope, trust, now, forge):
    envelope[0].tail = "\n"
    assert _code(forge.resigned(envelope), trust, now) == "signature-profile"


def test_text_before_the_message_is_refused(envelope, trust, now, forge):
    envelope.text = " "
    assert _code(forge.resigned(envelope), trust, now) == "signature-profile"


def test_an_extra_attribute_of_the_envelope_is_refused(envelope, trust, now, forge):
    envelope.set("schema", "other")
    with pytest.raises(SignatureProfile, match="attribute"):
        verify(forge.resigned(envelope), trust, now)


def test_another_version_of_the_envelope_is_refused(envelope, trust, now, forge):
    envelope.set("version", "1.1")
    assert _code(forge.resigned(envelope), trust, now) == "signature-profile"


def test_a_foreign_document_in_the_envelope_is_refused(envelope, trust, now, forge):
    envelope.replace(envelope[0], etree.fromstring('<Invoice xmlns="urn:example:other"/>'))
    assert _code(forge.resigned(envelope), trust, now) == "signature-profile"


# --- wrapping (peers.md 2c, rows 1 to 4)


def test_wrapping_the_signed_envelope_in_another_is_refused(envelope, trust, now):
    outer = etree.Element(f"{{{ENVELOPE_NS}}}Envelope", {"version": "1.0"}, nsmap={None: ENVELOPE_NS})
    outer.append(envelope)
    outer.append(deepcopy(envelope[1]))
    assert _code(canonicalize(outer), trust, now) == "signature-profile"


def test_an_evil_message_around_the_signed_envelope_is_refused(envelope, trust, now, message):
    signature = envelope[1]
    outer = etree.Element(f"{{{ENVELOPE_NS}}}Envelope", {"version": "1.0"}, nsmap={None: ENVELOPE_NS})
    evil = _evil(message)
    evil.append(envelope)
    outer.append(evil)
    outer.append(signature)
    assert _code(canonicalize(outer), trust, now) == "signature-profile"


def test_an_original_hidden_in_the_signature_object_is_refused(envelope, trust, now, message):
    original = envelope[0]
    envelope.replace(original, _evil(message))
    hidden = etree.SubElement(envelope[1], f"{DS}Object")
    hidden.append(original)
    assert _code(canonicalize(envelope), trust, now) == "signature-profile"


def test_an_original_hidden_in_a_signed_object_is_refused(envelope, trust, now, message, forge):
    original = envelope[0]
    envelope.replace(original, _evil(message))
    etree.SubElement(envelope[1], f"{DS}Object").append(original)
    assert _code(forge.resigned(envelope), trust, now) == "signature-profile"


def test_a_swapped_message_is_refused(envelope, trust, now, message):
    envelope.replace(envelope[0], _evil(message))
    assert _code(canonicalize(envelope), trust, now) == "signature-invalid"


def test_an_envelope_inside_the_message_is_refused(envelope, trust, now, forge):
    etree.SubElement(envelope[0], f"{{{ENVELOPE_NS}}}Envelope")
    assert _code(forge.resigned(envelope), trust, now) == "signature-profile"


@pytest.mark.parametrize("name", ["Id", "ID", "id", "iD", "{http://www.w3.org/XML/1998/namespace}id"])
def test_an_id_inside_the_message_is_refused(envelope, trust, now, forge, name):
    envelope[0][0].set(name, "signed-properties")
    assert _code(forge.resigned(envelope), trust, now) == "signature-profile"


def test_a_second_set_of_signed_properties_with_the_same_id_is_refused(envelope, trust, now, forge):
    properties = next(envelope.iter("{*}SignedProperties"))
    properties.getparent().append(deepcopy(properties))
    assert _code(forge.resigned(envelope), trust, now) == "signature-profile"


# --- text that reads one way and verifies another (rows 7 and 8)


def test_a_comment_in_text_is_refused(signed, trust, now):
    assert _code(signed.body.replace(b">BA-MS<", b">BA<!-- x -->-MS<", 1), trust, now) == "markup-forbidden"


def test_a_processing_instruction_in_text_is_refused(signed, trust, now):
    assert _code(signed.body.replace(b">BA-MS<", b">BA<?x y?>-MS<", 1), trust, now) == "markup-forbidden"


def test_a_comment_inside_the_signature_is_refused(signed, trust, now):
    assert _code(signed.body.replace(b"<ds:SignedInfo>", b"<ds:SignedInfo><!-- x -->", 1), trust, now) == "markup-forbidden"


def test_a_cdata_section_is_refused_though_it_means_the_same(signed, trust, now):
    assert _code(signed.body.replace(b">3.1<", b"><![CDATA[3.1]]><"), trust, now) == "signature-profile"


def test_a_doctype_is_refused(signed, trust, now):
    assert _code(b"<!DOCTYPE Envelope>" + signed.body, trust, now) == "doctype-forbidden"


@pytest.mark.parametrize(
    ("canonical", "other"),
    [
        (b' version="1.0">', b" version='1.0'>"),
        (b' version="1.0">', b'  version="1.0">'),
        (b' version="1.0">', b'\tversion="1.0">'),
        (b">3.1<", b">&#51;.1<"),
        (b"</Envelope>", b"</Envelope >"),
        (b"</Envelope>", b"</Envelope>\n"),
        (b"<Envelope", b'<?xml version="1.0" encoding="UTF-8"?><Envelope'),
        (b"></ds:CanonicalizationMethod>", b"/>"),
    ],
)
def test_another_spelling_of_the_same_envelope_is_refused(signed, trust, now, canonical, other):
    # One meaning has one digest; else the same message could come twice and be taken for two.
    assert _code(signed.body.replace(canonical, other, 1), trust, now) == "signature-profile"


def test_another_prefix_for_the_envelope_is_refused(signed, trust, now, forge):
    renamed = signed.body.replace(b"<Envelope xmlns=", b"<e:Envelope xmlns:e=").replace(b"</Envelope>", b"</e:Envelope>")
    assert _code(forge.resigned(parse_xml(renamed)), trust, now) == "signature-profile"


# --- what a signature says about itself (rows 10, 12 to 17)


def _set(path, attribute, value):
    def change(signature):
        signature.find(path).set(attribute, value)

    return change


def _append_transform(algorithm):
    def change(signature):
        transforms = signature.find(f"{DS}SignedInfo/{DS}Reference/{DS}Transforms")
        etree.SubElement(transforms, f"{DS}Transform").set("Algorithm", algorithm)

    return change


def _many_references(signature):
    info = signature[0]
    for _ in range(1000):
        info.append(deepcopy(info[2]))


def _without(path):
    def change(signature):
        node = signature.find(path)
        node.getparent().remove(node)

    return change


def _truncated_hmac(signature):
    method = signature.find(f"{DS}SignedInfo/{DS}SignatureMethod")
    etree.SubElement(method, f"{DS}HMACOutputLength").text = "8"


def _sub_element_only(signature):
    signature.getparent()[0][0].set("Id", "part")
    signature.find(f"{DS}SignedInfo/{DS}Reference").set("URI", "#part")


_INFO = f"{DS}SignedInfo"
_REFERENCE = f"{_INFO}/{DS}Reference"
SELF_DESCRIPTIONS = {
    "sha-1 digest": _set(f"{_REFERENCE}/{DS}DigestMethod", "Algorithm", DSIG + "sha1"),
    "md5 digest": _set(f"{_REFERENCE}/{DS}DigestMethod", "Algorithm", "http://www.w3.org/2001/04/xmldsig-more#md5"),
    "rsa-sha1 signature": _set(f"{_INFO}/{DS}SignatureMethod", "Algorithm", DSIG + "rsa-sha1"),
    "ecdsa-sha1 signature": _set(
        f"{_INFO}/{DS}SignatureMethod", "Algorithm", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1"
    ),
    "hmac signature": _set(f"{_INFO}/{DS}SignatureMethod", "Algorithm", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"),
    "truncated hmac": _truncated_hmac,
    "inclusive canonicalization": _set(
        f"{_INFO}/{DS}CanonicalizationMethod", "Algorithm", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
    ),
    "canonicalization with comments": _set(
        f"{_INFO}/{DS}CanonicalizationMethod", "Algorithm", "http://www.w3.org/2001/10/xml-exc-c14n#WithComments"
    ),
    "xslt transform": _append_transform("http://www.w3.org/TR/1999/REC-xslt-19991116"),
    "xpath transform": _append_transform("http://www.w3.org/TR/1999/REC-xpath-19991116"),
    "a thousand references": _many_references,
    "one reference only": _without(f"{_INFO}/{DS}Reference[2]"),
    "no transforms": _without(f"{_REFERENCE}/{DS}Transforms"),
    "reference to a sub-element": _sub_element_only,
    "reference to another host": _set(_REFERENCE, "URI", "https://attacker.invalid/message.xml"),
    "reference to a file": _set(_REFERENCE, "URI", "file:///etc/hostname"),
    "reference without a target": lambda signature: signature.find(_REFERENCE).attrib.pop("URI"),
    "other id of the signature": lambda signature: signature.set("Id", "other"),
    "extra attribute": lambda signature: signature[0].set("note", "x"),
    "text in the signed info": lambda signature: setattr(signature[0], "text", "\n"),
    "no signed properties": _without(f"{DS}Object"),
    "two objects": lambda signature: signature.append(deepcopy(signature[-1])),
    "key value beside the certificate": lambda signature: etree.SubElement(signature[2], f"{DS}KeyValue"),
    "retrieval of the key": lambda signature: etree.SubElement(
        signature[2], f"{DS}RetrievalMethod", URI="https://attacker.invalid/key"
    ),
    "key name": lambda signature: etree.SubElement(signature[2], f"{DS}KeyName"),
}


@pytest.mark.parametrize("change", SELF_DESCRIPTIONS.values(), ids=SELF_DESCRIPTIONS.keys())
def test_a_signature_that_describes_itself_otherwise_is_refused(envelope, trust, now, forge, change):
    change(envelope[1])
    assert _code(forge.resigned(envelope), trust, now) == "signature-profile"


def test_a_signature_over_a_sub_element_is_refused(envelope, trust, now, forge):
    part = envelope[0][0]
    reference = envelope[1].find(_REFERENCE)
    reference.set("URI", "#part")
    reference.find(f"{DS}DigestValue").text = b64encode(sha256(canonicalize(part)).digest()).decode()
    value = forge.key.sign(canonicalize(envelope[1][0]))
    envelope[1].find(f"{DS}SignatureValue").text = b64encode(value).decode()
    assert _code(canonicalize(envelope), trust, now) == "signature-profile"


def test_an_hmac_keyed_with_the_certificate_is_refused(envelope, trust, now, forge):
    method = envelope[1].find(f"{_INFO}/{DS}SignatureMethod")
    method.set("Algorithm", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256")
    value = hmac.new(forge.key.chain[0], canonicalize(envelope[1][0]), sha256).digest()
    envelope[1].find(f"{DS}SignatureValue").text = b64encode(value).decode()
    assert _code(canonicalize(envelope), trust, now) == "signature-profile"


def test_a_signature_value_of_zeros_is_refused(envelope, trust, now):
    envelope[1].find(f"{DS}SignatureValue").text = b64encode(bytes(64)).decode()
    assert _code(canonicalize(envelope), trust, now) == "signature-invalid"


def test_a_short_signature_value_is_refused(envelope, trust, now):
    envelope[1].find(f"{DS}SignatureValue").text = b64encode(bytes(8)).decode()
    assert _code(canonicalize(envelope), trust, now) == "signature-invalid"


def test_an_altered_digest_is_refused(envelope, trust, now):
    envelope[1].find(f"{_REFERENCE}/{DS}DigestValue").text = b64encode(bytes(32)).decode()
    assert _code(canonicalize(envelope), trust, now) == "signature-invalid"


def test_an_altered_message_with_its_digest_made_to_fit_is_refused(envelope, trust, now):
    signature = envelope[1]
    envelope[0][-1].text = "3.2"
    envelope.remove(signature)
    signature.find(f"{_REFERENCE}/{DS}DigestValue").text = b64encode(sha256(canonicalize(envelope)).digest()).decode()
    envelope.append(signature)
    assert _code(canonicalize(envelope), trust, now) == "signature-invalid"


def test_an_altered_signing_time_is_refused(signed, trust, now):
    assert _code(signed.body.replace(b"T12:00:00Z<", b"T11:00:00Z<"), trust, now) == "signature-profile"


def test_a_signing_time_that_does_not_exist_is_refused(signed, trust, now):
    assert _code(signed.body.replace(b"2026-11-24T12", b"2026-02-30T12"), trust, now) == "signature-profile"


# --- whose key (row 15)


def test_a_self_signed_certificate_is_refused(message, forge, trust, now):
    assert _code(sign(message(), forge.certificate(own_issuer=True), now).body, trust, now) == "signer-not-trusted"


def test_another_certificate_of_the_same_authority_is_refused(message, forge, trust, now):
    assert _code(sign(message(), forge.certificate("BA-MS"), now).body, trust, now) == "signer-not-trusted"


def test_another_certificate_in_the_key_info_is_refused(envelope, forge, trust, now):
    other = b64encode(forge.certificate("BA-MS").chain[0]).decode()
    envelope[1].find(f".//{DS}X509Certificate").text = other
    assert _code(canonicalize(envelope), trust, now) == "signer-not-trusted"


def test_a_pinned_certificate_of_another_partner_in_the_key_info_is_refused(envelope, ring, trust, now):
    envelope[1].find(f".//{DS}X509Certificate").text = b64encode(ring.signing("PK-MOI").chain[0]).decode()
    assert _code(canonicalize(envelope), trust, now) == "signature-profile"


def test_a_certificate_beside_the_chain_is_refused(envelope, ring, trust, now):
    extra = etree.SubElement(envelope[1].find(f".//{DS}X509Data"), f"{DS}X509Certificate")
    extra.text = b64encode(ring.signing("PK-MOI").chain[0]).decode()
    assert _code(canonicalize(envelope), trust, now) == "signer-not-trusted"


def test_a_hundred_certificates_are_refused(envelope, trust, now):
    data = envelope[1].find(f".//{DS}X509Data")
    for _ in range(99):
        data.append(deepcopy(data[0]))
    assert _code(canonicalize(envelope), trust, now) == "signature-profile"


def test_no_certificate_is_refused(envelope, trust, now, forge):
    data = envelope[1].find(f".//{DS}X509Data")
    data.remove(data[0])
    assert _code(forge.resigned(envelope), trust, now) == "signature-profile"


# --- any damage at all


@pytest.fixture(scope="module")
def small(message, ring, now):
    return sign(message(), ring.signing("BA-MS"), now).body


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(min_value=0), flip=st.integers(min_value=1, max_value=255))
@example(place=9, flip=0x20 ^ 0x09)  # a space between attributes becomes a tab
def test_any_changed_byte_is_refused(small, trust, now, place, flip):
    place %= len(small)
    damaged = small[:place] + bytes([small[place] ^ flip]) + small[place + 1 :]
    with pytest.raises(Refused):
        verify(damaged, trust, now)


def test_white_space_for_white_space_is_refused_everywhere(small, trust, now):
    for place in (index for index, byte in enumerate(small) if byte in b" \n"):
        for other in b"\t\n\r ":
            damaged = small[:place] + bytes([other]) + small[place + 1 :]
            if damaged != small:
                with pytest.raises(Refused):
                    verify(damaged, trust, now)


def test_an_envelope_cut_short_is_refused_at_every_length(small, trust, now):
    for length in range(0, len(small), 37):
        with pytest.raises(Refused):
            verify(small[:length], trust, now)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=200))
def test_any_bytes_are_refused(trust, now, body):
    with pytest.raises(GatewayError):
        verify(body, trust, now)


def test_an_error_text_holds_nothing_of_the_message(signed, trust, now):
    with pytest.raises(Refused) as refusal:
        verify(signed.body.replace(b"SPECIMEN", b"SPECIMAN"), trust, now)
    assert "SPECIM" not in refusal.value.message
    assert NS not in refusal.value.message
