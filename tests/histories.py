"""Random histories of the ledger: calls that are mostly valid, bent in every way we could think of.

A history looks at the Python rules' state to find calls that can succeed; who runs it decides what runs them.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from random import Random
from typing import Any, TypeVar

from crypto import typed_data
from crypto.canonical import keccak256, to_hex
from marketplace.clearing.rules import Batch, Position, payouts_digest
from marketplace.currencies import TOKEN, Currency
from marketplace.deliveries.rules import MOST_CORRECTIONS
from marketplace.deliveries.rules import STATES as DELIVERY_STATES
from marketplace.deployment import Genesis
from marketplace.documents.ids import (
    agreement_id,
    asset_id,
    batch_id,
    case_id,
    debt_id,
    granted_id,
    listing_id,
    order_id,
    redemption_id,
    title_id,
)
from marketplace.intents import INTENTS, Deployment, intent_digest, recover_intent, struct_hash
from marketplace.intents import REFUND_GRACE_SECONDS as GRACE
from marketplace.participants import rules as participant_rules
from marketplace.participants.keys import ALL_ACTS
from marketplace.procedures import FINAL, TABLES, WHOSE, CaseState, Kind, Party, Procedure, Step
from marketplace.registrations.clocks import act_dates
from marketplace.registrations.records import Case
from marketplace.registrations.rules import BOUNDED, party_of
from marketplace.replay import LedgerState
from marketplace.rights.records import Encumbrance, Share
from marketplace.rights.rules import STANDING
from marketplace.rights.title_records import LAST_MOMENT, Title
from marketplace.rights.titles import act_of
from marketplace.rulebooks.bounds import bounds_of
from marketplace.settlement.money import MAX_SUPPLY
from marketplace.types import (
    NO_LIMIT,
    ZERO_DIGEST,
    Act,
    AgreementStatus,
    AssetStatus,
    BatchStatus,
    ConsentStatus,
    DebtStatus,
    ListingStatus,
    OrderStatus,
    ParticipantStatus,
    RecoveryStatus,
    RedemptionStatus,
    Role,
    TitleKind,
    TitleMark,
)
from tests.registering import LAWFUL, code, deed, deposit_acts, filing, rulebook

CHAIN_ID = 20260
FORWARD = (
    Step.JOIN,
    Step.ACCEPT,
    Step.RESUBMIT,
    Step.SUPPLEMENT,
    Step.WAIVE_NOTICE,
    Step.REJECT,
    Step.DEPOSIT,
    Step.END,
)
OWN_PROCEDURE = {Kind.LATE_OBJECTION: Procedure.LATE_OBJECTION, Kind.REVOCATION: Procedure.REVOCATION}
LATER = tuple(kind for kind in Kind if kind not in (Kind.NONE, Kind.FIRST, Kind.LATE_OBJECTION))
DAY = 86_400
ROLES = {
    "registrar": Role.REGISTRAR,
    "second registrar": Role.REGISTRAR,
    "bank": Role.BANK,
    "exchange": Role.EXCHANGE,
    **{f"trader {i}": Role.SUPPLIER | Role.BUYER for i in range(18)},
}
KEYS = {name: keccak256(f"history {name}".encode()) for name in ROLES}
ADDRESSES = {name: typed_data.address_of(key) for name, key in KEYS.items()}
KEY_OF = {ADDRESSES[name]: key for name, key in KEYS.items()}
ROLES_OF = {ADDRESSES[name]: int(role) for name, role in ROLES.items()}
TRADERS = [ADDRESSES[name] for name in ROLES if name.startswith("trader")]
STRANGER = keccak256(b"history stranger")
TREASURY = "0x" + "7e" * 20
MONIES = (156, 344, 392)
# A history of its own tries these, so that the others stay as they are.
ENCUMBERING = ("pledgeShare", "releaseShare", "enforceShare", "encumberShare")

Message = dict[str, Any]
Found = TypeVar("Found")


@dataclass(frozen=True)
class Part:
    """One intent of a call, and whose signatures follow it."""

    intent: str
    message: Message
    signers: tuple[str, ...]


@dataclass(frozen=True)
class Call:
    """A call, ready to be encoded."""

    contract: str
    verb: str
    arguments: list[Any]


@dataclass
class History:
    """Makes one call after the other.

    Args:
        random: source of all choices.
        genesis: how the contracts are deployed.
        now: the ledger's time, unix seconds; whoever runs the history moves it.
        made: calls that were drawn.
        without: contracts and verbs that no call is drawn of unless asked for.
        derives: whether products with inputs are what is mostly listed and ordered.
        lingers: whether cases about entries are most, are announced, and take every step of their tables alike.
        forgets_keys: whether buyers now and then ask for a delivery sealed to no key.
        changes_hands: whether later cases are transfers and what ends entries, with dates that are too short at times,
            and grants are of roots.
        claims: whether one side alone now and then ends its orders.
        careful: whether always a key signs that may, if there is one.
        oversteps: whether prices and ends now and then are more than readers can count.
    """

    random: Random
    genesis: Genesis
    now: int
    made: list[Call] = field(default_factory=list)
    without: tuple[str, ...] = ("Lineage", *ENCUMBERING)
    forgets_keys: bool = False
    changes_hands: bool = False
    claims: bool = False
    oversteps: bool = True
    careful: bool = False
    derives: bool = False
    lingers: bool = False
    _acts: dict[str, Message] = field(default_factory=dict)
    _found: dict[Any, Any] | None = None  # what was looked for, while the state stands still

    def __post_init__(self) -> None:
        self.state = LedgerState(self.genesis)
        self.secrets = dict(KEY_OF)  # of every address that may sign
        self.deployment = Deployment(CHAIN_ID, self.genesis.addresses())
        self._currencies = Random(len(self.genesis.currencies))  # its own: a market of one draws nothing of it
        self._token = self.state.tokens[TOKEN]

    def recover(self, name: str, message: Mapping[str, Any], signature: bytes) -> str:
        """The key that made a signature, as a service or an auditor would find it."""
        return recover_intent(name, message, self.deployment, signature)

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """While this is open, neither state nor time changes: what is looked for among all objects is looked for once.

        The calls are the same with it and without; a long history spends most of its time looking without it.
        """
        self._found = {}
        try:
            yield
        finally:
            self._found = None

    def _once(self, what: Any, look: Callable[[], Found]) -> Found:
        """What `look` finds, which draws nothing; `what` names it. Nobody may change it."""
        if self._found is None:
            return look()
        if what not in self._found:
            self._found[what] = look()
        found: Found = self._found[what]
        return found

    def opening(self) -> list[Call]:
        """Everybody joins, and every trader is given money."""
        joiners = [account for account in KEY_OF if account != self.genesis.registrar]
        calls = [self._sign("Participants", "admit", self._admission(account, 0)) for account in joiners]
        for token in self.state.tokens.values():
            self._token = token
            issues = [self._payment(account, 1_000_000) for account in TRADERS]
            calls += [self._sign(token.accounts.currency.contract, "issue", [part]) for part in issues]
        return calls

    def head_start(self) -> list[list[Call]]:
        """Assets whose first registration is deposited, so that a history soon has something to trade, in order."""
        registers, steps = [], []
        for _ in range(20 if self.derives else 8):
            (part,) = self.register() or []
            registers.append(self._sign("Rights", "register", [part]))
            asset_key, holder = part.message["assetId"], part.message["holder"]
            case, acts = deposit_acts(asset_key, holder, ADDRESSES["registrar"], self.now)
            steps.append(self._sign("Registrations", "file", [self._part("File", case)]))
            steps += [self._sign("Registrations", "decide", [self._part("Decide", item)]) for item in acts]
        return [registers, steps]

    def next_call(self, verb: str | None = None) -> Call | None:
        """A call of `verb` (any, if None), bent half of the time; None where the state offers nothing to try."""
        drawn = {
            name: weight
            for name, (contract, _, weight) in BUILDERS.items()
            if contract not in self.without and name not in self.without
        }
        verb = verb or self.random.choice([name for name, weight in drawn.items() for _ in range(weight)])
        if self.made and self.random.random() < 0.04:
            return self.random.choice(self.made)
        contract, build, _ = BUILDERS[verb]
        self._token = self._currencies.choice(list(self.state.tokens.values()))
        parts = build(self)
        if parts is None:
            return None
        if contract == TOKEN:
            contract = self._token.accounts.currency.contract
        if verb in UNSIGNED:
            return Call(contract, verb, parts)
        # a case needs four right acts in a row to get anywhere, a delivery five
        wrong = (
            0.2
            if verb in CLAIM_VERBS
            else {"Registrations": 0.25, "Deliveries": 0.15, "Lineage": 0.2}.get(contract, 0.5)
        )
        call = self._bent(contract, verb, parts) if self.random.random() < wrong else self._sign(contract, verb, parts)
        self.made.append(call)
        return call

    # -- one builder for each verb -------------------------------------------------------------------------------

    def admit(self) -> list[Part] | None:
        account = self._pick(list(KEY_OF))
        return self._admission(account, self.state.participants.of(account).version)

    def request_admission(self) -> list[Part] | None:
        fit = [
            a for a in KEY_OF if self.state.participants.of(a).status in participant_rules.STATES["requestAdmission"]
        ]
        account = self._pick(fit if fit and self.random.random() < 0.8 else list(KEY_OF))
        return self._admission(account, 0)[:1]

    def resign(self) -> list[Part] | None:
        account = self._pick(list(KEY_OF))
        record = self.state.participants.of(account)
        if account in (ADDRESSES["registrar"], ADDRESSES["second registrar"], ADDRESSES["exchange"], ADDRESSES["bank"]):
            return None
        message = {"account": account, "version": record.version, "deadline": self._deadline()}
        return [self._part("Leave", message)]

    def set_status(self) -> list[Part] | None:
        moving = [
            a
            for a in KEY_OF
            if self.state.participants.of(a).status in participant_rules.STATES["setStatus"]
            and self.state.participants.of(a).status is not ParticipantStatus.ACTIVE
        ]
        if moving and self.random.random() < 0.7:
            return self._decision(self._pick(moving))
        suspended = [a for a in KEY_OF if self.state.participants.of(a).status is ParticipantStatus.SUSPENDED]
        anybody = TRADERS if self.random.random() < 0.95 else list(KEY_OF)
        account = self._pick(suspended) if suspended and self.random.random() < 0.8 else self._pick(anybody)
        record = self.state.participants.of(account)
        status = 1 if record.status is ParticipantStatus.SUSPENDED else 2
        message = {
            "account": account,
            "status": status,
            "reasonDigest": self._digest(),
            "version": record.version,
            "decider": self._registrar(account),
            "deadline": self._deadline(),
        }
        return [self._part("SetStatus", message)]

    def _decision(self, account: str) -> list[Part]:
        """One of the changes that the table has for the account's status; rarely an expulsion, which is for good."""
        record = self.state.participants.of(account)
        after = participant_rules.STATES["setStatus"][record.status]
        usual = [status for status in after if status is not ParticipantStatus.EXPELLED]
        message = {
            "account": account,
            "status": int(self._pick(list(after) if self.random.random() < 0.02 else usual)),
            "reasonDigest": self._digest(),
            "version": record.version,
            "decider": self._registrar(account),
            "deadline": self._deadline(),
        }
        return [self._part("SetStatus", message)]

    def register(self) -> list[Part] | None:
        holder, manifest = self._pick(TRADERS[:3] if self.derives else TRADERS), self._digest()
        holders = self.random.sample(TRADERS, self.random.choice([1, 2, 3, 7, 16, 16]))
        if self.made and "pledgeShare" not in self.without:
            holders[-1] = self._receiver() if self.random.random() < 0.3 else holders[-1]
        cuts = sorted(self.random.sample(range(1, 10_000), len(holders) - 1))
        bps = [high - low for low, high in zip([0, *cuts], [*cuts, 10_000], strict=True)]
        message = {
            "assetId": asset_id(holder, manifest),
            "holder": holder,
            "manifestDigest": manifest,
            "ciphertextRoot": self._digest(),
            "claimDigest": self._digest(),
            "level": self.random.randint(1, 6),
            "epsilonBudget": self.random.choice([1, 5_000_000, 50_000_000, 1_000_000_000_000]),
            "shareHolders": holders,
            "shareBps": bps,
            "deadline": self._deadline(),
        }
        return [self._part("Register", message)]

    def file(self) -> list[Part] | None:
        """A case of any kind about any asset; mostly a first registration of one that has none."""
        state = self.state.registrations
        fresh = self._once("fresh", self._fresh)
        known = self._once("known", lambda: list(state.records))
        if not fresh and not known:
            return None
        if fresh and (not known or self.random.random() < (0.2 if self.lingers else 0.7)):
            return [self._part("File", self._filing(self._pick(fresh), Kind.FIRST))]
        kind = self._pick([*[Kind.LATE_OBJECTION] * 4, *[Kind.FIRST] * 2, *LATER * 2])
        assets = self.state.rights.assets
        entered = self._once(
            "entered", lambda: [key for key in known if assets[key].status in STANDING and self._is_free(key)]
        )
        asset_key = self._pick(entered if entered and self.random.random() < 0.8 else known)
        if self.changes_hands:
            kind = self._pick([*[Kind.TRANSFER] * 4, *[Kind.CANCELLATION] * 2, Kind.REVOCATION])
        return [self._part("File", self._filing(asset_key, kind))]

    def _fresh(self) -> list[str]:
        """Registered assets that no case is about."""
        state = self.state.registrations
        return [
            key
            for key, asset in self.state.rights.assets.items()
            if asset.status is AssetStatus.REGISTERED and state.record_of(key).latest_case not in state.cases
        ]

    def _is_free(self, asset_key: str) -> bool:
        state = self.state.registrations
        return state.cases[state.record_of(asset_key).latest_case].state in FINAL

    def _filing(self, asset_key: str, kind: Kind) -> Message:
        held = self.state.registrations.record_of(asset_key)
        asset = self.state.rights.assets[asset_key]
        usual = asset.registrant if held.code == ZERO_DIGEST else held.holder
        applicants = {Kind.REVOCATION: self._registrar(asset.registrant), Kind.LATE_OBJECTION: self._pick(TRADERS)}
        latest = self.state.registrations.cases.get(held.latest_case)
        usually = latest.procedure if latest and self.random.random() < 0.9 else Procedure.ORDINARY
        procedure = OWN_PROCEDURE.get(kind, self._pick([usually] * 4 + [Procedure.PUBLIC_DATA]))
        changes: Message = {"procedure": int(procedure), "deadline": self._deadline()}
        changes["depositDigest"] = self._digest() if procedure is Procedure.PUBLIC_DATA else ZERO_DIGEST
        if kind is Kind.TRANSFER:
            changes["counterparty"] = self._pick([*TRADERS, ADDRESSES["second registrar"]])
        reasons = self._pick([ZERO_DIGEST, *[self._digest()] * 4])
        applicant, form = applicants.get(kind, usual), self._digest()
        in_force = self.state.registrations.rulebook == rulebook(LAWFUL).digest and self.random.random() < 0.9
        book = rulebook(LAWFUL) if in_force else rulebook()
        return filing(asset_key, applicant, self.now, book=book, kind=kind, form=form, reasons=reasons, **changes)

    def _stepped(self, *, decides: bool) -> list[Part] | None:
        cases = self.state.registrations.cases
        open_ = self._once(("open", decides), lambda: self._open_cases(decides=decides))
        going = [(name, steps) for name, steps, rare in open_ if not rare or self.random.random() < 0.02]
        if not going:
            return None
        name, steps = self._pick(going)
        case = cases[name]
        strange = sorted({step for _, step in TABLES[case.procedure]})  # in time, perhaps, but not from here
        # most steps lead to an end; a history needs cases that are deposited
        forward = [step for step in steps if step in FORWARD] or steps
        forward = steps if self.changes_hands and self.random.random() < 0.3 else forward
        forward = [step for step in steps if step is not Step.WAIVE_NOTICE] if self.lingers else forward
        step = self._pick(forward if self.random.random() < 0.8 else steps if self.random.random() < 0.9 else strange)
        return [self._part("Decide" if decides else "Act", self._deed(name, case, step))]

    def _open_cases(self, *, decides: bool) -> list[tuple[str, list[Step], bool]]:
        """Cases that lead on, with their steps, and whether they rarely go on: what is deposited mostly waits for its
        certificate, and few applications are taken back."""
        found = []
        for name, case in self.state.registrations.cases.items():
            steps = steps_from(case.procedure, case.state, decides=decides)
            if steps:
                found.append((name, steps, case.state is CaseState.DEPOSITED or steps == [Step.WITHDRAW]))
        return found

    def decide(self) -> list[Part] | None:
        """As `act`, for the steps of registrars."""
        return self._stepped(decides=True)

    def act(self) -> list[Part] | None:
        """A step that the table has from where a case stands; now and then any."""
        return self._stepped(decides=False)

    def _deed(self, name: str, case: Case, step: Step) -> Message:
        if WHOSE.get(step) is Party.REGISTRAR:
            actor = self._registrar(case.applicant)
        elif step is Step.OBJECT:
            actor = self._pick(TRADERS)
        else:
            actor = party_of(case, self.state.registrations.record_of(case.asset_id), step)
        record = self.state.registrations.record_of(case.asset_id)
        dates = act_dates(rulebook(), case, step, self.now, record.valid_until)
        message = deed(name, case, step, actor, self.now)
        due = self.now + 300 * DAY if step is Step.DEPOSIT and not dates.due_at else dates.due_at
        due += self._at_times(7 * 366 * DAY, 16) if step is Step.DEPOSIT else 0  # longer than any entry stands
        if step in BOUNDED and self.now % 4:  # else a case by the law is given the evaluation's times
            bound = self.state.registrations.bound(case.rulebook_digest, case.procedure, BOUNDED[step])
            due = max(due, min(self.now + bound, 2**40))
        if step in BOUNDED and self.changes_hands and self.random.random() < 0.5:
            due = self.now + 1
        return message | {"dueAt": due, "evidenceDigest": self._digest(), "deadline": self._deadline()}

    def expire(self) -> list[Any] | None:
        states = (CaseState.SUBMITTED, CaseState.CORRECTION_REQUESTED)
        cases = self.state.registrations.cases
        waiting = self._once("waiting", lambda: [name for name, case in cases.items() if case.state in states])
        return [self._pick(waiting)] if waiting else None

    def adopt(self) -> list[Part] | None:
        """Between the two rulebooks; the next cases still name the evaluation's, so it is mostly adopted back."""
        present = self.state.registrations.rulebook
        other = rulebook(LAWFUL).digest if present == rulebook().digest else rulebook().digest
        if other != rulebook().digest and self.random.random() < 0.8:
            return None
        bounds = bounds_of(rulebook(LAWFUL) if other == rulebook(LAWFUL).digest else rulebook())
        message: Message = {"rulebookDigest": other, "entryBounds": bounds.entry, "besideBounds": bounds.beside}
        message["termBounds"] = bounds.term
        message["previousDigest"] = present
        message |= {"exchange": ADDRESSES["exchange"], "deadline": self._deadline()}
        return [self._part("Adopt", message)]

    def confirm(self) -> list[Part] | None:
        cases = self.state.registrations.cases
        deposited = self._once("deposited", lambda: [case.asset_id for case in cases.values() if is_deposited(case)])
        asset_key = self._choose(self.state.rights.assets, AssetStatus.REGISTERED)
        asset_key = self._pick(deposited) if deposited and self.random.random() < 0.9 else asset_key
        if asset_key is None:
            return None
        asset = self.state.rights.assets[asset_key]
        until = self.now + self._term(90 * DAY, 5 * 365 * DAY)
        if asset.status is AssetStatus.CONFIRMED and self.random.random() < 0.9:
            case = cases[self.state.registrations.record_of(asset_key).latest_case]
            until = asset.valid_until + (DAY if case.kind is Kind.RENEWAL else 0) + self._at_times(DAY, 2)
        message = {
            "assetId": asset_key,
            "claimDigest": asset.claim_digest,
            "certificateDigest": self._digest(),
            "code": code(self.random.randint(1, 9999), f"{self.random.randint(2020, 2040)}07"),
            "rights": self._pick([7] * 12 + [1, 3, 5, 6, 0, 8]),
            "validUntil": until,
            "registrar": self._registrar(asset.registrant),
            "version": asset.version,
            "deadline": self._deadline(),
        }
        return [self._part("Confirm", message)]

    def transfer(self) -> list[Part] | None:
        orders = self.random.random() < 0.1
        records = self.state.titles.records
        titles = self._once(("titles", orders), lambda: [k for k, item in records.items() if item.number or orders])
        if not titles:
            return None
        title_key = self._pick(titles)
        title = records[title_key]
        permitted = [act for act in self._acts.values() if self._is_due(act)]
        if permitted and self.random.random() < 0.5:
            return [self._part("Transfer", self._pick(permitted))]
        message = {
            "titleId": title_key,
            "from": title.holder,
            "to": self._pick(TRADERS),
            "version": title.version,
            "deadline": self._deadline(),
        }
        return [self._part("Transfer", message)]

    def grant(self) -> list[Part] | None:
        records = self.state.titles.records
        may = self._once("may", lambda: [key for key, title in records.items() if TitleMark.MAY_GRANT in title.marks])
        if self.changes_hands:
            may = [key for key in may if records[key].parent is None or self.random.random() < 0.3]
        parts = self.state.titles.parts
        whole = [key for key in may if key in parts]
        if whole and self.random.random() < 0.3:
            may = whole
        parent_key = self._pick(list(records) if self.random.random() < 0.1 else may) if may else None
        if parent_key is None:
            return None
        parent, grantee, terms = records[parent_key], self._pick(TRADERS), self._digest()
        kinds = [2, 3] if parent.kind is TitleKind.OPERATE else [2]
        older = [records[name] for name in parts.get(parent_key, [])]
        like = self._pick(older) if older and self.random.random() < 0.5 else None
        scope = {"purposes": like.purposes, "fields": like.fields, "territories": like.territories} if like else {}
        message = {
            "titleId": granted_id(parent_key, grantee, terms),
            "parent": parent_key,
            "kind": self._pick(kinds) if self.random.random() < 0.9 else self._pick([0, 1, 2, 3]),
            "grantor": parent.holder,
            "grantee": grantee,
            **(scope or self._scope(parent)),
            "validFrom": max(parent.valid_from, self.now + self.random.choice([-DAY, 0, 3600])),
            "validUntil": self._end(parent.asset_id, parent, self._term(3600, 30 * DAY, 10**9)),
            "marks": (7 if like else self._pick([0, 1, 2, 3, 6, 7]))
            & (int(parent.marks) if self.random.random() < 0.9 else 7),
            "termsDigest": terms,
            "version": parent.version,
            "deadline": self._deadline(),
        }
        return [self._part("Grant", message)]

    def surrender(self) -> list[Part] | None:
        key = self._title(lambda title: title.parent is not None or self.random.random() < 0.05)
        if self.changes_hands:
            records = self.state.titles.records
            used = [
                name for name in {title.parent: None for title in records.values()} if name and records[name].parent
            ]
            key = self._pick(used) if used else key
        if key is None:
            return None
        title = self.state.titles.records[key]
        message = {"titleId": key, "holder": title.holder, "reasonDigest": self._digest(), **self._now_of(title)}
        return [self._part("Surrender", message)]

    def revoke_title(self) -> list[Part] | None:
        key = self._title(lambda title: title.parent is not None or self.random.random() < 0.1)
        if self.changes_hands:
            key = self._title(self._passes, "passing") or key
        if key is None:
            return None
        title = self.state.titles.records[key]
        message = {"titleId": key, "registrar": self._registrar(title.holder), "reasonDigest": self._digest()}
        return [self._part("RevokeTitle", message | self._now_of(title))]

    def _passes(self, title: Title) -> bool:
        """Whether it is a first title that passes by an open transfer."""
        state = self.state.registrations
        case = state.cases.get(state.record_of(title.asset_id).latest_case)
        return title.parent is None and case is not None and case.kind is Kind.TRANSFER and case.state not in FINAL

    def encumber(self) -> list[Part] | None:
        heavy = self._title(lambda title: bool(title.marks & TitleMark.ENCUMBRANCES), "encumbered")
        key = heavy if heavy and self.random.random() < 0.7 else self._title(lambda _: True, "any")
        if key is None:
            return None
        title = self.state.titles.records[key]
        lifts = title.marks & TitleMark.ENCUMBRANCES and self.random.random() < 0.8
        message = {
            "titleId": key,
            "marks": 0 if lifts else self._pick([16, 32, 48]),
            "orderDigest": self._digest(),
            "registrar": self._registrar(title.holder),
            **self._now_of(title),
        }
        return [self._part("Encumber", message)]

    def pledge(self) -> list[Part] | None:
        key = self._title(lambda title: title.kind is TitleKind.OPERATE or self.random.random() < 0.05)
        if key is None:
            return None
        title = self.state.titles.records[key]
        message = {"titleId": key, "holder": title.holder, "pledgee": self._pick(TRADERS)}
        message |= {"debtDigest": self._digest(), **self._now_of(title)}
        return [self._part("Pledge", message)]

    def release_pledge(self) -> list[Part] | None:
        found = self._pledged()
        if found is None:
            return None
        key, title, pledgee = found
        return [self._part("ReleasePledge", {"titleId": key, "pledgee": pledgee, **self._now_of(title)})]

    def permit(self) -> list[Part] | None:
        """Of an act that follows at once, or of none."""
        found = self._pledged()
        if found is None:
            return None
        key, title, pledgee = found
        act = {"titleId": key, "from": title.holder, "to": self._pick(TRADERS), "version": title.version + 1}
        act |= {"deadline": self.now + 30 * DAY}
        self._acts[key] = act
        permitted = act_of("Transfer", act) if self.random.random() < 0.9 else self._digest()
        return [self._part("Permit", {"titleId": key, "act": permitted, "pledgee": pledgee, **self._now_of(title)})]

    def enforce(self) -> list[Part] | None:
        found = self._pledged()
        if found is None:
            return None
        key, title, _ = found
        message = {"titleId": key, "rulingDigest": self._digest(), "registrar": self._registrar(title.holder)}
        return [self._part("Enforce", message | self._now_of(title))]

    def transfer_share(self) -> list[Part] | None:
        asset_key = self._choose(self.state.rights.assets, AssetStatus.CONFIRMED)
        if asset_key is None:
            return None
        if self.random.random() < 0.2:  # where new holders no longer fit
            asset_key = self._once("crowded", self._crowded) or asset_key
        asset = self.state.rights.assets[asset_key]
        share = (
            max(asset.shares, key=lambda share: share.bps) if self.random.random() < 0.3 else self._pick(asset.shares)
        )
        message = {
            "assetId": asset_key,
            "from": share.holder,
            "to": self._receiver(),
            "bps": self.random.choice([share.bps, max(share.bps // 2, 1), 1, self.random.randint(1, 10_000)]),
            "version": asset.share_version,
            "deadline": self._deadline(),
        }
        return [self._part("TransferShare", message)]

    def _receiver(self) -> str:
        """A trader; where shares are what is tried, now and then a registrar."""
        rare = "pledgeShare" not in self.without and self.random.random() < 0.1
        return str(self._pick([ADDRESSES["registrar"], ADDRESSES["second registrar"]] if rare else TRADERS))

    def pledge_share(self) -> list[Part] | None:
        again = self.random.random() < 0.2
        found = self._share(lambda weight: bool(weight.bps) is again and not weight.marks, ("pledgeable", again))
        if found is None:
            return None
        key, share, weight = found
        held = {share.holder for share in self.state.rights.assets[key].shares}
        outside = [account for account in TRADERS if account not in held]
        pledgee = self._pick(outside if outside and self.random.random() < 0.5 else TRADERS)
        message = {
            "assetId": key,
            "holder": share.holder,
            "pledgee": pledgee if self.random.random() < 0.95 else self._pick(list(KEY_OF)),
            "bps": self.random.choice([share.bps, max(share.bps // 2, 1), 1, self.random.randint(1, 10_000)]),
            "debtDigest": self._digest(),
        }
        return [self._part("PledgeShare", message | self._now_of(weight))]

    def release_share(self) -> list[Part] | None:
        found = self._share(lambda weight: bool(weight.bps), "pledged")
        if found is None:
            return None
        key, share, weight = found
        message = {"assetId": key, "holder": share.holder, "pledgee": weight.pledgee}
        return [self._part("ReleaseShare", message | self._now_of(weight))]

    def enforce_share(self) -> list[Part] | None:
        found = self._share(lambda weight: bool(weight.bps), "pledged")
        if found is None:
            return None
        key, share, weight = found
        message = {"assetId": key, "holder": share.holder, "rulingDigest": self._digest()}
        message["registrar"] = self._registrar(share.holder)
        return [self._part("EnforceShare", message | self._now_of(weight))]

    def encumber_share(self) -> list[Part] | None:
        lifts = self.random.random() < 0.6
        found = self._share(lambda weight: bool(weight.marks) is lifts, ("marked", lifts))
        found = found or self._share(lambda _: True, "any")
        if found is None:
            return None
        key, share, weight = found
        marks = 0 if weight.marks and self.random.random() < 0.8 else self.random.choice([16, 32, 48, 16, 0, 64])
        message = {"assetId": key, "holder": share.holder, "marks": marks, "orderDigest": self._digest()}
        message["registrar"] = self._registrar(share.holder)
        return [self._part("EncumberShare", message | self._now_of(weight))]

    def _share(self, fits: Callable[[Encumbrance], bool], name: Any) -> tuple[str, Share, Encumbrance] | None:
        """A share of a confirmed asset, mostly one that holds something and whose encumbrance fits, often where new
        holders hardly fit. `name`: of what fits."""
        crowded = self._once("crowded", self._crowded)
        only = crowded if crowded and self.random.random() < 0.5 else None
        places = self._once(("places", only), lambda: self._places(only))
        fitting = self._once(("fitting", only, name), lambda: [p for p in places if p[1].bps and fits(p[2])])
        found = fitting if fitting and self.random.random() < 0.95 else places
        return self._pick(found) if found else None

    def _crowded(self) -> str | None:
        """The confirmed asset with the most payees, if any is confirmed."""
        assets = self.state.rights.assets
        confirmed = [key for key, asset in assets.items() if asset.status is AssetStatus.CONFIRMED]
        return max(confirmed, key=lambda key: len(list(assets[key].payees())), default=None)

    def _places(self, only: str | None) -> list[tuple[str, Share, Encumbrance]]:
        """Every share of the confirmed assets, or of one of them, with what weighs on it."""
        return [
            (key, share, asset.encumbrance_of(share.holder))
            for key, asset in self.state.rights.assets.items()
            if asset.status is AssetStatus.CONFIRMED and only in (None, key)
            for share in asset.shares
        ]

    def mark(self) -> list[Part] | None:
        status = self.random.choice([AssetStatus.CONFIRMED, AssetStatus.SUSPENDED, AssetStatus.SUSPENDED])
        asset_key = self._choose(self.state.rights.assets, status)
        if asset_key is None:
            return None
        asset = self.state.rights.assets[asset_key]
        usual = AssetStatus.CONFIRMED if asset.status is AssetStatus.SUSPENDED else AssetStatus.SUSPENDED
        strays = self.random.random() < 0.1  # to where a case alone leads
        message = {
            "assetId": asset_key,
            "status": int(AssetStatus.REVOKED if strays else usual),
            "reasonDigest": self._digest(),
            "registrar": self._registrar(asset.registrant),
            "version": asset.version,
            "deadline": self._deadline(),
        }
        return [self._part("Mark", message)]

    def list_asset(self) -> list[Part] | None:
        asset_key = self._choose(self.state.rights.assets, AssetStatus.CONFIRMED)
        if asset_key is None:
            return None
        asset_key = self._rather_product(asset_key)
        asset = self.state.rights.assets[asset_key]
        title_key = self._operate_title(asset_key)
        title = self.state.titles.records.get(title_key)
        seller = title.holder if title and self.random.random() < 0.9 else asset.registrant
        terms = self._digest()
        message = {
            "listingId": listing_id(seller, asset_key, terms),
            "assetId": asset_key,
            "titleId": title_key,
            "seller": seller,
            "termsDigest": terms,
            **self._scope(title),
            "price": self.random.choice([0, 1, 100]) + self._at_times(MAX_SUPPLY + 1, 50),
            "currency": self._priced_in(),
            "validUntil": self._end(asset_key, title, self._term(30 * DAY, 10**9)) + (self.random.random() < 0.1),
            "deadline": self._deadline(),
        }
        return [self._part("List", message)]

    def delist(self) -> list[Part] | None:
        listing = self._choose(self.state.listings.records, ListingStatus.LISTED)
        if listing is None:
            return None
        record = self.state.listings.records[listing]
        message = {
            "listingId": listing,
            "seller": record.seller,
            "version": record.version,
            "deadline": self._deadline(),
        }
        return [self._part("Delist", message)]

    def issue(self) -> list[Part] | None:
        part = self._payment(self._pick(TRADERS), self.random.choice([1, 500, 2**52, 10_000]))
        if self.random.random() < 0.2:
            part = replace(part, message=part.message | {"ref": min(self._token.accounts.refs)})
        return [part]

    def redeem(self) -> list[Part] | None:
        account, payout = self._pick(TRADERS), self._digest()
        message = {
            "redemptionId": redemption_id(account, self._money.number, payout),
            "account": account,
            "amount": self._around(min(self._token.accounts.balance(account), 5_000)),
            "currency": self._money.number,
            "payoutDigest": payout,
            "bank": ADDRESSES["bank"],
            "payBy": self.now + self._term(2 * DAY, 10 * DAY, 89 * DAY),
            "deadline": self._deadline(),
        }
        return [self._part("Redeem", message)]

    def pay_redemption(self) -> list[Part] | None:
        name = self._choose(self._token.redemptions.records, RedemptionStatus.LOCKED)
        if name is None:
            return None
        used = sorted(self._token.accounts.refs)
        ref = self._pick(used) if self.random.random() < 0.1 else self._digest()
        message = {"redemptionId": name, "currency": self._money.number, "ref": ref, "bank": ADDRESSES["bank"]}
        message |= {"deadline": self._deadline()}
        return [self._part("PayRedemption", message)]

    def reject_redemption(self) -> list[Part] | None:
        name = self._choose(self._token.redemptions.records, RedemptionStatus.LOCKED)
        if name is None:
            return None
        message = {"redemptionId": name, "currency": self._money.number, "reasonDigest": self._digest()}
        return [self._part("RejectRedemption", message | {"bank": ADDRESSES["bank"], "deadline": self._deadline()})]

    def expire_redemption(self) -> list[Any] | None:
        name = self._choose(self._token.redemptions.records, RedemptionStatus.LOCKED)
        return None if name is None else [name]

    def fund(self) -> list[Part] | None:
        listing = self._choose(self.state.listings.records, ListingStatus.LISTED)
        records = self.state.listings.records
        offers = self.state.deliveries.offers
        terms = (DAY, 10 * DAY, 10**9) if offers else (DAY, 10**9)
        offered = self._once("offered", lambda: [key for key in offers if self.now < records[key].valid_until])
        if offered and self.random.random() < 0.5:
            listing = self._pick(offered)
        of_products = self._once("listed products", self._open_listings_of_products) if self.derives else []
        if of_products and self.random.random() < 0.9:
            listing = self._pick(of_products)
        if listing is None:
            return None
        record = self.state.listings.records[listing]
        buyer, agreement = self._buyer_from(record.seller), self._digest()
        left = self.state.rights.assets[record.asset_id].budget_left
        message = {
            "orderId": order_id(buyer, listing, agreement),
            "listingId": listing,
            "buyer": buyer,
            "escrow": self._escrow(record.price),
            "currency": record.currency,
            "epsilonCap": 1 if offered else self.random.choice([1, 1000, max(left // 2, 1), left, left + 1]),
            "validUntil": min(record.valid_until, self.now + self._term(*terms)),
            "agreementDigest": agreement,
            "agreementId": self._cited(record.seller, buyer),
            "deadline": self._deadline(),
        }
        return [self._part("Fund", message)]

    def agree(self) -> list[Part] | None:
        party_a, party_b = self.random.sample(TRADERS, 2)
        return [self._part("Agree", self._deal(party_a, party_b))]

    def amend(self) -> list[Part] | None:
        return self._about_agreement(
            lambda key, one, other: ("AmendAgreement", {"previousId": key} | self._deal(one, other))
        )

    def retire(self) -> list[Part] | None:
        end = {"deadline": self._deadline()}
        return self._about_agreement(
            lambda key, one, other: ("RetireAgreement", {"agreementId": key, "partyA": one, "partyB": other} | end)
        )

    def _about_agreement(self, make: Callable[[str, str, str], tuple[str, Message]]) -> list[Part] | None:
        key = self._choose(self.state.agreements.records, AgreementStatus.SIGNED)
        if key is None:
            return None
        record = self.state.agreements.records[key]
        sides = (record.party_a, record.party_b)
        one, other = sides if self.random.random() < 0.9 else sides[::-1]
        return [self._part(*make(key, one, other))]

    def _deal(self, party_a: str, party_b: str) -> Message:
        digest = self._digest()
        return {
            "agreementId": agreement_id(party_a, party_b, digest),
            "partyA": party_a,
            "partyB": party_b,
            "agreementDigest": digest,
            "validUntil": self.now + self._term(10 * DAY, 10**9) + self._at_times(LAST_MOMENT, 64),
            "deadline": self._deadline(),
        }

    def _buyer_from(self, seller: str) -> str:
        """Anybody, or one who has an agreement with the seller."""
        partners = self._once(("partners", seller), lambda: self._partners(seller))
        return str(self._pick(partners if partners and self.random.random() < 0.4 else TRADERS))

    def _partners(self, seller: str) -> list[str]:
        """Who has agreements with the seller, once for each."""
        known = [{item.party_a, item.party_b} - {seller} for item in self.state.agreements.records.values()]
        return [one for sides in known if len(sides) == 1 for one in sides]

    def _cited(self, seller: str, buyer: str) -> str:
        """An agreement for an order to cite: none, mostly; else one of these two, now and then of others."""
        records, sides = self.state.agreements.records, {seller, buyer}
        theirs = self._once(
            ("agreements", *sorted(sides)),
            lambda: [key for key, item in records.items() if {item.party_a, item.party_b} == sides],
        )
        if theirs and self.random.random() < 0.9:
            return str(self._pick(theirs))
        return str(self._pick(list(records))) if records and self.random.random() < 0.1 else ZERO_DIGEST

    def settle(self) -> list[Part] | None:
        drawn = self._last_voucher()
        if drawn is None:
            return None
        voucher, closing, buyer = drawn
        return [Part("Voucher", voucher, (buyer,)), self._part("Close", closing)]

    def clear(self) -> list[Part] | None:
        drawn, batch = self._last_voucher(), self._batch(BatchStatus.OPEN)
        if drawn is None or batch is None:
            return None
        voucher, closing, buyer = drawn
        return [Part("Voucher", voucher, (buyer,)), self._part("Clear", closing | {"batchId": batch})]

    def _unclaimable(self) -> str | None:
        """A funded order that its term or its delivery keeps from being claimed."""
        over = self._once("due", self._due)
        delivered = self._once("funded deliveries", self._funded_deliveries)
        either = over if over and self.random.random() < 0.6 else delivered
        return str(self._pick(either)) if either else None

    def _due(self) -> list[str]:
        """Funded orders whose term is over."""
        funded = self.state.orders.records.items()
        return [key for key, order in funded if order.status is OrderStatus.FUNDED and order.valid_until < self.now]

    def _funded_deliveries(self) -> list[str]:
        """Funded orders that have a delivery."""
        orders, delivered = self.state.orders.records, self.state.deliveries.records
        return [key for key, order in orders.items() if order.status is OrderStatus.FUNDED and key in delivered]

    def _last_voucher(self, wanted: str | None = None) -> tuple[Message, Message, str] | None:
        order_key = wanted or self._order_to_end()
        if order_key is None:
            return None
        order = self.state.orders.records[order_key]
        voucher = {
            "orderId": order_key,
            "amount": self._around(order.escrow),
            "epsilon": self._around(order.epsilon_cap),
            "calls": self.random.randint(0, 1000),
            "callsRoot": self._digest(),
        }
        closing = {
            "orderId": order_key,
            "voucherHash": to_hex(struct_hash("Voucher", voucher)),
            "seller": self._pick([*[self.state.listings.records[order.listing_id].seller] * 6, *TRADERS[:1]]),
            "deadline": self._deadline(),
        }
        return voucher, closing, order.buyer

    def _order_to_end(self) -> str | None:
        order_key = self._choose(self.state.orders.records, OrderStatus.FUNDED)
        if self.claims and self.random.random() < 0.3:
            order_key = self._choose(self.state.orders.records, OrderStatus.CLAIMED)
        if order_key is None or (order_key in self.state.deliveries.records and self.random.random() < 0.8):
            return None  # a delivery is mostly left to its own end
        return order_key

    def claim(self) -> list[Part] | None:
        """By buyer or seller, now and then by a stranger; now and then after the term, or of a delivery."""
        drawn = self._last_voucher(self._unclaimable() if self.random.random() < 0.4 else None)
        if drawn is None:
            return None
        voucher, closing, buyer = drawn
        wish = {name: closing[name] for name in ("orderId", "voucherHash", "deadline")}
        voucher_part = Part("Voucher", voucher, (buyer,))
        return [
            voucher_part,
            self._part("Claim", wish | {"by": self._pick([buyer, buyer, closing["seller"], *TRADERS[:1]])}),
        ]

    def challenge(self) -> list[Part] | None:
        """By a voucher that is a little higher than what stands, or lower, or as high, in one figure or several."""
        key = self._claimed(over=self.random.random() < 0.15)
        slept = self._once("due", self._due)
        if slept and self.random.random() < 0.5:
            key = self._pick(slept)
        if key is None:
            return None
        order, window = self.state.orders.records[key], self.state.orders.windows.get(key)
        at = (window.amount, window.epsilon, window.calls) if window else (0, 0, 0)
        amount, epsilon, calls = (min(max(value + self._pick([0, 0, 1, 50, -1]), 0), 2**32 - 1) for value in at)
        root = ZERO_DIGEST if self.random.random() < 0.1 else self._digest()
        voucher = {"orderId": key, "amount": amount, "epsilon": epsilon, "calls": calls, "callsRoot": root}
        return [Part("Voucher", voucher, (order.buyer,))]

    def finish(self) -> list[Any] | None:
        key = self._claimed(over=True)
        return None if key is None else [key]

    def _claimed(self, *, over: bool) -> str | None:
        """Mostly a claimed order whose window is over, or is not; now and then any."""
        orders = self.state.orders
        claimed = self._with_status(orders.records, OrderStatus.CLAIMED)
        fit = [key for key in claimed if (orders.windows[key].until < self.now) is over]
        if fit and self.random.random() < 0.8:
            return str(self._pick(fit))
        return self._choose(orders.records, OrderStatus.CLAIMED)

    def refund(self) -> list[Any] | None:
        due, orders = self._once("due", self._due), self.state.orders.records
        if self.claims:  # what a delivery has is not refunded either
            over = [key for key in due if orders[key].valid_until + GRACE < self.now]
            due = [key for key in over if key not in self.state.deliveries.records]
        if due and self.random.random() < (0.3 if self.claims else 0.7):
            return [self._pick(due)]
        chosen = OrderStatus.CLAIMED if self.claims else OrderStatus.FUNDED  # which is what a refund must not overtake
        order_key = self._choose(self.state.orders.records, chosen)
        return None if order_key is None else [order_key]

    def declare(self) -> list[Part] | None:
        """Of an asset that waits for its confirmation, out of confirmed ones, its own and others'."""
        assets, trees = self.state.rights.assets, self.state.lineage.trees
        waiting = [key for key in self._with_status(assets, AssetStatus.REGISTERED) if key not in trees]
        confirmed = self._with_status(assets, AssetStatus.CONFIRMED)
        if self.random.random() < 0.05:
            waiting = list(assets)  # again, or too late
        if not waiting or not confirmed:
            return None
        cases, record_of = self.state.registrations.cases, self.state.registrations.record_of
        soon = [key for key in waiting if (case := cases.get(record_of(key).latest_case)) and is_deposited(case)]
        key = self._pick(soon if soon and self.random.random() < 0.9 else waiting)
        deep = self._once("deep", lambda: sorted(confirmed, key=lambda name: -self.state.lineage.tree(name).depth))
        among = deep[:4] if self.random.random() < 0.5 else confirmed
        inputs = self.random.sample(among, min(len(among), self._pick([1, 1, 2, 2, 3, 5, 9])))
        message = {
            "assetId": key,
            "holder": self._mostly(assets[key].registrant),
            "inputs": inputs,
            "titles": [self._deriving(name, assets[key].registrant) for name in inputs],
            "bps": [self._pick([0, 1, 500, 1234, 3333, 10_000 // len(inputs)]) for _ in inputs],
            "agreementDigest": self._digest(),
            "deadline": self._deadline(),
        }
        return [self._part("DeclareLineage", message)]

    def _deriving(self, input_id: str, holder: str) -> str:
        """A title that lets `holder` derive, if it has one; now and then any, or none."""
        records = self.state.titles.records
        fit = [k for k in self._titles_of(input_id) if records[k].holder == holder]
        fit = [k for k in fit if TitleMark.MAY_DERIVE in records[k].marks and records[k].kind is not TitleKind.HOLD]
        if self.random.random() < 0.05:
            fit = self._titles_of(input_id)
        return str(self._pick(fit)) if fit and self.random.random() < 0.9 else ZERO_DIGEST

    def consent(self) -> list[Part] | None:
        found = [
            (key, item)
            for key, tree in self.state.lineage.trees.items()
            for item in tree.inputs
            if item.needs_consent or self.random.random() < 0.05
        ]
        lacking = [(key, item) for key, item in found if not self._consented(key, item.asset_id)]
        if not found:
            return None
        key, item = self._pick(lacking if lacking and self.random.random() < 0.8 else found)
        known = self.state.lineage.consents.get((key, item.asset_id))
        title_key = self._operate_title(item.asset_id)
        title = self.state.titles.records.get(title_key)
        message = {
            "assetId": key,
            "inputId": item.asset_id,
            "titleId": title_key,
            "holder": self._mostly(title.holder if title else self.state.rights.assets[item.asset_id].registrant),
            "bps": item.bps,
            "validUntil": self.now + self._term(DAY, 10**10, 10**10) + self._at_times(LAST_MOMENT, 32),
            "version": known.version if known else 0,
            "deadline": self._deadline(),
        }
        return [self._part("GiveConsent", message)]

    def _consented(self, asset_key: str, input_id: str) -> bool:
        known = self.state.lineage.consents.get((asset_key, input_id))
        return known is not None and known.status is ConsentStatus.GIVEN

    def withdraw(self) -> list[Part] | None:
        consents = self.state.lineage.consents
        fit = [key for key in consents if self._consented(*key)]
        fit = list(consents) if self.random.random() < 0.1 else fit
        if not fit or self.random.random() < 0.85:
            return None
        asset_key, input_id = self._pick(fit)
        record = consents[asset_key, input_id]
        message = {"assetId": asset_key, "inputId": input_id, "holder": self._mostly(record.by)}
        return [self._part("WithdrawConsent", message | {"version": record.version, "deadline": self._deadline()})]

    def _products(self) -> list[str]:
        return self._once("products", self._find_products)

    def _find_products(self) -> list[str]:
        """Confirmed assets that have inputs, and every consent of its own."""
        assets, trees = self.state.rights.assets, self.state.lineage.trees
        return [
            key
            for key, tree in trees.items()
            if tree.inputs and assets[key].status is AssetStatus.CONFIRMED
            if all(self._consented(key, item.asset_id) for item in tree.inputs if item.needs_consent)
        ]

    def _open_listings_of_products(self) -> list[str]:
        products = set(self._products())
        return [
            key
            for key, item in self.state.listings.records.items()
            if item.asset_id in products and item.status is ListingStatus.LISTED and self.now < item.valid_until
        ]

    def _rather_product(self, asset_key: str) -> str:
        """A product mostly, in a history of products that has some; else the asset."""
        if not self.derives or not self._products() or self.random.random() < 0.1:
            return asset_key
        return str(self._pick(self._products()))

    def offer(self) -> list[Part] | None:
        """Under a listing that has none yet."""
        offers = self.state.deliveries.offers
        listings = self.state.listings.records
        listed = self._with_status(listings, ListingStatus.LISTED)
        fit = [key for key in listed if self.now < listings[key].valid_until and key not in offers]
        if self.random.random() < 0.05:
            fit = list(offers)  # again
        if not fit:
            return None
        key = self._pick(fit)
        message = {
            "listingId": key,
            "seller": self._mostly(self.state.listings.records[key].seller),
            "amount": self.random.choice([0, 0, 1, 10, 1000]) + self._at_times(MAX_SUPPLY + 1, 32),
            "deliverWithin": self._term(3600, DAY, DAY),
            "inspection": self._term(60, 3600, DAY),
            "correction": self._pick([0, DAY, DAY]),
            "corrections": self._pick([0, 1, 2]) + self._at_times(MOST_CORRECTIONS, 12),
            "marks": self._pick([0, 1, 2, 3, 3, 3]),
            "deadline": self._deadline(),
        }
        return [self._part("OfferDelivery", message)]

    def arrange(self) -> list[Part] | None:
        orders, deliveries = self.state.orders.records, self.state.deliveries
        funded = self._with_status(orders, OrderStatus.FUNDED)
        fit = [key for key in funded if orders[key].listing_id in deliveries.offers and key not in deliveries.records]
        key = self._pick(fit) if fit and self.random.random() < 0.95 else self._choose(orders, OrderStatus.FUNDED)
        if key is None:
            return None
        sealed_to = self._digest()
        sealed_to = ZERO_DIGEST if self.forgets_keys and sealed_to.endswith("0") else sealed_to  # one of sixteen
        message = {"orderId": key, "receiveKey": sealed_to, "buyer": self._mostly(orders[key].buyer)}
        return [self._part("Arrange", message | {"deadline": self._deadline()})]

    def deliver(self) -> list[Part] | None:
        key = self._delivery("deliver")
        if key is None:
            return None
        record = self.state.deliveries.records[key]
        seller = self.state.listings.records[self.state.orders.records[key].listing_id].seller
        message = {"orderId": key, "seller": self._mostly(seller), "round": record.rounds + 1}
        message |= {name: self._digest() for name in ("ciphertextDigest", "fingerprintId", "plaintextCommitment")}
        return [self._part("Deliver", message | {"deadline": self._deadline()})]

    def acknowledge(self) -> list[Part] | None:
        return self._about_delivery("acknowledge", "Acknowledge")

    def accept(self) -> list[Part] | None:
        return self._about_delivery("accept", "AcceptDelivery")

    def object_to(self) -> list[Part] | None:
        return self._about_delivery("object", "ObjectToDelivery", defectsDigest=self._digest())

    def _about_delivery(self, verb: str, intent: str, **more: str) -> list[Part] | None:
        key = self._delivery(verb)
        if key is None:
            return None
        note = self.state.deliveries.records[key].note_hash
        message: Message = {"orderId": key, "noteHash": note, **more}
        message |= {"buyer": self._mostly(self.state.orders.records[key].buyer), "deadline": self._deadline()}
        return [self._part(intent, message)]

    def deem(self) -> list[Any] | None:
        offers, orders = self.state.deliveries.offers, self.state.orders.records
        key = self._delivery("deem")
        loud = [
            name
            for name, item in self.state.deliveries.records.items()
            if item.status in DELIVERY_STATES["deem"]
            and orders[name].status is OrderStatus.FUNDED
            and not offers[orders[name].listing_id].marks & 1
        ]
        if loud and self._at_times(1, 3):
            return loud[:1]
        for _ in range(3):  # mostly one whose terms let silence accept
            if key is not None and not offers[orders[key].listing_id].marks & 1:
                key = self._delivery("deem")
        return None if key is None else [key]

    def lapse(self) -> list[Any] | None:
        key = self._delivery("lapse")
        return None if key is None else [key]

    def _delivery(self, verb: str) -> str | None:
        """Mostly one that `verb` leads on from and whose order is funded; now and then any."""
        records, orders = self.state.deliveries.records, self.state.orders.records
        goes_on = [key for key, item in records.items() if item.status in DELIVERY_STATES[verb]]
        fit = [key for key in goes_on if orders[key].status is OrderStatus.FUNDED]
        late = verb in ("deem", "lapse")
        due = [key for key in fit if (records[key].due_at < self.now) is late]
        fit = due if due and self.random.random() < 0.8 else fit
        candidates = list(records) if self.random.random() < 0.05 else fit
        return str(self._pick(candidates)) if candidates else None

    def anchor(self) -> list[Part] | None:
        anchors = self.state.anchors
        message = {
            "size": min(anchors.size + self.random.randint(1, 1000), 2**48 - 1),
            "root": self._digest(),
            "previousRoot": anchors.root,
            "exchange": ADDRESSES["exchange"],
            "deadline": self._deadline(),
        }
        return [self._part("Anchor", message)]

    def open_batch(self) -> list[Part] | None:
        exchange, number = ADDRESSES["exchange"], self.random.choice([len(self.state.batches.records), 2**48 - 1])
        message = {"batchId": batch_id(exchange, number), "exchange": exchange, "number": number}
        message |= {"currency": self._priced_in()}
        message |= {"closeBy": self.now + self.random.choice([-1, 0, 1, DAY, 30 * DAY, 30 * DAY + 1])}
        return [self._part("OpenBatch", message | {"deadline": self._deadline()})]

    def owe(self) -> list[Part] | None:
        batch = self._batch(BatchStatus.OPEN)
        if batch is None:
            return None
        dropped = [debt for debt in self.state.batches.debts.values() if debt.status is DebtStatus.DROPPED]
        debtor = self._pick(TRADERS)
        creditor = debtor if self.random.random() < 0.05 else self._pick(TRADERS)
        if dropped and self.random.random() < 0.5:
            debtor, creditor = dropped[0].debtor, dropped[0].creditor
        known = list(self.state.batches.debts.values())
        if known and self.random.random() < 0.2:
            debtor, creditor = known[-1].debtor, known[-1].creditor
        reference = self.random.choice([self._digest(), "0x" + "01" * 32, "0x" + "01" * 32])
        message = {
            "debtId": debt_id(debtor, creditor, reference),
            "batchId": batch,
            "debtor": debtor,
            "creditor": creditor,
            "amount": self.random.choice([1, 700, 900_000, 2_000_000, 2**52 - 1]),
            "currency": self.state.batches.records[batch].currency,
            "ref": reference,
            "deadline": self._deadline(),
        }
        return [self._part("Owe", message)]

    def close_batch(self) -> list[Part] | None:
        batch = self._batch(BatchStatus.OPEN)
        if batch is None:
            return None
        message = {
            "batchId": batch,
            "legs": self.state.batches.records[batch].legs,
            "payBy": self.now + self.random.choice([-1, 0, 1, DAY, DAY]),
            "exchange": ADDRESSES["exchange"],
            "deadline": self._deadline(),
        }
        return [self._part("CloseBatch", message)]

    def close_overdue(self) -> list[Any] | None:
        batch = self._batch(BatchStatus.OPEN)
        return None if batch is None else [batch]

    def confirm_overdue(self) -> list[Any] | None:
        batch = self._batch(BatchStatus.CLOSED)
        return None if batch is None else [batch]

    def collect(self) -> list[Any] | None:
        drawn = self._party(BatchStatus.CLOSED, lambda record: record.uncovered)
        if drawn is None:
            return None
        position = self.state.batches.records[drawn[0]].positions.get(drawn[1], Position())
        return [*drawn, position.collected + self._around(position.needed, exact=0.9)]

    def drop(self) -> list[Any] | None:
        drawn = self._party(BatchStatus.CLOSED, lambda record: record.uncovered)
        if drawn is None:
            return None
        latest = self.state.batches.records[drawn[0]].latest(drawn[1])
        anyone = [*self.state.batches.debts, self._digest()]
        return [drawn[0], latest if self.random.random() < 0.9 else self._pick(anyone)]

    def pay(self) -> list[Any] | None:
        return self._party(BatchStatus.CONFIRMED, lambda record: record.unpaid)

    def confirm_batch(self) -> list[Part] | None:
        batch = self._batch(BatchStatus.CLOSED)
        if batch is None:
            return None
        payouts = {party: position.net for party, position in self.state.batches.records[batch].positions.items()}
        message = {
            "batchId": batch,
            "payoutsDigest": payouts_digest(payouts) if min(payouts.values(), default=0) >= 0 else self._digest(),
            "exchange": ADDRESSES["exchange"],
            "deadline": self._deadline(),
        }
        return [self._part("ConfirmBatch", message)]

    def _batch(self, status: BatchStatus) -> str | None:
        return self._choose(self.state.batches.records, status)

    def _party(self, status: BatchStatus, wanted: Callable[[Batch], list[str]]) -> list[Any] | None:
        """A batch and one of the parties for whom something is to do; now and then anybody."""
        batch = self._batch(status)
        if batch is None:
            return None
        usual = wanted(self.state.batches.records[batch])
        return [batch, self._pick(usual if usual and self.random.random() < 0.9 else TRADERS)]

    def add_key(self) -> list[Part] | None:
        account = self._keyed_account()
        acts = self.random.choice([ALL_ACTS, *Act, Act.ORDERS | Act.QUERIES, ALL_ACTS & ~Act.ADMINISTER])
        ends = not acts & Act.ADMINISTER and self.random.random() < 0.5
        message = {
            "account": account,
            "key": self._new_key(),
            "acts": int(acts),
            "limit": self.random.choice([NO_LIMIT, NO_LIMIT, 0, 1, 100, 10_000]),
            "validUntil": self.now + self._term(DAY, 10 * DAY) if ends else NO_LIMIT,
            "personDigest": self._digest(),
            "by": self._live_key(account, Act.ADMINISTER),
            "version": self._ring(account),
            "deadline": self._deadline(),
        }
        return [self._part("AddKey", message)]

    def end_key(self) -> list[Part] | None:
        account = self._keyed_account()
        message = {
            "account": account,
            "key": self._pick(self._keys(account)),
            "reasonDigest": self._digest(),
            "by": self._live_key(account, Act.ADMINISTER),
            "version": self._ring(account),
            "deadline": self._deadline(),
        }
        return [self._part("EndKey", message)]

    def rotate_key(self) -> list[Part] | None:
        account = self._keyed_account()
        message = {
            "account": account,
            "oldKey": self._live_key(account, Act(0)),
            "newKey": self._new_key(),
            "version": self._ring(account),
            "deadline": self._deadline(),
        }
        return [self._part("RotateKey", message)]

    def set_guardians(self) -> list[Part] | None:
        account = self._keyed_account()
        members = self.random.sample(sorted(KEY_OF), self.random.choice([0, 1, 2, 3, 3, 9]))
        message = {
            "account": account,
            "guardians": [member for member in members if member != account or self.random.random() < 0.1],
            "threshold": min(len(members), self.random.choice([1, 1, 2, 3])),
            "delay": self.random.choice([DAY, DAY, 3 * DAY, 3 * DAY, 40 * DAY]),
            "by": self._live_key(account, Act.ADMINISTER),
            "version": self._ring(account),
            "deadline": self._deadline(),
        }
        return [self._part("SetGuardians", message)]

    def recover_account(self) -> list[Part] | None:
        """Mostly another approval of a recovery that is proposed; or a new one, by a guardian or the registrar."""
        ring = self.state.participants.keys
        proposed = [r for r in ring.recoveries.values() if r.status is RecoveryStatus.PROPOSED]
        if proposed and self.random.random() < 0.7:
            record = self._pick(proposed)
            account, new_key, members = record.account, record.new_key, record.guardians
        else:
            account, new_key = self._keyed_account(), self._new_key()
            guarded = [name for name, named in ring.guardians.items() if named.members]
            account = self._pick(guarded) if guarded and self.random.random() < 0.7 else account
            members = ring.guardians[account].members if account in ring.guardians else frozenset()
        by = self._pick(sorted(members)) if members and self.random.random() < 0.8 else self._registrar(account)
        message = {
            "account": account,
            "newKey": new_key,
            "reasonDigest": self._digest(),
            "by": account if self.random.random() < 0.03 else by,
            "version": self._ring(account),
            "deadline": self._deadline(),
        }
        return [self._part("Recover", message)]

    def veto(self) -> list[Part] | None:
        name = self._recovery(RecoveryStatus.NOTICE, RecoveryStatus.PROPOSED)
        if name is None:
            return None
        account = self.state.participants.keys.recoveries[name].account
        by = self._live_key(account, Act.ADMINISTER)
        return [self._part("Veto", {"recoveryId": name, "account": account, "by": by, "deadline": self._deadline()})]

    def complete_recovery(self) -> list[Any] | None:
        name = self._recovery(RecoveryStatus.NOTICE)
        return None if name is None else [name]

    # -- pieces of titles ----------------------------------------------------------------------------------------

    def _title(self, fits: Callable[[Title], bool], name: str = "") -> str | None:
        """A title that is no order's and that fits. `name`: of what fits, where nothing is drawn to say so."""

        def look() -> list[str]:
            return [key for key, title in self.state.titles.records.items() if title.number and fits(title)]

        keys = self._once(("title", name), look) if name else look()
        return self._pick(keys) if keys else None

    def _pledged(self) -> tuple[str, Title, str] | None:
        key = self._title(lambda title: TitleMark.PLEDGED in title.marks, "pledged")
        key = key if key and self.random.random() < 0.95 else self._title(lambda _: True, "any")
        if key is None:
            return None
        pledge = self.state.titles.pledges.get(key)
        return key, self.state.titles.records[key], pledge.pledgee if pledge else self._pick(TRADERS)

    def _is_due(self, act: Message) -> bool:
        title = self.state.titles.records[act["titleId"]]
        return bool(title.version == act["version"] and TitleMark.PLEDGED in title.marks)

    def _operate_title(self, asset_key: str) -> str:
        """Mostly a root, sometimes a part that was granted."""
        records = self.state.titles.records
        titles = [(key, records[key]) for key in self._titles_of(asset_key)]
        parts = [key for key, title in titles if title.kind is TitleKind.OPERATE and title.parent is not None]
        return self._pick(parts) if parts and self.random.random() < 0.3 else title_id(asset_key, TitleKind.OPERATE)

    def _titles_of(self, asset_key: str) -> list[str]:
        """An asset's titles, in the order of their granting."""
        return self._once("titles by asset", self._titles_by_asset).get(asset_key, [])

    def _titles_by_asset(self) -> dict[str, list[str]]:
        by_asset: dict[str, list[str]] = {}
        for key, title in self.state.titles.records.items():
            by_asset.setdefault(title.asset_id, []).append(key)
        return by_asset

    def _scope(self, title: Title | None) -> Message:
        """Some of what a title covers, now and then more; few bits, so that cells meet."""
        purposes = self.random.choice([1, 2, 3, 7])
        fields, territories = self.random.choice([1, 3, 6]), self.random.choice([1, 2, 3])
        if title is not None and self.random.random() < 0.9:
            purposes = purposes & title.purposes or title.purposes
            fields = fields & int(title.fields, 16) or int(title.fields, 16)
            territories = territories & title.territories or title.territories
        return {"purposes": purposes, "fields": f"0x{fields:064x}", "territories": territories}

    def _end(self, asset_key: str, title: Title | None, term: int) -> int:
        asset = self.state.rights.assets.get(asset_key)
        latest = asset.valid_until if asset else self.now + DAY
        if title is not None and title.parent is not None:
            latest = title.valid_until
        return min(latest, self.now + term)

    def _now_of(self, record: Title | Encumbrance) -> Message:
        return {"version": record.version, "deadline": self._deadline()}

    # -- pieces --------------------------------------------------------------------------------------------------

    def _admission(self, account: str, version: int) -> list[Part]:
        join = {
            "account": account,
            "roles": ROLES_OF[account],
            "identityDigest": self._digest(),
            "deadline": self._deadline(),
        }
        admission = {
            **join,
            "version": version,
            "registrar": self._registrar(account),
            "deadline": self._deadline(),
        }
        return [self._part("Join", join), self._part("Admit", admission)]

    def _payment(self, account: str, amount: int) -> Part:
        message = {
            "account": account,
            "amount": amount,
            "currency": self._money.number,
            "ref": self._reference(),
            "bank": ADDRESSES["bank"],
            "deadline": self._deadline(),
        }
        return self._part("Issue", message)

    @property
    def _money(self) -> Currency:
        return self._token.accounts.currency

    def _priced_in(self) -> int:
        """A currency of the market; where it has several, now and then none of it."""
        strange = len(self.state.tokens) > 1 and self._currencies.random() < 0.15
        return self._currencies.choice([0, 392, 65_535]) if strange else self._money.number

    def _keyed_account(self) -> str:
        """Often one of a few accounts, so that their keys have a history."""
        return str(self._pick(sorted(KEY_OF)[:4] if self.random.random() < 0.6 else sorted(KEY_OF)))

    def _new_key(self) -> str:
        """A fresh address; now and then one that cannot be a new key."""
        if self.random.random() < 0.05:
            return str(self._pick(sorted(self.secrets)))
        key = self.random.randbytes(32)
        address = typed_data.address_of(key)
        self.secrets[address] = key
        return address

    def _keys(self, account: str) -> list[str]:
        """Every address that is or was a key of the account."""
        return [account, *(key for owner, key in self.state.participants.keys.held if owner == account)]

    def _live_key(self, account: str, act: Act) -> str:
        """Mostly a live key that is permitted `act`; now and then any."""
        ring = self.state.participants.keys
        live = [key for key in self._keys(account) if ring.key_of(account, key).is_live(self.now)]
        fit = [key for key in live if ring.key_of(account, key).acts & act == act]
        fitting = bool(fit) and (self.careful or self.random.random() < 0.95)
        return str(self._pick(fit if fitting else self._keys(account)))

    def _ring(self, account: str) -> int:
        return int(self.state.participants.keys.ring(account).version)

    def _recovery(self, *statuses: RecoveryStatus) -> str | None:
        recoveries = self.state.participants.keys.recoveries
        fitting = [name for name, record in recoveries.items() if record.status in statuses]
        candidates = list(recoveries) if self.random.random() < 0.1 else fitting
        return str(self._pick(candidates)) if candidates else None

    def _registrar(self, account: str) -> str:
        name = "second registrar" if account == ADDRESSES["registrar"] else "registrar"
        return ADDRESSES[name]

    def _part(self, intent: str, message: Message) -> Part:
        return Part(intent, message, tuple(message[name] for name in INTENTS[intent].signers))

    def _choose(self, records: Mapping[str, Any], status: int) -> str | None:
        """Mostly a record of this status, now and then any."""
        fitting = self._with_status(records, status)
        candidates = list(records) if self.random.random() < 0.1 else fitting
        return self._pick(candidates) if candidates else None

    def _with_status(self, records: Mapping[str, Any], status: int) -> list[str]:
        return self._once(
            (id(records), status), lambda: [key for key, record in records.items() if record.status == status]
        )

    def _pick(self, candidates: list[Any]) -> Any:
        return self.random.choice(candidates)

    def _mostly(self, account: str) -> str:
        """This account, now and then another."""
        return account if self.random.random() < 0.9 else self._pick(TRADERS)

    def _digest(self) -> str:
        return to_hex(self.random.randbytes(32))

    def _around(self, limit: int, exact: float = 0.0) -> int:
        """Up to `limit`, or just it with a chance of `exact`; now and then just beyond."""
        if self.random.random() < exact:
            return limit
        return limit + 1 if self.random.random() < 0.12 else self.random.randint(0, limit)

    def _reference(self) -> str:
        """A payment's; now and then one that was used."""
        used = [call.arguments[0]["ref"] for call in self.made if call.verb == "issue"]
        return str(self._pick(used)) if used and self.random.random() < 0.1 else self._digest()

    def _escrow(self, price: int) -> int:
        """For some questions; now and then for not even one."""
        if self.random.random() < 0.05:
            return max(price - 1, 0)
        return int(min(price * self.random.randint(1, 30) + self.random.randint(0, 50), 2**96 - 1))

    def _term(self, *usual: int) -> int:
        return 1 if self.random.random() < 0.05 else self.random.choice(usual)

    def _at_times(self, value: int, one_in: int) -> int:
        """`value` once in so many seconds, else 0: by the clock, so that nothing is drawn for it.

        Not in histories of claims, whose course is narrow.
        """
        return 0 if self.claims or not self.oversteps or self.now % one_in else value

    def _deadline(self) -> int:
        return self.now + self.random.choice([3600, 30 * DAY])

    # -- signing and bending -------------------------------------------------------------------------------------

    def _sign(self, contract: str, verb: str, parts: list[Part]) -> Call:
        arguments: list[Any] = []
        for part in parts:
            digest = typed_data.signing_digest(self.deployment.domain(contract), struct_hash(part.intent, part.message))
            fields = INTENTS[part.intent].signers or ("",)
            keys = [self._signing_key(part, *pair) for pair in zip(fields, part.signers, strict=True)]
            signatures = [typed_data.sign(digest, self.secrets.get(key, STRANGER)) for key in keys]
            arguments += [part.message, *map(to_hex, signatures)]
        return Call(contract, verb, arguments)

    def _signing_key(self, part: Part, field: str, signer: str) -> str:
        """The key that signs where `field` names `signer`."""
        intent = INTENTS[part.intent]
        return signer if field in intent.alone else self._live_key(signer, intent.act)

    def _bent(self, contract: str, verb: str, parts: list[Part]) -> Call:
        """The call with one thing wrong (or at its limit): a field, a signer, a domain, or the signature's bytes."""
        how = self.random.random()
        if how < 0.7:
            return self._sign(contract, verb, self._bend_field(parts))
        call = self._sign(contract, verb, parts)
        places = [i for i, value in enumerate(call.arguments) if isinstance(value, str)]
        place = self.random.choice(places)
        arguments = list(call.arguments)
        arguments[place] = self._wrong_signature(parts[-1], arguments[place])
        return replace(call, arguments=arguments)

    def _bend_field(self, parts: list[Part]) -> list[Part]:
        place = self.random.randrange(len(parts))
        part = parts[place]
        name, kind = self.random.choice([item for item in INTENTS[part.intent].fields if item[0] != "currency"])
        message = part.message | {name: self._bent_value(kind, part.message[name])}
        if "currency" in part.message and len(self.state.tokens) > 1 and self._currencies.random() < 0.4:
            message = part.message | {"currency": self._currencies.choice([0, *MONIES, 65_535])}
        if self.random.random() < 0.7:
            message = _with_id(part.intent, message)
        signers = part.signers if part.intent == "Voucher" else self._part(part.intent, message).signers
        bent = [*parts[:place], Part(part.intent, message, signers), *parts[place + 1 :]]
        return _follow(bent) if self.random.random() < 0.7 else bent

    def _bent_value(self, kind: str, value: Any) -> Any:
        if kind == "address":
            return self._pick([*self.secrets, typed_data.address_of(STRANGER)])
        if kind == "bytes32":
            return self.random.choice([self._digest(), "0x" + "00" * 32])
        if kind.endswith("[]"):
            if not value:
                return [self._bent_value(kind[:-2], None)]
            first = self._bent_value(kind[:-2], value[0])
            return self.random.choice([value[:-1], [*value, *value[:1]], value[::-1], [first, *value[1:]]])
        top = 2 ** int(kind[4:]) - 1
        near = [0, 1, value - 1, value + 1, value * 2, self.now, self.now - 1, top, 8, 256]
        return self.random.choice([number for number in near if 0 <= number <= top])

    def _wrong_signature(self, part: Part, signature: str) -> str:
        elsewhere = self.random.choice(
            [
                replace(self.deployment, chain_id=CHAIN_ID + 1),
                replace(self.deployment, addresses=dict.fromkeys(self.deployment.addresses, TREASURY)),
            ]
        )
        key = self.secrets.get(part.signers[0], STRANGER)
        raw = bytes.fromhex(signature[2:])
        s = int.from_bytes(raw[32:64], "big")
        high = raw[:32] + (typed_data.GROUP_ORDER - s).to_bytes(32, "big") + bytes([55 - raw[64]])
        ways: list[Callable[[], bytes]] = [
            lambda: typed_data.sign(intent_digest(part.intent, part.message, elsewhere), key),
            lambda: typed_data.sign(intent_digest(part.intent, part.message, self.deployment), STRANGER),
            lambda: raw[:64],
            lambda: b"",
            lambda: high,
            lambda: raw + b"\0",
        ]
        return to_hex(self.random.choice(ways)())


@cache
def steps_from(procedure: Procedure, state: CaseState, *, decides: bool) -> list[Step]:
    """The steps that the table has from a state: the registrar's, or everybody else's."""
    steps = [step for before, step in TABLES[procedure] if before is state]
    return [step for step in steps if (WHOSE[step] is Party.REGISTRAR) is decides]


def is_deposited(case: Case) -> bool:
    """Whether a case waits for its certificate."""
    return case.state is CaseState.DEPOSITED


def _with_id(intent: str, message: Message) -> Message:
    """The message with the id that follows from its other fields."""
    ids: dict[str, Callable[[], Message]] = {
        "Register": lambda: {"assetId": asset_id(message["holder"], message["manifestDigest"])},
        "File": lambda: {"caseId": case_id(*(message[n] for n in ("assetId", "applicant", "formDigest", "statedAt")))},
        "Grant": lambda: {"titleId": granted_id(message["parent"], message["grantee"], message["termsDigest"])},
        "List": lambda: {"listingId": listing_id(message["seller"], message["assetId"], message["termsDigest"])},
        "Redeem": lambda: {
            "redemptionId": redemption_id(message["account"], message["currency"], message["payoutDigest"])
        },
        "Fund": lambda: {"orderId": order_id(message["buyer"], message["listingId"], message["agreementDigest"])},
        "OpenBatch": lambda: {"batchId": batch_id(message["exchange"], message["number"])},
        "Owe": lambda: {"debtId": debt_id(message["debtor"], message["creditor"], message["ref"])},
    }
    for name in ("Agree", "AmendAgreement"):
        ids[name] = lambda: {
            "agreementId": agreement_id(message["partyA"], message["partyB"], message["agreementDigest"])
        }
    return message | ids[intent]() if intent in ids else message


def _follow(parts: list[Part]) -> list[Part]:
    """The parts with the second one made to fit the first again."""
    if len(parts) == 1:
        return parts
    first, second = parts
    if second.intent in ("Close", "Clear", "Claim"):
        voucher_hash = to_hex(struct_hash("Voucher", first.message))
        return [first, replace(second, message=second.message | {"voucherHash": voucher_hash})]
    same = {name: first.message[name] for name in ("account", "roles", "identityDigest")}
    return [first, replace(second, message=second.message | same)]


# verb -> (contract, builder, how often)
BUILDERS: dict[str, tuple[str, Callable[[History], Any], int]] = {
    "admit": ("Participants", History.admit, 2),
    "setStatus": ("Participants", History.set_status, 2),
    "requestAdmission": ("Participants", History.request_admission, 2),
    "resign": ("Participants", History.resign, 1),
    "register": ("Rights", History.register, 6),
    "confirm": ("Rights", History.confirm, 6),
    "file": ("Registrations", History.file, 3),
    "act": ("Registrations", History.act, 2),
    "decide": ("Registrations", History.decide, 8),
    "expire": ("Registrations", History.expire, 2),
    "adopt": ("Registrations", History.adopt, 1),
    "transfer": ("Titles", History.transfer, 3),
    "grant": ("Titles", History.grant, 6),
    "surrender": ("Titles", History.surrender, 2),
    "revoke": ("Titles", History.revoke_title, 1),
    "encumber": ("Titles", History.encumber, 2),
    "pledge": ("Titles", History.pledge, 3),
    "releasePledge": ("Titles", History.release_pledge, 1),
    "permit": ("Titles", History.permit, 2),
    "enforce": ("Titles", History.enforce, 1),
    "transferShare": ("Rights", History.transfer_share, 8),
    "mark": ("Rights", History.mark, 2),
    "list": ("Listings", History.list_asset, 6),
    "delist": ("Listings", History.delist, 1),
    "agree": ("Agreements", History.agree, 4),
    "amend": ("Agreements", History.amend, 2),
    "retire": ("Agreements", History.retire, 1),
    "issue": ("SettlementToken", History.issue, 2),
    "redeem": ("SettlementToken", History.redeem, 5),
    "payRedemption": ("SettlementToken", History.pay_redemption, 2),
    "rejectRedemption": ("SettlementToken", History.reject_redemption, 1),
    "expireRedemption": ("SettlementToken", History.expire_redemption, 2),
    "fund": ("Orders", History.fund, 14),
    "settle": ("Orders", History.settle, 10),
    "refund": ("Orders", History.refund, 3),
    "claim": ("Orders", History.claim, 0),  # only where a history asks for it
    "challenge": ("Orders", History.challenge, 0),
    "finish": ("Orders", History.finish, 0),
    "anchor": ("Evidence", History.anchor, 3),
    "clear": ("Orders", History.clear, 9),
    "openBatch": ("Clearing", History.open_batch, 2),
    "owe": ("Clearing", History.owe, 5),
    "closeBatch": ("Clearing", History.close_batch, 3),
    "closeOverdue": ("Clearing", History.close_overdue, 1),
    "collect": ("Clearing", History.collect, 4),
    "drop": ("Clearing", History.drop, 4),
    "confirmBatch": ("Clearing", History.confirm_batch, 3),
    "confirmOverdue": ("Clearing", History.confirm_overdue, 2),
    "pay": ("Clearing", History.pay, 5),
    "declare": ("Lineage", History.declare, 3),
    "consent": ("Lineage", History.consent, 4),
    "withdraw": ("Lineage", History.withdraw, 1),
    "offer": ("Deliveries", History.offer, 5),
    "arrange": ("Deliveries", History.arrange, 8),
    "deliver": ("Deliveries", History.deliver, 9),
    "acknowledge": ("Deliveries", History.acknowledge, 3),
    "accept": ("Deliveries", History.accept, 2),
    "object": ("Deliveries", History.object_to, 4),
    "deem": ("Deliveries", History.deem, 2),
    "lapse": ("Deliveries", History.lapse, 2),
    "addKey": ("Keys", History.add_key, 3),
    "endKey": ("Keys", History.end_key, 2),
    "rotateKey": ("Keys", History.rotate_key, 2),
    "setGuardians": ("Keys", History.set_guardians, 2),
    "recover": ("Keys", History.recover_account, 4),
    "veto": ("Keys", History.veto, 1),
    "completeRecovery": ("Keys", History.complete_recovery, 3),
    "pledgeShare": ("Rights", History.pledge_share, 4),
    "releaseShare": ("Rights", History.release_share, 1),
    "enforceShare": ("Rights", History.enforce_share, 2),
    "encumberShare": ("Rights", History.encumber_share, 2),
}
# verbs that nobody signs: their builders give plain arguments
UNSIGNED = (
    "refund",
    "expire",
    "expireRedemption",
    "closeOverdue",
    "collect",
    "drop",
    "confirmOverdue",
    "pay",
    "completeRecovery",
    "deem",
    "lapse",
    "finish",
)
CLAIM_VERBS = ("claim", "challenge", "finish")

__all__ = ["ADDRESSES", "BUILDERS", "CHAIN_ID", "CLAIM_VERBS", "TREASURY", "Call", "History"]
