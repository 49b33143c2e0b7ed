"""The second signature: made and asked for by setting, checked whenever it comes, bound to the envelope."""

import json
from base64 import b64decode, b64encode
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.errors import (
    KeyMissing,
    MalformedXml,
    Refused,
    SecondSignatureInvalid,
    SecondSignatureMissing,
    SignatureInvalid,
    TrustInvalid,
)
from gateway.partners.trust_rules import SecondSignature as Demand
from gateway.partners.trust_rules import TrustRules
from gateway.stages import MAX_MESSAGE_BYTES, Received, Signed
from gateway.trust.certificates import TrustStore
from gateway.trust.folder import write_file
from gateway.trust.keys import KeyRing
from gateway.trust.profile import MAX_ENVELOPE_BYTES
from gateway.trust.seal import Header, seal, unseal
from gateway.trust.second import sign_second, split_second
from gateway.trust.sign import sign

ACCEPTED = TrustRules(second_signature=Demand.ACCEPTED)
REQUIRED = TrustRules(second_signature=Demand.REQUIRED)


def store(folder, **rules):
    return TrustStore.load(folder, rules={code.replace("_", "-"): each for code, each in rules.items()})


def _second(envelope, authority, ring, trust, now):
    published = trust.second_keys(authority, now)[0]
    return sign_second(envelope, ring.second(authority, published.key_id), published)


@pytest.fixture
def sealed(signed, message_id, ring):
    return lambda trust, ring=ring: (
        seal(signed, message_id=message_id, sender="BA-MS", recipient="PK-MOI", trust=trust, ring=ring).body
    )


@pytest.fixture
def opens(ring, now):
    return lambda body, trust, at=now: unseal(Received(body=body, received_at=at, transport="test"), ring, trust)


@pytest.fixture
def plain_of(ring):
    """Return a function that gives what lies in a seal."""

    def function(body):
        line, _, ciphertext = body.partition(b"\n")
        key = ring.sealing("PK-MOI", json.loads(line)["key"])
        return key.suite.hpke.decrypt(ciphertext, key.private_key, info=line)

    return function


@pytest.fixture
def seals(trust, now, message_id):
    """Return a function that seals any bytes, as BA-MS for PK-MOI."""

    def function(plain):
        key = trust.sealing_key("PK-MOI", now)
        names = {"sender": "BA-MS", "recipient": "PK-MOI", "message_id": message_id}
        line = Header(suite=key.suite.name, key=key.key_id, **names).as_line()
        return line + b"\n" + key.suite.hpke.encrypt(plain, key.public_key, info=line)

    return function


@pytest.fixture
def second(signed, ring, trust, now):
    """Return the envelope with a good second signature of BA-MS in front."""
    return _second(signed.body, "BA-MS", ring, trust, now)


# --- made


def test_none_is_made_by_default(sealed, folder, plain_of, signed):
    assert plain_of(sealed(store(folder))) == signed.body


@pytest.mark.parametrize("rules", [ACCEPTED, REQUIRED], ids=["accepted", "required"])
@pytest.mark.parametrize("whose", ["BA_MS", "PK_MOI"], ids=["sender", "recipient"])
def test_one_is_made_where_either_side_asks_for_it(sealed, folder, plain_of, signed, rules, whose):
    found, envelope = split_second(plain_of(sealed(store(folder, **{whose: rules}))))
    assert found.algorithm == "ml-dsa-65"
    assert envelope == signed.body


def test_the_rules_of_a_third_authority_do_not_matter(sealed, folder, plain_of, signed):
    assert plain_of(sealed(store(folder, AT_BMI=REQUIRED))) == signed.body


def _without_keys(folder, tmp_path, *names):
    for path in folder.rglob("*"):
        if path.is_file() and str(path.relative_to(folder)) not in names:
            write_file(tmp_path / path.relative_to(folder), path.read_bytes(), private=path.parent.name in {"private", "ca"})
    return tmp_path


@pytest.mark.parametrize("missing", ["private/BA-MS.second.json", "second/BA-MS.json"])
def test_none_is_made_without_a_key_where_it_is_accepted(sealed, folder, tmp_path, plain_of, signed, missing):
    own = _without_keys(folder, tmp_path, missing)
    assert plain_of(sealed(store(own, PK_MOI=ACCEPTED), KeyRing.load(own))) == signed.body


@pytest.mark.parametrize("missing", ["private/BA-MS.second.json", "second/BA-MS.json"])
def test_nothing_is_sealed_without_a_key_where_one_is_required(sealed, folder, tmp_path, missing):
    own = _without_keys(folder, tmp_path, missing)
    with pytest.raises(KeyMissing, match="second signature"):
        sealed(store(own, PK_MOI=REQUIRED), KeyRing.load(own))


def test_nothing_is_sealed_without_a_ring_where_one_is_required(sealed, folder):
    with pytest.raises(KeyMissing):
        sealed(store(folder, PK_MOI=REQUIRED), None)


def test_the_digest_is_that_of_the_envelope_alone(sealed, folder, opens, signed):
    trust = store(folder, PK_MOI=REQUIRED)
    opened = opens(sealed(trust), trust)
    assert (opened.signed, opened.digest) == (signed.body, signed.digest)


def test_the_largest_envelope_fits_its_seal_with_a_second_signature(folder, ring, now, message_id):
    largest = Signed(body=b"<" * MAX_ENVELOPE_BYTES, digest="0" * 64, signer="BA-MS", signed_at=now)
    names = {"message_id": message_id, "sender": "BA-MS", "recipient": "PK-MOI"}
    assert len(seal(largest, trust=store(folder, PK_MOI=REQUIRED), ring=ring, **names).body) <= MAX_MESSAGE_BYTES


# --- checked


@pytest.mark.parametrize("rules", [{}, {"BA_MS": ACCEPTED}, {"BA_MS": REQUIRED}], ids=["none", "accepted", "required"])
def test_a_good_one_is_accepted_under_every_setting(folder, seals, opens, second, rules):
    assert opens(seals(second), store(folder, **rules)).signer == "BA-MS"


@pytest.mark.parametrize("rules", [{}, {"BA_MS": ACCEPTED}], ids=["none", "accepted"])
def test_a_message_without_one_is_accepted_unless_it_is_required(folder, seals, opens, signed, rules):
    assert opens(seals(signed.body), store(folder, **rules)).signer == "BA-MS"


@pytest.mark.parametrize("whose", ["BA_MS", "PK_MOI"], ids=["sender", "recipient"])
def test_a_message_without_one_is_refused_where_it_is_required(folder, seals, opens, signed, whose):
    with pytest.raises(SecondSignatureMissing):
        opens(seals(signed.body), store(folder, **{whose: REQUIRED}))


def _with(plain, **changes):
    line, _, envelope = plain.partition(b"\n")
    return json.dumps({**json.loads(line), **changes}, separators=(",", ":")).encode() + b"\n" + envelope


def _flipped(plain):
    raw = bytearray(b64decode(json.loads(plain.partition(b"\n")[0])["signature"]))
    raw[100] ^= 1
    return _with(plain, signature=b64encode(raw).decode())


BROKEN = {
    "changed signature": _flipped,
    "signature of zeros": lambda plain: _with(plain, signature=b64encode(bytes(3309)).decode()),
    "short signature": lambda plain: _with(plain, signature="AAAA"),
    "empty signature": lambda plain: _with(plain, signature=""),
    "no base64": lambda plain: _with(plain, signature="*"),
    "unknown key": lambda plain: _with(plain, key="0" * 16),
    "key of another type": lambda plain: _with(plain, key=1),
    "other algorithm": lambda plain: _with(plain, algorithm="ml-dsa-44"),
    "other version": lambda plain: _with(plain, v=2),
    "extra member": lambda plain: _with(plain, note="x"),
    "spaces": lambda plain: plain.replace(b":", b": ", 1),
    "no newline": lambda plain: plain.replace(b"\n", b" ", 1),
    "list": lambda plain: b"{[]\n" + plain.partition(b"\n")[2],
    "deep": lambda plain: b'{"v":' + b"[" * 4000 + b"\n" + plain.partition(b"\n")[2],
    "long line": lambda plain: b"{" + b" " * 5000 + plain[1:],
}


@pytest.mark.parametrize("rules", [{}, {"BA_MS": ACCEPTED}, {"BA_MS": REQUIRED}], ids=["none", "accepted", "required"])
@pytest.mark.parametrize("damage", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_one_is_refused_under_every_setting(folder, seals, opens, second, damage, rules):
    with pytest.raises(SecondSignatureInvalid):
        opens(seals(damage(second)), store(folder, **rules))


def test_two_second_signatures_are_refused(folder, seals, opens, second):
    with pytest.raises(MalformedXml):
        opens(seals(second.partition(b"\n")[0] + b"\n" + second), store(folder))


def test_one_over_another_envelope_is_refused(folder, seals, opens, second, ring, message, now):
    other = sign(message(text="3.2"), ring.signing("BA-MS"), now).body
    with pytest.raises(SecondSignatureInvalid):
        opens(seals(second.partition(b"\n")[0] + b"\n" + other), store(folder))


def test_one_by_the_key_of_another_authority_is_refused(folder, seals, opens, signed, ring, trust, now):
    with pytest.raises(SecondSignatureInvalid, match="no key that BA-MS published"):
        opens(seals(_second(signed.body, "AT-BMI", ring, trust, now)), store(folder))


def test_one_by_a_key_that_nobody_published_is_refused(folder, tmp_path, seals, opens, second):
    own = _without_keys(folder, tmp_path, "second/BA-MS.json")
    with pytest.raises(SecondSignatureInvalid):
        opens(seals(second), store(own))


def test_one_whose_key_has_ended_when_the_message_comes_is_refused(folder, seals, opens, second, now):
    # The sealing keys have ended as well, but they open what was sealed for them as long as they are kept.
    with pytest.raises(SecondSignatureInvalid):
        opens(seals(second), store(folder), now + timedelta(days=731))


def test_a_good_second_signature_does_not_mend_a_broken_first(folder, seals, opens, signed, ring, trust, now):
    altered = _second(signed.body.replace(b">3.1<", b">3.2<"), "BA-MS", ring, trust, now)
    with pytest.raises(SignatureInvalid):
        opens(seals(altered), store(folder, BA_MS=REQUIRED))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(min_value=0), flip=st.integers(min_value=1, max_value=255))
def test_any_changed_byte_of_the_line_is_refused(second, trust, seals, opens, place, flip):
    place %= second.index(b"\n") + 1
    damaged = second[:place] + bytes([second[place] ^ flip]) + second[place + 1 :]
    with pytest.raises(Refused):  # for the line; or for what it is as an envelope, when it begins with no brace any more
        opens(seals(damaged), trust)


@settings(max_examples=200, deadline=None)
@given(rest=st.binary(max_size=300))
def test_any_bytes_after_a_brace_are_refused(rest):
    with pytest.raises(SecondSignatureInvalid):
        split_second(b"{" + rest)


# --- keys


def test_a_private_second_key_of_another_authority_stops_the_start(folder, tmp_path):
    own = _without_keys(folder, tmp_path)
    write_file(own / "private" / "BA-MS.second.json", (folder / "private" / "PK-MOI.second.json").read_bytes(), private=True)
    with pytest.raises(TrustInvalid, match=r"BA-MS\.second\.json"):
        KeyRing.load(own)


def test_second_keys_do_not_print_themselves(ring, trust, now):
    key_id = trust.second_keys("BA-MS", now)[0].key_id
    assert repr(ring.second("BA-MS", key_id)) == f"SecondKey({key_id})"
