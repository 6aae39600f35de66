"""A registrar's certificate and the exchange's lists for it, made by the code that makes the real ones."""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

from crypto.credential import did_key
from crypto.keystore import Keys
from marketplace.procedures import Kind
from marketplace.rights.remarks import declared_of
from marketplace.rights.status_lists import PURPOSES, entries_of, make_list
from marketplace.sdk import certificates, rights
from marketplace.types import ZERO_DIGEST
from tests.unit.sdk.exchange import NOW, Exchange, keys
from tests.unit.sdk.test_queries import ASSET, MANIFEST, SUPPLIER

REGISTRAR, LOG = keys(21), keys(22)
BASE = "https://exchange.test"
PLACE = 77_001
UNTIL = NOW + 400 * 86400
CODE = "SJ3102026110001"
CLAIM = rights.make_claim(
    MANIFEST,
    level="GENERAL_1",
    source_class="COLLECTED_GENERATED",
    origin="ENTERPRISE",
    shares=[(SUPPLIER.address, 10_000)],
)


def public(key: Keys) -> bytes:
    """The Ed25519 public key of somebody."""
    return key.ed25519.public_key().public_bytes_raw()


def asset() -> dict[str, Any]:
    """The asset as the ledger says, without its certificate."""
    found: dict[str, Any] = {"assetId": ASSET, "holder": SUPPLIER.address}
    found |= {"manifestDigest": certificates.digest(MANIFEST), "ciphertextRoot": rights.ciphertext_root(MANIFEST)}
    return found | {"claimDigest": certificates.digest(CLAIM), "validUntil": UNTIL, "registration": None}


ANNEX: dict[str, Any] = {
    "inputs": [
        declared_of({"inputId": "0x" + f"{number}a" * 32, "titleId": title, "bps": bps}) | {"status": state}
        for number, title, bps, state in ((1, ZERO_DIGEST, 2500, "confirmed"), (2, "0x" + "77" * 32, 0, "expired"))
    ],
    "remarks": [
        {"mark": "SEIZED", "object": "OPERATE", "holder": SUPPLIER.address},
        {"mark": "CONTROLLED", "object": "SHARE", "holder": SUPPLIER.address, "bps": 10_000},
        {"mark": "PLEDGED", "object": "SHARE", "holder": SUPPLIER.address, "bps": 300},
    ],
}


def certificate(
    until: int = UNTIL, purposes: int = len(PURPOSES), annex: Mapping[str, Any] = MappingProxyType({})
) -> dict[str, Any]:
    """One that the registrar issues now; naming the first three `purposes` alone, as before there was a fourth.

    Args:
        annex: inputs and remarks, such as ANNEX.
    """
    entries = entries_of(BASE, did_key(public(LOG)), 0, PLACE)[:purposes]
    with Exchange(log_key="0x" + public(LOG).hex()).client(REGISTRAR) as client:
        return certificates.issue(
            client,
            asset(),
            MANIFEST,
            CLAIM,
            term=(NOW - 60, until),
            entries=entries,
            code=CODE,
            kind=Kind.FIRST,
            annex=dict(annex),
        )


def lists(marked: Collection[str] = (), signer: Keys = LOG, now: int = NOW) -> list[dict[str, Any]]:
    """The four lists; the certificate's bit is set in those named in `marked`, its neighbours' in all."""
    beside = [PLACE - 1, PLACE + 1]
    return [
        make_list(
            signer.ed25519,
            BASE,
            purpose,
            0,
            marked=[*beside, *([PLACE] if purpose in marked else [])],
            height=5,
            now=now,
        )
        for purpose in PURPOSES
    ]
