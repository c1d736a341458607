"""`rollout status`: the first that applies, in kubectl's order and words."""

from __future__ import annotations

from typing import Any

import pytest

from gherkube.runners.kubectl import rollout_status

LATE = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
WAITING = 'Waiting for deployment "web" rollout to finish: '


@pytest.mark.parametrize(
    ("status", "message", "done", "failed"),
    [
        ({"observedGeneration": 1}, "Waiting for deployment spec update to be observed...", False, False),
        ({"conditions": [LATE]}, 'error: deployment "web" exceeded its progress deadline', False, True),
        ({"replicas": 5}, WAITING + "0 out of 4 new replicas have been updated...", False, False),
        (
            {"updatedReplicas": 2, "replicas": 5},
            WAITING + "2 out of 4 new replicas have been updated...",
            False,
            False,
        ),
        (
            {"updatedReplicas": 4, "replicas": 5},
            WAITING + "1 old replicas are pending termination...",
            False,
            False,
        ),
        (
            {"updatedReplicas": 4, "replicas": 4, "availableReplicas": 3},
            WAITING + "3 of 4 updated replicas are available...",
            False,
            False,
        ),
        (
            {"updatedReplicas": 4, "replicas": 4, "availableReplicas": 4},
            'deployment "web" successfully rolled out',
            True,
            False,
        ),
    ],
)
def test_status(status: dict[str, Any], message: str, done: bool, failed: bool) -> None:
    """Of a Deployment of four replicas in generation 2."""
    metadata = {"name": "web", "generation": 2}
    judged = rollout_status(
        {
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {"replicas": 4},
            "status": {"observedGeneration": 2, **status},
        }
    )
    assert judged == (message, done, failed)


def judged(kind: str, spec: dict[str, Any], status: dict[str, Any]) -> tuple[str, bool, bool]:
    """The status of "db" in generation 2, as it was observed."""
    metadata = {"name": "db", "generation": 2}
    observed = {"observedGeneration": 2, **status}
    return rollout_status({"kind": kind, "metadata": metadata, "spec": spec, "status": observed})


ROLLING = {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}
ONLY_ROLLING = "error: rollout status is only available for RollingUpdate strategy type"


@pytest.mark.parametrize(
    ("status", "message", "done"),
    [
        ({"observedGeneration": 1}, "Waiting for statefulset spec update to be observed...", False),
        ({"readyReplicas": 1, "updatedReplicas": 3}, "Waiting for 2 pods to be ready...", False),
        (
            {"readyReplicas": 3, "updatedReplicas": 1},
            "Waiting for partitioned roll out to finish: 1 out of 2 new pods have been updated...",
            False,
        ),
        (
            {"readyReplicas": 3, "updatedReplicas": 2},
            "partitioned roll out complete: 2 new pods have been updated...",
            True,
        ),
    ],
)
def test_the_status_of_a_stateful_set(status: dict[str, Any], message: str, done: bool) -> None:
    """Of three replicas, of which the lowest is not updated; pods that are not ready are told first."""
    spec = {"replicas": 3, "updateStrategy": ROLLING}
    assert judged("StatefulSet", spec, status) == (message, done, False)


@pytest.mark.parametrize(
    ("current", "message", "done"),
    [
        ("db-1", "waiting for statefulset rolling update to complete 3 pods at revision db-2...", False),
        ("db-2", "statefulset rolling update complete 3 pods at revision db-2...", True),
    ],
)
def test_the_status_of_a_stateful_set_without_a_rolling_update_block(
    current: str, message: str, done: bool
) -> None:
    """It is judged by its revisions."""
    spec = {"replicas": 3, "updateStrategy": {"type": "RollingUpdate"}}
    counts = {"readyReplicas": 3, "updatedReplicas": 3, "currentReplicas": 3}
    status = {**counts, "currentRevision": current, "updateRevision": "db-2"}
    assert judged("StatefulSet", spec, status) == (message, done, False)


@pytest.mark.parametrize(
    ("status", "message", "done"),
    [
        ({"observedGeneration": 1}, "Waiting for daemon set spec update to be observed...", False),
        (
            {"updatedNumberScheduled": 1},
            'Waiting for daemon set "db" rollout to finish: 1 out of 3 new pods have been updated...',
            False,
        ),
        (
            {"updatedNumberScheduled": 3, "numberAvailable": 2},
            'Waiting for daemon set "db" rollout to finish: 2 of 3 updated pods are available...',
            False,
        ),
        (
            {"updatedNumberScheduled": 3, "numberAvailable": 3},
            'daemon set "db" successfully rolled out',
            True,
        ),
    ],
)
def test_the_status_of_a_daemon_set(status: dict[str, Any], message: str, done: bool) -> None:
    """Of one that is to be on three nodes."""
    spec = {"updateStrategy": {"type": "RollingUpdate"}}
    assert judged("DaemonSet", spec, {"desiredNumberScheduled": 3, **status}) == (message, done, False)


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet"])
def test_there_is_no_status_of_a_rollout_by_hand(kind: str) -> None:
    """Of strategy OnDelete."""
    spec = {"replicas": 3, "updateStrategy": {"type": "OnDelete"}}
    assert judged(kind, spec, {"readyReplicas": 3}) == (ONLY_ROLLING, False, True)
