"""The options of requests: what a query or a body asks beside the object, and what is wrong with it.

staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/validation, …/meta/internalversion/validation
"""

from __future__ import annotations

from typing import Any, cast

from gherkube.runners.errors import ApiError
from gherkube.runners.objects import Object
from gherkube.runners.simulator.api.refusals import (
    FieldError,
    bad_request,
    forbidden_field,
    invalid_kind,
    unsupported,
    wrong,
)
from gherkube.runners.simulator.api.server import FieldValidation
from gherkube.runners.simulator.server.calls import TRUE, Call
from gherkube.runners.simulator.server.negotiation import body_of

GROUP = "meta.k8s.io"
KINDS = {"POST": "CreateOptions", "PUT": "UpdateOptions", "PATCH": "PatchOptions", "DELETE": "DeleteOptions"}
"""By method."""
VALIDATIONS = ("", "Ignore", "Strict", "Warn")
POLICIES = ("Foreground", "Background", "Orphan")
MATCHES = ("Exact", "NotOlderThan", "")


def refused(kind: str, *errors: FieldError) -> ApiError:
    """422: the options of that kind are not valid."""
    return invalid_kind(f"{kind}.{GROUP}", GROUP, kind, "", errors)


def not_a_number(text: str) -> ApiError:
    """400, as Go says it of an integer."""
    return bad_request(f'strconv.ParseInt: parsing "{text[:40]}": invalid syntax')


def check_writing(call: Call, *, applies: bool = False) -> None:
    """What every writing request may ask. ApiError Invalid."""
    kind, dry_run = KINDS.get(call.method, ""), call.query.get("dryRun")
    if dry_run not in (None, "", "All"):
        raise refused(kind, unsupported("dryRun", [dry_run], ("All",)))
    if call.method == "PATCH" and "force" in call.query and not applies:
        raise refused(kind, forbidden_field("force", "may not be specified for non-apply patch"))


def validation(call: Call) -> FieldValidation:
    """What becomes of unknown fields. ApiError Invalid."""
    given = call.query.get("fieldValidation", "")
    if given not in VALIDATIONS:
        raise refused(KINDS[call.method], unsupported("fieldValidation", given, VALIDATIONS))
    return cast("FieldValidation", given or "Warn")


def check_listing(query: Any) -> None:
    """What a list may ask of versions. ApiError Invalid. ValidateListOptions"""
    version, match = query.get("resourceVersion", ""), query.get("resourceVersionMatch", "")
    field = "resourceVersionMatch"
    if match and not version:
        said = "resourceVersionMatch is forbidden unless resourceVersion is provided"
        raise refused("ListOptions", forbidden_field(field, said))
    if match not in MATCHES:
        raise refused("ListOptions", unsupported(field, match, MATCHES))
    if match == "Exact" and version == "0":
        said = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
        raise refused("ListOptions", forbidden_field(field, said))
    if "sendInitialEvents" in query:
        said = "sendInitialEvents is forbidden for list"
        raise refused("ListOptions", forbidden_field("sendInitialEvents", said))


def check_watching(query: Any) -> None:
    """What a watch may ask of versions. ApiError Invalid. ValidateListOptions"""
    match, said = query.get("resourceVersionMatch", ""), ""
    if "sendInitialEvents" in query and match != "NotOlderThan":
        said = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
    elif match and "sendInitialEvents" not in query:
        said = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
    if said:
        raise refused("ListOptions", forbidden_field("resourceVersionMatch", said))


def deleting(call: Call) -> Object:
    """The DeleteOptions of the body, or those of the query. ApiError BadRequest, or Invalid."""
    from_query = ("propagationPolicy", "gracePeriodSeconds", "dryRun", "orphanDependents")
    options: Object = {name: call.query[name] for name in from_query if call.query.get(name)}
    body = body_of(call) or {}
    if not isinstance(body, dict):
        raise bad_request("the body of the request has to be DeleteOptions")
    options |= {key: value for key, value in body.items() if value is not None}
    orphan = options.pop("orphanDependents", None)  # what propagationPolicy was called before
    if orphan is not None:
        if (policy := options.get("propagationPolicy")) is not None:
            said = "orphanDependents and deletionPropagation cannot be both set"
            raise refused("DeleteOptions", wrong("propagationPolicy", policy, said))
        options["propagationPolicy"] = "Orphan" if orphan in (True, *TRUE) else "Background"
    return check_deleting(options)


def check_deleting(options: Any) -> Object:
    """DeleteOptions whose values are of their types. ApiError BadRequest, or Invalid."""
    if not isinstance(options, dict):
        raise bad_request("deleteOptions has to be an object")
    grace, policy = options.get("gracePeriodSeconds"), options.get("propagationPolicy")
    if isinstance(grace, str):
        if not grace.lstrip("-").isdigit() or len(grace) > 18:
            raise not_a_number(grace)
        options["gracePeriodSeconds"] = grace = int(grace)
    if grace is not None and (type(grace) is not int or not -(1 << 62) < grace < 1 << 31):
        raise bad_request(f"invalid gracePeriodSeconds: {grace!r}")
    if policy is not None and policy not in POLICIES:
        raise refused("DeleteOptions", unsupported("propagationPolicy", policy, (*POLICIES, "nil")))
    if not isinstance(options.get("preconditions") or {}, dict):
        raise bad_request("preconditions has to be an object")
    return options
