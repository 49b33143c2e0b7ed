"""Example messages that open a case without an application: the written notification, and transit with its answers."""

from datetime import timedelta
from typing import Any

from specimens import (
    Corridor,
    Fields,
    attachment,
    authority,
    birth,
    created_at,
    described,
    header,
    name,
    national,
    passport,
    relative,
    transfer_of,
)
from threads import Thread, new_case


def notification(corridor: Corridor) -> Fields:
    """Return the notice about a national with a valid passport."""
    number = 27
    created = created_at(number)
    held = passport(corridor, number)
    person = national(corridor, "woman", "female", "1984-12-03", number)
    return {
        "Header": _header(corridor, "written-notification", number),
        "Request": _request(corridor, number) | {"Ground": "national", "Procedure": "ordinary", "InterviewRequested": "false"},
        **_authorities(corridor),
        "Person": person
        | {
            "MaidenName": name(corridor.home["woman_born"]),
            "OtherName": [{"Kind": "nickname", "Name": name(corridor.home["woman_called"])}],
            "FormerNationality": ["unknown"],
            "CivilStatus": "divorced",
            "PhysicalDescription": {"HeightCm": "167", "EyeColour": "brown", "Marks": "Freckles."},
        },
        "Document": [held],
        "ReturnsWillingly": "true",
        "Health": {"CareNeeded": "true", "ConsentGiven": "true", "Description": "Needs a seat near the aisle; agreed to this."},
        "Danger": {"Indicated": "false", "Description": "Nothing is known that would ask for escorts."},
        "Transfer": transfer_of(corridor, held, escorts=0) | {"Date": f"{created + timedelta(days=9):%Y-%m-%d}"},
        "Observations": "The person booked the flight and travels alone.",
        "Attachment": [attachment("document-scan", "passport.pdf", "application/pdf", 301877)],
        "Signatory": _signatory(corridor),
    }


def notification_without_name(corridor: Corridor) -> Fields:
    """Return the notice about a person whose passport shows no name that could be read."""
    number = 28
    person = relative(national(corridor, "man", "male", "1990-01-15", number), "Sex", "Birth", "Nationality")
    return {
        "Header": _header(corridor, "written-notification-no-name", number),
        "Request": _request(corridor, number) | {"Ground": "national", "Procedure": "ordinary", "InterviewRequested": "false"},
        **_authorities(corridor),
        "Person": person | {"NameUnknown": "The page with the name is water-damaged; the number can be read."},
        "Document": [passport(corridor, number)],
        "ReturnsWillingly": "false",
        "Signatory": _signatory(corridor),
    }


def transit(corridor: Corridor) -> Fields:
    """Return the application for transit of a third-country national, escorted, with care and measures."""
    number = 29
    person = _in_transit(corridor)
    held = {"Kind": "travel-document", "Number": f"T{number:07}", "IssuingState": person["Nationality"][0]}
    rank = corridor.authorities[corridor.requesting]["signatory"]["rank"]
    return {
        "Header": _header(corridor, "transit-application", number),
        "Request": _request(corridor, number),
        **_authorities(corridor),
        "Person": person,
        "Document": held,
        "Transit": _journey(corridor, number) | {"ExitPoint": corridor.home["arrival"], "OtherState": [_between(corridor)]},
        "Escort": [
            {"Name": "ESCORT ONE", "Rank": rank, "DocumentKind": "passport", "DocumentNumber": "E0000001"},
            {"Name": "ESCORT TWO"},
        ],
        "SpecialCare": {"Reason": "illness", "Explanation": "Takes medicine every six hours; a nurse is not needed."},
        "Protection": "Separate waiting room, away from other passengers.",
        "AssistanceRequested": "One officer at the gate, and help with the change of aircraft.",
        "Observations": "The time between the two flights is two hours.",
        "Attachment": [attachment("document-scan", "travel-document.pdf", "application/pdf", 99120)],
        "Signatory": _signatory(corridor),
    }


def transit_without_name(corridor: Corridor) -> Fields:
    """Return the application for transit of a person whose name is not known, by land and without escorts."""
    number = 30
    person = relative(_in_transit(corridor), "Sex", "Birth", "Nationality")
    return {
        "Header": _header(corridor, "transit-application-no-name", number),
        "Request": _request(corridor, number),
        **_authorities(corridor),
        "Person": person | {"NameUnknown": "The person is deaf and does not write; the State of destination knows the case."},
        "Transit": _journey(corridor, number) | {"Means": "land"},
        "Signatory": _signatory(corridor),
    }


def transit_answers(thread: Thread) -> None:
    """Write the answers to an application for transit, and a consent that is taken back."""
    asked = thread.opened["Transit"]
    confirmed = {"EntryPoint": asked["EntryPoint"], "At": asked["At"], "Means": asked["Means"]}
    member = thread.corridor.person("transit")["member"]
    family = {
        "Name": name(member["name"]),
        "MaidenName": name(member["maiden"]),
        "Birth": thread.person["Birth"] | {"Date": member["born"]},
        "Nationality": thread.person["Nationality"],
    }
    thread.add(
        "TransitReply",
        "agreed",
        "requested",
        {
            "Decision": {"Outcome": "agreed", "Date": thread.day()},
            "FamilyMember": [family],
            "Transit": confirmed,
            "AssistanceGiven": "true",
            "Remarks": "The officer on duty will be at the gate.",
        },
        opener=True,
    )
    reasons = [{"Code": "late", "Text": "The application came two days before the journey."}, {"Code": "public-order"}]
    refused = {"Decision": {"Outcome": "refused", "Date": thread.day(), "Reason": reasons}}
    thread.add("TransitReply", "refused", "requested", refused, opener=True)
    thread.add(
        "TransitRevocation",
        "admission-not-guaranteed",
        "requested",
        {
            "Revocation": {
                "Reason": "admission-not-guaranteed",
                "Explanation": "The State of destination has closed the airport.",
            },
            "Remarks": "A new application can be made once it is open again.",
        },
    )
    thread.add("TransitRevocation", "other", "requested", {"Revocation": {"Reason": "other"}})


def _in_transit(corridor: Corridor) -> Fields:
    spec = corridor.person("transit")
    person = relative(described(corridor, "transit", 29), "Name", "OtherName", "Sex", "Nationality", "Language")
    return person | {
        "MaidenName": name(spec["maiden"]),
        "Birth": birth(spec["born"], spec["place"], person["Nationality"][0], town=spec["town"]),
        "PhysicalDescription": {"HeightCm": "164", "EyeColour": "brown", "Marks": "None."},
    }


def _between(corridor: Corridor) -> str:
    """Return a state on the way that is on neither side."""
    return next(state for state in ("TR", "GR") if state not in {corridor.requesting[:2], corridor.state})


def _journey(corridor: Corridor, number: int) -> dict[str, Any]:
    at = created_at(number) + timedelta(days=16)
    return {
        "Means": "air",
        "EntryPoint": corridor.home["arrival"],
        "At": f"{at:%Y-%m-%dT%H}:00:00Z",
        "Destination": corridor.person("transit")["nationality"][0],
        "AdmissionGuaranteed": "true",
        "RefusalReasonKnown": "false",
    }


def _header(corridor: Corridor, key: str, number: int) -> Fields:
    more = new_case(corridor, key, number)
    return header(f"{corridor.code} {key}", corridor.requesting, corridor.requested, created_at(number), **more)


def _request(corridor: Corridor, number: int) -> Fields:
    day = f"{created_at(number):%Y-%m-%d}"
    return {"Agreement": corridor.agreement, "Place": corridor.facts["place"], "Date": day}


def _authorities(corridor: Corridor) -> Fields:
    return {
        "RequestingAuthority": authority(corridor, corridor.requesting),
        "RequestedAuthority": authority(corridor, corridor.requested),
    }


def _signatory(corridor: Corridor) -> Fields:
    spec = corridor.authorities[corridor.requesting]["signatory"]
    return {"Name": spec["name"], "Rank": spec["rank"]}
