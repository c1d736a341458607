"""What is wrong with an object is said in the API server's order and words."""

from __future__ import annotations

from typing import Any

import pytest

from gherkube.runners.objects import PREFERRED, REQUIRED
from gherkube.runners.simulator.api.server import ApiServer
from gherkube.runners.simulator.clock import Chance, Clock
from gherkube.runners.simulator.store import Store
from tests.simulator.api.workshop import Json, container, deployment, message, pod, refusal, server, service

NOT_NEGATIVE = "must be greater than or equal to 0"
NAME_PART = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', "
    "regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start "
    "and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', "
    "regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)


def rolling(**numbers: Any) -> Json:
    return deployment(strategy={"type": "RollingUpdate", "rollingUpdate": numbers})


def with_container(**fields: Any) -> Json:
    return deployment(pod={"containers": [container(**fields)]})


DEPLOYMENTS: list[tuple[Json, str]] = [
    (deployment(minReadySeconds=-1), f"spec.minReadySeconds: Invalid value: -1: {NOT_NEGATIVE}"),
    (deployment(revisionHistoryLimit=-1), f"spec.revisionHistoryLimit: Invalid value: -1: {NOT_NEGATIVE}"),
    (
        deployment(minReadySeconds=10, progressDeadlineSeconds=10),
        "spec.progressDeadlineSeconds: Invalid value: 10: must be greater than minReadySeconds",
    ),
    (
        deployment(selector=None),
        (
            "[spec.selector: Required value, spec.template.metadata.labels: Invalid value: "
            '{"app":"web"}: `selector` does not match template `labels`]'
        ),
    ),
    (
        deployment(selector={}),
        "spec.selector: Invalid value: {}: empty selector is invalid for deployment",
    ),
    (
        rolling(maxSurge=0, maxUnavailable="0%"),
        'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0',
    ),
    (
        rolling(maxUnavailable="101%"),
        'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%',
    ),
    (
        rolling(maxSurge="half"),
        (
            'spec.strategy.rollingUpdate.maxSurge: Invalid value: "half": a valid percent string must be a '
            "numeric string followed by an ending '%' (e.g. '1%',  or '93%', "
            "regex used for validation is '[0-9]+%')"
        ),
    ),
    (rolling(maxSurge=-1), f"spec.strategy.rollingUpdate.maxSurge: Invalid value: -1: {NOT_NEGATIVE}"),
    (
        deployment(strategy={"type": "Recreate", "rollingUpdate": {}}),
        "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
    ),
    (
        deployment(strategy={"type": "BlueGreen"}),
        (
            'spec.strategy: Unsupported value: {"Type":"BlueGreen","RollingUpdate":null}: '
            'supported values: "Recreate", "RollingUpdate"'
        ),
    ),
    (
        deployment(pod={"restartPolicy": "Never"}),
        'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
    ),
    (
        deployment(pod={"activeDeadlineSeconds": 5}),
        (
            "spec.template.spec.activeDeadlineSeconds: Forbidden: "
            "activeDeadlineSeconds in ReplicaSet is not Supported"
        ),
    ),
    (
        with_container(env=[{"name": "A", "valueFrom": {}}]),
        (
            'spec.template.spec.containers[0].env[0].valueFrom: Invalid value: "": must specify one of: '
            "`fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"
        ),
    ),
    (with_container(image=""), "spec.template.spec.containers[0].image: Required value"),
    (with_container(name=""), "spec.template.spec.containers[0].name: Required value"),
    (
        with_container(name="My_App"),
        f'spec.template.spec.containers[0].name: Invalid value: "My_App": {LABEL}',
    ),
    (
        deployment(pod={"containers": [container(), container()]}),
        'spec.template.spec.containers[1].name: Duplicate value: "app"',
    ),
    (
        with_container(ports=[{"containerPort": 70000}]),
        (
            "spec.template.spec.containers[0].ports[0].containerPort: Invalid value: 70000: "
            "must be between 1 and 65535, inclusive"
        ),
    ),
    (
        with_container(imagePullPolicy="Sometimes"),
        (
            'spec.template.spec.containers[0].imagePullPolicy: Unsupported value: "Sometimes": '
            'supported values: "Always", "IfNotPresent", "Never"'
        ),
    ),
    (
        with_container(readinessProbe={"periodSeconds": 1}),
        "spec.template.spec.containers[0].readinessProbe: Required value: must specify a handler type",
    ),
    (
        with_container(livenessProbe={"tcpSocket": {"port": 80}, "successThreshold": 2}),
        "spec.template.spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1",
    ),
    (
        with_container(resources={"requests": {"cpu": 2}, "limits": {"cpu": "500m"}}),
        (
            'spec.template.spec.containers[0].resources.requests: Invalid value: "2": '
            "must be less than or equal to cpu limit of 500m"
        ),
    ),
    (
        with_container(volumeMounts=[{"name": "v", "mountPath": "/v"}]),
        'spec.template.spec.containers[0].volumeMounts[0].name: Not found: "v"',
    ),
    (
        with_container(lifecycle={"preStop": {"sleep": {"seconds": 60}}}),
        (
            "spec.template.spec.containers[0].lifecycle.preStop.sleep: Invalid value: 60: "
            "must be non-negative and less than terminationGracePeriodSeconds (30)"
        ),
    ),
    (
        deployment(
            pod={"initContainers": [container(name="init", startupProbe={"exec": {"command": ["x"]}})]}
        ),
        (
            "spec.template.spec.initContainers[0].startupProbe: Forbidden: "
            "may not be set for init containers without restartPolicy=Always"
        ),
    ),
    (
        deployment(pod={"tolerations": [{"operator": "Exists", "tolerationSeconds": 5}]}),
        (
            'spec.template.spec.tolerations[0].effect: Invalid value: "": '
            "effect must be 'NoExecute' when `tolerationSeconds` is set"
        ),
    ),
    (
        deployment(selector={"matchExpressions": [{"key": "app", "operator": "In"}]}),
        (
            "[spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is "
            "'In' or 'NotIn', spec.selector: Invalid value: "
            '{"matchExpressions":[{"key":"app","operator":"In"}]}: invalid label selector]'
        ),
    ),
]


@pytest.mark.parametrize(("obj", "said"), DEPLOYMENTS)
def test_a_wrong_deployment_is_refused(obj: Json, said: str) -> None:
    """Each rule of the Deployment's and the pod template's validation, in its words."""
    assert message(server().create, obj) == f'Deployment.apps "web" is invalid: {said}'


def test_an_error_tells_code_reason_and_causes() -> None:
    """The Status of an invalid object names its kind and each cause."""
    error = refusal(server().create, deployment(replicas=-1))
    assert (error.code, error.reason) == (422, "Invalid")
    assert error.details == {
        "name": "web",
        "group": "apps",
        "kind": "Deployment",
        "causes": [
            {
                "reason": "FieldValueInvalid",
                "message": f"Invalid value: -1: {NOT_NEGATIVE}",
                "field": "spec.replicas",
            }
        ],
    }


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ({"-bad": "x"}, f'metadata.labels: Invalid value: "-bad": {NAME_PART}'),
        (
            {"/bad": "x"},
            'metadata.labels: Invalid value: "/bad": prefix part must be non-empty',
        ),
        (
            {"app": "not good"},
            (
                'metadata.labels: Invalid value: "not good": a valid label must be an empty string '
                "or consist of alphanumeric characters, '-', '_' or '.', "
                "and must start and end with an alphanumeric character "
                "(e.g. 'MyValue',  or 'my_value',  or '12345', "
                "regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
            ),
        ),
        (
            {"app": "x" * 64},
            f'metadata.labels: Invalid value: "{"x" * 64}": must be no more than 63 characters',
        ),
    ],
)
def test_wrong_labels_are_refused(labels: dict[str, str], said: str) -> None:
    """Keys and values of labels follow the rules of RFC 1123."""
    obj = {**deployment(), "metadata": {"name": "web", "labels": labels}}
    assert message(server().create, obj) == f'Deployment.apps "web" is invalid: {said}'


def test_a_name_is_needed() -> None:
    """An object has a name or a base to make one of."""
    obj = {**deployment(), "metadata": {}}
    said = "metadata.name: Required value: name or generateName is required"
    assert message(server().create, obj) == f'Deployment.apps "" is invalid: {said}'


@pytest.mark.parametrize(
    ("obj", "said"),
    [
        (service(ports=[]), "spec.ports: Required value"),
        (
            service(ports=[{"port": 80}, {"port": 81, "name": "b"}]),
            "spec.ports[0].name: Required value",
        ),
        (
            service(ports=[{"port": 80, "nodePort": 30100}]),
            "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
        ),
        (
            service(type="Magic"),
            (
                'spec.type: Unsupported value: "Magic": '
                'supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"'
            ),
        ),
        (
            service(ports=[{"port": 0}]),
            (
                "[spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive, "
                "spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive]"
            ),
        ),
    ],
)
def test_a_wrong_service_is_refused(obj: Json, said: str) -> None:
    """Each rule of the Service's validation, in its words."""
    assert message(server().create, obj) == f'Service "web" is invalid: {said}'


def test_a_service_is_called_by_a_dns_label_that_begins_with_a_letter() -> None:
    """Services have the strictest names."""
    said = message(server().create, service(name="1web"))
    assert said.startswith(
        'Service "1web" is invalid: metadata.name: Invalid value: "1web": a DNS-1035 label'
    )


def test_a_selector_cannot_change() -> None:
    """The selector of a workload is immutable; the new one is shown."""
    api = server()
    api.create(deployment())
    new = {"matchLabels": {"app": "other"}}
    patch = {"spec": {"selector": new, "template": {"metadata": {"labels": {"app": "other"}}}}}
    assert message(api.patch, "deployments", "web", patch, type="merge") == (
        'Deployment.apps "web" is invalid: spec.selector: Invalid value: '
        '{"matchLabels":{"app":"other"}}: field is immutable'
    )


def test_of_a_pod_little_but_the_image_can_change() -> None:
    """An update of a pod may change images and labels, not the rest of its spec."""
    api = server()
    api.create(pod())
    image = {"spec": {"containers": [{"name": "app", "image": "hello:2"}]}}
    changed = api.patch("pods", "p", image)
    assert changed["spec"]["containers"][0]["image"] == "hello:2"
    assert "pod updates may not change fields other than" in message(
        api.patch, "pods", "p", {"spec": {"hostname": "x"}}
    )
    more = {"spec": {"containers": [container(name="more")]}}
    assert message(api.patch, "pods", "p", more) == (
        'Pod "p" is invalid: spec.containers: Forbidden: pod updates may not add or remove containers'
    )


@pytest.mark.parametrize("kind", ["ConfigMap", "Secret"])
def test_what_is_immutable_stays_as_it_is(kind: str) -> None:
    """Its data do not change, and it does not become mutable; its labels may change."""
    api = server()
    data = {"a": "Yg=="}
    api.create({"apiVersion": "v1", "kind": kind, "metadata": {"name": "c"}, "data": data, "immutable": True})
    resource = f"{kind.lower()}s"
    said = "Forbidden: field is immutable when `immutable` is set"
    head = f'{kind} "c" is invalid: '
    assert message(api.patch, resource, "c", {"data": {"a": "Yw=="}}) == f"{head}data: {said}"
    assert message(api.patch, resource, "c", {"immutable": False}) == f"{head}immutable: {said}"
    api.patch(resource, "c", {"metadata": {"labels": {"a": "b"}}})


def test_a_pod_needs_its_service_account() -> None:
    """The default one is there; another has to be created first."""
    api = server()
    api.create(pod(serviceAccountName="default"))
    said = message(api.create, pod("builder", serviceAccountName="ci"))
    assert said.startswith('pods "builder" is forbidden: error looking up service account default/ci: ')
    assert said.endswith('serviceaccount "ci" not found')
    api.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "ci"}})
    api.create(pod("builder", serviceAccountName="ci"))


def test_a_pod_needs_the_classes_that_it_names() -> None:
    """Recorded of a real cluster; the class gives the pod its priority."""
    api = ApiServer(Store(Clock()), Chance(0), keeps=True)
    assert message(api.create, pod(priorityClassName="high")).endswith(
        'pods "p" is forbidden: no PriorityClass with name high was found'
    )
    assert message(api.create, pod(runtimeClassName="safe")).endswith(
        'pods "p" is forbidden: pod rejected: RuntimeClass "safe" not found'
    )
    kind = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass"}
    api.create({**kind, "metadata": {"name": "high"}, "value": 7})
    assert api.create(pod(priorityClassName="high"))["spec"]["priority"] == 7


def test_an_owner_is_named_in_full_and_only_one_controls() -> None:
    """Recorded of a real cluster."""
    api = server()
    one = {"apiVersion": "apps/v1", "controller": True, "kind": "ReplicaSet", "name": "a", "uid": "1"}
    two = {**one, "name": "b"}

    def refused(*references: Json) -> str:
        owned = pod()
        owned["metadata"]["ownerReferences"] = list(references)
        return message(api.create, owned).partition("metadata.ownerReferences")[2]

    assert refused({**one, "uid": ""}) == '.uid: Invalid value: "": must not be empty'
    assert refused(one, two) == (
        ': Invalid value: [{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"a","uid":"1",'
        '"controller":true},{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"b","uid":"1",'
        '"controller":true}]: Only one reference can have Controller set to true. '
        'Found "true" in references for ReplicaSet/a and ReplicaSet/b'
    )


def test_what_is_being_deleted_gets_no_new_finalizers() -> None:
    """Recorded of a real cluster; those that are there may go."""
    api = server()
    held = deployment()
    held["metadata"]["finalizers"] = ["example.com/a", "example.com/b"]
    api.create(held)
    api.delete("deployments", "web", "default")
    more = {"metadata": {"finalizers": ["example.com/c"]}}
    assert message(api.patch, "deployments", "web", more).endswith(
        "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, "
        'found new finalizers []string{"example.com/c"}'
    )
    less = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["example.com/a"]}}
    assert api.patch("deployments", "web", less)["metadata"]["finalizers"] == ["example.com/b"]


def test_odd_pod_templates_are_refused_as_recorded() -> None:
    """In the words of a real cluster; the field is that within the template's spec."""
    api = server()
    anti = "affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution"
    node = "affinity.nodeAffinity"
    of_path = "error converting fieldPath: field label not supported: spec.nope"
    spread = {"maxSkew": 0, "topologyKey": "h", "whenUnsatisfiable": "DoNotSchedule"}
    for spec, said in (
        (
            {"dnsPolicy": "None"},
            "dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None",
        ),
        (
            {"volumes": [{"name": "v", "configMap": {"name": "x"}, "emptyDir": {}}]},
            "volumes[0].configMap: Forbidden: may not specify more than 1 volume type",
        ),
        (
            {"volumes": [{"name": "v", "configMap": {}}]},
            "volumes[0].configMap.name: Required value",
        ),
        (
            {"volumes": [{"name": "v", "hostPath": {"path": ""}}]},
            "volumes[0].hostPath.path: Required value",
        ),
        (
            {"tolerations": [{"key": "a", "operator": "Exists", "value": "b"}]},
            "tolerations[0].operator: Invalid value: \"b\": value must be empty when `operator` is 'Exists'",
        ),
        (
            {"containers": [container(env=[{"name": "A", "valueFrom": _field_ref("spec.nope")}])]},
            f'containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.nope": {of_path}',
        ),
        (
            {"containers": [container(envFrom=[{}])]},
            ('containers[0].envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`'),
        ),
        (
            {"containers": [container(resources={"requests": {"example.com/gpu": "1"}})]},
            (
                "containers[0].resources.limits: Required value: Limit must be set for non "
                "overcommitable resources"
            ),
        ),
        (
            {"containers": [container(securityContext={"runAsUser": -1})]},
            (
                "containers[0].securityContext.runAsUser: Invalid value: -1: must be between 0 and "
                "2147483647, inclusive"
            ),
        ),
        (
            {"shareProcessNamespace": True, "hostPID": True},
            (
                "securityContext.shareProcessNamespace: Invalid value: true: ShareProcessNamespace and "
                "HostPID cannot both be enabled"
            ),
        ),
        (
            {"topologySpreadConstraints": [spread]},
            "topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero",
        ),
        (
            {"affinity": {"podAntiAffinity": {anti.rpartition(".")[2]: [{"topologyKey": ""}]}}},
            f"{anti}[0].topologyKey: Required value: can not be empty",
        ),
        (
            {"affinity": {"nodeAffinity": {anti.rpartition(".")[2]: {"nodeSelectorTerms": []}}}},
            (
                f"{node}.{anti.rpartition('.')[2]}.nodeSelectorTerms: Required value: must have at least "
                "one node selector term"
            ),
        ),
    ):
        assert f"spec.template.spec.{said}" in message(api.create, deployment(pod=spec))


@pytest.mark.parametrize(
    ("term", "said"),
    [
        ({"operator": "Gt", "values": ["a"]}, 'operator: Invalid value: "Gt": not a valid selector operator'),
        (
            {"operator": "In", "values": ["a", "b"]},
            (
                "values: Required value: must be only one value when `operator` is 'In' or 'NotIn' for node "
                "field selector"
            ),
        ),
        (
            {"key": "metadata.uid", "operator": "In", "values": ["a"]},
            'key: Invalid value: "metadata.uid": not a valid field selector key',
        ),
        ({"operator": "In", "values": ["A!"]}, 'values[0]: Invalid value: "A!": a lowercase RFC 1123'),
    ],
)
def test_the_field_of_a_node_that_can_be_asked_for_is_its_name(term: Json, said: str) -> None:
    """In a required term and in a preferred one. ValidateNodeFieldSelectorRequirement"""
    for affinity, at in _node_terms({"key": "metadata.name", **term}):
        refused = message(server().create, deployment(pod={"affinity": {"nodeAffinity": affinity}}))
        assert f"spec.template.spec.affinity.nodeAffinity.{at}.matchFields[0].{said}" in refused


def test_nodes_can_be_asked_for_by_name() -> None:
    for affinity, _ in _node_terms({"key": "metadata.name", "operator": "NotIn", "values": ["worker-1"]}):
        assert server().create(deployment(pod={"affinity": {"nodeAffinity": affinity}}))


def _node_terms(field: Json) -> list[tuple[Json, str]]:
    """Node affinities with that field asked for, each with the path of its term."""
    fields = {"matchFields": [field]}
    return [
        ({REQUIRED: {"nodeSelectorTerms": [fields]}}, f"{REQUIRED}.nodeSelectorTerms[0]"),
        ({PREFERRED: [{"weight": 1, "preference": fields}]}, f"{PREFERRED}[0].preference"),
    ]


def _field_ref(path: str) -> Json:
    return {"fieldRef": {"fieldPath": path}}


def test_a_simple_resource_is_one_that_containers_have() -> None:
    """Both errors are told of one that is nowhere known, one of what only quotas count."""
    for name, count in (("gpu", 2), ("pods", 1), ("cpu", 0)):
        spec = {"containers": [container(resources={"requests": {name: "-1"}})]}
        said = message(server().create, deployment(pod=spec))
        assert said.count("must be a standard resource") == count


def test_what_a_gate_would_let_in_is_dropped() -> None:
    """Restart policies of containers that are no sidecars. Recorded of a real cluster."""
    spec = {
        "containers": [container(restartPolicy="Always")],
        "initContainers": [container(name="i", restartPolicy="Never")],
    }
    stored = server().create(deployment(pod=spec))["spec"]["template"]["spec"]
    assert "restartPolicy" not in {*stored["containers"][0], *stored["initContainers"][0]}
