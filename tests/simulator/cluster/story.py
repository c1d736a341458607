"""The bootcamp tutorial, played through the simulator's API: what several tests and another process run."""

from __future__ import annotations

import hashlib
import json
import sys

from gherkube.runners.objects import Key, Object
from gherkube.runners.simulator.cluster import Simulator

NAME, IMAGE = "kubernetes-bootcamp", "jocatalin/kubernetes-bootcamp"


class Story:
    """A simulator with the tutorial's deployment and service."""

    def __init__(self, seed: int) -> None:
        self.simulator = Simulator(seed)
        self.api, self.clock = self.simulator.api, self.simulator.clock
        labels = {"app": NAME}
        container = {"name": NAME, "image": f"{IMAGE}:v1", "ports": [{"containerPort": 8080}]}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
        spec = {"replicas": 4, "selector": {"matchLabels": labels}, "template": template}
        self.api.create(
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": NAME}, "spec": spec}
        )
        ports = {"type": "NodePort", "selector": labels, "ports": [{"port": 8080}]}
        self.api.create({"apiVersion": "v1", "kind": "Service", "metadata": {"name": NAME}, "spec": ports})

    def update(self, tag: str) -> None:
        """Sets the image to that tag."""
        container = {"name": NAME, "image": f"{IMAGE}:{tag}"}
        patch = {"spec": {"template": {"spec": {"containers": [container]}}}}
        self.api.patch("deployments", NAME, patch, "default")

    @property
    def status(self) -> Object:
        status: Object = self.api.get("deployments", NAME, "default").get("status", {})
        return status

    def completes(self, within: float = 60.0) -> bool:
        """Whether the rollout completes in time, which passes meanwhile."""

        def complete() -> bool:
            deployment, status = self.api.get("deployments", NAME, "default"), self.status
            replicas = deployment["spec"]["replicas"]
            return status.get("observedGeneration", 0) >= deployment["metadata"]["generation"] and all(
                status.get(field, 0) == replicas
                for field in ("replicas", "updatedReplicas", "availableReplicas")
            )

        return self.clock.wait(complete, within, resources=("deployments",))

    def pods(self, tag: str = "") -> dict[str, Object]:
        """The pods by uid, or those of a tag."""
        return {
            pod["metadata"]["uid"]: pod
            for pod in self.api.list("pods", "default")
            if not tag or pod["spec"]["containers"][0]["image"] == f"{IMAGE}:{tag}"
        }

    def play(self) -> Simulator:
        """v1, v2, v10, and back to v2, with requests on the way."""
        self.completes()
        self.simulator.traffic.flow(Key("default", NAME), 0.5)
        self.update("v2")
        self.completes()
        self.update("v10")
        self.completes()
        self.update("v2")
        self.completes()
        return self.simulator


def digest(simulator: Simulator) -> str:
    """All that happened, byte for byte, in short."""
    whole = hashlib.sha256()
    for change in simulator.history.since():
        whole.update(json.dumps((change.at, change.type, change.resource, change.object)).encode())
    for request in simulator.traffic.requests:
        whole.update(json.dumps(request).encode())
    return whole.hexdigest()


if __name__ == "__main__":
    print([digest(Story(int(seed)).play()) for seed in sys.argv[1:]])
