"""What an act did to the register, in a word of either language, where the ledger's event alone does not tell it.

Seizure, administrative control and the lifting of either are one event of the ledger, as are a mark of dispute set and
taken off, or a title given up and revoked: what happened follows from how things stood before.
"""

from collections.abc import Callable, Mapping
from typing import Any

from marketplace.documents import iso_time
from marketplace.events import Event
from marketplace.procedures import Step
from marketplace.types import NO_LIMIT, ZERO_DIGEST, AssetStatus, ParticipantStatus, TitleMark
from marketplace.words import CHINESE

Args = Mapping[str, Any]

WORDS: dict[str, tuple[str, str]] = {
    # participants and their keys
    "admitted": ("admitted", "准入"),
    "applied": ("applied", "申请入场"),
    "leaving": ("asked to leave", "申请退出"),
    "participant_active": ("restored", "恢复资格"),
    "participant_suspended": ("suspended", "暂停资格"),
    "participant_under_review": ("taken up for review", "开始审核"),
    "participant_correction_requested": ("asked for a correction", "要求补正"),
    "participant_rejected": ("application rejected", "拒绝入场"),
    "participant_exited": ("let go", "完成退出"),
    "participant_expelled": ("expelled", "除名"),
    "key_added": ("key added", "新增密钥"),
    "key_ended": ("key ended", "终止密钥"),
    "key_rotated": ("key rotated", "轮换密钥"),
    "guardians_set": ("guardians named", "指定监护人"),
    "recovery_approved": ("recovery approved", "同意恢复账户"),
    "recovery_vetoed": ("recovery vetoed", "否决恢复账户"),
    "recovered": ("recovered", "账户已恢复"),
    # assets and shares of their income
    "registered": ("registered", "提交登记"),
    "confirmed": ("confirmed", "确权"),
    "asset_suspended": ("suspended", "暂停登记"),
    "asset_confirmed": ("restored", "恢复登记"),
    "asset_revoked": ("revoked", "撤销登记"),
    "asset_cancelled": ("cancelled", "注销登记"),
    "share_transferred": ("share transferred", "转让份额"),
    "share_pledged": ("share pledged", "质押份额"),
    "share_released": ("pledge of a share released", "解除份额质押"),
    "share_enforced": ("pledge of a share enforced", "执行份额质押"),
    "share_seized": ("share seized", "查封份额"),
    "share_seizure_lifted": ("seizure of a share lifted", "解除份额查封"),
    "share_controlled": ("share put under control", "管控份额"),
    "share_control_lifted": ("control of a share lifted", "解除份额管控"),
    "budget_committed": ("privacy budget set aside", "预留隐私预算"),
    "budget_released": ("privacy budget given back", "退回隐私预算"),
    # titles
    "granted": ("first title given", "授予首次权利"),
    "use_granted": ("use given with an order", "随订单授予使用权"),
    "derived": ("granted out of a title", "自上级权利授予"),
    "transferred": ("transferred", "转让"),
    "surrendered": ("given up", "放弃"),
    "revoked": ("revoked", "撤销"),
    "seized": ("seized", "查封"),
    "seizure_lifted": ("seizure lifted", "解除查封"),
    "controlled": ("put under control", "行政管控"),
    "control_lifted": ("control lifted", "解除行政管控"),
    "pledged": ("pledged", "质押"),
    "pledge_released": ("pledge released", "解除质押"),
    "act_permitted": ("act permitted by the pledgee", "质权人许可行为"),
    "pledge_enforced": ("pledge enforced", "执行质押"),
    # cases
    "filed": ("filed", "提交申请"),
    "certified": ("certified", "发放凭证"),
    "disputed": ("marked as disputed", "标注争议"),
    "dispute_lifted": ("mark of dispute taken off", "解除争议标注"),
    "rulebook_adopted": ("rulebook adopted", "采用规则"),
    **{step.name.lower(): (step.name.lower().replace("_", " "), CHINESE[Step][step.name]) for step in Step if step},
    # what products are made of
    "lineage_declared": ("inputs declared", "申报来源"),
    "consent_given": ("consent given", "给予同意"),
    "consent_withdrawn": ("consent withdrawn", "撤回同意"),
}

#: field of an event -> the same in words; what is not named here is in the register's row, or says nothing to a reader
FACTS: dict[str, tuple[str, str]] = {
    "from": ("from", "转出方"),
    "to": ("to", "转入方"),
    "holder": ("holder", "权利人"),
    "inputId": ("input", "来源"),
    "pledgee": ("pledgee", "质权人"),
    "bps": ("basis points", "万分比"),
    "validUntil": ("until", "期限至"),
    "key": ("key", "密钥"),
    "oldKey": ("old key", "原密钥"),
    "newKey": ("new key", "新密钥"),
    "disputes": ("open disputes", "未决争议"),
    "act": ("permitted act", "许可的行为"),
    "evidenceDigest": ("paper", "材料"),
    "certificateDigest": ("certificate", "凭证"),
    "orderDigest": ("order of court or authority", "法院或主管部门文书"),
    "rulingDigest": ("ruling", "裁判文书"),
    "debtDigest": ("debt", "债务"),
    "reasonDigest": ("reason", "理由"),
}

_SEIZURE = ((TitleMark.SEIZED, "seized", "seizure_lifted"), (TitleMark.CONTROLLED, "controlled", "control_lifted"))


class Deeds:
    """Names the acts of a ledger, each in its turn; see them all, from the first."""

    def __init__(self) -> None:
        self._marks: dict[tuple[str, ...], int] = {}
        self._disputes: dict[str, int] = {}
        self._holders: dict[str, str] = {}

    def of(self, event: Event) -> list[str]:
        """What an event did, as keys of WORDS; mostly one, none for an event of another register."""
        args = event.args
        told = NAMES.get(event.name, "")
        deeds = [told] * bool(told) if isinstance(told, str) else told(self, args)
        if event.contract == "Titles" and (holder := args.get("holder") or args.get("to")):
            self._holders[args["titleId"]] = holder
        return deeds

    def ended(self, args: Args) -> list[str]:
        """A title is given up by its holder, and revoked by anybody else."""
        return ["surrendered" if args["by"] == self._holders.get(args["titleId"]) else "revoked"]

    def disputed(self, args: Args) -> list[str]:
        """Each objection counts; the mark of one is set or taken off."""
        before, now = self._disputes.get(args["assetId"], 0), args["disputes"]
        self._disputes[args["assetId"]] = now
        return ["disputed" if now > before else "dispute_lifted"]

    def encumbered(self, args: Args) -> list[str]:
        """A title."""
        return self._weighed((args["titleId"],), args["marks"], "")

    def share_encumbered(self, args: Args) -> list[str]:
        """A share."""
        return self._weighed((args["assetId"], args["holder"]), args["marks"], "share_")

    def _weighed(self, key: tuple[str, ...], marks: int, prefix: str) -> list[str]:
        before = self._marks.get(key, 0)
        self._marks[key] = marks
        changed = [(mark, on, off) for mark, on, off in _SEIZURE if (before ^ marks) & mark]
        return [prefix + (on if marks & mark else off) for mark, on, off in changed]


#: event -> what it did, or what tells
NAMES: dict[str, str | Callable[[Deeds, Args], list[str]]] = {
    **{"Admitted": "admitted", "Applied": "applied", "Leaving": "leaving"},
    "StatusChanged": lambda _, args: [f"participant_{ParticipantStatus(args['status']).name.lower()}"],
    **{"KeyAdded": "key_added", "KeyEnded": "key_ended", "KeyRotated": "key_rotated", "GuardiansSet": "guardians_set"},
    **{"RecoveryApproved": "recovery_approved", "RecoveryVetoed": "recovery_vetoed", "Recovered": "recovered"},
    **{"Registered": "registered", "Confirmed": "confirmed"},
    "Marked": lambda _, args: [f"asset_{AssetStatus(args['status']).name.lower()}"],
    **{"ShareTransferred": "share_transferred", "SharePledged": "share_pledged", "ShareReleased": "share_released"},
    **{"ShareEnforced": "share_enforced", "ShareEncumbered": Deeds.share_encumbered},
    **{"BudgetCommitted": "budget_committed", "BudgetReleased": "budget_released"},
    "TitleGranted": lambda _, args: ["granted" if args["orderId"] == ZERO_DIGEST else "use_granted"],
    **{"TitleDerived": "derived", "TitleTransferred": "transferred", "TitleEnded": Deeds.ended},
    **{"TitleEncumbered": Deeds.encumbered, "TitlePledged": "pledged", "PledgeReleased": "pledge_released"},
    **{"ActPermitted": "act_permitted", "PledgeEnforced": "pledge_enforced"},
    **{"Filed": "filed", "Certified": "certified", "DisputeMarked": Deeds.disputed},
    **dict.fromkeys(("Acted", "Expired"), lambda _, args: [Step(args["step"]).name.lower()]),
    "RulebookAdopted": "rulebook_adopted",
    **{"LineageDeclared": "lineage_declared", "ConsentGiven": "consent_given", "ConsentWithdrawn": "consent_withdrawn"},
}


def facts_of(args: Args) -> dict[str, Any]:
    """What of an event a reader needs beside its name: parties, sums, ends, and digests of what it rests on."""
    found = {name: args[name] for name in FACTS if args.get(name) not in (None, ZERO_DIGEST)}
    until = found.pop("validUntil", 0)
    return found | ({"validUntil": iso_time(until)} if 0 < until < NO_LIMIT else {})
