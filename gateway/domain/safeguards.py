"""Checks on the person's rights that can hold a message before it leaves.

A safeguard is one function and a row in `SAFEGUARDS`. It returns None, or the reason of the hold. A hold is a result,
not an error: the message waits, the officer sees why and what to do, and nothing reaches the other side.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum

from gateway.domain.messages import Application, Category
from gateway.errors import StatementInvalid


class HoldReason(StrEnum):
    STATEMENT_MISSING = "statement-missing"
    STATEMENT_NOT_RELEASED = "statement-not-released"
    STATEMENT_NEGATIVE = "statement-negative"
    CHILD_NOT_ASSESSED = "child-not-assessed"
    SOURCE_REVEALS_PROTECTION = "source-reveals-protection"


# What the officer reads, and what to do next.
ADVICE: Mapping[HoldReason, str] = {
    HoldReason.STATEMENT_MISSING: "Make the due diligence statement for this case.",
    HoldReason.STATEMENT_NOT_RELEASED: "A second officer must read the statement and release it.",
    HoldReason.STATEMENT_NEGATIVE: "An answer of the statement speaks against sending. Close the file, "
    "or correct the statement when the obstacle is gone.",
    HoldReason.CHILD_NOT_ASSESSED: "The person may be a child: the statement must record that the child's "
    "best interests were assessed.",
    HoldReason.SOURCE_REVEALS_PROTECTION: "Evidence T2-02 can reveal a claim for protection. Remove it: "
    "it must not reach the country of origin.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """The due diligence statement of one case. Every answer is given by a person, none is assumed.

    Source: Global Compact for Migration, objective 21(e) and (g); Regulation (EU) 2024/1348, Art. 7(2).
    """

    return_decision: bool  # an enforceable return decision exists
    no_suspensive_appeal: bool  # no appeal with suspensive effect is pending
    no_asylum_claim: bool  # no claim for asylum is pending
    non_refoulement_assessed: bool  # individually assessed, no risk found
    best_interests_assessed: bool | None  # of the child; None where no child is concerned


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """Answers made by one named officer and released by another. Never leaves the home installation."""

    answers: Answers
    made_by: str
    made_at: datetime
    released_by: str | None = None
    released_at: datetime | None = None


def release(statement: Statement, *, by: str, at: datetime) -> Statement:
    """Return the statement released by a second officer.

    Raises `StatementInvalid` if it is the officer who made it, or if it is released already.
    """
    if by == statement.made_by:
        raise StatementInvalid("the officer who made a statement cannot release it")
    if statement.released_by is not None:
        raise StatementInvalid("the statement is released already")
    values = {item.name: getattr(statement, item.name) for item in fields(statement)}
    return Statement(**values | {"released_by": by, "released_at": at})


def concerns_country_of_origin(application: Application) -> bool:
    """Whether the requested state may be the person's country of origin: then the first message is a disclosure to it.

    In doubt it is: only a third-country national or stateless person with a known other nationality is outside.
    """
    requested = application.header.recipient[:2]
    named = {*application.nationalities, *application.former_nationalities}
    return application.category is Category.NATIONAL or requested in named or "unknown" in named


def statement_is_there(application: Application, statement: Statement | None, today: date) -> HoldReason | None:
    """Hold a first disclosure to a country of origin without a statement, or without its release."""
    del today
    if not concerns_country_of_origin(application):
        return None
    if statement is None:
        return HoldReason.STATEMENT_MISSING
    return None if statement.released_by else HoldReason.STATEMENT_NOT_RELEASED


def statement_allows(application: Application, statement: Statement | None, today: date) -> HoldReason | None:
    """Hold when an answer speaks against sending. A statement that exists counts even where none is required."""
    del application, today
    if statement is None:
        return None
    found = statement.answers
    good = found.return_decision and found.no_suspensive_appeal and found.no_asylum_claim and found.non_refoulement_assessed
    return None if good and found.best_interests_assessed is not False else HoldReason.STATEMENT_NEGATIVE


def child_is_assessed(application: Application, statement: Statement | None, today: date) -> HoldReason | None:
    """Hold where a child is concerned and the child's best interests are not recorded."""
    if not concerns_country_of_origin(application) or not application.concerns_child(today):
        return None
    assessed = statement is not None and statement.answers.best_interests_assessed is True
    return None if assessed or statement is None else HoldReason.CHILD_NOT_ASSESSED


def source_keeps_secret(application: Application, statement: Statement | None, today: date) -> HoldReason | None:
    """Hold evidence from an international organisation on its way to a country of origin."""
    del statement, today
    reveals = "T2-02" in application.evidence and concerns_country_of_origin(application)
    return HoldReason.SOURCE_REVEALS_PROTECTION if reveals else None


SAFEGUARDS: tuple[Callable[[Application, Statement | None, date], HoldReason | None], ...] = (
    source_keeps_secret,
    statement_is_there,
    statement_allows,
    child_is_assessed,
)


def hold_reason(application: Application, statement: Statement | None, today: date) -> HoldReason | None:
    """Return the first reason to hold this application, None if it may leave."""
    for safeguard in SAFEGUARDS:
        reason = safeguard(application, statement, today)
        if reason is not None:
            return reason
    return None
