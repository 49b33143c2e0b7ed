"""Partners as data: folders under `partners/`, loaded into frozen values."""

from gateway.partners.dialects import CodeList, Dialect
from gateway.partners.folder import Authority, Partner, Partners, load

__all__ = ["Authority", "CodeList", "Dialect", "Partner", "Partners", "load"]
