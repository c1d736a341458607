"""The images of a scenario on a kind cluster: put where its nodes pull them before its first step.

Every image that a scenario names is a stand-in that does what is said of it, unless the settings say
that it is the user's own. Scenarios that run on one cluster at a time share the usual stand-ins; one
that says something special of a name has that name for itself until it ends.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from gherkube.runners import state
from gherkube.runners.errors import CannotJudge
from gherkube.runners.kind import busybox, registry
from gherkube.runners.kind.nodes import Node, Nodes, everywhere
from gherkube.runners.kind.own import OwnImage, pack
from gherkube.runners.kind.registry import NOT_FOUND, Offer
from gherkube.runners.kind.standin import Made, Maker, StandIn
from gherkube.runners.objects import Object, container_statuses
from gherkube.runners.simulator.node.images import DEFAULT, Behaviour, Image, parse_image

FROM_THE_START = frozenset({"stop_seconds", "answer_code", "answer_text", "answer_seconds"})
"""What may be said of an image that runs already: it makes no difference to how its containers came up."""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a scenario will ask of a kind cluster, known from its text.

    `images`: by full name. `nodes`: how many and of which size ("": as they are), None where it does not say.
    `alone`: why no other scenario may run on the cluster meanwhile; "": others may.
    """

    images: Mapping[str, StandIn] = field(default_factory=dict)
    nodes: tuple[int, str, str] | None = None
    alone: str = ""


class Images:
    """The images of one cluster.

    `cache`: a folder for busybox. `locks`: a folder by which all who use the cluster keep out of each
    other's way. `own`: the user's own images, by name.
    """

    def __init__(
        self, nodes: Nodes, cache: Path, locks: Path, own: Mapping[str, OwnImage] | None = None
    ) -> None:
        self._nodes, self._cache, self._locks = nodes, cache, locks
        self._own = {parse_image(name).name: image for name, image in (own or {}).items()}
        self._maker: Maker | None = None
        self._held: dict[str, tuple[int, bool]] = {}
        """By full name, the descriptor that holds the lock, and whether it is held alone."""
        self._said: dict[str, StandIn] = {}
        self._made: dict[str, set[str]] = {}
        """The digests of what was made for the scenario, by full names."""

    @property
    def maker(self) -> Maker:
        """Makes the stand-ins. Raises UsageError where there is no busybox to make them of."""
        if self._maker is None:
            client = self._nodes.client
            self._maker = Maker(busybox.find(client, self._cache), busybox.architecture(client))
        return self._maker

    def install(self) -> None:
        """Gives each node its registry, once in a cluster's life, or anew: nothing is said of any image."""
        maker = self.maker
        everywhere(self._nodes.all, lambda node: registry.install(node, maker))
        made = {image: self.maker.make(StandIn(image)) for image in registry.bootcamp()}
        self._offer({image: Offer(each.digest) for image, each in made.items()}, made.values())

    def remove(self) -> None:
        """Takes the registries out of the nodes again."""
        everywhere(self._nodes.all, registry.remove)

    def ready(self, foreseen: Foreseen) -> None:
        """Makes the images be as the scenario says, once no other scenario says otherwise."""
        try:
            for name, stand_in in sorted(foreseen.images.items()):
                self._lock(name, alone=not stand_in.is_usual)
            self._said = dict(foreseen.images)
            self._put(foreseen.images.values())
        except BaseException:
            self.release()
            raise

    def behave(self, image: str, **changes: Any) -> None:
        """Makes sure that the image behaves so: it was foreseen, or it is made now, for containers to come.

        Raises CannotJudge for one of the user's own, and for one that is there though it does not exist.
        """
        parsed = parse_image(image)
        if parsed.name in self._own:
            raise CannotJudge(f'image "{image}" is your own ([kind.images]): it is what it is')
        said = self._said.get(parsed.name) or StandIn(parsed)
        wanted = replace(said.behaviour, **changes)
        if parsed.name not in self._said or said.behaviour != wanted:
            self._lock(parsed.name, alone=True)
            self._said[parsed.name] = replace(said, behaviour=wanted)
            self._put([self._said[parsed.name]])
        if not wanted.exists and (there := self._where(parsed)):
            raise CannotJudge(f'image "{image}" is on {", ".join(there)}, though it does not exist')

    def _where(self, image: Image) -> list[str]:
        nodes = self._up()
        found = zip(nodes, everywhere(nodes, registry.present), strict=True)
        return [node.name for node, images in found if image.name in images]

    def release(self) -> None:
        """Forgets what was said of images, and lets other scenarios have the names."""
        special = [each.image for each in self._said.values() if not each.is_usual]
        try:
            if special:
                everywhere(self._up(), lambda node: registry.withdraw(node, special))
        finally:
            self._said, self._made = {}, {}
            while self._held:
                os.close(self._held.popitem()[1][0])

    def strangers(self, pods: Iterable[Object]) -> list[str]:
        """Which pods ran, under a name that was foreseen, another image than those that were made for it."""
        return sorted(
            {
                pod["metadata"]["name"]
                for pod in pods
                for status in container_statuses(pod)
                if (made := self._made.get(_full(status["image"]))) and "@" in status.get("imageID", "")
                if status["imageID"].partition("@")[2] not in made
            }
        )

    def _put(self, stand_ins: Iterable[StandIn]) -> None:
        offers: dict[Image, Offer] = {}
        made: list[Made] = []
        for each in stand_ins:
            if not each.behaviour.exists:
                offers[each.image] = Offer(status=NOT_FOUND)
                continue
            made.append(self._make(each))
            offers[each.image] = Offer(made[-1].digest, seconds=_delay(each.behaviour))
        self._offer(offers, made)

    def _make(self, stand_in: StandIn) -> Made:
        own = self._own.get(stand_in.image.name)
        return pack(self._nodes.client, stand_in.image.name, own) if own else self.maker.make(stand_in)

    def _offer(self, offers: Mapping[Image, Offer], made: Iterable[Made]) -> None:
        blobs = {digest: blob for each in made for digest, blob in each.blobs.items()}
        everywhere(self._up(), lambda node: registry.offer(node, offers, blobs))
        for image, each in offers.items():
            self._made.setdefault(image.name, set()).add(each.digest)

    def _up(self) -> list[Node]:
        return [node for node in self._nodes.all if node.state == "running"]

    def _lock(self, name: str, *, alone: bool) -> None:
        """Has a name for this scenario until its end, or shares it with those who say nothing of it."""
        if name in self._held:
            descriptor, is_alone = self._held[name]
            if is_alone or not alone:
                return
            os.close(descriptor)
        file = self._locks / f"image-{sha256(name.encode()).hexdigest()[:16]}"
        self._held[name] = state.hold(file, alone=alone), alone


def _delay(behaviour: Behaviour) -> float:
    """How long the registry takes to answer; about a second is what a pull takes by itself."""
    return max(0.0, behaviour.pull_seconds - DEFAULT.pull_seconds)


def _full(name: str) -> str:
    try:
        return parse_image(name).name
    except ValueError:
        return ""
