"""What lies in the folder `revocation/`, and what it says about a certificate at an instant.

    revocation/*.crl      revocation lists in DER, under any name; those that were fetched are named for their issuer
    revocation/*.ocsp     answers of responders in DER
    revocation/local/     certificates that a person here took back (local.py)
    revocation/grace/     decisions to bear with an outage (grace.py)
    revocation/attempts.json    when what was fetched last (attempts.py)

Files, not rows: every process and command reads the same, it works offline, and a case file can carry them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.trust.chains import UNREADABLE
from gateway.trust.folder import REVOCATION
from gateway.trust.revocation import attempts, crl, local, ocsp
from gateway.trust.revocation.attempts import Attempt, Result
from gateway.trust.revocation.local import LocalRevocation
from gateway.trust.revocation.sources import Sources, fingerprint, offered
from gateway.trust.revocation.states import MOST_BYTES, Said, Source, Standing, State, UnusableError


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Lists, answers, decisions and attempts, as they were at one moment."""

    lists: Mapping[bytes, tuple[crl.Crl, ...]]  # by the name of the issuer, DER
    answers: Mapping[int, tuple[ocsp.Answer, ...]]  # by serial number
    local: Mapping[str, LocalRevocation]  # by fingerprint
    attempts: Mapping[str, Attempt]  # by file name
    unusable: Mapping[str, str]  # file name -> why it proves nothing
    _signed: dict[tuple[int, str], str | None] = field(default_factory=dict)  # (id of a list, issuer) -> fault; made once

    @classmethod
    def read(cls, folder: Path) -> "Evidence":
        """Read what lies in a key folder. A list or answer that cannot be used is named, not raised: it proves nothing.

        Raises `TrustInvalid` for a decision of a person that cannot be read.
        """
        data: dict[str, bytes] = {}
        for path in sorted((folder / REVOCATION).glob("*")):
            if path.suffix in {".crl", ".ocsp"} and not path.name.startswith("."):
                data[path.name] = _bytes(path)
        return cls.of(data, local=local.read(folder), attempts=attempts.read(folder))

    @classmethod
    def of(
        cls,
        files: Mapping[str, bytes],
        *,
        local: Mapping[str, LocalRevocation] | None = None,
        attempts: Mapping[str, Attempt] | None = None,
    ) -> "Evidence":
        """Return the evidence in these files, by name; `.crl` and `.ocsp` tell which is which."""
        lists: dict[bytes, list[crl.Crl]] = {}
        answers: dict[int, list[ocsp.Answer]] = {}
        unusable: dict[str, str] = {}
        for name, data in files.items():
            try:
                if name.endswith(".crl"):
                    found = crl.read(data)
                    lists.setdefault(found.issuer, []).append(found)
                else:
                    answer = ocsp.read(data)
                    for each in answer.about:
                        answers.setdefault(each.serial_number, []).append(answer)
            except UnusableError as error:
                unusable[name] = str(error)
        return cls(
            lists={issuer: tuple(each) for issuer, each in lists.items()},
            answers={serial: tuple(each) for serial, each in answers.items()},
            local=local or {},
            attempts=attempts or {},
            unusable=unusable,
        )

    def standing(self, certificate: x509.Certificate, issuer: x509.Certificate, at: datetime) -> Standing:
        """Return what is known at `at` of a certificate whose signature by `issuer` was verified.

        Revoked beats good, whatever the age of the list that says so: a revocation is not taken back. Good is what a list
        or an answer says that had not run out at `at`; it may be younger than `at`.
        """
        sources = offered(certificate, issuer)
        said, faults = self._said(certificate, issuer, at)
        revoked = sorted((each for each in said if each.revoked_at), key=lambda each: (not each.compromised, _since(each)))
        taken_back = revoked[0] if revoked else None
        offers = sources.named or any(each.source is not Source.LOCAL for each in said)
        if taken_back is not None and (taken_back.compromised or _since(taken_back) <= at):
            return _standing(State.REVOKED, taken_back, why=_words(taken_back), offers=True)
        good = [each for each in said if each.known and each.revoked_at is None and each.source is not Source.LOCAL]
        if taken_back is not None and taken_back.source is not Source.LOCAL:
            good.append(taken_back)  # revoked later than `at`: its issuer knew it, and says that it was good then
        newest = max(good, key=lambda each: each.next_update, default=None)
        revoked_at = taken_back.revoked_at if taken_back else None
        if newest is not None and newest.next_update >= at:
            why = f"said by {newest.source}, of {newest.this_update:%Y-%m-%d %H:%M} UTC"
            return _standing(State.GOOD, newest, why=why, offers=offers, revoked_at=revoked_at)
        if newest is not None:
            why = f"the newest {newest.source} here ran out on {newest.next_update:%Y-%m-%d %H:%M} UTC"
            return _standing(State.STALE, newest, why=why, offers=offers, revoked_at=revoked_at)
        return self._nothing(sources, said, faults, offers=offers, revoked_at=revoked_at)

    def _nothing(
        self, sources: Sources, said: list[Said], faults: list[str], *, offers: bool, revoked_at: datetime | None
    ) -> Standing:
        """Return why nothing is known."""
        tried = [self.attempts[name] for name in (sources.answer_file, sources.list_file) if name in self.attempts]
        unreachable = [each for each in tried if each.result is Result.UNREACHABLE]
        if faults:
            state, why = State.UNKNOWN, faults[0]
        elif any(each.source is Source.OCSP for each in said):
            state, why = State.UNKNOWN, "the responder does not know the certificate"
        elif any(each.result is Result.UNUSABLE for each in tried):
            state, why = State.UNKNOWN, "what was fetched proves nothing: it is not signed as it must be, or is out of date"
        elif unreachable:
            last = max(each.tried_at for each in unreachable)
            state, why = State.UNREACHABLE, f"nothing could be fetched, last tried {last:%Y-%m-%d %H:%M} UTC"
        elif not sources.named:
            state, why = State.UNKNOWN, "the certificate names no list and no responder: it cannot be revoked"
        elif not sources.responders and not sources.lists:
            state, why = (
                State.UNKNOWN,
                "the certificate names no address that is asked (http): lay the list into the key folder",
            )
        else:
            state, why = State.UNKNOWN, "nothing was fetched yet"
        return Standing(state=state, offered=offers, why=why, revoked_at=revoked_at)

    def revoked_since(self, certificate: x509.Certificate, issuer: x509.Certificate) -> datetime | None:
        """Return from when on a certificate is revoked, whatever the instant asked for; None if it is not."""
        said, _ = self._said(certificate, issuer, certificate.not_valid_after_utc)
        times = (certificate.not_valid_before_utc if each.compromised else _since(each) for each in said if each.revoked_at)
        return min(times, default=None)

    def proofs(self, path: Iterable[tuple[x509.Certificate, x509.Certificate]]) -> dict[str, bytes]:
        """Return the lists and answers, by a file name, that say something about (certificate, issuer) pairs of a chain.

        `Evidence.of` reads them again: so a case file carries what was known.
        """
        found: dict[str, bytes] = {}
        for certificate, issuer in path:
            for one in self.lists.get(issuer.subject.public_bytes(), ()):
                data = one.parsed.public_bytes(Encoding.DER)
                found[f"{sha256(data).hexdigest()}.crl"] = data
            for answer in self.answers.get(certificate.serial_number, ()):
                if ocsp.speaks_of(answer, certificate, issuer):
                    data = answer.parsed.public_bytes(Encoding.DER)
                    found[f"{sha256(data).hexdigest()}.ocsp"] = data
        return found

    def _said(self, certificate: x509.Certificate, issuer: x509.Certificate, at: datetime) -> tuple[list[Said], list[str]]:
        """Return what everything here says about a certificate, and the faults of what should have said something."""
        said: list[Said] = []
        faults: list[str] = []
        decided = self.local.get(fingerprint(certificate)) if self.local else None
        if decided is not None:
            since = decided.at
            said.append(Said(source=Source.LOCAL, known=True, this_update=since, next_update=since, revoked_at=since))
        for answer in self.answers.get(certificate.serial_number, ()):
            if ocsp.speaks_of(answer, certificate, issuer):
                try:
                    self._require_responder(answer, issuer, at)
                    said.append(ocsp.said(answer, certificate, issuer))
                except UNREADABLE as fault:  # an UnusableError, or a part that is looked at only now
                    faults.append(str(fault))
        listed, more = self._listed(certificate, issuer)
        return said + listed, faults + more

    def _listed(self, certificate: x509.Certificate, issuer: x509.Certificate) -> tuple[list[Said], list[str]]:
        said: list[Said] = []
        faults: list[str] = []
        for each in self.lists.get(issuer.subject.public_bytes(), ()):
            try:
                self._require_signed(each, issuer)
                said.append(crl.said(each, certificate))
            except UNREADABLE as fault:
                faults.append(str(fault))
        return said, faults

    def _require_signed(self, one: crl.Crl, issuer: x509.Certificate) -> None:
        key = (id(one), fingerprint(issuer))  # the list lives as long as this evidence: its id stays its own
        if key not in self._signed:
            try:
                crl.require_signed(one, issuer)
                self._signed[key] = None
            except UnusableError as fault:
                self._signed[key] = str(fault)
        found = self._signed[key]
        if found is not None:
            raise UnusableError(found)

    def _require_responder(self, answer: ocsp.Answer, issuer: x509.Certificate, at: datetime) -> None:
        signer = ocsp.responder(answer, issuer)
        if signer == issuer or not ocsp.needs_status(signer):
            return
        listed, _ = self._listed(signer, issuer)
        if any(each.revoked_at is not None for each in listed):
            raise UnusableError("the responder's certificate is revoked")
        if not any(each.next_update >= at for each in listed):
            raise UnusableError("nothing says that the responder's certificate is not revoked")


def usable_list(data: bytes, certificate: x509.Certificate, issuer: x509.Certificate) -> Said:
    """Return what a list that was just fetched says about a certificate. Raises `UnusableError`."""
    found = crl.read(data)
    if found.issuer != issuer.subject.public_bytes():
        raise UnusableError("the list is another issuer's")
    crl.require_signed(found, issuer)
    return crl.said(found, certificate)


def _bytes(path: Path) -> bytes:
    """Return the content of a file as far as it is judged; what cannot be read is empty, and proves nothing."""
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError:
        return b""


def _since(said: Said) -> datetime:
    assert said.revoked_at is not None, "asked only of what is revoked"
    return said.revoked_at


def _standing(state: State, said: Said, *, why: str, offers: bool, revoked_at: datetime | None = None) -> Standing:
    return Standing(
        state=state,
        offered=offers,
        why=why,
        source=said.source,
        this_update=said.this_update,
        next_update=said.next_update,
        revoked_at=revoked_at or said.revoked_at,
    )


def _words(said: Said) -> str:
    who = "a person here" if said.source is Source.LOCAL else f"its issuer ({said.source})"
    return f"taken back by {who} from {_since(said):%Y-%m-%d %H:%M} UTC" + (": its key was in wrong hands" * said.compromised)
