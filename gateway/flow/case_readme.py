"""README.txt of a case file: for somebody who has never heard of the gateway."""

README_TEXT = """\
This is a case file of a readmission case
=========================================

It holds every message that two authorities of two states exchanged about one person, in the order of time, with the proof of
who sent each message, when the other side had it, and how the time limits were counted. It is an ASiC-E container
(ETSI EN 319 162-1): a zip file whose content is signed as a whole by the authority that exported it. It holds personal data.

What is inside
--------------
summary.pdf        one page for people
case.json          the index: which file is what, who said what when, the digest of every file
messages/          every message, in the signed envelope of its sender (XML, XAdES)
attachments/       photographs, scans and fingerprints that the messages brought; each message names its own by digest
documents/         the same messages in the formats of the two authorities, and what each translation did
receipts/          signed receipts: which message, with which digest, was received when; one receipt may name messages of
                   other cases, by number and digest only
deadlines/         how each time limit was counted: articles, calendars, every step
journal/           what the record of the exporting authority says of the case; each entry with its hash, and with the proof
                   that it stood there: signed roots over the whole record, and timestamps over these
certificates/      the certificates of everybody who signed something here (PEM)
revocation/        what the issuers of these certificates say about revocation, where it is known
META-INF/          the signature of the whole file

How to check it
---------------
    gateway verify-case FILE --anchors FOLDER

FOLDER holds the root certificates that you trust (*.pem); get them from their issuers, not from this file. The command needs no
network and no database. It prints one verdict for each message, attachment, receipt, translation, deadline and journal entry,
and ends with exit code 0 only if all of them hold.

Other programs can check the signature of the whole file, for example the validator of the European Commission (DSS). The
digest of any file in it is its SHA-256 (sha256sum messages/0001-*.xml) and stands in case.json.

What it proves, and what not
----------------------------
A message proves what its sender signed, and which files it brought: it names each by digest. A receipt proves when the other
side had it. That a certificate belongs to an authority rests on its issuer: the certificate's subject names the authority by
its code. The index, the deadlines and the journal are the word of the authority that exported the file; the command says where
they agree with what is proven.
"""
