"""The turn of one process at the system of a home authority, and the pauses after its failures; both outlive a restart.

Any number of processes may serve edges: at each authority one of them has the turn, so that its messages keep their order and
no document is handed in twice. A turn is renewed when half of it is over; a process that dies loses it by time.
"""

import random
from datetime import datetime, timedelta

from gateway.edge_settings import EdgeSettings
from gateway.errors import EdgeUnavailable, GatewayError, Misconfigured
from gateway.flow.ports import Runtime
from gateway.store import edge_turns
from gateway.store.database import reading, transaction

TURN_SECONDS = 180  # half of it is longer than two attempts to connect and one exchange may take
_DOUBLED_AT_MOST = 20  # beyond that every pause has reached its cap


class Turn:
    """Whether this process may act at an authority's edge now."""

    def __init__(self, authority: str, rt: Runtime, *, by: str) -> None:
        """`by` names this process and no other."""
        self._authority, self._rt, self._by = authority, rt, by
        self._until: datetime | None = None

    def keep(self) -> bool:
        """Take the turn, or renew it; False while another process has it."""
        now = self._rt.clock()
        if self._until is not None and now < self._until - timedelta(seconds=TURN_SECONDS / 2):
            return True
        until = now + timedelta(seconds=TURN_SECONDS)
        with transaction(self._rt.engine) as tx:
            taken = edge_turns.take(tx, self._authority, by=self._by, now=now, until=until)
        self._until = until if taken else None
        return taken

    def due(self) -> bool:
        """Whether the pause after the last failure is over."""
        with reading(self._rt.engine) as tx:
            found = edge_turns.get(tx, self._authority)
        return found is None or found.next_at is None or found.next_at <= self._rt.clock()

    def failed(self, error: GatewayError) -> None:
        """Note a failure of the system, or of this installation towards it; the latter sets no date."""
        now = self._rt.clock()
        with transaction(self._rt.engine) as tx:
            found = edge_turns.get(tx, self._authority)
            assert found is not None
            pause = pause_after(found.attempts, self._rt.settings.edge(self._authority), random.random())  # noqa: S311 - no secret
            asked = error.after_seconds if isinstance(error, EdgeUnavailable) else 0.0
            until = None if isinstance(error, Misconfigured) else now + timedelta(seconds=max(pause, asked))
            edge_turns.set_back(tx, found, code=error.code, now=now, until=until)

    def went_well(self) -> bool:
        """Forget earlier failures; return whether there were any."""
        with reading(self._rt.engine) as tx:
            found = edge_turns.get(tx, self._authority)
        if found is None or found.code is None:
            return False
        with transaction(self._rt.engine) as tx:
            return edge_turns.clear(tx, self._authority)

    def give_back(self) -> None:
        """Let another process take it at once."""
        if self._until is None:
            return
        self._until = None
        with transaction(self._rt.engine) as tx:
            edge_turns.give_back(tx, self._authority, by=self._by)


def pause_after(failures: int, settings: EdgeSettings, roll: float) -> float:
    """Return the seconds to wait after one failure more than `failures`.

    The pause doubles up to its cap; `roll` (0 to 1) spreads it over its upper half, so that what failed together is not tried
    again together.
    """
    longest: int = min(settings.retry_most_seconds, settings.retry_first_seconds * 2 ** min(failures, _DOUBLED_AT_MOST))
    return longest * (0.5 + 0.5 * roll)
