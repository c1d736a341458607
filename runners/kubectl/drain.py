"""`kubectl drain`: a node takes no more pods, and those that it has are evicted.

kubectl: pkg/cmd/drain/drain.go, pkg/drain/{drain,filters}.go
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from gherkube.runners.cluster import Api, Clock
from gherkube.runners.errors import ApiError, Refused
from gherkube.runners.kubectl.nodes import cordon
from gherkube.runners.kubectl.refusals import asking, text_of
from gherkube.runners.objects import ENDED, Key, Object, controller_of, key_of

RETRY = 5.0
"""Seconds until an eviction that a budget refused is tried again."""
POLL = 1.0
"""Seconds between two looks whether a pod has gone."""

DAEMONSET = "DaemonSet-managed Pods (use --ignore-daemonsets to ignore)"
LOCAL = "Pods with local storage (use --delete-emptydir-data to override)"
UNMANAGED = "cannot delete Pods that declare no controller (use --force to override)"
IGNORED, FORCED = "ignoring DaemonSet-managed Pods", "deleting Pods that declare no controller"


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
    warn: Callable[[str], object] = lambda _: None,
) -> None:
    """Cordons the node and evicts its pods; returns when they have gone.

    `timeout` in seconds, 0 for none. `say` gets each line that kubectl prints as output, `warn` each
    that it prints as an error and goes on. Raises Refused when a pod may not be evicted like this, or
    when pods are left at the timeout.
    """
    say(cordon(api, node).text)
    with asking():
        pods = api.list("pods", fields=f"spec.nodeName={node}", labels=pod_selector)
    refused: dict[str, list[str]] = {}
    warned: dict[str, list[str]] = {}
    going = []
    for pod in filter(_is_no_mirror, pods):
        if _is_daemon(pod):
            _note(pod, warned, IGNORED) if ignore_daemonsets else _note(pod, refused, DAEMONSET)
            continue
        going.append(pod)
        if _has_local_storage(pod) and not delete_emptydir_data:
            _note(pod, refused, LOCAL)
        elif _is_unmanaged(pod):
            _note(pod, warned, FORCED) if force else _note(pod, refused, UNMANAGED)
    if refused:
        raise _unable(node, [f"cannot delete {why}: {', '.join(found)}" for why, found in refused.items()])
    if warned:
        warn("Warning: " + "; ".join(f"{word}: {', '.join(found)}" for word, found in warned.items()))
    denied: dict[Key, str] = {}
    failed = _evict_all(api, clock, going, timeout, say, denied)
    for denial in denied.values():
        warn(denial)
    if failed:
        warn(f'There are pending pods in node "{node}" when an error occurred: {_all(failed.values())}')
        for key in failed:
            warn(f"pod/{key.name}")
        because = [denied[key] for key in failed if key in denied]
        raise Refused("\n".join([*because, _unable(node, list(failed.values())).text]))
    say(f"node/{node} drained")


def _note(pod: Object, found: dict[str, list[str]], why: str) -> None:
    found.setdefault(why, []).append("/".join(key_of(pod)))


def _evict_all(
    api: Api,
    clock: Clock,
    pods: list[Object],
    timeout: float,
    say: Callable[[str], object],
    denied: dict[Key, str],
) -> dict[Key, str]:
    """Why pods were left at the timeout, by pod. `denied` gets what was said of evictions that were refused.

    That the time is over shows when an eviction that was refused is due again.
    """
    end = clock.now() + timeout if timeout else float("inf")
    reached = f"global timeout reached: {_go_duration(timeout)}"
    due = dict.fromkeys(map(key_of, pods), clock.now())
    waiting: dict[Key, str] = {}
    failed: dict[Key, str] = {}
    uids = {key_of(pod): pod["metadata"]["uid"] for pod in pods}
    while due or waiting:
        now = clock.now()
        for key in [key for key, at in due.items() if at <= now]:
            say(f"evicting pod {'/'.join(key)}")
            if now >= end:
                failed[key] = f"error when evicting {_named(key)}: {reached}"
                del due[key]
            elif why := _evict(api, key):
                denied[key] = f"error when evicting {_named(key)} (will retry after 5s): {why}"
                due[key] = now + RETRY
            else:
                del due[key]
                waiting[key] = uids[key]
        for key, uid in list(waiting.items()):
            if _is_gone(api, key, uid):
                say(f"pod/{key.name} evicted")
            elif now >= end:
                where = f'pod "{key.name}" in namespace "{key.namespace}"'
                failed[key] = f"error when waiting for {where} to terminate: {reached}"
            else:
                continue
            del waiting[key]
        if due or waiting:
            clock.sleep(min(POLL, end - now) if now < end else POLL)
    return failed


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


def _is_no_mirror(pod: Object) -> bool:
    return "kubernetes.io/config.mirror" not in pod["metadata"].get("annotations", {})


def _has_local_storage(pod: Object) -> bool:
    ended = pod["status"].get("phase") in ENDED
    return not ended and any("emptyDir" in volume for volume in pod["spec"].get("volumes", ()))


def _is_unmanaged(pod: Object) -> bool:
    return controller_of(pod) is None and pod["status"].get("phase") not in ENDED


def _unable(node: str, errors: list[str]) -> Refused:
    told = "\n".join(errors)
    return Refused(
        f'error: unable to drain node "{node}" due to error: {_all(errors)}, continuing command...\n'
        f"There are pending nodes to be drained:\n {node}\n{told}"
    )


def _all(errors: Collection[str]) -> str:
    return f"[{', '.join(errors)}]" if len(errors) > 1 else "".join(errors)


def _go_duration(seconds: float) -> str:
    """As Go prints a duration: 30s, 5m0s, 1h0m0s."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{rest}s"
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
