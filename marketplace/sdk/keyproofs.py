"""What signs for other participants, checked here and not taken on the service's word."""

from marketplace.participants.keybook import KeyBook
from marketplace.participants.keys import Key
from marketplace.participants.proofs import read_proof, verify_proof
from marketplace.sdk.client import Client


def book_of(client: Client, *accounts: str) -> KeyBook:
    """What signs for these accounts, from the signed changes of their keys.

    Raises:
        VerificationError: `key_proof_invalid`: a change was not signed by a key that the changes before gave, or by a
            registrar whom this client does not know.
    """
    spans, time = dict[tuple[str, str], Key](), 0
    for account in accounts:
        proof = read_proof(client.get(f"/participants/{account}/keys/proof", signed=False))
        book = verify_proof(proof, client.deployment, client.now(), client.registrars).book
        spans |= book.spans
        time = max(time, book.time)
    return KeyBook(client.deployment, spans, time)
