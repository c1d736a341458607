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
        {"metadata": metadata, "spec": {"replicas": 4}, "status": {"observedGeneration": 2, **status}}
    )
    assert judged == (message, done, failed)
