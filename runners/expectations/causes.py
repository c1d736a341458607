"""Why something is not so: down the chain Deployment → ReplicaSet → Pod → container → event.

Each rule of the tables names one cause, in the order in which they exclude one another. A chain is told
by the first that applies; pods that wait for the same thing are told once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeAlias

from gherkube.runners.expectations.events import count_of
from gherkube.runners.expectations.pod_status import pod_status
from gherkube.runners.expectations.pods import names, restarts
from gherkube.runners.expectations.statement import Subject
from gherkube.runners.expectations.subjects import (
    HASH,
    PodSelector,
    Selected,
    WorkloadRef,
    images_of,
    newest_replica_set,
    replica_sets,
    revision_of,
)
from gherkube.runners.expectations.view import View
from gherkube.runners.history import History
from gherkube.runners.objects import Key, Object, condition, controller_of, is_active, is_deleting, is_ready
from gherkube.runners.selectors import from_map

if TYPE_CHECKING:
    from gherkube.runners.cluster import Cluster

PULLS = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"})
TOLD = 3
"""How many different causes are told of the pods of one owner."""


def why(cluster: Cluster, subject: Subject) -> list[str]:
    """The chain of causes for a workload or pods as they are now, one line each; none when all is well."""
    view = View().move(cluster.history)
    return Causes(cluster.history, view, cluster.clock.now()).why(subject)


class Causes:
    """What keeps things from being well at the view's moment, at `now` seconds of the run."""

    def __init__(self, history: History, view: View, now: float) -> None:
        self.history, self.view, self.now = history, view, now
        self._times: dict[Key, float] | None = None

    def why(self, subject: Subject | None) -> list[str]:
        """The lines of the chain, each deeper one indented."""
        if isinstance(subject, PodSelector):
            if subject.workload is None:
                return self._pods(self._unwell(self._chosen(subject)))
            subject = subject.workload
        if subject is None or (obj := subject.find(self.view)) is None:
            return []
        if is_deleting(obj) and (finalizers := obj["metadata"].get("finalizers")):
            return [f"{subject.text} is being deleted and waits for its finalizers: {', '.join(finalizers)}"]
        if subject.resource == "deployments":
            return self._deployment(subject, obj)
        if subject.resource == "services":
            return self._service(subject, obj)
        return self._owner(subject.text, [pod for pod in self._all() if subject.owns(self.view, pod)])

    def in_vain(self, subject: Subject | None) -> str:
        """Why waiting is in vain when nothing but retries is left to happen, "" when a retry may do.

        A container that was restarted may come up once more, so nothing is certain then.
        """
        ref = subject.workload if isinstance(subject, PodSelector) else subject
        if isinstance(ref, WorkloadRef) and ref.resource == "services":
            ref = None
        obj = ref.find(self.view) if ref is not None else None
        if (
            ref is not None
            and obj is not None
            and ref.resource == "deployments"
            and obj["spec"].get("paused")
        ):
            return "nothing that is going on resumes the rollout, which is paused"
        pods = [pod for pod in self._all() if ref is None or ref.owns(self.view, pod)]
        waiting = [pod for pod in pods if not is_deleting(pod) and not is_ready(pod)]
        if not waiting or any(_flaps(pod) for pod in pods):
            return ""
        for pod in waiting:
            if words := self._hopeless(pod):
                return words
        return ""

    # --- Owners

    def _deployment(self, ref: WorkloadRef, obj: Object) -> list[str]:
        lines: list[str] = []
        name = ref.text
        failure = condition(obj, "ReplicaFailure")
        progressing = condition(obj, "Progressing")
        uid = newest_replica_set(self.view, ref)
        sets = replica_sets(self.view, ref)
        newest = next((one for one in sets if one["metadata"]["uid"] == uid), None)
        if obj["spec"].get("paused"):
            how = "" if newest is not None else ", so that its new template is not rolled out"
            lines.append(f"{name} is paused{how}")
        if progressing is not None and progressing.get("reason") == "ProgressDeadlineExceeded":
            seconds = obj["spec"].get("progressDeadlineSeconds", 600)
            lines.append(f"{name} exceeded its progress deadline of {seconds} s")
        if failure is not None and failure["status"] == "True":
            lines.append(f"{name} cannot make its pods: {failure.get('message', '')}")
        behind = [one for one in sets if self._is_behind(one)]
        for one in [one for one in behind if one is newest] or behind[-1:]:
            pods = [pod for pod in self._of(one) if is_active(pod)]
            wanted = one["spec"].get("replicas", 0)
            revision = f"revision {revision_of(one)}, {', '.join(images_of(one['spec']['template']['spec']))}"
            ready = sum(map(is_ready, pods))
            lines.append(
                f"{name} waits for replica set {one['metadata']['name']} ({revision}): "
                f"{ready} of its {wanted} pods {'is' if ready == 1 else 'are'} ready"
            )
            lines += self._pods(self._unwell(self._of(one)))
        old = [pod for one in sets if one is not newest for pod in self._of(one) if is_deleting(pod)]
        if old:
            lines.append(f"{len(old)} old pod{'' if len(old) == 1 else 's'} still terminating ({names(old)})")
            lines += [] if behind else self._pods(old)[:2]
        return lines

    def _owner(self, name: str, pods: list[Object]) -> list[str]:
        unwell = self._unwell(pods)
        if not unwell:
            return []
        active = [pod for pod in pods if is_active(pod)]
        ready = sum(map(is_ready, active))
        if all(map(is_deleting, unwell)):
            return [f"{name}: {len(unwell)} of its pods still terminating", *self._pods(unwell)]
        return [f"{name}: {ready} of {len(active)} pods are ready", *self._pods(unwell)]

    def _service(self, ref: WorkloadRef, obj: Object) -> list[str]:
        selector = obj["spec"].get("selector") or {}
        shown = ",".join(f"{key}={value}" for key, value in selector.items())
        chosen = from_map(selector)
        here = [pod for pod in self._all() if pod["metadata"]["namespace"] == ref.namespace]
        pods = [pod for pod in here if chosen(pod["metadata"].get("labels") or {})]
        if not pods:
            labels = sorted({_labels(pod) for pod in here})
            others = f"; there are pods with {' and '.join(labels[:TOLD])}" if labels else ""
            return [f'{ref.text} selects "{shown}", which no pod has{others}']
        lines = []
        for port in obj["spec"].get("ports") or ():
            target = port.get("targetPort", port.get("port"))
            declared = {
                known
                for pod in pods
                for container in pod["spec"]["containers"]
                for one in container.get("ports") or ()
                for known in (one.get("containerPort"), one.get("name"))
            }
            if declared and target not in declared:
                there = ", ".join(sorted(map(str, declared - {None})))
                lines.append(f"{ref.text} sends to port {target}, on which no pod listens; they have {there}")
        standing = [pod for pod in pods if not is_deleting(pod)]
        return [*lines, *self._owner(f'{ref.text} selects "{shown}"', standing)]

    # --- Pods

    def _pods(self, pods: Iterable[Object]) -> list[str]:
        lines: list[str] = []
        causes: dict[str, list[Object]] = {}
        for pod in sorted(pods, key=lambda pod: str(pod["metadata"]["name"])):
            causes.setdefault(self._cause(pod), []).append(pod)
        for cause, alike in list(causes.items())[:TOLD]:
            others = f" (and {len(alike) - 1} more alike)" if len(alike) > 1 else ""
            lines.append(f"└ pod {alike[0]['metadata']['name']}: {cause}{others}")
            lines += [f"  {line}" for line in self._event(alike[0])]
        return lines

    def _cause(self, pod: Object) -> str:
        for rule in POD_CAUSES:
            if words := rule(self, pod):
                return words
        return pod_status(pod)

    def _event(self, pod: Object) -> list[str]:
        """The newest warning about a pod that is to stay; of pulls, the one that says what failed."""
        if is_deleting(pod):
            return []
        uid = pod["metadata"].get("uid")
        found = [
            event
            for event in self.view.of("events").values()
            if (event.get("involvedObject") or {}).get("uid") == uid and event.get("type") == "Warning"
        ]
        if not found:
            return []
        times = self._event_times()

        def rank(event: Object) -> tuple[bool, float]:
            return "Failed to" in event.get("message", ""), times[_key(event)]

        event = max(found, key=rank)
        count = count_of(event)
        many = f" (×{count})" if count > 1 else ""
        message = " ".join(event.get("message", "").split())
        message = message if len(message) <= 200 else f"{message[:199]}…"
        return [f"└ event {self.now - times[_key(event)]:.0f} s ago{many}: {message}"]

    def _event_times(self) -> dict[Key, float]:
        if self._times is None:
            self._times = {
                _key(change.object): change.at
                for change in self.history.since()
                if change.resource == "events"
            }
        return self._times

    def _hopeless(self, pod: Object) -> str:
        name = pod["metadata"]["name"]
        if message := _unscheduled(self, pod):
            return f"nothing that is going on makes room for pod {name}, which {message}"
        for _, reason, message in _waits(pod):
            if reason in PULLS:
                owner = self.view.owner(pod)
                of = f"of revision {revision_of(owner)}" if owner and revision_of(owner) else f"of pod {name}"
                return f"nothing that is going on changes the image {of}"
            if reason == "CreateContainerConfigError":
                return f"nothing that is going on gives pod {name} what it waits for: {message}"
        return ""

    def _all(self) -> Iterable[Object]:
        return self.view.of("pods").values()

    def _chosen(self, selector: PodSelector) -> list[Object]:
        selected = Selected(selector, self.view)
        return [pod for pod in self._all() if selected.includes(pod)]

    def _of(self, owner: Object) -> list[Object]:
        uid = owner["metadata"]["uid"]
        return [pod for pod in self._all() if (ref := controller_of(pod)) is not None and ref["uid"] == uid]

    def _is_behind(self, replica_set: Object) -> bool:
        pods = [pod for pod in self._of(replica_set) if not is_deleting(pod)]
        return len(pods) < replica_set["spec"].get("replicas", 0) or bool(self._unwell(pods))

    def _unwell(self, pods: Iterable[Object]) -> list[Object]:
        found = [pod for pod in pods if not (is_active(pod) and is_ready(pod) and not _ripens(self, pod))]
        return [pod for pod in found if not is_deleting(pod)] or found


Rule: TypeAlias = Callable[[Causes, Object], str]


def _deleted(causes: Causes, pod: Object) -> str:
    if not is_deleting(pod):
        return ""
    if finalizers := pod["metadata"].get("finalizers"):
        return f"is being deleted and waits for its finalizers: {', '.join(finalizers)}"
    grace = pod["metadata"].get("deletionGracePeriodSeconds", 0)
    return _node_down(causes, pod) or f"is terminating, with a grace period of {grace} s"


def _node_down(causes: Causes, pod: Object) -> str:
    name = pod["spec"].get("nodeName", "")
    node = causes.view.of("nodes").get(Key("", name))
    ready = condition(node, "Ready") if node is not None else None
    if ready is None or ready["status"] == "True":
        return ""
    return f"node {name} is down (Ready is {ready['status']}: {ready.get('reason', '')})"


def _unscheduled(_causes: Causes, pod: Object) -> str:
    found = condition(pod, "PodScheduled")
    if found is None or found["status"] == "True":
        return ""
    return f"is not scheduled: {found.get('message', '')}"


def _waiting(_causes: Causes, pod: Object) -> str:
    for container, reason, message in _waits(pod):
        if reason == "CrashLoopBackOff":
            return f"container {container['name']} crashes: {_exit(container)}"
        if reason in PULLS:
            return f"container {container['name']} waits: {reason}"
        if reason not in ("ContainerCreating", "PodInitializing"):
            return f"container {container['name']} waits: {reason}{': ' + message if message else ''}"
    return ""


def _ended(_causes: Causes, pod: Object) -> str:
    for container in _containers(pod):
        if "terminated" in (container.get("state") or {}) and not _is_done(pod, container):
            return f"container {container['name']} crashes: {_exit(container)}"
    return ""


def _probe(_causes: Causes, pod: Object) -> str:
    statuses = {one["name"]: one for one in (pod.get("status") or {}).get("containerStatuses") or ()}
    for spec in pod["spec"]["containers"]:
        status = statuses.get(spec["name"]) or {}
        if "running" not in (status.get("state") or {}) or status.get("ready"):
            continue
        for probe in ("startupProbe", "readinessProbe"):
            if probe in spec and (probe == "readinessProbe" or not status.get("started")):
                word = probe.removesuffix("Probe")
                return f"container {spec['name']} runs, but has not passed its {word} probe"
    return ""


def _ripens(causes: Causes, pod: Object) -> str:
    metadata = pod["metadata"]
    since = causes.view.ready_since.get(Key(metadata["namespace"], metadata["name"]))
    owner = causes.view.owner(pod)
    seconds = (owner or {}).get("spec", {}).get("minReadySeconds", 0)
    if since is None or causes.now - since >= seconds:
        return ""
    return f"is ready since {causes.now - since:.0f} s, and available after {seconds} s"


POD_CAUSES: tuple[Rule, ...] = (_deleted, _node_down, _unscheduled, _waiting, _ended, _probe, _ripens)


def _containers(pod: Object) -> list[Object]:
    status = pod.get("status") or {}
    return [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]


def _waits(pod: Object) -> Iterable[tuple[Object, str, str]]:
    """The containers that wait, each with the reason and its message."""
    for container in _containers(pod):
        if (waiting := (container.get("state") or {}).get("waiting")) is not None:
            yield container, waiting.get("reason", ""), waiting.get("message", "")


def _exit(container: Object) -> str:
    """How a container ended last, and how often it was restarted."""
    states = [container.get(at) or {} for at in ("state", "lastState")]
    ended = next((state["terminated"] for state in states if "terminated" in state), Object())
    times = container.get("restartCount", 0)
    again = f", restarted {times} time{'' if times == 1 else 's'}" if times else ""
    if ended.get("reason") == "OOMKilled":
        return f"killed for want of memory (OOMKilled){again}"
    return f"exit code {ended.get('exitCode', '?')}{again}"


def _is_done(pod: Object, container: Object) -> bool:
    """Whether a container that has ended did so as it should."""
    inits = {one["name"] for one in pod["spec"].get("initContainers") or ()}
    ended = container["state"]["terminated"].get("exitCode", 0) == 0
    return ended and (container["name"] in inits or pod["spec"].get("restartPolicy") != "Always")


def _flaps(pod: Object) -> bool:
    return is_active(pod) and (restarts(pod) > 0 or bool(_ended_any(pod)))


def _ended_any(pod: Object) -> list[Object]:
    return [
        one
        for one in _containers(pod)
        if any("terminated" in (one.get(at) or {}) for at in ("state", "lastState"))
        and not _done_now(pod, one)
    ]


def _done_now(pod: Object, container: Object) -> bool:
    return "terminated" in (container.get("state") or {}) and _is_done(pod, container)


def _labels(pod: Object) -> str:
    labels = pod["metadata"].get("labels") or {}
    return ",".join(f"{key}={value}" for key, value in labels.items() if key != HASH) or "no labels"


def _key(event: Object) -> Key:
    return Key(event["metadata"].get("namespace", ""), event["metadata"]["name"])
