"""An answer of a split key needs both holders, and neither can be talked into it by the other or by the operator."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from crypto.canonical import load_json, to_hex
from crypto.envelope import public_key
from crypto.errors import CryptoError, DecryptionFailed
from crypto.seal.noise import standard_error
from crypto.seal.parameters import profile
from crypto.seal.release import combine
from crypto.seal.splitting import HalfKey
from marketplace.documents import digest
from marketplace.errors import InvalidInputError, NotAuthorizedError, RuleError, VerificationError
from marketplace.queries.evaluation import SealedColumns, evaluate_plan
from marketplace.queries.planning.plan import make_plan
from marketplace.queries.protocol.handover import CustodianTask
from marketplace.queries.protocol.shares import open_shares, seal_shares
from marketplace.queries.protocol.statements import attest, sign_release, sign_result
from marketplace.vault.custodian.decision import Custodian
from marketplace.vault.custodian.folder import CustodianFolder
from marketplace.vault.decisions.release import Vault
from marketplace.vault.keeping.custody import card_of, make_package, open_package, read_card
from marketplace.vault.keeping.secrecy import Cipher
from marketplace.vault.keeping.store import PrivacyStore
from tests.sealed_market import DEPLOYMENT, NOW, Order, keys, signed, voucher
from tests.split_market import SplitMarket, open_split_market

ALL = "SELECT COUNT(*) FROM flights"


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> SplitMarket:
    return open_split_market(tmp_path_factory.mktemp("split"))


@pytest.fixture
def market(sealed: SplitMarket, tmp_path: Path) -> SplitMarket:
    """The sealed data with fresh privacy accounts at vault and custodian."""
    fresh = replace(sealed)
    own, halves = sealed.custodian.keys, sealed.custodian.halves
    store = PrivacyStore(tmp_path / "vault.sqlite", Cipher(sealed.supplier.seed))
    fresh.vault = Vault(sealed.supplier, sealed.vault.folder, store, DEPLOYMENT)
    other = PrivacyStore(tmp_path / "custodian.sqlite", Cipher(own.seed))
    fresh.custodian = Custodian(own, halves, other, DEPLOYMENT, columns=SealedColumns(sealed.dataset.blob))
    return fresh


def refused(market: SplitMarket, task: CustodianTask) -> dict[str, Any]:
    decision = market.add(task)
    assert decision.refusal is not None
    assert decision.shares is None
    assert market.custodian.store.spent(market.series) == 0
    return decision.refusal


def waiting(
    market: SplitMarket, order: Order, sql: str = ALL, epsilon: int = 1_000_000, **changes: Any
) -> CustodianTask:
    return market.approved(market.task(order, market.query(order, sql, epsilon)), **changes)


def test_both_shares_make_the_answer_within_the_noise_of_both(market: SplitMarket) -> None:
    answer = market.ask(market.order(), ALL, 5_000_000)
    assert not isinstance(answer, dict)
    assert abs(answer.numbers[0]["rows"] - len(market.rows)) < 40
    alone = standard_error(Fraction(1, 5))
    assert answer.rows()[0]["count_se"] == pytest.approx(2**0.5 * alone)


def test_neither_share_alone_opens_to_anything_near(market: SplitMarket) -> None:
    order = market.order()
    task = waiting(market, order)
    decision = market.add(task)
    assert decision.shares is not None
    chosen = profile(market.manifest["forms"][0]["profile"])
    c0 = int(task.result["numbers"][0]["c0"], 16)
    for shares in (task.shares, decision.shares):
        alone = combine(chosen, c0, open_shares(shares, order.buyer.x25519)[0])
        assert abs(alone - len(market.rows)) > 1 << 20


def test_the_whole_key_is_nowhere_on_the_disks(market: SplitMarket) -> None:
    """Both keep a half; the sum is the key, one half opens nothing, and neither stands on a disk unencrypted."""
    mine = market.vault.folder.open(market.dataset.digest).ring[0]
    theirs = market.custodian.halves.open(market.dataset.digest).ring[0]
    assert isinstance(mine, HalfKey)
    with pytest.raises(RuleError) as told:
        _ = market.dataset.whole_ring[0]
    assert told.value.code == "key_is_split"
    order = market.order()
    query = market.query(order, ALL)
    plan = make_plan(market.manifest, query)
    number: Any = next(iter(evaluate_plan(market.manifest, plan, SealedColumns(market.dataset.blob))))
    chosen = number.profile
    both = (mine.answer(number.c1) + theirs.answer(number.c1)) % chosen.modulus
    assert combine(chosen, number.c0, both) == len(market.rows)
    for half in (mine, theirs):
        assert abs(combine(chosen, number.c0, half.answer(number.c1)) - len(market.rows)) > 1 << 20
    files = [path for path in market.home.rglob("*") if path.is_file() and path.suffix != ".csv"]
    for secret in (mine.to_bytes()[:64], theirs.to_bytes()[:64]):
        assert all(secret not in path.read_bytes() for path in files)


def test_the_same_query_gets_the_same_share_and_the_same_question_costs_nothing(market: SplitMarket) -> None:
    order = market.order()
    task = waiting(market, order)
    first, second = market.add(task), market.add(task, NOW + 1)
    assert first == second
    one, other = market.order("one"), market.order("other")
    answers = [market.ask(one, ALL), market.ask(one, ALL), market.ask(other, ALL)]
    numbers = [answer.numbers for answer in answers if not isinstance(answer, dict)]
    assert numbers[0] == numbers[1] == numbers[2]
    assert market.custodian.store.spent(market.series) == market.vault.store.spent(market.series) == 1_000_000


def test_suppressed_groups_get_no_share_of_the_custodian_either(market: SplitMarket) -> None:
    answer = market.ask(market.order(), "SELECT carrier, COUNT(*) FROM f WHERE origin = 'JFK' GROUP BY carrier")
    assert not isinstance(answer, dict)
    assert ("HA",) in answer.suppressed
    assert ("HA",) not in answer.groups


# -- a compromised vault: it has the supplier's keys, its half, and whatever it likes to sign


def forged(market: SplitMarket, task: CustodianTask, **changes: Any) -> CustodianTask:
    """The task with a release that the vault signed anew over changed fields."""
    body = {name: value for name, value in (task.release | changes).items() if name != "signature"}
    return replace(task, release=sign_release(body, DEPLOYMENT, market.supplier.signing_key))


def test_a_vault_cannot_have_an_unattested_c1_answered(market: SplitMarket) -> None:
    """An oracle would be: any c1 the vault likes. The custodian computes c1 itself and compares with the result."""
    order = market.order()
    query = market.query(order, ALL)
    other = market.evaluate(market.query(market.order(), "SELECT COUNT(*) FROM f WHERE carrier = 'HA'"))[0].result
    true = market.evaluate(query)[0].result
    lie = {**true, "numbers": other["numbers"]}
    statements = [sign_result(lie, node.keys.address, node.keys.bls_secret) for node in market.nodes]
    honest = market.approved(market.task(order, query))
    shares = {**honest.shares, "result": digest(lie)}
    task = replace(honest, result=lie, attestation=attest(statements), shares=shares)
    task = forged(market, task, result=digest(lie), shares=digest(shares))
    assert refused(market, task)["code"] == "result_not_reproduced"


def test_a_vault_cannot_do_without_the_panel(market: SplitMarket) -> None:
    task = waiting(market, market.order())
    alone = [sign_result(task.result, market.nodes[0].keys.address, market.nodes[0].keys.bls_secret)]
    assert refused(market, replace(task, attestation=attest(alone)))["code"] == "attestation_too_few"


def test_a_vault_cannot_ask_without_a_buyer(market: SplitMarket) -> None:
    order = market.order()
    task = waiting(market, order)
    own = voucher(order, task.query, signer=market.supplier)
    assert refused(market, replace(task, voucher=own))["code"] == "voucher_signature"


def test_a_vault_cannot_redirect_the_share_to_itself(market: SplitMarket) -> None:
    """The recipient stands in the query, and the buyer's voucher is bound to the query's digest."""
    order = market.order()
    task = waiting(market, order)
    query = {**task.query, "recipient": to_hex(public_key(market.supplier.x25519))}
    result = {**task.result, "query": digest(query)}
    statements = [sign_result(result, node.keys.address, node.keys.bls_secret) for node in market.nodes]
    shares = {**task.shares, "query": digest(query), "result": digest(result)}
    stolen = replace(task, query=query, result=result, attestation=attest(statements), shares=shares)
    stolen = forged(market, stolen, query=digest(query), result=digest(result), shares=digest(shares))
    assert refused(market, stolen)["code"] == "voucher_calls"


def test_a_vault_cannot_read_the_custodians_share(market: SplitMarket) -> None:
    decision = market.add(waiting(market, market.order()))
    assert decision.shares is not None
    with pytest.raises(VerificationError, match="cannot be opened"):
        open_shares(decision.shares, market.supplier.x25519)


def test_a_vault_cannot_spend_more_than_the_custodians_own_account_allows(market: SplitMarket, tmp_path: Path) -> None:
    """The holder's key signs a larger budget for the same data; the vault forgets what it spent; the limit stands."""
    limited = replace(market)
    own = market.custodian
    store = PrivacyStore(tmp_path / "limited.sqlite", Cipher(own.keys.seed))
    limited.custodian = Custodian(
        own.keys, own.halves, store, DEPLOYMENT, columns=SealedColumns(market.dataset.blob), limit=1_500_000
    )
    rich = replace(limited, budget=2**40)
    rich.custodian, rich.vault = limited.custodian, limited.vault
    assert not isinstance(rich.ask(rich.order("a"), ALL), dict)
    forgetful = PrivacyStore(tmp_path / "forgetful.sqlite", Cipher(market.supplier.seed))
    rich.vault = Vault(market.supplier, market.vault.folder, forgetful, DEPLOYMENT)
    outcome = rich.ask(rich.order("b"), "SELECT COUNT(*) FROM f WHERE origin = 'JFK'")
    assert isinstance(outcome, dict)
    assert (outcome["code"], outcome["signer"]) == ("budget_exhausted", own.keys.address)
    assert not isinstance(rich.ask(rich.order("c"), ALL), dict), "a question that was answered stays free"


def test_a_vault_that_leaves_its_noise_out_is_covered_by_the_custodians(market: SplitMarket) -> None:
    """Its own residues without noise: what the buyer opens still has the custodian's."""
    order = market.order()
    seen: set[tuple[int, str]] = set()
    for name in ("a", "b", "c", "d", "e", "f"):
        order = market.order(name)
        sql = f"SELECT COUNT(*) FROM f WHERE month IN ({len(seen) % 4 + 1})"
        task = waiting(market, order, sql, 300_000 + len(seen))
        decision = market.add(task)
        assert decision.shares is not None
        mine = market.vault.folder.open(market.dataset.digest).ring[0]
        plan = make_plan(market.manifest, task.query)
        number: Any = next(iter(evaluate_plan(market.manifest, plan, SealedColumns(market.dataset.blob))))
        both = mine.answer(number.c1) + open_shares(decision.shares, order.buyer.x25519)[0]
        truth = sum(row["month"] == str(len(seen) % 4 + 1) for row in market.rows)
        seen.add((combine(number.profile, number.c0, both % number.profile.modulus) - truth, name))
    assert any(noise for noise, _ in seen), "six numbers with noise of scale 3.3 are all exact with chance 1e-5"


@pytest.mark.parametrize("field", ["query", "result", "order", "shares"])
def test_an_approval_of_something_else_is_none(market: SplitMarket, field: str) -> None:
    task = forged(market, waiting(market, market.order()), **{field: "0x" + "77" * 32})
    assert refused(market, task)["code"] == "release_mismatch"


def test_an_approval_beyond_the_query_is_none(market: SplitMarket) -> None:
    task = waiting(market, market.order())
    assert refused(market, forged(market, task, epsilon=1_000_001))["code"] == "release_mismatch"
    recipient = task.query["recipient"]
    shares = seal_shares(digest(task.query), digest(task.result), recipient, {0: 1, 7: 2}, ())
    wider = forged(market, replace(task, shares=shares), shares=digest(shares))
    assert refused(market, wider)["code"] == "release_mismatch"


# -- a dishonest operator, alone or with one holder


def test_an_operator_cannot_approve_in_the_vaults_place(market: SplitMarket) -> None:
    task = waiting(market, market.order())
    stranger = keys("operator")
    body = {name: value for name, value in task.release.items() if name != "signature"} | {"signer": stranger.address}
    forged_release = sign_release(body, DEPLOYMENT, stranger.signing_key)
    assert refused(market, replace(task, release=forged_release))["code"] == "release_signature"


def test_an_operator_with_terms_of_its_own_is_refused(market: SplitMarket) -> None:
    order = market.order(seller=keys("operator"))
    task = CustodianTask(**vars(market.task(order, market.query(order, ALL))), release={}, shares={})
    honest = waiting(market, market.order())
    assert refused(market, replace(task, release=honest.release, shares=honest.shares))["code"] == "seller_not_accepted"


def test_an_operator_with_the_vaults_half_opens_noise_within_the_budget_and_nothing_more(market: SplitMarket) -> None:
    """It poses as a buyer. Every question goes to the custodian's account, also those of one millionth of epsilon."""
    poor = replace(market, budget=1_000_000)
    poor.vault, poor.custodian = market.vault, market.custodian
    assert not isinstance(poor.ask(poor.order("posing"), ALL, 999_999), dict)
    outcome = poor.ask(poor.order("again"), "SELECT COUNT(*) FROM f WHERE origin = 'EWR'", 2)
    assert isinstance(outcome, dict)
    assert outcome["code"] == "budget_exhausted"
    assert poor.custodian.store.spent(poor.series) == 999_999


# -- a compromised custodian: it has its half and its keys


def test_a_custodian_cannot_read_the_vaults_share(market: SplitMarket) -> None:
    task = waiting(market, market.order())
    with pytest.raises(VerificationError, match="cannot be opened"):
        open_shares(task.shares, market.custodian.keys.x25519)


def test_a_custodian_cannot_change_which_numbers_are_released(market: SplitMarket) -> None:
    order = market.order()
    sql = "SELECT origin, COUNT(*) FROM f GROUP BY origin"
    task = waiting(market, order, sql)
    decision = market.add(task)
    assert decision.shares is not None
    assert decision.release is not None
    residues = open_shares(decision.shares, order.buyer.x25519)
    fewer = {index: residues[index] for index in (0, 1)}
    names = (digest(task.query), digest(task.result))
    shares = seal_shares(*names, task.query["recipient"], fewer, [("LGA",)])
    body = {name: value for name, value in decision.release.items() if name != "signature"} | {"shares": digest(shares)}
    lie = replace(decision, shares=shares, release=sign_release(body, DEPLOYMENT, market.custodian.keys.signing_key))
    with pytest.raises(VerificationError, match="do not release the same numbers"):
        market.answer(order, task, lie)


def test_a_custodian_cannot_sign_in_the_vaults_place_nor_the_vault_in_its(market: SplitMarket) -> None:
    order = market.order()
    task = waiting(market, order)
    decision = market.add(task)
    assert decision.release is not None
    assert decision.shares is not None
    twice = replace(decision, release=task.release, shares=task.shares)
    with pytest.raises(VerificationError, match="release is not the vault's"):
        market.answer(order, task, twice)
    swapped = replace(task, release=decision.release, shares=decision.shares)
    with pytest.raises(VerificationError, match="release is not the vault's"):
        market.answer(order, swapped, decision)


def test_a_buyer_does_not_take_one_share_for_an_answer(market: SplitMarket) -> None:
    order = market.order()
    task = waiting(market, order)
    with pytest.raises(VerificationError, match="its share is missing"):
        market.answer(order, task, replace(market.add(task), release=None, shares=None))


# -- after the custodian refused


def test_what_the_custodian_withheld_is_no_call_but_stays_charged(market: SplitMarket) -> None:
    order = market.order()
    task = waiting(market, order)
    withheld = market.add(forged(market, task, epsilon=1_000_001)).refusal
    assert withheld is not None
    order.account = replace(order.account, spent=1_000_000)
    query = market.query(order, "SELECT COUNT(*) FROM f WHERE origin = 'JFK'")
    without = market.decide(market.task(order, query))
    assert without.refusal is not None
    assert without.refusal["code"] == "voucher_too_small"
    other = market.query(order, "SELECT COUNT(*) FROM f WHERE origin = 'JFK'")
    told = market.approved(market.task(order, other, withheld=(withheld,)))
    assert (told.release["spentOrder"], told.release["spentAsset"]) == (2_000_000, 2_000_000)
    assert market.add(told).release is not None
    assert market.vault.store.last_voucher(order.account.order) == told.voucher


def test_only_the_custodian_can_withhold(market: SplitMarket) -> None:
    order = market.order()
    task = waiting(market, order)
    query = market.query(order, ALL, 2)
    vaults = market.task(order, market.query(order, "SELECT SUM(delay) FROM f WHERE carrier = 'HA'"))
    stranger = market.decide(vaults).refusal
    assert stranger is not None
    outcome = market.decide(market.task(order, query, withheld=({**stranger, "query": digest(task.query)},)))
    assert outcome.refusal is not None
    assert outcome.refusal["code"] == "refusal_signature"


# -- the custodian's file


def test_a_file_opens_for_its_custodian_alone(market: SplitMarket) -> None:
    package = load_json(market.dataset.custody_file.read_bytes())
    assert open_package(package, keys("custodian")).manifest == market.manifest
    with pytest.raises(NotAuthorizedError) as told:
        open_package(package, keys("supplier"))
    assert told.value.code == "custodian_differs"


@pytest.mark.parametrize(
    ("name", "value"), [("generation", 1), ("sealed", "0x" + "00" * 99), ("signature", "0x" + "11" * 65)]
)
def test_a_file_that_was_changed_is_refused(market: SplitMarket, name: str, value: object) -> None:
    package = load_json(market.dataset.custody_file.read_bytes()) | {name: value}
    with pytest.raises(VerificationError) as told:
        open_package(package, keys("custodian"))
    assert told.value.code == "custody_signature"


def test_a_file_sealed_to_another_key_is_unreadable(market: SplitMarket) -> None:
    card = card_of(keys("custodian")) | {"recipient": card_of(keys("other"))["recipient"]}
    package = make_package(market.manifest, 0, market.dataset.ring, read_card(card), market.supplier)
    with pytest.raises(VerificationError) as told:
        open_package(package, keys("custodian"))
    assert told.value.code == "custody_unreadable"


def test_a_card_for_another_custodian_makes_no_file(market: SplitMarket) -> None:
    with pytest.raises(NotAuthorizedError):
        make_package(market.manifest, 0, market.dataset.ring, card_of(keys("other")), market.supplier)


@pytest.mark.parametrize("value", [None, {}, {"type": "custody", "version": 1}])
def test_what_is_no_file_is_refused_by_its_shape(value: object) -> None:
    with pytest.raises(InvalidInputError):
        open_package(value, keys("custodian"))


def test_a_half_is_kept_encrypted_and_for_its_keystore_alone(market: SplitMarket) -> None:
    halves = market.custodian.halves
    stored = next(halves.path.glob("halves/*/half.bin"))
    secret = halves.open(market.dataset.digest).ring[0].to_bytes()
    assert secret[:32] not in stored.read_bytes()
    assert stored.stat().st_mode & 0o077 == 0
    with pytest.raises(DecryptionFailed):
        CustodianFolder(halves.path, Cipher(keys("thief").seed)).open(market.dataset.digest)


def test_a_custodian_without_the_half_signs_a_refusal(market: SplitMarket, tmp_path: Path) -> None:
    own = keys("custodian")
    empty = Custodian(
        own,
        CustodianFolder(tmp_path / "empty", Cipher(own.seed)),
        PrivacyStore(tmp_path / "empty" / "ledger.sqlite", Cipher(own.seed)),
        DEPLOYMENT,
        columns=SealedColumns(market.dataset.blob),
    )
    bare = replace(market)
    bare.custodian = empty
    assert refused(bare, waiting(market, market.order()))["code"] == "half_unknown"


def test_no_secret_of_a_half_is_in_a_repr_or_an_error(market: SplitMarket) -> None:
    custody = market.custodian.halves.open(market.dataset.digest)
    word = custody.ring[0].to_bytes()[:8]
    assert word.hex() not in repr(custody)
    assert str(int.from_bytes(word, "little")) not in repr(custody.ring[0])
    with pytest.raises(CryptoError) as told:
        HalfKey.from_bytes(custody.ring[0].profile, custody.ring[0].to_bytes()[:-1])
    assert word.hex() not in str(told.value)


def test_the_holders_key_alone_registers_no_larger_budget_at_the_custodian(market: SplitMarket) -> None:
    """The smallest budget that the custodian ever saw signed counts, as in a vault."""
    poor = replace(market, budget=1_200_000)
    poor.vault, poor.custodian = market.vault, market.custodian
    assert not isinstance(poor.ask(poor.order("first"), ALL), dict)
    message = dict(market.registration().message) | {"epsilonBudget": 2**40}
    order = market.order("second")
    order.papers = replace(order.papers, registration=signed("Register", message, market.supplier))
    task = market.task(order, market.query(order, "SELECT COUNT(*) FROM f WHERE origin = 'JFK'"))
    assert market.decide(task).refusal is not None
