"""The priority of a new pod, from its PriorityClass; and what is wrong with such a class.

plugin/pkg/admission/priority/admission.go, pkg/apis/scheduling/validation/validation.go
"""

from __future__ import annotations

from collections.abc import Iterator

from gherkube.runners.objects import Key, Object
from gherkube.runners.simulator.api.refusals import (
    IMMUTABLE,
    FieldError,
    forbidden,
    forbidden_field,
    unsupported,
    wrong,
)
from gherkube.runners.simulator.api.resources import RESOURCES
from gherkube.runners.simulator.api.validation_pods import PREEMPTION_POLICIES
from gherkube.runners.simulator.store import Store

CLASSES = "priorityclasses"
SYSTEM = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
"""Those that are in every cluster; here they are not stored."""
HIGHEST = 1_000_000_000
"""The highest that users may give. pkg/apis/scheduling/types.go HighestUserDefinablePriority"""
NO_CLASS: Object = {"value": 0, "preemptionPolicy": "PreemptLowerPriority"}
GIVEN = (
    "the {kind} value of {field} ({given}) must not be provided in pod spec; "
    "priority admission controller computed {computed} from the given PriorityClass name"
)


class PriorityAdmission:
    """Gives a pod that is about to be created the priority of its class."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __call__(self, pod: Object) -> Object:
        """The pod with its priority; Forbidden when there is no such class, or it says another number."""
        spec = pod["spec"]
        name = spec.get("priorityClassName")
        found = self._class(pod, name) if name else self._default()
        value, policy = found["value"], found["preemptionPolicy"]
        if spec["priority"] not in (0, value):
            raise _refused(
                pod, GIVEN.format(kind="integer", field="priority", given=spec["priority"], computed=value)
            )
        if spec["preemptionPolicy"] not in ("PreemptLowerPriority", policy):
            given = spec["preemptionPolicy"]
            said = GIVEN.format(kind="string", field="PreemptionPolicy", given=given, computed=policy)
            raise _refused(pod, said)
        if found is NO_CLASS:
            return pod
        named = name or found["metadata"]["name"]
        spec = {**spec, "priorityClassName": named, "priority": value, "preemptionPolicy": policy}
        return {**pod, "spec": spec}

    def _class(self, pod: Object, name: str) -> Object:
        if name in SYSTEM:
            return {**NO_CLASS, "value": SYSTEM[name]}
        found = self._store.get(CLASSES, Key("", name))
        if found is None:
            raise _refused(pod, f"no PriorityClass with name {name} was found")
        return found

    def _default(self) -> Object:
        """The class of those that name none: of several defaults the lowest. getDefaultPriorityClass"""
        classes = self._store.all(CLASSES)
        defaults = [each for each in classes if each.get("globalDefault")] if classes else ()
        return min(defaults, key=lambda each: int(each["value"])) if defaults else NO_CLASS


def _refused(pod: Object, why: str) -> Exception:
    metadata = pod["metadata"]
    return forbidden(RESOURCES["pods"], metadata.get("name") or metadata["generateName"], why)


def check_priority_class(each: Object) -> Iterator[FieldError]:
    """ValidatePriorityClass"""
    name = each["metadata"].get("name", "")
    if name.startswith("system-"):
        said = "priority class names with 'system-' prefix are reserved for system use only. error: "
        yield forbidden_field("metadata.name", f"{said}{name} is not a known system priority class")
    elif each["value"] > HIGHEST:
        said = f"maximum allowed value of a user defined priority is {HIGHEST}"
        yield forbidden_field("value", said)
    if each["preemptionPolicy"] not in PREEMPTION_POLICIES:
        yield unsupported("preemptionPolicy", each["preemptionPolicy"], PREEMPTION_POLICIES)


def check_priority_class_update(new: Object, old: Object) -> Iterator[FieldError]:
    """ValidatePriorityClassUpdate"""
    if new["value"] != old["value"]:
        yield forbidden_field("value", "may not be changed in an update.")
    if new["preemptionPolicy"] != old["preemptionPolicy"]:
        yield wrong("preemptionPolicy", new["preemptionPolicy"], IMMUTABLE)
