"""Deployments on the workbench, and what the tests say of them in one line each."""

from collections.abc import Callable
from itertools import count

from gherkube.runners.objects import Key, Object, condition
from gherkube.runners.simulator.controllers.deployment_turn import REVISION
from tests.simulator.controllers.workbench import Workbench, template

WEB = Key("default", "web")


def one_by_one(first: float = 1.0, apart: float = 0.2) -> Callable[[Object], float]:
    """Pods that become ready one after another."""
    turns = count()
    return lambda _: first + apart * (next(turns) % 50)


def web(bench: Workbench) -> Object:
    found = bench.store.get("deployments", WEB)
    assert found is not None
    return found


def replica_sets(bench: Workbench) -> dict[str, Object]:
    """The replica sets by image."""
    return {
        each["spec"]["template"]["spec"]["containers"][0]["image"]: each
        for each in bench.api.list("replicasets")
    }


def conditions(bench: Workbench, since: int = 0) -> list[list[str]]:
    """The conditions of each write of the deployment, repetitions left out."""
    found: list[list[str]] = []
    for change in bench.store.log.since(since):
        if change.resource == "deployments":
            shown = [
                f"{each['type']}={each['status']} {each['reason']}"
                for each in change.object["status"].get("conditions", [])
            ]
            if not found or found[-1] != shown:
                found.append(shown)
    return found


def reason(bench: Workbench, type_: str = "Progressing") -> str:
    found = condition(web(bench), type_)
    return str(found["reason"]) if found is not None else ""


def revisions(bench: Workbench) -> dict[str, str]:
    """The revision of each image's replica set."""
    return {
        image: each["metadata"]["annotations"][REVISION]
        for image, each in sorted(replica_sets(bench).items())
    }


CREATED = "Progressing=True NewReplicaSetCreated"


UPDATED = "Progressing=True ReplicaSetUpdated"


DONE = "Progressing=True NewReplicaSetAvailable"


UP = "Available=True MinimumReplicasAvailable"


DOWN = "Available=False MinimumReplicasUnavailable"


def never_ready(image: str) -> Callable[[Object], float | None]:
    """Pods of an image that never become ready."""
    return lambda pod: None if pod["spec"]["containers"][0]["image"] == image else 1.0


def stranger(name: str, replicas: int, **labels: str) -> Object:
    """A replica set that nobody controls."""
    return {
        "metadata": {"name": name, "namespace": "default", "labels": labels},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {**template("other:1"), "metadata": {"labels": labels}},
        },
    }
