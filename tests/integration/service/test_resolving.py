"""Resolving as a client: answers are checked, lies are found, and what is over is still found and says so."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crypto.canonical import to_hex
from crypto.keystore import encrypt
from crypto.merkle import EMPTY_ROOT
from marketplace import cli
from marketplace.documents.dids import did_ethr, did_web
from marketplace.documents.identifiers import Kind, identifier
from marketplace.errors import InvalidInputError, MarketplaceError, NotFoundError, VerificationError
from marketplace.identifiers.service.finding import find
from marketplace.identifiers.service.records import record
from marketplace.identifiers.showing import page
from marketplace.procedures import Kind as CaseKind
from marketplace.sdk import identifiers, listings, orders, participants, rights, settlement, titles
from marketplace.sdk.client import Client
from marketplace.types import AssetStatus, ParticipantStatus, Role, TitleKind
from tests import did_core
from tests.integration.service.test_closing import close
from tests.integration.service.test_identifiers import name_of, subjects
from tests.integration.service.town import ESCROW, YEAR, Shown, Town
from tests.sealed_market import keys

PASSWORD = "resolve this"
KEY = "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"


@pytest.mark.parametrize("kind", list(Kind))
def test_a_client_resolves_and_checks_every_kind(town: Town, kind: Kind) -> None:
    name, client = name_of(town, kind), town["buyer"]
    found = identifiers.resolve(client, name.grouped)
    assert (found["identifier"], found["subject"]) == (str(name), subjects(town)[kind])
    if kind is not Kind.SERIES:
        assert identifiers.resolve(client, found["subject"]) == found
    document = identifiers.resolve_did(client, str(name))
    did_core.check(document)
    assert identifiers.resolve_did(client, found["did"]) == document


def test_a_client_resolves_dids(town: Town) -> None:
    client, chain = town["buyer"], town.context.settings.chain_id
    for did in (
        did_web(town.url),
        did_ethr(chain, client.address),
        f"did:key:{KEY}",
    ):
        document = identifiers.resolve_did(client, did)
        did_core.check(document)
        assert document["id"] == did
    with pytest.raises(InvalidInputError):
        identifiers.resolve_did(client, "did:key:z6Mk")
    with pytest.raises(NotFoundError):
        identifiers.resolve_did(client, "did:web:elsewhere.example")


OTHER = "0x" + "cd" * 32
LIES: list[tuple[Kind, Callable[[dict[str, Any]], object]]] = [
    (Kind.DATA, lambda said: said.update(identifier=str(identifier(Kind.DATA, OTHER)))),
    (Kind.DATA, lambda said: said.update(subject=OTHER)),
    (Kind.DATA, lambda said: said["facts"].update(holder="0x" + "11" * 20)),
    (Kind.DATA, lambda said: said.update(title={"en": "Better data", "zh": "更好的数据"})),
    (Kind.DATA, lambda said: said["links"][0].update(subject="0x" + "11" * 20)),
    (Kind.DATA, lambda said: said["links"][0].update(_party("0x" + "11" * 20))),
    (Kind.DATA, lambda said: said.update(did="did:web:elsewhere.example:did:x")),
    (Kind.DATA, lambda said: said.pop("facts")),
    (Kind.DATA, lambda said: said.update(kind="product")),
    (Kind.SERIES, lambda said: said.update(title={"en": "Better data", "zh": "更好的数据"})),
    (Kind.PRODUCT, lambda said: said["facts"].update(termsDigest=OTHER)),
    (Kind.PRODUCT, lambda said: said["links"][0].update(_party("0x" + "11" * 20))),
    (Kind.PARTY, lambda said: said["facts"].update(account="0x" + "11" * 20)),
    (Kind.CERTIFICATE, lambda said: said["facts"].update(manifestDigest=OTHER)),
    (Kind.ORDER, lambda said: said["facts"].update(buyer="0x" + "11" * 20)),
]


def _party(account: str) -> dict[str, str]:
    return {"subject": account, "identifier": str(identifier(Kind.PARTY, account))}


class Lied(Client):
    """A client whose service says something else of the first record that it asks for."""

    lie: Callable[[dict[str, Any]], object] | None = None

    def get(self, path: str, **options: Any) -> Any:
        """As the service says, but for the lie."""
        said = super().get(path, **options)
        if self.lie is not None and path.startswith(("/identifiers/", "/did/")):
            lie, self.lie = self.lie, None
            lie(said)
        return said


@pytest.mark.parametrize(("kind", "lie"), LIES)
def test_a_lie_about_an_object_is_found(town: Town, kind: Kind, lie: Callable[[dict[str, Any]], object]) -> None:
    with Lied(town.url, town["buyer"].keys) as client:
        identifiers.resolve(client, str(name_of(town, kind)))
        client.lie = lie
        with pytest.raises(VerificationError):
            identifiers.resolve(client, str(name_of(town, kind)))


def test_a_lie_in_a_did_document_is_found(town: Town) -> None:
    chain, account = town.context.settings.chain_id, town["supplier"].address
    lies: dict[str, Callable[[dict[str, Any]], object]] = {
        did_web(town.url): lambda said: said["verificationMethod"][0].update(publicKeyMultibase=KEY),
        did_ethr(chain, account): lambda said: said.update(controller="did:web:elsewhere.example"),
    }
    for did, lie in lies.items():
        with Lied(town.url) as client:
            assert client.profile
            client.lie = lie
            with pytest.raises(VerificationError):
                identifiers.resolve_did(client, did)


def told(town: Town, kind: Kind, subject: str, later: int = 0) -> dict[str, Any]:
    """What the resolver says, `later` seconds from now; its page must have words for it."""
    with town.context.reading() as session:
        found = find(session, str(identifier(kind, subject)), town["auditor"].address)
        said = record(session, found, town.url, town.context.clock() + later)
    assert page(said)["status"] == said["statusName"]
    return said


def over(said: dict[str, Any]) -> tuple[str, bool, bool]:
    """(status, still in force, over since a block)."""
    assert said["inForce"] is (said["until"] is None)
    return said["status"], said["inForce"], bool(said["until"] and said["until"]["block"])


def test_what_is_over_still_resolves_and_says_so(town: Town) -> None:
    asset, supplier = town.facts["asset"], town["supplier"]
    listing = town.list_product(asset, computations=["COUNT"])
    settlement.issue(town["bank"], town["buyer"].address, ESCROW)
    order = town.fund(listing)
    assert over(told(town, Kind.ORDER, order)) == ("funded", True, False)
    nothing = {"orderId": order, "amount": 0, "epsilon": 0, "calls": 0, "callsRoot": to_hex(EMPTY_ROOT)}
    close(town, nothing)
    assert over(told(town, Kind.ORDER, order)) == ("settled", False, True)
    listings.delist(supplier, listing)
    said = told(town, Kind.PRODUCT, listing)
    assert over(said) == ("delisted", False, True)
    assert said["until"]["block"] > said["since"]["block"]
    assert orders.get(town["buyer"], order)["listingId"] == listing


def test_what_ends_by_itself_says_so(town: Town) -> None:
    certificate = subjects(town)[Kind.CERTIFICATE]
    for kind, subject in (
        (Kind.PRODUCT, town.facts["listing"]),
        (Kind.DATA, town.facts["asset"]),
        (Kind.SERIES, town.facts["asset"]),
        (Kind.CERTIFICATE, certificate),
    ):
        assert told(town, kind, subject)["inForce"]
        said = told(town, kind, subject, later=2 * YEAR)
        assert over(said) == ("expired", False, False)
        assert said["until"]["time"] == said["validUntil"]


@pytest.fixture
def asset(town: Town, request: pytest.FixtureRequest) -> str:
    """A confirmed asset of this test alone: the town's data under another title."""
    title = {"en": request.node.name[:80], "zh": "解析测试"}
    manifest = {**town.facts["dataset"].manifest, "title": title}
    town["supplier"].put_document(manifest)
    return town.register(manifest)


def certificate_of(town: Town, asset: str) -> str:
    return str(rights.get_asset(town["supplier"], asset)["certificateDigest"])


def test_a_registrar_s_marks_show_on_data_certificate_and_product(town: Town, asset: str) -> None:
    listing, certificate, registrar = town.list_product(asset), certificate_of(town, asset), town["registrar"]
    named = ((Kind.DATA, asset), (Kind.CERTIFICATE, certificate), (Kind.PRODUCT, listing))
    assert [over(told(town, *which))[0] for which in named] == ["confirmed", "valid", "listed"]
    rights.mark(registrar, asset, AssetStatus.SUSPENDED, "late objection")
    assert [over(told(town, *which)) for which in named] == [
        ("suspended", False, True),
        ("suspended", False, True),
        ("blocked", False, True),
    ]
    rights.mark(registrar, asset, AssetStatus.CONFIRMED, "objection settled")
    assert all(told(town, *which)["inForce"] for which in named)
    town.revoke(asset)
    said = [told(town, *which) for which in named]
    assert [over(item)[0] for item in said] == ["revoked", "revoked", "blocked"]
    (block,) = {item["until"]["block"] for item in said}
    assert block == rights.get_asset(registrar, asset)["event"]["block"]
    assert identifiers.resolve(town["rival"], str(identifier(Kind.CERTIFICATE, certificate))) == said[1]


def test_a_certificate_whose_title_moved_says_so_since_the_first_move(town: Town, asset: str) -> None:
    certificate, since = certificate_of(town, asset), []
    for giver, taker in (("supplier", "collector"), ("collector", "supplier")):
        offer = titles.offer_transfer(town[giver], titles.root(asset, TitleKind.OPERATE), town[taker].address)
        titles.accept(town[taker], offer)
        said = told(town, Kind.CERTIFICATE, certificate)
        assert over(said) == ("superseded", False, True)
        since.append(said["until"])
    assert since[0] == since[1]
    assert told(town, Kind.DATA, asset)["inForce"]


def test_a_suspended_participant_still_resolves_and_acts_no_more(town: Town) -> None:
    account = keys("passer-by").address
    with Client(town.url, keys("passer-by")) as client:
        participants.join(client, Role.BUYER, "Passer-by", "过客")
        with pytest.raises(NotFoundError):
            identifiers.resolve(client, account)
        participants.admit(town["registrar"], account)
        before = identifiers.resolve(client, account)
        participants.set_status(town["registrar"], account, ParticipantStatus.SUSPENDED, "a test")
        after = identifiers.resolve(client, account)
        document = identifiers.resolve_did(client, account)
        assert over(after) == ("suspended", False, True)
        assert (after["identifier"], after["since"]) == (before["identifier"], before["since"])
        assert "authentication" not in document
        assert "capabilityInvocation" not in document
        participants.set_status(town["registrar"], account, ParticipantStatus.ACTIVE, "the test is over")
        assert identifiers.resolve(client, account) == before | {"inForce": True}


def test_the_command_resolves(town: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--url", town.url, "--home", str(tmp_path), "--lang", "zh"]
    name = name_of(town, Kind.DATA)
    assert cli.main(["resolve", name.grouped, *where]) == 0
    shown = capsys.readouterr().out
    assert name.grouped in shown
    assert "已确权" in shown
    assert cli.main(["resolve", str(name), "--did", *where]) == 0
    did_core.check(json.loads(capsys.readouterr().out))
    assert cli.main(["resolve", str(name)[:-1], *where, "--json"]) == 2
    assert json.loads(capsys.readouterr().err.splitlines()[-1])["code"] == "malformed_identifier"
    assert cli.main(["participants", "show", str(name_of(town, Kind.PARTY)), *where]) != 0  # needs keys, as before
    assert "party1" not in capsys.readouterr().err


def test_the_command_signs_in_for_an_order(
    town: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "keystore.json").write_text(json.dumps(encrypt(town["buyer"].keys, PASSWORD, 12)), "utf-8")
    (tmp_path / "keystore.json").chmod(0o600)
    monkeypatch.setenv("MARKETPLACE_PASSWORD", PASSWORD)
    where = ["--url", town.url, "--home", str(tmp_path), "--json"]
    assert cli.main(["resolve", str(name_of(town, Kind.ORDER)), *where]) == 0
    assert json.loads(capsys.readouterr().out)["status"] == "funded"
    assert cli.main(["participants", "show", str(name_of(town, Kind.PARTY)), *where]) == 0
    assert json.loads(capsys.readouterr().out)["account"] == town["supplier"].address
    assert cli.main(["keys", "show", *where]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["identifier"] == str(identifier(Kind.PARTY, town["buyer"].address))
    for name in ("signingDid", "certificateDid", "recipientDid"):
        did_core.check(identifiers.resolve_did(town["buyer"], shown[name]))


COMMANDS = [
    (["rights", "show"], Kind.DATA, "assetId"),
    (["listings", "show"], Kind.PRODUCT, "listingId"),
    (["orders", "show"], Kind.ORDER, "orderId"),
]


def _unboxed(text: str) -> str:
    """What stands in a box on the terminal, in one line."""
    return " ".join(text.replace("│", " ").split())


def test_commands_take_identifiers_for_ids(
    town: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "keystore.json").write_text(json.dumps(encrypt(town["buyer"].keys, PASSWORD, 12)), "utf-8")
    (tmp_path / "keystore.json").chmod(0o600)
    monkeypatch.setenv("MARKETPLACE_PASSWORD", PASSWORD)
    where = ["--url", town.url, "--home", str(tmp_path), "--json"]
    for words, kind, field in COMMANDS:
        assert cli.main([*words, subjects(town)[kind], *where]) == 0
        by_id = capsys.readouterr().out
        assert f'"{field}": "{subjects(town)[kind]}"' in by_id
        assert cli.main([*words, name_of(town, kind).grouped, *where]) == 0
        assert capsys.readouterr().out == by_id
        assert cli.main([*words, str(name_of(town, Kind.PARTY)), *where]) == 2
        assert "another kind" in _unboxed(capsys.readouterr().err)
        assert cli.main([*words, str(name_of(town, kind))[:-1], *where]) == 2
        assert "checksum" in _unboxed(capsys.readouterr().err)


def test_a_certificate_is_found_by_its_code_and_with_it_the_data(town: Town, asset: str, shown: Shown) -> None:
    entry = rights.get_asset(town["buyer"], asset)["registration"]
    first = entry["code"]
    said = identifiers.resolve(town["buyer"], first)
    assert (said["kind"], said["subject"], said["facts"]["assetId"]) == ("cert", certificate_of(town, asset), asset)
    assert asset in shown("buyer", "resolve", first)
    assert asset in shown("buyer", "rights", "show", first.lower())
    town.deposit_case(asset, CaseKind.CHANGE, town.later_form(asset, CaseKind.CHANGE))
    rights.confirm(town["registrar"], asset)
    later = rights.get_asset(town["buyer"], asset)["registration"]["code"]
    assert later != first
    assert [identifiers.resolve(town["buyer"], code)["status"] for code in (first, later)] == ["superseded", "valid"]
    for unknown in ("SJ3109999990001", "SJ310202611000"):
        with pytest.raises(MarketplaceError) as caught:
            identifiers.resolve(town["buyer"], unknown)
        assert caught.value.code in {"unknown_identifier", "malformed_identifier"}
