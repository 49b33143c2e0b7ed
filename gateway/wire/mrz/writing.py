"""From fields to the lines of a machine-readable zone: for tests, and for what is shown beside a form."""

from gateway.errors import MrzInvalid
from gateway.wire.mrz.layout import FILLER, LAYOUTS, Fields, Layout, Place, check_digit


def write_mrz(fields: Fields) -> str:
    """Return the lines of `fields`, parted by a line end, with their check digits.

    A name that is too long is cut so that its last position holds a letter, which says that something is missing (9303-3,
    section 4.6). Raises `MrzInvalid` for another field that does not fit its place, `MrzInvalid` for a name that has no
    letters.
    """
    layout = LAYOUTS[fields.format]
    lines = [[FILLER] * layout.width for _ in range(layout.lines)]

    def put(place: Place, text: str) -> None:
        if len(text) > place.width:
            raise MrzInvalid(
                f"a field of line {place.line + 1} has {len(text)} signs where {place.width} fit", line=place.line + 1
            )
        lines[place.line][place.start : place.end] = text.ljust(place.width, FILLER)

    def written(place: Place) -> str:
        return "".join(lines[place.line][place.start : place.end])

    for place, text in (
        (layout.code, fields.code),
        (layout.issuer, fields.issuer),
        (layout.names, _name(fields, layout.names.width)),
        (layout.nationality, fields.nationality),
        (layout.birth, fields.birth),
        (layout.sex, fields.sex),
        (layout.expiry, fields.expiry),
    ):
        put(place, text)
    number, number_check, optional = _number(fields, layout)
    put(layout.number, number)
    put(layout.number.after(), number_check)
    for place, text in zip(layout.optional, optional, strict=True):
        put(place, text)
    for place in (layout.birth, layout.expiry, *(layout.optional[:1] if layout.checks_optional else ())):
        put(place.after(), check_digit(written(place)))
    if layout.composite is not None:
        put(layout.composite, check_digit("".join(written(place) for place in layout.covers)))
    return "\n".join("".join(line) for line in lines)


def _number(fields: Fields, layout: Layout) -> tuple[str, str, tuple[str, ...]]:
    """Return the number's own field, its check digit, and the optional data, which a long number begins."""
    number, width = fields.number, layout.number.width
    if len(number) <= width:
        return number, check_digit(number.ljust(width, FILLER)), fields.optional
    if not layout.long_numbers:
        raise MrzInvalid(f"a number has at most {width} signs in this format")
    first = f"{number[width:]}{check_digit(number)}{FILLER}{fields.optional[0]}".rstrip(FILLER)
    return number[:width], FILLER, (first, *fields.optional[1:])


def _name(fields: Fields, width: int) -> str:
    primary, secondary = (text.replace(" ", FILLER) for text in (fields.primary, fields.secondary))
    if not primary.strip(FILLER):
        raise MrzInvalid("a name has at least one letter", path="line 1, position 6")
    parts = [primary, secondary]
    while True:
        whole = (FILLER * 2).join(part for part in parts if part)
        cut = whole[:width]
        if len(whole) <= width or not cut.endswith(FILLER):
            return cut
        parts[0] = parts[0][:-1].rstrip(FILLER)  # the cut fell between two words: one letter less before it
