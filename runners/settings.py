"""What a project says once: `gherkube.toml`, or `[tool.gherkube]` in pyproject.toml.

    steps = ["acme.rollout_steps"]   # modules with own steps, beside those in conftest.py
    seed = 7                         # of the simulator's chance; 1 unless said
    patience = "5m"                  # how long a Then without a time phrase waits
    [variables]                      # what ${NAME} stands for in features and manifests
    VERSION = "v2"
    [targets.staging]                # a live cluster, and what may be done to it: see `target`
    context = "staging-admin"
    [kind]                           # clusters that are made for a run: see `kind.settings`
    nodes = 3

The command line beats the settings. Whatever else stands there is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from gherkube.runners.errors import UsageError
from gherkube.runners.kind.settings import KindSettings, read_kind
from gherkube.runners.target import Target, read_targets

FILE = "gherkube.toml"
SEED = 1
PATIENCE = 300.0


class Settings(NamedTuple):
    """What a run goes by; `patience` in seconds, `file` where it was said (None: nowhere)."""

    seed: int = SEED
    patience: float = PATIENCE
    steps: tuple[str, ...] = ()
    variables: Mapping[str, str] = {}
    targets: Mapping[str, Target] = {}
    kind: KindSettings = KindSettings()
    file: Path | None = None

    def with_(
        self,
        *,
        seed: int | None = None,
        patience: float | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> Settings:
        """These settings, but for what was said on the command line."""
        return self._replace(
            seed=self.seed if seed is None else seed,
            patience=self.patience if patience is None else patience,
            variables={**self.variables, **(variables or {})},
        )


def find(starts: Iterable[Path]) -> Path | None:
    """The settings' file nearest above the first of these folders that has one above it."""
    seen: set[Path] = set()
    for start in starts:
        for folder in (start, *start.parents):
            if folder in seen:
                break
            seen.add(folder)
            if (file := folder / FILE).is_file():
                return file
            if (file := folder / "pyproject.toml").is_file() and b"tool.gherkube" in file.read_bytes():
                return file
    return None


def load(file: Path) -> Settings | None:
    """Reads the settings; None when a pyproject.toml turns out to have none. Raises UsageError."""
    import tomllib

    try:
        text = file.read_text("utf-8")
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: not TOML: {error}") from None
    if file.name != FILE:
        table = table.get("tool", {}).get("gherkube")
        if table is None:
            return None
    found: dict[str, Any] = {}
    for key, value in table.items():
        place = f"{file}:{_line(text, key)}"
        if key not in READERS:
            raise UsageError(f"{place}: unknown setting {key!r}; the settings are {', '.join(READERS)}")
        try:
            found[key] = READERS[key](value)
        except UsageError as error:
            raise UsageError(f"{place}: {key}: {error}") from None
    if "kind" in found:
        found["kind"] = found["kind"].at(file.parent)
    return Settings(file=file, **found)


def duration(text: str) -> float:
    """Seconds of a duration such as `5m`, `1m30s`, `90s`, `500ms`. Raises UsageError, also for zero."""
    parts = re.fullmatch(r"\s*((?:\d+(?:\.\d+)?(?:ms|h|m|s)\s*)+)", text)
    if parts is None:
        raise UsageError(f"{text!r} is no duration; write it as 5m, 1m30s or 90s")
    units = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
    seconds = sum(float(n) * units[unit] for n, unit in re.findall(r"([\d.]+)(ms|h|m|s)", parts[1]))
    if not seconds:
        raise UsageError(f"{text!r} is no time; it must be more than zero")
    return seconds


def variable(text: str) -> tuple[str, str]:
    """Name and value of NAME=VALUE. Raises UsageError."""
    name, equals, value = text.partition("=")
    if not equals or not NAME.fullmatch(name):
        raise UsageError(f"{text!r} is not NAME=VALUE, where NAME is letters, digits and _")
    return name, value


NAME = re.compile(r"[A-Za-z_]\w*")


def _steps(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
        raise UsageError('a list of modules is needed, as in ["my_steps"]')
    return tuple(value)


def _seed(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise UsageError("a whole number from 0 on is needed")
    return value


def _patience(value: Any) -> float:
    if not isinstance(value, str):
        raise UsageError('a duration in quotes is needed, as in "5m"')
    return duration(value)


def _variables(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise UsageError('a table is needed, as in [variables] with NAME = "value" below it')
    for name, each in value.items():
        if not NAME.fullmatch(name) or not isinstance(each, str):
            raise UsageError(f'{name!r} must be a name whose value stands in quotes, as in VERSION = "v2"')
    return value


READERS = {
    "steps": _steps,
    "seed": _seed,
    "patience": _patience,
    "variables": _variables,
    "targets": read_targets,
    "kind": read_kind,
}


def _line(text: str, key: str) -> int:
    """The line on which a key is set, or its table begins."""
    name = re.escape(key)
    pattern = rf"^[ \t]*(?:[\"']?{name}[\"']?\s*[=.]|\[\[?\s*(?:tool\.gherkube\.)?[\"']?{name}[\"']?\s*[.\]])"
    found = re.search(pattern, text, re.MULTILINE)
    return text.count("\n", 0, found.start()) + 1 if found else 1
