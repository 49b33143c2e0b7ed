"""What was said of a thing last, so that it is said once, however many watches run."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from gateway.store.told_tables import told


def last(tx: Connection) -> Mapping[str, str]:
    """Return what was said last, by subject."""
    return {row.subject: row.said for row in tx.execute(select(told.c.subject, told.c.said))}


def say(tx: Connection, subject: str, said: str, at: datetime, *, before: str | None) -> bool:
    """Note that `said` is being said of a subject; return False if another watch was faster.

    `before` is what was said last as far as the caller knows, None if nothing ever was.
    """
    if before is not None:
        found = update(told).where(told.c.subject == subject, told.c.said == before).values(said=said, at=at)
        return tx.execute(found).rowcount == 1
    try:
        with tx.begin_nested():
            tx.execute(insert(told).values(subject=subject, said=said, at=at))
    except IntegrityError:
        return False
    return True
