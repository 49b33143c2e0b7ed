"""The attack catalogue: forty classes, and the tests in which each is refused.

The forgeries of a signed envelope (gateway/simulation/forgeries) carry the number of their class and are tests of it as well;
the test beside this table counts them.
"""

from dataclasses import dataclass

_INBOUND = "tests/flow/test_inbound.py::test_"
_SEAL = "tests/unit/trust/test_seal.py::test_"
_CERTIFICATES = "tests/unit/trust/test_certificates.py::test_"
_STAMPS = "tests/unit/trust/test_timestamps.py::test_"
_CHAINS = "tests/unit/trust/test_chain_catalogue.py::test_"
_REVOCATION = "tests/unit/trust/test_revocation.py::test_"
_BROKER = "tests/flow/test_broker_faults.py::test_"
_FORGERY = "tests/attacks/test_forgeries.py::test_"
_DOCUMENTS = "tests/unit/test_documents.py::test_"
_ISOLATION = "tests/unit/test_parser_isolation.py::test_"
_WIRE = "tests/flow/test_wire_refusals.py::test_"
_OUTPUTS = "tests/attacks/test_outputs.py::test_"
_KINDS = "tests/attacks/test_wrong_kinds.py::test_"
_REFUSED = (
    f"{_FORGERY}forgery_is_refused_with_its_code",
    f"{_FORGERY}nothing_of_a_sealed_forgery_is_kept_but_a_line_in_the_journal",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One class of attacks."""

    number: int
    what: str
    tests: tuple[str, ...]  # file::function
    forged: bool = False  # forgeries of this class are in the list


def _forged(number: int, what: str, *more: str) -> Attack:
    return Attack(number=number, what=what, tests=(*_REFUSED, *more), forged=True)


def _tested(number: int, what: str, *tests: str) -> Attack:
    return Attack(number=number, what=what, tests=tests)


CATALOGUE = (
    _forged(1, "wrapping: the signed element below or beside the signature"),
    _forged(2, "wrapping: an evil element before, after or around the original"),
    _forged(3, "wrapping: the original hidden in an object or extension"),
    _forged(
        4,
        "duplicate ids, in every spelling",
        "tests/unit/trust/test_signature_attacks.py::test_an_id_inside_the_message_is_refused",
    ),
    _forged(
        5,
        "attributes, namespaces and spellings that read one way and verify another",
        f"{_FORGERY}steps_end_at_the_one_that_refused",
    ),
    _forged(6, "entities inside what is looked up", f"{_ISOLATION}an_entity_is_never_expanded"),
    _forged(7, "comment in text"),
    _forged(8, "processing instruction or CDATA in text"),
    _forged(9, "signature stripped or empty", f"{_SEAL}an_unsigned_message_in_a_good_seal_is_refused"),
    _forged(10, "only a part is signed"),
    _forged(11, "several signatures, several SignedInfo"),
    _forged(
        12,
        "weaker algorithms",
        f"{_CERTIFICATES}a_certificate_on_a_curve_of_no_algorithm_cannot_be_pinned",
        f"{_CERTIFICATES}a_certificate_with_a_short_rsa_key_cannot_be_pinned",
    ),
    _forged(13, "HMAC with the public key as its secret"),
    _forged(14, "HMAC cut to a few bits"),
    _forged(
        15,
        "a key from the signature that nobody trusts",
        f"{_CERTIFICATES}another_certificate_of_the_same_issuer_is_not_trusted",
    ),
    _forged(16, "transforms that run a program or fetch something"),
    _forged(
        17,
        "references, transforms or certificates by the thousand",
        f"{_FORGERY}heavy_forgeries_are_refused_within_two_seconds_and_200_megabytes",
    ),
    _forged(18, "external entities", f"{_ISOLATION}no_hostile_document_makes_the_gateway_open_a_file_or_a_connection"),
    _forged(
        19, "entities that grow", "tests/conformance/test_broken_vectors.py::test_a_broken_document_is_refused_with_its_code"
    ),
    _forged(
        20,
        "documents that eat the machine",
        f"{_FORGERY}heavy_forgeries_are_refused_within_two_seconds_and_200_megabytes",
        f"{_DOCUMENTS}nesting_deeper_than_allowed_is_refused",
        f"{_DOCUMENTS}more_elements_than_allowed_are_refused",
        f"{_DOCUMENTS}more_namespaces_than_allowed_are_refused",
    ),
    _forged(
        21,
        "places to fetch: schema location, include, style sheet",
        f"{_ISOLATION}python_sees_no_open_file_and_no_connection_either",
    ),
    _forged(
        22,
        "compressed data where a document is expected",
        "tests/unit/test_media.py::test_bomb_that_calls_itself_a_pdf_is_refused_by_its_first_bytes",
        "tests/flow/test_attachments.py::test_archive_that_is_declared_as_a_pdf_is_refused_unopened",
    ),
    _tested(
        23,
        "container that names files outside itself, or twice",
        "tests/unit/test_container.py::test_name_that_could_lead_somewhere_else_is_refused",
        "tests/unit/test_container.py::test_two_files_of_one_name_are_refused",
        "tests/unit/test_container.py::test_other_form_is_refused",
        "tests/flow/test_case_verdict.py::test_wrong_pack_is_refused_as_a_whole",
    ),
    _tested(
        24,
        "attachment too large, of another digest or another type",
        "tests/flow/test_attachments_api.py::test_file_is_refused_as_soon_as_it_is_too_large",
        "tests/flow/test_attachments.py::test_file_with_another_digest_than_the_signed_one_is_refused",
        "tests/flow/test_attachments.py::test_file_of_another_type_than_the_signed_one_is_refused",
        "tests/unit/test_media.py::test_archive_behind_a_file_of_another_kind_is_found",
    ),
    _forged(
        25,
        "replay",
        f"{_INBOUND}repeat_with_the_same_bytes_gets_the_recorded_receipt_again",
        f"{_INBOUND}repeat_doubles_nothing",
        f"{_INBOUND}same_id_with_other_bytes_is_refused_with_an_alarm_in_the_journal",
        f"{_INBOUND}message_that_comes_twice_in_one_batch_is_taken_once",
        f"{_SEAL}a_seal_with_another_message_id_is_refused",
    ),
    _tested(
        26,
        "an old valid answer to a new case",
        f"{_INBOUND}old_valid_answer_does_not_answer_a_new_case",
        f"{_INBOUND}reply_must_carry_the_digest_of_what_was_sent",
    ),
    _tested(
        27,
        "certificate expired, not yet valid, revoked or of unknown state",
        f"{_CERTIFICATES}a_certificate_outside_its_time_is_not_valid",
        f"{_CERTIFICATES}an_expired_intermediate_makes_the_chain_not_valid",
        f"{_CERTIFICATES}a_cached_verdict_does_not_outlive_the_certificate",
        f"{_CHAINS}each_chain_has_its_one_verdict_without_the_network",
        f"{_REVOCATION}an_answer_that_proves_nothing_leaves_the_certificate_unknown",
        f"{_REVOCATION}an_answer_must_carry_the_nonce_that_was_sent",
        f"{_REVOCATION}an_answer_that_has_run_out_is_stale",
    ),
    _forged(
        28,
        "certificate for another purpose",
        f"{_CERTIFICATES}a_pinned_certificate_not_meant_for_signing_is_refused",
        f"{_CHAINS}each_chain_has_its_one_verdict_without_the_network",
    ),
    _forged(29, "signer is not the sender", f"{_INBOUND}signature_of_one_authority_does_not_speak_for_another"),
    _tested(
        30,
        "timestamp late, of another digest, or by a key that ended",
        f"{_STAMPS}timestamp_far_from_our_own_time_is_refused",
        f"{_STAMPS}timestamp_over_other_data_is_refused",
        f"{_STAMPS}answer_to_another_request_for_the_same_data_is_refused",
        f"{_STAMPS}timestamp_by_a_certificate_that_was_not_valid_at_its_time_is_refused",
        f"{_STAMPS}two_tokens_are_refused",
        "tests/flow/test_evidence.py::test_gateway_takes_messages_again_by_itself_once_a_timestamp_is_had",
    ),
    _tested(
        31,
        "errors that tell why a seal stayed shut",
        f"{_SEAL}every_failure_to_open_has_one_text",
        f"{_SEAL}a_refusal_to_open_keeps_no_trace_of_its_cause",
    ),
    _tested(
        32,
        "encryption without authentication",
        f"{_KINDS}document_in_xml_encryption_is_refused_by_every_way_in",
        f"{_KINDS}no_suite_of_ours_is_without_authentication",
    ),
    _forged(33, "encodings and characters", f"{_WIRE}broken_document_is_refused_on_the_wire_with_one_code"),
    _forged(
        34,
        "what is harmless in a message and harms a log, a page or a terminal",
        f"{_OUTPUTS}value_with_line_feeds_stays_one_line_of_the_log",
        f"{_OUTPUTS}name_of_a_person_is_text_on_a_page",
        f"{_OUTPUTS}every_template_escapes_what_it_is_given",
        f"{_SEAL}peek_returns_no_value_that_could_harm_a_log",
    ),
    _forged(
        35,
        "data that becomes an object",
        f"{_KINDS}nothing_in_the_program_makes_objects_from_data",
        "tests/unit/transport/test_intake.py::test_odd_headers_and_missing_properties_are_not_trusted",
    ),
    _tested(
        36,
        "forgery by whoever may write to the broker",
        f"{_FORGERY}nothing_of_a_sealed_forgery_is_kept_but_a_line_in_the_journal",
        f"{_SEAL}a_seal_in_the_name_of_another_sender_is_refused",
        f"{_INBOUND}ids_of_a_refused_message_come_from_the_seal",
    ),
    _tested(
        37,
        "message that breaks its taker each time",
        f"{_BROKER}a_poisonous_parcel_that_breaks_its_taker_each_time_ends_parked",
        "tests/flow/test_loops.py::test_defect_in_one_message_parks_that_message_while_the_others_go_on",
        "tests/unit/test_screen.py::test_a_document_that_kills_the_child_is_refused_while_the_next_one_gets_a_new_child",
    ),
    _tested(
        38,
        "death between two steps",
        f"{_INBOUND}crash_before_the_commit_saves_nothing_and_the_message_comes_again",
        f"{_INBOUND}crash_between_commit_and_acknowledgement_has_no_double_effect",
        f"{_BROKER}what_was_taken_but_not_settled_comes_back_after_the_broker_was_killed",
        "tests/acceptance/test_serve_command.py::test_message_handed_in_before_a_kill_is_carried_after_it",
    ),
    _forged(
        39,
        "clocks that jump, instants that do not exist",
        "tests/flow/test_watch.py::test_jump_of_more_than_a_minute_is_seen_until_the_clock_is_right_again",
        "tests/acceptance/test_trust_commands.py::test_the_last_instant_there_is_can_be_judged",
    ),
    _tested(
        40,
        "flood by one partner",
        "tests/attacks/test_flood.py::test_flood_of_forgeries_leaves_no_answer_but_the_good_message_is_taken",
        "tests/attacks/test_flood.py::test_flood_of_one_message_takes_effect_once",
        "tests/flow/test_isolation.py::test_flood_of_one_sender_waits_and_nothing_of_it_is_lost",
        "tests/flow/test_deliver.py::test_failure_of_one_recipient_does_not_slow_another",
        "tests/unit/test_floods.py::test_what_is_over_the_limit_waits_and_the_others_do_not",
    ),
)
