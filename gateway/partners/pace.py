"""How much a partner takes and sends: the table `[pace]` of its partner.toml. Without a key there is no limit.

    [pace]
    sent_per_second = 20      # messages to each of its authorities; a number below 1 is one in so many seconds
    sent_per_day = 50000      # the same, from midnight to midnight UTC
    taken_per_minute = 6000   # messages from each of its authorities that one process of ours takes in; the rest comes later

What is over a limit waits and is shown; nothing is dropped.
"""

import math

from gateway.domain.pace import Pace
from gateway.partners.fields import Table

_KEYS = {"sent_per_second", "sent_per_day", "taken_per_minute"}


def read_pace(table: Table) -> Pace:
    """Read the table `[pace]`; a missing or empty one gives no limits. Refuses by file and key."""
    table.only(_KEYS)
    return Pace(
        sent_per_second=_rate(table, "sent_per_second"),
        sent_per_day=_count(table, "sent_per_day"),
        taken_per_minute=_count(table, "taken_per_minute"),
    )


def _rate(table: Table, key: str) -> float | None:
    value = table.values.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value <= 0:
        raise table.refuse(key, "is not a number above 0")
    return float(value)


def _count(table: Table, key: str) -> int | None:
    value = table.values.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise table.refuse(key, "is not a whole number of at least 1")
    return value
