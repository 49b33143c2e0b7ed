"""Whether a certificate was taken back: by its issuer (CRL, OCSP) or by a person here."""
