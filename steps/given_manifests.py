"""Given: objects from manifests, kustomizations and charts."""

from __future__ import annotations

from gherkube.runners.objects import Key, Object
from gherkube.steps import manifests
from gherkube.steps.given_workloads import wait_until_available
from gherkube.steps.sentence import Topic
from gherkube.steps.world import World

TOPIC = Topic("given", "Manifests")


@TOPIC.says("the manifest {path:text}", 'the manifest "manifests/web.yaml"')
def manifest_file(world: World, path: str) -> None:
    _establish(world, manifests.documents(world.read(path), path), path)


@TOPIC.says("the manifest", "the manifest", docstring=True)
def manifest(world: World, docstring: str) -> None:
    _establish(world, manifests.documents(docstring, "the manifest"), "STDIN")


def _establish(world: World, objects: list[Object], source: str) -> None:
    """Applies the objects as kubectl does and waits for their workloads; elsewhere, all must be there."""
    world.established = True
    places = {obj["metadata"].get("namespace") or world.namespace for obj in objects}
    if all(map(world.owns, places)):
        for name in dict.fromkeys(obj["metadata"].get("namespace", "") for obj in objects):
            if name:
                world.ensure_namespace(name)
        world.apply(objects, source)
    else:
        for obj in objects:
            world.verify(obj, obj["metadata"].get("namespace", world.namespace))
    _await(world, objects)


def _await(world: World, objects: list[Object]) -> None:
    """Waits until the workloads among the objects are available, and the services lead to them."""
    for ref in world.learn(objects):
        wait_until_available(world, ref)
    for obj in objects:
        if obj["kind"] == "Service":
            world.settle(Key(obj["metadata"].get("namespace", world.namespace), obj["metadata"]["name"]))


@TOPIC.says("the kustomization {path:text}", 'the kustomization "overlays/staging"')
def kustomization(world: World, path: str) -> None:
    """Built by kubectl, then as a manifest."""
    built = world.build(path, "kubectl", "kustomize", path)
    _establish(world, manifests.documents(built, path), path)


@TOPIC.says("the chart {path:text} as release {release:text}", 'the chart "charts/web" as release "web"')
def chart(world: World, path: str, release: str) -> None:
    """Installed by helm, to be upgraded and rolled back later; elsewhere, what it holds must be there."""
    words = ("helm", "template", release, path, "--no-hooks", "--namespace", world.namespace)
    objects = manifests.documents(world.build(path, *words), path)
    if world.owns(world.namespace):
        world.established = True
        world.install(release, path)
        _await(world, objects)
    else:
        _establish(world, objects, path)
