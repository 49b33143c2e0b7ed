"""What the number of the former Yugoslavia (JMBG, EMSO, EMBG) says by its eighth and ninth figure: where it was given out.

For people born before 1976 that is where they lived then, for later ones where they were born; it never changes afterwards.
Source: the rules of 1976 as the successor states still apply them. A region is no proof of nationality.
"""

from collections.abc import Mapping

_STATES: Mapping[str, str | None] = {
    "0": None,  # foreigners, and people taken up into the nationality
    "1": "BA",
    "2": "ME",
    "3": "HR",
    "4": "MK",
    "5": "SI",
    "6": None,  # foreigners for a time
    "7": "RS",
    "8": "RS",
    "9": "XK",
}

_PLACES: Mapping[str, str] = {
    "10": "Banja Luka",
    "11": "Bihać",
    "12": "Doboj",
    "13": "Goražde",
    "14": "Livno",
    "15": "Mostar",
    "16": "Prijedor",
    "17": "Sarajevo",
    "18": "Tuzla",
    "19": "Zenica",
    "21": "Podgorica",
    "22": "Bar, Ulcinj",
    "23": "Budva, Kotor, Tivat",
    "24": "Herceg Novi",
    "25": "Cetinje",
    "26": "Nikšić",
    "27": "Berane, Rožaje, Plav, Andrijevica",
    "28": "Bijelo Polje, Mojkovac",
    "29": "Pljevlja, Žabljak",
    "41": "Bitola",
    "42": "Kumanovo",
    "43": "Ohrid",
    "44": "Prilep",
    "45": "Skopje",
    "46": "Strumica",
    "47": "Tetovo",
    "48": "Veles",
    "49": "Štip",
    "71": "Beograd",
    "72": "Šumadija",
    "73": "Niš",
    "74": "Južna Morava",
    "75": "Zaječar",
    "76": "Podunavlje",
    "77": "Podrinje, Kolubara",
    "78": "Kraljevo",
    "79": "Užice",
    "80": "Novi Sad",
    "81": "Sombor",
    "82": "Subotica",
    "85": "Zrenjanin",
    "86": "Pančevo",
    "87": "Kikinda",
    "88": "Ruma",
    "89": "Sremska Mitrovica",
    "91": "Prishtinë / Priština",
    "92": "Mitrovicë / Mitrovica",
    "93": "Pejë / Peć",
    "94": "Gjakovë / Đakovica",
    "95": "Prizren",
}


def region_of(number: str) -> tuple[str | None, str | None]:
    """Return (state, place) of the two figures of a number's region; None for what they do not say."""
    region = number[7:9]
    return _STATES.get(region[:1]), _PLACES.get(region)
