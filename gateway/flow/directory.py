"""What the partner folders say, held for all walks of a process, and swapped whole when the folders have changed.

A changed folder is loaded, its mappings are compiled and its examples run both ways, before anybody uses it. What does not
pass changes nothing: the folders as they were stay in force, all of them, and the reason is journalled. So no walk ever sees
the new partner with the old treaty, or half of a file that somebody is still writing.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from gateway.domain.calendars import Calendar
from gateway.domain.treaties import Treaty, treaty_between
from gateway.errors import GatewayError, PartnerInvalid
from gateway.partners import Dialect, Partners
from gateway.partners import load as load_partners
from gateway.partners.calendars import load_calendars
from gateway.partners.treaties import load_treaties
from gateway.partners.versions import Difference, Sighting, Versions, differences, look, versions
from gateway.trust.foreign import require
from gateway.wire.examples import check_examples
from gateway.wire.on_demand import OnDemand
from gateway.wire.schema import SchemaSet
from gateway.wire.translate import Translator, canonical_shapes
from gateway.wire.withheld import check_withheld

_CALENDARS = "calendars"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Everything that is read from the partner folders, of one moment."""

    partners: Partners
    treaties: Mapping[str, Treaty]
    translators: OnDemand[Translator]  # by dialect id
    versions: Versions
    _rules: dict[tuple[str, str, str], Treaty] = field(default_factory=dict, init=False, repr=False)  # found before

    def treaty(self, treaty_id: str, requesting: str, requested: str) -> Treaty:
        """Return the rules that hold between the states of two authorities, a protocol laid over its agreement.

        Raises `UnknownTreaty`: a case never runs without its rules.
        """
        key = treaty_id, requesting[:2], requested[:2]
        if key not in self._rules:
            self._rules[key] = treaty_between(self.treaties, *key)
        return self._rules[key]


def read_known(folder: Path, overrides: Path | None, schemas: SchemaSet) -> Known:
    """Read the partner folders below `folder`. Raises `PartnerInvalid`, `MappingInvalid`, `TreatyInvalid`.

    What a mapping row means is only looked at when its dialect is first used, or by `require_sound`.
    """
    partners = load_partners(folder)
    treaties = load_treaties(folder / "treaties", overrides)
    check_withheld(treaties, canonical_shapes(schemas.folder))
    return Known(
        partners=partners,
        treaties=treaties,
        translators=OnDemand(partners.dialects, lambda name: Translator.compile(partners.dialects[name], schemas)),
        versions=versions(folder),
    )


def require_sound(dialects: Iterable[Dialect], known: Known, schemas: SchemaSet, now: datetime) -> None:
    """Compile these dialects and run their examples both ways.

    Raises `MappingInvalid`, or `PartnerInvalid` with the first example that does not pass.
    """
    for dialect in dialects:
        problems = check_examples(dialect, known.translators[dialect.id], schemas, now).problems
        if problems:
            raise PartnerInvalid(problems[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """What a look at the folders came to."""

    changes: tuple[Difference, ...]
    calendars: Mapping[str, Calendar] | None = None  # where their files are among what changed
    refused: GatewayError | None = None  # why the folders as they were stay in force


class Directory:
    """The partner folders of a running process."""

    def __init__(
        self, folder: Path, known: Known, read: Callable[[], Known], schemas: SchemaSet, seen: Sighting | None = None
    ) -> None:
        """`seen`: how the folder looked before it was read; what changed while it was read is then noticed."""
        self.folder = folder
        self.known = known
        self.problem: GatewayError | None = None  # why the newest files are not in force
        self._read, self._schemas = read, schemas
        self._seen: Sighting = look(folder) if seen is None else seen

    @classmethod
    def open(cls, folder: Path, overrides: Path | None, schemas: SchemaSet) -> "Directory":
        """Read the folders; raises what `read_known` raises."""

        def read() -> Known:
            return read_known(folder, overrides, schemas)

        seen = look(folder)
        return cls(folder, read(), read, schemas, seen)

    def with_treaties(self, treaties: Mapping[str, Treaty]) -> "Directory":
        """Return a directory that is never swapped, with these treaties: for a question "what if"."""
        now = self.known
        other = Known(partners=now.partners, treaties=treaties, translators=now.translators, versions=now.versions)
        return Directory(self.folder, other, lambda: other, self._schemas)

    def refresh(self, now: datetime) -> Swap | None:
        """Look at the folders; None when nothing was changed since the last look. Never raises for what they hold.

        To be called by one thread at a time, off the hot path: it may compile and translate for seconds.
        """
        found: tuple[Difference, ...] = ()
        calendars: Mapping[str, Calendar] | None = None
        try:
            seen = look(self.folder)
            if seen == self._seen:
                return None
            self._seen = seen
            found = differences(self.known.versions, versions(self.folder), self.folder)
            fresh = self._read()
            parts = {each.part for each in found}
            if _CALENDARS in parts:
                calendars = load_calendars(self.folder / _CALENDARS)
            require_sound(
                [each for each in fresh.partners.dialects.values() if each.partner in parts], fresh, self._schemas, now
            )
            for authority in self.known.partners.authorities:  # cases of it may be open
                fresh.partners.authority(authority)
            require(sorted({name for rules in fresh.partners.trust_rules().values() for name in rules.foreign}))
            for name in self.known.translators.made():  # nobody has to wait for them
                fresh.translators.get(name)
            if look(self.folder) != seen:  # still being written: what was read may be of two states
                self._seen = ()
                return None
        except GatewayError as error:
            if self.problem is not None and str(self.problem) == str(error) and not found:
                return None  # the folder cannot even be looked at, and that was said
            self.problem = error
            return Swap(changes=found, refused=error)
        self.known, self.problem = fresh, None
        return Swap(changes=found, calendars=calendars)
