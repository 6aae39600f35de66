"""A bundle is hostile input: names, links, sizes and damaged packing are refused before anything is believed."""

import json
import os
import stat
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import canonical
from crypto.errors import MalformedInput
from marketplace.auditor import lines
from marketplace.auditor.bundle import Limits, open_bundle
from marketplace.auditor.verifier import audit
from marketplace.errors import InvalidInputError
from tests.bundles import Made


def _zip(path: Path, *members: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def test_zip_and_folder_say_the_same(made: Made, tmp_path: Path) -> None:
    for path in (made.write(tmp_path / "bundle.zip"), made.unpack(tmp_path / "bundle")):
        with open_bundle(path) as bundle:
            assert audit(bundle, made.trust, reexecute=1).passed


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "/etc/passwd",
        "a/../../b",
        "C:/x",
        "a\\b",
        "A.txt",
        "a//b",
        ".hidden",
        "a/b/c/d/e",
        "x" * 101,
        "é",
        "a b",
    ],
)
def test_names_that_could_lead_astray_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInputError, match="name"), open_bundle(_zip(tmp_path / "b.zip", (name, b"x"))):
        pass


def test_a_name_twice_is_refused(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = _zip(tmp_path / "b.zip", ("a", b"1"), ("a", b"2"))
    with pytest.raises(InvalidInputError, match="twice"):
        open_bundle(path)


def test_links_and_devices_are_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(InvalidInputError, match="link"):
        open_bundle(_zip(tmp_path / "b.zip", (link, b"/etc/passwd")))
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "profile.json").symlink_to("/etc/passwd")
    with pytest.raises(InvalidInputError, match="link"):
        open_bundle(folder)
    (folder / "profile.json").unlink()
    os.mkfifo(folder / "profile.json")
    with pytest.raises(InvalidInputError, match="device"):
        open_bundle(folder)


def test_other_packing_and_encryption_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="deflate"):
        open_bundle(_zip(tmp_path / "b.zip", ("a", b"1"), method=zipfile.ZIP_LZMA))
    path = _zip(tmp_path / "c.zip", ("a", b"1"))
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1  # the flag "encrypted" of the central directory
    path.write_bytes(bytes(content))
    with pytest.raises(InvalidInputError, match="encrypted"):
        open_bundle(path)


def test_bombs_are_refused_or_read_only_to_their_limit(tmp_path: Path) -> None:
    path = _zip(tmp_path / "b.zip", ("a", bytes(64 << 20)))
    with pytest.raises(InvalidInputError, match="unpack"):
        open_bundle(path)
    with open_bundle(path, Limits(ratio=2000)) as bundle, pytest.raises(MalformedInput, match="longer"):
        bundle.read("a", 1 << 20)
    with open_bundle(path, Limits(ratio=2000)) as bundle, pytest.raises(MalformedInput, match="line"):
        list(bundle.lines("a"))
    with (
        open_bundle(path, Limits(ratio=2000, total_bytes=1 << 20)) as bundle,
        pytest.raises(MalformedInput, match="more"),
    ):
        bundle.read("a", 100 << 20)


def test_a_lying_size_does_not_help(tmp_path: Path) -> None:
    path = _zip(tmp_path / "b.zip", ("a", b"hello world, hello world, hello world"))
    content = bytearray(path.read_bytes())
    at = content.index(b"PK\x01\x02") + 24
    content[at : at + 4] = (3).to_bytes(4, "little")
    path.write_bytes(bytes(content))
    with open_bundle(path) as bundle, pytest.raises(MalformedInput):
        bundle.read("a", 1000)


def test_too_many_files_and_damage(tmp_path: Path) -> None:
    path = _zip(tmp_path / "b.zip", ("a", b"1"), ("b", b"2"))
    with pytest.raises(InvalidInputError, match="more than 1 files"):
        open_bundle(path, Limits(members=1))
    content = path.read_bytes()
    for damaged in (content[:-10], b"", b"PK", content[10:]):
        path.write_bytes(damaged)
        try:
            with open_bundle(path) as bundle, pytest.raises(MalformedInput):
                bundle.read("a", 10)
        except InvalidInputError:
            continue
    with pytest.raises(InvalidInputError, match="no folder or file"):
        open_bundle(tmp_path / "nothing")


@given(st.binary(max_size=60), st.integers(0, 400), st.integers(1, 255))
def test_a_damaged_zip_never_crashes_the_reader(noise: bytes, position: int, flip: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = _zip(Path(folder) / "b.zip", ("a", noise), ("b/c.json", b"{}"))
        content = bytearray(path.read_bytes())
        content[position % len(content)] ^= flip
        path.write_bytes(bytes(content))
        try:
            with open_bundle(path) as bundle:
                for name in bundle.names():
                    bundle.read(name, 1000)
        except (InvalidInputError, MalformedInput):
            pass


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**54), 2**54) | st.text(max_size=8) | st.floats(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(JSON, st.sampled_from([(",", ":"), (", ", ": ")]), st.booleans(), st.booleans())
def test_the_fast_reader_of_canonical_json_agrees_with_the_strict_one(
    value: object, separators: tuple[str, str], ascii_only: bool, ordered: bool
) -> None:
    text = json.dumps(value, separators=separators, ensure_ascii=ascii_only, sort_keys=ordered)
    _agree(text.encode("utf-8", "surrogatepass"))


@given(st.binary(max_size=40))
def test_the_fast_reader_agrees_on_any_bytes(content: bytes) -> None:
    _agree(content)


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":2}',
        "[-0]",
        "[1.0]",
        "[1e2]",
        "[NaN]",
        '["\\u0061"]',
        '["\\/"]',
        '["\\ud800"]',
        "[" * 40 + "]" * 40,
        "[" * 32 + "]" * 32,
        "[" * 33 + "]" * 33,
        "[9007199254740992]",
        "[9007199254740991]",
        "[01]",
        "\ufeff[]",
        "[1] ",
    ],
)
def test_the_fast_reader_agrees_on_the_edges(text: str) -> None:
    _agree(text.encode())


def _agree(content: bytes) -> None:
    try:
        expected = canonical.load_canonical(content, max_bytes=len(content))
    except MalformedInput:
        with pytest.raises(MalformedInput):
            lines.parse(content)
        return
    assert lines.parse(content) == expected
