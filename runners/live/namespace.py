"""The namespaces that a scenario makes: labelled with the run, deleted at its end, and that verified."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from contextlib import suppress

from gherkube.runners import state
from gherkube.runners.errors import ApiError, CannotJudge, GherkubeError
from gherkube.runners.live.api import LiveApi
from gherkube.runners.objects import Object, condition
from gherkube.runners.state import LABEL

RUN = state.run_id()
"""This run, in the labels of all that it makes."""
GOES_WITHIN = 120.0
"""Real seconds that a namespace may take to go."""
COMES_WITHIN = 60.0
"""Real seconds that it may take until pods can be made there."""
GRACE = 1
"""Seconds that pods get to stop when their namespace goes."""
REMAINS = ("NamespaceContentRemaining", "NamespaceFinalizersRemaining", "NamespaceDeletionContentFailure")


class NotGone(GherkubeError):  # noqa: N818 - what is told
    """Something that the run made is still there."""


class Namespaces:
    """What one scenario made; each gets the resource quota, if there is one."""

    def __init__(self, api: LiveApi, quota: Mapping[str, str]) -> None:
        self._api, self._quota = api, quota
        self._made: dict[str, state.Debt] = {}

    def make(self, name: str = "", wanted: Object | None = None) -> str:
        """Makes a namespace, as wanted, and returns its name once pods can be made there."""
        own = not name
        name = name or f"gherkube-{RUN}-{secrets.token_hex(3)}"
        debt = self._owe(name)
        if own:
            self._made[name] = debt  # whatever becomes of the request
        metadata = (wanted or {}).get("metadata") or {}
        labels = {**(metadata.get("labels") or {}), LABEL: RUN}
        made = {**metadata, "name": name, "labels": labels}
        try:
            self._api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": made})
        except ApiError:
            if not own:
                debt.paid()
            raise
        self._made[name] = debt
        if self._quota:
            self._api.create(_quota(self._quota), namespace=name)
        until = time.monotonic() + COMES_WITHIN
        while not self._is_ready(name):
            if time.monotonic() > until:
                raise CannotJudge(
                    f'namespace "{name}" got no service account "default" within {COMES_WITHIN:g} s'
                )
            time.sleep(0.05)
        return name

    def _owe(self, name: str) -> state.Debt:
        at = self._api.connection
        words = f"namespace {name} of context {at.context}"
        return state.begin().owe("namespace", words, context=at.context, kubeconfig=at.file, name=name)

    def __contains__(self, name: str) -> bool:
        return name in self._made

    def remove(self) -> None:
        """Deletes all that were made, and verifies that they are gone. Raises NotGone."""
        made, self._made = self._made, {}
        names = list(made)
        try:
            for name in names:
                delete(self._api, name)
            until = time.monotonic() + GOES_WITHIN
            for name in names:
                verify(self._api, name, until)
                made[name].paid()
        except CannotJudge as error:
            raise NotGone(
                f"{error}; of what this run made may be left: {', '.join(names)}; "
                f"then: kubectl delete namespace {' '.join(names)}"
            ) from None

    def _is_ready(self, name: str) -> bool:
        try:
            self._api.get("serviceaccounts", "default", name)
        except ApiError as error:
            if error.reason != "NotFound":
                raise
            return False
        return True


def delete(api: LiveApi, name: str) -> None:
    """Begins to delete a namespace; its pods get a second to stop."""
    with suppress(ApiError):
        api.delete("namespaces", name)
        for pod in api.list("pods", name):
            with suppress(ApiError):
                api.delete("pods", pod["metadata"]["name"], name, grace_period=GRACE)


def verify(api: LiveApi, name: str, until: float) -> None:
    """Waits until a namespace is gone. Raises NotGone at that moment (as `time.monotonic` tells)."""
    pause = 0.05
    while True:
        try:
            found = api.get("namespaces", name)
        except ApiError as error:
            if error.reason != "NotFound":
                raise
            return
        if time.monotonic() > until:
            raise NotGone(
                f'namespace "{name}", which this run made, does not go away: {remains(found)}; '
                f"remove what holds it, then: kubectl delete namespace {name}"
            )
        time.sleep(pause)
        pause = min(pause * 1.5, 1.0)


def _quota(hard: Mapping[str, str]) -> Object:
    metadata = {"name": "gherkube"}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": dict(hard)}}


def remains(namespace: Object) -> str:
    """What holds a namespace that is being deleted, as its conditions say."""
    said = [
        found["message"]
        for each in REMAINS
        if (found := condition(namespace, each)) and found["status"] == "True"
    ]
    finalizers = namespace["metadata"].get("finalizers") or []
    said += [f"its finalizers are {', '.join(finalizers)}"] if finalizers else []
    return " ".join(said) or "its pods take their time to stop, or nobody deletes what is in it"
