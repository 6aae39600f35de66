"""What votes come to, over every panel of up to five nodes that may say one of two results, nothing, or both."""

import itertools

import pytest

from marketplace.queries.protocol.panels import (
    DISAGREED,
    FAILURES,
    KINDS,
    TIMEOUT,
    Fact,
    Proof,
    Verdict,
    Vote,
    is_over,
    verdict,
)

SAYS = {"a": Vote("a"), "b": Vote("b"), "-": Vote(), "2": Vote("a", void=True)}
PANELS = [(votes, t) for n in range(1, 6) for votes in itertools.product(SAYS, repeat=n) for t in range(1, n + 1)]


def of(votes: tuple[str, ...], threshold: int, *, over: bool = False) -> Verdict:
    return verdict([SAYS[vote] for vote in votes], threshold, over=over)


def test_a_result_is_attested_only_by_enough_nodes_that_signed_nothing_else() -> None:
    for votes, threshold in PANELS:
        for over in (False, True):
            result = of(votes, threshold, over=over).result
            assert (result is not None) == (max(votes.count("a"), votes.count("b")) >= threshold)
            assert result is None or votes.count(result) >= threshold


def test_a_panel_fails_early_only_when_nothing_it_may_still_hear_could_help() -> None:
    for votes, threshold in PANELS:
        fails = of(votes, threshold).failure == DISAGREED
        chosen = [index for index, vote in enumerate(votes) if vote == "-"]
        endings = itertools.product("ab", repeat=len(chosen))
        hope = any(of(_filled(votes, chosen, ending), threshold).result for ending in endings)
        assert fails != hope


def _filled(votes: tuple[str, ...], places: list[int], ending: tuple[str, ...]) -> tuple[str, ...]:
    said = dict(zip(places, ending, strict=True))
    return tuple(said.get(index, vote) for index, vote in enumerate(votes))


def test_after_the_deadline_there_is_always_an_outcome() -> None:
    for votes, threshold in PANELS:
        outcome = of(votes, threshold, over=True)
        assert (outcome.result is None) == (outcome.failure == TIMEOUT)


def test_a_node_that_signs_again_never_attests_anything() -> None:
    for votes, threshold in PANELS:
        for index, vote in enumerate(votes):
            if vote == "a" and of(votes, threshold).result is None:
                changed = (*votes[:index], "2", *votes[index + 1 :])
                assert of(changed, threshold).result is None


@pytest.mark.parametrize(
    ("now", "deadline", "over"), [(9, 10, False), (10, 10, False), (11, 10, True), (11, None, False)]
)
def test_the_deadline_itself_is_in_time(now: int, deadline: int | None, over: bool) -> None:
    assert is_over(now, deadline) == over


def test_only_signatures_prove_and_every_failure_speaks_both_languages() -> None:
    proven = {fact for fact in Fact if KINDS[fact].proof is Proof.SIGNATURE}
    assert proven == {Fact.DIFFERED, Fact.EQUIVOCATED}
    assert all(all(told) for told in FAILURES.values())
