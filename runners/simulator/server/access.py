"""Who one is, and what one may do: everything, for nobody else is there.

pkg/registry/authentication/selfsubjectreview, pkg/registry/authorization
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from gherkube.runners.objects import Object
from gherkube.runners.simulator.clock import timestamp

USER: Object = {
    "username": "kubernetes-admin",
    "groups": ["kubeadm:cluster-admins", "system:authenticated"],
}
ALL: Object = {
    "incomplete": False,
    "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
    "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
}
REVIEWS: dict[str, Object] = {
    "selfsubjectreviews": {"userInfo": USER},
    "selfsubjectaccessreviews": {"allowed": True},
    "selfsubjectrulesreviews": ALL,
    "subjectaccessreviews": {"allowed": True},
    "localsubjectaccessreviews": {"allowed": True},
    "tokenreviews": {"authenticated": False, "error": "the simulator keeps no tokens of service accounts"},
}
"""By resource: the status of each review."""
TOKEN_LASTS = 3600


def reviewed(resource: str, review: Object) -> Object:
    """The review with what comes of it."""
    return {**review, "status": REVIEWS[resource]}


def token_of(account: Object, request: Object, now: float) -> Object:
    """A TokenRequest with a token for the service account: it looks like one, and opens nothing."""
    spec: dict[str, Any] = {"audiences": ["https://kubernetes.default.svc"], "expirationSeconds": TOKEN_LASTS}
    spec |= {key: value for key, value in (request.get("spec") or {}).items() if value}
    metadata = account["metadata"]
    said = f"{metadata['uid']}/{now}/{sorted(spec.items())}"
    token = ".".join(
        sha256(f"{part}/{said}".encode()).hexdigest() for part in ("header", "claims", "signature")
    )
    return {
        "kind": "TokenRequest",
        "apiVersion": "authentication.k8s.io/v1",
        "metadata": {"name": metadata["name"], "namespace": metadata["namespace"]},
        "spec": spec,
        "status": {"token": token, "expirationTimestamp": timestamp(now + int(spec["expirationSeconds"]))},
    }
