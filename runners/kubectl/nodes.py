"""`kubectl cordon` and `kubectl uncordon`.

kubectl: pkg/drain/cordon.go
"""

from __future__ import annotations

from gherkube.runners.cluster import Api
from gherkube.runners.kubectl.kinds import line
from gherkube.runners.kubectl.refusals import Outcome, asking


def cordon(api: Api, node: str) -> Outcome:
    """Marks the node unschedulable."""
    return _set_unschedulable(api, node, True)


def uncordon(api: Api, node: str) -> Outcome:
    """Marks the node schedulable."""
    return _set_unschedulable(api, node, False)


def _set_unschedulable(api: Api, node: str, unschedulable: bool) -> Outcome:
    word = "cordoned" if unschedulable else "uncordoned"
    with asking():
        found = api.get("nodes", node)
        if bool(found["spec"].get("unschedulable")) == unschedulable:
            return Outcome(line("nodes", node, f"already {word}"), found)
        stored = api.patch("nodes", node, {"spec": {"unschedulable": unschedulable or None}})
    return Outcome(line("nodes", node, word), stored)
