"""Test functions named in a document or a table: `tests/flow/test_inbound.py::test_repeat_doubles_nothing`."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@cache
def functions(file: str) -> frozenset[str]:
    """Return the test functions that stand in a file; none if there is no such file."""
    path = ROOT / file
    if not path.is_file():
        return frozenset()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds) and node.name.startswith("test_"))


def exists(name: str) -> bool:
    """Tell whether `file::function` is a test."""
    file, _, function = name.partition("::")
    return function in functions(file)
