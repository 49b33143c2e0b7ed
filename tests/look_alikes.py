"""Applications about one person under several references, and one about somebody else: what hints are tested with."""

import re

from tests.gateways import Gateway, example

APPLICATION = "ReadmissionApplication-own-national"


def application(number: int, **changes: str) -> bytes:
    """Return the example as another application of BA-MS; `changes` are texts of elements, at their first place."""
    body = example(APPLICATION).decode()
    body = re.sub(r"<MessageId>.{8}", f"<MessageId>0000000{number}", body, count=1)
    body = re.sub(r"<CaseReference>.{4}", f"<CaseReference>CASE{'ABCDEFGH'[number]}", body, count=1).replace(
        "PCG</Case", "PC</Case"
    )
    for name, value in changes.items():
        body, count = re.subn(f"<{name}>[^<]*</{name}>", f"<{name}>{value}</{name}>", body, count=1)
        assert count
    return body.encode()


def opened(gateway: Gateway, number: int, **changes: str) -> int:
    """Hand an application in, which is held; return its case."""
    result = gateway.hand_in(application(number, **changes), authority="BA-MS")
    case_id: int = result.case_id  # type: ignore[union-attr]
    return case_id


OTHER = {"AsShown": "ПЕТРОВ ИВАН", "Script": "Cyrl", "Latin": "PETROV IVAN", "Value": "IVAN"}


def unlike(gateway: Gateway, number: int) -> int:
    """Return a case of a person who shares nothing but the place of the application."""
    body = application(number, **OTHER).replace(b"3420112345671", b"0101006500006").replace(b"XX0000000", b"BB1111111")
    body = body.replace(b"<Kind>cnic<", b"<Kind>jmbg<").replace(b"SPECIMEN KHAN", b"IVANKO").replace(b"1991-03", b"2006-01")
    result = gateway.hand_in(body, authority="BA-MS")
    case_id: int = result.case_id  # type: ignore[union-attr]
    return case_id
