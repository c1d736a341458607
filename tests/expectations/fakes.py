"""A cluster that is a script: objects appear and change at given times, and a recorded one is played back."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from gherkube.runners.expectations.judge import Judge
from gherkube.runners.expectations.subjects import PodSelector, WorkloadRef
from gherkube.runners.history import ADDED, DELETED, MODIFIED, Change
from gherkube.runners.objects import Key, Object, key_of
from gherkube.runners.traffic import Request

RECORDINGS = Path(__file__).parents[1] / "golden" / "recordings"
WEB = WorkloadRef("deployments", "default", "web")
SERVICE = Key("default", "web")


def pods(**chosen: str) -> PodSelector:
    """The pods of deployment web."""
    return PodSelector(WEB, "default", **chosen)


class Script:
    """A cluster of which everything is known before: a `Cluster` as far as a judge needs one."""

    name = "script"
    owns_namespaces = True

    def __init__(self) -> None:
        self.history = Past()
        self.clock = self
        self.traffic = self
        self.requests: list[Request] = []
        self.flowing = False
        self.printed: dict[tuple[str, str, bool], list[str]] = {}
        self.foresees = False
        self.idle_from = float("inf")
        self.asked = 0
        self._now = 0.0
        self._plan: list[tuple[float, int, str, Object, bool]] = []
        self._objects: dict[tuple[str, Key], Object] = {}
        self._to_come: list[Request] = []

    # --- Writing the script

    def put(self, at: float, resource: str, *objects: Object) -> Script:
        """The objects are so from that time on."""
        return self._add(at, resource, objects, gone=False)

    def remove(self, at: float, resource: str, *objects: Object) -> Script:
        """The objects are gone at that time."""
        return self._add(at, resource, objects, gone=True)

    def _add(self, at: float, resource: str, objects: Sequence[Object], *, gone: bool) -> Script:
        for obj in objects:
            self._plan.append((at, len(self._plan), resource, obj, gone))
        self._plan.sort(key=lambda step: step[:2])
        self._run(self._now)
        return self

    def ask(
        self, at: float, *, code: int = 200, pod: str = "web-1-a", image: str = "hello:1", body: str = ""
    ) -> None:
        """A request at that time comes out so."""
        self._to_come.append(Request(at, SERVICE, pod if code else "", image, code, body, 0.01, "service"))
        self._to_come.sort(key=lambda request: request.at)
        self._run(self._now)

    # --- Clock

    def now(self) -> float:
        return self._now

    def wait(self, condition: Callable[[], bool], within: float, *, resources: Collection[str] = ()) -> bool:
        end = self._now + within
        self.asked += 1
        if condition():
            return True
        while self._plan and self._plan[0][0] <= end:
            resource = self._plan[0][2]
            self._run_one()
            if not resources or resource in resources:
                self.asked += 1
                if condition():
                    return True
        self._run(end)
        return False

    def sleep(self, seconds: float) -> None:
        self._run(self._now + seconds)

    def settle(self, resources: Collection[str] = ()) -> None:
        """What happens is known at once."""

    def idle(self) -> bool:
        return self._now >= self.idle_from

    def _run(self, until: float) -> None:
        while self._plan and self._plan[0][0] <= until:
            self._run_one()
        self._now = max(self._now, until)
        while self._to_come and self._to_come[0].at <= self._now:
            self.requests.append(self._to_come.pop(0))

    def _run_one(self) -> None:
        at, _, resource, obj, gone = self._plan.pop(0)
        self._now = max(self._now, at)
        key = key_of(obj)
        old = self._objects.pop((resource, key), None)
        if not gone:
            self._objects[resource, key] = obj
        kind = DELETED if gone else ADDED if old is None else MODIFIED
        self.history.append(Change(self._now, kind, resource, obj, old, key))

    def output(self, pod: Key, container: str, *, previous: bool = False) -> list[str]:
        return self.printed.get((pod.name, container, previous), [])

    # --- Traffic

    def flows(self, service: Key) -> bool:
        return self.flowing and service == SERVICE

    # --- Judging

    def judge(self, *, when: float | None = None, patience: float = 300.0) -> Judge:
        """A judge for whom the first and last When is now, or was at that time."""
        judge = Judge(self, patience)  # type: ignore[arg-type]
        if when is not None:
            self.sleep(when - self._now)
        judge.first_when, judge.last_when = judge.moment("the first When"), self._now
        return judge


class Past(list[Change]):
    """A history in a list."""

    def since(self, position: int = 0) -> Iterator[Change]:
        while position < len(self):
            yield self[position]
            position += 1

    def gap(self, since: float) -> str:
        del since
        return ""


def named(name: str, owner: Object | None = None, uid: str = "", **metadata: Any) -> Object:
    """Metadata in the default namespace."""
    found: Object = {"name": name, "namespace": "default", "uid": uid or f"uid-{name}", **metadata}
    if owner is not None:
        found["ownerReferences"] = [
            {
                "kind": owner["kind"],
                "name": owner["metadata"]["name"],
                "uid": owner["metadata"]["uid"],
                "controller": True,
            }
        ]
    return found


def template(image: str, **spec: Any) -> Object:
    return {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "app", "image": image}], **spec},
    }


def deployment(image: str = "hello:1", replicas: int = 3, *, generation: int = 1, **more: Any) -> Object:
    """Deployment web; `status` and `spec` may be given."""
    spec = {"replicas": replicas, "template": template(image), **more.pop("spec", {})}
    status = {"observedGeneration": generation, **more.pop("status", {})}
    return {
        "kind": "Deployment",
        "metadata": named("web", generation=generation, **more),
        "spec": spec,
        "status": status,
    }


def complete(image: str = "hello:1", replicas: int = 3, *, generation: int = 1) -> Object:
    """Deployment web, rolled out."""
    counts = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
    return deployment(image, replicas, generation=generation, status=dict.fromkeys(counts, replicas))


def replica_set(number: int, image: str | None = None, replicas: int = 3, **spec: Any) -> Object:
    """Replica set web-N of deployment web, at revision N, of image hello:N."""
    metadata = named(
        f"web-{number}", deployment(), annotations={"deployment.kubernetes.io/revision": str(number)}
    )
    return {
        "kind": "ReplicaSet",
        "metadata": metadata,
        "spec": {"replicas": replicas, "template": template(image or f"hello:{number}"), **spec},
        "status": {"replicas": replicas},
    }


def pod(
    name: str,
    *,
    of: int | None = 1,
    image: str = "",
    ready: bool = True,
    phase: str = "Running",
    waiting: str = "",
    message: str = "",
    exited: int | None = None,
    restarts: int = 0,
    deleting: bool = False,
    node: str = "node-1",
    uid: str = "",
    labels: Object | None = None,
    **spec: Any,
) -> Object:
    """Pod web-N-NAME of replica set web-N (None: of nobody, under its own name)."""
    ready = ready and not waiting and exited is None and phase == "Running"
    state: Object = {"running": {}}
    if waiting:
        state = {"waiting": {"reason": waiting, "message": message}}
        phase = "Pending" if restarts == 0 else phase
    if exited is not None:
        state = {"terminated": {"exitCode": exited, "reason": "Error" if exited else "Completed"}}
    owner = replica_set(of) if of is not None else None
    image = image or f"hello:{of}"
    full = f"web-{of}-{name}" if of is not None else name
    gone = {"deletionTimestamp": "2025-01-01T00:00:00Z", "deletionGracePeriodSeconds": 30} if deleting else {}
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    if not node:
        conditions.append(
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
        )
    status = {
        "name": "app",
        "state": state,
        "ready": ready,
        "restartCount": restarts,
        "image": image,
        "started": True,
    }
    return {
        "metadata": named(full, owner, uid, labels={"app": "web"} if labels is None else labels, **gone),
        "spec": {"nodeName": node, "containers": [{"name": "app", "image": image}], **spec}
        if node
        else {"containers": [{"name": "app", "image": image}], **spec},
        "status": {"phase": phase, "conditions": conditions, "containerStatuses": [status] if node else []},
    }


def event(number: int, about: Object, reason: str, message: str, count: int = 1, kind: str = "Pod") -> Object:
    metadata = about["metadata"]
    return {
        "metadata": named(f"{metadata['name']}.{number:x}"),
        "involvedObject": {"kind": kind, **{key: metadata[key] for key in ("namespace", "name", "uid")}},
        "reason": reason,
        "message": message,
        "count": count,
        "type": "Warning",
    }


def node(name: str, *, ready: bool = True, tainted: bool = False) -> Object:
    return {
        "metadata": {"name": name, "uid": f"uid-{name}"},
        "spec": {"taints": [{"key": "x", "effect": "NoSchedule"}]} if tainted else {},
        "status": {
            "conditions": [{"type": "Ready", "status": "True" if ready else "Unknown", "reason": "r"}]
        },
    }


def service(selector: Object | None = None, target: int = 8080) -> Object:
    spec = {"selector": selector or {"app": "web"}, "ports": [{"port": 80, "targetPort": target}]}
    return {"kind": "Service", "metadata": named("web"), "spec": spec}


def endpoints(*ready: Object, others: Sequence[Object] = ()) -> Object:
    """The EndpointSlice of service web: those that are ready, and others that are not."""
    return {
        "metadata": named("web-slice", labels={"kubernetes.io/service-name": "web"}),
        "endpoints": [
            {
                "conditions": {"ready": one in ready},
                "targetRef": {"kind": "Pod", **{key: one["metadata"][key] for key in ("name", "uid")}},
            }
            for one in (*ready, *others)
        ],
    }


def three_pods() -> Script:
    """Deployment web with three ready pods of hello:1, everything at time 0."""
    script = Script()
    script.put(0, "nodes", node("node-1"), node("node-2"))
    script.put(0, "deployments", complete()).put(0, "replicasets", replica_set(1))
    return script.put(0, "pods", *(pod(name) for name in "abc"))


def recorded(scenario: str) -> Script:
    """A recording of a real cluster, as a script from time 0 on."""
    script = Script()
    text = gzip.decompress((RECORDINGS / scenario / "watch.ndjson.gz").read_bytes()).decode()
    for entry in map(json.loads, text.splitlines()):
        if entry["type"] in ("LISTED", "ADDED", "MODIFIED", "DELETED"):
            script._plan.append(
                (
                    entry["t"],
                    len(script._plan),
                    entry["resource"],
                    entry["object"],
                    entry["type"] == "DELETED",
                )
            )
    script._plan.sort(key=lambda step: step[:2])
    return script
