"""Numbers of papers and files in groups, with marks between them; the canonical message has them without."""

import re
from collections.abc import Sequence
from typing import Any

from gateway.errors import BadValue
from gateway.wire.converters.converter import Converter, text_of


def _grouped(name: str, what: str, canonical: str, groups: Sequence[int], mark: str, example: str) -> Converter:
    """Return the converter that writes `mark` between groups of the given sizes; the last size repeats."""
    matcher = re.compile(canonical)

    def split(value: str) -> str:
        parts, start, sizes = list[str](), 0, list(groups)
        while start < len(value):
            size = sizes.pop(0) if len(sizes) > 1 else sizes[0]
            parts.append(value[start : start + size])
            start += size
        return mark.join(parts)

    form = split(re.sub("[0-9]", "0", re.sub("[A-Z]", "A", example)))

    def read(value: Any) -> str:
        text = text_of(value, form)
        joined = text.replace(mark, "")
        if not matcher.fullmatch(joined) or split(joined) != text:
            raise BadValue(f"is not {what} written as {form}")
        return joined

    def write(value: str) -> str:
        number = value.strip()
        if not matcher.fullmatch(number):
            raise BadValue(f"is not {what} without marks")
        return split(number)

    return Converter(name=name, form=form, example=(example, split(example)), read=read, write=write)


DOCUMENTS = (
    _grouped("digits-cnic", "a CNIC", "[0-9]{13}", (5, 7, 1), "-", "6000000000017"),
    _grouped("case-reference-grouped", "a case reference", "[A-Z2-7]{16,32}", (4,), "-", "ABCDEFGH234567ABCDEFGHIJKL"),
    _grouped("digits-in-fours", "a number of figures", "[0-9]{5,24}", (4,), " ", "123456789012"),
    _grouped("digits-in-threes", "a number of figures", "[0-9]{4,24}", (3,), " ", "123456789"),
    _grouped("digits-in-threes-dash", "a number of figures", "[0-9]{4,24}", (3,), "-", "123456789"),
    _grouped("digits-in-threes-dot", "a number of figures", "[0-9]{4,24}", (3,), ".", "123456789"),
    _grouped("number-letters-2-space", "two letters and figures", "[A-Z]{2}[0-9]{5,9}", (2, 20), " ", "AB0000001"),
    _grouped("number-letters-2-dash", "two letters and figures", "[A-Z]{2}[0-9]{5,9}", (2, 20), "-", "AB0000001"),
    _grouped("number-letter-1-space", "a letter and figures", "[A-Z][0-9]{5,9}", (1, 20), " ", "A0000001"),
    _grouped("number-letter-1-dash", "a letter and figures", "[A-Z][0-9]{5,9}", (1, 20), "-", "A0000001"),
)
