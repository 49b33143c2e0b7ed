"""How long things took: measured from what was sent and received, never for a group that could point at a person."""

from datetime import timedelta

import pytest

from gateway.domain.case import Role
from gateway.domain.messages import Procedure
from gateway.store import messages
from gateway.store.database import reading, transaction
from gateway.store.durations import SMALLEST_GROUP, durations
from tests.store_rows import NOW, add_case, message_row


def hours(number: float):
    return NOW + timedelta(hours=number)


def told(case_id: int, number: int, *later, received: float | None = 1, **changes):
    """Write the opening message of a case, sent at NOW, and what followed: (type, hours after NOW, further values)."""
    rows = [
        message_row(
            number * 10,
            case_id=case_id,
            received_at=None if received is None else hours(received),
            outcome="received" if received is not None else "sent",
            **changes,
        )
    ]
    for place, (kind, at, more) in enumerate(later, 1):
        values = {"direction": "in", "sender": "PK-MOI", "outcome": "accepted", "received_at": hours(at)} | more
        rows.append(message_row(number * 10 + place, case_id=case_id, type=kind, **values))
    return rows


def group(engine, count: int, *later, **changes) -> None:
    """Write `count` cases that went alike, each of them one hour slower than the one before."""
    for number in range(1, count + 1):
        case_id = add_case(engine, reference=f"{number:026d}"[-26:], **changes)
        with transaction(engine) as tx:
            messages.add(tx, told(case_id, number, *((kind, at + number - 1, more) for kind, at, more in later)))


def asked(engine, **span):
    with reading(engine) as tx:
        return {(one.treaty, one.role, one.procedure, one.measure): one for one in durations(tx, **span)}


KEY = ("ba-pk", "requesting", "ordinary")


def test_times_run_from_the_receipt_and_the_receipt_from_the_sending(engine) -> None:
    group(
        engine,
        SMALLEST_GROUP,
        ("ReadmissionReply", 11, {"facts": {"event": "agreement"}}),
        ("TravelDocumentIssued", 21, {"facts": {"event": "document-issued"}}),
        ("TransferRecord", 41, {"facts": {"event": "handed-over"}}),
    )
    found = asked(engine)
    assert {key[3]: (one.count, one.median_hours) for key, one in found.items()} == {
        "receipt": (5, 1.0),
        "reply": (5, 12.0),
        "travel-document": (5, 22.0),
        "transfer": (5, 42.0),
    }
    assert found[*KEY, "reply"].ninth_decile_hours == 13.6
    assert found[*KEY, "reply"].partner == "PK"


def test_group_of_fewer_than_five_shows_no_figure(engine) -> None:
    group(engine, SMALLEST_GROUP - 1, ("ReadmissionReply", 11, {"facts": {"event": "refusal"}}))
    for one in asked(engine).values():
        assert (one.count, one.median_hours, one.ninth_decile_hours) == (None, None, None)


def test_measure_that_few_cases_reached_shows_no_figure_though_the_group_is_large(engine) -> None:
    group(engine, SMALLEST_GROUP)
    case_id = add_case(engine)
    with transaction(engine) as tx:
        messages.add(tx, told(case_id, 90, ("ReadmissionReply", 5, {"facts": {"event": "agreement"}})))
    found = asked(engine)
    assert found[*KEY, "receipt"].count == SMALLEST_GROUP + 1
    assert found[*KEY, "reply"].count is None


def test_groups_are_kept_apart_by_treaty_partner_role_and_procedure(engine) -> None:
    for number, changes in enumerate(
        (
            {},
            {"treaty": "eu-ba"},
            {"counterparty": "RS-MUP"},
            {"role": Role.REQUESTED},
            {"procedure": Procedure.ACCELERATED},
        ),
        1,
    ):
        case_id = add_case(engine, reference=f"{number:026d}", **changes)
        with transaction(engine) as tx:
            messages.add(tx, told(case_id, number))
    with reading(engine) as tx:
        found = durations(tx)
    assert len(found) == len({(one.treaty, one.partner, one.role, one.procedure) for one in found}) == 5


@pytest.mark.parametrize(
    "kind_of_answer",
    [
        ("ReadmissionReply", {"facts": {"event": "interview-proposal"}}),
        ("TransferRecord", {"facts": {"event": "refused-at-border"}}),
        ("TransferRecord", {"facts": {"event": "not-carried-out"}}),
        ("ReadmissionReply", {"outcome": "refused"}),
        ("TravelDocumentIssued", {"direction": "out", "sender": "BA-MS", "outcome": "parked"}),
        ("TravelDocumentRefused", {"facts": {"event": "document-refused"}}),
        ("ReadmissionReply", {"received_at": None, "outcome": "sent", "facts": {"event": "agreement"}}),
    ],
    ids=["interview", "at the border", "not carried out", "refused", "parked", "no document", "not received"],
)
def test_what_ended_nothing_is_not_measured(engine, kind_of_answer) -> None:
    kind, more = kind_of_answer
    case_id = add_case(engine)
    with transaction(engine) as tx:
        messages.add(tx, told(case_id, 1, (kind, 9, more)))
    assert {key[3] for key in asked(engine)} == {"receipt"}


def test_first_of_several_answers_is_the_one_that_counts(engine) -> None:
    for number in range(1, SMALLEST_GROUP + 1):
        case_id = add_case(engine, reference=f"{number:026d}")
        told_ = told(
            case_id, number, *[("TravelDocumentIssued", at, {"facts": {"event": "document-issued"}}) for at in (3, 50)]
        )
        with transaction(engine) as tx:
            messages.add(tx, told_)
    assert asked(engine)[*KEY, "travel-document"].median_hours == 2.0


def test_application_that_nobody_received_measures_nothing(engine) -> None:
    case_id = add_case(engine)
    with transaction(engine) as tx:
        messages.add(tx, told(case_id, 1, received=None))
    assert asked(engine) == {}


def test_only_cases_opened_in_the_time_asked_for_are_measured(engine) -> None:
    group(engine, 1)
    assert asked(engine, since=NOW, until=NOW + timedelta(seconds=1))
    assert asked(engine, since=NOW + timedelta(microseconds=1)) == {}
    assert asked(engine, until=NOW) == {}
