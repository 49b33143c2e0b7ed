"""A figure beside its goal, and beside the prototype's where there is one: for results.json, and as a table."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rich.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured figure; less is better, unless it is to be at least its goal."""

    measured: float
    goal: float
    prototype: float | None = None
    at_least: bool = False

    @property
    def met(self) -> bool:
        return self.measured >= self.goal if self.at_least else self.measured <= self.goal

    def as_dict(self) -> dict[str, Any]:
        """Return the row of results.json."""
        return asdict(self) | {"met": self.met}


def drawn(title: str, figures: Mapping[str, Figure]) -> Table:
    """Return figures as a table; what misses its goal is red."""
    table = Table(title.lower(), "measured", "prototype", "goal", title=title)
    for name, figure in figures.items():
        colour = "green" if figure.met else "red"
        beside = "" if figure.prototype is None else str(figure.prototype)
        table.add_row(
            name, f"[{colour}]{figure.measured}[/]", beside, f"at {'least' if figure.at_least else 'most'} {figure.goal}"
        )
    return table
