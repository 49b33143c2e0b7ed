"""What edges have in common that only give: the authority hands in by a call of its own, so nothing is collected."""

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.edge.port import Collected, CollectedFile


class GivingEdge:
    """The half of an edge that nothing comes in by."""

    def collect_files(self) -> Sequence[CollectedFile]:
        """Return nothing: attachments are handed in by call."""
        return ()

    def answer_file(self, collected: CollectedFile, result: Mapping[str, Any]) -> None:
        """Never called, since nothing is collected."""

    def collect(self) -> Sequence[Collected]:
        """Return nothing: the authority calls."""
        return ()

    def answer(self, collected: Collected, result: Mapping[str, Any]) -> None:
        """Never called: the call itself is answered where it was made."""

    def close(self) -> None:
        """Nothing is held."""
