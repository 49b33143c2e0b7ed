"""Personal numbers for the invented persons: the check digit is right, and the range was never given out as far as we know."""

from collections.abc import Callable, Mapping
from datetime import date

from stdnum.md import idno
from stdnum.nl import bsn
from stdnum.pk import cnic
from stdnum.si import emso
from stdnum.tr import tckimlik


def jmbg(born: date, sex: str, serial: int) -> str:
    """Return a JMBG (JMB, ЕМБГ) of the region 99, which was never given out.

    Layout DDMMYYY RR BBB C with BBB from 500 for women; algorithm: python-stdnum, `stdnum.si.emso`.
    """
    body = f"{born:%d%m}{born.year % 1000:03}99{serial + (500 if sex == 'female' else 0):03}"
    return emso.validate(body + emso.calc_check_digit(body))


def national_card(_born: date, sex: str, serial: int) -> str:
    """Return a CNIC of locality 60000, which no district has. It has no check digit: the last one tells the sex.

    Rules: python-stdnum, `stdnum.pk.cnic`.
    """
    return cnic.validate(f"60000{serial:07}{2 if sex == 'female' else 1}")


def turkish(_born: date, _sex: str, serial: int) -> str:
    """Return a T.C. kimlik number that begins with 98, as no citizen's does; `stdnum.tr.tckimlik`."""
    body = f"98{serial:07}"
    return tckimlik.validate(body + tckimlik.calc_check_digits(body))


def moldovan(_born: date, _sex: str, serial: int) -> str:
    """Return an IDNP of the year 999 and the office 0; the check digit is that of the IDNO, `stdnum.md.idno`."""
    body = f"29990{serial:07}"
    return idno.validate(body + idno.calc_check_digit(body))


def dutch(_born: date, _sex: str, serial: int) -> str:
    """Return a citizen service number of the test range 9990; `stdnum.nl.bsn` (eleven test)."""
    # One number in eleven has no check digit: the next one takes its place.
    numbers = (f"9990{(serial * 13 + step) % 10000:04}{digit}" for step in range(13) for digit in range(10))
    return bsn.validate(next(number for number in numbers if bsn.is_valid(number)))


# What specimens.toml calls the number -> how the canonical form names its kind, and how one is made.
NUMBERS: Mapping[str, tuple[str, Callable[[date, str, int], str]]] = {
    "jmbg": ("jmbg", jmbg),
    "cnic": ("cnic", national_card),
    "tckimlik": ("other", turkish),
    "idnp": ("other", moldovan),
    "bsn": ("other", dutch),
}
