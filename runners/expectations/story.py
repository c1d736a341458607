"""What happened, told in short words with the times at which it did.

Every change that concerns the subject gives an entry. The short story joins those that say the same of
the same owner's pods until somebody acts again, and leaves out the least important where it is too long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from gherkube.runners.expectations.pod_status import pod_status
from gherkube.runners.expectations.pods import restarts
from gherkube.runners.expectations.revisions import keepers, same_template
from gherkube.runners.expectations.statement import Subject
from gherkube.runners.expectations.subjects import PodSelector, WorkloadRef, images_of
from gherkube.runners.expectations.time import Moment
from gherkube.runners.expectations.view import View
from gherkube.runners.history import ADDED, DELETED, Change, History
from gherkube.runners.kubectl.revisions import KEEPINGS
from gherkube.runners.objects import Object, condition, controller_of, is_deleting, is_ready

ACT, TROUBLE, SCALE, WELL, LIFE = range(5)
"""How much an entry matters; of too long a story the last kinds are left out."""
FIRST, LAST = 3, 5
"""How many entries are told from the beginning, and how many up to the end."""
MOST = FIRST + LAST
APART = 1.0
"""Seconds from which on the end of a stretch is told beside its beginning."""
ON_THE_WAY = frozenset(
    {"Pending", "ContainerCreating", "PodInitializing", "Running", "Terminating", "Completed"}
)


class Entry(NamedTuple):
    """`who` did `what` at a time; many are told as those `of` their owner. A change of size has a `path`."""

    at: float
    kind: int
    who: str
    what: str
    of: str = ""
    path: tuple[int, int] | None = None

    @property
    def text(self) -> str:
        """In words, without its time."""
        if self.path is not None:
            return f"{self.who} {self.path[0]}→{self.path[1]}"
        return f"{self.who} {self.what}" if self.who else self.what


class Story(NamedTuple):
    """`short`: a handful of entries, for one line. `whole`: every one."""

    short: list[str]
    whole: list[str]


def story(
    history: History, view: View, subject: Subject | None, start: Moment, *, until: int | None = None
) -> Story:
    """The changes from a moment on (up to a position) that concern the subject: `t+0.1 s  web-7d44 0→1`.

    Times are counted from that moment. `view` is the present, which knows the revisions.
    """
    teller = _Teller(view, subject)
    entries: list[Entry] = []
    for position, change in enumerate(history.since(start.position), start.position):
        if until is not None and position >= until:
            break
        entries += teller.tell(change)
    whole = [f"{_time(entry.at, entry.at, start.at)}  {entry.text}" for entry in entries]
    return Story(_short(entries, start.at), whole)


@dataclass
class _Stretch:
    """Entries that say the same, one after another."""

    first: Entry
    last: float
    who: dict[str, None] = field(default_factory=dict)
    times: int = 0
    sizes: list[int] = field(default_factory=list)

    def add(self, entry: Entry) -> None:
        self.last = entry.at
        self.who[entry.who] = None
        self.times += 1
        if entry.path is not None:
            self._resize(*entry.path)

    def _resize(self, before: int, after: int) -> None:
        sizes = self.sizes or [before]
        if len(sizes) > 1 and (sizes[-1] > sizes[-2]) == (after > sizes[-1]):
            sizes.pop()
        self.sizes = [*sizes, after]

    @property
    def text(self) -> str:
        if self.sizes:
            return f"{self.first.who} {'→'.join(map(str, self.sizes))}"
        n = len(self.who)
        many = f" ({self.times} times)" if self.times > n else ""
        if n == 1:
            return f"{self.first.text}{many}"
        return f"{n} pods of {self.first.of} {self.first.what}{many}"


def _short(entries: list[Entry], origin: float) -> list[str]:
    stretches: list[_Stretch] = []
    going_on: dict[tuple[str, str], _Stretch] = {}
    for entry in entries:
        if entry.kind == ACT:
            going_on.clear()
        key = entry.of or entry.who, entry.what
        stretch = going_on.get(key)
        if stretch is None:
            stretch = _Stretch(entry, entry.at)
            stretches.append(stretch)
            if entry.kind != ACT:
                going_on[key] = stretch
        stretch.add(entry)
    for kind in (LIFE, WELL, SCALE):
        if len(stretches) > MOST:
            stretches = [one for one in stretches if one.first.kind < kind or one is stretches[-1]]
    lines = [f"{_time(one.first.at, one.last, origin)}  {one.text}" for one in stretches]
    if len(lines) > MOST:
        lines[FIRST:-LAST] = [f"… {len(lines) - MOST} more"]
    return lines


def _time(first: float, last: float, origin: float) -> str:
    end = f"…{last - origin:.1f}" if last - first >= APART else ""
    return f"t+{first - origin:.1f}{end} s"


def objects(view: View, subject: Subject | None, unwell: Iterable[Object]) -> list[Object]:
    """What there was then of the subject: the object itself and the first of its pods that were not well."""
    ref = subject.workload if isinstance(subject, PodSelector) else subject
    obj = ref.find(view) if ref is not None else None
    return [*([obj] if obj is not None else []), *list(unwell)[:1]]


class _Teller:
    def __init__(self, view: View, subject: Subject | None) -> None:
        self._view = view
        workload = subject.workload if isinstance(subject, PodSelector) else subject
        if isinstance(workload, WorkloadRef) and workload.resource in ("services", "nodes"):
            workload = None
        self._workload = workload
        self._namespace = subject.namespace if subject is not None else ""
        self._told: set[tuple[str, str]] = set()

    def tell(self, change: Change) -> Iterator[Entry]:
        words = WORDS.get(change.resource)
        if words is not None and self._concerns(change):
            yield from words(self, change)

    def _concerns(self, change: Change) -> bool:
        if change.resource in ("nodes", "services"):
            return True
        obj, workload = change.object, self._workload
        if workload is None:
            return not self._namespace or obj["metadata"].get("namespace", "") == self._namespace
        if change.resource == workload.resource and obj["metadata"]["name"] == workload.name:
            return bool(obj["metadata"].get("namespace", "") == workload.namespace)
        return workload.owns(self._view, obj)

    def once(self, who: str, what: str) -> bool:
        """Whether this is told for the first time."""
        new = (who, what) not in self._told
        self._told.add((who, what))
        return new

    def revision(self, ref: WorkloadRef, template: Object) -> str:
        """The revision of the workload that has the template, in words."""
        for one in reversed(keepers(self._view, ref)):
            keeping = KEEPINGS[ref.resource]
            if same_template(keeping.template(one), template):
                return f" (revision {keeping.number(one)})"
        return ""


Words: TypeAlias = Callable[[_Teller, Change], Iterator[Entry]]


CONDITIONS = (
    ("Progressing", "False", "exceeds its progress deadline"),
    ("Available", "False", "is not available"),
    ("Available", "True", "is available"),
    ("Failed", "True", "failed"),
    ("Complete", "True", "is complete"),
)
"""The conditions of a workload that are told, and how."""


def _workload(teller: _Teller, change: Change) -> Iterator[Entry]:
    new, old, name = change.object, change.old, change.object["metadata"]["name"]
    who = f"{change.resource.removesuffix('s')} {name}"
    if change.type == DELETED or old is None:
        yield Entry(change.at, ACT, who, "gone" if change.type == DELETED else "created")
        return
    if is_deleting(new) and not is_deleting(old):
        yield Entry(change.at, ACT, who, "deleted")
    if new["spec"] is not old["spec"] and new["spec"] != old["spec"]:
        ref = WorkloadRef(change.resource, new["metadata"].get("namespace", ""), name)
        yield from (Entry(change.at, ACT, "", words) for words in _spec(teller, ref, old, new))
    for type_, status, words in CONDITIONS:
        found, before = condition(new, type_), condition(old, type_)
        if found is not None and found["status"] == status and (before is None or before["status"] != status):
            well = status == "True" and type_ != "Failed"
            yield Entry(change.at, WELL if well else TROUBLE, name, words)


def _spec(teller: _Teller, ref: WorkloadRef, old: Object, new: Object) -> Iterator[str]:
    before, after, name = old["spec"], new["spec"], ref.name
    template = after["template"]
    images = images_of(template["spec"])
    if images != images_of(before["template"]["spec"]):
        yield f"image set to {', '.join(images)}{teller.revision(ref, template)}"
    elif not same_template(before["template"], template):
        yield f"template of {name} changed{teller.revision(ref, template)}"
    if before.get("replicas") != after.get("replicas"):
        yield f"{name} scaled {before.get('replicas')}→{after.get('replicas')}"
    if bool(before.get("paused")) != bool(after.get("paused")):
        yield f"{name} {'paused' if after.get('paused') else 'resumed'}"


def _replica_set(_teller: _Teller, change: Change) -> Iterator[Entry]:
    name = change.object["metadata"]["name"]
    if change.type == DELETED:
        yield Entry(change.at, LIFE, f"replica set {name}", "gone")
        return
    before = change.old["spec"].get("replicas", 0) if change.old is not None else 0
    after = change.object["spec"].get("replicas", 0)
    if before != after:
        yield Entry(change.at, SCALE, name, "scaled", path=(before, after))


def _pod(teller: _Teller, change: Change) -> Iterator[Entry]:
    pod, old, name = change.object, change.old, change.object["metadata"]["name"]
    ref = controller_of(pod)
    for kind, what in _of_pod(teller, name, pod, old, change.type):
        yield Entry(change.at, kind, name, what, ref["name"] if ref is not None else "")


def _of_pod(
    teller: _Teller, name: str, pod: Object, old: Object | None, type_: str
) -> Iterator[tuple[int, str]]:
    if type_ == DELETED:
        yield LIFE, "gone"
        return
    if type_ == ADDED or old is None:
        yield LIFE, "created"
        return
    if is_deleting(pod):
        if not is_deleting(old):
            yield LIFE, "deleted"
        return
    if restarts(pod) > restarts(old):
        yield TROUBLE, "restarted"
    status = pod_status(pod)
    if status != pod_status(old) and status not in ON_THE_WAY and teller.once(name, status):
        yield TROUBLE, status
    elif is_ready(pod) != is_ready(old):
        yield (WELL, "ready") if is_ready(pod) else (TROUBLE, "not ready")


def _node(_teller: _Teller, change: Change) -> Iterator[Entry]:
    if change.old is None:
        return
    name = f"node {change.object['metadata']['name']}"
    new, old = condition(change.object, "Ready"), condition(change.old, "Ready")
    if new is not None and old is not None and new["status"] != old["status"]:
        ready = "is ready" if new["status"] == "True" else f"is down (Ready {new['status']})"
        yield Entry(change.at, ACT, name, ready)
    cordoned = bool(change.object["spec"].get("unschedulable"))
    if cordoned != bool(change.old["spec"].get("unschedulable")):
        yield Entry(change.at, ACT, name, "cordoned" if cordoned else "uncordoned")


def _service(_teller: _Teller, change: Change) -> Iterator[Entry]:
    if change.old is None or change.object["spec"] == change.old["spec"]:
        return
    name = f"service {change.object['metadata']['name']}"
    selector = change.object["spec"].get("selector") or {}
    if selector != (change.old["spec"].get("selector") or {}):
        shown = ",".join(f"{key}={value}" for key, value in selector.items())
        yield Entry(change.at, ACT, name, f"switched to {shown}")
    ports = change.object["spec"].get("ports") or ()
    if ports != (change.old["spec"].get("ports") or ()):
        shown = ", ".join(f"{port.get('port')}→{port.get('targetPort', port.get('port'))}" for port in ports)
        yield Entry(change.at, ACT, name, f"changed its ports to {shown}")


WORDS: dict[str, Words] = {
    **dict.fromkeys(("deployments", "statefulsets", "daemonsets", "jobs"), _workload),
    "replicasets": _replica_set,
    "pods": _pod,
    "nodes": _node,
    "services": _service,
}
