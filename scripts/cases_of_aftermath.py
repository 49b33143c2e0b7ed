"""Example messages after a transfer: an error, personal data, costs, reintegration, and a message that is rejected."""

from specimens import attachment, evidence, transfer_of
from threads import OTHER, Side, Thread

_BOTH: tuple[Side, Side] = ("requesting", "requested")


def aftermath(thread: Thread) -> None:
    """Write what may follow a transfer; where either side may write, both do."""
    _error(thread)
    for side in _BOTH:
        _data(thread, side)
        _costs(thread, side)
        _reintegration(thread, side)
        _rejection(thread, side)


def _error(thread: Thread) -> None:
    corridor = thread.corridor
    scan = attachment("document-scan", "register-extract.pdf", "application/pdf", 52110)
    told = thread.add(
        "ReadmissionInError",
        "not-a-national",
        "requested",
        {
            "Error": {
                "Reason": "not-a-national",
                "ReadmittedOn": thread.day(-5),
                "Explanation": "The register shows that the person was released from the nationality years ago.",
                "Evidence": [evidence("N2-12", "Decision of release.") | {"DocumentNumber": "SPECIMEN 0000001"}],
            },
            "Remarks": "The original documents travel with the person.",
            "Attachment": [scan],
        },
    )
    thread.add(
        "ReadmissionInError",
        "identity-mistaken",
        "requested",
        {"Error": {"Reason": "identity-mistaken", "ReadmittedOn": thread.day(-3)}},
    )
    proposal = transfer_of(corridor, {"Number": "0000031"}, escorts=0) | {"BorderPoint": corridor.facts["border"]}
    for outcome, explanation in (("accepted", None), ("refused", "The person was a national when the application was agreed.")):
        thread.add(
            "ReadmissionInErrorReply",
            outcome,
            "requesting",
            {
                "Decision": {"Outcome": outcome, "Date": thread.day(), "Explanation": explanation},
                "Transfer": proposal if outcome == "accepted" else None,
                "Remarks": "We regret the error." if outcome == "accepted" else None,
            },
            answers=told,
        )


def _data(thread: Thread, side: Side) -> None:
    earlier = {"requesting": "information-reply-by-requesting", "requested": "information-reply-by-requested"}
    thread.add(
        "Correction",
        f"by-{side}",
        side,
        {
            "Correction": {
                "Corrected": thread.proof(earlier[side]),
                "Item": [
                    {"Path": "Answers/Document/IssuePlace", "Value": thread.corridor.home["places"][1][0]},
                    {"Path": "Answers/Evidence/DocumentNumber"},
                ],
                "Reason": "The place was read wrongly from the scan.",
            },
            "Remarks": "Please correct it in your file too.",
        },
    )
    whole = {"Scope": "case", "ErasedOn": thread.day(-1), "Reason": "purpose-ended"}
    one = {"Scope": "message", "ErasedOn": thread.day(-1), "Reason": "unlawful", "Erased": [thread.proof(earlier[side])]}
    for slug, erasure in (("case", whole), ("message", one)):
        body = {"Erasure": erasure, "Remarks": "Please confirm by a report on use." if slug == "message" else None}
        thread.add("ErasureNotice", f"{slug}-by-{side}", side, body)
    thread.add(
        "DataUseReport",
        f"by-{side}",
        side,
        {
            "Use": {
                "Purpose": "Examination of the readmission application.",
                "Use": "The name and the date of birth were compared with the register of identity documents.",
                "Result": "Nationality confirmed; the data were kept in the case file only.",
            },
            "Remarks": "No other authority was given the data.",
        },
    )


def _costs(thread: Thread, side: Side) -> None:
    number = f"SPECIMEN K-{side}-0001"
    invoice = attachment("document-scan", "invoices.pdf", "application/pdf", 203311)
    stated = thread.add(
        "CostStatement",
        f"by-{side}",
        side,
        {
            "Statement": {
                "Number": number,
                "Date": thread.day(),
                "Item": [
                    {"Kind": "travel", "Text": "Three air tickets.", "Amount": "742.10"},
                    {"Kind": "escort", "Text": "Daily allowance, two officers.", "Amount": "180.20"},
                    {"Kind": "medical", "Amount": "0.00"},
                ],
                "Total": "922.30",
                "Currency": "EUR",
                "PayBy": thread.day(60),
                "Account": "SPECIMEN 0000 0000 0000 0000",
            },
            "Remarks": "The invoices are attached.",
            "Attachment": [invoice],
        },
    )
    thread.add(
        "CostSettlement",
        f"by-{OTHER[side]}",
        OTHER[side],
        {
            "Settlement": {
                "Number": number,
                "PaidOn": thread.day(),
                "Amount": "922.30",
                "Currency": "EUR",
                "PaymentReference": "SPECIMEN Z-0001",
            },
            "Remarks": "Paid in full.",
        },
        answers=stated,
    )


def _reintegration(thread: Thread, side: Side) -> None:
    thread.add(
        "ReintegrationReferral",
        f"by-{side}",
        side,
        {
            "Referral": {
                "Programme": "Specimen reintegration programme",
                "Contact": "reintegration@programme.example",
                "ConsentGiven": "true",
                "Needs": "Help with housing for the first three months; vocational training.",
            },
            "Remarks": "The person has the address of the programme.",
        },
    )
    with_consent = {
        "Finding": "needs-support",
        "ConsentGiven": "true",
        "Explanation": "The person asks for help in finding work.",
    }
    without = {"Finding": "not-reached", "ConsentGiven": "false"}
    for slug, found in (("needs-support", with_consent), ("not-reached", without)):
        body = {
            "FollowUp": {"Date": thread.day(-1)} | found,
            "Remarks": "A second visit is planned." if slug == "not-reached" else None,
        }
        thread.add("PostReturnFollowUp", f"{slug}-by-{side}", side, body)


def _rejection(thread: Thread, side: Side) -> None:
    rejected = f"cost-statement-by-{OTHER[side]}" if side == "requested" else "information-request-by-requested"
    thread.add(
        "Rejection",
        f"by-{side}",
        side,
        {
            "Rejection": {
                "Rejected": thread.proof(rejected),
                "Code": "wrong-authority" if side == "requested" else "unreadable",
                "Text": "Costs are dealt with by another authority."
                if side == "requested"
                else "The questions cannot be read.",
            },
            "Remarks": "The address can be had on request.",
        },
        answers=rejected,
    )
