"""What the two sides of an order hand in about its calls: where to call, records, vouchers, service levels.

The exchange answers no call and sees no data. It keeps what it is given for the parties and for auditors, if it is
signed and adds up: records follow one another, a voucher covers them to the fen, a service record is what they give.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlmodel import Session, col, select

from crypto.canonical import from_hex
from marketplace.api import levels, metering
from marketplace.api.rules import record_fault, require_api
from marketplace.api.statements import check
from marketplace.api.tables import ApiBatch, ApiGateway, ApiOrder, ApiService
from marketplace.documents import Document, digest, iso_time, unix_seconds, validate_voucher, voucher_message
from marketplace.documents.api import (
    MAX_BATCH,
    MAX_CALLS,
    validate_call_batch,
    validate_gateway,
    validate_service_answer,
    validate_service_record,
)
from marketplace.errors import InvalidInputError, NotFoundError, RuleError, VerificationError
from marketplace.evidence import log
from marketplace.evidence.inbox.notices import tell
from marketplace.intents import INTENTS, Deployment
from marketplace.listings.service import get_listing, terms_of, unknown_listing
from marketplace.orders.rules import IN_ESCROW
from marketplace.orders.service import get_order, order_terms, parties, unknown_order
from marketplace.orders.tables import Order
from marketplace.participants.keybook import AHEAD_SECONDS, KeyBook
from marketplace.participants.keys import KeyRing
from marketplace.participants.service.keyring import ledger_time, load_keys
from marketplace.storage.documents import read_document, store_document
from marketplace.types import OrderStatus
from marketplace.words import Words, at_most, more_than, word


def publish(
    session: Session, deployment: Deployment, listing_id: str, value: Document, *, account: str, now: int
) -> Document:
    """Keep where a listing's gateway answers.

    Raises:
        NotFoundError: `listing_unknown`: none of `account`'s. VerificationError: `call_statement_signature`.
        RuleError: `order_not_of_calls`, `gateway_older`.
    """
    listing = get_listing(session, listing_id)
    if account != listing.seller:
        raise unknown_listing(listing_id)
    gateway = validate_gateway(value)
    _require_named(gateway, "listing", listing_id, ("seller", listing.seller))
    require_api(terms_of(session, listing), listing.listing_id)
    row, name = session.get(ApiGateway, listing.listing_id), digest(gateway)
    if row is not None and row.digest == name:
        return gateway
    check(gateway, _book(session, deployment, [listing.seller]), ledger_time(session, now))
    if row is not None and gateway["number"] <= row.number:
        raise RuleError(
            "gateway_older",
            "a later address of this gateway is here",
            zh="已有更新的网关地址",
            rule="api.gateways_are_numbered",
            expected=more_than(row.number),
            got=gateway["number"],
            hint=f"number it higher than the one that GET /gateways/{row.listing_id} gives",
            hint_zh=f"序号须大于 GET /gateways/{row.listing_id} 所示",
        )
    store_document(session, gateway, now=now, public=True)
    session.merge(ApiGateway(listing_id=listing.listing_id, number=gateway["number"], digest=name))
    log.append(session, "api.gateway", now, listing=listing.listing_id, gateway=name)
    return gateway


def get_gateway(session: Session, listing_id: str) -> Document:
    """Where a listing's gateway answers. Raises NotFoundError `gateway_unknown`."""
    row = session.get(ApiGateway, listing_id)
    if row is None:
        raise NotFoundError("gateway_unknown", f"listing {listing_id} has no gateway yet", zh="该挂牌尚无网关")
    return read_document(session, row.digest)


@dataclass(frozen=True)
class Checked:
    """What was handed in, with every signature checked: that takes its time, and is done before the writers' turn.

    Args:
        batch: a call_batch, None for no records. voucher: None for none.
    """

    order_id: str
    terms: Document
    batch: Document | None
    voucher: Document | None


def check_handed_in(
    session: Session,
    deployment: Deployment,
    order_id: str,
    *,
    account: str,
    records: Sequence[Any],
    voucher: Document | None,
    now: int,
) -> Checked:
    """Check what is handed in as far as it does not depend on what is here.

    Raises:
        NotFoundError: `order_unknown`: `account` is no party. InvalidInputError: `calls_document_differs`: records or
        voucher are another order's. RuleError: `order_not_of_calls`, `call_record_impossible`. VerificationError:
        `call_statement_signature`, `voucher_signature`.
    """
    order, terms = _order_of(session, order_id, account)
    book, seller = _book(session, deployment, parties(session, order)), parties(session, order)[1]
    batch: Document | None = None
    if records:
        batch = {"type": "call_batch", "version": 1, "order": order_id, "records": list(records)}
        _check_records(validate_call_batch(batch), book, order, seller, terms=terms, latest=ledger_time(session, now))
    if voucher is not None:
        _require_named(validate_voucher(voucher), "order", order_id, ("buyer", order.buyer))
        _check_voucher(voucher, book, order.buyer, ledger_time(session, now))
    return Checked(order_id, terms, batch, voucher)


def _check_voucher(voucher: Document, book: KeyBook, buyer: str, now: int) -> None:
    """As the ledger takes it: a voucher outlives its key for a while, or a buyer could call and then end the key."""
    try:
        signature = from_hex(voucher["signature"], 65)
        book.require("Voucher", voucher_message(voucher), buyer, signature, now, grace=INTENTS["Voucher"].grace)
    except RuleError as error:
        if error.code != "intent_signature_invalid":
            raise
        raise VerificationError(
            "voucher_signature",
            "the voucher is not signed by a key of the order's buyer for this chain and contract",
            zh="凭证不是由订单买方的密钥为本链本合约签署",
            rule="queries.voucher_signature",
            expected=buyer,
            got=voucher["buyer"],
        ) from error


def hand_in(session: Session, checked: Checked, now: int) -> dict[str, Any]:
    """Take records that follow those that are here, then a voucher for them; the same again changes nothing.

    A voucher for more records than are here yet is not taken, but says how many the buyer has: one more at most is
    taken, so that nobody puts records into the evidence that their buyer never saw.

    Raises:
        RuleError: `call_record_order`, `calls_not_receipted`, `calls_voucher_differs`, `calls_voucher_older`,
        `calls_over_escrow`, `calls_over`.
    """
    order = session.get_one(Order, checked.order_id)
    row = session.get(ApiOrder, order.order_id)
    row = row or ApiOrder(order_id=order.order_id, meter=metering.meter_of(checked.terms).as_json())
    so_far = _SoFar(order, checked.terms, row, metering.meter_from(row.meter))
    last, voucher = last_voucher(session, order.order_id), checked.voucher
    if checked.batch is not None:
        receipted = max(int(item["calls"]) if item else 0 for item in (last, voucher))
        _require_receipted(checked.batch["records"][-1]["number"], receipted)
        _take_records(session, so_far, checked.batch, now)
    if checked.voucher is not None and checked.voucher["calls"] <= so_far.meter.size:
        _take_voucher(session, so_far, checked.voucher, now)
    return metered_json(session, order)


def metered_json(session: Session, order: Order) -> dict[str, Any]:
    """What was handed in of an order's calls.

    Returns:
        "calls", "callsRoot", "usages" (by period: calls, hits, records), "currency", "due" (its minor units),
        "voucher" (the last, or null),
        "batches" (digests of documents), "service" (service records with their answers).
    """
    terms = order_terms(session, order)
    require_api(terms, order.order_id)
    row = session.get(ApiOrder, order.order_id)
    meter = metering.meter_from(row.meter) if row else metering.meter_of(terms)
    purpose = read_document(session, order.agreement_digest)["purpose"]
    batches = session.exec(select(ApiBatch).where(ApiBatch.order_id == order.order_id).order_by(col(ApiBatch.first)))
    stated = select(ApiService).where(ApiService.order_id == order.order_id).order_by(col(ApiService.period))
    usages = {
        period: {"calls": used.calls, "hits": used.hits, "records": used.records}
        for period, used in meter.usages.items()
    }
    return {
        "order": order.order_id,
        "calls": meter.size,
        "callsRoot": meter.root,
        "usages": usages,
        "currency": order.currency,
        "due": meter.bill(terms, purpose).total,
        "voucher": last_voucher(session, order.order_id),
        "batches": [item.digest for item in batches],
        "service": [_service_json(session, item) for item in session.exec(stated)],
    }


def last_voucher(session: Session, order_id: str) -> Document | None:
    """The voucher document for the most calls of an order; None where none was handed in."""
    row = session.get(ApiOrder, order_id)
    return read_document(session, row.voucher_digest) if row is not None and row.voucher_digest else None


def records_of(session: Session, order_id: str, first: int = 1, last: int = MAX_CALLS) -> Iterator[Document]:
    """The records of an order that are here, from number `first` to `last`, in order."""
    batches = select(ApiBatch).where(ApiBatch.order_id == order_id, ApiBatch.first <= last)
    batches = batches.where(ApiBatch.first > first - MAX_BATCH).order_by(col(ApiBatch.first))
    for item in session.exec(batches).all():
        found = read_document(session, item.digest)["records"]
        yield from (record for record in found if first <= record["number"] <= last)


def take_service_record(
    session: Session, deployment: Deployment, order_id: str, value: Document, *, account: str, now: int
) -> dict[str, Any]:
    """Keep the seller's service record of a period, if it is what the records that are here give.

    Raises:
        NotFoundError: `order_unknown`. RuleError: `service_period_running`, `service_record_not_the_calls`,
        `service_record_answered`.
        VerificationError: `call_statement_signature`.
    """
    order, terms = _order_of(session, order_id, account)
    record = validate_service_record(value)
    _require_named(record, "order", order_id, ("seller", parties(session, order)[1]))
    row, name = session.get(ApiService, (order_id, record["period"])), digest(record)
    if row is not None and row.record_digest == name:
        return metered_json(session, order)
    check(record, _book(session, deployment, parties(session, order)), ledger_time(session, now))
    _require_over(order, record["period"], terms, now)
    # All that is here from one record before the first on: none of the period may be left out at either end.
    about = list(records_of(session, order_id, record["first"] - 1))
    figures = levels.figures_of(about, record["period"], terms)
    said = {field: record[field] for field in figures or {}}
    if figures is None or said != figures:
        raise RuleError(
            "service_record_not_the_calls",
            "the service record is not what the call records give",
            zh="服务记录与调用记录不符",
            rule="api.service_records_are_the_records",
            expected=figures,
            got=said,
            hint="hand in the call records first, then compute it from them: marketplace api service ORDER",
            hint_zh="请先提交调用记录，再据以计算：marketplace api service ORDER",
        )
    if row is not None and row.answer_digest is not None:
        raise RuleError(
            "service_record_answered",
            f"the buyer has answered the service record of {record['period']}",
            zh=f"买方已对 {record['period']} 的服务记录作出答复",
            rule="api.answers_are_final",
            got=record["period"],
            hint="state a period's service level when the period is over",
            hint_zh="请在周期结束后再提交服务记录",
        )
    store_document(session, record, now=now, readers=parties(session, order))
    session.merge(ApiService(order_id=order_id, period=record["period"], record_digest=name))
    log.append(session, "api.service", now, order=order_id, record=name)
    session.flush()
    return metered_json(session, order)


def _require_over(order: Order, period: str, terms: Document, now: int) -> None:
    """A service record is of a whole period: a seller could state it while it looks well."""
    running = metering.period_of(iso_time(now), terms["delivery"]["period"])
    if order.status == OrderStatus.FUNDED and period >= running:
        raise RuleError(
            "service_period_running",
            f"the period {period} is not over, and neither is the order",
            zh=f"周期 {period} 与订单均未结束",
            rule="api.service_records_are_of_whole_periods",
            got=period,
            hint="state it when the period is over, or the order is closed",
            hint_zh="请在周期结束或订单结算后提交",
        )


def take_service_answer(
    session: Session, deployment: Deployment, order_id: str, value: Document, *, account: str, now: int
) -> dict[str, Any]:
    """Keep the buyer's answer to the last service record of a period.

    Raises:
        NotFoundError: `order_unknown`. RuleError: `service_record_answered`, `service_record_replaced`.
        VerificationError: `call_statement_signature`.
    """
    order, _ = _order_of(session, order_id, account)
    answer = validate_service_answer(value)
    _require_named(answer, "order", order_id, ("buyer", order.buyer))
    statement = select(ApiService).where(ApiService.order_id == order_id, ApiService.record_digest == answer["record"])
    row, name = session.exec(statement).one_or_none(), digest(answer)
    if row is None or (row.answer_digest is not None and row.answer_digest != name):
        raise RuleError(
            "service_record_replaced",
            "the answer is to no service record that waits for one",
            zh="该答复未对应待答复的服务记录",
            rule="api.answers_name_the_record",
            got=answer["record"],
            hint="read the period's last service record, and answer it once",
            hint_zh="请读取该周期最新的服务记录并只答复一次",
        )
    if row.answer_digest is None:
        check(answer, _book(session, deployment, [order.buyer]), ledger_time(session, now))
        store_document(session, answer, now=now, readers=parties(session, order))
        row.answer_digest = name
        session.add(row)
        log.append(session, "api.answer", now, order=order_id, record=answer["record"], answer=name)
        session.flush()
    return metered_json(session, order)


def _require_receipted(number: int, receipted: int) -> None:
    if number > receipted + 1:
        raise RuleError(
            "calls_not_receipted",
            f"the buyer's voucher is for {receipted} calls; record {number} is beyond the one that is at stake",
            zh=f"买方凭证覆盖 {receipted} 次调用，第 {number} 条记录超出可承担的一次",
            rule="api.one_call_at_stake",
            expected=at_most(receipted + 1),
            got=number,
            hint="send the last voucher along with the records that it pays for",
            hint_zh="请随记录一并提交覆盖它们的最后凭证",
        )


@dataclass
class _SoFar:
    """An order of calls as far as they were handed in."""

    order: Order
    terms: Document
    row: ApiOrder
    meter: metering.Meter


def _check_records(batch: Document, book: KeyBook, order: Order, seller: str, *, terms: Document, latest: int) -> None:
    for record in batch["records"]:
        _require_named(record, "order", order.order_id, ("seller", seller))
        check(record, book, unix_seconds(record["at"]), early=AHEAD_SECONDS)
        fault = record_fault(record, terms) or _out_of_time(record, order, latest + AHEAD_SECONDS)
        if fault:
            raise RuleError(
                "call_record_impossible",
                f"record {record['number']} cannot be: {fault.en}",
                zh=f"第 {record['number']} 条调用记录不可能成立：{fault.zh}",
                rule="api.records_are_possible",
                got=fault,
                hint="hand in the records as the gateway made them",
                hint_zh="请原样提交网关生成的记录",
            )


def _take_records(session: Session, so_far: _SoFar, batch: Document, now: int) -> None:
    order, row, meter = so_far.order, so_far.row, so_far.meter
    first, name = batch["records"][0]["number"], digest(batch)
    known = session.get(ApiBatch, (order.order_id, first))
    if known is not None and known.digest == name:
        return
    before, quota = dict(meter.usages), so_far.terms["delivery"]["quota"]
    for record in batch["records"]:
        meter.take(record)
    for period in metering.nearly_used(before, meter.usages, quota):
        about = {"order": order.order_id, "period": period, "calls": meter.usages[period].calls, "quota": quota}
        tell(session, "api.quota_nearly_used", parties(session, order), now, **about)
    store_document(session, batch, now=now, readers=parties(session, order))
    session.add(ApiBatch(order_id=order.order_id, first=first, digest=name))
    row.meter = meter.as_json()
    session.merge(row)
    log.append(session, "api.calls", now, order=order.order_id, batch=name)
    session.flush()


def _out_of_time(record: Mapping[str, Any], order: Order, latest: int) -> Words | None:
    at = unix_seconds(record["at"])
    if at > min(order.valid_until, latest):
        return Words(
            f"it is of {record['at']}, after the order's term or in the future",
            f"时间 {record['at']} 在订单期满之后或晚于当前",
        )
    most = Words(f"number above {MAX_CALLS}", f"序号大于 {MAX_CALLS}")
    return most if record["number"] > MAX_CALLS else None


def _take_voucher(session: Session, so_far: _SoFar, voucher: Document, now: int) -> None:
    """A voucher may be for fewer records than are here: else whoever hands in a record that nothing pays for yet could
    keep out the voucher for those before it."""
    order, row, name = so_far.order, so_far.row, digest(voucher)
    if row.voucher_digest == name:
        return
    if order.status not in IN_ESCROW:
        raise RuleError(
            "calls_over",
            f"order {order.order_id} has ended: no voucher changes what was paid",
            zh=f"订单 {order.order_id} 已结束，凭证不再改变付款",
            rule="api.calls_of_open_orders",
            expected=word(OrderStatus.FUNDED),
            got=word(OrderStatus(order.status)),
            hint="fund another order to call on",
            hint_zh="请另下订单后继续调用",
        )
    last = last_voucher(session, order.order_id)
    if last is not None and voucher["calls"] <= last["calls"]:
        raise RuleError(
            "calls_voucher_older",
            f"a voucher for {last['calls']} calls is here",
            zh=f"已有覆盖 {last['calls']} 次调用的凭证",
            rule="api.vouchers_grow",
            expected=Words(f"more than {last['calls']} calls", f"多于 {last['calls']} 次调用"),
            got=voucher["calls"],
            hint="hand in the last voucher alone",
            hint_zh="请仅提交最后一份凭证",
        )
    purpose = read_document(session, order.agreement_digest)["purpose"]
    covered = so_far.meter
    if voucher["calls"] < covered.size:
        covered = metering.meter_of(so_far.terms, islice(records_of(session, order.order_id), voucher["calls"]))
    due = metering.voucher_due(order.order_id, covered, so_far.terms, purpose)
    metering.check_voucher(voucher_message(voucher), due, order.escrow)
    store_document(session, voucher, now=now, readers=parties(session, order))
    row.voucher_digest = name
    session.merge(row)
    log.append(session, "api.voucher", now, order=order.order_id, voucher=name)
    session.flush()


def _order_of(session: Session, order_id: str, account: str) -> tuple[Order, Document]:
    """An order of calls that `account` is a party to, with its terms."""
    order = get_order(session, order_id, account)
    if account not in parties(session, order):
        raise unknown_order(order_id)
    terms = order_terms(session, order)
    require_api(terms, order_id)
    return order, terms


def _require_named(document: Mapping[str, Any], subject: str, name: str, party: tuple[str, str]) -> None:
    """Refuse a document about another `subject` than `name`, or by another one than the party (field, account)."""
    stated = (document[subject], document[party[0]])
    if stated != (name, party[1]):
        raise InvalidInputError(
            "calls_document_differs",
            f"the {document['type']} is not about this {subject} and its {party[0]}",
            zh="文件所载标的或当事方与请求不符",
            expected=[name, party[1]],
            got=list(stated),
        )


def _book(session: Session, deployment: Deployment, accounts: Iterable[str]) -> KeyBook:
    """What signs for these accounts, ended keys too, as the read model has it."""
    ring: KeyRing = load_keys(session, accounts)
    return KeyBook(deployment, dict(ring.held))


def _service_json(session: Session, row: ApiService) -> dict[str, Any]:
    answer = read_document(session, row.answer_digest) if row.answer_digest else None
    return {"record": read_document(session, row.record_digest), "answer": answer}
