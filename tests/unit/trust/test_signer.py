"""The signer: what it signs, for whom, and what its callers see when it is gone."""

import os
import shutil
import socket
import struct
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import KeyMissing, SettingsInvalid, SignerRefused, SignerUnavailable
from gateway.trust import profile, purposes, signer_frames
from gateway.trust.algorithms import ECDSA_P256, ECDSA_P384
from gateway.trust.held import HeldKeys
from gateway.trust.keys import KeyRing
from gateway.trust.remote import RemoteKeys
from gateway.trust.sealing_keys import _CONTEXT as SEALING_KEY
from gateway.trust.signer import LOOPS_SOCKET, PAGES_SOCKET, Signer, groups_of, may_call
from gateway.trust.signer_frames import FrameError

JOURNAL_ROOT = b'readmission-gateway journal root 1\n{"v":1}'
SIGNED_INFO = profile.signed_info_alone(ECDSA_P256, profile.digest(b"envelope"), profile.digest(b"properties"))


@pytest.fixture
def sockets():
    folder = Path(mkdtemp(prefix="signer-"))  # short, as the address of a socket must be
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def start(folder, sockets):
    """Return a function that starts a signer with the keys of the folder."""
    running = []

    def begin(authorities=("AT-BMI", "BA-MS", "PK-MOI"), **changes):
        held = HeldKeys.load(folder, {})
        signer = Signer(keys=HeldKeys(keys={each: held.keys[each] for each in authorities}), **changes)
        signer.listen(sockets)
        running.append(signer)
        return signer

    yield begin
    for signer in running:
        signer.close()


def remote(sockets, name=PAGES_SOCKET, **changes):
    return RemoteKeys(path=sockets / name, **changes)


# --- what it signs


def test_envelope_is_signed_for_the_pages(start, sockets, now, ring):
    start()
    key = remote(sockets).key("BA-MS", now)
    assert key.chain == ring.signing("BA-MS", now).chain
    assert len(key.sign(SIGNED_INFO)) == 64


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"anything",
        SIGNED_INFO[:-1],
        SIGNED_INFO + b" ",
        b" " + SIGNED_INFO,
        SIGNED_INFO.replace(b"enveloped-signature", b"xpath"),
        profile.signed_info_alone(ECDSA_P256, b"AAAA", profile.digest(b"")),
        profile.signed_info_alone(ECDSA_P384, profile.digest(b""), profile.digest(b"")),
        SEALING_KEY + b"{}",
        JOURNAL_ROOT,
    ],
    ids=["nothing", "text", "cut", "longer", "shifted", "transform", "digest", "algorithm", "sealing key", "journal root"],
)
def test_pages_get_nothing_but_envelopes_signed(start, sockets, now, data):
    start()
    with pytest.raises(SignerRefused):
        remote(sockets).key("BA-MS", now).sign(data)


def test_loops_get_roots_of_the_journal_signed(start, sockets, now):
    start()
    key = remote(sockets, LOOPS_SOCKET).key("BA-MS", now)
    assert key.sign(JOURNAL_ROOT) != key.sign(SIGNED_INFO)


def test_sealing_key_of_an_intruder_is_signed_for_nobody(start, sockets, now):
    start()
    with pytest.raises(SignerRefused):
        remote(sockets, LOOPS_SOCKET).key("BA-MS", now).sign(SEALING_KEY + b"{}")


@given(data=st.binary(max_size=2000))
def test_any_bytes_have_no_purpose(data):
    assert purposes.purpose_of(data, ECDSA_P256) is None


@given(place=st.integers(0, len(SIGNED_INFO) - 1), flip=st.integers(1, 255))
def test_changed_byte_of_a_signed_info_is_noticed_unless_it_is_another_digest(place, flip):
    changed = bytearray(SIGNED_INFO)
    changed[place] ^= flip
    digests = [SIGNED_INFO.index(each) for each in (profile.digest(b"envelope"), profile.digest(b"properties"))]
    if not any(start <= place < start + 44 for start in digests):
        assert purposes.purpose_of(bytes(changed), ECDSA_P256) is None


@given(request=st.binary(max_size=300))
def test_any_request_is_answered_without_a_signature(request):
    answer = Signer(keys=HeldKeys(keys={})).sign(request, purposes.LOOPS)
    assert signer_frames.read_answer(answer)["code"] == "key-missing"


def test_key_that_the_signer_does_not_hold_is_missing(start, sockets, now, ring):
    start(authorities=["BA-MS"])
    with pytest.raises(KeyMissing):
        remote(sockets).key("PK-MOI", now)
    with pytest.raises(KeyMissing):
        remote(sockets).sign(ring.signing("PK-MOI", now).chain, SIGNED_INFO)


def test_what_is_too_long_is_not_even_sent(sockets, ring, now):
    with pytest.raises(SignerRefused):
        remote(sockets).sign(ring.signing("BA-MS", now).chain, b"x" * 70_000)


# --- for whom


def test_socket_and_folder_are_the_owners_alone(start, sockets):
    sockets.chmod(0o755)
    start()
    assert sockets.stat().st_mode & 0o777 == 0o700
    assert {each.stat().st_mode & 0o777 for each in sockets.iterdir()} == {0o600}


def test_group_that_is_named_reaches_the_pages_socket_alone(start, sockets):
    import grp

    start(group=grp.getgrgid(os.getegid()).gr_name)
    assert sockets.stat().st_mode & 0o777 == 0o710
    assert (sockets / PAGES_SOCKET).stat().st_mode & 0o777 == 0o660
    assert (sockets / LOOPS_SOCKET).stat().st_mode & 0o777 == 0o600


def test_group_that_is_not_there_stops_the_start(start):
    with pytest.raises(SettingsInvalid, match="no-such-group"):
        start(group="no-such-group")


class Caller:
    """A connection from a process of some user."""

    def __init__(self, uid, gid):
        self.credentials = struct.pack("iII", 4711, uid, gid)

    def getsockopt(self, *_):
        return self.credentials


@pytest.mark.skipif(not hasattr(socket, "SO_PEERCRED"), reason="this system does not tell who has connected")
@pytest.mark.parametrize(
    ("uid", "gid", "group", "may"),
    [(0, 0, None, True), (1000, 1000, None, False), (1000, 1000, 1000, True), (1000, 1000, 2000, False), (-1, 0, None, False)],
)
def test_another_user_may_call_only_as_a_member_of_the_group(monkeypatch, uid, gid, group, may):
    monkeypatch.setattr(os, "geteuid", lambda: 500)
    assert may_call(Caller(uid & 0xFFFFFFFF, gid), group) is may


def test_user_without_a_name_has_the_group_it_runs_with():
    assert groups_of(4_000_000_000, 77) == {77}


@pytest.mark.skipif(not hasattr(socket, "SO_PEERCRED"), reason="this system does not tell who has connected")
def test_caller_who_may_not_call_gets_not_a_word(start, sockets, monkeypatch):
    from gateway.trust import signer as module

    monkeypatch.setattr(module, "may_call", lambda *_: False)
    start()
    with pytest.raises(SignerUnavailable):
        remote(sockets).authorities()


def test_pages_that_hold_every_connection_do_not_shut_the_loops_out(start, sockets, monkeypatch):
    from gateway.trust import signer as module

    monkeypatch.setattr(module, "_MOST_CALLERS", 1)
    start()
    first, second = remote(sockets), remote(sockets)
    assert first.authorities()
    with pytest.raises(SignerUnavailable):
        second.authorities()
    assert remote(sockets, LOOPS_SOCKET).authorities()


def test_second_signer_does_not_take_the_place_of_a_running_one(start):
    start()
    with pytest.raises(SettingsInvalid, match="another signer"):
        start()


def test_socket_that_a_killed_signer_left_is_replaced(start, sockets):
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(sockets / PAGES_SOCKET))
    start()
    assert remote(sockets).authorities()


def test_path_that_is_too_long_for_a_socket_stops_the_start_with_a_sentence(tmp_path, folder):
    with pytest.raises(SettingsInvalid, match="longer than"):
        Signer(keys=HeldKeys.load(folder, {})).listen(tmp_path / ("x" * 120))


# --- when it is gone


def test_signer_that_is_not_there_is_unavailable(sockets, now):
    keys = KeyRing.of(remote(sockets), sealing=None)
    with pytest.raises(SignerUnavailable):
        keys.signing("BA-MS", now)
    with pytest.raises(SignerUnavailable):
        keys.authorities()


def test_signer_that_comes_back_signs_again_for_the_same_thread(start, sockets, now):
    signer = start()
    key = remote(sockets).key("BA-MS", now)
    key.sign(SIGNED_INFO)
    signer.close()
    with pytest.raises(SignerUnavailable):
        key.sign(SIGNED_INFO)
    start()
    assert key.sign(SIGNED_INFO)


def test_signer_with_other_keys_is_noticed(start, sockets, now):
    signer, keys = start(), remote(sockets)
    old = keys.key("PK-MOI", now)
    signer.close()
    start(authorities=["BA-MS"])
    with pytest.raises(KeyMissing):
        old.sign(SIGNED_INFO)
    assert keys.authorities() == ("BA-MS",)


def test_signer_that_says_nothing_is_unavailable_after_a_while(sockets):
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(sockets / PAGES_SOCKET))
        silent.listen()
        with pytest.raises(SignerUnavailable):
            remote(sockets, seconds=0.1).authorities()


def test_child_of_a_fork_does_not_use_the_connection_of_its_parent(start, sockets, now, monkeypatch):
    start()
    keys = remote(sockets)
    key = keys.key("BA-MS", now)
    key.sign(SIGNED_INFO)
    before = keys._own.line
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert key.sign(SIGNED_INFO)
    assert keys._own.line is not before


# --- frames


@given(payload=st.binary(max_size=200) | st.just(b'{"v": 2}') | st.just(b'{"v": 1, "keys": [{"authority": 1}]}'))
def test_any_first_frame_gives_our_own_error(payload):
    with pytest.raises(FrameError):
        signer_frames.read_hello(payload)


@given(payload=st.binary(max_size=200))
def test_any_answer_is_read_or_gives_our_own_error(payload):
    try:
        found = signer_frames.read_answer(payload)
    except FrameError:
        return
    assert found == payload[1:] or set(found) == {"code", "message"}


@given(sent=st.binary(min_size=1, max_size=100))
def test_any_bytes_are_a_frame_or_give_our_own_error(sent):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(sent)
        theirs.shutdown(socket.SHUT_WR)
        try:
            payload = signer_frames.receive(ours, 90)
        except FrameError:
            return
        assert payload is not None
        assert struct.pack(">I", len(payload)) + payload == sent


def test_frame_is_read_whole_however_it_comes():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        frame = struct.pack(">I", 200_000) + bytes(200_000)
        import threading

        sending = threading.Thread(target=lambda: [theirs.sendall(frame[i : i + 50_000]) for i in range(0, len(frame), 50_000)])
        sending.start()
        assert signer_frames.receive(ours, 300_000) == bytes(200_000)
        sending.join()
