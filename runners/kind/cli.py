"""The program kind: makes and removes clusters. Found on PATH, or named in the settings or by GHERKUBE_KIND.

It never gets to see the user's kubeconfig. What it says while it works tells how far it is.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from gherkube.runners.errors import CannotJudge, UsageError

OLDEST = (0, 20, 0)
GET = "https://kind.sigs.k8s.io/docs/user/quick-start/#installation"
ANSWERS_WITHIN = 60.0
"""Seconds for what should take one."""
DELETES_WITHIN = 180.0
ENDS_WITHIN = 5.0
"""Seconds that a program that was told to end has for it."""
LOOK = 0.2
"""Seconds between two looks at what a program has said."""

Say = Callable[[str], object]
"""Told what is being done, in a few words; again and again, also when it has not changed."""


class KindFailed(CannotJudge):
    """The program could not do what it was to do."""


class Kind(NamedTuple):
    """The program, at its full path. `kubeconfig`: the file that it may write where a call names none."""

    program: str
    kubeconfig: Path

    def version(self) -> str:
        """As in `v0.30.0`. Raises UsageError when it is too old for what is asked of it, or no kind."""
        said = self._ask("version", within=ANSWERS_WITHIN)
        found = re.search(r"v(\d+)\.(\d+)\.(\d+)\S*", said)
        if found is None:
            raise UsageError(f"{self.program} is not kind: `kind version` says {said.strip()[:80]!r}")
        if tuple(map(int, found.groups())) < OLDEST:
            oldest = ".".join(map(str, OLDEST))
            raise UsageError(f"{self.program} is kind {found[0]}; v{oldest} or newer is needed: see {GET}")
        return found[0]

    def clusters(self) -> list[str]:
        """The names of all clusters that are there, whoever made them."""
        return self._ask("get", "clusters", within=ANSWERS_WITHIN).split()

    def delete(self, name: str) -> None:
        """Removes a cluster; nothing happens where there is none of that name."""
        command = ("delete", "cluster", "--name", name, "--kubeconfig", str(self.kubeconfig))
        self._ask(*command, within=DELETES_WITHIN)

    def create(
        self, name: str, config: str, kubeconfig: Path, *, within: float, say: Say, holding: int, pid: Path
    ) -> None:
        """Makes a cluster of that configuration (YAML). Raises KindFailed, and then some of it may be there.

        `holding`: a descriptor that kind keeps open as long as it works, whatever becomes of this process.
        `pid`: the file that gets the number of its process, before it does anything.
        """
        first = ["/bin/sh", "-c", 'echo $$ >"$0" && exec "$@"', str(pid)]
        command = [*first, self.program, "create", "cluster", "--name", name, "--config", "-", "--wait", "0s"]
        log = kubeconfig.with_suffix(".log")
        with log.open("w+b") as output:
            started = subprocess.Popen(
                [*command, "--kubeconfig", str(kubeconfig)],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._environment(),
                start_new_session=True,  # ^C is told to kind by us, who know what is to be removed
                pass_fds=(holding,),
            )
            try:
                assert started.stdin is not None
                with suppress(BrokenPipeError):
                    started.stdin.write(config.encode())
                    started.stdin.close()
                self._follow(started, log, within, say)
            finally:
                end(started.pid, started)
                pid.unlink(missing_ok=True)
        if started.returncode:
            raise KindFailed(_failure(log.read_text("utf-8", "replace"), started.returncode))

    def _follow(self, started: subprocess.Popen[bytes], log: Path, within: float, say: Say) -> None:
        until = time.monotonic() + within
        while started.poll() is None:
            doing = _doing(log.read_text("utf-8", "replace"))
            say(doing)
            if time.monotonic() > until:
                raise KindFailed(
                    f"kind took longer than {within:g} s to make the cluster (it was at: {doing}); give it "
                    "longer with create-within in [kind] of the settings, or look with `gherkube doctor`"
                )
            with suppress(subprocess.TimeoutExpired):
                started.wait(LOOK)

    def _ask(self, *command: str, within: float) -> str:
        words = f"`kind {' '.join(command[:2])}`"
        try:
            done = subprocess.run(
                [self.program, *command],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                env=self._environment(),
                start_new_session=True,
                timeout=within,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise KindFailed(f"{words} has not ended within {within:g} s") from None
        except OSError as error:
            raise UsageError(f"{self.program} cannot be run: {error.strerror}") from None
        if done.returncode:
            raise KindFailed(_failure(done.stderr.decode("utf-8", "replace"), done.returncode, words))
        return done.stdout.decode("utf-8", "replace")

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "KUBECONFIG": str(self.kubeconfig), "NO_COLOR": "1"}


def find(named: str, kubeconfig: Path) -> Kind:
    """The program. Raises UsageError, with how to get it."""
    asked = named or os.environ.get("GHERKUBE_KIND", "")
    found = shutil.which(asked or "kind")
    if found is None and asked:
        raise UsageError(f"the settings, or GHERKUBE_KIND, name {asked!r} as kind, and it is no program")
    if found is None:
        raise UsageError(
            f"there is no kind here, which makes the clusters: install it ({GET}), or name it with "
            "kind in [kind] of the settings"
        )
    return Kind(os.path.realpath(found), kubeconfig)


def end(pid: int, process: subprocess.Popen[bytes] | None = None) -> None:
    """Ends a program that leads a session, and what it has started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        until = time.monotonic() + ENDS_WITHIN
        while _is_there(pid, process) and time.monotonic() < until:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, number)
            time.sleep(LOOK / 4)


def _is_there(pid: int, process: subprocess.Popen[bytes] | None) -> bool:
    if process is not None:
        return process.poll() is None
    try:
        os.killpg(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _doing(log: str) -> str:
    """What kind is at, in its own words: the last line that begins with a bullet."""
    lines = re.findall(r"^ *[•✓✗] *([^\n\r]+)", log, re.MULTILINE)
    words = re.sub(r"[^\w\s:./≤=,()@-]", "", lines[-1]).strip() if lines else ""
    return words.rstrip(" .") or "starting kind"


def _failure(log: str, code: int, words: str = "`kind create cluster`") -> str:
    """Why it failed, in its own words."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    why = next((line for line in lines if line.startswith("ERROR:")), " ".join(lines[-2:]))
    more = next((line for line in lines if line.startswith("Command Output:")), "")
    said = " ".join([why.removeprefix("ERROR:").strip(), more]).strip() or "it said nothing"
    return f"{words} failed (exit code {code}): {said[:600]}; `gherkube doctor` looks at what it needs"
