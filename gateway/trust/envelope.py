"""The envelope: one canonical message, then one signature, and nothing else."""

from gateway.errors import SignatureMissing, SignatureProfile
from gateway.stages import Tree
from gateway.trust.profile import DS, XADES
from gateway.wire.documents import NS
from gateway.wire.namespaces import ENVELOPE_NS

_ENVELOPE = f"{{{ENVELOPE_NS}}}Envelope"
_DS = f"{{{DS}}}"
_XADES = f"{{{XADES}}}"
_SIGNATURE = f"{_DS}Signature"
_CHILDREN = 2  # the message and the signature


def only_signature(envelope: Tree) -> Tree:
    """Return the signature of an envelope that has the one allowed shape. Raises `SignatureMissing`, `SignatureProfile`."""
    if envelope.tag != _ENVELOPE:
        raise SignatureMissing("the document is not a signed envelope")
    signatures = sum(1 for _ in envelope.iter(_SIGNATURE))
    if signatures == 0:
        raise SignatureMissing("the envelope carries no signature")
    if signatures > 1:
        raise SignatureProfile("the envelope carries more than one signature")
    if len(envelope) != _CHILDREN or envelope[1].tag != _SIGNATURE:
        raise SignatureProfile("the envelope must hold one message, then one signature as its last child")
    message, signature = envelope
    if envelope.items() != [("version", "1.0")]:
        raise SignatureProfile("the envelope must have the attribute version, of value 1.0, and no other")
    if envelope.text or message.tail or signature.tail:
        raise SignatureProfile("text stands in the envelope beside the message")
    if not str(message.tag).startswith(f"{{{NS}}}"):
        raise SignatureProfile("the envelope does not hold a canonical message")
    # Elements of the envelope or of a signature inside the message, and ids another verifier could look up, are the
    # material of signature wrapping; no message has them.
    if next(message.iter(f"{_DS}*", f"{_XADES}*", f"{{{ENVELOPE_NS}}}*", "{}*"), None) is not None:
        raise SignatureProfile("an element inside the message is foreign to it")
    names = (str(name) for element in message.iter() for name in element.keys())  # noqa: SIM118  # iteration gives children
    if any(name.rpartition("}")[2].lower() == "id" for name in names):  # wsu:Id and xml:id, too
        raise SignatureProfile("an attribute named id stands inside the message")
    return signature
