"""One decision: may this query be answered, and with which shares.

 1. The order's papers hang together, down to the manifest, and are signed for holder, seller and buyer, each by a key
    that signed for them then (vault/decisions/signers.py). The seller is one whose terms the supplier stands behind:
    the holder itself, or an address that the supplier named.
 2. The terms permit the query, and the order and listing have not expired.
 3. The voucher is signed for the order's buyer, by a key that has not ended, for this chain and contract.
 4. The panel of the terms attested the result.
 5. OpenDP agrees that the plan's noise is wide enough for what it charges, and the noise is drawn.
 6. The vault evaluates the plan on its own copy of the blobs and gets the very same result. Or, where the supplier
    chose to take the panel's word, it takes what the panel attested and evaluates nothing; and a
    threshold of lying nodes can then have it answer another question than the one that was asked.
 7. In one transaction: the voucher covers the call; budgets of order, buyer and series suffice; no cohort is too small;
    the charge and the shares are written. Only then does anything leave.

A question that was answered before gets the same shares, costs no budget, and reveals nothing new; no noise is drawn.
The account is that of the SERIES: all versions of a data set spend the same budget.
"""

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence

from crypto.errors import CryptoError
from crypto.keystore import Keys
from crypto.seal.noise import load_sampler
from marketplace.documents import Document, digest
from marketplace.errors import (
    InvalidInputError,
    MarketplaceError,
    NotAuthorizedError,
    PortError,
    RuleError,
    VerificationError,
)
from marketplace.intents import Deployment
from marketplace.participants.keybook import KeyBook
from marketplace.participants.proofs import verify_proof
from marketplace.queries.evaluation import SealedColumns, evaluate_plan, number_entry, result_document
from marketplace.queries.permission.chain import check_papers
from marketplace.queries.permission.pricing import (
    OrderAccount,
    buyer_account,
    check_asset_budget,
    check_buyer_budget,
    check_voucher,
    check_voucher_signature,
)
from marketplace.queries.permission.use import check_permitted
from marketplace.queries.planning.noise import check_composition, plan_noise
from marketplace.queries.planning.plan import make_plan
from marketplace.queries.planning.selection import Group
from marketplace.queries.protocol.handover import VaultTask, read_vault_task
from marketplace.queries.protocol.opening import Sealed
from marketplace.queries.protocol.requests import attested_numbers
from marketplace.queries.protocol.shares import seal_shares
from marketplace.queries.protocol.statements import check_attestation, check_refusal, sign_release
from marketplace.queries.timings import part
from marketplace.vault.decisions.cases import Case, Decision, Holding, Word
from marketplace.vault.decisions.recovery import check_not_behind
from marketplace.vault.decisions.refusing import (
    Promised,
    budget_of,
    check_given_up,
    figures_of,
    promised,
    signed_refusal,
)
from marketplace.vault.decisions.sharing import Asked, sharer
from marketplace.vault.decisions.signers import check_remembered, parties_of
from marketplace.vault.keeping.store import Account, Answered, PrivacyStore, Stored


class KeyHolder(ABC):
    """What a vault and a custodian decide alike.

    Args:
        keys: sign its releases. store: its privacy account.
        deployment: chain and contracts that the supplier trades on.
        sellers: addresses besides the holder whose listings count, e.g. one that the OPERATE title was transferred to.
            Key holders do not read the ledger, so they have to be told; anybody can sign a List.
        registrars: accounts whose recoveries of parties' accounts count, beside those of the accounts' own guardians.
        word: whose word counts for what is answered; None for its own: it evaluates every plan itself ("rederive").
    """

    def __init__(
        self,
        keys: Keys,
        store: PrivacyStore,
        deployment: Deployment,
        sellers: Collection[str] = (),
        word: Word | None = None,
        *,
        registrars: Collection[str] = (),
    ) -> None:
        self.keys, self.store, self.deployment = keys, store, deployment
        self.sellers, self.word, self.registrars = frozenset(sellers), word, frozenset(registrars)
        load_sampler()

    def decide(self, value: object, now: int) -> Decision:
        """Decide one task (see queries/protocol/handover.py) at `now`, unix seconds.

        The same query again gets the same release.

        Raises:
            InvalidInputError: the task is malformed, so that there is nothing to sign about.
            PortError: `vault_disk`, the vault's own disk failed; `account_behind`, the account is an old copy. Nothing
                was signed, and the task may be tried again.
        """
        task = self._read(value)
        try:
            return self._decide(task, now)
        except (OSError, sqlite3.OperationalError) as error:
            message = f"the vault's own disk failed, nothing was released: {error}"
            raise PortError("vault_disk", message, zh="保险库磁盘故障,未发布任何内容") from error

    def _read(self, value: object) -> VaultTask:
        return read_vault_task(value)

    def _decide(self, task: VaultTask, now: int) -> Decision:
        stored = self.store.released(digest(task.query))
        if stored is None:
            try:
                stored = self._release(task, now)
            except PortError:
                raise
            except MarketplaceError as error:
                return Decision(refusal=self._refusal(task, error, now))
        return Decision(stored.release, stored.shares)

    def _release(self, task: VaultTask, now: int) -> Stored:
        dataset, columns = self._dataset(task.papers.terms["manifest"])
        check_not_behind(self.store, task.latest, self._signers(dataset), self.deployment)
        self._strike_out(task, dataset)
        with part("papers"):
            book = self._book(task, now)
            check_papers(task.papers, dataset.manifest, book, task.keys.times, now)
            self._check_seller(task, dataset)
            check_permitted(task.papers, task.query, dataset.manifest, now)
        with part("planning"):
            plan = make_plan(dataset.manifest, task.query)
        with part("papers"):
            check_voucher_signature(str(task.papers.fund.message["buyer"]), task.voucher, book, now)
        with part("attestation"):
            check_attestation(task.attestation, digest(task.result), task.papers.terms)
            if self.word is not None:
                self.word.check_panel(task.attestation, task.papers.terms)
        case = Case(task, dataset, plan)
        self._check_case(case)
        with self.store.exclusive() as account:
            known = account.answered(case.series, case.question) is not None
        residues = self._rederive(case, columns, [] if known else self._draw(case))
        with part("commit"), self.store.exclusive() as account:
            return self._charge(account, case, residues)

    def _book(self, task: VaultTask, now: int) -> KeyBook:
        """What signs for the parties, as their signed histories show; nothing of it is ever forgotten again."""
        proven = verify_proof(task.keys, self.deployment, now, self.registrars)
        with self.store.exclusive() as account:
            check_remembered(account, proven, parties_of(task.papers))
        return proven.book

    def _strike_out(self, task: VaultTask, dataset: Holding) -> None:
        """What the vault released and one of the two then refused was no call of the order. A custodian that refused
        never answers (custodian/decision.py); a vault may have, so only what it gave up counts."""
        for refusal in task.withheld:
            by_vault = refusal["signer"] == dataset.manifest["releaseKey"]
            check_refusal(refusal, self.deployment, str(dataset.manifest["releaseKey" if by_vault else "custodian"]))
            if by_vault:
                check_given_up(refusal)
        with self.store.exclusive() as account:
            for refusal in task.withheld:
                account.withhold(refusal["query"])

    def _check_seller(self, task: VaultTask, dataset: Holding) -> None:
        seller = str(task.papers.listing.message["seller"])
        if seller not in {dataset.manifest["holder"], *self.sellers}:
            raise NotAuthorizedError(
                "seller_not_accepted",
                "the listing is signed by somebody whose terms this vault does not answer for",
                zh="挂牌由本保险库未认可的卖方签署",
                rule="vault.seller",
                expected=", ".join(sorted({dataset.manifest["holder"], *self.sellers})),
                got=seller,
                hint="a supplier that passed on the OPERATE title names the new seller: marketplace vault run --seller",
                hint_zh="转让经营权后，供方须以 marketplace vault run --seller 指明新卖方",
            )

    @abstractmethod
    def _dataset(self, manifest: str) -> tuple[Holding, SealedColumns]:
        """The data set with this manifest digest, and where its sealed columns come from."""

    def _signers(self, dataset: Holding) -> Collection[str]:  # noqa: ARG002 - a vault's depend on it
        """Keys whose releases of this series belong into the account."""
        return {self.keys.address}

    @abstractmethod
    def _answer(self, account: Account, case: Case, residues: list[int]) -> Answered:
        """Choose what is released of a question that is asked for the first time, and remember it."""

    def _check_case(self, case: Case) -> None:  # noqa: B027 - a vault asks for nothing more
        """What a holder asks besides, before anything is evaluated."""

    def _rederive(self, case: Case, columns: SealedColumns, noises: Sequence[int]) -> list[int]:
        """Shares of all numbers of the plan, each with its noise, from the holder's own evaluation or what the panel
        attested; no share where there is no noise, for a question that was answered before. A number may be half a
        megabyte; each is forgotten before the next."""
        task, dataset, plan = case.task, case.dataset, case.plan
        share = sharer(Asked(dataset.manifest, plan, columns), dataset.ring[plan.form])
        shares, entries = [], []
        for index, number in enumerate(self._numbers(case, columns)):
            with part("shares"):
                shares += [share(plan.numbers[index], number, noise) for noise in noises[index : index + 1]]
            entries.append(number_entry(number))
        own = result_document(task.query, plan, entries)
        if digest(own) != digest(task.result):
            raise VerificationError(
                "result_not_reproduced",
                "the attested result is not what the sealed data give",
                zh="经证明的结果与密封数据的计算结果不符",
                rule="queries.rederive",
                expected=digest(own),
                got=digest(task.result),
            )
        return shares

    def _draw(self, case: Case) -> list[int]:
        """Fresh noise for each number, once OpenDP agreed that it is wide enough; none beyond what was proven."""
        check_composition(case.dataset.manifest, case.plan)
        noises = plan_noise(case.dataset.manifest, case.plan)
        with part("noise"):
            drawn = [noises[entry.statistic].draw() for entry in case.plan.numbers]
        if any(abs(one) > noises[entry.statistic].bound for one, entry in zip(drawn, case.plan.numbers, strict=True)):
            raise _beyond_proof()
        return drawn

    def _numbers(self, case: Case, columns: SealedColumns) -> Iterator[Sealed]:
        if self.word is None:
            return evaluate_plan(case.dataset.manifest, case.plan, columns)
        return attested_numbers(case.dataset.manifest, case.plan, case.task.result, self.word.requests)

    def _charge(self, account: Account, case: Case, residues: list[int]) -> Stored:
        task, series = case.task, case.series
        earlier = account.released(digest(task.query))
        if earlier is not None:  # by another process of this vault, since `decide` looked
            return earlier
        order = self._order(account, task)
        buyer = buyer_account(task.papers.terms, order.buyer, lambda who: account.spent_buyer(series, who))
        answer = account.answered(series, case.question)
        charge = 0 if answer else case.plan.epsilon
        budget, spent = account.budget(series, self._budget(task)), account.spent_series(series)
        check_voucher(order, task.voucher, digest(task.query), charge)
        check_buyer_budget(buyer, charge)
        check_asset_budget(budget, spent, charge)
        if answer is None:
            answer = self._answer(account, case, residues)
        figures = {
            "epsilon": charge,
            "spentOrder": order.spent + charge,
            "spentBuyer": buyer.spent + charge,
            "spentAsset": spent + charge,
        }
        stored = self._sign(case, answer, figures)
        account.remember_release(series, stored)
        return stored

    def _sign(self, case: Case, answer: Answered, figures: Mapping[str, int]) -> Stored:
        task = case.task
        query, result = digest(task.query), digest(task.result)
        try:
            residues, suppressed = self._chosen(case, answer)
            shares = seal_shares(
                query, result, task.query["recipient"], residues, suppressed, generation=answer.generation
            )
        except CryptoError as error:
            message = "the query's recipient is no usable X25519 key"
            raise InvalidInputError("recipient_invalid", message, zh="接收方公钥无效") from error
        body = {"type": "release", "version": 1, "order": task.papers.order, "query": query, "result": result}
        body |= {"shares": digest(shares), **figures, "signer": self.keys.address}
        return Stored(sign_release(body, self.deployment, self.keys.signing_key), shares, task.voucher)

    def _budget(self, task: VaultTask) -> int:
        return budget_of(task)

    def _chosen(self, case: Case, answer: Answered) -> tuple[Mapping[int, int], list[Group]]:
        """The residues to hand out, and the groups that get none."""
        return answer.residues, case.suppressed(answer)

    def _order(self, account: Account, task: VaultTask) -> OrderAccount:
        return account.order(task.papers.fund.message, task.papers.tariff)

    def _refusal(self, task: VaultTask, error: MarketplaceError, now: int) -> Document:
        proven = self._promised(task, now)
        with self.store.exclusive() as account:
            figures = figures_of(account, task, proven)
        return signed_refusal(task.query, error, figures, self.keys, self.deployment)

    def _promised(self, task: VaultTask, now: int) -> Promised | None:
        try:
            dataset, _ = self._dataset(task.papers.terms["manifest"])
            return promised(task, dataset.manifest, self._budget(task), self._book(task, now), now)
        except MarketplaceError:
            return None


def _beyond_proof() -> RuleError:
    """Says nothing of the draw but what has a probability below 2^-64."""
    return RuleError(
        "noise_beyond_proof",
        "the noise that was drawn is larger than what was proven to fit; nothing was released",
        zh="抽取的噪声超出已证明的范围,未发布任何内容",
        rule="queries.no_wrap",
        hint="ask again: the call was not charged, and this is not to be expected twice",
        hint_zh="请重新提问:本次未计费,且几乎不会再次发生",
    )
