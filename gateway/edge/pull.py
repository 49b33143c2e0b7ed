"""Edges that wait: a message stays in the inbox until somebody comes for it.

Over REST the authority's system comes (pull), on the pages its officers (page), and for an authority on paper an officer of the
gateway who prints and sends it (paper).
"""

from collections.abc import Iterator

from gateway.edge.giving import GivingEdge
from gateway.edge.port import Item

WAITING = ("pull", "page", "paper")  # kinds that no loop serves


class PullEdge(GivingEdge):
    """Holds nothing itself: the inbox of the database is the waiting place."""

    def hand_over(self, item: Item) -> bool:
        """Leave the item in the inbox."""
        del item
        return False

    def hand_over_file(self, name: str, parts: Iterator[bytes]) -> None:
        """Do nothing: an attachment is asked for by the digest that stands in the message."""

    def examine(self) -> str:
        """There is nothing to reach."""
        return "fetches by itself"


class PageEdge(PullEdge):
    """The authority's officers read and answer on the pages."""

    def examine(self) -> str:
        """There is nothing to reach."""
        return "reads on the pages"


class PaperEdge(PullEdge):
    """The gateway's officers print and send; a message is acknowledged only when its delivery is recorded."""

    def examine(self) -> str:
        """There is nothing to reach."""
        return "is written to on paper"
