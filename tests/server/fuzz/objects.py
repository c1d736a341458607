"""Objects to begin from: valid ones of what is acted on, and ones made from the served schemas."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.server.fuzz.values import HOSTILE, NAMES, seldom

LABELS = {"app": "web"}
CONTAINER = {
    "name": "app",
    "image": "hello:1",
    "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
    "env": [
        {"name": "A", "value": "b"},
        {"name": "C", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
    ],
    "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"cpu": "1"}},
    "readinessProbe": {"httpGet": {"path": "/", "port": "http"}, "periodSeconds": 2},
    "livenessProbe": {"tcpSocket": {"port": 8080}},
    "lifecycle": {"preStop": {"exec": {"command": ["sleep", "1"]}}},
    "volumeMounts": [{"name": "data", "mountPath": "/data"}],
}
POD: dict[str, Any] = {
    "containers": [CONTAINER],
    "initContainers": [{"name": "init", "image": "hello:1", "restartPolicy": "Always"}],
    "volumes": [{"name": "data", "emptyDir": {"sizeLimit": "1Gi"}}],
    "tolerations": [{"key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5}],
    "nodeSelector": {"kubernetes.io/os": "linux"},
    "affinity": {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [{"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]}]
            }
        },
        "podAntiAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": [
                {"labelSelector": {"matchLabels": LABELS}, "topologyKey": "kubernetes.io/hostname"}
            ]
        },
    },
    "topologySpreadConstraints": [
        {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule"}
    ],
    "terminationGracePeriodSeconds": 3,
    "priorityClassName": "system-cluster-critical",
}
TEMPLATE = {"metadata": {"labels": LABELS}, "spec": POD}
SMALL = {"metadata": {"labels": LABELS}, "spec": {"containers": [{"name": "app", "image": "hello:1"}]}}
SELECTOR = {"matchLabels": LABELS, "matchExpressions": [{"key": "app", "operator": "In", "values": ["web"]}]}
CLAIM = {
    "metadata": {"name": "data"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}
STRATEGY = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 1}}
SCHEMA = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "required": ["size"],
            "properties": {
                "size": {"type": "integer", "minimum": 0, "maximum": 10, "default": 1},
                "name": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 20},
                "any": {"x-kubernetes-preserve-unknown-fields": True, "type": "object"},
                "port": {"x-kubernetes-int-or-string": True},
                "parts": {
                    "type": "array",
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["name"],
                    "items": {"type": "object", "properties": {"name": {"type": "string"}}},
                },
            },
        },
        "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    },
}
VERSION = {
    "name": "v1",
    "served": True,
    "storage": True,
    "schema": {"openAPIV3Schema": SCHEMA},
    "subresources": {
        "status": {},
        "scale": {"specReplicasPath": ".spec.size", "statusReplicasPath": ".status.size"},
    },
    "additionalPrinterColumns": [{"name": "Size", "type": "integer", "jsonPath": ".spec.size"}],
}


def definition(plural: str) -> dict[str, Any]:
    """A CustomResourceDefinition."""
    names = {
        "plural": plural,
        "singular": plural[:-1],
        "kind": plural[:-1].title(),
        "shortNames": ["x" + plural],
    }
    return {
        "metadata": {"name": f"{plural}.fuzz.example"},
        "spec": {"group": "fuzz.example", "scope": "Namespaced", "names": names, "versions": [VERSION]},
    }


SEEDS: dict[str, dict[str, Any]] = {
    "pods": {"spec": POD},
    "deployments": {
        "spec": {
            "replicas": 2,
            "selector": SELECTOR,
            "template": TEMPLATE,
            "strategy": STRATEGY,
            "minReadySeconds": 1,
        }
    },
    "replicasets": {"spec": {"replicas": 1, "selector": SELECTOR, "template": SMALL}},
    "statefulsets": {
        "spec": {
            "replicas": 1,
            "serviceName": "web",
            "selector": SELECTOR,
            "template": SMALL,
            "volumeClaimTemplates": [CLAIM],
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}},
        }
    },
    "daemonsets": {"spec": {"selector": SELECTOR, "template": SMALL}},
    "jobs": {
        "spec": {
            "completions": 2,
            "parallelism": 1,
            "backoffLimit": 1,
            "template": {"spec": {**SMALL["spec"], "restartPolicy": "Never"}},
        }
    },
    "cronjobs": {
        "spec": {
            "schedule": "*/5 * * * *",
            "jobTemplate": {"spec": {"template": {"spec": {**SMALL["spec"], "restartPolicy": "Never"}}}},
        }
    },
    "services": {
        "spec": {
            "selector": LABELS,
            "ports": [{"name": "http", "port": 80, "targetPort": "http", "nodePort": 30080}],
        }
    },
    "configmaps": {"data": {"a": "b"}, "binaryData": {"c": "ZA=="}, "immutable": False},
    "secrets": {"type": "Opaque", "data": {"a": "Yg=="}, "stringData": {"c": "d"}},
    "resourcequotas": {"spec": {"hard": {"pods": "100", "requests.cpu": "50"}}},
    "limitranges": {"spec": {"limits": [{"type": "Container", "default": {"cpu": "1"}}]}},
    "poddisruptionbudgets": {"spec": {"minAvailable": "50%", "selector": SELECTOR}},
    "horizontalpodautoscalers": {
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "minReplicas": 1,
            "maxReplicas": 3,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}},
                }
            ],
        }
    },
    "persistentvolumeclaims": {"spec": CLAIM["spec"]},
    "endpointslices": {
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": True}}],
        "ports": [{"name": "http", "port": 80}],
    },
    "events": {
        "involvedObject": {"kind": "Pod", "name": "web", "namespace": "fuzz"},
        "reason": "Fuzzed",
        "message": "m",
        "type": "Normal",
        "count": 1,
        "firstTimestamp": "2025-01-01T00:00:00Z",
    },
    "leases": {"spec": {"holderIdentity": "a", "renewTime": "2025-01-01T00:00:00.000000Z"}},
    "ingresses": {"spec": {"rules": [{"host": "a.example"}]}},
    "networkpolicies": {"spec": {"podSelector": SELECTOR, "policyTypes": ["Ingress"]}},
    "roles": {"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]},
    "nodes": {"spec": {"unschedulable": True, "taints": [{"key": "a", "effect": "NoSchedule"}]}},
    "priorityclasses": {"value": 10, "description": "d"},
    "storageclasses": {"provisioner": "none.example", "volumeBindingMode": "WaitForFirstConsumer"},
    "customresourcedefinitions": definition("things"),
    "things": {"spec": {"size": 1, "name": "abc", "any": {"a": [1]}, "parts": [{"name": "a"}]}},
}
"""Without kind, apiVersion and name."""
METADATA = {
    "labels": LABELS,
    "annotations": {"a": "b"},
    "ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": "no-such-uid"}],
    "finalizers": ["fuzz.example/wait"],
    "generateName": "web-",
    "managedFields": [
        {
            "manager": "m",
            "operation": "Apply",
            "apiVersion": "v1",
            "time": "2025-01-01T00:00:00Z",
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:metadata": {"f:labels": {".": {}, "f:app": {}}}},
        }
    ],
    "resourceVersion": "1",
    "uid": "00000000-0000-0000-0000-000000000000",
    "creationTimestamp": "2025-01-01T00:00:00Z",
    "deletionTimestamp": "2025-01-01T00:00:00Z",
    "deletionGracePeriodSeconds": 5,
    "generation": 3,
    "selfLink": "/",
}


class Schemas:
    """Makes objects from the definitions of an OpenAPI v2 document."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._definitions: dict[str, Any] = document["definitions"]
        self._by_kind = {
            each["kind"]: name
            for name, found in self._definitions.items()
            for each in found.get("x-kubernetes-group-version-kind", ())
        }

    def made(self, draw: st.DrawFn, kind: str) -> Any:
        """An object of that kind: mostly of the right types, seldom of sense."""
        name = self._by_kind.get(kind)
        return self._value(draw, self._definitions[name], 0) if name else {}

    def _value(self, draw: st.DrawFn, schema: dict[str, Any], depth: int) -> Any:
        if seldom(draw, 20):
            return draw(HOSTILE)
        if "$ref" in schema:
            schema = self._definitions.get(schema["$ref"].rpartition("/")[2], {})
        if depth < 7 and "properties" in schema:
            chosen = set(draw(st.lists(st.sampled_from(sorted(schema["properties"])), max_size=4)))
            chosen |= set(schema.get("required", ()))
            return {each: self._value(draw, schema["properties"][each], depth + 1) for each in sorted(chosen)}
        match schema.get("type"):
            case "array":
                return [self._value(draw, schema["items"], depth + 1) for _ in range(draw(st.integers(0, 2)))]
            case "object" if isinstance(schema.get("additionalProperties"), dict):
                return {"a": self._value(draw, schema["additionalProperties"], depth + 1)}
            case "integer" | "number":
                return draw(st.sampled_from((0, 1, 2, 80, 8080, -1)))
            case "boolean":
                return draw(st.booleans())
            case "string":
                return draw(st.sampled_from((*NAMES, "1", "50%", "100m", "2025-01-01T00:00:00Z", "")))
        return draw(HOSTILE)
