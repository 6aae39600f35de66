"""Data that is delivered call by call: order it, say where its gateway answers, hand in the evidence that both keep.

The calls themselves are calling.py's.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from marketplace.api.levels import figures_of
from marketplace.api.metering import period_of
from marketplace.api.rules import LEAST_BUDGET, require_api
from marketplace.api.statements import check, sign
from marketplace.documents import Document, digest, iso_time
from marketplace.documents.api import MAX_BATCH, is_at_home, validate_gateway, validate_service_record
from marketplace.errors import MarketplaceError, RuleError
from marketplace.sdk import orders
from marketplace.sdk.checks import expect
from marketplace.sdk.client import Client
from marketplace.sdk.home.call_store import CallStore, call_file
from marketplace.sdk.keyproofs import book_of
from marketplace.types import ZERO_DIGEST


def store_of(client: Client) -> CallStore:
    """The store in the client's home folder."""
    folder = client.home.path if client.home is not None else Path.cwd()
    return CallStore(call_file(folder))


def order(
    client: Client,
    listing_id: str,
    *,
    escrow: int,
    purpose: str,
    region: str,
    valid_until: int,
    agreement_id: str = ZERO_DIGEST,
    currency: str = "",
) -> dict[str, Any]:
    """Fund an order of calls. It sets the smallest privacy budget aside, which comes back whole: calls spend none.
    Arguments as of `orders.fund`."""
    return orders.fund(
        client,
        listing_id,
        escrow=escrow,
        epsilon_cap=LEAST_BUDGET,
        purpose=purpose,
        region=region,
        valid_until=valid_until,
        agreement_id=agreement_id,
        currency=currency,
    )


def publish_gateway(client: Client, listing_id: str, url: str) -> dict[str, Any]:
    """Say, as the seller, where the gateway of a listing answers; it may move."""
    try:
        number = int(client.get(f"/gateways/{listing_id}", signed=False)["number"]) + 1
    except MarketplaceError as error:
        if error.code != "gateway_unknown":
            raise
        number = 1
    body: Document = {"type": "gateway", "version": 1, "listing": listing_id, "url": url, "number": number}
    body |= {"seller": client.address}
    signed = validate_gateway(sign({**body}, client.deployment, client.keys.signing_key))
    found: dict[str, Any] = client.post(f"/gateways/{listing_id}", {"gateway": signed}, repeatable=True)
    return found


def gateway_of(client: Client, listing: Mapping[str, Any]) -> Document:
    """Where a listing's gateway answers, as its seller signed it: the exchange cannot lead calls elsewhere.

    Raises:
        VerificationError: `call_statement_signature`. NotFoundError: `gateway_unknown`.
    """
    gateway = validate_gateway(client.get(f"/gateways/{listing['listingId']}", signed=False))
    book = book_of(client, listing["seller"])
    named = (gateway["listing"], gateway["seller"])
    expect(named, (listing["listingId"], listing["seller"]), "call_record_differs", "api.gateways_are_the_sellers")
    check(gateway, book, max(client.now(), book.time))
    # No seller sends a buyer's calls to the buyer's own machine, except where all of them try it out on one.
    away = is_at_home(gateway["url"]) and not is_at_home(client.url)
    expect(away, False, "call_record_differs", "api.gateways_are_elsewhere")
    return gateway


def last_voucher(client: Client, order_id: str) -> Document | None:
    """The order's last voucher that was handed in; None before the first."""
    try:
        found: Document = client.get(f"/orders/{order_id}/voucher")
    except MarketplaceError as error:
        if error.code != "voucher_unknown":
            raise
        return None
    return found


def metered(client: Client, order_id: str) -> dict[str, Any]:
    """What was handed in of an order's calls: how many, what they come to, service levels."""
    found: dict[str, Any] = client.get(f"/orders/{order_id}/calls")
    return found


def hand_in(client: Client, order_id: str, store: CallStore) -> dict[str, Any]:
    """Hand in, as either side, the records that the exchange lacks, and the voucher; parties alone can read them.

    The last voucher goes along: it says how many records the buyer has, and is taken when all of those are here.
    """
    told, voucher = metered(client, order_id), store.voucher(order_id)
    records, known = store.records(order_id, told["calls"] + 1), told["voucher"]
    newer = voucher if voucher is not None and voucher["calls"] > (known["calls"] if known else 0) else None
    for start in range(0, len(records), MAX_BATCH):
        body = {"records": records[start : start + MAX_BATCH], "voucher": newer}
        told = client.post(f"/orders/{order_id}/calls", body, repeatable=True)
    if not records and newer is not None and told["calls"] >= newer["calls"]:
        told = client.post(f"/orders/{order_id}/calls", {"records": [], "voucher": newer}, repeatable=True)
    return told


def service_of(client: Client, order_id: str, store: CallStore, period: str | None = None) -> dict[str, Any] | None:
    """Figures of one period from one's own records; the running one's by default. None where there is no record.

    Raises:
        RuleError: `order_not_of_calls`.
    """
    terms = orders.inspect(client, order_id).offer.terms
    require_api(terms, order_id)
    chosen = period or period_of(iso_time(client.now()), terms["delivery"]["period"])
    return figures_of(store.records(order_id), chosen, terms)


def state_service(client: Client, order_id: str, store: CallStore, period: str | None = None) -> dict[str, Any]:
    """Sign, as the seller, the service record of a period and hand it in, after the calls that it is about.

    Raises:
        RuleError: `service_period_empty`.
    """
    hand_in(client, order_id, store)
    figures = service_of(client, order_id, store, period)
    if figures is None:
        raise RuleError(
            "service_period_empty",
            "there is no call of that period",
            zh="该周期没有调用记录",
            rule="api.service_records_have_calls",
            got=period,
            hint="name a period that has calls, e.g. 2026-11",
            hint_zh="请指定有调用的周期，例如 2026-11",
        )
    body: Document = {"type": "service_record", "version": 1, "order": order_id, **figures, "seller": client.address}
    record = sign(body, client.deployment, client.keys.signing_key)
    client.post(f"/orders/{order_id}/service-records", {"record": record}, repeatable=True)
    return record


def service_records(client: Client, order_id: str) -> list[dict[str, Any]]:
    """Service records of an order, each {"record", "answer"}; the buyer's answer is None until there is one."""
    found: list[dict[str, Any]] = metered(client, order_id)["service"]
    return found


def answer_service(
    client: Client, order_id: str, store: CallStore, period: str, reasons: Sequence[str] = ()
) -> dict[str, Any]:
    """Countersign, as the buyer, the service record of a period, or object to it with reasons.

    Raises:
        VerificationError: `service_record_differs`: it is not what one's own records give; then only objecting is left.
        RuleError: `service_period_empty`: there is no record of that period.
    """
    found = [item["record"] for item in service_records(client, order_id) if item["record"]["period"] == period]
    if not found:
        raise RuleError(
            "service_period_unknown",
            f"the seller has handed in no service record of {period}",
            zh=f"卖方尚未提交 {period} 的服务记录",
            rule="api.service_records_come_first",
            got=period,
            hint="ask the seller for it: marketplace api service ORDER",
            hint_zh="请卖方提交：marketplace api service ORDER",
        )
    record = validate_service_record(found[-1])
    if not reasons:
        terms = orders.inspect(client, order_id).offer.terms
        figures = figures_of(store.records(order_id), period, terms)  # of all own records: none is left out
        said = {name: record[name] for name in figures or {}}
        expect(said, figures, "service_record_differs", "api.service_records_are_the_records")
    body: Document = {"type": "service_answer", "version": 1, "order": order_id, "record": digest(record)}
    body |= {"accepted": not reasons, "reasons": list(reasons), "buyer": client.address}
    answer = sign(body, client.deployment, client.keys.signing_key)
    client.post(f"/orders/{order_id}/service-answers", {"answer": answer}, repeatable=True)
    return answer
