"""Secrets of people and systems that sign in: stored only as hashes, compared in constant time."""

import os
from hashlib import sha256
from hmac import compare_digest

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

_SALT_BYTES = 16
_KEY_BYTES = 32
# OWASP Password Storage Cheat Sheet, Argon2id: 19 MiB, two passes, one lane.
_MEMORY_KIB = 19_456
_PASSES = 2
_LANES = 1


def hash_password(password: str) -> str:
    """Return a salted Argon2id hash in the PHC form, which names its own parameters."""
    kdf = Argon2id(salt=os.urandom(_SALT_BYTES), length=_KEY_BYTES, iterations=_PASSES, lanes=_LANES, memory_cost=_MEMORY_KIB)
    return kdf.derive_phc_encoded(password.encode())


def check_password(password: str, stored: str) -> bool:
    """Tell whether `password` is the one `stored` was made from. A `stored` that is no hash fits no password."""
    try:
        Argon2id.verify_phc_encoded(password.encode(), stored)
    except (InvalidKey, ValueError):
        return False
    return True


def hash_api_secret(secret: str) -> str:
    """Return SHA-256 in hex. Enough for a random secret of 128 bits and more, which nobody can guess from its hash."""
    return sha256(secret.encode()).hexdigest()


def check_api_secret(secret: str, stored: str) -> bool:
    """Tell whether `secret` has the hash `stored`."""
    return compare_digest(hash_api_secret(secret), stored)
