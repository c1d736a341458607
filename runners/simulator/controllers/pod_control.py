"""How a controller makes and deletes pods, and the events that tell of it.

pkg/controller/controller_utils.go RealPodControl
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from gherkube.runners.errors import ApiError
from gherkube.runners.objects import Object
from gherkube.runners.simulator.api.server import ApiServer
from gherkube.runners.simulator.controllers.ownership import is_namespace_terminating
from gherkube.runners.simulator.events import EventRecorder, EventType

T = TypeVar("T")

COPIED = ("labels", "annotations", "finalizers")
"""What of a template's metadata its pods get."""
MAX_PREFIX = 253
FIRST_BATCH = 1
"""How many pods are tried first; each batch that succeeds is followed by one twice as large."""


class PodControl:
    """Makes and deletes pods on behalf of their owners."""

    def __init__(self, api: ApiServer, recorder: EventRecorder) -> None:
        self._api, self._recorder = api, recorder

    def create(self, owner: Object, references: list[Object], prefix: str = "") -> None:
        """A new pod from the owner's template; `references` become its owner references.

        Its name begins with `prefix`, or with the owner's name where none is given.

        Raises what the API server refuses, after the event `FailedCreate`.
        """
        template, about = owner["spec"]["template"], owner["metadata"]
        prefix = prefix or about["name"] + "-"
        metadata: Object = {
            "generateName": prefix if len(prefix) <= MAX_PREFIX else about["name"],
            "namespace": about["namespace"],
            "ownerReferences": references,
        }
        for field, value in template["metadata"].items():
            if field in COPIED:
                metadata[field] = value
        try:
            pod = self._api.create_trusted("pods", {"metadata": metadata, "spec": template["spec"]})
        except ApiError as error:
            if not is_namespace_terminating(error):
                self._tell(owner, "Warning", "FailedCreate", f"Error creating: {error.message}")
            raise
        self._tell(owner, "Normal", "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}")

    def delete(self, owner: Object, pod: Object) -> None:
        """Deletes a pod of the owner's.

        Raises what the API server refuses: after the event `FailedDelete`, unless the pod was gone.
        """
        metadata = pod["metadata"]
        try:
            self._api.delete("pods", metadata["name"], metadata["namespace"])
        except ApiError as error:
            if error.code != 404:
                self._tell(owner, "Warning", "FailedDelete", f"Error deleting: {error.message}")
            raise
        self._tell(owner, "Normal", "SuccessfulDelete", f"Deleted pod: {metadata['name']}")

    def _tell(self, owner: Object, type_: EventType, reason: str, message: str) -> None:
        self._recorder.record(owner["kind"], owner, type_, reason, message)


def slow_start(items: Sequence[T], make: Callable[[T], object]) -> tuple[int, ApiError | None]:
    """Makes something of each item, in batches of 1, 2, 4, …, and none after a batch in which one failed.

    Returns how many were made and the first error. What a namespace that is being deleted refuses
    counts as made: there is no use in trying again. slowStartBatch
    """
    made, batch = 0, FIRST_BATCH
    while made < len(items):
        failed: ApiError | None = None
        for item in items[made : made + batch]:
            try:
                make(item)
            except ApiError as error:
                if not is_namespace_terminating(error):
                    failed = failed or error
                    continue
            made += 1
        if failed is not None:
            return made, failed
        batch *= 2
    return made, None
