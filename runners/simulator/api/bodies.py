"""What a request carries: an object of a resource's kind, or a patch of one.

staging/src/k8s.io/apiserver/pkg/endpoints/handlers/{create,patch}.go
"""

from __future__ import annotations

import json
import re
from typing import Any

from gherkube.runners.cluster import PatchType
from gherkube.runners.errors import ApiError
from gherkube.runners.objects import Object
from gherkube.runners.simulator.api import patches, schema
from gherkube.runners.simulator.api.custom import decode_custom
from gherkube.runners.simulator.api.refusals import bad_request, invalid_request, wrong
from gherkube.runners.simulator.api.resources import Resource
from gherkube.runners.simulator.api.schema import DecodingError

STRUCTS = ("metadata", "spec", "status")
"""Parts that are there, if empty, in every object whose kind has them: in Go they are no pointers."""
SCALE = Resource("scales", "autoscaling", "v1", "Scale")


def decode(info: Resource, sent: Any, unknown: list[str] | None) -> Object:
    """The object that was sent; unknown fields are refused, or added to `unknown` and left out."""
    try:
        return _decoded(info, sent, unknown)
    except DecodingError as error:
        said = f'{info.kind} in version "{info.version}" cannot be handled as a {info.kind}: {error}'
        raise bad_request(said) from None


def patched(
    info: Resource, stored: Object, patch: Any, type_: PatchType, unknown: list[str] | None
) -> Object:
    """The decoded object that the patch makes of the stored one; `unknown` as in `decode`."""
    if type_ == "strategic" and info.custom is not None:
        raise _unsupported()
    try:
        if type_ == "strategic":
            new = patches.strategic(stored, patch, info.kind)
        elif type_ == "merge":
            new = patches.merge(stored, patch)
        else:
            new = patches.json_patch(stored, patch)
    except (AttributeError, KeyError, TypeError, ValueError):  # a part of it is not what stands there
        raise bad_request("the patch is no patch of such an object") from None
    kept: Object = {}
    if "status" in stored and isinstance(new, dict) and new.get("status") is stored["status"]:
        kept = {"status": stored["status"]}  # nothing is said of it, so it need not be decoded
        new = {field: value for field, value in new.items() if field != "status"}
    try:
        return _decoded(info, new, unknown) | kept
    except DecodingError as error:
        if type_ == "strategic":
            sent, why = patches.go_map(patches.merged_away(patch)), _restored(str(error))
        else:
            sent, why = json.dumps(patch, separators=(",", ":")), str(error)
        raise invalid_request([wrong("patch", sent, why)]) from None


def _restored(why: str) -> str:
    """The decoder's words in those of apimachinery's converter, which reads strategic patches.

    staging/src/k8s.io/apimachinery/pkg/runtime/converter.go
    """
    found = re.search(r"cannot unmarshal (\S+) .*of type (\S+)", why)
    if found is None:
        return why
    given, wanted_type = found.groups()
    if wanted_type.startswith("map["):
        return f"cannot restore map from {given}"
    if wanted_type.startswith("[]"):
        return f"cannot restore slice from {given}"
    if "." in wanted_type:
        return f"cannot restore struct from: {given}"
    return f"unrecognized type: {wanted_type}"


def _decoded(info: Resource, sent: Any, unknown: list[str] | None) -> Object:
    if info.custom is not None:
        return decode_custom(info, sent, unknown)
    type_ = {"apiVersion": info.api_version, "kind": info.kind}
    decoded = {**type_, **schema.decode(info.kind, sent, unknown), **type_}
    fields = schema.fields_of(info.kind)
    for part in STRUCTS:
        if part in fields:
            decoded.setdefault(part, {})
    return decoded


def _unsupported() -> ApiError:
    """415: custom resources have no strategic merge. apiextensions-apiserver customresource_handler.go"""
    accepted = "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"
    said = f"the body of the request was in an unknown format - accepted media types include: {accepted}"
    return ApiError(415, "UnsupportedMediaType", said)
