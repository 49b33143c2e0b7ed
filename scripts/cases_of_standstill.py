"""Example messages about the clock of a case: more time, withdrawal, suspension, resumption, a limit that ran out."""

from specimens import digest, message_id
from threads import OTHER, Side, Thread


def standstill(thread: Thread) -> None:
    """Write requests for more time with the decisions, then what stops and ends a case."""
    _extensions(thread)
    for slug, explanation in (
        ("no-longer-needed", None),
        ("person-left", "The person left on a flight booked by the person."),
        ("error", "The application was sent twice; the other one stands."),
        ("other", None),
    ):
        body = {"Withdrawal": {"Reason": slug, "Explanation": explanation}, "Remarks": "Thank you." if explanation else None}
        thread.add("Withdrawal", slug, "requesting", body, opener=True)
    thread.add(
        "Suspension",
        "illness",
        "requesting",
        {
            "Suspension": {
                "Reason": "illness",
                "Since": thread.day(-1),
                "ExpectedUntil": thread.day(20),
                "Explanation": "The person cannot travel at present.",
            },
            "Remarks": "We will write as soon as the case goes on.",
        },
    )
    thread.add(
        "Suspension", "legal-obstacle", "requesting", {"Suspension": {"Reason": "legal-obstacle", "Since": thread.day()}}
    )
    thread.add(
        "Resumption",
        "after-illness",
        "requesting",
        {
            "Resumption": {"Since": thread.day(), "Explanation": "The person is fit to travel."},
            "Remarks": "A plan of the transfer follows.",
        },
    )
    thread.add("Resumption", "plain", "requesting", {"Resumption": {"Since": thread.day()}})
    _lapses(thread)


def _extensions(thread: Thread) -> None:
    asked = thread.add(
        "ExtensionRequest",
        "by-requested",
        "requested",
        {
            "Extension": {
                "Limit": "reply",
                "Days": "6",
                "Reason": "practical-obstacle",
                "Explanation": "The register of the municipality is kept on paper and is searched by hand.",
            },
            "Remarks": "The answer will come as soon as it is there.",
        },
        opener=True,
    )
    _decisions(thread, "requesting", asked, "reply", "6")
    asked = thread.add(
        "ExtensionRequest",
        "by-requesting",
        "requesting",
        {
            "Extension": {
                "Limit": "interview",
                "Days": "3",
                "Reason": "illness",
                "Explanation": "The person is in hospital and cannot be interviewed this week.",
            }
        },
        answers="interview-request-by-requested",
    )
    _decisions(thread, "requested", asked, "interview", "3")


def _decisions(thread: Thread, side: Side, asked: str, limit: str, days: str) -> None:
    granted = {"Outcome": "granted", "Days": days, "Until": thread.day(int(days)), "Explanation": "The obstacle is understood."}
    refused = {"Outcome": "refused", "Explanation": "The limit was prolonged before and cannot be prolonged again."}
    until = {"Outcome": "granted", "Until": thread.day(int(days))}
    for slug, decision in (("granted", granted), ("granted-until", until), ("refused", refused)):
        body = {"Decision": {"Limit": limit} | decision, "Remarks": "Thank you for the notice." if slug == "granted" else None}
        thread.add("ExtensionDecision", f"{slug}-by-{side}", side, body, answers=asked)


def _lapses(thread: Thread) -> None:
    cases: tuple[tuple[Side, str, str, str | None], ...] = (
        ("requesting", "reply", "agreed", None),
        ("requesting", "travel-document", "document-consent", "travel-document-request-first"),
        ("requesting", "transfer-notice", "proposal-accepted", "transfer-notification-alone"),
        ("requested", "error", "reasons-due", "readmission-in-error-identity-mistaken"),
    )
    for side, limit, meaning, answered in cases:
        receipt = message_id(f"{thread.corridor.code} receipt {limit}", thread.now)
        thread.add(
            "LapseNotice",
            meaning,
            side,
            {
                "Lapse": {
                    "Limit": limit,
                    "LapsedAt": thread.instant(-1, 22),
                    "Meaning": meaning,
                    "ReceivedAt": thread.instant(-11, 8),
                    "Proof": {"MessageId": receipt, "Sha256": digest(f"envelope {receipt}")},
                    "RuleVersion": f"{thread.corridor.agreement} version 1",
                    "CalendarVersion": f"{thread.code(OTHER[side])[:2].lower()} 2026-11-24" if limit == "reply" else None,
                },
                "Remarks": "The receipt is attached to your file." if limit == "reply" else None,
            },
            answers=answered,
            opener=answered is None,
        )
