"""What a partner folder allows, on the walk of a message between two gateways."""

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest

from gateway.errors import KeyMissing
from gateway.flow.draft import Sent
from gateway.partners.trust_rules import Allowance, SecondSignature, TrustRules
from gateway.stages import Signed
from gateway.store import cases, messages
from gateway.store.database import reading
from gateway.trust.algorithms import ECDSA_P256
from gateway.trust.certificates import TrustStore
from gateway.trust.seal import seal
from gateway.trust.suites import P256
from tests.foreign_signers import SIGNERS
from tests.forging import application, count, hand_in_entry, journalled, outcomes, take
from tests.gateways import exchange

pytestmark = pytest.mark.anyio

REQUIRED = TrustRules(second_signature=SecondSignature.REQUIRED)


@pytest.fixture
def ruled(keys):
    """Return a function that gives a gateway other rules for an authority."""

    def change(side, authority, rules):
        return replace(side, rt=replace(side.rt, trust=TrustStore.load(keys, rules={authority: rules})))

    return change


def _outcome(side, sender, message_id):
    with reading(side.rt.engine) as tx:
        return messages.known(tx, "out", [(sender, message_id)])[sender, message_id].outcome


def _refusal(side):
    (row,) = [row for row in journalled(side.rt.engine) if row["event"] == "message.refused"]
    return row["detail"]["code"]


async def test_message_and_receipt_carry_second_signatures_where_they_are_required(two_gateways, ruled) -> None:
    west, east = (ruled(side, "RS-MUP", REQUIRED) for side in two_gateways)
    sent, _ = hand_in_entry(west)
    assert isinstance(sent, Sent)
    await exchange(west, east)
    assert _outcome(west, "AT-BMI", sent.message_id) == "received"


async def test_a_message_without_a_required_second_signature_is_refused(two_gateways, ruled) -> None:
    west, east = two_gateways[0], ruled(two_gateways[1], "RS-MUP", REQUIRED)
    sent, _ = hand_in_entry(west)
    await exchange(west, east)
    assert _refusal(east) == "second-signature-missing"
    assert count(east.rt.engine, "cases", "inbox", "outbox") == {"cases": 0, "inbox": 0, "outbox": 0}
    assert _outcome(west, "AT-BMI", sent.message_id) != "received"


async def test_a_message_signed_with_an_algorithm_that_has_ended_is_refused(two_gateways, ruled, clock) -> None:
    ended = TrustRules(signatures=(Allowance(name=ECDSA_P256.name, until=clock().date() - timedelta(days=1)),))
    west, east = two_gateways[0], ruled(two_gateways[1], "AT-BMI", ended)
    hand_in_entry(west)
    await exchange(west, east)
    assert _refusal(east) == "algorithm-not-allowed"
    with reading(east.rt.engine) as tx:
        assert cases.all_of(tx) == []


async def test_nothing_leaves_where_no_suite_is_allowed_that_the_recipient_has_a_key_for(two_gateways, ruled) -> None:
    west = ruled(two_gateways[0], "RS-MUP", TrustRules(sealing=(Allowance(name=P256.name),)))
    before = count(west.rt.engine)
    result, _ = hand_in_entry(west)
    assert isinstance(result, KeyMissing)
    assert "allowed suite" in result.message
    assert count(west.rt.engine) == before


@pytest.mark.parametrize(("foreign", "expected"), [(("xmlsec",), ("accepted", None)), ((), ("refused", "signature-profile"))])
async def test_a_foreign_signature_is_taken_where_the_folder_of_its_sender_says_so(
    two_gateways, ruled, clock, foreign, expected
) -> None:
    east = ruled(two_gateways[1], "AT-BMI", TrustRules(foreign=foreign))
    document = application(clock())
    body = SIGNERS["xmlsec, exclusive"](document, east.rt.ring.signing("AT-BMI"))
    signed = Signed(body=body, digest=sha256(body).hexdigest(), signer="AT-BMI", signed_at=clock())
    message_id = document.findtext("{*}Header/{*}MessageId")
    sealed = seal(signed, message_id=message_id, sender="AT-BMI", recipient="RS-MUP", trust=east.rt.trust)
    assert outcomes(take(east.rt, sealed)) == [expected]
