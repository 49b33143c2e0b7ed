"""The tree of RFC 6962: its roots and audit paths against the definition, and what must not climb to a root."""

from hashlib import sha256

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.domain import merkle
from gateway.errors import RootInvalid

LEAVES = st.lists(st.binary(max_size=8), min_size=1, max_size=40)


def by_definition(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + by_definition(leaves[:k]) + by_definition(leaves[k:])).digest()


def path_by_definition(leaves: list[bytes], m: int) -> list[bytes]:
    """RFC 6962, 2.1.1, word for word."""
    if len(leaves) == 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m < k:
        return [*path_by_definition(leaves[:k], m), by_definition(leaves[k:])]
    return [*path_by_definition(leaves[k:], m - k), by_definition(leaves[:k])]


def test_root_of_three_values_is_the_one_worked_out_by_hand() -> None:
    one, two, three = (sha256(b"\x00" + value).digest() for value in (b"a", b"b", b"c"))
    expected = sha256(b"\x01" + sha256(b"\x01" + one + two).digest() + three).digest()
    assert merkle.root([b"a", b"b", b"c"]) == expected
    assert merkle.proof([b"a", b"b", b"c"], 0) == (two, three)
    assert merkle.proof([b"a", b"b", b"c"], 2) == (sha256(b"\x01" + one + two).digest(),)


# Published with the reference implementation of Certificate Transparency (merkle tree test data).
KNOWN = [
    (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    (1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
    (2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
    (3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
    (8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
]
VALUES = [bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")]
VALUES.append(bytes(range(0x60, 0x70)))


@pytest.mark.parametrize(("size", "expected"), KNOWN)
def test_root_is_that_of_the_reference_implementation(size: int, expected: str) -> None:
    assert merkle.root(VALUES[:size]).hex() == expected


@given(LEAVES)
def test_root_is_that_of_the_definition(leaves: list[bytes]) -> None:
    assert merkle.root(leaves) == by_definition(leaves)


@given(LEAVES, st.data())
def test_path_of_every_place_is_that_of_the_definition_climbing_to_the_root(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    path = merkle.proof(leaves, index)
    assert list(path) == path_by_definition(leaves, index)
    assert merkle.climb(leaves[index], index, len(leaves), path) == merkle.root(leaves)


@given(LEAVES, st.binary(max_size=8), st.data())
def test_another_value_does_not_climb_to_the_root(leaves: list[bytes], other: bytes, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    assume(other != leaves[index])
    assert merkle.climb(other, index, len(leaves), merkle.proof(leaves, index)) != merkle.root(leaves)


@given(st.lists(st.binary(min_size=1, max_size=8), min_size=2, max_size=40, unique=True), st.data())
def test_value_does_not_climb_from_another_place(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    other = data.draw(st.integers(0, len(leaves) - 1).filter(lambda place: place != index))
    try:
        reached = merkle.climb(leaves[index], other, len(leaves), merkle.proof(leaves, index))
    except RootInvalid:
        return
    assert reached != merkle.root(leaves)


@given(st.lists(st.binary(max_size=8), min_size=2, max_size=40), st.data())
def test_path_of_another_length_is_refused(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    path = merkle.proof(leaves, index)
    for wrong in (path[:-1], (*path, bytes(32))):
        with pytest.raises(RootInvalid):
            merkle.climb(leaves[index], index, len(leaves), wrong)


@pytest.mark.parametrize("index", [-1, 3])
def test_place_outside_the_list_is_refused(index: int) -> None:
    with pytest.raises(RootInvalid):
        merkle.climb(b"a", index, 3, ())
    with pytest.raises(ValueError, match="no place"):
        merkle.proof([b"a", b"b", b"c"], index)


def test_inner_node_cannot_be_shown_as_a_leaf() -> None:
    """Without the prefixes the two hashes below a node, read as a value, would stand for it."""
    below = sha256(b"\x00a").digest() + sha256(b"\x00b").digest()
    assert merkle.root([below]) != merkle.root([b"a", b"b"])
