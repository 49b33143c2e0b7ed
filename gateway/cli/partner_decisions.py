"""`gateway partner admit`, `production`, `suspend`, `resume`: a person decides about a partner, every process follows."""

from typing import Annotated

import typer
from rich.markup import escape

from gateway.cli.options import ConfigOption, JsonOption
from gateway.cli.output import console, print_json
from gateway.cli.partner_standing import decision_dict
from gateway.domain.partner_decisions import Kind, PartnerDecision, Scope
from gateway.flow import partner_decisions as decisions
from gateway.flow.passes import valid_pass
from gateway.settings import load
from gateway.wiring import build

ByOption = Annotated[str, typer.Option("--by", metavar="NAME", help="Who decides it.")]
WhyOption = Annotated[str, typer.Option("--why", metavar="TEXT", help="The reason, or the reference of the decision.")]
CodeArgument = Annotated[str, typer.Argument(metavar="CODE", help="The partner, e.g. pk.")]
ScopeArgument = Annotated[
    str | None, typer.Argument(metavar="[CODE|PAIR]", help="A partner (pk) or a pair of authorities (AT-BMI:RS-MUP).")
]
TypeOption = Annotated[
    str | None, typer.Option("--type", metavar="MESSAGE-TYPE", help="Only messages of this type; alone: of all partners.")
]


def admit(
    code: CodeArgument,
    basis: Annotated[str, typer.Option("--basis", metavar="TEXT", help="Legal basis of the exchange.")],
    assessment: Annotated[str, typer.Option("--assessment", metavar="REF", help="The data-protection impact assessment.")],
    by: ByOption,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Record that a counterparty state is admitted: legal basis, data-protection assessment, who decided.

    In production (setting `environment`) nothing is exchanged with a state that was not admitted.

    Example: `gateway partner admit pk --basis "Agreement of 2020, Art. 20" --assessment DPIA-2026-7 --by "A. Specimen"`
    """
    rt = build(load(config))
    _tell(decisions.admit(rt, code, basis=basis, assessment=assessment, by=by), json)


def production(
    code: CodeArgument,
    by: ByOption,
    why: WhyOption,
    without_pass: Annotated[
        bool, typer.Option("--without-pass", help="Decide to do without a valid conformance pass.")
    ] = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Switch an admitted partner to production: with a valid conformance pass, or by a recorded decision to do without one.

    Example: `gateway partner production pk --by "A. Specimen" --why "tried in October, letter 14/2026"`
    """
    rt = build(load(config))
    rt.partners.partner(code)
    found = decisions.require_pass(valid_pass(rt, code), code, without=without_pass)
    _tell(decisions.switch_to_production(rt, code, by=by, why=why, valid_pass=found), json)


def suspend(
    who: ScopeArgument = None,
    type_: TypeOption = None,
    by: ByOption = "",
    why: WhyOption = "",
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Suspend a partner, a pair of authorities or a message type at once, in every process.

    Outward, messages are refused with who suspended it and why; what lies in the outbox stays there. Inward, messages are kept
    sealed with the time they came, their senders are told so by a signed receipt, and no silence is recorded. The treaty's
    clocks go on: what this side must answer is still due.

    Example: `gateway partner suspend AT-BMI:RS-MUP --by "A. Specimen" --why "order of the court 3/2026"`
    """
    rt = build(load(config))
    _tell(decisions.suspend(rt, Scope.read(who, type_), by=by, why=why), json)


def resume(
    who: ScopeArgument = None,
    type_: TypeOption = None,
    by: ByOption = "",
    why: WhyOption = "",
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """End a suspension: what was kept is taken in its order, and counts from when it came.

    Example: `gateway partner resume AT-BMI:RS-MUP --by "A. Specimen" --why "the order was lifted"`
    """
    rt = build(load(config))
    _tell(decisions.resume(rt, Scope.read(who, type_), by=by, why=why), json)


_SAID = {
    Kind.ADMITTED: "is admitted",
    Kind.PRODUCTION: "is in production",
    Kind.SUSPENDED: "is suspended",
    Kind.RESUMED: "is resumed",
}


def _tell(decision: PartnerDecision, as_json: bool) -> None:
    if as_json:
        print_json(decision_dict(decision))
        return
    extra = ""
    if decision.kind is Kind.PRODUCTION:
        extra = ", with a valid conformance pass" if decision.detail["pass"] else ", WITHOUT a conformance pass"
    console().print(escape(f"{decision.scope} {_SAID[decision.kind]}{extra}: {decision.why} ({decision.by})"))


def register(group: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (admit, production, suspend, resume):
        group.command(command.__name__)(command)
