"""Mutations: a good document, damaged in a few places by what an attacker, or a bad line, would do to it."""

from collections.abc import Sequence

from hypothesis import strategies as st

# Pieces that are damage wherever they land.
TOKENS = (
    b"<", b">", b"&", b'"', b"'", b"/", b"\x00", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\n", b"\r", b" ", b"]]>",
    b"<!--", b"-->", b"<?x", b"?>", b"<![CDATA[", b"<!DOCTYPE a>", b"<!ENTITY", b"&#0;", b"&#xD800;", b"&lt;", b"&x;",
    b"<a>" * 70, b"<a/>" * 50, b' a=""' * 40, b' xmlns:x="urn:x"', b' xmlns=""', b' xml:id="a"', b' Id="signature"',
    b"{", b"}", b"[" * 70, b"]", b",", b":", b"null", b"NaN", b"1e999", b"-0", b"9" * 5000, b"\\ud83d", b"\\u0000", b"true",
    b"9999-12-31", b"0001-01-01T00:00:00Z", b"99999999999999999999", b"", b"BA-MS", b"PK-MOI", "\u202e".encode(),
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn, bodies: Sequence[bytes]) -> bytes:
    """Return one of `bodies` after one to four damages; large ones are rare."""
    body = draw(st.sampled_from(bodies))
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(body)))
        length = draw(st.sampled_from((0, 1, 2, 8, 64, 512)))
        match draw(st.sampled_from(("flip", "cut", "token", "double", "splice", "end"))):
            case "flip" if body:
                place = min(place, len(body) - 1)
                body = body[:place] + bytes([body[place] ^ draw(st.integers(1, 255))]) + body[place + 1 :]
            case "cut":
                body = body[:place] + body[place + length :]
            case "token":
                body = body[:place] + draw(st.sampled_from(TOKENS)) + body[place + length :]
            case "double":
                body = body[: place + length] + body[place:]
            case "splice":
                other = draw(st.sampled_from(bodies))
                body = body[:place] + other[draw(st.integers(0, len(other))) :][:4096] + body[place:]
            case _:
                body = body[:place]
    return body
