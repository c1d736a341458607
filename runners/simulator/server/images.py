"""What is said of images: the sentences of the language, as YAML or JSON.

Either whole sentences in a list (`image "hello:2" takes 30 seconds to pull`), or what is said of each
image by its name (`"hello:2": takes 30 seconds to pull`, or a list of such).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gherkube.runners.errors import UsageError
from gherkube.runners.quantities import memory_bytes
from gherkube.runners.simulator.node.images import (
    DEFAULT,
    FIELDS,
    Images,
    InvalidImageName,
    parse_image,
)

PRESENT = (
    "hello:1",
    "hello:2",
    "hello:3",
    "jocatalin/kubernetes-bootcamp:v1",
    "jocatalin/kubernetes-bootcamp:v2",
)
"""Images that every node has, as in the cluster of the recordings (`tests/golden`)."""
TAGS: dict[str, tuple[str, ...]] = {"hello": ("1", "2", "3"), "nosuch": ()}
"""Repositories of which no other tags exist, to try out what happens then; as in that cluster."""

UNITS = {"millisecond": 0.001, "second": 1, "minute": 60, "hour": 3600}
UNIT = "|".join(UNITS)
DURATION = rf"(?P<duration>\d+(?:\.\d+)? (?:{UNIT})s?|an? (?:{UNIT})|(?=\d)(?:\d+h)?(?:\d+m)?(?:\d+s)?)"
SENTENCE = re.compile(r'(?:Given )?image "(?P<image>[^"]+)" (?P<rest>.+)')


def duration(text: str) -> float:
    """The seconds of `20 seconds`, `a minute` or `1m30s`."""
    number, space, unit = text.partition(" ")
    if space:
        return (1.0 if number in ("a", "an") else float(number)) * UNITS[unit.removesuffix("s")]
    parts = dict(zip(re.findall(r"[hms]", text), map(int, re.findall(r"\d+", text)), strict=True))
    return float(parts.get("h", 0) * 3600 + parts.get("m", 0) * 60 + parts.get("s", 0))


Said = Callable[[re.Match[str]], dict[str, Any]]


def _lasts(field: str, **more: Any) -> Said:
    return lambda found: {field: duration(found["duration"]), **more}


SAID: tuple[tuple[re.Pattern[str], Said], ...] = tuple(
    (re.compile(pattern), said)
    for pattern, said in (
        ("does not exist", lambda _: {"exists": False}),
        (f"takes {DURATION} to pull", _lasts("pull_seconds")),
        (f"takes {DURATION} to start listening", _lasts("listen_after")),
        (f"becomes ready after {DURATION}", _lasts("ready_after")),
        ("never becomes ready", lambda _: {"never_ready": True}),
        (f"crashes after {DURATION}", _lasts("crash_after", exit_code=1)),
        (
            rf"crashes after {DURATION} with exit code (?P<code>\d{{1,3}})",
            lambda found: {"crash_after": duration(found["duration"]), "exit_code": int(found["code"])},
        ),
        (f"completes after {DURATION}", _lasts("crash_after", exit_code=0)),
        (f"fails its liveness probe after {DURATION}", _lasts("fails_liveness_after")),
        (
            r"answers requests with status (?P<code>[1-5]\d\d)",
            lambda found: {"answer_code": int(found["code"])},
        ),
        ('answers requests with "(?P<text>[^"]*)"', lambda found: {"answer_text": found["text"]}),
        (f"takes {DURATION} to stop", _lasts("stop_seconds")),
        (r"needs (?P<memory>\S+) of memory", lambda found: {"memory": memory_bytes(found["memory"])}),
    )
)
"""What may be said of an image, and the behaviour (`node/images.py`) that it is."""


def provide(images: Images) -> None:
    """Says what a cluster that is served begins with."""
    for image in PRESENT:
        images.load(image)
    for repository, tags in TAGS.items():
        images.restrict(repository, tags)


def behaviours(said: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Image and behaviour of each thing that is said. Raises UsageError."""
    for sentence in _sentences(said):
        found = SENTENCE.fullmatch(sentence.strip())
        if found is None:
            raise UsageError(
                f'"{sentence}" says nothing of an image: write image "NAME" takes 30 seconds to pull'
            )
        yield found["image"], _behaviour(found["image"], found["rest"])


def exactly(said: Any) -> list[tuple[str, dict[str, Any] | None]]:
    """Each image with all that is to be said of it, as GET tells it; None: nothing. Raises UsageError."""
    if not isinstance(said, Mapping):
        raise UsageError("what is said of images is put back by a map from image to what GET told of it")
    for image, fields_ in said.items():
        try:
            parse_image(image)
        except InvalidImageName as error:
            raise UsageError(str(error)) from None
        if fields_ is None:
            continue
        wrong = not isinstance(fields_, Mapping) or fields_.keys() - FIELDS
        if wrong or not all(_fits(getattr(DEFAULT, name), value) for name, value in fields_.items()):
            raise UsageError(f"image {image!r} cannot behave as {fields_!r}: say what GET has told of one")
    return [(image, None if each is None else dict(each)) for image, each in said.items()]


def _fits(default: Any, value: Any) -> bool:
    """Whether a field with that default may have the value."""
    if default is None:
        return isinstance(value, (str, int, float)) and not isinstance(value, bool)
    kinds = (int, float) if type(default) is float else type(default)
    return isinstance(value, kinds) and isinstance(value, bool) == isinstance(default, bool)


def _sentences(said: Any) -> Iterator[str]:
    if isinstance(said, Mapping) and set(said) == {"images"}:
        said = said["images"]
    if isinstance(said, Mapping):
        for image, phrases in said.items():
            for phrase in phrases if isinstance(phrases, list) else [phrases]:
                yield f'image "{image}" {phrase}'
    elif isinstance(said, list):
        for each in said:
            if not isinstance(each, str):
                raise UsageError(f"{each!r} is no sentence about an image")
            yield each
    elif said is not None:
        raise UsageError("what is said of images is a list of sentences, or a map from image to what is said")


def _behaviour(image: str, rest: str) -> dict[str, Any]:
    try:
        parse_image(image)
        for pattern, said in SAID:
            if found := pattern.fullmatch(rest.strip()):
                return said(found)
    except (InvalidImageName, ValueError) as error:
        raise UsageError(f'image "{image}" {rest}: {error}') from None
    raise UsageError(
        f'image "{image}" {rest}: nothing like that can be said of an image; `gherkube steps` lists what can'
    )
