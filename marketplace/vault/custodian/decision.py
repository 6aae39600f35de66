"""One decision of a custodian: may its half of the key add to this answer. It believes neither service nor vault.

 1. As a vault does (vault/decisions/deciding.py), it checks the order's papers down to the manifest, seller, permission
    and term, the voucher, the panel's attestation, and that the attested result is the one of this plan: it evaluates
    the plan itself on ciphertext that it downloads, or, if it is told to take the panel's word, it takes the panel's
    requests.
 2. The vault approved: its signed release is for this query and result, and names these shares and no more than the
    plan.
 3. Its own account covers the charge: of the order, and of the data set, below a limit of its own if it has one.
 4. In one transaction: the charge and the shares are written. Only then does a share leave, sealed to the buyer's key
    in the query that the buyer's voucher is bound to, so that vault and service never see it.

What it refuses it never answers: its refusal makes the vault's release no call of the order, so if a share could still
follow, whoever hands it a broken task first and the true one afterwards would have an answer unpaid.

It does not know how many rows a cell has, so the minimum cohort is the vault's to apply. Against a vault that does not
stands the noise: the custodian draws its own for every number, as wide as the vault's.
"""

from collections.abc import Collection, Mapping

from crypto.keystore import Keys
from marketplace.documents import digest
from marketplace.errors import NotAuthorizedError, RuleError, VerificationError
from marketplace.intents import Deployment
from marketplace.queries.evaluation import check_profile
from marketplace.queries.evaluation.data import SealedColumns
from marketplace.queries.planning.selection import Group
from marketplace.queries.protocol.handover import CustodianTask, VaultTask, read_custodian_task
from marketplace.queries.protocol.statements import check_release
from marketplace.vault.custodian.folder import CustodianFolder
from marketplace.vault.decisions.cases import Case, Decision, Holding, Word
from marketplace.vault.decisions.deciding import KeyHolder
from marketplace.vault.keeping.store import Account, Answered, PrivacyStore, Stored


class Custodian(KeyHolder):
    """A custodian.

    Args:
        keys: sign its releases; manifests name their address as custodian.
        halves: the halves it holds. store: its own privacy account.
        deployment: chain and contracts that the supplier trades on.
        columns: where sealed columns come from.
        sellers, word, registrars: see KeyHolder.
        limit: the most epsilon that any data set may spend here, in millionths, whatever its registration says; None
            for no limit but that.
    """

    def __init__(
        self,
        keys: Keys,
        halves: CustodianFolder,
        store: PrivacyStore,
        deployment: Deployment,
        *,
        columns: SealedColumns,
        sellers: Collection[str] = (),
        limit: int | None = None,
        word: Word | None = None,
        registrars: Collection[str] = (),
    ) -> None:
        super().__init__(keys, store, deployment, sellers, word, registrars=registrars)
        self.halves, self._columns, self._limit = halves, columns, limit

    def _read(self, value: object) -> VaultTask:
        return read_custodian_task(value)

    def _decide(self, task: VaultTask, now: int) -> Decision:
        decision, query = super()._decide(task, now), digest(task.query)
        if decision.refusal is None:
            return decision
        with self.store.exclusive() as account:
            released, refused = account.released(query), account.refused(query)
            if released is not None:  # by another process of this custodian meanwhile
                return Decision(released.release, released.shares)
            if refused is None:
                account.remember_refusal(decision.refusal)
        return Decision(refusal=refused or decision.refusal)

    def _charge(self, account: Account, case: Case, residues: list[int]) -> Stored:
        if account.refused(digest(case.task.query)) is not None:
            message = "the custodian has refused this query already"
            raise RuleError(
                "query_refused",
                message,
                zh="托管方已拒绝该查询",
                rule="custodian.final",
                hint="ask another question; a refusal is final for its query",
                hint_zh="请另行提问；拒绝对该查询为终局",
            )
        return super()._charge(account, case, residues)

    def _dataset(self, manifest: str) -> tuple[Holding, SealedColumns]:
        custody = self.halves.open(manifest)
        check_profile(custody.manifest)
        if custody.manifest["custodian"] != self.keys.address:
            message = "the manifest names another custodian"
            raise NotAuthorizedError(
                "custodian_differs",
                message,
                zh="清单中指定的是另一托管方",
                rule="custodian.named_in_the_manifest",
                hint="act with the key that the manifest names, or seal with this custodian: `vault seal --custodian`",
                hint_zh="请使用清单所指定的密钥，或以本托管方重新密封：`vault seal --custodian`",
            )
        return custody, self._columns

    def _check_case(self, case: Case) -> None:
        """The vault released this very query and result, and its shares are of the half that goes with ours."""
        task, dataset, plan = case.task, case.dataset, case.plan
        assert isinstance(task, CustodianTask)
        release, shares = task.release, task.shares
        check_release(release, self.deployment, dataset.manifest["releaseKey"])
        names = (digest(task.query), digest(task.result))
        stated = ((release["query"], release["result"]), (shares["query"], shares["result"]))
        if stated != (names, names) or (release["order"], release["shares"]) != (task.query["order"], digest(shares)):
            message = "the vault's release is not of this query and result"
            raise VerificationError("release_mismatch", message, zh="金库的发布与该查询不符", rule="custodian.approval")
        if max(shares["released"]) >= len(plan.numbers) or release["epsilon"] > task.query["epsilon"]:
            message = "the vault's release goes beyond the query"
            raise VerificationError("release_mismatch", message, zh="金库的发布超出查询", rule="custodian.approval")

    def _budget(self, task: VaultTask) -> int:
        signed = super()._budget(task)
        return signed if self._limit is None else min(signed, self._limit)

    def _answer(self, account: Account, case: Case, residues: list[int]) -> Answered:
        answer = Answered(dict(enumerate(residues)), case.dataset.generation)
        account.remember_answer(case.series, case.question, answer, ())
        return answer

    def _chosen(self, case: Case, answer: Answered) -> tuple[Mapping[int, int], list[Group]]:
        """What the vault released of the question, and no more."""
        assert isinstance(case.task, CustodianTask)
        shares = case.task.shares
        if shares["generation"] != answer.generation:
            raise RuleError(
                "halves_differ",
                "vault and custodian answered this question with halves that do not belong together",
                zh="金库与托管方针对该问题使用的半密钥不配套",
                rule="custodian.generations",
                expected=f"generation {answer.generation}",
                got=shares["generation"],
                hint="import the newest file of the vault at the custodian; ask a question that differs in something",
                hint_zh="请在托管方导入金库最新的托管文件;并改问一个有所不同的问题",
            )
        return {index: answer.residues[index] for index in shares["released"]}, [tuple(g) for g in shares["suppressed"]]
