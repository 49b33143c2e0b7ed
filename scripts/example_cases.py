"""The example messages of each corridor: an application of every kind, the replies to three of them, a receipt."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import cases_of_nationals as nationals
import cases_of_others as others
from cases_of_nationals import Case, known_by
from specimens import (
    Corridor,
    Fields,
    authority,
    case_reference,
    created_at,
    digest,
    header,
    relative,
)


def application(corridor: Corridor, kind: str, number: int) -> Fields:
    """Return the whole application of one kind; `number` counts the cases of the corridor and gives its day."""
    case = cases(corridor)[kind](corridor, number)
    created = created_at(number)
    key = f"{corridor.code} {kind}"
    request = {
        "Agreement": corridor.agreement,
        "Procedure": "ordinary",
        "InterviewRequested": "false",
        "Place": corridor.facts["place"],
        "Date": f"{created:%Y-%m-%d}",
    } | case.pop("Request")
    reference = corridor.authorities[corridor.requesting]["reference"].format(n=f"{number:03}")
    return {
        "Header": header(
            key,
            corridor.requesting,
            corridor.requested,
            created,
            CaseReference=case_reference(key),
            Sequence="1",
            NationalReference=reference,
        ),
        "Request": request,
        "RequestingAuthority": authority(corridor, corridor.requesting),
        "RequestedAuthority": authority(corridor, corridor.requested),
        **case,
    }


_COMMON: Mapping[str, Case] = {
    "own-national": nationals.own_national,
    "third-country-visa": others.third_country_visa,
    "third-country-permit": others.third_country_permit,
    "third-country-entry": others.third_country_entry,
    "child-with-guardian": nationals.child_with_guardian,
    "child-with-adult": nationals.child_with_adult,
    "family": nationals.family,
    "unknown-birth-date": nationals.unknown_birth_date,
    "single-name": known_by("single-name", "N1-01", "Passport; it shows one name only.", "passport"),
    "long-text": nationals.long_observations,
    "diacritics": known_by("diacritics", "N1-02", "Identity card.", "identity-card"),
    "cyrillic": known_by("cyrillic", "N1-02", "Identity card in Cyrillic script.", "identity-card"),
    "urdu": known_by("urdu", "N1-02", "Identity card; the name stands in Arabic script.", "identity-card"),
    "expired-passport": nationals.expired_passport,
    "accelerated": others.accelerated,
    "interview-asked": nationals.interview_asked,
    "stateless": others.stateless,
    "no-name": others.no_name,
}
_FORMER: Mapping[str, Case] = {"former-national": others.former_national, "former-sfry-national": others.former_sfry_national}

# What a pair of authorities has whose persons are not described one by one.
_FEW: Mapping[str, Case] = {
    "own-script": known_by("own-script", "N1-02", "Identity card; the name as the document shows it.", "identity-card"),
    **{
        kind: _COMMON[kind]
        for kind in (
            "own-national",
            "third-country-permit",
            "child-with-guardian",
            "family",
            "unknown-birth-date",
            "single-name",
            "expired-passport",
        )
    },
}


def cases(corridor: Corridor) -> Mapping[str, Case]:
    """Return every kind of case a corridor has; only a successor state can be asked for former SFRY nationals."""
    former = corridor.facts.get("former_kind")
    return {**_COMMON, former: _FORMER[former]} if former else _FEW


REPLIES: Mapping[str, str] = {
    "reply-agreed": "own-national",
    "reply-agreed-prima-facie": "expired-passport",
    "reply-refused": "third-country-entry",
    "reply-agreed-family": "family",
    "reply-agreed-in-part": "family",
    "reply-interview-proposed": "interview-asked",
}


def reply(corridor: Corridor, what: str, application_fields: Fields) -> Fields:
    """Return the answer of the requested side to an application, on the sixth day after it."""
    asked = application_fields["Header"]
    created = datetime.fromisoformat(asked["Created"]) + timedelta(days=6, hours=2)
    who = ("Name", "MaidenName", "Birth", "Nationality")
    members = [application_fields.get("Spouse"), *application_fields.get("Child", [])]
    signatory = corridor.authorities[corridor.requested]["signatory"]
    key = f"{corridor.answering} {what}"
    person = relative(application_fields["Person"], *who)
    return {
        "Header": header(
            key,
            corridor.requested,
            corridor.requesting,
            created,
            CaseReference=asked["CaseReference"],
            Sequence="1",
            NationalReference=corridor.authorities[corridor.requested]["reference"].format(n="9" + asked["Created"][8:10]),
            InReplyTo={"MessageId": asked["MessageId"], "Sha256": digest(f"envelope {asked['MessageId']}")},
        ),
        "Reference": {"Number": asked["NationalReference"], "Date": application_fields["Request"]["Date"]},
        "RequestedAuthority": authority(corridor, corridor.requested),
        "RequestingAuthority": authority(corridor, corridor.requesting),
        "Person": person,
        "FamilyMember": [relative(member, *who) for member in members if member][what == "reply-agreed-in-part" :],
        "Signatory": {"Name": signatory["name"], "Rank": signatory["rank"]},
        **_decision(corridor, what, f"{created:%Y-%m-%d}", application_fields),
    }


def _decision(corridor: Corridor, what: str, day: str, application_fields: Fields) -> dict[str, Any]:
    if what == "reply-refused":
        return {
            "Decision": {
                "Outcome": "refused",
                "Date": day,
                "Reason": [
                    {"Code": "conditions-not-met", "Text": "The exit stamp is not one of this State's border crossing points."},
                    {"Code": "incomplete", "Text": "A copy of the ticket is missing."},
                    {"Code": "identity-not-established"},
                ],
                "InterviewProposed": "true",
            },
            "Remarks": "A new application with a copy of the ticket will be examined.",
        }
    if what == "reply-interview-proposed":
        return {
            "Decision": {"Outcome": "interview-proposed", "Date": day, "InterviewProposed": "true"},
            "Remarks": "The interview can be held by video; please propose a day.",
        }
    if what == "reply-agreed-in-part":
        spouse = relative(application_fields["Spouse"], "Name", "MaidenName", "Birth", "Nationality")
        reasons = [
            {"Code": "nationality-not-established", "Text": "The spouse is not in the register of nationals."},
            {"Code": "incomplete"},
        ]
        return {
            "RefusedMember": [{"Person": spouse, "Reason": reasons}],
            "Decision": {"Outcome": "agreed-in-part", "Date": day},
            "Remarks": "The person and the children are taken back. A marriage certificate would help for the spouse.",
        }
    return {
        "Decision": {"Outcome": "agreed", "Date": day},
        "Transfer": application_fields["Transfer"] | {"BorderPoint": corridor.home["arrival"]},
        "Remarks": "The family travels together." if what.endswith("family") else None,
    }


def receipt(corridor: Corridor, messages: list[Fields]) -> Fields:
    """Return one receipt of the requested side for a batch: one message waits, the last is refused, the others are accepted."""
    now = created_at(20)
    items = [
        {
            "MessageId": message["Header"]["MessageId"],
            "Sha256": digest(f"envelope {message['Header']['MessageId']}"),
            "ReceivedAt": f"{now - timedelta(minutes=len(messages) - place):%Y-%m-%dT%H:%M:%S}Z",
            "Outcome": "accepted",
        }
        for place, message in enumerate(messages)
    ]
    items[-2] |= {"Outcome": "waiting", "Missing": ["2", "3"], "Code": "sequence-gap"}
    items[-1] |= {"Outcome": "refused", "Code": "schema-violation", "Text": "The value at Person/Sex is not in the list."}
    return {
        "Header": header(f"receipt {corridor.requested}", corridor.requested, corridor.requesting, now),
        "HostedBy": "specimen gateway",
        "Item": items,
    }
