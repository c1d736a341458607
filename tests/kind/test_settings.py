"""The table [kind] of the settings, and the configuration that kind gets."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from gherkube.runners.errors import UsageError
from gherkube.runners.kind.configuration import configuration
from gherkube.runners.kind.settings import KindSettings, Source
from gherkube.runners.settings import load

ALL = """\
[kind]
nodes = 2
image = "acme/node:1"
kind = "/opt/kind"
config = "kind.yaml"
create-within = "2m"
[kind.images]
"acme/web:1" = {local = true}
"acme/shop:1" = {build = "shop"}
"""


def test_all_that_can_be_said(tmp_path: Path) -> None:
    """Paths are from the settings' own folder on."""
    (tmp_path / "gherkube.toml").write_text(ALL)
    settings = load(tmp_path / "gherkube.toml")
    assert settings is not None
    images = {"acme/web:1": Source(local=True), "acme/shop:1": Source(build=tmp_path / "shop")}
    config = tmp_path / "kind.yaml"
    assert settings.kind == KindSettings(2, "acme/node:1", "/opt/kind", config, 120.0, images)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("node = 1", "kind: unknown 'node'; what can be said of kind is nodes, "),
        ("nodes = 0", "kind: nodes: a number of nodes from 1 on is needed"),
        ("nodes = true", "kind: nodes: a number of nodes from 1 on is needed"),
        ("image = 3", "kind: image: a text is needed"),
        ('create-within = "0s"', "kind: create-within: '0s' is no time"),
        ('images = {"a:1" = {pull = true}}', "kind: images: 'a:1' is either {local = true} or {build"),
        ("images = 1", "kind: images: a table is needed"),
    ],
)
def test_settings_that_are_wrong(tmp_path: Path, text: str, what: str) -> None:
    """Told with their line, and what can be said."""
    (tmp_path / "gherkube.toml").write_text(f"\n[kind]\n{text}\n")
    with pytest.raises(UsageError) as raised:
        load(tmp_path / "gherkube.toml")
    assert str(raised.value).startswith(f"{tmp_path}/gherkube.toml:2: {what}")


def test_nodes() -> None:
    """A control plane, and as many workers as are to take pods."""
    found = yaml.safe_load(configuration(2, "", None))
    assert found["nodes"] == [{"role": "control-plane"}, {"role": "worker"}, {"role": "worker"}]
    assert found["apiVersion"] == "kind.x-k8s.io/v1alpha4"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (None, ": cannot be read: No such file or directory; it is named by config in [kind]"),
        ("a: [", ":2: not YAML: "),
        ("kind: Pod", ":1: no configuration of kind"),
        ("nodes: 3", ":1: nodes: a list is needed"),
    ],
)
def test_a_configuration_that_is_none(tmp_path: Path, text: str | None, what: str) -> None:
    """Told with its place."""
    file = tmp_path / "kind.yaml"
    if text is not None:
        file.write_text(f"{text}\n")
    with pytest.raises(UsageError) as raised:
        configuration(1, "", file)
    assert str(raised.value).startswith(f"{file}{what}")
