"""Who one is, and what one may do: everything; whom one pretends to be may nothing, for nobody else is there.

pkg/registry/authentication/selfsubjectreview, pkg/registry/authorization
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from gherkube.runners.errors import ApiError
from gherkube.runners.objects import Object
from gherkube.runners.simulator.clock import timestamp
from gherkube.runners.simulator.server.paths import Target

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
NOBODYS: dict[str, Object] = {
    "selfsubjectreviews": {"userInfo": {"groups": ["system:authenticated"]}},
    "selfsubjectaccessreviews": {"allowed": False},
    "selfsubjectrulesreviews": {"incomplete": False, "resourceRules": [], "nonResourceRules": []},
}
"""The same for somebody who is pretended: roles are kept, and nothing acts on them."""
MASTERS = "system:masters"
VERBS = {
    ("GET", True): "get",
    ("HEAD", True): "get",
    ("GET", False): "list",
    ("HEAD", False): "list",
    ("POST", True): "create",
    ("POST", False): "create",
    ("PUT", True): "update",
    ("PUT", False): "update",
    ("PATCH", True): "patch",
    ("PATCH", False): "patch",
    ("DELETE", True): "delete",
    ("DELETE", False): "deletecollection",
}
TOKEN_LASTS = 3600


def reviewed(resource: str, review: Object, pretended: str = "") -> Object:
    """The review with what comes of it; `pretended`: see there."""
    status = REVIEWS[resource]
    if pretended and resource in NOBODYS:
        status = NOBODYS[resource]
        if "userInfo" in status:
            status = {"userInfo": {"username": pretended, **status["userInfo"]}}
    return {**review, "status": status}


def pretended(headers: Mapping[str, str]) -> str:
    """As whom one asks that one is not (`kubectl --as`), unless with all rights; "" when as oneself."""
    user = headers.get("impersonate-user", "")
    masters = headers.get("impersonate-group") == MASTERS
    return "" if masters or user == USER["username"] else user


def check(user: str, target: Target, *, method: str, watches: bool) -> None:
    """ApiError Forbidden when somebody is pretended. apiserver/pkg/endpoints/handlers/responsewriters"""
    if not user:
        return
    verb = "watch" if watches else VERBS[method, bool(target.name)]
    what = f"{target.resource}.{target.group}" if target.group else target.resource
    resource = "/".join(filter(None, (target.resource, target.subresource)))
    where = f'in the namespace "{target.namespace}"' if target.namespace else "at the cluster scope"
    said = f'User "{user}" cannot {verb} resource "{resource}" in API group "{target.group}" {where}'
    named = f'{what} "{target.name}"' if target.name else what
    details = {"name": target.name, "group": target.group, "kind": target.resource}
    kept = {key: value for key, value in details.items() if value}
    raise ApiError(403, "Forbidden", f"{named} is forbidden: {said}", kept)


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
