"""What panel and vault tasks have in common."""

from sqlmodel import Session

from marketplace.errors import NotFoundError, RuleError
from marketplace.queries.tables import QueryRow


def row_of(session: Session, name: str) -> QueryRow:
    """The query that a task is about."""
    row = session.get(QueryRow, name)
    assert row is not None, "a task is made with its query"
    return row


def unknown_task(name: str) -> NotFoundError:
    """The error for a task that does not exist, or is not theirs."""
    return NotFoundError("task_unknown", f"there is no task about {name} for you", zh="没有您的该任务")


def misfit(code: str, message: str, expected: object, got: object) -> RuleError:
    """The error for what was handed in and does not answer its task."""
    return RuleError(
        code,
        message,
        zh="提交内容与任务不符",
        rule=f"queries.{code}",
        expected=expected,
        got=got,
        hint="take the task anew and hand in what it asks for; a query that has its outcome needs nothing more",
        hint_zh="请重新领取任务并按其要求提交；已有结果的查询无需再提交",
    )
