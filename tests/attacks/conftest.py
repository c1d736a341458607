"""The folders below are material of the attacks, never part of this test run."""

from __future__ import annotations

from pathlib import Path


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Keeps pytest out of the attackers' folders, whose conftest.py it would import."""
    return collection_path.is_dir() or None
