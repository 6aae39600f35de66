"""Which keys of an account its DID document gives what use."""

from marketplace.identifiers.signing import keys_in
from marketplace.participants.keybook import KeyBook
from marketplace.participants.keys import Key
from marketplace.types import NO_LIMIT, Act
from tests.sealed_market import DEPLOYMENT, NOW

ACCOUNT, READER, CLERK, ENDED = ("0x" + digit * 40 for digit in "1234")


def test_a_key_that_only_reads_signs_in_and_asserts_nothing() -> None:
    def key(acts: Act, until: int = NO_LIMIT) -> Key:
        return Key(int(acts), 0, NOW - 10, until)

    spans = {(ACCOUNT, READER): key(Act.READ), (ACCOUNT, CLERK): key(Act.ORDERS)}
    spans[ACCOUNT, ENDED] = key(Act.ORDERS | Act.READ | Act.ADMINISTER, NOW)
    found = keys_in(KeyBook(DEPLOYMENT, spans), ACCOUNT, NOW)
    assert found.listed == [ACCOUNT, READER, CLERK]
    assert found.asserting == [ACCOUNT, CLERK]
    assert found.reading == [ACCOUNT, READER]
    assert found.governing == [ACCOUNT]
