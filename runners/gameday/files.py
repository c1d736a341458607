"""The files of a game day: beside its plan, and those that `gameday new` writes."""

from __future__ import annotations

from pathlib import Path

from gherkube.runners.errors import UsageError


def write(path: Path, text: str) -> None:
    """Writes the text. Raises UsageError."""
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from None
