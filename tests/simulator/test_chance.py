"""Chance: latencies that the seed alone decides."""

from math import exp
from random import Random

from gherkube.runners.simulator.clock import Chance


def test_latencies_are_log_normal_as_random_draws_them() -> None:
    """Each is the median times e to a normal draw, which is cut at twice the spread."""
    chance, reference = Chance(7), Random("7/kubelet")
    for spread in (0.5, 0.2, 0.3) * 300:
        drawn = min(max(reference.gauss(0.0, spread), -2 * spread), 2 * spread)
        assert chance.latency(0.1, "kubelet", spread=spread) == 0.1 * exp(drawn)


def test_other_draws_of_the_stream_come_between_latencies() -> None:
    """A purpose has one stream: what else is drawn from it shifts the next pair of latencies."""
    chance, reference = Chance(7), Random("7/kubelet")
    for _ in range(5):
        assert chance.latency(1.0, "kubelet") == exp(min(max(reference.gauss(0.0, 0.5), -1.0), 1.0))
        assert chance.stream("kubelet").random() == reference.random()


def test_another_seed_begins_anew() -> None:
    """After `reseed` latencies come as from the new seed, also in the midst of a pair."""
    chance, other = Chance(1), Chance(2)
    chance.latency(1.0)
    chance.reseed(2)
    for _ in range(4):
        assert chance.latency(1.0) == other.latency(1.0)
