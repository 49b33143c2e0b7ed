"""Change the clock in one small way at a time and see whether a test notices.

    python scripts/mutate.py [--only WORD] [--seconds N]

Each mutant is one changed operator, constant or condition of a module in `MODULES`. The tests run on it in a forked
process, with a time limit; nothing is written. A mutant that no test notices is printed: it is either a missing test
or equivalent, and then `docs/mutation.md` lists it with its reason. Exit code 1 if one is neither noticed nor listed.
"""

import argparse
import ast
import copy
import importlib.abc
import importlib.util
import os
import re
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "mutation.md"
MODULES = ("gateway.domain.counting", "gateway.domain.readings", "gateway.domain.deadlines")
CLOCK = "tests/unit/clock"
SLOW = ("test_walks.py", "test_properties.py")  # drawn at random: run only on what the others do not notice

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
}
CALLS = {"min": "max", "max": "min", "any": "all", "all": "any"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One changed module."""

    module: str
    where: str  # the function
    line: int
    before: str
    after: str
    code: CodeType

    @property
    def name(self) -> str:
        """Return how `docs/mutation.md` names it: without the line, which moves."""
        return f"{self.module.rpartition('.')[2]}.{self.where}: {self.before} -> {self.after}"


# --- making mutants -------------------------------------------------------------------------------------------------


def changes(node: ast.AST) -> Iterator[ast.AST]:
    """Return what may stand in place of `node`."""
    match node:
        case ast.Compare(ops=ops):
            yield from _compared(node, ops)
        case ast.BoolOp(op=op):
            yield _with(node, op=ast.Or() if isinstance(op, ast.And) else ast.And())
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield operand
        case ast.BinOp(op=op) | ast.AugAssign(op=op) if type(op) in ARITHMETIC:
            yield _with(node, op=ARITHMETIC[type(op)]())
        case ast.Constant(value=bool(value)):
            yield ast.Constant(value=not value)
        case ast.Constant(value=int(value)):
            yield from (ast.Constant(value=value + 1), ast.Constant(value=value - 1))
        case ast.Call(func=ast.Name(id=name)) if name in CALLS:
            yield _with(node, func=ast.Name(id=CALLS[name], ctx=ast.Load()))
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test) if not isinstance(test, ast.Compare):
            yield _with(node, test=ast.UnaryOp(op=ast.Not(), operand=test))
        case ast.comprehension(ifs=[test]) if not isinstance(test, ast.Compare):
            yield _with(node, ifs=[ast.UnaryOp(op=ast.Not(), operand=test)])


def _compared(node: ast.Compare, ops: Sequence[ast.cmpop]) -> Iterator[ast.AST]:
    for place, op in enumerate(ops):
        for other in COMPARISONS[type(op)]:
            yield _with(node, ops=[*ops[:place], other(), *ops[place + 1 :]])
    for place, value in enumerate(node.comparators):
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            other_word = ast.Constant(value=f"no {value.value}")
            yield _with(node, comparators=[*node.comparators[:place], other_word, *node.comparators[place + 1 :]])


def _with(node: ast.AST, **fields: object) -> ast.AST:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


Way = tuple[tuple[str, int | None], ...]  # from the module down: field, place in its list


def sites(tree: ast.AST, path: Way = (), where: str = "module") -> Iterator[tuple[ast.AST, Way, str]]:
    """Return every node that may be changed, the way to it, and the function it stands in.

    Sentences, asserts, decorators and the `strict` of a zip stay as they are: they move no date.
    """
    for field, value in ast.iter_fields(tree):
        if field == "decorator_list" or (isinstance(tree, ast.keyword) and tree.arg == "strict"):
            continue
        for place, child in enumerate(value) if isinstance(value, list) else ((None, value),):
            if not isinstance(child, ast.AST) or isinstance(child, ast.JoinedStr | ast.Assert):
                continue
            name = child.name if isinstance(child, ast.FunctionDef | ast.ClassDef) else where
            way = (*path, (field, place))
            yield child, way, name
            yield from sites(child, way, name)


def mutants(module: str) -> Iterator[Mutant]:
    """Return every mutant of a module."""
    path = ROOT / (module.replace(".", "/") + ".py")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node, way, where in sites(tree):
        for change in changes(node):
            changed = copy.deepcopy(tree)
            parent: object = changed
            for field, place in way[:-1]:
                parent = getattr(parent, field) if place is None else getattr(parent, field)[place]
            field, place = way[-1]
            if place is None:
                setattr(parent, field, ast.copy_location(change, node))
            else:
                getattr(parent, field)[place] = ast.copy_location(change, node)
            code = compile(ast.fix_missing_locations(changed), str(path), "exec")
            line = getattr(node, "lineno", 0)
            yield Mutant(module=module, where=where, line=line, before=_text(node), after=_text(change), code=code)


def _text(node: ast.AST) -> str:
    """Return a node as one line; of a statement with a body, its head."""
    return ast.unparse(node).partition("\n")[0]


# --- running tests on them ------------------------------------------------------------------------------------------


class Swap(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives the changed module to whoever imports it."""

    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:  # noqa: ARG002 - the interface
        """Answer for the one module only."""
        return importlib.util.spec_from_loader(name, self) if name == self.mutant.module else None

    def exec_module(self, module: ModuleType) -> None:
        """Run the changed code in place of the file's."""
        exec(self.mutant.code, module.__dict__)  # noqa: S102 - this repository's own source, changed by one node


def noticed(mutant: Mutant | None, tests: Sequence[str], seconds: float) -> bool:
    """Return whether a test fails on the mutant, or does not end in time. None: the code as it is."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = _run(mutant, tests)
        finally:
            os._exit(code)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) != 0
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


def _run(mutant: Mutant | None, tests: Sequence[str]) -> int:
    if mutant is not None:
        sys.meta_path.insert(0, Swap(mutant))
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    settings.register_profile("mutation", max_examples=40, deadline=None, derandomize=True, database=None)
    settings.load_profile("mutation")
    return int(pytest.main(["-x", "-q", "--assert=plain", "-p", "no:cacheprovider", *tests]))


def listed() -> set[str]:
    """Return the names of the mutants that the page calls equivalent."""
    return set(re.findall(r"^\| `([^`]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)) if PAGE.exists() else set()


def main() -> int:
    """Try every mutant; print those that no test notices."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    options.add_argument("--only", default="", help="only mutants whose name holds this word")
    options.add_argument("--seconds", type=float, default=60, help="time limit of the tests on one mutant")
    asked = options.parse_args()
    sys.path.insert(0, str(ROOT))
    os.chdir(ROOT)
    quick = sorted(str(path) for path in Path(CLOCK).glob("test_*.py") if path.name not in SLOW)
    slow = [f"{CLOCK}/{name}" for name in SLOW]
    if noticed(None, [*quick, *slow], 10 * asked.seconds):
        sys.exit("the tests fail on the code as it is")
    equivalent, survivors, count = listed(), [], 0
    for mutant in (one for module in MODULES for one in mutants(module) if asked.only in one.name):
        count += 1
        if not noticed(mutant, quick, asked.seconds) and not noticed(mutant, slow, asked.seconds):
            survivors.append(mutant)
            known = " (equivalent, as listed)" if mutant.name in equivalent else ""
            print(f"line {mutant.line}, {mutant.name}{known}", flush=True)
    new = [mutant for mutant in survivors if mutant.name not in equivalent]
    print(f"{count} mutants, {count - len(survivors)} noticed, {len(survivors) - len(new)} equivalent, {len(new)} to look at")
    return 1 if new else 0


if __name__ == "__main__":
    sys.exit(main())
