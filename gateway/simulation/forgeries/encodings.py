"""Bytes that read one way and verify another: comments, entities, encodings, other spellings of the same envelope."""

import gzip
from collections.abc import Iterator

from gateway.simulation.forgeries.forge import OWN, Forge, Forgery
from gateway.wire.documents import NS, canonicalize, parse_xml

# name: row, code, what stands in the genuine envelope, what takes its place; words in braces are parts of the sender's code
SWAPS: dict[str, tuple[int, str, bytes, bytes]] = {
    "comment_in_the_sender": (7, "markup-forbidden", b">{sender}<", b">{first}{second}<!-- x -->{rest}<"),
    "comment_in_the_message_id": (7, "markup-forbidden", b"</MessageId>", b"<!-- x --></MessageId>"),
    "comment_in_the_signed_info": (7, "markup-forbidden", b"<ds:SignedInfo>", b"<ds:SignedInfo><!-- x -->"),
    "comment_in_the_signature_value": (7, "markup-forbidden", b"<ds:SignatureValue>", b"<ds:SignatureValue><!---->"),
    "comment_in_the_certificate": (7, "markup-forbidden", b"<ds:X509Certificate>", b"<ds:X509Certificate><!---->"),
    "comment_after_the_envelope": (7, "markup-forbidden", b"</Envelope>", b"</Envelope><!-- x -->"),
    "processing_instruction_in_the_sender": (8, "markup-forbidden", b">{sender}<", b">{first}{second}<?x y?>{rest}<"),
    "processing_instruction_before_the_envelope": (8, "markup-forbidden", b"<Envelope", b"<?x y?><Envelope"),
    "style_sheet": (8, "markup-forbidden", b"<Envelope", b'<?xml-stylesheet href="http://127.0.0.1:9/x.xsl"?><Envelope'),
    "cdata_that_means_the_same": (8, "signature-profile", b">{sender}<", b"><![CDATA[{sender}]]><"),
    "cdata_in_the_signature_value": (8, "signature-profile", b"</ds:SignatureValue>", b"<![CDATA[]]></ds:SignatureValue>"),
    "character_reference_that_means_the_same": (8, "signature-profile", b">{sender}<", b">{first}&#{number};{rest}<"),
    "doctype": (18, "doctype-forbidden", b"<Envelope", b"<!DOCTYPE Envelope><Envelope"),
    "doctype_with_an_id_attribute": (
        6,
        "doctype-forbidden",
        b"<Envelope",
        b"<!DOCTYPE Envelope [<!ATTLIST Sender x ID #IMPLIED>]><Envelope",
    ),
    "entity_of_a_file": (
        18,
        "doctype-forbidden",
        b"<Envelope",
        b'<!DOCTYPE Envelope [<!ENTITY x SYSTEM "file:///etc/hostname">]><Envelope',
    ),
    "entity_of_a_host": (
        18,
        "doctype-forbidden",
        b"<Envelope",
        b'<!DOCTYPE Envelope [<!ENTITY x SYSTEM "http://127.0.0.1:9/x">]><Envelope',
    ),
    "parameter_entity": (
        18,
        "doctype-forbidden",
        b"<Envelope",
        b'<!DOCTYPE Envelope [<!ENTITY % x SYSTEM "ftp://127.0.0.1:9/x"> %x;]><Envelope',
    ),
    "entity_as_default_of_an_attribute": (
        19,
        "doctype-forbidden",
        b"<Envelope",
        b'<!DOCTYPE Envelope [<!ENTITY a "b"><!ATTLIST Envelope c CDATA "&a;&a;">]><Envelope',
    ),
    "entity_expansion": (
        19,
        "doctype-forbidden",
        b"<Envelope",
        b'<!DOCTYPE Envelope [<!ENTITY a0 "ha">'
        + b"".join(b'<!ENTITY a%d "%b">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 10))
        + b"]><Envelope",
    ),
    "doctype_inside_the_message": (18, "doctype-forbidden", b"<Header>", b"<!DOCTYPE Header><Header>"),
    "doctype_in_small_letters": (18, "malformed-xml", b"<Envelope", b"<!doctype Envelope><Envelope"),
    "entity_without_a_declaration": (6, "malformed-xml", b">{sender}<", b">{first}{second}&x;{rest}<"),
    "xinclude": (
        21,
        "signature-invalid",
        b"<Header>",
        b'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/hostname"/><Header>',
    ),
    "schema_location": (
        21,
        "signature-invalid",
        b' schemaVersion="1.0"',
        b' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        b' schemaVersion="1.0" xsi:schemaLocation="' + NS.encode() + b' http://127.0.0.1:9/x.xsd"',
    ),
    "xml_base": (5, "signature-invalid", b' schemaVersion="1.0"', b' schemaVersion="1.0" xml:base="http://127.0.0.1:9/"'),
    "xml_space": (5, "signature-invalid", b' schemaVersion="1.0"', b' schemaVersion="1.0" xml:space="preserve"'),
    "xml_lang": (5, "signature-invalid", b' schemaVersion="1.0"', b' schemaVersion="1.0" xml:lang="en"'),
    "namespace_that_is_relative": (5, "malformed-xml", b"<Header>", b'<x:a xmlns:x="../x"/><Header>'),
    "namespace_of_one_blank": (5, "malformed-xml", b"<Header>", b'<x:a xmlns:x=" "/><Header>'),
    "namespace_of_the_envelope_with_a_slash": (5, "signature-missing", b"envelope:1.0", b"envelope:1.0/"),
    "namespace_prefix_xml_bound_to_another": (5, "malformed-xml", b"<Header>", b'<Header xmlns:xml="urn:other">'),
    "namespace_default_taken_away": (5, "signature-profile", b"<Header>", b'<Header xmlns="">'),
    "namespace_declared_and_not_used": (5, "signature-profile", b"<Header>", b'<Header xmlns:x="urn:x">'),
    "attribute_twice_by_two_prefixes": (
        5,
        "malformed-xml",
        b"<Header>",
        b'<Header xmlns:x="urn:x" xmlns:y="urn:x" x:a="1" y:a="2">',
    ),
    "attribute_twice": (5, "malformed-xml", b' version="1.0"', b' version="1.0" version="1.0"'),
    "quotes_of_the_other_kind": (5, "signature-profile", b' version="1.0">', b" version='1.0'>"),
    "blank_between_attributes": (5, "signature-profile", b' version="1.0">', b'  version="1.0">'),
    "tab_between_attributes": (5, "signature-profile", b' version="1.0">', b'\tversion="1.0">'),
    "blank_in_a_closing_tag": (5, "signature-profile", b"</Envelope>", b"</Envelope >"),
    "line_feed_at_the_end": (5, "signature-profile", b"</Envelope>", b"</Envelope>\n"),
    "carriage_returns": (5, "signature-profile", b"<Header>\n", b"<Header>\r\n"),
    "xml_declaration": (5, "signature-profile", b"<Envelope", b'<?xml version="1.0" encoding="UTF-8"?><Envelope'),
    "xml_1_1": (33, "signature-profile", b"<Envelope", b'<?xml version="1.1"?><Envelope'),
    "empty_tag_in_the_signature": (5, "signature-profile", b"></ds:CanonicalizationMethod>", b"/>"),
    "declares_utf_7": (33, "wrong-encoding", b"<Envelope", b'<?xml version="1.0" encoding="UTF-7"?><Envelope'),
    "declares_utf_16": (33, "wrong-encoding", b"<Envelope", b'<?xml version="1.0" encoding="UTF-16"?><Envelope'),
    "declares_latin_1": (33, "wrong-encoding", b"<Envelope", b'<?xml version="1.0" encoding="ISO-8859-1"?><Envelope'),
    "overlong_utf_8": (33, "wrong-encoding", b">{sender}<", b">{first}{overlong}{rest}<"),
    "utf_8_of_a_lone_surrogate": (33, "wrong-encoding", b">{sender}<", b">{first}{second}\xed\xa0\x80{rest}<"),
    "utf_8_beyond_the_last_character": (33, "wrong-encoding", b">{sender}<", b">{first}{second}\xf4\x90\x80\x80{rest}<"),
    "reference_to_a_lone_surrogate": (33, "malformed-xml", b">{sender}<", b">{first}{second}&#xD800;{rest}<"),
    "reference_to_zero": (33, "malformed-xml", b">{sender}<", b">{first}{second}&#0;{rest}<"),
    "zero_byte": (33, "not-text", b">{sender}<", b">{first}{second}\x00{rest}<"),
    "control_character": (33, "malformed-xml", b">{sender}<", b">{first}{second}\x1b{rest}<"),
    "text_that_turns_around": (33, "signature-invalid", b">{sender}<", ">\u202e{backwards}<".encode()),
    "letters_that_look_alike": (33, "signature-invalid", b">{sender}<", ">\u0412\u0410-MS<".encode()),
    "character_of_no_width": (33, "signature-invalid", b">{sender}<", ">{first}{second}\u200b{rest}<".encode()),
    "letter_composed_otherwise": (33, "signature-invalid", b">{sender}<", ">{first}{second}\u0301{rest}<".encode()),
    "line_of_a_log_in_the_message_id": (34, "signature-invalid", b"<MessageId>", b"<MessageId>\nmessage.accepted code=x "),
    "markup_of_a_page_in_a_value": (34, "signature-invalid", b">{sender}<", b">&lt;script&gt;alert(1)&lt;/script&gt;<"),
}


def _filled(text: bytes, forge: Forge) -> bytes:
    """Put parts of the sender's code where a text names them."""
    sender = forge.sender.encode()
    second = sender[1]
    parts = {
        b"{sender}": sender,
        b"{first}": sender[:1],
        b"{second}": sender[1:2],
        b"{rest}": sender[2:],
        b"{number}": str(second).encode(),
        b"{overlong}": bytes([0xC0 | second >> 6, 0x80 | second & 0x3F]),
        b"{backwards}": sender[::-1],
    }
    for name, part in parts.items():
        text = text.replace(name, part)
    return text


def forgeries(forge: Forge) -> Iterator[Forgery]:
    """Yield them."""
    for name, (row, code, old, new) in SWAPS.items():
        yield Forgery(name=name, row=row, code=code, body=forge.swapped((_filled(old, forge), _filled(new, forge))))
    genuine = forge.genuine
    text = genuine.decode()
    for name, row, code, body in (
        ("utf_8_with_a_mark", 33, "wrong-encoding", b"\xef\xbb\xbf" + genuine),
        ("utf_16_with_a_mark", 33, "wrong-encoding", text.encode("utf-16")),
        ("utf_16_without_a_mark", 33, "wrong-encoding", text.encode("utf-16-be")),
        ("utf_32", 33, "wrong-encoding", text.encode("utf-32")),
        ("utf_7", 33, "signature-profile", text.encode("utf-7")),
        ("compressed", 22, "not-text", gzip.compress(genuine, mtime=0)),
        ("twice_over", 1, "malformed-xml", genuine + genuine),
        ("zero_byte_after_the_end", 33, "not-text", genuine + b"\x00"),
        ("words_after_the_end", 5, "malformed-xml", genuine + b"paid"),
        ("blank_before_the_start", 5, "signature-profile", b" " + genuine),
        ("cut_short", 5, "malformed-xml", genuine[:-1]),
        ("empty", 9, "empty-document", b""),
        ("only_blanks", 9, "empty-document", b" \r\n\t "),
        ("json_in_its_place", 35, "malformed-xml", b'{"Envelope": {"@version": "1.0", "__class__": "os.system"}}'),
        ("pickle_in_its_place", 35, "not-text", b"\x80\x04\x95\x0f\x00\x00\x00\x00\x00\x00\x00\x8c\x02os\x94."),
    ):
        yield Forgery(name=name, row=row, code=code, body=body)
    renamed = genuine.replace(b"<Envelope xmlns=", b"<e:Envelope xmlns:e=").replace(b"</Envelope>", b"</e:Envelope>")
    yield Forgery(name="envelope_with_a_prefix", row=5, code="signature-invalid", body=renamed)
    again = forge.resigned(parse_xml(renamed))
    yield Forgery(name="envelope_with_a_prefix_signed_again", row=5, code="signature-profile", body=again, own_key=True)
    prefixed = forge.envelope()
    prefixed[0][0].set("{urn:x}a", "1")
    prefixed[0][0].find(f"{OWN}Sender").set("{urn:y}a", "1")
    yield Forgery(name="attributes_of_other_namespaces", row=5, code="signature-invalid", body=canonicalize(prefixed))
