"""The rollout history of StatefulSets and DaemonSets, which ControllerRevisions keep."""

from __future__ import annotations

import pytest

from gherkube.runners import kubectl
from gherkube.runners.errors import Refused
from gherkube.runners.objects import Object
from tests.kubectl.asked import Asked

SETS = [("statefulsets", "StatefulSet"), ("daemonsets", "DaemonSet")]


def template(image: str) -> Object:
    return {"metadata": {"labels": {"app": "db"}}, "spec": {"containers": [{"name": "app", "image": image}]}}


def revision(api: Asked, kind: str, number: int, image: str, **annotations: str) -> None:
    """A ControllerRevision of "db" with that number."""
    data = {"spec": {"template": {"$patch": "replace", **template(image)}}}
    metadata = {
        "name": f"db-{number}",
        "namespace": "shop",
        "annotations": annotations,
        "ownerReferences": [{"kind": kind, "name": "db", "uid": "s-1", "controller": True}],
    }
    api.add({"kind": "ControllerRevision", "metadata": metadata, "data": data, "revision": number})


@pytest.fixture(params=SETS, ids=lambda pair: pair[1])
def db(request: pytest.FixtureRequest, api: Asked) -> tuple[str, str, str]:
    """A set "db" of image hello:2, of revisions 1 and 2."""
    resource, kind = request.param
    metadata = {"name": "db", "namespace": "shop", "uid": "s-1"}
    api.add({"kind": kind, "metadata": metadata, "spec": {"template": template("hello:2")}})
    revision(api, kind, 1, "hello:1")
    revision(api, kind, 2, "hello:2", **{"kubernetes.io/change-cause": "because"})
    return resource, "db", "shop"


def test_undo_sends_what_the_last_but_one_revision_keeps(api: Asked, db: tuple[str, str, str]) -> None:
    """A strategic patch that replaces the template, and nothing else."""
    assert kubectl.undo(api, *db).text.endswith(".apps/db rolled back")
    (verb, what, patch) = api.requests[0]
    assert (verb, what) == ("strategic", f"{db[0]}/db")
    assert patch == {"spec": {"template": {"$patch": "replace", **template("hello:1")}}}


def test_undo_to_the_present_revision_is_skipped(api: Asked, db: tuple[str, str, str]) -> None:
    """Nothing is sent."""
    word = "skipped rollback (current template already matches revision 2)"
    assert kubectl.undo(api, *db, to_revision=2).text.endswith(word)
    assert api.requests == []


def test_undo_without_an_older_revision_is_refused(api: Asked, db: tuple[str, str, str]) -> None:
    """In other words than a Deployment's; a number that is not there is refused as everywhere."""
    del api.objects["controllerrevisions", "db-1"]
    with pytest.raises(Refused, match="error: no last revision to roll back to"):
        kubectl.undo(api, *db)
    with pytest.raises(Refused, match="error: unable to find specified revision 1 in history"):
        kubectl.undo(api, *db, to_revision=1)


def test_the_history(api: Asked, db: tuple[str, str, str]) -> None:
    """Numbers and causes; of one revision its template, without the cause."""
    assert kubectl.history(api, *db).splitlines()[1:] == [
        "REVISION  CHANGE-CAUSE",
        "1         <none>",
        "2         because",
        "",
    ]
    shown = kubectl.history(api, *db, revision=2)
    assert shown.splitlines()[0].endswith(".apps/db with revision #2")
    assert "    Image:\thello:2" in shown
    assert "because" not in shown
    with pytest.raises(Refused, match="error: unable to find the specified revision"):
        kubectl.history(api, *db, revision=3)


def test_restart_and_pause(api: Asked, db: tuple[str, str, str]) -> None:
    """They restart as Deployments do, and cannot be paused."""
    assert kubectl.restart(api, *db, at="2025-01-01T00:00:00Z").text.endswith(".apps/db restarted")
    with pytest.raises(Refused, match=r'"db" pausing is not supported'):
        kubectl.pause(api, *db)
