"""The README of a conformance kit: for an engineer who never saw us, from nothing to a first exchange."""

from gateway import __version__
from gateway.simulation.behaviours import BEHAVIOURS
from gateway.simulation.cast import Cast

_TEXT = """\
# Conformance kit for {partner}

You connect the system of {theirs} to a Readmission Gateway. With this kit you find out, on your own machine and without
anybody's help, whether your documents are understood, and what the other side does. Nothing in it is secret; every person in
it is invented. You need Python 3.11 or newer, and the wheel `readmission_gateway-{version}` from whoever sent you this kit.

All commands are run in this folder. Each takes `--json`; exit code 0 is well, 1 refused, 2 wrong usage, 4 misconfigured.

## 1. Install (5 minutes)

    python3 -m venv venv
    venv/bin/pip install PATH-OF-THE-WHEEL
    export PATH="$PWD/venv/bin:$PATH"

## 2. Your format (10 minutes)

`partners/{partner}/` is your folder: your authorities, and below `dialects/` your own format with its schema, the mapping to
the canonical form, the code lists, and examples. An example as your system writes it:

    gateway check {example} --dialect {dialect} --config gateway.toml
    gateway translate {example} --from {dialect} --to canonical --out canonical.xml --report report.json --config gateway.toml

`expected/` holds for every example the canonical form, the mapping report of both directions, and in `digests.json` the
SHA-256 of each. A field that your format cannot carry stands in the report as dropped; a required one refuses.
Now take a document that your own system writes, and do the same with it. Everything that is refused names code, place and
reason; `errors.md` says what each code means and who must act.

The whole folder at once:

    gateway partner check partners/{partner} --config gateway.toml

## 3. Who may send what, and by when (10 minutes)

`moves.json`: while a case stands how, which side may send which message, and what it becomes. `clocks.json`: the limits of the
treaties that bind your state, with article and how sure they are; a limit that nobody verified counts for nothing.
Every message is answered by a signed receipt: `schemas/readmission/1.0/examples/Receipt-accepted.xml`, `-refused.xml`,
`-batch.xml`. A receipt that says `waiting` means: kept, and not acted on yet; it counts from the time in the receipt.

## 4. What must be refused (5 minutes)

`attacks/genuine.xml` is a signed message of {ours}, by a specimen key. The files beside it were made from it, one for each
class of attack; `attacks/expected.json` says with which code each is refused.

    gateway verify attacks/genuine.xml --at {at} --config gateway.toml
    gateway verify attacks/01-wrapping_1_original_below_the_signature.xml --at {at} --config gateway.toml

The first is valid, the second is refused (exit code 1). If you verify with software of your own, it must say the same of each.
The certificates in `keys/` are for these samples only.

## 5. The first exchange (15 minutes)

    gateway simulate {partner} --behaviour accept --counterpart {ours} --config gateway.toml

Two gateways are started in this process, yours ({theirs}) and that of {ours}, with keys made for this run. {ours} sends an
application, your side gets it in your format and answers in your format; the report says what was sent, what came back, and
what was expected. The behaviours:

{behaviours}

Without a choice everything is played, all attacks too. `--over rest` lets the played system of {theirs} use the REST API,
`--over files` a drop folder, `--over rabbitmq` carries the messages over a private RabbitMQ. A script of your own:

    gateway simulate {partner} --script script.toml --config gateway.toml

## 6. Connect your system

`openapi.json` is the REST API: post your documents to `/api/v1/messages`, fetch yours from `/api/v1/inbox`, acknowledge them.
`asyncapi.json` is the contract of the broker between gateways. With the files edge your system writes into `outgoing/` and
reads from `incoming/`. Which of these you use stands in `partners/{partner}/partner.toml` (`edge`).

When all of this goes well, tell whoever sent you the kit: they run the same with their key, which gives a signed pass, and
your partner goes from test into production by a decision of theirs.
"""


def readme(partner: str, cast: Cast, example: tuple[str, str]) -> str:
    """Return the text; `example` is a path in the kit and the dialect it is written in."""
    behaviours = "\n".join(f"- `{name}`: {(play.__doc__ or '').strip()}" for name, play in BEHAVIOURS.items())
    return _TEXT.format(
        partner=partner,
        theirs=cast.theirs,
        ours=cast.ours,
        version=__version__,
        example=example[0],
        dialect=example[1],
        behaviours=behaviours,
        at="2026-12-01T08:00:00Z",
    )
