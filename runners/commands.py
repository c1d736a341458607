"""Commands that scenarios run: real kubectl and helm, against the cluster of the scenario and no other.

A command line is taken apart as a shell does, but there is no shell. The command gets a kubeconfig and a home
of its own, and of the environment only where programs are and which language is spoken.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

from gherkube.runners.errors import CannotJudge, UsageError
from gherkube.runners.settings import duration

TOOLS = ("kubectl", "helm", "kustomize")
ELSEWHERE = frozenset(
    {
        *("--kubeconfig", "--context", "--cluster", "--user", "--server", "-s", "--token"),
        *("--kube-context", "--kube-apiserver", "--kube-token"),
    }
)
"""Options that would lead to another cluster than that of the scenario."""
KEPT = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT")
"""What of the environment a command sees."""
SHOWN = 20
"""How many lines of what a command printed a message shows."""
LONGER = 60.0
"""Seconds that a command may take beyond a time-out that it was given."""


class Command(NamedTuple):
    """A command that was run: its exit code (None: it did not end), and all that it printed."""

    line: str
    code: int | None
    output: str

    @property
    def said(self) -> str:
        """The end of what it printed, for a message."""
        lines = self.output.strip().splitlines()
        left_out = len(lines) - SHOWN
        return (
            "\n".join(lines if left_out <= 1 else [f"… {left_out} lines …", *lines[-SHOWN:]]) or "no output"
        )


class Program(NamedTuple):
    """What is to be run: program and arguments, where, and in which environment."""

    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    kubeconfig: Path

    def use(self, kubeconfig: str) -> None:
        """Writes the kubeconfig that the command finds."""
        self.kubeconfig.write_text(kubeconfig)


@runtime_checkable
class Reachable(Protocol):
    """A cluster that other programs can reach."""

    def kubeconfig(self, namespace: str) -> str:
        """The text of a kubeconfig for it, in which that namespace is meant where none is named."""


def split(line: str) -> list[str]:
    """The words of a command line. Raises UsageError for what no shell is there to do, and other programs."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    try:
        words = list(lexer)
    except ValueError as error:
        raise UsageError(f"`{line}` is no command line: {error}") from None
    if not words or words[0] not in TOOLS:
        raise UsageError(f"`{line}` cannot be run: a command is one of {', '.join(TOOLS)}")
    if wrong := next((word for word in words if re.fullmatch(r"[();<>|&]+", word)), None):
        raise UsageError(
            f"`{line}`: there is no shell that would know what {wrong} means: run one command, "
            "and put in quotes what is meant as it stands"
        )
    if wrong := next((word for word in words if word.partition("=")[0] in ELSEWHERE), None):
        raise UsageError(f"`{line}`: the command speaks to the cluster of the scenario: leave out {wrong}")
    return words


def run(cluster: Any, words: Sequence[str], *, namespace: str, folder: Path, within: float) -> Command:
    """Runs a command against the cluster for `within` seconds of its time, or its own time-out, at most.

    On the simulator virtual time passes for both. CannotJudge when the program, or a way to the cluster, is
    not there.
    """
    from gherkube.runners.simulator.cluster import Simulator

    within = max(within, _time_out(words) + LONGER)
    if isinstance(cluster, Simulator):
        from gherkube.runners.simulator.server.commands import run as run_on_simulator

        with program(words, folder) as prepared:
            code, output = run_on_simulator(cluster, prepared, namespace=namespace, within=within)
    elif isinstance(cluster, Reachable):
        with program(words, folder) as prepared:
            prepared.use(cluster.kubeconfig(namespace))
            code, output = _run(prepared, within)
    else:
        raise CannotJudge(f"`{shlex.join(words)}` cannot be run on {cluster.name}")
    return Command(shlex.join(words), code, output)


def build(words: Sequence[str], folder: Path) -> str:
    """What a command prints that needs no cluster. UsageError with what it says when it fails."""
    with program(words, folder) as prepared:
        done = subprocess.run(
            prepared.command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd=prepared.folder,
            env=prepared.environment,
            check=False,
        )
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise UsageError(f"`{shlex.join(words)}` fails: {said}")
    return done.stdout.decode("utf-8", "replace")


@contextmanager
def program(words: Sequence[str], folder: Path) -> Iterator[Program]:
    """What is run for these words, in surroundings that are gone afterwards. Raises CannotJudge."""
    found = find(words[0])
    with tempfile.TemporaryDirectory(prefix="gherkube-", ignore_cleanup_errors=True) as home:
        kubeconfig = Path(home, "kubeconfig")
        own = {
            "HOME": home,
            "TMPDIR": home,
            "KUBECONFIG": str(kubeconfig),
            "NO_COLOR": "1",
            "GOMAXPROCS": "1",
        }
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        yield Program([found, *words[1:]], folder.absolute(), {**kept, **own}, kubeconfig)


def is_there(tool: str) -> bool:
    """Whether the program is there."""
    try:
        find(tool)
    except CannotJudge:
        return False
    return True


def find(tool: str) -> str:
    """Where the program is: GHERKUBE_KUBECTL and the like name it, else PATH. Raises CannotJudge."""
    variable = f"GHERKUBE_{tool.upper()}"
    asked = os.environ.get(variable, "")
    found = shutil.which(asked or tool)
    if found is None and asked:
        raise CannotJudge(f"{variable} says {asked!r}, which is no program")
    if found is None:
        raise CannotJudge(
            f"there is no {tool} here: install it, or say with {variable} where it is; "
            "the sentence runs the real one"
        )
    return os.path.realpath(found)


def _time_out(words: Sequence[str]) -> float:
    """The time-out that the command is given, in seconds; 0 when there is none."""
    for word, after in zip(words, [*words[1:], ""], strict=True):
        name, equals, value = word.partition("=")
        if name in ("--timeout", "--request-timeout"):
            value = value if equals else after
            try:
                return float(value) if re.fullmatch(r"\d+", value) else duration(value)
            except UsageError:  # the command says what is wrong with it
                return 0.0
    return 0.0


def _run(prepared: Program, within: float) -> tuple[int | None, str]:
    with tempfile.TemporaryFile() as output:
        try:
            code = subprocess.run(
                prepared.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=prepared.folder,
                env=prepared.environment,
                timeout=within,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            code = None
        output.seek(0)
        return code, output.read().decode("utf-8", "replace")
