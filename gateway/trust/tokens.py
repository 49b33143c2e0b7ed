"""Keys in PKCS#11 tokens: one library, one login and one session for each token, in the process that uses them.

A library must not be used by two threads while it is closed or opened, so one lock guards each. A session that was lost is
opened again once; a token that still does not answer is `Unavailable`. A PIN that was refused is never sent again by this
process: tokens lock themselves after a few wrong ones.

Sources: PKCS#11 2.40, 6.6.1 (a forked process initialises the library for itself), 2.3.6 (CKM_ECDSA gives r || s).
"""

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, TypeVar

from cryptography.hazmat.primitives.serialization import load_der_public_key

from gateway.errors import KeyMissing, SigningKeyUnavailable, TokenPinRefused, TrustInvalid
from gateway.log import logger
from gateway.trust.algorithms import Ecdsa, PublicKey, Rsa, SignatureAlgorithm
from gateway.trust.places import TokenPlace

if TYPE_CHECKING:
    from collections.abc import Callable

    import pkcs11

_log = logger("tokens")
T = TypeVar("T")

_CURVE_NAMES: Final = {"ecdsa-p256-sha256": "secp256r1", "ecdsa-p384-sha384": "secp384r1"}


def _library() -> ModuleType:
    try:
        import pkcs11  # noqa: PLC0415  # an optional extra: most installations keep their keys in files
    except ImportError as error:
        raise TrustInvalid("keys in a token need the package python-pkcs11: pip install 'readmission-gateway[hsm]'") from error
    return pkcs11


@dataclass(slots=True)
class Module:
    """One PKCS#11 library in this process."""

    path: Path
    _lock: Lock = field(default_factory=Lock)
    _lib: Any = None
    _sessions: dict[str, "pkcs11.Session"] = field(default_factory=dict)  # by the token's label
    _keys: dict[tuple[str, bytes | None, str | None], Any] = field(default_factory=dict)
    _refused: set[str] = field(default_factory=set)  # tokens that did not take their PIN

    def sign(self, place: TokenPlace, algorithm: SignatureAlgorithm, data: bytes) -> bytes:
        """Return the raw signature value, as gateway/trust/algorithms.py writes it.

        Raises `SigningKeyUnavailable`, `TokenPinRefused`, `KeyMissing`, `TrustInvalid`.
        """
        p11 = _library()
        if isinstance(algorithm, Ecdsa):
            covered, mechanism = hashlib.new(algorithm.hash.name, data).digest(), p11.Mechanism.ECDSA
        elif isinstance(algorithm, Rsa):
            covered, mechanism = data, p11.Mechanism.SHA256_RSA_PKCS
        else:
            raise TrustInvalid(f"a key in a token cannot sign with {algorithm.name}")
        return self._run(place, lambda: bytes(self._private(place).sign(covered, mechanism=mechanism)))

    def public_key(self, place: TokenPlace) -> PublicKey:
        """Return the public part of a key in the token. Raises as `sign` does."""
        p11 = _library()

        def read() -> PublicKey:
            found = self._object(place, p11.ObjectClass.PUBLIC_KEY)
            encode = (
                p11.util.ec.encode_ec_public_key if found.key_type == p11.KeyType.EC else p11.util.rsa.encode_rsa_public_key
            )
            key = load_der_public_key(encode(found))
            assert isinstance(key, PublicKey), "made by generate"
            return key

        return self._run(place, read)

    def generate(self, place: TokenPlace, algorithm: SignatureAlgorithm) -> None:
        """Make a key pair inside the token; the private part never leaves it. Raises as `sign` does."""
        p11 = _library()
        secret = {p11.Attribute.SENSITIVE: True, p11.Attribute.EXTRACTABLE: False}

        def make() -> None:
            self._forget()  # a token has one login for all sessions of a process
            session = self._open(place, writing=True)
            try:
                if isinstance(algorithm, Rsa):
                    session.generate_keypair(
                        p11.KeyType.RSA,
                        algorithm.min_bits,
                        id=place.key_id,
                        label=place.label,
                        store=True,
                        private_template=secret,
                    )
                    return
                parameters = session.create_domain_parameters(
                    p11.KeyType.EC,
                    {p11.Attribute.EC_PARAMS: p11.util.ec.encode_named_curve_parameters(_CURVE_NAMES[algorithm.name])},
                    local=True,
                )
                parameters.generate_keypair(id=place.key_id, label=place.label, store=True, private_template=secret)
            finally:
                self._forget()

        self._run(place, make)

    def destroy(self, place: TokenPlace) -> None:
        """Destroy a key pair in the token. Raises as `sign` does."""
        p11 = _library()

        def remove() -> None:
            self._forget()
            session = self._open(place, writing=True)
            try:
                for kind in (p11.ObjectClass.PRIVATE_KEY, p11.ObjectClass.PUBLIC_KEY):
                    session.get_key(object_class=kind, id=place.key_id, label=place.label).destroy()
            finally:
                self._forget()

        self._run(place, remove)

    def _run(self, place: TokenPlace, work: "Callable[[], T]") -> T:
        """Do something with the token; when the session was lost, open another one and do it once more."""
        p11 = _library()
        with self._lock:
            if place.token in self._refused:
                raise _refused(place)
            try:
                return self._once(place, work)
            except p11.PKCS11Error as error:
                _log.warning("token.lost", error_type=type(error).__name__)
                self._forget()
            try:
                return self._once(place, work)
            except p11.PKCS11Error as error:
                self._forget()
                raise SigningKeyUnavailable(f"the token {place.token} does not answer: {type(error).__name__}") from error

    def _once(self, place: TokenPlace, work: "Callable[[], T]") -> T:
        p11 = _library()
        try:
            return work()
        except (
            p11.PinIncorrect,
            p11.PinInvalid,
            p11.PinLenRange,
            p11.PinExpired,
            p11.PinLocked,
            p11.UserPinNotInitialized,
        ) as error:
            self._refused.add(place.token)
            raise _refused(place) from error
        except (p11.NoSuchKey, p11.MultipleObjectsReturned) as error:
            raise KeyMissing(f"the token {place.token} does not hold exactly one key {_name(place)}") from error
        except (p11.MechanismInvalid, p11.FunctionNotSupported, p11.KeyTypeInconsistent) as error:
            raise TrustInvalid(f"the token {place.token} cannot do this: {type(error).__name__}") from error

    def _private(self, place: TokenPlace) -> Any:
        known = (place.token, place.key_id, place.label)
        if known not in self._keys:
            self._keys[known] = self._object(place, _library().ObjectClass.PRIVATE_KEY)
        return self._keys[known]

    def _object(self, place: TokenPlace, kind: Any) -> Any:
        if place.token not in self._sessions:
            self._sessions[place.token] = self._open(place)
        return self._sessions[place.token].get_key(object_class=kind, id=place.key_id, label=place.label)

    def _open(self, place: TokenPlace, *, writing: bool = False) -> "pkcs11.Session":
        """Log in. Raises what python-pkcs11 raises, `TrustInvalid` for a library that cannot be loaded."""
        if self._lib is None:
            self._lib = _load(self.path)
        opened: pkcs11.Session = self._lib.get_token(token_label=place.token).open(rw=writing, user_pin=place.pin())
        return opened

    def _forget(self) -> None:
        """Drop all sessions; the library looks for its tokens anew. Nobody else is inside: the lock is held."""
        self._sessions.clear()
        self._keys.clear()
        if self._lib is not None:
            try:
                self._lib.reinitialize()
            except _library().PKCS11Error:
                self._lib = None  # loaded again by the next call


def _load(path: Path) -> Any:
    """Load and initialise a library; one that another process of ours initialised before a fork, once more."""
    p11 = _library()
    try:
        lib = p11.lib(str(path))
        if _initialised.setdefault(path, os.getpid()) != os.getpid():
            lib.reinitialize()
            _initialised[path] = os.getpid()
    except p11.PKCS11Error as error:
        if type(error) is p11.PKCS11Error:  # no code of the library's own: the system could not load it
            raise TrustInvalid(f"the token library {path.name} cannot be loaded") from error
        raise
    return lib


def _refused(place: TokenPlace) -> TokenPinRefused:
    return TokenPinRefused(f"the token {place.token} refused the PIN; mend it and start again, before the token locks itself")


def _name(place: TokenPlace) -> str:
    return place.key_id.hex() if place.key_id is not None else str(place.label)


_initialised: dict[Path, int] = {}  # library -> process that initialised it
_modules: dict[Path, Module] = {}


def module_of(place: TokenPlace) -> Module:
    """Return the library of a place; the same one for every key in it."""
    return _modules.setdefault(place.module, Module(path=place.module))


os.register_at_fork(after_in_child=_modules.clear)  # sessions and locks of the parent are not ours
