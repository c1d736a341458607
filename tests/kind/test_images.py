"""Which images a scenario gets, who may have the same names meanwhile, and what is left of them after it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gherkube.runners import state
from gherkube.runners.errors import CannotJudge
from gherkube.runners.kind import images as module
from gherkube.runners.kind.images import Foreseen, Images
from gherkube.runners.kind.own import OwnImage
from gherkube.runners.kind.registry import NOT_FOUND, Offer
from gherkube.runners.kind.standin import Made, Maker, StandIn, usual
from gherkube.runners.simulator.node.images import Behaviour, Image

HELLO = "docker.io/library/hello:1"


class Registry:
    """Those of all nodes. `offers`: what they answer; `nodes`: the names of images that nodes have."""

    def __init__(self) -> None:
        self.offers: dict[str, Offer] = {}
        self.nodes: set[str] = set()
        self.fails = False

    def offer(self, _: object, offers: Mapping[Image, Offer], blobs: Mapping[str, bytes]) -> None:
        if self.fails:
            raise CannotJudge("nothing could be put into dev-worker")
        for image, each in offers.items():
            assert not each.digest or each.digest in blobs
            self.offers[image.name] = each

    def withdraw(self, _: object, images: list[Image]) -> None:
        for image in images:
            self.offers.pop(image.name, None)

    def present(self, _: object) -> dict[str, str]:
        return dict.fromkeys(self.nodes, "sha256:1")


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    """In the place of the one in the nodes."""
    made = Registry()
    for name in ("offer", "withdraw", "present"):
        monkeypatch.setattr(module.registry, name, getattr(made, name))
    return made


@pytest.fixture
def images(tmp_path: Path, registry: Registry) -> Images:
    """Of a cluster with one node; `own:1` is the user's own."""
    del registry
    nodes: Any = SimpleNamespace(client=None, all=[SimpleNamespace(name="dev-worker", state="running")])
    made = Images(nodes, tmp_path / "cache", tmp_path / "locks", {"own:1": OwnImage("own")})
    made._maker = Maker(b"busybox", "amd64")
    return made


def foreseen(*stand_ins: StandIn) -> Foreseen:
    """A scenario with these images."""
    return Foreseen({each.image.name: each for each in stand_ins})


def behaving(name: str, **behaviour: Any) -> StandIn:
    """A stand-in of which something is said."""
    return replace(usual(name), behaviour=Behaviour(**behaviour))


def is_free(images: Images, *, alone: bool) -> bool:
    """Whether another scenario could have the names: all of them."""
    for path in images._locks.glob("image-*"):
        try:
            os.close(state.hold(path, alone=alone, within=0.0))
        except TimeoutError:
            return False
    return True


def test_what_is_offered(images: Images, registry: Registry) -> None:
    """A pull takes a second by itself; what does not exist is not found."""
    slow = behaving("slow:1", pull_seconds=30.0)
    images.ready(foreseen(usual("hello:1"), slow, behaving("none:1", exists=False)))
    digests = {name: each.digest for name, each in registry.offers.items()}
    assert digests[HELLO] == images.maker.make(usual("hello:1")).digest
    assert registry.offers["docker.io/library/slow:1"].seconds == 29.0
    assert registry.offers["docker.io/library/none:1"] == Offer(status=NOT_FOUND)
    images.release()
    assert set(registry.offers) == {HELLO}  # the usual one is left for others


def test_who_says_nothing_of_an_image_shares_it(images: Images) -> None:
    """Who does has it alone, until the end of the scenario."""
    images.ready(foreseen(usual("hello:1")))
    assert is_free(images, alone=False)
    assert not is_free(images, alone=True)
    images.release()
    images.ready(foreseen(behaving("hello:1", never_ready=True)))
    assert not is_free(images, alone=False)
    images.release()
    assert is_free(images, alone=True)


def test_names_are_free_again_when_images_cannot_be_put(images: Images, registry: Registry) -> None:
    """Whatever went wrong."""
    registry.fails = True
    with pytest.raises(CannotJudge, match="dev-worker"):
        images.ready(foreseen(behaving("hello:1", never_ready=True)))
    assert is_free(images, alone=True)


def test_a_sentence_finds_what_was_foreseen(images: Images, registry: Registry) -> None:
    """Of several about one image, all hold; what nobody foresaw is made then."""
    images.ready(foreseen(behaving("hello:1", stop_seconds=5.0, answer_code=500)))
    before = registry.offers[HELLO]
    images.behave("hello:1", stop_seconds=5.0)
    images.behave("hello:1", answer_code=500)
    assert registry.offers[HELLO] is before
    images.behave("hello:1", stop_seconds=9.0)
    assert registry.offers[HELLO] != before
    images.behave("other:1", never_ready=True)
    assert not is_free(images, alone=False)
    images.release()


def test_an_image_that_is_shared_is_had_alone_from_then_on(images: Images) -> None:
    """Where an own step says something of it."""
    images.ready(foreseen(usual("hello:1")))
    images.behave("hello:1", never_ready=True)
    assert not is_free(images, alone=False)
    images.release()


def test_what_does_not_exist_is_nowhere(images: Images, registry: Registry) -> None:
    """That is looked at."""
    images.ready(foreseen(behaving("hello:1", exists=False)))
    images.behave("hello:1", exists=False)
    registry.nodes = {HELLO}
    with pytest.raises(CannotJudge, match='"hello:1" is on dev-worker, though it does not exist'):
        images.behave("hello:1", exists=False)
    images.release()


def test_an_own_image(images: Images, registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is taken as it is, and nothing can be said of it."""
    monkeypatch.setattr(module, "pack", lambda *_: Made("sha256:own", {"sha256:own": b"manifest"}))
    images.ready(foreseen(usual("own:1")))
    assert registry.offers["docker.io/library/own:1"].digest == "sha256:own"
    with pytest.raises(CannotJudge, match="your own"):
        images.behave("own:1", never_ready=True)
    images.release()


def test_a_pod_that_ran_something_else_is_found(images: Images) -> None:
    """By the digest of what ran; of images that nobody foresaw nothing is known."""

    def pod(name: str, image: str, digest: str) -> dict[str, Any]:
        status = {"image": image, "imageID": f"docker.io/library/hello@{digest}"}
        return {"metadata": {"name": name}, "status": {"containerStatuses": [status]}}

    images.ready(foreseen(usual("hello:1")))
    right = images.maker.make(usual("hello:1")).digest
    pods = [pod("a", HELLO, right), pod("b", HELLO, "sha256:0"), pod("c", "hello:9", "sha256:0")]
    assert images.strangers([*pods, {"metadata": {"name": "d"}}]) == ["b"]
    images.release()
