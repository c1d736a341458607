"""The block that tells a failure: where, what, why, and the command that repeats it.

features/bad-release.feature:9  Then four v2 pods are running
  expected  exactly 4 v2 pods running
  found     3 running
  …
  next      gherkube run features/bad-release.feature:6 --seed 42
"""

from __future__ import annotations

import linecache
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from traceback import walk_tb

from gherkube.runners.errors import ApiError, CannotJudge, GherkubeError, UsageError
from gherkube.runners.expectations.failure import ExpectationFailed

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
CANNOT_JUDGE, UNUSABLE, EXPECTED, NOT_RUN = (
    "cannot be judged",
    "cannot be run",
    "failed as expected",
    "not run",
)

_LABELS: tuple[tuple[type[GherkubeError], str], ...] = (
    (CannotJudge, "cannot be judged here:"),
    (UsageError, "cannot be run:"),
    (ApiError, "refused "),
)


def outcome_of(error: BaseException) -> str:
    """What a scenario's outcome is when this ended it."""
    if isinstance(error, CannotJudge):
        return CANNOT_JUDGE
    return UNUSABLE if isinstance(error, UsageError) else FAILED


def block(head: str, error: BaseException, repeat: str) -> str:
    """The block of an error; `head` is the place and sentence, `repeat` the command that repeats it."""
    return "\n".join([head, *_told(error), f"  next      {repeat}"])


def _told(error: BaseException) -> Iterator[str]:
    if isinstance(error, ExpectationFailed):
        yield from error.failure.lines()
        return
    label = next((label for kind, label in _LABELS if isinstance(error, kind)), "refused ")
    if isinstance(error, GherkubeError):
        yield from _indented(label, str(error))
        return
    yield from _indented("raised  ", _words(error))
    at = "at      "
    for place, code in frames(error):
        yield from _indented(at, place)
        yield f"              {code}"
        at = "        "


def _words(error: BaseException) -> str:
    text = str(getattr(error, "msg", None) or error).strip()
    name = type(error).__name__
    if name == "Failed":  # pytest.fail
        return text
    return f"{name}: {text}" if text else name


def _indented(label: str, text: str) -> Iterator[str]:
    first, *others = text.splitlines() or [""]
    yield f"  {label}  {first}"
    yield from (f"            {line}" for line in others)


def frames(error: BaseException) -> list[tuple[str, str]]:
    """The places in the user's own code that an error came through: `file:line in function`, and the line."""
    found = []
    for frame, line in walk_tb(error.__traceback__):
        path = Path(frame.f_code.co_filename)
        if not path.is_file() or any(path.is_relative_to(place) for place in _OTHERS):
            continue
        shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
        code = linecache.getline(str(path), line).strip()
        found.append((f"{shown}:{line} in {frame.f_code.co_name}", code))
    return found


_OTHERS = [
    *{Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")},
    *(Path(__file__).resolve().parents[2] / room for room in ("fixtures", "runners", "steps")),
]
"""Where code is that is not the user's: Python's, the installed packages', gherkube's."""
