"""How a home authority is connected: what it must be given, and what it hands in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One message for a home authority, translated into its own dialect."""

    message_id: str
    type: str
    media_type: str  # application/xml | application/json
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """One document that an authority handed in."""

    name: str  # how the edge finds it again
    body: bytes


class Edge(Protocol):
    """The connection to one home authority. It never interprets a message.

    Handing over the same item twice is harmless; what was collected is offered again until it is answered.
    """

    def hand_over(self, item: Item) -> bool:
        """Give `item` to the authority. True: it has it; False: it waits until the authority fetches it.

        Raises `Unavailable` when the authority's side cannot be reached.
        """
        ...

    def collect(self) -> Sequence[Collected]:
        """Return the documents that were handed in and not yet answered."""
        ...

    def answer(self, collected: Collected, result: Mapping[str, Any]) -> None:
        """Tell the authority what became of a document it handed in; `result["outcome"]` is sent, held or refused."""
        ...
