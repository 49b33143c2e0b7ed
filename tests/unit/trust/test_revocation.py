"""What lists and answers say about a certificate: one of five states, and never more than is proven."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp as asn
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import CertificateRevoked, RevocationStale, RevocationUnknown, RevocationUnreachable
from gateway.trust.certificates import TrustStore
from gateway.trust.revocation import attempts, crl, local, ocsp
from gateway.trust.revocation.attempts import Result
from gateway.trust.revocation.evidence import Evidence
from gateway.trust.revocation.sources import offered
from gateway.trust.revocation.states import Source, State, UnusableError
from tests.throwaway_ca import DAY, lay, offers, root, usage

HOUR = timedelta(hours=1)
URL = "http://crl.specimen.example/list.crl"
ASK = "http://ocsp.specimen.example/"
GONE = asn.OCSPCertStatus.REVOKED


@pytest.fixture(scope="module")
def ca(now):
    return root(now)


@pytest.fixture(scope="module")
def leaf(ca):
    return ca.issue(more=offers(crl=[URL], responder=[ASK]))


def standing(ca, leaf, at, *evidence, **rest):
    """Return how the leaf stands by these lists and answers, which are told apart by their first bytes."""
    files = {}
    for number, data in enumerate(evidence):
        is_list = b"\x30" in data[:1] and _is_crl(data)
        files[f"{number}.{'crl' if is_list else 'ocsp'}"] = data
    return Evidence.of(files, **rest).standing(leaf.certificate, ca.certificate, at)


def _is_crl(data):
    try:
        x509.load_der_x509_crl(data)
    except ValueError:
        return False
    return True


# --- lists


def test_a_certificate_that_a_fresh_list_does_not_name_is_good(ca, leaf, now):
    found = standing(ca, leaf, now, ca.crl())
    assert (found.state, found.source, found.next_update) == (State.GOOD, Source.CRL, now + DAY)


def test_a_certificate_that_its_issuers_list_names_is_revoked(ca, leaf, now):
    found = standing(ca, leaf, now, ca.crl(leaf.certificate))
    assert (found.state, found.revoked_at) == (State.REVOKED, now - DAY)


def test_another_certificate_on_the_list_changes_nothing(ca, leaf, now):
    assert standing(ca, leaf, now, ca.crl(ca.issue().certificate)).state is State.GOOD


def test_a_list_that_has_run_out_is_stale(ca, leaf, now):
    data = ca.crl()
    assert standing(ca, leaf, now + DAY, data).state is State.GOOD
    assert standing(ca, leaf, now + DAY + timedelta(seconds=1), data).state is State.STALE


def test_a_revocation_counts_even_from_a_list_that_has_run_out(ca, leaf, now):
    assert standing(ca, leaf, now + 9 * DAY, ca.crl(leaf.certificate)).state is State.REVOKED


def test_revoked_beats_good_whichever_list_is_newer(ca, leaf, now):
    assert standing(ca, leaf, now, ca.crl(leaf.certificate, this=-9 * DAY), ca.crl()).state is State.REVOKED


def test_before_the_date_of_its_revocation_a_certificate_was_good(ca, leaf, now):
    found = standing(ca, leaf, now - 2 * DAY, ca.crl(leaf.certificate))
    assert (found.state, found.revoked_at) == (State.GOOD, now - DAY)


@pytest.mark.parametrize("reason", [x509.ReasonFlags.key_compromise, x509.ReasonFlags.ca_compromise])
def test_a_compromised_key_proves_nothing_even_before_its_revocation(ca, leaf, now, reason):
    assert standing(ca, leaf, now - 2 * DAY, ca.crl(leaf.certificate, reason=reason)).state is State.REVOKED
    assert standing(ca, leaf, now - 2 * DAY, ca.answer(leaf.certificate, GONE, reason=reason)).state is State.REVOKED


def test_the_date_since_which_a_key_is_in_doubt_counts_before_the_date_of_revocation(ca, leaf, now):
    data = ca.crl(leaf.certificate, invalid_since=-5 * DAY)
    assert standing(ca, leaf, now - 2 * DAY, data).state is State.REVOKED
    assert standing(ca, leaf, now - 6 * DAY, data).state is State.GOOD


UNUSABLE_LISTS = {
    "signed by another key": lambda ca: ca.crl(signed_with=root(ca.now)),
    "signed with SHA-1": lambda ca: ca.crl(sha1=True),
    "only what changed (delta)": lambda ca: ca.crl(more=[(x509.DeltaCRLIndicator(1), True)]),
    "an unknown critical extension": lambda ca: ca.crl(
        more=[(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True)]
    ),
    "for issuers only": lambda ca: ca.crl(more=[scope(only_contains_ca_certs=True)]),
    "for some reasons only": lambda ca: ca.crl(more=[scope(only_some_reasons=frozenset([x509.ReasonFlags.superseded]))]),
    "indirect": lambda ca: ca.crl(more=[scope(indirect_crl=True)]),
    "of another distribution point": lambda ca: ca.crl(
        more=[scope(full_name=[x509.UniformResourceIdentifier("http://crl.specimen.example/other.crl")])]
    ),
    "no list at all": lambda ca: b"\x30\x03\x02\x01\x01",
}


def scope(**changes):
    values = {
        "full_name": None,
        "relative_name": None,
        "only_contains_user_certs": False,
        "only_contains_ca_certs": False,
        "only_some_reasons": None,
        "indirect_crl": False,
        "only_contains_attribute_certs": False,
    }
    return (x509.IssuingDistributionPoint(**values | changes), True)


@pytest.mark.parametrize("make", UNUSABLE_LISTS.values(), ids=UNUSABLE_LISTS)
def test_a_list_that_proves_nothing_leaves_the_certificate_unknown(ca, leaf, now, make):
    evidence = Evidence.of({"x.crl": make(ca)})
    found = evidence.standing(leaf.certificate, ca.certificate, now)
    assert found.state is State.UNKNOWN
    assert evidence.unusable or found.why != "nothing was fetched yet"


def test_a_part_of_a_list_counts_for_the_certificates_that_name_it(ca, leaf, now):
    data = ca.crl(more=[scope(full_name=[x509.UniformResourceIdentifier(URL)], only_contains_user_certs=True)])
    assert standing(ca, leaf, now, data).state is State.GOOD


def test_a_list_of_an_issuer_that_may_not_sign_lists_proves_nothing(ca, now):
    middle = ca.issue("Issuing CA", ca=True, key_usage=usage(issues=True, lists=False))
    leaf = middle.issue(more=offers(crl=[URL]))
    found = standing(middle, leaf, now, middle.crl())
    assert (found.state, "not for signing revocation lists" in found.why) == (State.UNKNOWN, True)


def test_a_list_younger_than_the_end_of_the_certificate_proves_nothing(ca, now):
    ended = ca.issue(ends=-2 * DAY, more=offers(crl=[URL]))
    assert standing(ca, ended, now - 3 * DAY, ca.crl()).state is State.UNKNOWN
    assert standing(ca, ended, now - 3 * DAY, ca.crl(this=-4 * DAY)).state is State.GOOD


# --- answers


def test_a_certificate_is_good_by_the_answer_of_its_issuer(ca, leaf, now):
    found = standing(ca, leaf, now, ca.answer(leaf.certificate))
    assert (found.state, found.source) == (State.GOOD, Source.OCSP)


@pytest.mark.parametrize("by_key", [False, True])
def test_a_certificate_is_good_by_the_answer_of_a_responder_of_its_issuer(ca, leaf, now, by_key):
    assert (
        standing(ca, leaf, now, ca.answer(leaf.certificate, responder=ca.make_responder(), by_key=by_key)).state is State.GOOD
    )


def test_an_answer_may_revoke(ca, leaf, now):
    assert standing(ca, leaf, now, ca.answer(leaf.certificate, GONE)).state is State.REVOKED


def test_an_answer_of_revoked_beats_a_list_that_does_not_name_the_certificate(ca, leaf, now):
    assert standing(ca, leaf, now, ca.crl(), ca.answer(leaf.certificate, GONE)).state is State.REVOKED


def test_an_answer_that_has_run_out_is_stale(ca, leaf, now):
    assert standing(ca, leaf, now + 2 * DAY, ca.answer(leaf.certificate)).state is State.STALE


def test_an_answer_that_promises_no_next_one_counts_for_a_day(ca, leaf, now):
    data = ca.answer(leaf.certificate, until=None)
    assert standing(ca, leaf, now - HOUR + ocsp.WITHOUT_END, data).state is State.GOOD
    assert standing(ca, leaf, now - HOUR + ocsp.WITHOUT_END + timedelta(seconds=1), data).state is State.STALE


def test_a_responder_that_does_not_know_the_certificate_leaves_it_unknown(ca, leaf, now):
    assert standing(ca, leaf, now, ca.answer(leaf.certificate, asn.OCSPCertStatus.UNKNOWN)).state is State.UNKNOWN


def stranger(ca):
    """A responder of another authority that took the same name."""
    return root(ca.now).make_responder()


UNUSABLE_ANSWERS = {
    "signed by another key in the issuer's name": lambda ca, one: ca.answer(one, responder=root(ca.now), beside=[]),
    "signed by a responder of another authority": lambda ca, one: ca.answer(one, responder=stranger(ca)),
    "signed by a certificate that is no responder's": lambda ca, one: ca.answer(one, responder=ca.issue("Specimen responder")),
    "signed by the certificate itself": lambda ca, one: ca.answer(one, responder=ca.issue()),
    "signed by a server of the issuer": lambda ca, one: ca.answer(
        one, responder=ca.make_responder(purposes=[ExtendedKeyUsageOID.SERVER_AUTH])
    ),
    "a responder without its certificate": lambda ca, one: ca.answer(one, responder=ca.make_responder(), beside=[]),
    "a responder that may be revoked": lambda ca, one: ca.answer(one, responder=ca.make_responder(no_check=False)),
    "an ended responder": lambda ca, one: ca.answer(
        one,
        responder=ca.issue("R", purposes=[ExtendedKeyUsageOID.OCSP_SIGNING], more=[(x509.OCSPNoCheck(), False)], ends=-DAY),
    ),
    "a responder of an issuer below": lambda ca, one: ca.answer(
        one, responder=ca.issue("Issuing CA", ca=True).make_responder()
    ),
    "signed with SHA-1": lambda ca, one: ca.answer(one, sha1=True),
    "about another certificate": lambda ca, one: ca.answer(ca.issue().certificate),
    "about the same number of another issuer": lambda ca, one: ca.answer(one, issuer=root(ca.now).certificate),
    "no answer": lambda ca, one: asn.OCSPResponseBuilder.build_unsuccessful(asn.OCSPResponseStatus.TRY_LATER).public_bytes(
        Encoding.DER
    ),
}


@pytest.mark.parametrize("make", UNUSABLE_ANSWERS.values(), ids=UNUSABLE_ANSWERS)
def test_an_answer_that_proves_nothing_leaves_the_certificate_unknown(ca, leaf, now, make):
    evidence = Evidence.of({"x.ocsp": make(ca, leaf.certificate)})
    assert evidence.standing(leaf.certificate, ca.certificate, now).state is State.UNKNOWN


def test_a_weak_signature_is_what_is_said_to_be_wrong(ca, leaf, now):
    for name, data in (("x.crl", ca.crl(sha1=True)), ("x.ocsp", ca.answer(leaf.certificate, sha1=True))):
        assert "weak" in Evidence.of({name: data}).standing(leaf.certificate, ca.certificate, now).why


def test_a_responder_that_a_fresh_list_does_not_name_is_believed(ca, leaf, now):
    responder = ca.make_responder(no_check=False)
    answer = ca.answer(leaf.certificate, GONE, responder=responder)
    assert standing(ca, leaf, now, answer, ca.crl()).state is State.REVOKED
    assert standing(ca, leaf, now, answer, ca.crl(responder.certificate)).state is State.GOOD  # by the list


def test_an_answer_must_carry_the_nonce_that_was_sent(ca, leaf):
    nonce = ocsp.new_nonce()
    ocsp.require_nonce(ocsp.read(ca.answer(leaf.certificate, nonce=nonce)), nonce, may_be_absent=False)
    for other in (None, b"x" * 32):
        with pytest.raises(UnusableError, match="nonce"):
            ocsp.require_nonce(ocsp.read(ca.answer(leaf.certificate, nonce=other)), nonce, may_be_absent=False)
    ocsp.require_nonce(ocsp.read(ca.answer(leaf.certificate)), nonce, may_be_absent=True)
    with pytest.raises(UnusableError, match="nonce"):
        ocsp.require_nonce(ocsp.read(ca.answer(leaf.certificate, nonce=b"x" * 32)), nonce, may_be_absent=True)


# --- nothing


def test_without_any_evidence_a_certificate_that_offers_some_is_unknown(ca, leaf, now):
    found = standing(ca, leaf, now)
    assert (found.state, found.offered) == (State.UNKNOWN, True)


def test_after_a_vain_attempt_it_is_unreachable(ca, leaf, now):
    name = offered(leaf.certificate, ca.certificate).list_file
    tried = {name: attempts.failed(now, Result.UNREACHABLE, None)}
    assert standing(ca, leaf, now, attempts=tried).state is State.UNREACHABLE
    assert standing(ca, leaf, now + 9 * DAY, ca.crl(), attempts=tried).state is State.STALE


def test_a_certificate_that_names_nothing_offers_nothing(ca, now):
    assert not standing(ca, ca.issue(), now).offered


def test_a_list_at_an_address_that_cannot_be_asked_is_offered_all_the_same(ca, now):
    found = standing(ca, ca.issue(more=offers(crl=["ldap://dir.specimen.example/cn=crl"])), now)
    assert (found.offered, "lay the list into the key folder" in found.why) == (True, True)


def test_a_person_here_revokes_what_its_issuer_calls_good(ca, leaf, now, tmp_path):
    decided = local.revoke(tmp_path, leaf.fingerprint, now - DAY, "key lost", "B. Officer")
    by_hand = {leaf.fingerprint: decided}
    assert standing(ca, leaf, now, ca.crl(), local=by_hand).state is State.REVOKED
    assert standing(ca, leaf, now - 2 * DAY, ca.crl(), local=by_hand).state is State.GOOD


@given(st.binary(max_size=300))
def test_any_bytes_as_list_or_answer_give_our_own_error(data):
    for read in (crl.read, ocsp.read):
        with pytest.raises(UnusableError):
            read(data)


@pytest.fixture(scope="module")
def genuine(ca, leaf):
    return {"x.crl": ca.crl(), "x.ocsp": ca.answer(leaf.certificate, responder=ca.make_responder())}


@pytest.mark.parametrize("name", ["x.crl", "x.ocsp"])
@given(place=st.integers(0, 1_000_000), flip=st.integers(1, 255))
def test_one_changed_byte_and_it_proves_nothing(ca, leaf, now, genuine, name, place, flip):
    good = genuine[name]
    place %= len(good)
    bad = good[:place] + bytes([good[place] ^ flip]) + good[place + 1 :]
    assert Evidence.of({name: bad}).standing(leaf.certificate, ca.certificate, now).state is State.UNKNOWN


def _even(make, signature_of):
    """Return what `make` makes, once the last bit of its signature is zero: every other time, so that 64 are enough."""
    made = (make() for _ in range(64))
    return next(each for each in made if signature_of(each)[-1] % 2 == 0)


def _one_bit_less(written, signature):
    """Say that the last bit of the signature does not count."""
    before, after = written.split(b"\x00" + signature)
    return before + b"\x01" + signature + after


def test_signature_of_a_list_that_leaves_out_a_bit_proves_nothing(ca, leaf, now):
    good = _even(ca.crl, lambda made: x509.load_der_x509_crl(made).signature)
    assert standing(ca, leaf, now, good).state is State.GOOD
    bad = _one_bit_less(good, x509.load_der_x509_crl(good).signature)
    assert x509.load_der_x509_crl(bad).is_signature_valid(ca.certificate.public_key())  # the library takes either form
    assert standing(ca, leaf, now, bad).state is State.UNKNOWN


def test_signature_of_an_answer_that_leaves_out_a_bit_proves_nothing(ca, leaf, now):
    good = _even(lambda: ca.answer(leaf.certificate), lambda made: asn.load_der_ocsp_response(made).signature)
    assert standing(ca, leaf, now, good).state is State.GOOD
    bad = _one_bit_less(good, asn.load_der_ocsp_response(good).signature)
    assert asn.load_der_ocsp_response(bad).signature == asn.load_der_ocsp_response(good).signature
    assert standing(ca, leaf, now, bad).state is State.UNKNOWN


def test_certificate_of_a_responder_whose_signature_leaves_out_a_bit_proves_nothing(ca, leaf, now):
    responder = _even(ca.make_responder, lambda made: made.certificate.signature)
    good = ca.answer(leaf.certificate, responder=responder)
    assert standing(ca, leaf, now, good).state is State.GOOD
    assert standing(ca, leaf, now, _one_bit_less(good, responder.certificate.signature)).state is State.UNKNOWN


# --- what the trust store makes of it


@pytest.fixture
def store(ca, leaf, tmp_path):
    """Return a function that lays evidence and gives a store in which the leaf is pinned."""

    def made(*, mode="when-offered", holder=leaf, **files):
        lay(tmp_path, [ca], BA_MS=holder)
        for name, data in files.items():
            (tmp_path / "revocation" / name.replace("_", ".")).write_bytes(data)
        return TrustStore.load(tmp_path, revocation=mode)

    return made


def chain(holder):
    return holder.signer().chain


def test_a_good_certificate_is_trusted_until_its_list_runs_out(store, ca, leaf, now):
    trust = store(a_crl=ca.crl())
    assert trust.verdict(chain(leaf), now).authority == "BA-MS"
    assert trust.verdict(chain(leaf), now + DAY).authority == "BA-MS"
    with pytest.raises(RevocationStale):
        trust.verdict(chain(leaf), now + DAY + HOUR)
    assert trust.verdict(chain(leaf), now).authority == "BA-MS"


def test_a_revoked_certificate_is_refused_from_the_instant_of_its_revocation(store, ca, leaf, now):
    trust = store(a_crl=ca.crl(leaf.certificate))
    assert trust.verdict(chain(leaf), now - 2 * DAY).authority == "BA-MS"
    with pytest.raises(CertificateRevoked):
        trust.verdict(chain(leaf), now - DAY)


def test_a_time_that_only_the_signer_claims_does_not_save_a_revoked_certificate(store, ca, leaf, now):
    trust = store(a_crl=ca.crl(leaf.certificate))
    trust.verdict(chain(leaf), now - 2 * DAY)  # kept
    with pytest.raises(CertificateRevoked):
        trust.verdict(chain(leaf), now - 2 * DAY, claimed=True)


def test_a_revoked_intermediate_revokes_what_is_below_it(store, ca, now):
    middle = ca.issue("Issuing CA", ca=True, more=offers(crl=[URL]))
    leaf = middle.issue(more=offers(crl=[URL]))
    assert store(holder=leaf, a_crl=ca.crl(), b_crl=middle.crl()).verdict(chain(leaf), now).authority == "BA-MS"
    with pytest.raises(CertificateRevoked):
        store(holder=leaf, a_crl=ca.crl(middle.certificate), b_crl=middle.crl()).verdict(chain(leaf), now)


def test_an_unknown_certificate_waits(store, leaf, now):
    with pytest.raises(RevocationUnknown):
        store().verdict(chain(leaf), now)


def test_an_unreachable_issuer_makes_wait(store, ca, leaf, now, tmp_path):
    name = offered(leaf.certificate, ca.certificate).answer_file
    attempts.write(tmp_path, {name: attempts.failed(now, Result.UNREACHABLE, None)})
    with pytest.raises(RevocationUnreachable):
        store().verdict(chain(leaf), now)


def test_a_certificate_that_cannot_be_revoked_passes_unless_evidence_is_required(store, ca, now):
    bare = ca.issue()
    assert store(holder=bare).verdict(chain(bare), now).authority == "BA-MS"
    with pytest.raises(RevocationUnknown, match="cannot be revoked"):
        store(holder=bare, mode="required").verdict(chain(bare), now)


def test_switched_off_only_a_known_revocation_is_refused(store, ca, leaf, now):
    assert store(mode="off").verdict(chain(leaf), now).authority == "BA-MS"
    with pytest.raises(CertificateRevoked):
        store(mode="off", a_crl=ca.crl(leaf.certificate)).verdict(chain(leaf), now)


def test_a_case_file_can_carry_what_was_known(store, ca, leaf, now):
    trust = store(a_crl=ca.crl(), b_ocsp=ca.answer(leaf.certificate), c_crl=root(now, "Another").crl())
    proofs = trust.proofs(chain(leaf), now)
    assert sorted(name.rpartition(".")[2] for name in proofs) == ["crl", "ocsp"]
    assert Evidence.of(proofs).standing(leaf.certificate, ca.certificate, now).state is State.GOOD
