"""The bell's topics for queries, and how a rule of this stage refuses."""

from marketplace.errors import RuleError
from marketplace.words import Words

PANEL = "panel"  # the bell's topic for new tasks of the panel


def topic(digest_: str) -> str:
    """The bell's topic for news of one query."""
    return f"query:{digest_}"


def vault_topic(release_key: str) -> str:
    """The bell's topic for new tasks of one vault."""
    return f"vault:{release_key}"


def custodian_topic(custodian: str) -> str:
    """The bell's topic for new tasks of one custodian."""
    return f"custodian:{custodian}"


def rule_error(
    code: str, message: str, zh: str, expected: object, got: object = None, *, hint: str, hint_zh: str
) -> RuleError:
    """The refusal of a rule of this stage."""
    rule = f"queries.{code}"
    return RuleError(code, message, zh=zh, rule=rule, expected=expected, got=got, hint=hint, hint_zh=hint_zh)


def query_in_flight(name: str) -> RuleError:
    """The refusal of what has to wait for the outcome of query `name`."""
    return rule_error(
        "query_in_flight",
        "the order's last query has no outcome yet; the next voucher depends on it",
        "上一查询尚无结果,下一凭证取决于它",
        Words("one query at a time", "一次一个查询"),
        name,
        hint=f"wait for it with GET /queries/{name}?wait=30; a vault that is down answers when it is back",
        hint_zh=f"请用 GET /queries/{name}?wait=30 等待结果；金库离线时，恢复后会作答",
    )
