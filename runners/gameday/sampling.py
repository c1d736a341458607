"""How a game day stands at a moment: pods of the workloads in scope, and requests since its beginning."""

from __future__ import annotations

from typing import Any

from gherkube.runners.cluster import Cluster
from gherkube.runners.expectations.view import View
from gherkube.runners.gameday.measures import KINDS
from gherkube.runners.gameday.plan import Scope
from gherkube.runners.kubectl.status import STATUSES, rollout_status
from gherkube.runners.objects import Object, controller_of, is_active, is_ready
from gherkube.runners.traffic import longest_gap, sum_up

Pods = dict[str, dict[str, Any]]


class Sampler:
    """Reads a cluster's history on, and counts."""

    def __init__(self, cluster: Cluster, scope: Scope) -> None:
        self._cluster, self._scope = cluster, scope
        self._view = View()

    def is_settled(self) -> bool:
        """Whether no workload in scope is being rolled out."""
        view = self._view.move(self._cluster.history)
        return all(
            obj["kind"] not in STATUSES or rollout_status(obj).done
            for resource, kind in KINDS.items()
            for obj in view.of(resource).values()
            if self._is_in(obj, f"{kind}/{obj['metadata']['name']}")
        )

    def pods(self) -> Pods:
        """By workload: how many pods are ready and desired, and which images the ready ones run."""
        view = self._view.move(self._cluster.history)
        found: Pods = {}
        uids: dict[str, dict[str, Any]] = {}
        for resource, kind in KINDS.items():
            for obj in view.of(resource).values():
                name = f"{kind}/{obj['metadata']['name']}"
                if controller_of(obj) is None and self._is_in(obj, name):
                    counts: dict[str, Any] = {"ready": 0, "desired": _desired(obj), "revisions": {}}
                    uids[obj["metadata"]["uid"]] = found[name] = counts
        for pod in view.of("pods").values():
            owner = view.owner(pod)
            while owner is not None and owner["metadata"]["uid"] not in uids:
                owner = view.owner(owner)
            if owner is not None and is_active(pod) and is_ready(pod):
                counts = uids[owner["metadata"]["uid"]]
                image = pod["spec"]["containers"][0]["image"]
                counts["ready"] += 1
                counts["revisions"][image] = counts["revisions"].get(image, 0) + 1
        return dict(sorted(found.items()))

    def requests(self) -> dict[str, Any]:
        """How many were sent, answered and lost, how long answers took, and the longest time without one."""
        sent = self._cluster.traffic.requests
        if not sent:
            return {}
        services = {each.service for each in sent}
        gaps = [longest_gap([each for each in sent if each.service == service])[0] for service in services]
        return {**sum_up(sent)._asdict(), "longest_gap": round(max(gaps), 3)}

    def _is_in(self, obj: Object, name: str) -> bool:
        scope = self._scope
        return obj["metadata"]["namespace"] in scope.namespaces and name in (scope.workloads or (name,))


def _desired(obj: Object) -> int:
    if obj["kind"] == "DaemonSet":
        return int((obj.get("status") or {}).get("desiredNumberScheduled", 0))
    return int(obj["spec"].get("replicas", 1))
