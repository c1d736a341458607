"""Deployments: revisions, their history, and which ReplicaSets are theirs."""

from gherkube.runners.simulator.controllers.deployment_templates import canonical, hash_of
from gherkube.runners.simulator.controllers.deployment_turn import REVISION
from tests.simulator.controllers.deployments import reason, replica_sets, revisions, stranger, web
from tests.simulator.controllers.workbench import Workbench, deployment, rolling, template


def test_undo_moves_the_revision() -> None:
    """Going back to a template takes its replica set again, under a new number; the old one is history."""
    bench = Workbench()
    bench.deployment(2)
    for image in ("hello:2", "hello:3", "hello:2"):
        bench.run(20)
        bench.set_image(image)
    bench.run(20)
    assert revisions(bench) == {"hello:1": "1", "hello:2": "4", "hello:3": "3"}
    again = replica_sets(bench)["hello:2"]["metadata"]["annotations"]
    assert again["deployment.kubernetes.io/revision-history"] == "2"
    assert web(bench)["metadata"]["annotations"][REVISION] == "4"
    bench.set_image("hello:1")
    bench.run(20)
    bench.set_image("hello:2")
    bench.run(20)
    again = replica_sets(bench)["hello:2"]["metadata"]["annotations"]
    assert (again[REVISION], again["deployment.kubernetes.io/revision-history"]) == ("6", "2,4")


def test_scaling_makes_no_revision() -> None:
    """Another number of replicas, or another strategy, is no new revision."""
    bench = Workbench()
    bench.deployment(2)
    bench.run(5)
    bench.update(replicas=5, strategy=rolling(2, 1))
    bench.run(5)
    assert revisions(bench) == {"hello:1": "1"}
    assert len(bench.active()) == 5
    assert (
        replica_sets(bench)["hello:1"]["metadata"]["annotations"]["deployment.kubernetes.io/max-replicas"]
        == "7"
    )


def test_annotations_are_copied() -> None:
    """The change-cause and what else the Deployment is annotated with reach the revision; some do not."""
    bench = Workbench()
    made = deployment(1, "hello:1")
    made["metadata"]["annotations"] = {
        "kubernetes.io/change-cause": "first",
        "kubectl.kubernetes.io/last-applied-configuration": "{}",
    }
    bench.api.create_trusted("deployments", made)
    bench.run(5)
    annotations = replica_sets(bench)["hello:1"]["metadata"]["annotations"]
    assert annotations["kubernetes.io/change-cause"] == "first"
    assert "kubectl.kubernetes.io/last-applied-configuration" not in annotations


def test_history_is_cleaned_up_while_paused() -> None:
    """A paused Deployment keeps its history within the limit."""
    bench = Workbench()
    bench.deployment(1)
    bench.run(10)
    bench.set_image("hello:2")
    bench.run(10)
    bench.update(paused=True, revisionHistoryLimit=0)
    bench.run(5)
    assert revisions(bench) == {"hello:2": "2"}


def test_history_limit() -> None:
    """Idle replica sets beyond the limit are deleted, the lowest revision first."""
    bench = Workbench()
    bench.deployment(1, revisionHistoryLimit=1)
    for image in ("hello:2", "hello:3"):
        bench.run(20)
        bench.set_image(image)
    bench.run(20)
    assert revisions(bench) == {"hello:2": "2", "hello:3": "3"}
    bench.update(revisionHistoryLimit=0)
    bench.run(5)
    assert revisions(bench) == {"hello:3": "3"}


def test_hash_collision() -> None:
    """Replica sets of somebody else under the new names: collisions are counted, another name found."""
    bench = Workbench()
    for collisions in (None, 1):
        hash_ = hash_of(canonical(template("hello:1")), collisions)
        bench.api.create_trusted("replicasets", stranger(f"web-{hash_}", 0, a="b"))
    bench.deployment(1)
    bench.run(5)
    assert web(bench)["status"]["collisionCount"] == 2
    assert len(bench.active()) == 1
    assert reason(bench) == "NewReplicaSetAvailable"


def test_adopts_by_selector() -> None:
    """An orphan replica set that the selector matches is adopted, and used if its template is the same."""
    bench = Workbench()
    bench.deployment(2)
    bench.run(5)
    pods = bench.active()
    bench.api.delete("deployments", "web", "default", propagation="Orphan")
    bench.run(5)
    assert all("ownerReferences" not in each["metadata"] for each in bench.api.list("replicasets"))
    owner = bench.deployment(2)
    bench.run(5)
    (adopted,) = bench.api.list("replicasets")
    assert [each["uid"] for each in adopted["metadata"]["ownerReferences"]] == [owner["metadata"]["uid"]]
    assert bench.active() == pods


def test_releases_by_selector() -> None:
    """A replica set that no longer matches runs on without an owner, and another is made."""
    bench = Workbench()
    bench.deployment(2)
    bench.run(5)
    (old,) = bench.api.list("replicasets")
    relabelled = {**old, "metadata": {**old["metadata"], "labels": {"app": "other"}}}
    bench.api.replace_trusted("replicasets", relabelled)
    bench.run(0.05)
    released = bench.api.get("replicasets", old["metadata"]["name"], "default")
    assert "ownerReferences" not in released["metadata"]


def ask(bench: Workbench, revision: str) -> None:
    """Asks for a rollback by annotation."""
    old = web(bench)
    annotations = {**old["metadata"]["annotations"], "deprecated.deployment.rollback.to": revision}
    bench.api.replace_trusted(
        "deployments", {**old, "metadata": {**old["metadata"], "annotations": annotations}}
    )


def test_server_side_rollback() -> None:
    """The deprecated annotation puts a revision's template back and goes; kubectl does without it."""
    bench = Workbench()
    bench.deployment(1)
    bench.run(5)
    ask(bench, "0")
    bench.run(5)
    assert bench.events("DeploymentRollbackRevisionNotFound") == ["Unable to find last revision."]
    bench.set_image("hello:2")
    bench.run(20)
    ask(bench, "0")
    bench.run(20)
    assert bench.sizes() == {"hello:1": 1, "hello:2": 0}
    assert "deprecated.deployment.rollback.to" not in web(bench)["metadata"]["annotations"]
    assert bench.events("DeploymentRollback") == ['Rolled back deployment "web" to revision 1']
    ask(bench, "77")
    bench.run(20)
    assert bench.events("DeploymentRollbackRevisionNotFound")[1:] == [
        "Unable to find the revision to rollback to."
    ]
    ask(bench, "3")
    bench.run(20)
    assert bench.events("DeploymentRollbackTemplateUnchanged") == [
        'The rollback revision contains the same template as current deployment "web"'
    ]
