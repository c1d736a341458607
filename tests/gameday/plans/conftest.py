"""A project's own step: what it does through `cluster.api` is fenced, written down and put back."""

from __future__ import annotations

from pytest_bdd import parsers, when

from gherkube.runners.cluster import Cluster


@when(parsers.parse('somebody deletes the config map "{name}"'))
def _delete_config_map(cluster: Cluster, name: str) -> None:
    cluster.api.delete("configmaps", name, "shop")
