"""Applications for nationals of the requested State, their children and families: one function for each kind."""

from collections.abc import Callable
from typing import TypeAlias

from specimens import (
    Corridor,
    Fields,
    address,
    attachment,
    birth,
    case_reference,
    described,
    evidence,
    home_birth,
    long_text,
    name,
    national,
    paper,
    passport,
    permit_of,
    relative,
    transfer_of,
)

Case: TypeAlias = Callable[[Corridor, int], Fields]  # the number counts the cases of a corridor: day, and number of papers

TEXT_LIMIT = 4000  # characters, schema type Text

_WITNESSED = (
    "The person was heard on the day of the application in a language that the person understands; an interpreter was present.",
    "The papers named above were looked at by the document examiner; paper, print & stitching show no sign of change.",
    "The stay became unlawful when the permitted period (90 days within 180 days) had run out; no extension was asked for.",
    "Luggage: one suitcase < 23 kg and one bag; money and telephone were handed back against a signature.",
    'The person wrote: "I agree to travel by air & ask for one day\'s notice."',
    "Places were spelled as on the ticket: Čapljina, Niš, Wien-Schwechat, Rawalpindi.",
)


def own_national(corridor: Corridor, number: int) -> Fields:
    """A national with valid papers, photograph and scan attached, transfer proposed."""
    valid = passport(corridor, number)
    card = paper("identity-card", f"{number:07}", corridor.state, "2022-06-01", "2032-05-31")
    return {
        "Request": {"Ground": "national"},
        "Person": national(corridor, "man", "male", "1990-01-15", number)
        | {
            "CivilStatus": "single",
            "PhysicalDescription": {"HeightCm": "178", "EyeColour": "brown", "Marks": "Scar on the left forearm, 3 cm."},
        },
        "Danger": {"Indicated": "false"},
        "Document": [valid, card],
        "Evidence": [evidence("N1-01", "Passport, genuine and valid.", valid), evidence("N1-02", None, card)],
        "Transfer": transfer_of(corridor, valid, escorts=2),
        "Observations": "The passport is attached as a scan. The person is willing to travel.",
        "Attachment": [
            attachment("photograph", "photograph.jpg", "image/jpeg", 48213),
            attachment("document-scan", "passport.pdf", "application/pdf", 301877),
        ],
    }


def expired_passport(corridor: Corridor, number: int) -> Fields:
    """A national whose only paper has expired: prima facie evidence, N2-02. Security measures are asked for."""
    old = passport(corridor, number, issued="2013-04-10", expires="2023-04-09")
    return {
        "Request": {"Ground": "national"},
        "Person": national(corridor, "woman", "female", "1984-12-03", number)
        | {"MaidenName": name(corridor.home["woman_born"]), "CivilStatus": "divorced"},
        "Danger": {"Indicated": "true", "Description": "Resisted boarding once; two escorts are proposed."},
        "Document": [old],
        "Evidence": [evidence("N2-02", "Passport whose validity has expired.", old)],
        "Transfer": transfer_of(corridor, None, escorts=2),
    }


def interview_asked(corridor: Corridor, number: int) -> Fields:
    """A presumed national without papers: the interview is asked for."""
    return {
        "Request": {"Ground": "national", "InterviewRequested": "true"},
        "Person": relative(
            national(corridor, "woman", "female", "1999-09-09", number), "Name", "Sex", "Nationality", "Language"
        )
        | {"Birth": home_birth(corridor, "1999", 2, quality="estimated"), "CivilStatus": "unknown"},
        "Evidence": [
            evidence("N2-08", "Statement by the person; the language spoken was recognised by the interpreter."),
            evidence("N2-07", "Written statement by a cousin who lives lawfully in the requesting State."),
        ],
        "Observations": "No document was found. An interview by the mission is asked for; by video is possible.",
    }


def known_by(kind: str, code: str, text: str, document: str) -> Case:
    """Return a case about the national that specimens.toml describes for `kind`, shown by one document."""

    def case(corridor: Corridor, number: int) -> Fields:
        person = described(corridor, kind, number)
        own = person["Nationality"] == [corridor.state]
        state = corridor.state if own else person["Nationality"][0]
        held = paper(document, f"{number:07}", state, "2020-02-03", "2030-02-02")
        return {
            "Request": {"Ground": "national" if own else "third-country-permit"},
            "Person": person | {"LastAddress": address(corridor.home["address"])},
            "Document": [held] if own else [held, permit_of(corridor, number)],
            "Evidence": [evidence(code, text, held)]
            if own
            else [evidence("T1-01", "Residence permit.", permit_of(corridor, number))],
        }

    return case


def unknown_birth_date(corridor: Corridor, number: int) -> Fields:
    """A person whose date of birth nobody knows."""
    case = known_by("unknown-birth-date", "N2-04", "Driving licence; it shows no date of birth.", "driving-licence")(
        corridor, number
    )
    case["Person"]["CivilStatus"] = "widowed"
    case["Observations"] = "The person does not know the date of birth; no paper shows one."
    return case


def long_observations(corridor: Corridor, number: int) -> Fields:
    """Observations as long as the schema allows, with line ends and characters that XML escapes."""
    copy = paper("birth-certificate", f"{number:07}", corridor.state, "2008")
    return {
        "Request": {"Ground": "national"},
        "Person": national(corridor, "man", "male", "1987-06-18", number),
        "Document": [copy],
        "Evidence": [evidence("N2-01", "Photocopy of a passport; the original was lost."), evidence("N2-05", None, copy)],
        "Observations": long_text(_WITNESSED, TEXT_LIMIT),
        "Attachment": [attachment("other", "interview-record.pdf", "application/pdf", 88120)],
    }


# --- children and families --------------------------------------------------------------------------------------------------


def child_with_guardian(corridor: Corridor, number: int) -> Fields:
    """A child alone, with a named guardian."""
    certificate = paper("birth-certificate", f"{number:07}", corridor.state, "2014-02")
    return {
        "Request": {"Ground": "national"},
        "Person": national(corridor, "boy", "male", "2014-01-30", number) | {"CivilStatus": "single"},
        "Guardian": {
            "Name": name(corridor.away["woman"]),
            "Nationality": [corridor.requesting[:2]],
            "Language": list(corridor.away["languages"]),
            "Address": address(corridor.away["address"]),
        },
        "Health": {"CareNeeded": "false", "ConsentGiven": "false"},
        "Document": [certificate],
        "Evidence": [evidence("N2-05", "Birth certificate.", certificate)],
        "Observations": "The guardian was appointed by the court of the place and travels with the child up to the hand-over.",
    }


def child_with_adult(corridor: Corridor, number: int) -> Fields:
    """A child born in the requesting State, readmitted with the mother as a family member; the month of birth is known."""
    of_mother = passport(corridor, number)
    mother = national(corridor, "woman", "female", "1992-03-08", number)
    return {
        "Request": {"Ground": "family-member"},
        "LinkedCase": [case_reference(f"{corridor.code} mother of child-with-adult")],
        "Person": {
            "Name": name(corridor.home["girl"]),
            "Sex": "female",
            "Birth": birth("2019-08", corridor.facts["place"], corridor.requesting[:2]),
            "Nationality": ["unknown"],
            "Language": list(corridor.home["languages"]),
            "Mother": mother["Name"],
        },
        "AccompanyingAdult": relative(mother, "Name", "Sex", "Birth", "Nationality", "Language")
        | {"Address": address(corridor.away["address"])},
        "Document": [of_mother],
        "Evidence": [
            evidence("N1-01", "Passport of the mother, a national of the requested State.", of_mother),
            evidence("N2-07", "Written statement by the mother about the birth."),
        ],
    }


def family(corridor: Corridor, number: int) -> Fields:
    """A national with spouse and two children; one child needs care, and consent to say so was given."""
    held = passport(corridor, number)
    wife = national(corridor, "woman", "female", "1988-05-21", number)
    boy, girl = (
        national(corridor, "boy", "male", "2015-09-01", number),
        national(corridor, "girl", "female", "2020-11-11", number),
    )
    of_child = ("Name", "Sex", "Birth", "Nationality", "Language", "PhysicalDescription")
    boy["PhysicalDescription"] = {"HeightCm": "138", "EyeColour": "hazel", "Marks": "Wears glasses."}
    return {
        "Request": {"Ground": "national"},
        "Person": national(corridor, "man", "male", "1985-02-14", number)
        | {"CivilStatus": "married", "PhysicalDescription": {"HeightCm": "181", "EyeColour": "green"}},
        "Spouse": relative(wife, "Name", "Sex", "Birth", "Nationality", "Language")
        | {
            "MaidenName": name(corridor.home["woman_born"]),
            "OtherName": [{"Kind": "nickname", "Name": name(corridor.home["woman_called"])}],
            "PhysicalDescription": {"HeightCm": "167", "EyeColour": "brown", "Marks": "Freckles."},
        },
        "Child": [relative(boy, *of_child), relative(girl, *of_child)],
        "Health": {
            "CareNeeded": "true",
            "ConsentGiven": "true",
            "Description": "The younger child needs an inhaler during the flight; the parents carry it and agree to this note.",
        },
        "Document": [held],
        "Evidence": [evidence("N1-01", None, held), evidence("N2-05", "Birth certificates of both children, copies.")],
        "Transfer": transfer_of(corridor, held, escorts=0),
    }
