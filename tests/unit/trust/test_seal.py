"""Sealing: only the recipient can open, every name on the outside is bound, every failure looks the same."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.errors import (
    CannotOpen,
    KeyMissing,
    Refused,
    SealMismatch,
    SignatureInvalid,
    SignatureMissing,
    SignerMismatch,
    TooLarge,
)
from gateway.stages import MAX_MESSAGE_BYTES, Received, Signed
from gateway.trust import suites
from gateway.trust.keys import KeyRing
from gateway.trust.profile import MAX_ENVELOPE_BYTES
from gateway.trust.seal import Header, peek, seal, unseal
from gateway.trust.sign import sign
from gateway.wire.documents import canonicalize

OTHER_ID = "0193a000-0000-7000-8000-000000000002"


@pytest.fixture(scope="session")
def sealed(signed, trust, message_id):
    return seal(signed, message_id=message_id, sender="BA-MS", recipient="PK-MOI", trust=trust)


@pytest.fixture(scope="session")
def opens(ring, trust, now):
    """Return a function that opens what came in."""

    def function(body, keys=ring):
        return unseal(Received(body=body, received_at=now, transport="test"), keys, trust)

    return function


def _header(body):
    return json.loads(body.partition(b"\n")[0])


def _with_header(body, **changes):
    line = json.dumps({**_header(body), **changes}, separators=(",", ":")).encode()
    return line + b"\n" + body.partition(b"\n")[2]


@pytest.fixture(scope="session")
def sealed_with(trust, now):
    """Return a function that gives a body whose seal is good and carries whatever names an attacker chose."""

    def function(signed, **names):
        key = trust.sealing_key(names["recipient"], now)
        line = Header(suite=key.suite.name, key=key.key_id, **names).as_line()
        return line + b"\n" + key.suite.hpke.encrypt(signed.body, key.public_key, info=line)

    return function


def test_the_recipient_opens_what_was_sealed_for_it(sealed, signed, message, opens):
    opened = opens(sealed.body)
    assert opened.signed == signed.body
    assert canonicalize(opened.document) == canonicalize(message())


def test_an_opened_message_says_for_whom_it_was_sealed(sealed, message_id, opens):
    opened = opens(sealed.body)
    assert (opened.signer, opened.sealed_for, opened.sealed_id) == ("BA-MS", "PK-MOI", message_id)


def test_the_digest_of_a_sealed_message_is_that_of_the_envelope(sealed, signed, opens):
    assert sealed.digest == signed.digest == opens(sealed.body).digest


def test_the_outside_shows_nothing_of_the_message(sealed):
    assert b"SPECIMEN" not in sealed.body
    assert set(_header(sealed.body)) == {"v", "suite", "sender", "recipient", "message_id", "key"}


def test_the_same_message_sealed_twice_differs(signed, trust, message_id, sealed):
    again = seal(signed, message_id=message_id, sender="BA-MS", recipient="PK-MOI", trust=trust)
    assert again.body != sealed.body


def test_the_default_suite_resists_quantum_computers(sealed):
    assert _header(sealed.body)["suite"] == suites.HYBRID.name
    assert "mlkem768" in suites.DEFAULT.name


def test_sender_and_recipient_may_be_home_on_the_same_gateway(message, ring, trust, now, opens):
    made = sign(message(recipient="BA-MS", message_id=OTHER_ID), ring.signing("BA-MS"), now)
    body = seal(made, message_id=OTHER_ID, sender="BA-MS", recipient="BA-MS", trust=trust).body
    assert opens(body).sealed_for == "BA-MS"


@pytest.mark.parametrize("suite", suites.SUITES.values(), ids=suites.SUITES.keys())
def test_each_suite_opens_what_it_sealed(suite):
    private = suite.new_private()
    ciphertext = suite.hpke.encrypt(b"text", suite.load_public(suite.public_of(private)), info=b"info")
    assert suite.hpke.decrypt(ciphertext, suite.load_private(private), info=b"info") == b"text"


def test_the_largest_envelope_still_fits_its_seal(trust, now, message_id):
    largest = Signed(body=b"x" * MAX_ENVELOPE_BYTES, digest="0" * 64, signer="BA-MS", signed_at=now)
    body = seal(largest, message_id=message_id, sender="BA-MS", recipient="PK-MOI", trust=trust).body
    assert len(body) <= MAX_MESSAGE_BYTES


# --- what is not sealed


def test_what_the_recipient_would_find_too_large_is_not_sealed(trust, now, message_id):
    larger = Signed(body=b"x" * MAX_MESSAGE_BYTES, digest="0" * 64, signer="BA-MS", signed_at=now)
    with pytest.raises(TooLarge):
        seal(larger, message_id=message_id, sender="BA-MS", recipient="PK-MOI", trust=trust)


def test_a_message_is_not_sealed_in_the_name_of_another(signed, trust, message_id):
    with pytest.raises(SignerMismatch):
        seal(signed, message_id=message_id, sender="PK-MOI", recipient="PK-MOI", trust=trust)


def test_a_message_is_not_sealed_for_an_authority_without_a_key(signed, trust, message_id):
    with pytest.raises(KeyMissing):
        seal(signed, message_id=message_id, sender="BA-MS", recipient="RS-MUP", trust=trust)


def test_a_message_is_not_sealed_with_a_key_that_has_ended(signed, trust, message_id):
    late = replace(signed, signed_at=signed.signed_at + timedelta(days=731))
    with pytest.raises(KeyMissing):
        seal(late, message_id=message_id, sender="BA-MS", recipient="PK-MOI", trust=trust)


def test_a_message_id_of_another_form_is_not_sealed(signed, trust):
    with pytest.raises(SealMismatch):
        seal(signed, message_id="one", sender="BA-MS", recipient="PK-MOI", trust=trust)


# --- what cannot be opened


SWAPS = {
    "sender": {"sender": "AT-BMI"},
    "recipient": {"recipient": "AT-BMI"},
    "message id": {"message_id": OTHER_ID},
    "key": {"key": "0" * 16},
    "suite": {"suite": suites.X25519.name},
    "unknown suite": {"suite": "none"},
    "version": {"v": 2},
    "extra member": {"note": "x"},
    "member of another type": {"sender": 1},
    "code that would break a log line": {"sender": "BA-MS\n"},
}


@pytest.mark.parametrize("change", SWAPS.values(), ids=SWAPS.keys())
def test_a_changed_header_keeps_the_message_shut(sealed, change, opens):
    with pytest.raises(CannotOpen):
        opens(_with_header(sealed.body, **change))


def test_a_header_written_with_spaces_keeps_the_message_shut(sealed, opens):
    body = json.dumps(_header(sealed.body)).encode() + b"\n" + sealed.body.partition(b"\n")[2]
    with pytest.raises(CannotOpen):
        opens(body)


def test_a_gateway_without_the_private_key_cannot_open(sealed, tmp_path, opens):
    (tmp_path / "private").mkdir()
    with pytest.raises(CannotOpen):
        opens(sealed.body, KeyRing.load(tmp_path))


def test_every_failure_to_open_has_one_text(sealed, opens):
    broken = [
        b"",
        b"\n",
        b"{}\n",
        b"[]\n",
        b"[" * 400 + b"\n",
        b"\xff\xfe\n",
        sealed.body[:-1],
        sealed.body[:400],
        sealed.body + b"x",
        sealed.body.partition(b"\n")[0],
        sealed.body.partition(b"\n")[0] + b"\n",
        *(_with_header(sealed.body, **change) for change in SWAPS.values()),
    ]
    texts = set()
    for body in broken:
        with pytest.raises(CannotOpen) as refusal:
            opens(body)
        texts.add((refusal.value.message, refusal.value.path, refusal.value.line))
    assert len(texts) == 1


def test_a_refusal_to_open_keeps_no_trace_of_its_cause(sealed, opens):
    with pytest.raises(CannotOpen) as refusal:
        opens(sealed.body[:-1])
    assert refusal.value.__suppress_context__


def test_a_sealed_message_beyond_the_limit_is_refused(opens):
    with pytest.raises(TooLarge):
        opens(b"x" * (MAX_MESSAGE_BYTES + 1))


# --- a good seal around the wrong thing


def test_a_message_resealed_for_a_third_authority_is_refused(signed, message_id, opens, sealed_with):
    # The recipient PK-MOI passes on what BA-MS signed for it, as if BA-MS had written to AT-BMI.
    body = sealed_with(signed, sender="BA-MS", recipient="AT-BMI", message_id=message_id)
    with pytest.raises(SealMismatch):
        opens(body)


def test_a_seal_in_the_name_of_another_sender_is_refused(signed, message_id, opens, sealed_with):
    body = sealed_with(signed, sender="AT-BMI", recipient="PK-MOI", message_id=message_id)
    with pytest.raises(SealMismatch):
        opens(body)


def test_a_seal_with_another_message_id_is_refused(signed, opens, sealed_with):
    body = sealed_with(signed, sender="BA-MS", recipient="PK-MOI", message_id=OTHER_ID)
    with pytest.raises(SealMismatch):
        opens(body)


@pytest.mark.parametrize(
    "spell",
    [
        lambda header: json.dumps(header).encode(),
        lambda header: json.dumps(dict(reversed(header.items())), separators=(",", ":")).encode(),
        lambda header: json.dumps({**header, "note": "x"}, separators=(",", ":")).encode(),
        lambda header: json.dumps({**header, "suite": suites.X25519.name}, separators=(",", ":")).encode(),
    ],
    ids=["spaces", "order", "extra member", "other suite"],
)
def test_a_good_seal_under_a_header_of_another_spelling_is_refused(sealed, signed, trust, opens, spell):
    key = trust.sealing_key("PK-MOI", signed.signed_at)
    line = spell(_header(sealed.body))
    with pytest.raises(CannotOpen):
        opens(line + b"\n" + key.suite.hpke.encrypt(signed.body, key.public_key, info=line))


def test_an_unsigned_message_in_a_good_seal_is_refused(signed, message, message_id, opens, sealed_with):
    bare = replace(signed, body=canonicalize(message()))
    body = sealed_with(bare, sender="BA-MS", recipient="PK-MOI", message_id=message_id)
    with pytest.raises(SignatureMissing):
        opens(body)


def test_an_altered_message_in_a_good_seal_is_refused(signed, message_id, opens, sealed_with):
    altered = replace(signed, body=signed.body.replace(b">3.1<", b">3.2<"))
    body = sealed_with(altered, sender="BA-MS", recipient="PK-MOI", message_id=message_id)
    with pytest.raises(SignatureInvalid):
        opens(body)


# --- peek


def test_peek_reads_the_header_of_a_message_nobody_opened(sealed, message_id):
    assert peek(sealed.body) == {
        "suite": suites.HYBRID.name,
        "sender": "BA-MS",
        "recipient": "PK-MOI",
        "message_id": message_id,
        "key": _header(sealed.body)["key"],
    }


@pytest.mark.parametrize("value", ["BA-MS\nevent=forged", "<script>", "ba-ms", "", "Ü" * 8])
def test_peek_returns_no_value_that_could_harm_a_log(sealed, value):
    with pytest.raises(CannotOpen):
        peek(_with_header(sealed.body, sender=value))


# --- any damage at all


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(min_value=0), flip=st.integers(min_value=1, max_value=255))
def test_any_changed_byte_keeps_the_message_shut(sealed, place, flip, opens):
    place %= len(sealed.body)
    damaged = sealed.body[:place] + bytes([sealed.body[place] ^ flip]) + sealed.body[place + 1 :]
    with pytest.raises(CannotOpen):
        opens(damaged)


def test_each_changed_byte_of_the_header_keeps_the_message_shut(sealed, opens):
    for place in range(sealed.body.index(b"\n") + 1):
        for flip in (0x01, 0x20, 0x80):
            damaged = sealed.body[:place] + bytes([sealed.body[place] ^ flip]) + sealed.body[place + 1 :]
            with pytest.raises(CannotOpen):
                opens(damaged)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=400))
def test_any_bytes_are_refused(body, opens):
    with pytest.raises(Refused):
        opens(body)
