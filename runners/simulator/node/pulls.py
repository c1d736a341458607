"""Getting an image onto a node: policies, back-off, and the node's one pull at a time.

pkg/kubelet/images/image_manager.go EnsureImageExists, puller.go serialImagePuller
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from gherkube.runners.simulator.node.backoff import duration
from gherkube.runners.simulator.node.containers import Container
from gherkube.runners.simulator.node.images import InvalidImageName

if TYPE_CHECKING:
    from collections.abc import Generator

    from gherkube.runners.simulator.node.kubelet import Kubelet
    from gherkube.runners.simulator.node.pod import PodWorker

REFUSED_AFTER = 0.02
"""Median seconds that it takes a registry to say that it does not have an image."""
CHECK_TAKES = 0.15
"""Median seconds of a pull that finds all layers on the node."""
PULL_VARIES = 0.1
"""The spread of a pull's time."""

Refusal: TypeAlias = tuple[str, str]
"""Why there is no image: the waiting reason, and its message."""


def has_image(pod: PodWorker, container: Container) -> bool:
    """Whether the node has the container's image and need not ask for it again; if so, an event says it."""
    try:
        present = pod.kubelet.images.is_present(container.image, pod.kubelet.name)
    except InvalidImageName:
        return False
    if not present or _policy(container) == "Always":
        return False
    pod.say(container, "Normal", "Pulled", _is_there(container.image))
    return True


def pull_image(pod: PodWorker, container: Container) -> Generator[float, None, Refusal | None]:
    """Lets the node get the container's image, or says why it cannot; yields the seconds that it takes."""
    kubelet, image = pod.kubelet, container.image
    try:
        parsed = container.recipe.image
    except InvalidImageName as error:
        pod.say(container, "Warning", "InspectFailed", str(error))
        return "InvalidImageName", str(error)
    if _policy(container) == "Never":
        why = f'Container image "{image}" is not present with pull policy of Never'
        pod.say(container, "Warning", "ErrImageNeverPull", why)
        return "ErrImageNeverPull", why
    if pod.backoff.holds(parsed.name, kubelet.clock.now):
        why = f'Back-off pulling image "{image}"'
        pod.say(container, "Normal", "BackOff", why)
        return "ImagePullBackOff", f"{why}: ErrImagePull: {container.last_pull_error}"
    pod.say(container, "Normal", "Pulling", f'Pulling image "{image}"')
    asked_at = kubelet.clock.now
    while (wait := kubelet.pulls_until - kubelet.clock.now) > 0:  # one pull at a time
        yield wait
    began_at = kubelet.clock.now
    exists = kubelet.images.is_in_registry(image)
    seconds = _pull_takes(kubelet, image, exists=exists)
    kubelet.pulls_until = began_at + seconds
    yield seconds
    now = kubelet.clock.now
    if not exists:
        container.last_pull_error = parsed.not_found
        pod.say(container, "Warning", "Failed", f'Failed to pull image "{image}": {parsed.not_found}')
        pod.backoff.next(parsed.name, now, now)
        return "ErrImagePull", parsed.not_found
    kubelet.images.pulled(image, kubelet.name)
    took, waited = duration(now - began_at), duration(now - asked_at)
    size = f"Image size: {parsed.size} bytes."
    done = f'Successfully pulled image "{image}" in {took} ({waited} including waiting). {size}'
    pod.say(container, "Normal", "Pulled", done)
    return None


def _policy(container: Container) -> str:
    said: str | None = container.spec.get("imagePullPolicy")
    return said or ("Always" if container.recipe.image.tag == "latest" else "IfNotPresent")


@lru_cache(256)
def _is_there(image: str) -> str:
    return f'Container image "{image}" already present on machine'


def _pull_takes(kubelet: Kubelet, image: str, *, exists: bool) -> float:
    if not exists:
        return kubelet.latency(REFUSED_AFTER)
    if kubelet.images.is_present(image, kubelet.name):
        return kubelet.latency(CHECK_TAKES)
    varies = kubelet.latency(1.0, PULL_VARIES)
    return kubelet.images.of(image).pull_seconds * varies
