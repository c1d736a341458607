"""`kubectl delete`, without its waiting: who wants to wait looks whether the object is still there.

kubectl: pkg/cmd/delete/delete.go
"""

from __future__ import annotations

from typing import Literal

from gherkube.runners.cluster import Api, Propagation
from gherkube.runners.kubectl.kinds import find
from gherkube.runners.kubectl.refusals import Outcome, asking

Cascade = Literal["background", "foreground", "orphan"]
PROPAGATION: dict[Cascade, Propagation] = {
    "background": "Background",
    "foreground": "Foreground",
    "orphan": "Orphan",
}
NOT_CONFIRMED = (
    "Warning: Immediate deletion does not wait for confirmation that the running resource has been "
    "terminated. The resource may continue to run on the cluster indefinitely."
)


def delete(
    api: Api,
    resource: str,
    name: str,
    namespace: str,
    *,
    cascade: Cascade = "background",
    grace_period: int | None = None,
    force: bool = False,
) -> Outcome:
    """Deletes one object. `grace_period` in seconds: 0 is 1 unless forced; `force` alone is 0.

    The outcome's object is the one that was there before.
    """
    with asking():
        obj = api.get(resource, name, namespace)
    kind = find(resource)
    if force:
        grace_period = grace_period or 0
    elif grace_period == 0:
        grace_period = 1
    with asking():
        api.delete(resource, name, namespace, propagation=PROPAGATION[cascade], grace_period=grace_period)
    at_once = force and grace_period == 0
    text = f'{kind.full_kind} "{name}" {"force deleted" if at_once else "deleted"}'
    if namespace:
        text += f" from {namespace} namespace"
    return Outcome(text, obj, (NOT_CONFIRMED,) if at_once else ())
