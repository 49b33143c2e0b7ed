"""How a home authority is connected: what it must be given, and what it hands in."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One message for a home authority, translated into its own dialect."""

    message_id: str
    type: str
    media_type: str  # of one of the formats
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """One document that an authority handed in."""

    name: str  # how the edge finds it again
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectedFile:
    """One attachment that an authority handed in, ahead of the document that names it."""

    name: str  # how the edge finds it again
    parts: Iterator[bytes]  # its bytes, a few at a time; raises `Unavailable`


class Edge(Protocol):
    """The connection to one home authority. It never interprets a message.

    Handing over the same item twice is harmless; what was collected is offered again until it is answered.
    """

    def hand_over(self, item: Item) -> bool:
        """Give `item` to the authority. True: it has it; False: it waits until the authority fetches it.

        Raises `Unavailable` when the authority's side cannot be reached.
        """
        ...

    def hand_over_file(self, name: str, parts: Iterator[bytes]) -> None:
        """Give an attachment to the authority, before the message that names it. Raises `Unavailable`.

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
