"""The bootcamp tutorial on the whole simulator, and the promise that a seed decides everything."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from gherkube.runners.objects import Key, is_ready
from tests.simulator.cluster.story import NAME, Story, digest

SEEDS = range(20)


def test_the_tutorial() -> None:
    """Four of v1, then v2, a v10 that is not there, and back: pods, status and endpoints as told."""
    story = Story(seed=7)
    assert story.completes()
    first = story.pods("v1")
    assert len(first) == 4
    assert len({pod["spec"]["nodeName"] for pod in first.values()}) == 3
    story.update("v2")
    assert story.completes()
    story.clock.sleep(10)
    second = story.pods()
    assert len(second) == len(story.pods("v2")) == 4
    requests = story.simulator.traffic.send(Key("default", NAME), 20, through="node port")
    assert all(request.body.endswith("| v=2") for request in requests)
    assert len({request.pod for request in requests}) >= 2
    story.update("v10")
    assert not story.completes()
    assert story.clock.idle()
    assert {
        name: story.status[name] for name in ("readyReplicas", "updatedReplicas", "availableReplicas")
    } == {
        "readyReplicas": 3,
        "updatedReplicas": 2,
        "availableReplicas": 3,
    }
    stuck = story.pods("v10").values()
    assert len(stuck) == 2
    waiting = {pod["status"]["containerStatuses"][0]["state"]["waiting"]["reason"] for pod in stuck}
    assert waiting <= {"ErrImagePull", "ImagePullBackOff"}
    (slice_,) = story.api.list("endpointslices", "default")
    assert sum(each["conditions"]["ready"] for each in slice_["endpoints"]) == 3
    kept = {uid for uid in story.pods("v2") if is_ready(story.pods("v2")[uid])}
    story.update("v2")
    assert story.completes()
    story.clock.sleep(10)
    assert len(story.pods()) == 4
    assert kept < set(story.pods("v2"))
    assert all(story.pods()[uid]["status"]["containerStatuses"][0]["restartCount"] == 0 for uid in kept)


def test_a_seed_decides_everything() -> None:
    """The same seed gives the same history and requests, byte for byte; another seed another."""
    digests = [digest(Story(seed).play()) for seed in SEEDS]
    assert digests == [digest(Story(seed).play()) for seed in SEEDS]
    assert len(set(digests)) == len(SEEDS)


def test_another_process_tells_the_same() -> None:
    """200 seeds' histories are the same in another process with another PYTHONHASHSEED."""
    seeds = range(200)
    hash_seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
    script = Path(__file__).with_name("story.py")
    told = subprocess.run(
        [sys.executable, str(script), *map(str, seeds)],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == str([digest(Story(seed).play()) for seed in seeds])
