"""One URL, several hosts: each is dialled with the same user, virtual host and parameters."""

import contextlib
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import SettingsInvalid
from gateway.transport.addresses import addresses_of, with_heartbeat
from gateway.transport.broker import BrokerTransport


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("amqp://u:p@h:1/v", "amqp://u:p@h:1/v?heartbeat=20"),
        ("amqps://h/v?cafile=a.pem", "amqps://h/v?cafile=a.pem&heartbeat=20"),
        ("amqp://h/v?heartbeat=5", "amqp://h/v?heartbeat=5"),
    ],
)
def test_the_operators_heartbeat_is_kept(url, wanted):
    assert with_heartbeat(url) == wanted


def test_one_host_is_one_address() -> None:
    assert addresses_of("amqp://u:p@h:1/v") == ("amqp://u:p@h:1/v?heartbeat=20",)


def test_each_host_gets_user_virtual_host_and_parameters() -> None:
    assert addresses_of("amqps://u:p@one:1,two,[::1]:3/v?cafile=a.pem&heartbeat=5") == (
        "amqps://u:p@one:1/v?cafile=a.pem&heartbeat=5",
        "amqps://u:p@two/v?cafile=a.pem&heartbeat=5",
        "amqps://u:p@[::1]:3/v?cafile=a.pem&heartbeat=5",
    )


def test_a_comma_in_the_secret_parts_nothing() -> None:
    assert addresses_of("amqp://u:a,b@one,two/v") == (
        "amqp://u:a,b@one/v?heartbeat=20",
        "amqp://u:a,b@two/v?heartbeat=20",
    )


def test_blanks_and_a_host_named_twice_make_no_further_address() -> None:
    assert addresses_of("amqp://one:1, two:2,one:1/v") == (
        "amqp://one:1/v?heartbeat=20",
        "amqp://two:2/v?heartbeat=20",
    )


@pytest.mark.parametrize(
    "url",
    [
        "amqp:///v",
        "amqp://u:hidden@/v",
        "amqp://u:hidden@one,,two/v",
        "amqp://u:hidden@one,/v",
        "amqp://u:hidden@one:none/v",
        "amqp://u:hidden@one:70000/v",
        "amqp://u:hidden@one:0/v",
        "amqp://u:hidden@:5672/v",
        "amqp://u:hidden@[one/v",
    ],
)
def test_an_address_without_a_host_stops_the_start_and_shows_no_secret(url: str) -> None:
    with pytest.raises(SettingsInvalid, match="names no host") as found:
        BrokerTransport(url)
    assert "hidden" not in "".join(traceback.format_exception(found.value))


@given(st.text(max_size=60))
def test_any_text_gives_addresses_or_our_own_error(text: str) -> None:
    with contextlib.suppress(SettingsInvalid):
        assert addresses_of(f"amqp://{text}")
