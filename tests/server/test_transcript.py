"""The page with the tutorial is what kubectl prints."""

from __future__ import annotations

from pathlib import Path

from tests.server.transcript import PAGE, transcript


def test_the_tutorial_prints_what_its_page_says(tmp_path: Path) -> None:
    """Every line, typed again."""
    page = PAGE.read_text()
    assert transcript(page, tmp_path) == page
