"""The names of our XML vocabularies, for whoever writes them without reading XML: the signer has no parser in its memory."""

NS = "urn:readmission-gateway:readmission:1.0"
ENVELOPE_NS = "urn:readmission-gateway:envelope:1.0"
