"""Every way the gateway says no, sorted by who must act.

`Refused`        the message or the data is at fault: record it, answer the sender, never retry.
`Unavailable`    something outside is at fault: keep the message, try again later, then park it.
`Misconfigured`  this installation is at fault: stop that partner and tell the operator.

Each class below them carries one stable code. The codes stand in `docs/errors.md`; a test compares the two.
Messages name fields and rules, never the person: an error text may reach a log line or a screen of another state.
"""

from typing import ClassVar


class GatewayError(Exception):
    """Root of all errors of the gateway.

    `path` is an XPath-like or JSON-pointer-like place in the document, `line` its 1-based line; both may be unknown.
    """

    code: ClassVar[str] = "internal-error"
    exit_code: ClassVar[int] = 4

    def __init__(self, message: str, *, path: str | None = None, line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.line = line

    def as_dict(self) -> dict[str, str | int | None]:
        """Return the error as the JSON object used by the command line, the API and receipts."""
        return {"code": self.code, "path": self.path, "line": self.line, "message": self.message}


class Refused(GatewayError):
    """The message or the data is at fault."""

    code = "refused"
    exit_code = 1


class Unavailable(GatewayError):
    """Something outside is at fault; worth a retry."""

    code = "unavailable"
    exit_code = 3


class Misconfigured(GatewayError):
    """This installation is at fault; an operator must act."""

    code = "misconfigured"
    exit_code = 4


# --- the bytes that came in ---------------------------------------------------------------------------------------


class NotAFile(Refused):
    code = "not-a-file"


class EmptyDocument(Refused):
    code = "empty-document"


class TooLarge(Refused):
    code = "too-large"


class WrongEncoding(Refused):
    code = "wrong-encoding"


class NotText(Refused):
    code = "not-text"


class MalformedXml(Refused):
    code = "malformed-xml"


class MalformedJson(Refused):
    code = "malformed-json"


class MalformedTable(Refused):
    """Not a table as its format has it: a quotation mark that is not closed, a row cut off, a workbook that is none."""

    code = "malformed-table"


class WrongColumns(Refused):
    """A column is missing, not known, or stands twice; or a row holds something where its kind has no column."""

    code = "wrong-columns"


class TooManyCells(Refused):
    code = "too-many-cells"


class ActiveContent(Refused):
    """A workbook with formulas, macros or links to other files."""

    code = "active-content"


class SeveralMessages(Refused):
    """A table holds several messages where one is expected."""

    code = "several-messages"


class DoctypeForbidden(Refused):
    code = "doctype-forbidden"


class MarkupForbidden(Refused):
    """A comment or a processing instruction stands in a message."""

    code = "markup-forbidden"


class TooManyAttributes(Refused):
    """An element has too many attributes, or the document declares too many namespaces."""

    code = "too-many-attributes"


class TooManyElements(Refused):
    code = "too-many-elements"


class NestedTooDeeply(Refused):
    code = "nested-too-deeply"


class ParserOverwhelmed(Refused):
    """The child process that reads foreign bytes died of this document, or took too long over it."""

    code = "parser-overwhelmed"


# --- the document ---------------------------------------------------------------------------------------------------


class UnknownMessageType(Refused):
    code = "unknown-message-type"


class UnsupportedSchemaVersion(Refused):
    code = "unsupported-schema-version"


class SchemaViolation(Refused):
    code = "schema-violation"


class RuleViolation(Refused):
    """The schema is met but a rule between fields is not."""

    code = "rule-violation"


# --- translation ----------------------------------------------------------------------------------------------------


class UnknownPartner(Refused):
    code = "unknown-partner"


class UnknownAuthority(Refused):
    code = "unknown-authority"


class UnknownDialect(Refused):
    code = "unknown-dialect"


class UnmappedCode(Refused):
    code = "unmapped-code"


class BadValue(Refused):
    """A value cannot be converted by the named converter."""

    code = "bad-value"


class MrzInvalid(Refused):
    """A text is no machine readable zone (ICAO Doc 9303). Wrong check digits are told, and refuse nothing."""

    code = "mrz-invalid"


class MissingField(Refused):
    code = "missing-field"


class FieldNotCarried(Refused):
    """A required field has no place in the other side's format."""

    code = "field-not-carried"


class LetterUnknown(Refused):
    """A name has a letter that no table of transliteration knows."""

    code = "letter-unknown"


class FieldNotAllowed(Refused):
    """A field is not on the allow-list of its message type."""

    code = "field-not-allowed"


class FieldWithheld(Refused):
    """The agreement of the case does not allow a field that the message cannot be without, or that was let in before."""

    code = "field-withheld"


# --- attachments ----------------------------------------------------------------------------------------------------


class AttachmentMissing(Refused):
    """A message names a file that was not handed in."""

    code = "attachment-missing"


class AttachmentMismatch(Refused):
    """A file is not the one that the message names: digest, size or media type differ."""

    code = "attachment-mismatch"


class AttachmentType(Refused):
    """A file is of no kind that is taken, or of two at once."""

    code = "attachment-type"


class AttachmentQuota(Refused):
    """Too much lies here that no message has named yet."""

    code = "attachment-quota"


class PdfUnreadable(Refused):
    """A PDF that came back is broken, too large, has too many pages, or holds no form of ours."""

    code = "pdf-unreadable"


class PdfActive(Refused):
    """A PDF holds something that acts: a script, a launched program, an address that is opened, a file to be run."""

    code = "pdf-active"


class AlreadyDelivered(Refused):
    """The delivery of a message on paper was recorded before, or the message has its receipt already."""

    code = "already-delivered"


class FormMismatch(Refused):
    """A filled form belongs to another case, or its case reference or digest was changed."""

    code = "form-mismatch"


# --- trust ----------------------------------------------------------------------------------------------------------


class SignatureMissing(Refused):
    code = "signature-missing"


class SignatureProfile(Refused):
    """The signature is not the one fixed profile."""

    code = "signature-profile"


class SignatureInvalid(Refused):
    code = "signature-invalid"


class SignerNotTrusted(Refused):
    code = "signer-not-trusted"


class CertificateMismatch(Refused):
    """The certificate belongs to another key than the one that waits for it."""

    code = "certificate-mismatch"


class CertificateNotValid(Refused):
    """The signer's certificate was not valid at the instant of signing."""

    code = "certificate-not-valid"


class CertificateRevoked(Refused):
    """A certificate of the signer's chain was taken back, by its issuer or by a person here."""

    code = "certificate-revoked"


class AlgorithmNotAllowed(Refused):
    """The signer's partner folder does not allow the algorithm of its key, or not any more."""

    code = "algorithm-not-allowed"


class SignerMismatch(Refused):
    """The signer's certificate belongs to another authority than the sender named in the message."""

    code = "signer-mismatch"


class SigningTimeInvalid(Refused):
    """The claimed instant of signing lies in the future."""

    code = "signing-time-invalid"


class SecondSignatureMissing(Refused):
    """A partner folder requires a second signature and the message carries none."""

    code = "second-signature-missing"


class SecondSignatureInvalid(Refused):
    """The second signature is of a key we do not know, or not the signer's, or not written as one."""

    code = "second-signature-invalid"


class KeyDocumentRefused(Refused):
    """A key document that a partner sent is not newer than what is known, or not signed by it."""

    code = "key-document-refused"


class TimestampMalformed(Refused):
    """What should be one timestamp token is something else, or more than one."""

    code = "timestamp-malformed"


class TimestampMismatch(Refused):
    """The timestamp is over other data, by another hash, or answers another request."""

    code = "timestamp-mismatch"


class TimestampNotTrusted(Refused):
    """The timestamp is not signed by a timestamp authority that we trust, with a certificate valid at its time."""

    code = "timestamp-not-trusted"


class TimestampTimeInvalid(Refused):
    """The time of the timestamp is before the signature that it covers, or too far from our own time."""

    code = "timestamp-time-invalid"


class RootInvalid(Refused):
    """A root of the journal, or the proof that an entry lies under it, does not hold."""

    code = "root-invalid"


class SealMismatch(Refused):
    """The seal names another sender, recipient or message than the signed header inside."""

    code = "seal-mismatch"


class CannotOpen(Refused):
    """The sealed message cannot be opened; the reason is deliberately not told."""

    code = "cannot-open"


# --- the case -------------------------------------------------------------------------------------------------------


class WrongRecipient(Refused):
    code = "wrong-recipient"


class PartnerNotAdmitted(Refused):
    """In production nothing is exchanged with a state whose admission was not decided."""

    code = "partner-not-admitted"


class PartnerNotInProduction(Refused):
    """In production nothing is exchanged with a partner that is still being tried."""

    code = "partner-not-in-production"


class PartnerSuspended(Refused):
    """A named person suspended this exchange. In a receipt: the message is kept, and waits until it is resumed."""

    code = "partner-suspended"


class Dropped(Refused):
    """A named person set a message aside for good. In a receipt of its recipient: it was not taken, and will not be.

    In a receipt of its sender: these earlier messages of the case never come.
    """

    code = "dropped"


class SecondPersonMissing(Refused):
    """One person alone may not decide about so much at once, or the second person is the first."""

    code = "second-person-missing"


class PassMissing(Refused):
    """A partner goes into production with a valid conformance pass, or by a decision to do without."""

    code = "pass-missing"


class PassInvalid(Refused):
    """A conformance pass that is not written as passes are, was changed, or is for something else."""

    code = "pass-invalid"


class PassExpired(Refused):
    """A conformance pass whose time is over."""

    code = "pass-expired"


class ScriptInvalid(Refused):
    """A script of a simulation names what there is not."""

    code = "script-invalid"


class MessageIdReused(Refused):
    """The same message id came with other bytes: alarmed."""

    code = "message-id-reused"


class UnknownCase(Refused):
    code = "unknown-case"


class TransitionNotAllowed(Refused):
    code = "transition-not-allowed"


class SequenceUsed(Refused):
    """The number of a message within its case was used before, or is far ahead of all that came."""

    code = "sequence-used"


class AnswerMismatch(Refused):
    """The digest of what is answered is not the digest of what was sent."""

    code = "answer-mismatch"


class StatementInvalid(Refused):
    """A due diligence statement is incomplete, or released by the officer who made it."""

    code = "statement-invalid"


class Erased(Refused):
    """The key of the case was destroyed: its contents cannot be read again."""

    code = "erased"


class NotFound(Refused):
    code = "not-found"


class NotSignedIn(Refused):
    """No account or API key, or one that is wrong or has ended: all read the same."""

    code = "not-signed-in"


class NotPermitted(Refused):
    """The account or key may not do this."""

    code = "not-permitted"


class EdgeRefused(Refused):
    """The system of a home authority does not take a message: it waits until a person has looked."""

    code = "edge-refused"


# --- the case file --------------------------------------------------------------------------------------------------


class ContainerForm(Refused):
    """The file is no container of the one form: compressed, encrypted, overlapping, cut off, followed by something."""

    code = "container-form"


class ContainerName(Refused):
    """A file of a container has a name that leads out of a folder, or that stands twice."""

    code = "container-name"


class ContainerTooLarge(Refused):
    """A container, a file in it, or their number is above the limit."""

    code = "container-too-large"


class ContainerUnsigned(Refused):
    """A container holds a file that its signature does not cover."""

    code = "container-unsigned"


class ContainerIncomplete(Refused):
    """The signature of a container covers a file that is not there."""

    code = "container-incomplete"


class ContainerChanged(Refused):
    """A file of a container is another one than was signed."""

    code = "container-changed"


class CaseIndexInvalid(Refused):
    """The index of a case file is not of the one form, or does not fit the files beside it."""

    code = "case-index-invalid"


class CaseIncomplete(Refused):
    """A message of the case is missing in its case file."""

    code = "case-incomplete"


class MessageMismatch(Refused):
    """A case file names another message than the envelope beside it holds."""

    code = "message-mismatch"


class AttachmentUnsigned(Refused):
    """A case file holds a file that no signed message in it names."""

    code = "attachment-unsigned"


class ReceiptMismatch(Refused):
    """A receipt does not speak of the message it is given for."""

    code = "receipt-mismatch"


class ReportMismatch(Refused):
    """A mapping report speaks of other documents than those beside it."""

    code = "report-mismatch"


class JournalMismatch(Refused):
    """An entry of the journal is not the one its hash was made of."""

    code = "journal-mismatch"


class DeadlineMismatch(Refused):
    """A deadline was counted from another instant than the receipt proves."""

    code = "deadline-mismatch"


class CaseOpen(Refused):
    """The case is not closed: something is still to be done in it, so it is not erased."""

    code = "case-open"


# --- the clock ------------------------------------------------------------------------------------------------------


class UnknownTreaty(Refused):
    code = "unknown-treaty"


class TreatyDoesNotBind(Refused):
    """The two states do not stand on the two sides of the treaty that the application names."""

    code = "treaty-does-not-bind"


class UnknownLimit(Refused):
    code = "unknown-limit"


class LimitDoesNotApply(Refused):
    code = "limit-does-not-apply"


class LimitNotKnown(Refused):
    """No verified number, or a calendar that does not reach the date: not known, ask."""

    code = "limit-not-known"


# --- outside --------------------------------------------------------------------------------------------------------


class RevocationUnknown(Unavailable):
    """Nothing usable says whether a certificate was revoked: the message waits."""

    code = "revocation-unknown"


class RevocationStale(Unavailable):
    """What says that a certificate is not revoked is out of date: the message waits."""

    code = "revocation-stale"


class RevocationUnreachable(Unavailable):
    """The issuer's list or responder cannot be reached, and nothing was fetched before: the message waits."""

    code = "revocation-unreachable"


class ClockBehind(Unavailable):
    """Our clock is behind our own record: what seems to come from the future waits until it is right."""

    code = "clock-behind"


class DatabaseUnavailable(Unavailable):
    code = "database-unavailable"


class StoreConflict(Unavailable):
    """Somebody else wrote the same row first; looking again decides."""

    code = "store-conflict"


class ParserUnavailable(Unavailable):
    """The child process that reads foreign bytes cannot be started."""

    code = "parser-unavailable"


class FormNotPrinted(Unavailable):
    """The process that lays out PDF forms failed or did not finish."""

    code = "form-not-printed"


class BrokerUnavailable(Unavailable):
    code = "broker-unavailable"


class EdgeUnavailable(Unavailable):
    """The system of a home authority cannot be reached, or says that it cannot take anything now."""

    code = "edge-unavailable"

    def __init__(self, message: str, *, after_seconds: float = 0.0) -> None:
        """`after_seconds`: when the system itself asked to be called again; 0: it said nothing."""
        super().__init__(message)
        self.after_seconds = after_seconds


class TurnLost(Unavailable):
    """Another process serves the edge of this authority now."""

    code = "turn-lost"


class EdgeFailed(Unavailable):
    """The system of a home authority failed over one message; others may pass."""

    code = "edge-failed"


class BrokerMissing(Unavailable):
    """RabbitMQ is not installed and cannot be installed here."""

    code = "broker-missing"


class SigningKeyUnavailable(Unavailable):
    """The token that holds a signing key does not answer."""

    code = "signing-key-unavailable"


class SignerUnavailable(Unavailable):
    """The process that holds the signing keys does not answer."""

    code = "signer-unavailable"


class Undeliverable(Unavailable):
    """The broker knows no queue for this recipient."""

    code = "undeliverable"


class QueueRefused(Unavailable):
    """The recipient's queue took no message: it has no room, or the node that leads it has just gone."""

    code = "queue-refused"


class TakenLater(Unavailable):
    """A sender is over the limit that this gateway set for it; the rest of what it sent is taken in later."""

    code = "taken-later"


class PaperDue(Unavailable):
    """A message could not be delivered, and a deadline is so near that an officer sends it on paper."""

    code = "paper-due"


class TimestampUnavailable(Unavailable):
    """No timestamp authority gave a good timestamp."""

    code = "timestamp-unavailable"


class EvidenceStopped(Unavailable):
    """For too long no timestamp could be had for the journal: nothing new is sent out meanwhile."""

    code = "evidence-clock-stopped"


# --- this installation ----------------------------------------------------------------------------------------------


class SettingsInvalid(Misconfigured):
    code = "settings-invalid"


class SchemaSetBroken(Misconfigured):
    code = "schema-set-broken"


class PartnerInvalid(Misconfigured):
    code = "partner-invalid"


class LabelsInvalid(Misconfigured):
    """A file with the words of printed forms cannot be used, or the language has no tag."""

    code = "labels-invalid"


class PaperToolsMissing(Misconfigured):
    """The extra `pdf`, or the system library it needs, is not installed."""

    code = "paper-tools-missing"


class MappingInvalid(Misconfigured):
    code = "mapping-invalid"


class TreatyInvalid(Misconfigured):
    code = "treaty-invalid"


class CalendarInvalid(Misconfigured):
    code = "calendar-invalid"


class KeyMissing(Misconfigured):
    code = "key-missing"


class TrustInvalid(Misconfigured):
    """A certificate, a key file or a sealing key document in the key folder cannot be used."""

    code = "trust-invalid"


class TokenPinRefused(Misconfigured):
    """A token does not take the PIN. Never tried again: a token locks itself after a few wrong ones."""

    code = "token-pin-refused"


class SignerRefused(Misconfigured):
    """The process that holds the signing keys does not sign this, or not for this caller."""

    code = "signer-refused"


class ForeignVerifierMissing(Misconfigured):
    """A partner folder turns on a verifier that is not installed here."""

    code = "foreign-verifier-missing"


class StoredDataDamaged(Misconfigured):
    """Stored data cannot be decrypted: it was altered, or the master key is another one."""

    code = "stored-data-damaged"


class NotHome(Misconfigured):
    """This gateway is not home to the authority."""

    code = "not-home"


class DatabaseNewer(Misconfigured):
    """The database was written by newer code; older code refuses to start."""

    code = "database-newer"


class DatabaseNotReady(Misconfigured):
    """The database lacks migrations of this code."""

    code = "database-not-ready"


def catalogue() -> dict[str, type[GatewayError]]:
    """Return every stable code with its class."""
    found: dict[str, type[GatewayError]] = {}
    waiting: list[type[GatewayError]] = [Refused, Unavailable, Misconfigured]
    while waiting:
        kind = waiting.pop()
        found[kind.code] = kind
        waiting.extend(kind.__subclasses__())
    return dict(sorted(found.items()))
