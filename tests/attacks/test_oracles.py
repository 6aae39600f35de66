"""Refusals, notices and the work itself as oracles: an attacker who may only ask for groups that are too small learns
how large they are from what is said, or from what is done before it is said.

Guards: a refusal says that there are fewer rows than the cohort and nothing else, in every field; the vault does the
same work whatever the counts and values are, and looks at counts last. Work is compared by its steps (ciphertext
operations, blobs, noise, statements of the account), not by a clock: nothing here claims constant time.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from crypto.seal.engine import Engine
from crypto.seal.keys import SealingKey
from crypto.seal.privacy import Noise
from marketplace.documents import Document
from marketplace.errors import RuleError
from marketplace.queries.cohort import Cohort, check_cohort
from marketplace.queries.protocol.handover import vault_task
from marketplace.vault.agent import VaultAgent
from marketplace.vault.decisions.cases import Decision
from marketplace.vault.decisions.release import Vault
from marketplace.vault.keeping.folder import Dataset
from marketplace.vault.keeping.store import PrivacyStore
from tests.attacks.scene import GENEROUS, anew, answered, open_alone, refused, rich_order
from tests.sealed_market import NOW, Market, Row
from tests.unit.vault.test_agent import Desk

COHORT = 30
SIZES = {"none": 0, "one": 1, "few": 29, "many": 300, "more": 400}
SMALL = [kind for kind, size in SIZES.items() if size < COHORT]
TERMS: dict[str, Any] = {**GENEROUS, "minimumCohort": COHORT}


def rows_of(sizes: dict[str, int], value: int) -> list[Row]:
    return [
        {"kind": kind, "ward": str(index % 2), "cost": str((index * value) % 100)}
        for kind, size in sizes.items()
        for index in range(size)
    ]


def open_kinds(home: Path, sizes: dict[str, int], value: int = 7, **dimension: Any) -> Market:
    """Patients by kind, some kinds too rare to be told."""
    schema: dict[str, Any] = {
        "title": {"en": "Kinds", "zh": "类别"},
        "minimumCohort": COHORT,
        "dimensions": [
            {"name": "kind", "categories": list(SIZES), **dimension},
            {"name": "ward", "categories": ["0", "1"]},
        ],
        "measures": [{"name": "cost", "unit": "yuan", "scale": 0, "low": 0, "high": 100}],
    }
    return open_alone(home, schema, rows_of(sizes, value))


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Market:
    return open_kinds(tmp_path_factory.mktemp("kinds"), SIZES)


@pytest.fixture
def kinds(sealed: Market, tmp_path: Path) -> Market:
    return anew(sealed, tmp_path)


def of(kind: str) -> str:
    return f"SELECT SUM(cost) FROM f WHERE kind = '{kind}'"


# -- what a refusal says


def read_count(refusal: Document, kind: str) -> int | None:
    """The attack: a number of rows anywhere in the refusal, other than the cohort."""
    texts = [refusal["found"], refusal["allowed"], refusal["message"]["en"], refusal["message"]["zh"]]
    found = {int(number) for text in texts for number in re.findall(r"\d+", text)} - {COHORT}
    return found.pop() if found else None


def refusals(market: Market) -> dict[str, Document]:
    """What the vault says of each kind that is too small."""
    outcomes = {kind: market.ask(rich_order(market, **TERMS), of(kind)) for kind in SMALL}
    assert {refused(outcome) for outcome in outcomes.values()} == {"cohort_too_small"}
    return {kind: outcome for kind, outcome in outcomes.items() if isinstance(outcome, dict)}


def talkative(plan: Any, counts: Any, earlier: Any, minimum: int) -> Cohort:
    """In place of the guard: a rule that explains itself."""
    try:
        return check_cohort(plan, counts, earlier, minimum)
    except RuleError as error:
        error.got = f"{int(counts.rows[plan.numbers[0].cells].sum())} rows"
        raise


def test_a_refusal_that_explains_itself_tells_the_count(kinds: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("marketplace.vault.decisions.release.check_cohort", talkative)
    assert {kind: read_count(said, kind) for kind, said in refusals(kinds).items()} == {
        kind: SIZES[kind] for kind in SMALL
    }


def test_refusals_of_no_rows_and_of_one_too_few_are_the_same(kinds: Market) -> None:
    said = refusals(kinds)
    assert {read_count(refusal, kind) for kind, refusal in said.items()} == {None}
    own = {"order", "query", "signature"}
    bare = [{name: value for name, value in refusal.items() if name not in own} for refusal in said.values()]
    assert bare == [bare[0]] * len(SMALL)


def test_refusals_of_differences_are_the_same(tmp_path: Path) -> None:
    """One row short of an earlier answer, or twenty-nine."""
    said = []
    for place, kind in enumerate(("one", "few")):
        sizes = {**dict.fromkeys(SIZES, 0), "many": 300, "more": 400, kind: SIZES[kind]}
        market = open_kinds(tmp_path / str(place), sizes)
        order = rich_order(market, **TERMS)
        answered(market.ask(order, "SELECT SUM(cost) FROM f"))
        outcome = market.ask(order, f"SELECT SUM(cost) FROM f WHERE kind <> '{kind}'")
        assert refused(outcome) == "cohort_difference_too_small"
        assert isinstance(outcome, dict)
        said.append([outcome[name] for name in ("code", "rule", "message", "allowed", "found")])
    assert said[0] == said[1]


def test_suppressed_groups_are_named_alike(kinds: Market) -> None:
    answer = answered(kinds.ask(rich_order(kinds, **TERMS), "SELECT kind, SUM(cost) FROM f GROUP BY kind"))
    assert set(answer.suppressed) >= {(kind,) for kind in SMALL}


def test_notices_and_output_of_a_vault_at_work_hold_no_count(
    kinds: Market, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    told: list[str] = []
    for kind in SMALL:
        order = rich_order(kinds, **TERMS)
        desk = Desk([vault_task(kinds.task(order, kinds.query(order, of(kind))))])
        agent = VaultAgent(desk, kinds.vault, lambda *texts: told.extend(texts), lambda: NOW)
        assert agent.step()
    bare = {re.sub("0x[0-9a-f]{64}", "0x…", text) for text in told}
    assert len(told) == 2 * len(SMALL)
    assert len(bare) == 2, "one in each language"
    shown = capfd.readouterr()
    assert (shown.out, shown.err, caplog.text) == ("", "", "")


# -- hidden categories


def test_a_public_dimension_tells_its_categories_apart(kinds: Market) -> None:
    """The guard off: the same rows with the kind in the open."""
    totals = [
        answered(kinds.ask(rich_order(kinds, **TERMS), of(kind), 10**9)).numbers[0]["sum:cost"]
        for kind in ("many", "more")
    ]
    truth = [sum(int(row["cost"]) for row in kinds.rows if row["kind"] == kind) for kind in ("many", "more")]
    assert all(abs(total - true) < 5 for total, true in zip(totals, truth, strict=True)), "noise of scale 0.1"


def test_a_hidden_dimension_says_the_same_of_every_category(tmp_path: Path) -> None:
    """In the form of cells, which has no column for one: the refusal is the planner's, from public documents alone."""
    market = open_kinds(tmp_path, SIZES, hidden=True)
    said = set()
    for kind in SIZES:
        with pytest.raises(RuleError) as caught:
            market.ask(rich_order(market, **TERMS), of(kind))
        said.add(str(sorted(caught.value.as_dict().items())))
    assert len(said) == 1
    assert "dimension_hidden" in said.pop()


def test_manifests_of_other_hidden_categories_are_the_same_but_for_ciphertext(tmp_path: Path) -> None:
    """Nor do the sizes of blobs tell: rows of one ward are of another kind."""
    others = {"none": 29, "one": 0, "few": 1, "many": 400, "more": 300}
    shown = [open_kinds(tmp_path / str(place), sizes, hidden=True).manifest
             for place, sizes in enumerate((SIZES, others))]  # fmt: skip
    public = [_without_blobs(manifest) for manifest in shown]
    assert public[0] == public[1]


def _without_blobs(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_blobs(item) for name, item in value.items() if name != "blob"}
    return [_without_blobs(item) for item in value] if isinstance(value, list) else value


# -- what the vault does

COMPUTED = ("Engine.", "Dataset.", "SealingKey.", "Noise.")


@contextmanager
def watched() -> Iterator[list[str]]:
    """Every step of the work meanwhile: ciphertext operations, blobs, answers of the key, noise, statements."""
    steps: list[str] = []
    with pytest.MonkeyPatch.context() as patched:
        names = [name for name in vars(Engine) if not name.startswith("_") and callable(getattr(Engine, name))]
        watch: list[tuple[type, str]] = [(Engine, name) for name in names]
        watch += [(Dataset, "blob"), (SealingKey, "answer"), (Noise, "draw")]
        for owner, name in watch:
            patched.setattr(owner, name, _counted(owner, name, steps))
        connect = PrivacyStore._connect

        def traced(store: PrivacyStore) -> Any:
            connection = connect(store)
            connection.set_trace_callback(lambda text: steps.append(_statement(text)))
            return connection

        patched.setattr(PrivacyStore, "_connect", traced)
        yield steps


def _counted(owner: type, name: str, steps: list[str]) -> Any:
    true = getattr(owner, name)

    def step(*args: Any, **kwargs: Any) -> Any:
        steps.append(f"{owner.__name__}.{name}")
        return true(*args, **kwargs)

    return step


def _statement(text: str) -> str:
    """A statement without the values in it."""
    return re.sub(r"'[^']*'|x'[^']*'|\b\d+\b", "?", text, flags=re.IGNORECASE)


def work(market: Market, sql: str, folder: Path) -> tuple[list[str], Decision]:
    """What a vault that has opened nothing yet does for a question, and what comes of it."""
    cold = anew(market, folder)
    order = rich_order(cold, **TERMS)
    task = vault_task(cold.task(order, cold.query(order, sql)))
    with watched() as steps:
        decision = cold.vault.decide(task, NOW)
    return steps, decision


def eager(vault: Vault, case: Any, columns: Any, noises: Any) -> list[int]:
    """In place of the guard: work is saved where there is nothing to release."""
    plan, counts = case.plan, case.dataset.counts
    if not counts.rows[plan.numbers[0].cells].any():
        check_cohort(plan, counts, [], COHORT)
    return list(super(Vault, vault)._rederive(case, columns, noises))


def told_apart(market: Market, folder: Path) -> bool:
    """The attack: whether the work for no rows differs from that for twenty-nine, both refused alike."""
    (one, first), (other, second) = (work(market, of(kind), folder / kind) for kind in ("none", "few"))
    assert first.refusal is not None
    assert second.refusal is not None
    assert first.refusal["code"] == second.refusal["code"] == "cohort_too_small"
    return one != other


def test_a_vault_that_saves_work_tells_empty_groups_from_small_ones(
    kinds: Market, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Vault, "_rederive", eager, raising=False)
    assert told_apart(kinds, tmp_path)


def test_a_vault_does_the_same_work_for_empty_groups_and_small_ones(kinds: Market, tmp_path: Path) -> None:
    assert not told_apart(kinds, tmp_path)


def test_what_is_refused_was_computed_like_what_is_released(kinds: Market, tmp_path: Path) -> None:
    """The account alone differs: counts are looked at last."""
    (refused_steps, refusal), (steps, release) = (work(kinds, of(kind), tmp_path / kind) for kind in ("few", "many"))
    assert refusal.refusal is not None
    assert release.release is not None
    computed = [[step for step in one if step.startswith(COMPUTED)] for one in (refused_steps, steps)]
    assert computed[0] == computed[1]
    assert {"Engine.multiply", "Dataset.blob", "SealingKey.answer", "Noise.draw"} <= set(computed[0])
    assert any(step.startswith("INSERT INTO releases") for step in set(steps) - set(refused_steps))


def test_the_work_does_not_depend_on_the_values(tmp_path: Path) -> None:
    """The same rows with other costs: every step is the same, statements of the account included."""
    found = []
    for value in (7, 0):
        market = open_kinds(tmp_path / str(value), SIZES, value)
        steps, decision = work(market, "SELECT kind, AVG(cost) FROM f GROUP BY kind", tmp_path / f"of {value}")
        assert decision.release is not None
        found.append(steps)
    assert found[0] == found[1]
