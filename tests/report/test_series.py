"""What the page draws, from a hand-made history: lives, counts, bounds, requests, what happened."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from gherkube.runners.report.page import charts
from gherkube.runners.report.page.figure import MOST_PODS, _took, clock, figure
from gherkube.runners.report.page.lives import FAILING, PENDING, READY, RUNNING, STARTING, TERMINATING
from gherkube.runners.report.page.series import Bounds, Count, Replicas, bins, losses, series


def owned(by, kind, name, uid):
    metadata = {"name": name, "uid": uid, "namespace": "default"}
    if by:
        metadata["ownerReferences"] = [
            {"apiVersion": "apps/v1", "kind": kind, "name": by[0], "uid": by[1], "controller": True}
        ]
    return metadata


def deployment(image="hello:1", replicas=4, wait=0):
    return {
        "kind": "Deployment",
        "metadata": owned(None, "", "web", "d"),
        "spec": {
            "replicas": replicas,
            "minReadySeconds": wait,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 1}},
            "template": {"spec": {"containers": [{"name": "app", "image": image}]}},
        },
    }


def replica_set(name, revision):
    metadata = owned(("web", "d"), "Deployment", name, name)
    metadata["annotations"] = {"deployment.kubernetes.io/revision": str(revision)}
    spec = {"replicas": 1, "template": {"spec": {"containers": [{"name": "app", "image": "hello:1"}]}}}
    return {"kind": "ReplicaSet", "metadata": metadata, "spec": spec}


def pod(name, maker="web-1", *, node="", waiting="", running=False, ready=False, deleting=False):
    metadata = owned((maker, maker), "ReplicaSet", name, name)
    if deleting:
        metadata["deletionTimestamp"] = "2025-01-01T00:00:00Z"
    state = {"running": {}} if running else {"waiting": {"reason": waiting}}
    status = {"phase": "Running" if running else "Pending"}
    if node:
        status["containerStatuses"] = [{"name": "app", "state": state, "ready": ready}]
        status["conditions"] = [{"type": "Ready", "status": str(ready)}]
    return {
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"containers": [{"name": "app", "image": "hello:1"}], **({"nodeName": node} if node else {})},
        "status": status,
    }


def line(at, resource, obj, kind="MODIFIED"):
    return json.dumps({"at": at, "type": kind, "resource": resource, "object": obj}, separators=(",", ":"))


LIFE = [
    line(0, "deployments", deployment(wait=2), "ADDED"),
    line(0.1, "replicasets", replica_set("web-1", 1), "ADDED"),
    line(1, "pods", pod("web-1-a"), "ADDED"),
    line(2, "pods", pod("web-1-a", node="n1", waiting="ContainerCreating")),
    line(2.5, "pods", pod("web-1-a", node="n1", waiting="ContainerCreating")),
    line(3, "pods", pod("web-1-a", node="n1", running=True)),
    line(4, "pods", pod("web-1-a", node="n1", running=True, ready=True)),
    line(8, "pods", pod("web-1-a", node="n1", running=True, ready=True, deleting=True)),
    line(9, "pods", pod("web-1-a", node="n1", running=True, ready=True, deleting=True), "DELETED"),
    line(9.5, "pods", pod("web-1-b"), "ADDED"),
    line(10, "pods", pod("web-1-b", node="n2", waiting="ImagePullBackOff")),
]


def test_a_life_is_stretches_of_one_state_each():
    """Changes that change no state make no stretch; a pod that is still there lives to the end."""
    (group,) = series(LIFE, [], 12.0).groups
    first, second = group.lives
    assert [(span.start, span.end, span.state, span.label) for span in first.spans(12.0)] == [
        (1, 2, PENDING, "Pending"),
        (2, 3, STARTING, "ContainerCreating"),
        (3, 4, RUNNING, "running, not ready"),
        (4, 8, READY, "ready"),
        (8, 9, TERMINATING, "Terminating"),
    ]
    assert [(span.start, span.end, span.state, span.label) for span in second.spans(12.0)] == [
        (9.5, 10, PENDING, "Pending"),
        (10, 12, FAILING, "ImagePullBackOff"),
    ]
    assert (first.node, second.failed) == ("n1", True)


def test_pods_are_grouped_by_the_revision_that_made_them():
    """A ReplicaSet that got another number by an undo tells both; the owner may be gone."""
    again = line(11, "replicasets", replica_set("web-1", 3))
    other = [
        line(12, "replicasets", replica_set("web-2", 2), "ADDED"),
        line(12, "pods", pod("web-2-x", "web-2"), "ADDED"),
        line(13, "replicasets", replica_set("web-2", 2), "DELETED"),
    ]
    alone = pod("alone")
    del alone["metadata"]["ownerReferences"]
    groups = series([*LIFE, again, *other, line(13, "pods", alone, "ADDED")], [], 0).groups
    assert [(group.maker, group.revisions, len(group.lives)) for group in groups] == [
        ("web-1", [1, 3], 2),
        ("web-2", [2], 1),
        ("", [], 1),
    ]
    assert groups[0].workload == groups[1].workload == ("Deployment", ("default", "web"))
    assert groups[2].workload is None


def test_counts_follow_the_pods_and_wait_for_min_ready_seconds():
    """A terminating pod is neither active, ready nor available; available comes 2 seconds after ready."""
    (count,) = series(LIFE, [], 12.0).counts
    assert count.replicas == [
        Replicas(1, 0, 0, 1),
        Replicas(4, 1, 0, 1),
        Replicas(6, 1, 1, 1),
        Replicas(8, 0, 0, 0),
        Replicas(9.5, 0, 0, 1),
    ]


def test_bounds_follow_the_deployment():
    """Desired less maxUnavailable to desired and maxSurge, rounded up, from each scaling on."""
    more = [
        line(11, "deployments", deployment("hello:2", wait=2)),
        line(12, "deployments", deployment("hello:2", replicas=6, wait=2)),
        line(13, "deployments", deployment("hello:2", replicas=6, wait=2), "DELETED"),
    ]
    (count,) = series([*LIFE, *more], [], 0).counts
    assert count.bounds == [Bounds(0, 4, 3, 5), Bounds(12, 6, 5, 8), Bounds(13, 0, 0, 0)]
    assert count.top == 8


def test_whens_and_what_nobody_said_are_marked():
    """A When stands for what it changes; what happens by itself, and faults, are told besides."""
    steps = [
        {"at": 0.0, "step": "Given x", "kind": "given", "outcome": "passed"},
        {"at": 11.0, "step": "When I update it", "kind": "when", "outcome": "passed"},
    ]
    down = {"kind": "Node", "metadata": {"name": "n1"}, "spec": {}}
    node = [
        {**down, "status": {"conditions": [{"type": "Ready", "status": status}]}}
        for status in ("True", "Unknown")
    ]
    more = [
        line(0, "nodes", node[0], "ADDED"),
        line(11.1, "deployments", deployment("hello:2", wait=2)),
        line(14, "nodes", node[1]),
        line(15, "deployments", deployment("hello:3", wait=2)),
    ]
    assert series([*LIFE, *more], steps, 0).marks == [
        (11.0, "act", "When I update it"),
        (14, "fault", "node n1 is down (Ready Unknown)"),
        (15, "rollout", "image set to hello:3"),
    ]


def request(at, code, image="hello:1", body="hi"):
    told = {"service": "default/web", "pod": "p", "image": image if code else "", "code": code, "body": body}
    return json.dumps({"at": at, "request": told})


def test_requests_are_counted_and_losses_joined():
    """Below 500 is an answer; losses without an answer between them are one stretch."""
    lines = [
        request(1, 200),
        request(2, 404),
        request(3, 503),
        request(4, 0, body="refused"),
        request(5, 200, "hello:2"),
    ]
    asked = series(lines, [], 10.0).requests["default/web"]
    assert losses(asked) == [(3, 4, Counter({"status 503": 1, "refused": 1}))]
    width, counted = bins(asked, 10.0)
    assert width == 2
    assert counted[1] == (Counter({"hello:1": 1}), 1)
    assert sum(each.lost for each in counted) == 2
    assert sum(each.answered.total() for each in counted) == 3


def test_other_lines_are_not_read():
    """Events and other kinds, most of a history, cost nothing: not even a parse."""
    assert series(['{"at":1.0,"type":"ADDED","resource":"events","object":not json}'], [], 3.0).end == 3.0


def test_what_is_left_out_is_said_and_no_revision_goes_without():
    """Of many pods each group shows some; the page knows how many it does not show."""
    lines = [
        line(n, "pods", pod(f"{maker}-{n}", maker), "ADDED")
        for maker in ("web-1", "web-2")
        for n in range(60)
    ]
    sets = [line(0, "replicasets", replica_set(f"web-{n}", n), "ADDED") for n in (1, 2)]
    shown = figure(series([*LIFE[:1], *sets, *lines], [], 60.0), [])
    assert shown["left_out"] == 120 - MOST_PODS
    assert [(len(group["pods"]), group["more"]) for group in shown["groups"]] == [(20, 40), (20, 40)]


def test_a_chart_is_bare_paths_on_the_page_s_own_scale():
    """From 0 to the end across 1000 units, from 0 up to the top of 100; a count keeps until the next."""
    count = Count(("Job", ("", "j")), [Replicas(0, 0, 0, 1), Replicas(5, 1, 1, 2)], [], 2)
    drawn = charts.replicas(count, 10)
    assert drawn.startswith('<svg viewBox="20 2 1000 100"')
    assert '<path class="ready" d="M20 102 L520 102 520 52 1020 52"/>' in drawn
    assert '<path class="active" d="M20 52 L520 52 520 2 1020 2"/>' in drawn


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0.0 s"), (0.042, "0.04 s"), (12.34, "12.3 s"), (119.97, "2 min"), (310.2, "5 min 10 s")],
)
def test_times_are_told_as_people_tell_them(seconds, words):
    """Seconds up to two minutes, then minutes."""
    assert clock(seconds) == words


def test_what_requests_came_to() -> None:
    """How long answers took and which way they went is told where the history says so."""
    line = '{"at":1.0,"requests":{"service":"default/web","way":"node port 30080","p50":0.002,"p99":0.25}}'
    summed = series([line], [], 2.0).sums["default/web"]
    assert _took(summed) == "half answered within 2 ms, 99% within 250 ms, through node port 30080"
    assert _took({"p50": None, "p99": None}) == ""
