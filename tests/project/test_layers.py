"""Who may import whom: arrows run one way, down the list."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Each layer may import itself and those after it.
ROOMS = ("fixtures", "steps", "runners")
RUNNERS = ("cli", "gameday", "report", "expectations", "kubectl", "kind", "live", "simulator")
SIMULATOR = (
    *("server", "cluster", "client", "traffic", "network", "scheduler", "node"),
    *("controllers", "events", "api", "store"),
)
HEAVY = {"kubernetes", "docker", "aiohttp", "jinja2", "pygal", "hypothesis"}


def modules(folder: str) -> list[Path]:
    return sorted(path for path in (ROOT / folder).rglob("*.py"))


def imported(path: Path, *, top_level: bool = False) -> Iterator[str]:
    """The full names that a module imports; with `top_level` only what importing it imports."""
    tree = ast.parse(path.read_text())
    for node in tree.body if top_level else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def part(name: str, prefix: str, layers: tuple[str, ...]) -> str | None:
    """Which of the layers a name belongs to; a layer also stands for the modules that begin with its name."""
    if not name.startswith(prefix):
        return None
    first = name.removeprefix(prefix).split(".")[0]
    return next((layer for layer in layers if first == layer or first.startswith(f"{layer}_")), None)


LAYERS = (("", "gherkube.", ROOMS), ("runners", "gherkube.runners.", RUNNERS))
ARROWS = [
    (path, prefix, layers)
    for folder, prefix, layers in (
        *LAYERS,
        ("runners/simulator", "gherkube.runners.simulator.", SIMULATOR),
    )
    for room in (ROOMS if not folder else [folder])
    for path in modules(room)
]


@pytest.mark.parametrize(("path", "prefix", "layers"), ARROWS, ids=lambda value: str(value)[-50:])
def test_imports_go_down(path: Path, prefix: str, layers: tuple[str, ...]) -> None:
    """A module imports only from its own layer and those below."""
    own = part("gherkube." + ".".join(path.relative_to(ROOT).with_suffix("").parts), prefix, layers)
    if own is None:
        return
    above = set(layers[: layers.index(own)])
    wrong = [name for name in imported(path) if part(name, prefix, layers) in above]
    assert not wrong, f"{path.relative_to(ROOT)} imports {', '.join(wrong)}"


SERVER = modules("runners/simulator/server")
"""The only I/O of the simulator, and what only its own command imports."""


@pytest.mark.parametrize(
    "path", [path for room in ROOMS for path in modules(room) if path not in SERVER], ids=str
)
def test_no_heavy_package_is_imported_at_once(path: Path) -> None:
    """A run on the simulator never pays for packages that only other backends need."""
    names = list(imported(path, top_level=True))
    assert not {name.split(".")[0] for name in names} & HEAVY
    assert not [name for name in names if name.startswith("gherkube.runners.simulator.server")]


@pytest.mark.parametrize(
    "path", [path for path in modules("runners/simulator") if path not in SERVER], ids=str
)
def test_the_core_of_the_simulator_is_pure(path: Path) -> None:
    """No wall clock, no threads, no sockets, no chance but the seeded one."""
    banned = {"time", "threading", "asyncio", "socket", "random", "secrets", "uuid", "os", "subprocess"}
    used = {name for name in imported(path) if name.split(".")[0] in banned}
    allowed = {"random"} if path.name == "clock.py" else {"random.Random"}  # the type of a stream
    assert used <= allowed
