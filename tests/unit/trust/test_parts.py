"""Sealed parts of attachments: only the recipient opens them, every name is bound, every failure looks the same."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import CannotOpen, KeyMissing, Refused, SealMismatch, TooLarge
from gateway.stages import PART_BYTES
from gateway.trust import suites
from gateway.trust.keys import KeyRing
from gateway.trust.parts import MOST_PARTS, is_part, open_part, seal_part
from gateway.trust.seal import seal

DIGEST = "ab" * 32
OTHER_ID = "0193a000-0000-7000-8000-000000000002"


@pytest.fixture(scope="session")
def sealing(trust, message_id, now):
    """Return a function that seals bytes as a part; `changes` are members of its header."""

    def function(data=b"specimen", **changes):
        names = {
            "sender": "BA-MS",
            "recipient": "PK-MOI",
            "message_id": message_id,
            "sha256": DIGEST,
            "number": 1,
            "of": 1,
            "trust": trust,
            "at": now,
        }
        return seal_part(data, **names | changes)

    return function


def header(body):
    return json.loads(body.partition(b"\n")[0])


def with_line(body, line):
    return line + b"\n" + body.partition(b"\n")[2]


def with_header(body, **changes):
    return with_line(body, json.dumps({**header(body), **changes}, separators=(",", ":")).encode())


def test_recipient_opens_what_was_sealed(sealing, ring, message_id) -> None:
    part = open_part(sealing(bytes(PART_BYTES), number=2, of=3), ring)
    assert part.data == bytes(PART_BYTES)
    found = part.header
    assert (found.sender, found.recipient, found.message_id) == ("BA-MS", "PK-MOI", message_id)
    assert (found.sha256, found.number, found.of) == (DIGEST, 2, 3)


def test_default_suite_is_the_hybrid(sealing) -> None:
    assert header(sealing())["suite"] == suites.HYBRID.name


def test_part_is_told_from_a_message_by_its_first_bytes(sealing, signed, trust, message_id) -> None:
    message = seal(signed, message_id=message_id, sender="BA-MS", recipient="PK-MOI", trust=trust)
    assert is_part(sealing())
    assert not is_part(message.body)
    assert not is_part(b"")


def test_message_is_no_part(signed, trust, ring, message_id) -> None:
    message = seal(signed, message_id=message_id, sender="BA-MS", recipient="PK-MOI", trust=trust)
    with pytest.raises(CannotOpen):
        open_part(message.body, ring)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sender", "AT-BMI"),
        ("recipient", "AT-BMI"),
        ("message_id", OTHER_ID),
        ("sha256", "cd" * 32),
        ("number", 1),
        ("of", 4),
        ("suite", suites.X25519.name),
        ("key", "0" * 16),
        ("part", 2),
        ("part", True),
        ("number", 2.0),
        ("number", "2"),
        ("number", 0),
        ("number", 4),
        ("of", MOST_PARTS + 1),
        ("of", True),
        ("sha256", "AB" * 32),
        ("message_id", "1"),
        ("sender", "nobody"),
        ("suite", "none"),
    ],
    ids=str,
)
def test_no_member_of_the_header_can_be_changed(sealing, ring, name, value) -> None:
    body = sealing(bytes(PART_BYTES), number=2, of=3)
    with pytest.raises(CannotOpen) as caught:
        open_part(with_header(body, **{name: value}), ring)
    assert caught.value.message == "the sealed message cannot be opened"


def test_header_has_one_form(sealing, ring) -> None:
    body = sealing()
    line = body.partition(b"\n")[0]
    for other in (line.replace(b":", b": "), line + b" ", line[:-1] + b',"more":1}', line.replace(b"BA-MS", b"\\u0042A-MS")):
        with pytest.raises(CannotOpen):
            open_part(with_line(body, other), ring)


@pytest.mark.parametrize("place", [0, 20, 1120, -1])
def test_no_byte_can_be_changed(sealing, ring, place) -> None:
    line, _, ciphertext = sealing(bytes(2000)).partition(b"\n")
    altered = bytearray(ciphertext)
    altered[place] ^= 1
    with pytest.raises(CannotOpen):
        open_part(line + b"\n" + bytes(altered), ring)


@pytest.mark.parametrize("size", [0, PART_BYTES - 1])
def test_part_before_the_last_is_full(sealing, ring, size) -> None:
    with pytest.raises(CannotOpen):
        open_part(sealing(bytes(size), number=1, of=2), ring)


def test_last_part_is_neither_empty_nor_more_than_full(sealing, ring) -> None:
    assert len(open_part(sealing(b"x", number=2, of=2), ring).data) == 1
    for size in (0, PART_BYTES + 1):
        with pytest.raises(CannotOpen):
            open_part(sealing(bytes(size), number=2, of=2), ring)


def test_part_that_is_far_too_large_is_not_even_decrypted(sealing, ring) -> None:
    with pytest.raises(TooLarge):
        open_part(sealing() + bytes(PART_BYTES + 4096), ring)


def test_gateway_without_the_key_cannot_open_it(sealing, tmp_path) -> None:
    (tmp_path / "private").mkdir()
    with pytest.raises(CannotOpen):
        open_part(sealing(), KeyRing.load(tmp_path))


def test_part_needs_a_recipient_with_a_key(sealing) -> None:
    with pytest.raises(KeyMissing):
        sealing(recipient="XA-MOI")


@pytest.mark.parametrize(
    "changes", [{"sender": "ba-ms"}, {"message_id": "1"}, {"sha256": "x"}, {"number": 2}, {"of": 26}], ids=str
)
def test_names_that_cannot_stand_in_a_header_are_not_sealed(sealing, changes) -> None:
    with pytest.raises(SealMismatch):
        sealing(**changes)


@settings(max_examples=200)
@given(body=st.binary(max_size=600))
def test_any_bytes_give_our_own_error(ring, body) -> None:
    for one in (body, b'{"part":1,' + body, b'{"part":1,"suite":"x"}\n' + body):
        with pytest.raises(Refused):
            open_part(one, ring)
