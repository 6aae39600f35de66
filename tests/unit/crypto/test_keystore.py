"""Keystore documents: the format's published ones, eth-account's, ours, and hostile ones."""

import copy
import time
from typing import Any

import pytest
from eth_keyfile.keyfile import create_keyfile_json, decode_keyfile_json

from crypto import bls, keystore
from crypto.errors import DecryptionFailed, InvalidKey, MalformedInput, ParameterError
from tests.unit.crypto.vectors import load

KEYS = keystore.Keys(bytes(range(1, 33)))
DOCUMENT = keystore.encrypt(KEYS, "correct horse", 12)


def changed(path: str, value: Any) -> dict[str, Any]:
    """DOCUMENT with the value at a dotted path replaced, or removed if None."""
    document = copy.deepcopy(DOCUMENT)
    *parents, last = path.split(".")
    section = document
    for parent in parents:
        section = section[parent]
    if value is None:
        del section[last]
    else:
        section[last] = value
    return document


@pytest.mark.parametrize("name", ["wikipage_test_vector_scrypt", "wikipage_test_vector_pbkdf2"])
def test_published_documents_open(name: str) -> None:
    case = load("keystore-v3")[name]
    assert keystore.decrypt(case["json"], case["password"]).seed.hex() == case["priv"]


def test_ours_opens_in_eth_keyfile_and_the_other_way_round() -> None:
    assert decode_keyfile_json(DOCUMENT, b"correct horse") == KEYS.seed
    for kdf in ("scrypt", "pbkdf2"):
        theirs = create_keyfile_json(KEYS.seed, "pässwort 密码".encode(), kdf=kdf, iterations=4096)
        assert keystore.decrypt(theirs, "pässwort 密码") == KEYS


def test_derived_keys_are_fixed_for_ever() -> None:
    """Own vector (generator: HKDF-SHA256 of RFC 5869 with no salt and info marketplace/keys/v1/<label>)."""
    (case,) = load("keys-derivation")
    keys = keystore.Keys(bytes.fromhex(case["seed"]))
    assert keys.address == case["address"]
    assert keys.ed25519.public_key().public_bytes_raw().hex() == case["ed25519_public"]
    assert keys.x25519.public_key().public_bytes_raw().hex() == case["x25519_public"]
    assert bls.public_key(keys.bls_secret).hex() == case["bls_public"]
    assert keys.signing_key == keys.seed


def test_nothing_secret_is_shown() -> None:
    assert repr(KEYS) == f"Keys(address='{KEYS.address}')"
    assert KEYS.seed.hex() not in f"{KEYS} {KEYS!r} {DOCUMENT}"


def test_generated_keys_differ() -> None:
    assert keystore.generate() != keystore.generate()


def test_two_documents_of_one_key_share_no_secret_parts() -> None:
    again = keystore.encrypt(KEYS, "correct horse", 12)
    assert again["crypto"]["ciphertext"] != DOCUMENT["crypto"]["ciphertext"]
    assert again["crypto"]["kdfparams"]["salt"] != DOCUMENT["crypto"]["kdfparams"]["salt"]


@pytest.mark.parametrize(
    ("path", "value"),
    [("crypto.ciphertext", "00" * 32), ("crypto.mac", "00" * 32), ("crypto.kdfparams.salt", "00" * 32)],
)
def test_damage_and_a_wrong_password_look_the_same(path: str, value: str) -> None:
    with pytest.raises(DecryptionFailed) as wrong:
        keystore.decrypt(DOCUMENT, "correct hors")
    with pytest.raises(DecryptionFailed) as damaged:
        keystore.decrypt(changed(path, value), "correct horse")
    assert str(wrong.value) == str(damaged.value)


def test_damaged_iv_gives_another_address_and_is_refused() -> None:
    """The format's MAC leaves the iv out: the address in the document is what notices."""
    with pytest.raises(MalformedInput, match="address"):
        keystore.decrypt(changed("crypto.cipherparams.iv", "00" * 16), "correct horse")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("version", 4),
        ("version", None),
        ("crypto", "text"),
        ("crypto.cipher", "aes-128-cbc"),
        ("crypto.cipherparams", None),
        ("crypto.cipherparams.iv", "00" * 15),
        ("crypto.cipherparams.iv", "zz" * 16),
        ("crypto.ciphertext", "00" * 33),
        ("crypto.ciphertext", "00" * 31),
        ("crypto.ciphertext", 7),
        ("crypto.mac", "0x" + "00" * 32),
        ("crypto.kdf", "argon2"),
        ("crypto.kdf", None),
        ("crypto.kdfparams.dklen", 64),
        ("crypto.kdfparams.dklen", 16),
        ("crypto.kdfparams.salt", ""),
        ("crypto.kdfparams.salt", "00" * 65),
        ("crypto.kdfparams.n", 1 << 21),
        ("crypto.kdfparams.n", 1 << 60),
        ("crypto.kdfparams.n", 3),
        ("crypto.kdfparams.n", 1),
        ("crypto.kdfparams.n", -4096),
        ("crypto.kdfparams.n", 4096.0),
        ("crypto.kdfparams.n", True),
        ("crypto.kdfparams.r", 17),
        ("crypto.kdfparams.r", 0),
        ("crypto.kdfparams.p", 17),
        ("address", "00" * 20),
        ("address", 7),
    ],
)
def test_hostile_document_is_malformed(path: str, value: Any) -> None:
    with pytest.raises(MalformedInput):
        keystore.decrypt(changed(path, value), "correct horse")


@pytest.mark.parametrize(
    "parameters",
    [
        {"dklen": 32, "n": 1 << 20, "r": 16, "p": 1, "salt": "00"},
        {"dklen": 32, "n": 1 << 19, "r": 8, "p": 16, "salt": "00"},
    ],
    ids=["memory", "work"],
)
def test_expensive_derivation_is_refused_before_it_runs(parameters: dict[str, Any]) -> None:
    begin = time.process_time()  # of this process: what else the machine does must not count
    with pytest.raises(MalformedInput, match="kdfparams"):
        keystore.decrypt(changed("crypto.kdfparams", parameters), "correct horse")
    assert time.process_time() - begin < 0.1


@pytest.mark.parametrize("document", [[], 1, "keystore", None])
def test_what_is_no_object_is_malformed(document: Any) -> None:
    with pytest.raises(MalformedInput):
        keystore.decrypt(document, "password")


def test_endless_pbkdf2_is_refused() -> None:
    document = changed("crypto.kdfparams", {"dklen": 32, "c": 2_000_001, "prf": "hmac-sha256", "salt": "00"})
    document["crypto"]["kdf"] = "pbkdf2"
    with pytest.raises(MalformedInput, match="c is"):
        keystore.decrypt(document, "correct horse")
    document["crypto"]["kdfparams"] |= {"c": 1, "prf": "hmac-md5"}
    with pytest.raises(MalformedInput, match="kdf"):
        keystore.decrypt(document, "correct horse")


@pytest.mark.parametrize("seed", [b"", bytes(31), bytes(32), b"\xff" * 32, bytes(33)])
def test_invalid_seed_is_refused(seed: bytes) -> None:
    with pytest.raises(InvalidKey):
        keystore.Keys(seed)


@pytest.mark.parametrize(("password", "work_factor"), [("", 12), ("x" * 1025, 12), ("x", 11), ("x", 21)])
def test_password_and_work_factor_are_bounded(password: str, work_factor: int) -> None:
    with pytest.raises(ParameterError):
        keystore.encrypt(KEYS, password, work_factor)
