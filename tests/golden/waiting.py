"""kubectl's verbs that wait: `rollout status`, `wait`, and `delete` for what is to be gone.

kubectl: pkg/cmd/rollout/rollout_status.go, pkg/cmd/wait, pkg/cmd/delete/delete.go
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from gherkube.runners import kubectl
from gherkube.runners.cluster import Api, Clock
from gherkube.runners.errors import ApiError, Refused
from gherkube.runners.jsonpath import find as find_path
from gherkube.runners.jsonpath import text_of
from gherkube.runners.kubectl.kinds import find, line
from gherkube.runners.kubectl.refusals import asking
from gherkube.runners.objects import Object

REVISION = "deployment.kubernetes.io/revision"
THIRTY_SECONDS = 30.0
"""How long `kubectl wait` waits unless told."""
TIMED_OUT = "timed out waiting for the condition"

Target: TypeAlias = tuple[str, str, str]
"""Resource, name, namespace."""
Test: TypeAlias = Callable[[Object | None], bool]
"""A question about an object, or about None when it is not there."""


class Wanted(NamedTuple):
    """What `--for` asks."""

    is_met: Test
    of_absence: bool = False
    of_creation: bool = False


def wanted_of(text: str) -> Wanted:
    """The question in `condition=Ready`, `jsonpath={.status.phase}=Running`, `delete`, `create`."""
    if text in ("delete", "create"):
        return Wanted(lambda obj: (obj is None) == (text == "delete"), text == "delete", text == "create")
    kind, _, what = text.partition("=")
    if kind == "condition":
        type_, _, value = what.partition("=")
        return Wanted(lambda obj: obj is not None and _has(obj, type_.lower(), (value or "true").lower()))
    if kind == "jsonpath":
        path, _, value = what.strip("'").partition("}")
        return Wanted(lambda obj: obj is not None and _prints(obj, path + "}", value.removeprefix("=")))
    raise Refused(f'error: unrecognized condition: "{text}"')


class Waiting:
    """Waits in a cluster, `patience` seconds at most: then TimeoutError, as a command that is given up."""

    def __init__(self, api: Api, clock: Clock, patience: float) -> None:
        self._api, self._clock, self._until = api, clock, clock.now() + patience

    def rollout_status(self, target: Target, limit: float, watch: bool, revision: int = 0) -> Iterator[str]:
        """The lines that `kubectl rollout status` prints; refused at its end, as kubectl is.

        `revision`: the one that is to be running, if it is not 0.
        """
        with asking():
            seen = [self._api.get(*target)]
        running = seen[0]["metadata"].get("annotations", {}).get(REVISION, "0")
        if revision and str(revision) != running:
            raise Refused(
                f"error: desired revision ({revision}) is different from the running revision ({running})"
            )
        lines = [kubectl.rollout_status(seen[0])]

        def over() -> bool:
            now = self._api.get(*target)
            if now is not seen[-1]:
                seen.append(now)
                lines.append(kubectl.rollout_status(now))
            return lines[-1].done or lines[-1].failed

        if not watch:
            yield lines[0].message
            return
        ended = self._wait(over, {target[0]}, limit)
        yield from (line.message for line in lines if not line.failed)
        if not ended:
            raise Refused(f"error: {TIMED_OUT}")
        if lines[-1].failed:
            raise Refused(lines[-1].message)

    def wait(self, targets: Sequence[Target], wanted: Wanted, limit: float) -> Iterator[str]:
        """`kubectl wait`: a line for each that came to be so; refused for those that did not."""
        until, late = self._clock.now() + limit, []
        for target in targets:
            if self._found(target) is None and not wanted.of_creation:
                if wanted.of_absence:
                    continue
                with asking():
                    self._api.get(*target)

            def met(target: Target = target) -> bool:
                return wanted.is_met(self._found(target))

            if met() or (
                self._clock.now() < until and self._wait(met, {target[0]}, until - self._clock.now())
            ):
                yield line(target[0], target[1], "condition met")
            elif wanted.of_creation:
                raise Refused(f"error: {TIMED_OUT}")
            else:
                late.append(f"{TIMED_OUT} on {target[0]}/{target[1]}")
        if late:
            raise Refused("\n".join(late) if len(late) > 1 else f"error: {late[0]}")

    def until_gone(self, objects: Sequence[Object]) -> None:
        """Waits until none of these is there any more, nor being deleted."""
        left = {obj["metadata"]["uid"]: obj for obj in objects}

        def gone() -> bool:
            for uid, obj in list(left.items()):
                metadata = obj["metadata"]
                now = self._found((resource_of(obj), metadata["name"], metadata.get("namespace", "")))
                if now is None or now["metadata"]["uid"] != uid:
                    del left[uid]
            return not left

        self._wait(gone, {resource_of(obj) for obj in objects})

    def until_scaled(self, target: Target, limit: float) -> None:
        """Waits until a workload has the replicas that it is to have; refused when it has not by then."""

        def scaled() -> bool:
            obj = self._api.get(*target)
            seen = obj["status"].get("observedGeneration", 0) >= obj["metadata"]["generation"]
            return seen and obj["status"].get("replicas", 0) == obj["spec"].get("replicas")

        if not self._wait(scaled, {target[0]}, limit):
            raise Refused(f"error: {TIMED_OUT}")

    def _found(self, target: Target) -> Object | None:
        try:
            return self._api.get(*target)
        except ApiError:
            return None

    def _wait(self, condition: Callable[[], bool], resources: Collection[str], limit: float = 0.0) -> bool:
        """Waits; False after `limit` seconds (0: none), TimeoutError when patience ends before."""
        clock = self._clock
        until = min(clock.now() + limit, self._until) if limit else self._until
        if clock.wait(condition, until - clock.now(), resources=resources):
            return True
        clock.sleep(until - clock.now())
        if until == self._until:
            raise TimeoutError
        return False


def resource_of(obj: Object) -> str:
    """The resource of an object's kind."""
    return find(obj["kind"]).resource


def _has(obj: Object, type_: str, value: str) -> bool:
    return any(
        each["type"].lower() == type_ and each["status"].lower() == value
        for each in obj.get("status", {}).get("conditions", ())
    )


def _prints(obj: Object, path: str, value: str) -> bool:
    printed = [text_of(each) for each in find_path(obj, path)]
    return printed == [value] if value else bool(printed)
