"""Paths, partial objects, numbers, and the STATUS of pods."""

from __future__ import annotations

from typing import Any

import pytest

from gherkube.runners.errors import UsageError
from gherkube.runners.expectations.count import Count, at_least, at_most, between, every, exactly, none
from gherkube.runners.expectations.partial import difference
from gherkube.runners.expectations.pod_status import pod_status
from gherkube.runners.expectations.time import duration
from gherkube.runners.jsonpath import find
from gherkube.runners.objects import Object

OBJECT = {
    "metadata": {"annotations": {"a/b.c": "x"}, "labels": {"app.kubernetes.io/name": "web"}},
    "spec": {
        "containers": [{"name": "app", "image": "i", "ports": [80]}, {"name": "log", "image": "j"}],
        "n": 0,
    },
    "status": {
        "conditions": [{"type": "Available", "status": "True"}, {"type": "Progressing", "status": "False"}]
    },
}


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("spec.n", [0]),
        (".spec.n", [0]),
        ("$.spec.n", [0]),
        ("{.spec.n}", [0]),
        ("spec.containers[0].image", ["i"]),
        ("spec.containers[-1].image", ["j"]),
        ("spec.containers[2].image", []),
        ("spec.containers[*].name", ["app", "log"]),
        ("spec.containers[0].ports[0]", [80]),
        ("spec.containers[?(@.name=='log')].image", ["j"]),
        ('spec.containers[?(@.name=="log")].image', ["j"]),
        ("spec.containers[?(@.name!='log')].image", ["i"]),
        ("spec.containers[?(@.ports)].name", ["app"]),
        ("spec.containers[?(@.ports[0]==80)].name", ["app"]),
        ("status.conditions[?(@.type=='Available')].status", ["True"]),
        ("status.conditions[?(@.type == 'Nope')].status", []),
        ("metadata.annotations['a/b.c']", ["x"]),
        ('metadata.annotations["a/b.c"]', ["x"]),
        (r"metadata.annotations.a/b\.c", ["x"]),
        (r"metadata.labels.app\.kubernetes\.io/name", ["web"]),
        ("spec.nothing", []),
        ("spec.n.deeper", []),
        ("spec.containers.image", []),
    ],
)
def test_paths(path: str, values: list[Any]) -> None:
    """The part of kubectl's JSONPath that names values; what is not there has none."""
    assert find(OBJECT, path) == values


@pytest.mark.parametrize(
    "path", ["", ".", "spec.containers[", "spec..n", "spec.[x]", "a b", "spec.x[?(y)]", "[0]x"]
)
def test_what_is_no_path(path: str) -> None:
    """Is refused, with how to write one."""
    with pytest.raises(UsageError):
        find(OBJECT, path)


@pytest.mark.parametrize(
    ("part", "told"),
    [
        ({}, ""),
        ({"spec": {"n": 0}}, ""),
        ({"spec": {"n": False}}, "spec.n is 0, not false"),
        ({"spec": {"n": "0"}}, "spec.n is 0, not 0"),
        ({"spec": {"m": None}}, "there is no spec.m"),
        ({"spec": {"containers": [{"name": "log", "image": "j"}]}}, ""),
        (
            {"spec": {"containers": [{"name": "log", "image": "i"}]}},
            "spec.containers[name=log].image is j, not i",
        ),
        ({"spec": {"containers": [{"name": "new"}]}}, "there is no spec.containers[name=new]"),
        ({"spec": {"containers": [{"image": "j"}]}}, ""),
        ({"spec": {"containers": [{"image": "k"}]}}, 'no entry of spec.containers is like {"image":"k"}'),
        ({"spec": {"containers": [{"ports": [80]}]}}, ""),
        ({"spec": {"containers": []}}, "spec.containers is "),
        ({"spec": {"n": {"x": 1}}}, 'spec.n is 0, not {"x":1}'),
        ({"spec": {"n": [1]}}, "spec.n is 0, not [1]"),
        ({"status": {"conditions": [{"type": "Progressing", "status": "False"}]}}, ""),
        (
            {"status": {"conditions": [{"type": "Available", "status": "False"}]}},
            "status.conditions[type=Available].status is True, not False",
        ),
    ],
)
def test_partial_objects(part: Object, told: str) -> None:
    """Entries of lists are found by name or type where the part names them, else any will do."""
    found = difference(part, OBJECT)
    assert found.startswith(told) if told else not found


@pytest.mark.parametrize(
    ("count", "so", "not_so"),
    [
        (exactly(4), (4, 9), (3, 9)),
        (exactly(3, of=4), (3, 4), (3, 5)),
        (at_least(3), (7, 9), (2, 9)),
        (at_most(3), (0, 0), (4, 9)),
        (between(3, 5), (5, 9), (6, 9)),
        (none(), (0, 9), (1, 9)),
        (every(), (4, 4), (4, 5)),
        (every(), (1, 1), (0, 0)),
        (every(4), (4, 4), (5, 5)),
    ],
)
def test_counts(count: Count, so: tuple[int, int], not_so: tuple[int, int]) -> None:
    """Each holds for one pair of how many out of how many, and not for another."""
    assert count.holds(*so)
    assert not count.holds(*not_so)
    assert count.distance(*not_so) > 0


@pytest.mark.parametrize("wrong", [lambda: exactly(5, of=3), lambda: between(5, 3)])
def test_impossible_counts(wrong: Any) -> None:
    """Five of three cannot be."""
    with pytest.raises(UsageError, match="5 is more than 3"):
        wrong()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(20, "20 seconds"), (1, "1 second"), (60, "1 minute"), (90, "1m30s"), (300, "5 minutes")],
)
def test_durations(seconds: float, words: str) -> None:
    """As they are written."""
    assert duration(seconds) == words


def status(
    phase: str = "Running", *containers: Object, inits: tuple[Object, ...] = (), **more: Any
) -> Object:
    return {
        "metadata": {"name": "x", **more.pop("metadata", {})},
        "spec": {"initContainers": more.pop("specs", [{"name": "i"}, {"name": "j"}][: len(inits)])},
        "status": {
            "phase": phase,
            "containerStatuses": list(containers),
            "initContainerStatuses": list(inits),
            **more,
        },
    }


def one(name: str = "app", *, ready: bool = False, **state: Any) -> Object:
    return {"name": name, "ready": ready, "state": state}


UP = one(ready=True, running={})
DONE = one(terminated={"exitCode": 0, "reason": "Completed"})
READY = [{"type": "Ready", "status": "True"}]
GOING = {"deletionTimestamp": "x"}


@pytest.mark.parametrize(
    ("pod", "shown"),
    [
        (status("Pending"), "Pending"),
        (status("Running", UP), "Running"),
        (status("Failed", reason="Evicted"), "Evicted"),
        (
            status(
                "Pending",
                conditions=[{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}],
            ),
            "SchedulingGated",
        ),
        (status("Pending", one(waiting={"reason": "ContainerCreating"})), "ContainerCreating"),
        (status("Running", one(waiting={"reason": "CrashLoopBackOff"}), UP), "CrashLoopBackOff"),
        (status("Running", UP, one(waiting={"reason": "CrashLoopBackOff"})), "CrashLoopBackOff"),
        (status("Running", one(waiting={"reason": "A"}), one(waiting={"reason": "B"})), "A"),
        (status("Running", one(terminated={"exitCode": 3, "reason": "Error"})), "Error"),
        (status("Running", one(terminated={"exitCode": 3})), "ExitCode:3"),
        (status("Running", one(terminated={"exitCode": 137, "signal": 9})), "Signal:9"),
        (status("Succeeded", DONE), "Completed"),
        (status("Running", DONE, UP, conditions=READY), "Running"),
        (status("Running", DONE, UP), "NotReady"),
        (status("Running", DONE, one("b", terminated={"exitCode": 1, "reason": "Error"})), "Completed"),
        (
            status("Pending", inits=(one("i", running={}), one("j", waiting={"reason": "PodInitializing"}))),
            "Init:0/2",
        ),
        (status("Pending", inits=(DONE, one("j", running={}))), "Init:1/2"),
        (status("Pending", inits=(one("i", waiting={"reason": "ErrImagePull"}),)), "Init:ErrImagePull"),
        (status("Pending", inits=(one("i", terminated={"exitCode": 1, "reason": "Error"}),)), "Init:Error"),
        (status("Pending", inits=(one("i", terminated={"exitCode": 2}),)), "Init:ExitCode:2"),
        (
            status(
                "Running",
                UP,
                inits=({**one("i", running={}), "started": True},),
                specs=[{"name": "i", "restartPolicy": "Always"}],
            ),
            "Running",
        ),
        (status("Running", UP, metadata=GOING), "Terminating"),
        (status("Succeeded", DONE, metadata=GOING), "Completed"),
        (status("Running", UP, metadata=GOING, reason="NodeLost"), "Unknown"),
    ],
)
def test_status_of_a_pod(pod: Object, shown: str) -> None:
    """The column that kubectl prints."""
    assert pod_status(pod) == shown
