"""What a scenario changed where the run owns nothing, and how it is put back: in reverse order, verified."""

from __future__ import annotations

from typing import NamedTuple

from gherkube.runners.errors import ApiError, GherkubeError
from gherkube.runners.live.api import LiveApi
from gherkube.runners.objects import Object, controller_of

KEPT = ("labels", "annotations", "finalizers")
"""What of the metadata is put back; the rest is the server's."""
SERVERS = ("resourceVersion", "uid", "creationTimestamp", "generation", "managedFields", "deletionTimestamp")
TRIES = 5


class NotPutBack(GherkubeError):  # noqa: N818 - what is told
    """Something is not as it was before the scenario."""


class Before(NamedTuple):
    """An object as it was before it was touched; None: it was not there."""

    resource: str
    namespace: str
    name: str
    object: Object | None

    @property
    def words(self) -> str:
        """What it is called."""
        return f'{self.resource} "{self.name}"' + (
            f' in namespace "{self.namespace}"' if self.namespace else ""
        )


class Changes:
    """What was there before each first change of an object."""

    def __init__(self, api: LiveApi) -> None:
        self._api = api
        self._before: list[Before] = []

    def note(self, resource: str, namespace: str, name: str, found: Object | None) -> None:
        """Remembers the object as it was found, unless it was changed before."""
        if not any(each[:3] == (resource, namespace, name) for each in self._before):
            self._before.append(Before(resource, namespace, name, found))

    def put_back(self) -> list[str]:
        """Puts everything back, and tells of each. Raises NotPutBack after all was tried."""
        told, failed = [], []
        while self._before:
            before = self._before.pop()
            try:
                words = self._put_back(before)
            except GherkubeError as error:
                failed.append(f"{before.words}: {error}")
            else:
                told += [f"{before.words}: {words}"] if words else []
        if failed:
            raise NotPutBack(f"not everything is as it was before the scenario: {'; '.join(failed)}")
        return told

    def _put_back(self, before: Before) -> str:
        for _ in range(TRIES):
            now = self.look(before.resource, before.namespace, before.name)
            if before.object is None:
                if now is None or "deletionTimestamp" in now["metadata"]:
                    return "deleted again"
                self._api.delete(before.resource, before.name, before.namespace, propagation="Background")
            elif now is None:
                if controller_of(before.object) is not None:
                    return ""  # its controller has made another
                self._api.create(_bare(before.object), namespace=before.namespace)
            elif is_same(before.object, now):
                return "as it was before"
            else:
                try:
                    self._api.replace(_as_before(before.object, now))
                except ApiError as error:
                    if error.reason != "Conflict":
                        raise
        raise NotPutBack("somebody else changes it, too")

    def look(self, resource: str, namespace: str, name: str) -> Object | None:
        """The object as it is now; None when it is not there."""
        if not name:
            return None
        try:
            return self._api.get(resource, name, namespace)
        except ApiError as error:
            if error.reason != "NotFound":
                raise
            return None


def is_same(before: Object, now: Object) -> bool:
    """Whether an object is as it was, in all that users say of it."""
    return _said(before) == _said(now)


def _said(obj: Object) -> Object:
    metadata = obj["metadata"]
    said = {key: value for key, value in obj.items() if key not in ("metadata", "status")}
    kept = {key: metadata.get(key) or None for key in KEPT}
    ours = {
        k: v for k, v in (kept["annotations"] or {}).items() if not k.startswith("deployment.kubernetes.io/")
    }
    return {**said, "metadata": {**kept, "annotations": ours or None}}


def _as_before(before: Object, now: Object) -> Object:
    """The object as it was, in its present version."""
    metadata = {key: value for key, value in now["metadata"].items() if key not in KEPT}
    metadata |= {key: before["metadata"][key] for key in KEPT if before["metadata"].get(key)}
    return {**before, "metadata": metadata}


def _bare(obj: Object) -> Object:
    """The object without what the server gave it."""
    metadata = {key: value for key, value in obj["metadata"].items() if key not in SERVERS}
    return {**{key: value for key, value in obj.items() if key != "status"}, "metadata": metadata}
