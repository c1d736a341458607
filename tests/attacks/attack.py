"""An attack as its folder tells it, and the commands that run it. README.md has the format."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, NamedTuple

import yaml

HERE = Path(__file__).parent
OUTCOMES = {
    *("failed", "cannot be run", "cannot be judged", "not run", "skipped", "internal error"),
    *("failed as expected", "nothing selected", "passed"),
}
COMMANDS = {
    "run": (
        *("-c", "from gherkube.runners.cli.main import main; main()"),
        *("run", "--junit={out}/own.xml", "--report={out}/report"),
    ),
    "pytest": ("-m", "pytest", "-rA", "--junitxml={out}/own.xml", "--gherkube-report={out}/report"),
}
COMMANDS["xdist"] = (*COMMANDS["pytest"], "-n", "1")
"""The ways of running: what follows `python` in each."""


class AttackError(Exception):
    """An attack.yaml that does not say what it must, or says what nobody reads."""


@dataclass(frozen=True, slots=True)
class Attack:
    """What is attacked, how it is run, and what must come of it."""

    what: str
    outcome: str
    exit: int | None = None
    says: tuple[str, ...] = ()
    never_says: tuple[str, ...] = ()
    others: Mapping[str, str] = field(default_factory=dict)
    paths: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    setup: str = ""
    signal: str = ""
    ways: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


class Ended(NamedTuple):
    """A command that has ended: its exit code, what it printed, and the folder of its files."""

    code: int
    text: str
    out: Path


KINDS = {"what": str, "outcome": str, "exit": int, "setup": str, "signal": str}
KINDS |= {"says": list, "never_says": list, "paths": list, "arguments": list}
KINDS |= {"others": dict, "environment": dict, "ways": dict}
REQUIRED = {"what", "outcome", "exit"}
OF_A_WAY = {"outcome", "exit", "says", "never_says", "others", "paths", "arguments", "environment"}


def names() -> list[str]:
    """All attacks: the names of their folders."""
    return sorted(path.parent.name for path in HERE.glob("*/attack.yaml"))


def load(folder: Path, way: str) -> Attack:
    """The attack of a folder, as it is for one way of running it. Raises AttackError."""
    raw = yaml.safe_load((folder / "attack.yaml").read_text(encoding="utf-8"))
    where = f"{folder.name}/attack.yaml"
    _check(raw, where, {each.name for each in fields(Attack)})
    if missing := REQUIRED - raw.keys():
        raise AttackError(f"{where}: {', '.join(sorted(missing))} is missing")
    for name, overrides in raw.get("ways", {}).items():
        if name not in COMMANDS:
            raise AttackError(f"{where}: {name!r} is no way of running; there are {', '.join(COMMANDS)}")
        _check(overrides, f"{where}: ways: {name}", OF_A_WAY)
    said = {name: tuple(value) if isinstance(value, list) else value for name, value in raw.items()}
    attack = Attack(**said)
    if way != "run" and "exit" in said and "exit" not in raw.get("ways", {}).get(way, {}):
        attack = replace(attack, exit=None if attack.exit else 0)  # pytest's own code, but not 0
    for name, value in raw.get("ways", {}).get(way, {}).items():
        attack = replace(attack, **{name: tuple(value) if isinstance(value, list) else value})
    return attack


def _check(raw: Any, where: str, known: set[str]) -> None:
    if not isinstance(raw, dict):
        raise AttackError(f"{where}: a mapping is needed")
    for name, value in raw.items():
        if name not in known:
            raise AttackError(f"{where}: unknown key {name!r}; known are {', '.join(sorted(known))}")
        if not isinstance(value, KINDS[name]) or isinstance(value, bool):
            raise AttackError(f"{where}: {name}: a {KINDS[name].__name__} is needed")
    for outcome in (raw.get("outcome", "passed"), *raw.get("others", {}).values()):
        if outcome not in OUTCOMES:
            raise AttackError(
                f"{where}: unknown outcome {outcome!r}; known are {', '.join(sorted(OUTCOMES))}"
            )


def run(attack: Attack, folder: Path, way: str, at: Path) -> Ended:
    """Runs a copy of the attack's folder below `at`, as a user would from a shell."""
    project, out = at / "project", at / "out"
    shutil.copytree(folder, project, symlinks=True)
    out.mkdir()
    (project / "attack.yaml").unlink()
    (project / "gherkube.toml").touch()
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "COLUMNS"))}
    environment = {**kept, "COLUMNS": "200", **attack.environment}
    if attack.setup:
        subprocess.run([sys.executable, attack.setup], cwd=project, env=environment, check=True)
        (project / attack.setup).unlink()
    command = [part.replace("{out}", str(out)) for part in COMMANDS[way]]
    if way != "run":
        command += ["-p", "no:cacheprovider", "-p", "no:hypothesispytest"]  # the latter for speed
    pipe = -1
    if attack.signal:
        os.mkfifo(project / "ready")
        pipe = os.open(project / "ready", os.O_RDWR)
    with (
        (out / "terminal").open("wb") as terminal,
        subprocess.Popen(
            [sys.executable, *command, *attack.arguments, *attack.paths],
            cwd=project,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=terminal,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as running,
    ):
        try:
            if attack.signal:
                _send(attack.signal, running, pipe)
                os.close(pipe)
            running.wait(600)
        finally:
            if running.poll() is None:
                os.killpg(running.pid, signal.SIGKILL)
    return Ended(running.returncode, (out / "terminal").read_text("utf-8", "replace"), out)


def _send(name: str, running: subprocess.Popen[bytes], pipe: int) -> None:
    """Sends a signal as soon as a step writes to the pipe: ^C to all processes, others to the first."""
    if not select.select([pipe], [], [], 600)[0]:
        raise AttackError("no step wrote to the pipe “ready” within ten minutes")
    send = os.killpg if name == "SIGINT" else os.kill
    send(running.pid, getattr(signal, name))
