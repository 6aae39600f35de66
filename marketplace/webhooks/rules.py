"""What webhooks are made of, with plain values: kinds of events, signatures, addresses that may be called, patience.

Source: Standard Webhooks (https://github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md): headers
`webhook-id`, `webhook-timestamp`, `webhook-signature` (symmetric, `v1`); bodies are CloudEvents 1.0 in JSON.
"""

import base64
import hashlib
import hmac
import ipaddress
import re
import secrets
from collections.abc import Sequence
from functools import cache
from urllib.parse import SplitResult, urlsplit

from marketplace import artifacts
from marketplace.currencies import kind_of
from marketplace.errors import InvalidInputError
from marketplace.intents import CONTRACTS
from marketplace.words import Words

MAX_URL, MAX_ENDPOINTS, MAX_TYPES = 2000, 10, 50
SECRET_BYTES = 32
SECRET_PREFIX = "whsec_"  # noqa: S105 - the standard's prefix of a secret's text
OVERLAP_SECONDS = 86_400  # how long both secrets sign after a rotation
LONGEST_PAUSE_SECONDS = 6 * 3600
PENDING, DELIVERED, DEAD = "pending", "delivered", "dead"
ACTIVE, GONE = "active", "gone"  # an endpoint; gone: it answered 410
PING = "webhooks.ping"
APPLIED = "participants.applied"
LINKED, UNLINKED = "participants.identity_linked", "participants.identity_unlinked"
PROPOSED, WITHDRAWN, DECLINED = "agreements.proposed", "agreements.withdrawn", "agreements.declined"
QUOTA = "api.quota_nearly_used"
NOTICES = (PING, APPLIED, LINKED, UNLINKED, PROPOSED, WITHDRAWN, DECLINED, QUOTA)
STATEMENT, INVOICE, TRADE_VOUCHER = "papers.statement", "papers.invoice", "papers.trade_voucher"
PAPERS = (STATEMENT, INVOICE, TRADE_VOUCHER)
WINDOW_ENDING, TERM_ENDING = "orders.window_ending", "orders.term_ending"
DELIVERY_ENDING, PAYOUT_ENDING = "deliveries.time_ending", "settlement.redemption_ending"
PAY_IN_ENDING = "clearing.pay_in_ending"
REMINDERS = (WINDOW_ENDING, TERM_ENDING, DELIVERY_ENDING, PAYOUT_ENDING, PAY_IN_ENDING)
LEAVES = (
    "api.gateway",
    "api.calls",
    "api.voucher",
    "api.service",
    "api.answer",
    "query.accepted",
    "query.released",
    "query.refused",
    "query.withheld",
    "query.failed",
    "panel.divergence",
    "panel.equivocation",
    "panel.late",
    "panel.absence",
)
STAGES = {"SettlementToken": "settlement", "Titles": "rights"}  # where the contract is not called like its stage
# Events that are sent to nobody, and why.
UNCONCERNED = {
    "Anchored": "it concerns no party more than another; proofs name the root that they end in",
    "Approval": "inherited; only the deployment gives it, for the contracts that move money",
    "EIP712DomainChanged": "inherited, never given",
}


def type_of(contract: str, event: str) -> str:
    """The kind of a ledger event, e.g. "orders.settled" for the event `Settled` of `Orders`."""
    words = re.sub("(?<=[a-z])(?=[A-Z])", "_", event).lower()
    return f"{STAGES.get(kind_of(contract), contract.lower())}.{words}"


@cache
def known_types() -> tuple[str, ...]:
    """Every kind of event that may be sent, in the order of the stages."""
    ledger = [
        type_of(contract, entry["name"])
        for contract in CONTRACTS
        for entry in artifacts.load(contract).entries("event")
        if entry["name"] not in UNCONCERNED
    ]
    return tuple(dict.fromkeys((*ledger, *LEAVES, *PAPERS, *REMINDERS, *NOTICES)))


def check_types(types: Sequence[str]) -> None:
    """Refuse a wish for what is never sent.

    Args:
        types: kinds, or stages ("orders" stands for all of its kinds); none stands for everything.
    Raises:
        InvalidInputError: `webhook_type_unknown`.
    """
    stages = {kind.partition(".")[0] for kind in known_types()}
    for wanted in types:
        if wanted not in known_types() and wanted not in stages:
            raise InvalidInputError(
                "webhook_type_unknown",
                f"there is no event {wanted[:80]}",
                zh=f"没有事件类型 {wanted[:80]}",
                expected=sorted(stages),
                got=wanted[:80],
                hint="see `marketplace webhooks types`",
                hint_zh="请查看 `marketplace webhooks types`",
            )


def wants(types: Sequence[str], kind: str) -> bool:
    """Whether an endpoint that asked for `types` is told of `kind`."""
    return not types or kind == PING or kind in types or kind.partition(".")[0] in types


def pause_after(failures: int, first: int) -> int:
    """Seconds until the next try after so many failures in a row: `first`, then twice as long each time, at most six
    hours."""
    return min(first << min(failures - 1, 20), LONGEST_PAUSE_SECONDS)


# -- secrets and signatures -------------------------------------------------------------------------------------------


def new_secret() -> bytes:
    """A fresh secret, 32 random bytes."""
    return secrets.token_bytes(SECRET_BYTES)


def secret_text(secret: bytes) -> str:
    """A secret as its owner gets it."""
    return SECRET_PREFIX + base64.b64encode(secret).decode()


def sign(secrets_: Sequence[bytes], message_id: str, timestamp: int, body: bytes) -> str:
    """The header `webhook-signature`: one `v1` signature for each secret.

    Args:
        message_id: has no full stop in it, so that the signed text can be read in one way only.
        timestamp: unix seconds of this try.
    """
    signed = f"{message_id}.{timestamp}.".encode() + body
    codes = (hmac.new(secret, signed, hashlib.sha256).digest() for secret in secrets_)
    return " ".join("v1," + base64.b64encode(code).decode() for code in codes)


# -- where may be called ----------------------------------------------------------------------------------------------


def check_url(url: str, *, loopback: bool) -> None:
    """Refuse an address that webhooks are never sent to. Names are resolved, and checked again, at each delivery.

    Args:
        loopback: whether the operator allows this machine itself, and plain http to it.
    Raises:
        InvalidInputError: `webhook_url`.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise _bad_url(url, "it is no address", "网址格式无效") from None
    if len(url) > MAX_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise _bad_url(url, f"it has more than {MAX_URL} characters, or other ones than ASCII", "过长或含有非法字符")
    if parts.username is not None or parts.password is not None or parts.fragment or not host:
        raise _bad_url(url, "it names a user, a fragment, or no host", "网址不得包含用户名或片段，且须有主机名")
    if not _is_scheme_allowed(parts, loopback):
        raise _bad_url(url, "it is not https", "须使用 https")
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return
    if not may_be_called(str(address), loopback=loopback):
        raise _bad_url(url, "it is an address of a private network", "不得使用内网地址")


def _is_scheme_allowed(parts: SplitResult, loopback: bool) -> bool:
    if parts.scheme == "https":
        return True
    return loopback and parts.scheme == "http" and (parts.hostname or "") in ("127.0.0.1", "::1", "localhost")


def may_be_called(address: str, *, loopback: bool) -> bool:
    """Whether an IP address may be called: only what is reachable by everybody, never the operator's own networks.

    IPv6 forms that carry an IPv4 address (mapped, 6to4, Teredo, NAT64) are refused: a gateway would turn them into it.

    Args:
        address: textual IPv4 or IPv6 address, a scope id allowed.
    """
    found = ipaddress.ip_address(address.partition("%")[0])
    if loopback and found.is_loopback:
        return True
    if isinstance(found, ipaddress.IPv6Address):
        translated = found in ipaddress.ip_network("64:ff9b::/96") or found in ipaddress.ip_network("64:ff9b:1::/48")
        if found.ipv4_mapped or found.sixtofour or found.teredo or translated or found.is_site_local:
            return False
    return found.is_global and not (found.is_multicast or found.is_reserved or found.is_unspecified)


def _bad_url(url: str, why: str, why_zh: str) -> InvalidInputError:
    return InvalidInputError(
        "webhook_url",
        f"webhooks are not sent to {url[:100]}: {why}",
        zh=f"不能向 {url[:100]} 发送通知：{why_zh}",
        expected=Words("https://host/path on the public internet", "公网上的 https://主机/路径"),
        got=url[:200],
        hint="give the https address of a server that everybody can reach",
        hint_zh="请提供公网可达的 https 地址",
    )
