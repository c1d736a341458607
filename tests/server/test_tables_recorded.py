"""Tables against recordings: what kubectl printed on a real cluster, from the objects recorded there.

A recording knows when it saw an object, kubectl printed ages by the cluster's clock: the first second of
a recording is found from the objects' own times, to within a fraction of a second. So an output agrees
when it does at some moment while the command ran, or within a second of that.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from gherkube.runners.objects import Object
from gherkube.runners.report.facts import NOISY, Recording
from gherkube.runners.simulator.api.resources import Resource
from gherkube.runners.simulator.server.tables import table
from tests.golden.recording import read
from tests.server.rendering import rendered

GOLDEN = Path(__file__).parents[1] / "golden"
RESOURCES = {
    name: resource
    for resource in (
        Resource("pods", "", "v1", "Pod", True, ("po",)),
        Resource("nodes", "", "v1", "Node", False, ("no",)),
        Resource("events", "", "v1", "Event", True, ("ev",)),
        Resource("deployments", "apps", "v1", "Deployment", True, ("deploy",)),
        Resource("replicasets", "apps", "v1", "ReplicaSet", True, ("rs",)),
        Resource("statefulsets", "apps", "v1", "StatefulSet", True, ("sts",)),
        Resource("daemonsets", "apps", "v1", "DaemonSet", True, ("ds",)),
        Resource("jobs", "batch", "v1", "Job"),
        Resource("controllerrevisions", "apps", "v1", "ControllerRevision"),
        Resource("services", "", "v1", "Service", True, ("svc",)),
        Resource("endpoints", "", "v1", "Endpoints", True, ("ep",)),
        Resource("persistentvolumeclaims", "", "v1", "PersistentVolumeClaim", True, ("pvc",)),
        Resource("poddisruptionbudgets", "policy", "v1", "PodDisruptionBudget", True, ("pdb",)),
        Resource("endpointslices", "discovery.k8s.io", "v1", "EndpointSlice"),
    )
    for name in (resource.name, resource.singular, *resource.short_names)
}
UNWATCHED = frozenset({"configmaps", "limits", "limitranges", "secrets"})
"""What recordings do not hold."""
FORMS = ([], ["-o", "wide"], ["--show-labels"])


def asked(action: dict[str, Any]) -> tuple[Resource, str, list[str]] | None:
    """What a recorded command gets as a table: resource, name or "", options; None for other commands."""
    argv = list(action.get("argv", ()))
    if "get" not in argv or not action["stdout"]:
        return None
    resource, *rest = argv[argv.index("get") + 1 :]
    name = rest.pop(0) if rest and not rest[0].startswith("-") else ""
    several = "," in resource  # as many tables
    if rest not in FORMS or several or resource in UNWATCHED:
        return None
    return RESOURCES[resource], name, rest


def outputs() -> Iterator[Any]:
    for folder in sorted((*GOLDEN.glob("recordings/*"), *GOLDEN.glob("again/*"))):
        for at, action in enumerate(recording(folder).actions):
            if asked(action):
                yield pytest.param(folder, at, id=f"{folder.parent.name}-{folder.name}-{at}")


@cache
def recording(folder: Path) -> Recording:
    return read(folder)


def seconds(timestamp: str) -> float:
    return datetime.fromisoformat(timestamp).timestamp()


@cache
def begun(folder: Path) -> float:
    """When the recording's clock read 0: no object was seen before the second in which it was made."""
    return max(
        seconds(event["object"]["metadata"]["creationTimestamp"]) - event["t"]
        for event in recording(folder).watch
        if event["type"] == "ADDED" and event["resource"] not in NOISY and "metadata" in event["object"]
    )


def objects(folder: Path, resource: str, until: float) -> list[Object]:
    """The recorded objects of a resource at a time, by name."""
    found: dict[str, Object] = {}
    for event in recording(folder).watch:
        if event["resource"] == resource and event["t"] <= until and "metadata" in event["object"]:
            name = event["object"]["metadata"]["name"]
            if event["type"] == "DELETED":
                found.pop(name, None)
            else:
                found[name] = event["object"]
    return [found[name] for name in sorted(found)]


def printed(folder: Path, resource: Resource, name: str, rest: list[str], until: float, now: float) -> str:
    items = [
        obj for obj in objects(folder, resource.name, until) if not name or obj["metadata"]["name"] == name
    ]
    shown = table(resource, {"metadata": {}, "items": items}, now=now)
    return rendered(shown, wide="wide" in rest, show_labels="--show-labels" in rest)


@pytest.mark.parametrize(("folder", "at"), list(outputs()))
def test_a_table_reads_as_the_real_one(folder: Path, at: int) -> None:
    """Columns, values, ages and order are those that kubectl printed, to the byte."""
    action = recording(folder).actions[at]
    resource, name, rest = asked(action) or pytest.fail("not a table")
    first = -4 - round(4 * action["seconds"])  # a command is written down when it has ended
    moments = [(until, offset / 4) for until in (0.0, 0.3, -0.3) for offset in range(first, 9)]
    found = {
        printed(folder, resource, name, rest, action["t"] + until, begun(folder) + action["t"] + later)
        for until, later in moments
    }
    assert action["stdout"] in found, "\n".join([action["stdout"], *sorted(found)[:2]])


def test_the_recordings_hold_enough_to_judge_by() -> None:
    """So that the comparison above is known to compare something."""
    texts = [recording(folder).actions[at]["stdout"] for folder, at in (param.values for param in outputs())]
    assert sum(text.count("\n") for text in texts) > 400
    for word in ("CrashLoopBackOff", "Terminating", "NotReady", "SchedulingDisabled", "(8s ago)"):
        assert any(word in text for text in texts), word
