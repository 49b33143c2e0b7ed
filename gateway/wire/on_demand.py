"""What is made when it is first asked for: most message types are rare, most formats other gateways', and each costs memory."""

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

Made = TypeVar("Made")


class OnDemand(Mapping[str, Made]):
    """One value for each kind, made when it is first asked for. Two threads may make it twice; both are the same."""

    def __init__(self, kinds: Mapping[str, object], make: Callable[[str], Made]) -> None:
        self._kinds, self._make = kinds, make
        self._made: dict[str, Made] = {}

    def __getitem__(self, kind: str) -> Made:
        if kind not in self._made:
            if kind not in self._kinds:
                raise KeyError(kind)
            self._made[kind] = self._make(kind)
        return self._made[kind]

    def __iter__(self) -> Iterator[str]:
        return iter(self._kinds)

    def __len__(self) -> int:
        return len(self._kinds)

    def made(self) -> tuple[str, ...]:
        """Return the kinds whose value was asked for before."""
        return tuple(self._made)
