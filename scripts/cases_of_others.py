"""Applications for third-country nationals, stateless persons and former nationals: one function for each kind."""

from datetime import timedelta

from specimens import (
    Corridor,
    Fields,
    address,
    at_hour,
    attachment,
    birth,
    described,
    entry_of,
    evidence,
    national,
    paper,
    passport,
    permit_of,
    working_day,
)


def third_country_visa(corridor: Corridor, number: int) -> Fields:
    """A third-country national with a visa of the requested State."""
    person = described(corridor, "third-country-visa", number)
    visa = paper("visa", f"V{number:07}", corridor.state, "2026-05-04", "2027-05-03")
    return {
        "Request": {"Ground": "third-country-visa"},
        "Person": person | {"CivilStatus": "single"},
        "Document": [paper("passport", f"X{number:07}", person["Nationality"][0], "2022-01-10", "2032-01-09"), visa],
        "Evidence": [evidence("T1-01", "Visa of the requested State, in the passport.", visa)],
        "Entry": entry_of(corridor, "2026-07-18"),
    }


def third_country_permit(corridor: Corridor, number: int) -> Fields:
    """A third-country national with a residence permit of the requested State."""
    person, permit = described(corridor, "third-country-permit", number), permit_of(corridor, number)
    return {
        "Request": {"Ground": "third-country-permit"},
        "Person": person | {"LastAddress": address(corridor.home["address"]), "CivilStatus": "married"},
        "Document": [permit],
        "Evidence": [evidence("T1-01", "Residence permit of the requested State.", permit)],
        "Entry": entry_of(corridor, "2026-08"),
    }


def third_country_entry(corridor: Corridor, number: int) -> Fields:
    """A third-country national who came directly from the requested State."""
    return {
        "Request": {"Ground": "third-country-entry"},
        "Person": described(corridor, "third-country-entry", number),
        "Evidence": [
            evidence("T1-02", "Exit stamp of the requested State, with date and place."),
            evidence("T1-04", f"Named ticket: {corridor.facts['route']}."),
            evidence("T2-04", "Statement by the person about the journey."),
        ],
        "Entry": entry_of(corridor, "2026-08-12") | {"StopOver": list(corridor.facts["stop_overs"])},
    }


def accelerated(corridor: Corridor, number: int) -> Fields:
    """A person met at the airport, fresh from the requested State; a third-country national where specimens.toml has one."""
    caught = at_hour(working_day(number), 5, 40) - timedelta(days=1)
    return {
        **(_met_third_country if "accelerated" in corridor.facts["persons"] else _met_national)(corridor, number),
        "Entry": {"Date": f"{caught:%Y-%m-%d}", "Place": corridor.facts["border"], "Mode": "air"},
        "Apprehension": {"Place": f"{corridor.facts['border']}, border area", "At": f"{caught:%Y-%m-%dT%H:%M:%S}Z"},
        "Transfer": {"BorderPoint": corridor.home["arrival"], "Means": "air"},
    }


def _met_third_country(corridor: Corridor, number: int) -> Fields:
    return {
        "Request": {"Ground": "third-country-entry", "Procedure": "accelerated"},
        "Person": described(corridor, "accelerated", number),
        "Evidence": [
            evidence("T1-04", f"Passenger list: {corridor.facts['route']}."),
            evidence("T1-06", "Official statement of the border guard at the gate."),
            evidence("T2-01", "Description of the place and the circumstances of the interception by the border police."),
        ],
    }


def _met_national(corridor: Corridor, number: int) -> Fields:
    held = passport(corridor, number)
    return {
        "Request": {"Ground": "national", "Procedure": "accelerated"},
        "Person": national(corridor, "man", "male", "1994-07-22", number),
        "Document": [held],
        "Evidence": [
            evidence("N1-01", "Passport, genuine and valid.", held),
            evidence("N2-09", "Statement of the border guard who saw the person leave the aircraft."),
        ],
    }


def no_name(corridor: Corridor, number: int) -> Fields:
    """A person who states no name: aliases, an estimated year of birth, fingerprints."""
    alias = {"AsShown": "SPECIMEN ALI", "Script": "Latn"}
    return {
        "Request": {"Ground": "third-country-entry", "InterviewRequested": "true"},
        "Person": {
            "NameUnknown": "The person states no name; no document was found.",
            "OtherName": [{"Kind": "alias", "Name": alias}, {"Kind": "pseudonym", "Name": alias | {"AsShown": "SPECI"}}],
            "Sex": "male",
            "Birth": birth("1990", None, None, quality="estimated"),
            "Nationality": ["unknown"],
            "PhysicalDescription": {"HeightCm": "172", "EyeColour": "black"},
        },
        "Evidence": [
            evidence("T1-03", "Hotel bill in the alias, from a town in the requested State."),
            evidence("T2-03", "Confirmation by a travel companion."),
        ],
        "Entry": entry_of(corridor, "2026-08"),
        "Attachment": [attachment("fingerprints", f"fingerprints-{number:03}.bin", "application/octet-stream", 15360)],
    }


def stateless(corridor: Corridor, number: int) -> Fields:
    """A stateless person with a residence permit of the requested State."""
    permit = permit_of(corridor, number)
    return {
        "Request": {"Ground": "stateless"},
        "Person": described(corridor, "stateless", number) | {"CivilStatus": "widowed"},
        "Document": [permit, paper("travel-document", f"C{number:07}", corridor.state, "2023-05-05", "2028-05-04")],
        "Evidence": [evidence("T1-01", "Residence permit of the requested State.", permit)],
        "Entry": entry_of(corridor, "2026-06-30"),
    }


def former_sfry_national(corridor: Corridor, number: int) -> Fields:
    """A former national of the SFRY without another nationality, asked of a successor State."""
    certificate = paper("citizenship-certificate", f"{number:07}", corridor.state, "1990-10-05")
    return {
        "Request": {"Ground": "former-sfry-national", "InterviewRequested": "true"},
        "Person": described(corridor, "former-sfry-national", number) | {"LastAddress": address(corridor.home["address"])},
        "Document": [certificate],
        "Evidence": [
            evidence("S1-01", "Birth certificate: born on the territory of the requested State."),
            evidence("S1-02", "Citizenship certificate of the former republic.", certificate),
        ],
        "Observations": "No other nationality was acquired. Permanent residence on 27 April 1992: see the certificate.",
    }


def former_national(corridor: Corridor, number: int) -> Fields:
    """A former national who has no other nationality."""
    old = passport(corridor, number, issued="2014-08-20", expires="2024-08-19")
    return {
        "Request": {"Ground": "former-national"},
        "Person": described(corridor, "former-national", number),
        "Document": [old],
        "Evidence": [
            evidence("N2-02", "Expired passport of the requested State.", old),
            evidence("N2-99", "Decision on the release from nationality; no other nationality was acquired or promised."),
        ],
    }
