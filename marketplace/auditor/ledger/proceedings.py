"""Step 5, registration: what the contract cannot know about a case, computed again by the rulebook that the case names.

The contract keeps order, roles and the ends of the periods that were *stated*. Whether a stated date is the rulebook's,
whether the registrar acted in time, whether it is the same person as a party under another account, and whether a code
is its institution's next follows from rulebook, calendar and the whole history; it is asked here.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace

from crypto.errors import CryptoError
from marketplace.auditor.findings import Report
from marketplace.auditor.ledger.persons import Persons
from marketplace.auditor.readmodel.rows import Placed, Row, Tables
from marketplace.documents.scopes import rulebook as titles_rulebook
from marketplace.errors import NotFoundError
from marketplace.procedures import SETTLING, WAIVABLE, WHOSE, CaseState, Kind, Party, Procedure, Step
from marketplace.registrations.clocks import NAMES, Dates, act_dates, filing_dates, renewal_window
from marketplace.registrations.codes import from_ledger, serial_of
from marketplace.registrations.records import Case, case_from_json
from marketplace.rulebooks import Rulebook, rulebook_of
from marketplace.rulebooks.bounds import Bounds, bounds_of
from marketplace.rulebooks.calendar import day_of
from marketplace.types import ZERO_ADDRESS, ZERO_DIGEST


@dataclass(frozen=True)
class Lawful:
    """Where a case's clocks stand by the rulebook, whatever was stated. Unix seconds; 0 for none."""

    due_at: int
    decide_by: int
    notice_end: int = 0


class Proceedings:
    """Looks at each event before it changes the rows.

    Args:
        tables: the rows as the events before have left them.
    """

    def __init__(self, tables: Tables, report: Report) -> None:
        self._rows, self._report, self._persons = tables.rows, report, Persons(tables, report)
        self._lawful: dict[str, Lawful] = {}
        self._deposits: Counter[str] = Counter()
        self._institutions: dict[str, str] = {}
        #: case to what does not hold in it, as (version of the case after the act, code of the finding)
        self.broken: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
        self._looks: dict[str, Callable[[Row], None]] = {
            "Filed": self._filed,
            "Acted": self._acted,
            "Certified": self._certified,
        }

    def see(self, placed: Placed) -> None:
        """Check one event of registration, and note who is who in the others."""
        self._persons.see(placed)
        if placed.event.name == "RulebookAdopted":
            self._check_bounds(placed.event.args)
        look = self._looks.get(placed.event.name)
        if look is not None:
            self._report.count("case acts")
            look(placed.event.args)

    def _check_bounds(self, args: Row) -> None:
        """The exchange told the contract the bounds that follow from the rulebook."""
        try:
            expected = bounds_of(rulebook_of(args["rulebookDigest"]))
        except NotFoundError:
            return  # each case that follows it is a finding
        stated = Bounds(args["entryBounds"], args["besideBounds"], args["termBounds"])
        self._report.same("rulebook_bounds_differ", f"rulebook {args['rulebookDigest']}", expected, stated)

    def _filed(self, args: Row) -> None:
        filing = args["filing"]
        case, stated_at = filing["caseId"], filing["statedAt"]
        book = self._book(filing["rulebookDigest"], case, 1)
        if book is None:
            return
        dates = filing_dates(book, Procedure(filing["procedure"]), stated_at)
        self._lawful[case] = Lawful(dates.due_at, dates.decide_by)
        if filing["kind"] == Kind.RENEWAL:
            self._check_window(book, filing)
        self._same(case, 1, "dueAt", dates.due_at, filing["dueAt"])
        self._same(case, 1, "decideBy", dates.decide_by, filing["decideBy"])

    def _check_window(self, book: Rulebook, filing: Row) -> None:
        """A renewal was asked for in the window before the end that the rulebook gives."""
        until = self._entry(filing["assetId"])["validUntil"]
        opens, closes = renewal_window(book, Procedure(filing["procedure"]), until)
        if not opens <= filing["statedAt"] <= closes:
            expected = f"{opens} to {closes}"
            self._find("renewal_outside_window", filing["caseId"], 1, expected=expected, got=filing["statedAt"])

    def _acted(self, args: Row) -> None:
        name, step, version = args["caseId"], Step(args["step"]), args["version"]
        case = case_from_json(self._rows["registration_cases"][name,])
        if WHOSE[step] is Party.REGISTRAR:
            self._check_own_matter(name, case, args["actor"], version)
        if step is Step.DEPOSIT:
            self._deposits[_month(args["statedAt"])] += 1
        lawful = self._lawful.get(name)
        if lawful is None:
            return
        self._check_time(name, case, lawful, args)
        try:
            self._check_dates(name, case, lawful, args)
        except CryptoError as error:  # a clock that stood still longer than any calendar counts
            self._find("case_dates", name, version, got=error)

    def _check_time(self, name: str, case: Case, lawful: Lawful, args: Row) -> None:
        """The act came in time, and not too early, by the rulebook's dates."""
        step, at, version = Step(args["step"]), args["statedAt"], args["version"]
        if step is Step.ACCEPT and at > lawful.due_at:
            self._find("acceptance_late", name, version, expected=f"<= {lawful.due_at}", got=at)
        limit = _decision_limit(case, step, lawful)
        if limit is not None and at > limit:
            self._find("decision_late", name, version, expected=f"<= {limit}", got=at)
        if step is Step.WAIVE_NOTICE:
            self._check_waiver(name, case, version)
        if case.procedure is Procedure.REVOCATION and step is Step.END:
            self._check_hearing(name, case, lawful, args)
        if step not in (Step.DEPOSIT, Step.END):
            return
        if case.state is CaseState.PUBLIC_NOTICE and at <= lawful.notice_end:
            self._find("deposit_early", name, version, expected=f"> {lawful.notice_end}", got=at)
        entry = self._entry(case.asset_id)
        open_ = entry.get("disputes", 0) - (entry.get("upheld", 0) if case.kind in SETTLING else 0)
        if open_ and case.kind not in (*WAIVABLE, Kind.REVOCATION):
            self._find("deposit_disputed", name, version, expected="no open objection", got=open_)

    def _check_waiver(self, name: str, case: Case, version: int) -> None:
        """Notice was left out on the applicant's reasons, or for a kind that the rulebook asks none of."""
        unneeded = rulebook_of(case.rulebook_digest).content[NAMES[case.procedure]]["notice_unneeded"]
        row = self._rows["registration_cases"][name,]
        if row["nonPublicationDigest"] == ZERO_DIGEST and case.kind.name not in unneeded:
            self._find("notice_left_out", name, version, expected="the applicant's reasons", got=case.kind.name)

    def _check_hearing(self, name: str, case: Case, lawful: Lawful, args: Row) -> None:
        """Whoever said nothing had at least the rulebook's time to."""
        acts = self._rows["registration_acts"]
        heard = any(acts[name, number]["step"] == Step.REPLY for number in range(1, case.version + 1))
        if not heard and args["statedAt"] <= lawful.due_at:
            expected = f"a reply, or > {lawful.due_at}"
            self._find("hearing_short", name, args["version"], expected=expected, got=args["statedAt"])

    def _check_dates(self, name: str, case: Case, lawful: Lawful, args: Row) -> None:
        """The act states the rulebook's dates.

        One false date is one finding: what follows is computed from what was stated. A notice is measured against the
        rulebook's own, however often it was interrupted.
        """
        step, at, version = Step(args["step"]), args["statedAt"], args["version"]
        book, until = rulebook_of(case.rulebook_digest), self._entry(case.asset_id).get("validUntil", 0)
        expected = act_dates(book, replace(case, notice_end=lawful.notice_end), step, at, until)
        notice = step in (Step.OPEN_NOTICE, Step.REJECT) and expected.due_at != 0
        if notice and args["dueAt"] < expected.due_at:
            self._find("notice_short", name, version, expected=expected.due_at, got=args["dueAt"])
        else:
            self._same(name, version, "dueAt", expected.due_at, args["dueAt"])
        self._same(name, version, "decideBy", expected.decide_by, args["decideBy"])
        ideal = replace(case, due_at=lawful.due_at, decide_by=lawful.decide_by, notice_end=lawful.notice_end)
        self._lawful[name] = _after(lawful, act_dates(book, ideal, step, at, until), notice=notice)

    def _check_own_matter(self, name: str, case: Case, actor: str, version: int) -> None:
        """Nobody decides about what is its own, under whatever account."""
        for party, common in self._persons.behind(actor, self._parties(case)):
            self._find("own_matter", name, version, expected=f"not {party}", got=f"{actor}: {common}")

    def _parties(self, case: Case) -> set[str]:
        found = self._persons.parties_of(case.asset_id) | {case.counterparty}
        # A revocation is the registrar's own application.
        found |= {case.applicant} if case.kind is not Kind.REVOCATION else set()
        return found - {ZERO_ADDRESS}

    def _certified(self, args: Row) -> None:
        name, version, registrar = args["caseId"], args["version"], args["registrar"]
        row = self._rows["registration_cases"][name,]
        self._check_own_matter(name, case_from_json(row), registrar, version)
        book = self._book(row["rulebookDigest"], name, version)
        if book is None:
            return
        code, scheme, month = from_ledger(args["code"]), book.content["code"], _month(row["depositedAt"])
        prefix, region = scheme["prefix"], code[len(scheme["prefix"]) :][: scheme["region_digits"]]
        institution = code[: len(prefix) + scheme["region_digits"] + scheme["institution_digits"]]
        expected = self._institutions.setdefault(registrar, institution) + month
        got = code[: -scheme["serial_digits"]]
        if got != expected or not code.startswith(prefix):
            self._find("certificate_code_differs", name, version, expected=f"{expected}…", got=code)
        elif region not in _regions():
            self._find("certificate_code_differs", name, version, expected="a region of GB/T 2260", got=code)
        # Each deposit of a month has one number, the next; they need not be certified in that order.
        last = min(self._deposits[month], scheme["last"])
        if not scheme["first"] <= serial_of(code) <= last:
            self._find("certificate_code_sequence", name, version, expected=f"{scheme['first']} to {last}", got=code)

    def _book(self, digest: str, case: str, version: int) -> Rulebook | None:
        try:
            return rulebook_of(digest)
        except NotFoundError:
            self._find("case_rulebook_unknown", case, version, expected="a rulebook of this program", got=digest)
            return None

    def _entry(self, asset: str) -> Row:
        return self._rows["register_entries"].get((asset,), {})

    def _same(self, case: str, version: int, field: str, expected: int, got: int) -> None:
        if expected != got:
            self._find("case_dates", case, version, expected=f"{field} {expected}", got=f"{field} {got}")

    def _find(self, code: str, case: str, version: int, *, expected: object = "", got: object = "") -> None:
        self.broken[case].append((version, code))
        self._report.find(code, f"case {case} version {version}", expected=expected, got=got)


def _decision_limit(case: Case, step: Step, lawful: Lawful) -> int | None:
    """Until when a decision had to come; None for a step that is none.

    While an objection or a supplement is pending the case's own clock stands still (guide, art. 28).
    """
    if step in (Step.UPHOLD, Step.REJECT):
        return lawful.due_at if case.state is CaseState.OBJECTION_PENDING else lawful.decide_by
    ends = step in (Step.REFUSE, Step.DEPOSIT, Step.END) or (
        step is Step.TERMINATE and case.state is CaseState.UNDER_REVIEW
    )
    return lawful.decide_by if ends else None


def _after(lawful: Lawful, dates: Dates, *, notice: bool) -> Lawful:
    return Lawful(dates.due_at or lawful.due_at, dates.decide_by, dates.due_at if notice else lawful.notice_end)


def _month(seconds: int) -> str:
    return day_of(seconds).strftime("%Y%m")


def _regions() -> frozenset[str]:
    return frozenset(place["code"][:2] for place in titles_rulebook()["territories"]["places"])
