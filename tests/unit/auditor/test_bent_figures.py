"""Every figure of a bundle, bent by whoever runs the market: each is named where it stands.

Nothing is picked by hand: rows, words of events, amounts in signed calls, documents that the log names, profile and
papers are walked, and every one of their figures is bent once. Where all can be bent in one audit, they are.
"""

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from crypto.canonical import canonical_json
from marketplace.auditor import findings
from marketplace.auditor.findings import Report
from marketplace.auditor.ledger.chain import Block
from marketplace.auditor.ledger.replay import Replay
from marketplace.auditor.papers_in_hand import Paper
from marketplace.auditor.readmodel.rows import KEYS, Placed, Tables
from marketplace.auditor.trust import Seen
from marketplace.auditor.usage.attestations import Attestations, verifiers
from marketplace.auditor.usage.queries import RELEASED
from marketplace.auditor.verifier import Ledger, audit, derive, follow_log, read_ledger
from marketplace.calls import batch_members, decode_call, encode_batch, encode_call, is_batch
from tests.bundles import Made
from tests.memory import MemoryBundle
from tests.unit.auditor.forger import ENTRIES, Forger, tables_of
from tests.unit.auditor.test_papers_in_hand import NOW, papers_of_sale, statement_of

Json = dict[str, Any]
Path = tuple[str | int, ...]
MONEY = {"amount", "escrow", "epsilon", "epsilonCap", "epsilonBudget", "calls", "price", "currency", "limit", "legs"}
MONEY |= {"bps", "shareBps"}
PAPERS = {*RELEASED, "refusal"}
WHICH = {(name,) for name in ("type", "seller", "buyer", "period", "currency", "account")}  # another paper
AGREED = {("terms", name) for name in ("buyerCap", "epsilonPerQueryMax", "minimumCohort", "panel.threshold")}
NO_CALL = b"\x12\x34"  # is in the story, too


@pytest.fixture
def everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """A report that shows every finding, not fifty of a kind."""
    monkeypatch.setattr(findings, "MAX_FINDINGS_PER_CODE", 10**6)


def _figures(value: Any, path: Path = ()) -> Iterator[Path]:
    """Where the integers stand."""
    if isinstance(value, dict):
        for name in value:
            yield from _figures(value[name], (*path, name))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _figures(item, (*path, place))
    elif type(value) is int:
        yield path


def _leaves(value: Any, path: Path = ()) -> Iterator[Path]:
    """Where anything stands that is no object and no list."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not isinstance(value, dict | list):
        yield path
    for name, item in items:
        yield from _leaves(item, (*path, name))


def _bend(value: Any, path: Path) -> Any:
    """A copy with another value of the same kind in that place."""
    if not path:
        return _other(value)
    copy = deepcopy(value)
    place = copy
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = _other(place[path[-1]])
    return copy


def _other(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    return "x" if value is None else value[:-1] + ("1" if value[-1:] != "1" else "2")


@pytest.mark.usefixtures("everything")
def test_every_field_of_every_row(made: Made) -> None:
    forger, expected = Forger(made), set()
    for table, key in KEYS.items():
        rows = forger.lines(f"read_model/{table}.jsonl")
        for row in rows:
            name = f"{table}[{', '.join(str(row[part]) for part in key)}]"
            for field in row.keys() - set(key):
                row[field] = {**row[field], "block": 10**6} if field == "event" else _bent_field(row[field])
                expected.add(f"{name}.{field}")
        forger.write(f"read_model/{table}.jsonl", rows)
    found = {item.subject for item in forger.report().findings if item.code == "row_field"}
    assert found == expected
    assert len(expected) > 900


def _bent_field(value: Any) -> Any:
    return [*value, "0x"] if isinstance(value, list) else _other(value)


@pytest.fixture(scope="module")
def ledger(made: Made) -> Ledger:
    """The parsed ledger of the true bundle."""
    report = Report()
    found = read_ledger(MemoryBundle(made.files), made.trust, Seen(), report)
    assert found is not None
    assert report.passed
    return found


def _replayed(ledger: Ledger, changed: dict[int, Block]) -> Report:
    """Step 5 over the ledger with some blocks in the place of its own, up to the last of them."""
    report = Report()
    last = max(changed)
    blocks = {number: block for number, block in (ledger.blocks | changed).items() if number <= last}
    with report.step(5):
        Replay(ledger.genesis, ledger.roots.deployment, report).run(blocks)
    return report


@pytest.mark.usefixtures("everything")
def test_every_word_of_every_event(ledger: Ledger) -> None:
    words = {
        (number, position, index, word)
        for number, block in ledger.blocks.items()
        for position, receipt in enumerate(block.receipts)
        for index, log in enumerate(receipt.logs)
        for word in range(len(log.topics) - 1 + len(log.data) // 32)
    }
    assert len(words) > 500
    for chosen in range(1 + max(word for *_, word in words)):
        bent = {tuple(place): word for *place, word in words if word == chosen}
        report = _replayed(
            ledger, {number: _with_bent_events(ledger.blocks[number], number, bent) for number, *_ in bent}
        )
        subjects = " \n".join(f"{item.subject} " for item in report.findings)
        for number, position, index in bent:
            assert f"block {number} transaction {position} log {index} " in subjects


def _with_bent_events(block: Block, number: int, bent: dict[Any, int]) -> Block:
    receipts = []
    for position, receipt in enumerate(block.receipts):
        logs = [
            _with_bent_word(log, bent[number, position, index]) if (number, position, index) in bent else log
            for index, log in enumerate(receipt.logs)
        ]
        receipts.append(replace(receipt, logs=tuple(logs)))
    return replace(block, receipts=receipts)


def _with_bent_word(log: Any, word: int) -> Any:
    """Indexed arguments come first, then the words of the data."""
    indexed = len(log.topics) - 1
    if word < indexed:
        topics = list(log.topics)
        topics[1 + word] = _more(topics[1 + word])
        return replace(log, topics=tuple(topics))
    at = 32 * (word - indexed)
    return replace(log, data=log.data[:at] + _more(log.data[at : at + 32]) + log.data[at + 32 :])


def _more(word: bytes) -> bytes:
    return ((int.from_bytes(word, "big") + 1) % 2**256).to_bytes(32, "big")


def test_every_amount_that_somebody_signed(ledger: Ledger) -> None:
    names = {address: name for name, address in ledger.roots.deployment.addresses.items()}
    seen: set[tuple[str, str, Path]] = set()
    for number, block in ledger.blocks.items():
        for position, transaction in enumerate(block.transactions):
            contract = names.get(transaction.to or "")
            for calldata, verb, path in _amounts(contract, transaction.data) if contract else ():
                if contract and (contract, verb, path) not in seen:
                    seen.add((contract, verb, path))
                    sent = [*block.transactions]
                    sent[position] = replace(transaction, data=calldata)
                    subjects = [
                        item.subject for item in _replayed(ledger, {number: replace(block, transactions=sent)}).findings
                    ]
                    assert subjects, (contract, verb, path)
                    assert subjects[0].startswith(f"block {number} transaction {position} "), (contract, verb, path)
    assert len(seen) >= 35


def _amounts(contract: str, data: bytes) -> Iterator[tuple[bytes, str, Path]]:
    """Calldata with one amount bent, the verb of the call that has it, and where it stands in its arguments."""
    calls = list(batch_members(data)) if is_batch(data) else [data]
    for number, call in enumerate(calls):
        if call == NO_CALL:
            continue
        verb, arguments = decode_call(contract, call)
        for path in _figures(list(arguments)):
            if MONEY & set(path):
                again = encode_call(contract, verb, _bend(list(arguments), path))
                whole = [*calls[:number], again, *calls[number + 1 :]]
                yield (encode_batch(whole) if is_batch(data) else again), verb, path


def test_every_figure_of_the_documents_that_the_log_alone_names(made: Made) -> None:
    forger = Forger(made)
    forger.edit_log(_without_divergence)  # which is computed again at every audit
    made = replace(made, files=forger.files)
    leaves = forger.lines(ENTRIES)
    documents = {(leaf["type"], kind): leaf[kind] for leaf in leaves for kind in PAPERS & leaf.keys()}
    assert len(documents) >= 8
    for about, name in documents.items():
        places = [f"leaf {place} " for place, leaf in enumerate(leaves) if name in leaf.values()]
        for path in set(_figures(forger.document(name))) - {("version",)}:  # which is a shape, not a figure
            bent = Forger(made)
            bent.replace(name, partial(_bend_document, path))
            subjects = [item.subject for item in bent.report().findings]
            assert [item for item in subjects if item.startswith(tuple(places))], (about, path, subjects)


def _without_divergence(leaves: list[Json]) -> None:
    leaves[:] = [leaf for leaf in leaves if leaf["type"] != "panel.divergence"]


def _bend_document(path: Path, document: Json) -> None:
    document.update(_bend(document, path))


def test_every_figure_of_the_documents_that_the_ledger_names(ledger: Ledger, made: Made) -> None:
    """Bent by those who signed them, so that the ledger names what they bent. Only what stands nowhere else may pass:
    bounds that a seller sets, as long as all answers keep within them (AGREED), and what two sides promise each other
    in an agreement; what their orders have to keep within is in test_agreements."""
    forger, report = Forger(made), Report()
    replay = Replay(ledger.genesis, ledger.roots.deployment, report)
    replay.run(ledger.blocks)
    tables, _ = derive(replay, report)
    named = {
        value for rows in tables.rows.values() for row in rows.values() for value in row.values() if type(value) is str
    }
    documents = {name: forger.document(name) for name in named if f"documents/{name[2:]}.json" in made.files}
    assert _followed(ledger, forger, tables, replay.derived).passed
    free = set()
    for name, document in documents.items():
        for path in _figures(document):
            bent = Forger(made)
            again = bent.store(_bend(document, path))
            report = _followed(ledger, bent, _naming(tables, name, again), _renamed(replay.derived, name, again))
            if report.passed:
                free.add((document["type"], ".".join(part for part in path if type(part) is str)))
    assert {(kind, path) for kind, path in free if kind != "form_agreement"} == AGREED


def _naming(tables: Tables, name: str, again: str) -> Tables:
    """The rows, with another digest in the place of one."""
    rows = {
        table: {
            key: {field: again if value == name else value for field, value in row.items()} for key, row in rows.items()
        }
        for table, rows in tables.rows.items()
    }
    return Tables(rows)


def _renamed(derived: list[Placed], name: str, again: str) -> list[Placed]:
    return [
        replace(
            placed,
            event=replace(placed.event, args={k: again if v == name else v for k, v in placed.event.args.items()}),
        )
        if name in map(str, placed.event.args.values())
        else placed
        for placed in derived
    ]


def _followed(ledger: Ledger, bent: Forger, tables: Tables, derived: list[Placed]) -> Report:
    """Steps 8 to 10."""
    report = Report()
    with verifiers(1) as pool:
        signatures = Attestations(report, pool)
        height = max(ledger.blocks)
        follow_log(MemoryBundle(bent.files), tables, ledger.roots, Seen(), signatures, height=height, derived=derived)
    return report


def test_every_value_of_the_profile(made: Made) -> None:
    profile = json.loads(made.files["profile.json"])
    for path in _leaves(profile):
        forger = Forger(made)
        forger.files["profile.json"] = canonical_json(_bend(profile, path))
        early = Report()
        read_ledger(MemoryBundle(forger.files), made.trust, Seen(), early)
        subjects = [item.subject for item in early.findings or forger.report().findings]
        assert subjects, path
        assert subjects[0].startswith("profile"), path


@pytest.mark.usefixtures("everything")
def test_every_value_of_every_paper(made: Made) -> None:
    orders = tables_of(Forger(made)).rows["orders"].values()
    papers = papers_of_sale(made) | {"statement": statement_of(made, next(iter(orders))["buyer"])}
    bent = {
        f"{name}{number}": (path, _bend(paper, path))
        for name, paper in papers.items()
        for number, path in enumerate(_leaves(paper))
    }
    held = [Paper(name, value, NOW) for name, (_, value) in bent.items()]
    report = audit(MemoryBundle(made.files), made.trust, reexecute=0, papers=held)
    found: dict[str, list[str]] = {}
    for item in report.findings:
        name, _, line = item.subject.partition(" ")
        found.setdefault(name, []).append(line)
    assert len(bent) > 200
    for name, (path, _) in bent.items():
        line = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)[1:]
        assert found.get(name), (name, line)
        assert line in found[name] or path in WHICH, (name, line, found[name])
