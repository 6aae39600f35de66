"""What the ledger's numbers are called, in English and Chinese: states, kinds, steps, roles, marks, permitted acts.

In English a member has the name that service and commands write, e.g. UNDER_REVIEW; in Chinese the field's term.
"""

from collections.abc import Iterable, Mapping
from enum import IntEnum, IntFlag
from typing import NamedTuple

from marketplace.procedures import KIND_WORDS, CaseState, Kind, Procedure, Step
from marketplace.types import (
    Act,
    AgreementStatus,
    AssetStatus,
    BatchStatus,
    ConsentStatus,
    DeliveryMark,
    DeliveryStatus,
    ListingStatus,
    OrderStatus,
    ParticipantStatus,
    RecoveryStatus,
    RedemptionStatus,
    Role,
    TitleDimension,
    TitleFault,
    TitleKind,
    TitleMark,
    right_bit,
)


class Words(NamedTuple):
    """The same in English and Chinese."""

    en: str
    zh: str


CHINESE: Mapping[type[IntEnum | IntFlag], Mapping[str, str]] = {
    ParticipantStatus: {
        **{"NONE": "未登记", "ACTIVE": "有效", "SUSPENDED": "暂停", "SUBMITTED": "已提交", "UNDER_REVIEW": "审核中"},
        **{"CORRECTION_REQUESTED": "待补正", "REJECTED": "已拒绝", "EXITING": "退出中", "EXITED": "已退出"},
        "EXPELLED": "已除名",
    },
    AssetStatus: {
        **{"NONE": "未登记", "REGISTERED": "已登记待确权", "CONFIRMED": "已确权", "SUSPENDED": "暂停"},
        **{"REVOKED": "已撤销", "CANCELLED": "已注销"},
    },
    CaseState: {
        **{"NONE": "无此案件", "DRAFT": "草稿", "SUBMITTED": "已提交", "CORRECTION_REQUESTED": "待补正"},
        **{"UNDER_REVIEW": "审核中", "SUPPLEMENT_REQUESTED": "待补充材料", "PUBLIC_NOTICE": "公示中"},
        **{"OBJECTION_PENDING": "异议处理中", "CLEARED": "免公示", "DEPOSITED": "已存证", "CERTIFIED": "已发证"},
        **{"REFUSED": "不予登记", "TERMINATED": "已终止", "DEEMED_NOT_FILED": "视为未申请", "WITHDRAWN": "已撤回"},
        **{"DISPUTED": "存在争议", "UPHELD": "异议成立", "DISMISSED": "异议不成立", "ENDED": "登记已终结"},
    },
    Step: {
        **{"NONE": "无", "JOIN": "受让方加入", "ACCEPT": "受理", "ACCEPT_BY_SILENCE": "逾期视为受理"},
        **{"REQUEST_CORRECTION": "要求补正", "RESUBMIT": "补正后再提交", "DEEM_NOT_FILED": "逾期视为未申请"},
        **{"REQUEST_SUPPLEMENT": "要求补充材料", "SUPPLEMENT": "补充材料", "EXTEND": "延长审核期限"},
        **{"REFUSE": "不予登记", "TERMINATE": "终止办理", "WITHDRAW": "撤回申请", "OPEN_NOTICE": "开始公示"},
        **{"WAIVE_NOTICE": "免予公示", "OBJECT": "提出异议", "REPLY": "答复", "UPHOLD": "认定异议成立"},
        **{"REJECT": "认定异议不成立", "DEPOSIT": "存证", "CERTIFY": "发放凭证", "MARK_DISPUTED": "标注争议"},
        "END": "终结登记",
    },
    Procedure: {
        **{"NONE": "无", "ORDINARY": "普通程序", "PUBLIC_DATA": "公共数据程序", "LATE_OBJECTION": "事后异议程序"},
        "REVOCATION": "撤销程序",
    },
    Kind: {"NONE": "无", **KIND_WORDS},
    TitleKind: {"HOLD": "持有权", "USE": "使用权", "OPERATE": "经营权"},
    TitleMark: {
        **{"EXCLUSIVE": "独占", "MAY_GRANT": "可再授权", "MAY_DERIVE": "可衍生", "ENDED": "已终止"},
        **{"SEIZED": "查封", "CONTROLLED": "行政管控", "PLEDGED": "质押"},
    },
    TitleFault: {
        **{"NONE": "不存在", "ENDED": "已终止", "EXPIRED": "已到期", "NOT_BEGUN": "尚未开始"},
        **{"ASSET_NOT_CONFIRMED": "资产未处于确权状态", "UNKNOWN": "不存在"},
    },
    TitleDimension: {"MARKS": "标记", "PURPOSES": "用途", "FIELDS": "字段", "TERRITORIES": "地域", "TERM": "期限"},
    ListingStatus: {"NONE": "不存在", "LISTED": "挂牌中", "DELISTED": "已摘牌"},
    AgreementStatus: {"NONE": "不存在", "SIGNED": "已签署", "AMENDED": "已变更", "RETIRED": "已解除"},
    RedemptionStatus: {
        **{"NONE": "不存在", "LOCKED": "锁定中", "PAID": "已兑付", "REJECTED": "已拒绝", "EXPIRED": "到期退回"},
    },
    OrderStatus: {
        **{"NONE": "不存在", "FUNDED": "托管中", "SETTLED": "已结算", "REFUNDED": "已退款", "CLAIMED": "已主张结算"},
    },
    ConsentStatus: {"NONE": "无", "GIVEN": "已同意", "WITHDRAWN": "已撤回"},
    DeliveryStatus: {
        **{"NONE": "无", "ARRANGED": "已约定", "INSPECTING": "检验中", "OBJECTED": "已异议", "ACCEPTED": "已验收"},
        **{"DEEMED": "视为验收", "LAPSED": "已失效"},
    },
    DeliveryMark: {"SILENCE_ACCEPTS": "沉默视为验收", "QUALITY_IN_USE": "使用不视为验收"},
    BatchStatus: {"NONE": "不存在", "OPEN": "开放", "CLOSED": "已关闭", "CONFIRMED": "已确认", "SETTLED": "已结清"},
    RecoveryStatus: {
        **{"NONE": "不存在", "PROPOSED": "已提议", "NOTICE": "公告中", "COMPLETED": "已完成", "VETOED": "已否决"},
    },
    Role: {
        **{"SUPPLIER": "供方", "BUYER": "买方", "REGISTRAR": "登记机构", "BANK": "银行", "EXCHANGE": "交易所"},
        **{"PANEL": "计算节点", "AUDITOR": "审计方", "REGULATOR": "监管部门", "REVIEWER": "合规审查机构"},
        **{"ASSESSOR": "质量评估机构", "VALUER": "资产评估机构", "ARBITRATOR": "仲裁机构"},
        **{"DELIVERER": "数据交付服务商", "AUTHORITY": "授权主体", "IMPLEMENTER": "实施机构", "OPERATOR": "运营机构"},
    },
    Act: {
        **{"ADMINISTER": "账户管理", "TITLES": "权利与份额", "LISTINGS": "挂牌", "ORDERS": "下单", "QUERIES": "查询"},
        **{"SETTLEMENT": "结算", "REGISTRY": "登记决定", "MONEY": "资金收付", "EVIDENCE": "存证锚定"},
        **{"READ": "登录", "AGREEMENTS": "协议", "RECOVERY": "账户恢复", "CLEARING": "清算"},
    },
}
NONE = Words("none", "无")
ORIGINS = {"PUBLIC": "公共数据", "ENTERPRISE": "企业数据", "PERSONAL": "个人数据"}
"""Where data come from, as documents.DATA_ORIGINS names it, in Chinese."""


def word(member: IntEnum) -> Words:
    """What one state, kind or step is called."""
    return Words(member.name, CHINESE[type(member)][member.name])


def of_number(kind: type[IntEnum], number: int) -> Words:
    """What the ledger's number of `kind` is called; a number that no member has says so."""
    known = number in kind.__members__.values()
    return word(kind(number)) if known else Words(f"undefined ({number})", f"未定义（{number}）")


def of_bits(kind: type[IntFlag], bits: int, nothing: Words = NONE) -> Words:
    """What the bits of a mask are called, from the lowest; `nothing` for no bit."""
    named = [Words(str(item.name), CHINESE[kind][str(item.name)]) for item in kind if bits & item]
    undefined = bits & ~sum(kind)
    rest = [Words(f"undefined ({undefined})", f"未定义（{undefined}）")] if undefined else []
    return joined([*named, *rest]) if bits else nothing


def of_rights(bits: int) -> Words:
    """What a confirmation's rights are called; bits as `marketplace.types.right_bit`."""
    return joined(word(kind) for kind in TitleKind if right_bit(kind) & bits)


def joined(words: Iterable[Words]) -> Words:
    """A list of words, one after the other; NONE for an empty one."""
    found = list(words)
    return Words(", ".join(item.en for item in found), "、".join(item.zh for item in found)) if found else NONE
