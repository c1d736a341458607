"""Why a workload has not got what it is meant to have."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from math import ceil, floor

from gherkube.runners.expectations.causes.nodes import blocked
from gherkube.runners.expectations.causes.ordinals import order
from gherkube.runners.expectations.causes.pods import told_pods, unwell
from gherkube.runners.expectations.causes.scene import Scene, essence, listed, number
from gherkube.runners.expectations.pods import names
from gherkube.runners.expectations.revisions import (
    MARKS,
    newest_keeper,
    newest_mark,
    replica_sets,
    revision_of,
    wanted_pods,
)
from gherkube.runners.expectations.subjects import WorkloadRef, images_of
from gherkube.runners.objects import Object, condition, is_active, is_deleting, is_ready

QUOTA = re.compile(
    r"exceeded quota: (?P<name>[^,]+), requested: (?P<asked>.+), used: (?P<used>.+), limited: (?P<limit>.+)"
)


def of_deployment(scene: Scene, ref: WorkloadRef, obj: Object) -> list[str]:
    """The chain of a deployment, over its newest ReplicaSet that is behind, to pods."""
    name, lines = ref.text, list[str]()
    sets = replica_sets(scene.view, ref)
    newest = newest_keeper(scene.view, ref)
    if obj["spec"].get("paused"):
        how = "" if newest is not None else ", so that its new template is not rolled out"
        lines.append(f"{name} is paused{how}")
    progressing = condition(obj, "Progressing")
    if progressing is not None and progressing.get("reason") == "ProgressDeadlineExceeded":
        seconds = obj["spec"].get("progressDeadlineSeconds", 600)
        lines.append(f"{name} exceeded its progress deadline of {seconds} s")
    behind = [one for one in sets if _is_behind(scene, one)]
    refused = refusal(scene, obj, *sets)
    for one in [one for one in behind if one is newest] or behind[-1:]:
        pods = scene.pods_of(one)
        lines.append(f"{name} waits for {_told_set(one)}: {_ready(one, pods)}")
        lines += [f"└ {words}" for words in refused]
        lines += told_pods(scene, unwell(scene, pods))
        refused = []
    lines += [f"{name} cannot make its pods: {words}" for words in refused]
    old = [pod for one in sets if one is not newest for pod in scene.pods_of(one) if is_deleting(pod)]
    if old:
        lines.append(f"{number(len(old), 'old pod')} still terminating ({names(old)})")
        lines += [] if behind else told_pods(scene, old)[:2]
    return lines + blocked(scene, [pod for one in sets for pod in scene.pods_of(one)])


def of_owner(scene: Scene, ref: WorkloadRef, obj: Object) -> list[str]:
    """The chain of any other workload that has pods."""
    name, lines = ref.text, []
    pods = [pod for pod in scene.pods() if ref.owns(scene.view, pod)]
    failed = condition(obj, "Failed")
    if failed is not None and failed["status"] == "True":
        lines.append(f"{name} failed: {failed.get('reason', '')}: {failed.get('message', '')}")
    active = [pod for pod in pods if is_active(pod)]
    if len(active) < (wanted_pods(obj) or 0):
        lines += [f"{name} cannot make its pods: {words}" for words in refusal(scene, obj)]
    return [*lines, *of_pods(scene, name, pods, order(scene, ref, obj, pods))]


def of_pods(scene: Scene, name: str, pods: list[Object], waiting: Iterable[str] = ()) -> list[str]:
    """What the pods of something lack, and who waits for them."""
    bad = unwell(scene, pods)
    if not bad:
        return blocked(scene, pods)
    if all(map(is_deleting, bad)):
        return [f"{name}: {len(bad)} of its pods still terminating", *told_pods(scene, bad), *waiting]
    active = [pod for pod in pods if is_active(pod)]
    ready = sum(map(is_ready, active))
    head = f"{name}: {ready} of {len(active)} pods {'is' if ready == 1 else 'are'} ready"
    if not active:
        head = f"{name} has no active pods"
    return [head, *told_pods(scene, bad), *waiting, *blocked(scene, pods)]


def strategy(scene: Scene, ref: WorkloadRef) -> list[str]:
    """How many pods the rolling update that is going on may take away, where it may take any."""
    obj, rule = ref.find(scene.view), ROLLING.get(ref.resource)
    if obj is None or rule is None:
        return []
    newest = newest_mark(scene.view, ref)
    owned = [pod for pod in scene.pods() if ref.owns(scene.view, pod)]
    if newest is None or all(MARKS[ref.resource].of_pod(pod) == newest for pod in owned):
        return []
    words = rule(ref, obj)
    return [words] if words else []


def _rolling_deployment(ref: WorkloadRef, obj: Object) -> str:
    strategy, wanted = obj["spec"].get("strategy") or {}, obj["spec"].get("replicas", 1)
    if strategy.get("type") == "Recreate":
        return f"{ref.text} is replaced all at once (strategy Recreate)"
    rolling = strategy.get("rollingUpdate") or {}
    said = rolling.get("maxUnavailable", "25%")
    n = _resolved(said, wanted, up=False)
    if n == 0 and _resolved(rolling.get("maxSurge", "25%"), wanted, up=True) == 0:
        n = 1
    return _may_lack(ref, n, wanted, said)


def _rolling_stateful_set(ref: WorkloadRef, obj: Object) -> str:
    if (obj["spec"].get("updateStrategy") or {}).get("type") != "RollingUpdate":
        return ""
    return f"the rolling update of {ref.text} replaces one pod at a time, which is then not there"


def _rolling_daemon_set(ref: WorkloadRef, obj: Object) -> str:
    strategy, wanted = obj["spec"].get("updateStrategy") or {}, wanted_pods(obj) or 0
    if strategy.get("type") != "RollingUpdate":
        return ""
    said = (strategy.get("rollingUpdate") or {}).get("maxUnavailable", 1)
    return _may_lack(ref, _resolved(said, wanted, up=True), wanted, said)


def _may_lack(ref: WorkloadRef, n: int, wanted: int, said: int | str) -> str:
    if not n:
        return ""
    share = f" (maxUnavailable {said})"
    return f"the rolling update of {ref.text} may have {n} of {wanted} pods unavailable{share}"


ROLLING: dict[str, Callable[[WorkloadRef, Object], str]] = {
    "deployments": _rolling_deployment,
    "statefulsets": _rolling_stateful_set,
    "daemonsets": _rolling_daemon_set,
}
"""What an update of each kind of workload may do, in words."""


def _resolved(value: int | str, of: int, *, up: bool) -> int:
    """intstr GetScaledValueFromIntOrPercent"""
    if isinstance(value, int):
        return value
    share = int(value.rstrip("%")) * of / 100
    return ceil(share) if up else floor(share)


def refusal(scene: Scene, *owners: Object) -> list[str]:
    """Why the API server makes no more pods for the owners: what a condition says, or else an event."""
    for owner in owners:
        failure = condition(owner, "ReplicaFailure")
        if failure is not None and failure["status"] == "True":
            return [_refused(failure.get("message", ""))]
    for owner in reversed(owners):
        wanted = wanted_pods(owner) or 0
        events = scene.events(owner, "FailedCreate")
        if events and sum(map(is_active, scene.pods_of(owner))) < wanted:
            return [_refused(events[-1][1].get("message", ""))]
    return []


def _refused(message: str) -> str:
    """What the API server said; a quota in words of its own."""
    found = QUOTA.search(message)
    if found is None:
        return essence(message)
    used = dict(part.partition("=")[::2] for part in found["used"].split(","))
    asked = dict(part.partition("=")[::2] for part in found["asked"].split(","))
    limits = dict(part.partition("=")[::2] for part in found["limit"].split(","))
    words = listed(
        f"{what}: {used.get(what, '?')} of {limit} used, {asked.get(what, '?')} more requested"
        for what, limit in limits.items()
    )
    return f'exceeded quota: "{found["name"]}" has no room ({words})'


def _is_behind(scene: Scene, replica_set: Object) -> bool:
    pods = [pod for pod in scene.pods_of(replica_set) if not is_deleting(pod)]
    return len(pods) < replica_set["spec"].get("replicas", 0) or bool(unwell(scene, pods))


def _told_set(one: Object) -> str:
    images = ", ".join(images_of(one["spec"]["template"]["spec"]))
    return f"replica set {one['metadata']['name']} (revision {revision_of(one)}, {images})"


def _ready(one: Object, pods: list[Object]) -> str:
    ready = sum(is_active(pod) and is_ready(pod) for pod in pods)
    wanted = one["spec"].get("replicas", 0)
    if wanted == 1:
        return f"its pod is {'' if ready else 'not '}ready"
    return f"{ready} of its {number(wanted, 'pod')} {'is' if ready == 1 else 'are'} ready"
