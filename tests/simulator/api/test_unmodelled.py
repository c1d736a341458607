"""What the simulator does not act on is not judged; what is inert is stored."""

from __future__ import annotations

from typing import Any

import pytest

from gherkube.runners.errors import CannotJudge
from gherkube.runners.simulator.api.schema import table
from gherkube.runners.simulator.api.unmodelled import FIELDS, POD_FIELDS
from tests.simulator.api.workshop import Json, container, deployment, pod, server, service

CLAIM = {"name": "v", "persistentVolumeClaim": {"claimName": "c"}}


@pytest.mark.parametrize(
    ("obj", "said"),
    [
        (
            deployment(pod={"volumes": [CLAIM]}),
            (
                "Deployment cannot be judged on the simulator: "
                "field spec.template.spec.volumes[].persistentVolumeClaim is not modelled"
            ),
        ),
        (
            pod(priorityClassName="high"),
            "Pod cannot be judged on the simulator: field spec.priorityClassName is not modelled",
        ),
        (
            pod(containers=[container(lifecycle={"stopSignal": "SIGUSR1"})], os={"name": "linux"}),
            "field spec.containers[].lifecycle.stopSignal is not modelled",
        ),
        (service(trafficDistribution="PreferClose"), "field spec.trafficDistribution is not modelled"),
    ],
)
def test_a_field_that_matters_is_named(obj: Json, said: str) -> None:
    """The message names the kind, the field, why, and what to do."""
    with pytest.raises(CannotJudge) as caught:
        server().create(obj)
    assert said in str(caught.value)
    assert "run the scenario on kind or a live cluster" in str(caught.value)


def test_a_patch_cannot_bring_it_in() -> None:
    """Updates are looked at as creations are; nothing is written."""
    api = server()
    api.create(service())
    with pytest.raises(CannotJudge):
        api.patch("services", "web", {"spec": {"trafficDistribution": "PreferClose"}})
    assert "trafficDistribution" not in api.get("services", "web", "default")["spec"]


def test_what_is_inert_is_stored() -> None:
    """Config maps as volumes, security contexts and the like change nothing that a scenario sees."""
    spec: dict[str, Any] = {
        "volumes": [{"name": "c", "configMap": {"name": "c"}}, {"name": "e", "emptyDir": {}}],
        "securityContext": {"runAsNonRoot": True},
        "hostNetwork": False,
    }
    stored = server().create(pod(**spec))
    assert stored["spec"]["securityContext"] == {"runAsNonRoot": True}


def test_every_row_names_a_field_that_there_is() -> None:
    """The table follows the schema: a misspelt row would never be found."""
    structs = table()["structs"]

    def check(path: str, struct: str) -> None:
        *before, last = path.split(".")
        for step in before:
            type_ = structs[struct][step.removesuffix("[]")]
            assert type_.startswith("[]") == step.endswith("[]")
            struct = type_.removeprefix("[]")
        assert last in structs[struct]

    for path, _ in POD_FIELDS:
        check(path, "PodSpec")
    for path, _ in FIELDS["services"]:
        check(path, "Service")
