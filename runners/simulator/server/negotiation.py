"""Which form an answer is wanted in, and what the body of a request says.

Answers are JSON or YAML; protobuf and CBOR are declined, as the lists of kubectl and client-go allow.
staging/src/k8s.io/apiserver/pkg/endpoints/handlers/negotiation
"""

from __future__ import annotations

import json
from itertools import chain
from math import inf, isinf
from typing import Any, NamedTuple, NoReturn

from gherkube.runners.errors import ApiError
from gherkube.runners.simulator.server import protobuf
from gherkube.runners.simulator.server.calls import JSON, YAML, Call

JSONS = frozenset({"", JSON})
YAMLS = frozenset({YAML, "application/x-yaml", "text/yaml", "application/apply-patch+yaml"})
PROTOBUF = "application/vnd.kubernetes.protobuf"
ACCEPTED = f"{JSON}, {YAML}"
FORMS = frozenset({"Table", "PartialObjectMetadata", "PartialObjectMetadataList"})
DEEPEST = 200
"""How deeply a body may be nested."""
LONGEST = 300_000
"""How many scalars, beginnings and ends of collections a YAML document may have."""
HEAVIEST = 8 * 1024 * 1024
"""How long a YAML document may be with its aliases written out: without them none of a body's size is."""


class Form(NamedTuple):
    """How an answer is wanted: its media type, and as what ("": as it is) of which version."""

    type: str = JSON
    what: str = ""
    version: str = "v1"


def wanted(accept: str, *, forms: frozenset[str] = FORMS) -> Form:
    """The first of the accepted forms that is spoken. ApiError NotAcceptable when none is."""
    for media, parameters in _by_preference(accept or "*/*"):
        type_ = JSON if media in ("*/*", "application/*", JSON) else YAML if media in YAMLS else ""
        what = parameters.get("as", "")
        if type_ and (not what or what in forms):
            return Form(type_, what, parameters.get("v", "v1"))
    raise not_acceptable()


def not_acceptable() -> ApiError:
    """406"""
    return ApiError(406, "NotAcceptable", f"only the following media types are accepted: {ACCEPTED}")


def _by_preference(accept: str) -> list[tuple[str, dict[str, str]]]:
    ranges = []
    for each in accept.split(","):
        media, *rest = (part.strip() for part in each.split(";"))
        parameters = {key.strip(): value.strip() for key, _, value in (part.partition("=") for part in rest)}
        ranges.append((media.lower(), parameters))
    return sorted(ranges, key=lambda each: -_quality(each[1].get("q", "1")))


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def content_type(call: Call) -> str:
    """The media type of the body, without its parameters."""
    return call.headers.get("content-type", "").split(";")[0].strip().lower()


def body_of(call: Call) -> Any:
    """What the body says, None when there is none. ApiError BadRequest, or UnsupportedMediaType."""
    if not call.body:
        return None
    type_ = content_type(call)
    if type_ in YAMLS:
        return _from_yaml(call.body)
    if type_ == PROTOBUF or call.body.startswith(protobuf.MAGIC):
        return _from_protobuf(call.body)
    if type_ in JSONS or type_.endswith("+json"):
        return _from_json(call.body)
    raise unsupported(f"{JSON}, {YAML}")


def unsupported(accepted: str) -> ApiError:
    """415"""
    said = f"the body of the request was in an unknown format - accepted media types include: {accepted}"
    return ApiError(415, "UnsupportedMediaType", said)


def _from_json(body: bytes) -> Any:
    try:
        value = json.loads(body, parse_constant=_no_number, parse_float=_float)
    except (ValueError, RecursionError) as error:
        raise _malformed("json", error) from None
    return _sound(value)


def _from_yaml(body: bytes) -> Any:
    import yaml

    try:
        _check_events(body)
        loader = _loader()(body)
        node = loader.get_single_node()
        if _weight(node, {}) > HEAVIEST:
            raise ValueError("document contains excessive aliasing")
        value = loader.construct_document(node) if node else None
        return _sound(json.loads(json.dumps(value, allow_nan=False, default=_as_text)))
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise _malformed("yaml", error) from None


def _loader() -> Any:
    import yaml

    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _check_events(body: bytes) -> None:
    """Refuses, before it is built, a document that would take the builder's stack or time: ValueError."""
    import yaml

    depth = 0
    for number, event in enumerate(yaml.parse(body, _loader())):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise ValueError("nested too deeply")
        if number > LONGEST:
            raise ValueError("the document is too long for YAML: send JSON")


def _weight(node: Any, known: dict[int, float]) -> float:
    """How long a YAML node is once all its aliases are written out; infinite when it holds itself."""
    if node is None or isinstance(node.value, str):
        return 1 + len(node.value if node else "")
    if id(node) not in known:
        known[id(node)] = inf
        inner = chain.from_iterable(node.value) if node.id == "mapping" else node.value
        known[id(node)] = 1 + sum(_weight(each, known) for each in inner)
    return known[id(node)]


def _from_protobuf(body: bytes) -> Any:
    try:
        return _sound(protobuf.decode(body))
    except protobuf.Malformed as error:
        raise _malformed("protobuf", error) from None


def _as_text(value: Any) -> str:
    """A date, which YAML knows and JSON does not. Bytes and sets are nothing for the API."""
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    raise TypeError(f"{type(value).__name__} cannot stand in an object")


def _sound(value: Any) -> Any:
    """The value without lone surrogates; refused when it is nested too deeply."""
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > DEEPEST:
            raise ApiError(400, "BadRequest", "the object provided is nested too deeply")
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.loads(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
    return value


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"invalid value {text}")


def _float(text: str) -> float:
    number = float(text)
    if isinf(number):
        raise ValueError(f"cannot unmarshal number {text[:40]} into Go value of type float64")
    return number


def _malformed(what: str, error: Exception) -> ApiError:
    if isinstance(error, json.JSONDecodeError) and not error.doc[error.pos :].strip():
        return ApiError(400, "BadRequest", "unexpected end of JSON input")
    first = str(error).splitlines()[0] if str(error) else "nested too deeply"
    return ApiError(
        400, "BadRequest", f"the object provided is unrecognized (must be of type ...): {what}: {first}"
    )
