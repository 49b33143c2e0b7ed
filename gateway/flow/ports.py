"""What the walks need around them. `wiring` builds it once; nothing here knows how."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from gateway.domain.calendars import Calendar, Side
from gateway.domain.case import Case
from gateway.domain.treaties import Treaty, treaty_between
from gateway.errors import NotHome
from gateway.partners import Partners
from gateway.settings import Settings
from gateway.store.database import Database
from gateway.transport.port import Transport
from gateway.trust.certificates import TrustStore
from gateway.trust.keys import KeyRing
from gateway.trust.vault import Vault
from gateway.wire.allowed import AllowedFields
from gateway.wire.schema import SchemaSet
from gateway.wire.translate import Translator

Clock: TypeAlias = Callable[[], datetime]


class Bell:
    """Wakes the delivery loop of this process when something was put into the outbox. A missed ring costs one poll."""

    def __init__(self) -> None:
        self._event: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def ring(self) -> None:
        """Wake the waiting loop; safe from any thread, harmless when nobody waits."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """One running gateway."""

    settings: Settings
    clock: Clock
    engine: Database
    partners: Partners
    treaties: Mapping[str, Treaty]
    calendars: Mapping[str, Calendar]
    schemas: SchemaSet
    allowed: AllowedFields
    translators: Mapping[str, Translator]  # by dialect id
    ring: KeyRing
    trust: TrustStore
    vault: Vault
    transport: Transport
    bell: Bell = field(default_factory=Bell)

    def is_home(self, authority: str) -> bool:
        return authority in self.settings.home

    def require_home(self, authority: str) -> None:
        """Raise `NotHome` for an authority of another gateway."""
        if not self.is_home(authority):
            raise NotHome(f"this gateway is not home to {authority}")

    def translator(self, authority: str) -> Translator:
        """Return the translator of the authority's own dialect."""
        return self.translators[self.partners.authority(authority).dialect]

    def treaty(self, treaty_id: str, requesting: str, requested: str) -> Treaty:
        """Return the rules that hold between the states of two authorities, a protocol laid over its agreement.

        Raises `UnknownTreaty`: a case never runs without its rules.
        """
        return treaty_between(self.treaties, treaty_id, requesting[:2], requested[:2])

    def rules_of(self, case: Case) -> Treaty:
        """Return the rules of a case."""
        return self.treaty(case.treaty, case.requesting, case.requested)

    def side(self, authority: str) -> Side:
        """Return an authority's side of the clock: its state, and the calendar that its folder names."""
        known = self.partners.authorities.get(authority)
        return Side.of(authority[:2], self.calendars, known.calendar if known else None)
