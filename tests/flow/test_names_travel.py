"""A name travels in the letters of its document and in Latin, side by side: no step writes one over the other."""

import pytest

from gateway.flow.draft import Held
from gateway.stages import Tree
from gateway.wire.documents import NS, parse_xml, serialize
from gateway.wire.names import mrz
from tests.forging import application, find, leaving, stored
from tests.gateways import exchange

pytestmark = pytest.mark.anyio


def names(document: Tree) -> list[tuple[str | None, ...]]:
    """Return each name of a message: as shown, script, Latin."""
    found = [element.getparent() for element in document.iter(f"{{{NS}}}AsShown")]
    return [tuple(name.findtext(f"{{{NS}}}{part}") for part in ("AsShown", "Script", "Latin")) for name in found]


@pytest.mark.parametrize(("example", "script"), [("cyrillic", "Cyrl"), ("urdu", "Arab")])
async def test_both_forms_of_a_name_arrive_as_they_were_handed_in(two_gateways, example, script) -> None:
    document = application(two_gateways[0].rt.clock(), f"ReadmissionApplication-{example}")
    sender, recipient = (find(document, f"Header/{end}").text for end in ("Sender", "Recipient"))
    home, away = two_gateways if two_gateways[0].rt.is_home(sender) else two_gateways[::-1]
    given = names(document)
    assert any(kind == script and latin for _, kind, latin in given)

    result = home.hand_in(serialize(document), authority=sender)
    if isinstance(result, Held):
        home.release(result.case_id)
    assert names(leaving(home, away.rt)[0][1]) == given

    await exchange(home, away)
    (signed,) = stored(away, "signed")
    assert names(parse_xml(signed)) == given
    (translated,) = (body.decode() for body in stored(away, "translated"))
    for shown, kind, latin in given:
        assert shown in translated
        assert kind != script or latin is None or latin in translated
    assert away.rt.is_home(recipient)


async def test_a_latin_form_that_is_not_the_one_of_the_tables_is_left_as_it_is(two_gateways) -> None:
    west, east = two_gateways
    document = application(west.rt.clock())
    name = find(document, "Person/Name")
    for child in list(name):
        name.remove(child)
    for part, value in (("AsShown", "Ђорђе Гордић"), ("Script", "Cyrl"), ("Latin", "Djordje Gordich")):
        child = name.makeelement(f"{{{NS}}}{part}")
        child.text = value
        name.append(child)
    west.hand_in(serialize(document), authority="AT-BMI")
    ((_, sealed),) = leaving(west, east.rt)
    assert names(sealed)[0] == ("Ђорђе Гордић", "Cyrl", "Djordje Gordich")
    assert mrz("Ђорђе Гордић", "sr") == "DORDE<HORDIC"
