"""Images: their names, which of them exist, which a node has, and how their programs behave.

Unless something is said about it, an image exists, is pulled in about a second, listens and is ready
at once, answers every request, and stops at once on SIGTERM. What an image's program does over time
is `Behaviour`; what a running program makes of it is in `application.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property, lru_cache
from hashlib import sha256
from typing import Any

from gherkube.runners.errors import UsageError


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What an image's program does; times in seconds, counted from the container's start, None: never."""

    exists: bool = True
    """Whether the registry has it."""
    pull_seconds: float = 1.0
    listen_after: float = 0.0
    ready_after: float = 0.0
    never_ready: bool = False
    fails_readiness_after: float | None = None
    fails_liveness_after: float | None = None
    hangs_after: float | None = None
    """From then on connections are accepted and nothing is answered."""
    crash_after: float | None = None
    exit_code: int = 1
    """With which the program ends when it crashes."""
    answer_code: int = 200
    answer_text: str | None = None
    """The answer, in place of the usual line."""
    answer_seconds: float = 0.0
    """How long an answer takes."""
    stop_seconds: float = 0.0
    """On SIGTERM it keeps answering (not ready) this long and ends then, with code 0."""
    ignores_sigterm: bool = False
    memory: int = 0
    """What it needs, in bytes; a lower limit kills it soon after its start."""
    port: int = 0
    """Where it listens; 0: on the ports that the container declares, or on 8080."""
    version: str | None = None
    """What the usual line says in place of the tag."""
    was_told_to_exit: bool = False
    """Whether the environment tells it when to end, which it says then."""


FIELDS = frozenset(field.name for field in fields(Behaviour)) - {"was_told_to_exit"}
"""What can be said of an image."""
DEFAULT = Behaviour()
ABSENT = Behaviour(exists=False)

BOOTCAMP = ("docker.io/jocatalin/kubernetes-bootcamp", "gcr.io/google-samples/kubernetes-bootcamp")
"""Repositories of which only `BOOTCAMP_TAGS` exist, as in the tutorial that they belong to."""
BOOTCAMP_TAGS = ("v1", "v2")
STEERED = ("docker.io/library/hello", "docker.io/jocatalin/kubernetes-bootcamp")
"""Repositories whose program is steered by environment variables."""


@dataclass(frozen=True)
class Image:
    """A parsed image name: `name` is its full form, `repository` that of the short one."""

    name: str
    full_repository: str
    repository: str
    tag: str

    @cached_property
    def id(self) -> str:
        """What a container's imageID says."""
        return self.name if "@" in self.name else f"{self.full_repository}@sha256:{_digest(self.name)}"

    @property
    def runs_as_root(self) -> bool:
        """Whether it is known to name no other user; of all others it is taken that they do."""
        return self.full_repository in STEERED

    @cached_property
    def size(self) -> int:
        """Its size in bytes: between 5 and 50 MB, by its name."""
        return 5_000_000 + int(_digest(self.name)[:8], 16) % 45_000_000

    @cached_property
    def not_found(self) -> str:
        """What containerd says when the registry does not have it."""
        return (
            f'rpc error: code = NotFound desc = failed to pull and unpack image "{self.name}": '
            f'failed to resolve reference "{self.name}": {self.name}: not found'
        )


class InvalidImageName(ValueError):  # noqa: N818 - Kubernetes' name of it
    """An image name that cannot be parsed; the message is the kubelet's."""


_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_PATH = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_DOMAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]+)?")
_TAG = re.compile(r"[\w][\w.-]{0,127}", re.ASCII)


@lru_cache(4096)
def parse_image(text: str) -> Image:
    """The image of that name. Raises InvalidImageName.

    github.com/distribution/reference ParseNormalizedNamed, TagNameOnly
    """
    name, _, digest = text.partition("@")
    head, slash, rest = name.rpartition("/")
    rest, colon, tag = rest.partition(":")
    short = head + slash + rest
    first, slash, path = short.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost" or first != first.lower()):
        domain = first
    else:
        domain, path = "docker.io", short if slash else f"library/{short}"
    if not _PATH.fullmatch(path) or not _DOMAIN.fullmatch(domain) or (colon and not _TAG.fullmatch(tag)):
        lower = _PATH.fullmatch(path.lower()) is not None and path != path.lower()
        why = f": repository name ({path}) must be lowercase" if lower else ""
        raise InvalidImageName(
            f'Failed to apply default image tag "{text}": couldn\'t parse image name "{text}": '
            f"invalid reference format{why}"
        )
    full = f"{domain}/{path}"
    if digest:
        return Image(f"{full}@{digest}", full, short, tag or digest.partition(":")[2][:12])
    return Image(f"{full}:{tag or 'latest'}", full, short, tag or "latest")


class Images:
    """What is known of images: how they behave, and which are on which node."""

    def __init__(self) -> None:
        self._said: dict[str, Behaviour] = {}
        self._tags: dict[str, tuple[str, ...]] = dict.fromkeys(BOOTCAMP, BOOTCAMP_TAGS)
        """Repositories of which only these tags exist."""
        self._loaded: set[str] = set()
        """Images that were put on the nodes and are in no registry."""
        self._everywhere: set[str] = set()
        self._on_node: set[tuple[str, str]] = set()
        self._listeners: list[Callable[[str], object]] = []

    def behave(self, image: str, **changes: Any) -> None:
        """From now on pulls and containers of the image behave so; keywords are `Behaviour`'s.

        Containers that already run behave as if it had been said before their start; what would have
        happened meanwhile happens now. What was said of the image before stays where it is not changed.
        An image that is said not to exist, or to take time to pull, has to be pulled again by every node.
        """
        if unknown := sorted(changes.keys() - FIELDS):
            raise UsageError(
                f'image "{image}" cannot behave so: unknown {", ".join(unknown)}; '
                f"known are {', '.join(sorted(FIELDS))}"
            )
        name = parse_image(image).name
        self._said[name] = replace(self._said.get(name, DEFAULT), **changes)
        self._changed(name, pulls="exists" in changes or "pull_seconds" in changes)

    def forget(self) -> None:
        """From now on images behave as those of which nothing was said; every node has to pull them again."""
        names, self._said = list(self._said), {}
        self._on_node = {entry for entry in self._on_node if entry[1] not in names}
        for name in names:
            for listener in self._listeners:
                listener(name)

    def say_again(self, image: str, said: Mapping[str, Any] | None) -> None:
        """From now on the image behaves so, else as others do; None: nothing is said of it any more."""
        name = parse_image(image).name
        before = self._said.pop(name, DEFAULT)
        after = DEFAULT if said is None else replace(DEFAULT, **said)
        if said is not None:
            self._said[name] = after
        pulls = (before.exists, before.pull_seconds) != (after.exists, after.pull_seconds)
        self._changed(name, pulls=pulls)

    def _changed(self, name: str, *, pulls: bool) -> None:
        """Tells those who listen; `pulls`: every node has to pull the image again."""
        self._loaded.discard(name)
        if pulls:
            self._everywhere.discard(name)
            self._on_node = {entry for entry in self._on_node if entry[1] != name}
        for listener in self._listeners:
            listener(name)

    def said_of(self, image: str) -> dict[str, Any] | None:
        """What is not as it is by default; None where nothing was said of it."""
        said = self._said.get(parse_image(image).name)
        if said is None:
            return None
        told = {field.name: getattr(said, field.name) for field in fields(said)}
        return {name: value for name, value in told.items() if value != getattr(DEFAULT, name)}

    def said(self) -> Mapping[str, Behaviour]:
        """What was said, by the full names of the images."""
        return self._said

    def of(self, image: str, env: Mapping[str, str] | None = None) -> Behaviour:
        """How a container of that image with that environment behaves."""
        parsed = parse_image(image)
        behaviour = self._said.get(parsed.name)
        if behaviour is None:
            tags = self._tags.get(parsed.full_repository)
            behaviour = DEFAULT if tags is None or parsed.tag in tags else ABSENT
        if env and parsed.full_repository in STEERED:
            return _steered(behaviour, env)
        return behaviour

    def preload(self, image: str) -> None:
        """Lets every node have the image, so that nobody has to pull it."""
        self._everywhere.add(parse_image(image).name)

    def load(self, image: str) -> None:
        """Lets every node have an image that no registry has, as `kind load` does."""
        self.preload(image)
        self._loaded.add(parse_image(image).name)

    def restrict(self, repository: str, tags: tuple[str, ...]) -> None:
        """Lets only those tags of a repository exist, unless something is said of another."""
        self._tags[parse_image(repository).full_repository] = tags

    def is_in_registry(self, image: str) -> bool:
        """Whether a node could pull it."""
        return self.of(image).exists and parse_image(image).name not in self._loaded

    def pulled(self, image: str, node: str) -> None:
        """Notes that the node has pulled the image."""
        self._on_node.add((node, parse_image(image).name))

    def is_present(self, image: str, node: str) -> bool:
        """Whether the node has the image."""
        name = parse_image(image).name
        return name in self._everywhere or (node, name) in self._on_node

    def on_change(self, listener: Callable[[str], object]) -> None:
        """Calls the listener with the full name of each image about which something is said."""
        self._listeners.append(listener)


_DURATION = re.compile(r"(?:([0-9.]+)h)?(?:([0-9.]+)m)?(?:([0-9.]+)s)?(?:([0-9.]+)ms)?")


def seconds(text: str) -> float:
    """The seconds that a text such as `5s`, `1m30s`, `500ms` or `5` names. Raises ValueError."""
    try:
        return float(text)
    except ValueError:
        found = _DURATION.fullmatch(text)
        if not text or found is None:
            raise ValueError(f'"{text}" is not a duration') from None
        return sum(
            float(number) * unit
            for number, unit in zip(found.groups(), (3600, 60, 1, 0.001), strict=True)
            if number
        )


def _yes(text: str) -> bool:
    return text in ("1", "t", "T", "true", "TRUE", "True")


_BY_VARIABLE: dict[str, tuple[str, Callable[[str], Any]]] = {
    "PORT": ("port", int),
    "VERSION": ("version", str),
    "MESSAGE": ("answer_text", str),
    "STARTUP_DELAY": ("listen_after", seconds),
    "READY_AFTER": ("ready_after", seconds),
    "FAIL_READY": ("never_ready", _yes),
    "FAIL_READY_AFTER": ("fails_readiness_after", seconds),
    "FAIL_LIVE_AFTER": ("fails_liveness_after", seconds),
    "HANG_AFTER": ("hangs_after", seconds),
    "RESPONSE_DELAY": ("answer_seconds", seconds),
    "EXIT_AFTER": ("crash_after", seconds),
    "EXIT_CODE": ("exit_code", int),
    "SHUTDOWN_DELAY": ("stop_seconds", seconds),
    "IGNORE_TERM": ("ignores_sigterm", _yes),
}


def _steered(behaviour: Behaviour, env: Mapping[str, str]) -> Behaviour:
    """The behaviour as the environment changes it; a value that cannot be read ends the program at once."""
    changes: dict[str, Any] = {}
    for variable, text in env.items():
        if text and (known := _BY_VARIABLE.get(variable)) is not None:
            try:
                changes[known[0]] = known[1](text)
            except ValueError:
                return replace(behaviour, crash_after=0.0, exit_code=1)
    if "crash_after" in changes:
        changes["was_told_to_exit"] = True
    return replace(behaviour, **changes) if changes else behaviour


@lru_cache(1024)
def _digest(name: str) -> str:
    return sha256(name.encode()).hexdigest()
