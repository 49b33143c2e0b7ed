"""What the rules between fields of the later messages accept: the good example, and what lies just inside the rule."""

from collections.abc import Sequence
from typing import TypeAlias

Change: TypeAlias = tuple[str, str]

# Another person of the same name, born on another day: in Cyrillic, as the example writes it.
_WIFE, _HUSBAND = (
    "\u0423\u0417\u041e\u0420\u0410\u041a \u0408\u0415\u041b\u0415\u041d\u0410",
    "\u0423\u0417\u041e\u0420\u0410\u041a \u041c\u0418\u041b\u0410\u041d",
)
_TWINS = [(f"<AsShown>{_WIFE}<", f"<AsShown>{_HUSBAND}<")]
_TENTHS = [("742.10", "0.10"), ("180.20", "0.20"), ("922.30", "0.30")]  # 0.1 + 0.2 is not 0.3 in floating point


def _yes(name: str) -> list[Change]:
    return [(f"<{name}>true<", f"<{name}>1<")]


# rule, good document, changes that leave it accepted
FOLLOW_UPS_ACCEPTED: list[tuple[str, str, Sequence[Change]]] = [
    ("message-has-case", "Resumption-plain", []),
    ("message-has-case", "Receipt-batch", []),  # a receipt is about several cases
    ("message-answers", "Withdrawal-error", []),
    ("message-answers", "Suspension-illness", []),  # answers nothing
    ("linked-case-is-another", "ReadmissionApplication-child-with-adult", []),
    ("notification-needs-valid-document", "WrittenNotification-willing", []),
    ("notification-needs-valid-document", "WrittenNotification-willing", [("2031-03-14", "2026-10-15")]),  # one day longer
    ("notification-needs-valid-document", "WrittenNotification-willing", [("2031-03-14", "2026")]),  # perhaps
    ("notification-needs-valid-document", "WrittenNotification-willing", [("<Kind>passport<", "<Kind>identity-card<")]),
    ("notification-health-needs-consent", "WrittenNotification-willing", _yes("ConsentGiven")),
    ("notification-health-needs-consent", "WrittenNotification-no-name", []),
    ("notification-stateless-ground-fits", "WrittenNotification-willing", []),
    (
        "notification-stateless-ground-fits",
        "WrittenNotification-willing",
        [("<Ground>national<", "<Ground>stateless<"), ("<Nationality>RS<", "<Nationality>stateless<")],
    ),
    ("part-names-refused", "ReadmissionReply-agreed-in-part", []),
    ("part-names-agreed", "ReadmissionReply-agreed-in-part", _TWINS),
    ("refused-member-only-in-part", "ReadmissionReply-agreed-in-part", []),
    ("interview-outcome-proposes-one", "ReadmissionReply-interview-proposed", _yes("InterviewProposed")),
    ("interview-outcome-has-no-reason", "ReadmissionReply-interview-proposed", []),
    ("interview-not-held-needs-explanation", "InterviewResult-not-held", []),
    ("interview-not-held-needs-explanation", "InterviewResult-confirmed", []),  # without one
    ("renewal-needs-previous", "TravelDocumentRequest-renewal", []),
    ("renewal-needs-previous", "TravelDocumentRequest-first", []),
    ("issued-document-needs-expiry", "TravelDocumentIssued-by-requested", []),
    ("issued-document-is-valid", "TravelDocumentIssued-by-requested", [("2027-04-12", "2026-10-15")]),  # one day longer
    ("escorted-needs-escort", "TransferNotification-escorted", []),
    ("escorted-needs-escort", "TransferNotification-group", []),  # the remarks say why
    ("escorted-needs-escort", "TransferNotification-alone", []),
    ("changed-plan-needs-plan", "TransferNotificationReply-changed", []),
    ("changed-plan-needs-plan", "TransferNotificationReply-accepted", []),
    ("refused-plan-needs-explanation", "TransferNotificationReply-refused", []),
    ("no-hand-over-needs-explanation", "TransferRecord-not-carried-out", []),
    ("no-hand-over-needs-explanation", "TransferRecord-handed-over", []),  # without one
    ("transit-admission-guaranteed", "TransitApplication-escorted", _yes("AdmissionGuaranteed")),
    ("transit-no-refusal-reason-known", "TransitApplication-escorted", [("Known>false<", "Known>0<")]),
    ("transit-refusal-needs-reason", "TransitReply-refused", []),
    ("transit-agreement-has-no-reason", "TransitReply-agreed", []),
    ("granted-extension-needs-end", "ExtensionDecision-granted-by-requesting", []),
    ("granted-extension-needs-end", "ExtensionDecision-granted-until-by-requesting", []),  # without days
    ("refused-extension-needs-explanation", "ExtensionDecision-refused-by-requesting", []),
    ("refused-error-needs-explanation", "ReadmissionInErrorReply-refused", []),
    ("refused-error-needs-explanation", "ReadmissionInErrorReply-accepted", []),  # without one
    ("erased-message-is-named", "ErasureNotice-message-by-requesting", []),
    ("erased-message-is-named", "ErasureNotice-case-by-requesting", []),  # names none
    ("total-is-the-sum", "CostStatement-by-requesting", []),
    ("total-is-the-sum", "CostStatement-by-requesting", _TENTHS),
    ("referral-needs-consent", "ReintegrationReferral-by-requesting", _yes("ConsentGiven")),
    ("follow-up-needs-consent", "PostReturnFollowUp-needs-support-by-requesting", _yes("ConsentGiven")),
    ("follow-up-needs-consent", "PostReturnFollowUp-not-reached-by-requesting", []),  # explains nothing
]
