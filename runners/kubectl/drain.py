"""`kubectl drain`: a node takes no more pods, and those that it has are evicted.

kubectl: pkg/cmd/drain/drain.go, pkg/drain/{drain,filters}.go
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gherkube.runners.cluster import Api, Clock
from gherkube.runners.errors import ApiError, Refused
from gherkube.runners.kubectl.nodes import cordon
from gherkube.runners.kubectl.refusals import asking, text_of
from gherkube.runners.objects import ENDED, Key, Object, controller_of, key_of

RETRY = 5.0
"""Seconds until an eviction that a budget refused is tried again."""
POLL = 1.0
"""Seconds between two looks whether a pod has gone."""

DAEMONSET = "cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore)"
LOCAL = "cannot delete Pods with local storage (use --delete-emptydir-data to override)"
UNMANAGED = "cannot delete Pods that declare no controller (use --force to override)"


def drain(
    api: Api,
    clock: Clock,
    node: str,
    *,
    ignore_daemonsets: bool = False,
    delete_emptydir_data: bool = False,
    force: bool = False,
    pod_selector: str = "",
    timeout: float = 0.0,
    say: Callable[[str], object] = lambda _: None,
) -> None:
    """Cordons the node and evicts its pods; returns when they have gone.

    `timeout` in seconds, 0 for none. `say` gets each line that kubectl prints. Raises Refused when a
    pod may not be evicted like this, or when pods are left at the timeout.
    """
    say(cordon(api, node).text)
    with asking():
        pods = api.list("pods", fields=f"spec.nodeName={node}", labels=pod_selector)
    ignored = [pod for pod in pods if _is_daemon(pod)]
    going = [pod for pod in pods if not _is_daemon(pod) and not _is_mirror(pod)]
    problems = {
        DAEMONSET: [] if ignore_daemonsets else ignored,
        LOCAL: [] if delete_emptydir_data else list(filter(_has_local_storage, going)),
        UNMANAGED: [] if force else [pod for pod in going if _is_unmanaged(pod)],
    }
    told = [f"{why}: {', '.join(map(_place, found))}" for why, found in problems.items() if found]
    if told:
        raise _unable(node, told[0] if len(told) == 1 else f"[{', '.join(told)}]")
    for warning in _warnings(ignored, [pod for pod in going if _is_unmanaged(pod)]):
        say(warning)
    _evict_all(api, clock, node, going, timeout, say)
    say(f"node/{node} drained")


def _evict_all(
    api: Api, clock: Clock, node: str, pods: list[Object], timeout: float, say: Callable[[str], object]
) -> None:
    end = clock.now() + timeout if timeout else float("inf")
    due = dict.fromkeys(map(key_of, pods), clock.now())
    waiting: dict[Key, str] = {}
    denied: dict[Key, str] = {}
    uids = {key_of(pod): pod["metadata"]["uid"] for pod in pods}
    while due or waiting:
        for key in [key for key, at in due.items() if at <= clock.now()]:
            say(f"evicting pod {'/'.join(key)}")
            if why := _evict(api, key):
                denied[key] = f"error when evicting {_named(key)} (will retry after 5s): {why}"
                say(denied[key])
                due[key] = clock.now() + RETRY
            else:
                del due[key]
                waiting[key] = uids[key]
        for key in [key for key, uid in waiting.items() if _is_gone(api, key, uid)]:
            del waiting[key]
            say(f"pod/{key.name} evicted")
        if not due and not waiting:
            return
        if clock.now() >= end:
            reached = f"global timeout reached: {_go_duration(timeout)}"
            left = [f"error when evicting {_named(key)}: {reached}" for key in due]
            for key in waiting:
                where = f'pod "{key.name}" in namespace "{key.namespace}"'
                left.append(f"error when waiting for {where} to terminate: {reached}")
            refused = _unable(node, left[0] if len(left) == 1 else f"[{', '.join(left)}]")
            raise Refused("\n".join([*(denied[key] for key in due), refused.text]))
        clock.sleep(min(POLL, max(end - clock.now(), 0.0)))


def _evict(api: Api, key: Key) -> str:
    """Why the pod may not be evicted now; "" when it was, or is gone already."""
    metadata = {"name": key.name, "namespace": key.namespace}
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": metadata}
    try:
        api.post("pods", key.name, "eviction", body, key.namespace)
    except ApiError as error:
        if error.code == 404:
            return ""
        if error.code != 429:
            raise Refused(text_of(error, f"evicting {_named(key)}"), error) from error
        return error.message
    return ""


def _named(key: Key) -> str:
    return f'pods/"{key.name}" -n "{key.namespace}"'


def _is_gone(api: Api, key: Key, uid: str) -> bool:
    try:
        return bool(api.get("pods", key.name, key.namespace)["metadata"]["uid"] != uid)
    except ApiError as error:
        if error.code == 404:
            return True
        raise


def _is_daemon(pod: Object) -> bool:
    owner = controller_of(pod)
    return owner is not None and owner["kind"] == "DaemonSet" and pod["status"].get("phase") not in ENDED


def _is_mirror(pod: Object) -> bool:
    return "kubernetes.io/config.mirror" in pod["metadata"].get("annotations", {})


def _has_local_storage(pod: Object) -> bool:
    ended = pod["status"].get("phase") in ENDED
    return not ended and any("emptyDir" in volume for volume in pod["spec"].get("volumes", ()))


def _is_unmanaged(pod: Object) -> bool:
    return controller_of(pod) is None and pod["status"].get("phase") not in ENDED


def _warnings(ignored: list[Object], unmanaged: list[Object]) -> Iterator[str]:
    found = [
        f"{word}: {', '.join(map(_place, pods))}"
        for word, pods in (
            ("deleting Pods that declare no controller", unmanaged),
            ("ignoring DaemonSet-managed Pods", ignored),
        )
        if pods
    ]
    if found:
        yield f"Warning: {'; '.join(found)}"


def _unable(node: str, why: str) -> Refused:
    return Refused(
        f'error: unable to drain node "{node}" due to error: {why}, continuing command...\n'
        f"There are pending nodes to be drained:\n {node}"
    )


def _place(pod: Object) -> str:
    return "/".join(key_of(pod))


def _go_duration(seconds: float) -> str:
    """As Go prints a duration: 30s, 5m0s, 1h0m0s."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{rest}s"
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
