"""What a vault or gateway in somebody's home folder says about vouchers, for the commands that end orders."""

from pathlib import Path

from crypto.keystore import Keys
from marketplace.documents import Document
from marketplace.sdk.home import Home
from marketplace.sdk.home.call_store import CallStore, call_file
from marketplace.vault.keeping.secrecy import Cipher
from marketplace.vault.keeping.store import PrivacyStore


def own_voucher(home: Path | None, keys: Keys, order: str) -> Document | None:
    """The order's last voucher in the vault of this home folder, or with the calls of its gateway; None without either,
    or before the first answer."""
    folder = Home.locate(home).path
    path = folder / "vault" / "ledger.sqlite"
    found = PrivacyStore(path, Cipher(keys.seed)).last_voucher(order) if path.is_file() else None
    if found is not None or not call_file(folder).is_file():
        return found
    store = CallStore(call_file(folder))
    try:
        return store.voucher(order)
    finally:
        store.close()
