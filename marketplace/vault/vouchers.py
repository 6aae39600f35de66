"""What a vault in somebody's home folder says about vouchers, for the commands that end orders."""

from pathlib import Path

from crypto.keystore import Keys
from marketplace.documents import Document
from marketplace.sdk.home import Home
from marketplace.vault.secrecy import Cipher
from marketplace.vault.store import PrivacyStore


def vault_voucher(home: Path | None, keys: Keys, order: str) -> Document | None:
    """The order's last voucher in the vault of this home folder; None without a vault, or before its first release."""
    path = Home.locate(home).path / "vault" / "ledger.sqlite"
    return PrivacyStore(path, Cipher(keys.seed)).last_voucher(order) if path.is_file() else None
