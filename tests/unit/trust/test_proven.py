"""Proof of a journal entry for a stranger: what a good one shows, and that nothing in it can be changed."""

import json
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.domain import merkle
from gateway.domain.proofs import EntryProof, from_json, to_json
from gateway.domain.roots import GENESIS, Root, SignedRoot
from gateway.errors import Refused, RootInvalid
from gateway.trust.authorities import obtain
from gateway.trust.devtsa import DevelopmentAuthority
from gateway.trust.proven import check_entry, check_root, sign_root

ENTRIES = [sha256(b"entry %d" % number).digest() for number in range(1, 13)]
SPANS = ((1, 5), (6, 6), (7, 12))  # of the roots
LATER = timedelta(days=365 * 30)


@pytest.fixture(scope="session")
def roots(ring, now) -> list[SignedRoot]:
    made: list[SignedRoot] = []
    for number, (first, last) in enumerate(SPANS, 1):
        key = ring.signing("BA-MS")
        root = Root(
            number=number,
            first=first,
            last=last,
            root=merkle.root(ENTRIES[first - 1 : last]).hex(),
            previous=made[-1].digest() if made else GENESIS,
            made_at=now + timedelta(minutes=number),
            authority=key.authority,
            certificate=sha256(key.chain[0]).hexdigest(),
        )
        made.append(sign_root(root, key))
    return made


def token_over(signed: SignedRoot, folder, trust, at) -> bytes:
    authority = DevelopmentAuthority.load(folder, lambda: at)
    return obtain(signed.stamped_data(), [authority], trust.timestamp_anchors, lambda: at).token


@pytest.fixture(scope="session")
def stamped_at(now):
    return now + timedelta(minutes=4)


@pytest.fixture(scope="session")
def token(roots, folder, trust, stamped_at) -> bytes:
    return token_over(roots[-1], folder, trust, stamped_at)


@pytest.fixture(scope="session")
def proof(roots, token) -> EntryProof:
    return proof_of(3, roots, token)


def proof_of(entry: int, roots, token) -> EntryProof:
    under = next(each.root for each in roots if each.root.first <= entry <= each.root.last)
    leaves = ENTRIES[under.first - 1 : under.last]
    return EntryProof(
        entry=entry,
        hash=ENTRIES[entry - 1].hex(),
        path=merkle.proof(leaves, entry - under.first),
        roots=tuple(roots[under.number - 1 :]),
        token=token,
    )


def code(proof, trust) -> str:
    with pytest.raises(Refused) as refused:
        check_entry(proof, trust)
    return refused.value.code


@pytest.mark.parametrize("entry", range(1, 13))
def test_good_proof_shows_who_signed_and_when_it_was_stamped(roots, token, trust, now, stamped_at, entry) -> None:
    found = check_entry(proof_of(entry, roots, token), trust)
    assert (found.entry, found.signer, found.stamped_at) == (entry, "BA-MS", stamped_at)
    assert now < found.rooted_at <= stamped_at
    assert "DEVELOPMENT ONLY" in (found.timestamp_authority or "")


def test_proof_without_timestamp_shows_no_time_but_the_signers_own(roots, trust, now) -> None:
    found = check_entry(replace(proof_of(12, roots, None), roots=(roots[2],)), trust)
    assert (found.stamped_at, found.timestamp_authority) == (None, None)
    assert found.rooted_at == now + timedelta(minutes=3)


def test_proof_survives_being_written_and_read(proof, trust) -> None:
    assert from_json(to_json(proof)) == proof
    assert check_entry(from_json(to_json(proof)), trust).entry == 3


# --- forgeries


def test_another_entry_is_not_proven(proof, trust) -> None:
    assert code(replace(proof, hash=sha256(b"another").hexdigest()), trust) == "root-invalid"


@pytest.mark.parametrize("entry", [2, 4, 6, 0, -1, 99])
def test_entry_is_not_proven_for_another_place(proof, trust, entry) -> None:
    assert code(replace(proof, entry=entry), trust) == "root-invalid"


def test_path_that_is_shortened_or_lengthened_is_refused(proof, trust) -> None:
    assert code(replace(proof, path=proof.path[:-1]), trust) == "root-invalid"
    assert code(replace(proof, path=(*proof.path, bytes(32))), trust) == "root-invalid"


def test_root_left_out_on_the_way_to_the_timestamp_is_noticed(proof, trust) -> None:
    assert code(replace(proof, roots=(proof.roots[0], proof.roots[2])), trust) == "root-invalid"


def test_roots_in_another_order_are_refused(proof, trust) -> None:
    assert code(replace(proof, roots=(proof.roots[0], proof.roots[2], proof.roots[1])), trust) == "root-invalid"


def test_timestamp_over_another_root_is_refused(proof, trust) -> None:
    assert code(replace(proof, roots=proof.roots[:2]), trust) == "timestamp-mismatch"


def test_root_that_nobody_signed_is_refused(proof, roots, trust, folder, stamped_at) -> None:
    """The forger makes tree, root and timestamp anew; only the signature is not to be had."""
    leaves = [sha256(b"forged").digest()]
    root = replace(roots[0].root, first=1, last=1, root=merkle.root(leaves).hex())
    forged = replace(roots[0], root=root)
    token = token_over(forged, folder, trust, stamped_at)
    made = EntryProof(entry=1, hash=leaves[0].hex(), path=(), roots=(forged,), token=token)
    assert code(made, trust) == "signature-invalid"


def test_root_signed_by_a_certificate_that_nobody_pinned_is_refused(roots, forge, trust) -> None:
    key = forge.certificate()
    root = replace(roots[0].root, certificate=sha256(key.chain[0]).hexdigest())
    with pytest.raises(Refused) as refused:
        check_root(sign_root(root, key), trust, None)
    assert refused.value.code == "signer-not-trusted"


def test_root_signed_by_another_authority_than_it_names_is_refused(roots, ring, trust) -> None:
    with pytest.raises(RootInvalid):
        check_root(sign_root(roots[0].root, ring.signing("PK-MOI")), trust, None)


def test_root_made_when_its_certificate_was_not_valid_is_refused(roots, ring, trust) -> None:
    with pytest.raises(Refused) as refused:
        check_root(sign_root(replace(roots[0].root, made_at=roots[0].root.made_at + LATER), ring.signing("BA-MS")), trust, None)
    assert refused.value.code == "certificate-not-valid"


def test_signature_in_its_other_form_is_refused(roots, trust) -> None:
    from gateway.trust.algorithms import ECDSA_P256

    r, s = roots[0].signature[:32], int.from_bytes(roots[0].signature[32:], "big")
    with pytest.raises(RootInvalid):
        check_root(replace(roots[0], signature=r + (ECDSA_P256.order - s).to_bytes(32, "big")), trust, None)


def test_signed_envelope_can_never_be_shown_as_a_root(roots) -> None:
    assert roots[0].root.covered().startswith(b"readmission-gateway journal root 1\n{")


def test_timestamp_from_before_the_root_is_refused(roots, trust, folder, now) -> None:
    early = token_over(roots[2], folder, trust, now - timedelta(minutes=10))
    assert code(replace(proof_of(12, roots, early), roots=(roots[2],)), trust) == "timestamp-time-invalid"


# --- bytes from outside


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_with_our_own_error(data: bytes) -> None:
    with pytest.raises(RootInvalid):
        from_json(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
def test_any_value_in_any_place_of_a_proof_is_refused_with_our_own_error(proof, trust, data) -> None:
    content = json.loads(to_json(proof))
    places = [content, content["roots"][0], content["roots"][0]["statement"], content["timestamp"]]
    place = data.draw(st.sampled_from(places))
    name = data.draw(st.sampled_from(sorted(place)))
    value = data.draw(JSON.filter(lambda one: json.dumps(one) != json.dumps(place[name])))
    if name == "timestamp" and value is None:
        return  # a proof that leaves its timestamp out is one without timestamp
    place[name] = value
    with pytest.raises(Refused):
        check_entry(from_json(json.dumps(content).encode()), trust)


@pytest.mark.parametrize("nested", [b"[" * 100_000, b'{"roots":' * 50_000])
def test_json_nested_too_deep_is_refused(nested) -> None:
    with pytest.raises(RootInvalid):
        from_json(nested)


@pytest.mark.parametrize("change", [{"more": 1}, {"v": 2}, {"v": True}, {"v": 1.0}, {"roots": []}, {"entry": True}])
def test_proof_of_another_form_is_refused(proof, change) -> None:
    content = json.loads(to_json(proof)) | change
    with pytest.raises(RootInvalid):
        from_json(json.dumps(content).encode())
