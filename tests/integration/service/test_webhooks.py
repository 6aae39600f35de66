"""Webhooks of a running service: registered, told, retried, rotated, replayed; nobody sees another's."""

import sqlite3
from base64 import b64decode
from collections.abc import Iterator
from contextlib import closing
from functools import partial

import pytest

from crypto.keystore import generate
from marketplace.errors import InvalidInputError, NotFoundError, RuleError
from marketplace.sdk import participants, settlement, webhooks
from marketplace.sdk.client import Client
from marketplace.types import Role
from tests.integration.service.town import EXCHANGE_KEY, Town, running, town_settings
from tests.receiver import Receiver, receiving


@pytest.fixture(scope="module")
def village(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A service that may call loopback, with a bank and a buyer."""
    folder = tmp_path_factory.mktemp("village")
    settings = town_settings(folder / "service", webhook_allow_loopback=True, webhook_retry_seconds=1)
    with running(settings) as context:
        made = Town(settings.public_url, folder, context)
        made.join("exchange", "bank", "buyer")
        yield made
        made.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def _has_taken(count: int, receiver: Receiver) -> bool:
    return len(receiver.taken) == count


def test_a_buyer_s_system_is_told_and_told_again_after_a_failure(village: Town, receiver: Receiver) -> None:
    buyer = village["buyer"]
    made = webhooks.register(buyer, receiver.url, ["settlement.issued"])
    receiver.secret, receiver.answers = made["secret"], [500]
    outcome = settlement.issue(village["bank"], buyer.address, 700)
    receiver.wait(lambda now: len(now.taken) == 1)
    (name, event), block = receiver.taken[0], outcome["block"]
    assert receiver.tries == [name, name], "the second try has the id of the first"
    assert (event["data"]["ref"], event["data"]["amount"]) == (outcome["ref"], 700)
    assert event["data"]["currency"] == "CNY"
    assert (event["data"]["event"]["intent"], event["data"]["event"]["block"]) == (outcome["intent"], block)
    assert event["source"] == village.url
    (shown,) = webhooks.endpoints(buyer)
    assert (shown["url"], "secret" in shown) == (receiver.url, False)

    new = webhooks.rotate(buyer, made["endpoint"])["secret"]
    for secret in (made["secret"], new):  # for a day both verify
        receiver.secret = secret
        count = len(receiver.taken)
        webhooks.ping(buyer, made["endpoint"])
        receiver.wait(partial(_has_taken, count + 1))
    assert webhooks.replay(buyer, made["endpoint"], message=name)["messages"] == 1
    receiver.wait(lambda now: now.taken[-1][0] == name)
    webhooks.remove(buyer, made["endpoint"])
    assert webhooks.endpoints(buyer) == []


def test_nobody_sees_or_touches_another_s_endpoint(village: Town, receiver: Receiver) -> None:
    name = webhooks.register(village["buyer"], receiver.url)["endpoint"]
    for act in (webhooks.messages, webhooks.rotate, webhooks.ping, webhooks.replay, webhooks.remove):
        with pytest.raises(NotFoundError) as refused:
            act(village["bank"], name)
        assert refused.value.code == "webhook_unknown"
    with pytest.raises(RuleError) as again:
        webhooks.register(village["buyer"], receiver.url)
    assert again.value.code == "webhook_exists"
    webhooks.remove(village["buyer"], name)


def test_an_applicant_hears_of_its_admission_and_a_stranger_hears_nothing(village: Town, receiver: Receiver) -> None:
    with Client(village.url, generate()) as newcomer, Client(village.url, generate()) as stranger:
        with pytest.raises(NotFoundError):
            webhooks.register(stranger, receiver.url)
        hooks = webhooks.register(village["registrar"], receiver.url + "?registrar", ["participants.applied"])
        receiver.secret = hooks["secret"]
        participants.join(newcomer, Role.BUYER, "New", "新")
        receiver.wait(lambda now: now.types == ["participants.applied"])
        assert receiver.taken[0][1]["data"]["account"] == newcomer.address
        receiver.secret = webhooks.register(newcomer, receiver.url)["secret"]
        for row in village["registrar"].pages("/participants/applications"):  # anybody may say them again
            document = village["registrar"].get_document(row["document"])
            body = {"join": row["join"], "signature": row["signature"], "document": document}
            stranger.post("/participants/applications", body, signed=False)
        participants.admit(village["registrar"], newcomer.address)
        receiver.wait(lambda now: "participants.admitted" in now.types)
        assert receiver.types.count("participants.applied") == 1
    webhooks.remove(village["registrar"], hooks["endpoint"])


def test_what_is_private_or_unknown_is_refused_and_secrets_are_not_in_the_database(
    village: Town, receiver: Receiver
) -> None:
    for url, kinds, code in (
        ("https://10.0.0.1/", [], "webhook_url"),
        ("http://example.org/", [], "webhook_url"),
        (receiver.url, ["orders.nothing"], "webhook_type_unknown"),
    ):
        with pytest.raises(InvalidInputError) as refused:
            webhooks.register(village["buyer"], url, kinds)
        assert refused.value.code == code
    made = webhooks.register(village["buyer"], receiver.url)
    secret = b64decode(made["secret"].removeprefix("whsec_"))
    with closing(sqlite3.connect(village.folder / "service" / "marketplace.db")) as database:
        dump = "\n".join(database.iterdump()).lower()
    assert made["endpoint"] in dump
    assert secret.hex() not in dump
    assert EXCHANGE_KEY not in dump
    webhooks.remove(village["buyer"], made["endpoint"])
