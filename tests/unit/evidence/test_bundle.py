"""A bundle is of one moment, whatever is written while it is made."""

import json
import zipfile
from pathlib import Path

from crypto import tlog
from marketplace.evidence import log
from marketplace.evidence.bundle import stream_bundle
from marketplace.evidence.service import LogSigner, make_checkpoint
from marketplace.storage.blobs import BlobStore
from marketplace.storage.engine import make_engine, session
from marketplace.storage.migrate import upgrade

NOW = 1_800_000_000
SIGNER = LogSigner("test.local/log", bytes(range(32)))


def test_a_bundle_s_checkpoint_covers_what_was_logged_since_the_last_one(tmp_path: Path) -> None:
    engine, blobs, target = make_engine(f"sqlite:///{tmp_path / 'a.db'}"), BlobStore(str(tmp_path)), tmp_path / "a.zip"
    upgrade(engine)
    for number in range(2):
        with session(engine) as opened:
            log.append(opened, "query.failed", NOW, query=str(number))
            if number == 0:
                make_checkpoint(opened, SIGNER, NOW)
    stream = stream_bundle(engine, blobs, {}, SIGNER.sign)
    parts = [next(stream), next(stream)]
    with session(engine) as opened:  # the stream has begun: this is of a later moment
        log.append(opened, "query.failed", NOW, query="2")
    target.write_bytes(b"".join([*parts, *stream]))
    engine.dispose()
    with zipfile.ZipFile(target) as archive:
        entries = archive.read("log/entries.jsonl").splitlines()
        signed = archive.read("log/checkpoint")
        recorded = [json.loads(line) for line in archive.read("log/checkpoints.jsonl").splitlines()]
    checkpoint = tlog.open_checkpoint(signed, SIGNER.verifier)
    assert (len(entries), checkpoint.size) == (2, 2)
    assert [item["size"] for item in recorded] == [1, 2]
    assert recorded[-1]["note"].encode() == signed
