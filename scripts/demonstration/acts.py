"""The way of one order, act by act. Every line printed is the output of a party's own command."""

import json
import time
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from marketplace.console.values import moment
from scripts.demonstration import flights
from scripts.demonstration.cast import CUSTODIAN, NODES, ROLES, Cast, open_exchange
from scripts.demonstration.narration import Narrator, epsilon, short, yuan
from scripts.demonstration.processes import wait_until
from scripts.demonstration.truth import Question, Truth

VERDICT_STEP = 12
COMPUTATIONS = ("COUNT", "SUM", "MEAN", "VARIANCE", "OLS")
REGRESSION = "SELECT OLS(arr_delay, dep_delay, distance) FROM flights"
QUESTIONS = (
    Question(
        "SELECT origin, COUNT(*), AVG(arr_delay) FROM flights GROUP BY origin",
        "0.5",
        None,
        ("origin",),
        ("count", "mean_arr_delay"),
    ),
    Question(
        "SELECT SUM(distance) FROM flights WHERE carrier = 'UA' AND month BETWEEN 6 AND 8",
        "0.25",
        (pc.field("carrier") == "UA") & (pc.field("month") >= 6) & (pc.field("month") <= 8),
        (),
        ("sum_distance",),
    ),
    Question(
        "SELECT COUNT(*), VARIANCE(dep_delay) FROM flights WHERE origin = 'JFK' AND month NOT IN (1, 2)",
        "0.5",
        (pc.field("origin") == "JFK") & (pc.field("month") > 2),
        (),
        ("count", "variance_dep_delay"),
    ),
    Question(
        "SELECT COUNT(*), COUNT(arr_delay) FROM flights WHERE origin = 'LGA'",
        "0.25",
        pc.field("origin") == "LGA",
        (),
        ("count", "count_arr_delay"),
    ),
)


def open_market(say: Narrator, cast: Cast) -> Path:
    """Start the exchange and admit everybody; return the auditor's roots of trust."""
    say.step("The exchange opens; everybody joins with keys of their own", "开市与入场")
    keys = open_exchange(cast)
    cast.addresses["exchange"] = keys["exchange"]
    trust = pin_trust(cast, keys)
    say.line(f"ledger node and service are up at {cast.url}; its contracts are deployed")
    cast.together(lambda name: _join(cast, name), ROLES)
    registrar = cast["registrar"]
    applications = registrar.call("participants", "applications")
    cast.together(
        lambda account: registrar.call("participants", "admit", account),
        [item["join"]["account"] for item in applications],
    )
    standing = registrar.call("participants", "list")
    say.line(
        f"{len(applications)} applied, {len(standing)} stand on the ledger, each admitted by the registrar's signature"
    )
    return trust


def _join(cast: Cast, name: str) -> None:
    role, en, zh = ROLES[name]
    joining = ("operator", "join") if name == "exchange" else ("participants", "join", "--role", role)
    cast[name].call(*joining, "--name", en, "--name-zh", zh)


def start_panel(say: Narrator, cast: Cast) -> None:
    """Register the three nodes' BLS keys and start them."""
    say.step("Three panel nodes start, each with a BLS key it proved to hold", "计算小组就位")
    cast.together(lambda name: cast[name].call("panel", "register"), NODES)
    for name in NODES:
        cast[name].start("panel", "run")
        say.line(f"{name} {cast.addresses[name]} is running")


def seal(say: Narrator, cast: Cast, csv: Path) -> Path:
    """Seal the flights on the supplier's machine and upload the ciphertext; return the manifest's path."""
    say.step("The supplier seals its data under a key that nobody holds whole; only ciphertext leaves", "密封数据")
    supplier, custodian = cast["supplier"], cast[CUSTODIAN]
    card = str(custodian.home / "card.json")
    custodian.call("custodian", "card", card)
    schema = supplier.home / "flights.json"
    schema.write_text(json.dumps(flights.SCHEMA, ensure_ascii=False), encoding="utf-8")
    sealed = supplier.call("vault", "seal", str(csv), "--schema", str(schema), "--custodian", card)
    custodian.call("custodian", "take", sealed["custodyFile"])
    custodian.start("custodian", "run", "--limit", "3")
    missing = ", ".join(f"{name} {count:,}" for name, count in sealed["missing"].items())
    say.line(f"{sealed['rows']:,} flights sealed into {sealed['bytes'] / 1e6:.1f} MB of ciphertext")
    say.line("the sealing key is split: one half with the supplier's vault, one with a custodian; both must answer")
    say.line(f"missing values are counted, not guessed: {missing}")
    return Path(sealed["manifest"])


def register(say: Narrator, cast: Cast, manifest: Path) -> str:
    """Register, confirm, certify; return the asset's id."""
    say.step("Rights are registered, confirmed and certified", "确权登记发证")
    shares = [f"{cast.addresses['supplier']}:9000", f"{cast.addresses['collector']}:1000"]
    options = [word for share in shares for word in ("--share", share)]
    registered = cast["supplier"].call("rights", "register", str(manifest), "--epsilon-budget", "4", *options)
    asset: str = registered["assetId"]
    deposit(say, cast, asset)
    cast["registrar"].call("rights", "confirm", asset, "--valid", "2y")
    certificate = cast["supplier"].call("rights", "certificate", asset)
    found = cast["supplier"].call("rights", "show", asset)
    say.line(f"asset {short(asset)}: HOLD and OPERATE titles; revenue 90 % supplier, 10 % data collector")
    say.line(f"certificate: W3C VC 2.0, {certificate['proof']['cryptosuite']}, verified by the supplier")
    say.line(f"privacy budget: epsilon {epsilon(found['epsilonBudget'])}, for all buyers together, for ever")
    return asset


def deposit(say: Narrator, cast: Cast, asset: str) -> None:
    """A registration case from its form through a public notice to its deposit."""
    registrar, notice = cast["registrar"], file_case(cast, asset)
    case, book = notice["caseId"], notice["rulebook"]
    say.line(f"case {short(case)} runs under the rulebook {book['name']}" + ("" if book["lawful"] else ", NOT THE LAW"))
    say.line(f"public notice until {moment(notice['noticeEnd'])}: whoever knows better may object")
    wait_until("the end of the notice", lambda: time.time() > notice["noticeEnd"] + 1)
    registrar.call("registrations", "act", case, "deposit")
    say.line("nobody objected; deposited, which is the moment of effect")


def file_case(cast: Cast, asset: str) -> dict[str, Any]:
    """File a first registration, accept it and open the public notice; what the notice board shows of it."""
    supplier, registrar = cast["supplier"], cast["registrar"]
    form = supplier.home / "form.json"
    fields = supplier.call("registrations", "form", asset, "--output", str(form))
    form.write_text(json.dumps(fields | flights.FORM, ensure_ascii=False), encoding="utf-8")
    case = supplier.call("registrations", "file", asset, "--form", str(form))["caseId"]
    for step in ("accept", "open-notice"):
        registrar.call("registrations", "act", case, step)
    board: Any = supplier.call("registrations", "notices")
    return next(notice for notice in board if notice["caseId"] == case)


def list_products(say: Narrator, cast: Cast, asset: str) -> tuple[str, str]:
    """List the full product and one that only counts; start the vault; return both listings."""
    say.step("Two products are listed; the supplier's vault starts", "挂牌")
    full = list_product(cast, asset, "2.00", *COMPUTATIONS)
    counting = list_product(cast, asset, "0.50", "COUNT")
    cast["supplier"].start("vault", "run")
    say.line(f"{short(full)}: {', '.join(COMPUTATIONS)} at 2.00 yuan a query")
    say.line(f"{short(counting)}: COUNT at 0.50 yuan a query")
    say.line("both for the purpose TRANSPORT, in CN-SH, with at least 30 flights behind every number")
    return full, counting


def list_product(cast: Cast, asset: str, price: str, *computations: str) -> str:
    """List the asset for these computations; return the listing's id."""
    options = [word for name in computations for word in ("--compute", name)]
    terms = ["--price", price, "--epsilon-per-query", "1", "--purpose", "TRANSPORT", "--region", "CN-SH"]
    listed = cast["supplier"].call("listings", "create", asset, *terms, "--threshold", "2", *options)
    return str(listed["listingId"])


def order(say: Narrator, cast: Cast, listing: str) -> str:
    """Give the buyer money, show one refusal, fund the order; return its id."""
    say.step("The buyer orders: money into escrow, a USE title granted", "下单与托管")
    cast["bank"].call("settlement", "issue", cast.addresses["buyer"], "100.00")
    buyer = cast["buyer"]
    common = ["orders", "fund", listing, "--escrow", "20.00", "--epsilon-cap", "3", "--region", "CN-SH", "--purpose"]
    say.refusal("asked for the purpose BRAND_MARKETING:", buyer.refused(*common, "BRAND_MARKETING"))
    funded: str = buyer.call(*common, "TRANSPORT")["orderId"]
    balance = buyer.call("settlement", "balance")["balance"]
    say.line(f"then for TRANSPORT: order {short(funded)}, 20.00 yuan in escrow, epsilon 3 at the most")
    say.line(f"the buyer keeps {yuan(balance)} yuan")
    return funded


def ask(say: Narrator, cast: Cast, order_id: str, listing: str, csv: Path) -> None:
    """Ask the questions; print answer, standard error and, for this demonstration only, the truth beside it."""
    say.step("The buyer asks in SQL; nobody shows it a row", "密态查询")
    say.line("each answer: evaluated on ciphertext by three nodes, attested by one aggregated BLS signature,")
    say.line("derived again by vault and custodian, released as two noisy shares, put together by the buyer alone")
    known = Truth(csv)
    _regress(say, cast, order_id, listing, known)
    answers = []
    for question in QUESTIONS:
        answer = cast["buyer"].call("queries", "ask", order_id, question.sql, "--epsilon", question.epsilon)
        answers.append(answer)
        say.line(question.sql, "bold")
        say.table(*known.compare(question, answer))
        spent, left = epsilon(answer["epsilon"]), epsilon(answer["leftOrder"])
        say.line(f"cost {yuan(answer['price'])} yuan, epsilon {spent}; left to this order {left}", "dim")
    again = cast["buyer"].call("queries", "ask", order_id, QUESTIONS[1].sql, "--epsilon", QUESTIONS[1].epsilon)
    same = "the same answer" if again["rows"] == answers[1]["rows"] else "ANOTHER ANSWER"
    say.line(f"the second question asked again: {same}, epsilon {epsilon(again['epsilon'])}")


def _regress(say: Narrator, cast: Cast, order_id: str, listing: str, known: Truth) -> None:
    """Ask for a regression, after looking at what it will cost and how exact it will be."""
    buyer = cast["buyer"]
    told = buyer.call("queries", "explain", listing, REGRESSION, "--epsilon", "1")
    say.line(f"EXPLAIN {REGRESSION}", "bold")
    form = next(form for form in told["forms"] if form["form"] == told["form"])
    say.line(
        f"{told['numbers']} numbers from {form['cells']:,} sealed values, {yuan(told['price'])} yuan, "
        f"epsilon {epsilon(told['charge'])} of {epsilon(told['left'])} left; at least {told['minimumCohort']} flights"
    )
    answer = buyer.call("queries", "ask", order_id, REGRESSION, "--epsilon", "1")
    say.line(REGRESSION, "bold")
    (name,) = (name for name in answer["tables"] if not name.endswith("_fit"))
    say.table(*known.compare_regression(answer["tables"][name], "arr_delay", ("dep_delay", "distance")))
    say.line(f"cost {yuan(answer['price'])} yuan; left to this order epsilon {epsilon(answer['leftOrder'])}", "dim")


def refuse(say: Narrator, cast: Cast, order_id: str, full: str, counting: str) -> None:
    """Show what the rules keep from the buyer, and from another buyer who shares the budget."""
    say.step("What buyers may not learn", "拒绝")
    one = "origin = 'LGA' AND carrier = 'OO' AND month = 1"
    rest = f"SELECT COUNT(*), COUNT(arr_delay) FROM flights WHERE origin = 'LGA' AND NOT ({one})"
    refused = (
        ("a cohort of one flight", f"SELECT COUNT(*) FROM flights WHERE {one}", "0.1"),
        ("all of LGA but that flight, so that the difference with an earlier answer is one", rest, "0.1"),
        ("a computation outside the algebra", "SELECT MAX(arr_delay) FROM flights", "0.1"),
        ("more epsilon than the order has left", "SELECT SUM(air_time) FROM flights", "0.9"),
    )
    for what, sql, spend in refused:
        say.refusal(f"{what}: {sql}", cast["buyer"].refused("queries", "ask", order_id, sql, "--epsilon", spend))
    _refuse_rival(say, cast, full, counting)


def _refuse_rival(say: Narrator, cast: Cast, full: str, counting: str) -> None:
    rival = cast["rival"]
    cast["bank"].call("settlement", "issue", cast.addresses["rival"], "50.00")
    common = ["--escrow", "10.00", "--purpose", "TRANSPORT", "--region", "CN-SH", "--epsilon-cap"]
    error = rival.refused("orders", "fund", full, *common, "1.5")
    say.refusal("another buyer wants epsilon 1.5 of a data set that has 1 left over all buyers:", error)
    funded = rival.call("orders", "fund", counting, *common, "0.5")["orderId"]
    sql = "SELECT AVG(arr_delay) FROM flights"
    error = rival.refused("queries", "ask", funded, sql, "--epsilon", "0.1")
    say.refusal(f"the same buyer, at the listing that only counts: {sql}", error)


def settle(say: Narrator, cast: Cast, order_id: str) -> None:
    """Close with the last voucher; print where every fen went."""
    say.step("The last voucher closes the order", "结算")
    closed = cast["supplier"].call("settlement", "close", order_id)
    statement = closed["statement"]
    names = {address: name for name, address in cast.addresses.items()}
    lines = statement["lines"]
    rows = [(f"{line['what']} → {names.get(line['to'], line['to'])}", yuan(line["amount"])) for line in lines]
    say.table(("escrow 20.00 yuan", "yuan"), [*rows, ("sum", yuan(statement["sum"]))])


def audit(say: Narrator, cast: Cast, trust: Path) -> tuple[Path, bool]:
    """The auditor derives everything anew, from the bundle and from the running exchange.

    Returns:
        The bundle, and whether both hold.
    """
    say.step("The auditor verifies everything from evidence, trusting nobody", "审计")
    auditor = cast["auditor"]
    bundle = auditor.home / "evidence.zip"
    found = auditor.call("evidence", "bundle", str(bundle))
    say.line(
        f"a bundle of {found['bytes'] / 1e6:.1f} MB, audited offline against roots of trust that the auditor pinned"
    )
    report = auditor.audit(str(bundle), trust)
    for step in report["steps"]:
        checked = ", ".join(f"{count:,} {what}" for what, count in step["checked"].items())
        if step["step"] < VERDICT_STEP:
            say.line(f"{step['step']:2d} {step['name']}: {checked or 'pinned by the auditor'}")
    live = auditor.audit(cast.url, trust)
    for where, verdict in (("the bundle", report), ("the running exchange", live)):
        say.line(f"12 Verdict on {where}: {verdict['verdict']}, {verdict['findings_total']} findings")
    return bundle, report["verdict"] == live["verdict"] == "passed"


def pin_trust(cast: Cast, keys: dict[str, str]) -> Path:
    """Write down what the auditor takes for granted: chain, contracts, log key, first registrar, treasury.

    In life it gets these in person.
    """
    pin = cast["auditor"].call("keys", "pin")
    lines = [
        f"chain_id = {pin['chain_id']}",
        f'registrar = "{cast.addresses["registrar"]}"',
        f'treasury = "{keys["exchange"]}"',
    ]
    lines += [f'log_origin = "{pin["log_origin"]}"', f'log_key = "{pin["log_key"]}"', "[contracts]"]
    lines += [f'{name} = "{address}"' for name, address in pin["contracts"].items()]
    path = cast["auditor"].home / "trust.toml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
