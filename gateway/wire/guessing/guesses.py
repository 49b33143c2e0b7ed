"""What was guessed, in the order in which a person should look at it: as data, and as GUESSES.md."""

from collections.abc import Iterator
from typing import Any

from gateway.wire.guessing.building import Built
from gateway.wire.guessing.matching import Scope


def guesses(scope: Scope, built: Built, threshold: float) -> dict[str, Any]:
    """Return `{"added", "fixed", "codes", "one_of_several", "unmatched", "ambiguous", "matched", "threshold"}`."""
    matched = sorted(_matched(scope), key=lambda one: one["confidence"])
    return {
        "threshold": threshold,
        "added": [{"canonical": canonical, "here": here} for canonical, here in built.added],
        "fixed": [{"canonical": canonical, "value": value} for canonical, value in built.fixed],
        "codes": [{"list": name, "made_up": list(form.unsure)} for name, form in built.codes.items() if form.unsure],
        "ambiguous": [{"here": one["here"], "taken": one["rule"], "also": one["also"]} for one in matched if one["also"]],
        "one_of_several": built.one_of_several,
        "unmatched": list(_unmatched(scope)),
        "matched": matched,
        "cannot_carry": built.lost_canonical,
    }


def _matched(scope: Scope, here: str = "", canonical: str = "") -> Iterator[dict[str, Any]]:
    for match in scope.matches:
        yield {
            "here": f"{here}{'/'.join(match.here)}",
            "canonical": f"{canonical}{match.candidate.path}",
            "confidence": match.confidence,
            "rule": match.form.verb[1] if match.form.verb and match.form.verb[1] else "codes" if match.form.verb else "copy",
            "also": list(match.form.others),
            "why": match.why,
        }
    for names in scope.names:
        yield {
            "here": f"{here}{', '.join('/'.join(path) for path in names.here)}",
            "canonical": f"{canonical}{names.canonical}",
            "confidence": names.confidence,
            "rule": names.converter,
            "also": [],
            "why": names.why,
        }
    for one in scope.repeated:
        yield from _matched(one.inside, f"{here}{'/'.join(one.here)}/", f"{canonical}{one.several.path}/")


def _unmatched(scope: Scope, here: str = "") -> Iterator[dict[str, Any]]:
    for doubt in scope.doubts:
        path = f"{here}{'/'.join(doubt.here)}"
        yield {"here": path, "best_guess": doubt.path, "confidence": doubt.confidence, "why": doubt.why}
    for one in scope.repeated:
        yield from _unmatched(one.inside, f"{here}{'/'.join(one.here)}/")


def guesses_text(found: dict[str, Any], example: str) -> str:
    """Return GUESSES.md: what to mend, in order, then what was taken."""
    lines = [
        "# What was guessed",
        "",
        "Written by `gateway partner new` from a sample document. Work from the top; then run",
        "",
    ]
    lines += ["`gateway partner check PATH`. Delete this file when the mapping is the partner's own.", ""]
    lines += [f"Example: {example}", ""]
    sections = (
        (
            "1. Fields that every message must have and the sample does not say",
            "Each got an optional field of its own. Point the row to the name that holds it, or agree on the field.",
            [f"`{one['canonical']}`: new field `{one['here']}`" for one in found["added"]],
        ),
        (
            "2. Fields that got a fixed value",
            "A message that says otherwise is refused. Give the row a name of the sample where there is one.",
            [f"`{one['canonical']}` = `{one['value']}`" for one in found["fixed"]],
        ),
        (
            "3. Codes that were made up",
            "The sample did not show them. Ask the partner for its list, and write it into codes.toml.",
            [f"list `{one['list']}`: {', '.join(one['made_up'])}" for one in found["codes"]],
        ),
        (
            "4. Values that can be read in several ways",
            "A day and a month that are both below 13 look the same in either order.",
            [f"`{one['here']}`: taken {one['taken']}; also {', '.join(one['also'][:4])}" for one in found["ambiguous"]],
        ),
        (
            "5. Names of the sample that no row reads",
            "Write a row where one is meant for a canonical field; the rest is dropped, and every report says so.",
            [
                f"`{one['here']}`: {one['best_guess'] or 'no guess'} ({one['confidence']:.2f}; {one['why']})"
                for one in found["unmatched"]
            ],
        ),
        (
            "6. What may come several times and has one place",
            "A message with a second one is refused.",
            [f"`{path}`" for path in found["one_of_several"]],
        ),
        (
            "7. What was taken, the least sure first",
            f"Only what reached {found['threshold']:.2f} is in the mapping.",
            [
                f"{one['confidence']:.2f} `{one['here']}` is `{one['canonical']}` ({one['rule']}; {one['why']})"
                for one in found["matched"]
            ],
        ),
    )
    for title, about, items in sections:
        if items:
            lines += [f"## {title}", "", about, "", *(f"- {item}" for item in items), ""]
    return "\n".join(lines).rstrip("\n") + "\n"
