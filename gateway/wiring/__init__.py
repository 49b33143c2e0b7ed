"""The only place that knows every adapter: `runtime` builds the walks' surroundings, `pages` those of API and pages."""

from gateway.wiring.runtime import SCHEMA_VERSION, build, transport, utc_now

__all__ = ["SCHEMA_VERSION", "build", "transport", "utc_now"]
