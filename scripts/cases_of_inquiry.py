"""Example messages while the answer is open: questions, interviews, searches in registers. Both sides ask."""

from specimens import attachment, evidence, passport
from threads import OTHER, Side, Thread

_BOTH: tuple[Side, Side] = ("requested", "requesting")


def inquiry(thread: Thread) -> None:
    """Write questions with their answers, requests for an interview with their appointments, and what was found."""
    for side in _BOTH:
        _information(thread, side)
        _interview(thread, side)
    _interview_results(thread)
    _searches(thread)


def _information(thread: Thread, side: Side) -> None:
    corridor = thread.corridor
    asked = thread.add(
        "InformationRequest",
        f"by-{side}",
        side,
        {
            "Questions": {
                "Question": [
                    "Which school did the person attend, and in which years?",
                    "Is there a second page of the expired document?\nIf so, please send it.",
                ],
                "AnswerBy": thread.day(5),
            },
            "Remarks": "A short answer is enough.",
        },
    )
    paper = passport(corridor, 31, issued="2013-04-10", expires="2023-04-09")
    thread.add(
        "InformationReply",
        f"by-{OTHER[side]}",
        OTHER[side],
        {
            "Answers": {
                "Answer": ["Primary school at the place of birth, up to the eighth form.", "Yes; the scan is attached."],
                "Document": [paper],
                "Evidence": [evidence("N2-02", "Second page of the passport whose validity has expired.", paper)],
            },
            "Remarks": "The years are not known.",
            "Attachment": [attachment("document-scan", "second-page.pdf", "application/pdf", 90117)],
        },
        answers=asked,
    )


def _interview(thread: Thread, side: Side) -> None:
    home = thread.corridor.home
    asked = thread.add(
        "InterviewRequest",
        f"by-{side}",
        side,
        {
            "Interview": {
                "Reason": "The papers do not show the nationality beyond doubt.",
                "Language": list(home["languages"]),
                "Mode": "video" if side == "requested" else "in-person",
                "Place": thread.corridor.facts["place"],
            },
            "Remarks": "An interpreter is not needed.",
        },
    )
    thread.add(
        "InterviewAppointment",
        f"by-{OTHER[side]}",
        OTHER[side],
        {
            "Appointment": {
                "At": thread.instant(4, 9),
                "Mode": "video" if side == "requested" else "in-person",
                "Place": thread.corridor.facts["place"],
                "Language": home["languages"][0],
                "Interviewer": thread.signatory("requested")["Name"],
            },
            "Remarks": "The link will be sent by separate mail." if side == "requested" else "Room 0, ground floor.",
        },
        answers=asked,
    )


def _interview_results(thread: Thread) -> None:
    for slug, mode, finding, explanation in (
        ("confirmed", "in-person", "nationality-confirmed", None),
        ("not-confirmed", "video", "nationality-not-confirmed", "The person could not name the municipality of birth."),
        ("inconclusive", "audio", "inconclusive", "The line was poor; a second interview by video is proposed."),
        ("not-held", "video", "not-held", "The person was in hospital on that day."),
    ):
        record = attachment("other", "interview-record.pdf", "application/pdf", 41288)
        thread.add(
            "InterviewResult",
            slug,
            "requested",
            {
                "Result": {"HeldOn": thread.day(-1), "Mode": mode, "Finding": finding, "Explanation": explanation},
                "Remarks": "The record is attached." if slug == "confirmed" else None,
                "Attachment": [record] if slug == "confirmed" else [],
            },
        )


def _searches(thread: Thread) -> None:
    for slug, explanation in (
        ("found", None),
        ("not-found", "The register was searched by name and date of birth, also with other spellings."),
        ("inconclusive", "Two entries fit; the fingerprints are asked for."),
    ):
        thread.add(
            "RegisterSearchResult",
            slug,
            "requested",
            {
                "Search": {
                    "Register": "Register of identity documents",
                    "SearchedOn": thread.day(-1),
                    "Finding": slug,
                    "Explanation": explanation,
                },
                "Remarks": "The reply follows." if slug == "found" else None,
            },
        )
