"""Tiles and checkpoints: the specification's examples, one path per tile, and a log rebuilt from its tiles alone."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from crypto import merkle, note, tlog
from crypto.errors import InvalidSignature, MalformedInput, ParameterError

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
LOG = note.Verifier("exchange.example/log", KEY.public_key().public_bytes_raw())
ROOT = bytes(range(32))
SIGNED = tlog.sign_checkpoint(tlog.Checkpoint(LOG.name, 70_000, ROOT), KEY)


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (tlog.Tile(0, 1234067), "tile/0/x001/x234/067"),
        (tlog.Tile(0, 0), "tile/0/000"),
        (tlog.Tile(1, 7, 17), "tile/1/007.p/17"),
        (tlog.Tile(None, 273, 112), "tile/entries/273.p/112"),
        (tlog.Tile(None, 1000), "tile/entries/x001/000"),
        (tlog.Tile(0, merkle.MAX_SIZE >> 8), "tile/0/x036/x028/x797/x018/x963/967"),
        (tlog.Tile(7, 0, 127), "tile/7/000.p/127"),
    ],
)
def test_tile_and_path_name_each_other(tile: tlog.Tile, path: str) -> None:
    assert tile.path == path
    assert tlog.parse_path(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/0/001/067",
        "tile/0/x001/x067",
        "tile/00/000",
        "tile/8/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/000.p/257",
        "tile/0/000.p/",
        "tile/entries/000/",
        "/tile/0/000",
        "tile/0/../000",
        "tile/0/x999/x999/x999/x999/x999/999",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
        "tile/7/001",
        "tile/0/٠٠٠",
        "tile/0/000\n",
    ],
)
def test_other_paths_name_no_tile(path: str) -> None:
    with pytest.raises(MalformedInput):
        tlog.parse_path(path)


def test_log_of_70000_entries_has_the_tiles_of_the_specification() -> None:
    tiles = list(tlog.tiles(70_000))
    hashes = [tile for tile in tiles if tile.level is not None]
    assert sum(tile.level == 0 and tile.width == 256 for tile in hashes) == 273
    partial = {(tile.level, tile.index, tile.width) for tile in hashes if tile.width < 256}
    assert partial == {(0, 273, 112), (1, 1, 17), (2, 0, 1)}
    assert [tile.index for tile in hashes if tile.level == 1] == [0, 1]
    assert len(tiles) - len(hashes) == 274
    assert all(tlog.exists(tile, 70_000) for tile in tiles)


def test_log_of_256_entries_has_a_full_tile_and_a_partial_one_above() -> None:
    assert [tile.path for tile in tlog.tiles(256)] == ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]
    assert list(tlog.tiles(0)) == []
    assert not tlog.exists(tlog.Tile(0, 0), 255)
    assert tlog.exists(tlog.Tile(0, 0, 3), 255)
    assert not tlog.exists(tlog.Tile(0, 1, 1), 256)


def test_auditor_rebuilds_root_and_proofs_from_tiles_and_bundles_alone() -> None:
    entries = [b"entry %d" % number * (number % 3) for number in range(70_000 // 64)]
    tree = merkle.Tree(map(merkle.leaf_hash, entries))
    bundles = [entries[start : start + 256] for start in range(0, len(entries), 256)]
    served = {tile.path: tlog.encode_tile(tile, tree.node) for tile in tlog.tiles(tree.size) if tile.level is not None}
    served |= {
        tile.path: tlog.encode_entries(bundles[tile.index]) for tile in tlog.tiles(tree.size) if tile.level is None
    }
    rebuilt = merkle.Tree()
    for tile in (tile for tile in tlog.tiles(tree.size) if tile.level is None):
        hashes = [merkle.leaf_hash(entry) for entry in tlog.decode_entries(tile, served[tile.path])]
        assert hashes == tlog.decode_tile(tile, served[tlog.Tile(0, tile.index, tile.width).path])
        for leaf in hashes:
            rebuilt.append(leaf)
    assert rebuilt.root() == tree.root()
    above = tlog.decode_tile(tlog.Tile(1, 0, 4), served["tile/1/000.p/4"])
    assert above == [rebuilt.node(8, index) for index in range(4)]


@pytest.mark.parametrize(
    ("level", "index", "width"), [(8, 0, 1), (-1, 0, 1), (0, -1, 1), (0, 0, 0), (0, 0, 257), (7, 1, 1)]
)
def test_tile_out_of_range_is_refused(level: int, index: int, width: int) -> None:
    with pytest.raises(ParameterError):
        tlog.Tile(level, index, width)


def test_tile_beyond_the_log_or_of_no_hashes_is_refused() -> None:
    tree = merkle.Tree([bytes(32)] * 3)
    with pytest.raises(ParameterError):
        tlog.encode_tile(tlog.Tile(0, 0, 4), tree.node)
    with pytest.raises(ParameterError):
        tlog.encode_tile(tlog.Tile(None, 0, 3), tree.node)


@pytest.mark.parametrize("data", [b"", bytes(31), bytes(33), bytes(64)])
def test_tile_of_another_length_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedInput):
        tlog.decode_tile(tlog.Tile(0, 0, 1), data)


def test_bundle_keeps_empty_and_largest_entries() -> None:
    entries = [b"", bytes(tlog.MAX_ENTRY_BYTES), b"x"]
    data = tlog.encode_entries(entries)
    assert data[:4] == b"\x00\x00\xff\xff"
    assert tlog.decode_entries(tlog.Tile(None, 0, 3), data) == entries


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x00\x01", b"\x00\x01a", b"\x00\x01a\x00\x01b\x00", b"\x00\x00" * 3])
def test_bundle_of_another_number_of_entries_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedInput):
        tlog.decode_entries(tlog.Tile(None, 0, 2), data)


def test_bundle_that_no_reader_could_read_is_not_written() -> None:
    for entries in ([], [b""] * 257, [bytes(tlog.MAX_ENTRY_BYTES + 1)]):
        with pytest.raises(ParameterError):
            tlog.encode_entries(entries)


def test_checkpoint_goes_there_and_back() -> None:
    assert SIGNED.startswith(
        b"exchange.example/log\n70000\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\n\xe2\x80\x94 "
    )
    assert tlog.open_checkpoint(SIGNED, LOG) == tlog.Checkpoint(LOG.name, 70_000, ROOT)


def test_checkpoint_of_another_key_or_log_is_refused() -> None:
    other = Ed25519PrivateKey.from_private_bytes(bytes(32))
    with pytest.raises(InvalidSignature):
        tlog.open_checkpoint(tlog.sign_checkpoint(tlog.Checkpoint(LOG.name, 1, ROOT), other), LOG)
    with pytest.raises(InvalidSignature):
        tlog.open_checkpoint(SIGNED.replace(b"70000", b"70001"), LOG)


@pytest.mark.parametrize(
    "text",
    [
        "exchange.example/log\n070\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
        "exchange.example/log\n-1\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
        "exchange.example/log\n9223372036854775808\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
        "exchange.example/log\n70\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==\n",
        "exchange.example/log\n70\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=\n",
        "exchange.example/log\n70\n",
        "another.example/log\n70\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
        "exchange.example/log\n70\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\nextension\n",
    ],
)
def test_signed_text_that_is_no_checkpoint_of_the_log_is_malformed(text: str) -> None:
    with pytest.raises(MalformedInput):
        tlog.open_checkpoint(note.sign_note(text, LOG.name, KEY), LOG)


def test_extension_lines_are_allowed() -> None:
    text = "exchange.example/log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\nextension\nanother\n"
    opened = tlog.open_checkpoint(note.sign_note(text, LOG.name, KEY), LOG)
    assert opened == tlog.Checkpoint(LOG.name, 0, merkle.EMPTY_ROOT)


@pytest.mark.parametrize(("size", "root"), [(-1, ROOT), (1 << 63, ROOT), (1, ROOT[:31])])
def test_checkpoint_out_of_range_is_not_signed(size: int, root: bytes) -> None:
    with pytest.raises(ParameterError):
        tlog.sign_checkpoint(tlog.Checkpoint(LOG.name, size, root), KEY)
