"""States and nationalities: two letters in canonical messages, and "stateless" and "unknown" for nationalities."""

from collections.abc import Mapping
from typing import Any

from gateway.errors import BadValue
from gateway.wire.converters.converter import Converter, text_of
from gateway.wire.countries import ALPHA3, ALSO_READ, ICAO, ICAO_ALSO_READ, ICAO_PROTECTED, NUMERIC


def _listed(name: str, form: str, codes: Mapping[str, str], also_read: Mapping[str, str], example: str) -> Converter:
    """Return the converter of a table, canonical to here; what is only read is never written."""
    back = {here: canonical for canonical, here in codes.items()} | dict(also_read)

    def read(value: Any) -> str:
        text = text_of(value, form)
        if text in ICAO_PROTECTED:
            raise BadValue("is a code that says more about the person than a message may carry")
        try:
            return back[text]
        except KeyError as error:
            raise BadValue(f"is not a state's code of {form}") from error

    def write(value: str) -> str:
        try:
            return codes[value.strip()]
        except KeyError as error:
            raise BadValue(f"has no code of {form}") from error

    return Converter(name=name, form=form, example=(example, codes[example]), read=read, write=write)


_LOWER = {two: two.lower() for two in ALPHA3 if two.isupper()}
_NUMERIC = _listed("country-numeric", "three figures, ISO 3166-1", NUMERIC, {}, "BA")


def _read_number(value: Any) -> str:
    if type(value) is not int or not 0 <= value <= 999:  # noqa: PLR2004 - three figures
        raise BadValue("is not a state's number of ISO 3166-1")
    return _NUMERIC.read(f"{value:03}")


COUNTRIES = (
    _listed("country-alpha2-lower", "two small letters, ISO 3166-1", _LOWER, {}, "BA"),
    _listed("country-alpha3", "three letters, ISO 3166-1", ALPHA3, ALSO_READ, "BA"),
    _listed(
        "country-alpha3-lower",
        "three small letters, ISO 3166-1",
        {two: three.lower() for two, three in ALPHA3.items()},
        {three.lower(): two for three, two in ALSO_READ.items()},
        "BA",
    ),
    _NUMERIC,
    Converter(
        name="country-numeric-number",
        form="the number of ISO 3166-1",
        example=("BA", 70),
        read=_read_number,
        write=lambda value: int(_NUMERIC.write(value)),
    ),
    _listed("country-icao", "one or three letters, ICAO 9303-3", ICAO, ICAO_ALSO_READ, "DE"),
)
