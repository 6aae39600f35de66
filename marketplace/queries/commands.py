"""`marketplace queries`: asking sealed data."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from crypto.seal.privacy import PURE, approximate_epsilon
from marketplace.console import Run, command, group
from marketplace.console.naming import named
from marketplace.console.values import parse_epsilon, parse_id, short
from marketplace.documents.identifiers import Kind
from marketplace.quantities import epsilon as show_epsilon
from marketplace.quantities import money, worth
from marketplace.sdk import orders, queries
from marketplace.sdk.answers import Answer
from marketplace.sdk.home.journal import Step
from marketplace.sdk.opening import open_client
from marketplace.words import QUERIES

app = group("Ask questions of data that nobody shows you. 密态查询")
Order = Annotated[str, typer.Argument(metavar="ORDER", parser=parse_id(Kind.ORDER), help="id of your order 订单编号")]
Sql = Annotated[str, typer.Argument(metavar="SQL", help="SELECT … FROM data [WHERE …] [GROUP BY …]")]
Epsilon = Annotated[int, typer.Option(parser=parse_epsilon, metavar="EPSILON", help="privacy budget to spend 隐私预算")]
Wait = Annotated[int, typer.Option(min=1, max=3600, metavar="SECONDS", help="how long to wait 等待秒数")]


@command(app)
def explain(
    run: Run,
    listing: Annotated[
        str, typer.Argument(metavar="LISTING", parser=parse_id(Kind.PRODUCT), help="id of the listing 挂牌编号")
    ],
    sql: Sql,
    epsilon: Epsilon,
) -> None:
    """What a question would cost and how exact its answer would be; asks nothing. 查询说明

    Example: marketplace queries explain 0x5f…5f "SELECT AVG(arr_delay) FROM flights GROUP BY carrier" --epsilon 0.5
    """
    with open_client(run) as client:
        found = queries.explain(client, listing, sql, epsilon)
    print_explanation(run, found)


def print_explanation(run: Run, found: queries.Explanation) -> None:
    """Cost, forms, noise, expected errors and refusals as tables; or as JSON."""
    if run.as_json:
        run.json(found.as_dict())
        return
    (price, price_zh), (charge, charge_zh) = (
        worth(found.price, found.currency),
        _shown_budget(found.privacy, found.charge),
    )
    left = show_epsilon(found.left)
    run.say(
        f"price {price}, {charge} of the {left} left to the data set; every number rests on at least "
        f"{found.minimum_cohort} rows, or is left out",
        f"费用 {price_zh}，消耗预算 {charge_zh}（数据集剩余 {left}）；"
        f"每个数值至少涉及 {found.minimum_cohort} 行，否则不发布",
    )
    if found.left_buyer is not None:
        mine = show_epsilon(found.left_buyer)
        who, zh = (f"the buyers {found.group}", f"买方组 {found.group} ") if found.group else ("you", "您")
        run.say(f"left to {who} over all orders: {mine}", f"{zh}在全部订单中剩余 {mine}")
    if found.plan:
        _print_details(run, found.details)
    for refusal in found.refusals:
        en, zh = refusal["message"], refusal.get("zh", refusal["message"])
        run.say(f"would be refused: {en} ({refusal['code']})", f"将被拒绝：{zh}（{refusal['code']}）")


def _print_details(run: Run, details: Mapping[str, Any]) -> None:
    for form in details["forms"]:
        run.say(*_form_line(form, chosen=form["form"] == details["form"]))
    noise = [{**item, "noise": float(details["noise"][item["name"]])} for item in details["statistics"]]
    columns = (
        ("name", "released number", "发布的数值", str),
        ("sensitivity", "one row moves it by", "单行影响", _number),
        ("noise", "noise (std. dev.)", "噪声标准差", _number),
    )
    run.rows(noise, columns)
    errors = (
        ("computation", "computation", "计算", str),
        ("part", "of", "其中", str),
        ("error", "expected standard error", "预期标准误", lambda text: _number(float(text))),
        ("exact", "known", "依据", lambda exact: run.tr("exactly", "确定") if exact else run.tr("assumed", "估计")),
    )
    run.rows(details["expected"], errors)
    run.say(details["assumed"]["en"], details["assumed"]["zh"])


def _form_line(form: Mapping[str, Any], *, chosen: bool) -> tuple[str, str]:
    if not form["able"]:
        reason = form["reason"]
        return f"form {form['form']} cannot: {reason['message']}", f"形式 {form['form']} 不可用：{reason['zh']}"
    cells, operations, milliseconds = form["cells"], form["operations"], form["microseconds"] / 1000
    en = f"form {form['form']}: {cells:,} sealed values, {operations:,} operations, {form['bytes'] / 1e6:,.1f} MB, "
    zh = f"形式 {form['form']}：{cells:,} 个密文值，{operations:,} 次运算，{form['bytes'] / 1e6:,.1f} MB，"
    marked = ("about {:,.0f} ms; taken" if chosen else "about {:,.0f} ms").format(milliseconds)
    return en + marked, zh + (f"约 {milliseconds:,.0f} 毫秒" + ("；选用" if chosen else ""))


@command(app)
def ask(run: Run, order: Order, sql: Sql, epsilon: Epsilon, wait: Wait = queries.WAIT_SECONDS) -> None:
    """Ask a question under a funded order; the answer is put together and checked here alone. 查询

    Example: marketplace queries ask 0x5f…5f "SELECT carrier, AVG(arr_delay) FROM flights GROUP BY carrier" --epsilon
    0.5
    """
    with open_client(run) as client, run.progress("asking", "查询中"):
        answer = queries.ask(client, order, sql, epsilon, wait)
    print_answer(run, answer)


@command(app)
def resume(run: Run, order: Order, wait: Wait = queries.WAIT_SECONDS) -> None:
    """Carry on with a question that was interrupted; nothing is signed or paid twice. 继续

    Example: marketplace queries resume 0x5f…5f
    """
    with open_client(run) as client, run.progress("resuming", "继续中"):
        answer = queries.resume(client, order, wait)
    if answer is None:
        run.result({"order": order, "pending": False}, "nothing is pending", "没有未完成的查询")
        return
    print_answer(run, answer)


@command(app)
def history(run: Run, order: Order) -> None:
    """What you asked under an order and what became of it, from your own journal. 历史

    Example: marketplace queries history 0x5f…5f
    """
    with open_client(run) as client:
        steps, code = queries.history(client, order), orders.get(client, order)["currency"]
    rows = [{**_history_row(step), "currency": code} for step in steps]
    columns = (
        ("sequence", "call", "序号", str),
        ("query", "query", "查询", short),
        ("status", "status", "状态", named(QUERIES)),
        ("amount", "yuan so far", "累计(元)", money),
        ("code", "refused because", "拒绝原因", str),
    )
    run.rows(rows, columns)


def print_answer(run: Run, answer: Answer) -> None:
    """An answer as a table with standard errors, its cost, and what is left; or as JSON."""
    if run.as_json:
        run.json(answer.as_dict())
        return
    columns: list[tuple[str, str, str, Any]] = [(name, name, name, str) for name in answer.groups]
    for term in answer.terms:
        columns += [(term, term, term, _number), (f"{term} ±", "±", "±", _number)]
        if any(f"{term}_low" in row for row in answer.rows()):
            columns += [(f"{term}_low", "from", "下限", _number), (f"{term}_high", "to", "上限", _number)]
    if answer.terms:
        run.rows(answer.rows(), columns)
    for name, rows in answer.listings().items():
        run.say(name, name)
        run.rows(rows, [(column, column, column, _cell) for column in rows[0]])
    for missing in answer.opened.suppressed:
        run.say(f"left out, too few rows: {', '.join(missing)}", f"因行数过少未发布：{'、'.join(missing)}")
    cost, cost_zh = worth(answer.price, answer.currency)
    spent, spent_zh = _shown_budget(answer.privacy, answer.opened.epsilon)
    left, whole = show_epsilon(answer.left_order), show_epsilon(answer.left_asset)
    mine = None if answer.left_buyer is None else show_epsilon(answer.left_buyer)
    run.say(
        f"± is the standard error of the privacy noise. Cost {cost}, {spent}; left {left} to the "
        f"order, {'' if mine is None else f'{mine} to you, '}{whole} to the data set",
        f"± 为隐私噪声的标准误。费用 {cost_zh}，消耗预算 {spent_zh}；订单剩余 {left}，"
        f"{'' if mine is None else f'您剩余 {mine}，'}数据集剩余 {whole}",
    )


def _history_row(step: Step) -> dict[str, Any]:
    code = (step.outcome or {}).get("code") if step.status == "refused" else None
    row = {"sequence": step.sequence, "query": step.query_digest, "status": step.status, "code": code}
    return {**row, "amount": step.voucher["amount"], "select": step.query["select"]}


def _cell(value: object) -> str:
    return _number(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.3f}"


def _shown_budget(privacy: Mapping[str, Any], micro: int) -> tuple[str, str]:
    """Millionths of the unit of a manifest's `privacy`, and what they are as (epsilon, delta), English and Chinese.

    Under zCDP the epsilon is OpenDP's conversion of all of it at the declared delta; it does not add up, rho does.
    """
    if privacy["measure"] == PURE:
        return f"epsilon {show_epsilon(micro)}", f"ε {show_epsilon(micro)}"
    delta = privacy["delta"]
    amounts_to = f"{approximate_epsilon(micro, float(delta)):.3g}"
    unit = show_epsilon(micro)
    return f"rho {unit} (epsilon {amounts_to} at delta {delta})", f"ρ {unit}（δ={delta} 时相当于 ε {amounts_to}）"
