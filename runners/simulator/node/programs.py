"""What a container's own command says of its program, where the image says nothing.

A command of a few words that only waits and ends (`sleep 30`, `sh -c 'echo hello; exit 1'`) is known by what
it does. Whatever else a container is told to run behaves as its image does.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from math import inf
from typing import NamedTuple

from gherkube.runners.objects import Object
from gherkube.runners.simulator.node.application import Files
from gherkube.runners.simulator.node.busybox import why_not
from gherkube.runners.simulator.node.configuration import literal_env
from gherkube.runners.simulator.node.images import DEFAULT, STEERED, Behaviour, Images, parse_image, seconds

SHELLS = frozenset({"sh", "bash", "ash", "dash"})
SUCCEEDS = frozenset({"true", ":", "echo", "printf", "date", "touch", "rm", "mkdir", "dd"})
FAILS = frozenset({"false"})
ALL_MEMORY = 1 << 60
DD_SIZE, DD_UNITS = re.compile(r"bs=(\d+)([kMG]?)"), {"": 1, "k": 1 << 10, "M": 1 << 20, "G": 1 << 30}
SEPARATORS, TO_ERRORS = re.compile(r"\s*(;|&&|\n)\s*"), re.compile(r"\s*1?>&2$")
EMPTY = ("",)
VARIABLE = re.compile(r"\$\((\w+)\)|\$\{(\w+)\}|\$(\w+)")
NOTE = " > /dev/termination-log"
COMMANDS: dict[str, list[str]] = {"busybox": ["sh"], "alpine": ["/bin/sh"]}
"""What images run that are no servers, by the last part of their names."""
HOSTNAME_SERVER = "serve-hostname"
"""What makes Kubernetes' test image agnhost answer requests with the pod's name. test/images/agnhost"""


NOT_STARTED = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: "
    "runc create failed: unable to start container process"
)
"""How containerd begins to say that a command cannot be started."""


class Course(NamedTuple):
    """What a command does: it ends after so many seconds with that code. The rest is of its way there.

    `lines`: what it prints; `files`: which files come to be (True) and go; each with its second.
    `memory`: the bytes that it takes at one go, and the second of that. `message`: what it leaves behind.
    """

    seconds: float
    code: int
    lines: tuple[tuple[float, str], ...] = ()
    files: Files = ()
    memory: tuple[int, float] = (0, 0.0)
    message: str = ""


class Look(NamedTuple):
    """A command that only looks whether a file is there, and what it says when not."""

    file: str
    complaint: str


class Program(NamedTuple):
    """What a container is told to run, as far as its spec says.

    `course`: what its command does, None where that is not known. `files`: which files that makes and
    removes; None where nothing is known of its files. `fault`: why the runtime cannot start the command;
    "" where it can, or that is not known. `message`: that of its end. `tells_pod`: it answers requests with
    the pod's name.
    """

    course: Course | None
    files: Files | None
    fault: str
    message: str
    tells_pod: bool


def program_of(container: Object) -> Program:
    """What the container is told to run."""
    argv = _argv(container)
    course = course_of(argv)
    fault = why_not_there(container, container.get("command", ()))
    return Program(
        course,
        _files_of(container, course),
        f"{NOT_STARTED}: {fault}: unknown" if fault else "",
        _last_words(container, course),
        HOSTNAME_SERVER in argv[:2] and _repository(container) == "agnhost",
    )


def behaviour_of(images: Images, name: str, program: Program, env: Mapping[str, str], pod: str) -> Behaviour:
    """How a container behaves: as is said of its image, as its command says, or as the image's program.

    `name`: that of the image; `pod`: that of the pod.
    """
    image = images.of(name)
    if image is DEFAULT:
        if program.course is not None:
            return _running(program.course)
        if program.tells_pod:
            return replace(image, answer_text=pod)
    return images.of(name, env) if env else image


def _running(course: Course) -> Behaviour:
    return replace(
        DEFAULT,
        listen_after=inf,
        crash_after=course.seconds,
        exit_code=course.code,
        memory=course.memory[0],
        ignores_sigterm=True,
    )


def _files_of(container: Object, course: Course | None) -> Files | None:
    if course is not None:
        return course.files
    return () if parse_image(container["image"]).full_repository in STEERED else None


def _last_words(container: Object, course: Course | None) -> str:
    """The message of its end: what its command leaves behind by its course, or prints if that is asked for.

    pkg/kubelet/kuberuntime/kuberuntime_container.go getTerminationMessage
    """
    if course is None:
        return ""
    logs = container.get("terminationMessagePolicy") == "FallbackToLogsOnError" and course.code
    return course.message or ("".join(f"{text}\n" for _, text in course.lines) if logs else "")


def look_of(argv: Sequence[str]) -> Look | None:
    """The file that a command looks for; None for any other command."""
    if len(argv) == 3 and _name(argv[0]) in SHELLS and argv[1] == "-c":
        argv = _words(argv[2])
    match [_name(argv[0]), *argv[1:]] if argv else []:
        case ["cat", file]:
            return Look(file, f"cat: can't open '{file}': No such file or directory\n")
        case ["ls" | "stat" as name, file]:
            said = f"ls: {file}" if name == "ls" else f"stat: can't stat '{file}'"
            return Look(file, f"{said}: No such file or directory\n")
        case ["test", "-e" | "-f", file] | ["[", "-e" | "-f", file, "]"]:
            return Look(file, "")
    return None


def why_not_there(container: Object, argv: Sequence[str]) -> str:
    """Why a command cannot be run in the container, in runc's words; "" where it can, or nobody knows."""
    return why_not(argv) if argv and parse_image(container["image"]).full_repository in STEERED else ""


def course_of(argv: Sequence[str]) -> Course | None:
    """What a command does; None when that is not known."""
    if not argv:
        return None
    if _name(argv[0]) not in SHELLS:
        return _script([argv])
    if len(argv) == 1:
        return Course(0.0, 0)  # nobody types
    if len(argv) < 3 or not re.fullmatch(r"-[eux]*c", argv[1]):
        return None
    parts = SEPARATORS.split(argv[2].strip())
    return _script([_words(part) for part in parts[::2]], parts[1::2])


def _script(commands: Sequence[Sequence[str]], separators: Sequence[str] = ()) -> Course | None:
    after, code, runs = 0.0, 0, True
    lines: list[tuple[float, str]] = []
    files: list[tuple[float, str, bool]] = []
    memory, message = (0, 0.0), ""
    for words, separator in zip_longest(commands, separators, fillvalue=""):
        if words == EMPTY:
            continue
        found = _statement(words)
        if found is None:
            return None
        if runs:
            if (size := _memory(words)) > memory[0]:
                memory = size, after
            took, code, ends = found
            after += took
            match [_name(words[0]), *words[1:]]:
                case ["echo", *said, ">", "/dev/termination-log"]:
                    message = " ".join(said) + "\n"
                case ["echo", *said]:
                    lines.append((after, " ".join(said)))
                case ["touch" | "rm" as name, *rest]:
                    files += [(after, each, name == "touch") for each in rest if each[0] != "-"]
            if ends:
                break
        runs = separator != "&&" or (runs and code == 0)
    return Course(after, code, tuple(lines), tuple(files), memory, message)


def _memory(words: Sequence[str]) -> int:
    """The bytes that a command takes at one go, as far as its words say."""
    if [_name(words[0]), *words[1:]] == ["tail", "/dev/zero"]:
        return ALL_MEMORY
    sizes = (DD_SIZE.fullmatch(word) for word in words if _name(words[0]) == "dd")
    return sum(int(size[1]) * DD_UNITS[size[2]] for size in sizes if size)


def _statement(words: Sequence[str]) -> tuple[float, int, bool] | None:
    """How long one command takes, its exit code, and whether it ends the script."""
    match [_name(words[0]), *words[1:]] if words else []:
        case ["sleep", text]:
            try:
                return seconds(text), 0, False
            except ValueError:
                return (inf, 0, False) if text in ("inf", "infinity") else None
        case ["while", "true" | ":"] | ["tail", "-f", *_] | ["tail", "/dev/zero"]:
            return inf, 0, True
        case ["exit", text] if text.isdigit():
            return 0.0, int(text) % 256, True
        case ["exit"]:
            return 0.0, 0, True
        case [name, *_] if name in SUCCEEDS | FAILS:
            return 0.0, int(name in FAILS), False
    return None


def _argv(container: Object) -> Sequence[str]:
    """What the container runs, as far as it is known: its command, else that of its image."""
    said = [*container.get("command", ()), *container.get("args", ())]
    if not said:
        return COMMANDS.get(_repository(container), [])
    if any("$" in word for word in said):
        env = literal_env(container)
        said = [
            VARIABLE.sub(lambda found: env.get(found[found.lastindex or 0], found[0]), word) for word in said
        ]
    return said


def _repository(container: Object) -> str:
    return _name(parse_image(container["image"]).repository)


def _words(text: str) -> Sequence[str]:
    """The words of a command; none when the shell would do more than run it."""
    if not text:
        return EMPTY
    text = TO_ERRORS.sub("", text)
    if text.endswith(NOTE):
        return [*_words(text.removesuffix(NOTE)), *NOTE.split()]
    if re.search(r"[$`|<>(){}&*?\[\]]", text):
        return []
    try:
        return shlex.split(text)
    except ValueError:
        return []


def _name(path: str) -> str:
    return path.rpartition("/")[2]
