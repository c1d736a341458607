"""Asks an API server what it says of odd objects and odd patches, and writes it down.

python -m tests.simulator.api.record [KUBECONFIG]

`odd_objects.ndjson` holds an object a line, `odd_patches.ndjson` an object and a patch of it; beside them
stands what an API server says of them: its refusal, its warnings, or of a patch what came of it. Nothing
stays on the server but the objects that are patched. Kubernetes 1.34.4 said what stands there now.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes
from kubernetes.client import ApiClient

from gherkube.runners.kubectl.kinds import kind_of

HERE = Path(__file__).parent
OBJECTS, PATCHES = HERE / "odd_objects.ndjson", HERE / "odd_patches.ndjson"
TYPES = {
    "strategic": "application/strategic-merge-patch+json",
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
}
DRY = "&dryRun=All"
WARNING = re.compile(r'299 - "((?:[^"\\]|\\.)*)"')


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of a file."""
    return map(json.loads, path.read_text().splitlines())


def told(said: Any) -> Any:
    """What was said, as it is of every object: without its uid."""
    return json.loads(re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UID", json.dumps(said)))


def what_it_says(obj: dict[str, Any]) -> list[Any]:
    """What an object says, without what the server draws or stamps."""
    text = re.sub(r"kube-api-access-\w{5}", "kube-api-access", json.dumps(obj))
    text = re.sub(r'"10\.96\.\d+\.\d+"', '"ADDRESS"', text)
    kept = json.loads(re.sub(r"\b3[012]\d{3}\b", '"PORT"', text))
    metadata = {field: kept["metadata"].get(field) for field in ("labels", "annotations", "finalizers")}
    return [
        metadata,
        {k: v for k, v in kept.items() if k not in ("apiVersion", "kind", "metadata", "status")},
    ]


def main(kubeconfig: str | None = None) -> None:
    """Records both files."""
    client = kubernetes.config.new_client_from_config(kubeconfig)
    for path, ask in ((OBJECTS, _of_object), (PATCHES, _of_patch)):
        recorded = [{**line, "said": ask(client, line)} for line in lines(path)]
        path.write_text("".join(json.dumps(line, sort_keys=True) + "\n" for line in recorded))


def _of_object(client: ApiClient, line: dict[str, Any]) -> Any:
    return _ask(client, "POST", _path(line["object"]), line["object"], "application/json", DRY)[0]


def _of_patch(client: ApiClient, line: dict[str, Any]) -> Any:
    path = _path(line["object"])
    _ask(client, "POST", path, line["object"], "application/json")
    where = f"{path}/{line['object']['metadata']['name']}"
    said, came = _ask(client, "PATCH", where, line["patch"], TYPES[line["type"]], DRY)
    return said if isinstance(said, str) else what_it_says(came)


def _path(obj: dict[str, Any]) -> str:
    kind, version = kind_of(obj), obj["apiVersion"]
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    return f"{root}/namespaces/default/{kind.resource}" if kind.namespaced else f"{root}/{kind.resource}"


def _ask(
    client: ApiClient, method: str, path: str, body: Any, type_: str, dry_run: str = ""
) -> tuple[Any, Any]:
    headers = {"Content-Type": type_, "Accept": "application/json"}
    if token := client.configuration.get_api_key_with_prefix("BearerToken"):
        headers["Authorization"] = token
    came = client.rest_client.pool_manager.request(
        method,
        f"{client.configuration.host}{path}?fieldValidation=Strict{dry_run}",
        body=json.dumps(body),
        headers=headers,
    )
    answer = json.loads(came.data)
    if came.status >= 400:
        return answer["message"], None
    return [text.replace('\\"', '"') for text in WARNING.findall(came.headers.get("Warning", ""))], answer


if __name__ == "__main__":
    main(*sys.argv[1:])
