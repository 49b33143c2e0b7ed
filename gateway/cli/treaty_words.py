"""How a treaty is shown: one JSON object, or lines for people."""

from typing import Any

from gateway.domain.explanations import amount_text
from gateway.domain.limits import Extension, ExtensionKind, Limit
from gateway.domain.treaties import Treaty


def treaty_as_dict(treaty: Treaty) -> dict[str, Any]:
    """Return the JSON object of `gateway treaty show --json`."""
    return {
        "id": treaty.id,
        "name": treaty.name,
        "version": treaty.version,
        "agreement": treaty.agreement,
        "parties": [{"code": party.code, "name": party.name, "states": sorted(party.states)} for party in treaty.parties],
        "entered_into_force": treaty.entered_into_force.isoformat() if treaty.entered_into_force else None,
        "note": treaty.note,
        "authorities": [
            {"state": state, "text": fact.text, "confidence": str(fact.confidence), "source": fact.source}
            for state, fact in treaty.authorities.items()
        ],
        "facts": [
            {"about": fact.about, "text": fact.text, "confidence": str(fact.confidence), "source": fact.source}
            for fact in treaty.facts
        ],
        "withheld": [
            {
                "field": row.field,
                "messages": sorted(row.messages),
                "article": row.article,
                "source": row.source,
                "confidence": str(row.confidence),
            }
            for row in treaty.withheld
        ],
        "limits": [_limit(row) for row in treaty.limits],
    }


def _limit(row: Limit) -> dict[str, Any]:
    return {
        "id": row.id,
        "who": str(row.who),
        "start": row.start,
        "direction": str(row.direction),
        "amount": row.amount,
        "unit": str(row.unit),
        "calendar": str(row.calendar),
        "procedures": sorted(row.procedures),
        "categories": sorted(row.categories),
        "escorted": row.escorted,
        "extension": _extension(row.extension) if row.extension else None,
        "on_lapse": str(row.on_lapse),
        "also_on_lapse": [str(one) for one in row.also_on_lapse],
        "end": str(row.end),
        "means": row.means,
        "precedence": row.precedence,
        "article": row.article,
        "source": row.source,
        "confidence": str(row.confidence),
        "override": {"who": row.override.who, "when": row.override.when.isoformat(), "reference": row.override.reference}
        if row.override
        else None,
        "note": row.note,
    }


def _extension(extension: Extension) -> dict[str, Any]:
    return {
        "days": extension.days,
        "other_base": extension.other_base,
        "resumes": extension.resumes,
        "kind": str(extension.kind),
        "who": str(extension.who),
        "article": extension.article,
    }


def _how_long(extension: Extension) -> str:
    if extension.kind is ExtensionKind.OBSTACLE:
        return "for as long as a recorded obstacle lasts"
    return f"up to {extension.days} calendar days {'more' if extension.kind is ExtensionKind.INCREMENT else 'in all'}"


def limit_lines(row: Limit) -> list[str]:
    """Return a rule as people read it: a heading, then one line per thing to know."""
    how_long = f"{amount_text(row.amount, row.unit)} {row.direction} {row.start.replace('-', ' ')}"
    lines = [
        f"{row.id}: {how_long}, the {row.who} state acts",
        f"{', '.join(sorted(row.procedures))} procedure; {', '.join(sorted(row.categories))}",
        f"silence means: {', '.join((row.on_lapse, *row.also_on_lapse))}",
        f"{row.article}, {row.confidence} ({row.source})",
    ]
    if row.escorted is not None:
        lines.append("escorted transfers only" if row.escorted else "transfers without escort only")
    if row.extension is not None:
        asker = f"at the request of the {row.extension.who} state"
        lines.append(f"extension: {_how_long(row.extension)}, {asker}, {row.extension.article}")
    if row.means is not None:
        lines.append(f"by {row.means} only")
    if row.end_source:
        lines.append(f"an end on a rest day: {row.end} ({row.end_source})")
    if row.override is not None:
        lines.append(f"set by {row.override.who}, {row.override.when}: {row.override.reference}")
    if row.note:
        lines.append(row.note)
    return lines
