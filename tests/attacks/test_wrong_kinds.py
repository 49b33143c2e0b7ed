"""What is no signed XML message of ours is nothing to us: XML Encryption, pickles, class hints (rows 32 and 35)."""

import ast
from pathlib import Path

import pytest

import gateway
from gateway.errors import CannotOpen, Refused
from gateway.stages import Received
from gateway.trust.keys import KeyRing
from gateway.trust.seal import unseal
from gateway.trust.suites import SUITES
from gateway.trust.verify import verify
from gateway.wire.documents import parse_json
from tests.attacks.forged import NOW, forged, keys, trust

XENC = "http://www.w3.org/2001/04/xmlenc#"


def encrypted(data: str, transport: str) -> bytes:
    """Return a document as XML Encryption writes it."""
    return (
        f'<EncryptedData xmlns="{XENC}" Type="{XENC}Element"><EncryptionMethod Algorithm="{XENC}{data}"/>'
        f'<KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><EncryptedKey xmlns="{XENC}">'
        f'<EncryptionMethod Algorithm="{XENC}{transport}"/><CipherData><CipherValue>AAAA</CipherValue></CipherData>'
        "</EncryptedKey></KeyInfo><CipherData><CipherValue>AAAA</CipherValue></CipherData></EncryptedData>"
    ).encode()


@pytest.mark.parametrize("data", ["aes128-cbc", "aes256-cbc", "tripledes-cbc"])
@pytest.mark.parametrize("transport", ["rsa-1_5", "rsa-oaep-mgf1p"])
def test_document_in_xml_encryption_is_refused_by_every_way_in(data: str, transport: str) -> None:
    body = encrypted(data, transport)
    with pytest.raises(Refused) as refusal:
        verify(body, trust(), NOW)
    assert refusal.value.code == "signature-missing"
    with pytest.raises(CannotOpen):
        unseal(Received(body=body, received_at=NOW, transport="memory"), KeyRing.load(keys()), trust())


def test_no_suite_of_ours_is_without_authentication() -> None:
    for name in SUITES:
        assert "cbc" not in name.lower()
        assert "gcm" in name.lower() or "chacha" in name.lower(), name


@pytest.mark.parametrize("name", ["json_in_its_place", "pickle_in_its_place"])
def test_other_kinds_of_data_are_no_envelope(name: str) -> None:
    with pytest.raises(Refused):
        verify(forged()[name].body, trust(), NOW)


def test_class_hint_in_json_is_only_a_key() -> None:
    hint = b'{"__class__": "os.system", "py/object": "os.system", "$type": "x", "@class": "x"}'
    assert parse_json(hint)["py/object"] == "os.system"


FORBIDDEN = {"pickle", "marshal", "shelve", "dill", "yaml", "jsonpickle", "xml", "defusedxml", "xmlrpc"}


def test_nothing_in_the_program_makes_objects_from_data() -> None:
    for path in Path(gateway.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            assert not {name.partition(".")[0] for name in names} & FORBIDDEN, path.name
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"eval", "exec"}, path.name
