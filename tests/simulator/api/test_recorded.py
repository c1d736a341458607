"""The server stores and refuses what a real one did, by the recordings."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from gherkube.runners.errors import ApiError
from gherkube.runners.kubectl.refusals import text_of
from tests.simulator.api.workshop import Json, server

RECORDINGS = Path(__file__).parents[2] / "golden" / "recordings"
APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
MODELLED = frozenset({"deployments", "replicasets", "pods", "services", "configmaps"})


def lines(name: str, file: str) -> Iterator[Json]:
    """The lines of a recording's file, zipped or not."""
    path = RECORDINGS / name / f"{file}.ndjson"
    zipped = path.with_suffix(".ndjson.gz")
    text = gzip.decompress(zipped.read_bytes()).decode() if zipped.exists() else path.read_text()
    yield from map(json.loads, text.splitlines())


def added(name: str) -> Iterator[tuple[str, Json]]:
    """The resources and objects that were created in a recording, as they were stored first."""
    for line in lines(name, "watch"):
        if line["type"] == "ADDED" and line["resource"] in MODELLED:
            yield line["resource"], line["object"]


def manifests(name: str) -> Iterator[Json]:
    """What was given to kubectl on stdin."""
    for line in lines(name, "actions"):
        yield from filter(None, yaml.safe_load_all(line.get("stdin") or ""))


def content(obj: Json) -> Json:
    """What an object says, without what the server draws."""
    text = re.sub(r"kube-api-access-\w{5}", "kube-api-access", json.dumps(obj))
    kept = {key: value for key, value in json.loads(text).items() if key in ("spec", "status", "data")}
    if obj["kind"] == "Service":
        for field in ("clusterIP", "clusterIPs"):
            assert kept["spec"].pop(field, None) or kept["spec"]["type"] == "ExternalName"
        for port in kept["spec"].get("ports", ()):
            port.pop("nodePort", None)
    if obj["kind"] == "Pod":
        kept["spec"].pop("nodeName", None)
    return kept


@pytest.mark.parametrize("name", sorted(path.name for path in RECORDINGS.iterdir()))
def test_what_was_applied_is_stored_as_recorded(name: str) -> None:
    """Defaults, first status and left-out zeroes of every applied object are those of the real server."""
    api = server()
    for manifest in manifests(name):
        if manifest["kind"] == "PriorityClass":  # of no namespace: not in the recording
            api.create(manifest)
    for _, real in added(name):
        applied = real["metadata"].get("annotations", {}).get(APPLIED)
        if applied is not None:
            manifest = json.loads(applied)
            del manifest["metadata"]["namespace"]
            assert content(api.create(manifest)) == content({**real, "kind": manifest["kind"]})


@pytest.mark.parametrize("name", ["tutorial", "scale", "readiness-never"])
def test_a_controllers_pod_is_stored_as_recorded(name: str) -> None:
    """A pod made of a template gets what the real server gave the recorded one."""
    api = server()
    templates: dict[str, Any] = {}
    seen = 0
    for resource, real in added(name):
        if resource == "replicasets":
            templates[real["metadata"]["uid"]] = real["spec"]["template"]
        for owner in real["metadata"].get("ownerReferences", ()):
            if resource == "pods" and owner["uid"] in templates:
                metadata = {"generateName": real["metadata"]["generateName"], "namespace": "default"}
                pod = api.create_trusted(
                    "pods", {"metadata": metadata, "spec": templates[owner["uid"]]["spec"]}
                )
                assert content(pod) == content({**real, "kind": "Pod"})
                seen += 1
    assert seen


def test_refusals_read_as_recorded() -> None:
    """What a real server refused is refused with the same text, as kubectl prints it."""
    api = server()
    refused = 0
    for line in lines("refusals", "actions"):
        if not line.get("stdin"):
            continue
        manifest = yaml.safe_load(line["stdin"])
        name = manifest["metadata"]["name"]
        exists = any(obj["metadata"]["name"] == name for obj in api.list("deployments", "default"))
        try:
            if exists and "apply" in line["argv"]:
                api.patch("deployments", name, {"spec": manifest["spec"]})
            else:
                api.create(manifest)
        except ApiError as error:
            told = text_of(error, "" if error.reason == "Invalid" else 'creating "STDIN"')
            assert told == line["stderr"].rstrip("\n")
            refused += 1
        else:
            assert line["rc"] == 0
    assert refused == 6
