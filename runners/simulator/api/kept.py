"""The kinds that the simulator does not act on, as an API server keeps them for those who need them."""

from __future__ import annotations

from collections.abc import Iterator

from gherkube.runners.simulator.api import schema
from gherkube.runners.simulator.api.resources import Resource

NETWORKING = "networking.k8s.io"
RBAC, STORAGE, ADMISSION = "rbac.authorization.k8s.io", "storage.k8s.io", "admissionregistration.k8s.io"

KEPT = (
    Resource(
        "horizontalpodautoscalers", "autoscaling", "v2", "HorizontalPodAutoscaler", True, ("hpa",), True
    ),
    Resource("replicationcontrollers", "", "v1", "ReplicationController", True, ("rc",), True, True),
    Resource("podtemplates", "", "v1", "PodTemplate", has_generation=True),
    Resource("storageclasses", STORAGE, "v1", "StorageClass", False, ("sc",)),
    Resource("volumeattachments", STORAGE, "v1", "VolumeAttachment", False, (), True),
    Resource("csidrivers", STORAGE, "v1", "CSIDriver", False),
    Resource("csinodes", STORAGE, "v1", "CSINode", False),
    Resource("ingresses", NETWORKING, "v1", "Ingress", True, ("ing",), True, True, {"loadBalancer": {}}),
    Resource("ingressclasses", NETWORKING, "v1", "IngressClass", False, (), False, True),
    Resource("networkpolicies", NETWORKING, "v1", "NetworkPolicy", True, ("netpol",), False, True),
    Resource("roles", RBAC, "v1", "Role"),
    Resource("rolebindings", RBAC, "v1", "RoleBinding"),
    Resource("clusterroles", RBAC, "v1", "ClusterRole", False),
    Resource("clusterrolebindings", RBAC, "v1", "ClusterRoleBinding", False),
    Resource("runtimeclasses", "node.k8s.io", "v1", "RuntimeClass", False),
    Resource(
        "certificatesigningrequests",
        "certificates.k8s.io",
        "v1",
        "CertificateSigningRequest",
        False,
        ("csr",),
        True,
    ),
    Resource(
        "mutatingwebhookconfigurations",
        ADMISSION,
        "v1",
        "MutatingWebhookConfiguration",
        False,
        (),
        False,
        True,
    ),
    Resource(
        "validatingwebhookconfigurations",
        ADMISSION,
        "v1",
        "ValidatingWebhookConfiguration",
        False,
        (),
        False,
        True,
    ),
    Resource(
        "customresourcedefinitions",
        "apiextensions.k8s.io",
        "v1",
        "CustomResourceDefinition",
        False,
        ("crd", "crds"),
        True,
        True,
    ),
)
"""pkg/printers/internalversion, each kind's registry: strategy.go and storage.go"""


ACTED_ON = frozenset({"replicationcontrollers", "horizontalpodautoscalers"})
"""Kinds that something does act on where they are kept."""


def kept_resources() -> Iterator[Resource]:
    """All of them; from now on their objects can be decoded."""
    schema.keep_more()
    return iter(KEPT)
