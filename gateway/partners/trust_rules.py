"""What a partner may sign and seal with: the table `[trust]` of its partner.toml.

    [trust]
    signatures = [{ algorithm = "ecdsa-p256-sha256" }, { algorithm = "rsa3072-sha256", until = 2030-12-31 }]
    sealing = ["mlkem768-x25519-hkdf-sha256-aes256gcm", { suite = "x25519-hkdf-sha256-aes256gcm", until = 2029-12-31 }]
    foreign = []                  # other people's verifiers that may take its signatures: "signxml", "xmlsec"
    second_signature = "none"     # or "accepted", "required": a post-quantum signature beside the first

Every key may be left out. What each name means is known in `gateway.trust`; a test compares the names here with those there.
An exchange is between two authorities, and the rules of both hold for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, Final

from gateway.partners.fields import Table
from gateway.partners.values import day, word

SIGNATURES: Final = ("ecdsa-p256-sha256", "ecdsa-p384-sha384", "rsa3072-sha256")
SEALING: Final = (
    "mlkem768-x25519-hkdf-sha256-aes256gcm",
    "x25519-hkdf-sha256-aes256gcm",
    "p256-hkdf-sha256-aes256gcm",
)
# P-256 is for a partner whose hardware knows nothing else: only where its folder asks for it.
_SEALING_UNLESS_SAID: Final = SEALING[:2]
FOREIGN: Final = ("signxml", "xmlsec")

_KEYS = {"signatures", "sealing", "foreign", "second_signature"}


class SecondSignature(StrEnum):
    """Whether messages carry a post-quantum signature beside the first; each word asks for more than the one before."""

    NONE = "none"  # not made; one that comes all the same is checked
    ACCEPTED = "accepted"  # made where there is a key for it; checked when it comes
    REQUIRED = "required"  # made; a message without it is refused


_BY_DEMAND: Final = tuple(SecondSignature)


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """One algorithm or suite that may be used."""

    name: str
    until: date | None = None  # last day, in UTC, on which it may be used; None: no end is set

    def holds(self, name: str, at: datetime) -> bool:
        return self.name == name and (self.until is None or at.astimezone(UTC).date() <= self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustRules:
    """What may be used towards and by the authorities of one partner."""

    signatures: tuple[Allowance, ...] = tuple(Allowance(name=name) for name in SIGNATURES)
    sealing: tuple[Allowance, ...] = tuple(Allowance(name=name) for name in _SEALING_UNLESS_SAID)
    foreign: tuple[str, ...] = ()
    second_signature: SecondSignature = SecondSignature.NONE

    def allows_signature(self, algorithm: str, at: datetime) -> bool:
        """Tell whether a signature by `algorithm` counts at the instant `at`."""
        return any(each.holds(algorithm, at) for each in self.signatures)

    def allows_sealing(self, suite: str, at: datetime) -> bool:
        """Tell whether `suite` may be sealed with at the instant `at`."""
        return any(each.holds(suite, at) for each in self.sealing)


DEFAULT: Final = TrustRules()


def stricter(first: SecondSignature, other: SecondSignature) -> SecondSignature:
    """Return the word that asks for more: what holds between two authorities."""
    return max(first, other, key=_BY_DEMAND.index)


def read_trust_rules(table: Table) -> TrustRules:
    """Read the table `[trust]`; a missing or empty one gives the defaults. Refuses by file and key."""
    table.only(_KEYS)
    return TrustRules(
        signatures=_allowances(table, "signatures", "algorithm", SIGNATURES, DEFAULT.signatures),
        sealing=_allowances(table, "sealing", "suite", SEALING, DEFAULT.sealing),
        foreign=_foreign(table),
        second_signature=word(table, "second_signature", SecondSignature, DEFAULT.second_signature),
    )


def _allowances(
    table: Table, key: str, member: str, known: tuple[str, ...], default: tuple[Allowance, ...]
) -> tuple[Allowance, ...]:
    if key not in table.values:
        return default
    value = table.values[key]
    if not isinstance(value, list) or not value:
        raise table.refuse(key, "is not a list of at least one entry")
    found = tuple(_allowance(table, key, member, known, entry) for entry in value)
    if len({each.name for each in found}) != len(found):
        raise table.refuse(key, "names one twice")
    return found


def _allowance(table: Table, key: str, member: str, known: tuple[str, ...], entry: Any) -> Allowance:
    """Read a name alone, or a table with the name and the last day of its use."""
    inner: Mapping[str, Any] = {member: entry} if isinstance(entry, str) else entry
    if not isinstance(inner, Mapping):
        raise table.refuse(key, f"is not a list of names, or of tables with {member} and until")
    row = Table(inner, f"{table.place}.{key}", table.error)
    row.only({member, "until"})
    name = row.text(member)
    if name not in known:
        raise row.refuse(member, f"is {name!r}, not one of {', '.join(known)}")
    return Allowance(name=name, until=day(row, "until") if "until" in inner else None)


def _foreign(table: Table) -> tuple[str, ...]:
    value = table.values.get("foreign", [])
    if not isinstance(value, list) or any(each not in FOREIGN for each in value) or len(set(value)) != len(value):
        raise table.refuse("foreign", f"is not a list of some of {', '.join(FOREIGN)}")
    return tuple(value)
