"""The authority's system fetches over REST, its officers read on a page: a message waits in the inbox until then."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gateway.edge.port import Collected, CollectedFile, Item


class PullEdge:
    """Holds nothing itself: the inbox of the database is the waiting place."""

    def hand_over(self, item: Item) -> bool:
        """Leave the item in the inbox."""
        del item
        return False

    def hand_over_file(self, name: str, parts: Iterator[bytes]) -> None:
        """Do nothing: the authority asks for an attachment by the digest that stands in the message."""

    def collect_files(self) -> Sequence[CollectedFile]:
        """Return nothing: attachments are handed in by call."""
        return ()

    def answer_file(self, collected: CollectedFile, result: Mapping[str, Any]) -> None:
        """Never called, since nothing is collected."""

    def collect(self) -> Sequence[Collected]:
        """Nothing is collected: the authority calls."""
        return ()

    def answer(self, collected: Collected, result: Mapping[str, Any]) -> None:
        """The call itself is answered where it was made."""
        del collected, result
