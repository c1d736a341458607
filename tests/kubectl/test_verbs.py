"""Each verb sends what kubectl sends, prints what it prints, and refuses in its words and order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gherkube.runners import kubectl
from gherkube.runners.errors import ApiError, CannotJudge, Refused
from gherkube.runners.objects import Object
from tests.kubectl.asked import Asked, deployment, replica_set

WEB = ("deployments", "web", "shop")
ABSENT = ("deployments", "absent", "shop")


def refused(verb: Callable[..., Any], *args: Any, **named: Any) -> str:
    with pytest.raises(Refused) as refusal:
        verb(*args, **named)
    return refusal.value.text


@pytest.mark.usefixtures("web")
class TestImages:
    """set image, set env."""

    def test_an_image_is_patched(self, api: Asked) -> None:
        """One strategic merge patch, and the line."""
        assert kubectl.set_image(api, *WEB, {"app": "hello:2"}).text == "deployment.apps/web image updated"
        ((verb, what, body),) = api.requests
        assert (verb, what) == ("strategic", "deployments/web")
        assert body["spec"]["template"]["spec"]["containers"] == [{"image": "hello:2", "name": "app"}]

    def test_the_same_image_is_no_change(self, api: Asked) -> None:
        """No request, no output."""
        assert kubectl.set_image(api, *WEB, {"*": "hello:1"}).text == ""
        assert api.requests == []

    def test_an_unknown_container_is_refused_after_the_others_are_changed(self, api: Asked) -> None:
        """The known pair is applied."""
        text = refused(kubectl.set_image, api, *WEB, {"app": "hello:2", "nosuch": "x"})
        assert text == 'error: unable to find container named "nosuch"'
        assert len(api.requests) == 1

    def test_a_variable_is_set_changed_and_taken_out(self, api: Asked) -> None:
        """env as a list keeps its order."""
        container = deployment()["spec"]["template"]["spec"]["containers"][0]
        env = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
        template = {"spec": {"containers": [{**container, "env": env}]}}
        api.add(deployment(template=template))
        assert (
            kubectl.set_env(api, *WEB, {"A": None, "B": "3", "C": "4"}).text
            == "deployment.apps/web env updated"
        )
        sent = api.requests[0][2]["spec"]["template"]["spec"]["containers"][0]
        assert sent["env"] == [
            {"name": "B", "value": "3"},
            {"name": "C", "value": "4"},
            {"$patch": "delete", "name": "A"},
        ]


class TestScale:
    """scale."""

    @pytest.mark.usefixtures("web")
    def test_the_scale_subresource_is_merge_patched(self, api: Asked) -> None:
        """As kubectl without preconditions does."""
        assert kubectl.scale(api, *WEB, 5).text == "deployment.apps/web scaled"
        assert api.requests == [("merge", "deployments/web/scale", {"spec": {"replicas": 5}})]

    def test_an_absent_object_is_refused_in_its_own_words(self, api: Asked) -> None:
        """Not a NotFound line (recorded: refusals)."""
        text = refused(kubectl.scale, api, *ABSENT, 2)
        assert text == 'error: no objects passed to scale deployments.apps "absent" not found'

    @pytest.mark.usefixtures("web")
    def test_another_size_than_expected_is_refused(self, api: Asked) -> None:
        """--current-replicas."""
        assert refused(kubectl.scale, api, *WEB, 2, current=3) == "error: Expected replicas to be 3, was 4"
        assert api.requests == []


class TestRollout:
    """undo, pause, resume, restart, history."""

    @pytest.fixture(autouse=True)
    def revisions(self, api: Asked) -> None:
        api.add(deployment())
        api.add(replica_set(1, "hello:0", why="first"))
        api.add(replica_set(2, "hello:1"))

    def test_undo_puts_the_last_but_one_back_with_its_annotations(self, api: Asked) -> None:
        """A JSON patch of template and annotations; the Deployment's own bookkeeping stays."""
        assert kubectl.undo(api, *WEB).text == "deployment.apps/web rolled back"
        verb, _, (template, annotations) = api.requests[0]
        assert verb == "json"
        assert template["value"]["metadata"]["labels"] == {"app": "web"}
        assert template["value"]["spec"]["containers"][0]["image"] == "hello:0"
        assert annotations["value"] == {"deployment.kubernetes.io/revision": "2", "why": "first"}

    def test_undo_to_the_present_revision_is_skipped(self, api: Asked) -> None:
        """The template is compared without the hash."""
        word = "skipped rollback (current template already matches revision 2)"
        assert kubectl.undo(api, *WEB, to_revision=2).text == f"deployment.apps/web {word}"
        assert api.requests == []

    @pytest.mark.parametrize("number", [9, -1])
    def test_undo_to_an_unknown_revision_is_refused(self, api: Asked, number: int) -> None:
        """Negative numbers, too."""
        assert refused(kubectl.undo, api, *WEB, to_revision=number) == (
            f"error: unable to find specified revision {number} in history"
        )

    def test_undo_of_a_paused_deployment_is_refused_but_a_missing_history_is_said_first(
        self, api: Asked
    ) -> None:
        """The order of checks (recorded: pause-resume)."""
        api.add(deployment(paused=True))
        assert refused(kubectl.undo, api, *WEB).startswith("error: you cannot rollback a paused deployment;")
        del api.objects["replicasets", "web-h1"]
        assert refused(kubectl.undo, api, *WEB) == 'error: no rollout history found for deployment "web"'

    def test_pausing_and_resuming_send_one_field(self, api: Asked) -> None:
        """Resuming takes the field out."""
        assert kubectl.pause(api, *WEB).text == "deployment.apps/web paused"
        api.add(deployment(paused=True))
        assert kubectl.resume(api, *WEB).text == "deployment.apps/web resumed"
        assert [body for *_, body in api.requests] == [{"spec": {"paused": True}}, {"spec": {"paused": None}}]

    def test_pausing_twice_and_resuming_what_runs_are_refused(self, api: Asked) -> None:
        """By kubectl, not by the API."""
        assert refused(kubectl.resume, api, *WEB) == 'error: deployments.apps "web" is not paused'
        api.add(deployment(paused=True))
        assert refused(kubectl.pause, api, *WEB) == 'error: deployments.apps "web" is already paused'

    def test_a_restart_is_an_annotation_of_the_template(self, api: Asked) -> None:
        """Not of a paused deployment."""
        kubectl.restart(api, *WEB, at="2025-01-01T00:00:00Z")
        annotations = api.requests[0][2]["spec"]["template"]["metadata"]["annotations"]
        assert annotations == {"kubectl.kubernetes.io/restartedAt": "2025-01-01T00:00:00Z"}
        api.add(deployment(paused=True))
        text = refused(kubectl.restart, api, *WEB, at="x")
        assert text.endswith("can't restart paused deployment (run rollout resume first)")

    def test_the_history_lists_revisions_with_their_cause(self, api: Asked) -> None:
        """In ascending order, padded as kubectl pads."""
        api.add(replica_set(10, "hello:3", **{"kubernetes.io/change-cause": "because"}))
        assert kubectl.history(api, *WEB).splitlines() == [
            "deployment.apps/web ",
            "REVISION  CHANGE-CAUSE",
            "1         <none>",
            "2         <none>",
            "10        because",
            "",
        ]
        assert list(kubectl.revisions(api, *WEB)) == [1, 2, 10]

    def test_an_unknown_revision_of_the_history_is_refused(self, api: Asked) -> None:
        """In other words than undo's."""
        text = refused(kubectl.history, api, *WEB, revision=7)
        assert text == "error: unable to find the specified revision"


class TestApply:
    """apply, create."""

    def manifest(self, **spec: Any) -> Object:
        return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}

    def test_what_is_not_there_is_created_with_its_own_text_as_annotation(self, api: Asked) -> None:
        """Compact, sorted, with a final newline."""
        assert kubectl.apply(api, self.manifest(replicas=1), "shop").text == "deployment.apps/web created"
        stored = api.objects["deployments", "web"]
        assert stored["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] == (
            '{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"annotations":{},"name":"web",'
            '"namespace":"shop"},"spec":{"replicas":1}}\n'
        )

    def test_the_same_again_is_unchanged_and_another_is_configured(self, api: Asked) -> None:
        """No request for the former."""
        kubectl.apply(api, self.manifest(replicas=1, paused=True), "shop")
        assert kubectl.apply(api, self.manifest(replicas=1, paused=True), "shop").text.endswith("unchanged")
        assert len(api.requests) == 1
        assert kubectl.apply(api, self.manifest(replicas=2), "shop").text.endswith("configured")
        assert api.requests[1][2]["spec"] == {"replicas": 2, "paused": None}

    @pytest.mark.usefixtures("web")
    def test_an_object_that_was_not_applied_before_is_warned_of(self, api: Asked) -> None:
        """And nothing of it is taken out."""
        outcome = kubectl.apply(api, self.manifest(replicas=4), "shop")
        assert outcome.warnings[0].startswith("Warning: resource deployments/web is missing the kubectl.")
        assert "spec" not in api.requests[0][2]

    def test_another_namespace_than_the_one_in_use_is_refused(self, api: Asked) -> None:
        """As with -n."""
        manifest = {**self.manifest(), "metadata": {"name": "web", "namespace": "other"}}
        assert 'namespace from the provided object "other" does not match' in refused(
            kubectl.apply, api, manifest, "shop"
        )

    def test_the_others_are_applied_when_one_is_refused(self, api: Asked) -> None:
        """The refusal comes last."""
        text = refused(kubectl.apply_all, api, [{"apiVersion": "v1"}, self.manifest()], "shop")
        assert text == "error: Object 'Kind' is missing in the manifest"
        assert ("deployments", "web") in api.objects

    def test_an_unknown_kind_is_no_refusal(self, api: Asked) -> None:
        """A cluster may serve it: whether it would refuse cannot be judged here."""
        with pytest.raises(CannotJudge, match="Widget"):
            kubectl.apply_all(api, [{"apiVersion": "acme.io/v1", "kind": "Widget"}], "shop")

    def test_a_refusal_of_the_server_is_passed_on_in_kubectls_words(self, api: Asked) -> None:
        """One cause in a line, several in bullets, else with what was being done (recorded: refusals)."""
        causes = [{"field": "spec.replicas", "message": "Invalid value: -1: no"}]
        details = {"name": "web", "kind": "Deployment", "causes": causes}
        api.refusal = ApiError(422, "Invalid", 'Deployment.apps "web" is invalid: …', details)
        head = 'The Deployment "web" is invalid: '
        assert (
            refused(kubectl.create, api, self.manifest(), "shop")
            == f"{head}spec.replicas: Invalid value: -1: no"
        )
        causes.append({"field": "spec.x", "message": "Required value"})
        assert refused(kubectl.create, api, self.manifest(), "shop") == (
            f"{head}\n* spec.replicas: Invalid value: -1: no\n* spec.x: Required value"
        )
        api.refusal = ApiError(409, "AlreadyExists", 'deployments.apps "web" already exists')
        assert refused(kubectl.create, api, self.manifest(), "shop") == (
            'Error from server (AlreadyExists): error when creating "STDIN": '
            'deployments.apps "web" already exists'
        )


class TestOthers:
    """expose, label, annotate, cordon, delete."""

    @pytest.mark.usefixtures("web")
    def test_expose_selects_the_pods_by_the_deployments_selector(self, api: Asked) -> None:
        """Its port is the container's when none is given; the target is the port."""
        assert kubectl.expose(api, *WEB, type="NodePort").text == "service/web exposed"
        assert api.requests[0][2]["spec"] == {
            "ports": [{"protocol": "TCP", "port": 8080, "targetPort": 8080}],
            "selector": {"app": "web"},
            "type": "NodePort",
        }

    def test_expose_without_a_port_or_of_a_node_is_refused(self, api: Asked) -> None:
        """The kind is looked at before anything is asked."""
        assert refused(kubectl.expose, api, "nodes", "n1", "") == "error: cannot expose a Node"
        template = {"spec": {"containers": [{"name": "app", "image": "x"}]}}
        api.add(deployment(template=template))
        assert "couldn't find port" in refused(kubectl.expose, api, *WEB)

    def test_a_label_that_is_taken_needs_overwrite(self, api: Asked) -> None:
        """A merge patch of the labels that change."""
        api.add({"kind": "Pod", "metadata": {"name": "p", "labels": {"app": "web"}}})
        pod = ("pods", "p", "shop")
        assert refused(kubectl.label, api, *pod, {"app": "x"}) == (
            "error: 'app' already has a value (web), and --overwrite is false"
        )
        assert kubectl.label(api, *pod, {"app": "x"}, overwrite=True).text == "pod/p labeled"
        assert kubectl.label(api, *pod, {"app": None}).text == "pod/p unlabeled"
        assert kubectl.label(api, *pod, {"app": "web"}).text == "pod/p not labeled"
        assert [body["metadata"]["labels"] for *_, body in api.requests] == [{"app": "x"}, {"app": None}]

    @pytest.mark.usefixtures("web")
    def test_an_annotation_that_is_taken_is_refused_in_other_words(self, api: Asked) -> None:
        """And set otherwise."""
        text = refused(kubectl.annotate, api, *WEB, {"note": "x"})
        assert text.endswith("found the following declared annotation(s): 'note' already has a value (mine)")
        assert kubectl.annotate(api, *WEB, {"other": "x"}).text == "deployment.apps/web annotated"

    def test_cordon_says_when_there_is_nothing_to_do(self, api: Asked) -> None:
        """Uncordoning takes the field out."""
        api.add({"kind": "Node", "metadata": {"name": "n1"}, "spec": {"unschedulable": True}})
        assert kubectl.cordon(api, "n1").text == "node/n1 already cordoned"
        assert kubectl.uncordon(api, "n1").text == "node/n1 uncordoned"
        assert api.requests == [("strategic", "nodes/n1", {"spec": {"unschedulable": None}})]

    def test_delete_sends_a_policy_and_turns_no_grace_into_one_second(self, api: Asked, web: Object) -> None:
        """Unless it is forced."""
        outcome = kubectl.delete(api, *WEB, grace_period=0)
        assert outcome.text == 'deployment.apps "web" deleted from shop namespace'
        assert api.requests[0][2] == {"propagation": "Background", "grace_period": 1}
        api.add(web)
        outcome = kubectl.delete(api, *WEB, force=True, cascade="orphan")
        assert outcome.text.startswith('deployment.apps "web" force deleted')
        assert outcome.warnings
        assert api.requests[1][2] == {"propagation": "Orphan", "grace_period": 0}

    def test_an_absent_object_is_not_found(self, api: Asked) -> None:
        """In the server's words."""
        assert refused(kubectl.delete, api, "pods", "absent", "shop") == (
            'Error from server (NotFound): pods "absent" not found'
        )
