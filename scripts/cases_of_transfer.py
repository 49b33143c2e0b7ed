"""Example messages from the yes to the hand-over: travel document, plan of the transfer, postponement, record."""

from typing import Any

from specimens import Fields, attachment, national, passport, relative
from threads import NAMED_BY, OTHER, Side, Thread

_BOTH: tuple[Side, Side] = ("requesting", "requested")


def travel_document(thread: Thread) -> None:
    """Write requests for a travel document, its issue, and refusals."""
    corridor = thread.corridor
    old = passport(corridor, 31, issued="2013-04-10", expires="2023-04-09")
    photograph = attachment("photograph", "photograph.jpg", "image/jpeg", 48213)
    thread.add(
        "TravelDocumentRequest",
        "first",
        "requesting",
        {
            "TravelDocument": {"Purpose": "first", "NeededBy": thread.day(21), "ValidityDays": "90"},
            "Remarks": "A photograph is attached.",
            "Attachment": [photograph],
        },
    )
    thread.add(
        "TravelDocumentRequest",
        "renewal",
        "requesting",
        {"TravelDocument": {"Purpose": "renewal", "NeededBy": thread.day(14), "Previous": old}},
    )
    thread.add(
        "TravelDocumentRequest",
        "by-requested",
        "requested",
        {
            "TravelDocument": {"Purpose": "first", "NeededBy": thread.day(10)},
            "Remarks": "For the journey back after a readmission in error.",
        },
    )
    asked = {side: f"travel-document-request-{'first' if side == 'requesting' else 'by-requested'}" for side in _BOTH}
    for side in _BOTH:
        issued = passport(corridor, 32, issued=thread.day(), expires=thread.day(180)) | {"Kind": "travel-document"}
        scan = attachment("document-scan", "travel-document.pdf", "application/pdf", 120040)
        thread.add(
            "TravelDocumentIssued",
            f"by-{OTHER[side]}",
            OTHER[side],
            {
                "Issued": {"Document": issued, "CollectAt": f"Consular section, {corridor.facts['place']}"},
                "Remarks": "It can be collected on working days between 9 and 12.",
                "Attachment": [scan],
            },
            answers=asked[side],
        )
        thread.add(
            "TravelDocumentRefused",
            f"by-{OTHER[side]}",
            OTHER[side],
            {
                "Refusal": {
                    "Reason": [
                        {"Code": "identity-not-established", "Text": "The photograph shows another person than the register."},
                        {"Code": "incomplete"},
                    ]
                },
                "Remarks": "A new request with a recent photograph will be examined.",
            },
            answers=asked[side],
        )


def transfer(thread: Thread) -> None:
    """Write plans of a transfer with the answers to them, postponements, and records of every outcome."""
    corridor = thread.corridor
    plan = {"BorderPoint": corridor.home["arrival"], "Means": "air", "FlightNumber": "XX 0000", "Escorted": "true"}
    thread.add("TransferNotification", "escorted", "requesting", _escorted(thread, plan | {"At": thread.instant(7, 13)}))
    thread.add(
        "TransferNotification",
        "alone",
        "requesting",
        {
            "Plan": {
                "At": thread.instant(9, 10),
                "BorderPoint": corridor.facts["border"],
                "Means": "land",
                "Escorted": "false",
            },
            "Traveller": [{"Person": thread.person, "CaseReference": thread.opened["Header"]["CaseReference"]}],
        },
    )
    thread.add("TransferNotification", "group", "requesting", _group(thread, plan | {"At": thread.instant(12, 13)}))
    later = plan | {"At": thread.instant(14, 13)}
    for slug, explanation in (
        ("accepted", None),
        ("changed", "There is no officer at the border point on that day."),
        ("refused", "The travel document has not been issued yet."),
    ):
        thread.add(
            "TransferNotificationReply",
            slug,
            "requested",
            {
                "Decision": {"Outcome": slug, "Explanation": explanation},
                "Plan": later if slug == "changed" else None,
                "Remarks": "Please confirm." if slug == "changed" else None,
            },
            answers="transfer-notification-escorted",
        )
    for side in _BOTH:
        thread.add(
            "TransferPostponed",
            f"by-{side}",
            side,
            {
                "Postponement": {
                    "Reason": "practical-obstacle" if side == "requesting" else "other",
                    "Since": thread.day(-1),
                    "Explanation": "The flight was cancelled." if side == "requesting" else None,
                },
                "Plan": plan | {"At": thread.instant(6, 13)} if side == "requesting" else None,
                "Remarks": "The escorts stay the same." if side == "requesting" else None,
            },
        )
    _records(thread)


def _escorted(thread: Thread, plan: Fields) -> dict[str, Any]:
    case, rank = thread.opened["Header"], thread.signatory("requesting")["Rank"]
    traveller = {
        "Person": thread.person,
        "CaseReference": case["CaseReference"],
        "ApplicationNumber": case["NationalReference"],
        "ReplyNumber": thread.corridor.authorities[thread.corridor.requested]["reference"].format(n="900"),
        "TravelDocumentNumber": f"{thread.corridor.home['passport_prefix']}0000032",
    }
    care = {"Person": thread.person, "Reason": "disability", "Explanation": "Uses a wheelchair; an aisle chair is ordered."}
    escorts = [
        {"Name": "ESCORT ONE", "Rank": rank, "DocumentKind": "passport", "DocumentNumber": "E0000001"},
        {"Name": "ESCORT TWO"},
    ]
    remarks = "Transfer of luggage: one suitcase."
    return {"Plan": plan, "Traveller": [traveller], "SpecialCare": [care], "Escort": escorts, "Remarks": remarks}


def _group(thread: Thread, plan: Fields) -> dict[str, Any]:
    child = relative(national(thread.corridor, "boy", "male", "2015-09-01", 33), *NAMED_BY)
    return {
        "Plan": plan,
        "Traveller": [{"Person": thread.person}, {"Person": child}],
        "SpecialCare": [{"Person": child, "Reason": "age"}],
        "Remarks": "The names of the escorts follow the day before the flight.",
    }


def _records(thread: Thread) -> None:
    outcomes: tuple[tuple[str, Side, str, str | None], ...] = (
        ("handed-over", "requested", "handed-over", None),
        ("handed-over-by-requesting", "requesting", "handed-over", "One hour late because of the weather."),
        ("refused-at-border", "requested", "refused-at-border", "The person is not the one whom the travel document names."),
        ("not-carried-out", "requesting", "not-carried-out", "The person could not travel on medical advice."),
    )
    for slug, side, outcome, explanation in outcomes:
        done = outcome == "handed-over"
        scan = attachment("document-scan", "record.pdf", "application/pdf", 66031)
        thread.add(
            "TransferRecord",
            slug,
            side,
            {
                "Record": {
                    "Outcome": outcome,
                    "At": thread.instant(-1, 14),
                    "BorderPoint": thread.corridor.home["arrival"],
                    "Means": "air",
                    "Explanation": explanation,
                    "DocumentsHandedOver": "Travel document; vaccination card." if done else None,
                },
                "ReceivedBy": thread.signatory("requested") if done else None,
                "Remarks": "Two copies, one for each side." if done else None,
                "Attachment": [scan] if done else [],
            },
        )
