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
from gateway.simulation.forgeries.forge import DS
from gateway.trust.algorithms import ALGORITHMS, ECDSA_P256
from gateway.trust.sign import sign
from gateway.trust.verify import verify
from gateway.wire.documents import canonicalize, parse_xml
from tests.attacks.accepted_elsewhere import ACCEPTED
from tests.attacks.forged import NOW, forged
from tests.attacks.forged import forge as forge_of_the_list
from tests.attacks.forged import trust as trust_of_the_list

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

LISTED = {name: libraries for group in ACCEPTED.values() for name, libraries in group.items()}
# They work on these longer than on all others together: on the first in vain, and xmlsec accepts the second. Ours counts first.
TOO_MUCH_FOR_THEM = {"attributes_40_000_on_one_element", "references_1_000"}
SHOWN = sorted(set(forged()) - TOO_MUCH_FOR_THEM)


def _accepting(body, certificate):
    return {name for name, accepts in LIBRARIES.items() if accepts(body, certificate, ECDSA_P256)}


@pytest.fixture(scope="module")
def forgers_certificate():
    return _certificate(forge_of_the_list().key)


@pytest.mark.parametrize("name", SHOWN)
def test_whatever_either_accepts_beyond_ours_is_listed_with_its_reason(forgers_certificate, name):
    body = forged()[name].body
    with pytest.raises(Refused):  # whatever either refuses, ours refuses
        verify(body, trust_of_the_list(), NOW)
    assert _accepting(body, forgers_certificate) == LISTED.get(name, set())


def test_the_list_names_forgeries_that_exist_each_once():
    assert set(LISTED) <= set(SHOWN)
    assert set(forged()) >= TOO_MUCH_FOR_THEM
    assert sum(map(len, ACCEPTED.values())) == len(LISTED)


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
