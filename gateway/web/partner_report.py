"""The report of `gateway partner check` as one page that stands alone: no style sheet, script or picture from elsewhere."""

from collections.abc import Sequence
from datetime import datetime

from gateway.flow.partner_check import PartnerReport
from gateway.web.rendering import environment


def as_html(reports: Sequence[PartnerReport], at: datetime) -> str:
    """Return the page; `at` is when the folders were checked."""
    return environment().get_template("partner_report.html").render(reports=reports, at=at)
