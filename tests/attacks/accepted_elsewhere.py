"""Forgeries that signxml or xmlsec, called as a careful partner would call them, accept: which does, and why ours does not.

The list is exact: a forgery that is accepted and not listed, or listed and no longer accepted, fails
tests/unit/trust/test_differential.py.
"""

from collections.abc import Mapping

BOTH = frozenset({"signxml", "xmlsec"})
SIGNXML = frozenset({"signxml"})
XMLSEC = frozenset({"xmlsec"})

SPELLING = "the same document in other bytes: a message of the one profile has one spelling, and so one digest"
VALUE = "another value of the same signature, which anybody can make without the key: one message would have two digests"
SHAPE = "a good signature over an envelope of another shape than ours: that shape is not a library's to know"
SENDER = "a good signature of another than the sender: who may sign what is not a library's to know"
IDS = "signed by the sender, but another verifier could look up the id and read another part than was covered"
MARKUP = (
    "left out of the canonical form, or declared before it: what is read could differ from what was covered. signxml covers "
    "the root element and not what stands before it; xmlsec takes whatever tree it is given, a document type included"
)
SAID = (
    "signed by the sender, and it says in other words what the profile says, or what this library leaves out of account; "
    "another could follow it"
)
FOLLOWED = (
    "signxml leaves out a transform that it does not know and covers the whole; who follows it, as xmlsec runs the style "
    "sheet, covers another thing"
)
PART = (
    "signxml finds it good and returns what was signed, which is one element: who reads the envelope reads what nobody signed"
)
UNCOVERED = "it is not covered by the signature: nothing is carried that nobody signed"
PROPERTIES = "XML Signature knows no properties: what they say of time, certificate, role and format is not read by the library"
KEY = "the library was given the key and does not look at what came; ours requires exactly the chain of the pinned certificate"
WORK = "a good signature that costs the verifier many times the work; ours counts before it works"

_SPELLING = (
    "blank_before_the_start",
    "blank_between_attributes",
    "blank_in_a_closing_tag",
    "carriage_returns",
    "cdata_in_the_signature_value",
    "cdata_that_means_the_same",
    "certificate_with_a_blank_before",
    "certificate_with_a_line_feed",
    "character_reference_that_means_the_same",
    "empty_tag_in_the_signature",
    "envelope_with_a_prefix_signed_again",
    "line_feed_at_the_end",
    "namespace_declared_and_not_used",
    "prefix_declared_twice_for_one_namespace",
    "quotes_of_the_other_kind",
    "tab_between_attributes",
    "text_in_the_signed_info",  # a line feed
    "utf_16_with_a_mark",
    "utf_32",
    "utf_8_with_a_mark",
    "value_with_a_blank_before",
    "value_with_a_line_feed",
    "xml_1_1",
    "xml_declaration",
)
_SHAPE = (
    "document_that_is_no_message",
    "element_without_a_namespace",
    "envelope_inside_the_message",
    "envelope_of_another_version",
    "envelope_with_another_attribute",
    "messages_two",
    "signature_before_the_message",
    "text_before_the_message",
    "text_between_message_and_signature",
)
_SENDER = (
    "headers_two",
    "sender_is_another_authority",
    "sender_missing",
    "sender_of_letters_that_look_alike",
    "sender_twice",
    "sender_with_a_blank",
)
# Both look up the signed properties by their id: signxml by the local name Id first, in any namespace, xmlsec by the ids that
# were registered and those that libxml2 knows (xml:id). Each refuses a second one only where it would have found it.
_IDS = {
    "id_capital_d_says_envelope": BOTH,
    "id_capital_d_says_signature": BOTH,
    "id_capital_d_says_signed_properties": BOTH,
    "id_capital_i_says_envelope": BOTH,
    "id_capital_i_says_signature": BOTH,
    "id_capital_i_says_signed_properties": XMLSEC,
    "id_capitals_says_envelope": BOTH,
    "id_capitals_says_signature": BOTH,
    "id_capitals_says_signed_properties": BOTH,
    "id_of_another_namespace_says_envelope": BOTH,
    "id_of_another_namespace_says_signature": BOTH,
    "id_of_another_namespace_says_signed_properties": BOTH,
    "id_of_the_properties_in_capitals_too": BOTH,
    "id_of_the_signature_is_another": BOTH,
    "id_of_the_signature_is_that_of_the_properties": XMLSEC,
    "id_of_web_services_says_envelope": BOTH,
    "id_of_web_services_says_signature": BOTH,
    "id_of_web_services_says_signed_properties": XMLSEC,
    "id_of_xml_says_envelope": BOTH,
    "id_of_xml_says_signature": BOTH,
    "id_of_xml_says_signed_properties": SIGNXML,
    "id_on_the_envelope": BOTH,
    "id_on_the_object": XMLSEC,
    "id_small_says_envelope": BOTH,
    "id_small_says_signature": BOTH,
    "id_small_says_signed_properties": BOTH,
}
_MARKUP = {
    "comment_after_the_envelope": BOTH,
    "comment_in_the_certificate": BOTH,
    "comment_in_the_message_id": BOTH,
    "comment_in_the_sender": BOTH,
    "comment_in_the_signature_value": XMLSEC,
    "comment_in_the_signed_info": BOTH,
    "comments_130_000": BOTH,
    "doctype": XMLSEC,
    "doctype_with_an_id_attribute": XMLSEC,
    "entity_as_default_of_an_attribute": XMLSEC,
    "entity_expansion": XMLSEC,
    "entity_of_a_file": XMLSEC,
    "entity_of_a_host": XMLSEC,
    "processing_instruction_before_the_envelope": SIGNXML,
    "style_sheet": SIGNXML,
}
_SAID = {
    "attribute_on_the_signed_info": XMLSEC,
    "canonicalization_with_comments": BOTH,
    "canonicalization_with_inclusive_prefixes": XMLSEC,
    "hmac_cut_to_eight_bits": BOTH,  # the length is no parameter of ECDSA
    "hmac_cut_to_nothing": BOTH,
    "reference_by_xpointer_to_the_root": XMLSEC,
    "reference_of_another_type": BOTH,
    "reference_without_a_target": XMLSEC,
    "transform_with_comments": BOTH,
    "transform_with_inclusive_prefixes": BOTH,
    "transforms_three": XMLSEC,
    "words_in_the_signed_info": XMLSEC,
}
_FOLLOWED = ("transform_unknown", "transform_xpath", "transform_xpath_filter", "transform_xslt")
_UNCOVERED = {
    "manifest_in_an_object": XMLSEC,
    "properties_not_signed": BOTH,
    "reference_to_the_properties_missing": XMLSEC,
    "wrapping_8_signed_again": BOTH,
}
_PROPERTIES = (
    "digest_of_the_certificate_is_another",
    "format_of_the_data_is_another",
    "format_of_the_data_missing",
    "properties_of_another_target",
    "properties_of_version_1_1",
    "role_claimed_by_the_signer",
    "signed_in_an_hour",
    "signing_certificate_missing",
    "signing_certificates_two",
    "signing_time_missing",
    "signing_time_of_other_digits",
    "signing_time_that_does_not_exist",
    "signing_time_with_an_offset",
)
# Only signxml reads the key info at all: by the schema of XML Signature, as far as libxml2 holds to it.
_KEY = {
    "certificate_beside_the_chain": BOTH,
    "certificate_by_issuer_and_number": XMLSEC,
    "certificate_by_subject_name": BOTH,
    "certificate_cut_short": BOTH,
    "certificate_empty": BOTH,
    "certificate_for_urls": XMLSEC,
    "certificate_missing": XMLSEC,
    "certificate_of_another_key": BOTH,
    "certificate_of_another_partner": BOTH,
    "certificate_of_another_partner_signed_again": BOTH,
    "certificate_of_nonsense": BOTH,
    "certificate_with_a_byte_more": BOTH,
    "certificate_with_a_sign_that_is_none": BOTH,
    "key_by_name": BOTH,
    "key_info_missing": BOTH,
    "key_of_pgp": XMLSEC,
    "key_to_be_fetched": BOTH,
    "key_value_beside_the_certificate": XMLSEC,
    "nonsense_beside_the_certificate": BOTH,
    "root_beside_the_chain": BOTH,
}
_WORK = {
    "attributes_on_the_signature": XMLSEC,
    "certificates_100": BOTH,
    "transforms_1_000": XMLSEC,
}

# reason: name of the forgery: the libraries that accept it
ACCEPTED: Mapping[str, Mapping[str, frozenset[str]]] = {
    SPELLING: dict.fromkeys(_SPELLING, BOTH) | {"value_with_bits_beyond_the_end": XMLSEC},
    VALUE: {"value_with_the_other_s": BOTH, "value_with_leading_zeros": XMLSEC},
    SHAPE: dict.fromkeys(_SHAPE, BOTH),
    SENDER: dict.fromkeys(_SENDER, BOTH),
    IDS: _IDS,
    MARKUP: _MARKUP,
    SAID: _SAID,
    FOLLOWED: dict.fromkeys(_FOLLOWED, SIGNXML),
    PART: {"reference_to_one_element_that_fits": SIGNXML},
    UNCOVERED: _UNCOVERED,
    PROPERTIES: dict.fromkeys(_PROPERTIES, BOTH),
    KEY: _KEY,
    WORK: _WORK,
}
