"""How much is taken in of one sender: what is beyond its limit comes again later, and the others of the queue have their turn.

The queue of a home authority holds all senders in one row. A limit (`taken_per_minute` in a partner's `[pace]`) is counted by
each process for itself, from what the transport says of the sender: nothing is decided by it but when a message is taken.
Order within what was fetched needs no care: it is saved by one commit, and nobody in it waits for another.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from gateway.partners import Partners
from gateway.transport.port import Delivery

MINUTE = timedelta(minutes=1)


class Floodgate:
    """What one process took in of each sender in this minute."""

    def __init__(self) -> None:
        self._since: datetime | None = None
        self._taken: Counter[str] = Counter()

    def divide(
        self, deliveries: Sequence[Delivery], partners: Partners, now: datetime
    ) -> tuple[Sequence[Delivery], Sequence[Delivery]]:
        """Return what is taken in now, and what is for later: once a sender is over its limit, all that follows of it."""
        limits = {code: one.pace.taken_per_minute for code, one in partners.partners.items() if one.pace.taken_per_minute}
        if not limits:
            return deliveries, ()
        if self._since is None or not timedelta() <= now - self._since < MINUTE:
            self._since = now
            self._taken.clear()
        taken: list[Delivery] = []
        later: list[Delivery] = []
        for delivery in deliveries:
            known = partners.authorities.get(delivery.sender)
            most = limits.get(known.partner) if known else None
            if most is not None and self._taken[delivery.sender] >= most:
                later.append(delivery)
                continue
            if most is not None:
                self._taken[delivery.sender] += 1
            taken.append(delivery)
        return taken, later
