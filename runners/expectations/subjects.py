"""Of whom something is said: a workload, or pods chosen by what they belong to and what they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from gherkube.runners.errors import UsageError
from gherkube.runners.expectations.revisions import MARKS, has_one_revision, newest_mark
from gherkube.runners.expectations.view import KINDS, View
from gherkube.runners.history import MODIFIED, Change
from gherkube.runners.objects import TEMPLATED, Key, Object, controller_of
from gherkube.runners.selectors import compile_labels

POD_RESOURCES = frozenset({"pods", "controllerrevisions", *TEMPLATED})
"""Of which resources a change may alter which pods are meant."""
WORDS = {"replicasets": "replica set", "services": "service", "nodes": "node", "pods": "pod"}


class WorkloadRef(NamedTuple):
    """An object by name; mostly a workload, but anything with a plural name will do.

    Where events are told, a name of "" stands for any object of that kind.
    """

    resource: str
    namespace: str
    name: str

    @property
    def key(self) -> Key:
        return Key(self.namespace, self.name)

    @property
    def text(self) -> str:
        """As people write it: `deployment "web"`."""
        kind = WORDS.get(self.resource, self.resource.removesuffix("s"))
        return f'{kind} "{self.name}"' if self.name else f"a {kind}"

    def find(self, view: View) -> Object | None:
        """The object as it is at that moment."""
        return view.of(self.resource).get((self.namespace, self.name))

    def missing(self, view: View) -> str:
        """Why nothing is meant by this, or "": whether it was ever there up to the view's moment."""
        if self.find(view) is not None or any(
            self.name in ("", obj["metadata"]["name"])
            and obj["metadata"].get("namespace", "") == self.namespace
            for obj in view.ever(self.resource)
        ):
            return ""
        place = f' in namespace "{self.namespace}"' if self.namespace else ""
        return f"there never was {'a ' if self.name else ''}{self.text}{place}"

    def owns(self, view: View, obj: Object) -> bool:
        """Whether the object belongs to this one, by the owner references all the way up."""
        namespace = obj["metadata"].get("namespace", "")
        kind = KINDS.get(self.resource)
        if namespace != self.namespace or kind is None:
            return False
        above: Object | None = obj
        while above is not None:
            ref = controller_of(above)
            if ref is None:
                return False
            if ref["name"] == self.name and ref["kind"] == kind:
                return True
            above = view.referred(namespace, ref)
        return False


@dataclass(frozen=True, slots=True)
class PodSelector:
    """Pods: those of a workload (None: any), and of them those of which all that is given is true.

    `labels`: a selector as kubectl's -l. `version`: the tag of a container's image. `image`: a whole
    image. `revision`: "new" are the pods of the newest revision, "old" all others; a workload without
    revisions of its own has new pods in those that run the images of its template.
    """

    workload: WorkloadRef | None
    namespace: str
    labels: str = ""
    name: str = ""
    version: str = ""
    image: str = ""
    revision: str = ""
    node: str = ""

    def __post_init__(self) -> None:
        if self.revision and self.workload is None:
            raise UsageError(f'"{self.revision} pods" of which workload? Name it before')

    @property
    def anyone(self) -> PodSelector:
        """All pods of the workload, or with the labels, whatever else is said of these."""
        return replace(self, version="", image="", revision="", name="", node="")

    def noun(self, many: bool = True) -> str:
        """As people write it: `v2 pods`, `pods on node "node-1"`."""
        words = [
            self.revision,
            self.version,
            f'"{self.image}"' if self.image else "",
            "pods" if many else "pod",
        ]
        if self.name:
            words.append(f'"{self.name}"')
        if self.labels:
            words.append(f'labelled "{self.labels}"')
        if self.node:
            words.append(f'on node "{self.node}"')
        return " ".join(filter(None, words))

    def missing(self, view: View) -> str:
        """Why nothing is meant by this, or "": whether it matched anything up to the view's moment.

        A version or an image is there as soon as a template has it. A node or a revision may be empty;
        old revisions are there as soon as there is a second one.
        """
        if self.workload is not None and (words := self.workload.missing(view)):
            return words
        if self.node and (words := WorkloadRef("nodes", "", self.node).missing(view)):
            return words
        of = f" of {self.workload.text}" if self.workload else f' in namespace "{self.namespace}"'
        if self.name and not any(pod["metadata"]["name"] == self.name for pod in self._ever(view)):
            return f'there never was a pod "{self.name}"{of}'
        if self.labels:
            test = compile_labels(self.labels)
            if not any(test(pod["metadata"].get("labels") or {}) for pod in self._ever(view)):
                return f'no pod{of} ever had the labels "{self.labels}"'
        if self.version and not any(has_version(spec, self.version) for spec in self._specs(view)):
            return f"no pod{of} ever was of version {self.version}{self._images(view)}"
        if self.image and not any(has_image(spec, self.image) for spec in self._specs(view)):
            return f'no pod{of} ever had the image "{self.image}"{self._images(view)}'
        if self.revision == "old" and self.workload and has_one_revision(view, self.workload):
            return f"no pod{of} ever was old: it never had more than one revision"
        return ""

    def _images(self, view: View) -> str:
        known = sorted({image for spec in self._specs(view) for image in images_of(spec)})
        meant = next((image for image in known if f"v{tag_of(image)}" == self.version), "")
        hint = f' ({self.version} is that very tag; for the other write "{meant}" pods)' if meant else ""
        return f"; there were {', '.join(known[:6])}{hint}" if known else ""

    def _ever(self, view: View) -> Iterator[Object]:
        """The pods of the workload, or of the namespace, that there are or were."""
        for pod in view.ever("pods"):
            if pod["metadata"]["namespace"] == self.namespace and (
                self.workload is None or self.workload.owns(view, pod)
            ):
                yield pod

    def _specs(self, view: View) -> Iterator[Any]:
        """The specs of pods and templates that there are or were."""
        for pod in self._ever(view):
            yield pod["spec"]
        for resource in TEMPLATED:
            for owner in view.ever(resource):
                if owner["metadata"].get("namespace") == self.namespace and (
                    self.workload is None
                    or (resource, owner["metadata"]["name"]) == (self.workload.resource, self.workload.name)
                    or self.workload.owns(view, owner)
                ):
                    yield owner["spec"]["template"]["spec"]


Test: TypeAlias = Callable[[Object], bool]


class Selected:
    """A selector on a view that moves on: which pods it includes, and which changes alter that for many."""

    def __init__(self, selector: PodSelector, view: View) -> None:
        self._selector, self._view = selector, view
        self._owned: dict[str, bool] = {}
        """Whether what is controlled by the object of that uid belongs to the workload."""
        self._tests = tuple(self._compile())
        self._newest = self._find_newest()

    def includes(self, pod: Object) -> bool:
        """Whether the pod is one of those meant."""
        for test in self._tests:  # noqa: SIM110 - this is asked for every change of every pod
            if not test(pod):
                return False
        return True

    def upset(self, change: Change) -> bool:
        """Whether a change of another resource than pods may alter the verdict on many pods."""
        old, new = change.old, change.object
        if change.resource in TEMPLATED and (
            old is None or old["metadata"].get("ownerReferences") != new["metadata"].get("ownerReferences")
        ):
            self._owned.clear()
            self._newest = self._find_newest()
            return True
        if self._selector.revision and change.resource in KINDS and not _is_of_status(change):
            before, self._newest = self._newest, self._find_newest()
            return before != self._newest
        return False

    def _compile(self) -> list[Test]:
        selector = self._selector
        tests: list[Test] = []
        if selector.name:
            tests.append(lambda pod: bool(pod["metadata"]["name"] == selector.name))
        if selector.node:
            tests.append(lambda pod: bool(pod["spec"].get("nodeName") == selector.node))
        if selector.version:
            tests.append(lambda pod: has_version(pod["spec"], selector.version))
        if selector.image:
            tests.append(lambda pod: has_image(pod["spec"], selector.image))
        if selector.labels:
            matches = compile_labels(selector.labels)
            tests.append(lambda pod: matches(pod["metadata"].get("labels") or {}))
        if selector.workload is not None:
            tests.append(self._is_owned)
        else:
            tests.append(lambda pod: bool(pod["metadata"]["namespace"] == selector.namespace))
        if selector.revision:
            new = selector.revision == "new"
            tests.append(lambda pod: self._is_new(pod) is new)
        return tests

    def _is_owned(self, pod: Object) -> bool:
        workload, ref = self._selector.workload, controller_of(pod)
        if ref is None or workload is None:
            return False
        known = self._owned.get(ref["uid"])
        if known is None:
            known = self._owned[ref["uid"]] = workload.owns(self._view, pod)
        return known and pod["metadata"]["namespace"] == workload.namespace

    def _find_newest(self) -> str | tuple[str, ...] | None:
        workload = self._selector.workload
        if not self._selector.revision or workload is None:
            return None
        if workload.resource in MARKS:
            return newest_mark(self._view, workload)
        obj = workload.find(self._view)
        return images_of(obj["spec"]["template"]["spec"]) if obj is not None else None

    def _is_new(self, pod: Object) -> bool:
        if self._newest is None:
            return False
        workload = self._selector.workload
        if workload is not None and workload.resource in MARKS:
            return MARKS[workload.resource].of_pod(pod) == self._newest
        return images_of(pod["spec"]) == self._newest


def _is_of_status(change: Change) -> bool:
    """Whether a change of a workload leaves all as it is that says which revision is the newest."""
    old, new = change.old, change.object
    return (
        change.type == MODIFIED
        and change.resource in TEMPLATED
        and old is not None
        and old["spec"] is new["spec"]
        and old["metadata"].get("annotations") is new["metadata"].get("annotations")
    )


def is_alike(old: Object, pod: Object) -> bool:
    """Whether two versions of a pod differ in nothing by which pods are selected."""
    before, now = old["metadata"], pod["metadata"]
    return (
        old["spec"] is pod["spec"]
        and before.get("ownerReferences") is now.get("ownerReferences")
        and before.get("labels") is now.get("labels")
    )


def images_of(spec: Any) -> tuple[str, ...]:
    """The images of a pod's containers."""
    return tuple(container.get("image", "") for container in spec["containers"])


def has_version(spec: Any, version: str) -> bool:
    """Whether a container's image has that tag."""
    return any(tag_of(container.get("image", "")) == version for container in spec["containers"])


def has_image(spec: Any, image: str) -> bool:
    """Whether a container has that very image."""
    return image in images_of(spec)


@lru_cache(maxsize=1024)
def tag_of(image: str) -> str:
    """The tag of an image, "latest" when it names neither tag nor digest."""
    name, _, digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    return tag or ("" if digest else "latest")


def match_image(image: str, version: str) -> bool:
    """Whether an image is of a version: that tag, or that very image."""
    return image == version or tag_of(image) == version
