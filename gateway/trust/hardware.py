"""A signing key that never leaves its PKCS#11 token."""

from dataclasses import dataclass

from gateway.errors import SignatureInvalid, TrustInvalid
from gateway.trust import algorithms
from gateway.trust.algorithms import SignatureAlgorithm
from gateway.trust.places import TokenPlace
from gateway.trust.tokens import module_of


@dataclass(frozen=True, slots=True, kw_only=True)
class HardwareKey:
    """A `SigningKey` in a token; the token is asked at the first signature, in the process that signs."""

    authority: str
    chain: tuple[bytes, ...]  # DER, leaf first
    algorithm: SignatureAlgorithm
    public_key: algorithms.PublicKey  # of the certificate
    place: TokenPlace

    def __repr__(self) -> str:
        return f"HardwareKey({self.authority})"

    def sign(self, data: bytes) -> bytes:
        """Sign, and check it: a token may hold another key under the name, and a faulty one must not be heard.

        Raises `SigningKeyUnavailable`, `TokenPinRefused`, `KeyMissing`, `TrustInvalid`.
        """
        value = module_of(self.place).sign(self.place, self.algorithm, data)
        try:
            self.algorithm.check(self.public_key, value, data)
        except SignatureInvalid as error:
            raise TrustInvalid(f"the token {self.place.token} signs with another key than the certificate's") from error
        return value
