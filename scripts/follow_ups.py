"""Every message that is neither an application nor a reply nor a receipt, for one corridor, as examples."""

from collections.abc import Mapping

from cases_of_aftermath import aftermath
from cases_of_inquiry import inquiry
from cases_of_standstill import standstill
from cases_of_transfer import transfer, travel_document
from cases_of_transit import notification, notification_without_name, transit, transit_answers, transit_without_name
from specimens import Corridor, Fields
from threads import Thread


def follow_ups(corridor: Corridor, application_fields: Fields) -> Mapping[str, tuple[str, Fields]]:
    """Return name -> (message type, fields) of everything that may follow an application, and of what opens other cases.

    A name is the type in small letters and what is special: "extension-decision-refused-by-requested". The sender stands in
    the header: what only one side may send comes from that side, what either may send comes from both.
    """
    case = Thread.on(corridor, application_fields)
    for write in (inquiry, travel_document, transfer, aftermath, standstill):
        write(case)
    asked = transit(corridor)
    in_transit = Thread.on(corridor, asked)
    transit_answers(in_transit)
    return {
        "written-notification-willing": ("WrittenNotification", notification(corridor)),
        "written-notification-no-name": ("WrittenNotification", notification_without_name(corridor)),
        "transit-application-escorted": ("TransitApplication", asked),
        "transit-application-no-name": ("TransitApplication", transit_without_name(corridor)),
        **in_transit.sent,
        **case.sent,
    }
