"""Given: how images behave."""

from __future__ import annotations

from gherkube.steps.sentence import Topic
from gherkube.steps.world import World

TOPIC = Topic("given", "Images")

# what is said of the image, an example, and the behaviour that it is; a field's name stands for its value
_BEHAVIOURS: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("does not exist", 'image "hello:10" does not exist', {"exists": False}),
    ("takes {pull_seconds:duration} to pull", 'image "hello:2" takes 30 seconds to pull', {}),
    (
        "takes {listen_after:duration} to start listening",
        'image "hello:2" takes 20 seconds to start listening',
        {},
    ),
    ("becomes ready after {ready_after:duration}", 'image "hello:2" becomes ready after 20 seconds', {}),
    ("never becomes ready", 'image "hello:3" never becomes ready', {"never_ready": True}),
    ("crashes after {crash_after:duration}", 'image "hello:4" crashes after 2 seconds', {"exit_code": 1}),
    (
        "crashes after {crash_after:duration} with exit code {exit_code}",
        'image "hello:4" crashes after 2 seconds with exit code 1',
        {},
    ),
    (
        "completes after {crash_after:duration}",
        'image "migrate:1" completes after 5 seconds',
        {"exit_code": 0},
    ),
    (
        "fails its liveness probe after {fails_liveness_after:duration}",
        'image "hello:5" fails its liveness probe after 1 minute',
        {},
    ),
    (
        "answers requests with status {answer_code:http_code}",
        'image "hello:6" answers requests with status 500',
        {},
    ),
    ("answers requests with {answer_text:text}", 'image "hello:7" answers requests with "Good morning"', {}),
    ("takes {stop_seconds:duration} to stop", 'image "hello:7" takes 10 seconds to stop', {}),
    ("needs {memory} of memory", 'image "hello:8" needs 128Mi of memory', {}),
)


def _behave(world: World, image: str, **behaviour: object) -> None:
    if "memory" in behaviour:
        from gherkube.runners.quantities import memory_bytes

        behaviour["memory"] = memory_bytes(str(behaviour["memory"]))
    world.cluster.faults.behave(image, **behaviour)


def _says(words: str, example: str, fixed: dict[str, object]) -> None:
    @TOPIC.says(f"image {{image:text}} {words}", example)
    def say(world: World, image: str, **behaviour: object) -> None:
        _behave(world, image, **fixed, **behaviour)


for _words, _example, _fixed in _BEHAVIOURS:
    _says(_words, _example, _fixed)
