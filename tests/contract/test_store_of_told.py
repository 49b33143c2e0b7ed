"""A thing is said once, however many watches say it."""

from datetime import UTC, datetime, timedelta

from gateway.store import told
from gateway.store.database import reading, transaction

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def say(engine, said, *, before):
    with transaction(engine) as tx:
        return told.say(tx, "expiry:ab", said, NOW, before=before)


def last(engine):
    with reading(engine) as tx:
        return dict(told.last(tx))


def test_of_two_that_say_the_first_word_one_was_faster(engine) -> None:
    assert [say(engine, "60", before=None), say(engine, "60", before=None)] == [True, False]
    assert last(engine) == {"expiry:ab": "60"}


def test_of_two_that_say_the_next_word_one_was_faster(engine) -> None:
    say(engine, "60", before=None)
    assert [say(engine, "30", before="60"), say(engine, "30", before="60")] == [True, False]
    assert last(engine) == {"expiry:ab": "30"}


def test_a_word_that_was_overtaken_is_not_said(engine) -> None:
    say(engine, "60", before=None)
    say(engine, "30", before="60")
    assert not say(engine, "14", before="60")


def test_what_was_said_twice_in_one_transaction_leaves_it_usable(engine) -> None:
    with transaction(engine) as tx:
        assert told.say(tx, "a", "1", NOW, before=None)
        assert not told.say(tx, "a", "2", NOW + timedelta(seconds=1), before=None)
        assert told.say(tx, "b", "1", NOW, before=None)
    assert last(engine) == {"a": "1", "b": "1"}
