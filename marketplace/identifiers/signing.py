"""Which keys a participant's DID document lists: those that sign for its account now, and for what."""

from marketplace.documents.dids import AccountKeys
from marketplace.participants.keybook import KeyBook
from marketplace.types import Act


def keys_in(book: KeyBook, account: str, now: int) -> AccountKeys:
    """What signs for an account at `now` (unix seconds), as a book of keys has it; ended keys are left out."""
    listed, reading, governing = (book.keys_at(account, now, act) for act in (0, Act.READ, Act.ADMINISTER))
    asserting = [key for key in listed if book.span(account, key).acts & ~Act.READ]
    return AccountKeys(account, listed, asserting, reading, governing)
