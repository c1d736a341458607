"""Lists: whole or in chunks, of now or of an earlier moment.

A continue token names a moment and where in it the next chunk begins; what was there then is worked out
from the log of changes. Moments older than the window are gone, as after etcd's compaction.
staging/src/k8s.io/apiserver/pkg/storage/etcd3/store.go GetList, pkg/storage/continue.go
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping

from gherkube.runners.errors import ApiError
from gherkube.runners.objects import Key, Object, key_of
from gherkube.runners.simulator.api.reads import selector
from gherkube.runners.simulator.api.refusals import bad_request
from gherkube.runners.simulator.api.resources import Resource
from gherkube.runners.simulator.api.server import ApiServer
from gherkube.runners.simulator.server.options import check_listing, not_a_number
from gherkube.runners.simulator.store import Store

TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new "
    "list without the continue parameter."
)
LARGEST = (1 << 63) - 1


def listing(
    api: ApiServer, resource: Resource, namespace: str, query: Mapping[str, str], window: int
) -> Object:
    """The list that is asked for; `window` is how many changes back a list may look."""
    labels, fields = query.get("labelSelector", ""), query.get("fieldSelector", "")
    limit = number(query.get("limit", ""))
    start, version = Key("", ""), _asked_version(api, query, window)
    if query.get("continue"):
        if query.get("resourceVersion", "0") not in ("", "0"):
            raise bad_request("specifying resource version is not allowed when using continue")
        version, start = _read_token(query["continue"])
        if version < api.store.version - window:
            raise ApiError(410, "Expired", TOO_OLD)
    if version >= api.store.version:
        version = api.store.version
        found = api.list(resource.name, namespace, labels=labels, fields=fields)
    else:
        test = selector(resource.name, namespace, labels, fields)
        past = state_at(api.store, resource.name, version)
        found = sorted((obj for obj in past.values() if test(obj)), key=key_of)
    if start != ("", ""):
        found = [obj for obj in found if key_of(obj) >= start]
    metadata: Object = {"resourceVersion": str(version)}
    if limit and len(found) > limit:
        metadata["continue"] = _write_token(version, key_of(found[limit]))
        if not labels and not fields:
            metadata["remainingItemCount"] = len(found) - limit
        found = found[:limit]
    return {
        "kind": f"{resource.kind}List",
        "apiVersion": resource.api_version,
        "metadata": metadata,
        "items": found,
    }


def state_at(store: Store, resource: str, version: int) -> dict[Key, Object]:
    """The objects of a resource as they were at that version."""
    state = {key_of(obj): obj for obj in store.all(resource)}
    undone: set[Key] = set()
    for change in store.log.since(version):
        if change.resource != resource:
            continue
        key = change.key
        if key not in undone:
            undone.add(key)
            if change.old is None:
                state.pop(key, None)
            else:
                state[key] = change.old
    return state


def number(text: str) -> int:
    """A number of the query; 0 when it is not there. ApiError BadRequest."""
    if not text:
        return 0
    if not text.isascii() or not text.lstrip("-").isdigit() or len(text) > 19 or abs(int(text)) > LARGEST:
        raise not_a_number(text)
    return max(int(text), 0)


def check_version(api: ApiServer, text: str) -> int:
    """A resourceVersion as a number. ApiError BadRequest, or Timeout when it is still to come."""
    if text in ("", "0"):
        return 0
    if not text.isascii() or not text.isdigit() or len(text) > 19:
        why = f'strconv.ParseUint: parsing "{text[:40]}": invalid syntax'
        raise bad_request(f'invalid resource version: resourceVersion: Invalid value: "{text[:40]}": {why}')
    if int(text) > api.store.version:
        said = f"Timeout: Too large resource version: {text}, current: {api.store.version}"
        causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
        raise ApiError(504, "Timeout", said, {"causes": causes, "retryAfterSeconds": 1})
    return int(text)


def _asked_version(api: ApiServer, query: Mapping[str, str], window: int) -> int:
    """Of which moment the list shall be."""
    text, match = query.get("resourceVersion", ""), query.get("resourceVersionMatch", "")
    asked = check_version(api, text)
    if not query.get("watch"):
        check_listing(query)
    exact = match == "Exact" or (bool(query.get("limit")) and not match)
    if not exact or not asked:
        return api.store.version
    if asked < api.store.version - window:
        raise ApiError(410, "Expired", "The resourceVersion for the provided list is too old.")
    return asked


def _write_token(version: int, start: Key) -> str:
    said = json.dumps({"v": "meta.k8s.io/v1", "rv": version, "start": "/".join(start)}, separators=(",", ":"))
    return urlsafe_b64encode(said.encode()).decode().rstrip("=")


def _read_token(token: str) -> tuple[int, Key]:
    try:
        said = json.loads(urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        namespace, _, name = said["start"].partition("/")
        version = said["rv"]
        if type(version) is not int or version < 0:
            raise ValueError
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise bad_request("continue key is not valid: it is no token of this server") from None
    return version, Key(namespace, name)
