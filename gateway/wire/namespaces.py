"""The name of the envelope's vocabulary, for whoever writes it without reading XML: the signer has no parser in its memory."""

ENVELOPE_NS = "urn:readmission-gateway:envelope:1.0"
