"""`kubectl label` and `kubectl annotate`.

kubectl: pkg/cmd/label/label.go, pkg/cmd/annotate/annotate.go
"""

from __future__ import annotations

from collections.abc import Mapping

from gherkube.runners.cluster import Api
from gherkube.runners.errors import Refused
from gherkube.runners.kubectl.kinds import line
from gherkube.runners.kubectl.refusals import Outcome, asking


def label(
    api: Api,
    resource: str,
    name: str,
    namespace: str,
    changes: Mapping[str, str | None],
    *,
    overwrite: bool = False,
) -> Outcome:
    """Sets labels; None takes one out. A label that has another value is refused unless `overwrite`."""
    with asking():
        obj = api.get(resource, name, namespace)
    have = obj["metadata"].get("labels", {})
    if not overwrite and (taken := _taken(have, changes)):
        raise Refused("\n".join(f"error: {text}, and --overwrite is false" for text in taken))
    patch = _patch(have, changes)
    missing = [f'label "{key}" not found.' for key in changes if changes[key] is None and key not in have]
    if not patch:
        return Outcome("\n".join([*missing, line(resource, name, "not labeled")]), obj)
    with asking():
        stored = api.patch(resource, name, {"metadata": {"labels": patch}}, namespace, type="merge")
    removed = not overwrite and all(value is None for value in patch.values())
    word = "unlabeled" if removed else "labeled"
    return Outcome("\n".join([*missing, line(resource, name, word)]), stored)


def annotate(
    api: Api,
    resource: str,
    name: str,
    namespace: str,
    changes: Mapping[str, str | None],
    *,
    overwrite: bool = False,
) -> Outcome:
    """Sets annotations, as `label` does labels."""
    with asking():
        obj = api.get(resource, name, namespace)
    have = obj["metadata"].get("annotations", {})
    if not overwrite and (taken := _taken(have, changes)):
        raise Refused(
            f"error: --overwrite is false but found the following declared annotation(s): {'; '.join(taken)}"
        )
    if patch := _patch(have, changes):
        with asking():
            obj = api.patch(resource, name, {"metadata": {"annotations": patch}}, namespace, type="merge")
    return Outcome(line(resource, name, "annotated"), obj)


def _taken(have: Mapping[str, str], changes: Mapping[str, str | None]) -> list[str]:
    return [
        f"'{key}' already has a value ({have[key]})"
        for key, value in sorted(changes.items())
        if value is not None and key in have and have[key] != value
    ]


def _patch(have: Mapping[str, str], changes: Mapping[str, str | None]) -> dict[str, str | None]:
    return {key: value for key, value in changes.items() if have.get(key) != value}
