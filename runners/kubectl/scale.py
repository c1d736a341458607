"""`kubectl scale`.

kubectl: pkg/cmd/scale/scale.go, pkg/scale/scale.go
"""

from __future__ import annotations

from gherkube.runners.cluster import Api
from gherkube.runners.errors import ApiError, Refused
from gherkube.runners.kubectl.kinds import line
from gherkube.runners.kubectl.refusals import Outcome, asking


def scale(
    api: Api, resource: str, name: str, namespace: str, replicas: int, *, current: int | None = None
) -> Outcome:
    """Sets the number of replicas through the scale subresource; refused when it is not `current` before."""
    if replicas < 0:
        raise Refused(
            "error: The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0"
        )
    try:
        found = api.get(resource, name, namespace)
    except ApiError as error:
        if error.reason == "NotFound":
            raise Refused(f"error: no objects passed to scale {error.message}", error) from error
        with asking():
            raise
    have = found["spec"].get("replicas", 1)
    if current is not None and current != have:
        raise Refused(f"error: Expected replicas to be {current}, was {have}")
    with asking():
        api.patch(
            resource, name, {"spec": {"replicas": replicas}}, namespace, type="merge", subresource="scale"
        )
        return Outcome(line(resource, name, "scaled"), api.get(resource, name, namespace))
