"""A catalogue of chains, each with one defect, in the manner of x509-limbo: refused with its code, and nothing is fetched.

The certificates are made by a throw-away authority at the time of the test. Each row: its name is the defect; how the chain
is made; the code, or "trusted".
"""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp as asn
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import GatewayError, SignerNotTrusted, TrustInvalid
from gateway.trust import chains
from gateway.trust.certificates import TrustStore
from gateway.trust.inspection import inspect
from gateway.trust.revocation import local
from tests.throwaway_ca import DAY, DOCUMENT_SIGNING, Holder, lay, name, offers, root, usage

URL = "http://crl.specimen.example/list.crl"
ASK = "http://ocsp.specimen.example/"
HOUR = timedelta(hours=1)
OLD_DOCUMENT_SIGNING = x509.ObjectIdentifier("1.3.6.1.4.1.311.10.3.12")
UNKNOWN_EXTENSION = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")
POLICY = x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier("1.3.6.1.4.1.99999.2"), None)])
SERVER = [ExtendedKeyUsageOID.SERVER_AUTH]


@dataclass(frozen=True)
class Chain:
    """What is pinned and sent, and what evidence lies in the key folder."""

    leaf: Holder
    evidence: dict[str, bytes]
    sent: tuple[bytes, ...] | None = None  # where it is not the chain that is pinned


def plain(leaf: Holder, **evidence: bytes) -> Chain:
    return Chain(leaf, {file.replace("_", "."): data for file, data in evidence.items()})


def below(above: Holder, **middle: object) -> Chain:
    """Return a chain through an intermediate; `middle` are its oddities."""
    return plain(above.issue("Issuing CA", **{"ca": True, **middle}).issue())  # type: ignore[arg-type]


def sent(leaf: Holder, *chain: Holder) -> Chain:
    return Chain(leaf, {}, tuple(each.der for each in chain))


def self_signed(ca: Holder) -> Chain:
    key = ec.generate_private_key(ec.SECP256R1())
    own = ca.issue(key=key, signed_with=key, issuer_name=name("BA-MS signing"))
    return plain(Holder(certificate=own.certificate, key=key, now=ca.now))


def cross_signed(ca: Holder) -> Chain:
    """The issuer has two certificates over one key: of our anchor, and of a root that we do not know."""
    issuing = ca.issue("Issuing CA", ca=True)
    other = root(ca.now, "Other root").issue("Issuing CA", ca=True, key=issuing.key)
    leaf = issuing.issue()
    return Chain(leaf, {}, (leaf.der, other.der))


def cross_signed_by_ours(ca: Holder) -> Chain:
    """A root that we do not know, with a certificate of our anchor: the chain goes through that."""
    other = root(ca.now, "Other root")
    bridge = ca.issue("Other root", ca=True, key=other.key)
    return plain(bridge.issue())


def list_of(ca: Holder, make: Callable[[Holder], bytes], kind: str = "x_crl") -> Chain:
    """Return a leaf that offers evidence, and what lies here of it."""
    leaf = ca.issue(more=offers(crl=[URL], responder=[ASK]))
    return plain(leaf, **{kind: make(leaf)})


def without_intermediate(ca: Holder) -> Chain:
    leaf = ca.issue("A", ca=True).issue()
    return sent(leaf, leaf)


def beside(ca: Holder, other: Holder) -> Chain:
    leaf = ca.issue()
    return sent(leaf, leaf, other)


def same_key(ca: Holder) -> Chain:
    leaf = ca.issue()
    return sent(leaf, ca.issue(key=leaf.key))


def weak_issuer(ca: Holder) -> Chain:
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    issuing = ca.issue("Issuing CA", ca=True, public_key=weak.public_key())
    leaf = Holder(certificate=issuing.certificate, key=weak, above=issuing.above, now=ca.now)  # type: ignore[arg-type]
    return plain(leaf.issue())


def middle_revoked(ca: Holder) -> Chain:
    issuing = ca.issue("Issuing CA", ca=True, more=offers(crl=[URL]))
    leaf = issuing.issue(more=offers(crl=[URL]))
    return plain(leaf, a_crl=ca.crl(issuing.certificate), b_crl=issuing.crl())


def constraints(*names: x509.GeneralName) -> list[tuple[x509.ExtensionType, bool]]:
    return [(x509.NameConstraints(permitted_subtrees=list(names), excluded_subtrees=None), True)]


NOT_TRUSTED, NOT_VALID, REVOKED = "signer-not-trusted", "certificate-not-valid", "certificate-revoked"
UNKNOWN, STALE = "revocation-unknown", "revocation-stale"

CATALOGUE: dict[str, tuple[Callable[[Holder], Chain], str]] = {
    # --- good
    "a leaf of the anchor": (lambda ca: plain(ca.issue()), "trusted"),
    "a leaf below an intermediate": (below, "trusted"),
    "a leaf below two intermediates": (
        lambda ca: plain(ca.issue("A", ca=True).issue("B", ca=True).issue()),
        "trusted",
    ),
    "the older number for document signing": (lambda ca: plain(ca.issue(purposes=[OLD_DOCUMENT_SIGNING])), "trusted"),
    "no extended key usage": (lambda ca: plain(ca.issue(purposes=None)), "trusted"),
    "a critical extended key usage": (lambda ca: plain(ca.issue(purposes_critical=True)), "trusted"),
    "document signing among other purposes": (
        lambda ca: plain(ca.issue(purposes=[*SERVER, DOCUMENT_SIGNING])),
        "trusted",
    ),
    "no basic constraints in the leaf": (lambda ca: plain(ca.issue(basic=False)), "trusted"),
    "an unknown extension that is not critical": (lambda ca: plain(ca.issue(more=[(UNKNOWN_EXTENSION, False)])), "trusted"),
    "policies that are not critical": (lambda ca: plain(ca.issue(more=[(POLICY, False)])), "trusted"),
    "a root unknown here, cross-signed by our anchor": (cross_signed_by_ours, "trusted"),
    "path length that suffices": (lambda ca: below(ca, path_length=0), "trusted"),
    # --- time
    "an ended leaf": (lambda ca: plain(ca.issue(ends=-DAY)), NOT_VALID),
    "a leaf that has not begun": (lambda ca: plain(ca.issue(begins=DAY)), NOT_VALID),
    "an ended intermediate": (lambda ca: below(ca, ends=-DAY), NOT_VALID),
    "an intermediate that has not begun": (lambda ca: below(ca, begins=DAY), NOT_VALID),
    # --- purpose
    "for servers only": (lambda ca: plain(ca.issue(purposes=SERVER)), NOT_TRUSTED),
    "for servers only, critical": (lambda ca: plain(ca.issue(purposes=SERVER, purposes_critical=True)), NOT_TRUSTED),
    "for timestamps only": (lambda ca: plain(ca.issue(purposes=[ExtendedKeyUsageOID.TIME_STAMPING])), NOT_TRUSTED),
    "for OCSP answers only": (lambda ca: plain(ca.issue(purposes=[ExtendedKeyUsageOID.OCSP_SIGNING])), NOT_TRUSTED),
    "for encryption": (lambda ca: plain(ca.issue(key_usage=usage(enciphers=True))), NOT_TRUSTED),
    "a key usage of nothing that signs": (lambda ca: plain(ca.issue(key_usage=usage(lists=True))), NOT_TRUSTED),
    # --- leaf and issuer
    "an authority's certificate as leaf": (lambda ca: plain(ca.issue(ca=True)), NOT_TRUSTED),
    "an authority's certificate that may also sign": (
        lambda ca: plain(ca.issue(ca=True, key_usage=usage(signs=True, issues=True))),
        NOT_TRUSTED,
    ),
    "a leaf as issuer": (lambda ca: plain(ca.issue("Not an issuer").issue()), NOT_TRUSTED),
    "a leaf with the right to issue as issuer": (lambda ca: below(ca, ca=False, key_usage=usage(issues=True)), NOT_TRUSTED),
    "an issuer without the right to issue": (lambda ca: below(ca, key_usage=usage(signs=True)), NOT_TRUSTED),
    "an issuer without basic constraints": (lambda ca: below(ca, basic=False), NOT_TRUSTED),
    "path length too short": (
        lambda ca: plain(ca.issue("A", ca=True, path_length=0).issue("B", ca=True).issue()),
        NOT_TRUSTED,
    ),
    "names that are constrained, none fits": (
        lambda ca: below(ca, more=constraints(x509.DirectoryName(name("Somebody else")))),
        NOT_TRUSTED,
    ),
    # --- extensions
    "an unknown critical extension in the leaf": (lambda ca: plain(ca.issue(more=[(UNKNOWN_EXTENSION, True)])), NOT_TRUSTED),
    "an unknown critical extension in an intermediate": (lambda ca: below(ca, more=[(UNKNOWN_EXTENSION, True)]), NOT_TRUSTED),
    "a critical policy that nobody here acts on": (lambda ca: plain(ca.issue(more=[(POLICY, True)])), NOT_TRUSTED),
    "a policy asked for by an intermediate": (
        lambda ca: below(ca, more=[(x509.PolicyConstraints(require_explicit_policy=0, inhibit_policy_mapping=None), True)]),
        NOT_TRUSTED,
    ),
    # --- keys and signatures
    "a weak issuer": (weak_issuer, NOT_TRUSTED),
    "signed by another key in the issuer's name": (
        lambda ca: plain(ca.issue(signed_with=ec.generate_private_key(ec.SECP256R1()))),
        NOT_TRUSTED,
    ),
    "signed by itself": (self_signed, NOT_TRUSTED),
    "of an authority that bears our anchor's name": (lambda ca: plain(root(ca.now).issue()), NOT_TRUSTED),
    "of an authority that is unknown": (lambda ca: plain(root(ca.now, "Unknown").issue()), NOT_TRUSTED),
    # --- what is sent
    "without its intermediate": (without_intermediate, NOT_TRUSTED),
    "with its root": (lambda ca: beside(ca, ca), NOT_TRUSTED),
    "with a certificate beside the chain": (lambda ca: beside(ca, ca.issue("B", ca=True)), NOT_TRUSTED),
    "through an intermediate of an unknown root": (cross_signed, NOT_TRUSTED),
    "another certificate of the same authority": (lambda ca: sent(ca.issue(), ca.issue()), NOT_TRUSTED),
    "another certificate over the pinned key": (same_key, NOT_TRUSTED),
    "no certificate": (lambda ca: Chain(ca.issue(), {}, ()), NOT_TRUSTED),
    # --- revocation
    "a fresh list": (lambda ca: list_of(ca, lambda leaf: ca.crl()), "trusted"),
    "a fresh answer": (lambda ca: list_of(ca, lambda leaf: ca.answer(leaf.certificate), "x_ocsp"), "trusted"),
    "a revoked leaf": (lambda ca: list_of(ca, lambda leaf: ca.crl(leaf.certificate)), REVOKED),
    "a revoked leaf, by an answer": (
        lambda ca: list_of(ca, lambda leaf: ca.answer(leaf.certificate, asn.OCSPCertStatus.REVOKED), "x_ocsp"),
        REVOKED,
    ),
    "a revoked intermediate": (middle_revoked, REVOKED),
    "nothing known": (lambda ca: plain(ca.issue(more=offers(crl=[URL]))), UNKNOWN),
    "a list that has run out": (lambda ca: list_of(ca, lambda leaf: ca.crl(this=-2 * DAY, until=-DAY)), STALE),
    "an answer that has run out": (
        lambda ca: list_of(ca, lambda leaf: ca.answer(leaf.certificate, this=-2 * DAY, until=-DAY), "x_ocsp"),
        STALE,
    ),
    "a list signed by another key": (lambda ca: list_of(ca, lambda leaf: ca.crl(signed_with=root(ca.now))), UNKNOWN),
    "an answer signed by another key": (
        lambda ca: list_of(ca, lambda leaf: ca.answer(leaf.certificate, responder=root(ca.now), beside=[]), "x_ocsp"),
        UNKNOWN,
    ),
    "an answer signed by the leaf": (
        lambda ca: list_of(ca, lambda leaf: ca.answer(leaf.certificate, responder=leaf), "x_ocsp"),
        UNKNOWN,
    ),
    "an answer about another certificate": (
        lambda ca: list_of(ca, lambda leaf: ca.answer(ca.issue().certificate), "x_ocsp"),
        UNKNOWN,
    ),
    "a responder that does not know the certificate": (
        lambda ca: list_of(ca, lambda leaf: ca.answer(leaf.certificate, asn.OCSPCertStatus.UNKNOWN), "x_ocsp"),
        UNKNOWN,
    ),
    "a list of the intermediate's issuer for the leaf": (
        lambda ca: plain(ca.issue("A", ca=True).issue(more=offers(crl=[URL])), x_crl=ca.crl()),
        UNKNOWN,
    ),
}


@pytest.fixture(scope="module")
def ca(now) -> Holder:
    return root(now)


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a verdict opened a connection")

    for name_ in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name_, refuse)


def code_of(trust: TrustStore, chain: tuple[bytes, ...], at) -> str:
    try:
        trust.verdict(chain, at)
    except GatewayError as error:
        return error.code
    return "trusted"


@pytest.fixture
def judged(ca, tmp_path, now, no_network):
    """Return a function that lays one chain of the catalogue and gives the store, the chain and the code."""

    def judge(make: Callable[[Holder], Chain]):
        chain = make(ca)
        lay(tmp_path, [ca], BA_MS=chain.leaf)
        for file, data in chain.evidence.items():
            (tmp_path / "revocation" / file).write_bytes(data)
        trust = TrustStore.load(tmp_path)
        given = chain.leaf.signer().chain if chain.sent is None else chain.sent
        return trust, code_of(trust, given, now)

    return judge


@pytest.mark.parametrize(("make", "code"), CATALOGUE.values(), ids=CATALOGUE)
def test_each_chain_has_its_one_verdict_without_the_network(judged, make, code):
    assert judged(make)[1] == code


@pytest.mark.parametrize(
    "make",
    [make for make, code in CATALOGUE.values() if code in {NOT_TRUSTED, NOT_VALID}],
    ids=[name_ for name_, (_, code) in CATALOGUE.items() if code in {NOT_TRUSTED, NOT_VALID}],
)
def test_what_is_not_trusted_is_told_in_words(judged, now, make):
    trust, _ = judged(make)
    for found in inspect(trust, "BA-MS", now):
        assert found.fault is None or (found.why and not any("not looked at one by one" in why for why in found.why)), found.why


def test_every_code_is_reached_with_a_chain_that_is_good_but_for_its_defect():
    assert {code for _, code in CATALOGUE.values()} == {"trusted", NOT_TRUSTED, NOT_VALID, REVOKED, UNKNOWN, STALE}


def test_what_a_person_took_back_is_revoked_with_all_below_it(judged, tmp_path, now):
    trust, code = judged(below)
    (pinned,) = trust.pinned("BA-MS")
    intermediate = pinned.chain[1].fingerprint(hashes.SHA256()).hex()
    local.revoke(tmp_path, intermediate, now - HOUR, "audit", "B. Officer")
    trust.refresh()
    chain = tuple(each.public_bytes(Encoding.DER) for each in pinned.chain)
    assert (code, code_of(trust, chain, now), code_of(trust, chain, now - 2 * HOUR)) == ("trusted", REVOKED, "trusted")


@pytest.mark.parametrize(
    "key",
    [
        rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key(),
        ec.generate_private_key(ec.SECP256K1()).public_key(),
    ],
    ids=["RSA-2048", "an odd curve"],
)
def test_a_weak_or_odd_key_cannot_be_pinned(ca, tmp_path, key):
    lay(tmp_path, [ca], BA_MS=ca.issue(public_key=key))
    with pytest.raises(TrustInvalid):
        TrustStore.load(tmp_path)


@pytest.fixture(scope="module")
def two_links(ca) -> Holder:
    return ca.issue("A", ca=True).issue()


@given(place=st.integers(0, 1_000_000), flip=st.integers(1, 255))
def test_one_changed_byte_in_an_intermediate_breaks_the_chain(ca, two_links, now, tmp_path_factory, place, flip):
    leaf, above = two_links.signer().chain
    place %= len(above)
    bad = above[:place] + bytes([above[place] ^ flip]) + above[place + 1 :]
    folder = lay(tmp_path_factory.getbasetemp() / "two-links", [ca], BA_MS=two_links)
    with pytest.raises(GatewayError) as refused:
        TrustStore.load(folder).verdict((leaf, bad), now)
    assert refused.value.code in {NOT_TRUSTED, NOT_VALID}


@given(st.binary(max_size=200))
def test_any_bytes_as_an_intermediate_give_our_own_error(ca, two_links, now, tmp_path_factory, junk):
    folder = lay(tmp_path_factory.getbasetemp() / "two-links", [ca], BA_MS=two_links)
    with pytest.raises(SignerNotTrusted):
        TrustStore.load(folder).verdict((two_links.der, junk), now)


def test_a_chain_has_at_most_four_certificates(ca, tmp_path, now):
    deep = ca
    for level in range(chains.MAX_CHAIN):
        deep = deep.issue(f"Level {level}", ca=True)
    leaf = deep.issue()
    with pytest.raises(SignerNotTrusted, match="at most"):
        TrustStore.load(lay(tmp_path, [ca], BA_MS=leaf)).verdict(leaf.signer().chain, now)
