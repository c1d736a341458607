"""When: a workload or a service is changed."""

from __future__ import annotations

from gherkube.runners import kubectl
from gherkube.runners.errors import UsageError
from gherkube.runners.expectations.subjects import WorkloadRef
from gherkube.runners.objects import Object
from gherkube.steps import manifests
from gherkube.steps.phrases import Named, Version
from gherkube.steps.sentence import Topic
from gherkube.steps.world import World

TOPIC = Topic("when", "Changes")


@TOPIC.says("I update {workload} to {version}", "I update it to v2")
def update(world: World, workload: Named, version: Version) -> None:
    ref = world.workload(workload)
    containers = _containers(world, ref)
    if len(containers) > 1:
        names = ", ".join(container["name"] for container in containers)
        raise UsageError(
            f"{ref.text} has several containers ({names}): say which, "
            f'as in I update container "{containers[0]["name"]}" of {ref.text} to …'
        )
    _set_image(world, ref, containers[0], version)


@TOPIC.says(
    "I update container {container:text} of {workload} to {version}",
    'I update container "app" of deployment "web" to "hello:2"',
)
def update_container(world: World, container: str, workload: Named, version: Version) -> None:
    ref = world.workload(workload)
    for found in _containers(world, ref):
        if found["name"] == container:
            _set_image(world, ref, found, version)
            return
    # the tag of an image that is not there: kubectl says what it says of any unknown container
    kubectl.set_image(
        world.api, ref.resource, ref.name, ref.namespace, {container: version.image or version.tag}
    )


def _containers(world: World, ref: WorkloadRef) -> list[Object]:
    obj = world.api.get(ref.resource, ref.name, ref.namespace)
    containers: list[Object] = obj["spec"]["template"]["spec"]["containers"]
    return containers


def _set_image(world: World, ref: WorkloadRef, container: Object, version: Version) -> None:
    image = version.image or with_tag(container["image"], version.tag)
    kubectl.set_image(world.api, ref.resource, ref.name, ref.namespace, {container["name"]: image})


def with_tag(image: str, tag: str) -> str:
    """The image with another tag; a tag or digest that it has goes."""
    name = image.partition("@")[0]
    path, slash, last = name.rpartition("/")
    return f"{path}{slash}{last.partition(':')[0]}:{tag}"


@TOPIC.says("I scale {workload} to {replicas:number} replicas", "I scale it to 5 replicas")
def scale(world: World, workload: Named, replicas: int) -> None:
    ref = world.workload(workload)
    kubectl.scale(world.api, ref.resource, ref.name, ref.namespace, replicas)


@TOPIC.says("I apply the manifest {path:text}", 'I apply the manifest "manifests/web-v2.yaml"')
def apply_file(world: World, path: str) -> None:
    world.apply(manifests.documents(world.read(path), path), path)


@TOPIC.says("I apply", "I apply", docstring=True)
def apply(world: World, docstring: str) -> None:
    world.apply(manifests.documents(docstring, "the manifest"), "STDIN")


@TOPIC.says("I patch {object} with", 'I patch deployment "web" with', docstring=True)
def patch(world: World, object: Named, docstring: str) -> None:  # noqa: A002
    change = manifests.partial(docstring, "the patch")
    ref = world.thing(object)
    kubectl.patch(world.api, ref.resource, ref.name, ref.namespace, change)


@TOPIC.says(
    "I promote {workload} from namespace {source:text} to namespace {target:text}",
    'I promote deployment "web" from namespace "staging" to namespace "production"',
)
def promote(world: World, workload: Named, source: str, target: str) -> None:
    """Carries the images of the pod template over, container by container, and nothing else."""
    if workload.namespace:
        raise UsageError("the namespaces are those after “from” and “to”: leave out the one of the workload")
    if not workload.name:
        it = world.workload()
        workload = Named(it.resource, it.name)
    origin = world.workload(workload._replace(namespace=source))
    images = {container["name"]: container["image"] for container in _containers(world, origin)}
    ref = world.workload(workload._replace(namespace=target))
    kubectl.set_image(world.api, ref.resource, ref.name, ref.namespace, images)


@TOPIC.says("I expose {workload} on port {port:number}", 'I expose deployment "web" on port 8080')
@TOPIC.says(
    "I expose {workload} on port {port:number} as a {type}",
    'I expose deployment "web" on port 8080 as a NodePort',
)
def expose(world: World, workload: Named, port: int, type: str = "") -> None:  # noqa: A002
    ref = world.workload(workload)
    kubectl.expose(world.api, ref.resource, ref.name, ref.namespace, port=port, type=type)


@TOPIC.says(
    "{service} switches to pods labelled {labels:text}",
    'service "web" switches to pods labelled "app=web,version=green"',
)
def switch(world: World, service: Named, labels: str) -> None:
    """Replaces the whole selector of the service."""
    selector: dict[str, str] = {}
    for part in labels.split(","):
        name, equals, value = part.strip().partition("=")
        if not (name and equals) or "=" in value or name.endswith("!"):
            raise UsageError(
                f"“{labels}” is no selector of a service, which is a list like app=web,version=green"
            )
        selector[name] = value
    key = world.key(service)
    change = [{"op": "replace", "path": "/spec/selector", "value": selector}]
    world.api.patch("services", key.name, change, key.namespace, type="json")
