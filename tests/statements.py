"""What is said to a database: each statement before it runs, whichever way it goes to the driver."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from sqlalchemy import Connection, Engine, event

from gateway.store import driver


@contextmanager
def before_each_statement(engine: Engine, tell: Callable[[str, Any], None]) -> Iterator[None]:
    """Call `tell` with each statement on `engine` and its values; what it raises, the statement fails with.

    On PostgreSQL two are not seen: COPY, which many rows take, and the question for the end of the journal.
    """
    execute = driver.execute

    def by_driver(tx: Connection, statement: str, values: Any = ()) -> Any:
        if tx.engine is engine:
            tell(statement, values)
        return execute(tx, statement, values)

    def by_library(_connection: Any, _cursor: Any, statement: str, values: Any, *_more: Any) -> None:
        tell(statement, values)

    event.listen(engine, "before_cursor_execute", by_library)
    try:
        with mock.patch.object(driver, "execute", by_driver):
            yield
    finally:
        event.remove(engine, "before_cursor_execute", by_library)
