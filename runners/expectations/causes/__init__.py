"""Why something is not so: down the chain Deployment → ReplicaSet → Pod → container → event → the cause.

`why(cluster, subject)` tells it of the present, `Causes` of any moment. What each module knows:

    scene       the objects of one moment and the events about them
    workloads   deployments and other owners of pods: paused, too late, a quota, old pods that terminate
    services    selectors and ports
    ordinals    what the order of a statefulset makes wait
    pods        the table of what keeps a pod from being ready
    containers  images, crashes, probes, configuration
    nodes       where pods find no room, nodes that are down, budgets that hold pods where they are
    permanent   what stays as it is until somebody acts
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gherkube.runners.expectations.causes import permanent
from gherkube.runners.expectations.causes.nodes import blocked
from gherkube.runners.expectations.causes.pods import told_pods, unwell
from gherkube.runners.expectations.causes.scene import Output, Scene
from gherkube.runners.expectations.causes.services import of_service
from gherkube.runners.expectations.causes.workloads import of_deployment, of_owner, strategy
from gherkube.runners.expectations.statement import Subject
from gherkube.runners.expectations.subjects import PodSelector, Selected, WorkloadRef
from gherkube.runners.expectations.view import View
from gherkube.runners.history import History
from gherkube.runners.objects import Object, condition, is_active, is_deleting

if TYPE_CHECKING:
    from gherkube.runners.cluster import Cluster


def why(cluster: Cluster, subject: Subject) -> list[str]:
    """The chain of causes for a workload or pods as they are now, one line each; none when all is well."""
    view = View().move(cluster.history)
    return Causes(cluster.history, view, cluster.clock.now(), cluster.output).why(subject)


class Causes:
    """What keeps things from being well at the view's moment, at `now` seconds of the run.

    `output` is the cluster's, where that moment is the present.
    """

    def __init__(self, history: History, view: View, now: float, output: Output | None = None) -> None:
        self.scene = Scene(history, view, now, output)

    def why(self, subject: Subject | None, *, rolling: bool = False) -> list[str]:
        """The lines of the chain, each deeper one indented; `rolling`: also what a rolling update may do."""
        scene = self.scene
        if isinstance(subject, PodSelector):
            if subject.workload is None:
                pods = self._chosen(subject)
                return [*told_pods(scene, unwell(scene, pods)), *blocked(scene, pods)]
            subject = subject.workload
        if subject is None or (obj := subject.find(scene.view)) is None:
            return []
        if is_deleting(obj) and (finalizers := obj["metadata"].get("finalizers")):
            return [f"{subject.text} is being deleted and waits for its finalizers: {', '.join(finalizers)}"]
        if subject.resource == "services":
            return of_service(scene, subject, obj, rolling=rolling)
        if subject.resource == "nodes":
            return self._node(subject, obj)
        of = of_deployment if subject.resource == "deployments" else of_owner
        lines = of(scene, subject, obj)
        return [*(strategy(scene, subject) if rolling and lines else ()), *lines]

    def in_vain(self, subject: Subject | None, *, steady: bool, certain: bool) -> str:
        """Why waiting is in vain when nothing but retries is left to happen, "" when a retry may do.

        `steady`: what is waited for does not come with a retry that fails again. `certain`: it is known,
        and not guessed, that nothing but retries is left.
        """
        scene = self.scene
        if certain and permanent.is_at_rest(scene):
            return "nothing is left to happen"
        if not steady or permanent.is_uncertain(scene):
            return ""
        words = permanent.reason(scene, subject)
        if words or not certain:
            return words
        return permanent.unready(scene, subject) or "nothing but retries is left to happen"

    def unwell(self, subject: Subject | None) -> list[Object]:
        """The pods of the subject that are not well."""
        if isinstance(subject, PodSelector):
            return unwell(self.scene, self._chosen(subject))
        if subject is None:
            return []
        return unwell(self.scene, [p for p in self.scene.pods() if subject.owns(self.scene.view, p)])

    def _node(self, ref: WorkloadRef, node: Object) -> list[str]:
        lines = []
        ready = condition(node, "Ready")
        if ready is not None and ready["status"] != "True":
            lines.append(f"{ref.text} is down (Ready is {ready['status']}: {ready.get('reason', '')})")
        on_it = [pod for pod in self.scene.pods() if pod["spec"].get("nodeName") == ref.name]
        return lines + blocked(self.scene, [pod for pod in on_it if is_active(pod)])

    def _chosen(self, selector: PodSelector) -> list[Object]:
        selected = Selected(selector, self.scene.view)
        return [pod for pod in self.scene.pods() if selected.includes(pod)]
