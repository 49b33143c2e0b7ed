"""The short soak: what `make soak` does at length. docs/soak.md says what is injected and checked."""

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.errors import BrokerMissing
from gateway.transport.installed import find_server
from tests.conftest import without_rabbitmq

ROOT = Path(__file__).resolve().parents[2]
SEED = 20261126


@pytest.mark.postgres
@pytest.mark.rabbitmq
@pytest.mark.timeout(900)
def test_nothing_is_lost_and_nothing_doubled_while_everything_fails(tmp_path: Path) -> None:
    if find_server() is None:  # fails where RabbitMQ is required
        without_rabbitmq(BrokerMissing("the soak needs a node of its own"))
    out = tmp_path / "soak.json"
    done = subprocess.run(
        [sys.executable, "-m", "soak", "--short", "--seed", str(SEED), "--out", str(out)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (ROOT / "benchmarks", ROOT)))},
        capture_output=True,
        encoding="utf-8",
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(out.read_text(encoding="utf-8"))
    assert found["kills"] > 0
    assert found["accepted"] == found["delivered"] > 0
    assert not any(found[name] for name in ("lost", "doubled", "receipts_without_message", "messages_without_receipt"))


# --- the books are judged by a function that can say no ------------------------------------------------------------------


class Books:
    """One application of AT-BMI that reached RS-MUP and was receipted, in both books; a test spoils something."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.syspath_prepend(ROOT / "benchmarks")
        books, systems = importlib.import_module("soak.books"), importlib.import_module("soak.systems")
        self._judge = importlib.import_module("soak.invariants").judge
        self.told = systems.Accepted(key="application-1", sender="AT-BMI", message_id="m", case="c", at=0.0)
        self.ledger = systems.Ledger(wanted={"application-1"}, accepted={"application-1": self.told})
        receipt = SimpleNamespace(message_id="r", digest="receipt")
        self.line = books.Line(message_id="m", digest="d", accepted=True)
        self.sent = SimpleNamespace(id=1, message_id="m", digest="d", outcome="received", receipt_message_id="r")
        self.taken = SimpleNamespace(id=7, digest="d", outcome="accepted", code=None, receipt_message_id="r")
        cases = [SimpleNamespace(id=number, counterparty="-", state="agreed") for number in (1, 2)]
        self.west = books.Book(authority="AT-BMI", out={"m": self.sent}, receipts_in={"r": receipt}, cases={"c": cases[0]})
        self.east = books.Book(authority="RS-MUP", come={"m": [self.taken]}, receipts_out={"r": receipt}, cases={"c": cases[1]})
        self.east.lines.append(self.line)
        self.east.inbox[7] = self.east.said["m"] = 1

    def verdict(self) -> Any:
        return self._judge(self.ledger, self.ledger.known(), [self.west, self.east], whole=True)


def _nothing(_: Books) -> None:
    return


def _never_came(books: Books) -> None:
    books.east.come.clear()
    books.east.lines.clear()


def _in_the_inbox_twice(books: Books) -> None:
    books.east.inbox[7] = 2


def _journalled_twice(books: Books) -> None:
    books.east.said["m"] = 2


def _nobody_was_told(books: Books) -> None:
    books.west.out["other"] = books.sent


def _no_receipt_back(books: Books) -> None:
    books.west.receipts_in.clear()


def _receipt_does_not_name_it(books: Books) -> None:
    books.east.lines.clear()


def _receipt_for_other_bytes(books: Books) -> None:
    books.east.lines[:] = [replace(books.line, digest="other")]


def _receipt_for_nothing(books: Books) -> None:
    books.east.lines.append(replace(books.line, message_id="unknown"))


SPOILED: dict[Callable[[Books], None], list[str]] = {
    _nothing: [],
    _never_came: ["lost: m"],
    _in_the_inbox_twice: ["doubled: m"],
    _journalled_twice: ["doubled: m"],
    _nobody_was_told: ["doubled: other"],
    _no_receipt_back: ["message without receipt: m"],
    _receipt_does_not_name_it: ["message without receipt: m"],
    _receipt_for_other_bytes: ["receipt without message: m"],
    _receipt_for_nothing: ["receipt without message: unknown"],
}


@pytest.mark.parametrize("spoil", SPOILED, ids=lambda spoil: spoil.__name__.strip("_"))
def test_a_book_that_does_not_agree_is_found(monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Books], None]) -> None:
    books = Books(monkeypatch)
    spoil(books)
    assert books.verdict().sentences() == SPOILED[spoil]


def _receipted_twice(books: Books) -> None:
    books.east.lines.append(books.line)


def _other_digest(books: Books) -> None:
    books.sent.digest = "other"


def _cases_differ(books: Books) -> None:
    books.east.cases["c"].state = "requested"


def _case_is_missing(books: Books) -> None:
    books.east.cases.clear()


def _deadlines_differ(books: Books) -> None:
    books.east.deadlines[2] = {("reply",)}


def _left_in_the_outbox(books: Books) -> None:
    books.west.outbox.append(SimpleNamespace(message_id="m", recipient="RS-MUP"))


def _left_as_too_early(books: Books) -> None:
    books.east.early.append(SimpleNamespace(message_id="m"))


def _never_answered(books: Books) -> None:
    books.ledger.wanted.add("application-2")


def _refused_to_a_system(books: Books) -> None:
    books.ledger.refused.append("application-3: 422")


@pytest.mark.parametrize(
    "spoil",
    [
        _receipted_twice,
        _other_digest,
        _cases_differ,
        _case_is_missing,
        _deadlines_differ,
        _left_in_the_outbox,
        _left_as_too_early,
        _never_answered,
        _refused_to_a_system,
    ],
    ids=lambda spoil: spoil.__name__.strip("_"),
)
def test_whatever_else_is_wrong_is_one_sentence_or_more(
    monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Books], None]
) -> None:
    books = Books(monkeypatch)
    spoil(books)
    assert books.verdict().others
