"""How a home authority is connected: what it must be given, and what it hands in."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from gateway.errors import Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One message for a home authority, translated into its own dialect."""

    sender: str  # authority; its message ids are unique, those of two senders together need not be
    message_id: str
    type: str
    media_type: str  # of one of the formats
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """One document that an authority handed in."""

    name: str  # how the edge finds it again
    body: bytes
    refusal: Refused | None = None  # it could not be taken, and is to be answered with this


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectedFile:
    """One attachment that an authority handed in, ahead of the document that names it."""

    name: str  # how the edge finds it again
    parts: Iterator[bytes]  # its bytes, a few at a time; raises `Unavailable`
    refusal: Refused | None = None  # it could not be taken, and is to be answered with this


class Edge(Protocol):
    """The connection to one home authority. It never interprets a message.

    Handing over the same item twice is harmless; what was collected is offered again until it is answered. One process at a
    time uses it, from one thread at a time.
    """

    def hand_over(self, item: Item) -> bool:
        """Give `item` to the authority. True: it has it; False: it waits until the authority fetches it.

        Raises `EdgeUnavailable` when the authority's side cannot be reached, `EdgeFailed` when it failed over this item, and
        `EdgeRefused` when it will not take it.
        """
        ...

    def hand_over_file(self, name: str, parts: Iterator[bytes]) -> None:
        """Give an attachment to the authority, before the message that names it. Raises as `hand_over`.

        Where the authority fetches by itself nothing is done, and `parts` is not looked at.
        """
        ...

    def collect_files(self) -> Sequence[CollectedFile]:
        """Return the attachments that were handed in and not yet answered. To be asked before `collect`."""
        ...

    def answer_file(self, collected: CollectedFile, result: Mapping[str, Any]) -> None:
        """Tell the authority what became of an attachment; `result["outcome"]` is sent (it is here) or refused."""
        ...

    def collect(self) -> Sequence[Collected]:
        """Return the documents that were handed in and not yet answered."""
        ...

    def answer(self, collected: Collected, result: Mapping[str, Any]) -> None:
        """Tell the authority what became of a document it handed in; `result["outcome"]` is sent, held or refused."""
        ...

    def examine(self) -> str:
        """Say what is found at the authority's side; nothing is handed over. Raises `EdgeUnavailable`, `Misconfigured`."""
        ...

    def close(self) -> None:
        """Let go of connections; what was collected and not answered is offered to whoever comes next."""
        ...
