"""What the statements of a panel's nodes about one query amount to. Pure: the service acts on it, others check it.

    a node handed in          by the deadline    after the deadline
    nothing                   waiting            absent
    one result, as attested   agreed             late
    one result, another       differed           late, differed
    two results               equivocated        equivocated

A node's first result counts; one that signed two counts for nothing from then on. Differing and equivocating are shown
by the node's own signatures. Late and absent are the operator's word: only its log says when something came.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Fact(StrEnum):
    """What can be held against a node about one query."""

    DIFFERED = "differed"
    EQUIVOCATED = "equivocated"
    LATE = "late"
    ABSENT = "absent"


class Proof(StrEnum):
    """What a fact stands on."""

    SIGNATURE = "node_signature"
    OPERATOR = "operator_word"


class Kind(NamedTuple):
    """The log's leaf type for a fact, and what the fact stands on."""

    leaf: str
    proof: Proof


KINDS: dict[Fact, Kind] = {
    Fact.DIFFERED: Kind("panel.divergence", Proof.SIGNATURE),
    Fact.EQUIVOCATED: Kind("panel.equivocation", Proof.SIGNATURE),
    Fact.LATE: Kind("panel.late", Proof.OPERATOR),
    Fact.ABSENT: Kind("panel.absence", Proof.OPERATOR),
}


class Failure(NamedTuple):
    """Why a query came to no result, and what to do about it, in both languages."""

    message: str
    zh: str
    hint: str
    hint_zh: str


DISAGREED, TIMEOUT, ORDER_ENDED = "panel_disagreed", "panel_timeout", "order_ended"
FAILURES: dict[str, Failure] = {
    DISAGREED: Failure(
        "the panel's nodes did not agree on a result; the call costs nothing",
        "计算小组未能就结果达成一致；本次调用不收费",
        "ask again; the log keeps what each node signed, and an audit computes who was right",
        "请重新查询；日志保存了各节点签署的结果，审计可重算并指明对错",
    ),
    TIMEOUT: Failure(
        "too few of the panel's nodes handed in a result before the query's deadline; the call costs nothing",
        "截止时间前提交结果的计算节点不足；本次调用不收费",
        "ask again; `marketplace panel standing` shows which nodes were absent",
        "请重新查询；`marketplace panel standing` 列出缺席的节点",
    ),
    ORDER_ENDED: Failure(
        "the order ended before there was an answer; the call costs nothing",
        "订单在得出答复之前结束；本次调用不收费",
        "order again",
        "请重新下单",
    ),
}


@dataclass(frozen=True)
class Vote:
    """One node's say.

    Args:
        result: digest of the result that it signed first and in time; None while there is none.
        void: it signed two results.
    """

    result: str | None = None
    void: bool = False


@dataclass(frozen=True)
class Verdict:
    """`result` is attested, or the query fails by the code `failure`; neither while the panel may still agree."""

    result: str | None = None
    failure: str | None = None


def verdict(votes: Iterable[Vote], threshold: int, *, over: bool) -> Verdict:
    """What a panel's votes about a query without an outcome come to.

    Args:
        votes: one for each node. threshold: how many must have signed the same result.
        over: whether the query's deadline has passed, so that nobody's first result can count any more.
    """
    heard = list(votes)
    counted = Counter(vote.result for vote in heard if vote.result is not None and not vote.void)
    best, most = max(counted.items(), key=lambda item: item[1], default=(None, 0))
    if best is not None and most >= threshold:
        return Verdict(result=best)
    if over:
        return Verdict(failure=TIMEOUT)
    waiting = sum(vote.result is None and not vote.void for vote in heard)
    return Verdict(failure=DISAGREED) if most + waiting < threshold else Verdict()


def is_over(now: int, deadline: int | None) -> bool:
    """Whether what comes at `now` comes after the deadline; both are unix seconds, None for no deadline."""
    return deadline is not None and now > deadline
