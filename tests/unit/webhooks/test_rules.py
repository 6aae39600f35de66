"""Signatures that others verify, addresses that are never called, and the kinds of events."""

import time

import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from marketplace import artifacts
from marketplace.errors import InvalidInputError
from marketplace.intents import CONTRACTS
from marketplace.webhooks import rules


def test_the_standard_s_own_library_verifies_a_signature_and_no_other_one() -> None:
    now, body, old, new = int(time.time()), b'{"a":1}', rules.new_secret(), rules.new_secret()
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(now)}
    both = headers | {"webhook-signature": rules.sign([new, old], "msg_1", now, body)}
    for secret in (old, new):  # while a rotation overlaps, each of the two secrets verifies
        assert Webhook(rules.secret_text(secret)).verify(body, both) == {"a": 1}
    alone = headers | {"webhook-signature": rules.sign([new], "msg_1", now, body)}
    for secret, sent, told in (
        (old, body, alone),
        (new, b'{"a":2}', alone),
        (new, body, alone | {"webhook-id": "msg_2"}),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(rules.secret_text(secret)).verify(sent, told)


@pytest.mark.parametrize(
    "address",
    [
        *("10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1"),
        *("255.255.255.255", "192.0.2.1", "198.18.0.1", "240.0.0.1", "::", "fe80::1%eth0", "fd00::1", "ff02::1"),
        *("::ffff:10.0.0.1", "::ffff:8.8.8.8", "64:ff9b::a00:1", "2002:a00:1::", "2001:0:a00:1::", "fec0::1"),
    ],
)
def test_what_is_not_public_is_never_called(address: str) -> None:
    assert not rules.may_be_called(address, loopback=True)


def test_loopback_is_called_only_where_the_operator_allows_it() -> None:
    for address in ("127.0.0.1", "127.8.8.8", "::1"):
        assert rules.may_be_called(address, loopback=True)
        assert not rules.may_be_called(address, loopback=False)
    for address in ("8.8.8.8", "2606:4700:4700::1111"):
        assert rules.may_be_called(address, loopback=False)


@pytest.mark.parametrize(
    "url",
    [
        *("http://example.org/", "ftp://example.org/", "https://", "https://u:p@example.org/", "//example.org"),
        *(
            "https://example.org/#part",
            "https://10.0.0.1/",
            "https://[::1]/",
            "https://127.0.0.1/",
            "https://ex ample/",
        ),
        *("https://example.org:port/", "https://例子.cn/", "https://example.org/" + "a" * 2000, "https://[::1"),
    ],
)
def test_an_endpoint_is_a_public_https_address(url: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        rules.check_url(url, loopback=False)
    assert refused.value.code == "webhook_url"
    rules.check_url("https://example.org:8443/hooks?to=me", loopback=False)


def test_plain_http_is_for_loopback_alone_and_only_where_allowed() -> None:
    rules.check_url("http://127.0.0.1:9000/", loopback=True)
    with pytest.raises(InvalidInputError):
        rules.check_url("http://example.org/", loopback=True)


def test_pauses_double_up_to_six_hours() -> None:
    assert [rules.pause_after(count, 5) for count in (1, 2, 3, 4)] == [5, 10, 20, 40]
    assert rules.pause_after(14, 5) == rules.pause_after(10_000, 5) == 6 * 3600


def test_every_event_of_every_contract_has_a_kind() -> None:
    for contract in CONTRACTS:
        for entry in artifacts.load(contract).entries("event"):
            kind = rules.type_of(contract, entry["name"])
            assert (kind in rules.known_types()) is (entry["name"] not in rules.UNCONCERNED)
    assert {"orders.settled", "settlement.issued", "rights.title_granted"} <= set(rules.known_types())


def test_an_endpoint_asks_for_kinds_stages_or_everything() -> None:
    rules.check_types(["orders", "settlement.issued", "query"])
    assert rules.wants([], "orders.funded")
    assert rules.wants(["orders"], "orders.funded")
    assert not rules.wants(["orders"], "rights.marked")
    assert rules.wants(["orders"], rules.PING)
    with pytest.raises(InvalidInputError) as refused:
        rules.check_types(["orders.founded"])
    assert refused.value.code == "webhook_type_unknown"
