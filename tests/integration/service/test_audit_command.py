"""`marketplace audit` at the terminal, on the bundle of a running market in which cases were disputed and refused,
titles seized, consents withdrawn, questions answered, files delivered and orders settled."""

import json
import time
import zipfile
from pathlib import Path

import pytest

from crypto import keystore
from marketplace import cli
from marketplace.auditor.deeds import WORDS
from marketplace.auditor.messages import COUNTED
from marketplace.documents import LEVELS
from marketplace.errors import VerificationError
from marketplace.procedures import Kind, Procedure, Step
from marketplace.registrations.forms import make_form
from marketplace.sdk import deliveries, evidence, lineage, redemptions, registrations, rights, settlement, titles
from marketplace.sdk.home.files import write_private
from marketplace.sdk.lineage import Source
from marketplace.types import TitleKind, TitleMark
from tests.integration.service.delivering import a_file, offer_file, order_file
from tests.integration.service.test_refusals import Asking
from tests.integration.service.test_registrations import EVIDENCE, LATE, decide, filed, registered, sealed
from tests.integration.service.test_titles import granted
from tests.integration.service.town import BUDGET, NODES, YEAR, Town
from tests.registering import FIELDS, rulebook

PASSWORD = "a long password"


def _refuse(town: Town) -> None:
    """A case goes through correction, supplement, notice and objection, which is upheld; filed anew, it is refused."""
    supplier, rival, asset = town["supplier"], town["rival"], registered(town, "audited")
    case = filed(town, asset)
    decide(town, case, Step.REQUEST_CORRECTION, "the volume is missing its unit")
    given = {"kind": Kind.FIRST, "procedure": Procedure.ORDINARY, "asset": asset, "applicant": supplier.address}
    form = make_form(rulebook(), fields={**FIELDS, "volume": "40 rows"}, **given)  # type: ignore[arg-type]
    registrations.act(supplier, case, Step.RESUBMIT, form=form)
    decide(town, case, Step.ACCEPT)
    decide(town, case, Step.REQUEST_SUPPLEMENT, "show where the rows come from")
    registrations.act(supplier, case, Step.SUPPLEMENT, "from our own gates")
    decide(town, case, Step.OPEN_NOTICE)
    registrations.act(rival, case, Step.OBJECT, "these rows are ours", evidence=(EVIDENCE,))
    registrations.act(supplier, case, Step.REPLY, "we have counted them ourselves")
    decide(town, case, Step.UPHOLD, "they are the rival's")
    fields = {**FIELDS, "volume": "40 rows of CSV"}  # another form: two filings of one second would be one case
    again = str(registrations.file(supplier, asset, Kind.FIRST, fields)["caseId"])
    decide(town, again, Step.ACCEPT)
    registrations.act(town["registrar"], again, Step.REFUSE, "false source", ground="UNLAWFUL_SOURCE")


def _dispute(town: Town, asset: str) -> None:
    late = registrations.file(town["rival"], asset, Kind.LATE_OBJECTION, LATE, procedure=Procedure.LATE_OBJECTION)
    decide(town, str(late["caseId"]), Step.ACCEPT)
    decide(town, str(late["caseId"]), Step.MARK_DISPUTED, "the evidence is serious")
    registrations.act(town["rival"], str(late["caseId"]), Step.WITHDRAW, "we were mistaken")


def _seize(town: Town, asset: str) -> None:
    """The title to operate is seized, put under control too, and freed of both; a use of it is granted and revoked."""
    operate, registrar = titles.root(asset, TitleKind.OPERATE), town["registrar"]
    use = granted(town["supplier"], town["buyer"], operate, marks=TitleMark(0))
    for mark in (TitleMark.SEIZED, TitleMark.CONTROLLED):
        titles.encumber(registrar, operate, mark, f"order of {mark!r}")
    for mark in (TitleMark.SEIZED, TitleMark.CONTROLLED):
        titles.lift(registrar, operate, mark, f"lifts {mark!r}")
    titles.revoke(registrar, use, "the agreement was rescinded")


def _fuse(town: Town, source: str) -> None:
    """A product is declared; the one who operates its input consents, and withdraws that."""
    supplier, collector = town["supplier"], town["collector"]
    part = granted(
        *(supplier, collector, titles.root(source, TitleKind.OPERATE), TitleKind.OPERATE), marks=TitleMark.MAY_DERIVE
    )
    manifest, shares = sealed(town, "audited-product"), [(supplier.address, 10_000)]
    claim = rights.make_claim(manifest, level=LEVELS[1], source_class="FUSED", origin="ENTERPRISE", shares=shares)
    product = str(rights.register(supplier, manifest, claim, BUDGET)["assetId"])
    lineage.declare(supplier, product, [Source(source, 2500)], {"en": "joined by month", "zh": "按月融合"})
    lineage.consent(collector, product, source, int(time.time()) + YEAR // 12, title=part)
    lineage.withdraw(collector, product, source)


def _trade(town: Town) -> None:
    """A question is answered and its order settled; a file is delivered and accepted; money is asked back."""
    order = town.fund(town.facts["listing"])
    asking = Asking(town, order)
    asking.query = {**asking.query, "epsilon": 940}
    asking.post()
    assert all(town.node(node).step(5) for node in NODES)
    assert town.vault().step(5)
    settlement.close(town["supplier"], order)
    file = order_file(town, offer_file(town))
    deliveries.deliver(town["supplier"], file, a_file())
    deliveries.accept(town["buyer"], file)
    settlement.issue(town["bank"], town["buyer"].address, 10)
    redemptions.redeem(town["buyer"], town["bank"].address, 1, beneficiary="Buyer", account_number="62220200")


@pytest.fixture(scope="module")
def evidenced(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the town's bundle, and roots of trust from elsewhere."""
    folder, asset = tmp_path_factory.mktemp("audit"), town.facts["asset"]
    _refuse(town)
    _dispute(town, asset)
    _seize(town, asset)
    _fuse(town, asset)
    _trade(town)
    evidence.download_bundle(town["auditor"], folder / "evidence.zip")
    profile = town["auditor"].get("/profile")
    trust = [f"chain_id = {profile['chainId']}", f'registrar = "{town["registrar"].address}"']
    trust += [f'log_origin = "{profile["log"]["origin"]}"', f'log_key = "{profile["log"]["key"]}"']
    trust += ["[contracts]", *(f'{name} = "{address}"' for name, address in profile["contracts"].items())]
    (folder / "trust.toml").write_text("\n".join(trust), "utf-8")
    return folder


def _audit(folder: Path, *more: str, bundle: str = "evidence.zip") -> int:
    """The command, as somebody runs it whose own folder holds no pin."""
    given = ["audit", str(folder / bundle), "--trust", str(folder / "trust.toml")]
    return cli.main(["--home", str(folder / "home"), *given, *more])


def test_what_was_checked_is_said_in_words_of_either_language(
    evidenced: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _audit(evidenced, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    checked = {name for step in report["steps"] for name in step["checked"]}
    assert {"participant agreements", "forms", "case papers", "released", "deliveries", "settlements"} <= checked
    for language, verdict in (("en", "12. VERDICT: everything holds"), ("zh", "12. 结论：全部成立")):
        assert _audit(evidenced, "--lang", language) == 0
        shown = capsys.readouterr()
        assert verdict in shown.out
        said = " ".join(shown.out.split())
        assert [name for name in checked if (name if language == "en" else COUNTED[name]) not in said] == []
        assert "NOT PINNED" not in shown.err


def test_a_running_market_is_audited_by_its_address(
    town: Town, evidenced: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MARKETPLACE_PASSWORD", PASSWORD)
    sealed_keys = keystore.encrypt(town["auditor"].keys, PASSWORD, keystore.MIN_WORK_FACTOR)
    write_private(tmp_path / "keystore.json", json.dumps(sealed_keys).encode())
    where = ["--home", str(tmp_path), "--url", town.url, "--lang", "zh"]
    assert cli.main([*where, "audit", town.url, "--trust", str(evidenced / "trust.toml")]) == 0
    shown = capsys.readouterr().out
    assert all(word in shown for word in ("入场协议", "登记申请表", "案件材料", "12. 结论：全部成立"))


def test_the_register_tells_every_act_in_words_of_either_language(
    evidenced: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _audit(evidenced, "--register", "--json") == 0
    register = json.loads(capsys.readouterr().out)["register"]
    rows = [row for name in ("participants", "assets", "cases", "titles") for row in register[name]]
    done = {deed for row in rows for act in row["acts"] for deed in act["deeds"]}
    told = {"seized", "controlled", "seizure_lifted", "control_lifted", "revoked", "disputed", "dispute_lifted"}
    assert told | {"consent_given", "consent_withdrawn", "refuse", "object"} <= done
    assert any(row["consent"] == "withdrawn" for row in register["inputs"])
    for place, language in enumerate(("en", "zh")):
        assert _audit(evidenced, "--register", "--lang", language) == 0
        shown = capsys.readouterr().out
        assert [deed for deed in done if WORDS[deed][place] not in shown] == []


def test_grounds_that_were_taken_out_are_missed(evidenced: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kinds = ("registration_form", "registration_paper")
    with zipfile.ZipFile(evidenced / "evidence.zip") as whole, zipfile.ZipFile(evidenced / "less.zip", "w") as less:
        for name in whole.namelist():
            content = whole.read(name)
            if not (name.startswith("documents/") and json.loads(content).get("type") in kinds):
                less.writestr(name, content)
    for language, verdict in (("en", "it does not hold"), ("zh", "不成立")):
        assert _audit(evidenced, "--lang", language, bundle="less.zip") == cli.EXIT_CODES[VerificationError]
        shown = capsys.readouterr().out
        assert verdict in shown
        assert "document_missing" in shown
        assert all(kind in shown for kind in kinds)
