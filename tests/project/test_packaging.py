"""The wheel holds what the tree holds, under one import package."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("features", "fixtures", "runners", "steps")
DATA = {".feature", ".yaml", ".json", ".toml", ".typed", ""}


def tree(suffixes: set[str]) -> set[str]:
    """The files of the rooms with one of the suffixes, as paths inside the wheel."""
    found = (
        path
        for room in ROOMS
        for path in (ROOT / room).rglob("*")
        if path.suffix in suffixes and path.is_file()
    )
    return {f"gherkube/{path.relative_to(ROOT)}" for path in found}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of the files in a wheel that is built from the tree."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for room in ROOMS:
        shutil.copytree(ROOT / room, source / room, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = out.glob("*.whl")
    return set(zipfile.ZipFile(built).namelist())


def test_the_list_of_packages_is_the_tree() -> None:
    """Every folder with an __init__.py is listed in pyproject.toml, and nothing else."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    folders = {path.parent.relative_to(ROOT) for room in ROOMS for path in (ROOT / room).rglob("__init__.py")}
    assert set(settings["packages"]) == {".".join(["gherkube", *folder.parts]) for folder in folders}


def test_the_wheel_holds_all_code_and_data(wheel: set[str]) -> None:
    """No module, scenario, manifest or table is left behind."""
    assert tree({".py"} | DATA) - wheel == set()


def test_the_wheel_installs_nothing_else_at_the_top(wheel: set[str]) -> None:
    """A user's own `steps` or `runners` never meets ours."""
    tops = {name.split("/")[0] for name in wheel}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"gherkube"}
