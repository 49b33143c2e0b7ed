"""Whoever has all rights on the database can change the journal; the walk names what was done, entry by entry."""

from datetime import UTC

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, update

from gateway.store import journal
from gateway.store.chain import entry_hash
from gateway.store.database import open_engine, reading
from gateway.store.journal import GENESIS, Mark
from gateway.store.tables import journal as table
from tests.journal_rows import NOW, findings, pairs, rows, tamper, write


def at(number: int):
    return update(table).where(table.c.id == number)


def remove(*numbers: int):
    return delete(table).where(table.c.id.in_(numbers))


def close_up(*numbers: int) -> list:
    """Move entries one number down, lowest first."""
    return [at(number).values(id=number - 1) for number in sorted(numbers)]


def make_room(*numbers: int) -> list:
    """Move entries one number up, highest first."""
    return [at(number).values(id=number + 1) for number in sorted(numbers, reverse=True)]


def swap(one: int, other: int) -> list:
    return [at(one).values(id=9999), at(other).values(id=one), at(9999).values(id=other)]


def forged(row: dict, **changes) -> dict:
    """Return a row with a hash that fits it."""
    row = row | changes
    instant = row["at"].isoformat(timespec="microseconds")
    said = [row[name] for name in ("event", "actor", "authority", "case_id", "message_id", "digest", "detail")]
    return row | {"hash": entry_hash(row["id"], [instant, *said], row["previous"])}


# --- changed ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"at": NOW},
        {"event": "message.sent"},
        {"actor": "nobody"},
        {"authority": "PK-MOI"},
        {"authority": None},
        {"case_id": 8},
        {"message_id": None},
        {"digest": "f" * 64},
        {"detail": "{}"},
    ],
    ids=str,
)
def test_changed_entry_is_named_whichever_field_was_changed(engine, change) -> None:
    write(engine, 3)
    tamper(engine, at(2).values(change))
    assert findings(engine) == [(2, "entry 2 was changed after it was written")]


@pytest.mark.parametrize("number", [1, 2])
def test_changed_hash_is_told_from_a_changed_entry(engine, number) -> None:
    write(engine, 3)
    tamper(engine, at(number).values(hash="f" * 64))
    assert findings(engine) == [(number, f"the hash of entry {number} was changed: the entry after it knows another")]


@pytest.mark.parametrize("number", [1, 2, 3])
def test_changed_link_is_told_from_a_changed_entry(engine, number) -> None:
    write(engine, 3)
    tamper(engine, at(number).values(previous="f" * 64))
    assert findings(engine) == [(number, f"the link of entry {number} to the entry before it was changed")]


def test_changed_last_entry_is_named(engine) -> None:
    write(engine, 3)
    tamper(engine, at(3).values(actor="nobody"))
    assert findings(engine) == [(3, "entry 3 was changed, or put at the end by hand: its hash does not fit it")]


def test_changed_entry_with_a_hash_of_its_own_is_named_by_the_next_one(engine) -> None:
    write(engine, 3)
    second = forged(rows(engine)[1], actor="nobody")
    tamper(engine, at(2).values(second))
    sentence = "entry 2 was replaced by another: entry 3 does not follow it; so may those before it"
    assert findings(engine) == [(2, sentence)]


def test_first_entry_with_a_beginning_of_its_own_is_named(engine) -> None:
    write(engine, 2)
    tamper(engine, at(1).values(forged(rows(engine)[0], previous="f" * 64)))
    assert (1, "entry 1 does not begin the journal: it follows an entry that is not there") in findings(engine)


def test_every_broken_place_is_named_not_only_the_first(engine) -> None:
    write(engine, 9)
    tamper(engine, at(2).values(actor="nobody"), remove(5), at(8).values(actor="nobody"))
    assert findings(engine) == [
        (2, "entry 2 was changed after it was written"),
        (5, "entry 5 is missing"),
        (8, "entry 8 was changed after it was written"),
    ]


def test_more_changes_than_are_looked_at_closely_are_counted(engine) -> None:
    write(engine, 1100)
    tamper(engine, update(table).where(table.c.id <= 1050).values(actor="nobody"))
    found = findings(engine)
    assert [number for number, _ in found[:1000]] == list(range(1, 1001))
    assert found[1000:] == [(1100, "50 more places are broken; only the first were looked at")]


# --- removed ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [1, 3])
def test_removed_entry_is_named(engine, number) -> None:
    write(engine, 5)
    tamper(engine, remove(number))
    assert findings(engine) == [(number, f"entry {number} is missing")]


def test_removed_stretch_is_named_as_one(engine) -> None:
    write(engine, 9)
    tamper(engine, remove(3, 4, 5, 8))
    assert findings(engine) == [(3, "entries 3 to 5 are missing"), (8, "entry 8 is missing")]


def test_removed_entry_is_named_even_when_the_numbers_are_closed_up(engine) -> None:
    write(engine, 5)
    tamper(engine, remove(2), *close_up(3, 4, 5))
    assert findings(engine) == [
        (2, "entry 2 was moved here: it was written as entry 3"),
        (2, "entry 2 is missing"),
        (3, "entry 3 was moved here: it was written as entry 4"),
        (4, "entry 4 was moved here: it was written as entry 5"),
    ]


def test_removed_last_entry_is_named_by_whoever_remembers_it(engine) -> None:
    write(engine, 4)
    with reading(engine) as tx:
        number, hash_ = journal.examine(tx).last
    tamper(engine, remove(3, 4))
    mark = Mark(entry=number, hash=hash_, by="the signed root of 2026-06-01")
    with reading(engine) as tx:
        found = journal.examine(tx, [mark])
    sentence = "entries 3 to 4 are missing at the end: the signed root of 2026-06-01 knows entry 4"
    assert (found.entries, pairs(found.findings)) == (2, [(3, sentence)])


def test_removed_end_of_which_nobody_knows_cannot_be_seen(engine) -> None:
    write(engine, 3)
    tamper(engine, remove(3))
    assert findings(engine) == []


def test_journal_written_anew_from_some_entry_on_is_named_by_whoever_remembers_a_later_one(engine) -> None:
    write(engine, 4)
    with reading(engine) as tx:
        number, hash_ = journal.examine(tx).last
    anew, previous = [], GENESIS
    for row in rows(engine):
        changed = {"actor": "nobody"} if row["id"] == 2 else {}
        anew.append(forged(row, previous=previous, **changed))
        previous = anew[-1]["hash"]
    tamper(engine, delete(table), insert(table).values(anew))
    assert findings(engine) == []  # the chain itself holds
    with reading(engine) as tx:
        found = journal.examine(tx, [Mark(entry=1, hash=anew[0]["hash"], by="you"), Mark(entry=number, hash=hash_, by="you")])
    assert pairs(found.findings) == [(4, "entry 4 is not the one that you knows: it was written anew, or some before it were")]


def test_memory_of_an_entry_that_stands_as_it_did_finds_nothing(engine) -> None:
    write(engine, 3)
    marks = [Mark(entry=row["id"], hash=row["hash"], by="a root") for row in rows(engine)]
    with reading(engine) as tx:
        assert journal.examine(tx, marks).findings == []


# --- inserted ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("with_a_hash_that_fits", [False, True])
def test_inserted_entry_is_named(engine, with_a_hash_that_fits) -> None:
    write(engine, 4)
    new = rows(engine)[1] | {"id": 3, "actor": "nobody", "hash": "f" * 64}
    if with_a_hash_that_fits:
        new = forged(new, previous=rows(engine)[1]["hash"])
    tamper(engine, *make_room(3, 4), insert(table).values(new))
    assert findings(engine) == [
        (3, "entry 3 was inserted: what was written as entry 3 stands at 4"),
        (4, "entry 4 was moved here: it was written as entry 3"),
        (5, "entry 5 was moved here: it was written as entry 4"),
    ]


def test_entry_put_at_the_end_by_hand_is_named(engine) -> None:
    write(engine, 2)
    last = rows(engine)[-1]
    tamper(engine, insert(table).values(last | {"id": 3, "previous": last["hash"], "hash": "f" * 64}))
    assert findings(engine) == [(3, "entry 3 was changed, or put at the end by hand: its hash does not fit it")]


@pytest.mark.parametrize("number", [0, -7])
def test_entry_put_before_the_first_is_named(engine, number) -> None:
    write(engine, 2)
    first = rows(engine)[0]
    tamper(engine, insert(table).values(first | {"id": number, "actor": "nobody", "hash": "f" * 64}))
    assert findings(engine) == [(number, f"entry {number} was inserted before the first")]


@pytest.mark.postgres  # SQLite cannot be told to forget that a hash stands there once
def test_copied_entry_is_named(migrated_postgres_url) -> None:
    engine = open_engine(migrated_postgres_url)
    write(engine, 4)
    second = rows(engine)[1]
    tamper(engine, "ALTER TABLE journal DROP CONSTRAINT uq_journal_hash", insert(table).values(second | {"id": 5}))
    assert findings(engine) == [(5, "entry 5 was inserted: it is a copy of entry 2")]
    engine.dispose()


@pytest.mark.postgres
def test_number_that_stands_twice_is_named(migrated_postgres_url) -> None:
    engine = open_engine(migrated_postgres_url)
    write(engine, 3)
    second = rows(engine)[1]
    drop = "ALTER TABLE journal DROP CONSTRAINT pk_journal, DROP CONSTRAINT uq_journal_hash"
    tamper(engine, drop, insert(table).values(second))
    assert findings(engine) == [(2, "entry 2 stands there twice: one of them was inserted")]
    engine.dispose()


# --- moved ------------------------------------------------------------------------------------------------------------


def test_entries_that_changed_places_are_both_named(engine) -> None:
    write(engine, 5)
    tamper(engine, *swap(2, 4))
    assert findings(engine) == [
        (2, "entry 2 was moved here: it was written as entry 4"),
        (4, "entry 4 was moved here: it was written as entry 2"),
    ]


def test_entries_far_apart_that_changed_places_are_both_named(engine) -> None:
    write(engine, 90)
    tamper(engine, *swap(3, 80))
    assert findings(engine) == [
        (3, "entry 3 was moved here: it was written as entry 80"),
        (80, "entry 80 was moved here: it was written as entry 3"),
    ]


def test_reordered_entries_are_all_named(engine) -> None:
    write(engine, 6)
    tamper(engine, at(2).values(id=99), at(3).values(id=2), at(4).values(id=3), at(99).values(id=4))
    assert [number for number, _ in findings(engine)] == [2, 3, 4]


@pytest.mark.parametrize("number", [0, 50, 2**40])
def test_entry_under_another_number_is_named(engine, number) -> None:
    write(engine, 4)
    tamper(engine, at(2).values(id=number))
    assert findings(engine) == [(number, f"entry {number} was moved here: it was written as entry 2")]


# --- what a column was never meant to hold ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    ["x'ff'", "CAST(x'ff' AS TEXT)", "CAST(x'00' AS TEXT)", "''", "8", "1.5"],
)
@pytest.mark.parametrize("column", ["at", "event", "authority", "case_id", "detail", "previous", "hash"])
@pytest.mark.parametrize("number", [2, 3])
def test_anything_sqlite_lets_into_a_column_is_a_change_and_no_failure(sqlite_url, column, value, number) -> None:
    engine = open_engine(sqlite_url)
    write(engine, 3)
    tamper(engine, f"UPDATE journal SET {column} = {value} WHERE id = {number}")
    assert [number for number, _ in findings(engine)] == [number]
    with reading(engine) as tx:
        assert all(isinstance(part, int | str) for part in journal.examine(tx).last)
    engine.dispose()


@pytest.mark.postgres
@pytest.mark.parametrize(
    "value", ["'infinity'", "'-infinity'", "at - interval '4051 years'", "at + interval '9000 years'", "at - interval '1 us'"]
)
def test_instant_beyond_every_calendar_is_a_change_and_no_failure(migrated_postgres_url, value) -> None:
    engine = open_engine(migrated_postgres_url)
    write(engine, 3)
    tamper(engine, f"UPDATE journal SET at = {value} WHERE id = 2")
    assert [number for number, _ in findings(engine)] == [2]
    engine.dispose()


@pytest.mark.postgres
def test_year_before_christ_is_told_from_the_same_year_after(migrated_postgres_url) -> None:
    engine = open_engine(migrated_postgres_url)
    write(engine, 3)
    tamper(
        engine, "UPDATE journal SET at = (to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || '+00 BC')::timestamptz"
    )
    assert [number for number, _ in findings(engine)] == [1, 2, 3]
    engine.dispose()


# --- any single change ------------------------------------------------------------------------------------------------

TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=12)
OTHER = {
    "id": st.integers(-(2**60), 2**60),
    "at": st.datetimes(timezones=st.just(UTC)),
    "event": TEXTS,
    "actor": TEXTS,
    "authority": st.none() | TEXTS,
    "case_id": st.none() | st.integers(-(2**60), 2**60),
    "message_id": st.none() | TEXTS,
    "digest": st.none() | TEXTS,
    "detail": TEXTS,
    "previous": TEXTS,
    "hash": TEXTS,
}
CHANGES = st.sampled_from(sorted(OTHER)).flatmap(lambda name: st.tuples(st.just(name), OTHER[name]))


@given(number=st.integers(1, 8), change=CHANGES)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_single_change_of_any_field_of_any_entry_is_named(engine, number, change) -> None:
    name, value = change
    if not rows(engine):
        write(engine, 8)
        tamper(engine)  # without its triggers
    before = rows(engine)
    assert findings(engine) == []
    assume(before[number - 1][name] != value)
    assume(name != "id" or not 1 <= value <= len(before))  # no two rows have one number
    tamper(engine, at(number).values({name: value}))
    try:
        found = findings(engine)
    finally:
        tamper(engine, delete(table), insert(table).values(before))
    if name == "id":
        assert [one for one, _ in found] == [value]
        assert found[0][1].endswith(f"it was written as entry {number}")
    else:
        assert [one for one, _ in found] == [number]
