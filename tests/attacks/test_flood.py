"""One sender floods the queue: nothing is answered to a stranger, and the others' messages are taken all the same (row 40)."""

from pathlib import Path

import pytest

from gateway.transport.memory import MemoryHub
from tests.attacks.forged import NOW, forged, keys
from tests.attacks.test_forgeries import sealed_forgery
from tests.conftest import MovableClock
from tests.forging import application, count, outcomes, sealed, take
from tests.gateways import AUTHORITIES, Gateway, make_gateway


@pytest.fixture
def side(tmp_path: Path) -> Gateway:
    clock = MovableClock(NOW)
    return make_gateway(f"sqlite:///{tmp_path / 'side.sqlite3'}", keys(), clock, home=AUTHORITIES, hub=MemoryHub(clock))


def test_flood_of_forgeries_leaves_no_answer_but_the_good_message_is_taken(
    side: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    flood = [sealed_forgery(name, side.rt, monkeypatch) for name in list(forged())[:60]]
    good = sealed(side.rt, application(NOW), NOW)
    answers = take(side.rt, *flood[:30], good, *flood[30:])
    assert outcomes(answers)[30] == ("accepted", None)
    assert {outcome for outcome, _ in outcomes(answers[:30] + answers[31:])} == {"refused"}
    held = count(side.rt.engine)
    assert (held["cases"], held["messages"]) == (1, 2)  # the application, and the one receipt for it
    assert held["outbox"] == 1
    side.rt.engine.dispose()


def test_flood_of_one_message_takes_effect_once(side: Gateway) -> None:
    good = sealed(side.rt, application(NOW), NOW)
    for _ in range(5):
        take(side.rt, *[good] * 40)
    assert count(side.rt.engine, "cases", "deadlines", "inbox")["cases"] == 1
    assert count(side.rt.engine, "inbox")["inbox"] == 1
    side.rt.engine.dispose()


def test_refused_chains_of_certificates_are_not_kept_in_memory(side: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    before = len(side.rt.trust.loaded().verdicts)
    for name in [name for name in forged() if name.startswith("certificate_")]:
        take(side.rt, sealed_forgery(name, side.rt, monkeypatch))
    assert len(side.rt.trust.loaded().verdicts) <= before + 2  # BA-MS and PK-MOI at most
    side.rt.engine.dispose()
