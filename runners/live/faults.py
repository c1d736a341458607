"""What a live cluster can break, and what it can be told of images: nothing, unless
a `gherkube serve` answers.

What was broken or told is put right at the end.
"""

from __future__ import annotations

from typing import Any

from gherkube.runners.errors import ApiError, CannotJudge, UsageError
from gherkube.runners.live.served import Served

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


class NoFaults:
    """The faults of a cluster that others live on."""

    def __init__(self, name: str) -> None:
        self._name = name

    def stop_node(self, name: str) -> None:
        """Raises CannotJudge."""
        raise CannotJudge(
            f'node "{name}" of {self._name} is not taken down: a live cluster is used by others'
        )

    def start_node(self, name: str) -> None:
        """Raises CannotJudge."""
        raise CannotJudge(f'node "{name}" of {self._name} cannot be started from here')

    def behave(self, image: str, **behaviour: Any) -> None:
        """Raises CannotJudge: an image is what it is."""
        raise CannotJudge(
            f'image "{image}" {says(behaviour)}: that cannot be established here, on {self._name}'
        )

    def mend(self) -> None:
        """Nothing was broken."""


class ServedFaults:
    """The faults of a `gherkube serve`, and its images."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._down: dict[str, None] = {}
        self._told = False

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
        self._told = True
        self._ask("PATCH", "/images", [f'image "{image}" {says(behaviour)}'])

    def mend(self) -> None:
        """Starts the nodes that were stopped, and takes back what was said of images."""
        for name in list(self._down):
            self.start_node(name)
        if self._told:
            self._ask("DELETE", "/images")

    def _ask(self, method: str, path: str, body: Any = None) -> None:
        try:
            self._served.ask(method, path, body)
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
