"""Undo from a journal's records: what it puts back, what it leaves, and that it may be played again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import call, create_autospec

import pytest

from gherkube.runners.errors import ApiError, CannotJudge
from gherkube.runners.kubectl import set_image
from gherkube.runners.kubectl.nodes import cordon
from gherkube.runners.live.changes import Changes, Unrecorded
from gherkube.runners.live.fences import Act
from gherkube.runners.live.journal import Journal, JournalFailed, Record, read
from gherkube.runners.live.said import said
from gherkube.runners.live.undo import Mend, undo
from gherkube.runners.objects import Object
from gherkube.runners.simulator.cluster import Simulator
from tests.door.serving import configmap, deployment


class Day:
    """A run on the simulator whose acts are written to a journal."""

    def __init__(self, journal: Journal) -> None:
        self.cluster = Simulator(seed=1)
        self.api = self.cluster.api
        self.api.create(deployment(replicas=3), namespace="default")
        self.api.create(configmap("notes", a="1"), namespace="default")
        self.cluster.clock.sleep(30)
        self.journal = journal
        self.changes = Changes(self.api)  # type: ignore[arg-type]
        self.changes.record_in(journal)

    def act(
        self, verb: str, resource: str, name: str, do: Callable[[], Object], then: Object | None = None
    ) -> None:
        """Does something, and writes it down as a guarded API does."""
        namespace = "" if resource == "nodes" else "default"
        before = self.changes.look(resource, namespace, name)
        with self.changes.making(Act("change", resource, namespace, name), verb, before, then) as done:
            done(do())

    def patch(self, patch: Any, resource: str = "deployments", name: str = "web") -> None:
        """Changes an object."""
        namespace = "" if resource == "nodes" else "default"
        self.act("patch", resource, name, lambda: self.api.patch(resource, name, patch, namespace))

    def undo(self, ask: Callable[..., bool] = lambda *_: False) -> tuple[list[str], list[str]]:
        """Another process reads the journal, and puts back what it tells."""
        undone = undo(read(self.journal.path), self.api, ask=ask, write=self.journal.write)
        return undone.done, undone.left

    def get(self, resource: str = "deployments", name: str = "web") -> Object:
        """An object as it is."""
        return self.api.get(resource, name, "" if resource == "nodes" else "default")


@pytest.fixture
def day(tmp_path: Path) -> Iterator[Day]:
    """With a deployment `web` and a config map `notes`."""
    journal = Journal.create(tmp_path / "day.journal")
    journal.write("begin")
    yield Day(journal)
    journal.close()


WEB = 'deployments "web" in namespace "default"'
NEW = 'configmaps "new" in namespace "default"'
IMAGE = {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "hello:2"}]}}}}


def test_all_that_was_done_is_put_back_once(day: Day) -> None:
    """In reverse order: changes, creations, deletions; a second time there is nothing left to do."""
    web, notes = said(day.get()), said(day.get("configmaps", "notes"))
    day.patch({"spec": {"replicas": 1}})
    day.patch(IMAGE)
    day.patch({"metadata": {"annotations": {"by": "us"}, "labels": {"app": None}}})
    day.act("create", "configmaps", "new", lambda: day.api.create(configmap("new"), namespace="default"))
    day.act("delete", "configmaps", "notes", lambda: day.api.delete("configmaps", "notes", "default"))
    done, left = day.undo()
    assert not left
    assert done == [
        'configmaps "notes" in namespace "default": made again',
        f"{NEW}: deleted again",
        *[f"{WEB}: as it was before"] * 3,
    ]
    assert (said(day.get()), said(day.get("configmaps", "notes"))) == (web, notes)
    with pytest.raises(ApiError, match="not found"):
        day.get("configmaps", "new")
    assert day.undo() == ([], [])


def test_a_controllers_work_between_is_no_conflict(day: Day) -> None:
    """Revisions and statuses change while the run goes on."""
    before = said(day.get())
    day.patch(IMAGE)
    day.cluster.clock.sleep(60)
    assert day.undo() == ([f"{WEB}: as it was before"], [])
    day.cluster.clock.sleep(60)
    assert said(day.get()) == before


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_somebody_else_changed_is_shown_and_asked_for(day: Day, overwrite: bool) -> None:
    """It is only overwritten where that was said."""
    day.patch(IMAGE)
    set_image(day.api, "deployments", "web", "default", {"app": "hello:3"})
    asked: list[tuple[str, Any, Any]] = []

    def ask(words: str, before: Object | None, now: Object | None) -> bool:
        asked.append((words, before, now))
        return overwrite

    done, left = day.undo(ask)
    told = "spec.template.spec.containers.[app].image: was 'hello:1', was made 'hello:2', and is 'hello:3'"
    assert [words for words, _, _ in asked] == [told]
    assert asked[0][1]["spec"]["template"] != asked[0][2]["spec"]["template"]
    assert day.get()["spec"]["template"]["spec"]["containers"][0]["image"] == (
        "hello:1" if overwrite else "hello:3"
    )
    assert (done, left) == (
        ([f"{WEB}: as it was before"], [])
        if overwrite
        else ([], [f"{WEB}: somebody else changed it since, so it is left: {told}"])
    )


def test_what_somebody_else_made_or_deleted_is_left(day: Day) -> None:
    """One of the same name is another one."""
    day.act("create", "configmaps", "new", lambda: day.api.create(configmap("new"), namespace="default"))
    day.patch({"spec": {"replicas": 1}})
    day.act("delete", "configmaps", "notes", lambda: day.api.delete("configmaps", "notes", "default"))
    for name in ("new", "web"):
        day.api.delete("deployments" if name == "web" else "configmaps", name, "default")
    day.api.create(configmap("new"), namespace="default")
    day.api.create(configmap("notes", a="2"), namespace="default")
    day.cluster.clock.sleep(5)
    _, left = day.undo()
    told = "somebody else changed it since, so it is left: somebody else has"
    assert left == [
        f'configmaps "notes" in namespace "default": {told} made another one since',
        f"{WEB}: {told} deleted it since",
        f"{NEW}: there is another one of that name, which the run did not make",
    ]


def test_what_may_have_been_done(day: Day) -> None:
    """A process died between the act and its record: whether it came to the act is seen from the object."""

    def dies() -> Object:
        raise KeyboardInterrupt

    web, after = day.get(), day.api.patch("deployments", "web", IMAGE, "default", dry_run=True)
    for did in (False, True):
        if did:
            day.api.patch("deployments", "web", IMAGE, "default")
        with pytest.raises(KeyboardInterrupt):
            day.act("patch", "deployments", "web", dies, after)
        records = [record for record in read(day.journal.path) if record.kind != "after"]
        undone = undo(records, day.api)
        assert not undone.left
        assert said(day.get()) == said(web)


def test_what_was_refused_was_not_done(day: Day) -> None:
    """Whoever changed the object since is not asked about it."""
    with pytest.raises(ApiError):
        day.patch({"spec": {"selector": {"matchLabels": {"app": "other"}}}})
    with pytest.raises(ApiError):
        day.act(
            "create", "configmaps", "notes", lambda: day.api.create(configmap("notes"), namespace="default")
        )
    assert day.undo() == ([], [])
    assert day.get("configmaps", "notes")["data"] == {"a": "1"}


def test_nodes_and_pods(day: Day) -> None:
    """A cordon is lifted though a controller tainted the node; a pod is left to its controller."""
    before = said(day.get("nodes", "node-1"))
    pod = day.api.list("pods", "default")[0]["metadata"]["name"]
    day.act("patch", "nodes", "node-1", lambda: cordon(day.api, "node-1").object)
    day.act("delete", "pods", pod, lambda: day.api.delete("pods", pod, "default"))
    day.cluster.clock.sleep(60)
    assert day.undo() == (
        [
            f'pods "{pod}" in namespace "default": left to its controller',
            'nodes "node-1": as it was before, beside others\' changes',
        ],
        [],
    )
    day.cluster.clock.sleep(5)
    assert said(day.get("nodes", "node-1")) == before


def test_a_full_disk(day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be written down is not done; what was done is put back, though that cannot be written."""
    before = said(day.get())
    day.patch({"spec": {"replicas": 1}})

    def full(*_: object, **__: object) -> int:
        raise JournalFailed("no space")

    monkeypatch.setattr(day.journal, "write", full)
    with pytest.raises(JournalFailed):
        day.patch(IMAGE)
    assert day.get()["spec"]["template"]["spec"]["containers"][0]["image"] == "hello:1"
    assert day.changes.undo() == ([f"{WEB}: as it was before"], [])
    assert said(day.get()) == before


def test_a_disk_that_is_full_after_the_act(day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run knows of it all the same, and puts it back."""
    before, write = said(day.get()), day.journal.write

    def only_before(kind: str, **data: Any) -> int:
        if kind != "before":
            raise JournalFailed("no space")
        return write(kind, **data)

    monkeypatch.setattr(day.journal, "write", only_before)
    with pytest.raises(JournalFailed):
        day.patch(IMAGE)
    assert not day.changes.undo().left
    assert said(day.get()) == before


def test_secrets_are_never_written_down(day: Day) -> None:
    """So nothing is done to one of somebody else's."""
    with pytest.raises(Unrecorded, match="what a Secret holds is not written down"):
        day.act("patch", "secrets", "token", dict)
    assert len(read(day.journal.path)) == 1


def test_what_the_api_does_not_do_is_left_and_told(day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest is put back all the same, and a second time what is left is tried again."""
    day.patch({"data": {"a": "2"}}, "configmaps", "notes")
    day.patch({"spec": {"replicas": 1}})
    with monkeypatch.context() as patch:

        def gone(*_: object, **__: object) -> Object:
            raise CannotJudge("the API server does not answer")

        real = day.api.replace
        patch.setattr(day.api, "replace", lambda obj: (gone if obj["kind"] == "Deployment" else real)(obj))
        done, left = day.undo()
    assert left == [f"{WEB}: the API server does not answer"]
    assert len(done) == 1
    assert day.undo() == ([f"{WEB}: as it was before"], [])


def test_faults_are_put_right(day: Day) -> None:
    """By the cluster, which is told which; where it cannot, that is said."""
    fault = {"verb": "fault", "fault": "stop_node", "resource": "nodes", "namespace": "", "name": "node-1"}
    records = [Record(1, "", "before", {**fault, "object": None, "undo": 'start node "node-1"'})]
    faults = create_autospec(Mend, instance=True)
    undone = undo(records, day.api, mend=faults)
    assert faults.method_calls == [call.put_right("stop_node", "node-1")]
    assert undone == (['nodes "node-1": put right'], [])
    assert undo(records, day.api).left == ['nodes "node-1": start node "node-1": this cluster cannot do that']


@pytest.mark.parametrize("recorded", [True, False])
def test_what_was_said_of_an_image_is_said_again(day: Day, recorded: bool) -> None:
    """Just what was said before; also where what came of it was not written down any more."""
    faults = day.cluster.faults
    faults.behave("hello:2", stop_seconds=5.0)
    before = faults.said_of("hello:2")
    act = Act("image", "images", "", "hello:2")
    with day.changes.making(act, "fault", before, fault="behave") as note:
        faults.behave("hello:2", never_ready=True)
        if recorded:
            note(faults.said_of("hello:2"))
    assert before["behaves"] == {"stop_seconds": 5.0}
    assert faults.said_of("hello:2")["behaves"] == {"stop_seconds": 5.0, "never_ready": True}
    undone = undo(read(day.journal.path), day.api, write=day.journal.write, mend=faults)
    assert undone == (['images "hello:2": as it was before'], [])
    assert faults.said_of("hello:2") == before
    assert undo(read(day.journal.path), day.api, mend=faults) == ([], [])


def test_what_somebody_else_said_of_an_image_is_asked_for(day: Day) -> None:
    """As of objects."""
    faults = day.cluster.faults
    act = Act("image", "images", "", "hello:2")
    with day.changes.making(act, "fault", faults.said_of("hello:2"), fault="behave") as note:
        faults.behave("hello:2", never_ready=True)
        note(faults.said_of("hello:2"))
    faults.behave("hello:2", stop_seconds=5.0)
    records = read(day.journal.path)
    assert "somebody else has said something else of it" in undo(records, day.api, mend=faults).left[0]
    assert faults.said_of("hello:2")["behaves"] == {"stop_seconds": 5.0, "never_ready": True}
    assert not undo(records, day.api, ask=lambda *_: True, mend=faults).left
    assert faults.said_of("hello:2")["behaves"] is None
