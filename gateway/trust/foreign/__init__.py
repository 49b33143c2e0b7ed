"""Signatures of partners whose software cannot write the one profile: taken by other people's verifiers, under our refusals.

Off unless the partner's folder turns it on (`foreign = ["signxml"]` or `["xmlsec"]` under `[trust]`). `open_foreign` is the
walk, `claims` says what a foreign signature may look like, `verifiers` calls the library.
"""

from gateway.trust.foreign.opening import open_foreign
from gateway.trust.foreign.verifiers import require

__all__ = ["open_foreign", "require"]
