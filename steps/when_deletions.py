"""When: pods and other objects are deleted. A deletion does not wait for the end of what it deletes."""

from __future__ import annotations

from gherkube.runners import kubectl
from gherkube.runners.errors import UsageError
from gherkube.runners.expectations.count import Count
from gherkube.steps.phrases import Named, Pods
from gherkube.steps.sentence import Topic
from gherkube.steps.world import World

TOPIC = Topic("when", "Deletions")


@TOPIC.says("I delete {count} {pods}", 'I delete a pod of deployment "web"')
def delete_pods(world: World, count: Count, pods: Pods) -> None:
    """Deletes so many of the pods that are not being deleted yet, the first by name."""
    if not count.whole and count.low != count.high:
        raise UsageError(f"say how many pods to delete: “{count.text}” leaves it open")
    found = world.active_pods(pods)
    wanted = len(found) if count.whole else count.low
    if not wanted or len(found) < wanted or (count.of is not None and len(found) != count.of):
        names = ", ".join(pod["metadata"]["name"] for pod in found) or "none"
        raise UsageError(
            f"there are not {count.text} {world.pods(pods).noun()} to delete; there are: {names}"
        )
    for pod in found[:wanted]:
        kubectl.delete(world.api, "pods", pod["metadata"]["name"], pod["metadata"]["namespace"])


@TOPIC.says("I delete {object}", 'I delete deployment "web"')
def delete(world: World, object: Named) -> None:  # noqa: A002
    ref = world.thing(object)
    kubectl.delete(world.api, ref.resource, ref.name, ref.namespace)
