"""The history of StatefulSets and DaemonSets: a ControllerRevision for each pod template that they had.

pkg/controller/history/controller_history.go
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from gherkube.runners.objects import Object
from gherkube.runners.selectors import from_label_selector
from gherkube.runners.simulator.api.server import ApiServer
from gherkube.runners.simulator.controllers.deployment_templates import canonical
from gherkube.runners.simulator.controllers.ownership import (
    adopt,
    controller_or_none_in,
    none_in,
    reference_to,
)
from gherkube.runners.simulator.controllers.runtime import Informers

REVISIONS = "controllerrevisions"


class RevisionHistory:
    """The ControllerRevisions of one kind of owner, as its controller sees them."""

    def __init__(self, api: ApiServer, informers: Informers) -> None:
        self._api = api
        self._by_owner = informers.of(REVISIONS).index(controller_or_none_in)

    def of(self, owner: Object) -> list[Object]:
        """The owner's revisions and those that it may adopt, from the oldest to the newest."""
        found = self._by_owner.get(owner["metadata"]["uid"], {}).values()
        return sorted([*found, *self._orphans(owner)], key=_age)

    def adopt(self, owner: Object) -> None:
        """Takes on the revisions that nobody controls. adoptOrphanRevisions, controlledHistories"""
        for each in self._orphans(owner):
            adopt(self._api, each, owner)

    def _orphans(self, owner: Object) -> list[Object]:
        found = self._by_owner.get(none_in(owner["metadata"]["namespace"]))
        if not found:
            return []
        matches = from_label_selector(owner["spec"]["selector"])
        return [each for each in found.values() if matches(each["metadata"].get("labels", {}))]

    def settle(self, owner: Object, name: str, labels: Object, annotations: Object) -> Object:
        """The revision of the owner's template: the newest, an old one that becomes the newest, or a new one.

        `name`, `labels` and `annotations` are those of a new one. CreateControllerRevision,
        statefulset stateful_set_control.go getStatefulSetRevisions
        """
        there = self.of(owner)
        template = owner["spec"]["template"]
        same = [each for each in there if is_of(each, template)]
        number = there[-1]["revision"] + 1 if there else 1
        if not same:
            metadata = {
                "name": name,
                "namespace": owner["metadata"]["namespace"],
                "labels": labels,
                **({"annotations": annotations} if annotations else {}),
                "ownerReferences": [reference_to(owner)],
            }
            data = {"spec": {"template": {"$patch": "replace", **template}}}
            made = {"metadata": metadata, "data": _sorted(data), "revision": number}
            return self._api.create_trusted(REVISIONS, made)
        newest = same[-1]
        if newest is there[-1]:
            return newest
        return self._api.replace_trusted(REVISIONS, {**newest, "revision": number})

    def truncate(self, owner: Object, used: Collection[str], *, counted: int = 0) -> None:
        """Deletes the oldest revisions over the owner's limit; those in `used` (names) stay.

        `counted`: how many of these the limit is about, too. truncateHistory, cleanupHistory
        """
        unused = [each for each in self.of(owner) if each["metadata"]["name"] not in used]
        limit = owner["spec"].get("revisionHistoryLimit", 10)
        for each in unused[: max(0, len(unused) + counted - limit)]:
            metadata = each["metadata"]
            self._api.delete(REVISIONS, metadata["name"], metadata["namespace"])


def template_of(revision: Object) -> Object:
    """The pod template that a revision holds."""
    template: dict[str, Any] = revision["data"]["spec"]["template"]
    return {field: value for field, value in template.items() if field != "$patch"}


def is_of(revision: Object, template: Object) -> bool:
    """Whether a revision holds this template."""
    return canonical(template_of(revision)) == canonical(template)


def _sorted(value: Any) -> Any:
    """The value with its keys in order: clients compare the text of a revision's data."""
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(each) for each in value] if isinstance(value, list) else value


def _age(revision: Object) -> tuple[int, str, str]:
    metadata = revision["metadata"]
    return revision["revision"], metadata["creationTimestamp"], metadata["name"]
