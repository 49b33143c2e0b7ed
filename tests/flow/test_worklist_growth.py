"""However many cases there are, pages read stretches of indexes and end after what they show."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select

from gateway.domain.moves import Role, State
from gateway.store import tables as t
from gateway.store import views, worklist
from gateway.store.accounts import AccountRole
from gateway.store.database import Database, open_engine, reading, transaction, upgrade
from gateway.store.worklist import MOST, PAGE_ROWS, Viewer, worklist_page
from tests.statements import before_each_statement
from tests.web_seed import NOW, PK_OPEN, Seed, add_case, add_deadline, add_hold, filled

PK = Viewer(account="pk-liaison", role=AccountRole.LIAISON, authority="PK-MOI")
AUDITOR = Viewer(account="auditor", role=AccountRole.AUDITOR, authority=None)
FIRST = 1_000  # id of the first of many cases


@pytest.fixture
def small(tmp_path: Path) -> Database:
    """A database on SQLite, which tells its plans whatever the number of rows."""
    engine = open_engine(f"sqlite:///{tmp_path / 'small.sqlite3'}")
    upgrade(engine)
    filled(Seed(engine=engine))
    return engine


def plans(engine: Database, work: Callable[[Connection], object]) -> list[str]:
    """Return how the database goes about each statement of `work`."""
    said: list[tuple[str, Any]] = []

    def note(statement: str, values: Any) -> None:
        said.append((statement, values))

    with reading(engine) as connection:
        with before_each_statement(engine, note):
            work(connection)
        asked = [one for one in said if one[0].lstrip().upper().startswith("SELECT")]
        return [row[-1] for one in asked for row in connection.exec_driver_sql("EXPLAIN QUERY PLAN " + one[0], one[1])]


def whole_tables(steps: Sequence[str]) -> list[str]:
    """Return the steps that read a table of cases, messages or entries from its beginning to its end."""
    large = {"cases", "messages", "documents", "deadlines", "its", "journal", "attachments", "inbox"}
    return [step for step in steps if step.startswith("SCAN ") and step.split()[1] in large]


def many(engine: Database, count: int) -> None:
    """Add cases to be answered: the oldest is due first, every later one is due an hour after the one before it."""
    with transaction(engine) as tx:
        for number in range(count):
            add_case(tx, FIRST + number, "PK-MOI", "AT-BMI", "requested", "requested", reference=f"MANY{number:022}")
            add_deadline(
                tx, FIRST + number, NOW.date(), due_until=NOW + timedelta(hours=number + 1), lapses_at=None, look_at=None
            )


@pytest.mark.parametrize("viewer", [PK, AUDITOR])
@pytest.mark.parametrize("show", ["todo", "waiting", "all"])
def test_worklist_reads_stretches_of_indexes_and_no_table_as_a_whole(small: Database, viewer: Viewer, show: str) -> None:
    steps = plans(small, lambda connection: worklist_page(connection, viewer, now=NOW, show=show))
    assert any("ix_deadlines_due" in step for step in steps)
    assert any("ix_cases_standing" in step for step in steps)
    assert not whole_tables(steps)


def test_open_deadlines_of_other_cases_are_not_read_to_judge_one(small: Database) -> None:
    """Without statistics SQLite takes an index on the state for as good as one on the case."""
    steps = plans(small, lambda connection: worklist_page(connection, PK, now=NOW, show="all"))
    assert not [step for step in steps if "ix_deadlines_look" in step]


def test_case_page_reads_stretches_of_indexes_and_no_table_as_a_whole(small: Database) -> None:
    steps = plans(small, lambda connection: views.case_view(connection, PK, PK_OPEN, now=NOW))
    assert any("ix_journal_case" in step for step in steps)
    assert not whole_tables(steps)


def test_long_worklist_is_counted_up_to_a_bound_and_says_so(engine: Database) -> None:
    filled(Seed(engine=engine))
    many(engine, MOST + PAGE_ROWS)
    with reading(engine) as connection:
        found = worklist_page(connection, PK, now=NOW)
        assert found.counts["todo"] == found.counts["all"] == MOST
        assert {"todo", "all"} <= found.more
        assert "waiting" not in found.more
        assert found.lines[0].id == FIRST, "what is due first stands first, though it is the oldest"
        assert [line.id for line in found.lines] == list(range(FIRST, FIRST + PAGE_ROWS))


def test_page_behind_the_bound_can_be_reached(engine: Database) -> None:
    filled(Seed(engine=engine))
    many(engine, MOST + PAGE_ROWS)
    with reading(engine) as connection:
        behind = worklist_page(connection, PK, now=NOW, page=MOST // PAGE_ROWS + 1)
    assert behind.lines
    assert {line.id for line in behind.lines} >= {FIRST + MOST}
    assert "todo" not in behind.more, "all of them are counted now"


@pytest.mark.parametrize("show", worklist.FILTERS)
def test_candidates_are_the_cases_that_the_filter_keeps_however_a_case_stands(engine: Database, show: str) -> None:
    """The statement for what stands somewhere is another one on PostgreSQL, and says less than the filter."""
    ways = list(product(Role, (False, True), State, ("plain", "held", "ours", "theirs")))
    with transaction(engine) as tx:
        for number, (role, suspended, state, beside) in enumerate(ways, FIRST):
            add_case(tx, number, "PK-MOI", "AT-BMI", role, state, reference=f"WAY{number:023}", suspended=suspended)
            if beside == "held":
                add_hold(tx, number, "no-statement")
            elif beside != "plain":
                add_deadline(tx, number, NOW.date(), ours=beside == "ours")
    with reading(engine) as connection:
        wanted = set(connection.execute(select(t.cases.c.id).where(worklist.FILTERS[show])).scalars())
        assert wanted
        assert set(worklist.candidates(connection, "PK-MOI", show, len(ways) + 1)) == wanted
        assert worklist.candidates(connection, "AT-BMI", show, 10) == []


def test_candidates_end_at_what_was_asked_for(engine: Database) -> None:
    filled(Seed(engine=engine))
    many(engine, 40)
    with reading(engine) as connection:
        assert worklist.candidates(connection, "PK-MOI", "todo", 10)[:10] == list(range(FIRST, FIRST + 10))
        assert set(worklist.candidates(connection, "PK-MOI", "todo", 100)) >= {FIRST + 39, PK_OPEN}
