"""The block that tells a failure: where, what, why, and the command that repeats it.

features/bad-release.feature:9  Then four v2 pods are running
  expected  exactly 4 v2 pods running
  found     3 running
  …
  next      gherkube run features/bad-release.feature:6 --seed 42
"""

from __future__ import annotations

import errno
import linecache
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from traceback import walk_tb

from gherkube.runners.errors import ApiError, CannotJudge, GherkubeError, Leaving, NotRun, UsageError
from gherkube.runners.expectations.failure import ExpectationFailed

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
CANNOT_JUDGE, UNUSABLE, EXPECTED, NOT_RUN, INTERNAL = (
    "cannot be judged",
    "cannot be run",
    "failed as expected",
    "not run",
    "internal error",
)

RED = (INTERNAL, FAILED, UNUSABLE, CANNOT_JUDGE, NOT_RUN)
"""The outcomes with which no run ends as passed, worst first."""

OWN, FIXTURES, PYTEST, LIBRARY, PYTHON, USER = "gherkube", "fixtures", "pytest", "library", "python", "user"
"""Whose code a frame is of; `fixtures` is gherkube's, too, but calls the user's."""

_LABELS: tuple[tuple[type[GherkubeError], str], ...] = (
    (CannotJudge, "cannot be judged here:"),
    (UsageError, "cannot be run:"),
    (NotRun, "not run:"),
    (ApiError, "refused "),
)


def outcome_of(error: BaseException) -> str:
    """What a scenario's outcome is when this ended it."""
    for kind, outcome in ((CannotJudge, CANNOT_JUDGE), (UsageError, UNUSABLE), (NotRun, NOT_RUN)):
        if isinstance(error, kind):
            return outcome
    return INTERNAL if is_internal(error) else FAILED


FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG})
"""Errors of a disk that takes no more: nobody's mistake."""


def is_internal(error: BaseException) -> bool:
    """Whether a mistake of gherkube raised it: on its way is only gherkube's code, and what that called.

    A library of steps that is installed was called as a user's own step is, so what it raises is not.
    """
    if isinstance(error, (GherkubeError, Leaving)) or not isinstance(error, Exception):
        return False
    if isinstance(error, OSError) and error.errno in FULL:
        return False
    files = [Path(frame.f_code.co_filename) for frame, _ in walk_tb(error.__traceback__)]
    whose = [_whose(file) for file in files if file.is_file() and _whose(file) != PYTHON]
    called = [each for each in whose if each not in (PYTEST, FIXTURES)]
    if called:
        return called[0] == OWN and USER not in called
    return whose[-1:] == [FIXTURES]


def block(head: str, error: BaseException, repeat: str) -> str:
    """The block of an error; `head` is the place and sentence, `repeat` the command that repeats it."""
    if is_internal(error):
        repeat = f"a mistake in gherkube: please report it, with what this shows: {repeat} -v"
    return "\n".join([head, *map(_visible, _told(error)), f"  next      {repeat}"])


def _visible(line: str) -> str:
    """The line without what a terminal would act on, and what no file could hold."""
    return re.sub(r"[^\t\x20-\x7e\x80-\ud7ff\ue000-\U0010ffff]", lambda found: repr(found[0])[1:-1], line)


def _told(error: BaseException) -> Iterator[str]:
    if isinstance(error, ExpectationFailed):
        yield from error.failure.lines()
        return
    label = next((label for kind, label in _LABELS if isinstance(error, kind)), "refused ")
    if isinstance(error, GherkubeError):
        yield from _indented(label, str(error))
        for cause in getattr(getattr(error, "error", None) or error, "details", {}).get("causes") or ():
            if cause.get("message") and cause["message"] not in str(error):
                yield from _indented("why     ", cause["message"])
        return
    internal = is_internal(error)
    yield from _indented("internal error:" if internal else "raised  ", _words(error))
    at = "at      "
    for place, code in frames(error, (OWN, FIXTURES))[-1:] if internal else frames(error):
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


def frames(error: BaseException, whose: tuple[str, ...] = (USER,)) -> list[tuple[str, str]]:
    """The places in the user's own code that an error came through: `file:line in function`, and the line.

    `whose`: in whose code, if not in the user's.
    """
    found = []
    for frame, line in walk_tb(error.__traceback__):
        file = Path(frame.f_code.co_filename)
        if file.is_file() and _whose(file) in whose:
            code = linecache.getline(str(file), line).strip()
            found.append((f"{shown(file)}:{line} in {frame.f_code.co_name}", code))
    return found


def shown(file: Path) -> Path:
    """The file as users see it, from the folder that they are in."""
    try:
        return file.relative_to(Path.cwd())
    except (ValueError, FileNotFoundError):  # elsewhere, or a step removed the folder that this is run in
        return file


def _whose(file: Path) -> str:
    return next((owner for place, owner in _places() if file.is_relative_to(place)), USER)


@cache
def _places() -> tuple[tuple[Path, str], ...]:
    """Whose code stands where; the first that fits. All else is the user's."""
    import sysconfig

    house = Path(__file__).resolve().parents[2]
    installed = {Path(sysconfig.get_path(name)) for name in ("purelib", "platlib")}
    return (
        (house / "fixtures", FIXTURES),
        *((house / room, OWN) for room in ("runners", "steps")),
        *(
            (place / name, PYTEST)
            for place in installed
            for name in ("_pytest", "pytest", "pluggy", "pytest_bdd")
        ),
        *((place, LIBRARY) for place in installed),
        *((Path(sysconfig.get_path(name)), PYTHON) for name in ("stdlib", "platstdlib")),
    )
