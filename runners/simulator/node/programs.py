"""What a container's own command says of its program, where the image says nothing.

A command of a few words that only waits and ends (`sleep 30`, `sh -c 'echo hello; exit 1'`) is known by what
it does. Whatever else a container is told to run behaves as its image does.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import replace
from math import inf

from gherkube.runners.objects import Object
from gherkube.runners.simulator.node.images import DEFAULT, Behaviour, parse_image, seconds

SHELLS = frozenset({"sh", "bash", "ash", "dash"})
SUCCEEDS, FAILS = frozenset({"true", ":", "echo", "printf", "date"}), frozenset({"false"})
SEPARATORS = re.compile(r"\s*(;|&&|\n)\s*")
COMMANDS: dict[str, list[str]] = {"busybox": ["sh"], "alpine": ["/bin/sh"]}
"""What images run that are no servers, by the last part of their names."""
HOSTNAME_SERVER = "serve-hostname"
"""What makes Kubernetes' test image agnhost answer requests with the pod's name. test/images/agnhost"""


def behaviour_of(image: Behaviour, container: Object, pod: str) -> Behaviour:
    """The image's behaviour, or that of the container's command; `pod` is the pod's name."""
    repository = _name(parse_image(container["image"]).repository)
    argv = [*container.get("command", ()), *container.get("args", ())] or COMMANDS.get(repository)
    if not argv or image is not DEFAULT:
        return image
    if HOSTNAME_SERVER in argv[:2] and repository == "agnhost":
        return replace(image, answer_text=pod)
    end = _end(argv)
    if end is None:
        return image
    after, code = end
    return replace(image, listen_after=inf, crash_after=after, exit_code=code, ignores_sigterm=True)


def _end(argv: Sequence[str]) -> tuple[float, int] | None:
    """After how many seconds the command ends, and with which code; None when that is not known."""
    if _name(argv[0]) not in SHELLS:
        found = _statement(argv)
        return found[:2] if found else None
    if len(argv) == 1:
        return 0.0, 0  # nobody types
    if len(argv) < 3 or not re.fullmatch(r"-[eux]*c", argv[1]):
        return None
    return _script(argv[2])


def _script(script: str) -> tuple[float, int] | None:
    after, code, runs = 0.0, 0, True
    parts = SEPARATORS.split(script.strip())
    for text, separator in zip(parts[::2], [*parts[1::2], ""], strict=True):
        if not text:
            continue
        found = _statement(_words(text))
        if found is None:
            return None
        if runs:
            took, code, ends = found
            after += took
            if ends:
                break
        runs = separator != "&&" or (runs and code == 0)
    return after, code


def _statement(words: Sequence[str]) -> tuple[float, int, bool] | None:
    """How long one command takes, its exit code, and whether it ends the script."""
    match [_name(words[0]), *words[1:]] if words else []:
        case ["sleep", text]:
            try:
                return seconds(text), 0, False
            except ValueError:
                return (inf, 0, False) if text in ("inf", "infinity") else None
        case ["exit", text] if text.isdigit():
            return 0.0, int(text) % 256, True
        case ["exit"]:
            return 0.0, 0, True
        case [name, *_] if name in SUCCEEDS | FAILS:
            return 0.0, int(name in FAILS), False
    return None


def _words(text: str) -> list[str]:
    """The words of a command; none when the shell would do more than run it."""
    if re.search(r"[$`|<>(){}&*?\[\]]", text):
        return []
    try:
        return shlex.split(text)
    except ValueError:
        return []


def _name(path: str) -> str:
    return path.rpartition("/")[2]
