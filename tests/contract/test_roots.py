"""Roots of the journal in the database: they only grow, they fit the journal, and two watches make one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import DBAPIError

from gateway.domain import merkle
from gateway.domain.roots import GENESIS, Root, RootStamp, SignedRoot
from gateway.errors import NotFound, StoreConflict, StoredDataDamaged
from gateway.store import journal, roots
from gateway.store.database import reading, transaction
from gateway.store.journal import Entry
from gateway.store.root_tables import roots as root_table
from gateway.store.root_tables import stamps as stamp_table
from gateway.store.tables import journal as journal_table

NOW = datetime(2026, 6, 1, 8, 15, tzinfo=UTC)


def write(engine, count: int) -> None:
    with transaction(engine) as tx:
        at = NOW + timedelta(minutes=len(hashes(tx)))
        journal.append(tx, [Entry(at=at, event="message.received", actor="gateway") for _ in range(count)])


def hashes(tx) -> list[bytes]:
    return [bytes.fromhex(each) for each in tx.execute(select(journal_table.c.hash).order_by(journal_table.c.id)).scalars()]


def next_root(tx, **changes) -> SignedRoot:
    """Return the root that is due, unsigned in earnest: the store knows no trust."""
    before = roots.newest(tx)
    first = before.root.last + 1 if before else 1
    leaves = hashes(tx)[first - 1 :]
    values = {
        "number": before.root.number + 1 if before else 1,
        "first": first,
        "last": first + len(leaves) - 1,
        "root": merkle.root(leaves).hex(),
        "previous": before.digest() if before else GENESIS,
        "made_at": NOW,
        "authority": "BA-MS",
        "certificate": "c" * 64,
    }
    return SignedRoot(root=Root(**values | changes), signature=b"\x00\xffsignature", chain=(b"\x30leaf", b"\x30issuer"))


def make_root(engine, entries: int = 3) -> SignedRoot:
    write(engine, entries)
    with transaction(engine) as tx:
        made = next_root(tx)
        roots.add(tx, made)
    return made


def stamp(engine, number: int) -> None:
    with transaction(engine) as tx:
        roots.add_stamp(tx, RootStamp(number=number, token=b"token %d" % number, authority="CN=Specimen", at=NOW))


def found(engine) -> list[tuple[int, str]]:
    with reading(engine) as tx:
        return [(each.number, each.what) for each in roots.verify(tx)[1]]


def tamper(engine, *statements) -> None:
    """Change what only grows, as someone with all rights on the database would: the triggers go first."""
    with transaction(engine) as tx:
        for table in ("journal", "journal_roots"):
            if tx.dialect.name == "postgresql":
                tx.exec_driver_sql(f"DROP TRIGGER {table}_append_only ON {table}")
            else:
                tx.exec_driver_sql(f"DROP TRIGGER {table}_no_update")
                tx.exec_driver_sql(f"DROP TRIGGER {table}_no_delete")
        for statement in statements:
            tx.execute(statement)


def test_root_comes_back_as_it_was_added(engine) -> None:
    made = make_root(engine)
    with reading(engine) as tx:
        assert roots.newest(tx) == made
        assert [each for each, _ in roots.all_roots(tx)] == [made]


def test_new_journal_has_no_root(engine) -> None:
    with reading(engine) as tx:
        assert roots.newest(tx) is None
        assert roots.stamped_up_to(tx) == 0
        assert roots.newest_stamp(tx) is None
        assert roots.verify(tx) == (0, [])


def test_entries_wait_for_a_root_in_their_order(engine) -> None:
    make_root(engine, 3)
    write(engine, 2)
    with reading(engine) as tx:
        assert roots.waiting(tx, 3, most=10) == hashes(tx)[3:]
        assert roots.waiting(tx, 3, most=1) == hashes(tx)[3:4]
        assert roots.waiting(tx, 5, most=10) == []


def test_no_root_is_made_over_a_gap(engine) -> None:
    make_root(engine)
    write(engine, 3)
    tamper(engine, delete(journal_table).where(journal_table.c.id == 5))
    with reading(engine) as tx, pytest.raises(StoredDataDamaged, match="missing"):
        roots.waiting(tx, 3, most=10)


def test_two_watches_make_one_root(engine) -> None:
    write(engine, 3)
    with reading(engine) as tx:
        one, other = next_root(tx), next_root(tx, made_at=NOW + timedelta(seconds=1))
    with transaction(engine) as tx:
        roots.add(tx, one)
    with transaction(engine) as tx, pytest.raises(StoreConflict):
        roots.add(tx, other)
    with reading(engine) as tx:
        assert [each for each, _ in roots.all_roots(tx)] == [one]


def test_database_itself_refuses_a_second_root_over_the_same_entries(engine) -> None:
    """The look before the insert may be overtaken on PostgreSQL; the key may not."""
    made = make_root(engine)
    values = {"number": 2, "first": made.root.first, "last": 3, "root": "0" * 64, "previous": "0" * 64, "made_at": NOW}
    values |= {"authority": "BA-MS", "certificate": "c" * 64, "chain": [], "signature": b""}
    with pytest.raises((StoreConflict, DBAPIError)), transaction(engine) as tx:
        tx.execute(insert(root_table).values(values))


def test_timestamp_of_a_root_is_added_once(engine) -> None:
    make_root(engine)
    stamp(engine, 1)
    with pytest.raises(StoreConflict):
        stamp(engine, 1)
    with reading(engine) as tx:
        assert roots.newest_stamp(tx) == RootStamp(number=1, token=b"token 1", authority="CN=Specimen", at=NOW)


def test_timestamp_older_than_the_newest_is_not_needed(engine) -> None:
    make_root(engine)
    make_root(engine)
    stamp(engine, 2)
    with pytest.raises(StoreConflict):
        stamp(engine, 1)


@pytest.mark.parametrize("table", [root_table, stamp_table])
@pytest.mark.parametrize("act", [update, delete])
def test_roots_and_timestamps_only_grow(engine, table, act) -> None:
    make_root(engine)
    stamp(engine, 1)
    statement = act(table).values(number=7) if act is update else act(table)
    with pytest.raises(DBAPIError, match="append-only"), transaction(engine) as tx:
        tx.execute(statement)


@pytest.mark.parametrize("table", ["journal_roots", "journal_stamps"])
def test_row_cannot_be_replaced_by_an_insert(sqlite_url, table) -> None:
    from gateway.store.database import open_engine

    engine = open_engine(sqlite_url)
    make_root(engine)
    stamp(engine, 1)
    with pytest.raises(DBAPIError, match="append-only"), transaction(engine) as tx:
        tx.exec_driver_sql(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table} WHERE number = 1")
    engine.dispose()


# --- the evidence clock


def test_oldest_entry_without_a_timestamp_is_the_first_after_the_newest_stamped_root(engine) -> None:
    def oldest():
        with reading(engine) as tx:
            return roots.oldest_unproven(tx)

    assert oldest() is None
    make_root(engine)  # entries 1 to 3, at NOW
    assert oldest() == NOW
    make_root(engine)  # entries 4 to 6, three minutes later
    stamp(engine, 1)
    assert oldest() == NOW + timedelta(minutes=3)
    stamp(engine, 2)
    assert oldest() is None
    write(engine, 1)
    assert oldest() == NOW + timedelta(minutes=6)


# --- what does not fit


def test_whole_journal_fits_its_roots(engine) -> None:
    make_root(engine, 3)
    make_root(engine, 1)
    write(engine, 2)
    with reading(engine) as tx:
        assert roots.verify(tx) == (2, [])


def test_changed_entry_is_found_by_the_root_over_it(engine) -> None:
    """Whoever makes the whole chain of hashes anew still cannot make the signed roots anew."""
    make_root(engine, 3)
    make_root(engine, 3)
    tamper(engine, update(journal_table).where(journal_table.c.id == 5).values(hash="5" * 64))
    assert found(engine) == [(2, "entries 4 to 6 are not those of root 2")]


def test_removed_entry_at_the_end_is_found(engine) -> None:
    make_root(engine, 3)
    tamper(engine, delete(journal_table).where(journal_table.c.id == 3))
    assert found(engine) == [(1, "entries 1 to 3 are not those of root 1")]


def test_removed_root_is_found(engine) -> None:
    for _ in range(3):
        make_root(engine)
    tamper(engine, delete(root_table).where(root_table.c.number == 2))
    assert found(engine) == [(3, "root 3 does not follow the root before it")]


@pytest.mark.parametrize("change", [{"signature": b"other"}, {"made_at": NOW + timedelta(days=1)}, {"authority": "PK-MOI"}])
def test_changed_root_breaks_the_chain_of_roots(engine, change) -> None:
    make_root(engine)
    make_root(engine)
    tamper(engine, update(root_table).where(root_table.c.number == 1).values(change))
    assert found(engine) == [(2, "root 2 does not follow the root before it")]


# --- proofs


@pytest.mark.parametrize("entry", range(1, 8))
def test_proof_leads_from_the_entry_over_its_root_to_the_timestamp(engine, entry) -> None:
    made = [make_root(engine, 3), make_root(engine, 1), make_root(engine, 3)]
    stamp(engine, 3)
    with reading(engine) as tx:
        proof = roots.proof_of_entry(tx, entry)
        assert proof.hash == hashes(tx)[entry - 1].hex()
    under = made.index(proof.roots[0])
    assert proof.roots == tuple(made[under:])
    assert proof.token == b"token 3"
    root = proof.roots[0].root
    assert merkle.climb(bytes.fromhex(proof.hash), entry - root.first, root.count, proof.path).hex() == root.root


def test_proof_ends_at_the_first_timestamp_that_covers_the_entry(engine) -> None:
    made = [make_root(engine) for _ in range(3)]
    stamp(engine, 2)
    stamp(engine, 3)
    with reading(engine) as tx:
        proof = roots.proof_of_entry(tx, 1)
    assert (proof.roots, proof.token) == (tuple(made[:2]), b"token 2")


def test_proof_without_timestamp_yet_says_so(engine) -> None:
    make_root(engine)
    stamp(engine, 1)
    made = make_root(engine)
    with reading(engine) as tx:
        proof = roots.proof_of_entry(tx, 4)
    assert (proof.roots, proof.token) == ((made,), None)


@pytest.mark.parametrize("entry", [0, -1, 4, 99])
def test_entry_without_a_root_has_no_proof(engine, entry) -> None:
    make_root(engine, 3)
    write(engine, 1)
    with reading(engine) as tx, pytest.raises(NotFound):
        roots.proof_of_entry(tx, entry)


def test_entry_whose_neighbour_is_missing_has_no_proof(engine) -> None:
    make_root(engine, 3)
    tamper(engine, delete(journal_table).where(journal_table.c.id == 3))
    with reading(engine) as tx, pytest.raises(StoredDataDamaged):
        roots.proof_of_entry(tx, 1)


def test_root_is_equal_to_itself_only(engine) -> None:
    made = make_root(engine)
    assert replace(made, signature=b"other").digest() != made.digest()
    assert replace(made, root=replace(made.root, number=2)).digest() != made.digest()
