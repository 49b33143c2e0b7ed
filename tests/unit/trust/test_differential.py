"""Our verifier beside other people's: what ours accepts both accept; what either refuses ours refuses.

The libraries are called here as a careful partner would call them, not through `gateway.trust.foreign`: the pinned certificate
given, the signature expected directly in the envelope, two references, digests by SHA-256.
"""

import pytest
import xmlsec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from lxml import etree
from signxml import DigestAlgorithm, SignatureConfiguration, SignatureMethod, XMLVerifier
from signxml.exceptions import SignXMLException

from gateway.errors import Refused
from gateway.settings import data_folder
from gateway.trust.algorithms import ALGORITHMS, ECDSA_P256
from gateway.trust.sign import sign
from gateway.trust.verify import verify
from gateway.wire.documents import canonicalize, parse_xml
from tests.signature_forgeries import DS, FORGERIES, Material

EXAMPLES = sorted((data_folder("schemas") / "readmission" / "1.0" / "examples").glob("*.xml"))


def signxml_accepts(body, certificate, algorithm):
    wanted = SignatureConfiguration(
        require_x509=True,
        location="./",
        expect_references=2,
        signature_methods=frozenset({SignatureMethod(algorithm.uri)}),
        digest_algorithms=frozenset({DigestAlgorithm.SHA256}),
        verification_time=certificate.not_valid_before_utc,
    )
    try:
        XMLVerifier().verify(body, x509_cert=certificate, expect_config=wanted)
    except (SignXMLException, InvalidSignature, etree.LxmlError, ValueError, TypeError, AttributeError):
        return False
    return True


def xmlsec_accepts(body, certificate, algorithm):
    del algorithm  # the kind of the key decides
    try:
        root = etree.fromstring(body)
    except etree.XMLSyntaxError:
        return False
    context = xmlsec.SignatureContext()
    pem = certificate.public_bytes(Encoding.PEM)
    context.key = xmlsec.Key.from_memory(pem, xmlsec.constants.KeyDataFormatCertPem, None)
    signature = root.find(f"{DS}Signature")
    if signature is None:
        return False
    try:
        for node in root.iter("{*}SignedProperties"):
            context.register_id(node, "Id")
        context.verify(signature)
    except xmlsec.Error:
        return False
    return True


LIBRARIES = {"signxml": signxml_accepts, "xmlsec": xmlsec_accepts}
EACH_LIBRARY = pytest.mark.parametrize("library", LIBRARIES.values(), ids=LIBRARIES.keys())
EACH_ALGORITHM = pytest.mark.parametrize("algorithm", ALGORITHMS.values(), ids=ALGORITHMS.keys())


@pytest.fixture(scope="module")
def keys(forge):
    return {algorithm.name: forge.certificate(algorithm=algorithm) for algorithm in ALGORITHMS.values()}


def _certificate(key):
    return load_der_x509_certificate(key.chain[0])


# --- what ours accepts


@EACH_LIBRARY
@EACH_ALGORITHM
def test_both_accept_each_example_message_that_ours_accepts(keys, pin, now, library, algorithm):
    assert len(EXAMPLES) > 30
    key = keys[algorithm.name]
    trust, certificate = pin(key), _certificate(key)
    for file in EXAMPLES:
        document = parse_xml(file.read_bytes())
        next(document.iter("{*}Sender")).text = "BA-MS"
        body = sign(document, key, now).body
        assert verify(body, trust, now).signer == "BA-MS", file.name
        assert library(body, certificate, algorithm), file.name


@EACH_LIBRARY
@EACH_ALGORITHM
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")) | st.sampled_from("\t\n\r<>&\"'"), max_size=60)
)
@example(text="\r\n")
@example(text="\u2028\u0085")
@example(text="]]>")
def test_both_accept_any_text_that_ours_accepts(keys, pin, message, now, library, algorithm, text):
    key = keys[algorithm.name]
    document = message()
    document[-1].text = text.replace("\ufffe", "").replace("\uffff", "")
    document.set("note", document[-1].text)
    body = sign(document, key, now).body
    assert verify(body, pin(key), now).signer == "BA-MS"
    assert library(body, _certificate(key), algorithm)


# --- what they accept and ours refuses

BOTH = {"signxml", "xmlsec"}
SIGNXML = {"signxml"}
XMLSEC = {"xmlsec"}

SPELLING = "the same document in other bytes: a message of the one profile has one spelling, and so one digest"
SHAPE = "a good signature over a document that is not an envelope of ours: its shape is not a library's to know"
IDS = "signed by the sender, but another verifier could look up the id and read another part than was covered"
MARKUP = "left out of the canonical form, or declared before it: what is read could differ from what was covered"
SAID = "signed by the sender, and harmless to this library, which leaves out or follows what stands there; others may not"
UNCOVERED = "it is not covered by the signature: nothing is carried that nobody signed"
KEY = "the library was given the key and does not look at what came; ours requires exactly the chain of the pinned certificate"
SENDER = "a good signature of another than the sender: who may sign what is not a library's to know"

ACCEPTED = {
    SPELLING: {
        "a cdata section": BOTH,
        "the same envelope with single quotes": BOTH,
        "the same envelope with two spaces": BOTH,
        "the same envelope with a tab": BOTH,
        "the same envelope with a character reference": BOTH,
        "the same envelope with a space in the end tag": BOTH,
        "the same envelope with a newline at the end": BOTH,
        "the same envelope with an XML declaration": BOTH,
        "the same envelope with an empty element tag": BOTH,
        "another prefix for the envelope": BOTH,
        "a signature with: white space in the signed info": BOTH,
    },
    SHAPE: {
        "a signature before the message": BOTH,
        "two messages": BOTH,
        "white space between message and signature": BOTH,
        "text before the message": BOTH,
        "an extra attribute of the envelope": BOTH,
        "another version of the envelope": BOTH,
        "a foreign document in the envelope": BOTH,
        "an envelope inside the message": BOTH,
    },
    IDS: {
        "an attribute Id in the message": XMLSEC,
        "an attribute ID in the message": BOTH,
        "an attribute id in the message": BOTH,
        "an attribute iD in the message": BOTH,
        "an attribute {urn:other}ID in the message": BOTH,
        "an attribute {http://www.w3.org/XML/1998/namespace}id in the message": SIGNXML,
        "a signature with: other id of the signature": BOTH,
        "a signature with: the id of the properties on the signature": XMLSEC,
        "a signature with: id of the properties under another name": BOTH,
    },
    MARKUP: {
        "a comment in text": BOTH,
        "a comment inside the signature": BOTH,
        "a doctype": XMLSEC,
    },
    SAID: {
        "a signature with: truncated hmac": BOTH,
        "a signature with: canonicalization with comments": BOTH,
        "a signature with: canonicalization of the envelope with comments": BOTH,
        "a signature with: prefix list of the canonicalization": XMLSEC,
        "a signature with: xslt transform": SIGNXML,
        "a signature with: xpath transform": SIGNXML,
        "a signature with: third transform": XMLSEC,
        "a signature with: a thousand references": XMLSEC,
        "a signature with: one reference only": XMLSEC,
        "a signature with: reference by xpointer": XMLSEC,
        "a signature with: reference without a target": XMLSEC,
        "a signature with: extra attribute": XMLSEC,
        "a signature with: text in the signed info": XMLSEC,
        "a signature with: two signing certificates named": BOTH,
    },
    UNCOVERED: {
        "an original hidden in a signed object": BOTH,
        "a signature with: unsigned properties": BOTH,
    },
    KEY: {
        "a signature with: key value beside the certificate": XMLSEC,
        "a signature with: retrieval of the key": BOTH,
        "a signature with: key name": BOTH,
        "a signature with: subject name beside the certificate": BOTH,
        "another certificate in the key info": BOTH,
        "a pinned certificate of another partner in the key info": BOTH,
        "a certificate of another partner in the key info signed by the sender": BOTH,
        "a certificate beside the chain": BOTH,
        "the root beside the chain": BOTH,
        "a hundred certificates": BOTH,
        "no certificate": XMLSEC,
    },
    SENDER: {"a message that names another sender": BOTH},
}
LISTED = {name: libraries for group in ACCEPTED.values() for name, libraries in group.items()}


def _accepting(body, certificate):
    return {name for name, accepts in LIBRARIES.items() if accepts(body, certificate, ECDSA_P256)}


@pytest.mark.parametrize("forgery", FORGERIES, ids=[each.name for each in FORGERIES])
def test_whatever_either_accepts_beyond_ours_is_listed_with_its_reason(signed, forge, ring, message, trust, now, forgery):
    body = forgery.make(Material(signed=signed.body, forge=forge, ring=ring, message=message, now=now))
    with pytest.raises(Refused):  # whatever either refuses, ours refuses
        verify(body, trust, now)
    assert _accepting(body, _certificate(ring.signing("BA-MS"))) == LISTED.get(forgery.name, set())


def test_the_list_names_forgeries_that_exist():
    assert set(LISTED) <= {each.name for each in FORGERIES}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(min_value=0), flip=st.integers(min_value=1, max_value=255))
def test_both_refuse_or_read_the_same_when_a_byte_is_changed_that_ours_refuses(signed, trust, ring, now, place, flip):
    place %= len(signed.body)
    damaged = signed.body[:place] + bytes([signed.body[place] ^ flip]) + signed.body[place + 1 :]
    with pytest.raises(Refused):
        verify(damaged, trust, now)
    if _accepting(damaged, _certificate(ring.signing("BA-MS"))):
        envelope, good = etree.fromstring(damaged), etree.fromstring(signed.body)
        assert canonicalize(envelope[0]) == canonicalize(good[0])
