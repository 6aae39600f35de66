"""How well an attacker does that has learnt next to nothing, so that a test can say "no better than chance".

Noise and keys come from the operating system's generator, which nobody can seed; so every such test states how seldom
it may fail although the guard holds: `RARE`, one run in a billion.
"""

from math import exp, lgamma, log, log1p

RARE = 1e-9


def most_by_chance(trials: int, probability: float) -> int:
    """The most successes in independent trials that are exceeded with probability below RARE (binomial tail)."""
    tail = 0.0
    for successes in range(trials, 0, -1):
        tail += _probability(trials, probability, successes)
        if tail >= RARE:
            return successes
    return 0


def _probability(trials: int, probability: float, successes: int) -> float:
    ways = lgamma(trials + 1) - lgamma(successes + 1) - lgamma(trials - successes + 1)
    return exp(ways + successes * log(probability) + (trials - successes) * log1p(-probability))


def best_guess(choices: int, epsilon: float) -> float:
    """The most that anybody can raise the probability of guessing one of some equally likely values of a row, by
    answers that are epsilon-differentially private for it: e^epsilon / (choices - 1 + e^epsilon).

    By Bayes: no value's likelihood is more than e^epsilon times another's.
    """
    return exp(epsilon) / (choices - 1 + exp(epsilon))
