"""The voice of the demonstration: its steps on the screen, or gathered for JSON."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape


@dataclass(slots=True)
class Teller:
    """Prints the story; silent when the story is wanted as JSON."""

    out: Console | None
    steps: list[dict[str, Any]] = field(default_factory=list)
    count: int = 0

    def line(self, text: str) -> None:
        if self.out:
            self.out.print(text)

    def act(self, number: int, title: str) -> None:
        self.steps, self.count = [], 0
        if self.out:
            self.out.print()
            self.out.print(f"[bold]Act {number}. {escape(title)}[/]")

    def step(self, at: datetime, who: str, what: str, *details: str, **facts: Any) -> None:
        """Tell one step: when, who, what, and what can be checked."""
        self.count += 1
        self.steps.append({"step": self.count, "at": at.isoformat(), "who": who, "what": what, **facts})
        if self.out:
            self.out.print(f"[bold]{self.count:>2}[/]  {at:%H:%M:%S.%f}"[:-3] + f"  [cyan]{who:<7}[/] {escape(what)}")
            for detail in details:
                self.out.print(f"                           [dim]{escape(detail)}[/]")

    def end(self, out: Path) -> None:
        """Say what lies where."""
        if self.out:
            files = sorted(path for folder in out.glob("act-*") for path in folder.rglob("*") if path.is_file())
            self.out.print()
            self.out.print(f"{len(files)} documents are in {out}/, for example:")
            for path in files[:4]:
                self.out.print(f"  {path}")
            signed = next((path for path in files if "signed" in path.name), None)
            if signed:
                self.out.print(f"Check one yourself:  gateway verify {signed}")
            case_file = next((path for path in files if path.suffix == ".asice"), None)
            if case_file:
                self.out.print(f"A whole case:        gateway verify-case {case_file}")
            settings = next(iter(sorted(out.glob("gateway/*.toml"))), None)
            if settings:
                self.out.print(f"What was played on:  gateway case list --config {settings}")
