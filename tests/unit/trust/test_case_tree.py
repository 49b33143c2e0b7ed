"""The tree of case keys: every leaf but the destroyed ones can be computed, and those never again."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import Erased, GatewayError, KeyMissing, StoredDataDamaged, TrustInvalid
from gateway.trust.case_tree import FILE, CaseKeys, CaseTree

LEAVES = st.integers(min_value=0, max_value=2**64 - 1)
# Neighbours share most of their way: they are what a mistake would take along.
NEAR = st.tuples(LEAVES, st.lists(st.integers(min_value=0, max_value=63), min_size=1, max_size=8)).map(
    lambda found: [found[0] ^ (1 << bit) for bit in found[1]] + [found[0]]
)
TREE = CaseTree.new()


@pytest.fixture
def keys(tmp_path: Path) -> CaseKeys:
    return CaseKeys.load(tmp_path / FILE)


@settings(max_examples=60, deadline=None)
@given(leaves=NEAR)
def test_destroyed_leaf_is_gone_and_every_other_is_as_it_was(leaves: list[int]) -> None:
    gone, *others = dict.fromkeys(reversed(leaves))
    before = {leaf: TREE.secret(leaf) for leaf in others}
    tree = CaseTree.read(TREE.without(gone).written())
    with pytest.raises(Erased):
        tree.secret(gone)
    assert {leaf: tree.secret(leaf) for leaf in others} == before


@settings(max_examples=30, deadline=None)
@given(leaves=NEAR)
def test_no_secret_on_the_way_to_a_destroyed_leaf_is_kept(leaves: list[int]) -> None:
    tree = TREE
    for leaf in leaves:
        tree = tree.without(leaf)
    for leaf in leaves:
        way = {TREE.node(leaf, depth) for depth in range(33)}
        assert not way & set(tree.nodes.values())


def test_tree_whose_neighbours_are_all_destroyed_keeps_nothing_of_them() -> None:
    tree = TREE
    for leaf in range(256):
        tree = tree.without(leaf)
    assert len(tree.nodes) == 3 * 28  # beside the way to the 256, and nothing below


def test_two_leaves_have_different_secrets(keys: CaseKeys) -> None:
    leaves = [keys.new_leaf() for _ in range(600)]
    assert len(set(leaves)) == len({keys.secret(keys.tree_id, leaf) for leaf in leaves}) == 600


def test_way_that_is_remembered_gives_the_same_secrets(keys: CaseKeys) -> None:
    leaves = [keys.new_leaf() for _ in range(300)]
    found = [keys.secret(keys.tree_id, leaf) for leaf in leaves]
    assert found == [keys._tree.secret(int.from_bytes(leaf, "big")) for leaf in leaves]
    keys.destroy(keys.tree_id, leaves[5])
    with pytest.raises(Erased):
        keys.secret(keys.tree_id, leaves[5])
    assert keys.secret(keys.tree_id, leaves[6]) == found[6]


def test_two_processes_that_destroy_keep_what_each_other_destroyed(tmp_path: Path) -> None:
    one, two = (CaseKeys.load(tmp_path / FILE) for _ in range(2))
    first, second = one.new_leaf(), two.new_leaf()
    one.destroy(one.tree_id, first)
    two.destroy(two.tree_id, second)
    later = CaseKeys.load(tmp_path / FILE)
    for leaf in (first, second):
        with pytest.raises(Erased):
            later.secret(later.tree_id, leaf)


def test_old_content_of_the_file_is_overwritten(keys: CaseKeys, tmp_path: Path) -> None:
    root = keys._tree.nodes[0, 0]
    link = tmp_path / "the same file under another name"
    os.link(tmp_path / FILE, link)
    keys.destroy(keys.tree_id, keys.new_leaf())
    assert root not in link.read_bytes()
    assert root not in (tmp_path / FILE).read_bytes()


def test_new_installation_gets_one_tree_that_only_its_owner_reads(tmp_path: Path) -> None:
    one, two = (CaseKeys.load(tmp_path / "made" / FILE) for _ in range(2))
    assert one.tree_id == two.tree_id
    assert (tmp_path / "made" / FILE).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "made").iterdir()] == [FILE]


def test_file_that_others_can_read_is_refused(keys: CaseKeys, tmp_path: Path) -> None:
    (tmp_path / FILE).chmod(0o640)
    with pytest.raises(TrustInvalid, match="0600"):
        CaseKeys.load(tmp_path / FILE)


def test_folder_in_which_none_can_be_made_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(KeyMissing, match="case_keys"):
        CaseKeys.load(tmp_path / "file" / FILE)


def test_leaf_of_another_tree_is_told_apart(keys: CaseKeys, tmp_path: Path) -> None:
    other = CaseKeys.load(tmp_path / "other" / FILE)
    with pytest.raises(StoredDataDamaged, match="another tree"):
        keys.secret(other.tree_id, other.new_leaf())


@given(data=st.binary(max_size=300) | st.binary(max_size=120).map(lambda rest: b"RGTREE1\n" + rest))
def test_any_bytes_are_a_tree_or_our_own_error(data: bytes) -> None:
    try:
        tree = CaseTree.read(data)
        tree.secret(7)
    except GatewayError as error:
        assert error.code in {"trust-invalid", "erased"}  # noqa: PT017  # a tree that is read may lack what is asked for


def test_tree_does_not_print_its_secrets() -> None:
    assert TREE.nodes[0, 0].hex() not in repr(TREE)
    assert repr(TREE.nodes[0, 0]) not in repr(TREE)
