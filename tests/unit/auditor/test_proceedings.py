"""What the auditor says about cases that the contract let pass: false dates, late acts, own matters, false codes.

Every statement here is one that its signer may sign and that the rules take; only rulebook and history tell that it is
wrong.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from marketplace.auditor.findings import Report
from marketplace.auditor.ledger.proceedings import Proceedings
from marketplace.auditor.readmodel.rows import Placed, Tables
from marketplace.auditor.register import register_at
from marketplace.calls import parameters_of
from marketplace.deployment import Genesis
from marketplace.documents.ids import asset_id, granted_id, title_id
from marketplace.events import Event
from marketplace.procedures import WHOSE, Kind, Party, Procedure, Step
from marketplace.registrations.clocks import filing_dates, renewal_window
from marketplace.registrations.codes import to_ledger
from marketplace.registrations.records import case_from_json
from marketplace.replay import LedgerState
from marketplace.rulebooks import EVALUATION, LAWFUL, rulebook_named
from marketplace.rulebooks.bounds import bounds_of
from marketplace.types import ZERO_DIGEST, AssetStatus, ParticipantStatus, Role, TitleKind
from tests import bundles
from tests.bundles import START, make_bundle
from tests.memory import MemoryBundle
from tests.registering import code, deed, deposit_acts, filing
from tests.unit.auditor.forger import Forger

REGISTRAR, SECOND, SUPPLIER, RIVAL, THIRD = (f"0x{number:040x}" for number in range(0xA1, 0xA6))
DAY = 86_400
FAR = START + 10 * 365 * DAY
EXCHANGE = "0x" + "e5" * 20
CLAIM = "0x" + "b3" * 32


@dataclass
class Story:
    """A market by the rules alone, with the auditor looking on. Who signs is not the question here."""

    book_name: str = LAWFUL
    now: int = START
    report: Report = field(default_factory=Report)
    tables: Tables = field(default_factory=Tables)
    case: str = ""
    manifest: str = "0x" + "b1" * 32

    def __post_init__(self) -> None:
        self.book = rulebook_named(self.book_name)
        self.state = LedgerState(Genesis("0x" + "e1" * 20, REGISTRAR, "0x" + "7e" * 20, 0, self.book.digest))
        self.proceedings = Proceedings(self.tables, self.report)
        self.see(*self.state.founding)
        self.state.registrations.bounds.clear()  # as on a ledger that keeps none: everything is for the auditor to find
        for account, role in ((SUPPLIER, Role.SUPPLIER), (RIVAL, Role.SUPPLIER), (THIRD, Role.SUPPLIER)):
            self.admit(account, role)
        self.admit(SECOND, Role.REGISTRAR)

    @property
    def asset(self) -> str:
        """What is registered."""
        return asset_id(SUPPLIER, self.manifest)

    def see(self, *events: Event) -> None:
        """Events as the auditor gets them."""
        for event in events:
            placed = Placed(event, 1, self.now, 0, "0x" + "11" * 32)
            self.proceedings.see(placed)
            self.tables.apply(placed)

    def call(self, contract: str, verb: str, *messages: dict[str, Any]) -> None:
        """One call that the rules take."""
        given = iter(messages)
        arguments = ["0x" if item.kind == "bytes" else next(given) for item in parameters_of(contract, verb)]
        self.see(*self.state.apply(contract, verb, arguments, self.now))

    def call_bare(self, contract: str, verb: str, name: str) -> None:
        """One call that nobody signs."""
        self.see(*self.state.apply(contract, verb, [name], self.now))

    def admit(self, account: str, role: Role, identity: str = "") -> None:
        """Somebody takes part."""
        join = {"account": account, "roles": int(role), "deadline": FAR}
        join["identityDigest"] = identity or "0x" + account[-2:] * 32
        self.call("Participants", "admit", join, {**join, "version": 0, "registrar": REGISTRAR})

    def register(self, *others: str) -> None:
        """The asset, with a basis point of its revenue for each of the others."""
        message = {
            **{"assetId": self.asset, "holder": SUPPLIER, "manifestDigest": self.manifest, "claimDigest": CLAIM},
            **{"ciphertextRoot": "0x" + "b2" * 32, "level": 2, "epsilonBudget": 1, "deadline": FAR},
            **{"shareHolders": [SUPPLIER, *others], "shareBps": [10_000 - len(others), *(1 for _ in others)]},
        }
        self.call("Rights", "register", message)

    def file(self, applicant: str = SUPPLIER, **changes: Any) -> None:
        """A case."""
        message = filing(self.asset, applicant, self.now, book=self.book, **changes)
        self.call("Registrations", "file", message)
        self.case = message["caseId"]

    def act(self, step: Step, actor: str = REGISTRAR, **changes: int) -> None:
        """A step with the rulebook's dates, unless `changes` add seconds to one of them."""
        row = self.tables.rows["registration_cases"][self.case,]
        message = deed(self.case, case_from_json(row), step, actor, self.now, book=self.book)
        message |= {name: message[name] + seconds for name, seconds in changes.items()}
        self.call("Registrations", "decide" if WHOSE[step] is Party.REGISTRAR else "act", message)

    def certify(self, text: str) -> None:
        """The end of a first registration, in a certificate with this code."""
        message = {
            **{"assetId": self.asset, "claimDigest": CLAIM, "certificateDigest": "0x" + "b4" * 32, "version": 1},
            **{
                "code": to_ledger(text),
                "rights": 7,
                "validUntil": self.now + 365 * DAY,
                "registrar": REGISTRAR,
                "deadline": FAR,
            },
        }
        self.call("Rights", "confirm", message)

    def to(self, moment: int) -> None:
        """Wait until `moment`, and a second."""
        self.now = max(self.now, moment) + 1

    def due(self) -> int:
        """The end of the open period, as stated."""
        return int(self.tables.rows["registration_cases"][self.case,]["dueAt"])

    def codes(self) -> list[str]:
        """What was found, in order."""
        return [finding.code for finding in self.report.findings]


def _reviewed(story: Story) -> None:
    story.register()
    story.file()
    story.act(Step.ACCEPT)


def _waived(story: Story) -> None:
    _reviewed(story)
    story.act(Step.WAIVE_NOTICE)
    story.act(Step.DEPOSIT)


@pytest.mark.parametrize("name", [LAWFUL, EVALUATION])
def test_a_case_that_keeps_its_rulebook_gives_no_finding(name: str) -> None:
    story = Story(name)
    _reviewed(story)
    story.act(Step.REQUEST_SUPPLEMENT)
    story.act(Step.SUPPLEMENT, SUPPLIER)
    story.act(Step.EXTEND)
    story.act(Step.OPEN_NOTICE)
    story.act(Step.OBJECT, RIVAL)
    story.act(Step.REPLY, SUPPLIER)
    story.act(Step.REJECT)
    story.to(story.due())
    story.act(Step.DEPOSIT)
    story.certify("SJ3102026090001")
    assert story.report.passed, story.codes()
    assert story.report.counts[0]["case acts"] == 11


def _file_later(story: Story) -> None:
    story.register()
    dates = filing_dates(story.book, Procedure.ORDINARY, story.now)
    story.file(dueAt=dates.due_at + DAY)


def _accept_through_holidays(story: Story) -> None:
    story.register()
    story.file()
    story.act(Step.ACCEPT, decideBy=-3 * DAY)


def _short_notice(story: Story) -> None:
    _reviewed(story)
    story.act(Step.OPEN_NOTICE, dueAt=-DAY)
    story.to(story.due())
    story.act(Step.DEPOSIT)


def _short_rest_of_a_notice(story: Story) -> None:
    _reviewed(story)
    story.act(Step.OPEN_NOTICE)
    story.act(Step.OBJECT, RIVAL)
    story.act(Step.REJECT, dueAt=-DAY)


def _long_notice(story: Story) -> None:
    _reviewed(story)
    story.act(Step.OPEN_NOTICE, dueAt=DAY)


def _accepted_late_by_a_false_date(story: Story) -> None:
    _file_later(story)
    story.to(story.due() - DAY)
    story.act(Step.ACCEPT)


def _public_data_accepted_late(story: Story) -> None:
    story.register()
    dates = filing_dates(story.book, Procedure.PUBLIC_DATA, story.now)
    public: dict[str, Any] = {"procedure": int(Procedure.PUBLIC_DATA), "depositDigest": "0x" + "d0" * 32}
    story.file(**public, dueAt=dates.due_at, decideBy=dates.decide_by)
    story.to(story.due())
    story.act(Step.ACCEPT)


def _deposited_late(story: Story) -> None:
    _reviewed(story)
    story.act(Step.WAIVE_NOTICE)
    story.to(story.tables.rows["registration_cases"][story.case,]["decideBy"])
    story.act(Step.DEPOSIT)


def _objection_decided_late(story: Story) -> None:
    _reviewed(story)
    story.act(Step.OPEN_NOTICE)
    story.act(Step.OBJECT, RIVAL)
    story.to(story.due())
    story.act(Step.REJECT)


def _deposited_for_too_long(story: Story) -> None:
    _reviewed(story)
    story.act(Step.WAIVE_NOTICE)
    story.act(Step.DEPOSIT, dueAt=365 * DAY)


def _deposited_in_a_dispute(story: Story) -> None:
    """The contract refuses this; here its event stands before the auditor as a ledger with a fault would give it."""
    _reviewed(story)
    story.act(Step.WAIVE_NOTICE)
    disputed = {"assetId": story.asset, "caseId": "0x" + "0b" * 32, "disputes": 1, "upheld": 0}
    story.see(Event("Registrations", "DisputeMarked", disputed))
    story.act(Step.DEPOSIT)


def _deposited_after_a_dispute(story: Story) -> None:
    _reviewed(story)
    story.act(Step.WAIVE_NOTICE)
    for count in (1, 0):
        disputed = {"assetId": story.asset, "caseId": "0x" + "0b" * 32, "disputes": count, "upheld": 0}
        story.see(Event("Registrations", "DisputeMarked", disputed))
    story.act(Step.DEPOSIT)


def _same_person_in_two_accounts(story: Story) -> None:
    other = "0x" + "c7" * 20
    story.admit(other, Role.REGISTRAR, identity="0x" + SUPPLIER[-2:] * 32)
    story.register()
    story.file()
    story.act(Step.ACCEPT, other)


def _one_person_behind_the_keys_of_both(story: Story) -> None:
    story.register()
    story.file()
    _of_one_person(story)
    story.act(Step.ACCEPT)


def _entered(story: Story) -> None:
    _waived(story)
    story.certify("SJ3102026090001")


def _renewed(late: int) -> Callable[[Story], None]:
    """A renewal that is asked for `late` seconds after the window opened; before it, if negative."""

    def tell(story: Story) -> None:
        _entered(story)
        until = story.tables.rows["register_entries"][story.asset,]["validUntil"]
        story.now = renewal_window(story.book, Procedure.ORDINARY, until)[0] + late
        story.file(kind=Kind.RENEWAL)

    return tell


def _renewed_on_the_last_day(story: Story) -> None:
    """The contract takes it until the entry lapses; the guide wants it a day before."""
    _entered(story)
    story.now = story.tables.rows["register_entries"][story.asset,]["validUntil"]
    story.file(kind=Kind.RENEWAL)


def _waived_where_no_reasons_were_given(story: Story) -> None:
    """The contract refuses this; here its event stands before the auditor as a ledger with a fault would give it."""
    story.register()
    story.file(reasons=ZERO_DIGEST)
    story.act(Step.ACCEPT)
    story.state.registrations.cases[story.case].may_waive = True
    story.act(Step.WAIVE_NOTICE)


def _cancelled_without_notice(story: Story) -> None:
    _entered(story)
    story.now += 1
    story.file(kind=Kind.CANCELLATION, reasons=ZERO_DIGEST)
    story.act(Step.ACCEPT)
    story.act(Step.WAIVE_NOTICE)


def _revoked(*, hearing: int = 0, heard: bool = False) -> Callable[[Story], None]:
    """A revocation decided after the stated time in silence, `hearing` seconds longer than the rulebook's, or heard."""

    def tell(story: Story) -> None:
        _entered(story)
        revocation: dict[str, Any] = {"kind": Kind.REVOCATION, "procedure": int(Procedure.REVOCATION)}
        dates = filing_dates(story.book, Procedure.REVOCATION, story.now)
        story.file(SECOND, **revocation, dueAt=dates.due_at + hearing)
        if heard:
            story.act(Step.REPLY, SUPPLIER)
        else:
            story.to(story.due())
            story.call_bare("Registrations", "expire", story.case)
        story.act(Step.END, SECOND)

    return tell


def _certified(text: str) -> Callable[[Story], None]:
    def tell(story: Story) -> None:
        _waived(story)
        story.certify(text)

    return tell


@pytest.mark.parametrize(
    ("tell", "expected"),
    [
        (_file_later, ["case_dates"]),
        (_accept_through_holidays, ["case_dates"]),
        (_short_notice, ["notice_short", "deposit_early"]),
        (_short_rest_of_a_notice, ["notice_short"]),
        (_long_notice, ["case_dates"]),
        (_accepted_late_by_a_false_date, ["case_dates", "acceptance_late"]),
        (_public_data_accepted_late, ["acceptance_late"]),
        (_deposited_late, ["decision_late"]),
        (_objection_decided_late, ["decision_late"]),
        (_deposited_for_too_long, ["case_dates"]),
        (_deposited_in_a_dispute, ["deposit_disputed"]),
        (_deposited_after_a_dispute, []),
        (_same_person_in_two_accounts, ["own_matter"]),
        (_one_person_behind_the_keys_of_both, ["own_matter"]),
        (_renewed(-1), ["renewal_outside_window"]),
        (_renewed(0), []),
        (_renewed_on_the_last_day, ["renewal_outside_window"]),
        (_waived_where_no_reasons_were_given, ["notice_left_out"]),
        (_cancelled_without_notice, []),
        (_revoked(hearing=-9 * DAY), ["case_dates", "hearing_short"]),
        (_revoked(), []),
        (_revoked(heard=True), []),
        (_certified("SJ3102026090001"), []),
        (_certified("SJ3102026100001"), ["certificate_code_differs"]),
        (_certified("SJ9902026090001"), ["certificate_code_differs"]),
        (_certified("SJ3102026090002"), ["certificate_code_sequence"]),
    ],
)
def test_what_the_contract_took_and_the_rulebook_does_not_give_is_named(
    tell: Callable[[Story], None], expected: list[str]
) -> None:
    story = Story()
    tell(story)
    assert story.codes() == expected
    assert [name for _, name in story.proceedings.broken[story.case]] == expected


def test_a_registrar_who_is_named_under_another_account_is_found() -> None:
    """By a basis point the registrant would have barred one registrar, and chosen the other."""
    story, other = Story(), "0x" + "c8" * 20
    story.admit(other, Role.BUYER, identity="0x" + SECOND[-2:] * 32)
    story.register(RIVAL, other)
    assert story.codes() == ["share_to_registrar"]
    assert story.report.findings[0].expected == f"not {SECOND}"


def _of_one_person(story: Story, party: str = SUPPLIER) -> None:
    """The first registrar and the registrant, or another, are one natural person, by the keys of both."""
    for number, account in enumerate((REGISTRAR, party)):
        key = {"account": account, "key": f"0x{0xD0 + number:040x}", "acts": 1, "limit": 0, "version": 1}
        term = {"validFrom": story.now, "validUntil": FAR, "personDigest": "0x" + "5e" * 32}
        story.see(Event("Keys", "KeyAdded", key | term))


def _marked(story: Story, registrar: str) -> None:
    mark: dict[str, Any] = {"assetId": story.asset, "status": int(AssetStatus.SUSPENDED), "version": 2}
    story.call("Rights", "mark", {**mark, **_by(registrar)})


def _title_seized(story: Story, registrar: str) -> None:
    order: dict[str, Any] = {"titleId": title_id(story.asset, TitleKind.OPERATE), "marks": 16, "version": 1}
    story.call("Titles", "encumber", {**order, **_by(registrar)})


def _title_revoked(story: Story, registrar: str) -> None:
    order: dict[str, Any] = {"titleId": title_id(story.asset, TitleKind.USE), "version": 1}
    story.call("Titles", "revoke", {**order, **_by(registrar)})


def _share_seized(story: Story, registrar: str) -> None:
    order: dict[str, Any] = {"assetId": story.asset, "holder": SUPPLIER, "marks": 16, "version": 0}
    story.call("Rights", "encumberShare", {**order, **_by(registrar)})


def _suspended(story: Story, registrar: str) -> None:
    change: dict[str, Any] = {"account": SUPPLIER, "status": int(ParticipantStatus.SUSPENDED), "version": 1}
    by = _by(registrar)
    story.call("Participants", "setStatus", {**change, **by, "decider": by["registrar"]})


def _by(registrar: str) -> dict[str, Any]:
    digests = {"reasonDigest": "0x" + "5f" * 32, "orderDigest": "0x" + "5f" * 32}
    return {"registrar": registrar, "deadline": FAR, **digests}


@pytest.mark.parametrize("decide", [_marked, _title_seized, _title_revoked, _share_seized, _suspended])
def test_every_decision_about_ones_own_under_another_account_is_found(decide: Callable[[Story, str], None]) -> None:
    for registrar, expected in ((SECOND, []), (REGISTRAR, ["own_matter"])):
        story = Story()
        _waived(story)
        story.certify("SJ3102026090001")
        _of_one_person(story)
        decide(story, registrar)
        assert story.codes() == expected


def _granted(story: Story) -> None:
    above, terms = title_id(story.asset, TitleKind.OPERATE), "0x" + "5c" * 32
    root = story.state.titles.records[above]
    grant: dict[str, Any] = {"titleId": granted_id(above, THIRD, terms), "parent": above, "kind": int(TitleKind.USE)}
    grant |= {"grantor": SUPPLIER, "grantee": THIRD, "purposes": root.purposes, "fields": root.fields}
    grant |= {"territories": root.territories, "validFrom": story.now, "validUntil": story.now + DAY, "marks": 0}
    story.call("Titles", "grant", {**grant, "termsDigest": terms, "version": root.version, "deadline": FAR})


def _passed_on_and_back(story: Story) -> None:
    for version, (giver, taker) in enumerate(((SUPPLIER, THIRD), (THIRD, SUPPLIER)), start=1):
        wish = {"titleId": title_id(story.asset, TitleKind.OPERATE), "from": giver, "to": taker, "version": version}
        story.call("Titles", "transfer", {**wish, "deadline": FAR})


def _pledged_and_released(story: Story) -> None:
    pledge: dict[str, Any] = {"titleId": title_id(story.asset, TitleKind.OPERATE), "pledgee": THIRD, "deadline": FAR}
    story.call("Titles", "pledge", {**pledge, "holder": SUPPLIER, "debtDigest": "0x" + "5d" * 32, "version": 1})
    story.call("Titles", "releasePledge", {**pledge, "version": 2})


def _objected_late(story: Story) -> None:
    story.file(THIRD, kind=Kind.LATE_OBJECTION, procedure=int(Procedure.LATE_OBJECTION))


@pytest.mark.parametrize("take", [_granted, _passed_on_and_back, _pledged_and_released, _objected_late])
def test_whoever_took_a_part_decides_nothing_under_another_account_either(take: Callable[[Story], None]) -> None:
    """The contract bars the account for good, whatever became of the part (decision 0059)."""
    for one_person, expected in ((False, []), (True, ["own_matter"])):
        story = Story()
        _waived(story)
        story.certify("SJ3102026090001")
        take(story)
        if one_person:
            _of_one_person(story, THIRD)
        _marked(story, REGISTRAR)
        assert story.codes() == expected


def test_whoever_admits_itself_under_another_account_is_found() -> None:
    story = Story()
    story.admit("0x" + "c8" * 20, Role.BUYER, identity="0x" + SECOND[-2:] * 32)
    assert story.codes() == []  # by another registrar
    join = {"account": "0x" + "c9" * 20, "roles": int(Role.BUYER), "deadline": FAR}
    join["identityDigest"] = "0x" + SECOND[-2:] * 32
    story.call("Participants", "admit", join, {**join, "version": 0, "registrar": SECOND})
    assert story.codes() == ["own_matter"]


def test_a_registrar_has_one_institution() -> None:
    story = Story()
    _waived(story)
    story.certify("SJ3102026090001")
    story.manifest = "0x" + "b9" * 32
    _waived(story)
    story.certify("SJ3112026090002")
    assert story.codes() == ["certificate_code_differs"]


def test_a_rulebook_that_nobody_knows_is_named() -> None:
    story = Story()
    story.register()
    story.state.registrations.rulebook = "0x" + "77" * 32
    story.file(rulebookDigest="0x" + "77" * 32)
    story.act(Step.ACCEPT)
    assert story.codes() == ["case_rulebook_unknown"]


def test_a_rulebook_is_adopted_with_the_bounds_that_follow_from_it() -> None:
    story, other = Story(), rulebook_named(EVALUATION)
    bounds, common = bounds_of(other), {"exchange": EXCHANGE, "deadline": FAR}
    story.admit(EXCHANGE, Role.EXCHANGE)
    words = {"entryBounds": bounds.entry, "besideBounds": bounds.beside, "termBounds": bounds.term}
    adoption = {**words, **common, "rulebookDigest": other.digest, "previousDigest": story.book.digest}
    story.call("Registrations", "adopt", adoption)
    assert story.codes() == []
    lower = {**adoption, "entryBounds": "0x" + "00" * 31 + "01", "previousDigest": other.digest}
    story.call("Registrations", "adopt", {**lower, "rulebookDigest": story.book.digest})
    assert story.codes() == ["rulebook_bounds_differ"]


def test_a_false_date_signed_by_the_right_key_is_found_in_a_bundle_and_shown_in_the_register(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def false_acts(*arguments: Any, **more: Any) -> Any:
        message, acts = deposit_acts(*arguments, **more)
        return message, [{**act, "decideBy": act["decideBy"] + 60} for act in acts]

    monkeypatch.setattr(bundles, "deposit_acts", false_acts)
    monkeypatch.setattr(bundles, "code", lambda serial, month: code(serial + 6, month))
    made = make_bundle(tmp_path, orders=3, queries=1)
    found = [(finding.step, finding.code) for finding in Forger(made).report().findings]
    assert found == [(5, "case_dates"), (5, "certificate_code_sequence")] * 2  # of the data, and of a product of them
    _, register = register_at(MemoryBundle(made.files), made.trust)
    assert register is not None
    wrong = [{"version": 2, "code": "case_dates"}, {"version": 5, "code": "certificate_code_sequence"}]
    assert register.cases[0]["broken"] == wrong
