"""`pods/log`: what the containers of a pod printed. pkg/registry/core/pod/strategy.go LogLocation"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime, timedelta

from gherkube.runners.errors import ApiError
from gherkube.runners.objects import Object, container_statuses, key_of
from gherkube.runners.simulator.api.refusals import bad_request
from gherkube.runners.simulator.clock import EPOCH, seconds_of
from gherkube.runners.simulator.cluster import Simulator
from gherkube.runners.simulator.node.output import Line
from gherkube.runners.simulator.server.calls import TRUE
from gherkube.runners.simulator.server.chunks import number
from gherkube.runners.simulator.server.pump import Pump

WAITS_FOR = {
    "ErrImagePull": "image can't be pulled",
    "ImagePullBackOff": "trying and failing to pull image",
}
"""How a kubelet words why there is no log yet. pkg/kubelet/kubelet_pods.go validateContainerLogStatus"""
LOOK_EVERY = 0.2
"""Virtual seconds between two looks at a log that is followed."""


def log(cluster: Simulator, pod: Object, query: Mapping[str, str]) -> str:
    """What the log says now. ApiError BadRequest when there is none."""
    lines = lines_of(cluster, pod, query)
    since = number(query.get("sinceSeconds", ""))
    if since:
        lines = [line for line in lines if line.at >= cluster.clock.now() - since]
    if query.get("sinceTime"):
        lines = [line for line in lines if line.at >= _moment(query["sinceTime"])]
    if query.get("tailLines"):
        tail = number(query["tailLines"])
        lines = lines[-tail:] if tail else []
    text = "".join(map(rendered(query), lines))
    limit = number(query.get("limitBytes", ""))
    return text.encode()[:limit].decode(errors="ignore") if limit else text


async def follow(
    cluster: Simulator, pump: Pump, pod: Object, query: Mapping[str, str]
) -> AsyncIterator[bytes]:
    """The log as it grows, until the container has ended, or the pod is gone."""
    told, key, uid, woken = log(cluster, pod, query), key_of(pod), pod["metadata"]["uid"], asyncio.Event()
    yield told.encode()
    seen = len(lines_of(cluster, pod, query))
    pump.long_polls += 1
    try:
        while True:
            at = cluster.clock.now()
            found = cluster.store.get("pods", key)
            if found is None or found["metadata"]["uid"] != uid:
                return
            try:
                lines = lines_of(cluster, found, query)
            except ApiError:  # it waits to start again
                return
            if lines[seen:]:
                yield "".join(map(rendered(query), lines[seen:])).encode()
            if len(lines) < seen or _has_ended(found, _container(pod, query.get("container", ""))):
                return
            seen = len(lines)
            if cluster.clock.now() == at:
                woken.clear()
                pump.alarm(at + LOOK_EVERY, woken.set)
                await woken.wait()
    finally:
        pump.long_polls -= 1
        pump.poke()


def lines_of(cluster: Simulator, pod: Object, query: Mapping[str, str]) -> list[Line]:
    """All lines of the container that is asked for. pkg/kubelet/kubelet_pods.go validateContainerLogStatus"""
    name, pod_name = _container(pod, query.get("container", "")), pod["metadata"]["name"]
    previous = query.get("previous", "") in TRUE
    status = next((each for each in container_statuses(pod) if each["name"] == name), {})
    state = status.get("state", {})
    last = status.get("lastState", {}).get("terminated", {}).get("containerID", "")
    asked = last if previous or "waiting" in state else status.get("containerID", "")
    if asked:
        found = cluster.kubelets.output(key_of(pod), name, id_=asked)
        gone = Line(0.0, f"unable to retrieve container logs for {asked}", bare=True)
        return [gone] if found is None else found
    if previous:
        raise bad_request(f'previous terminated container "{name}" in pod "{pod_name}" not found')
    reason = state.get("waiting", {}).get("reason", "ContainerCreating")
    if not pod["spec"].get("nodeName"):
        raise bad_request(f"pod {pod_name} does not have a host assigned")
    why = WAITS_FOR.get(reason, reason)
    raise bad_request(f'container "{name}" in pod "{pod_name}" is waiting to start: {why}')


def rendered(query: Mapping[str, str]) -> Callable[[Line], str]:
    """How a line is written: with its time, as Go's log does, and once more if timestamps are asked for."""
    stamps = query.get("timestamps", "") in TRUE

    def render(line: Line) -> str:
        moment = EPOCH + timedelta(seconds=line.at)
        stamp = moment.strftime("%Y-%m-%dT%H:%M:%S.%f000Z ") if stamps else ""
        return f"{stamp}{line.text}\n" if line.bare else f"{stamp}{moment:%H:%M:%S} {line.text}\n"

    return render


def _has_ended(pod: Object, name: str) -> bool:
    return any("terminated" in each["state"] for each in container_statuses(pod) if each["name"] == name)


def _container(pod: Object, asked: str) -> str:
    names = [
        container["name"]
        for field in ("initContainers", "containers", "ephemeralContainers")
        for container in pod["spec"].get(field, ())
    ]
    pod_name = pod["metadata"]["name"]
    if asked:
        if asked not in names:
            raise bad_request(f"container {asked} is not valid for pod {pod_name}")
        return asked
    if len(names) > 1:
        raise bad_request(
            f"a container name must be specified for pod {pod_name}, choose one of: [{' '.join(names)}]"
        )
    return str(names[0])


def _moment(text: str) -> float:
    try:
        return seconds_of(datetime.fromisoformat(text).astimezone(UTC).isoformat())
    except ValueError:
        raise ApiError(400, "BadRequest", f'parsing time "{text[:40]}": it is no RFC 3339 time') from None
