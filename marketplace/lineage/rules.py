"""What products are made of: contracts/src/Lineage.sol in Python, verb by verb.

An input rests on a title that lets its holder derive, or on the consent of who operates it. Inputs are confirmed when
they are named, and nothing that is confirmed gets inputs: so no product is made of itself, and no declared tree grows.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from marketplace.events import Event
from marketplace.participants.rules import Participants
from marketplace.refusals import refuse
from marketplace.refusals.checks import Message, require_in_time, require_version
from marketplace.rights.records import Rights
from marketplace.rights.title_records import ASSET_NOT_CONFIRMED, EXPIRED, LAST_MOMENT, Title, Titles
from marketplace.rights.titles import require_operator
from marketplace.settlement.money import WHOLE_BPS, split
from marketplace.types import ZERO_DIGEST, AssetStatus, ConsentStatus, TitleKind, TitleMark

MAX_INPUTS = 8
MAX_DEPTH = 4
MAX_SIZE = 16

# verb -> {status before: status after}; what is not in the table is refused.
STATES = {
    "consent": dict.fromkeys(ConsentStatus, ConsentStatus.GIVEN),
    "withdraw": {ConsentStatus.GIVEN: ConsentStatus.WITHDRAWN},
}


@dataclass(frozen=True)
class Input:
    """One input of a product.

    Args:
        title_id: the title that let the product's holder derive; ZERO_DIGEST where a consent is needed instead.
        bps: part of the product's net income that is due to the input, in hundredths of a percent.
    """

    asset_id: str
    title_id: str
    bps: int

    @property
    def needs_consent(self) -> bool:
        """Whether it rests on a consent."""
        return self.title_id == ZERO_DIGEST


@dataclass(frozen=True)
class Tree:
    """A declared product: its inputs, the levels of inputs below it, and the assets in its tree, itself counted."""

    inputs: tuple[Input, ...]
    depth: int
    size: int


@dataclass
class Consent:
    """The consent for one input of one product: by whom, under which title, and until when (unix seconds)."""

    by: str
    title_id: str
    fields: str
    valid_until: int
    status: ConsentStatus = ConsentStatus.GIVEN
    version: int = 1


@dataclass(frozen=True)
class Part:
    """A share holder's part of a sum in fen, and the asset through which it is due."""

    asset_id: str
    holder: str
    amount: int


@dataclass(frozen=True)
class Registers:
    """What lineage stands on."""

    participants: Participants
    rights: Rights
    titles: Titles


UNDECLARED = Tree((), 0, 1)


@dataclass
class Lineage:
    """The state of the contract: declared products by asset, consents by (product, input)."""

    trees: dict[str, Tree] = field(default_factory=dict)
    consents: dict[tuple[str, str], Consent] = field(default_factory=dict)

    def tree(self, asset: str) -> Tree:
        """What was declared for an asset; one without inputs where nothing was."""
        return self.trees.get(asset, UNDECLARED)

    def require_given(self, asset: str, input_id: str) -> Consent:
        """The consent, refused unless it is given."""
        record = self.consents.get((asset, input_id))
        current = record.status if record else ConsentStatus.NONE
        if record is None or current not in STATES["withdraw"]:
            raise refuse("LineageNoConsent", assetId=asset, inputId=input_id, current=int(current))
        return record


def declare(state: Lineage, registers: Registers, declaration: Message, now: int) -> list[Event]:
    """Declare what a registered asset, not yet confirmed, was made of.

    Args:
        declaration: the intent DeclareLineage, signed by who registered the asset.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    require_in_time(declaration, now)
    key, holder = declaration["assetId"], declaration["holder"]
    if registers.rights.require_asset(key, AssetStatus.REGISTERED).registrant != holder:
        raise refuse("LineageNotRegistrant", assetId=key, account=holder)
    if key in state.trees:
        raise refuse("LineageExists", assetId=key)
    inputs = _require_inputs(declaration)
    registers.participants.require_active(holder)
    tree = _require_tree(state, registers, inputs, holder, now)

    state.trees[key] = tree
    return [Event("Lineage", "LineageDeclared", _but(declaration, "deadline"))]


def consent(state: Lineage, registers: Registers, wish: Message, now: int) -> list[Event]:
    """Consent that a product of an input is provided to others.

    Args:
        wish: the intent GiveConsent, signed by who operates the input.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    require_in_time(wish, now)
    key = wish["assetId"], wish["inputId"]
    declared = require_open_input(state, *key)
    if declared.bps != wish["bps"]:
        raise refuse("LineageBps", declared=declared.bps, got=wish["bps"])
    known = state.consents.get(key)
    version = known.version if known else 0
    require_version(version, wish)
    if not now < wish["validUntil"] <= LAST_MOMENT:
        raise refuse("LineageTerm", assetId=key[0], inputId=key[1], validUntil=wish["validUntil"], until=now)
    registers.participants.require_active(wish["holder"])
    title = _require_operates(registers, wish, now)
    if registers.rights.assets[key[0]].registrant == wish["holder"]:
        raise refuse("LineageOwnConsent", assetId=key[0], account=wish["holder"])
    _require_replaceable(registers, known, wish, now)

    status = STATES["consent"][known.status if known else ConsentStatus.NONE]
    record = Consent(wish["holder"], wish["titleId"], title.fields, wish["validUntil"], status, version + 1)
    state.consents[key] = record
    return [Event("Lineage", "ConsentGiven", _but(wish, "deadline") | {"version": record.version})]


def withdraw(state: Lineage, wish: Message, now: int) -> list[Event]:
    """Withdraw a consent: nothing new is sold under it. Orders that are funded already run on.

    Args:
        wish: the intent WithdrawConsent, signed by who gave the consent.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    require_in_time(wish, now)
    record = state.require_given(wish["assetId"], wish["inputId"])
    if record.by != wish["holder"]:
        raise refuse("LineageNotConsenter", assetId=wish["assetId"], inputId=wish["inputId"], account=wish["holder"])
    require_version(record.version, wish)

    record.status = STATES["withdraw"][record.status]
    record.version += 1
    return [Event("Lineage", "ConsentWithdrawn", _but(wish, "deadline") | {"version": record.version})]


def require_sellable(
    state: Lineage,
    rights: Rights,
    titles: Titles,
    asset: str,
    now: int,
    *,
    purposes: int,
    territories: int,
    until: int,
) -> None:
    """Refuse to sell an asset while an input of it, at any depth, is suspended or revoked, or needs a consent that is
    not in force until `until`: given, and by somebody who could itself offer these purposes and territories of the
    input now.
    """
    for item in state.tree(asset).inputs:
        if item.needs_consent:
            record = state.require_given(asset, item.asset_id)
            if record.valid_until < until:
                ends = {"validUntil": record.valid_until, "until": until}
                raise refuse("LineageTerm", assetId=asset, inputId=item.asset_id, **ends)
            scope = {"purposes": purposes, "fields": record.fields, "territories": territories, "validUntil": until}
            product = {"titleId": record.title_id, "assetId": item.asset_id, "seller": record.by, **scope}
            latest = require_operator(titles, rights, product, now)
            if latest < until:
                ends = {"validUntil": latest, "until": until}
                raise refuse("LineageTerm", assetId=asset, inputId=item.asset_id, **ends)
        else:
            status = rights.assets[item.asset_id].status
            if status in (AssetStatus.SUSPENDED, AssetStatus.REVOKED):
                named = {"current": int(status), "required": int(AssetStatus.CONFIRMED)}
                raise refuse("RightsStatus", assetId=item.asset_id, **named)
        require_sellable(
            state, rights, titles, item.asset_id, now, purposes=purposes, territories=territories, until=until
        )


def parts_of(state: Lineage, rights: Rights, asset: str, net: int) -> list[Part]:
    """Divide `net` fen exactly: to each level's inputs and own share holders by largest remainder, and so on.

    The product's holders come first, then its inputs' in their order, then those of their inputs.
    """
    parts = []
    for node, own in _divided(state, asset, net):
        payees = list(rights.assets[node].payees())
        amounts = split(own, [payee.bps for payee in payees])
        parts += [Part(node, payee.holder, amount) for payee, amount in zip(payees, amounts, strict=True)]
    return parts


def _divided(state: Lineage, asset: str, net: int) -> Iterator[tuple[str, int]]:
    """Each asset of the tree that gets something, level by level, with what its own share holders divide."""
    waiting = [(asset, net)]
    for node, amount in waiting:
        inputs = state.tree(node).inputs
        *dues, own = split(amount, [*(item.bps for item in inputs), WHOLE_BPS - sum(item.bps for item in inputs)])
        waiting += [(item.asset_id, due) for item, due in zip(inputs, dues, strict=True) if item.bps]
        yield node, own


def tree_of(state: Lineage, inputs: tuple[Input, ...]) -> Tree:
    """The tree that a product of `inputs`, whose own are in `state`, has."""
    below = [state.tree(item.asset_id) for item in inputs]
    depth = max((tree.depth + 1 for tree in below), default=0)
    return Tree(inputs, depth, 1 + sum(tree.size for tree in below))


def require_open_input(state: Lineage, asset: str, input_id: str) -> Input:
    """The input as declared, refused unless it needs a consent."""
    for item in state.tree(asset).inputs:
        if item.asset_id == input_id and item.needs_consent:
            return item
    raise refuse("LineageNoInput", assetId=asset, inputId=input_id)


def _require_inputs(declaration: Message) -> tuple[Input, ...]:
    names, title_ids, bps = declaration["inputs"], declaration["titles"], declaration["bps"]
    paired = len(names) == len(title_ids) == len(bps)
    if not paired or len(names) > MAX_INPUTS or sum(bps) > WHOLE_BPS or len(set(names)) != len(names):
        raise refuse("LineageInputs", count=len(names), bps=sum(bps))
    return tuple(Input(*item) for item in zip(names, title_ids, bps, strict=True))


def _require_tree(state: Lineage, registers: Registers, inputs: tuple[Input, ...], holder: str, now: int) -> Tree:
    for item in inputs:
        registers.rights.require_confirmed(item.asset_id, now)
        if not item.needs_consent:
            _require_derives(registers, item, holder, now)
    tree = tree_of(state, inputs)
    if tree.depth > MAX_DEPTH or tree.size > MAX_SIZE:
        raise refuse("LineageTooDeep", depth=tree.depth, size=tree.size)
    return tree


def _require_derives(registers: Registers, item: Input, holder: str, now: int) -> None:
    title = registers.titles.records.get(item.title_id)
    held = title is not None and title.asset_id == item.asset_id and title.holder == holder
    if title is None or not held or title.kind is TitleKind.HOLD or TitleMark.MAY_DERIVE not in title.marks:
        raise refuse("LineageTitle", titleId=item.title_id, inputId=item.asset_id, account=holder)
    _require_stands(registers, item.title_id, now)


def _require_operates(registers: Registers, wish: Message, now: int) -> Title:
    title = registers.titles.records.get(wish["titleId"])
    held = title is not None and title.asset_id == wish["inputId"] and title.holder == wish["holder"]
    if title is None or not held or title.kind is not TitleKind.OPERATE:
        raise refuse("TitlesNotHolder", titleId=wish["titleId"], account=wish["holder"])
    if title.parent is not None and TitleMark.MAY_DERIVE not in title.marks:
        raise refuse("LineageTitle", titleId=wish["titleId"], inputId=wish["inputId"], account=wish["holder"])
    _require_stands(registers, wish["titleId"], now)
    return title


def _require_replaceable(registers: Registers, known: Consent | None, wish: Message, now: int) -> None:
    """Refuse whoever did not give the consent that is in force, while who gave it still operates the input."""
    given = known is not None and known.status is ConsentStatus.GIVEN and now <= known.valid_until
    if known is None or not given or known.by == wish["holder"]:
        return
    operates = registers.titles.records[known.title_id].holder == known.by
    if operates and not _why_over(registers, known.title_id, now)[0]:
        raise refuse("LineageNotConsenter", assetId=wish["assetId"], inputId=wish["inputId"], account=wish["holder"])


def _require_stands(registers: Registers, key: str, now: int) -> None:
    cause, ancestor = _why_over(registers, key, now)
    if cause:
        raise refuse("TitlesOver", titleId=key, ancestor=ancestor, cause=cause)


def _why_over(registers: Registers, key: str, now: int) -> tuple[int, str]:
    """Why a title is not in force, its asset's standing and term included, and through which one; (0, "") if it is."""
    cause, ancestor = registers.titles.why_over(key, now)
    if cause:
        return cause, ancestor
    *_, (ancestor, root) = registers.titles.chain(key)
    asset = registers.rights.assets[root.asset_id]
    if asset.status is not AssetStatus.CONFIRMED:
        return ASSET_NOT_CONFIRMED, ancestor
    return (EXPIRED, ancestor) if now > asset.valid_until else (0, "")


def _but(message: Message, *left_out: str) -> dict[str, Any]:
    return {name: value for name, value in message.items() if name not in left_out}
