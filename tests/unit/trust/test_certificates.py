"""Whom we believe: pinned certificates, whole chains, the right purpose, signed sealing keys."""

import json
from base64 import b64encode
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.errors import CertificateNotValid, KeyMissing, SignatureInvalid, SignerNotTrusted, TrustInvalid
from gateway.trust import suites
from gateway.trust.algorithms import ECDSA_P256
from gateway.trust.certificates import VERDICT_SECONDS, TrustStore
from gateway.trust.keys import FileKey
from gateway.trust.sealing_keys import write_document
from gateway.trust.sign import sign
from gateway.trust.verify import verify

DOCUMENT_SIGNING = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")


@pytest.fixture
def copied(folder, tmp_path):
    """Return a copy of the public part of the key folder, to be damaged."""
    for name in ("anchors", "pinned", "sealing"):
        (tmp_path / name).mkdir()
        for file in (folder / name).iterdir():
            (tmp_path / name / file.name).write_bytes(file.read_bytes())
    return tmp_path


@pytest.fixture
def through_intermediate(forge, now):
    """Return a key of BA-MS whose certificate an intermediate issued."""

    def make(*, intermediate_ends=now + timedelta(days=300)):
        middle_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        middle_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Issuing CA")])

        def builder(subject, issuer, public, issuer_public, ends):
            return (
                x509.CertificateBuilder()
                .subject_name(subject)
                .issuer_name(issuer)
                .public_key(public)
                .serial_number(x509.random_serial_number())
                .not_valid_before(now - timedelta(days=1))
                .not_valid_after(ends)
                .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
                .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_public), critical=False)
            )

        def usage(*, issues):
            return x509.KeyUsage(not issues, False, False, False, False, issues, issues, False, False)

        middle = (
            builder(middle_name, forge.root.subject, middle_key.public_key(), forge.root_key.public_key(), intermediate_ends)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage(issues=True), critical=True)
            .sign(forge.root_key, hashes.SHA256())
        )
        leaf_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "BA-MS signing")])
        leaf = (
            builder(leaf_name, middle_name, key.public_key(), middle_key.public_key(), now + timedelta(days=300))
            .add_extension(usage(issues=False), critical=True)
            .sign(middle_key, hashes.SHA256())
        )
        chain = (leaf.public_bytes(Encoding.DER), middle.public_bytes(Encoding.DER))
        return FileKey(authority="BA-MS", chain=chain, algorithm=ECDSA_P256, private_key=key)

    return make


# --- pinned


def test_a_pinned_certificate_speaks_for_its_authority(trust, ring, now):
    assert trust.verdict(ring.signing("PK-MOI").chain, now).authority == "PK-MOI"


def test_another_certificate_of_the_same_issuer_is_not_trusted(trust, forge, now):
    with pytest.raises(SignerNotTrusted):
        trust.verdict(forge.certificate("BA-MS").chain, now)


def test_no_certificate_is_not_trusted(trust, now):
    with pytest.raises(SignerNotTrusted):
        trust.verdict((), now)


def test_two_certificates_of_one_authority_may_be_valid_at_once(copied, forge, ring, now):
    second = forge.certificate("BA-MS")
    pem = x509.load_der_x509_certificate(second.chain[0]).public_bytes(Encoding.PEM)
    (copied / "pinned" / "BA-MS.2.pem").write_bytes(pem)
    store = TrustStore.load(copied)
    assert store.verdict(second.chain, now).authority == store.verdict(ring.signing("BA-MS").chain, now).authority == "BA-MS"
    assert len(store.pinned("BA-MS")) == 2


def test_one_certificate_cannot_be_pinned_for_two_authorities(copied):
    (copied / "pinned" / "RS-MUP.pem").write_bytes((copied / "pinned" / "BA-MS.pem").read_bytes())
    with pytest.raises(TrustInvalid, match="one key, one authority"):
        TrustStore.load(copied)


def test_a_development_certificate_says_so(trust):
    assert all(pinned.development for authority in trust.authorities() for pinned in trust.pinned(authority))


def test_a_certificate_from_elsewhere_is_not_a_development_certificate(pin, forge):
    assert not pin(forge.certificate("BA-MS")).pinned("BA-MS")[0].development


# --- time


@pytest.mark.parametrize("shift", [timedelta(days=-2), timedelta(days=31)])
def test_a_certificate_outside_its_time_is_not_valid(pin, forge, now, shift):
    key = forge.certificate("BA-MS")
    with pytest.raises(CertificateNotValid):
        pin(key).verdict(key.chain, now + shift)


def test_a_cached_verdict_does_not_outlive_the_certificate(pin, forge, now):
    key = forge.certificate("BA-MS")
    store = pin(key)
    assert store.verdict(key.chain, now).authority == "BA-MS"
    with pytest.raises(CertificateNotValid):
        store.verdict(key.chain, now + timedelta(days=31))


def test_an_expired_intermediate_makes_the_chain_not_valid(pin, through_intermediate, now):
    key = through_intermediate(intermediate_ends=now + timedelta(days=10))
    with pytest.raises(CertificateNotValid):
        pin(key).verdict(key.chain, now + timedelta(days=11))


def test_a_verdict_is_found_again_after_its_short_life(folder, ring, now):
    seconds = [0.0]
    store = TrustStore.load(folder, clock=lambda: seconds[0])
    chain = ring.signing("BA-MS").chain
    store.verdict(chain, now)
    seconds[0] = VERDICT_SECONDS
    store.verdict(chain, now)
    assert store.loaded().verdicts[chain].found_at == 0.0
    seconds[0] = VERDICT_SECONDS + 1
    store.verdict(chain, now)
    assert store.loaded().verdicts[chain].found_at == VERDICT_SECONDS + 1


def test_a_refused_chain_is_not_kept_in_memory(folder, forge, now):
    store = TrustStore.load(folder)
    before = len(store.loaded().verdicts)
    with pytest.raises(SignerNotTrusted):
        store.verdict(forge.certificate("BA-MS").chain, now)
    assert len(store.loaded().verdicts) == before


# --- chain and purpose


def test_a_chain_through_an_intermediate_is_trusted(pin, through_intermediate, message, now):
    key = through_intermediate()
    assert verify(sign(message(), key, now).body, pin(key), now).signer == "BA-MS"


def test_a_chain_without_its_intermediate_is_not_trusted(pin, through_intermediate, now):
    key = through_intermediate()
    with pytest.raises(SignerNotTrusted):
        pin(key).verdict(key.chain[:1], now)


def test_a_chain_that_carries_the_root_is_not_trusted(pin, through_intermediate, forge, now):
    key = through_intermediate()
    with pytest.raises(SignerNotTrusted):
        pin(key).verdict((*key.chain, forge.root.public_bytes(Encoding.DER)), now)


def test_a_chain_of_five_certificates_is_not_trusted(pin, through_intermediate, now):
    key = through_intermediate()
    with pytest.raises(SignerNotTrusted, match="at most 4"):
        pin(key).verdict(key.chain + key.chain[1:] * 3, now)


def test_a_chain_with_bytes_that_are_no_certificate_is_not_trusted(trust, ring, now):
    with pytest.raises(SignerNotTrusted):
        trust.verdict((*ring.signing("BA-MS").chain, b"\x30\x00"), now)


PURPOSES = {
    "certificate authority": {"ca": True},
    "no digital signature": {"digital_signature": False},
    "server only": {"purpose": ExtendedKeyUsageOID.SERVER_AUTH},
    "issued by itself": {"own_issuer": True},
}


@pytest.mark.parametrize("defect", PURPOSES.values(), ids=PURPOSES.keys())
def test_a_pinned_certificate_not_meant_for_signing_is_refused(pin, forge, message, now, defect):
    key = forge.certificate("BA-MS", **defect)
    with pytest.raises(SignerNotTrusted):
        verify(sign(message(), key, now).body, pin(key), now)


def test_a_certificate_for_signing_documents_is_accepted(pin, forge, message, now):
    key = forge.certificate("BA-MS", purpose=DOCUMENT_SIGNING)
    assert verify(sign(message(), key, now).body, pin(key), now).signer == "BA-MS"


def test_a_certificate_on_a_curve_of_no_algorithm_cannot_be_pinned(pin, forge):
    with pytest.raises(TrustInvalid, match="ecdsa-p256-sha256"):
        pin(forge.certificate("BA-MS", curve=ec.SECP521R1()))


def test_a_certificate_with_a_short_rsa_key_cannot_be_pinned(copied, forge, now):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "BA-MS")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(forge.root.subject)
        .public_key(rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(forge.root_key, hashes.SHA256())
    )
    (copied / "pinned" / "BA-MS.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    with pytest.raises(TrustInvalid, match="rsa3072-sha256"):
        TrustStore.load(copied)


def test_a_signature_of_another_length_is_not_checked_further(trust):
    with pytest.raises(SignatureInvalid):
        trust.pinned("BA-MS")[0].check(b"data", b"short")


# --- files


def test_a_folder_without_anchors_stops_the_start(tmp_path):
    with pytest.raises(KeyMissing):
        TrustStore.load(tmp_path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("pinned/BA-MS.pem", b"not a certificate"),
        ("anchors/other.pem", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        ("pinned/ba-ms.pem", b""),
        ("pinned/BA-MS.new.pem", b""),
        ("pinned/RS-MUP.pem", b"x" * 70_000),
    ],
)
def test_a_file_that_cannot_be_used_stops_the_start_by_name(copied, name, content):
    (copied / name).write_bytes(content)
    with pytest.raises(TrustInvalid, match=name.rpartition("/")[2]):
        TrustStore.load(copied)


# --- sealing keys


def test_the_newest_valid_sealing_key_is_used(copied, ring, now):
    raw = suites.X25519.new_private()
    newer = write_document(
        ring.signing("PK-MOI"), suites.X25519, suites.X25519.public_of(raw), now - timedelta(days=1), now + timedelta(days=9)
    )
    (copied / "sealing" / "PK-MOI.2.json").write_bytes(newer)
    store = TrustStore.load(copied)
    assert store.sealing_key("PK-MOI", now).suite is suites.X25519
    assert store.sealing_key("PK-MOI", now - timedelta(days=2)).suite is suites.HYBRID
    assert store.sealing_key("PK-MOI", now + timedelta(days=10)).suite is suites.HYBRID


def test_an_authority_without_a_sealing_key_is_named(trust, now):
    with pytest.raises(KeyMissing, match="RS-MUP"):
        trust.sealing_key("RS-MUP", now)


def test_a_sealing_key_of_another_signer_is_refused(copied, ring, now):
    thief = replace(ring.signing("BA-MS"), authority="PK-MOI")
    raw = suites.X25519.new_private()
    stolen = write_document(thief, suites.X25519, suites.X25519.public_of(raw), now, now + timedelta(days=9))
    (copied / "sealing" / "PK-MOI.json").write_bytes(stolen)
    with pytest.raises(TrustInvalid, match="signed by BA-MS"):
        TrustStore.load(copied)


def test_a_sealing_key_document_filed_under_another_authority_is_refused(copied):
    (copied / "sealing" / "RS-MUP.json").write_bytes((copied / "sealing" / "BA-MS.json").read_bytes())
    with pytest.raises(TrustInvalid, match="names another authority"):
        TrustStore.load(copied)


def test_a_sealing_key_of_an_unknown_signer_is_refused(copied, forge, now):
    raw = suites.X25519.new_private()
    document = write_document(
        forge.certificate("PK-MOI"), suites.X25519, suites.X25519.public_of(raw), now, now + timedelta(days=9)
    )
    (copied / "sealing" / "PK-MOI.json").write_bytes(document)
    with pytest.raises(TrustInvalid, match=r"PK-MOI\.json"):
        TrustStore.load(copied)


def test_a_sealing_key_signed_after_the_certificate_ended_is_refused(copied, ring, now):
    raw = suites.X25519.new_private()
    begins = now + timedelta(days=900)
    late = write_document(
        ring.signing("PK-MOI"), suites.X25519, suites.X25519.public_of(raw), begins, begins + timedelta(days=1)
    )
    (copied / "sealing" / "PK-MOI.json").write_bytes(late)
    with pytest.raises(TrustInvalid, match=r"PK-MOI\.json"):
        TrustStore.load(copied)


def _other_key():
    public = suites.HYBRID.public_of(suites.HYBRID.new_private())
    return {"public_key": b64encode(public).decode(), "key_id": suites.key_id(public)}


CHANGES = {
    "later end": lambda _: {"not_after": "2040-01-01T00:00:00Z"},
    "other key": lambda _: {"public_key": _other_key()["public_key"]},
    "other key with its id": lambda _: _other_key(),
    "other authority": lambda _: {"authority": "BA-MS"},
    "other suite": lambda _: {"suite": suites.X25519.name},
    "unknown suite": lambda _: {"suite": "none"},
    "other version": lambda _: {"v": 2},
    "extra member": lambda _: {"note": "x"},
    "no instant": lambda _: {"not_before": "yesterday"},
    "signature of zeros": lambda _: {"signature": b64encode(bytes(64)).decode()},
    "certificates of a wrong kind": lambda _: {"certificates": 1},
    "no certificates": lambda _: {"certificates": []},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_an_altered_sealing_key_document_is_refused(copied, change):
    file = copied / "sealing" / "PK-MOI.json"
    content = json.loads(file.read_bytes())
    file.write_text(json.dumps({**content, **change(content)}))
    with pytest.raises(TrustInvalid, match=r"PK-MOI\.json"):
        TrustStore.load(copied)


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b"[" * 50_000])
def test_a_sealing_key_document_that_is_no_document_is_refused(copied, content):
    (copied / "sealing" / "PK-MOI.json").write_bytes(content)
    with pytest.raises(TrustInvalid, match=r"PK-MOI\.json"):
        TrustStore.load(copied)
