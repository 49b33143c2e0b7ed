"""Names in other letters: the machine-readable form, and the ways a name may be spelled, for search and candidates."""

from gateway.wire.names.scripts import script_of
from gateway.wire.names.transliterate import mrz
from gateway.wire.names.variants import tokens, variants, word_variants

__all__ = ["mrz", "script_of", "tokens", "variants", "word_variants"]
