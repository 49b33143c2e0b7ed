"""Signature wrapping: what is signed stays good, and what is read stands beside it (eight shapes and their relatives).

The shapes are those of "On Breaking SAML" (USENIX Security 2012), built anew for our envelope: `evil` is what the attacker
wants read, the genuine envelope keeps its signature.
"""

from base64 import b64encode
from collections.abc import Iterator
from copy import deepcopy
from hashlib import sha256

from lxml import etree

from gateway.simulation.forgeries.forge import DS, DSIG, OWN, REFERENCE, Forge, Forgery
from gateway.stages import Tree
from gateway.trust.profile import CLOSE, OPEN
from gateway.wire.documents import canonicalize, parse_xml
from gateway.wire.namespaces import ENVELOPE_NS

XML_ID = "{http://www.w3.org/XML/1998/namespace}id"
WSU_ID = "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd}Id"


def _evil(message: Tree) -> Tree:
    """Return the message with another person's name in it."""
    copy = deepcopy(message)
    copy.find(f"{OWN}Person/{OWN}Name/{OWN}AsShown").text = "SOMEBODY ELSE"
    return copy


def _outer() -> Tree:
    return parse_xml(OPEN + CLOSE)


def _1_original_below_the_signature(forge: Forge) -> Tree:
    """The evil envelope carries the signature, and the signature carries the original envelope."""
    original, outer = forge.envelope(), _outer()
    signature = deepcopy(original[1])
    outer.append(_evil(original[0]))
    outer.append(signature)
    signature.append(original)
    return outer


def _2_signature_beside_the_original(forge: Forge) -> Tree:
    """The evil envelope holds the original without its signature, and the signature detached beside it."""
    original, outer = forge.envelope(), _outer()
    signature = original[1]
    original.remove(signature)
    outer.extend([_evil(original[0]), original, signature])
    return outer


def _3_evil_before_the_original(forge: Forge) -> Tree:
    envelope = forge.envelope()
    envelope.insert(0, _evil(envelope[0]))
    return envelope


def _4_original_inside_the_evil(forge: Forge) -> Tree:
    envelope = forge.envelope()
    original, evil = envelope[0], _evil(envelope[0])
    envelope.replace(original, evil)
    evil.append(original)
    return envelope


def _5_original_after_the_signature(forge: Forge) -> Tree:
    envelope = forge.envelope()
    original = envelope[0]
    envelope.replace(original, _evil(original))
    envelope.append(original)
    return envelope


def _6_original_inside_the_signature(forge: Forge) -> Tree:
    envelope = forge.envelope()
    original = envelope[0]
    envelope.replace(original, _evil(original))
    envelope[1].append(original)
    return envelope


def _7_original_in_an_extension(forge: Forge) -> Tree:
    envelope = forge.envelope()
    original, evil = envelope[0], _evil(envelope[0])
    envelope.replace(original, evil)
    etree.SubElement(evil, f"{OWN}Extensions").append(original)
    return envelope


def _8_original_in_an_object(forge: Forge) -> Tree:
    envelope = forge.envelope()
    original = envelope[0]
    envelope.replace(original, _evil(original))
    etree.SubElement(envelope[1], f"{DS}Object").append(original)
    return envelope


def _original_in_the_properties(forge: Forge) -> Tree:
    envelope = forge.envelope()
    original = envelope[0]
    envelope.replace(original, _evil(original))
    next(envelope.iter("{*}QualifyingProperties")).append(original)
    return envelope


def _envelope_around_the_envelope(forge: Forge) -> Tree:
    """The genuine envelope, whole, in the place of the message."""
    envelope, outer = forge.envelope(), _outer()
    outer.extend([envelope, deepcopy(envelope[1])])
    return outer


def _envelope_inside_the_evil(forge: Forge) -> Tree:
    """The evil message carries the genuine envelope, and the signature stands where the profile wants it."""
    envelope, outer = forge.envelope(), _outer()
    evil, signature = _evil(envelope[0]), envelope[1]
    evil.append(envelope)
    outer.extend([evil, signature])
    return outer


def _envelope_in_the_message(forge: Forge) -> Tree:
    envelope = forge.envelope()
    etree.SubElement(envelope[0], f"{{{ENVELOPE_NS}}}Envelope")
    return envelope


def _signature_in_the_message(forge: Forge) -> Tree:
    envelope = forge.envelope()
    envelope[0].append(deepcopy(envelope[1]))
    return envelope


def _second_properties(forge: Forge) -> Tree:
    envelope = forge.envelope()
    properties = next(envelope.iter("{*}SignedProperties"))
    properties.getparent().append(deepcopy(properties))
    return envelope


def _sub_element(forge: Forge) -> Tree:
    """The first reference names one element by id."""
    envelope = forge.envelope()
    envelope[0][0].set("Id", "part")
    envelope[1].find(REFERENCE).set("URI", "#part")
    return envelope


def _digest_of_the_sub_element(forge: Forge) -> Tree:
    """The same, and its digest is of that element: only this much of the envelope is signed, and it is signed well."""
    envelope = parse_xml(forge.resigned(_sub_element(forge)))
    digest = sha256(canonicalize(envelope[0][0])).digest()
    envelope[1].find(f"{REFERENCE}/{DS}DigestValue").text = b64encode(digest).decode()
    return envelope


SHAPES = {
    "wrapping_1_original_below_the_signature": (1, _1_original_below_the_signature),
    "wrapping_2_signature_beside_the_original": (1, _2_signature_beside_the_original),
    "wrapping_3_evil_before_the_original": (2, _3_evil_before_the_original),
    "wrapping_4_original_inside_the_evil": (2, _4_original_inside_the_evil),
    "wrapping_5_original_after_the_signature": (2, _5_original_after_the_signature),
    "wrapping_6_original_inside_the_signature": (2, _6_original_inside_the_signature),
    "wrapping_7_original_in_an_extension": (3, _7_original_in_an_extension),
    "wrapping_8_original_in_an_object": (3, _8_original_in_an_object),
    "wrapping_of_the_whole_envelope": (1, _envelope_around_the_envelope),
    "wrapping_with_the_envelope_inside_the_evil": (2, _envelope_inside_the_evil),
    "wrapping_with_the_original_in_the_properties": (3, _original_in_the_properties),
}


def forgeries(forge: Forge) -> Iterator[Forgery]:
    """Yield each shape, and those that the sender's own key can make fit once more with every digest right."""
    for name, (row, shape) in SHAPES.items():
        # The two that hide the original in the message have the shape of an envelope: there the digest tells.
        code = "signature-invalid" if name.startswith(("wrapping_4", "wrapping_7")) else "signature-profile"
        yield Forgery(name=name, row=row, code=code, body=canonicalize(shape(forge)))
    yield Forgery(
        name="wrapping_8_signed_again",
        row=3,
        code="signature-profile",
        body=forge.resigned(_8_original_in_an_object(forge)),
        own_key=True,
    )
    envelope = forge.envelope()
    envelope.replace(envelope[0], _evil(envelope[0]))
    yield Forgery(name="message_swapped", row=1, code="signature-invalid", body=canonicalize(envelope))
    for name, shape in {
        "envelope_inside_the_message": _envelope_in_the_message,
        "signed_properties_two_with_one_id": _second_properties,
        "reference_to_one_element": _sub_element,
    }.items():
        yield Forgery(name=name, row=4, code="signature-profile", body=forge.resigned(shape(forge)), own_key=True)
    part = forge.valued(_digest_of_the_sub_element(forge))
    yield Forgery(name="reference_to_one_element_that_fits", row=10, code="signature-profile", body=part, own_key=True)
    yield Forgery(
        name="signature_copied_into_the_message",
        row=3,
        code="signature-profile",
        body=canonicalize(_signature_in_the_message(forge)),
    )
    yield from _ids(forge)


def _ids(forge: Forge) -> Iterator[Forgery]:
    """Yield messages with an id that some verifier would look up instead of ours."""
    for spelling, name in {
        "id_capital_i": "Id",
        "id_capitals": "ID",
        "id_small": "id",
        "id_capital_d": "iD",
        "id_of_another_namespace": "{urn:example:other}ID",
        "id_of_xml": XML_ID,
        "id_of_web_services": WSU_ID,
    }.items():
        for target in ("signed-properties", "envelope", "signature"):
            envelope = forge.envelope()
            envelope[0][0].set(name, target)
            yield Forgery(
                name=f"{spelling}_says_{target.replace('-', '_')}",
                row=4,
                code="signature-profile",
                body=forge.resigned(envelope),
                own_key=True,
            )
    # The same names once more on the envelope itself and on the signature, where the profile has its own.
    envelope = forge.envelope()
    envelope.set("Id", "envelope")
    yield Forgery(name="id_on_the_envelope", row=4, code="signature-profile", body=forge.resigned(envelope), own_key=True)
    envelope = forge.envelope()
    envelope[1].find(f"{DS}Object").set("Id", "signed-properties")
    yield Forgery(name="id_on_the_object", row=4, code="signature-profile", body=forge.resigned(envelope), own_key=True)
    renamed = forge.swapped((f'xmlns:ds="{DSIG}"'.encode(), f'xmlns:ds="{DSIG}" xmlns:xml2="{DSIG}"'.encode()))
    yield Forgery(name="prefix_declared_twice_for_one_namespace", row=5, code="signature-profile", body=renamed)
