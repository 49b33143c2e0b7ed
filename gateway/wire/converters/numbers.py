"""Numbers, amounts, heights and truth: as text or as JSON has them, with a comma or a point, with a unit."""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from gateway.errors import BadValue
from gateway.wire.converters.converter import Converter, Read, Write, exact, text_of

# --- whole numbers ---------------------------------------------------------------------------------------------------

_MOST = 10**18
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")


def _read_integer(value: Any) -> str:
    if type(value) is not int or abs(value) >= _MOST:
        raise BadValue("is not a whole number of 18 figures at most")
    return str(value)


def _write_integer(value: str) -> int:
    if not _WHOLE.fullmatch(value.strip()):
        raise BadValue("is not a whole number")
    return int(value)


def _padded(width: int) -> Converter:
    form = f"a whole number of {width} figures, with leading zeros"

    def read(value: Any) -> str:
        if not re.fullmatch(rf"[0-9]{{{width}}}", text := text_of(value, form)):
            raise BadValue(f"is not {form}")
        return str(int(text))

    def write(value: str) -> str:
        text = str(_write_integer(value)).zfill(width)
        if len(text) != width or text.startswith("-"):
            raise BadValue(f"has no place in {form}")
        return text

    return Converter(name=f"integer-padded-{width}", form=form, example=("7", "7".zfill(width)), read=read, write=write)


def _read_integer_text(value: Any) -> str:
    if not re.fullmatch(r"0|-?[1-9][0-9]{0,17}", text := text_of(value, "a whole number as text")):
        raise BadValue("is not a whole number as text, without leading zeros")
    return text


# --- amounts: two decimal places ---------------------------------------------------------------------------------------

_TOO_MUCH = 10**10
_AMOUNT = re.compile(r"(0|[1-9][0-9]{0,9})\.([0-9]{2})")


def _amount(value: str) -> tuple[str, str]:
    match = _AMOUNT.fullmatch(value.strip())
    if match is None:
        raise BadValue("is not an amount with two decimal places")
    return match[1], match[2]


def _amount_text(name: str, point: str, group: str) -> Converter:
    form = f"1{group}234{point}50"
    whole = rf"[0-9]{{1,3}}(?:{re.escape(group)}[0-9]{{3}})*" if group else r"[0-9]+"
    pattern = re.compile(rf"({whole}){re.escape(point)}([0-9]{{2}})")

    def read(value: Any) -> str:
        match = pattern.fullmatch(text_of(value, form))
        if match is None:
            raise BadValue(f"is not an amount written as {form}")
        canonical = f"{match[1].replace(group, '') if group else match[1]}.{match[2]}"
        _amount(canonical)
        return canonical

    def write(value: str) -> str:
        whole, cents = _amount(value)
        return f"{int(whole):,}".replace(",", group) + point + cents

    return Converter(name=name, form=form, example=("1234.50", write("1234.50")), read=read, write=write)


def _read_amount_number(value: Any) -> str:
    if type(value) not in {int, float}:
        raise BadValue("is not a number")
    exactly = Decimal(repr(value))  # what JSON said, since a number of 17 figures or fewer is written as it was read
    if not exactly.is_finite() or not 0 <= exactly < _TOO_MUCH or exactly != round(exactly, 2):
        raise BadValue("is not an amount with at most two decimal places")
    canonical = f"{exactly:.2f}"
    _amount(canonical)
    return canonical


def _read_cents(value: Any) -> str:
    canonical = f"{int(_read_integer(value)) // 100}.{int(_read_integer(value)) % 100:02}"
    _amount(canonical)
    return canonical


def _write_amount_number(value: str) -> float:
    return float(".".join(_amount(value)))


def _write_cents(value: str) -> int:
    return int("".join(_amount(value)))


# --- heights: whole centimetres ----------------------------------------------------------------------------------------


def _height(name: str, form: str, pattern: str, write: Callable[[int], str]) -> Converter:
    """Return a height as text; `pattern` has one group of centimetres, or one of metres and one of the rest."""
    matcher = re.compile(pattern, re.ASCII)

    def read(value: Any) -> str:
        match = matcher.fullmatch(text_of(value, form))
        if match is None:
            raise BadValue(f"is not a height written as {form}")
        return str(int("".join(match.groups())))

    def written(value: str) -> str:
        return write(_write_integer(value))

    return exact(name, form, ("178", write(178)), read, written)


def _metres(mark: str, unit: str) -> Callable[[int], str]:
    return lambda height: f"{height // 100}{mark}{height % 100:02}{unit}"


def _read_metres(value: Any) -> str:
    if type(value) not in {int, float}:
        raise BadValue("is not a number of metres")
    centimetres = Decimal(repr(value)) * 100
    if not centimetres.is_finite() or not 0 <= centimetres <= 999 or centimetres != int(centimetres):  # noqa: PLR2004 - cm
        raise BadValue("is not a height in metres with at most two decimal places")
    return str(int(centimetres))


def _write_metres(value: str) -> float:
    return _write_integer(value) / 100


def _heights() -> Iterator[Converter]:
    yield _height("height-cm", "178 cm", r"(\d{2,3}) ?cm", lambda height: f"{height} cm")
    yield _height("height-m", "1.78", r"(\d)\.(\d{2})", _metres(".", ""))
    yield _height("height-m-unit", "1.78 m", r"(\d)\.(\d{2}) ?m", _metres(".", " m"))
    yield _height("height-m-comma", "1,78", r"(\d),(\d{2})", _metres(",", ""))
    yield _height("height-m-comma-unit", "1,78 m", r"(\d),(\d{2}) ?m", _metres(",", " m"))
    yield exact("height-m-number", "a number of metres", ("178", 1.78), _read_metres, _write_metres)


# --- truth -------------------------------------------------------------------------------------------------------------


def _truth(name: str, form: str, yes: Any, no: Any) -> Converter:
    """Return a converter of true and false; a partner's words in a language of its own are a code list."""

    def read(value: Any) -> str:
        found = value.strip() if isinstance(value, str) else value
        for here, canonical in ((yes, "true"), (no, "false")):
            if type(found) is type(here) and found == here:
                return canonical
        raise BadValue(f"is not {form}")

    def write(value: str) -> Any:
        try:
            return {"true": yes, "1": yes, "false": no, "0": no}[value.strip()]
        except KeyError as error:
            raise BadValue("is not true or false") from error

    return Converter(name=name, form=form, example=("true", yes), read=read, write=write)


def _integers() -> Iterator[Converter]:
    def text(read: Read, write: Write) -> Converter:
        return Converter(name="integer-text", form="a whole number as text", example=("182", "182"), read=read, write=write)

    yield Converter(name="integer", form="a number", example=("182", 182), read=_read_integer, write=_write_integer)
    yield text(_read_integer_text, lambda value: str(_write_integer(value)))
    yield from map(_padded, range(2, 13))


NUMBERS = (
    *_integers(),
    _amount_text("amount-comma", ",", ""),
    _amount_text("amount-comma-grouped", ",", "."),
    _amount_text("amount-grouped", ".", ","),
    Converter(
        name="amount-number",
        form="a number with at most two decimal places",
        example=("1234.50", 1234.5),
        read=_read_amount_number,
        write=_write_amount_number,
    ),
    Converter(
        name="amount-cents",
        form="a whole number of hundredths",
        example=("1234.50", 123450),
        read=_read_cents,
        write=_write_cents,
    ),
    *_heights(),
    _truth("boolean", "true or false", True, False),
    _truth("boolean-text", "the text true or false", "true", "false"),
    _truth("boolean-number", "the number 1 or 0", 1, 0),
    _truth("boolean-digit", "the text 1 or 0", "1", "0"),
)
