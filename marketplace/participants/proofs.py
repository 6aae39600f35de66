"""Key proofs: how whoever does not read the ledger comes to know what signs for an account.

A proof is the calls of the contract Keys that changed the accounts' keys, in the ledger's order, each with its block's
time. They are replayed here by the ledger's own rules (participants/keys.py): every change is signed by a key that the
changes before it gave, back to the account's address; a recovery by the guardians whom the account named, or by a
registrar whom the verifier trusts. So whoever hands over a proof can invent no key. It can leave out the last changes,
and state false times (docs/decisions/0037-key-proofs.md); against the first helps a memory: `trails` names what a proof
showed, and a later one has to begin with the same.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from crypto.canonical import from_hex, sha256, to_hex
from crypto.errors import CryptoError
from marketplace import calls
from marketplace.documents.shapes import array, hex_up_to, integer, record
from marketplace.errors import MarketplaceError, VerificationError
from marketplace.events import Event
from marketplace.intents import INTENTS, Deployment, intent_digest, recover_intent
from marketplace.participants import keys as rules
from marketplace.participants.keybook import AHEAD_SECONDS, KeyBook
from marketplace.participants.keys import Key, KeyRing, Register
from marketplace.refusals.reasons import reason_of
from marketplace.words import Words

MAX_STEPS = 1024
MAX_CALL = 4096  # bytes

_VERBS: Mapping[str, Callable[[KeyRing, Register, Any, int], list[Event]]] = {
    "addKey": rules.add_key,
    "endKey": rules.end_key,
    "rotateKey": rules.rotate_key,
    "setGuardians": rules.set_guardians,
    "recover": rules.recover,
    "veto": rules.veto,
    "completeRecovery": rules.complete_recovery,
}
_AT = integer(0, 2**53 - 1)
_STEP = record({"call": hex_up_to(MAX_CALL), "at": _AT})
_PAPERS = ("register", "list", "fund", "cited")


@dataclass(frozen=True)
class Step:
    """One call of the contract Keys: its calldata, and the time of its block, unix seconds."""

    call: bytes
    at: int


@dataclass(frozen=True)
class KeyProof:
    """What is handed over with papers.

    Args:
        steps: changes of the keys of everybody who signed, in the ledger's order; None where there are some that
            cannot be shown. Then nobody's keys are known, not even that an address signs for itself.
        times: when the ledger took which paper ("register", "list", "fund", "cited"), unix seconds; whoever signed one
            of which nobody says has to be a key now.
    """

    steps: tuple[Step, ...] | None = ()
    times: Mapping[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """As `read_proof` reads it."""
        steps = None if self.steps is None else [{"call": to_hex(step.call), "at": step.at} for step in self.steps]
        return {"steps": steps, "times": dict(self.times)}


@dataclass(frozen=True)
class Proven:
    """What a proof shows.

    Args:
        book: what signs for whom.
        trails: account to the digests of its history after each of its changes.
        signers: accounts whose word the histories rest on besides, such as guardians'.
    """

    book: KeyBook
    trails: Mapping[str, tuple[str, ...]]
    signers: frozenset[str]


def read_proof(value: object) -> KeyProof:
    """A proof from its JSON. Raises InvalidInputError for another shape."""
    record({"steps": _steps, "times": _times})(value, "keys")
    assert isinstance(value, dict)
    if value["steps"] is None:
        return KeyProof(None, value["times"])
    return KeyProof(tuple(Step(from_hex(item["call"]), item["at"]) for item in value["steps"]), value["times"])


def _steps(value: object, path: str) -> None:
    if value is not None:
        array(_STEP, MAX_STEPS)(value, path)


def _times(value: object, path: str) -> None:
    given = [name for name in _PAPERS if isinstance(value, dict) and name in value]
    record(dict.fromkeys(given, _AT))(value, path)


def verify_proof(proof: KeyProof, deployment: Deployment, now: int, registrars: Collection[str] = ()) -> Proven:
    """Replay a proof.

    Args:
        now: the verifier's time, unix seconds.
        registrars: accounts whose recoveries count; none but guardians' without.
    Raises:
        VerificationError: `key_proof_invalid`, with the change that does not hold; `key_proof_absent`.
    """
    if proof.steps is None:
        raise _absent()
    history = _History(deployment, frozenset(registrars))
    for number, step in enumerate(proof.steps):
        try:
            history.take(step, now)
        except (MarketplaceError, CryptoError, OverflowError) as error:
            raise _invalid(number, reason_of(error)) from error
    return history.proven()


class _History:
    """The keys of a few accounts, change by change."""

    def __init__(self, deployment: Deployment, registrars: frozenset[str]) -> None:
        self._deployment = deployment
        self._ring, self._spans = KeyRing(), dict[tuple[str, str], Key]()
        self._accounts: set[str] = set()
        self._trails: dict[str, list[str]] = {}
        self._signers: set[str] = set()
        self._time = 0
        self._registrars, self._unknown = registrars, set[str]()
        # Who is suspended and who a registrar, the ledger alone knows. That an account named its guardians is signed;
        # whose word a recovery rests on otherwise is asked when it is completed.
        self._register = Register(self._accounts.__contains__, lambda _who, _roles: True)

    def take(self, step: Step, now: int) -> None:
        """One change. Raises MarketplaceError where the ledger would have refused it, or it is out of time."""
        if not self._time <= step.at <= now + AHEAD_SECONDS:
            raise calls.malformed(f"a change at {step.at} after one at {self._time}; it is {now}")
        verb, arguments = calls.decode_call("Keys", step.call)
        self._require_signed(verb, arguments, step.at)
        if verb != "completeRecovery":
            self._accounts.add(arguments[0]["account"])
        self._require_known(verb, arguments)
        events = _VERBS[verb](self._ring, self._register, arguments[0], step.at)
        self._time = step.at
        self._note(str(events[0].args["account"]), self._name(verb, arguments), step.at)

    def _require_signed(self, verb: str, arguments: list[Any], at: int) -> None:
        book = KeyBook(self._deployment, self._spans)
        for signed in calls.signers_of("Keys", verb, arguments):
            if signed.field not in INTENTS[signed.intent].alone:
                book.require(signed.intent, signed.message, signed.signer, signed.signature, at)
                self._signers.add(signed.signer)
            elif recover_intent(signed.intent, signed.message, self._deployment, signed.signature) != signed.signer:
                raise calls.malformed(f"{signed.intent} is not signed by {signed.signer}")

    def _require_known(self, verb: str, arguments: list[Any]) -> None:
        """What an unknown registrar asked for may stand, as on the ledger, or be vetoed; it is not completed."""
        if verb == "completeRecovery" and arguments[0] in self._unknown:
            raise calls.malformed("recovered by a registrar whom nobody named here")
        if verb != "recover":
            return
        account, by, key = (arguments[0][name] for name in ("account", "by", "newKey"))
        name = rules.recovery_id(account, key, arguments[0]["version"])
        known = self._ring.recoveries.get(name)
        guardians = known.guardians if known else self._ring.guardians.get(account, rules.Guardians()).members
        if by not in guardians and by not in self._registrars:
            self._unknown.add(name)

    def _name(self, verb: str, arguments: list[Any]) -> bytes:
        """What a call says, without its signatures: of one intent there may be several."""
        signed = calls.signers_of("Keys", verb, arguments)
        if not signed:
            return from_hex(arguments[0], 32)
        return intent_digest(signed[0].intent, signed[0].message, self._deployment)

    def _note(self, account: str, name: bytes, at: int) -> None:
        for owner, key in [*self._ring.held, (account, account)]:
            if owner == account:
                self._spans[account, key] = self._ring.key_of(account, key)
        trail = self._trails.setdefault(account, [])
        before = from_hex(trail[-1]) if trail else b""
        trail.append(to_hex(sha256(before + name + at.to_bytes(8, "big"))))

    def proven(self) -> Proven:
        """What is known at the end."""
        trails = {account: tuple(trail) for account, trail in self._trails.items()}
        return Proven(KeyBook(self._deployment, self._spans, self._time), trails, frozenset(self._signers))


def _invalid(number: int, reason: Words) -> VerificationError:
    return VerificationError(
        "key_proof_invalid",
        f"what was handed over about an account's keys does not hold at change {number + 1}: {reason.en}",
        zh=f"所提交的账户密钥证明在第 {number + 1} 项变更处不成立：{reason.zh}",
        rule="keys.proven_off_the_ledger",
        expected=Words(
            "changes that the account's keys signed, each by one that the changes before gave",
            "由账户密钥签署的各项变更，且各由先前变更所授予的密钥签署",
        ),
        got=reason,
        hint="where a registrar recovered the account, say whose recoveries count: MARKETPLACE_REGISTRARS, --registrar",
        hint_zh="若账户由登记机构恢复，请以 MARKETPLACE_REGISTRARS 或 --registrar 指明认可的登记机构",
    )


def _absent() -> VerificationError:
    return VerificationError(
        "key_proof_absent",
        "the exchange cannot show every change of these accounts' keys, so nobody knows what signs for them",
        zh="交易所无法出示这些账户的全部密钥变更，无从得知何者可代表其签署",
        rule="keys.proven_off_the_ledger",
        expected=Words(
            f"all changes, at most {MAX_STEPS}, each sent through the exchange",
            f"全部变更，至多 {MAX_STEPS} 项，且均经交易所提交",
        ),
        hint="an account with more changes, or with one sent past the exchange, trades through the ledger alone",
        hint_zh="变更过多或绕过交易所提交变更的账户，仅能直接通过账本交易",
    )
