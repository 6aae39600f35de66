"""Errors of the cryptographic core. They keep the field's own names and never carry secret material.

CryptoError
├─ ParameterError     we were called wrongly: a length, range or parameter set is not one that this code accepts
├─ MalformedInput     foreign bytes do not parse, or a field of them is out of range
├─ InvalidKey         a key is not a valid point, scalar or encoding
├─ InvalidSignature   a signature does not verify
├─ InvalidProof       a Merkle or possession proof does not verify
├─ LoaderDied         the confined process did not survive a foreign blob (crypto/seal/confined.py)
├─ LoaderUnavailable  that process does not start
└─ DecryptionFailed   one message whatever the cause, so that it is no oracle
"""


class CryptoError(Exception):
    """Something in the cryptographic core was refused."""


class ParameterError(CryptoError):
    """An argument is outside what this function accepts."""


class MalformedInput(CryptoError):
    """Foreign bytes do not have the required form."""


class InvalidKey(CryptoError):
    """A key is not valid."""


class InvalidSignature(CryptoError):
    """A signature does not verify."""


class InvalidProof(CryptoError):
    """A proof does not lead to the stated root or statement."""


class LoaderDied(CryptoError):
    """The confined process did not survive loading these bytes."""


class LoaderUnavailable(CryptoError):
    """The confined process does not start."""


class DecryptionFailed(CryptoError):
    """The message cannot be opened."""

    def __init__(self) -> None:
        super().__init__("the message cannot be opened")
