"""docs/journal.md names every event of the journal, and no other."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EVENT = re.compile(r"[a-z]+(?:-[a-z]+)*\.[a-z_]+")
ROW = re.compile(r"^\| ((?:`[^`]+`(?:, )?)+) \|", re.MULTILINE)


def told() -> set[str]:
    """Return the events in the first column of the table."""
    page = (ROOT / "docs" / "journal.md").read_text("utf-8")
    return {event for cell in ROW.findall(page) for event in EVENT.findall(cell)}


def written() -> set[str]:
    """Return the text given as `event` anywhere in the code, and the constants that stand for one."""
    found: set[str] = set()
    for path in (ROOT / "gateway").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.keyword(arg="event", value=ast.Constant(value=str(event))):
                    found.add(event)
                case ast.Assign(targets=[ast.Name(id="EVENT" | "SIGN_IN_REFUSED" | "event")], value=value):
                    found |= {each.value for each in ast.walk(value) if isinstance(each, ast.Constant)}
                case ast.Call(
                    func=ast.Attribute(attr="note") | ast.Name(id="_entry" | "_record"),
                    args=[_, ast.Constant(value=str(event)), *_],
                ):
                    found.add(event)
    return {event for event in found if isinstance(event, str) and EVENT.fullmatch(event)}


def test_page_names_every_event_of_the_code() -> None:
    assert written() - told() == set()


def test_page_names_no_event_that_nobody_writes() -> None:
    code = "".join(path.read_text("utf-8") for path in (ROOT / "gateway").rglob("*.py"))
    assert {event for event in told() if f'"{event}"' not in code} == set()
    assert len(told()) > 25
