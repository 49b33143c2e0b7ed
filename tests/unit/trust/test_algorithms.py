"""Each algorithm through every way a message takes, and the allow-lists of the partner folders."""

from datetime import timedelta
from types import MappingProxyType

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from gateway.errors import AlgorithmNotAllowed, CannotOpen, KeyMissing, SignatureProfile, TrustInvalid
from gateway.partners.trust_rules import Allowance, TrustRules
from gateway.stages import Received
from gateway.trust import algorithms, suites
from gateway.trust.algorithms import ALGORITHMS, ECDSA_P256, ECDSA_P384, RSA_3072
from gateway.trust.certificates import TrustStore
from gateway.trust.devca import make_development_keys
from gateway.trust.folder import write_file
from gateway.trust.keys import KeyRing, private_sealing_document
from gateway.trust.policy import STANDARD
from gateway.trust.seal import seal, unseal
from gateway.trust.sealing_keys import write_document
from gateway.trust.sign import sign
from gateway.trust.verify import STEPS, examine, verify, verify_by_steps
from gateway.trust.written import open_written
from gateway.wire.documents import canonicalize, parse_xml

METHOD = ".//{http://www.w3.org/2000/09/xmldsig#}SignatureMethod"
EACH = pytest.mark.parametrize("algorithm", ALGORITHMS.values(), ids=ALGORITHMS.keys())


@pytest.fixture(scope="module")
def keys(forge):
    """Return a key of BA-MS for each algorithm, with its certificate."""
    return {algorithm.name: forge.certificate(algorithm=algorithm) for algorithm in ALGORITHMS.values()}


@pytest.fixture
def at_home(folder, tmp_path, now):
    """Return a function that gives ring and store of a key folder in which BA-MS signs with an algorithm."""

    def installed(algorithm):
        for path in folder.rglob("*"):
            if path.is_file() and not path.name.startswith("BA-MS"):
                write_file(
                    tmp_path / path.relative_to(folder), path.read_bytes(), private=path.parent.name in {"private", "ca"}
                )
        make_development_keys(tmp_path, ["BA-MS"], now, algorithm=algorithm)
        return KeyRing.load(tmp_path), TrustStore.load(tmp_path)

    return installed


@EACH
def test_an_envelope_is_verified_the_short_way(algorithm, keys, pin, message, now):
    key = keys[algorithm.name]
    body = sign(message(), key, now).body
    opened = open_written(body, pin(key), now, STANDARD)
    assert opened is not None
    assert canonicalize(opened.document) == canonicalize(message())


@EACH
def test_an_envelope_is_verified_by_steps(algorithm, keys, pin, message, now):
    key = keys[algorithm.name]
    found = examine(sign(message(), key, now).body, pin(key), now)
    assert [each.name for each in found.steps if each.ok] == list(STEPS[:11])  # the twelfth is that of a timestamp
    assert found.opened.signer == "BA-MS"


@EACH
def test_the_method_of_the_pinned_key_stands_in_the_signature(algorithm, keys, message, now):
    envelope = parse_xml(sign(message(), keys[algorithm.name], now).body)
    assert envelope.find(METHOD).get("Algorithm") == algorithm.uri


@EACH
def test_a_message_is_sealed_and_opened(algorithm, at_home, message, message_id, now):
    ring, trust = at_home(algorithm)
    signed = sign(message(), ring.signing("BA-MS"), now)
    body = seal(signed, message_id=message_id, sender="BA-MS", recipient="PK-MOI", trust=trust).body
    opened = unseal(Received(body=body, received_at=now, transport="test"), ring, trust)
    assert (opened.signer, opened.sealed_for, opened.digest) == ("BA-MS", "PK-MOI", signed.digest)


@EACH
def test_the_published_keys_are_signed_by_it(algorithm, at_home, now):
    _, trust = at_home(algorithm)
    assert trust.sealing_key("BA-MS", now).vouched_by == algorithm.name


@EACH
def test_a_changed_message_is_refused_both_ways(algorithm, keys, pin, message, now):
    key = keys[algorithm.name]
    body = sign(message(), key, now).body.replace(b">3.1<", b">3.2<")
    assert open_written(body, pin(key), now, STANDARD) is None
    assert examine(body, pin(key), now).refusal.code == "signature-invalid"


@EACH
def test_a_changed_signature_value_is_refused(algorithm, keys, pin, message, now, forge):
    key = keys[algorithm.name]
    envelope = parse_xml(sign(message(), key, now).body)
    other = forge.resigned(envelope, forge.certificate(algorithm=algorithm))
    assert examine(other, pin(key), now).refusal.code == "signature-invalid"


OTHER_METHODS = [
    (key.name, uri)
    for key in ALGORITHMS.values()
    for uri in (
        *(other.uri for other in ALGORITHMS.values() if other is not key),
        "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512",
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
        "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1",
        "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
    )
]


@pytest.mark.parametrize(("name", "uri"), OTHER_METHODS)
def test_a_method_that_is_not_that_of_the_pinned_key_is_refused(name, uri, keys, pin, message, now, forge):
    key = keys[name]
    envelope = parse_xml(sign(message(), key, now).body)
    envelope.find(METHOD).set("Algorithm", uri)
    with pytest.raises(SignatureProfile):
        verify(forge.resigned(envelope, key), pin(key), now)


def test_an_rsa_signature_of_another_length_is_refused(keys, pin, message, now):
    key = keys[RSA_3072.name]
    value = pin(key).pinned("BA-MS")[0]
    for length in (0, 383, 385, 512):
        with pytest.raises(Exception, match="wrong length"):
            value.check(b"data", bytes(length))


def test_the_other_signature_of_a_pair_on_p384_is_refused(keys, pin, message, now):
    key = keys[ECDSA_P384.name]
    raw = key.sign(b"data")
    high = raw[:48] + (ECDSA_P384.order - int.from_bytes(ECDSA_P384.to_only_form(raw)[48:], "big")).to_bytes(48, "big")
    pin(key).pinned("BA-MS")[0].check(b"data", high)  # mathematically as good
    assert not ECDSA_P384.is_only_form(high)
    assert ECDSA_P384.is_only_form(ECDSA_P384.to_only_form(high))


@pytest.mark.parametrize("bits", [2048, 3071, 4104])
def test_an_rsa_key_outside_the_allowed_lengths_has_no_algorithm(bits):
    assert algorithms.of_key(rsa.generate_private_key(public_exponent=65537, key_size=bits).public_key()) is None


@pytest.mark.parametrize("curve", [ec.SECP521R1(), ec.SECP256K1(), ec.BrainpoolP256R1(), ec.SECP224R1()])
def test_a_key_on_another_curve_has_no_algorithm(curve):
    assert algorithms.of_key(ec.generate_private_key(curve).public_key()) is None


def test_a_key_on_another_curve_of_the_same_length_cannot_be_pinned(pin, forge):
    with pytest.raises(TrustInvalid, match="no key of an algorithm"):
        pin(forge.certificate(curve=ec.SECP256K1()))


# --- the allow-list


def _rules(*allowed):
    return TrustRules(signatures=allowed)


P384_ONLY = _rules(Allowance(name=ECDSA_P384.name))


@pytest.mark.parametrize("at", [True, False], ids=["judged now", "judged as a record"])
def test_an_algorithm_outside_the_list_is_refused(keys, pin, message, now, at):
    key = keys[ECDSA_P256.name]
    with pytest.raises(AlgorithmNotAllowed):
        verify(sign(message(), key, now).body, pin(key, BA_MS=P384_ONLY), now if at else None)


def test_the_steps_tell_the_same_of_it(keys, pin, message, now):
    key = keys[RSA_3072.name]
    with pytest.raises(AlgorithmNotAllowed):
        verify_by_steps(sign(message(), key, now).body, pin(key, BA_MS=P384_ONLY), now)


def test_an_algorithm_on_the_list_is_accepted(keys, pin, message, now):
    key = keys[ECDSA_P384.name]
    assert verify(sign(message(), key, now).body, pin(key, BA_MS=P384_ONLY), now).signer == "BA-MS"


def test_the_list_of_another_partner_does_not_matter(keys, pin, message, now):
    key = keys[ECDSA_P256.name]
    assert verify(sign(message(), key, now).body, pin(key, PK_MOI=P384_ONLY), now).signer == "BA-MS"


def test_an_algorithm_may_be_used_to_the_end_of_its_last_day(keys, pin, message, now):
    key = keys[ECDSA_P256.name]
    trust = pin(key, BA_MS=_rules(Allowance(name=ECDSA_P256.name, until=now.date())))
    assert verify(sign(message(), key, now).body, trust, now).signer == "BA-MS"


def test_a_message_signed_after_the_last_day_is_refused(keys, pin, message, now):
    key = keys[ECDSA_P256.name]
    trust = pin(key, BA_MS=_rules(Allowance(name=ECDSA_P256.name, until=now.date() - timedelta(days=1))))
    with pytest.raises(AlgorithmNotAllowed):
        verify(sign(message(), key, now).body, trust)


def test_a_message_that_claims_an_earlier_day_is_refused_after_the_last_day(keys, pin, message, now):
    # Whoever breaks an algorithm can claim any time of signing: only a record that was judged in time stays good.
    key = keys[ECDSA_P256.name]
    trust = pin(key, BA_MS=_rules(Allowance(name=ECDSA_P256.name, until=now.date())))
    body = sign(message(), key, now).body
    with pytest.raises(AlgorithmNotAllowed):
        verify(body, trust, now + timedelta(days=1))
    assert verify(body, trust).signer == "BA-MS"


def test_a_verdict_in_the_cache_does_not_outlive_the_last_day(keys, pin, now):
    key = keys[ECDSA_P256.name]
    trust = pin(key, BA_MS=_rules(Allowance(name=ECDSA_P256.name, until=now.date())))
    trust.verdict(key.chain, now)
    with pytest.raises(AlgorithmNotAllowed):
        trust.verdict(key.chain, now + timedelta(days=1))


def test_a_published_key_is_not_used_once_the_algorithm_that_vouches_for_it_has_ended(folder, now):
    ended = _rules(Allowance(name=ECDSA_P256.name, until=now.date()))
    trust = TrustStore.load(folder, rules={"PK-MOI": ended})
    assert trust.sealing_key("PK-MOI", now).authority == "PK-MOI"
    with pytest.raises(KeyMissing):
        trust.sealing_key("PK-MOI", now + timedelta(days=1))


# --- the suites


HYBRID_ONLY = TrustRules(sealing=(Allowance(name=suites.HYBRID.name),))
X25519_ONLY = TrustRules(sealing=(Allowance(name=suites.X25519.name),))
P256_TOO = TrustRules(sealing=(*HYBRID_ONLY.sealing, Allowance(name=suites.P256.name)))


@pytest.fixture
def two_suites(folder, ring, tmp_path, now):
    """Return a function that gives a store in which PK-MOI has a newer key of another suite, and a ring that opens both."""

    def function(suite, rules=MappingProxyType({})):
        for path in folder.rglob("*"):
            if path.is_file():
                write_file(
                    tmp_path / path.relative_to(folder), path.read_bytes(), private=path.parent.name in {"private", "ca"}
                )
        raw = suite.new_private()
        document = write_document(
            ring.signing("PK-MOI"), suite, suite.public_of(raw), now - timedelta(days=1), now + timedelta(days=9), version=2
        )
        write_file(tmp_path / "sealing" / "PK-MOI.2.json", document)
        private = private_sealing_document("PK-MOI", suite, raw)
        write_file(tmp_path / "private" / "PK-MOI.2.sealing.json", private, private=True)
        return TrustStore.load(tmp_path, rules=rules), KeyRing.load(tmp_path)

    return function


def _sealed(signed, message_id, trust):
    return seal(signed, message_id=message_id, sender="BA-MS", recipient="PK-MOI", trust=trust).body


def _opened(body, ring, trust, now):
    return unseal(Received(body=body, received_at=now, transport="test"), ring, trust)


def test_p256_seals_and_opens_where_both_folders_allow_it(two_suites, signed, message_id, now):
    trust, ring = two_suites(suites.P256, {"PK-MOI": P256_TOO, "BA-MS": P256_TOO})
    body = _sealed(signed, message_id, trust)
    assert suites.P256.name.encode() in body.partition(b"\n")[0]
    assert _opened(body, ring, trust, now).signer == "BA-MS"


def test_p256_is_not_used_unless_a_folder_allows_it(two_suites, signed, message_id, now):
    trust, _ = two_suites(suites.P256)
    assert trust.sealing_keys("PK-MOI")[0].suite is suites.P256
    assert suites.HYBRID.name.encode() in _sealed(signed, message_id, trust).partition(b"\n")[0]


@pytest.mark.parametrize("whose", ["PK-MOI", "BA-MS"])
def test_the_rules_of_sender_and_recipient_both_hold(two_suites, signed, message_id, whose):
    trust, _ = two_suites(suites.X25519, {whose: HYBRID_ONLY})
    assert suites.HYBRID.name.encode() in _sealed(signed, message_id, trust).partition(b"\n")[0]


@pytest.mark.parametrize("whose", ["PK-MOI", "BA-MS"])
def test_nothing_is_sealed_where_no_key_has_an_allowed_suite(folder, signed, message_id, whose):
    trust = TrustStore.load(folder, rules={whose: X25519_ONLY})
    with pytest.raises(KeyMissing, match="allowed suite"):
        _sealed(signed, message_id, trust)


@pytest.mark.parametrize("whose", ["PK-MOI", "BA-MS"])
def test_a_message_in_a_suite_that_is_not_allowed_cannot_be_opened(two_suites, signed, message_id, now, whose):
    body = _sealed(signed, message_id, two_suites(suites.X25519)[0])
    trust, ring = two_suites(suites.X25519, {whose: HYBRID_ONLY})
    with pytest.raises(CannotOpen) as refusal:
        _opened(body, ring, trust, now)
    with pytest.raises(CannotOpen) as other:
        _opened(body[:-1], ring, trust, now)
    assert refusal.value.as_dict() == other.value.as_dict()


def test_a_suite_cannot_be_opened_after_its_last_day(two_suites, signed, message_id, now):
    until = TrustRules(sealing=(Allowance(name=suites.X25519.name, until=now.date()),))
    trust, ring = two_suites(suites.X25519, {"BA-MS": until})
    body = _sealed(signed, message_id, trust)
    assert _opened(body, ring, trust, now).signer == "BA-MS"
    with pytest.raises(CannotOpen):
        _opened(body, ring, trust, now + timedelta(days=1))


@pytest.mark.parametrize("raw", [b"", bytes(32), b"\xff" * 32, b"\x01" * 31, b"\x01" * 33])
def test_bytes_that_are_no_private_key_on_p256_are_refused(raw):
    with pytest.raises(ValueError, match=r".+"):
        suites.P256.load_private(raw)


def test_a_compressed_point_is_no_public_key_on_p256():
    public = suites.P256.public_of(suites.P256.new_private())
    for raw in (b"\x02" + public[1:33], bytes(65), public[:-1], b"\x04" + bytes([1]) * 64):
        with pytest.raises(ValueError, match=r".+"):
            suites.P256.load_public(raw)
