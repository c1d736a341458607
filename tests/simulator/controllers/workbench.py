"""A cluster without nodes: the controllers, and a kubelet that only makes pods ready and lets them go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gherkube.runners.history import ADDED, Change
from gherkube.runners.objects import ENDED, Object, is_deleting, key_of
from gherkube.runners.simulator.api.server import ApiServer
from gherkube.runners.simulator.clock import Chance, Clock
from gherkube.runners.simulator.controllers.deployment import DeploymentController
from gherkube.runners.simulator.controllers.garbage import GarbageController
from gherkube.runners.simulator.controllers.namespace import NamespaceController
from gherkube.runners.simulator.controllers.replicaset import ReplicaSetController
from gherkube.runners.simulator.controllers.runtime import WATCH_LAG, Informers
from gherkube.runners.simulator.store import Store

READY = [{"type": "Ready", "status": "True"}]


class Workbench:
    """The controllers at work on a store.

    Pods are bound and become ready `ready_after` seconds after their creation (None: never; a function
    of the pod may say), and go `gone_after` seconds after their deletion. The controllers see pods
    `pod_lag` seconds late. Without `counting` nobody does what the replica sets ask for.
    """

    def __init__(
        self,
        seed: int = 0,
        *,
        ready_after: float | Callable[[Object], float | None] | None = 1.0,
        gone_after: float = 1.0,
        pod_lag: float = WATCH_LAG,
        counting: bool = True,
    ) -> None:
        self.clock, self.chance = Clock(), Chance(seed)
        self.store = Store(self.clock)
        self.api = ApiServer(self.store, self.chance)
        informers = Informers(self.store, self.chance)
        informers.of("pods").lag = pod_lag
        DeploymentController(self.api, informers, self.chance)
        if counting:
            ReplicaSetController(self.api, informers, self.chance)
        GarbageController(self.api, informers, self.chance)
        NamespaceController(self.api, informers, self.chance)
        self.ready_after, self.gone_after = ready_after, gone_after
        self.store.watch("pods", self._pod_changed)

    def run(self, seconds: float) -> None:
        """Lets that much time pass."""
        self.clock.run_until(self.clock.now + seconds)

    def deployment(self, replicas: int = 4, image: str = "hello:1", **spec: Any) -> Object:
        """Creates the deployment "web"."""
        return self.api.create_trusted("deployments", deployment(replicas, image, **spec))

    def update(self, **spec: Any) -> Object:
        """Changes fields of the spec of the deployment "web"."""
        old = self.api.get("deployments", "web", "default")
        return self.api.replace_trusted("deployments", {**old, "spec": {**old["spec"], **spec}})

    def set_image(self, image: str) -> Object:
        """Changes the image of the deployment "web"."""
        return self.update(template=template(image))

    def sizes(self) -> dict[str, int]:
        """What the replica sets ask for, by image."""
        return {
            each["spec"]["template"]["spec"]["containers"][0]["image"]: each["spec"]["replicas"]
            for each in self.api.list("replicasets")
        }

    def active(self) -> list[Object]:
        """The pods that neither go nor have ended."""
        return [
            pod
            for pod in self.api.list("pods")
            if not is_deleting(pod) and pod["status"].get("phase") not in ENDED
        ]

    def events(self, reason: str = "") -> list[str]:
        """The messages of the events of that reason, in order."""
        found = [change.object for change in self.store.log.since() if change.resource == "events"]
        return [each["message"] for each in found if not reason or each["reason"] == reason]

    def make_ready(self, pod: Object, ready: bool = True) -> None:
        """Writes the pod's Ready condition."""
        stamp = {"lastTransitionTime": self.clock.timestamp(), "status": "True" if ready else "False"}
        status = {**pod["status"], "phase": "Running", "conditions": [{**READY[0], **stamp}]}
        self.api.put_status("pods", pod, status, check=False)

    def _pod_changed(self, change: Change) -> None:
        pod = change.object
        if change.type == ADDED:
            self.clock.after(0.05, self._start, key_of(pod))
        elif is_deleting(pod) and change.old is not None and not is_deleting(change.old):
            self.clock.after(self.gone_after, self._finish, key_of(pod))

    def _start(self, key: Any) -> None:
        pod = self.store.get("pods", key)
        if pod is None:
            return
        pod = self.api.bind(key, "node-1")
        after = self.ready_after(pod) if callable(self.ready_after) else self.ready_after
        if after is not None:
            self.clock.after(after, self._become_ready, key)

    def _become_ready(self, key: Any) -> None:
        pod = self.store.get("pods", key)
        if pod is not None and not is_deleting(pod):
            self.make_ready(pod)

    def _finish(self, key: Any) -> None:
        if self.store.get("pods", key) is not None:
            self.api.delete("pods", key.name, key.namespace, grace_period=0)


def template(image: str, **labels: str) -> Object:
    """A pod template with one container."""
    return {
        "metadata": {"labels": {"app": "web", **labels}},
        "spec": {"containers": [{"name": "app", "image": image}], "terminationGracePeriodSeconds": 5},
    }


def deployment(replicas: int, image: str, **spec: Any) -> Object:
    """The deployment "web" as the API server would complete it."""
    return {
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": template(image),
            "strategy": rolling("25%", "25%"),
            "revisionHistoryLimit": 10,
            "progressDeadlineSeconds": 600,
            **spec,
        },
    }


def rolling(surge: int | str, unavailable: int | str) -> Object:
    """A RollingUpdate strategy."""
    return {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable},
    }
