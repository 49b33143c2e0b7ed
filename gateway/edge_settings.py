"""What an installation says about the system of one home authority: the tables `[edges.<AUTHORITY>]` of the settings file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gateway.errors import SettingsInvalid
from gateway.setting_tables import read_tables

_MOST_TIMEOUT_SECONDS = 30  # two addresses and one exchange fit into half a turn: gateway/flow/turns.py


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeSettings:
    """How one authority's system is reached. Which of these an edge needs, it says when it is made."""

    url: str | None = field(default=None, repr=False)  # push: the https address to which documents are posted
    url_file: Path | None = None  # queue: a file that holds the amqps address with its password
    secret_file: Path | None = None  # push: one or two lines `whsec_<base64>`; with two, both sign
    ca_file: Path | None = None  # push: roots (PEM) that may vouch for the system; default: those of this machine
    certificate_file: Path | None = None  # push: our client certificate (PEM), if the system asks for one
    key_file: Path | None = None  # push: its key
    private_addresses: bool = False  # push: whether an address that is not public may be called
    timeout_seconds: int = 15  # for one exchange, from the first byte to the last
    retry_first_seconds: int = 2  # pause after the first failure; doubled after each further one
    retry_most_seconds: int = 300  # the longest pause
    quiet_seconds: int = 2  # files: a file is taken once it has not changed for so long

    def __post_init__(self) -> None:
        if not 1 <= self.timeout_seconds <= _MOST_TIMEOUT_SECONDS:
            raise SettingsInvalid(f"timeout_seconds of an edge must be from 1 to {_MOST_TIMEOUT_SECONDS}")
        if not 1 <= self.retry_first_seconds <= self.retry_most_seconds:
            raise SettingsInvalid("retry_first_seconds of an edge must be at least 1, and no more than retry_most_seconds")
        if self.quiet_seconds < 0:
            raise SettingsInvalid("quiet_seconds of an edge must not be negative")
        if (self.certificate_file is None) != (self.key_file is None):
            raise SettingsInvalid("certificate_file and key_file of an edge go together")


DEFAULT = EdgeSettings()
NONE: Mapping[str, EdgeSettings] = MappingProxyType({})


def read_edges(given: Any, folder: Path) -> Mapping[str, EdgeSettings]:
    """Read the table `edges`; `folder` anchors relative paths. Raises `SettingsInvalid`."""
    return read_tables(given, folder, name="edges", kind=EdgeSettings)
