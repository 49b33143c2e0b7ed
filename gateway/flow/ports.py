"""What the walks need around them. `wiring` builds it once; nothing here knows how."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import SystemRandom
from typing import TypeAlias

from gateway.domain.calendars import Calendar, Side
from gateway.domain.case import Case
from gateway.domain.treaties import Treaty
from gateway.errors import NotHome
from gateway.flow.decision_book import DecisionBook
from gateway.flow.directory import Directory
from gateway.flow.evidence_clock import EvidenceClock
from gateway.partners import Partners
from gateway.settings import Settings
from gateway.store.database import Database
from gateway.store.lines import Line
from gateway.store.outbox import Lease, OutboxRow
from gateway.transport.port import Transport
from gateway.trust.authorities import TimestampAuthority
from gateway.trust.certificates import TrustStore
from gateway.trust.keys import KeyRing
from gateway.trust.vault import Vault
from gateway.wire.allowed import AllowedFields
from gateway.wire.schema import SchemaSet
from gateway.wire.translate import Translator

Clock: TypeAlias = Callable[[], datetime]


LEASE_SECONDS = 60  # longer than the transport's own time limit, so that two processes never send one row at once
_MOST_HANDED = 500  # rows; beyond that they are left for the loop to fetch when it comes to them


class Bell:
    """Wakes the delivery loop of this process when something was put into the outbox. A missed ring costs one poll.

    While the loop listens, rows are written under its lease and handed over after the commit: to read sealed messages back
    from the database costs more than to write them. What is not sent in time is claimed like any row whose lease ended.
    """

    def __init__(self) -> None:
        self._event: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listener: str | None = None
        self._asked = False  # whether rows were written that nobody handed over
        self._handed: deque[tuple[datetime, OutboxRow]] = deque()

    def listen(self, name: str) -> None:
        """Let rows be handed to the delivery loop of this name."""
        self._handed.clear()
        self._listener = name

    def leave(self) -> None:
        """End it; what was handed over and not taken is claimed by somebody when its lease ends."""
        self._listener = None

    def lease(self, now: datetime) -> Lease | None:
        """Return the lease to write rows under, None when nobody listens here or too much lies there already."""
        if self._listener is None or len(self._handed) >= _MOST_HANDED:
            return None
        return Lease(by=self._listener, until=now + timedelta(seconds=LEASE_SECONDS))

    def handed(self, most: int, now: datetime) -> list[OutboxRow]:
        """Return rows that were handed over, oldest first, without those whose lease is half over."""
        fresh = now - timedelta(seconds=LEASE_SECONDS / 2)
        taken = [self._handed.popleft() for _ in range(min(most, len(self._handed)))]
        return [row for at, row in taken if at > fresh]

    def hand(self, rows: Sequence[OutboxRow], at: datetime) -> None:
        """Hand over rows that were written at `at` under a lease from here, and are committed; wake the loop.

        None at all means that rows were written without a lease: the loop is to look.
        """
        self._handed.extend((at, row) for row in rows)
        if rows:
            self._wake()
        else:
            self.ring()

    def ring(self) -> None:
        """Wake the waiting loop to look into the outbox; safe from any thread, harmless when nobody waits."""
        self._asked = True
        self._wake()

    def asked(self) -> bool:
        """Whether somebody rang since this was asked last."""
        asked, self._asked = self._asked, False
        return asked

    def _wake(self) -> None:
        if self._loop is not None and self._event is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._event.set)

    async def wait(self, seconds: float) -> None:
        """Wait for a ring, at most `seconds`."""
        if self._event is None:
            self._event, self._loop = asyncio.Event(), asyncio.get_running_loop()
        try:
            await asyncio.wait_for(self._event.wait(), seconds)
        except TimeoutError:
            return
        self._event.clear()


@dataclass(slots=True)
class LineBook:
    """How the lines to recipients stood when the delivery loop of this process looked last (flow/lines.py)."""

    known: Mapping[str, Line] = field(default_factory=dict)
    troubled: frozenset[str] = frozenset()  # recipients whose last delivery failed
    served: str = ""  # the recipient of which parts of an attachment left last


_CHANCE = SystemRandom()


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """One running gateway."""

    settings: Settings
    clock: Clock
    engine: Database
    directory: Directory  # what the partner folders say
    calendars: Mapping[str, Calendar]
    schemas: SchemaSet
    allowed: AllowedFields
    ring: KeyRing
    trust: TrustStore
    vault: Vault
    transport: Transport
    screen: Callable[[bytes], None] | None = None  # reads foreign bytes first, in a process of its own; raises `Refused`
    authorities: tuple[TimestampAuthority, ...] = ()  # asked for timestamps, in this order
    bell: Bell = field(default_factory=Bell)
    lines: LineBook = field(default_factory=LineBook)
    chance: Callable[[], float] = _CHANCE.random  # from 0 to 1: spreads pauses; the same each time in tests
    evidence: EvidenceClock = field(default_factory=EvidenceClock, init=False, repr=False)
    book: DecisionBook = field(default_factory=DecisionBook, init=False, repr=False)  # what was decided about partners

    @property
    def partners(self) -> Partners:
        """The partners as their folders say now. Another look may find others: take it once for a decision."""
        return self.directory.known.partners

    @property
    def treaties(self) -> Mapping[str, Treaty]:
        """The treaties by id, with the operator's own figures."""
        return self.directory.known.treaties

    @property
    def translators(self) -> Mapping[str, Translator]:
        """The translators by dialect id, compiled when first asked for."""
        return self.directory.known.translators

    def is_home(self, authority: str) -> bool:
        return authority in self.settings.home

    def on_paper(self, authority: str) -> bool:
        """Whether an authority gets its messages on paper: then what proves receipt is that somebody carried them there."""
        known = self.partners.authorities.get(authority)
        return known is not None and known.edge == "paper"

    def require_home(self, authority: str) -> None:
        """Raise `NotHome` for an authority of another gateway."""
        if not self.is_home(authority):
            raise NotHome(f"this gateway is not home to {authority}")

    def translator(self, authority: str) -> Translator:
        """Return the translator of the authority's own dialect."""
        known = self.directory.known
        return known.translators[known.partners.authority(authority).dialect]

    def treaty(self, treaty_id: str, requesting: str, requested: str) -> Treaty:
        """Return the rules that hold between the states of two authorities, a protocol laid over its agreement.

        Raises `UnknownTreaty`: a case never runs without its rules.
        """
        return self.directory.known.treaty(treaty_id, requesting, requested)

    def rules_of(self, case: Case) -> Treaty:
        """Return the rules of a case."""
        return self.treaty(case.treaty, case.requesting, case.requested)

    def side(self, authority: str) -> Side:
        """Return an authority's side of the clock: its state, and the calendar that its folder names."""
        known = self.partners.authorities.get(authority)
        return Side.of(authority[:2], self.calendars, known.calendar if known else None)
