"""Root of the Merkle Patricia trie that keys values by their index.

It is how a header commits to its transactions and receipts.

Built bottom-up from the sorted keys, so no node is ever hashed twice. Checked against the `trie` package in tests.

Source: Ethereum yellow paper, appendix D.
"""

from collections.abc import Sequence

from crypto.canonical import keccak256
from marketplace.auditor.ethereum import rlp

_EMPTY_STRING = b"\x80"
EMPTY_ROOT = keccak256(_EMPTY_STRING)
Leaf = tuple[bytes, bytes]  # nibbles of the key, value


def index_root(values: Sequence[bytes]) -> bytes:
    """Root over `values`, the i-th under the key RLP(i); 32 bytes.

    Cost: about one keccak per value.
    """
    if not values:
        return EMPTY_ROOT
    leaves = sorted((_nibbles(rlp.encode(rlp.from_int(index))), value) for index, value in enumerate(values))
    return keccak256(_node(leaves, 0, len(leaves), 0))


def _nibbles(key: bytes) -> bytes:
    return bytes(nibble for byte in key for nibble in (byte >> 4, byte & 15))


def _node(leaves: list[Leaf], low: int, high: int, depth: int) -> bytes:
    """The encoded node over leaves[low:high], which agree in their first `depth` nibbles."""
    first, last = leaves[low][0], leaves[high - 1][0]
    if high - low == 1:
        return rlp.encode_parts((rlp.encode(_hex_prefix(first[depth:], leaf=True)), rlp.encode(leaves[low][1])))
    shared = depth
    while shared < min(len(first), len(last)) and first[shared] == last[shared]:
        shared += 1
    if shared == depth:
        return _branch(leaves, low, high, depth)
    child = _reference(_branch(leaves, low, high, shared))
    return rlp.encode_parts((rlp.encode(_hex_prefix(first[depth:shared], leaf=False)), child))


def _branch(leaves: list[Leaf], low: int, high: int, depth: int) -> bytes:
    # No index key is a prefix of another (RLP is prefix-free), so a branch never carries a value of its own.
    children = [_EMPTY_STRING] * 17
    while low < high:
        nibble, end = leaves[low][0][depth], low + 1
        while end < high and leaves[end][0][depth] == nibble:
            end += 1
        children[nibble] = _reference(_node(leaves, low, end, depth + 1))
        low = end
    return rlp.encode_parts(children)


def _reference(node: bytes) -> bytes:
    return node if len(node) < 32 else b"\xa0" + keccak256(node)


def _hex_prefix(nibbles: bytes, *, leaf: bool) -> bytes:
    flag = 2 if leaf else 0
    padded = bytes((flag + 1,)) + nibbles if len(nibbles) % 2 else bytes((flag, 0)) + nibbles
    return bytes(padded[i] << 4 | padded[i + 1] for i in range(0, len(padded), 2))
