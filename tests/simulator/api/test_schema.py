"""Decoding by the shipped table: what is unknown, of the wrong type, or empty."""

from __future__ import annotations

import json
import runpy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gherkube.runners.simulator.api.schema import DecodingError, canonical_quantity, decode, table
from tests.simulator.api.workshop import Json, container, deployment, message, server

ROOT = Path(__file__).parents[3]
SCHEMAS = ROOT / "runners" / "simulator" / "api"
CANNOT = 'Deployment in version "v1" cannot be handled as a Deployment: '


def test_the_table_is_that_of_the_installed_package() -> None:
    """The shipped table is what the script derives from the models of the installed kubernetes package."""
    derive = runpy.run_path(str(ROOT / "tools" / "derive_schema.py"))["derive"]
    derived = derive()
    assert json.loads((SCHEMAS / "schema.json").read_text()) == derived, "run tools/derive_schema.py"


def test_the_table_of_kept_kinds_is_that_of_the_installed_package() -> None:
    """So is the table of the kinds that an HTTP server keeps; the two share no struct."""
    tool = runpy.run_path(str(ROOT / "tools" / "derive_schema.py"))
    derived = tool["derive"](tool["KEPT_KINDS"], tool["derive"]()["structs"])
    assert json.loads((SCHEMAS / "schema_kept.json").read_text()) == derived, "run tools/derive_schema.py"


def test_the_table_is_closed() -> None:
    """Every type in the table is a scalar or a struct of the table."""
    scalars = {"string", "int32", "int64", "float64", "bool", "time", "bytes", "quantity", "intstr", "any"}
    structs = table()["structs"]
    types = {type_.lstrip("[]{}").rstrip("?") for fields in structs.values() for type_ in fields.values()}
    assert types <= scalars | structs.keys()


def test_unknown_fields_are_refused_with_their_paths() -> None:
    """All unknown fields are named, with the index of the list they stand in."""
    obj = deployment(pod={"nosuchfield": 1, "containers": [container(), container(nme="x")]})
    assert message(server().create, obj) == CANNOT + (
        'strict decoding error: unknown field "spec.template.spec.containers[1].nme", '
        'unknown field "spec.template.spec.nosuchfield"'
    )


@pytest.mark.parametrize(
    ("obj", "said"),
    [
        (
            deployment(replicas="3"),
            "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            deployment(replicas=2.5),
            (
                "json: cannot unmarshal number 2.5 into Go struct field "
                "DeploymentSpec.spec.replicas of type int32"
            ),
        ),
        (
            deployment(replicas=3_000_000_000),
            (
                "json: cannot unmarshal number 3000000000 into Go struct field "
                "DeploymentSpec.spec.replicas of type int32"
            ),
        ),
        (
            deployment(replicas=True),
            "json: cannot unmarshal bool into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            deployment(pod={"containers": [container(env=[{"name": "PORT", "value": 8080}])]}),
            (
                "json: cannot unmarshal number into Go struct field "
                "EnvVar.spec.template.spec.containers.env.value of type string"
            ),
        ),
        (
            deployment(pod={"containers": {"name": "app"}}),
            (
                "json: cannot unmarshal object into Go struct field "
                "PodSpec.spec.template.spec.containers of type []v1.Container"
            ),
        ),
        (
            deployment(strategy="Recreate"),
            (
                "json: cannot unmarshal string into Go struct field "
                "DeploymentSpec.spec.strategy of type v1.DeploymentStrategy"
            ),
        ),
        (
            deployment(strategy={"rollingUpdate": {"maxSurge": True}}),
            (
                "json: cannot unmarshal bool into Go struct field "
                "RollingUpdateDeployment.spec.strategy.rollingUpdate.maxSurge of type int32"
            ),
        ),
        (
            {**deployment(), "metadata": {"name": "web", "labels": {"tier": 1}}},
            "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string",
        ),
        (
            deployment(pod={"containers": [container(resources={"limits": {"cpu": "1x"}})]}),
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
        ),
    ],
)
def test_wrong_types_are_refused(obj: Json, said: str) -> None:
    """A value of the wrong type is refused as Go's decoder does, the path without indexes."""
    assert message(server().create, obj) == CANNOT + said


def test_times_are_read_and_refused() -> None:
    """Times are kept in UTC; what is none is refused as Go's parser does."""
    metadata = {"name": "web", "creationTimestamp": "2025-01-01T02:00:00+02:00"}
    assert decode("Pod", {"metadata": metadata})["metadata"]["creationTimestamp"] == "2025-01-01T00:00:00Z"
    loaded = {"creationTimestamp": datetime(2025, 1, 1, tzinfo=UTC)}  # as YAML gives it
    assert decode("Pod", {"metadata": loaded})["metadata"]["creationTimestamp"] == "2025-01-01T00:00:00Z"
    with pytest.raises(DecodingError, match='parsing time "soon" as "2006-01-02T15:04:05Z07:00"'):
        decode("Pod", {"metadata": {"creationTimestamp": "soon"}})


def test_what_is_empty_is_left_out() -> None:
    """Nulls, empty lists, maps and texts, and zeroes of fields without a pointer are not stored."""
    spec: Json = {
        "minReadySeconds": 0,
        "paused": False,
        "replicas": 0,
        "template": {
            "metadata": {"creationTimestamp": None, "labels": {}, "annotations": {"empty": ""}},
            "spec": {
                "containers": [container(command=[], workingDir="", securityContext={})],
                "nodeSelector": {},
                "hostNetwork": False,
                "automountServiceAccountToken": False,
                "terminationGracePeriodSeconds": 0,
                "volumes": [{"name": "v", "emptyDir": {}}],
            },
        },
    }
    assert decode("Deployment", {"spec": spec})["spec"] == {
        "replicas": 0,
        "template": {
            "metadata": {"annotations": {"empty": ""}},
            "spec": {
                "containers": [container(securityContext={})],
                "automountServiceAccountToken": False,
                "terminationGracePeriodSeconds": 0,
                "volumes": [{"name": "v", "emptyDir": {}}],
            },
        },
    }


def test_decoding_does_not_touch_what_was_sent() -> None:
    """What comes out shares nothing that may be changed with what was sent."""
    sent = deployment()
    before = json.dumps(sent)
    decoded = decode("Deployment", sent)
    decoded["spec"]["template"]["metadata"]["labels"]["more"] = "x"
    assert json.dumps(sent) == before


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("0.5", "500m"),
        (1, "1"),
        (0.1, "100m"),
        ("1000m", "1"),
        ("1024Mi", "1Gi"),
        ("0.5Gi", "512Mi"),
        ("1.5Gi", "1536Mi"),
        ("2000M", "2G"),
        ("12E", "12E"),
        ("1e3", "1e3"),
        ("0", "0"),
        ("100", "100"),
    ],
)
def test_quantities_are_stored_canonically(given: Any, stored: str) -> None:
    """A quantity is stored with the largest suffix that leaves a whole number."""
    limits = {"cpu": given}
    decoded = decode("Pod", {"spec": {"containers": [container(resources={"limits": limits})]}})
    assert decoded["spec"]["containers"][0]["resources"]["limits"] == {"cpu": stored}
    assert canonical_quantity(stored) == stored
