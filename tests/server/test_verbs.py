"""The verbs of REST over HTTP, and the Status of every refusal."""

from __future__ import annotations

import pytest

from tests.server.loopback import CONFIGMAPS, DEPLOYMENTS, PODS, Loopback, deployment

NO_PATH = "the server could not find the requested resource"


def test_an_object_is_created_read_replaced_patched_and_deleted(http: Loopback) -> None:
    """Each verb answers with the object as it is stored then, and its code."""
    created = http.ask("POST", CONFIGMAPS, {"metadata": {"name": "a"}, "data": {"k": "1"}})
    assert (created.code, created.json["kind"], created.json["data"]) == (201, "ConfigMap", {"k": "1"})
    assert http.get(f"{CONFIGMAPS}/a").json == created.json
    replaced = http.ask("PUT", f"{CONFIGMAPS}/a", {**created.json, "data": {"k": "2"}})
    assert (replaced.code, replaced.json["data"]) == (200, {"k": "2"})
    patched = http.ask(
        "PATCH", f"{CONFIGMAPS}/a", {"data": {"l": "3"}}, content_type="application/merge-patch+json"
    )
    assert patched.json["data"] == {"k": "2", "l": "3"}
    deleted = http.ask("DELETE", f"{CONFIGMAPS}/a")
    assert (deleted.code, deleted.json["status"]) == (200, "Success")
    assert http.get(f"{CONFIGMAPS}/a").json["message"] == 'configmaps "a" not found'


def test_a_stale_version_is_a_conflict(http: Loopback) -> None:
    """An update of what has changed since it was read is refused with 409."""
    first = http.make("a")
    http.ask("PUT", f"{CONFIGMAPS}/a", {**first, "data": {"k": "1"}})
    refused = http.ask("PUT", f"{CONFIGMAPS}/a", {**first, "data": {"k": "2"}})
    assert (refused.code, refused.json["reason"]) == (409, "Conflict")


@pytest.mark.parametrize(
    ("content_type", "patch"),
    [
        ("application/strategic-merge-patch+json", {"spec": {"replicas": 5}}),
        ("application/merge-patch+json", {"spec": {"replicas": 5}}),
        ("application/json-patch+json", [{"op": "replace", "path": "/spec/replicas", "value": 5}]),
    ],
)
def test_three_kinds_of_patches_are_taken(http: Loopback, content_type: str, patch: object) -> None:
    """The Content-Type says which."""
    http.ask("POST", DEPLOYMENTS, deployment())
    patched = http.ask("PATCH", f"{DEPLOYMENTS}/web", patch, content_type=content_type)
    assert patched.json["spec"]["replicas"] == 5


def test_server_side_apply_creates_and_then_changes(http: Loopback) -> None:
    """201 when there was nothing, 200 from then on; a manager has to be named."""
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "1"}}
    path, yaml = f"{CONFIGMAPS}/a?fieldManager=me", "application/apply-patch+yaml"
    assert http.ask("PATCH", path, body, content_type=yaml).code == 201
    changed = http.ask("PATCH", path, {**body, "data": {"l": "2"}}, content_type=yaml)
    assert (changed.code, changed.json["data"]) == (200, {"l": "2"})
    assert http.ask("PATCH", f"{CONFIGMAPS}/a", body, content_type=yaml).code == 422


def test_the_scale_is_read_and_written(http: Loopback) -> None:
    """As kubectl scale does: a merge patch of the subresource."""
    http.ask("POST", DEPLOYMENTS, deployment(replicas=2))
    scale = f"{DEPLOYMENTS}/web/scale"
    assert http.get(scale).json["spec"] == {"replicas": 2}
    http.ask("PATCH", scale, {"spec": {"replicas": 4}}, content_type="application/merge-patch+json")
    assert http.get(f"{DEPLOYMENTS}/web").json["spec"]["replicas"] == 4


def test_a_dry_run_stores_nothing(http: Loopback) -> None:
    """The answer is as without; nothing is there afterwards. Any other value than All is refused."""
    dry = http.ask("POST", f"{CONFIGMAPS}?dryRun=All", {"metadata": {"name": "a"}})
    assert (dry.code, dry.json["metadata"]["name"]) == (201, "a")
    assert http.get(f"{CONFIGMAPS}/a").code == 404
    assert http.ask("POST", f"{CONFIGMAPS}?dryRun=Some", {"metadata": {"name": "a"}}).code == 422


def test_unknown_fields_are_refused_told_or_dropped(http: Loopback) -> None:
    """As fieldValidation says: Strict, Warn (also when nothing is said), Ignore."""

    def post(name: str, option: str) -> tuple[int, list[str]]:
        answer = http.ask("POST", f"{CONFIGMAPS}{option}", {"metadata": {"name": name}, "datax": {}})
        return answer.code, answer.warnings

    assert post("a", "?fieldValidation=Strict") == (400, [])
    assert post("b", "?fieldValidation=Warn") == (201, ['unknown field \\"datax\\"'])
    assert post("c", "") == (201, ['unknown field \\"datax\\"'])
    assert post("d", "?fieldValidation=Ignore") == (201, [])
    assert post("e", "?fieldValidation=Sometimes") == (422, [])


def test_what_nothing_acts_on_is_kept_with_a_warning(http: Loopback) -> None:
    """A NetworkPolicy is stored and served; the client is told that it does nothing."""
    path = "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies"
    made = http.ask("POST", path, {"metadata": {"name": "a"}, "spec": {"podSelector": {}}})
    assert made.code == 201
    assert made.warnings == ["NetworkPolicy is kept, nothing acts on it in the simulator"]
    assert [each["metadata"]["name"] for each in http.get(path).json["items"]] == ["a"]


@pytest.mark.parametrize(
    ("query", "warned"), [("", True), ("?propagationPolicy=Orphan", False), ("?orphanDependents=true", False)]
)
def test_who_deletes_a_job_is_told_that_its_pods_stay(http: Loopback, query: str, warned: bool) -> None:
    """Unless it was said what is to become of them."""
    jobs = "/apis/batch/v1/namespaces/default/jobs"
    pods = {"restartPolicy": "Never", "containers": [{"name": "app", "image": "hello:1"}]}
    for name, path in (("a", f"{jobs}/a{query}"), ("b", f"{jobs}{query}")):
        made = http.ask("POST", jobs, {"metadata": {"name": name}, "spec": {"template": {"spec": pods}}})
        assert made.code == 201
        told = http.ask("DELETE", path).warnings
        assert [each.startswith("child pods are preserved") for each in told] == [True] * warned


def test_a_collection_is_deleted_as_far_as_selected(http: Loopback) -> None:
    """DELETE on a list takes selectors."""
    http.make("a")
    http.ask("POST", CONFIGMAPS, {"metadata": {"name": "b", "labels": {"x": "y"}}})
    gone = http.ask("DELETE", f"{CONFIGMAPS}?labelSelector=x%3Dy")
    assert [each["metadata"]["name"] for each in gone.json["items"]] == ["b"]
    assert http.get(f"{CONFIGMAPS}/a").code == 200


@pytest.mark.parametrize(
    ("options", "finalizers"),
    [
        ({"orphanDependents": True}, ["orphan", "x/y"]),
        ({"orphanDependents": False}, ["x/y"]),
    ],
)
def test_orphan_dependents_is_the_older_name_of_a_policy(
    http: Loopback, options: dict[str, object], finalizers: list[str]
) -> None:
    """true is Orphan, false Background."""
    http.ask("POST", CONFIGMAPS, {"metadata": {"name": "a", "finalizers": ["x/y"]}})
    http.ask("DELETE", f"{CONFIGMAPS}/a", options)
    assert sorted(http.get(f"{CONFIGMAPS}/a").json["metadata"]["finalizers"]) == finalizers


@pytest.mark.parametrize(
    ("method", "path", "body", "code", "reason"),
    [
        ("GET", "/api/v1/namespaces/default/nothing", None, 404, "NotFound"),
        ("GET", "/apis/apps/v2/deployments", None, 404, "NotFound"),
        ("GET", "/api/v1/namespaces//pods", None, 404, "NotFound"),
        ("GET", "/api/v1/namespaces/default/pods/..%2f..%2fx", None, 404, "NotFound"),
        ("GET", "/api/v1/namespaces/default/pods/%ff", None, 404, "NotFound"),
        ("GET", "/api/v1/namespaces/default/nodes", None, 404, "NotFound"),
        ("PUT", CONFIGMAPS, {}, 405, "MethodNotAllowed"),
        ("POST", "/version", {}, 405, "MethodNotAllowed"),
        ("POST", CONFIGMAPS, b"{", 400, "BadRequest"),
        ("POST", CONFIGMAPS, b"[" * 5000, 400, "BadRequest"),
        ("POST", CONFIGMAPS, b'{"metadata": {"name": "a"}, "data": {"k": 1e400}}', 400, "BadRequest"),
        ("POST", CONFIGMAPS, b'{"metadata": NaN}', 400, "BadRequest"),
        ("POST", CONFIGMAPS, b"\xff\xfe", 400, "BadRequest"),
        ("POST", CONFIGMAPS, [], 400, "BadRequest"),
        ("POST", CONFIGMAPS, {"metadata": []}, 400, "BadRequest"),
        ("POST", CONFIGMAPS, {"kind": "Pod"}, 400, "BadRequest"),
        ("POST", CONFIGMAPS, {"kind": ["Pod"], "apiVersion": {"v": 1}}, 400, "BadRequest"),
        ("GET", f"{PODS}?limit=9999999999999999999999", None, 400, "BadRequest"),
        ("GET", f"{PODS}?resourceVersion=x", None, 400, "BadRequest"),
        ("GET", f"{PODS}?resourceVersion=99999", None, 504, "Timeout"),
        ("GET", f"{PODS}?continue=%00%ff", None, 400, "BadRequest"),
        ("GET", f"{PODS}?fieldSelector=spec.x%3D1", None, 400, "BadRequest"),
        ("GET", f"{PODS}?labelSelector=((", None, 400, "BadRequest"),
        ("DELETE", f"{CONFIGMAPS}/absent", None, 404, "NotFound"),
        ("DELETE", f"{CONFIGMAPS}/a", {"propagationPolicy": "Sideways"}, 422, "Invalid"),
        ("DELETE", f"{CONFIGMAPS}/a", {"gracePeriodSeconds": 1e30}, 400, "BadRequest"),
        (
            "DELETE",
            f"{CONFIGMAPS}/a",
            {"propagationPolicy": "Orphan", "orphanDependents": True},
            422,
            "Invalid",
        ),
    ],
)
def test_every_refusal_is_a_status(
    http: Loopback, method: str, path: str, body: object, code: int, reason: str
) -> None:
    """Unknown paths, methods, malformed bodies and options are refused in one form; nothing is stored."""
    before = http.cluster.store.version
    refused = http.ask(method, path, body)
    assert (refused.code, refused.json["kind"], refused.json["reason"]) == (code, "Status", reason)
    assert http.cluster.store.version == before


def test_a_lone_surrogate_is_replaced(http: Loopback) -> None:
    """JSON can spell half a character; what is stored can always be written again."""
    body = b'{"metadata": {"name": "a"}, "data": {"k": "\\ud800"}}'
    assert http.ask("POST", CONFIGMAPS, body).code == 201
    assert http.get(f"{CONFIGMAPS}/a").json["data"]["k"] in ("\ufffd", "\ufffd\ufffd")


def test_yaml_is_taken_and_given(http: Loopback) -> None:
    """As its content type, and for who accepts it."""
    body = b"metadata: {name: a}\ndata: {k: v}\n"
    assert http.ask("POST", CONFIGMAPS, body, content_type="application/yaml").code == 201
    assert b"k: v" in http.get(f"{CONFIGMAPS}/a", accept="application/yaml").body


def test_media_types_that_are_not_spoken_are_declined(http: Loopback) -> None:
    """415 for a body, 406 when nothing is accepted that is spoken; protobuf falls back to JSON."""
    assert http.ask("POST", CONFIGMAPS, b"<a/>", content_type="text/xml").code == 415
    assert http.ask("PATCH", f"{CONFIGMAPS}/a", {}, content_type="text/plain").code == 415
    assert http.get(CONFIGMAPS, accept="application/vnd.kubernetes.protobuf").code == 406
    both = http.get(CONFIGMAPS, accept="application/vnd.kubernetes.protobuf,application/json")
    assert both.headers["Content-Type"] == "application/json"


def test_metadata_alone_is_given_to_whoever_wants_no_more(http: Loopback) -> None:
    """PartialObjectMetadata, as metadata informers ask for it."""
    http.make("a", data={"k": "v"})
    form = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
    listed = http.get(CONFIGMAPS, accept=form).json
    assert listed["kind"] == "PartialObjectMetadataList"
    assert listed["items"][0].keys() == {"kind", "apiVersion", "metadata"}


def test_events_are_served_in_both_groups(http: Loopback) -> None:
    """What is created in events.k8s.io is read in the core group under its other names, and back."""
    event = {
        "metadata": {"name": "e"},
        "regarding": {"kind": "Pod", "namespace": "default", "name": "p"},
        "note": "so it is",
        "reason": "Told",
        "action": "Tell",
        "type": "Normal",
        "eventTime": "2025-01-01T00:00:00.000000Z",
        "reportingController": "me",
        "reportingInstance": "me-1",
    }
    path = "/apis/events.k8s.io/v1/namespaces/default/events"
    assert http.ask("POST", path, event).code == 201
    core = http.get("/api/v1/namespaces/default/events/e").json
    assert (core["message"], core["involvedObject"]["name"]) == ("so it is", "p")
    assert http.get(f"{path}/e").json["note"] == "so it is"


def test_an_eviction_deletes_its_pod(http: Loopback) -> None:
    """As kubectl drain asks for it."""
    http.ask("POST", DEPLOYMENTS, deployment(replicas=1))
    http.advance("10s")
    name = http.get(PODS).json["items"][0]["metadata"]["name"]
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
    assert http.ask("POST", f"{PODS}/{name}/eviction", eviction).code == 201
    http.advance("40s")
    assert http.get(f"{PODS}/{name}").code == 404


def test_an_autoscaler_is_said_in_both_versions(http: Loopback) -> None:
    """autoscaling/v1 knows of the CPU only; it is stored as autoscaling/v2."""
    old, new = (
        f"/apis/autoscaling/{version}/namespaces/default/horizontalpodautoscalers" for version in ("v1", "v2")
    )
    spec = {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "maxReplicas": 5}
    made = http.ask(
        "POST", old, {"metadata": {"name": "web"}, "spec": {**spec, "targetCPUUtilizationPercentage": 60}}
    )
    assert (made.code, made.json["apiVersion"], made.json["spec"]["minReplicas"]) == (
        201,
        "autoscaling/v1",
        1,
    )
    assert http.ask("POST", new, {"metadata": {"name": "web"}, "spec": spec}).code == 409
    (metric,) = http.get(f"{new}/web").json["spec"]["metrics"]
    assert metric["resource"]["target"] == {"type": "Utilization", "averageUtilization": 60}
    (listed,) = http.get(old).json["items"]
    assert (listed["spec"]["targetCPUUtilizationPercentage"], "metrics" in listed["spec"]) == (60, False)
    patch = {"spec": {"targetCPUUtilizationPercentage": 70}}
    type_ = "application/merge-patch+json"
    assert (
        http.ask("PATCH", f"{old}/web", patch, content_type=type_).json["spec"][
            "targetCPUUtilizationPercentage"
        ]
        == 70
    )


def test_the_finalizers_of_a_namespace_are_replaced(http: Loopback) -> None:
    """By its finalize subresource: added and taken off."""
    namespace = http.ask("POST", "/api/v1/namespaces", {"metadata": {"name": "n"}}).json
    for finalizers in (["kubernetes", "x.example/y"], ["kubernetes"]):
        namespace["spec"]["finalizers"] = finalizers
        namespace = http.ask("PUT", "/api/v1/namespaces/n/finalize", namespace).json
        assert namespace["spec"]["finalizers"] == finalizers


def test_what_is_not_stored_has_no_table(http: Loopback) -> None:
    """406, as the API server answers who asks for a review as a table."""
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    assert (
        http.ask("POST", path, {"spec": {}}, accept="application/json;as=Table;v=v1;g=meta.k8s.io").code
        == 406
    )
