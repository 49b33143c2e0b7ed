"""Fetches what the chains of pinned certificates offer: the answer of a responder first, the list where there is none.

Off the path of messages. Each list or answer is fetched again at half of its life, at least twice a day; after a failure
the pause grows up to an hour. What proves nothing is never kept, and older evidence never replaces newer.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509

from gateway.errors import RevocationUnreachable, TrustInvalid
from gateway.trust.chains import UNREADABLE
from gateway.trust.folder import REVOCATION, write_file
from gateway.trust.revocation import attempts, ocsp
from gateway.trust.revocation.attempts import Attempt, Result
from gateway.trust.revocation.evidence import Evidence, usable_list
from gateway.trust.revocation.fetch import Fetcher
from gateway.trust.revocation.sources import Sources, offered
from gateway.trust.revocation.states import Said, UnusableError

SKEW = timedelta(minutes=5)  # how far the clock of an issuer may run ahead of ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """One attempt."""

    name: str  # of the file
    result: Result
    why: str  # for an operator; "" where it was fetched


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    certificate: x509.Certificate
    issuer: x509.Certificate
    sources: Sources


def refresh(
    folder: Path,
    chain: Iterable[tuple[x509.Certificate, x509.Certificate]],
    now: datetime,
    fetcher: Fetcher,
    *,
    nonce_may_be_absent: bool = False,
) -> list[Fetched]:
    """Fetch what is due for these (certificate, issuer) pairs; return the attempts that were made.

    The pairs must come from chains that end at an anchor: only their addresses are asked. Raises `TrustInvalid` if what came
    cannot be kept.
    """
    try:
        return _refresh(folder, chain, now, fetcher, nonce_may_be_absent=nonce_may_be_absent)
    except OSError as error:
        raise TrustInvalid(f"{REVOCATION}/ in the key folder cannot be written by this process") from error


def _refresh(
    folder: Path,
    chain: Iterable[tuple[x509.Certificate, x509.Certificate]],
    now: datetime,
    fetcher: Fetcher,
    *,
    nonce_may_be_absent: bool,
) -> list[Fetched]:
    known = dict(attempts.read(folder))
    done: list[Fetched] = []
    every = [_Wanted(certificate=one, issuer=issuer, sources=offered(one, issuer)) for one, issuer in chain]
    for wanted in every:
        if wanted.certificate.not_valid_after_utc < now:
            continue  # nobody need say more about it
        name = wanted.sources.answer_file
        if wanted.sources.responders:
            ask = _asker(wanted, fetcher, now, may_be_absent=nonce_may_be_absent)
            done += _attempt(folder, name, wanted.sources.responders, ask, known, now)
            if known[name].result is Result.FETCHED:
                continue
        if wanted.sources.lists:
            name, ask = wanted.sources.list_file, _lister(wanted, fetcher)
            ends = [each.certificate.not_valid_after_utc for each in every if each.sources.list_file == name]
            done += _attempt(folder, name, wanted.sources.lists, ask, known, now, ends=ends)
    if done:
        attempts.write(folder, known)
    return done


_Ask = Callable[
    [str], tuple[bytes, Said]
]  # address -> what came, and what it says; raises UnusableError, RevocationUnreachable


def _asker(wanted: _Wanted, fetcher: Fetcher, now: datetime, *, may_be_absent: bool) -> _Ask:
    def ask(url: str) -> tuple[bytes, Said]:
        nonce = ocsp.new_nonce()
        data = fetcher.post(url, ocsp.question(wanted.certificate, wanted.issuer, nonce))
        answer = ocsp.read(data)
        ocsp.require_nonce(answer, nonce, may_be_absent=may_be_absent)
        signer = ocsp.responder(answer, wanted.issuer)
        if signer != wanted.issuer and ocsp.needs_status(signer):
            raise UnusableError(
                "the responder's own certificate would have to be checked: the list of its issuer serves better"
            )
        if answer.produced_at > now + SKEW:
            raise UnusableError("the answer was made in the future")
        said = ocsp.said(answer, wanted.certificate, wanted.issuer)
        if not said.known:
            raise UnusableError("the responder does not know the certificate")
        return data, said

    return ask


def _lister(wanted: _Wanted, fetcher: Fetcher) -> _Ask:
    def ask(url: str) -> tuple[bytes, Said]:
        data = fetcher.get(url)
        return data, usable_list(data, wanted.certificate, wanted.issuer)

    return ask


def _attempt(
    folder: Path,
    name: str,
    urls: Iterable[str],
    ask: _Ask,
    known: dict[str, Attempt],
    now: datetime,
    *,
    ends: Iterable[datetime] = (),
) -> list[Fetched]:
    """Try the addresses in order, if it is time, and keep the first thing that proves something."""
    before = known.get(name)
    path = folder / REVOCATION / name
    if before is not None and now < before.next_at and (before.result is not Result.FETCHED or path.exists()):
        return []
    result, why = Result.UNREACHABLE, ""
    for url in urls:
        try:
            data, said = ask(url)
            _require_fresh(said, now)
            _keep(path, data, said, ends)
        except RevocationUnreachable as error:
            why = why or error.message
        except UNREADABLE as error:
            result, why = Result.UNUSABLE, str(error)
        else:
            known[name] = attempts.succeeded(now, said.next_update)
            return [Fetched(name=name, result=Result.FETCHED, why="")]
    known[name] = attempts.failed(now, result, before)
    return [Fetched(name=name, result=result, why=why)]


def _require_fresh(said: Said, now: datetime) -> None:
    if said.this_update > now + SKEW:
        raise UnusableError("it is dated in the future")
    if said.next_update < now:
        raise UnusableError("it is out of date already")


def _keep(path: Path, data: bytes, said: Said, ends: Iterable[datetime]) -> None:
    """Write what came. Raises `UnusableError` if what is here is younger: an old list that says good must not be played again.

    What says something about a certificate that ended since stays beside it, under its date: the next list need not name
    that certificate, and messages that it signed are verified for many years.
    """
    here = path.read_bytes() if path.exists() else b""
    if here == data:
        return
    dated = _dated(path.name, here)
    if dated is not None and dated > said.this_update:
        raise UnusableError("it is older than what is here")
    if dated is not None and any(dated <= end < said.this_update for end in ends):
        write_file(path.with_name(f"{path.stem}.{dated:%Y%m%d%H%M%S}{path.suffix}"), here)
    write_file(path, data)


def _dated(name: str, data: bytes) -> datetime | None:
    """Return the date of a list or answer in the folder, None if it is none."""
    found = Evidence.of({name: data})
    times = [each.this_update for lists in found.lists.values() for each in lists]
    times += [each.this_update for answers in found.answers.values() for answer in answers for each in answer.about]
    return max(times, default=None)
