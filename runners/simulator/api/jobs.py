"""What the API server adds to a new Job once it has its uid: a selector of its own, and labels that fit it.

pkg/registry/batch/job/strategy.go generateSelectorIfNeeded
"""

from __future__ import annotations

from gherkube.runners.objects import Object
from gherkube.runners.simulator.api.refusals import invalid, wrong
from gherkube.runners.simulator.api.resources import RESOURCES

CONTROLLER_UID, JOB_NAME = "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"
NOT_GENERATED = "`selector` not auto-generated"
LEGACY = {CONTROLLER_UID: "controller-uid", JOB_NAME: "job-name"}


def with_selector(job: Object) -> Object:
    """The Job with its selector, unless its user gives one (`manualSelector`).

    Raises Invalid when a selector is given without it. ValidateGeneratedSelector
    """
    metadata, spec = job["metadata"], job["spec"]
    if spec.get("manualSelector"):
        return job
    template = spec["template"]
    own = {CONTROLLER_UID: metadata["uid"], JOB_NAME: metadata["name"]}
    own |= {LEGACY[name]: value for name, value in own.items()}
    if "selector" in spec:
        given = spec["selector"]
        both = {**given.get("matchLabels", {}), CONTROLLER_UID: metadata["uid"]}
        error = wrong("spec.selector", {**given, "matchLabels": both}, NOT_GENERATED)
        raise invalid(RESOURCES["jobs"], metadata["name"], [error])
    labels = {**template["metadata"].get("labels", {}), **own}
    spec = {
        **spec,
        "selector": {"matchLabels": {CONTROLLER_UID: metadata["uid"]}},
        "manualSelector": False,
        "template": {**template, "metadata": {**template["metadata"], "labels": labels}},
    }
    return {**job, "metadata": {"labels": dict(labels), **metadata}, "spec": spec}
