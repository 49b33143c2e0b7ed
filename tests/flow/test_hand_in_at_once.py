"""Requests that are taken as one batch: each has its own answer, and what befalls one is no other's trouble."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from gateway.cli.scene import new_document
from gateway.errors import DatabaseUnavailable, NotPermitted, NotSignedIn, StoreConflict
from gateway.flow import outbound
from gateway.store import accounts, cases, idempotency
from gateway.store.database import reading, transaction
from gateway.web import handed_in
from gateway.web.api_keys import RefusedKeys
from gateway.web.handed_in import Answer, HandedIn
from gateway.wire.documents import serialize
from tests.forging import application, journalled
from tests.gateways import Gateway

pytestmark = pytest.mark.anyio


class Desk:
    """Hands in batches at one gateway, as the one thread behind the API does."""

    def __init__(self, gateway: Gateway) -> None:
        self.rt = gateway.rt
        self.refused = RefusedKeys()
        self.key = self.new_key("submit")

    def new_key(self, *scopes: str) -> str:
        now = self.rt.clock()
        with transaction(self.rt.engine) as tx:
            key = accounts.add_api_key(tx, authority="AT-BMI", scopes=scopes, at=now, ends_at=now.replace(year=now.year + 1))
        return f"Bearer {key}"

    def request(self, body: bytes | None = None, **changes: Any) -> HandedIn:
        """A request with a document of its own, unless another body is given."""
        fresh = new_document(self.rt, "at/bmi-json", "accelerated.json")
        fields: dict[str, Any] = {"presented": self.key, "body": fresh if body is None else body, "dialect": None, "once": None}
        return HandedIn(**fields | changes)

    def hand_in(self, *requests: HandedIn) -> list[Answer | BaseException]:
        return handed_in.hand_in(requests, self.rt, self.refused)

    def cases(self) -> int:
        with reading(self.rt.engine) as tx:
            return len(cases.all_of(tx))


@pytest.fixture
def desk(gateway: Gateway) -> Desk:
    return Desk(gateway)


def said(answers: Sequence[Answer | BaseException]) -> list[int | str]:
    """Return the status of each answer, the kind of each error."""
    return [one.status if isinstance(one, Answer) else type(one).__name__ for one in answers]


async def test_each_request_of_a_batch_has_its_own_answer(desk) -> None:
    answers = desk.hand_in(
        desk.request(),
        desk.request(presented="Bearer nobody.nothing"),
        desk.request(presented=desk.new_key("inbox")),
        desk.request(b"{}"),
        desk.request(dialect="rs/mup-xml"),
        desk.request(),
    )
    assert said(answers) == [201, "NotSignedIn", "NotPermitted", 422, 403, 201]
    assert isinstance(answers[1], NotSignedIn)
    assert isinstance(answers[2], NotPermitted)
    assert desk.cases() == 2


async def test_repeat_in_the_same_batch_is_told_that_the_first_is_worked_on_and_later_gets_its_answer(desk) -> None:
    request = desk.request(once="a")
    first, second = desk.hand_in(request, request)
    assert said([first, second]) == [201, 409]
    (again,) = desk.hand_in(request)
    assert isinstance(first, Answer)
    assert again == Answer(status=201, document=first.document, replayed=True)
    assert desk.cases() == 1


async def test_message_that_comes_twice_in_a_batch_is_sent_once(desk, clock) -> None:
    """The second waits for the first, and then is known; what would go wrong with it leaves the first as it is."""
    body = serialize(application(clock.now))
    first, second = desk.hand_in(*[desk.request(body, dialect="canonical")] * 2)
    assert said([first, second]) == [201, 201]
    assert isinstance(first, Answer)
    assert isinstance(second, Answer)
    assert first.document["message_id"] == second.document["message_id"]
    assert desk.cases() == 1


@pytest.mark.parametrize(("error", "status"), [(ZeroDivisionError(), 500), (DatabaseUnavailable("away"), 503)])
async def test_what_befalls_the_second_of_one_case_does_not_hand_in_the_first_again(
    desk, clock, monkeypatch, error, status
) -> None:
    body = serialize(application(clock.now))
    save, saved = outbound.save, []

    def second_fails(*words: Any) -> Any:
        saved.append(None)
        if len(saved) == 2:
            raise error
        return save(*words)

    monkeypatch.setattr(outbound, "save", second_fails)
    other = desk.request(once="other")
    answers = desk.hand_in(other, desk.request(body, dialect="canonical"), desk.request(body, dialect="canonical", once="b"))
    assert said(answers) == [201, 201, status]
    assert desk.cases() == 2
    assert said(desk.hand_in(desk.request(body, dialect="canonical", once="b"))) == [201]  # its key is free


async def test_key_of_a_second_message_whose_commit_failed_is_free_again(desk, clock, monkeypatch) -> None:
    """Its answer was written in the transaction that was rolled back: it does not stand."""
    body = serialize(application(clock.now))
    commits: list[None] = []

    @contextmanager
    def second_fails(engine: Any) -> Iterator[Any]:
        with transaction(engine) as tx:
            yield tx
            commits.append(None)
            if len(commits) == 2:
                raise DatabaseUnavailable("away")

    with monkeypatch.context() as patched:
        patched.setattr(outbound, "transaction", second_fails)
        answers = desk.hand_in(desk.request(body, dialect="canonical"), desk.request(body, dialect="canonical", once="b"))
    assert said(answers) == [201, 503]
    assert said(desk.hand_in(desk.request(body, dialect="canonical", once="b"))) == [201]


async def test_defect_is_raised_to_the_request_that_causes_it_and_frees_its_key(desk, monkeypatch) -> None:
    good = desk.request(once="good")
    bad = desk.request(good.body + b" ", once="bad")
    submit = handed_in.submit

    def failing(batch: Any, *words: Any) -> Any:
        if any(item.body == bad.body for item in batch):
            raise ZeroDivisionError
        return submit(batch, *words)

    with monkeypatch.context() as patched:
        patched.setattr(handed_in, "submit", failing)
        assert said(desk.hand_in(bad, good)) == ["ZeroDivisionError", 201]
    assert desk.cases() == 1
    assert said(desk.hand_in(bad, good)) == [201, 201]
    assert desk.cases() == 2


async def test_database_that_is_away_is_told_to_all_at_once_and_uses_up_no_key(desk, monkeypatch) -> None:
    calls: list[int] = []

    def away(batch: Any, *_: Any) -> Any:
        calls.append(len(batch))
        raise DatabaseUnavailable("away")

    requests = [desk.request(once=name) for name in ("a", "b")]
    with monkeypatch.context() as patched:
        patched.setattr(handed_in, "submit", away)
        assert said(desk.hand_in(*requests)) == ["DatabaseUnavailable"] * 2
    assert calls == [2]  # nobody waits for a second and a third try
    assert said(desk.hand_in(*requests)) == [201, 201]


async def test_what_fails_after_the_walk_befalls_its_own_request_alone(desk, monkeypatch) -> None:
    """An answer that cannot be written under its key: the message of another request stands, and is answered."""

    def taken_over(*_: Any, **__: Any) -> None:
        raise StoreConflict("another request has taken this Idempotency-Key over")

    monkeypatch.setattr(idempotency, "record", taken_over)
    answers = desk.hand_in(desk.request(dialect="rs/mup-xml", once="a"), desk.request())
    assert said(answers) == ["StoreConflict", 201]
    assert desk.cases() == 1


async def test_use_of_a_key_is_journalled_once_for_a_batch(desk) -> None:
    desk.hand_in(desk.request(), desk.request(), desk.request())
    assert len(journalled(desk.rt.engine, "api-key.used")) == 1
