"""The vault: a key holder (deciding.py) that has the data sets, their true counts, and the key or half of it.

It alone can apply the minimum cohort: every released set of rows, and its difference with every earlier one, is empty
or large enough.
"""

from collections.abc import Collection

from crypto.keystore import Keys
from marketplace.documents import series_of
from marketplace.errors import NotAuthorizedError
from marketplace.intents import Deployment
from marketplace.queries.cohort import check_cohort
from marketplace.queries.evaluation import OpenColumns, SealedColumns, check_profile, open_here
from marketplace.vault.decisions.cases import Case, Holding, Word
from marketplace.vault.decisions.deciding import KeyHolder
from marketplace.vault.keeping.folder import Dataset, VaultFolder
from marketplace.vault.keeping.store import Account, Answered, PrivacyStore


class Vault(KeyHolder):
    """A supplier's vault.

    Args:
        keys: manifests name their address as release key. folder: the sealed data sets.
        store, deployment, sellers, word, registrars: see KeyHolder.
        columns: opens the blobs of a data set for evaluation.
    """

    def __init__(
        self,
        keys: Keys,
        folder: VaultFolder,
        store: PrivacyStore,
        deployment: Deployment,
        sellers: Collection[str] = (),
        *,
        word: Word | None = None,
        registrars: Collection[str] = (),
        columns: OpenColumns = open_here,
    ) -> None:
        super().__init__(keys, store, deployment, sellers, word, registrars=registrars)
        self.folder, self._columns = folder, columns
        self._open: dict[str, tuple[int, Dataset, SealedColumns]] = {}

    def _dataset(self, manifest: str) -> tuple[Holding, SealedColumns]:
        # A refresh may have put another half in place since the data set was opened.
        stamp = self.folder.stamp(manifest)
        if manifest not in self._open or self._open[manifest][0] != stamp:
            dataset = self.folder.open(manifest)
            check_profile(dataset.manifest)
            if dataset.manifest["releaseKey"] != self.keys.address:
                message = "the manifest names another release key than this vault's"
                raise NotAuthorizedError(
                    "release_key",
                    message,
                    zh="清单中的发布密钥不是本保险库的",
                    rule="vault.release_key",
                    hint="answer with the vault whose key the manifest names as release key",
                    hint_zh="请由清单所指定发布密钥的金库作答",
                )
            self._open[manifest] = stamp, dataset, self._columns(dataset.blobs, dataset.blob, False)
        _, dataset, columns = self._open[manifest]
        return dataset, columns

    def _signers(self, dataset: Holding) -> Collection[str]:
        # Sealed again, a series may have another release key; what the one before signed counts here too.
        return {self.keys.address, *self.folder.release_keys(series_of(dataset.manifest))}

    def _answer(self, account: Account, case: Case, residues: list[int]) -> Answered:
        assert isinstance(case.dataset, Dataset)
        counts = self.folder.counts(case.dataset)
        cohort = check_cohort(case.plan, counts, account.earlier_sets(case.series), case.minimum)
        allowed = set(cohort.released)
        chosen = {index: residues[index] for index, number in enumerate(case.plan.numbers) if number.group in allowed}
        answer = Answered(chosen, case.dataset.generation)
        account.remember_answer(case.series, case.question, answer, cohort.sets)
        return answer
