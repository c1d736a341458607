"""What the API server says when it refuses a request.

staging/src/k8s.io/apimachinery/pkg/api/errors/errors.go, pkg/util/validation/field/errors.go
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from gherkube.runners.errors import ApiError
from gherkube.runners.objects import Object
from gherkube.runners.simulator.api.resources import Resource

STALE = "the object has been modified; please apply your changes to the latest version and try again"

IMMUTABLE = "field is immutable"


class FieldError(NamedTuple):
    """One thing that is wrong with an object; its text is `<field>: <type>[: <value>][: <detail>]`."""

    field: str
    type: str
    detail: str
    value: str = ""

    @property
    def body(self) -> str:
        """The text without the field."""
        return ": ".join(part for part in (self.type, self.value, self.detail) if part)

    @property
    def text(self) -> str:
        """The whole text."""
        return f"{self.field}: {self.body}"


REASONS = {
    "Required value": "FieldValueRequired",
    "Invalid value": "FieldValueInvalid",
    "Unsupported value": "FieldValueNotSupported",
    "Forbidden": "FieldValueForbidden",
    "Duplicate value": "FieldValueDuplicate",
    "Not found": "FieldValueNotFound",
    "Too long": "FieldValueTooLong",
    "Too many": "FieldValueTooMany",
}


def required(field: str, detail: str = "") -> FieldError:
    """A field that has to be there and is not."""
    return FieldError(field, "Required value", detail)


def wrong(field: str, value: Any, detail: str) -> FieldError:
    """A value that the field may not have."""
    return FieldError(field, "Invalid value", detail, render(value))


def forbidden_field(field: str, detail: str) -> FieldError:
    """A field that may not be there."""
    return FieldError(field, "Forbidden", detail)


def duplicate(field: str, value: Any) -> FieldError:
    """A value that stands there twice."""
    return FieldError(field, "Duplicate value", "", render(value))


def unsupported(field: str, value: Any, supported: Iterable[str]) -> FieldError:
    """A value that is none of those that the field may have, which are said in their order."""
    allowed = ", ".join(f'"{each}"' for each in supported)
    return FieldError(field, "Unsupported value", f"supported values: {allowed}", render(value))


def too_long(field: str, limit: int) -> FieldError:
    """A text that is longer than it may be."""
    return FieldError(field, "Too long", f"may not be more than {limit} bytes")


def render(value: Any) -> str:
    """A value as a message shows it: numbers plain, texts quoted, all else as JSON (since 1.34)."""
    return json.dumps(_in_order(value), separators=(",", ":"), ensure_ascii=False)


def _in_order(value: Any) -> Any:
    """With maps of texts in the order of their keys, as Go writes them; structs keep theirs."""
    if isinstance(value, list):
        return [_in_order(each) for each in value]
    if not isinstance(value, dict):
        return value
    is_map = all(isinstance(each, str) for each in value.values())
    return {key: _in_order(value[key]) for key in (sorted(value) if is_map else value)}


def invalid(resource: Resource, name: str, errors: Iterable[FieldError]) -> ApiError:
    """422: the object is not valid; of errors with the same text one is kept."""
    return invalid_kind(resource.qualified_kind, resource.group, resource.kind, name, errors)


def invalid_request(errors: Iterable[FieldError]) -> ApiError:
    """422 without an object: what is wrong is the patch."""
    return invalid_kind("", "", "", "", errors)


def invalid_kind(qualified: str, group: str, kind: str, name: str, errors: Iterable[FieldError]) -> ApiError:
    """422 for an object of any kind."""
    kept = list({error.text: error for error in errors}.values())
    texts = [error.text for error in kept]
    said = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    causes = [{"reason": REASONS[e.type], "message": e.body, "field": e.field} for e in kept]
    details = {"name": name, "group": group, "kind": kind, "causes": causes}
    return ApiError(422, "Invalid", f'{qualified} "{name}" is invalid: {said}', _without_empty(details))


def not_found(resource: Resource, name: str) -> ApiError:
    """404."""
    return ApiError(404, "NotFound", f'{resource.qualified} "{name}" not found', details(resource, name))


def already_exists(resource: Resource, name: str) -> ApiError:
    """409: the name is taken."""
    message = f'{resource.qualified} "{name}" already exists'
    return ApiError(409, "AlreadyExists", message, details(resource, name))


def conflict(resource: Resource, name: str, why: str = STALE, subresource: str = "") -> ApiError:
    """409: by default, the object has changed since it was read."""
    what = f"{resource.name}/{subresource}" if subresource else resource.qualified
    message = f'Operation cannot be fulfilled on {what} "{name}": {why}'
    return ApiError(409, "Conflict", message, details(resource, name))


def not_as_asked(resource: Resource, name: str, why: str) -> ApiError:
    """409: the object is not the one that is to be deleted. Others name the resource, this the kind."""
    message = f'Operation cannot be fulfilled on {resource.qualified_kind} "{name}": {why}'
    kind = _without_empty({"name": name, "group": resource.group, "kind": resource.kind})
    return ApiError(409, "Conflict", message, kind)


def forbidden(resource: Resource, name: str, why: str, causes: list[Object] | None = None) -> ApiError:
    """403: admission refuses."""
    said = {**details(resource, name), "causes": causes} if causes else details(resource, name)
    return ApiError(403, "Forbidden", f'{resource.qualified} "{name}" is forbidden: {why}', said)


def no_such_path() -> ApiError:
    """404: nothing is served there."""
    return ApiError(404, "NotFound", "the server could not find the requested resource")


def bad_request(message: str) -> ApiError:
    """400."""
    return ApiError(400, "BadRequest", message)


def details(resource: Resource, name: str) -> Object:
    """The `details` of a Status about an object."""
    return _without_empty({"name": name, "group": resource.group, "kind": resource.name})


def _without_empty(entries: Object) -> Object:
    return {key: value for key, value in entries.items() if value}
