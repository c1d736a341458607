"""The JSON Schema of plans, which editors complete and check by; made from the table that reads them."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

from gherkube.runners.gameday.reading import PLAN

NAME = "gameday.schema.json"


def text() -> str:
    """The schema as it is shipped and printed."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A game day of gherkube",
        **PLAN.schema(),
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def shipped() -> Path:
    """Where the schema is installed: what an editor is told."""
    return Path(str(files("gherkube.runners.gameday").joinpath(NAME)))


def print_schema() -> int:
    """Prints it; returns the exit code."""
    print(text(), end="")
    return 0
