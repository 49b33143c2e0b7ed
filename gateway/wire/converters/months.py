"""Dates with the month as a word: "07 SEP 1990" as passports write it, "7. ožujka 1990." as letters do.

Capital or small letters are read alike. Where a language declines the month beside a day, both words are read and the
right one is written.
"""

import re
import unicodedata
from collections.abc import Iterator

from gateway.errors import BadValue
from gateway.wire.converters.converter import Converter, text_of
from gateway.wire.converters.dates import parts_of, real_date

_SHORT_EN = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC"

# language: mark after the day, mark at the end, months; "a/b": the month alone, the month beside a day
_WORDS = {
    "az": ("", "", "yanvar fevral mart aprel may iyun iyul avqust sentyabr oktyabr noyabr dekabr"),
    "bs": (
        ".",
        ".",
        "januar/januara februar/februara mart/marta april/aprila maj/maja juni/juna juli/jula august/augusta "
        "septembar/septembra oktobar/oktobra novembar/novembra decembar/decembra",
    ),
    "de": (".", "", "Januar Februar März April Mai Juni Juli August September Oktober November Dezember"),
    "en": ("", "", "January February March April May June July August September October November December"),
    "fr": ("", "", "janvier février mars avril mai juin juillet août septembre octobre novembre décembre"),
    "hr": (
        ".",
        ".",
        "siječanj/siječnja veljača/veljače ožujak/ožujka travanj/travnja svibanj/svibnja lipanj/lipnja srpanj/srpnja "
        "kolovoz/kolovoza rujan/rujna listopad/listopada studeni/studenoga prosinac/prosinca",
    ),
    "mk": ("", "", "јануари февруари март април мај јуни јули август септември октомври ноември декември"),
    "nl": ("", "", "januari februari maart april mei juni juli augustus september oktober november december"),
    "ro": ("", "", "ianuarie februarie martie aprilie mai iunie iulie august septembrie octombrie noiembrie decembrie"),
    "sq": ("", "", "janar shkurt mars prill maj qershor korrik gusht shtator tetor nëntor dhjetor"),
    "sr-cyrl": (
        ".",
        ".",
        "јануар/јануара фебруар/фебруара март/марта април/априла мај/маја јун/јуна јул/јула август/августа "
        "септембар/септембра октобар/октобра новембар/новембра децембар/децембра",
    ),
    "sr-latn": (
        ".",
        ".",
        "januar/januara februar/februara mart/marta april/aprila maj/maja jun/juna jul/jula avgust/avgusta "
        "septembar/septembra oktobar/oktobra novembar/novembra decembar/decembra",
    ),
    "tr": ("", "", "Ocak Şubat Mart Nisan Mayıs Haziran Temmuz Ağustos Eylül Ekim Kasım Aralık"),
}


def _folded(word: str) -> str:
    """Return a month for comparing: the capital İ of Turkish folds to i with a dot above it, which is taken off."""
    return unicodedata.normalize("NFC", word.casefold().replace("\u0307", ""))


def _converter(name: str, words: list[str], mark: str, *, dot: str = "", end: str = "", padded: bool = False) -> Converter:
    """Return the converter that writes day, month and year with `mark` between them."""
    alone = [word.partition("/")[0] for word in words]
    beside = [word.rpartition("/")[2] for word in words]
    numbers = {_folded(word): f"{number:02}" for both in (alone, beside) for number, word in enumerate(both, 1)}
    between, size = re.escape(mark), "{2}" if padded else "{1,2}"
    pattern = re.compile(rf"(?:(?:([0-9]{size}){re.escape(dot)}{between})?([^\W\d_]+){between})?([0-9]{{4}}){re.escape(end)}")
    day_form = f"{'DD' if padded else 'D'}{dot}"
    form = f"{mark.join((day_form, beside[8], 'YYYY'))}{end} (or without day, or the year alone)"

    def read(value: object) -> str:
        match = pattern.fullmatch(text_of(value, form))
        if match is None:
            raise BadValue(f"is not written as {form}")
        day, word, year = match.groups()
        if word is None:
            return real_date(year, form)
        month = numbers.get(_folded(word))
        if month is None:
            raise BadValue(f"names no month; a date is written as {form}")
        return real_date(f"{year}-{month}-{day.zfill(2)}" if day else f"{year}-{month}", form)

    def write(value: str) -> str:
        year, month, day = parts_of(value)
        if month is None:
            return year + end
        word = (beside if day else alone)[int(month) - 1]
        first = [f"{day if padded else day.lstrip('0')}{dot}"] if day else []
        return mark.join((*first, word, year)) + end

    return Converter(name=name, form=form, example=("1990-09-07", write("1990-09-07")), read=read, write=write)


def _converters() -> Iterator[Converter]:
    short = _SHORT_EN.split()
    yield _converter("date-dmy-mon-en", short, " ", padded=True)
    yield _converter("date-dmy-mon-en-dash", short, "-", padded=True)
    for language, (dot, end, words) in _WORDS.items():
        yield _converter(f"date-dmy-words-{language}", words.split(), " ", dot=dot, end=end)


MONTHS = tuple(_converters())
