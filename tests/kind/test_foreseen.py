"""What a scenario will ask of a kind cluster is known from its text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from gherkin.stream.id_generator import IdGenerator

from gherkube.fixtures.binding import bind
from gherkube.fixtures.foreseen import Foresight, foresee
from gherkube.fixtures.own import OwnSteps
from gherkube.fixtures.reading import read
from gherkube.runners.simulator.node.images import Behaviour

FEATURES = Path(__file__).parents[2] / "features"


def seen(folder: Path, *sentences: str, own: tuple[str, ...] = ()) -> Foresight:
    """Of a scenario of these sentences."""
    path = folder / "a.feature"
    path.write_text("\n".join(["Feature: A", "  Scenario: B", *sentences, "    Then 1 pod is ready"]))
    feature = read(path, IdGenerator())
    [(_, plan)] = bind(feature, OwnSteps(iter(())), {})
    assert not feature.problems
    return foresee(plan, folder, {}, own)


def names(found: Foresight) -> list[str]:
    """Its images, those that are more than the usual with a star."""
    return [f"{name}{'' if each.is_usual else '*'}" for name, each in found.asked.images.items()]


def test_images_of_workloads_and_of_what_is_done_to_them(tmp_path: Path) -> None:
    """An update by a tag alone is known, too, and an image of which something is said, whoever runs it."""
    found = seen(
        tmp_path,
        'Given image "acme/web:v2" takes 20 seconds to pull',
        'And image "other:1" does not exist',
        'And deployment "web" runs 2 replicas of "acme/web:v1"',
        "When I update it to v2",
        "And I update it to v3",
    )
    assert names(found) == [
        *("docker.io/acme/web:v2*", "docker.io/library/other:1*"),
        *("docker.io/acme/web:v1", "docker.io/acme/web:v3"),
    ]
    assert found.asked.images["docker.io/acme/web:v2"].behaviour == Behaviour(pull_seconds=20.0)
    assert (found.asked.alone, found.asked.nodes, found.doubts) == ("", None, [])


MANIFEST = """
    Given the manifest
      \"\"\"yaml
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: web}
      spec:
        selector: {matchLabels: {app: web}}
        template:
          metadata: {labels: {app: web}}
          spec:
            initContainers: [{name: first, image: "first:1"}]
            containers:
            - name: web
              image: acme/web:v1
              command: [/server]
              ports: [{containerPort: 80}, {containerPort: 81}]
              livenessProbe: {httpGet: {path: /alive, port: 80}}
              readinessProbe: {httpGet: {path: /, port: 80}}
              PROBE
            - {name: front, image: nginx}
      \"\"\"
"""


def test_containers_of_a_manifest(tmp_path: Path) -> None:
    """Their ports, probes and commands; an init container ends, a web server listens on 80."""
    images = seen(tmp_path, MANIFEST.replace("PROBE", "")).asked.images
    first, web, front = images.values()
    assert first.completes
    assert (web.ports, web.live, web.ready, web.commands) == ({80, 81}, {"/alive"}, {"/"}, {"/server"})
    assert front.ports == {80}


@pytest.mark.parametrize(
    ("probe", "why"),
    [("exec: {command: [cat, /ready]}", "an exec probe"), ("grpc: {port: 80}", "a gRPC probe")],
)
def test_probes_that_only_the_real_program_answers(tmp_path: Path, probe: str, why: str) -> None:
    """Such a scenario cannot be judged, unless the image is the user's own."""
    text = MANIFEST.replace("PROBE", f"startupProbe: {{{probe}}}")
    [(step, words)] = seen(tmp_path, text).doubts
    assert words.startswith(why)
    assert step.text == "the manifest"
    assert not seen(tmp_path, text, own=("acme/web:v1",)).doubts


def test_what_is_said_of_an_image_that_runs(tmp_path: Path) -> None:
    """It is made so from its start, which changes how it came up; only what shows later can be said later."""
    runs = 'Given deployment "web" runs 2 replicas of "hello:1"'
    assert not seen(tmp_path, runs, 'And image "hello:1" takes 45 seconds to stop').doubts
    said = ('And image "hello:2" never becomes ready', 'And image "hello:2" takes 9 seconds to pull')
    assert not seen(tmp_path, runs, *said).doubts
    [(_, why)] = seen(tmp_path, runs, 'And image "hello:1" never becomes ready').doubts
    assert "runs already" in why


def test_what_is_said_of_an_own_image(tmp_path: Path) -> None:
    """It is what it is."""
    [(_, why)] = seen(tmp_path, 'Given image "acme/web:v1" never becomes ready', own=("acme/web:v1",)).doubts
    assert "your own" in why


@pytest.mark.parametrize(
    ("sentence", "alone"),
    [
        ('When node "node-1" goes down', "a node goes down"),
        ('When I drain node "node-1"', "a node is drained"),
        ("When I run `kubectl cordon node-1`", "a command is about nodes"),
        ("When I run `kubectl get nodes`", ""),
        ("When I scale it to 3 replicas", ""),
    ],
)
def test_who_needs_a_cluster_alone(tmp_path: Path, sentence: str, alone: str) -> None:
    """Whatever does something to nodes."""
    runs = 'Given deployment "web" runs 2 replicas of "hello:1"'
    assert seen(tmp_path, runs, sentence).asked.alone == alone


def test_nodes(tmp_path: Path) -> None:
    """How many there are, and how large they are."""
    assert seen(tmp_path, "Given a cluster with 4 nodes").asked.nodes == (4, "", "")
    sized = seen(tmp_path, "Given a cluster with 2 nodes of 4 CPUs and 8Gi")
    assert sized.asked.nodes == (2, "4", "8Gi")
    assert sized.doubts == []


def test_kind_can_vouch_for_what_is_shipped() -> None:
    """All of it; and each image that a feature names is foreseen."""
    for path in sorted(FEATURES.rglob("*.feature")):
        if "gamedays" in path.parts or "commands" in path.parts:
            continue
        feature = read(path, IdGenerator())
        foreseen: set[str] = set()
        for _, plan in bind(feature, OwnSteps(iter(())), {}):
            found = foresee(plan, path.parent, {})
            assert found.doubts == [], path
            foreseen |= {f"{each.image.repository}:{each.image.tag}" for each in found.asked.images.values()}
        assert set(re.findall(r'(?:of|image|to) "([\w./-]+:[\w.]+)"', feature.text)) <= foreseen, path
