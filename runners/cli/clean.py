"""`gherkube clean`: does what runs that were killed left to be done, and removes clusters that were kept.

What has no record of a run whose processes are all gone is never touched.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from gherkube.runners import state
from gherkube.runners.errors import GherkubeError, UsageError
from gherkube.runners.kind import clusters
from gherkube.runners.kind.clean import settle
from gherkube.runners.kind.settings import KindSettings
from gherkube.runners.objects import Object
from gherkube.runners.settings import find, load


def clean(names: Sequence[str]) -> int:
    """Cleans up after runs that are gone, and removes the clusters that are named; returns the exit code.

    0: nothing is left; 1: something is, and is named; 2: there is no such cluster, or no kind.
    """
    try:
        settings = _settings()
        left = [*_runs(settings), *_named(names, settings)]
    except UsageError as error:
        print(f"gherkube clean: {error}", file=sys.stderr)
        return 2
    for made in clusters.known():
        if made.name not in names:
            print(f"  kept: kind cluster {made.name}; `{state.CLEANS} {made.name}` removes it")
    if left:
        print("\nLeft:", *(f"  {each}" for each in left), sep="\n")
        return 1
    print("Nothing is left to clean up.")
    return 0


def _runs(settings: KindSettings) -> list[str]:
    """Does what runs left to be done that are gone; what is left."""
    left = []
    with state.gone() as runs:
        for run in runs:
            if run.debts() or run.journals():
                print(f"run {run.id}" + (f": {run.command}" if run.command else ""))
            settled = settle(run, settings, say=lambda text: print(f"  {text}", flush=True), ask=_ask)
            for each in settled.done:
                print(f"  {each}")
            left += settled.left
            run.end()
    return left


def _named(names: Sequence[str], settings: KindSettings) -> list[str]:
    """Removes clusters by their names; what is left."""
    left = []
    for name in names:
        if clusters.read(name) is None:
            raise UsageError(
                f"{name}: gherkube has made no such cluster, so it is not removed; "
                "`kind delete cluster --name` removes any"
            )
        try:
            clusters.remove(name, clusters.program(settings))
        except UsageError:
            raise
        except GherkubeError as error:
            left.append(str(error))
        else:
            print(f"  kind cluster {name}: removed")
    return left


def _settings() -> KindSettings:
    """What the project says of kind; where the program is, above all."""
    file = find([Path.cwd()])
    settings = load(file) if file else None
    return settings.kind if settings else KindSettings()


def _ask(what: str, _before: Object | None, _now: Object | None) -> bool:
    """Whether to overwrite what somebody else changed since."""
    if not sys.stdin.isatty():
        return False
    return input(f"  {what}. Put it back all the same? [y/N] ").strip().lower() in ("y", "yes")
