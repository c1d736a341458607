"""Waiting ends early only where it is in vain.

Each made-up rollout is judged; where the judge gives up with "cannot become true", a patient judge goes on
waiting on the same cluster, far longer than anybody would, and must not see it become true.

`python -m tests.expectations.test_cannot 5000` does so with that many rollouts and counts: …
"""

from __future__ import annotations

import sys
from collections import Counter

from hypothesis import HealthCheck, Phase, given, settings

from gherkube.runners.errors import GherkubeError, UsageError
from gherkube.runners.expectations.failure import ExpectationFailed
from gherkube.runners.expectations.judge import Judge
from gherkube.runners.expectations.time import Becomes
from tests.expectations.rollouts import Patient, Rollout, act, play, rollouts

PATIENCE = 300.0
LONG = 2000.0
"""Seconds that the patient judge waits: more than any back-off, deadline or eviction takes."""
COUNTED: Counter[str] = Counter()


def gives_up_too_early(rollout: Rollout) -> str:
    """What the judge said though it became true later; "" when it was right, or did not give up."""
    simulator = play(rollout)
    judge = Judge(simulator, PATIENCE)
    for what, argument, after in rollout.acts:
        simulator.clock.sleep(after)
        judge.first_when = judge.first_when or judge.moment()
        act(simulator, what, argument)
    judge.last_when = simulator.clock.now()
    COUNTED["rollouts"] += 1
    try:
        judge.judge(rollout.statement, Becomes())
    except ExpectationFailed as failed:
        said = failed.failure.unreachable
    except UsageError:
        COUNTED["cannot be asked"] += 1
        return ""
    else:
        COUNTED["became true"] += 1
        return ""
    if not said:
        COUNTED["waited in vain to the end"] += 1
        return ""
    COUNTED["ended early"] += 1
    COUNTED[f"  {said.partition(' pod web')[0].partition(' revision')[0]}"] += 1
    patient = Patient(simulator, LONG)
    patient.first_when = judge.first_when
    try:
        patient.judge(rollout.statement, Becomes())
    except GherkubeError:
        return ""
    return f"{said}; but {rollout.statement.text} at {simulator.clock.now():.1f} s"


@settings(max_examples=60, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(rollouts())
def test_never_gives_up_on_what_would_have_come_true(rollout: Rollout) -> None:
    """However the rollout goes, and whatever is said of it."""
    assert not gives_up_too_early(rollout)


def main(examples: int) -> None:
    """Tries that many rollouts and prints what became of them."""
    deep = settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )

    @deep
    @given(rollouts())
    def search(rollout: Rollout) -> None:
        assert not (words := gives_up_too_early(rollout)), words

    try:
        search()
    finally:
        for what, count in COUNTED.items():
            print(f"{count:6} {what}")


if __name__ == "__main__":
    main(int(sys.argv[1]))
