"""Trees of titles: what is granted is within its whole, one exclusive holder a cell, dead with its root."""

from itertools import combinations, pairwise
from random import Random
from typing import Any

import pytest

from marketplace.documents.ids import granted_id, title_id
from marketplace.errors import RuleError
from marketplace.participants.rules import Participant, Participants
from marketplace.rights import encumbrances, titles
from marketplace.rights.records import Asset, Rights, Share
from marketplace.rights.title_records import ENDED, MAX_DEPTH, Title, Titles
from marketplace.types import AssetStatus, ParticipantStatus, TitleKind, TitleMark

NOW, DAY = 1_800_000_000, 86_400
ASSET = "0x" + "aa" * 32
PEOPLE = [f"0x{number:040x}" for number in range(1, 9)]
REGISTRAR = "0x" + "ee" * 20
DIGEST = "0x" + "dd" * 32


class Register:
    """One confirmed asset of the first person, and its titles."""

    def __init__(self) -> None:
        self.participants = Participants(
            {name: Participant(127, ParticipantStatus.ACTIVE, 1) for name in (*PEOPLE, REGISTRAR)}
        )
        asset = Asset(PEOPLE[0], 1, DIGEST, 1, [Share(PEOPLE[0], 10_000)], AssetStatus.CONFIRMED, NOW + 1000 * DAY)
        self.rights = Rights({ASSET: asset})
        self.titles = Titles()
        titles.open_titles(self.titles, ASSET, PEOPLE[0], asset.valid_until, 7)
        self.made = 0

    def root(self, kind: TitleKind = TitleKind.OPERATE) -> str:
        return title_id(ASSET, kind)

    def grant(self, parent: str, to: str, now: int = NOW, **changes: Any) -> str:
        self.made += 1
        terms, above = f"0x{self.made:064x}", self.titles.records[parent]
        wish = {
            "titleId": granted_id(parent, to, terms),
            "parent": parent,
            "kind": 3,
            "grantor": above.holder,
            "grantee": to,
            "purposes": 1,
            "fields": f"0x{1:064x}",
            "territories": 1,
            "validFrom": max(now, above.valid_from),
            "validUntil": now + 10 * DAY if above.parent is None else above.valid_until,
            "marks": 0,
            "termsDigest": terms,
            "version": above.version,
            "deadline": now,
        }
        titles.grant(self.titles, self.rights, self.participants, wish | changes, now)
        return str(wish["titleId"])

    def end(self, key: str, now: int = NOW) -> None:
        wish = {"titleId": key, "registrar": REGISTRAR, "reasonDigest": DIGEST, "deadline": now}
        wish |= {"version": self.titles.records[key].version}
        titles.revoke(self.titles, self.rights, self.participants, wish, now)

    def in_force(self, key: str, now: int) -> bool:
        return not self.titles.why_over(key, now)[0]

    def product(self, key: str, seller: str, **changes: Any) -> dict[str, Any]:
        scope = {"purposes": 1, "fields": f"0x{1:064x}", "territories": 1, "validUntil": NOW + DAY}
        return {"titleId": key, "assetId": ASSET, "seller": seller, **scope, **changes}


@pytest.mark.parametrize("seed", range(40))
def test_no_cell_has_two_exclusive_holders_and_no_part_is_wider_than_its_whole(seed: int) -> None:
    """Random grants, endings and time; looked at in every pair of titles in force, over the whole forest."""
    random, register, now = Random(seed), Register(), NOW
    made, refused = 0, set()
    for _ in range(150):
        now += random.choice([0, 0, DAY])
        parent = random.choice([key for key, title in register.titles.records.items() if title.number])
        above = register.titles.records[parent]
        scope = {"purposes": random.randint(1, 7) & above.purposes or 1, "territories": random.choice([1, 2, 3])}
        scope |= {"kind": random.choice([2, 3]), "marks": random.choice([0, 1, 2, 3])}
        until = now + random.choice([1, 5, 50]) * DAY
        try:
            register.grant(parent, random.choice(PEOPLE), now, **scope, validUntil=until)
            made += 1
        except RuleError as error:
            refused.add(error.code)
        if random.random() < 0.1:
            living = [key for key, title in register.titles.records.items() if title.parent]
            ended = random.choice(
                [key for key in living if TitleMark.ENDED not in register.titles.records[key].marks] or [""]
            )
            if ended:
                register.end(ended, now)
        check_forest(register, now)
    assert made > 5
    assert refused <= {
        *("title_not_grantable", "title_wider", "title_conflict", "title_full", "title_depth", "title_over"),
        "transfer_same_party",
    }


def check_forest(register: Register, now: int) -> None:
    """The invariants, stated anew from the records alone."""
    records = register.titles.records
    alive = [key for key in records if register.in_force(key, now) and records[key].parent]
    for key in alive:
        for (_, part), (_, whole) in pairwise(register.titles.chain(key)):
            assert not part.purposes & ~whole.purposes
            assert not int(part.fields, 16) & ~int(whole.fields, 16)
            assert not part.territories & ~whole.territories
            assert part.valid_from >= whole.valid_from
            assert whole.parent is None or part.valid_until <= whole.valid_until
            assert whole.kind >= part.kind
    for one, other in combinations(alive, 2):
        pair = (records[one], records[other])
        exclusive = [title for title in pair if TitleMark.EXCLUSIVE in title.marks]
        is_line = one in dict(register.titles.chain(other)) or other in dict(register.titles.chain(one))
        if exclusive and not is_line and pair[0].cell.overlaps(pair[1].cell):
            assert may_share(register, one, other), (one, other)


def may_share(register: Register, one: str, other: str) -> bool:
    """An older use that is not exclusive, or a part of it, under somebody's exclusive right to operate."""
    records = register.titles.records

    def is_older_use(use: str, right: str) -> bool:
        chain = [title for _, title in register.titles.chain(use) if title.kind is TitleKind.USE]
        top = next((title for title in reversed(chain) if title.parent), None)
        plain = top is not None and TitleMark.EXCLUSIVE not in top.marks
        return bool(plain and top and records[right].kind is TitleKind.OPERATE and top.number < oldest(right))

    def oldest(right: str) -> int:
        exclusive = [title.number for _, title in register.titles.chain(right) if title.parent]
        return max(exclusive)

    return is_older_use(one, other) or is_older_use(other, one)


def test_a_title_names_the_ancestor_that_it_died_with() -> None:
    register = Register()
    first = register.grant(register.root(), PEOPLE[1], marks=2)
    second = register.grant(first, PEOPLE[2], marks=2)
    third = register.grant(second, PEOPLE[3])
    register.end(first)
    assert register.titles.why_over(third, NOW) == (ENDED, first)
    with pytest.raises(RuleError) as caught:
        titles.require_operator(register.titles, register.rights, register.product(third, PEOPLE[3]), NOW)
    assert (caught.value.code, caught.value.got) == ("title_over", "ENDED")


def test_a_parents_end_comes_first_even_before_the_part_has_begun() -> None:
    register = Register()
    first = register.grant(register.root(), PEOPLE[1], marks=2)
    later = register.grant(first, PEOPLE[2], validFrom=NOW + DAY)
    register.end(first)
    assert register.titles.why_over(later, NOW) == (ENDED, first)


def test_a_tree_is_eight_grants_deep() -> None:
    register, parent = Register(), Register().root()
    for depth in range(MAX_DEPTH):
        parent = register.grant(parent, PEOPLE[1 + depth % 2], marks=2)
    with pytest.raises(RuleError) as caught:
        register.grant(parent, PEOPLE[5])
    assert caught.value.code == "title_depth"


def test_what_is_on_offer_keeps_an_exclusive_use_out_until_it_is_over() -> None:
    register = Register()
    product = register.product(register.root(), PEOPLE[0])
    titles.require_operator(register.titles, register.rights, product, NOW)
    titles.note_offer(register.titles, product, NOW)
    with pytest.raises(RuleError) as caught:
        register.grant(register.root(), PEOPLE[1], kind=2, marks=1)
    assert (caught.value.code, caught.value.got) == ("title_offered", NOW + DAY)
    register.grant(register.root(), PEOPLE[1], kind=2, marks=1, validFrom=NOW + DAY + 1)


def test_the_pledgee_permits_one_act_and_no_other() -> None:
    register, key = Register(), Register().root()
    deed = {"titleId": key, "holder": PEOPLE[0], "pledgee": PEOPLE[1], "debtDigest": DIGEST}
    encumbrances.pledge(
        register.titles, register.rights, register.participants, deed | {"version": 1, "deadline": NOW}, NOW
    )
    acts = [{"titleId": key, "from": PEOPLE[0], "to": to, "version": 3, "deadline": NOW} for to in PEOPLE[2:4]]
    wish = {"titleId": key, "act": titles.act_of("Transfer", acts[0]), "pledgee": PEOPLE[1]}
    encumbrances.permit(register.titles, wish | {"version": 2, "deadline": NOW}, NOW)
    with pytest.raises(RuleError) as caught:
        titles.transfer(register.titles, register.rights, register.participants, acts[1], NOW)
    assert caught.value.code == "title_pledged"
    titles.transfer(register.titles, register.rights, register.participants, acts[0], NOW)
    title: Title = register.titles.records[key]
    assert title.holder == PEOPLE[2]
    assert TitleMark.PLEDGED in title.marks


def test_a_registrar_does_not_decide_below_a_title_of_its_own() -> None:
    register = Register()
    above = register.grant(register.root(), REGISTRAR, marks=int(TitleMark.MAY_GRANT))
    part = register.grant(above, PEOPLE[2])
    decision = {"titleId": part, "registrar": REGISTRAR, "reasonDigest": DIGEST, "version": 1, "deadline": NOW}
    with pytest.raises(RuleError, match="0x") as caught:
        titles.revoke(register.titles, register.rights, register.participants, decision, NOW)
    assert caught.value.code == "asset_own_matter"


@pytest.mark.parametrize("marks", [8, 128, 255])
def test_marks_without_a_meaning_are_refused(marks: int) -> None:
    register = Register()
    with pytest.raises(RuleError) as caught:
        register.grant(register.root(), PEOPLE[1], marks=marks)
    assert caught.value.code == "title_wider"
    order = {"titleId": register.root(), "marks": marks, "orderDigest": DIGEST, "registrar": REGISTRAR}
    with pytest.raises(RuleError) as caught:
        encumbrances.encumber(
            register.titles, register.rights, register.participants, order | {"version": 1, "deadline": NOW}, NOW
        )
    assert caught.value.code == "title_marks"
