"""A large rollout on the simulator, for the benchmarks that need one."""

from __future__ import annotations

from typing import NamedTuple

from gherkube.runners.simulator.cluster import Simulator


class Rollout(NamedTuple):
    """What a rollout took: changes in the history, virtual seconds, and pods ready at the end."""

    changes: int
    virtual: float
    ready: int


def deployment(name: str, replicas: int, image: str) -> dict[str, object]:
    """A deployment of one container."""
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "app", "image": image}], "terminationGracePeriodSeconds": 5},
            },
        },
    }


def roll(nodes: int, deployments: int, replicas: int) -> Rollout:
    """Creates the deployments and rolls all their pods to a new version."""
    cluster = Simulator(seed=1, nodes=nodes)
    names = [f"web-{number}" for number in range(deployments)]
    for name in names:
        cluster.api.create(deployment(name, replicas, "hello:1"), namespace="default")

    def complete() -> bool:
        objects = (cluster.api.get("deployments", name, "default") for name in names)
        return all(
            obj["status"].get("observedGeneration") == obj["metadata"]["generation"]
            and obj["status"].get("updatedReplicas") == replicas
            and obj["status"].get("replicas") == replicas
            and obj["status"].get("availableReplicas") == replicas
            for obj in objects
        )

    for image in ("hello:1", "hello:2"):
        patch = {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": image}]}}}}
        for name in names:
            cluster.api.patch("deployments", name, patch, "default")
        if not cluster.clock.wait(complete, 3600, resources=["deployments"]):
            raise SystemExit(f"{image} was not rolled out within a virtual hour")
    return Rollout(len(cluster.history), cluster.clock.now(), deployments * replicas)
