"""The configuration that kind makes a cluster from: so many nodes, with what the project's own file adds.

https://kind.sigs.k8s.io/docs/user/configuration/
"""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

from gherkube.runners.errors import UsageError

ROLES = ("control-plane", "worker")


def configuration(nodes: int, image: str, file: Path | None) -> str:
    """As YAML: a control plane, and so many workers. Raises UsageError.

    What the file says of the first node of a role holds for all of that role.
    """
    import yaml

    said = _read(file) if file else {}
    of_role: dict[str, dict[str, Any]] = {role: {"role": role} for role in ROLES}
    for node in reversed(said.get("nodes") or []):
        if node.get("role", "control-plane") in ROLES:
            of_role[node.get("role", "control-plane")] = {"role": "control-plane", **node}
    if image:
        of_role = {role: {**node, "image": image} for role, node in of_role.items()}
    first, each = (of_role[role] for role in ROLES)
    head = {"kind": "Cluster", "apiVersion": "kind.x-k8s.io/v1alpha4"}
    return yaml.safe_dump(
        {**head, **said, "nodes": [first, *(deepcopy(each) for _ in range(nodes))]}, sort_keys=False
    )


def _read(file: Path) -> dict[str, Any]:
    import yaml

    try:
        said = yaml.safe_load(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise UsageError(f"{file}: cannot be read: {why}; it is named by config in [kind]") from None
    except yaml.YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", 0) + 1
        raise UsageError(f"{file}:{line}: not YAML: {getattr(error, 'problem', error)}") from None
    if not isinstance(said, dict) or said.get("kind", "Cluster") != "Cluster":
        raise UsageError(f"{file}:1: no configuration of kind: it has `kind: Cluster`")
    nodes = said.get("nodes") or []
    if not isinstance(nodes, list) or not all(isinstance(node, dict) for node in nodes):
        raise UsageError(f"{file}:1: nodes: a list is needed, as in `- role: worker`")
    return {key: value for key, value in said.items() if key != "name"}
