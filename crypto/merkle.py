"""The Merkle tree of an append-only log: roots, inclusion proofs, consistency proofs, and their verification.

Rules of this file:
  - Hashing is RFC 6962's: SHA-256, a leaf is H(0x00 || entry), a node is H(0x01 || left || right), the empty tree H().
  - A tree of n entries splits at the largest power of two below n. It is not the sorted-pair tree of OpenZeppelin and
    not the padded tree of pymerkle: roots of these differ.
  - `node(level, index)` is the root of entries index * 2^level .. (index + 1) * 2^level, a perfect subtree. Proofs are
    made from such nodes alone, so memory (`Tree`), a table or tiles can hold them.
  - Verification takes only what the verifier already has; success returns nothing.

Assumes: SHA-256 is collision resistant. Leaks: a proof shows hashes of neighbours, which hide an entry only if it has
enough entropy of its own.
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

from crypto.errors import InvalidProof, ParameterError

Node = Callable[[int, int], bytes]

HASH_BYTES = 32
MAX_SIZE = 2**63 - 1
EMPTY_ROOT = sha256().digest()


def leaf_hash(entry: bytes) -> bytes:
    """Hash of one log entry, 32 bytes. Source: RFC 9162 section 2.1.1."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node over its two children, 32 bytes. Source: RFC 9162 section 2.1.1."""
    return sha256(b"\x01" + left + right).digest()


def root(entries: Iterable[bytes]) -> bytes:
    """Root of the tree over `entries`, 32 bytes.

    Source: RFC 9162 section 2.1.1. Cost: two hashes an entry, about 1.5 us.
    """
    return root_of_hashes([leaf_hash(entry) for entry in entries])


def root_of_hashes(hashes: Sequence[bytes]) -> bytes:
    """Root of the tree whose leaf hashes are given, 32 bytes each.

    Pairing neighbours level by level and carrying an odd last one up builds the same tree as RFC 9162's split at the
    largest power of two, because every left part is a perfect subtree.

    Raises:
        ParameterError: a hash is not 32 bytes.
    """
    if any(len(item) != HASH_BYTES for item in hashes):
        raise ParameterError("hashes: expected 32 bytes each")
    level = list(hashes)
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=False)
        level = [sha256(b"\x01" + left + right).digest() for left, right in pairs] + level[len(level) & ~1 :]
    return level[0] if level else EMPTY_ROOT


def inclusion_proof(index: int, size: int, node: Node) -> list[bytes]:
    """The sibling hashes from leaf `index` up to the root of the first `size` entries.

    Args:
        index: zero-based, 0 <= index < size.
        size: number of entries of the tree that the proof is for.
        node: see the module's rules.
    Returns:
        At most ceil(log2(size)) hashes of 32 bytes, leaf's sibling first.
    Raises:
        ParameterError: index or size is out of range.
    Source: RFC 9162 section 2.1.3.1.
    """
    _check_sizes(index + 1, size, "index + 1")
    path = []
    begin, end = 0, size
    while end - begin > 1:
        split = begin + _largest_power_below(end - begin)
        if index < split:
            path.append(_range_root(split, end, node))
            end = split
        else:
            path.append(_range_root(begin, split, node))
            begin = split
    return path[::-1]


def consistency_proof(old_size: int, size: int, node: Node) -> list[bytes]:
    """The hashes that show that the first `old_size` of `size` entries are unchanged.

    Args:
        old_size: 1 <= old_size <= size; for equal sizes the proof is empty.
        size: number of entries of the newer tree.
        node: see the module's rules.
    Raises:
        ParameterError: a size is out of range; nothing can be proved about the empty tree.
    Source: RFC 9162 section 2.1.4.1.
    """
    _check_sizes(old_size, size, "old_size")
    path = []
    begin, end = 0, size
    while end != old_size:
        split = begin + _largest_power_below(end - begin)
        if old_size <= split:
            path.append(_range_root(split, end, node))
            end = split
        else:
            path.append(_range_root(begin, split, node))
            begin = split
    # The verifier knows the old root, and it is this last subtree when nothing lies to its left.
    if begin:
        path.append(_range_root(begin, end, node))
    return path[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Check that `leaf` is entry `index` of the log of `size` entries whose root is `root`.

    Args:
        leaf: leaf hash, 32 bytes, already domain-separated (`leaf_hash`).
        index: zero-based, 0 <= index < size.
        path: sibling hashes from leaf to root, 32 bytes each, at most ceil(log2(size)).
        root: the trusted root, 32 bytes.
    Raises:
        ParameterError: index or a length is out of range.
        InvalidProof: the path is too short or too long, or leads to another root; the message gives both.
    Source: RFC 9162 section 2.1.3.2; numbers are its steps.
    """
    _check_sizes(index + 1, size, "index + 1")
    _check_hashes(leaf, root, *path)
    fn, sn = index, size - 1  # 2
    r = leaf  # 3
    for p in path:  # 4
        if sn == 0:  # 4.1
            raise InvalidProof(f"the path is too long for entry {index} of {size}")
        if fn & 1 or fn == sn:  # 4.2
            r = node_hash(p, r)
            fn, sn = _strip_right_border(fn, sn)
        else:
            r = node_hash(r, p)
        fn, sn = fn >> 1, sn >> 1  # 4.3
    if sn:  # 5
        raise InvalidProof(f"the path is too short for entry {index} of {size}")
    _check_root(r, root, "root")


def verify_consistency(old_size: int, old_root: bytes, size: int, root: bytes, path: Sequence[bytes]) -> None:
    """Check that the log of `size` entries under `root` only appends to that of `old_size` under `old_root`.

    Args:
        old_size: 1 <= old_size <= size.
        old_root: the root that is already trusted, 32 bytes.
        size: number of entries of the newer log.
        root: the newer root, 32 bytes.
        path: as `consistency_proof` makes it, 32 bytes each.
    Raises:
        ParameterError: a size or length is out of range; nothing can be proved about the empty tree.
        InvalidProof: the path has the wrong length, or leads to another old or new root.
    Source: RFC 9162 section 2.1.4.2; numbers are its steps.
    """
    _check_sizes(old_size, size, "old_size")
    _check_hashes(old_root, root, *path)
    if old_size == size:
        if path:
            raise InvalidProof("equal sizes need an empty path")
        _check_root(root, old_root, "root of the same size")
        return
    if not path:  # 1
        raise InvalidProof("the path is empty")
    steps = [old_root, *path] if old_size & (old_size - 1) == 0 else list(path)  # 2
    fn, sn = old_size - 1, size - 1  # 3
    while fn & 1:  # 4
        fn, sn = fn >> 1, sn >> 1
    fr = sr = steps[0]  # 5
    for c in steps[1:]:  # 6
        if sn == 0:  # 6.1
            raise InvalidProof(f"the path is too long for sizes {old_size} and {size}")
        if fn & 1 or fn == sn:  # 6.2
            fr, sr = node_hash(c, fr), node_hash(c, sr)
            fn, sn = _strip_right_border(fn, sn)
        else:
            sr = node_hash(sr, c)
        fn, sn = fn >> 1, sn >> 1  # 6.3
    if sn:  # 7
        raise InvalidProof(f"the path is too short for sizes {old_size} and {size}")
    _check_root(fr, old_root, "old root")
    _check_root(sr, root, "new root")


class Frontier:
    """The right edge of a log: enough to append and to tell the root, in O(log n) memory.

    Args:
        size: number of entries so far, 0 <= size < 2^63.
        hashes: roots of the perfect subtrees that make up the log, largest (leftmost) first; one for each set bit
            of `size`.
    Raises:
        ParameterError: size is out of range, or the hashes do not fit it.
    Source: "compact range" of the transparency-dev project; RFC 9162 section 2.1.2 builds the same stack.
    """

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        if not 0 <= size <= MAX_SIZE or len(hashes) != size.bit_count():
            raise ParameterError(f"expected one hash for each bit of the size {size}, got {len(hashes)}")
        _check_hashes(*hashes)
        self._size, self._hashes = size, list(hashes)

    @property
    def size(self) -> int:
        """Number of entries."""
        return self._size

    @property
    def hashes(self) -> tuple[bytes, ...]:
        """What to store so that `Frontier(size, hashes)` continues from here."""
        return tuple(self._hashes)

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash of 32 bytes. Cost: one hash on average, log2(n) at most."""
        _check_hashes(leaf)
        carry = self._size
        while carry & 1:
            leaf = node_hash(self._hashes.pop(), leaf)
            carry >>= 1
        self._hashes.append(leaf)
        self._size += 1

    def root(self) -> bytes:
        """Root over all entries, 32 bytes. Cost: at most log2(n) hashes."""
        return _fold(self._hashes) if self._hashes else EMPTY_ROOT


class Tree:
    """A whole log's hashes in memory: appends, nodes, roots and proofs for every size so far.

    Cost: about 130 bytes of memory and two hashes an entry; a root or proof takes O(log^2 n) look-ups.
    """

    def __init__(self, hashes: Iterable[bytes] = ()) -> None:
        self._levels: list[list[bytes]] = [[]]
        for leaf in hashes:
            self.append(leaf)

    @property
    def size(self) -> int:
        """Number of entries."""
        return len(self._levels[0])

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash of 32 bytes."""
        _check_hashes(leaf)
        level = 0
        self._levels[0].append(leaf)
        while len(self._levels[level]) % 2 == 0:
            if level + 1 == len(self._levels):
                self._levels.append([])
            self._levels[level + 1].append(node_hash(*self._levels[level][-2:]))
            level += 1

    def node(self, level: int, index: int) -> bytes:
        """Root of the perfect subtree `index` of `level`; see the module's rules.

        Raises:
            ParameterError: that subtree is not complete.
        """
        if not 0 <= level < len(self._levels) or not 0 <= index < len(self._levels[level]):
            raise ParameterError(f"a tree of {self.size} entries has no node {index} at level {level}")
        return self._levels[level][index]

    def root(self, size: int | None = None) -> bytes:
        """Root over the first `size` entries, all if not given.

        Raises:
            ParameterError: there are fewer entries.
        """
        size = self.size if size is None else size
        if not 0 <= size <= self.size:
            raise ParameterError(f"size: expected 0 .. {self.size}, got {size}")
        return _range_root(0, size, self.node) if size else EMPTY_ROOT


def _largest_power_below(size: int) -> int:
    return 1 << (size - 1).bit_length() - 1


def _cover(begin: int, end: int) -> list[tuple[int, int]]:
    """Perfect subtrees (level, index) of entries begin .. end, largest first; begin is a multiple of the first."""
    nodes = []
    while begin < end:
        level = (end - begin).bit_length() - 1
        nodes.append((level, begin >> level))
        begin += 1 << level
    return nodes


def _range_root(begin: int, end: int, node: Node) -> bytes:
    return _fold([node(level, index) for level, index in _cover(begin, end)])


def _fold(hashes: Sequence[bytes]) -> bytes:
    result = hashes[-1]
    for left in reversed(hashes[:-1]):
        result = node_hash(left, result)
    return result


def _strip_right_border(fn: int, sn: int) -> tuple[int, int]:
    # Steps 4.2.2 and 6.2.2: on the right border the node was carried up through levels without a sibling.
    while fn and not fn & 1:
        fn, sn = fn >> 1, sn >> 1
    return fn, sn


def _check_sizes(part: int, size: int, name: str) -> None:
    if not 1 <= part <= size <= MAX_SIZE:
        raise ParameterError(f"expected 1 <= {name} <= size < 2^63, got {part} and {size}")


def _check_hashes(*hashes: bytes) -> None:
    if any(len(item) != HASH_BYTES for item in hashes):
        raise ParameterError("expected hashes of 32 bytes")


def _check_root(got: bytes, expected: bytes, name: str) -> None:
    if got != expected:
        raise InvalidProof(f"{name}: expected {expected.hex()}, the path leads to {got.hex()}")
