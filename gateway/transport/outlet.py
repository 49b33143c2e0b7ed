"""The publishing side towards one broker: one connection, made when it is first needed and made anew after a loss."""

import asyncio
from collections.abc import Sequence

from gateway.errors import BrokerUnavailable, GatewayError
from gateway.log import logger
from gateway.transport.lines import Dialler, Line
from gateway.transport.publisher import Outgoing, WindowPublisher

_FRAME_BYTES = 131_072  # where the broker names no largest frame


class Outlet:
    """One broker that is published to. What happens to it is no other outlet's trouble."""

    def __init__(self, dialler: Dialler, *, timeout_seconds: float) -> None:
        """`timeout_seconds` bounds each call."""
        self._dialler = dialler
        self._timeout = timeout_seconds
        self._making = asyncio.Lock()
        self._mending: asyncio.Task[None] | None = None
        self._troubled = False  # whether the last attempt to publish or to connect failed as a whole
        self._log = logger("transport").bind(transport="rabbitmq")
        self.made: tuple[Line, WindowPublisher] | None = None

    def examine(self) -> None:
        """Raise `Misconfigured` when certificates or keys cannot be used."""
        self._dialler.examine()

    async def open(self) -> tuple[Line, WindowPublisher]:
        """Return the connection, made anew where it was lost. Raises `BrokerUnavailable`."""
        async with self._making:
            if self.made is not None and self.made[1].usable:
                return self.made
            if self.made is not None:
                self._log.warning("connection.lost", direction="out")
                lost, self.made = self.made[0], None
                await self._dialler.give_up(lost)
            line = await self._dialler.dial("out")
            frame_bytes = line.wire.connection.connection_tune.frame_max or _FRAME_BYTES
            self.made = line, WindowPublisher(line.wire, frame_bytes=frame_bytes, user=self._dialler.user)
            self._troubled = False
            return self.made

    async def publish(self, messages: Sequence[Outgoing], *, patient: bool) -> list[GatewayError | None]:
        """Publish messages; return one answer each, as `WindowPublisher.publish` does.

        Not `patient`: after a failure nobody waits for the next connection. It is made beside, and until then each message
        is answered at once.
        """
        if self._troubled and not patient and not self._ready:
            if self._mending is None or self._mending.done():
                self._mending = asyncio.create_task(self._mend())
            return [BrokerUnavailable("the broker was not reached; another attempt is under way")] * len(messages)
        try:
            _, publisher = await self.open()
        except BrokerUnavailable as error:
            self._troubled = True
            return [error] * len(messages)
        answers = await publisher.publish(messages, self._timeout)
        self._troubled = not publisher.usable
        return answers

    async def close(self) -> None:
        """End the connection."""
        if self._mending is not None:
            self._mending.cancel()
            await asyncio.wait([self._mending])
        made, self.made = self.made, None
        if made is not None:
            await self._dialler.hang_up(made[0].connection)

    @property
    def _ready(self) -> bool:
        return self.made is not None and self.made[1].usable

    async def _mend(self) -> None:
        try:
            await self.open()
        except BrokerUnavailable as error:
            self._log.warning("connection.failed", direction="out", code=error.code)
