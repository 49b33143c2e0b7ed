"""The envelope and its parts: nothing, too much, in the wrong place, or more of it than anybody writes."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import TypeAlias

from lxml import etree

from gateway.simulation.forgeries.forge import OWN, Forge, Forgery, set_sender
from gateway.stages import MAX_MESSAGE_BYTES, Tree
from gateway.wire.documents import MAX_ATTRIBUTES, MAX_DEPTH, MAX_ELEMENTS, MAX_NAMESPACES, canonicalize

Change: TypeAlias = Callable[[Tree], object]


def _remove_signature(envelope: Tree) -> None:
    envelope.remove(envelope[1])


def _empty_signature(envelope: Tree) -> None:
    envelope[1].clear()


def _second_signature(envelope: Tree) -> None:
    envelope.append(deepcopy(envelope[1]))


def _signature_first(envelope: Tree) -> None:
    envelope.insert(0, envelope[1])


def _signature_inside(envelope: Tree) -> None:
    envelope[0].append(envelope[1])


def _second_message(envelope: Tree) -> None:
    envelope.insert(0, deepcopy(envelope[0]))


def _second_header(envelope: Tree) -> None:
    """Put a header before the other: whoever reads the first one only reads another sender."""
    envelope[0].insert(0, deepcopy(envelope[0].find(f"{OWN}Header")))
    set_sender(envelope, "XX-OTHER")


def _foreign_document(envelope: Tree) -> None:
    envelope.replace(envelope[0], etree.fromstring('<Invoice xmlns="urn:example:other"/>'))


def _without_namespace(envelope: Tree) -> None:
    envelope[0].append(etree.fromstring('<a xmlns="urn:example:other"><Person xmlns=""/></a>')[0])


# name: row, code, change, whether the sender's own key signs it again
TREES: dict[str, tuple[int, str, Change, bool]] = {
    "signature_stripped": (9, "signature-missing", _remove_signature, False),
    "signature_empty": (9, "signature-profile", _empty_signature, False),
    "signed_info_empty": (9, "signature-profile", lambda e: e[1][0].clear(), False),
    "signature_value_missing": (9, "signature-profile", lambda e: e[1].remove(e[1][1]), False),
    "signed_info_missing": (9, "signature-profile", lambda e: e[1].remove(e[1][0]), False),
    "signatures_two": (11, "signature-profile", _second_signature, False),
    "signed_info_two": (11, "signature-profile", lambda e: e[1].insert(0, deepcopy(e[1][0])), True),
    "signed_info_second_last": (11, "signature-profile", lambda e: e[1].append(deepcopy(e[1][0])), False),
    "signature_value_two": (11, "signature-profile", lambda e: e[1].insert(2, deepcopy(e[1][1])), True),
    "key_info_two": (11, "signer-not-trusted", lambda e: e[1].insert(3, deepcopy(e[1][2])), True),
    "signature_before_the_message": (2, "signature-profile", _signature_first, True),
    "signature_inside_the_message": (2, "signature-profile", _signature_inside, True),
    "messages_two": (2, "signature-profile", _second_message, True),
    "text_before_the_message": (5, "signature-profile", lambda e: setattr(e, "text", " "), True),
    "text_between_message_and_signature": (5, "signature-profile", lambda e: setattr(e[0], "tail", "\n"), True),
    "text_after_the_signature": (5, "signature-profile", lambda e: setattr(e[1], "tail", "x"), False),
    "envelope_with_another_attribute": (5, "signature-profile", lambda e: e.set("schema", "other"), True),
    "envelope_of_another_version": (12, "signature-profile", lambda e: e.set("version", "1.1"), True),
    "document_that_is_no_message": (10, "signature-profile", _foreign_document, True),
    "element_without_a_namespace": (5, "signature-profile", _without_namespace, True),
    "sender_is_another_authority": (29, "signer-mismatch", lambda e: set_sender(e, "XX-OTHER"), True),
    "sender_twice": (29, "signer-mismatch", lambda e: e[0][0].append(deepcopy(e[0][0].find(f"{OWN}Sender"))), True),
    "headers_two": (29, "signer-mismatch", _second_header, True),
    "sender_missing": (29, "signer-mismatch", lambda e: e[0][0].remove(e[0][0].find(f"{OWN}Sender")), True),
    "sender_with_a_blank": (29, "signer-mismatch", lambda e: set_sender(e, e[0][0].findtext(f"{OWN}Sender") + " "), True),
    "sender_of_letters_that_look_alike": (29, "signer-mismatch", lambda e: set_sender(e, "\u0412\u0410-MS"), True),
}


def forgeries(forge: Forge) -> Iterator[Forgery]:
    """Yield what is wrong with the envelope as a whole."""
    yield Forgery(name="message_without_an_envelope", row=9, code="signature-missing", body=canonicalize(forge.envelope()[0]))
    yield Forgery(name="signature_alone", row=9, code="signature-missing", body=canonicalize(forge.envelope()[1]))
    for name, (row, code, change, own_key) in TREES.items():
        yield Forgery(name=name, row=row, code=code, body=forge.changed(change, resign=own_key), own_key=own_key)
    yield from _too_much(forge)


def _too_much(forge: Forge) -> Iterator[Forgery]:
    """Yield envelopes that are meant to eat the machine."""

    def before_the_end(filler: bytes) -> bytes:
        return forge.swapped((b"</ReadmissionApplication>", filler + b"</ReadmissionApplication>"))

    attributes = b"".join(b' a%d="x"' % number for number in range(40_000))
    few = b"".join(b' a%d="x"' % number for number in range(MAX_ATTRIBUTES))
    names = b"".join(b' xmlns:n%d="urn:n%d"' % (number, number) for number in range(20_000))
    room = MAX_MESSAGE_BYTES - len(forge.genuine) - 100
    for name, row, code, body in (
        ("text_without_end", 20, "too-large", before_the_end(b"<Text>" + b"x" * 12_000_000 + b"</Text>")),
        ("text_that_just_fits", 20, "signature-invalid", before_the_end(b"<Text>" + b"x" * room + b"</Text>")),
        ("elements_30_000_deep", 20, "nested-too-deeply", before_the_end(b"<a>" * 30_000 + b"</a>" * 30_000)),
        ("elements_one_level_too_deep", 20, "nested-too-deeply", before_the_end(b"<a>" * MAX_DEPTH + b"</a>" * MAX_DEPTH)),
        ("elements_250_000", 20, "too-many-elements", before_the_end(b"<a/>" * 250_000)),
        ("elements_just_not_too_many", 20, "signature-invalid", before_the_end(b"<a/>" * (MAX_ELEMENTS - 1_000))),
        ("attributes_40_000_on_one_element", 20, "too-many-attributes", before_the_end(b"<a" + attributes + b"/>")),
        (
            "attributes_on_the_signature",
            20,
            "too-many-attributes",
            forge.swapped((b"<ds:Signature ", b"<ds:Signature" + few + b" ")),
        ),
        ("namespaces_20_000", 20, "too-many-attributes", before_the_end(b"<a" + names + b"/>")),
        (
            "namespaces_nested",
            20,
            "nested-too-deeply",
            before_the_end(
                b"".join(b'<n%d:a xmlns:n%d="urn:n">' % (level, level) for level in range(200))
                + b"".join(b"</n%d:a>" % level for level in reversed(range(200)))
            ),
        ),
        (
            "namespaces_just_not_too_many",
            20,
            "signature-invalid",
            before_the_end(b"".join(b'<a xmlns:n%d="urn:n"/>' % number for number in range(MAX_NAMESPACES - 20))),
        ),
        ("name_of_60_000_letters", 20, "malformed-xml", before_the_end(b"<" + b"a" * 60_000 + b"/>")),
        ("comments_130_000", 20, "markup-forbidden", before_the_end(b"<!---->" * 130_000)),
        ("processing_instructions_150_000", 20, "markup-forbidden", before_the_end(b"<?a?>" * 150_000)),
        ("attribute_of_900_000_letters", 20, "signature-invalid", before_the_end(b'<a b="' + b"x" * 900_000 + b'"/>')),
    ):
        yield Forgery(name=name, row=row, code=code, body=body)
