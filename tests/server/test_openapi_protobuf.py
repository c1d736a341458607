"""OpenAPI v2 as protobuf, for which kubectl asks when it is given a List."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gherkube.runners.simulator.server.openapi_protobuf import MEDIA, TYPE, encode
from gherkube.runners.simulator.server.protobuf import _fields
from tests.server.crash import serving
from tests.server.loopback import Loopback


def parts(data: Any, number: int) -> list[bytes]:
    """The values of a field of a message."""
    return [value for found, value in _fields(data) if found == number and isinstance(value, bytes)]


def test_definitions_are_told_field_by_field() -> None:
    """Types, items, properties, references, marks; what has no field is left out."""
    schema = {
        "type": "object",
        "required": ["a"],
        "properties": {"a": {"type": "array", "items": {"$ref": "#/definitions/b"}, "unknown": 1}},
        "additionalProperties": {"type": "string"},
        "x-mark": [{"kind": "A"}],
    }
    document = {"swagger": "2.0", "info": {"title": "t", "version": "v"}, "definitions": {"A": schema}}
    (definitions,) = parts(encode(document), 9)
    (named,) = parts(definitions, 1)
    assert parts(named, 1) == [b"A"]
    (told,) = parts(named, 2)
    assert (parts(told, 19), parts(parts(told, 22)[0], 1)) == ([b"a"], [b"object"])
    (field,) = parts(parts(told, 25)[0], 1)
    (array,) = parts(field, 2)
    (item,) = parts(parts(array, 23)[0], 1)
    assert (parts(field, 1), parts(item, 1)) == ([b"a"], [b"#/definitions/b"])
    (mark,) = parts(told, 31)
    assert (parts(mark, 1), parts(parts(mark, 2)[0], 2)) == ([b"x-mark"], [b'[{"kind": "A"}]'])


def test_all_definitions_are_there(http: Loopback) -> None:
    """As many as in JSON, under a media type that can be parsed."""
    answer = http.get("/openapi/v2", Accept=MEDIA)
    assert (answer.code, answer.headers["Content-Type"]) == (200, TYPE)
    (definitions,) = parts(answer.body, 9)
    names = [parts(each, 1)[0].decode() for each in parts(definitions, 1)]
    assert names == list(http.get("/openapi/v2").json["definitions"])


@pytest.mark.skipif(not shutil.which("kubectl"), reason="there is no kubectl")
def test_kubectl_validates_and_creates_a_list(tmp_path: Path) -> None:
    """`kind: List`, as `kubectl get -o yaml` writes it."""
    item = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    with serving(tmp_path):
        for more, code, said in (({}, 0, "configmap/a created"), ({"bogus": 1}, 1, 'unknown field "bogus"')):
            given = json.dumps({"apiVersion": "v1", "kind": "List", "items": [{**item, **more}]})
            command = ["kubectl", "--kubeconfig", str(tmp_path / "kubeconfig"), "create", "-f", "-"]
            done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
            assert (done.returncode, said in done.stdout + done.stderr) == (code, True)
