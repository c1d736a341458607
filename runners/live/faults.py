"""What a live cluster can break, and what it can be told of images: nothing, unless
a `gherkube serve` answers.

What was broken or told is put right at the end.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Any, Protocol

from gherkube.runners import state
from gherkube.runners.cluster import Faults
from gherkube.runners.errors import ApiError, CannotJudge, UsageError
from gherkube.runners.live.api import LiveApi
from gherkube.runners.live.fences import Act, Fences
from gherkube.runners.live.served import Served
from gherkube.runners.objects import Object, container_statuses
from gherkube.runners.simulator.node.images import parse_image

POD = "pod"
"""The kind of a pod that is tried among what a run owes."""
PULLS_WITHIN = 60.0
"""Real seconds until a node has said something of an image."""

SAYS = {
    "exists": "does not exist",
    "pull_seconds": "takes {} seconds to pull",
    "listen_after": "takes {} seconds to start listening",
    "ready_after": "becomes ready after {} seconds",
    "never_ready": "never becomes ready",
    "crash_after": "crashes after {} seconds with exit code {exit_code}",
    "fails_liveness_after": "fails its liveness probe after {} seconds",
    "answer_code": "answers requests with status {}",
    "answer_text": 'answers requests with "{}"',
    "stop_seconds": "takes {} seconds to stop",
    "memory": "needs {} of memory",
}
"""What is said of an image, by the behaviour that it is."""


class MendedFaults(Faults, Protocol):
    """Faults that are put right when the scenario ends."""

    def said_of(self, image: str) -> Object | None:
        """All that was said of an image: what `say_again` takes. None where images are what they are."""

    def say_again(self, said: Object) -> None:
        """From now on the image behaves just so. Raises CannotJudge where images are what they are."""

    def mend(self) -> None:
        """Puts right what was broken, before the scenario's namespaces go."""

    def set_nodes(self, count: int, cpu: str, memory: str) -> None:
        """Makes it a cluster of that many nodes. Raises CannotJudge."""

    def reshape(self) -> None:
        """Gives it the nodes that it had, once the scenario's namespaces are gone."""


class LiveFaults:
    """The faults of a cluster that others live on: none.

    `namespace` is where a pod may be tried, once `allow` has not refused that.
    """

    def __init__(
        self, name: str, api: LiveApi, namespace: Callable[[], str], allow: Callable[[Act], None]
    ) -> None:
        self._name, self._api, self._namespace, self._allow = name, api, namespace, allow

    def stop_node(self, name: str) -> None:
        """Raises CannotJudge."""
        raise CannotJudge(
            f'node "{name}" of {self._name} is not taken down: a live cluster is used by others'
        )

    def start_node(self, name: str) -> None:
        """Raises CannotJudge."""
        raise CannotJudge(f'node "{name}" of {self._name} cannot be started from here')

    def behave(self, image: str, **behaviour: Any) -> None:
        """Raises CannotJudge, unless the image does not exist, and is not to: a pod that tries it tells."""
        why = "an image is what it is"
        if behaviour == {"exists": False}:
            why = self._try(image)
            if "not found" in why.lower():
                return
        raise CannotJudge(
            f'image "{image}" {says(behaviour)}: that cannot be established here, on {self._name}: {why}'
        )

    def said_of(self, image: str) -> None:
        """Images are what they are."""

    def say_again(self, said: Object) -> None:
        """Raises CannotJudge."""
        raise CannotJudge(f'image "{said["metadata"]["name"]}" is what it is on {self._name}')

    def mend(self) -> None:
        """Nothing was broken."""

    def set_nodes(self, count: int, cpu: str, memory: str) -> None:
        """Raises CannotJudge."""
        raise CannotJudge(
            f"{self._name} cannot be made a cluster of {count} nodes, {cpu} {memory}".rstrip(", ")
        )

    def reshape(self) -> None:
        """The nodes are what they were."""

    def _try(self, image: str) -> str:
        """What a node says of the image."""
        name, namespace = f"gherkube-looks-{secrets.token_hex(3)}", self._namespace()
        container = {"name": "looks", "image": image, "command": ["true"]}
        spec = {"containers": [container], "restartPolicy": "Never", "terminationGracePeriodSeconds": 0}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}
        self._allow(Act("create", "pods", namespace, name))
        debt = self._owe(namespace, name)
        try:
            self._api.create(pod, namespace=namespace)
            until = time.monotonic() + PULLS_WITHIN
            while time.monotonic() < until:
                if said := _said(self._api.get("pods", name, namespace)):
                    return said
                time.sleep(0.1)
            return "no node has said anything of it"
        finally:
            take_away(self._api, namespace, name)
            debt.paid()

    def _owe(self, namespace: str, name: str) -> state.Debt:
        at = self._api.connection
        words = f"pod {name} in namespace {namespace} of context {at.context}"
        where = {"context": at.context, "kubeconfig": at.file, "namespace": namespace, "name": name}
        return state.begin().owe(POD, words, **where)


def take_away(api: LiveApi, namespace: str, name: str) -> None:
    """Deletes a pod that was tried, if it is there."""
    try:
        api.delete("pods", name, namespace, grace_period=0)
    except ApiError as error:
        if error.reason != "NotFound":
            raise


def _said(pod: Object) -> str:
    """What became of a pod's image; "" while nothing has."""
    for status in container_statuses(pod):
        state = status.get("state", {})
        waiting = state.get("waiting", {})
        if waiting.get("reason") in ("ErrImagePull", "ImagePullBackOff") and waiting.get("message"):
            return str(waiting["message"])
        if "running" in state or "terminated" in state:
            return "there is such an image"
    return ""


class FencedFaults:
    """Faults of nodes, each held against the fences before it is made."""

    def __init__(self, faults: MendedFaults, fences: Fences) -> None:
        self._faults, self._fences = faults, fences

    def stop_node(self, name: str) -> None:
        """As those do it. Raises Fenced."""
        self._fences.check(Act("node faults", "nodes", "", name), owned=False)
        self._faults.stop_node(name)

    def start_node(self, name: str) -> None:
        """As those do it. Raises Fenced."""
        self._fences.check(Act("node faults", "nodes", "", name), owned=False)
        self._faults.start_node(name)

    def behave(self, image: str, **behaviour: Any) -> None:
        """As those do it."""
        self._faults.behave(image, **behaviour)

    def said_of(self, image: str) -> Object | None:
        """As those tell it."""
        return self._faults.said_of(image)

    def say_again(self, said: Object) -> None:
        """As those do it."""
        self._faults.say_again(said)

    def mend(self) -> None:
        """Puts right what was broken."""
        self._faults.mend()

    def set_nodes(self, count: int, cpu: str, memory: str) -> None:
        """As those do it."""
        self._faults.set_nodes(count, cpu, memory)

    def reshape(self) -> None:
        """Gives it the nodes that it had."""
        self._faults.reshape()


class ServedFaults:
    """The faults of a `gherkube serve`, and its images."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._down: dict[str, None] = {}
        self._said: dict[str, tuple[Object, Object]] = {}
        """What was said of images before they were told something here, and after."""
        self._nodes = 0
        """How many nodes took pods, once that was changed."""

    def stop_node(self, name: str) -> None:
        """Power loss: kubelet and containers stop; the API server hears no more."""
        self._ask("POST", f"/nodes/{name}/stop")
        self._down[name] = None

    def start_node(self, name: str) -> None:
        """The node's power is back."""
        self._ask("POST", f"/nodes/{name}/start")
        self._down.pop(name, None)

    def behave(self, image: str, **behaviour: Any) -> None:
        """From now on containers of the image behave so."""
        before = self.said_of(image)
        name = before["metadata"]["name"]
        first, _ = self._said.setdefault(name, (before, before))
        self._ask("PATCH", "/images", [f'image "{image}" {says(behaviour)}'])
        self._said[name] = (first, self.said_of(image))

    def said_of(self, image: str) -> Object:
        """All that was said of an image: what `say_again` takes."""
        try:
            name = parse_image(image).name
        except ValueError as error:
            raise UsageError(str(error)) from None
        return {"metadata": {"name": name}, "behaves": self._ask("GET", "/images").get(name)}

    def say_again(self, said: Object) -> None:
        """From now on the image behaves just so."""
        self._ask("PUT", "/images", {said["metadata"]["name"]: said["behaves"]})

    def mend(self) -> None:
        """Starts the nodes that were stopped; takes back what was said of images, where it still counts."""
        for name in list(self._down):
            self.start_node(name)
        for name, (before, after) in list(self._said.items()):
            if self.said_of(name) == after:
                self.say_again(before)
            del self._said[name]

    def set_nodes(self, count: int, cpu: str, memory: str) -> None:
        """Makes it a cluster of that many nodes; UsageError when one that would go has pods."""
        self._nodes = self._nodes or len(self._served.ask("GET")["nodes"]) - 1
        sizes = {name: size for name, size in (("cpu", cpu), ("memory", memory)) if size}
        self._ask("PUT", "/nodes", {"count": count, **sizes})

    def reshape(self) -> None:
        """Gives it the nodes that it had, once nothing runs on them any more."""
        if self._nodes:
            self._ask("PUT", "/nodes", {"count": self._nodes})

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        try:
            return self._served.ask(method, path, body)
        except ApiError as error:
            raise UsageError(str(error)) from None


def says(behaviour: dict[str, Any]) -> str:
    """A behaviour in the words of the language."""
    exit_code = behaviour.get("exit_code", 1)
    said = [
        SAYS[name].format(f"{value:g}" if isinstance(value, float) else value, exit_code=exit_code)
        for name, value in behaviour.items()
        if name in SAYS
    ]
    return " and ".join(said)
