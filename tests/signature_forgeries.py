"""The attack catalogue on signatures: each forgery as a function, with the code by which the one profile refuses it.

Where a forgery could be signed by a partner's own key it is (`resigned`): a verifier must refuse what it says, not by luck.
The same list runs against the one profile, the foreign verifiers, and the libraries themselves.
"""

import hmac
from base64 import b64encode
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from gateway.stages import Tree
from gateway.trust.sign import sign
from gateway.wire.documents import ENVELOPE_NS, canonicalize, parse_xml

DS = "{http://www.w3.org/2000/09/xmldsig#}"
DSIG = "http://www.w3.org/2000/09/xmldsig#"
_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
_INFO = f"{DS}SignedInfo"
_REFERENCE = f"{_INFO}/{DS}Reference"


@dataclass(frozen=True)
class Material:
    """What an attacker has: a genuine envelope of BA-MS, and in the worst case the key of BA-MS."""

    signed: bytes
    forge: Any  # tests/unit/trust/conftest.py
    ring: Any
    message: Callable[..., Tree]
    now: datetime

    def envelope(self) -> Tree:
        return parse_xml(self.signed)

    def evil(self) -> Tree:
        return self.message(text="somebody else")


@dataclass(frozen=True)
class Forgery:
    """One forgery."""

    name: str
    code: str  # by which the one profile refuses it
    make: Callable[[Material], bytes]


FORGERIES: list[Forgery] = []


def forgery(code: str) -> Callable[[Callable[[Material], bytes]], Callable[[Material], bytes]]:
    def listed(make: Callable[[Material], bytes]) -> Callable[[Material], bytes]:
        FORGERIES.append(Forgery(name=make.__name__.replace("_", " "), code=code, make=make))
        return make

    return listed


# --- nothing, too much, or in the wrong place


@forgery("signature-missing")
def a_message_without_an_envelope(made):
    return canonicalize(made.message())


@forgery("signature-missing")
def a_stripped_signature(made):
    envelope = made.envelope()
    envelope.remove(envelope[1])
    return canonicalize(envelope)


@forgery("signature-profile")
def an_empty_signature(made):
    envelope = made.envelope()
    envelope.remove(envelope[1])
    etree.SubElement(envelope, f"{DS}Signature")
    return canonicalize(envelope)


@forgery("signature-profile")
def an_empty_signed_info(made):
    envelope = made.envelope()
    envelope[1][0].clear()
    return canonicalize(envelope)


@forgery("signature-profile")
def two_signatures(made):
    envelope = made.envelope()
    envelope.append(deepcopy(envelope[1]))
    return canonicalize(envelope)


@forgery("signature-profile")
def a_signature_before_the_message(made):
    envelope = made.envelope()
    envelope.insert(0, envelope[1])
    return made.forge.resigned(envelope)


@forgery("signature-profile")
def a_signature_inside_the_message(made):
    envelope = made.envelope()
    envelope[0].append(envelope[1])
    return made.forge.resigned(envelope)


@forgery("signature-profile")
def two_messages(made):
    envelope = made.envelope()
    envelope.insert(0, made.evil())
    return made.forge.resigned(envelope)


@forgery("signature-profile")
def tail_text_after_the_signature(made):
    return made.signed.replace(b"</ds:Signature>", b"</ds:Signature>x")


@forgery("signature-profile")
def white_space_between_message_and_signature(made):
    envelope = made.envelope()
    envelope[0].tail = "\n"
    return made.forge.resigned(envelope)


@forgery("signature-profile")
def text_before_the_message(made):
    envelope = made.envelope()
    envelope.text = " "
    return made.forge.resigned(envelope)


@forgery("signature-profile")
def an_extra_attribute_of_the_envelope(made):
    envelope = made.envelope()
    envelope.set("schema", "other")
    return made.forge.resigned(envelope)


@forgery("signature-profile")
def another_version_of_the_envelope(made):
    envelope = made.envelope()
    envelope.set("version", "1.1")
    return made.forge.resigned(envelope)


@forgery("signature-profile")
def a_foreign_document_in_the_envelope(made):
    envelope = made.envelope()
    envelope.replace(envelope[0], etree.fromstring('<Invoice xmlns="urn:example:other"/>'))
    return made.forge.resigned(envelope)


# --- wrapping (facts on peers, 2c, rows 1 to 4)


def _outer() -> Tree:
    return etree.Element(f"{{{ENVELOPE_NS}}}Envelope", {"version": "1.0"}, nsmap={None: ENVELOPE_NS})


@forgery("signature-profile")
def the_signed_envelope_wrapped_in_another(made):
    envelope, outer = made.envelope(), _outer()
    outer.append(envelope)
    outer.append(deepcopy(envelope[1]))
    return canonicalize(outer)


@forgery("signature-profile")
def an_evil_message_around_the_signed_envelope(made):
    envelope, outer, evil = made.envelope(), _outer(), made.evil()
    signature = envelope[1]
    evil.append(envelope)
    outer.append(evil)
    outer.append(signature)
    return canonicalize(outer)


@forgery("signature-profile")
def an_original_hidden_in_the_signature_object(made):
    envelope = made.envelope()
    original = envelope[0]
    envelope.replace(original, made.evil())
    etree.SubElement(envelope[1], f"{DS}Object").append(original)
    return canonicalize(envelope)


@forgery("signature-profile")
def an_original_hidden_in_a_signed_object(made):
    envelope = made.envelope()
    original = envelope[0]
    envelope.replace(original, made.evil())
    etree.SubElement(envelope[1], f"{DS}Object").append(original)
    return made.forge.resigned(envelope)


@forgery("signature-profile")
def an_original_hidden_in_the_properties(made):
    envelope = made.envelope()
    original = envelope[0]
    envelope.replace(original, made.evil())
    next(envelope.iter("{*}QualifyingProperties")).append(original)
    return canonicalize(envelope)


@forgery("signature-invalid")
def a_swapped_message(made):
    envelope = made.envelope()
    envelope.replace(envelope[0], made.evil())
    return canonicalize(envelope)


@forgery("signature-profile")
def an_envelope_inside_the_message(made):
    envelope = made.envelope()
    etree.SubElement(envelope[0], f"{{{ENVELOPE_NS}}}Envelope")
    return made.forge.resigned(envelope)


def _id_inside(name: str) -> Callable[[Material], bytes]:
    def make(made: Material) -> bytes:
        envelope = made.envelope()
        envelope[0][0].set(name, "signed-properties")
        return made.forge.resigned(envelope)

    return make


FORGERIES += [
    Forgery(name=f"an attribute {name} in the message", code="signature-profile", make=_id_inside(name))
    for name in ("Id", "ID", "id", "iD", "{http://www.w3.org/XML/1998/namespace}id", "{urn:other}ID")
]


@forgery("signature-profile")
def a_second_set_of_signed_properties_with_the_same_id(made):
    envelope = made.envelope()
    properties = next(envelope.iter("{*}SignedProperties"))
    properties.getparent().append(deepcopy(properties))
    return made.forge.resigned(envelope)


# --- text that reads one way and verifies another (rows 7 and 8)


@forgery("markup-forbidden")
def a_comment_in_text(made):
    return made.signed.replace(b">BA-MS<", b">BA<!-- x -->-MS<", 1)


@forgery("markup-forbidden")
def a_processing_instruction_in_text(made):
    return made.signed.replace(b">BA-MS<", b">BA<?x y?>-MS<", 1)


@forgery("markup-forbidden")
def a_comment_inside_the_signature(made):
    return made.signed.replace(b"<ds:SignedInfo>", b"<ds:SignedInfo><!-- x -->", 1)


@forgery("signature-profile")
def a_cdata_section(made):
    return made.signed.replace(b">3.1<", b"><![CDATA[3.1]]><")


@forgery("doctype-forbidden")
def a_doctype(made):
    return b"<!DOCTYPE Envelope>" + made.signed


SPELLINGS = {
    "single quotes": (b' version="1.0">', b" version='1.0'>"),
    "two spaces": (b' version="1.0">', b'  version="1.0">'),
    "a tab": (b' version="1.0">', b'\tversion="1.0">'),
    "a character reference": (b">3.1<", b">&#51;.1<"),
    "a space in the end tag": (b"</Envelope>", b"</Envelope >"),
    "a newline at the end": (b"</Envelope>", b"</Envelope>\n"),
    "an XML declaration": (b"<Envelope", b'<?xml version="1.0" encoding="UTF-8"?><Envelope'),
    "an empty element tag": (b"></ds:CanonicalizationMethod>", b"/>"),
}
# One meaning has one digest; else the same message could come twice and be taken for two.
FORGERIES += [
    Forgery(
        name=f"the same envelope with {name}",
        code="signature-profile",
        make=lambda made, canonical=canonical, other=other: made.signed.replace(canonical, other, 1),
    )
    for name, (canonical, other) in SPELLINGS.items()
]


@forgery("signature-profile")
def another_prefix_for_the_envelope(made):
    renamed = made.signed.replace(b"<Envelope xmlns=", b"<e:Envelope xmlns:e=").replace(b"</Envelope>", b"</e:Envelope>")
    return made.forge.resigned(parse_xml(renamed))


# --- what a signature says about itself (rows 10, 12 to 17)


def _set(path, attribute, value):
    def change(signature):
        signature.find(path).set(attribute, value)

    return change


def _append_transform(algorithm):
    def change(signature):
        transforms = signature.find(f"{_REFERENCE}/{DS}Transforms")
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
    method = signature.find(f"{_INFO}/{DS}SignatureMethod")
    etree.SubElement(method, f"{DS}HMACOutputLength").text = "8"


def _sub_element_only(signature):
    signature.getparent()[0][0].set("Id", "part")
    signature.find(_REFERENCE).set("URI", "#part")


def _prefix_list(signature):
    node = etree.SubElement(
        signature.find(f"{_INFO}/{DS}CanonicalizationMethod"), "{http://www.w3.org/2001/10/xml-exc-c14n#}InclusiveNamespaces"
    )
    node.set("PrefixList", "ds")


def _unsigned_properties(signature):
    qualifying = next(signature.iter("{*}QualifyingProperties"))
    etree.SubElement(qualifying, "{http://uri.etsi.org/01903/v1.3.2#}UnsignedProperties")


def _two_certificates_named(signature):
    properties = next(signature.iter("{*}SigningCertificateV2"))
    properties.addnext(deepcopy(properties))


SELF_DESCRIPTIONS = {
    "sha-1 digest": _set(f"{_REFERENCE}/{DS}DigestMethod", "Algorithm", DSIG + "sha1"),
    "md5 digest": _set(f"{_REFERENCE}/{DS}DigestMethod", "Algorithm", _MORE + "md5"),
    "rsa-sha1 signature": _set(f"{_INFO}/{DS}SignatureMethod", "Algorithm", DSIG + "rsa-sha1"),
    "ecdsa-sha1 signature": _set(f"{_INFO}/{DS}SignatureMethod", "Algorithm", _MORE + "ecdsa-sha1"),
    "ecdsa-sha512 signature": _set(f"{_INFO}/{DS}SignatureMethod", "Algorithm", _MORE + "ecdsa-sha512"),
    "rsa-sha256 signature": _set(f"{_INFO}/{DS}SignatureMethod", "Algorithm", _MORE + "rsa-sha256"),
    "hmac signature": _set(f"{_INFO}/{DS}SignatureMethod", "Algorithm", _MORE + "hmac-sha256"),
    "truncated hmac": _truncated_hmac,
    "inclusive canonicalization": _set(
        f"{_INFO}/{DS}CanonicalizationMethod", "Algorithm", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
    ),
    "canonicalization with comments": _set(
        f"{_INFO}/{DS}CanonicalizationMethod", "Algorithm", "http://www.w3.org/2001/10/xml-exc-c14n#WithComments"
    ),
    "canonicalization of the envelope with comments": _set(
        f"{_REFERENCE}/{DS}Transforms/{DS}Transform[2]", "Algorithm", "http://www.w3.org/2001/10/xml-exc-c14n#WithComments"
    ),
    "prefix list of the canonicalization": _prefix_list,
    "xslt transform": _append_transform("http://www.w3.org/TR/1999/REC-xslt-19991116"),
    "xpath transform": _append_transform("http://www.w3.org/TR/1999/REC-xpath-19991116"),
    "base64 transform": _append_transform(DSIG + "base64"),
    "third transform": _append_transform("http://www.w3.org/2001/10/xml-exc-c14n#"),
    "a thousand references": _many_references,
    "one reference only": _without(f"{_INFO}/{DS}Reference[2]"),
    "no reference to the envelope": _without(f"{_INFO}/{DS}Reference[1]"),
    "no transforms": _without(f"{_REFERENCE}/{DS}Transforms"),
    "reference to a sub-element": _sub_element_only,
    "reference to another host": _set(_REFERENCE, "URI", "https://attacker.invalid/message.xml"),
    "reference to a file": _set(_REFERENCE, "URI", "file:///etc/hostname"),
    "reference by xpointer": _set(_REFERENCE, "URI", "#xpointer(/)"),
    "reference without a target": lambda signature: signature.find(_REFERENCE).attrib.pop("URI"),
    "other id of the signature": lambda signature: signature.set("Id", "other"),
    "the id of the properties on the signature": lambda signature: signature.set("Id", "signed-properties"),
    "id of the properties under another name": lambda signature: next(signature.iter("{*}SignedProperties")).set("ID", "x"),
    "extra attribute": lambda signature: signature[0].set("note", "x"),
    "text in the signed info": lambda signature: setattr(signature[0], "text", "x"),
    "white space in the signed info": lambda signature: setattr(signature[0], "text", "\n"),
    "no signed properties": _without(f"{DS}Object"),
    "two objects": lambda signature: signature.append(deepcopy(signature[-1])),
    "an empty object": lambda signature: signature[-1].clear(),
    "unsigned properties": _unsigned_properties,
    "two signing certificates named": _two_certificates_named,
    "key value beside the certificate": lambda signature: etree.SubElement(signature[2], f"{DS}KeyValue"),
    "retrieval of the key": lambda signature: etree.SubElement(
        signature[2], f"{DS}RetrievalMethod", URI="https://attacker.invalid/key"
    ),
    "key name": lambda signature: etree.SubElement(signature[2], f"{DS}KeyName"),
    "subject name beside the certificate": lambda signature: etree.SubElement(signature[2][0], f"{DS}X509SubjectName"),
}


def _describing(change: Callable[[Tree], object]) -> Callable[[Material], bytes]:
    def make(made: Material) -> bytes:
        envelope = made.envelope()
        change(envelope[1])
        return made.forge.resigned(envelope)

    return make


FORGERIES += [
    Forgery(name=f"a signature with: {name}", code="signature-profile", make=_describing(change))
    for name, change in SELF_DESCRIPTIONS.items()
]


@forgery("signature-profile")
def a_signature_over_a_sub_element(made):
    envelope = made.envelope()
    reference = envelope[1].find(_REFERENCE)
    reference.set("URI", "#part")
    reference.find(f"{DS}DigestValue").text = b64encode(sha256(canonicalize(envelope[0][0])).digest()).decode()
    value = made.forge.key.sign(canonicalize(envelope[1][0]))
    envelope[1].find(f"{DS}SignatureValue").text = b64encode(value).decode()
    return canonicalize(envelope)


@forgery("signature-profile")
def an_hmac_keyed_with_the_certificate(made):
    envelope = made.envelope()
    envelope[1].find(f"{_INFO}/{DS}SignatureMethod").set("Algorithm", _MORE + "hmac-sha256")
    value = hmac.new(made.forge.key.chain[0], canonicalize(envelope[1][0]), sha256).digest()
    envelope[1].find(f"{DS}SignatureValue").text = b64encode(value).decode()
    return canonicalize(envelope)


@forgery("signature-invalid")
def a_signature_value_of_zeros(made):
    envelope = made.envelope()
    envelope[1].find(f"{DS}SignatureValue").text = b64encode(bytes(64)).decode()
    return canonicalize(envelope)


@forgery("signature-invalid")
def a_short_signature_value(made):
    envelope = made.envelope()
    envelope[1].find(f"{DS}SignatureValue").text = b64encode(bytes(8)).decode()
    return canonicalize(envelope)


@forgery("signature-invalid")
def an_empty_signature_value(made):
    envelope = made.envelope()
    envelope[1].find(f"{DS}SignatureValue").text = ""
    return canonicalize(envelope)


@forgery("signature-invalid")
def an_altered_digest(made):
    envelope = made.envelope()
    envelope[1].find(f"{_REFERENCE}/{DS}DigestValue").text = b64encode(bytes(32)).decode()
    return canonicalize(envelope)


@forgery("signature-invalid")
def an_altered_message_with_its_digest_made_to_fit(made):
    envelope = made.envelope()
    signature = envelope[1]
    envelope[0][-1].text = "3.2"
    envelope.remove(signature)
    signature.find(f"{_REFERENCE}/{DS}DigestValue").text = b64encode(sha256(canonicalize(envelope)).digest()).decode()
    envelope.append(signature)
    return canonicalize(envelope)


@forgery("signature-profile")
def an_altered_signing_time(made):
    return made.signed.replace(b"T12:00:00Z<", b"T11:00:00Z<")


@forgery("signature-profile")
def a_signing_time_that_does_not_exist(made):
    return made.signed.replace(b"2026-11-24T12", b"2026-02-30T12")


# --- whose key (row 15)


@forgery("signer-not-trusted")
def a_self_signed_certificate(made):
    return sign(made.message(), made.forge.certificate(own_issuer=True), made.now).body


@forgery("signer-not-trusted")
def another_certificate_of_the_same_authority(made):
    return sign(made.message(), made.forge.certificate("BA-MS"), made.now).body


@forgery("signer-not-trusted")
def another_certificate_in_the_key_info(made):
    envelope = made.envelope()
    envelope[1].find(f".//{DS}X509Certificate").text = b64encode(made.forge.certificate("BA-MS").chain[0]).decode()
    return canonicalize(envelope)


@forgery("signature-profile")
def a_pinned_certificate_of_another_partner_in_the_key_info(made):
    envelope = made.envelope()
    envelope[1].find(f".//{DS}X509Certificate").text = b64encode(made.ring.signing("PK-MOI").chain[0]).decode()
    return canonicalize(envelope)


@forgery("signature-profile")
def a_certificate_of_another_partner_in_the_key_info_signed_by_the_sender(made):
    envelope = made.envelope()
    envelope[1].find(f".//{DS}X509Certificate").text = b64encode(made.ring.signing("PK-MOI").chain[0]).decode()
    return made.forge.resigned(envelope)


@forgery("signer-not-trusted")
def a_certificate_beside_the_chain(made):
    envelope = made.envelope()
    extra = etree.SubElement(envelope[1].find(f".//{DS}X509Data"), f"{DS}X509Certificate")
    extra.text = b64encode(made.ring.signing("PK-MOI").chain[0]).decode()
    return canonicalize(envelope)


@forgery("signer-not-trusted")
def the_root_beside_the_chain(made):
    envelope = made.envelope()
    extra = etree.SubElement(envelope[1].find(f".//{DS}X509Data"), f"{DS}X509Certificate")
    extra.text = b64encode(made.forge.root.public_bytes(Encoding.DER)).decode()
    return canonicalize(envelope)


@forgery("signature-profile")
def a_hundred_certificates(made):
    envelope = made.envelope()
    data = envelope[1].find(f".//{DS}X509Data")
    for _ in range(99):
        data.append(deepcopy(data[0]))
    return canonicalize(envelope)


@forgery("signature-profile")
def no_certificate(made):
    envelope = made.envelope()
    data = envelope[1].find(f".//{DS}X509Data")
    data.remove(data[0])
    return made.forge.resigned(envelope)


@forgery("signer-mismatch")
def a_message_that_names_another_sender(made):
    return sign(made.message(sender="AT-BMI"), made.ring.signing("BA-MS"), made.now).body


assert len({each.name for each in FORGERIES}) == len(FORGERIES), "each forgery has a name of its own"
