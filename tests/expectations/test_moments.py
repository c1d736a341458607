"""Of which moment a failure tells: that at which a window broke, that at which a count came nearest."""

from __future__ import annotations

import re

import pytest

from gherkube.runners.errors import ApiError, Refused
from gherkube.runners.expectations.count import exactly
from gherkube.runners.expectations.endpoints import EndpointsStatement
from gherkube.runners.expectations.failure import ExpectationFailed
from gherkube.runners.expectations.statement import Statement
from gherkube.runners.expectations.time import AtSomeTime
from gherkube.runners.expectations.workloads import WorkloadStatement
from gherkube.runners.report.failure import block
from tests.expectations.fakes import SERVICE, WEB, deployment, endpoints, pod, service, three_pods
from tests.expectations.scenarios import fails

UPDATED = """
        Given deployment "web" runs 4 replicas of "hello:1" with
          | maxUnavailable | 1 |
        And service "web" for deployment "web" on port 8080
        And requests to service "web" every 100 milliseconds
        And image "hello:2" does not exist
        And image "hello:3" crashes after 12 seconds
        When I update it to "hello:2"
        And 30 seconds pass
        And I undo the rollout
        Then the rollout completes
"""
ALLOWED = 'the rolling update of deployment "web" may have 1 of 4 pods unavailable (maxUnavailable 1)'


@pytest.mark.parametrize(
    ("sentence", "found"),
    [
        ("And throughout, 4 pods were ready", r"3 ready \(.*\) at t\+0\.\d s"),
        ("And no pods were created", r"\d created \(.*\), too many from t\+0\.\d s on"),
        (
            "And the 4 pods that were ready all along were never restarted",
            r"3 .*, too few from t\+0\.\d s on",
        ),
        ("And pods were replaced one at a time", r"2 pods were not ready at the same time at t\+0\.\d s"),
    ],
)
def test_what_was_going_on_when_a_window_broke(sentence: str, found: str) -> None:
    """The causes and the history are those of that moment: the rollout, not what it came to."""
    failure = fails(f"{UPDATED}        {sentence}")
    assert re.fullmatch(found, failure.found), failure.found
    assert any('deployment "web" waits for replica set' in line for line in failure.why)
    assert not any("Failed to pull" in line for line in failure.why)
    assert "image set to hello:2" in failure.history[0]
    assert not any("hello:1" in line for line in failure.history)
    assert ("throughout" in sentence) == (ALLOWED in failure.why)


def test_what_was_going_on_when_a_request_was_lost() -> None:
    """The service's pods, and what the rolling update behind it may do."""
    failure = fails(
        """
        Given deployment "web" runs 2 replicas of "hello:1" with
          | maxUnavailable | 2 |
          | maxSurge       | 0 |
        And service "web" for deployment "web" on port 8080
        And requests to service "web" every 100 milliseconds
        When I update it to "hello:2"
        Then the rollout completes
        And throughout, every request to service "web" was answered
        """
    )
    assert failure.why[0].endswith("may have 2 of 2 pods unavailable (maxUnavailable 2)")
    assert failure.why[1] == 'service "web" selects "app=web": 0 of 2 pods are ready'


def test_when_what_was_to_stay_ended() -> None:
    """At its time, and how long after the beginning that was."""
    failure = fails(
        """
        Given deployment "web" runs 1 replica of "hello:1"
        And image "hello:3" crashes after 12 seconds
        When I update it to "hello:3"
        Then the rollout completes
        And for 1 minute, 1 pod is ready
        """
    )
    assert re.fullmatch(r"none ready; .* at t\+1\d\.\d s, \d+\.\d s after it began", failure.found)


@pytest.mark.parametrize(
    ("statement", "nearest"),
    [
        (WorkloadStatement.replicas(WEB, ready=exactly(5)), "4 ready replicas at t+2.0 s"),
        (EndpointsStatement(SERVICE, count=exactly(3)), "2 endpoints (web-1-a, -b) at t+2.0 s"),
    ],
)
def test_the_moment_that_came_nearest(statement: Statement, nearest: str) -> None:
    """Of counts, where it is farther away at the end."""
    script = three_pods().put(0, "services", service()).put(0, "endpointslices", endpoints())
    script.put(3, "deployments", deployment(status={"readyReplicas": 4}))
    script.put(3, "endpointslices", endpoints(pod("a"), pod("b")))
    script.put(6, "deployments", deployment(status={"readyReplicas": 1})).put(
        6, "endpointslices", endpoints()
    )
    judge = script.judge(when=1)
    script.sleep(20)
    with pytest.raises(ExpectationFailed) as failed:
        judge.judge(statement, AtSomeTime())
    assert failed.value.failure.nearest == nearest


def test_the_rest_of_the_evidence() -> None:
    """All of the history, and the status of the workload and of a pod that is not well."""
    failure = fails(
        """
        Given deployment "web" runs 3 replicas of "hello:1"
        And image "hello:2" does not exist
        When I update it to "hello:2"
        Then the rollout completes
        """
    )
    rest = failure.rest()
    assert rest[0] == "  whole     t+0.0 s  image set to hello:2 (revision 2)"
    assert any(line.startswith("  status    Deployment web") for line in rest)
    assert any(line.strip() == "reason: ErrImagePull" for line in rest)


def test_a_refusal_names_its_causes() -> None:
    """Those that the API server adds to its message: the budget that an eviction would violate."""
    cause = {
        "reason": "DisruptionBudget",
        "message": "The disruption budget keep needs 2 healthy pods and has 2",
    }
    message = "Cannot evict pod as it would violate the pod's disruption budget."
    error = ApiError(429, "TooManyRequests", message, {"causes": [cause]})
    told = block("a.feature:3  When I drain node", Refused(f"error when evicting: {message}", error), "again")
    assert told.splitlines()[1:] == [
        f"  refused   error when evicting: {message}",
        "  why       The disruption budget keep needs 2 healthy pods and has 2",
        "  next      again",
    ]
