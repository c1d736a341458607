"""What is said of a workload, or of any object by name: its replicas, conditions, fields, revisions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, TypeAlias

from gherkube.runners.errors import UsageError
from gherkube.runners.expectations.count import Count
from gherkube.runners.expectations.partial import check_fields, difference, differences, field, leaves
from gherkube.runners.expectations.revisions import keepers, replica_sets, revision_of, wanted_pods
from gherkube.runners.expectations.statement import Check, Sight, Statement, Tracker
from gherkube.runners.expectations.subjects import WorkloadRef, images_of, match_image
from gherkube.runners.expectations.view import View
from gherkube.runners.history import Change
from gherkube.runners.kubectl.revisions import KEEPINGS
from gherkube.runners.kubectl.status import rollout_status
from gherkube.runners.objects import Object, condition

Verdict: TypeAlias = tuple[bool, str] | tuple[bool, str, float]
Look: TypeAlias = Callable[[View, WorkloadRef, Any], Verdict]

REPLICAS = {
    "ready": "readyReplicas",
    "up_to_date": "updatedReplicas",
    "available": "availableReplicas",
    "total": "replicas",
}
"""Where a workload's status has each of its numbers of replicas."""
REPLICAS_OF = {
    "daemonsets": {
        "ready": "numberReady",
        "up_to_date": "updatedNumberScheduled",
        "available": "numberAvailable",
        "total": "currentNumberScheduled",
    },
    "jobs": {"ready": "ready", "total": "active"},
}
"""Of the kinds that have them elsewhere."""


class Rule(NamedTuple):
    """How a judgement about a workload is made: on the object alone, or with what keeps its revisions."""

    look: Look
    with_revisions: bool = False
    steady: bool = False
    past: Literal["throughout", "at some time"] = "throughout"


def _replicas(view: View, ref: WorkloadRef, counts: Any) -> Verdict:
    status = _of(view, ref).get("status") or {}
    fields = REPLICAS_OF.get(ref.resource, REPLICAS)
    found = {name: status.get(fields[name], 0) for name, _ in counts}
    words = " and ".join(f"{n} {name.replace('_', '-')}" for name, n in found.items())
    away = sum(count.distance(found[name], found[name]) for name, count in counts)
    return not away, f"{words} replicas", away


def _all_available(view: View, ref: WorkloadRef, _: Any) -> Verdict:
    obj = _of(view, ref)
    status, wanted = obj.get("status") or {}, wanted_pods(obj)
    fields = REPLICAS_OF.get(ref.resource, REPLICAS)
    ready, available, total = (status.get(fields[name], 0) for name in ("ready", "available", "total"))
    observed = obj["metadata"].get("generation", 0) <= status.get("observedGeneration", 0)
    words = f"{total} replicas, {ready} ready and {available} available, of {wanted}"
    return observed and ready == available == total == wanted, words


def _condition(view: View, ref: WorkloadRef, wanted: Any) -> Verdict:
    type_, status, reason = wanted
    found = condition(_of(view, ref), type_)
    if found is None:
        return False, f'there is no condition "{type_}"'
    same = found["status"] == status and (not reason or found.get("reason") == reason)
    return same, f'condition "{type_}" is "{found["status"]}" with reason "{found.get("reason", "")}"'


def _matches(view: View, ref: WorkloadRef, partial: Any) -> Verdict:
    obj = _of(view, ref)
    if not difference(partial, obj):
        return True, "it matches"
    return False, "; ".join(differences(partial, obj))


def _field(view: View, ref: WorkloadRef, wanted: Any) -> Verdict:
    path, value, negated = wanted
    same, words = field(_of(view, ref), path, value)
    return same is not None and same is not negated, words


def _replica_sets(view: View, ref: WorkloadRef, counts: Any) -> Verdict:
    sets = replica_sets(view, ref)
    found = [one["spec"].get("replicas", 0) for one in sets]
    there = [(one.get("status") or {}).get("replicas", 0) for one in sets]
    return sorted(found) == sorted(counts) and found == there, _told(sets)


def _so_many_replica_sets(view: View, ref: WorkloadRef, count: Any) -> Verdict:
    sets = replica_sets(view, ref)
    return count.holds(len(sets), len(sets)), _told(sets)


def _told(sets: Sequence[Object]) -> str:
    if not sets:
        return "no replica sets"
    words = ", ".join(
        f"{one['metadata']['name']} (revision {revision_of(one)}) with {one['spec'].get('replicas', 0)}"
        for one in sets
    )
    return f"{len(sets)} replica set{'' if len(sets) == 1 else 's'}: {words}"


def _revisions(view: View, ref: WorkloadRef, numbers: Any) -> Verdict:
    number_of = KEEPINGS[ref.resource].number
    found = [number for one in keepers(view, ref) if (number := number_of(one))]
    return found == sorted(numbers), f"revisions {', '.join(map(str, found)) or 'none'}"


def _revision_image(view: View, ref: WorkloadRef, wanted: Any) -> Verdict:
    number, image = wanted
    keeping = KEEPINGS[ref.resource]
    for one in keepers(view, ref):
        if keeping.number(one) == number:
            images = images_of(keeping.template(one)["spec"])
            same = any(match_image(have, image) for have in images)
            return same, f"revision {number} has {', '.join(images)}"
    return False, f"there is no revision {number}"


def _rollout(view: View, ref: WorkloadRef, wanted: Any) -> Verdict:
    what, text, generation = wanted
    obj = _of(view, ref)
    status = rollout_status(obj)
    if obj["metadata"].get("generation", 0) < generation:
        return False, status.message
    if what == "completes":
        return status.done, status.message
    if what == "exceeds_deadline":
        return status.failed, status.message
    if what == "status_says":
        return text in status.message, f"it says: {status.message}"
    return not status.done, status.message


RULES: dict[str, Rule] = {
    "replicas": Rule(_replicas, steady=True),
    "all_available": Rule(_all_available, steady=True),
    "condition": Rule(_condition),
    "matches": Rule(_matches),
    "field": Rule(_field),
    "replica_sets": Rule(_replica_sets, with_revisions=True, steady=True),
    "so_many_replica_sets": Rule(_so_many_replica_sets, with_revisions=True, steady=True),
    "revisions": Rule(_revisions, with_revisions=True, steady=True),
    "revision_image": Rule(_revision_image, with_revisions=True, steady=True),
    "completes": Rule(_rollout, steady=True, past="at some time"),
    "stuck": Rule(_rollout, past="at some time"),
    "exceeds_deadline": Rule(_rollout, past="at some time"),
    "status_says": Rule(_rollout, past="at some time"),
}


@dataclass(frozen=True)
class WorkloadStatement(Statement):
    """Something said of one workload; made by the class methods."""

    workload: WorkloadRef
    what: str
    argument: Any
    words: str

    @classmethod
    def replicas(
        cls,
        workload: WorkloadRef,
        *,
        ready: Count | None = None,
        up_to_date: Count | None = None,
        available: Count | None = None,
        total: Count | None = None,
    ) -> WorkloadStatement:
        """Its status has so many ready, up-to-date, available replicas, and replicas in all."""
        given = {"ready": ready, "up_to_date": up_to_date, "available": available, "total": total}
        counts = tuple((name, count) for name, count in given.items() if count is not None)
        fields = REPLICAS_OF.get(workload.resource, REPLICAS)
        for name, _ in counts:
            if name not in fields:
                raise UsageError(f"{workload.text} has no number of {name.replace('_', '-')} replicas")
        words = " and ".join(
            f"{count.text.removeprefix('exactly ')} {name.replace('_', '-')}" for name, count in counts
        )
        return cls(workload, "replicas", counts, f"{workload.text} with {words} replicas")

    @classmethod
    def all_available(cls, workload: WorkloadRef) -> WorkloadStatement:
        """All the replicas that it is to have are there and available, and no others."""
        return cls(workload, "all_available", None, f"all replicas of {workload.text} available")

    @classmethod
    def condition(
        cls,
        workload: WorkloadRef,
        type: str,  # noqa: A002 - the API's word
        status: str,
        reason: str = "",
    ) -> WorkloadStatement:
        """It has the condition, with that status and, where one is given, that reason."""
        words = f'{workload.text} has condition "{type}" that is "{status}"'
        return cls(
            workload,
            "condition",
            (type, status, reason),
            words + (f' with reason "{reason}"' if reason else ""),
        )

    @classmethod
    def matches(cls, workload: WorkloadRef, partial: Object) -> WorkloadStatement:
        """All that the partial object says is so. UsageError when it names an unknown field."""
        check_fields(workload.resource, partial)
        return cls(workload, "matches", partial, f"{workload.text} has {leaves(partial)}")

    @classmethod
    def field(cls, workload: WorkloadRef, path: str, value: Any, negated: bool = False) -> WorkloadStatement:
        """The field at the path has the value (a text: as text), or, negated, another one."""
        shown = f'"{value}"' if isinstance(value, str) else str(value).lower()
        words = f'"{path}" of {workload.text} is {"not " if negated else ""}{shown}'
        return cls(workload, "field", (path, value, negated), words)

    @classmethod
    def replica_sets(cls, workload: WorkloadRef, counts: Sequence[int]) -> WorkloadStatement:
        """It has as many replica sets as numbers are given, with so many replicas, in any order."""
        _check_has_replica_sets(workload)
        words = f"{len(counts)} replica sets with {', '.join(map(str, counts))} replicas"
        return cls(workload, "replica_sets", tuple(counts), words)

    @classmethod
    def so_many_replica_sets(cls, workload: WorkloadRef, count: Count) -> WorkloadStatement:
        """It has so many replica sets, whatever their replicas."""
        _check_has_replica_sets(workload)
        words = f"{count.text} replica set{'s' if count.plural else ''} of {workload.text}"
        return cls(workload, "so_many_replica_sets", count, words)

    @classmethod
    def revisions(cls, workload: WorkloadRef, numbers: Sequence[int]) -> WorkloadStatement:
        """Its rollout history has exactly these revisions."""
        _check_has_rollout(workload)
        return cls(workload, "revisions", tuple(numbers), f"revisions {', '.join(map(str, numbers))}")

    @classmethod
    def revision_image(cls, workload: WorkloadRef, revision: int, image: str) -> WorkloadStatement:
        """That revision has a container of that image, or of that version."""
        _check_has_rollout(workload)
        return cls(workload, "revision_image", (revision, image), f'revision {revision} with image "{image}"')

    @classmethod
    def rollout(
        cls,
        workload: WorkloadRef,
        what: Literal["completes", "stuck", "exceeds_deadline", "status_says"],
        text: str = "",
    ) -> WorkloadStatement:
        """Its rollout completes, gets stuck, exceeds its deadline, or its status says (contains) a text."""
        words = {
            "completes": "completes",
            "stuck": "gets stuck",
            "exceeds_deadline": "exceeds its progress deadline",
            "status_says": f'has a status that says "{text}"',
        }[what]
        _check_has_rollout(workload)
        if what == "exceeds_deadline" and workload.resource != "deployments":
            raise UsageError(f"{workload.text} has no progress deadline; a deployment has")
        return cls(workload, what, (what, text, 0), f"the rollout of {workload.text} {words}")

    @property
    def rule(self) -> Rule:
        return RULES[self.what]

    @property
    def resources(self) -> frozenset[str]:
        resource = self.workload.resource
        kept = (KEEPINGS[resource].resource,) if self.rule.with_revisions else ()
        return frozenset({resource, *kept})

    @property
    def steady(self) -> bool:
        return self.rule.steady

    @property
    def past(self) -> Literal["throughout", "at some time"]:
        return self.rule.past

    @property
    def text(self) -> str:
        return self.words

    @property
    def subject(self) -> WorkloadRef:
        return self.workload

    @property
    def idle_only(self) -> bool:
        return self.what == "stuck"

    def bound(self, start: View, now: View) -> WorkloadStatement:
        """Of rollouts in the past those count that began in the window, where one did."""
        before, obj = self.workload.find(start), self.workload.find(now)
        if self.past == "throughout" or before is None or obj is None:
            return self
        generation = before["metadata"].get("generation", 0)
        began = obj["metadata"].get("generation", 0) > generation
        what, text, _ = self.argument
        return replace(self, argument=(what, text, generation + began))

    def track(self, view: View) -> Tracker:
        ref, look, argument = self.workload, self.rule.look, self.argument

        def verdict(view: View) -> Sight:
            if ref.find(view) is None:
                return Sight(False, f"there is no {ref.text}")
            return Sight(*look(view, ref, argument))

        def concerns(change: Change) -> bool:
            metadata = change.object["metadata"]
            if change.resource == ref.resource:
                return bool(metadata["name"] == ref.name and metadata.get("namespace", "") == ref.namespace)
            return self.rule.with_revisions and metadata.get("namespace", "") == ref.namespace

        return Check(view, verdict, concerns)


def _of(view: View, ref: WorkloadRef) -> Object:
    obj = ref.find(view)
    assert obj is not None
    return obj


def _check_has_replica_sets(ref: WorkloadRef) -> None:
    if ref.resource != "deployments":
        raise UsageError(f"{ref.text} has no replica sets; a deployment has")


def _check_has_rollout(ref: WorkloadRef) -> None:
    if ref.resource not in KEEPINGS:
        raise UsageError(f"{ref.text} has no rollout; a deployment, a statefulset or a daemonset has")
