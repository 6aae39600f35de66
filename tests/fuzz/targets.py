"""What is fuzzed: one small function for every place that reads bytes somebody else wrote.

A target takes any bytes. It returns where they were read, and where they were refused by an error of ours
(MarketplaceError, CryptoError); any other error is a finding. What was read must hold a stated property: written again
it gives the same bytes, or another reader of ours gives the same value.

The Hypothesis tests beside this file and `scripts/fuzz` share these functions.
"""

import json
import struct
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from crypto import bech32, bls, canonical, credential, envelope, note, siwe, tlog, typed_data
from crypto.canonical import sha256
from crypto.errors import CryptoError, MalformedInput, ParameterError
from crypto.multikey import KeyKind, PublicKeyOfKind, parse_did_key
from crypto.seal.cells import open_chunk
from crypto.seal.evaluate import read_request
from crypto.seal.pad_wire import PAD_PROFILES, PadChunk, read_chunk, write_chunk
from crypto.seal.parameters import CELLS, PRODUCTS, ROWS
from crypto.seal.products import open_rows, read_product
from crypto.seal.wire import blob_size, read_blob, write_blob
from marketplace import calls, documents
from marketplace.auditor import lines
from marketplace.auditor.bundle import Bundle, Limits, ZipBundle
from marketplace.auditor.ethereum import headers, receipts, rlp, transactions
from marketplace.documents.dids import did_ethr, parse_did_ethr
from marketplace.documents.identifiers import Kind, identifier, parse_identifier
from marketplace.errors import MarketplaceError, RuleError
from marketplace.intents import CONTRACTS
from marketplace.panel.agent import PanelAgent
from marketplace.queries.answers.answer import Papers, assemble
from marketplace.queries.language.sql import parse_sql
from marketplace.queries.language.terms import Count
from marketplace.queries.planning.plan import make_plan
from marketplace.refusals import from_revert
from marketplace.sdk.http.foreign import parse_json
from marketplace.sdk.http.problems import from_response
from marketplace.sdk.http.profile import parse_profile
from marketplace.vault.agent import VaultAgent
from marketplace.vault.keeping.custody import open_package
from marketplace.vault.sealing.reading import read_batches
from marketplace.vault.sealing.schema import parse_schema
from tests.fuzz import seeds
from tests.sealed_market import DEPLOYMENT, SCHEMA, keys
from tests.unit.crypto.seal.samples import resealed

REFUSALS = (MarketplaceError, CryptoError)
_PROFILES = (CELLS, ROWS, PRODUCTS)
_OVERLAY = 160  # bytes of a blob that a short input may change: the header, the seed, and the first coefficients
_NUMBER, _PRODUCT = b"sealed number, c1, version 1\n", b"sealed product, c1 and c2, version 1\n"
_REQUEST_LINES = {CELLS.name: (_NUMBER, 1), ROWS.name: (_NUMBER, 1), PRODUCTS.name: (_PRODUCT, 2)}
_SMALL = Limits(members=50, file_bytes=1 << 20, line_bytes=1 << 16, total_bytes=1 << 22)


@dataclass(frozen=True)
class Target:
    """One reader of foreign bytes.

    Args:
        read: raises one of REFUSALS, or anything else where there is a finding.
        seeds: real artefacts in this target's form.
    """

    read: Callable[[bytes], None]
    seeds: Callable[[], Sequence[bytes]]


def run(name: str, data: bytes) -> bool:
    """Feed one input to a target; whether it was read. Whatever is raised here is a finding."""
    try:
        TARGETS[name].read(data)
    except REFUSALS:
        return False
    return True


def _wire(data: bytes) -> None:
    """A real blob with its first and last bytes replaced: byte 0 picks the profile (2 bits), whether the checksum is
    made right again (4), whether the length is changed (8)."""
    flags, rest = data[0] if data else 0, data[1:]
    profile = _PROFILES[flags % 3]
    real = seeds.blobs()[profile]
    head, tail = rest[:_OVERLAY], rest[_OVERLAY : _OVERLAY + 64]
    blob = head + real[len(head) : len(real) - len(tail)] + tail
    if flags & 8:
        blob = blob[: len(blob) - len(rest)] if flags & 16 else blob + rest
    blob = resealed(blob) if flags & 4 and len(blob) >= 64 else blob
    parsed = read_blob(profile, blob)
    assert len(blob) == blob_size(profile)
    assert write_blob(profile, parsed) == blob
    opened = open_rows(profile, blob) if profile is PRODUCTS else open_chunk(profile, blob)
    assert opened.count == parsed.count


def _wire_seeds() -> list[bytes]:
    found = []
    for index, profile in enumerate(_PROFILES):
        head = seeds.blobs()[profile][:_OVERLAY]
        found += [bytes((index | flags,)) + head for flags in (0, 4, 12, 28)]
    top = struct.pack("<Q", CELLS.data_primes[0])
    return [*found, b"\x04" + seeds.blobs()[CELLS][:128] + top + bytes(24) + b"\xff" * 64]


def _request(data: bytes) -> None:
    """What a panel node uploads for a key holder: a domain line, a parameter set's digest, and words. Byte 0 picks the
    parameter set (2 bits) and how much longer than it should be it is (2 bits)."""
    flags = data[0] if data else 0
    profile = _PROFILES[flags % 3]
    line, count = _REQUEST_LINES[profile.name]
    size = len(line) + 16 + 8 * count * profile.words + (flags >> 2 & 3)
    request = data[1:].ljust(size, b"\0")[:size]
    if profile is PRODUCTS:
        product = read_product(profile, 0, request)
        words = np.concatenate([product.c1, product.c2], axis=1)
    else:
        words = read_request(profile, request)
    assert (words < np.array(profile.data_primes, dtype=np.uint64)[:, None]).all()


def _request_seeds() -> list[bytes]:
    heads = [_REQUEST_LINES[profile.name][0] + profile.digest for profile in _PROFILES]
    return [bytes((index,)) + head + tail for index, head in enumerate(heads) for tail in (b"", b"\xff" * 8)]


def _json(data: bytes) -> None:
    """Three readers of JSON agree: the strict one, the auditor's fast one, and the SDK's tolerant one."""
    fast, canon = _outcome(lines.parse, data), _outcome(canonical.load_canonical, data)
    assert fast == canon, (fast, canon)
    try:
        tolerant = parse_json(data)
    except ValueError:
        tolerant = None
    value = canonical.load_json(data)
    assert value == tolerant
    assert canonical.load_canonical(canonical.canonical_json(value)) == value


def _outcome(read: Callable[[bytes], Any], data: bytes) -> tuple[str, Any]:
    try:
        return "read", read(data)
    except MalformedInput:
        return "refused", None


def _document(data: bytes) -> None:
    """Any document; a manifest also as the data set of a question, a query also as a question to a data set."""
    value = documents.validate(canonical.load_json(data))
    assert canonical.load_canonical(documents.canonical(value)) == value
    if value["type"] == "query":
        make_plan(seeds.market().manifest, value)
    if value["type"] == "manifest":
        documents.ciphertext_root(value)
        make_plan(value, _count())


@cache
def _question() -> dict[str, Any]:
    return seeds.documents()[0]


def _count() -> dict[str, Any]:
    """The question how many rows there are."""
    return {**_question(), "select": [Count().document()], "where": None, "groupBy": []}


def _task(data: bytes) -> None:
    """What the service hands to a vault: it is decided, which is a release, or a refusal that the vault signs."""
    decision = seeds.market().vault.decide(canonical.load_json(data), seeds.NOW)
    assert (decision.refusal is None) != (decision.release is None)


class _Operator:
    """A service that answers a node's question for tasks with any JSON, and has one document."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def post(self, path: str, body: Any, *, repeatable: bool = False, wait: float = 0) -> Any:
        return self.answer if path.endswith("/tasks") else {}

    @lru_cache  # noqa: B019 - as the sdk's client, which must not be asked for what cannot be hashed
    def get_document(self, digest: str) -> Any:
        return seeds.market().manifest

    def put_request(self, query: str, content: bytes) -> str:
        return query


def _panel_task(data: bytes) -> None:
    """What the operator hands to a panel node."""
    node = seeds.market().nodes[0]
    PanelAgent(_Operator(canonical.load_json(data)), node, lambda _en, _zh: None).step()


def _vault_task(data: bytes) -> None:
    """The same for the loop of a vault."""
    agent = VaultAgent(_Operator(canonical.load_json(data)), seeds.market().vault, lambda _en, _zh: None)
    agent.step()


def _custodian(data: bytes) -> None:
    """The same for a custodian, which is handed the vault's release and shares too."""
    decision = seeds.split().custodian.decide(canonical.load_json(data), seeds.NOW)
    assert (decision.refusal is None) != (decision.release is None)


def _custody(data: bytes) -> None:
    """A file that brings a half of a key: as it came, and signed anew by the key that its manifest names."""
    value, own = canonical.load_json(data), keys("custodian")
    try:
        open_package(value, own)
    except MarketplaceError:
        if not isinstance(value, dict) or "signature" not in value:
            raise
        body = {name: item for name, item in value.items() if name != "signature"}
        signed = sha256(b"marketplace/custody/v1\n" + canonical.canonical_json(body))
        signature = typed_data.sign(signed, keys("supplier").signing_key)
        open_package({**body, "signature": canonical.to_hex(signature)}, own)


def _answer(data: bytes) -> None:
    """What a buyer fetches: checked and put together, each member as the service would name it."""
    value = canonical.load_json(data)
    if not isinstance(value, dict):
        raise MalformedInput("an object")
    fetched, order = seeds.papers()
    found: dict[str, Any] = {name: value.get(name) for name in fetched} | {"query": fetched["query"]}
    extra: dict[str, Any] = {name: value.get(name) for name in ("custodian_shares", "custodian_release")}
    own: dict[str, Any] = {"manifest": seeds.market().manifest, "terms": order.papers.terms}
    papers = Papers(**own, **found, **extra)
    answer = assemble(papers, order.buyer.x25519, DEPLOYMENT)
    assert len(answer.rows()) + len(answer.suppressed) == 3


def _profile(data: bytes) -> None:
    """What a service says about itself, which may be any JSON."""
    try:
        value = parse_json(data)
    except ValueError:
        raise MalformedInput("no JSON") from None
    assert parse_profile(value).fee_bps is not None


def _problem(data: bytes) -> None:
    """An unsuccessful answer always becomes an error of ours, which can be shown."""
    for status in (400, 404, 409, 429, 500):
        error = from_response(httpx.Response(status, content=data))
        assert error.code
        assert str(error)
        assert isinstance(error.as_dict(), dict)


def _pads(data: bytes) -> None:
    """A chunk of padded values: byte 0 picks the parameter set and whether the checksum is made right again."""
    flags, blob = data[0] if data else 0, data[1:]
    profile = list(PAD_PROFILES.values())[flags % 3]
    if flags & 4 and len(blob) >= 64:
        blob = resealed(blob)
    assert write_chunk(read_chunk(profile, blob)) == blob


def _pad_seeds() -> list[bytes]:
    words = np.arange(5)
    chunks = [PadChunk(item, bytes(16), 0, words.astype(np.uint64)) for item in PAD_PROFILES.values()]
    return [bytes((index | flags,)) + write_chunk(chunk) for index, chunk in enumerate(chunks) for flags in (0, 4)]


def _sql(data: bytes) -> None:
    """Query text to a query document, and that to a plan."""
    text = data.decode("utf-8", "surrogateescape")  # JSON can carry lone surrogates, so text from outside may have them
    parsed = parse_sql(text, seeds.market().manifest)
    same = ("order", "asset", "epsilon", "recipient", "sequence")
    question = {name: _question()[name] for name in same} | {"ciphertext_root": _question()["ciphertextRoot"]}
    make_plan(seeds.market().manifest, parsed.document(**question))


def _note(data: bytes) -> None:
    """A note as it came, and the same text signed, so that what stands behind the signature is read too."""
    verifier = note.Verifier(seeds.ORIGIN, seeds.keys().ed25519.public_key().public_bytes_raw())
    try:
        tlog.open_checkpoint(data, verifier)
    except CryptoError:
        text = data.rpartition(b"\n\n")[0].decode("utf-8", "replace") + "\n"
        signed = note.sign_note(text, seeds.ORIGIN, seeds.keys().ed25519)
        assert note.open_note(signed, [verifier]) == text
        found = tlog.open_checkpoint(signed, verifier)
        assert text.startswith(f"{found.origin}\n{found.size}\n")


def _verifier(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    assert note.parse_verifier(text).to_text() == text


def _verifier_seeds() -> list[bytes]:
    return [note.Verifier(seeds.ORIGIN, seeds.keys().ed25519.public_key().public_bytes_raw()).to_text().encode()]


def _tile(data: bytes) -> None:
    """The path of a tile up to the first line feed, then its bytes."""
    path, _, content = data.partition(b"\n")
    tile = tlog.parse_path(path.decode("utf-8", "replace"))
    assert tile.path.encode() == path
    if tile.level is None:
        assert tlog.encode_entries(tlog.decode_entries(tile, content)) == content
    else:
        assert b"".join(tlog.decode_tile(tile, content)) == content


def _rlp(data: bytes) -> None:
    """RLP has one form: what was decoded encodes to the same bytes."""
    assert rlp.encode(rlp.decode(data)) == data


def _transaction(data: bytes) -> None:
    transactions.decode(data)


def _chain(data: bytes) -> None:
    """Header and receipt objects of a bundle."""
    value = canonical.load_json(data)
    if not isinstance(value, dict):
        raise MalformedInput("an object")
    header = headers.from_rpc(value) if "parentHash" in value else receipts.from_rpc(value)
    assert rlp.encode(rlp.decode(header.encoded.lstrip(b"\x01\x02"))) == header.encoded.lstrip(b"\x01\x02")


def _revert(data: bytes) -> None:
    """Revert data always becomes an error of ours."""
    assert isinstance(from_revert(data), RuleError)


def _calldata(data: bytes) -> None:
    """A transaction's data to any contract: byte 0 picks it. A batch is read in two ways that agree."""
    contract, calldata = CONTRACTS[(data[0] if data else 0) % len(CONTRACTS)], data[1:]
    verb, arguments = calls.decode_call(contract, calldata)
    if verb == calls.SUBMIT:
        assert [canonical.to_hex(member) for member in calls.batch_members(calldata)] == arguments[0]
    else:
        calls.signers_of(contract, verb, arguments, "0x" + "11" * 20)


def _event(data: bytes) -> None:
    """A log of a receipt: byte 0 picks the contract, byte 1 the number of topics."""
    contract, topics = CONTRACTS[(data[0] if data else 0) % len(CONTRACTS)], (data[1] if len(data) > 1 else 0) % 5
    words = [data[2 + 32 * index : 34 + 32 * index] for index in range(topics)]
    event = calls.decode_event(contract, words, data[2 + 32 * topics :])
    assert event.contract == contract


def _bundle(data: bytes) -> None:
    """A zip of any kind, read whole within small limits."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "bundle.zip")
        path.write_bytes(data)
        with ZipBundle(path, _SMALL) as bundle:
            for name in sorted(bundle.names()):
                assert ".." not in name
                _read_member(bundle, name)


def _read_member(bundle: Bundle, name: str) -> None:
    try:
        assert len(bundle.read(name, 1 << 20)) <= 1 << 20
        for line in bundle.lines(name):
            lines.parse(line)
    except MalformedInput:
        return


def _credential(data: bytes) -> None:
    """A certificate; and whatever stands in it under the right signature."""
    value = canonical.load_json(data)
    if not isinstance(value, dict):
        raise MalformedInput("an object")
    public = seeds.keys().ed25519.public_key().public_bytes_raw()
    try:
        credential.verify(value, public, now=seeds.NOW)
    except CryptoError:
        body = {name: item for name, item in value.items() if name != "proof"}
        credential.verify(credential.issue(body, seeds.keys().ed25519, created=seeds.NOW), public, now=seeds.NOW)


def _sign_in(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    parsed = siwe.parse(text)
    try:
        assert siwe.parse(parsed.to_text()) == parsed
    except ParameterError:
        raise AssertionError(f"read, but not written: {parsed}") from None


def _bls(data: bytes) -> None:
    """48 bytes of a public key, 96 of a signature, 96 of a proof of possession, each alone and together."""
    public, signature, proof = data[:48], data[48:144], data[144:240]
    found = []
    for check in (
        lambda: bls.verify(public, b"m", signature),
        lambda: bls.verify_possession(public, proof),
        lambda: bls.aggregate([signature, proof]),
        lambda: bls.verify_aggregate([public], b"m", signature),
    ):
        try:
            check()
        except CryptoError as error:
            found.append(error)
    if found:
        raise found[0]


def _envelope(data: bytes) -> None:
    envelope.unseal(seeds.keys().x25519, data, info=b"fuzz", aad=b"")


def _table(data: bytes) -> None:
    """A supplier's file: CSV where byte 0 is even, Parquet where it is odd."""
    suffix = ".parquet" if data[:1] and data[0] & 1 else ".csv"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "rows" + suffix)
        path.write_bytes(data[1:])
        for batch in read_batches(path, ["origin", "delay"]):
            assert batch.table.num_rows > 0


def _schema(data: bytes) -> None:
    """A supplier's description of its columns, as parsed TOML or JSON."""
    value = canonical.load_json(data)
    if not isinstance(value, dict):
        raise MalformedInput("an object")
    parse_schema(value)


def _identifier(data: bytes) -> None:
    """An identifier or a DID, as it came; and the same with its checksum made anew."""
    text = data.decode("utf-8", "replace")
    try:
        found = parse_identifier(text)
    except MarketplaceError:
        if text.startswith("did:key:"):
            assert parse_did_key(text).did == text
        if text.startswith("did:ethr:"):
            chain, address = parse_did_ethr(text)
            assert did_ethr(chain, address) == text.lower()
        prefix, _, rest = text.partition("1")
        found = parse_identifier(bech32.encode(prefix, rest.encode()[:20].ljust(20, b"a")))
    assert parse_identifier(str(found)) == found == parse_identifier(found.grouped)


def _identifier_seeds() -> list[bytes]:
    own = identifier(Kind.PARTY, seeds.keys().address)
    public = PublicKeyOfKind(KeyKind.ED25519, seeds.keys().ed25519.public_key().public_bytes_raw())
    texts = [str(own), own.grouped, str(identifier(Kind.ORDER, "0x" + "5a" * 32)), public.did]
    return [text.encode() for text in (*texts, did_ethr(20260, seeds.keys().address))]


def _documents() -> list[bytes]:
    return [canonical.canonical_json(item) for item in seeds.documents()]


def _service() -> dict[str, Any]:
    log = {"origin": seeds.ORIGIN, "key": "0x" + "07" * 32}
    return {"chainId": 31337, "contracts": dict(DEPLOYMENT.addresses), "log": log, "feeBps": 250}


TARGETS: dict[str, Target] = {
    "wire": Target(_wire, _wire_seeds),
    "request": Target(_request, _request_seeds),
    "json": Target(_json, seeds.json_texts),
    "document": Target(_document, _documents),
    "task": Target(_task, lambda: [canonical.canonical_json(seeds.task_document())]),
    "panel": Target(_panel_task, seeds.panel_tasks),
    "vault": Target(_vault_task, lambda: [canonical.canonical_json({"task": seeds.task_document()})]),
    "custodian": Target(_custodian, lambda: [canonical.canonical_json(seeds.custodian_task_document())]),
    "custody": Target(_custody, lambda: [canonical.canonical_json(item) for item in seeds.custody_files()]),
    "answer": Target(_answer, lambda: [canonical.canonical_json(seeds.papers()[0])]),
    "profile": Target(_profile, lambda: [json.dumps(_service()).encode()]),
    "problem": Target(_problem, lambda: [b'{"code":"x","detail":"y","zh":"z","expected":[1],"got":null,"hint":"h"}']),
    "pads": Target(_pads, _pad_seeds),
    "sql": Target(_sql, lambda: [text.encode() for text in seeds.SQL]),
    "note": Target(_note, lambda: [seeds.signed_note()]),
    "verifier": Target(_verifier, _verifier_seeds),
    "tile": Target(_tile, lambda: [b"tile/0/x001/067.p/2\n" + bytes(64), b"tile/entries/000.p/1\n\x00\x02ab"]),
    "rlp": Target(_rlp, lambda: [*seeds.transactions(), b"\xc3\xc0\x80\x01", b"\xb8\x38" + b"a" * 56]),
    "transaction": Target(_transaction, seeds.transactions),
    "chain": Target(_chain, lambda: [canonical.canonical_json(item) for item in (seeds.header(), seeds.receipt())]),
    "revert": Target(_revert, seeds.reverts),
    "calldata": Target(_calldata, seeds.calldata),
    "event": Target(_event, seeds.logs),
    "bundle": Target(_bundle, lambda: [seeds.bundle_zip()]),
    "credential": Target(_credential, lambda: [canonical.canonical_json(seeds.certificate())]),
    "signin": Target(_sign_in, lambda: [seeds.sign_in()]),
    "identifier": Target(_identifier, _identifier_seeds),
    "bls": Target(_bls, lambda: [seeds.bls_parts()]),
    "envelope": Target(_envelope, lambda: [seeds.sealed_shares()]),
    "table": Target(_table, seeds.tables),
    "schema": Target(_schema, lambda: [canonical.canonical_json(SCHEMA)]),
}
