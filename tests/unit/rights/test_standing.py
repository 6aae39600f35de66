"""Certificates and status lists: every verdict, and nothing that says "valid" without a list of today."""

from typing import Any

import pytest

from marketplace.documents import iso_time
from marketplace.errors import InvalidInputError, VerificationError
from marketplace.rights.standing import WORDS, judge, list_paths
from marketplace.rights.status_lists import PURPOSES, is_marked
from marketplace.sdk import certificate_files
from marketplace.types import AssetStatus, TitleMark
from tests.certificates import LOG, REGISTRAR, UNTIL, certificate, lists, public
from tests.unit.sdk.exchange import NOW, keys

ISSUER = public(REGISTRAR)
CERTIFICATE = certificate()


def _code(given: list[dict[str, Any]], now: int = NOW, unchecked: bool = False) -> str:
    return judge(CERTIFICATE, given, issuer=ISSUER, now=now, unchecked=unchecked).code


@pytest.mark.parametrize(
    ("marked", "code"),
    [
        ([], "certificate_valid"),
        (["suspension"], "certificate_suspended"),
        (["message"], "certificate_superseded"),
        (["message", "suspension"], "certificate_superseded"),
        (["revocation"], "certificate_revoked"),
        (["revocation", "suspension", "message"], "certificate_revoked"),
    ],
)
def test_the_bits_decide(marked: list[str], code: str) -> None:
    assert _code(lists(marked)) == code


@pytest.mark.parametrize(
    ("marked", "code"), [([], "valid"), (["suspension"], "suspended"), (["message"], "superseded")]
)
def test_a_dispute_warns_and_decides_nothing(marked: list[str], code: str) -> None:
    standing = judge(CERTIFICATE, lists([*marked, "dispute"]), issuer=ISSUER, now=NOW)
    assert (standing.code, standing.disputed) == (f"certificate_{code}", True)
    english, chinese = standing.words
    assert (english.isascii(), "; disputed" in english, "存在争议" in chinese) == (True, True, True)
    calm = judge(CERTIFICATE, lists(marked), issuer=ISSUER, now=NOW)
    assert (calm.disputed, calm.words) == (False, WORDS[calm.code])
    if code == "valid":
        certificate_files.require_good(standing)


def test_certificates_from_before_the_list_of_disputes_keep_verifying() -> None:
    earlier = certificate(purposes=3)
    assert [entry["statusPurpose"] for entry in earlier["credentialStatus"]] == ["revocation", "suspension", "message"]
    for given in (lists(), lists(["dispute"]), lists()[:3]):
        found = judge(earlier, given, issuer=ISSUER, now=NOW)
        assert (found.code, found.disputed) == ("certificate_valid", None)


def test_the_term_decides_too() -> None:
    assert _code(lists(now=UNTIL), UNTIL) == "certificate_valid"
    assert _code(lists(now=UNTIL), UNTIL + 1) == "certificate_expired"
    assert _code(lists(["revocation"], now=UNTIL), UNTIL + 1) == "certificate_revoked"
    assert _code(lists(now=NOW - 86_000), NOW - 86_000) == "certificate_not_yet_valid"


def test_without_a_list_nothing_is_valid() -> None:
    assert _code([]) == "certificate_status_unknown"
    for missing in range(4):
        given = [item for place, item in enumerate(lists()) if place != missing]
        assert _code(given) == "certificate_status_unknown"
        assert _code(given, unchecked=True) == "certificate_status_unknown"
    assert _code([], unchecked=True) == "certificate_status_unchecked"
    assert _code(lists(["revocation"])[:1]) == "certificate_revoked"


def test_a_list_of_yesterday_clears_nobody_but_still_convicts() -> None:
    later = NOW + 86_401
    assert _code(lists(), later) == "certificate_status_stale"
    assert _code(lists(["revocation"]), later) == "certificate_revoked"
    assert _code(lists(now=NOW + 3600)) == "certificate_status_stale"


def test_a_list_from_before_the_certificate_says_nothing_about_it() -> None:
    for signed in (NOW - 50, NOW - 86_401, NOW - 1):
        for marked in ([], ["revocation"]):
            standing = judge(CERTIFICATE, lists(marked, now=signed), issuer=ISSUER, now=NOW)
            assert (standing.code, standing.as_of, standing.disputed) == ("certificate_status_early", signed, None)
        for words, unknown in zip(standing.words, ("status unknown", "状态未知"), strict=True):
            assert unknown in words
            assert words.count(iso_time(signed)) == words.count(iso_time(NOW)) == 1
    assert _code(lists(now=NOW - 1), unchecked=True) == "certificate_status_early"
    assert _code(lists(now=NOW)) == "certificate_valid"
    early, present = lists(now=NOW - 50), lists(["suspension"])
    for given in ([*early, *present], [*present, *early]):
        assert _code(given) == "certificate_suspended"
    assert _code([*early[:1], *present[1:]]) == "certificate_suspended"
    assert _code([*early[:1], *lists()[1:]]) == "certificate_status_early"


def test_of_two_lists_the_later_one_counts() -> None:
    suspended, restored = lists(["suspension"], now=NOW + 10), lists(now=NOW + 20)
    for given in ([*suspended, *restored], [*restored, *suspended]):
        standing = judge(CERTIFICATE, given, issuer=ISSUER, now=NOW + 30)
        assert (standing.code, standing.as_of) == ("certificate_valid", NOW + 20)


def test_lists_of_others_are_passed_over() -> None:
    other = {**lists()[0], "id": "https://elsewhere.test/rights/status-lists/revocation/0"}
    assert _code([other, {}]) == "certificate_status_unknown"


@pytest.mark.parametrize(
    "change",
    [
        lambda item: item["credentialSubject"].update(
            encodedList=lists(["revocation"])[0]["credentialSubject"]["encodedList"]
        ),
        lambda item: item["credentialSubject"].update(statusPurpose="suspension"),
        lambda item: item.update(validUntil="2099-01-01T00:00:00Z"),
        lambda item: item.update(issuer="did:key:z6Mk"),
        lambda item: item.pop("validFrom"),
        lambda item: item.pop("proof"),
        lambda item: item.update(credentialSubject=[]),
    ],
)
def test_a_changed_list_is_refused(change: Any) -> None:
    given = lists()
    change(given[0])
    with pytest.raises(InvalidInputError, match="status list") as caught:
        _code(given)
    assert (caught.value.code, bool(caught.value.zh)) == ("status_list_invalid", True)


def test_a_list_by_another_signer_is_refused() -> None:
    for signer in (REGISTRAR, keys(23)):
        with pytest.raises(InvalidInputError) as caught:
            _code(lists(signer=signer))
        assert caught.value.code == "status_list_invalid"


def test_a_certificate_by_another_issuer_or_changed_is_refused() -> None:
    changed = {**CERTIFICATE, "validUntil": "2099-01-01T00:00:00Z"}
    for given, issuer in ((CERTIFICATE, public(LOG)), (changed, ISSUER)):
        with pytest.raises(InvalidInputError) as caught:
            judge(given, lists(), issuer=issuer, now=NOW)
        assert caught.value.code == "certificate_invalid"


def test_every_verdict_but_two_is_refused_in_both_languages() -> None:
    for code, (english, chinese) in WORDS.items():
        assert english.isascii()
        assert not chinese.isascii()
        standing = judge(CERTIFICATE, [], issuer=ISSUER, now=NOW)
        object.__setattr__(standing, "code", code)
        if code in ("certificate_valid", "certificate_status_unchecked"):
            certificate_files.require_good(standing)
            continue
        with pytest.raises(VerificationError) as caught:
            certificate_files.require_good(standing)
        assert (caught.value.code, bool(caught.value.hint_zh)) == (code, True)


def test_bits_follow_from_the_ledger() -> None:
    def marks(status: AssetStatus, share: int = 1, moves: int = 0, mark: int = 0, disputes: int = 0) -> list[str]:
        titles = [(0, 1), (moves, 7 | mark)]
        return [p for p in PURPOSES if is_marked(p, status, share, titles, disputes=disputes)]

    assert marks(AssetStatus.CONFIRMED) == []
    assert marks(AssetStatus.SUSPENDED) == ["suspension"]
    assert marks(AssetStatus.REVOKED) == ["revocation"]
    assert marks(AssetStatus.CONFIRMED, 2) == marks(AssetStatus.CONFIRMED, 1, 1) == ["message"]
    assert marks(AssetStatus.CONFIRMED, disputes=2) == ["dispute"]
    assert marks(AssetStatus.SUSPENDED, disputes=1) == ["suspension", "dispute"]
    assert marks(AssetStatus.CONFIRMED, mark=TitleMark.ENDED) == ["message"]
    assert marks(AssetStatus.CONFIRMED, mark=TitleMark.PLEDGED) == []
    for mark in (TitleMark.SEIZED, TitleMark.CONTROLLED):
        assert marks(AssetStatus.CONFIRMED, mark=mark) == ["suspension"]
        assert marks(AssetStatus.REVOKED, mark=mark) == ["revocation"]
    assert marks(AssetStatus.REVOKED, 2) == ["revocation", "message"]


def test_the_lists_of_a_certificate_are_found_below_the_service() -> None:
    assert list_paths(CERTIFICATE) == [
        "/rights/status-lists/revocation/0",
        "/rights/status-lists/suspension/0",
        "/rights/status-lists/message/0",
        "/rights/status-lists/dispute/0",
    ]
    with pytest.raises(InvalidInputError) as caught:
        list_paths({**CERTIFICATE, "credentialStatus": CERTIFICATE["credentialStatus"][:2]})
    assert caught.value.code == "certificate_status_malformed"
