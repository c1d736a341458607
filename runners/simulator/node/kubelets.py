"""The kubelets of all nodes: who runs which pods, what they hear of them, what their pods answer.

Kubelets hear of their pods by a watch of their own, which lags.
pkg/kubelet/kubelet.go
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import NamedTuple

from gherkube.runners.history import DELETED, Change
from gherkube.runners.objects import Key, Object
from gherkube.runners.simulator.api.server import ApiServer
from gherkube.runners.simulator.clock import Chance
from gherkube.runners.simulator.node.admission import rejection
from gherkube.runners.simulator.node.application import Answer, Question
from gherkube.runners.simulator.node.containers import Container
from gherkube.runners.simulator.node.images import Images, parse_image
from gherkube.runners.simulator.node.kubelet import Kubelet
from gherkube.runners.simulator.node.nodes import node_info
from gherkube.runners.simulator.node.output import Line, printed
from gherkube.runners.simulator.node.pod import PodWorker

WATCH_TAKES, DELETION_TAKES = 0.1, 0.04
"""Median seconds until a kubelet acts on a pod that was bound to it, that is to be deleted; facts §8.2."""
BOOT_TAKES = (0.9, 1.8)
"""Seconds from a node's start to its Ready condition; facts §3.2."""
PODS_AFTER_BOOT = 0.9
"""Median seconds from that to the first write about its pods; facts §8.1."""
READY_PATHS, LIVE_PATHS = ("/readyz",), ("/healthz", "/livez")


class Reply(NamedTuple):
    """What came back: the HTTP code (0: nothing), the body or why there is none, the seconds it took."""

    code: int
    body: str
    seconds: float


REFUSED = Reply(0, "connection refused", 0.0)
UNREACHABLE = Reply(0, "no route to host", 3.0)
TIMED_OUT = Reply(0, "timeout", 5.0)
REPLY_TAKES = 0.001


class Kubelets:
    """All kubelets of a cluster."""

    def __init__(self, api: ApiServer, chance: Chance, images: Images) -> None:
        self.images = images
        self._api, self._clock, self._chance = api, api.clock, chance
        self._latencies = chance.latencies("kubelet")
        self._kubelets: dict[str, Kubelet] = {}
        self._workers: dict[Key, PodWorker] = {}
        self._failing: dict[Key, PodWorker] = {}
        self._silenced: list[Callable[[str], object]] = []
        api.store.watch("pods", self._pod_changed)
        api.store.watch("nodes", self._node_changed)
        for resource in ("configmaps", "secrets"):
            api.store.watch(resource, self._reconsider)
        images.on_change(self._image_changed)

    def add_node(self, name: str) -> None:
        """Starts the kubelet of a node that is in the API."""
        node = self._api.store.get("nodes", Key("", name))
        assert node is not None, f"no node {name}"
        self._kubelets[name] = Kubelet(self._api, self._chance, self.images, node, self._failing)

    def stop(self, name: str) -> None:
        """The node loses its power: kubelet and containers stop, the API server hears no more."""
        kubelet = self._kubelets[name]
        if not kubelet.is_up:
            return
        kubelet.is_up = kubelet.syncs_pods = False
        kubelet.stopped_at = self._clock.now
        for worker in kubelet.pods.values():
            worker.freeze()
        for listener in self._silenced:
            listener(name)

    def start(self, name: str) -> None:
        """The node's power is back: its kubelet reports soon, and finds the containers gone."""
        kubelet = self._kubelets[name]
        if kubelet.is_up:
            return
        kubelet.is_up, kubelet.boots = True, kubelet.boots + 1
        low, high = BOOT_TAKES
        boot = low + (high - low) * self._chance.stream("nodes").random()
        kubelet.started_at = self._clock.now + boot
        kubelet.pulls_until = 0.0
        self._clock.after(boot, self._booted, kubelet, kubelet.boots)

    def knows(self, name: str) -> bool:
        """Whether the node has a kubelet."""
        return name in self._kubelets

    def last_seen(self, name: str) -> float:
        """When the node's kubelet renewed its lease last."""
        return self._kubelets[name].renewed_at(self._clock.now)

    def last_reported(self, name: str) -> float:
        """When the node's kubelet posted its status last."""
        return self._kubelets[name].reported_at(self._clock.now)

    def pods_on(self, name: str) -> list[Object]:
        """The pods that are bound to the node, as stored."""
        kubelet = self._kubelets.get(name)
        keys = kubelet.pods if kubelet is not None else ()
        return [pod for key in keys if (pod := self._api.store.get("pods", key)) is not None]

    def on_silence(self, listener: Callable[[str], object]) -> None:
        """Calls the listener with the name of each node that stops."""
        self._silenced.append(listener)

    def request(self, pod: Key, port: int, path: str = "/") -> Reply:
        """What the pod's program answers to a request now."""
        worker = self._workers.get(pod)
        if worker is None or not worker.kubelet.syncs_pods:
            return UNREACHABLE
        found = self._listener(worker, port)
        if found is None:
            return REFUSED
        container, now = found, self._clock.now
        run = container.run
        assert run is not None
        application, behaviour = run.application, run.application.behaviour
        if now >= application.hangs_at:
            return TIMED_OUT
        for paths, question in ((READY_PATHS, Question.READY), (LIVE_PATHS, Question.LIVE)):
            if path in paths:
                ok = application.answer(question, now) is Answer.OK
                return (
                    Reply(200, "ok", REPLY_TAKES)
                    if ok
                    else Reply(503, f"{question.value} check failed", REPLY_TAKES)
                )
        body = behaviour.answer_text
        if body is None:
            image = parse_image(container.image)
            version = behaviour.version or _version(image.tag)
            body = f"{image.repository} | Running on: {pod.name} | v={version}"
        return Reply(behaviour.answer_code, body, REPLY_TAKES + behaviour.answer_seconds)

    def output(self, pod: Key, container: str, *, previous: bool = False, id_: str = "") -> list[Line] | None:
        """What the container's run (or the one before it, or that of an ID) has printed by now.

        None when there was none, or no longer is.
        """
        worker = self._workers.get(pod)
        found = next((each for each in worker.containers if each.name == container), None) if worker else None
        if found is None:
            return None
        run = found.run_of(id_, self._clock.now) if id_ else found.previous if previous else found.run
        if run is None:
            return None
        port = run.application.behaviour.port
        course = found.recipe.program.course
        said = course.lines if course else ()
        return printed(run.application, next(iter(found.ports(port))), self._clock.now, said)

    def _listener(self, worker: PodWorker, port: int) -> Container | None:
        return next((each for each in worker.containers if port in self._ports(each)), None)

    def _ports(self, container: Container) -> tuple[int, ...]:
        run = container.run
        if run is None or run.application.answer(Question.LISTENING, self._clock.now) is not Answer.OK:
            return ()
        return container.ports(run.application.behaviour.port)

    # --- what the watch says -------------------------------------------------------------------

    def _pod_changed(self, change: Change) -> None:
        pod, old = change.object, change.old
        spec = pod["spec"]
        if "nodeName" not in spec:
            return
        if change.type == DELETED:
            self._forget(change)
            return
        if old is None or (old["spec"] is not spec and "nodeName" not in old["spec"]):
            self._bound(change, spec["nodeName"])
            return
        metadata = pod["metadata"]
        ends_at = metadata.get("deletionTimestamp")
        if ends_at is not None and ends_at != old["metadata"].get("deletionTimestamp"):
            if metadata["deletionGracePeriodSeconds"] > 0 or "deletionTimestamp" not in old["metadata"]:
                self._after(DELETION_TAKES, self._delete, change)
        elif (spec is not old["spec"] or "readinessGates" in spec) and _concerns_kubelet(pod, old):
            self._after(WATCH_TAKES, self._update, change)

    def _after(self, median: float, call: Callable[..., object], subject: Change | PodWorker) -> None:
        self._clock.at(self._clock.now + self._latencies.draw(median), call, subject)

    def _bound(self, change: Change, node: str) -> None:
        kubelet = self._kubelets.get(node)
        if kubelet is None:
            return
        worker = PodWorker(kubelet, change.object, change.key)
        kubelet.pods[worker.key] = self._workers[worker.key] = worker
        if kubelet.syncs_pods:
            self._after(WATCH_TAKES, self._begin if change.old is not None else self._admit, worker)

    def _admit(self, worker: PodWorker) -> None:
        """Begins a pod that named its node, unless it does not fit there. kubelet.go HandlePodAdditions"""
        kubelet, pod = worker.kubelet, worker.pod
        node = self._api.store.get("nodes", Key("", kubelet.name))
        others = [each for each in self.pods_on(kubelet.name) if each["metadata"]["uid"] != worker.uid]
        rejected = rejection(pod, node, others) if node is not None else None
        if rejected is None or kubelet.pods.get(worker.key) is not worker:
            self._begin(worker)
            return
        del self._workers[worker.key], kubelet.pods[worker.key]
        kubelet.recorder.record("Pod", pod, "Warning", *rejected)
        status = {
            "observedGeneration": pod["metadata"]["generation"],
            "phase": "Failed",
            "reason": rejected.reason,
            "message": f"Pod was rejected: {rejected.message}",
            "startTime": self._clock.timestamp(),
            "qosClass": pod["status"]["qosClass"],
        }
        self._api.put_status("pods", pod, status, check=False)

    def _begin(self, worker: PodWorker) -> None:
        kubelet = worker.kubelet
        if kubelet.pods.get(worker.key) is worker and kubelet.syncs_pods and not worker.start_stamp:
            worker.begin()

    def _delete(self, change: Change) -> None:
        worker = self._worker(change)
        if worker is not None and worker.kubelet.syncs_pods:
            worker.delete(change.object)

    def _update(self, change: Change) -> None:
        worker = self._worker(change)
        if worker is not None and worker.kubelet.syncs_pods and not worker.deleting:
            worker.update(change.object)

    def _worker(self, change: Change) -> PodWorker | None:
        worker = self._workers.get(change.key)
        if worker is None or worker.uid != change.object["metadata"]["uid"]:
            return None
        return worker

    def _forget(self, change: Change) -> None:
        worker = self._worker(change)
        if worker is None:
            return
        kubelet = worker.kubelet
        del self._workers[worker.key], kubelet.pods[worker.key]
        self._failing.pop(worker.key, None)
        kubelet.free(worker.ip)
        if kubelet.is_up:
            worker.abandon()
        kubelet.recorder.forget(change.object)
        worker.prober = None  # it and the publisher refer back: what is left is no garbage to search for
        del worker.publisher

    def _node_changed(self, change: Change) -> None:
        kubelet = self._kubelets.get(change.object["metadata"]["name"])
        if kubelet is None or change.old is None or not kubelet.is_up:
            return
        cordoned = change.object["spec"].get("unschedulable", False)
        if cordoned != change.old["spec"].get("unschedulable", False):
            reason = "NodeNotSchedulable" if cordoned else "NodeSchedulable"
            self._say_of_node(kubelet, reason)

    def _image_changed(self, image: str) -> None:
        self._reconsider()
        for worker in self._workers.values():
            if worker.kubelet.syncs_pods:
                worker.relearn(image)

    def _reconsider(self, _: object = None) -> None:
        """A ConfigMap, a Secret or an image changed: pods that wait for a retry may succeed with the next."""
        for key, worker in list(self._failing.items()):
            if worker.retrying or any(container.waits is not None for container in worker.containers):
                worker.reconsider()
            else:
                del self._failing[key]

    # --- a node that comes back ----------------------------------------------------------------

    def _booted(self, kubelet: Kubelet, boot: int) -> None:
        if not kubelet.is_up or kubelet.boots != boot:
            return
        kubelet.stopped_at, was = inf, kubelet.stopped_at
        known = self._api.store.get("nodes", Key("", kubelet.name)) is not None
        if not known:
            kubelet.join()
        self._say_of_node(kubelet, "Starting", "Starting kubelet.")
        for reason in ("NodeHasSufficientMemory", "NodeHasNoDiskPressure", "NodeHasSufficientPID"):
            self._say_of_node(kubelet, reason)
        node = self._api.store.get("nodes", Key("", kubelet.name))
        if known and node is not None:
            boot_id = node_info(kubelet.name, boot)["bootID"]
            why = f"Node {kubelet.name} has been rebooted, boot id: {boot_id}"
            kubelet.recorder.record("Node", node, "Warning", "Rebooted", why)
        self._say_of_node(kubelet, "NodeReady")
        kubelet.report()
        self._clock.after(kubelet.latency(PODS_AFTER_BOOT), self._resume_pods, kubelet, boot, was)

    def _resume_pods(self, kubelet: Kubelet, boot: int, stopped_at: float) -> None:
        if not kubelet.is_up or kubelet.boots != boot:
            return
        kubelet.syncs_pods = True
        for key, worker in list(kubelet.pods.items()):
            pod = self._api.store.get("pods", key)
            if pod is None:
                continue
            worker.pod = pod
            worker.deleting = worker.deleting or "deletionTimestamp" in pod["metadata"]
            worker.revive(stopped_at)

    def _say_of_node(self, kubelet: Kubelet, reason: str, message: str = "") -> None:
        node = self._api.store.get("nodes", Key("", kubelet.name))
        if node is not None:
            text = message or f"Node {kubelet.name} status is now: {reason}"
            kubelet.recorder.record("Node", node, "Normal", reason, text)


def _concerns_kubelet(pod: Object, old: Object) -> bool:
    """Whether a change is one of the spec, or of a condition that the pod's readiness depends on."""
    if pod["spec"] is not old["spec"] and pod["spec"] != old["spec"]:
        return True
    gates = pod["spec"].get("readinessGates")
    return bool(gates) and pod["status"].get("conditions") != old["status"].get("conditions")


def _version(tag: str) -> str:
    """A tag as the usual answer shows it: without a leading v."""
    return tag[1:] if tag[:1] == "v" and tag[1:2].isdigit() else tag
