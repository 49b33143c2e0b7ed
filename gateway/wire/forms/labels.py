"""The words of the forms: one file a language, found by its tag; a partner's folder may add or correct.

A file `labels/<tag>.toml` holds `language`, `name`, `[labels]` and `[codes]`, and may hold `rtl = true` and `like = "<tag>"`:
what it leaves out is taken from there. `partners/<code>/labels/<tag>.toml` lies over it, and may be the only one: a new
language is a file.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from gateway.errors import LabelsInvalid

OWN = Path(__file__).parent / "labels"
ENGLISH = "en"
_TAG = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?")
_KEYS = {"language", "name", "rtl", "like", "labels", "codes", "languages", "same"}
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[_-]+")
_MOST_LIKE = 4  # files that name one another


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """The words of one language."""

    language: str  # BCP 47, e.g. "sr-Cyrl"
    name: str  # of the language, in itself
    rtl: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    codes: Mapping[str, str] = field(default_factory=dict)
    languages: Mapping[str, str] = field(default_factory=dict)  # names of languages, by tag
    same: Mapping[str, str] = field(default_factory=dict)  # elements that are told by the words of a row of a treaty's form


@dataclass(frozen=True, slots=True, kw_only=True)
class Both:
    """One label in English and in the other language; None where it is not translated."""

    english: str
    own: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """English beside one other language, or English alone."""

    english: Labels
    own: Labels | None  # None: asked for English, or for a language without a file
    asked: str  # the tag that was asked for

    @property
    def missing(self) -> bool:
        """Whether another language was asked for, and nobody has written its words yet."""
        return self.own is None and self.asked != ENGLISH

    def label(self, key: str) -> Both:
        """Return a label by its key; an element without one is called by its name in words."""
        own = self.own.labels if self.own else {}
        known = own.get(key) or own.get(self.english.same.get(key, ""))
        return Both(english=self.english.labels.get(key) or in_words(key), own=known)

    def code(self, value: str) -> Both:
        """Return what a code means."""
        return Both(english=self.english.codes.get(value) or value.replace("-", " "), own=self._own_code(value))

    def _own_code(self, value: str) -> str | None:
        return self.own.codes.get(value) if self.own else None

    def language(self, tag: str) -> str:
        """Return the name of a language in English, or its tag."""
        return self.english.languages.get(tag) or self.english.languages.get(tag.partition("-")[0]) or tag


def in_words(name: str) -> str:
    """Return an element name in words: "BorderPoint" is "Border point"."""
    words = " ".join(part for part in _CAMEL.split(name) if part)
    return words[:1].upper() + words[1:].lower()


def words_for(language: str, partner_folder: Path | None = None) -> Words:
    """Return the words of a form in English and `language`. Raises `LabelsInvalid` for a file that cannot be used."""
    english = _file(OWN / "en.toml")
    asked = language.strip()
    if not _TAG.fullmatch(asked):
        raise LabelsInvalid(f"{asked[:20]!r} is no language tag such as sq or sr-Cyrl")
    if asked == ENGLISH:
        return Words(english=english, own=None, asked=asked)
    folders = (OWN, partner_folder / "labels") if partner_folder else (OWN,)
    return Words(english=english, own=_found(asked, folders), asked=asked)


def languages(partner_folder: Path | None = None) -> tuple[str, ...]:
    """Return the tags for which there are words, English first."""
    folders = (OWN, partner_folder / "labels") if partner_folder else (OWN,)
    tags = {file.stem for folder in folders if folder.is_dir() for file in folder.glob("*.toml")}
    return (ENGLISH, *sorted(tags - {ENGLISH}))


def _found(tag: str, folders: tuple[Path, ...]) -> Labels | None:
    """Return the words of a language: "sr" finds sr-Latn, "pa-Arab" finds pa; later folders lie over earlier ones."""
    for name in (tag, f"{tag}-Latn", tag.partition("-")[0]):
        files = [file for folder in folders if (file := folder / f"{name}.toml").is_file()]
        if files:
            return _merged([_whole(file, folders) for file in files])
    return None


def _whole(path: Path, folders: tuple[Path, ...], depth: int = 0) -> Labels:
    """Return a file laid over the one that it is like."""
    given = _toml(path)
    found, like = _file(path), given.get("like")
    if like is None:
        return found
    below = next((file for folder in folders if (file := folder / f"{like}.toml").is_file()), None)
    if below is None or depth >= _MOST_LIKE:
        raise LabelsInvalid(f"{path.name}: key 'like' names no other file of labels")
    return _merged([_whole(below, folders, depth + 1), found])


def _merged(several: list[Labels]) -> Labels:
    last = several[-1]
    return Labels(
        language=last.language,
        name=last.name,
        rtl=last.rtl,
        labels={key: value for each in several for key, value in each.labels.items()},
        codes={key: value for each in several for key, value in each.codes.items()},
    )


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise LabelsInvalid(f"{path.name} cannot be read: {error}") from error


def _file(path: Path) -> Labels:
    """Return the words of a file, read again once it was changed: a partner's folder is."""
    try:
        return _checked(path, path.stat().st_mtime_ns)
    except OSError as error:
        raise LabelsInvalid(f"{path.name} cannot be read") from error


@lru_cache(maxsize=128)
def _checked(path: Path, changed: int) -> Labels:
    del changed  # it tells one state of the file from another
    given = _toml(path)
    for key in given:
        if key not in _KEYS:
            raise LabelsInvalid(f"{path.name}: unknown key {key!r}")
    tables = {name: given.get(name, {}) for name in ("labels", "codes", "languages", "same")}
    for name, table in tables.items():
        if not isinstance(table, dict) or not all(isinstance(value, str) and value for value in table.values()):
            raise LabelsInvalid(f"{path.name}: '{name}' is no table of texts")
    if given.get("language") != path.stem or not isinstance(given.get("name"), str):
        raise LabelsInvalid(f"{path.name}: 'language' must be {path.stem!r}, and 'name' the name of the language in itself")
    return Labels(language=path.stem, name=given["name"], rtl=bool(given.get("rtl", False)), **tables)
