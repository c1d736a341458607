"""`gherkube run --on A --on B`: one process a place, one after another, and what they say held together."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from gherkube.runners.errors import UsageError
from gherkube.runners.report.places import Place, as_json, compare, exit_code, write_junit
from gherkube.runners.report.results import clear
from gherkube.runners.target import KIND, LIVE, SIMULATOR

GHERKUBE = (
    sys.executable,
    "-c",
    "import sys; sys.argv[0] = 'gherkube'; from gherkube.runners.cli.main import main; main()",
)
SEEDS = 5
"""With how many seeds the simulator plays, to know what is left to chance."""
OF_SOME: dict[str, Callable[[str], bool]] = {
    "context": lambda place: place == LIVE,
    **dict.fromkeys(("kubeconfig", "namespace"), lambda place: place not in (SIMULATOR, KIND)),
    **dict.fromkeys(("nodes", "image", "reuse", "keep"), lambda place: place == KIND),
}
"""Options that not every place has, and who has them."""
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_at_places(
    places: Sequence[str], paths: Sequence[str], options: Mapping[str, object], flags: Sequence[str]
) -> int:
    """Runs the paths at each place; returns gherkube's exit code for all of them together.

    `options` are those of `gherkube run` by name, as far as they were given (True: without a value),
    `flags` further arguments as they are.
    """
    if refused := _refused(places, options):
        print(f"gherkube run: {refused}", file=sys.stderr)
        return 2
    report, junit = (str(options.get(name, "")) for name in ("report", "junit"))
    rest = {name: value for name, value in options.items() if name not in ("report", "junit")}
    ran: list[Place] = []
    with tempfile.TemporaryDirectory(prefix="gherkube-") as scratch, _children() as children:
        folder = Path(report or scratch)
        for name in places:
            own = {key: value for key, value in rest.items() if _has(name, key)}
            command = [*paths, f"--on={name}", *map(_option, own, own.values()), *flags]
            print(f"{chr(10) if ran else ''}on {name}", flush=True)
            code = children.run(
                [*command, f"--report={folder / name}", *([] if report else ["--unsaid-report"])]
            )
            ran.append(Place(name, folder / name, code))
            if children.stopped or not ran[-1].ended:
                break
            if name == SIMULATOR:
                ran[-1].seeds += _more_seeds(children, command, int(str(own.get("seed", 1))), Path(scratch))
        if len(ran) == 1:  # there is nothing to compare; what is wrong there would be everywhere
            return code if code > 0 else 1
        return _conclude(ran, Path(report) if report else None, Path(junit) if junit else None)


def _refused(places: Sequence[str], options: Mapping[str, object]) -> str:
    if twice := [place for place in places if places.count(place) > 1]:
        return f"--on {twice[0]} is there twice; name each place once"
    if idle := [name for name in options if not any(_has(place, name) for place in places)]:
        return f"--{idle[0]} says nothing to {' and '.join(places)}; leave it out"
    if "messages" in options:
        return "--messages is for one place; --report writes messages.ndjson for each"
    for name in ("report", "junit"):
        if given := options.get(name):
            try:
                path = Path(str(given))
                clear(*((path.parent, path.name) if name == "junit" else (path, "index.html")))
            except UsageError as error:
                return str(error)
    return ""


def _has(place: str, option: str) -> bool:
    return option not in OF_SOME or OF_SOME[option](place)


def _option(name: str, value: object) -> str:
    return f"--{name}" if value is True else f"--{name}={value}"


def _more_seeds(children: Children, command: Sequence[str], seed: int, scratch: Path) -> list[Path]:
    """Plays it on the simulator with more seeds, without a word; the folders of their reports."""
    others = range(seed + 1, seed + SEEDS)
    print(f"\non {SIMULATOR} with seeds {others[0]} to {others[-1]}: what is left to chance", flush=True)
    folders = [scratch / f"seed-{each}" for each in others]
    plain = [each for each in command if not each.startswith("--seed=")]
    commands = [
        [*plain, f"--seed={each}", f"--report={folder}"] for each, folder in zip(others, folders, strict=True)
    ]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(children.run_silently, commands))
    return folders


class Children:
    """Runs of gherkube in processes of their own. `stopped`: this process was told to end."""

    def __init__(self) -> None:
        self.stopped = False
        self._running: set[subprocess.Popen[bytes]] = set()

    def run(self, arguments: Sequence[str]) -> int:
        """Runs it here in the terminal; its exit code."""
        return self._run(arguments)

    def run_silently(self, arguments: Sequence[str]) -> int:
        """The same, unseen."""
        return self._run(arguments, subprocess.DEVNULL)

    def _run(self, arguments: Sequence[str], output: int | None = None) -> int:
        if self.stopped:
            return 1
        # A group of its own: of one ^C it hears once, from here.
        process = subprocess.Popen(
            [*GHERKUBE, "run", *arguments], process_group=0, stdout=output, stderr=output
        )
        self._running.add(process)
        try:
            return process.wait()
        finally:
            self._running.discard(process)

    def stop(self, number: int, _: object) -> None:
        """Hands a signal on; the run that gets it tidies up, and none begins after it."""
        self.stopped = True
        for process in list(self._running):
            process.send_signal(number)


@contextmanager
def _children() -> Iterator[Children]:
    children = Children()
    before = {number: signal.signal(number, children.stop) for number in STOPS}
    try:
        yield children
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _conclude(places: Sequence[Place], report: Path | None, junit: Path | None) -> int:
    """Prints the table and writes what was asked for; the exit code of all."""
    from _pytest._io import TerminalWriter

    from gherkube.runners.report.places_table import write

    scenarios = compare(places)
    code = exit_code(places, scenarios)
    write(TerminalWriter(sys.stdout), places, scenarios)
    try:
        if report:
            from gherkube.runners.report.places_page import page

            told = json.dumps(as_json(places, scenarios, code), ensure_ascii=False, indent=1)
            (report / "places.json").write_text(told + "\n", encoding="utf-8")
            (report / "index.html").write_text(page(places, scenarios), encoding="utf-8")
            write_junit(report / "junit.xml", places)
        if junit:
            write_junit(junit, places)
    except OSError as error:
        print(f"gherkube run: {error.filename}: cannot be written: {error.strerror}", file=sys.stderr)
        return code if code in (1, 5) else 2
    return code
