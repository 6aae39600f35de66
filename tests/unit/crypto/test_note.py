"""Signed notes: the Go checksum database's and C2SP's published ones, byte for byte, and mangled ones."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from crypto import note
from crypto.errors import CryptoError, InvalidKey, InvalidSignature, MalformedInput, ParameterError
from tests.unit.crypto.vectors import load

SUMDB, C2SP = load("signed-note")["sumdb"], load("signed-note")["c2sp"]
PETER, ENOCH = note.parse_verifier(SUMDB["vkey"]), note.parse_verifier(SUMDB["otherVkey"])
TEXT, SIGNATURE, OTHER = SUMDB["text"], SUMDB["signature"], SUMDB["otherSignature"]


def joined(*parts: str) -> bytes:
    return "".join(parts).encode()


def test_sumdb_note_is_signed_byte_for_byte() -> None:
    seed = base64.b64decode(SUMDB["skey"].split("+", 4)[4])[1:]
    assert note.sign_note(TEXT, "PeterNeumann", Ed25519PrivateKey.from_private_bytes(seed)) == joined(
        TEXT, "\n", SIGNATURE
    )


def test_sumdb_note_opens_with_either_key() -> None:
    signed = joined(TEXT, "\n", SIGNATURE, OTHER)
    for verifiers in ([PETER], [ENOCH], [PETER, ENOCH]):
        assert note.open_note(signed, verifiers) == TEXT


def test_c2sp_example_opens() -> None:
    verifier = note.parse_verifier(C2SP["vkey"])
    assert note.open_note(C2SP["note"].encode(), [verifier]) == "This is an example message.\n"


@pytest.mark.parametrize("vkey", [SUMDB["vkey"], SUMDB["otherVkey"], C2SP["vkey"]])
def test_verifier_keys_are_read_and_written_again(vkey: str) -> None:
    assert note.parse_verifier(vkey).to_text() == vkey


def test_cut_or_changed_verifier_keys_are_refused() -> None:
    vkey = SUMDB["vkey"]
    cut = [vkey[start:end] for start in range(len(vkey)) for end in range(start, len(vkey) + 1)][:-1]
    changed = [vkey[:at] + chr(ord(vkey[at]) + 1) + vkey[at + 1 :] for at in range(len(vkey))]
    for text in {*cut, *changed, *SUMDB["badVkeys"]} - {vkey}:
        with pytest.raises(MalformedInput):
            note.parse_verifier(text)


def test_note_without_a_trusted_signature_is_refused() -> None:
    for verifiers in ([], [ENOCH]):
        with pytest.raises(InvalidSignature, match="no signature by a trusted key"):
            note.open_note(joined(TEXT, "\n", SIGNATURE), verifiers)


def test_one_bad_signature_by_a_trusted_key_refuses_the_note() -> None:
    bad = SIGNATURE[:60] + "ABCD" + SIGNATURE[60:]
    for lines in ((bad,), (SIGNATURE, bad), (OTHER, bad)):
        with pytest.raises(InvalidSignature, match="PeterNeumann does not verify"):
            note.open_note(joined(TEXT, "\n", *lines), [PETER, ENOCH])
    assert note.open_note(joined(TEXT, "\n", SIGNATURE, bad.replace("PeterNeumann", "Another")), [PETER]) == TEXT


def test_changed_text_is_refused() -> None:
    with pytest.raises(InvalidSignature):
        note.open_note(joined(TEXT.replace("answer", "Answer"), "\n", SIGNATURE), [PETER])


@pytest.mark.parametrize(
    "signed",
    [
        joined(TEXT),
        joined(TEXT, "\n"),
        joined(TEXT, "\n", SIGNATURE[:-1]),
        joined("\x01", TEXT, "\n", SIGNATURE),
        b"\xff" + joined(TEXT, "\n", SIGNATURE),
        joined(TEXT.replace("\n", "\r\n"), "\n", SIGNATURE),
        joined(TEXT, "\n", SIGNATURE, "Unexpected line.\n"),
        joined(TEXT, "\n", SIGNATURE.replace("PeterNeumann", "Bad Name")),
        joined(TEXT, "\n", SIGNATURE.replace("\u2014", "-")),
        joined(TEXT, "\n", SIGNATURE.replace("AM=", "AN=")),
        joined(TEXT, "\n", SIGNATURE.replace("AM=", "AM")),
        joined(TEXT, "\n", "\u2014 PeterNeumann x08goA==\n"[:-5] + "\n"),
        joined(TEXT, "\n", "\u2014 PeterNeumann x08gow==\n"),
        joined(TEXT, "\n", SIGNATURE * (note.MAX_SIGNATURES + 1)),
        joined(TEXT * 4000, "\n", SIGNATURE),
        b"",
    ],
)
def test_malformed_notes_are_refused(signed: bytes) -> None:
    with pytest.raises(MalformedInput):
        note.open_note(signed, [PETER])


def test_sixteen_large_signatures_are_accepted_as_the_specification_demands() -> None:
    large = "".join(f"\u2014 witness{number} {'A' * 6800}\n" for number in range(15))
    assert note.open_note(joined(TEXT, "\n", SIGNATURE, large), [PETER]) == TEXT


@pytest.mark.parametrize(
    ("text", "name"), [("no newline", "a"), ("tab\t\n", "a"), ("x\n", "a b"), ("x\n", "a+b"), ("x\n", "")]
)
def test_what_could_not_be_opened_is_not_signed(text: str, name: str) -> None:
    with pytest.raises(ParameterError):
        note.sign_note(text, name, Ed25519PrivateKey.from_private_bytes(bytes(32)))


def test_verifier_needs_a_key_of_32_bytes() -> None:
    with pytest.raises(InvalidKey):
        note.Verifier("log", bytes(31))


def test_every_refusal_is_ours() -> None:
    """No foreign exception leaves for any single changed byte."""
    signed = joined(TEXT, "\n", SIGNATURE)
    for at in range(len(signed)):
        with pytest.raises(CryptoError):
            note.open_note(signed[:at] + bytes([signed[at] ^ 0x41]) + signed[at + 1 :], [PETER])
