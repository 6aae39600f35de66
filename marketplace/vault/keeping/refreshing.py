"""New halves of the same key: what somebody copied of one holder before is worth nothing afterwards.

Both holders move their halves by opposite uniform polynomials. The vault moves its own at once; the custodian when it
takes the file. Between the two no answer comes about, since both check that their halves are of one generation.
"""

from crypto.canonical import canonical_json
from marketplace.errors import RuleError
from marketplace.vault.keeping.custody import Deposit
from marketplace.vault.keeping.folder import Dataset, VaultFolder


def refresh(folder: VaultFolder, dataset: Dataset, deposit: Deposit) -> Dataset:
    """Move the vault's half and write the file that moves the custodian's by as much.

    Raises:
        RuleError: `key_is_whole`, there is no custodian; `key_not_movable`, the data are sealed with pads.
        NotAuthorizedError: `custodian_differs`, the card is another's.
    """
    if not dataset.ring.is_half:
        raise RuleError(
            "key_is_whole",
            "this data set has no custodian; its key is not split",
            zh="该数据集没有托管方,密钥未分存",
            rule="vault.split",
            hint="seal it again with a custodian: marketplace vault reseal --custodian CARD",
            hint_zh="请重新密封并指定托管方:marketplace vault reseal --custodian CARD",
        )
    if not dataset.ring.moves:
        raise RuleError(
            "key_not_movable",
            "the keys of the form rows cannot be moved while the data stay sealed",
            zh="rows 形式的密钥无法在不重新密封的情况下更新",
            rule="vault.refresh",
            hint="seal the rows again under new keys: marketplace vault reseal --custodian CARD",
            hint_zh="请以新密钥重新密封:marketplace vault reseal --custodian CARD",
        )
    mine, theirs = dataset.ring.zero()
    package = deposit.package(dataset.manifest, dataset.generation + 1, theirs)
    return folder.replace_half(dataset, dataset.ring.plus(mine), canonical_json(package))
