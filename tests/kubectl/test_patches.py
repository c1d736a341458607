"""Strategic merge patches are those that kubectl sends (bodies captured from kubectl 1.32)."""

from __future__ import annotations

from typing import Any

import pytest

from gherkube.runners.errors import Refused
from gherkube.runners.kubectl.diff import three_way, two_way

LIVE: dict[str, Any] = {
    "metadata": {"name": "web", "annotations": {"a": "1", "controller": "kept"}},
    "spec": {
        "replicas": 4,
        "progressDeadlineSeconds": 15,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%"}},
        "template": {
            "spec": {
                "restartPolicy": "Always",
                "containers": [
                    {
                        "name": "app",
                        "image": "hello:1",
                        "imagePullPolicy": "IfNotPresent",
                        "ports": [{"containerPort": 8080, "protocol": "TCP"}],
                        "readinessProbe": {"httpGet": {"path": "/readyz", "port": 8080}},
                    }
                ],
            }
        },
    },
}
APPLIED: dict[str, Any] = {
    "metadata": {"name": "web"},
    "spec": {
        "progressDeadlineSeconds": 15,
        "template": {
            "spec": {
                "containers": [
                    {
                        "name": "app",
                        "image": "hello:1",
                        "ports": [{"containerPort": 8080}],
                        "readinessProbe": {"httpGet": {"path": "/readyz", "port": 8080}},
                    }
                ]
            }
        },
    },
}


def containers(*items: dict[str, Any]) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": list(items)}}}}


def test_an_image_is_sent_with_the_order_of_the_containers() -> None:
    """One container's image changes: its name, the image, and the order of all."""
    old = containers({"name": "app", "image": "hello:1"}, {"name": "side", "image": "x"})
    new = containers({"name": "app", "image": "hello:9"}, {"name": "side", "image": "x"})
    assert two_way(old, new)["spec"]["template"]["spec"] == {
        "$setElementOrder/containers": [{"name": "app"}, {"name": "side"}],
        "containers": [{"image": "hello:9", "name": "app"}],
    }


def test_a_first_variable_needs_no_order_of_variables() -> None:
    """`set env` on a container without any."""
    old = containers({"name": "app", "image": "hello:1"})
    new = containers({"name": "app", "image": "hello:1", "env": [{"name": "A", "value": "1"}]})
    assert two_way(old, new)["spec"]["template"]["spec"] == {
        "$setElementOrder/containers": [{"name": "app"}],
        "containers": [{"env": [{"name": "A", "value": "1"}], "name": "app"}],
    }


def test_equal_objects_need_no_patch() -> None:
    """Nothing to send."""
    assert two_way(LIVE, LIVE) == {}
    assert three_way(APPLIED, APPLIED, LIVE) == {}


def test_apply_takes_out_what_the_manifest_no_longer_says_and_keeps_what_it_never_said() -> None:
    """The patch that kubectl apply sent for this change, but for the annotation."""
    wanted = {
        "metadata": {"name": "web", "labels": {"l": "m"}},
        "spec": {
            "strategy": {"type": "Recreate"},
            "template": {
                "spec": {
                    "containers": [
                        {
                            "name": "app",
                            "image": "hello:1",
                            "ports": [{"containerPort": 8080}, {"containerPort": 9090}],
                            "env": [{"name": "Z", "value": "1"}],
                        }
                    ]
                }
            },
        },
    }
    assert three_way(APPLIED, wanted, LIVE) == {
        "metadata": {"labels": {"l": "m"}},
        "spec": {
            "progressDeadlineSeconds": None,
            "strategy": {"$retainKeys": ["type"], "type": "Recreate"},
            "template": {
                "spec": {
                    "$setElementOrder/containers": [{"name": "app"}],
                    "containers": [
                        {
                            "$setElementOrder/ports": [{"containerPort": 8080}, {"containerPort": 9090}],
                            "env": [{"name": "Z", "value": "1"}],
                            "name": "app",
                            "ports": [{"containerPort": 9090}],
                            "readinessProbe": None,
                        }
                    ],
                }
            },
        },
    }


def test_an_element_that_the_manifest_dropped_is_deleted_by_its_key() -> None:
    """A second container of the last manifest that the new one does not have."""
    side = {"name": "side", "image": "x"}
    app = {"name": "app", "image": "hello:1"}
    patch = three_way(containers(app, side), containers(app), containers(app, side))
    assert patch["spec"]["template"]["spec"] == {
        "$setElementOrder/containers": [{"name": "app"}],
        "containers": [{"$patch": "delete", "name": "side"}],
    }


def test_an_order_that_changed_is_sent_alone() -> None:
    """The same containers the other way round."""
    app, side = {"name": "app", "image": "x"}, {"name": "side", "image": "y"}
    patch = two_way(containers(app, side), containers(side, app))
    assert patch["spec"]["template"]["spec"] == {
        "$setElementOrder/containers": [{"name": "side"}, {"name": "app"}]
    }


def test_args_are_replaced_whole_and_finalizers_merge_as_a_set() -> None:
    """A plain list has no keys; finalizers are told apart by themselves."""
    assert two_way(
        containers({"name": "a", "args": ["x"]}), containers({"name": "a", "args": ["y", "x"]})
    ) == {
        "spec": {
            "template": {
                "spec": {
                    "$setElementOrder/containers": [{"name": "a"}],
                    "containers": [{"name": "a", "args": ["y", "x"]}],
                }
            }
        }
    }
    assert two_way({"metadata": {"finalizers": ["a", "b"]}}, {"metadata": {"finalizers": ["b", "c"]}}) == {
        "metadata": {
            "$setElementOrder/finalizers": ["b", "c"],
            "$deleteFromPrimitiveList/finalizers": ["a"],
            "finalizers": ["c"],
        }
    }


def test_an_element_without_its_key_is_refused() -> None:
    """A container without a name cannot be merged."""
    with pytest.raises(Refused, match="does not contain declared merge key: name"):
        two_way(containers({"name": "a"}), containers({"image": "x"}))
