"""What the ledger's numbers, and the codes that stand in documents and answers, are called, in English and Chinese:
states, kinds, steps, roles, levels, marks, permitted acts.

In English a member has the name that service and commands write, e.g. UNDER_REVIEW; in Chinese the field's term.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from enum import IntEnum, IntFlag
from typing import NamedTuple

from marketplace.procedures import KIND_WORDS, CaseState, Kind, Procedure, Step
from marketplace.types import (
    Act,
    AgreementStatus,
    AssetStatus,
    BatchStatus,
    ConsentStatus,
    DebtStatus,
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

    @classmethod
    def alike(cls, text: str) -> "Words":
        """What both languages write alike: names, symbols, JSON."""
        return cls(text, text)


def one_of(names: Iterable[object]) -> Words:
    """One of several names that both languages write alike."""
    told = [str(name) for name in names]
    return Words(f"one of {', '.join(told)}", f"下列之一：{'、'.join(told)}")


def at_most(bound: object) -> Words:
    """No more than a bound."""
    return Words(f"at most {bound}", f"至多 {bound}")


def more_than(bound: object) -> Words:
    """Above a bound."""
    return Words(f"more than {bound}", f"大于 {bound}")


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
        **{"DEEMED": "视为验收", "LAPSED": "已失效", "ENDED": "随订单终止"},
    },
    DeliveryMark: {"SILENCE_ACCEPTS": "沉默视为验收", "QUALITY_IN_USE": "使用不视为验收"},
    BatchStatus: {"NONE": "不存在", "OPEN": "开放", "CLOSED": "已关闭", "CONFIRMED": "已确认", "SETTLED": "已结清"},
    DebtStatus: {"NONE": "不存在", "ENTERED": "已计入", "DROPPED": "已剔除"},
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
_FIRST_MOMENT, _LAST_MOMENT = 10**9, 253_402_300_800
ORIGINS = {"PUBLIC": "公共数据", "ENTERPRISE": "企业数据", "PERSONAL": "个人数据"}
"""Where data come from, as documents.DATA_ORIGINS names it, in Chinese."""
SOURCES = {
    **{
        "COLLECTED_GENERATED": "自行采集生成",
        "AGREEMENT": "协议取得",
        "AUTOMATED_PUBLIC_COLLECTION": "公开数据自动采集",
    },
    **{"DERIVED": "加工衍生", "FUSED": "融合开发", "ENTRUSTED_PROCESSING": "受托处理"},
}
"""How they were come by, as documents.SOURCE_CLASSES names it."""
LEVELS = {
    **{f"GENERAL_{number}": f"一般数据 {number} 级" for number in range(1, 5)},
    **{"IMPORTANT": "重要数据", "CORE": "核心数据"},
}
"""documents.LEVELS, in their order: the ledger's level is the place in it, from 1."""
MODES = {
    **{"FULL_SET": "全量", "PER_PERIOD": "按周期", "PER_CALL": "按次", "PER_HIT": "按命中", "PER_RECORD": "按条"},
    **{"SUBSCRIPTION": "订阅", "FREE_TRIAL": "免费试用", "NEGOTIATED": "协议定价"},
}
"""How a price plan counts, as documents.plans.MODES names it."""
DELIVERIES = {"SEALED_QUERY": "密态查询", "API": "接口调用", "FILE_DOWNLOAD": "文件交付"}
"""How what was bought is delivered, as terms name it."""
PURPOSES = {
    **{"EMERGENCY": "应急管理", "MANUFACTURING": "工业制造", "FINANCIAL_SERVICE": "金融服务"},
    **{"BRAND_MARKETING": "品牌营销", "URBAN_GOVERNANCE": "城市治理", "COMMERCE_LOGISTICS": "商贸物流"},
    **{"CULTURE_TOURISM": "文化旅游", "EDUCATION": "教育", "ENTERTAINMENT_SPORT": "文娱体育"},
    **{"GREEN_LOWCARBON": "绿色低碳", "TRANSPORT": "交通运输", "HEALTHCARE": "医疗健康"},
    **{"SCI_TECH_INNOVATION": "科技创新", "AGRICULTURE": "现代农业", "METEOROLOGY": "气象服务"},
    **{"OTHER": "其他"},
}
"""What data may be used for, as documents.PURPOSES names it; the words of the model forms."""
OUTCOMES = {"HIT": "命中", "MISS": "未命中", "ERROR": "出错", "TIMEOUT": "超时"}
"""What a call came to, as documents.api.OUTCOMES names it."""
PARTIES = {
    **{"applicant": "申请人", "counterparty": "受让方", "registrar": "登记机构", "objector": "异议人"},
    **{"holder": "权利人", "anyone": "任何人"},
}
"""Whose a step of a case is, as procedures.Party names it."""
QUERIES = {"pending": "处理中", "released": "已答复", "refused": "已拒绝"}
"""What became of a question, in the journal of whoever asked it."""
PROPOSALS = {
    **{"open": "待签署", "countered": "已反提议", "withdrawn": "已撤回", "declined": "已谢绝", "accepted": "已接受"},
    "lapsed": "已过期",
}
"""What became of a proposal of an agreement."""
STATEMENTS = {"Agree": "签署协议", "AmendAgreement": "变更协议", "RetireAgreement": "解除协议"}
"""What a proposal of an agreement would have signed."""
ENDPOINTS = {"active": "有效", "gone": "已失效"}
"""How an address for webhooks stands."""
IN_FORCE = {
    **{"in_force": "有效", "ended": "已终止", "expired": "已到期", "not_begun": "尚未生效"},
    "asset_not_confirmed": "资产未处于确权状态",
}
"""Whether a title is in force, and why not."""
PROCEDURES = {procedure.name.lower(): CHINESE[Procedure][procedure.name] for procedure in Procedure if procedure}
"""Procedures as rulebooks spell them."""
PERIODS = {
    **{"accept": "受理", "correct": "补正", "review": "审核", "extension": "延长", "supplement": "补充材料"},
    **{"notice": "公示", "objection": "异议处理", "validity": "有效期", "renewal_opens": "可续期（届满前）"},
    **{"renewal_closes": "续期截止（届满前）", "hearing": "听取意见", "registrar": "登记机构", "exchange": "交易所"},
}
"""The time limits of a rulebook; of an exit, whose notice it is."""


def word(member: IntEnum) -> Words:
    """What one state, kind or step is called."""
    return Words(member.name, CHINESE[type(member)][member.name])


def table_of(kind: type[IntEnum]) -> dict[int | str, Words]:
    """The words of all members, by number and by name."""
    return {key: word(item) for item in kind for key in (int(item), item.name)}


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


def of_moment(value: object) -> object:
    """Seconds of unix time as people read them, in UTC; what is none, or lies before 2001 or after 9999, as it is."""
    if not isinstance(value, int) or not _FIRST_MOMENT <= value < _LAST_MOMENT:
        return value
    return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%dT%H:%M:%SZ}"


def of_rights(bits: int) -> Words:
    """What a confirmation's rights are called; bits as `marketplace.types.right_bit`."""
    return joined(word(kind) for kind in TitleKind if right_bit(kind) & bits)


def joined(words: Iterable[Words]) -> Words:
    """A list of words, one after the other; NONE for an empty one."""
    found = list(words)
    return Words(", ".join(item.en for item in found), "、".join(item.zh for item in found)) if found else NONE
