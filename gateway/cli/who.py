"""How the journal names whoever works on this machine."""

import os
import pwd


def account() -> str:
    """Return the account of the system, not what it calls itself."""
    try:
        return f"cli:{pwd.getpwuid(os.getuid()).pw_name}"[:80]
    except KeyError:  # an account without a name, as in a container
        return f"cli:{os.getuid()}"
