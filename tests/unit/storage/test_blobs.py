"""Blobs by their digest, on a folder and on a file system that is none."""

import hashlib
import uuid
from pathlib import Path

import pytest

from marketplace.errors import InvalidInputError, NotFoundError, PortError
from marketplace.storage.blobs import BlobStore


@pytest.fixture(params=["folder", "file-url", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    urls = {"folder": str(tmp_path), "file-url": tmp_path.as_uri(), "memory": f"memory://{uuid.uuid4().hex}"}
    return BlobStore(urls[request.param], maximum_bytes=1_000)


def test_a_blob_comes_back_under_its_digest(store: BlobStore) -> None:
    digest = store.put(b"sealed")
    assert digest == "0x" + hashlib.sha256(b"sealed").hexdigest()
    assert store.put(b"sealed") == digest
    assert store.has(digest)
    assert store.get(digest) == b"sealed"


def test_the_empty_blob_is_a_blob(store: BlobStore) -> None:
    assert store.get(store.put(b"")) == b""


def test_an_unknown_blob_is_not_found(store: BlobStore) -> None:
    unknown = "0x" + "00" * 32
    assert not store.has(unknown)
    with pytest.raises(NotFoundError) as refusal:
        store.get(unknown)
    assert refusal.value.code == "blob_unknown"


def test_a_blob_above_the_limit_is_refused(store: BlobStore) -> None:
    store.put(b"x" * 1_000)
    with pytest.raises(InvalidInputError) as refusal:
        store.put(b"x" * 1_001)
    assert refusal.value.code == "blob_too_large"


@pytest.mark.parametrize("name", ["", "0x", "00" * 32, "0x" + "AB" * 32, "0x" + "00" * 31 + "..", "../../etc/passwd"])
def test_a_name_that_is_no_digest_never_becomes_a_path(store: BlobStore, name: str) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        store.get(name)
    assert refusal.value.code == "digest_malformed"


def test_storing_a_changed_blob_again_mends_it(tmp_path: Path) -> None:
    store = BlobStore(str(tmp_path))
    digest = store.put(b"sealed")
    (path,) = (path for path in tmp_path.rglob("*") if path.is_file())
    path.write_bytes(b"spoiled")
    assert store.put(b"sealed") == digest
    assert store.get(digest) == b"sealed"


@pytest.mark.parametrize("changed", [b"", b"Sealed", b"sealed!", b"x" * 5_000])
def test_a_changed_blob_is_not_returned(tmp_path: Path, changed: bytes) -> None:
    store = BlobStore(str(tmp_path), maximum_bytes=1_000)
    digest = store.put(b"sealed")
    (path,) = (path for path in tmp_path.rglob("*") if path.is_file())
    assert path.relative_to(tmp_path).as_posix() == f"{digest[2:4]}/{digest[4:6]}/{digest[2:]}"
    path.write_bytes(changed)
    with pytest.raises(PortError) as refusal:
        store.get(digest)
    assert refusal.value.code == "blob_corrupt"


def test_a_write_that_was_cut_off_leaves_no_blob(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut_off(_self: Path, _target: Path) -> Path:
        raise OSError("power cut")

    monkeypatch.setattr(Path, "replace", cut_off)
    store = BlobStore(str(tmp_path))
    with pytest.raises(OSError, match="power cut"):
        store.put(b"sealed")
    assert not store.has("0x" + hashlib.sha256(b"sealed").hexdigest())
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
